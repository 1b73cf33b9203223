import Fixtures
import Foundation
import Testing

@Suite struct FixturesTests {
  @Test func isFoundInTheSourceTreeOrBesideTheTests() throws {
    let folder = try Fixtures.folder()
    #expect(FileManager.default.fileExists(atPath: folder + "/datasets"))
    #expect(try Fixtures.path("vectors") == folder + "/vectors")
  }

  @Test func isLookedForInTheOrderThatIsDocumented() throws {
    try withTemporaryFolder { root in
      let places = ["named", "program/natgrad_Fixtures.resources", "program/Fixtures", "source"]
      for place in places {
        try FileManager.default.createDirectory(
          atPath: "\(root)/\(place)/datasets", withIntermediateDirectories: true)
      }
      // Each place wins until it is taken away.
      for place in places {
        let environment = place == "named" ? ["NATGRAD_FIXTURES": "\(root)/named"] : [:]
        let found = try folder(root, environment)
        #expect(found == "\(root)/\(place)")
        try FileManager.default.removeItem(atPath: "\(root)/\(place)/datasets")
      }
      expectSentence(root, ["NATGRAD_FIXTURES": ""], places.dropFirst() + ["NATGRAD_FIXTURES"])
      expectSentence(root, ["NATGRAD_FIXTURES": "\(root)/named"], ["\(root)/named", "unset"])
    }
  }

  @Test func saysWhichFileIsMissing() throws {
    #expect {
      try Fixtures.path("datasets/none.csv")
    } throws: { error in
      "\(error)".contains("datasets/none.csv is missing") && "\(error)".contains("NATGRAD_FIXTURES")
    }
  }

  private func folder(_ root: String, _ environment: [String: String]) throws -> String {
    try Fixtures.folder(
      environment: environment, programFolder: "\(root)/program", sourceFolder: "\(root)/source")
  }

  private func expectSentence(
    _ root: String, _ environment: [String: String], _ parts: some Sequence<String>
  ) {
    #expect {
      try folder(root, environment)
    } throws: { error in
      parts.allSatisfy { "\(error)".contains($0) }
    }
  }
}
