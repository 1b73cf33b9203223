import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// Each argument of `nn.thor` does what its API page says.
@Suite("nn.thor: the arguments of its API page")
struct MindSporeOptionTests {
  private func parameters(_ network: Network) -> Vector { network.parameterVector.flattened }

  /// The preconditioned direction of the first step.
  private func direction(_ run: ShortRun, _ options: MindSporeOptions) throws -> ParameterVector {
    var preconditioner = try MindSporePreconditioner(options)
    let (network, batch) = (run.source.network, run.data(ofStep: 0))
    return try preconditioner.direction(
      for: LossGradient(network, batch, run.source.likelihood).gradient,
      at: TrainingPoint(
        network: network, batch: batch, likelihood: run.source.likelihood, step: 0, epoch: 0))
  }

  private func layers(_ run: ShortRun) -> [LayerSamples] {
    let samples = GradientSamples(
      run.source.network, run.data(ofStep: 0), likelihood: run.source.likelihood, kind: .empirical)
    return samples.blocks.indices.map { LayerSamples(samples, block: $0) }
  }

  @Test("learning_rate and damping are read by step, and their last entries hold")
  func schedulesAreClamped() throws {
    let run = ShortRun.perceptron
    var short = run.options
    short.frequency = 2
    short.learningRate = [0.2, 0.1]
    short.damping = [0.5, 9, 0.1]
    var long = short
    long.learningRate = [0.2, 0.1, 0.1, 0.1, 0.1, 0.1]
    long.damping = [0.5, 7, 0.1, 8, 0.1, 6]  // steps 1, 3 and 5 refresh nothing
    #expect(try run.networks(short, steps: 6) == run.networks(long, steps: 6))
    long.learningRate[3] = 0.2
    #expect(try run.networks(short, steps: 3) == run.networks(long, steps: 3))
    #expect(try run.networks(short, steps: 4)[3] != run.networks(long, steps: 4)[3])
    long.learningRate[3] = 0.1
    long.damping[4] = 0.2
    #expect(try run.networks(short, steps: 4) == run.networks(long, steps: 4))
    #expect(try run.networks(short, steps: 5)[4] != run.networks(long, steps: 5)[4])
  }

  @Test("frequency N refreshes at steps 0, N, 2N and leaves the inverses alone between")
  func refreshesComeEveryNSteps() throws {
    for frequency in [2, 3, 5] {
      let run = ShortRun.perceptron
      var options = run.options
      options.frequency = frequency
      var preconditioner = try MindSporePreconditioner(options)
      var network = run.source.network
      var last: [MindSporeInverse] = []
      for step in 0..<8 {
        let batch = run.data(ofStep: step)
        let gradient = LossGradient(network, batch, run.source.likelihood).gradient
        let direction = try preconditioner.direction(
          for: gradient,
          at: TrainingPoint(
            network: network, batch: batch, likelihood: run.source.likelihood, step: step,
            epoch: 0))
        let isRefreshed = preconditioner.cachedInverses != last
        #expect(isRefreshed == (step % frequency == 0), "step \(step), frequency \(frequency)")
        last = preconditioner.cachedInverses
        // The gradient is the current one at every step.
        for (index, inverse) in last.enumerated() {
          #expect(direction.blocks[index] == inverse.applied(to: gradient.blocks[index]))
        }
        network = network.adding(direction, scale: -0.1)
      }
    }
  }

  @Test(
    "weight_decay adds η W to the preconditioned direction of the parameters that decay_filter names"
  )
  func decayIsFilteredAndNotPreconditioned() throws {
    let run = ShortRun.perceptron
    let names = run.source.network.parameters.flatMap { ["\($0.name).weight", "\($0.name).bias"] }
    let plain = parameters(try run.networks(run.options, steps: 1)[0])
    for filter in [nil, [names[0]], [names[1], names[2]], []] as [Set<String>?] {
      var options = run.options
      options.decayFilter = filter
      #expect(parameters(try run.networks(options, steps: 1)[0]) == plain, "no decay, no filter")
      options.weightDecay = 0.25
      let decayed = parameters(try run.networks(options, steps: 1)[0])
      var expected = plain.elements
      var next = 0
      for block in run.source.network.parameters {
        for j in 0..<block.weights.columnCount {
          let name = "\(block.name).\(j < block.inputCount ? "weight" : "bias")"
          for i in 0..<block.outputCount {
            if filter?.contains(name) ?? true { expected[next] -= 0.1 * 0.25 * block.weights[i, j] }
            next += 1
          }
        }
      }
      expectRatio(.difference(decayed, Vector(expected)), "\(String(describing: filter))")
    }
  }

