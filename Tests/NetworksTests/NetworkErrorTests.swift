import DenseAlgebra
import Networks
import Testing

@Suite("What is not a network")
struct NetworkErrorTests {
  /// A mistake, the node and block it names, and a phrase of its sentence.
  struct Mistake: Sendable, CustomStringConvertible {
    let phrase: String
    var node: Int?
    var block: Int?
    var input: Shape = .vector(3)
    var nodes: [Node]
    var parameters: [ParameterBlock] = [NetworkErrorTests.block(2, 4)]

    var description: String { phrase }
  }

  static func block(_ rows: Int, _ columns: Int, bias: Bool = true) -> ParameterBlock {
    ParameterBlock(
      name: "w", weights: Matrix(rowCount: rows, columnCount: columns), hasBias: bias)
  }

  static let dense = Node(.dense(parameters: 0), inputs: [0])
  static let image = Shape.image(channels: 1, height: 3, width: 3)

  static func pooling(_ window: Window) -> [Node] {
    [Node(.meanPooling(window), inputs: [0]), Node(.flatten, inputs: [1])]
  }

  static let mistakes: [Mistake] = [
    Mistake(
      phrase: "it reads value 2, but only values 0 to 1 exist", node: 1,
      nodes: [dense, Node(.activation(.tanh), inputs: [2])]),
    Mistake(
      phrase: "it reads value -1", node: 0, nodes: [Node(.activation(.tanh), inputs: [-1])],
      parameters: []),
    Mistake(
      phrase: "it reads 0 values; it needs exactly one", node: 0,
      nodes: [Node(.flatten, inputs: [])], parameters: []),
    Mistake(
      phrase: "it reads 2 values; it needs exactly one", node: 0,
      nodes: [Node(.flatten, inputs: [0, 0])], parameters: []),
    Mistake(
      phrase: "it reads 1 values; an addition needs at least two", node: 0,
      nodes: [Node(.addition, inputs: [0])], parameters: []),
    Mistake(
      phrase: "value 0 is a vector of 3, but value 1 is a vector of 2", node: 1,
      nodes: [dense, Node(.addition, inputs: [0, 1])]),
    Mistake(
      phrase: "it uses parameter block 1, but there are 1", node: 0,
      nodes: [Node(.dense(parameters: 1), inputs: [0])]),
    Mistake(
      phrase: "'w' is 2 × 4, but 4 inputs and the bias need 5 columns", node: 0,
      input: .vector(4), nodes: [dense]),
    Mistake(
      phrase: "'w' is 2 × 4, but 3 inputs need 3 columns", node: 0, nodes: [dense],
      parameters: [block(2, 4, bias: false)]),
    Mistake(
      phrase: "it reads an image of 1 channels × 3 × 3. Put a flatten node before it", node: 0,
      input: image, nodes: [dense]),
    Mistake(
      phrase: "it reads a vector of 3, but it needs an image", node: 0,
      nodes: [
        Node(
          .convolution(parameters: 0, window: Window(kernelHeight: 1, kernelWidth: 1)), inputs: [0])
      ]),
    Mistake(
      phrase: "'w' is 2 × 4, but 2 inputs and the bias need 3 columns", node: 0, input: image,
      nodes: [
        Node(
          .convolution(parameters: 0, window: Window(kernelHeight: 1, kernelWidth: 2)), inputs: [0])
      ]),
    Mistake(
      phrase: "kernel 2 × 2, stride 0 × 1", node: 0, input: image,
      nodes: pooling(Window(kernelHeight: 2, kernelWidth: 2, rowStride: 0)), parameters: []),
    Mistake(
      phrase: "padding 0 × 2; kernel and stride must be at least 1", node: 0, input: image,
      nodes: pooling(Window(kernelHeight: 2, kernelWidth: 2, columnPadding: 2)), parameters: []),
    Mistake(
      phrase: "a kernel of 4 × 1 does not fit an image of 3 × 3", node: 0, input: image,
      nodes: pooling(Window(kernelHeight: 4, kernelWidth: 1)), parameters: []),
    Mistake(
      phrase: "which has no positions", node: 0,
      nodes: [Node(.meanOverPositions, inputs: [0])], parameters: []),
    Mistake(
      phrase: "The network's output is an image of 1 channels × 3 × 3", node: 0, input: image,
      nodes: [Node(.activation(.relu), inputs: [0])], parameters: []),
    Mistake(
      phrase: "No later node reads the output of node 0 (tanh, value 1)", node: 0,
      nodes: [Node(.activation(.tanh), inputs: [0]), dense]),
    Mistake(
      phrase: "No node uses parameter block 1 ('w')", block: 1, nodes: [dense],
      parameters: [block(2, 4), block(1, 1)]),
    Mistake(
      phrase: "Parameter block 0 ('w') has no columns", block: 0, nodes: [dense],
      parameters: [block(2, 0)]),
    Mistake(
      phrase: "holds nan in row 1, column 2", block: 0, nodes: [dense],
      parameters: [
        ParameterBlock(
          name: "w", weights: Matrix(rows: [[0, 0, 0, 0], [0, 0, .nan, .infinity]]), hasBias: true)
      ]),
    Mistake(
      phrase: "The input is a vector of -1", input: .vector(-1), nodes: [], parameters: []),
    Mistake(
      phrase: "The input is a sequence of 0 positions", input: .sequence(positions: 0, features: 2),
      nodes: [], parameters: []),
    Mistake(
      phrase: "The input is a sequence of 1 positions × -1 features",
      input: .sequence(positions: 1, features: -1), nodes: [], parameters: []),
  ]

