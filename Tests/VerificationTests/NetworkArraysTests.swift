import DataFiles
import DenseAlgebra
import Networks
import Testing
import Verification

/// Every accepted naming gives the same 3-4-2 network with biases, tanh between its layers.
struct NetworkArraysTests {
  static let weights = [NumericArray.counting(4, 3), .counting(2, 4)]
  static let biases = [NumericArray.counting(4), .counting(2)]

  /// [W b] of both layers, written from the definition.
  static let joined = zip(weights, biases).map { weights, bias in
    let (rows, columns) = (weights.shape[0], weights.shape[1])
    return NumericArray(
      shape: [rows, columns + 1],
      elements: (0..<rows).flatMap {
        weights.elements[$0 * columns..<($0 + 1) * columns] + [bias.elements[$0]]
      })
  }

  static let transposed = weights.map { weights in
    let (rows, columns) = (weights.shape[0], weights.shape[1])
    return NumericArray(
      shape: [columns, rows],
      elements: (0..<rows * columns).map { weights.elements[$0 % rows * columns + $0 / rows] })
  }

  static func expected(hasBias: Bool = true) throws -> Network {
    try Network.multilayerPerceptron(
      weights: (hasBias ? joined : weights).map { try $0.matrix() }, activations: [.tanh],
      hasBias: hasBias)
  }

  static func read(_ path: String, hasBias: Bool = true) throws -> Network {
    try NetworkArrays.read(
      path: path, activations: [.tanh], likelihood: .categorical, hasBias: hasBias)
  }

  static func expectNetwork(
    from arrays: [(name: String, array: NumericArray)], hasBias: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let network = try withArrays(arrays) { try read($0, hasBias: hasBias) }
    let expected = try expected(hasBias: hasBias)
    #expect(network == expected, sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    ("layer1.W", "layer1.b", "layer2.W", "layer2.b"),
    ("0.weight", "0.bias", "2.weight", "2.bias"),
    ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"),
    ("net.9.linear.weight", "net.9.linear.bias", "net.10.linear.weight", "net.10.linear.bias"),
    ("layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias"),
  ])
  func weightsAndBiasesAreJoined(_ names: (String, String, String, String)) throws {
    // In the reverse order of the layers: the numbers decide, not the file.
    let arrays = [
      (names.3, Self.biases[1]), (names.2, Self.weights[1]), (names.1, Self.biases[0]),
      (names.0, Self.weights[0]),
    ]
    try Self.expectNetwork(from: arrays)
  }

  @Test func flaxKernelsAreTransposed() throws {
    for separator in ["/", "."] {
      let arrays = (0...1).flatMap {
        [
          ("params/Dense_\($0)\(separator)bias", Self.biases[$0]),
          ("params/Dense_\($0)\(separator)kernel", Self.transposed[$0]),
        ]
      }
      try Self.expectNetwork(from: arrays)
    }
  }

  @Test func natgradsOwnNamesHoldTheBiasInTheLastColumn() throws {
    let arrays = (1...2).map { ("layer\($0).weights", Self.joined[$0 - 1]) }
    try Self.expectNetwork(from: arrays)
  }

  @Test(arguments: ["layer#.W", "#.weight"])
  func layersMayHaveNoBias(_ pattern: String) throws {
    let arrays = (1...2).map {
      (pattern.replacing("#", with: "\($0)"), Self.weights[$0 - 1])
    }
    let expected = try Self.expected(hasBias: false)
    let network = try withArrays(arrays) { try Self.read($0) }
    #expect(network == expected)
  }

  @Test func weightsHaveNoBiasWhereSoAsked() throws {
    let arrays = (1...2).map { ("layer\($0).weights", Self.weights[$0 - 1]) }
    try Self.expectNetwork(from: arrays, hasBias: false)
  }

  @Test func oneLayerMayStandBesideOthersWithoutBias() throws {
    let arrays = [
      ("layer1.weights", Self.joined[0]), ("layer2.W", Self.weights[1]),
    ]
    try withArrays(arrays) { path in
      let network = try Self.read(path)
      #expect(network.parameters.map(\.hasBias) == [true, false])
      let second = try Self.weights[1].matrix()
      #expect(network.parameters[1].weights == second)
    }
  }

  @Test func aLoneArrayFileIsOneLayer() throws {
    try withBytes(NPY.encode(Self.joined[0]), file: "trained.npy") { path in
      let network = try NetworkArrays.read(
        path: path, activations: [], likelihood: .gaussian(variance: 1))
      let expected = try Self.expected()
      #expect(network.parameters == expected.parameters.dropLast())
    }
  }

  /// numpy writes a transposed array in Fortran order: the same numbers, first index fastest.
  @Test func fortranOrderIsTheSameMatrix() throws {
    let header =
      "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }"
      .padding(toMultipleOf: 64, prefix: 10)
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0]
    bytes += header
    for element in [1.0, 4, 2, 5, 3, 6] {
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: element.bitPattern >> (8 * $0)) }
    }
    try withBytes(bytes, file: "w.npy") { path in
      let network = try NetworkArrays.read(path: path, activations: [], likelihood: .categorical)
      #expect(network.parameters[0].weights == Matrix(rows: [[1, 2, 3], [4, 5, 6]]))
    }
  }

  @Test func dataMayLieInTheSameFile() throws {
    let arrays =
      (1...2).map { ("layer\($0).weights", Self.joined[$0 - 1]) }
      + [("inputs", NumericArray.counting(2, 3)), ("y", .counting(2))]
    try Self.expectNetwork(from: arrays)
  }

  @Test(arguments: [
    [Activation.relu], [.relu, .relu], [.relu, .relu, .identity],
  ])
  func activationsFollowTheHiddenLayers(_ activations: [Activation]) throws {
    let arrays = (1...3).map { ("layer\($0).W", NumericArray.counting(2, 2)) }
    try withArrays(arrays) { path in
      let network = try NetworkArrays.read(
        path: path, activations: activations, likelihood: .categorical)
      let relu = network.nodes.filter { $0.operation == .activation(.relu) }
      #expect(relu.count == 2 && network.nodes.count == 5)
    }
  }

  @Test(arguments: [[], [Activation.relu], [.identity]])
  func aSingleLayerHasNoActivation(_ activations: [Activation]) throws {
    try withArrays([("layer1.W", NumericArray.counting(2, 2))]) { path in
      let network = try NetworkArrays.read(
        path: path, activations: activations, likelihood: .categorical)
      #expect(network.nodes == [Node(.dense(parameters: 0), inputs: [0])])
    }
  }

  @Test func everyDocumentedNameIsRead() throws {
    for description in NetworkArrays.documentation {
      let name = description.pattern.replacing("{i}", with: "1").replacing("{k}", with: "0")
      var arrays = [(name, NumericArray.counting(2, 2))]
      if description.shape == "(out,)" {
        let weights = name.hasSuffix("b") ? "layer1.W" : "0.weight"
        arrays = [(weights, .counting(2, 2)), (name, .counting(2))]
      }
      let network = try withArrays(arrays) {
        try NetworkArrays.read(path: $0, activations: [], likelihood: .categorical)
      }
      #expect(network.outputCount == 2, "\(name)")
    }
  }
}

extension String {
  /// The header of an .npy file: blanks and a line end up to a multiple of 64 bytes.
  fileprivate func padding(toMultipleOf size: Int, prefix: Int) -> [UInt8] {
    let blanks = size - (prefix + utf8.count + 1) % size
    return Array((self + String(repeating: " ", count: blanks) + "\n").utf8)
  }
}