  @Test("M-58: a decay before preconditioning is P⁻¹(ηW) instead of ηW")
  func decayBeforeDiffers() throws {
    let run = ShortRun.perceptron
    let η = 0.3
    func moved(_ rule: DescentRule) throws -> Vector {
      var optimizer = PreconditionedDescent(try MindSporePreconditioner(run.options), rule)
      let next = try optimizer.step(
        run.source.network, run.data(ofStep: 0), run.source.likelihood)
      return -1 * (parameters(next) - parameters(run.source.network))
    }
    let plain = try moved(DescentRule(learningRate: .constant(1)))
    let before = try moved(
      DescentRule(learningRate: .constant(1), weightDecay: η, decayPlacement: .gradient))
    let after = try moved(
      DescentRule(learningRate: .constant(1), weightDecay: η, decayPlacement: .direction))
    var preconditioner = try MindSporePreconditioner(run.options)
    let decay = η * run.source.network.parameterVector
    let preconditioned = try preconditioner.direction(
      for: decay,
      at: TrainingPoint(
        network: run.source.network, batch: run.data(ofStep: 0),
        likelihood: run.source.likelihood, step: 0, epoch: 0))
    let scale = LAPACK.norm1(Matrix(column: plain)) + LAPACK.norm1(Matrix(column: before))
    func ratio(_ actual: Vector, _ expected: Vector) -> Ratio {
      Ratio(
        Matrix(column: actual), against: Matrix(column: expected), size: expected.count,
        scale: scale)
    }
    expectRatio(ratio(before - plain, preconditioned.flattened))
    expectRatio(ratio(after - plain, decay.flattened))
    expectDifferent(before, after)
    // nn.thor is the second of them.
    var options = run.options
    options.learningRate = [1]
    options.weightDecay = η
    let actual = parameters(run.source.network) - parameters(try run.networks(options, steps: 1)[0])
    expectRatio(ratio(actual, after))
  }

  @Test("enable_clip_grad scales each of W and b down to norm 1 after preconditioning and decay")
  func clippingIsByTensor() throws {
    let run = ShortRun.perceptron
    var options = run.options
    options.damping = [1e-4]
    options.weightDecay = 0.3
    options.learningRate = [1]
    let free = try run.networks(options, steps: 1)[0]
    options.clipsGradient = true
    let clipped = try run.networks(options, steps: 1)[0]
    var scaled = 0
    for (index, block) in run.source.network.parameters.enumerated() {
      let u = block.weights - free.parameters[index].weights
      let c = block.weights - clipped.parameters[index].weights
      for columns in [0..<block.inputCount, block.inputCount..<block.inputCount + 1] {
        let (u, c) = (
          u.block(rows: 0..<u.rowCount, columns: columns),
          c.block(rows: 0..<c.rowCount, columns: columns)
        )
        let norm = LAPACK.dlange(u, .frobenius)
        if norm > 1 { scaled += 1 }
        let expected = norm > 1 ? (1 / norm) * u : u
        expectRatio(
          Ratio(
            c, against: expected, size: block.weights.columnCount,
            scale: LAPACK.norm1(block.weights) + LAPACK.norm1(expected)))
      }
    }
    #expect(scaled > 0 && scaled < 2 * run.source.network.parameters.count, "\(scaled) clipped")
  }

  @Test("M-59: clipping the gradient first gives c U with c = min(1, 1/‖V‖), clipping last U/‖U‖")
  func clippingBeforeDiffers() throws {
    // Weights of one layer without bias: a single tensor. Large outputs give a gradient above 1.
    var random = Generator(seed: 3)
    let network = try Network.multilayerPerceptron(
      weights: [random.normal(3, 4)], activations: [], hasBias: false)
    let data = Dataset(
      name: "random", inputs: random.normal(4, 8), targets: .values(20 * random.normal(3, 8)))
    let likelihood = Likelihood.gaussian(variance: 1)
    let point = TrainingPoint(
      network: network, batch: data, likelihood: likelihood, step: 0, epoch: 0)
    var options = MindSporeOptions(learningRate: [1], damping: [1e-8], momentum: 0)
    options.batchSize = 8
    let gradient = LossGradient(network, data, likelihood).gradient
    #expect(gradient.norm > 1)
    func direction(_ gradient: ParameterVector) throws -> Vector {
      var preconditioner = try MindSporePreconditioner(options)
      return try preconditioner.direction(for: gradient, at: point).flattened
    }
    let u = try direction(gradient)
    let first = try direction(1 / gradient.norm * gradient)
    expectRatio(Ratio.difference(first, 1 / gradient.norm * u))
    options.clipsGradient = true
    var optimizer = try MindSporeTHOR(options)
    let last =
      parameters(network) - parameters(try optimizer.step(network, data, likelihood))
    let expected = min(1, 1 / u.norm) * u
    expectRatio(
      Ratio(
        Matrix(column: last), against: Matrix(column: expected), size: 12,
        scale: LAPACK.norm1(network.parameters[0].weights)))
    expectDifferent(first, last)
  }

