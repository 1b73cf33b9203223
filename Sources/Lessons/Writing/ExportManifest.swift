import DataFiles
import Experiments
import Foundation

/// `manifest.json` of the export: what made the files, and where each printed number comes from.
public struct ExportManifest: Codable, Equatable, Sendable {
  public struct File: Codable, Equatable, Sendable {
    public let name: String
    public let sha256: String
  }

  /// A number of the text and its cell in a CSV file; rows are counted from 0 without the header.
  public struct Number: Codable, Equatable, Sendable {
    public let text, format, file, column: String
    public let row: Int
  }

  public struct Excerpt: Codable, Equatable, Sendable {
    public let file, marker: String
  }

  public struct Chapter: Codable, Equatable, Sendable {
    public let name: String
    public let words: Int
    public let files: [File]
    public let numbers: [Number]
    public let excerpts: [Excerpt]

    /// The chapter's number with two digits.
    var key: String { String(name.prefix(2)) }
  }

  public var command = "natgrad notebooks export"
  public var version = Natgrad.version
  /// What the sums were compiled for.
  public var instructionSet = Platform.instructionSet
  /// The library that exp, tanh and log come from.
  public var cLibrary = Platform.cLibrary
  /// A digest of what that library and this processor answer; equal ones promise equal bytes.
  public var elementaryFunctions = Platform.elementaryFunctions
  /// The data sets that were read.
  public var data: [File]
  public var pages: [File]
  /// By chapter number with two digits.
  public var chapters: [String: Chapter]

  public init(data: [(name: String, sha256: String)], pages: [File], chapters: [String: Chapter]) {
    self.data = data.map { File(name: $0.name, sha256: $0.sha256) }
    self.pages = pages
    self.chapters = chapters
  }

  /// Whether the same source gives the same bytes here as where this was written.
  public var isOfThisPlatform: Bool {
    instructionSet == Platform.instructionSet && cLibrary == Platform.cLibrary
      && elementaryFunctions == Platform.elementaryFunctions
  }

  /// Reads `manifest.json` of a folder. Throws `DataFileError` where it is missing or no manifest.
  public static func read(folder: String) throws -> ExportManifest {
    let path = "\(folder)/manifest.json"
    let bytes = try InputFile.read(path: path)
    do {
      return try JSONDecoder().decode(ExportManifest.self, from: Data(bytes))
    } catch {
      throw DataFileError(
        "\(path): this is no manifest of 'natgrad notebooks export'. "
          + "Name the folder that command wrote, or run it again.")
    }
  }

  public func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self)) + [10]
  }
}
