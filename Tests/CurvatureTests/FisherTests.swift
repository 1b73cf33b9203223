import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The exact Fisher matrix and its definitions (spec 2.3, 3.1).
@Suite("The Fisher information matrix")
struct FisherTests {
  /// Jₙ, C × P, by one pullback of each unit cotangent; the rows of a block are cvec(Σ g āᵀ).
  static func jacobians(_ network: Network, _ inputs: Matrix) -> [Matrix] {
    let tape = network.forward(inputs)
    let c = network.outputCount
    let layout = network.layout
    var result = [Matrix](
      repeating: Matrix(rowCount: c, columnCount: layout.count), count: inputs.columnCount)
    for output in 0..<c {
      let unit = Matrix(rowCount: c, columnCount: inputs.columnCount) { i, _ in i == output ? 1 : 0
      }
      for (use, g) in zip(tape.uses, network.pullback(unit, through: tape)) {
        let offset = layout.offsets[use.block]
        for column in 0..<g.columnCount {
          for j in 0..<use.inputs.rowCount {
            for i in 0..<g.rowCount {
              result[column / use.positions][output, offset + j * g.rowCount + i] +=
                g[i, column] * use.inputs[j, column]
            }
          }
        }
      }
    }
    return result
  }

  @Test(
    "P-20: the exact Fisher is the Gauss–Newton matrix (1/N) Σ JᵀHJ",
    arguments: CurvatureCase.varied)
  func fisherIsGaussNewton(test: CurvatureCase) throws {
    let source = test.source
    let samples = GradientSamples(
      source.network, source.data, likelihood: source.likelihood, kind: .exact)
    let outputs = source.network.forward(source.data.inputs).output
    let n = source.data.count
    var gaussNewton = Matrix(
      rowCount: samples.layout.count, columnCount: samples.layout.count)
    for (example, jacobian) in Self.jacobians(source.network, source.data.inputs).enumerated() {
      let hessian = source.likelihood.hessian(outputs.column(example))
      gaussNewton.add(
        1 / Double(n),
        times: LAPACK.dgemm(jacobian, LAPACK.dgemm(hessian, jacobian), transposeA: true))
    }
    let fisher = try ExactFisher(samples).dense(within: .standard)
    expectRatio(.difference(fisher, gaussNewton), "\(test)", seed: test.seed)
  }

  @Test(
    "The dense Fisher is (1/N) Σ u uᵀ for every Fisher kind, and so are the layer blocks",
    arguments: CurvatureCase.varied)
  func fisherFollowsItsDefinition(test: CurvatureCase) throws {
    let fisher = ExactFisher(test.samples)
    expectRatio(
      .difference(try fisher.dense(within: .standard), test.fisher), "\(test)", seed: test.seed)
    for (layer, defined) in zip(test.layers, test.defined) {
      let root = 1 / Double(defined.exampleCount).squareRoot()
      expectRatio(
        .difference(layer.scaledGradients, root * defined.gradients), "\(test)", seed: test.seed)
      #expect(layer.inputSize == defined.inputSize && layer.outputSize == defined.outputSize)
      #expect(layer.positions == defined.positions && layer.name == defined.block.name)
    }
  }

  @Test("A selection of layers gives the principal sub-matrix")
  func selectedLayersAreASubmatrix() throws {
    let test = CurvatureCase(
      RandomNetwork(.tied, .tanh, .categorical, seed: 12, exampleCount: 8))
    let chosen = GradientSamples(
      test.source.network, test.source.data, likelihood: .categorical, kind: .exact, blocks: [2, 1])
    let whole = test.fisher
    let offsets = test.samples.layout.offsets
    let indices = [2, 1].flatMap { block in
      (0..<test.samples.layout.blocks[block].count).map { offsets[block] + $0 }
    }
    let expected = Matrix(rowCount: indices.count, columnCount: indices.count) {
      whole[indices[$0], indices[$1]]
    }
    expectRatio(.difference(try ExactFisher(chosen).dense(within: .standard), expected))
  }