  @Test(
    "momentum is v ← μv + u from v = 0; use_nesterov steps along u + μv, on Ascend it is ignored")
  func momentumAndNesterov() throws {
    let run = ShortRun.perceptron
    var options = run.options
    options.momentum = 0.9
    options.source = .gpu
    let heavy = try run.networks(options, steps: 2)
    options.usesNesterov = true
    let nesterov = try run.networks(options, steps: 1)
    let start = parameters(run.source.network)
    let u = try direction(run, options).flattened
    let scale = LAPACK.norm1(Matrix(column: start)) + LAPACK.norm1(Matrix(column: u))
    func check(_ actual: Vector, _ expected: Vector) {
      expectRatio(
        Ratio(
          Matrix(column: actual), against: Matrix(column: expected), size: u.count, scale: scale))
    }
    check(parameters(heavy[0]), start - 0.1 * u)
    check(parameters(nesterov[0]), start - 0.1 * (u + 0.9 * u))
    options.source.ignoresNesterov = true
    #expect(try run.networks(options, steps: 2) == heavy)
    #expect(MindSporeDifferences.ascend.ignoresNesterov)
    #expect(!MindSporeDifferences.gpu.ignoresNesterov && !MindSporeDifferences.page.ignoresNesterov)
  }

  @Test("loss_scale undoes the scale of the loss: powers of two to the same bits")
  func lossScaleIsUndone() throws {
    for run in ShortRun.all {
      var options = run.options
      options.momentum = 0.9
      options.frequency = 2
      let plain = try run.networks(options, steps: 5)
      for scale in [0.5, 128, 65_536] {
        options.lossScale = scale
        #expect(try run.networks(options, steps: 5) == plain, "\(scale), \(run)")
      }
    }
  }

  @Test("A loss scale that is not the training's makes V S/s and G (S/s)² times as large, A stays")
  func wrongLossScaleIsVisible() throws {
    let run = ShortRun.perceptron
    var wrong = run.options
    wrong.lossScale = 4
    wrong.trainingLossScale = 1
    for layer in layers(run) {
      let right = MindSporeFactors(layer, isConvolution: false, run.options)
      let factors = MindSporeFactors(layer, isConvolution: false, wrong)
      #expect(factors.a == right.a)
      #expect(factors.g == (1.0 / 16) * right.g)
    }
    // Biases move along V itself.
    let (right, seen) = (try direction(run, run.options), try direction(run, wrong))
    for (a, b) in zip(right.blocks, seen.blocks) {
      #expect(b.column(b.columnCount - 1) == 0.25 * a.column(a.columnCount - 1))
    }
  }

  @Test("batch_size: a wrong one scales G by (batch_size/N)²; the right one gives (1/N) Σ g gᵀ")
  func batchSizeScalesG() throws {
    for run in [ShortRun.perceptron, .twoOutputs] {
      for (index, layer) in layers(run).enumerated() {
        let right = MindSporeFactors(layer, isConvolution: false, run.options)
        let g = (1 / 8.0) * LAPACK.dsyrk(layer.gradients[0])
        expectRatio(.difference(right.g, g), "layer \(index), \(run)")
        var options = run.options
        for (batchSize, factor) in [(16, 4.0), (32, 16), (4, 0.25), (2, 0.0625)] {
          options.batchSize = batchSize
          let factors = MindSporeFactors(layer, isConvolution: false, options)
          #expect(factors.g == factor * right.g, "\(batchSize), layer \(index), \(run)")
          #expect(factors.a == right.a)
        }
        options.batchSize = 5
        expectRatio(
          .difference(
            MindSporeFactors(layer, isConvolution: false, options).g, (25.0 / 64) * g))
      }
    }
  }

  @Test("split_indices change no number, and without workers no message")
  func splitIndicesChangeNothing() throws {
    let run = ShortRun.perceptron
    var options = run.options
    options.workers = 2
    options.batchSize = 4
    let one = try run.networks(options, steps: 3)
    options.splitIndices = [0, 1]
    #expect(try run.networks(options, steps: 3) == one)
    #expect(try AllReducePlan(run.source.network, options).messages.count > 2)
    options.workers = 1
    #expect(try AllReducePlan(run.source.network, options).messages.isEmpty)
  }

  @Test("The defaults are those of the API page")
  func defaults() {
    let options = MindSporeOptions(learningRate: [1], damping: [1], momentum: 0.9)
    #expect(options.weightDecay == 0 && options.lossScale == 1 && options.batchSize == 32)
    #expect(!options.usesNesterov && !options.clipsGradient && options.frequency == 100)
    #expect(options.decayFilter == nil && options.splitIndices == nil)
    #expect(options.splitSize == 128 && options.fisher == .empirical && options.workers == 1)
  }
}
