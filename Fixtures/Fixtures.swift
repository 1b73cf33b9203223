import Foundation

/// Finds the data sets and test vectors that come with natgrad.
///
/// They lie in one folder with the subfolders `datasets` and `vectors`. It is looked for in this
/// order: the folder that the environment variable NATGRAD_FIXTURES names (then nowhere else);
/// `natgrad_Fixtures.resources` and `Fixtures` beside the program; the source tree the program was
/// built from.
public enum Fixtures {
  /// The folder that holds `datasets` and `vectors`, or an error that says where it was looked for.
  public static func folder() throws(FixturesNotFound) -> String {
    let executable = Bundle.main.executableURL?.resolvingSymlinksInPath()
    return try folder(
      environment: ProcessInfo.processInfo.environment,
      programFolder: executable?.deletingLastPathComponent().path,
      sourceFolder: URL(fileURLWithPath: #filePath).deletingLastPathComponent().path)
  }

  /// The same search with its three starting points given.
  public static func folder(
    environment: [String: String], programFolder: String?, sourceFolder: String
  ) throws(FixturesNotFound) -> String {
    if let named = environment["NATGRAD_FIXTURES"], !named.isEmpty {
      guard holdsDatasets(named) else {
        throw FixturesNotFound(
          "NATGRAD_FIXTURES names \(named), which has no subfolder 'datasets'. "
            + "Set it to the folder 'Fixtures' of natgrad's source, or unset it.")
      }
      return named
    }
    var places = ["natgrad_Fixtures.resources", "Fixtures"].compactMap { name in
      programFolder.map { "\($0)/\(name)" }
    }
    places.append(sourceFolder)
    if let found = places.first(where: holdsDatasets) { return found }
    throw FixturesNotFound(
      "natgrad's data sets were not found; looked in \(places.joined(separator: ", ")). "
        + "Set the environment variable NATGRAD_FIXTURES to the folder 'Fixtures' of natgrad's "
        + "source.")
  }

  /// The path of one file, such as `datasets/digits.csv`, or an error that says where it should be.
  public static func path(_ relative: String) throws(FixturesNotFound) -> String {
    let path = try folder() + "/" + relative
    guard FileManager.default.fileExists(atPath: path) else {
      throw FixturesNotFound(
        "natgrad's data file \(path) is missing. Restore it from natgrad's source, or set the "
          + "environment variable NATGRAD_FIXTURES to a folder that has \(relative).")
    }
    return path
  }

  private static func holdsDatasets(_ folder: String) -> Bool {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(
      atPath: folder + "/datasets", isDirectory: &isFolder)
    return exists && isFolder.boolValue
  }
}

/// The data that come with natgrad are not where they were looked for.
public struct FixturesNotFound: Error, Equatable, CustomStringConvertible, Sendable {
  /// What was looked for and where, and what to do.
  public let message: String

  init(_ message: String) { self.message = message }

  /// The same as `message`.
  public var description: String { message }
}
