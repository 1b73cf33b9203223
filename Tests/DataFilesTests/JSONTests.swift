import DataFiles
import Fixtures
import Foundation
import Testing

@Suite struct JSONTests {
  @Test func readsEveryKindOfValue() throws {
    // Source: RFC 8259, sections 3 to 7, and its example of U+1D11E as a surrogate pair.
    let text = """
      \u{FEFF} { "n" : null, "b" : [true, false], "x":-0.5e-3 , "": "é\\u00e9\\"\\\\\\/\\b\\f\\n\\r\\t",
        "clef": "\\uD834\\uDD1E", "a": [[], {}, [1, 2E+2]] }
      """
    #expect(
      try read(text)
        == .object([
          "n": .null, "b": .array([.boolean(true), .boolean(false)]), "x": .number(-0.0005),
          "": .string("éé\"\\/\u{8}\u{C}\n\r\t"), "clef": .string("\u{1D11E}"),
          "a": .array([.array([]), .object([:]), .array([.number(1), .number(200)])]),
        ]))
    #expect(try read("[1]")["a"] == nil)
    #expect(try read("{\"a\":7}")["a"] == .number(7))
  }

  @Test func roundsNumbersOnceToTheNearest() throws {
    // Source: IEEE 754, ties to even at 2⁵³ + 1; 0.1 + 0.2 as Python prints it.
    #expect(try read("9007199254740993") == .number(9_007_199_254_740_992))
    #expect(try read("0.30000000000000004") == .number(0.1 + 0.2))
    #expect(try read("1e-400") == .number(0))
    guard case .number(let zero) = try read("-0") else { return #expect(Bool(false)) }
    #expect(zero.sign == .minus)
  }

  @Test("Every JSON file of the fixtures reads as Foundation reads it")
  func agreesWithFoundation() throws {
    let folder = try Fixtures.folder()
    var count = 0
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder)
    where path.hasSuffix(".json") {
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)"))
      let theirs = try JSONDecoder().decode(FoundationJSON.self, from: data).value
      #expect(try JSON.read(path: "\(folder)/\(path)") == theirs, "\(path)")
      count += 1
    }
    #expect(count > 50)
  }

  @Test(
    arguments: [
      ("", "line 1, column 1", "the document ends where a value"),
      ("[1,\n 2,]", "line 2, column 4", "\"]\" stands where a value"),
      ("{\"a\" 1}", "column 6", "\"1}\" stands where a colon"),
      ("{\"a\":1,}", "column 8", "a name in quotes"), ("{'a':1}", "column 2", "a name in quotes"),
      ("[1 2]", "column 4", "a comma or ]"), ("{\"a\":1 2}", "column 8", "a comma or }"),
      ("01", "column 2", "the end of the document"), ("-", "column 2", "a digit"),
      ("1.", "column 3", "a digit"), ("1e+", "column 4", "a digit"), (".5", "column 1", "a value"),
      ("NaN", "column 1", "a value"), ("-Infinity", "column 2", "a digit"),
      ("nul", "column 1", "a value"), ("1e999", "column 1", "1e999 is too large"),
      ("[\"a", "column 2", "never closed"), ("\"\\x\"", "column 3", "after a backslash"),
      ("\"\\u12g4\"", "column 6", "hexadecimal"), ("\"\\ud834\"", "column 2", "surrogate"),
      ("\"\\ud834\\u0041\"", "column 2", "surrogate"), ("\"\\udd1e\"", "column 2", "surrogate"),
      ("\"a\tb\"", "column 3", "control character"),
      ("{\"a\":1,\n\"a\":2}", "line 2, column 1", "\"a\" stands twice"),
    ])
  func saysWhereAndWhatIsWrong(text: String, place: String, reason: String) {
    expectMessage("d.json", place, reason) { try read(text) }
  }

  @Test func refusesBytesThatAreNotUTF8() {
    expectMessage("d.json", "column 2", "UTF-8") {
      try JSON.decode([0x5B, 0x22, 0xC3, 0x28, 0x22, 0x5D], name: "d.json")
    }
  }

  @Test func readsToTheDeepestNestingAndNotBeyond() throws {
    let most = JSON.deepestNesting
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try read(nested(most)) }
    expectMessage("column \(most + 1)", "\(most) deep") { try read(nested(most + 1)) }
    expectMessage("deep") { try read(String(repeating: "{\"a\":[", count: 100_000)) }
  }

  private func read(_ text: String) throws(DataFileError) -> JSON {
    try JSON.decode(Array(text.utf8), name: "d.json")
  }
}

/// A document as Foundation's decoder sees it.
private struct FoundationJSON: Decodable {
  let value: JSON

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      value = .null
    } else if let number = try? container.decode(Double.self) {
      // First, as most values are numbers, and each attempt that fails takes time.
      value = .number(number)
    } else if let boolean = try? container.decode(Bool.self) {
      value = .boolean(boolean)
    } else if let string = try? container.decode(String.self) {
      value = .string(string)
    } else if let elements = try? container.decode([FoundationJSON].self) {
      value = .array(elements.map(\.value))
    } else {
      value = .object(
        try container.decode([String: FoundationJSON].self).mapValues(\.value))
    }
  }
}
