import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks
import Testing
import Verification

/// What a damaged or foreign case is refused with: file, place, value, what to do.
struct VectorCaseTests {
  /// A change of the text of `case.json` (`from` is a regular expression), and parts of the sentence that follows.
  struct Change: CustomTestStringConvertible {
    let from, to: String
    var identifier = "t0/convolution"
    let parts: [String]
    var testDescription: String { "\(from) → \(to)" }
  }

  static let changes = [
    Change(from: "\\{", to: "", parts: ["case.json", "line 2"]),
    Change(
      from: "\"tier\"", to: "\"Tier\"", parts: ["the key 'tier' is missing in the whole file"]),
    Change(
      from: "\"schemaVersion\": \"1.0\"", to: "\"schemaVersion\": \"2.0\"",
      parts: ["schemaVersion is '2.0'", "1.x is read"]),
    Change(
      from: "\"flags\": \\[", to: "\"flags\": [7, ",
      parts: ["flags[0] is 7.0, and a text is expected", "Restore"]),
    Change(
      from: "\"vector\": \\d+", to: "\"vector\": 1e99", identifier: "t0/tied",
      parts: ["model.network.inputShape.vector is 1e+99", "a whole number"]),
    Change(
      from: "\"vector\": \\d+", to: "\"vector\": 99000000", identifier: "t0/tied",
      parts: ["99000000", "largest", "smaller network"]),
    Change(
      from: "\"vector\"", to: "\"Vector\"", identifier: "t0/tied",
      parts: ["vector, sequence and image"]),
    Change(
      from: "\"operation\": \"flatten\"", to: "\"operation\": \"Flatten\"",
      parts: ["node", "'Flatten'", "flatten, addition"]),
    Change(
      from: "\"activation\": \"relu\"", to: "\"activation\": \"relu6\"",
      parts: ["node 1", "'relu6'", "softplus"]),
    Change(
      from: "\"parameters\": 0", to: "\"parameters\": 7", parts: ["parameter block 7"]),
    Change(
      from: "\"parameters\": 0, ", to: "", identifier: "t0/linear-regression",
      parts: ["node 0", "without the key parameters"]),
    Change(
      from: "\"kernel\": \\[\\d+, \\d+\\]", to: "\"kernel\": [2]", parts: ["node 0", "two numbers"]),
    Change(
      from: "\"kernel\": \\[\\d+, \\d+\\]", to: "\"kernel\": [2, 99]", parts: ["kernel of 2 × 99"]),
    Change(
      from: "\"rows\": \\d+", to: "\"rows\": 4", identifier: "t0/linear-regression",
      parts: ["'layer1' is described as 4 × 8", "its weights are"]),
    Change(
      from: "\"variance\": [0-9.]+", to: "\"variance\": -1.0",
      parts: ["'gaussian' with the variance -1.0", "positive"]),
    Change(
      from: "\"name\": \"categorical\"", to: "\"name\": \"poisson\"",
      identifier: "t1/kl-tanh-categorical", parts: ["'poisson'", "bernoulli"]),
    Change(
      from: "\"name\": \"categorical\"", to: "\"name\": \"bernoulli\"",
      identifier: "t1/kl-tanh-categorical", parts: ["targets", "Bernoulli"]),
    Change(
      from: "\"name\":\"logits\",\"shape\":\\[", to: "\"name\":\"logits\",\"shape\":[2,",
      identifier: "t0/linear-regression",
      parts: ["array 'logits'", "the shape is (", "case.json says (2, "]),
    Change(
      from: "\"name\":\"logits\"", to: "\"name\":\"Logits\"", parts: ["'Logits'", "missing"]),
    Change(
      from: "\"name\":\"logits\"", to: "\"name\":\"inputs\"", parts: ["lists 'inputs' twice"]),
    Change(
      from: "\"kind\": \"factors\"", to: "\"kind\": \"factor\"", identifier: "t2/spd-1e2",
      parts: ["kind factors or matrix"]),
    Change(
      from: "\"kind\": \"factors\"", to: "\"kind\": \"matrix\"", identifier: "t2/spd-1e2",
      parts: ["needs the array 'layer1.block'"]),
    Change(
      from: "\"name\":\"arrays.npz\"", to: "\"name\":\"arrays\"", parts: ["'arrays.npz'", "files"]),
  ]

