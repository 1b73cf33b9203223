import DataFiles
import Foundation
import Testing

@Suite("Bad arrays of an own network get one sentence, exit code 2 and no files")
struct BadArraysTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let options: [String]
    let parts: [String]
    let change: @Sendable (inout OwnFiles) -> Void

    init(
      _ description: String, options: [String] = [], _ parts: [String],
      _ change: @escaping @Sendable (inout OwnFiles) -> Void = { _ in }
    ) {
      testDescription = description
      self.options = options
      self.parts = parts
      self.change = change
    }
  }

  static let cases = [
    Case(
      "weights that do not fit each other",
      ["w.npz", "'layer2.weights'", "(2, 4)", "reads 3 inputs", "gives 2"]
    ) { $0.set("layer2.weights", [2, 4], Array(repeating: 1, count: 8)) },
    Case("weights that are no matrix", ["w.npz", "'layer1.weights'", "(8,)", "are a matrix"]) {
      $0.set("layer1.weights", [8], Array(repeating: 1, count: 8))
    },
    Case(
      "inputs of another size", ["d.npz", "'inputs'", "the shape is (4, 2)", "(N, 3)"]
    ) { $0.set("inputs", [4, 2], Array(repeating: 1, count: 8)) },
    Case("transposed inputs", ["d.npz", "(3, 4)", "save inputs.T"]) {
      $0.set("inputs", [3, 4], Array(repeating: 1, count: 12))
    },
    Case("too few labels", ["d.npz", "'labels'", "3 labels for 4 examples"]) {
      $0.set("labels", [3], [0, 1, 0])
    },
    Case("a label above the classes", ["'labels'", "entry [2] is 2", "from 0 to 1"]) {
      $0.set("labels", [4], [0, 1, 2, 3])
    },
    Case("a negative label", ["'labels'", "entry [1] is -1", "from 0 to 1"]) {
      $0.set("labels", [4], [0, -1, 1, 0])
    },
    Case("labels counted from 1", ["'labels'", "count from 1: save labels - 1"]) {
      $0.set("labels", [4], [1, 2, 1, 2])
    },
    Case("a label that is not whole", ["'labels'", "entry [2] is 0.5", "whole numbers"]) {
      $0.set("labels", [4], [0, 1, 0.5, 0.25])
    },
    Case("NaN among the inputs: the first", ["d.npz", "'inputs'", "entry [1, 2] is nan"]) {
      $0.set("inputs", [4, 3], [1, 2, 3, 4, 5, .nan, 7, .nan, 9, 10, 11, 12])
    },
    Case("infinity among the inputs", ["d.npz", "'inputs'", "entry [3, 0] is -inf"]) {
      $0.set("inputs", [4, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, -.infinity, 11, 12])
    },
    Case("infinity among the weights", ["w.npz", "'layer1.weights'", "entry [0, 3] is inf"]) {
      $0.set("layer1.weights", [2, 4], [1, 2, 3, .infinity, .nan, 6, 7, 8])
    },
    Case("NaN among the weights", ["w.npz", "'layer2.weights'", "entry [1, 1] is nan"]) {
      $0.set("layer2.weights", [2, 3], [1, 2, 3, 4, .nan, 6])
    },
    Case("outputs that overflow", ["d.npz", "output 0 for example 0", "Scale the inputs"]) {
      $0.set("inputs", [4, 3], Array(repeating: 1e308, count: 12))
      $0.set("layer1.weights", [2, 4], [1e300, 1, 1, 1, 1, 1, 1, 1])
      $0.weights.removeLast()
    },
    Case("an empty batch", ["d.npz", "'inputs'", "(0, 3)", "no examples", "at least one"]) {
      $0.set("inputs", [0, 3], [])
      $0.set("labels", [0], [])
    },
    Case("a misspelt array", ["d.npz", "no array 'labels'", "Rename 'lables' to 'labels'"]) {
      $0.data[1].name = "lables"
    },
    Case("no weights", ["w.npz", "only 'inputs'", "layer1.weights"]) {
      $0.weights = [$0.data[0]]
    },
    Case(
      "targets outside a probability", options: ["--likelihood", "bernoulli"],
      ["'targets'", "entry [1, 0] is 1.5", "from 0 to 1"]
    ) { $0.set("targets", [4, 2], [0, 1, 1.5, 0, 1, 1, 0, 0]) },
    Case(
      "transposed targets", options: ["--likelihood", "gaussian:2"],
      ["'targets'", "(2, 4)", "(4, 2) is expected", "save targets.T"]
    ) { $0.set("targets", [2, 4], [0, 1, 1, 0, 1, 1, 0, 0]) },
    Case(
      "an unknown likelihood", options: ["--likelihood", "categorial"],
      ["--likelihood categorial", "did you mean categorical?"]),
    Case(
      "a variance of 0", options: ["--likelihood", "gaussian:0"],
      ["gaussian:0", "not a positive number"]),
    Case(
      "an unknown activation", options: ["--activations", "tahn"], ["tahn", "did you mean tanh?"]),
    Case(
      "too many activations", options: ["--activations", "tanh,relu,tanh"],
      ["w.npz", "2 layers", "1"]),
    Case(
      "a layer too many", options: ["--layers", "1-3"], ["--layers 1-3", "2 layers", "within 1-2"]),
    Case(
      "arrays into no folder", options: ["--arrays", "missing/out.npz"],
      ["missing", "no such folder"]),
    Case("arrays onto a folder", options: ["--arrays", "."], ["this is a folder"]),
    Case(
      "results below a file", options: ["--output", "w.npz/results"],
      ["w.npz", "a folder is expected"]),
    Case(
      "results below a file, with arrays",
      options: ["--output", "w.npz/results", "--arrays", "out.npz"],
      ["w.npz", "a folder is expected"]),
    Case(
      "arrays over the memory limit", options: ["--arrays", "out.npz", "--max-memory", "1K"],
      ["bytes", "the limit is 1024 bytes (--max-memory)", "--layers"]),
    Case(
      "measurements over the limit", options: ["--max-memory", "1K"], ["bytes", "--max-memory"]),
    // The third input is always 0: A is singular, and so is every block of layer 1.
    Case(
      "λ = 0 with a dead input",
      options: ["--damping", "0", "--structures", "kfac", "--layers", "1"],
      ["layer1", "pivot", "is 0.0", "larger damping"]
    ) { $0.set("inputs", [4, 3], [1, 2, 0, 4, -5, 0, 7, 1, 0, 3, 1, 0]) },
    Case(
      "λ = 0 with a dead input, with arrays",
      options: ["--damping", "0", "--structures", "kfac", "--layers", "1", "--arrays", "out.npz"],
      ["layer1", "pivot", "is 0.0", "larger damping"]
    ) { $0.set("inputs", [4, 3], [1, 2, 0, 4, -5, 0, 7, 1, 0, 3, 1, 0]) },
  ]

  @Test(arguments: cases)
  func isRefused(bad: Case) throws {
    try withTemporaryFolder { folder in
      var files = OwnFiles()
      bad.change(&files)
      try files.write(to: folder)
      try expectRefusal(OwnFiles.arguments + bad.options, bad.parts, in: folder)
    }
  }

  @Test func theGoodFilesAreTaken() throws {
    try withTemporaryFolder { folder in
      try OwnFiles().write(to: folder)
      let program = try Program.run(OwnFiles.arguments, directory: folder)
      #expect(program.status == 0, "\(program.stderr)")
      #expect(try names(in: folder) == ["d.npz", "natgrad-results", "w.npz"])
    }
  }

  @Test func aPickleIsRefusedWithTheLineThatRepairsIt() throws {
    try withTemporaryFolder { folder in
      try OwnFiles().write(to: folder)
      // The first bytes of a Python pickle of protocol 4.
      let pickle: [UInt8] = [0x80, 4, 0x95, 10, 0, 0, 0, 0, 0, 0, 0]
      try Data(pickle).write(to: URL(fileURLWithPath: "\(folder)/w.npz"))
      let program = try Program.run(OwnFiles.arguments, directory: folder)
      #expect(program.status == 2 && program.stdout.isEmpty)
      #expect(program.complaints.count == 1)
      #expect(program.complaints[0].hasPrefix("natgrad: w.npz: this is a Python pickle."))
      #expect(program.complaints[0].contains("savez(path, name="))
      #expect(try names(in: folder) == ["d.npz", "w.npz"])
    }
  }

  @Test func filesThatAreNoArrays() throws {
    try withTemporaryFolder { folder in
      try OwnFiles().write(to: folder)
      let path = "\(folder)/w.npz"
      let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      let contents: [(bytes: [UInt8], parts: [String])] = [
        (Array(good.prefix(good.count / 2)), ["w.npz", "cut"]),
        (Array("0.5 0.25\n".utf8), ["w.npz", "numpy.savez"]),
        ([], ["w.npz", "numpy.savez"]),
      ]
      for (bytes, parts) in contents {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try expectRefusal(OwnFiles.arguments, parts, in: folder)
      }
      try FileManager.default.removeItem(atPath: path)
      try expectRefusal(
        OwnFiles.arguments, ["w.npz", "no such file", "Check the path"], in: folder)
    }
  }
}
