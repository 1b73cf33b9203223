import Foundation

/// A folder of results that is written whole or not at all.
public struct AtomicFolder: Sendable {
  /// Where the folder is, or will be.
  public let path: String

  /// Checks that results can be written to `path`: it is a folder that can be written, or is
  /// missing and can be made in its parent.
  ///
  /// Meant to be called before a long computation. Nothing is made yet. Throws `DataFileError`.
  public init(path: String) throws(DataFileError) {
    self.path = path
    if FileManager.default.fileExists(atPath: path) {
      try OutputFolder.check(path)
    } else {
      try OutputFolder.check(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }
  }

  /// Writes every file into a temporary folder, then renames it to `path`.
  ///
  /// Where `path` exists, each file is renamed into it, and replaces a file of its name; other files
  /// there stay. Names are plain: without `/`. Throws `DataFileError`, and removes what it wrote.
  public func write(_ files: [(name: String, bytes: [UInt8])]) throws(DataFileError) {
    let manager = FileManager.default
    let exists = manager.fileExists(atPath: path)
    let url = URL(fileURLWithPath: path)
    let place = exists ? url : url.deletingLastPathComponent()
    try OutputFolder.check(place.path)
    let temporary = "\(place.path)/.\(url.lastPathComponent).\(OutputFolder.temporarySuffix())"
    defer { try? manager.removeItem(atPath: temporary) }
    do {
      try manager.createDirectory(atPath: temporary, withIntermediateDirectories: false)
      for file in files {
        precondition(!file.name.contains("/"), "a plain file name is expected, got \(file.name)")
        try Data(file.bytes).write(to: URL(fileURLWithPath: "\(temporary)/\(file.name)"))
      }
    } catch {
      throw OutputFolder.cannotWrite(path, because: error)
    }
    guard exists else { return try OutputFolder.rename(temporary, to: url.path) }
    for file in files {
      try OutputFolder.rename("\(temporary)/\(file.name)", to: "\(url.path)/\(file.name)")
    }
  }
}
