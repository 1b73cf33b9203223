import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// The recorded differences of MindSpore's source, each against its formula (section 7.8).
@Suite("nn.thor: differences of its source")
struct MindSporeSourceTests {
  private func layer(_ run: ShortRun, _ block: Int, _ fisher: FisherKind = .empirical)
    -> LayerSamples
  {
    LayerSamples(
      GradientSamples(
        run.source.network, run.data(ofStep: 0), likelihood: run.source.likelihood, kind: fisher),
      block: block)
  }

  private func inverses(_ run: ShortRun, _ options: MindSporeOptions) throws -> [MindSporeInverse] {
    var preconditioner = try MindSporePreconditioner(options)
    let (network, batch) = (run.source.network, run.data(ofStep: 0))
    _ = try preconditioner.direction(
      for: .zero(network.layout),
      at: TrainingPoint(
        network: network, batch: batch, likelihood: run.source.likelihood, step: 0, epoch: 0))
    return preconditioner.cachedInverses
  }

  @Test("Without the bias in A the factor is KFAC's without its last row and column, the bias raw")
  func biasIsLeftOut() throws {
    let run = ShortRun.perceptron
    let layer = layer(run, 0)
    let kfac = KFACFactors(layer)
    let n = layer.inputSize
    var options = run.options
    let without = MindSporeFactors(layer, isConvolution: false, options)
    expectRatio(.difference(without.a, kfac.a.block(rows: 0..<n - 1, columns: 0..<n - 1)))
    expectRatio(.difference(without.g, kfac.g))
    var random = Generator(seed: 8)
    let v = random.normal(layer.outputSize, n)
    let applied = try inverses(run, options)[0].applied(to: v)
    #expect(applied.column(n - 1) == v.column(n - 1))
    expectDifferent(
      applied.block(rows: 0..<v.rowCount, columns: 0..<n - 1),
      v.block(rows: 0..<v.rowCount, columns: 0..<n - 1))
    options.source.biasInA = true
    expectRatio(.difference(MindSporeFactors(layer, isConvolution: false, options).a, kfac.a))
    expectDifferent(
      Matrix(column: try inverses(run, options)[0].applied(to: v).column(n - 1)),
      Matrix(column: v.column(n - 1)))
  }

  @Test("With the bias in A, no split, and one of the two damping rules it is KFAC with that rule")
  func isKFACWithTheRule() throws {
    for (formula, rule) in [
      (MindSporeDifferences.DampingFormula.sqrt, DampingRule.sqrt), (.factor, .factor),
    ] {
      let run = ShortRun.perceptron
      var options = run.options
      options.source.biasInA = true
      options.source.damping = formula
      for (index, inverse) in try inverses(run, options).enumerated() {
        let damped = try KroneckerBlock.kfac(layer(run, index)).damped(rule, 0.2)
        var random = Generator(seed: 8)
        let v = random.normal(inverse.g.size, inverse.a.size)
        let expected = damped.solve(ParameterVector(blocks: [v])).blocks[0]
        expectRatio(
          Ratio(
            inverse.applied(to: v), against: expected, size: expected.columnCount,
            scale: 100 * LAPACK.norm1(expected)), "\(rule), layer \(index)")
      }
    }
  }

  @Test("λ of the page is √λ of the source: λ_sqrt = λ_factor²")
  func dampingsCorrespond() throws {
    let run = ShortRun.perceptron
    var source = run.options
    source.damping = [0.0625]
    var page = source
    page.source.damping = .factor
    page.damping = [0.25]
    #expect(try inverses(run, source) == inverses(run, page))
    page.damping = [0.0625]
    #expect(try inverses(run, source) != inverses(run, page))
  }

