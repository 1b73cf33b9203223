import Foundation

/// What writers of files and of folders have in common.
enum OutputFolder {
  /// Throws the sentence for a folder that is missing, is a file, or cannot be written.
  static func check(_ folder: String) throws(DataFileError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw DataFileError("\(folder): there is no such folder. Make it first, or name another.")
    }
    guard isFolder.boolValue else {
      throw DataFileError("\(folder): this is a file, and a folder is expected. Name a folder.")
    }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw DataFileError(
        "\(folder): the folder cannot be written. Change its permissions, or name another.")
    }
  }

  /// A part of a name that no other running program uses.
  static func temporarySuffix() -> String {
    "\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString.prefix(8)).partial"
  }

  /// Gives a file or folder its final name, replacing a file of that name; removes it on failure.
  static func rename(_ temporary: String, to path: String) throws(DataFileError) {
    guard Foundation.rename(temporary, path) == 0 else {
      let reason = String(cString: strerror(errno))
      try? FileManager.default.removeItem(atPath: temporary)
      throw DataFileError(
        "\(path): the name cannot be given (\(reason)). Choose another name or folder.")
    }
  }

  /// The sentence for a failed write.
  static func cannotWrite(_ path: String, because error: any Error) -> DataFileError {
    DataFileError(
      "\(path): writing failed (\(error.localizedDescription)). "
        + "Check the permissions and the free space of the folder, or name another.")
  }
}