  @Test("P-24 to P-26: the exact Fisher ignores the labels, the empirical one does not")
  func onlyTheEmpiricalFisherSeesLabels() throws {
    let source = RandomNetwork(
      .perceptron, .tanh, .gaussian(variance: 0.7), seed: 15, exampleCount: 9)
    let outputs = source.network.forward(source.data.inputs).output
    let fitted = Dataset(name: "fitted", inputs: source.data.inputs, targets: .values(outputs))
    func fisher(_ data: Dataset, _ kind: FisherKind) throws -> Matrix {
      try ExactFisher(
        GradientSamples(source.network, data, likelihood: source.likelihood, kind: kind)
      ).dense(within: .standard)
    }
    let exact = try fisher(source.data, .exact)
    #expect(try fisher(fitted, .exact) == exact)
    #expect(frobenius(try fisher(fitted, .empirical)) == 0)
    expectDifferent(try fisher(source.data, .empirical), exact, relative: 0.05)
  }

  @Test(
    "P-29: Monte-Carlo Fishers average to the exact one; four times the samples halve the error")
  func monteCarloConverges() throws {
    let source = RandomNetwork(.perceptron, .tanh, .categorical, seed: 16, exampleCount: 8)
    let exact = CurvatureCase(source).fisher
    func error(_ samples: Int) -> Double {
      let seeds = 1...40 as ClosedRange<UInt64>
      let squares = seeds.map { seed -> Double in
        let kind = FisherKind.monteCarlo(samples: samples, seed: seed)
        let error = frobenius(CurvatureCase(source, kind).fisher - exact)
        return error * error
      }
      return (squares.reduce(0, +) / 40).squareRoot()
    }
    let (few, many) = (error(4), error(16))
    // A root mean square of 40 draws is known to about 1/√80 = 11 %.
    #expect(abs(few / many - 2) < 0.5)
  }

  @Test("P-30, P-31: positive semi-definite, rank at most NK and N(C − 1) for softmax")
  func rankAndSign() throws {
    for seed in 1...6 as ClosedRange<UInt64> {
      let test = CurvatureCase(
        RandomNetwork(.perceptron, .softplus, .categorical, seed: seed, exampleCount: 2))
      let values = try LAPACK.dsyevd(test.fisher).values.elements
      let largest = values[values.count - 1]
      expectAtMost(-1e-14 * Double(values.count) * largest, values[0])
      let c = test.source.network.outputCount
      let rank = try ExactFisher(test.samples).damped(.none, 0).rank
      #expect(rank <= 2 * (c - 1), "seed \(seed)")
    }
  }

  @Test("P-38: a Gaussian's Fisher is that of variance 1 over σ²")
  func varianceScalesTheFisher() throws {
    let source = RandomNetwork(
      .perceptron, .tanh, .gaussian(variance: 1), seed: 17, exampleCount: 6)
    func fisher(_ variance: Double) throws -> Matrix {
      try ExactFisher(
        GradientSamples(
          source.network, source.data, likelihood: .gaussian(variance: variance), kind: .exact)
      ).dense(within: .standard)
    }
    expectRatio(.difference(try fisher(4), 0.25 * (try fisher(1))))
  }