  @Test("GPU divides X Xᵀ of a dense layer by its size instead of by N: ours is d_in/N of it")
  func inputNormalizer() {
    for (run, positions) in [(ShortRun.perceptron, 1.0), (.sequence, nil as Double?)] {
      let layer = layer(run, 0)
      let t = positions ?? Double(layer.positions)
      var options = run.options
      let rows = MindSporeFactors(layer, isConvolution: false, options)
      options.source = .gpu
      let gpu = MindSporeFactors(layer, isConvolution: false, options)
      let d = Double(gpu.a.rowCount)
      #expect(d != 8 * t, "the case must tell them apart")
      // Table 1.6 (b): factor d_in/N from theirs to ours; M = N·T rows at shared positions.
      expectRatio(.difference((d / (8 * t)) * gpu.a, rows.a), "\(run)")
      #expect(gpu.g == rows.g)
    }
  }

  @Test("A dense layer at T positions has 1/(NT) in both factors: T A is that of the specification")
  func densePositions() {
    let run = ShortRun.sequence
    let layer = layer(run, 0)
    #expect(layer.positions > 1)
    let ours = KFACFactors(layer)
    let theirs = MindSporeFactors(layer, isConvolution: false, run.options)
    let n = layer.inputSize - 1
    expectRatio(
      .difference(
        Double(layer.positions) * theirs.a, ours.a.block(rows: 0..<n, columns: 0..<n)))
    expectRatio(.difference(theirs.g, ours.g))
    #expect(theirs.ratio == 1)
  }

