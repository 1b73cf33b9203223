import DenseAlgebra
import Networks
import TestSupport
import Testing

@Suite("Shared weights: sequences, convolutions, tied blocks")
struct SharedWeightsTests {
  /// The layout of a patch: channel, kernel row, kernel column, then the 1; columns by position.
  @Test func patchesAreUnfoldedChannelMajor() throws {
    let window = Window(kernelHeight: 1, kernelWidth: 2, columnStride: 2)
    let network = try Network(
      inputShape: .image(channels: 2, height: 2, width: 4),
      nodes: [
        Node(.convolution(parameters: 0, window: window), inputs: [0]),
        Node(.flatten, inputs: [1]),
      ],
      parameters: [
        ParameterBlock(
          name: "kernel", weights: Matrix(rows: [[1, 0, 0, 0, 0], [0, 0, 0, 1, 100]]), hasBias: true
        )
      ])
    // Channel 0 holds 0…7, channel 1 holds 10…17, row by row.
    let image = Matrix(
      rowCount: 16, columnCount: 1, storage: (0..<8).map(Double.init) + (10..<18).map(Double.init))
    let tape = network.forward(image)
    #expect(
      tape.uses[0].inputs
        == Matrix(rows: [
          [0, 2, 4, 6], [1, 3, 5, 7], [10, 12, 14, 16], [11, 13, 15, 17], [1, 1, 1, 1],
        ]))
    #expect(tape.uses[0].positions == 4)
    #expect(tape.output.column(0) == Vector([0, 2, 4, 6, 111, 113, 115, 117]))
  }

  /// Rows and columns have strides and paddings of their own.
  @Test func stridesAndPaddingsKeepTheirAxes() throws {
    let window = Window(
      kernelHeight: 2, kernelWidth: 3, rowStride: 3, columnStride: 1, rowPadding: 0,
      columnPadding: 2)
    let network = try Network(
      inputShape: .image(channels: 1, height: 5, width: 3),
      nodes: [
        Node(.convolution(parameters: 0, window: window), inputs: [0]),
        Node(.flatten, inputs: [1]),
      ],
      parameters: [
        ParameterBlock(
          name: "kernel", weights: Matrix(rows: [[1, 2, 4, 8, 16, 32]]), hasBias: false)
      ])
    #expect(network.shapes[1] == .image(channels: 1, height: 2, width: 5))
    // Rows 0, 1 and 3, 4 of ones: each kernel row sees width 1, 2, 3, 2, 1 of the image.
    let output = network.forward(Matrix(rowCount: 15, columnCount: 1, repeating: 1)).output
    let row = [36.0, 54, 63, 27, 9]
    #expect(output.column(0) == Vector(row + row))
  }

  /// A 1 × 1 image under a 1 × 1 kernel, a kernel as large as the image, and a sequence of one
  /// position are dense layers: same outputs, same samples, bit for bit (P-79).
  @Test(arguments: [1, 2, 3] as [UInt64])
  func onePositionIsADenseLayer(_ seed: UInt64) throws {
    var generator = Generator(seed: seed)
    let weights = [generator.normal(3, 9), generator.normal(2, 4)]
    func network(_ shape: Shape, _ first: [Operation]) throws -> Network {
      let operations = first + [.activation(.tanh), .flatten, .dense(parameters: 1)]
      return try Network(
        inputShape: shape,
        nodes: operations.enumerated().map { Node($0.element, inputs: [$0.offset]) },
        parameters: weights.enumerated().map {
          ParameterBlock(name: "layer\($0.offset + 1)", weights: $0.element, hasBias: true)
        })
    }
    let inputs = generator.normal(8, 6)
    let data = Dataset(name: "data", inputs: inputs, targets: .labels([0, 1, 1, 0, 1, 0]))
    func samples(_ network: Network) -> GradientSamples {
      GradientSamples(network, data, likelihood: .categorical, kind: .exact)
    }
    let dense = try network(.vector(8), [.dense(parameters: 0)])
    let pixel = Window(kernelHeight: 1, kernelWidth: 1)
    let others = [
      try network(.sequence(positions: 1, features: 8), [.dense(parameters: 0)]),
      try network(
        .image(channels: 8, height: 1, width: 1), [.convolution(parameters: 0, window: pixel)]),
      try network(
        .image(channels: 2, height: 2, width: 2),
        [.convolution(parameters: 0, window: Window(kernelHeight: 2, kernelWidth: 2))]),
    ]
    for other in others {
      #expect(other.forward(inputs).output == dense.forward(inputs).output)
      #expect(samples(other).blocks == samples(dense).blocks)
      #expect(samples(other).chain == [[0, 1]])
    }
  }

  /// A 1 × 1 convolution applies one dense layer at every pixel, as a sequence of pixels does.
  @Test func aPointwiseConvolutionIsADenseLayerAtEveryPixel() throws {
    var generator = Generator(seed: 21)
    let (channels, pixels) = (3, 6)
    let block = ParameterBlock(name: "layer1", weights: generator.normal(2, 4), hasBias: true)
    let image = try Network(
      inputShape: .image(channels: channels, height: 2, width: 3),
      nodes: [
        Node(
          .convolution(parameters: 0, window: Window(kernelHeight: 1, kernelWidth: 1)), inputs: [0]),
        Node(.meanOverPositions, inputs: [1]),
      ], parameters: [block])
    let sequence = try Network(
      inputShape: .sequence(positions: pixels, features: channels),
      nodes: [Node(.dense(parameters: 0), inputs: [0]), Node(.meanOverPositions, inputs: [1])],
      parameters: [block])
    let inputs = generator.normal(channels * pixels, 4)
    let reordered = Matrix(rowCount: inputs.rowCount, columnCount: 4) { row, n in
      inputs[row % channels * pixels + row / channels, n]
    }
    let (a, b) = (image.forward(inputs), sequence.forward(reordered))
    #expect(a.uses[0].inputs == b.uses[0].inputs)
    #expect(a.output == b.output)
    let cotangent = generator.normal(2, 4)
    #expect(
      image.pullback(cotangent, through: a) == sequence.pullback(cotangent, through: b))
  }

  /// With a block of its own at each use, the gradients of the uses add up to the tied gradient.
  @Test(arguments: [RandomNetwork.Architecture.tied, .tiedSequence], RandomNetwork.likelihoods)
  func aTiedGradientIsTheSumOverItsUses(
    _ architecture: RandomNetwork.Architecture, _ likelihood: Likelihood
  ) throws {
    let problem = RandomNetwork(architecture, .tanh, likelihood, seed: 6)
    let tied = problem.network
    var nodes = tied.nodes
    let second = nodes.lastIndex { $0.operation == .dense(parameters: 1) }!
    nodes[second] = Node(.dense(parameters: 3), inputs: nodes[second].inputs)
    let free = try Network(
      inputShape: tied.inputShape, nodes: nodes, parameters: tied.parameters + [tied.parameters[1]])
    let tiedGradient = LossGradient(tied, problem.data, likelihood).gradient
    let freeGradient = LossGradient(free, problem.data, likelihood).gradient
    expectRatio(
      .difference(tiedGradient.blocks[1], freeGradient.blocks[1] + freeGradient.blocks[3]))
    #expect(tiedGradient.blocks[0] == freeGradient.blocks[0])
    #expect(tiedGradient.blocks[2] == freeGradient.blocks[2])

    // F of the tied network is RᵀFR of the free one, R sending a tied direction to both copies.
    let freeFisher = GradientSamples(free, problem.data, likelihood: likelihood, kind: .exact)
      .fisher
    let layout = tied.layout
    let copies = Matrix(rowCount: free.layout.count, columnCount: layout.count) { i, j in
      let isCopy = i >= layout.count && i - layout.count + layout.offsets[1] == j
      return i == j || isCopy ? 1 : 0
    }
    expectRatio(
      .difference(
        problem.fisher(),
        LAPACK.dgemm(LAPACK.dgemm(copies, freeFisher, transposeA: true), copies)))
    let samples = GradientSamples(tied, problem.data, likelihood: likelihood, kind: .exact)
    #expect(samples.blocks.map(\.uses.count) == [1, 2, 1])
  }

  /// The unfolded product against six loops, over all kernels, strides and paddings that fit.
  @Test func convolutionIsTheSixFoldSum() throws {
    var generator = Generator(seed: 33)
    for (height, width) in [(3, 5), (4, 3)] {
      for kernel in 0..<9 {
        for stride in 0..<4 {
          for padding in 0..<4 {
            let window = Window(
              kernelHeight: 1 + kernel / 3, kernelWidth: 1 + kernel % 3,
              rowStride: 1 + stride / 2, columnStride: 1 + stride % 2,
              rowPadding: min(padding / 2, kernel / 3),
              columnPadding: min(padding % 2, kernel % 3))
            let block = ParameterBlock(
              name: "kernel",
              weights: generator.normal(3, 2 * window.kernelHeight * window.kernelWidth + 1),
              hasBias: true)
            let network = try Network(
              inputShape: .image(channels: 2, height: height, width: width),
              nodes: [
                Node(.convolution(parameters: 0, window: window), inputs: [0]),
                Node(.flatten, inputs: [1]),
              ], parameters: [block])
            guard case .image(let outputs, let rows, let columns) = network.shapes[1] else {
              preconditionFailure("not an image")
            }
            let inputs = generator.normal(2 * height * width, 2)
            let expected = (0..<2).flatMap {
              referenceConvolution(
                inputs.column($0).elements, 2, height, width, block, window, outputs, rows,
                columns)
            }
            let actual = network.forward(inputs).output
            expectRatio(
              Ratio(
                actual,
                against: Matrix(
                  rowCount: actual.rowCount, columnCount: 2, storage: expected),
                size: block.weights.columnCount,
                scale: LAPACK.norm1(block.weights.transposed) * LAPACK.norm1(inputs)),
              "\(window)")
          }
        }
      }
    }
  }
}
