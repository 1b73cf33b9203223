import DenseAlgebra
import Networks
import Testing

@Suite("Initialisation")
struct InitializationTests {
  /// A block of 200 × 300 weights with bias, and a convolution of 40 channels with a 3 × 4 kernel.
  private func network() throws -> Network {
    try Network(
      inputShape: .vector(300),
      nodes: [Node(.dense(parameters: 0), inputs: [0])],
      parameters: [
        ParameterBlock(
          name: "dense", weights: Matrix(rowCount: 200, columnCount: 301), hasBias: true)
      ])
  }

  private func convolution() throws -> Network {
    try Network(
      inputShape: .image(channels: 50, height: 3, width: 4),
      nodes: [
        Node(
          .convolution(parameters: 0, window: Window(kernelHeight: 3, kernelWidth: 4)), inputs: [0]),
        Node(.flatten, inputs: [1]),
      ],
      parameters: [
        ParameterBlock(
          name: "kernel", weights: Matrix(rowCount: 40, columnCount: 601), hasBias: true)
      ])
  }

  /// Mean and second moment within 5.5 standard errors: 1/√n, and √(2/n) of the variance.
  private func expectNormal(_ values: some Collection<Double>, variance: Double, _ name: String) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let square = values.reduce(0) { $0 + $1 * $1 } / count
    #expect(mean.magnitude <= 5.5 * (variance / count).squareRoot(), "\(name): mean \(mean)")
    let bound = 5.5 * (2 / count).squareRoot()
    #expect(
      (square / variance - 1).magnitude <= bound, "\(name): \(square), expected \(variance)")
    #expect(bound < 0.06, "\(name): too few numbers to see a variance wrong by 6 %")
  }

  @Test func weightsHaveTheirVarianceAndBiasesAreZero() throws {
    let cases: [(Network, Initialization, Double)] = [
      (try network(), .he, 2.0 / 300), (try network(), .glorot, 2.0 / 500),
      (try convolution(), .he, 2.0 / 600), (try convolution(), .glorot, 2.0 / (600 + 40 * 12)),
    ]
    for (network, rule, variance) in cases {
      let weights = network.initialized(rule, seed: 3).parameters[0].weights
      let bias = weights.columnCount - 1
      expectNormal(
        weights.storage[..<(bias * weights.rowCount)], variance: variance, "\(rule)")
      #expect(weights.column(bias) == .zero(weights.rowCount))
    }
  }

  @Test func normalDrawsBiasesToo() throws {
    let block = ParameterBlock(
      name: "b", weights: Matrix(rowCount: 30_000, columnCount: 2), hasBias: true)
    let weights = try Network(
      inputShape: .vector(1), nodes: [Node(.dense(parameters: 0), inputs: [0])],
      parameters: [block]
    ).initialized(.normal(standardDeviation: 0.3), seed: 9).parameters[0].weights
    expectNormal(weights.column(0).elements, variance: 0.09, "weights")
    expectNormal(weights.column(1).elements, variance: 0.09, "biases")
  }

  /// The stream of a block depends on the seed and the block's index, not on the other blocks' sizes.
  @Test func eachBlockHasAStreamOfItsOwn() throws {
    func network(_ widths: [Int], _ seed: UInt64) throws -> Network {
      try .multilayerPerceptron(
        widths: widths, activation: .tanh, initialization: .normal(standardDeviation: 1), seed: seed
      )
    }
    #expect(try network([3, 4, 2], 5) == network([3, 4, 2], 5))
    #expect(try network([3, 4, 2], 5) != network([3, 4, 2], 6))
    let (narrow, wide) = (try network([3, 4, 2], 5), try network([9, 4, 2], 5))
    #expect(narrow.parameters[1] == wide.parameters[1])
    #expect(
      narrow.parameters[0].weights.storage.prefix(8)
        != narrow.parameters[1].weights.storage.prefix(8)
    )
  }
}
