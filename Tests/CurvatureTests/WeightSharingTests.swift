import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// KFAC with shared weights: expand and reduce (spec 4.9, T7, P-78 to P-80).
@Suite("Expand and reduce are exact in their own settings only")
struct WeightSharingTests {
  /// Two linear layers at every position; then an output per position, or their mean.
  struct DeepLinearCase: Sendable, CustomStringConvertible {
    var positions: Int
    var features: Int
    var width: Int
    var outputs: Int
    var exampleCount: Int
    var variance: Double
    var hasBias: Bool
    var seed: UInt64

    var description: String {
      "T = \(positions), widths \(features)-\(width)-\(outputs), N = \(exampleCount), "
        + "σ² = \(variance), \(hasBias ? "with" : "without") bias, seed \(seed)"
    }

    static let all = Cases<DeepLinearCase>(
      edges: [
        DeepLinearCase(
          positions: 1, features: 1, width: 1, outputs: 1, exampleCount: 1, variance: 1,
          hasBias: false, seed: 1),
        DeepLinearCase(
          positions: 5, features: 1, width: 1, outputs: 1, exampleCount: 1, variance: 100,
          hasBias: true, seed: 2),
        DeepLinearCase(
          positions: 4, features: 3, width: 3, outputs: 2, exampleCount: 7, variance: 0.7,
          hasBias: true, seed: 3),
      ],
      smaller: { value in
        [\DeepLinearCase.positions, \.features, \.width, \.outputs, \.exampleCount].flatMap {
          size in
          (1..<max(value[keyPath: size], 1)).map {
            var copy = value
            copy[keyPath: size] = $0
            return copy
          }
        }
      },
      draw: {
        DeepLinearCase(
          positions: 1 + $0.below(5), features: 1 + $0.below(4), width: 1 + $0.below(4),
          outputs: 1 + $0.below(3), exampleCount: 1 + $0.below(12),
          variance: [0.01, 0.7, 100][$0.below(3)], hasBias: $0.below(3) > 0,
          seed: $0.next() % 100_000)
      })

    /// Where the two flavours must differ: more than one position and example, and a bias.
    static let generic = all.generic.filter {
      $0.positions > 1 && $0.exampleCount > 3 && $0.features > 1 && $0.width > 1 && $0.hasBias
    }

    func samples(_ ending: Networks.Operation) throws -> GradientSamples {
      var generator = Generator(seed: seed)
      let bias = hasBias ? 1 : 0
      let network = try Network(
        inputShape: .sequence(positions: positions, features: features),
        nodes: [
          Node(.dense(parameters: 0), inputs: [0]), Node(.dense(parameters: 1), inputs: [1]),
          Node(ending, inputs: [2]),
        ],
        parameters: [
          ParameterBlock(
            name: "layer1", weights: generator.normal(width, features + bias), hasBias: hasBias),
          ParameterBlock(
            name: "layer2", weights: generator.normal(outputs, width + bias), hasBias: hasBias),
        ])
      let likelihood = Likelihood.gaussian(variance: variance)
      let data = drawn(
        network, generator.normal(features * positions, exampleCount), likelihood, seed: seed)
      return GradientSamples(network, data, likelihood: likelihood, kind: .exact)
    }
  }

  /// The ending of the network for which each flavour is exact.
  static let settings: [(WeightSharing, Networks.Operation)] = [
    (.expand, .flatten), (.reduce, .meanOverPositions),
  ]

  func kfac(_ samples: GradientSamples, _ index: Int, _ sharing: WeightSharing) throws -> Matrix {
    try KroneckerBlock.kfac(LayerSamples(samples, block: index), sharing: sharing)
      .dense(within: .standard)
  }

  @Test("P-78: expand is exact with outputs per position, reduce with their mean; not the reverse")
  func eachFlavourIsExactInItsSetting() {
    property(
      "P-78", .equal, oracle: "definition, dsyrk",
      claim: "expand is exact with an output per position, reduce with their mean (deep linear)",
      over: DeepLinearCase.all
    ) { test, checks in
      for (sharing, ending) in Self.settings {
        let samples = try test.samples(ending)
        for index in 0..<2 {
          let exact = DefinedLayer(samples, block: index).fisher
          // The sum over positions may cancel.
          let scale = LAPACK.norm1(DefinedLayer(samples.magnitudes, block: index).fisher)
          checks.equal(
            try kfac(samples, index, sharing), exact, scale: scale, "\(sharing), layer \(index)")
        }
      }
    }
    property(
      "P-78", .counterProperty, oracle: "definition, dsyrk",
      claim: "the other flavour is not exact", over: DeepLinearCase.generic
    ) { test, checks in
      for (sharing, ending) in Self.settings {
        let samples = try test.samples(ending)
        let wrong = sharing == .expand ? WeightSharing.reduce : .expand
        for index in 0..<2 {
          checks.different(
            try kfac(samples, index, wrong), DefinedLayer(samples, block: index).fisher,
            relative: 1e-4, "\(wrong), layer \(index)")
        }
      }
    }
  }

