import Foundation

/// Reading a whole file into memory, up to a limit.
public enum InputFile {
  /// The most bytes that a file, an unpacked file or an array may take unless the caller says
  /// otherwise: 1 GiB.
  public static let standardLimit = 1 << 30

  /// Whether there is something at the path that is not a folder.
  public static func exists(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }

  /// Reads every byte of a file.
  ///
  /// Throws `DataFileError` where there is no such file, it is a folder, it cannot be read, or it is
  /// larger than `limit` bytes.
  public static func read(
    path: String, limit: Int = standardLimit
  ) throws(DataFileError) -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataFileError("\(path): there is no such file. Check the path.")
    }
    guard !isFolder.boolValue else {
      throw DataFileError("\(path): this is a folder. Name a file in it.")
    }
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    guard (size ?? 0) <= limit else { throw tooLarge(path, bytes: size ?? 0, limit: limit) }
    // By parts, so that no second copy of the file is in memory. A pipe has no size beforehand, so
    // the limit is kept while reading too. Nothing to be read is no error here: what an empty file
    // lacks, its reader says.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size ?? 0)
    do {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      while bytes.count <= limit, let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
        bytes += part
      }
    } catch {
      throw DataFileError("\(path): the file cannot be read. Check its permissions.")
    }
    guard bytes.count <= limit else { throw tooLarge(path, bytes: nil, limit: limit) }
    return bytes
  }

  private static func tooLarge(_ path: String, bytes: Int?, limit: Int) -> DataFileError {
    let seen = bytes.map { "\($0) bytes" } ?? "more bytes than that"
    return DataFileError(
      "\(path): the file holds \(seen), and the limit is \(limit) bytes. "
        + "Give a smaller file or raise the memory limit.")
  }
}
