import Foundation
import Fixtures
import Verification

/// `Fixtures/vectors/index.json`: every test vector that there is.
struct VectorIndex: Decodable {
  struct Case: Decodable { let id, tier, status, title, sha256: String }
  let version: String
  let cases: [Case]

  static let folder = "vectors/cases"

  init() throws {
    let path = try Fixtures.path("vectors/index.json")
    self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The identifiers of a tier, or of all tiers; none where the index cannot be read, which the
  /// tests of the index itself report.
  static func identifiers(_ tiers: String...) -> [String] {
    ((try? VectorIndex())?.cases ?? []).filter { tiers.contains($0.tier) }.map(\.id)
  }

  static func read(_ identifier: String) throws -> VectorCase {
    try VectorCase(folder: Fixtures.path("\(folder)/\(identifier)"))
  }
}