  @Test("P-78: sums on both sides are exactly T² too large, means on both sides T too small")
  func wrongNormalisersAreOffByPowersOfT() {
    property("P-78", .equal, oracle: "definition, dsyrk", over: DeepLinearCase.all) {
      test, checks in
      let t = Double(test.positions)
      let n = Double(test.exampleCount)
      let pooling = try test.samples(.meanOverPositions)
      let pooled = DefinedLayer(pooling, block: 0)
      let sums = (1 / n) * LAPACK.dsyrk(pooled.summed { $0.inputs })
      let reduced = KFACFactors(LayerSamples(pooling, block: 0), sharing: .reduce)
      // The sums over positions may cancel: the round-off is that of the absolute values.
      let magnitudes = DefinedLayer(pooling.magnitudes, block: 0)
      checks.equal(
        (t * t) * reduced.a, sums,
        scale: LAPACK.norm1(LAPACK.dsyrk(magnitudes.summed { $0.inputs })) / n,
        "A of sums is T² A of means")
      checks.equal(
        kronecker(sums, reduced.g), (t * t) * pooled.fisher,
        scale: t * t * LAPACK.norm1(magnitudes.fisher), "T² F")

      let flat = try test.samples(.flatten)
      let expanded = KFACFactors(LayerSamples(flat, block: 0), sharing: .expand)
      let means = (1 / (n * t)) * LAPACK.dsyrk(flat.blocks[0].uses[0].inputs)
      checks.equal(
        t * kronecker(means, expanded.g), DefinedLayer(flat, block: 0).fisher, "F/T")
    }
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

  @Test("P-79: one position, or a 1 × 1 image, is a plain layer: expand = reduce = dense")
  func onePositionIsAPlainLayer() {
    property(
      "P-79", .equal, oracle: "the dense network",
      over: NetworkCase.all.filter { $0.architecture == .perceptron }
    ) { test, checks in
      let source = test.problem
      let plain = source.network
      // The same nodes on a sequence of one position, and as convolutions of a 1 × 1 image.
      let features = source.data.inputs.rowCount
      let sequence = try Network(
        inputShape: .sequence(positions: 1, features: features),
        nodes: plain.nodes + [Node(.flatten, inputs: [plain.nodes.count])],
        parameters: plain.parameters)
      let window = Window(kernelHeight: 1, kernelWidth: 1)
      let image = try Network(
        inputShape: .image(channels: features, height: 1, width: 1),
        nodes: plain.nodes.map { node in
          guard case .dense(let parameters) = node.operation else { return node }
          return Node(.convolution(parameters: parameters, window: window), inputs: node.inputs)
        } + [Node(.flatten, inputs: [plain.nodes.count])],
        parameters: plain.parameters)
      let expected = test.curvature
      for (name, network) in [("sequence", sequence), ("image", image)] {
        let samples = GradientSamples(
          network, source.data, likelihood: source.likelihood, kind: test.kind)
        let fisher = try ExactFisher(samples).dense(within: .standard)
        checks.equal(fisher, expected.fisher, scale: floored(expected.fisher), "F, \(name)")
        for (index, layer) in expected.layers.enumerated() {
          let want = KFACFactors(layer)
          for sharing in WeightSharing.allCases {
            let factors = KFACFactors(LayerSamples(samples, block: index), sharing: sharing)
            checks.equal(factors.a, want.a, "A, \(name), \(sharing)")
            checks.equal(factors.g, want.g, scale: floored(want.g), "G, \(name), \(sharing)")
          }
        }
      }
    }
  }

  @Test("P-80: joint and separate bias differ exactly by the cross sub-blocks E[a] ⊗ G")
  func separateBiasLosesTheCrossBlocks() {
    property(
      "P-80", .equal, oracle: "closed form",
      over: NetworkCase.all.filter { $0.architecture != .biasFree }
    ) { test, checks in
      let samples = test.curvature.samples
      for (index, block) in samples.blocks.enumerated() {
        let weights = block.columnCount - 1
        /// A block of its own for some rows of the inputs: the weights', or the bias's ones.
        func part(_ rows: Range<Int>, _ name: String) -> GradientSamples.Block {
          GradientSamples.Block(
            name: name, rowCount: block.rowCount, columnCount: rows.count, hasBias: false,
            uses: block.uses.map {
              GradientSamples.Use(
                inputs: $0.inputs.block(rows: rows, columns: 0..<$0.inputs.columnCount),
                gradients: $0.gradients, positions: $0.positions)
            })
        }
        let apart = GradientSamples(
          exampleCount: samples.exampleCount, columnCount: samples.columnCount,
          blocks: [part(0..<weights, "weights"), part(weights..<weights + 1, "bias")], chain: [])
        for sharing in WeightSharing.allCases {
          let joint = try kfac(samples, index, sharing)
          let separate = blockDiagonal([
            try kfac(apart, 0, sharing), try kfac(apart, 1, sharing),
          ])
          let (a, g) = DefinedLayer(samples, block: index).factors(sharing)
          let means = a.block(rows: 0..<weights, columns: weights..<weights + 1)
          var cross = Matrix(rowCount: joint.rowCount, columnCount: joint.rowCount)
          let corner = weights * block.rowCount
          cross.setBlock(row: 0, column: corner, to: kronecker(means, g))
          cross.setBlock(row: corner, column: 0, to: kronecker(means.transposed, g))
          checks.equal(
            joint - separate, cross, scale: floored(joint), "\(sharing), \(block.name)")
        }
      }
    }
  }
}
