import DataFiles
import DenseAlgebra
import Networks
import Testing
import Verification

struct DataArraysTests {
  /// Three inputs and C outputs.
  static func network(outputs: Int = 2) throws -> Network {
    try Network.multilayerPerceptron(
      weights: [try NumericArray.counting(outputs, 4).matrix()], activations: [])
  }

  static func labels(_ values: Double...) -> NumericArray {
    NumericArray(shape: [values.count], elements: values)
  }

  @Test(arguments: ["inputs", "x", "X"], ["labels", "y"])
  func examplesAreRowsAndBecomeColumns(_ inputs: String, _ targets: String) throws {
    let arrays = [
      (inputs, NumericArray.counting(2, 3)), (targets, Self.labels(1, 0)),
      ("ids", .counting(5)),
    ]
    try withArrays(arrays, file: "digits.npz") { path in
      let data = try DataArrays.read(
        path: path, network: Self.network(), likelihood: .categorical)
      #expect(data.name == "digits")
      #expect(data.inputs == Matrix(rows: [[1, 1.375], [1.125, 1.5], [1.25, 1.625]]))
      #expect(data.targets == .labels([1, 0]))
    }
  }

  @Test(arguments: ["targets", "y"], [Likelihood.gaussian(variance: 0.5), .bernoulli])
  func valuesAreRowsAndBecomeColumns(_ name: String, _ likelihood: Likelihood) throws {
    let targets = NumericArray(shape: [3, 2], elements: [0, 0.25, 0.5, 0.75, 1, 0.125])
    try withArrays([("inputs", .counting(3, 3)), (name, targets)]) { path in
      let data = try DataArrays.read(path: path, network: Self.network(), likelihood: likelihood)
      #expect(data.targets == .values(Matrix(rows: [[0, 0.5, 1], [0.25, 0.75, 0.125]])))
    }
  }

  @Test(arguments: [[2], [2, 1]])
  func oneOutputTakesAVector(_ shape: [Int]) throws {
    let targets = NumericArray(shape: shape, elements: [3, -4])
    try withArrays([("inputs", .counting(2, 3)), ("y", targets)]) { path in
      let data = try DataArrays.read(
        path: path, network: Self.network(outputs: 1), likelihood: .gaussian(variance: 1))
      #expect(data.targets == .values(Matrix(rows: [[3, -4]])))
    }
  }
}