  @Test("A fault of case.json is named with its place", arguments: changes)
  func faultsAreNamed(_ change: Change) throws {
    try withCopy(of: change.identifier) { folder in
      let path = "\(folder)/case.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let range = try #require(text.firstRange(of: Regex(change.from)), "\(change.from)")
      let changed = text.replacingCharacters(in: range, with: change.to)
      try changed.write(toFile: path, atomically: false, encoding: .utf8)
      try expectMessage(["case.json"] + change.parts) { try VectorCase(folder: folder) }
    }
  }

  @Test("One changed byte of arrays.npz is seen by its hash")
  func damagedArrays() throws {
    try withCopy(of: "t0/tied") { folder in
      let path = "\(folder)/arrays.npz"
      var bytes = try InputFile.read(path: path)
      bytes[bytes.count / 2] ^= 1
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      try expectMessage(["case.json", "sha256", "one version"]) { try VectorCase(folder: folder) }
    }
  }

  /// Digits, brackets and letters are changed, so that most changes are still JSON.
  @Test(
    "Whatever bytes of case.json are changed, it is read or refused with a sentence",
    arguments: ["t0/convolution", "t1/sequence-reduce", "t2/spd-1e2", "t3/monte-carlo-gaussian"])
  func changedBytes(_ identifier: String) throws {
    try withCopy(of: identifier) { folder in
      let path = "\(folder)/case.json"
      let bytes = try InputFile.read(path: path)
      let length = min(bytes.count, 1500)  // the model, not the list of arrays
      var random = SplitMix64(seed: 7)
      var refusals = 0
      for _ in 0..<100 {
        var changed = bytes
        for _ in 0...random.below(3) {
          let kinds = Array("0123456789-{}[],:\"aeE.".utf8)
          changed[random.below(length)] = kinds[random.below(kinds.count)]
        }
        try Data(changed).write(to: URL(fileURLWithPath: path))
        do {
          _ = try VectorCase(folder: folder)
        } catch let error as DataFileError {
          #expect(error.message.contains("case.json") && error.message.hasSuffix("."))
          refusals += 1
        }
      }
      #expect(refusals > 30)
    }
  }

  @Test("A missing file is named", arguments: ["case.json", "arrays.npz"])
  func missingFile(_ name: String) throws {
    try withCopy(of: "t0/tied") { folder in
      try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
      try expectMessage([name, "no such file"]) { try VectorCase(folder: folder) }
    }
  }

  @Test("What is read is what the file says")
  func contents() throws {
    let vector = try VectorIndex.read("t0/convolution")
    #expect(vector.id == "t0/convolution")
    #expect(vector.tier == "T0")
    #expect(vector.purpose.hasSuffix("."))
    #expect(vector.conventions["kron"] == "A(x)G")
    #expect(vector.stages.map(\.name).first == "inputs")
    #expect(vector.stages.contains { $0.gauge == "none" && $0.metric == "bits" })
    guard case .network(let model) = vector.model else {
      Issue.record("t0/convolution is a network")
      return
    }
    #expect(model.likelihood == .gaussian(variance: 1))
    #expect(model.probabilities == nil)
    #expect(model.inputs.columnCount == vector.arrays["inputs"]?.shape[0])
  }

  private func withCopy(of identifier: String, _ body: (String) throws -> Void) throws {
    let source = try Fixtures.path("\(VectorIndex.folder)/\(identifier)")
    let folder = NSTemporaryDirectory() + "natgrad-vector-\(UUID().uuidString)"
    try FileManager.default.copyItem(atPath: source, toPath: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }
}