  @Test("P-39: softmax annihilates the all-logit shift")
  func softmaxAnnihilatesTheShift() throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, .categorical, seed: 18, exampleCount: 9))
    var shift = ParameterVector.zero(test.samples.layout)
    let last = shift.blocks.count - 1
    let bias = shift.blocks[last].columnCount - 1
    for i in 0..<shift.blocks[last].rowCount { shift.blocks[last][i, bias] = 1 }
    let fisher = ExactFisher(test.samples)
    let scale = frobenius(test.fisher) * Double(test.samples.layout.count)
    expectAtMost(fisher.apply(shift).norm, 30 * .ulpOfOne * scale)
    let g = KFACFactors(test.layers[last]).g
    let ones = Vector(repeating: 1, count: g.rowCount)
    expectAtMost((g * ones).norm, 30 * .ulpOfOne * frobenius(g) * Double(g.rowCount))
  }

  @Test("P-40, P-41: ReLU rescaling is in the null space of F, not of KFAC")
  func rescalingIsFlat() throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .relu, .gaussian(variance: 0.7), seed: 41, exampleCount: 12))
    let parameters = test.source.network.parameters
    let fisher = ExactFisher(test.samples)
    let kfac = LayerwiseStructure(test.layers.map { KroneckerBlock.kfac($0) })
    var seen = 0.0
    for unit in 0..<parameters[0].weights.rowCount {
      var direction = ParameterVector.zero(test.samples.layout)
      for j in 0..<parameters[0].weights.columnCount {
        direction.blocks[0][unit, j] = parameters[0].weights[unit, j]
      }
      for i in 0..<parameters[1].weights.rowCount {
        direction.blocks[1][i, unit] = -parameters[1].weights[i, unit]
      }
      let scale = frobenius(test.fisher) * direction.norm
      expectAtMost(fisher.apply(direction).norm, 1e-13 * scale, "unit \(unit)")
      seen = max(seen, kfac.apply(direction).norm / scale)
    }
    #expect(seen > 1e-3)
  }

  @Test("P-47: the blocks of the inverse dominate the inverses of the blocks")
  func blocksOfTheInverseDominate() throws {
    for test in CurvatureCase.dense {
      let inverse = try ExactFisher(test.samples).damped(.exact, 0.1).denseInverse(
        within: .standard)
      let layers = try StructureKind.blockDiagonal.build(test.samples).damped(.exact, 0.1)
        .denseInverse(within: .standard)
      for (offset, block) in zip(test.samples.layout.offsets, test.samples.layout.blocks) {
        let range = offset..<offset + block.count
        let difference =
          inverse.block(rows: range, columns: range) - layers.block(rows: range, columns: range)
        let smallest = try LAPACK.dsyevd(difference).values[0]
        // The entries are at most 1/λ = 10, and κ is at most ‖F‖/λ + 1.
        let slack = 1e-13 * Double(block.count) * (frobenius(test.fisher) / 0.1 + 1)
        expectAtMost(0, smallest, slack: slack, "\(test)", seed: test.seed)
      }
    }
  }

  @Test("P-36: the mean gradient lies in the range of the exact and the empirical Fisher")
  func gradientIsInTheRange() throws {
    for (index, likelihood) in RandomNetwork.likelihoods.enumerated() {
      for kind in [FisherKind.exact, .empirical] {
        let test = CurvatureCase(
          RandomNetwork(
            .perceptron, .tanh, likelihood, seed: UInt64(30 + index), exampleCount: 3), kind)
        let u = test.stackedGradients
        let weights = LAPACK.dgemm(u, test.gradient.flattened, transposeA: true)
        let gram = LAPACK.dsyrk(u, transposed: true)
        // The projection U (UᵀU)⁺ Uᵀ ∇h by eigenvectors, small ones left out.
        let eigen = try LAPACK.dsyevd(gram)
        let largest = eigen.values[eigen.values.count - 1]
        var coordinates = LAPACK.dgemm(eigen.vectors, weights, transposeA: true)
        for i in 0..<coordinates.count {
          let value = eigen.values[i]
          coordinates[i] = value > 1e-11 * largest ? coordinates[i] / value : 0
        }
        let projected = LAPACK.dgemm(u, LAPACK.dgemm(eigen.vectors, coordinates))
        let error = (projected - test.gradient.flattened).norm
        #expect(error < 1e-5 * test.gradient.norm, "\(test)")
      }
    }
  }
}