  @Test(arguments: mistakes) func isToldWithItsPlace(_ mistake: Mistake) {
    do {
      _ = try Network(
        inputShape: mistake.input, nodes: mistake.nodes, parameters: mistake.parameters)
      Issue.record("accepted")
    } catch {
      #expect(error.node == mistake.node)
      #expect(error.block == mistake.block)
      #expect(error.message.contains(mistake.phrase), "\(error)")
      if let node = mistake.node, error.message.hasPrefix("Node") {
        #expect(error.message.hasPrefix("Node \(node) ("), "\(error)")
      }
    }
  }

  @Test func multilayerPerceptronsNeedMatchingLists() {
    #expect(
      throws: NetworkError(
        message: "2 layers and 2 activations; a multilayer perceptron has one activation between "
          + "each two layers, and at least one layer.")
    ) {
      try Network.multilayerPerceptron(
        weights: [Matrix(rowCount: 2, columnCount: 3), Matrix(rowCount: 1, columnCount: 3)],
        activations: [.tanh, .tanh])
    }
    #expect(
      throws: NetworkError(
        message: "The widths are [3, 0]; give at least two (inputs and outputs), each at least 1.")
    ) {
      try Network.multilayerPerceptron(
        widths: [3, 0], activation: .tanh, initialization: .he, seed: 1)
    }
    #expect(
      throws: NetworkError(
        node: 2,
        message: "Node 2 (dense): parameter block 'layer2' is 1 × 4, but 2 inputs and the bias "
          + "need 3 columns.")
    ) {
      try Network.multilayerPerceptron(
        weights: [Matrix(rowCount: 2, columnCount: 3), Matrix(rowCount: 1, columnCount: 4)],
        activations: [.tanh])
    }
  }

  @Test func thePapersNetworkHasItsLayout() throws {
    let network = try Network.multilayerPerceptron(
      widths: [784, 20, 20, 20, 10], activation: .relu, initialization: .he, seed: 1)
    #expect(network.layout.blocks.map(\.rowCount) == [20, 20, 20, 10])
    #expect(network.layout.blocks.map(\.columnCount) == [785, 21, 21, 21])
    #expect(network.layout.blocks.map(\.name) == ["layer1", "layer2", "layer3", "layer4"])
    #expect(network.layout.count == 16750)
    #expect(network.outputCount == 10)
    #expect(network.nodes.count == 7)
  }
}