/// What is refused, and which parts the sentence has.
struct HostileDataTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let arrays: [(name: String, array: NumericArray)]
    var outputs = 2
    var likelihood = Likelihood.categorical
    let parts: [String]
    var testDescription: String { name }
  }

  static let inputs = NumericArray.counting(4, 3)
  static let labels = NumericArray(shape: [4], elements: [0, 1, 1, 0])
  static let values = NumericArray(shape: [4, 2], elements: [0, 1, 1, 0, 0.5, 0, 1, 1])

  static let cases = [
    Case(
      name: "NaN input", arrays: [("inputs", inputs.replacing(7, by: .nan)), ("labels", labels)],
      parts: ["w.npz, array 'inputs'", "[2, 1]", "nan", "finite"]),
    Case(
      name: "empty batch", arrays: [("inputs", .counting(0, 3)), ("labels", .counting(0))],
      parts: ["array 'inputs'", "(0, 3)", "no examples", "at least one"]),
    Case(
      name: "no inputs", arrays: [("inptus", inputs), ("labels", labels)],
      parts: [
        "no array 'inputs' (or 'x', 'X')", "'inptus', 'labels'", "Rename 'inptus' to 'inputs'",
      ]),
    Case(
      name: "no labels", arrays: [("inputs", inputs), ("label", labels)],
      parts: ["no array 'labels' (or 'y')", "Rename 'label' to 'labels'"]),
    Case(
      name: "nothing near", arrays: [("inputs", inputs), ("classes", labels)],
      parts: ["no array 'labels'", "'classes'", "numpy.savez(path, labels=array)"]),
    Case(
      name: "targets for labels", arrays: [("inputs", inputs), ("targets", labels)],
      parts: ["no array 'labels'", "'targets'"]),
    Case(
      name: "both names", arrays: [("inputs", inputs), ("labels", labels), ("y", labels)],
      parts: ["'labels', 'y'", "mean the same"]),
    Case(
      name: "inputs transposed", arrays: [("inputs", .counting(3, 4)), ("labels", labels)],
      parts: ["(3, 4)", "(N, 3)", "transposed", "inputs.T"]),
    Case(
      name: "inputs of another network", arrays: [("inputs", .counting(4, 5)), ("labels", labels)],
      parts: ["(4, 5)", "(N, 3)", "made for"]),
    Case(
      name: "one example", arrays: [("x", .counting(3)), ("labels", .counting(1))],
      parts: ["(3,)", "x[None, :]"]),
    Case(
      name: "images", arrays: [("inputs", .counting(4, 3, 1)), ("labels", labels)],
      parts: ["(4, 3, 1)", "inputs.reshape(len(inputs), -1)"]),
    Case(
      name: "label not whole",
      arrays: [("inputs", inputs), ("labels", labels.replacing(2, by: 0.5))],
      parts: ["array 'labels'", "[2]", "0.5", "whole"]),
    Case(
      name: "label NaN", arrays: [("inputs", inputs), ("labels", labels.replacing(1, by: .nan))],
      parts: ["array 'labels'", "[1]", "nan"]),
    Case(
      name: "label too large",
      arrays: [("inputs", inputs), ("labels", labels.replacing(3, by: 2))],
      parts: ["array 'labels'", "[3]", "is 2", "from 0 to 1"]),
    Case(
      name: "label negative",
      arrays: [("inputs", inputs), ("labels", labels.replacing(3, by: -1))],
      parts: ["[3]", "is -1", "from 0 to 1"]),
    Case(
      name: "labels from 1",
      arrays: [("inputs", inputs), ("labels", NumericArray(shape: [4], elements: [1, 2, 2, 1]))],
      parts: ["[1]", "is 2", "count from 1", "labels - 1"]),
    Case(
      name: "label count", arrays: [("inputs", inputs), ("labels", .counting(3))],
      parts: ["3 labels for 4 examples"]),
    Case(
      name: "one-hot",
      arrays: [
        ("inputs", inputs),
        ("y", NumericArray(shape: [4, 2], elements: [1, 0, 0, 1, 0, 1, 1, 0])),
      ],
      parts: ["(4, 2)", "one-hot", "y.argmax(axis=1)"]),
    Case(
      name: "labels in a column",
      arrays: [("inputs", inputs), ("y", NumericArray(shape: [4, 1], elements: labels.elements))],
      parts: ["(4, 1)", "y.ravel()"]),
    Case(
      name: "targets transposed", arrays: [("inputs", inputs), ("targets", .counting(2, 4))],
      likelihood: .gaussian(variance: 1),
      parts: ["array 'targets'", "(2, 4)", "(4, 2) is expected", "targets.T"]),
    Case(
      name: "targets without components", arrays: [("inputs", inputs), ("targets", .counting(4))],
      likelihood: .gaussian(variance: 1), parts: ["(4,)", "(4, 2) is expected"]),
    Case(
      name: "one output", arrays: [("inputs", inputs), ("targets", .counting(3))], outputs: 1,
      likelihood: .gaussian(variance: 1), parts: ["(3,)", "(4, 1) or (4,)"]),
    Case(
      name: "infinite target",
      arrays: [("inputs", inputs), ("targets", values.replacing(5, by: .infinity))],
      likelihood: .gaussian(variance: 1), parts: ["array 'targets'", "[2, 1]", "inf"]),
    Case(
      name: "not a probability",
      arrays: [("inputs", inputs), ("targets", values.replacing(6, by: 1.5))],
      likelihood: .bernoulli, parts: ["array 'targets'", "[3, 0]", "1.5", "from 0 to 1"]),
    Case(
      name: "signs",
      arrays: [("inputs", inputs), ("y", NumericArray(shape: [4], elements: [1, -1, 1, -1]))],
      outputs: 1, likelihood: .bernoulli, parts: ["[1]", "-1.0", "(y + 1) / 2"]),
    Case(
      name: "variance", arrays: [("inputs", inputs), ("targets", values)],
      likelihood: .gaussian(variance: 0), parts: ["w.npz", "variance", "positive"]),
    Case(
      name: "overflow",
      arrays: [
        ("inputs", inputs.replacing(3, by: 1e308).replacing(4, by: 1e308)), ("labels", labels),
      ],
      parts: ["array 'inputs'", "example 1", "inf", "Scale"]),
  ]

  @Test(arguments: cases)
  func aSentenceNamesTheFault(_ bad: Case) throws {
    let network = try DataArraysTests.network(outputs: bad.outputs)
    try withArrays(bad.arrays) { path in
      try expectMessage([path] + bad.parts) {
        try DataArrays.read(path: path, network: network, likelihood: bad.likelihood)
      }
    }
  }
}
