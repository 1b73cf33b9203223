import DataFiles
import Networks
import Testing
import Verification

/// What is refused, and which parts the sentence has: file, array, index, value, what to do.
struct HostileWeightsTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let arrays: [(name: String, array: NumericArray)]
    var activations: [Activation] = [.tanh]
    var likelihood = Likelihood.categorical
    let parts: [String]
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "NaN",
      arrays: [
        ("layer1.W", .counting(4, 3).replacing(5, by: .nan)), ("layer2.W", .counting(2, 4)),
      ],
      parts: ["w.npz, array 'layer1.W'", "[1, 2]", "nan", "finite"]),
    Case(
      name: "infinite bias",
      arrays: [
        ("0.weight", .counting(2, 3)), ("0.bias", .counting(2).replacing(1, by: -.infinity)),
      ],
      activations: [], parts: ["array '0.bias'", "[1]", "-inf"]),
    Case(
      name: "gap", arrays: [("layer1.W", .counting(4, 3)), ("layer3.W", .counting(2, 4))],
      parts: ["w.npz", "1, 3", "1 to 2", "counting from 1"]),
    Case(
      name: "from zero", arrays: [("layer0.W", .counting(4, 3)), ("layer1.W", .counting(2, 4))],
      parts: ["0, 1", "1 to 2", "counting from 1"]),
    Case(
      name: "unknown", arrays: [("layer1.W", .counting(4, 3)), ("1.running_mean", .counting(4))],
      parts: ["array '1.running_mean'", "no name", "layer1.weights"]),
    Case(
      name: "misspelt",
      arrays: [("layer1.weights", .counting(4, 4)), ("layer2.weigths", .counting(2, 5))],
      parts: ["array 'layer2.weigths'", "Rename it to 'layer2.weights'"]),
    Case(
      name: "own kind of another layer's name", arrays: [("fc1.weights", .counting(2, 4))],
      activations: [], parts: ["array 'fc1.weights'", "no name"]),
    Case(
      name: "own name with a stroke", arrays: [("layer1/W", .counting(2, 4))],
      activations: [], parts: ["array 'layer1/W'", "no name", "layer1.W"]),
    Case(
      name: "order unknown",
      arrays: [("fc1.weight", .counting(4, 3)), ("head2.weight", .counting(2, 4))],
      parts: ["'fc1.weight' and 'head2.weight'", "order"]),
    Case(
      name: "no weights", arrays: [("x", .counting(2, 3))],
      parts: ["only 'x'", "Save them as layer1.weights"]),
    Case(name: "no arrays", arrays: [], parts: ["no arrays", "layer1.weights"]),
    Case(
      name: "bias alone", arrays: [("layer1.b", .counting(3))],
      parts: ["array 'layer1.b'", "without weights"]),
    Case(
      name: "bias twice",
      arrays: [("layer1.weights", .counting(2, 3)), ("layer1.b", .counting(2))],
      parts: ["array 'layer1.b'", "last column is the bias", "layer1.W"]),
    Case(
      name: "layer twice",
      arrays: [("layer1.weights", .counting(2, 3)), ("layer1.W", .counting(2, 2))],
      parts: ["array 'layer1.W'", "beside 'layer1.weights'"]),
    Case(
      name: "chain", arrays: [("layer1.W", .counting(4, 3)), ("layer2.W", .counting(2, 5))],
      parts: ["array 'layer2.W'", "(2, 5)", "reads 5 inputs", "'layer1.W', (4, 3)", "gives 4"]),
    Case(
      name: "transposed", arrays: [("layer1.W", .counting(3, 4)), ("layer2.W", .counting(4, 2))],
      parts: ["array 'layer2.W'", "transposed", ".T"]),
    Case(
      name: "transposed under its bias",
      arrays: [("layer1.W", .counting(3, 4)), ("layer1.b", .counting(4))], activations: [],
      parts: ["array 'layer1.b'", "(4,)", "(3,) is expected", "transposed"]),
    Case(
      name: "bias size", arrays: [("layer1.W", .counting(3, 4)), ("layer1.b", .counting(5))],
      activations: [],
      parts: ["array 'layer1.b'", "(5,)", "(3,) is expected", "'layer1.W'", "(3, 4)"]),
    Case(
      name: "without bias column",
      arrays: [("layer1.weights", .counting(4, 3)), ("layer2.weights", .counting(2, 4))],
      parts: ["array 'layer2.weights'", "no bias column", "layer{i}.W"]),
    Case(
      name: "with bias column",
      arrays: [("layer1.W", .counting(4, 4)), ("layer2.W", .counting(2, 5))],
      parts: ["array 'layer2.W'", "seems to be the bias", "layer{i}.weights"]),
    Case(
      name: "convolution", arrays: [("0.weight", .counting(2, 3, 3, 3))], activations: [],
      parts: ["array '0.weight'", "(2, 3, 3, 3)", "convolutions"]),
    Case(
      name: "empty", arrays: [("layer1.weights", .counting(0, 3))], activations: [],
      parts: ["array 'layer1.weights'", "(0, 3)", "at least one output"]),
    Case(
      name: "only a bias column", arrays: [("layer1.weights", .counting(2, 1))], activations: [],
      parts: ["(2, 1)", "one column of them the bias"]),
    Case(
      name: "too many activations",
      arrays: [("layer1.W", .counting(2, 2)), ("layer2.W", .counting(2, 2))],
      activations: [.tanh, .relu], parts: ["2 layers", "tanh,relu", "1 are expected"]),
    Case(
      name: "no activations",
      arrays: [("layer1.W", .counting(2, 2)), ("layer2.W", .counting(2, 2))],
      activations: [], parts: ["no activations", "1 are expected"]),
    Case(
      name: "one class", arrays: [("layer1.W", .counting(1, 2))], activations: [],
      parts: ["w.npz", "one output", "Bernoulli"]),
  ]

  @Test(arguments: cases)
  func aSentenceNamesTheFault(_ bad: Case) throws {
    try withArrays(bad.arrays) { path in
      try expectMessage([path] + bad.parts) {
        try NetworkArrays.read(
          path: path, activations: bad.activations, likelihood: bad.likelihood)
      }
    }
  }

  @Test func aMissingFileIsNamed() throws {
    try expectMessage(["/nowhere/w.npz", "no such file"]) {
      try NetworkArrays.read(path: "/nowhere/w.npz", activations: [], likelihood: .bernoulli)
    }
  }

  @Test func theMemoryLimitIsKept() throws {
    try withArrays([("layer1.W", .counting(20, 20))]) { path in
      try expectMessage(["limit is 3000 bytes"]) {
        try NetworkArrays.read(
          path: path, activations: [], likelihood: .bernoulli, limit: 3000)
      }
    }
  }
}
