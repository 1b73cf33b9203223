import Foundation

/// Writing a file so that it is never seen half-written.
public enum AtomicFile {
  /// Writes the bytes beside the path under a temporary name, then renames.
  ///
  /// An older file of that name is replaced. Throws `DataFileError` where the folder is missing,
  /// is no folder or cannot be written, or the path is a folder; nothing is left behind then.
  public static func write(_ bytes: [UInt8], to path: String) throws(DataFileError) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw DataFileError("\(path): this is a folder, and a file is to be written. Name a file.")
    }
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent().path
    try OutputFolder.check(folder)
    let temporary = "\(folder)/.\(url.lastPathComponent).\(OutputFolder.temporarySuffix())"
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: temporary))
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw OutputFolder.cannotWrite(path, because: error)
    }
    try OutputFolder.rename(temporary, to: path)
  }
}
