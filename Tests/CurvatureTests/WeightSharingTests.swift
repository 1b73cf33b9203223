import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// KFAC with shared weights: expand and reduce (spec 4.9, T7, P-78, P-79).
@Suite("Expand and reduce are exact in their own settings only")
struct WeightSharingTests {
  static let positions = 4
  static let likelihood = Likelihood.gaussian(variance: 0.7)

  /// Two linear layers at every position; then either an output per position or their mean.
  static func deepLinear(_ ending: Networks.Operation, seed: UInt64) throws -> GradientSamples {
    var generator = Generator(seed: seed)
    let network = try Network(
      inputShape: .sequence(positions: positions, features: 3),
      nodes: [
        Node(.dense(parameters: 0), inputs: [0]), Node(.dense(parameters: 1), inputs: [1]),
        Node(ending, inputs: [2]),
      ],
      parameters: [
        ParameterBlock(name: "layer1", weights: generator.normal(3, 4), hasBias: true),
        ParameterBlock(name: "layer2", weights: generator.normal(2, 4), hasBias: true),
      ])
    let data = drawn(network, generator.normal(3 * positions, 7), likelihood, seed: seed)
    return GradientSamples(network, data, likelihood: likelihood, kind: .exact)
  }

  func kfac(_ samples: GradientSamples, _ index: Int, _ sharing: WeightSharing) throws -> Matrix {
    try KroneckerBlock.kfac(LayerSamples(samples, block: index), sharing: sharing)
      .dense(within: .standard)
  }

  @Test("T7: expand is exact with an output per position, reduce is not (L1, L4)")
  func expandIsExactPerPosition() throws {
    let samples = try Self.deepLinear(.flatten, seed: 1)
    for index in 0..<2 {
      let exact = DefinedLayer(samples, block: index).fisher
      expectRatio(.difference(try kfac(samples, index, .expand), exact), "layer \(index)")
      expectDifferent(try kfac(samples, index, .reduce), exact, relative: 0.02)
    }
  }

  @Test("T7: reduce is exact with the mean over positions, expand is not (L2, L4)")
  func reduceIsExactWithPooling() throws {
    let samples = try Self.deepLinear(.meanOverPositions, seed: 2)
    for index in 0..<2 {
      let exact = DefinedLayer(samples, block: index).fisher
      expectRatio(.difference(try kfac(samples, index, .reduce), exact), "layer \(index)")
      expectDifferent(try kfac(samples, index, .expand), exact, relative: 0.02)
    }
  }

  @Test("L3: sums on both sides are exactly T² too large, means on both sides T too small")
  func wrongNormalisersAreOffByPowersOfT() throws {
    let t = Double(Self.positions)
    let pooled = DefinedLayer(try Self.deepLinear(.meanOverPositions, seed: 3), block: 0)
    let n = Double(pooled.exampleCount)
    let sums = (1 / n) * LAPACK.dsyrk(pooled.summed { $0.inputs })
    let samples = try Self.deepLinear(.meanOverPositions, seed: 3)
    let reduced = KFACFactors(LayerSamples(samples, block: 0), sharing: .reduce)
    expectRatio(.difference(sums, (t * t) * reduced.a))
    expectRatio(.difference(kronecker(sums, reduced.g), (t * t) * pooled.fisher))

    let perPosition = try Self.deepLinear(.flatten, seed: 3)
    let expanded = KFACFactors(LayerSamples(perPosition, block: 0), sharing: .expand)
    let use = perPosition.blocks[0].uses[0]
    let meanInputs = (1 / (n * t)) * LAPACK.dsyrk(use.inputs)
    expectRatio(
      .difference(
        t * kronecker(meanInputs, expanded.g), DefinedLayer(perPosition, block: 0).fisher))
  }

  @Test(
    "The factors follow the definitions of 4.9 on every architecture",
    arguments: CurvatureCase.varied, WeightSharing.allCases)
  func factorsFollowTheirDefinitions(test: CurvatureCase, sharing: WeightSharing) {
    for (layer, defined) in zip(test.layers, test.defined) {
      let factors = KFACFactors(layer, sharing: sharing)
      let expected = defined.factors(sharing)
      expectRatio(.difference(factors.a, expected.a), "A, \(test)", seed: test.seed)
      expectRatio(.difference(factors.g, expected.g), "G, \(test)", seed: test.seed)
    }
  }

  @Test("P-79: one position makes expand, reduce and the plain layer one")
  func onePositionIsAPlainLayer() throws {
    var generator = Generator(seed: 5)
    let weights = [generator.normal(3, 5), generator.normal(2, 4)]
    let inputs = generator.normal(4, 6)
    let plain = try Network.multilayerPerceptron(weights: weights, activations: [.tanh])
    let blocks = plain.parameters
    let sequence = try Network(
      inputShape: .sequence(positions: 1, features: 4),
      nodes: [
        Node(.dense(parameters: 0), inputs: [0]), Node(.activation(.tanh), inputs: [1]),
        Node(.dense(parameters: 1), inputs: [2]), Node(.flatten, inputs: [3]),
      ], parameters: blocks)
    let image = try Network(
      inputShape: .image(channels: 4, height: 1, width: 1),
      nodes: [
        Node(
          .convolution(parameters: 0, window: Window(kernelHeight: 1, kernelWidth: 1)), inputs: [0]),
        Node(.activation(.tanh), inputs: [1]), Node(.flatten, inputs: [2]),
        Node(.dense(parameters: 1), inputs: [3]),
      ], parameters: blocks)
    let data = drawn(plain, inputs, .categorical, seed: 5)
    let expected = GradientSamples(plain, data, likelihood: .categorical, kind: .exact)
    for network in [sequence, image] {
      let samples = GradientSamples(network, data, likelihood: .categorical, kind: .exact)
      for index in 0..<2 {
        for sharing in WeightSharing.allCases {
          let factors = KFACFactors(LayerSamples(samples, block: index), sharing: sharing)
          let want = KFACFactors(LayerSamples(expected, block: index))
          expectRatio(.difference(factors.a, want.a))
          expectRatio(.difference(factors.g, want.g))
        }
      }
    }
  }
}
