import DataFiles
import Foundation

/// What a results folder was made of, so that anyone can make it again: no time, no path, no host.
public struct Manifest: Encodable, Sendable {
  public struct File: Encodable, Sendable {
    public let name: String
    public let sha256: String
  }

  /// The version of natgrad.
  public let version: String
  /// The command line's options by name, defaults included.
  public let options: [String: String]
  public let seeds: [UInt64]
  /// The files of the data set that were read.
  public let data: [File]
  /// What the sums were compiled for.
  public let instructionSet: String
  /// The library that exp, tanh and log come from.
  public let cLibrary: String
  /// The files of the folder.
  public let files: [File]

  public init(
    options: [String: String], seeds: [UInt64], data: [(name: String, sha256: String)],
    files: [(name: String, bytes: [UInt8])]
  ) {
    self.version = Natgrad.version
    self.options = options
    self.seeds = seeds
    self.data = data.map { File(name: $0.name, sha256: $0.sha256) }
    self.instructionSet = Platform.instructionSet
    self.cLibrary = Platform.cLibrary
    self.files = files.map { File(name: $0.name, sha256: SHA256.hexDigest($0.bytes)) }
  }

  /// The manifest as JSON with sorted keys.
  public func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self)) + [10]
  }
}

/// The version in `--version` and in manifests.
public enum Natgrad {
  public static let version = "0.1.0"
}