  @Test("Ascend: G⁻¹ of a dense layer with two outputs is the identity, of any other it is not")
  func twoOutputs() throws {
    for run in ShortRun.all {
      for (index, inverse) in try inverses(run, run.options).enumerated() {
        let isConvolution = MindSporeByHand.isConvolution(run.source.network, index)
        #expect(
          (inverse.g.dense == .identity(inverse.g.size)) == (inverse.g.size == 2 && !isConvolution),
          "layer \(index), \(run)")
      }
      var gpu = run.options
      gpu.source = .gpu
      for inverse in try inverses(run, gpu) {
        #expect(inverse.g.dense != .identity(inverse.g.size))
      }
    }
    #expect(!MindSporeDifferences.page.hasIdentityForTwoOutputs)
  }

  @Test("Ascend convolution: 1/(NT) on both, √(λ/T) and a final 1/T are KFAC with √λ on √T A, √T G")
  func ascendConvolution() throws {
    let run = ShortRun.convolution
    let layer = layer(run, 0)
    let t = Double(layer.positions)
    #expect(t > 1)
    let ours = KFACFactors(layer)
    let theirs = MindSporeFactors(layer, isConvolution: true, run.options)
    let n = layer.inputSize - 1
    expectRatio(
      .difference(t * theirs.a, ours.a.block(rows: 0..<n, columns: 0..<n)), "table 1.6 (b)")
    expectRatio(.difference(theirs.g, ours.g))
    let inverse = try inverses(run, run.options)[0]
    // Balanced factors √T A′, √T G′ with √λ each.
    let root = t.squareRoot()
    let shift = 0.2.squareRoot()
    let a = try LAPACK.dpotri((root * theirs.a).addingToDiagonal(shift))
    let g = try LAPACK.dpotri((root * theirs.g).addingToDiagonal(shift))
    var random = Generator(seed: 8)
    let v = random.normal(g.rowCount, a.rowCount)
    let expected = LAPACK.dgemm(LAPACK.dgemm(g, v), a)
    expectRatio(
      Ratio(
        inverse.applied(to: v), against: expected, size: n, scale: 100 * LAPACK.norm1(expected)))
    // The batch size enters there too: ρ = batch_size/(NT).
    var options = run.options
    options.batchSize = 16
    expectRatio(
      .difference(
        Vector([MindSporeFactors(layer, isConvolution: true, options).ratio]), Vector([2 / t])))
  }

  @Test("M-48: GPU convolution takes first moments over the batch, so A − A_gpu is a covariance")
  func gpuConvolution() throws {
    let run = ShortRun.convolution
    let layer = layer(run, 0)
    var options = run.options
    let patches = MindSporeFactors(layer, isConvolution: true, options)
    options.source = .gpu
    let means = MindSporeFactors(layer, isConvolution: true, options)
    #expect(means.ratio == 1 / Double(layer.positions))
    // (1/NT) Σ x xᵀ = (1/T) Σ_t x̄_t x̄_tᵀ + (1/NT) Σ (x − x̄_t)(x − x̄_t)ᵀ, and the same for g, of
    // which nn.thor makes (S/N) g and multiplies by N²/s².
    for (second, first) in [(patches.a, means.a), (patches.g, means.g)] {
      let covariance = second - first
      let smallest = try LAPACK.dsyevd(covariance).values[0]
      expectAtMost(-smallest, 0, slack: 1e-14 * LAPACK.norm1(second))
      expectDifferent(second, first)
    }
    // Equal where all examples are the same.
    let one = run.source.data.subset([2, 2, 2, 2, 2, 2, 2, 2])
    let same = LayerSamples(
      GradientSamples(
        run.source.network, one, likelihood: run.source.likelihood, kind: .empirical), block: 0)
    let a = MindSporeFactors(same, isConvolution: true, run.options)
    let b = MindSporeFactors(same, isConvolution: true, options)
    expectRatio(.difference(b.a, a.a))
    expectRatio(.difference(b.g, a.g))
  }

  @Test(
    "The labels are the training labels: other labels give another G; the exact Fisher reads none")
  func labelsAreTheTrainings() throws {
    let run = ShortRun.perceptron
    let batch = run.data(ofStep: 0)
    guard case .labels(let labels) = batch.targets else { preconditionFailure("labels wanted") }
    let other = Dataset(
      name: "other", inputs: batch.inputs, targets: .labels(labels.map { ($0 + 1) % 3 }))
    var options = run.options
    func inverse(_ data: Dataset) throws -> MindSporeInverse {
      var preconditioner = try MindSporePreconditioner(options)
      _ = try preconditioner.direction(
        for: .zero(run.source.network.layout),
        at: TrainingPoint(
          network: run.source.network, batch: data, likelihood: .categorical, step: 0, epoch: 0))
      return preconditioner.cachedInverses[0]
    }
    expectDifferent(try inverse(batch).g.dense, try inverse(other).g.dense)
    #expect(try inverse(batch).a == inverse(other).a)
    options.fisher = .exact
    #expect(try inverse(batch) == inverse(other))
    let exact = KFACFactors(layer(run, 0, .exact))
    expectRatio(
      .difference(
        MindSporeFactors(layer(run, 0, .exact), isConvolution: false, options).g, exact.g))
  }

  @Test("A layer wider than 128 is inverted in blocks of 128 and a rest")
  func splitIs128() throws {
    var random = Generator(seed: 4)
    let network = try Network.multilayerPerceptron(
      weights: [0.1 * random.normal(131, 140)], activations: [], hasBias: true)
    let data = Dataset(
      name: "wide", inputs: random.normal(139, 9), targets: .values(random.normal(131, 9)))
    var options = MindSporeOptions(learningRate: [1], damping: [0.09], momentum: 0)
    options.batchSize = 9
    var preconditioner = try MindSporePreconditioner(options)
    _ = try preconditioner.direction(
      for: .zero(network.layout),
      at: TrainingPoint(
        network: network, batch: data, likelihood: .gaussian(variance: 1), step: 0, epoch: 0))
    let inverse = preconditioner.cachedInverses[0]
    #expect(inverse.a.ranges == [0..<128, 128..<139])
    #expect(inverse.g.ranges == [0..<128, 128..<131])
    let factors = MindSporeByHand.factors(
      network, block: 0, data, .gaussian(variance: 1), options)
    for (actual, factor) in [(inverse.a, factors.a), (inverse.g, factors.g)] {
      let n = factor.rowCount
      let damped = Matrix(rowCount: n, columnCount: n) {
        ($0 / 128 == $1 / 128 ? factor[$0, $1] : 0) + ($0 == $1 ? 0.3 : 0)
      }
      let expected = try LAPACK.dpotri(damped)
      let values = try LAPACK.dsyevd(damped).values
      expectRatio(
        Ratio(
          actual.dense, against: expected, size: n,
          scale: values[n - 1] / values[0] * LAPACK.norm1(expected)))
      expectDifferent(actual.dense, try LAPACK.dpotri(factor.addingToDiagonal(0.3)))
    }
  }
}
