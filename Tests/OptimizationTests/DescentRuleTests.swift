import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// Momentum, weight decay, clipping and Adam against their recursions (spec 7.8, 8.10).
@Suite("Descent rules")
struct DescentRuleTests {
  /// h(w) = ½w²: one weight, one example x = 1, y = 0, σ² = 1; the gradient is w.
  static func parabola(_ w: Double) throws -> TrainingState {
    TrainingState(
      try Network.multilayerPerceptron(
        weights: [Matrix(rows: [[w]])], activations: [], hasBias: false),
      Dataset(name: "one", inputs: Matrix(rows: [[1]]), targets: .values(Matrix(rows: [[0]]))),
      .gaussian(variance: 1))
  }

  /// The weights after each step on the parabola.
  static func path(
    _ optimizer: some Optimizer, from w: Double = 1, steps: Int = 3
  ) throws -> [Double] {
    var optimizer = optimizer
    let state = try parabola(w)
    var network = state.network
    return try (0..<steps).map { _ in
      network = try optimizer.step(network, state.batch, state.likelihood)
      return network.parameters[0].weights[0, 0]
    }
  }

  @Test(
    "Momentum and Nesterov on w²/2 with α = μ = ½: the first weights by hand, in binary fractions")
  func byHand() throws {
    // v = 1, 1, ½; w = ½, 0, −¼.
    let rule = DescentRule(learningRate: .constant(0.5), momentum: 0.5)
    #expect(try Self.path(GradientDescent(rule)) == [0.5, 0, -0.25])
    #expect(GradientDescent(rule).name == "momentum")
    // v = 1, ¾, 5/16; g + μv = 3/2, 5/8, 3/32.
    var nesterov = rule
    nesterov.usesNesterov = true
    #expect(try Self.path(GradientDescent(nesterov)) == [0.25, -0.0625, -0.109375])
    #expect(GradientDescent(nesterov).name == "nesterov")
    #expect(try Self.path(GradientDescent(learningRate: 0.5)) == [0.5, 0.25, 0.125])
  }

  @Test("The learning rate is the schedule's at the epoch of the step")
  func scheduledRates() throws {
    // Two steps to an epoch: α = ½, ½, ¼, ¼, ….
    let rule = DescentRule(
      learningRate: .steps(initial: 0.5, factor: 0.5, every: 1), stepsPerEpoch: 2)
    #expect(
      try Self.path(GradientDescent(rule), steps: 4) == [0.5, 0.25, 0.1875, 0.140625])
  }

  @Test("Adam's first step is α g/(|g| + ε), whatever the size of g", arguments: [1e-3, 1, 300])
  func adamsFirstStep(w: Double) throws {
    let optimizer = PreconditionedDescent(
      AdamPreconditioner(), DescentRule(learningRate: .constant(0.1)))
    let after = try Self.path(optimizer, from: w, steps: 1)[0]
    expectAtMost(abs(after - (w - 0.1 * w / (w + 1e-8))), 8 * .ulpOfOne * (w + 0.1))
  }

  @Test(
    "Momentum, Nesterov and Adam follow their recursions on networks",
    arguments: 50..<56 as Range<UInt64>)
  func recursions(seed: UInt64) throws {
    let test = NetworkCase(
      .perceptron, .tanh, RandomNetwork.likelihoods[Int(seed % 3)], seed: seed, exampleCount: 9)
    let state = TrainingState(test)
    let (α, μ) = (0.05, 0.9)
    var optimizers: [any Optimizer] = [
      GradientDescent(DescentRule(learningRate: .constant(α), momentum: μ)),
      GradientDescent(DescentRule(learningRate: .constant(α), momentum: μ, usesNesterov: true)),
      PreconditionedDescent(
        AdamPreconditioner(meanDecay: 0.8, squareDecay: 0.95, epsilon: 1e-3),
        DescentRule(learningRate: .constant(α))),
    ]
    for method in optimizers.indices {
      var network = state.network
      let count = network.layout.count
      var m = [Double](repeating: 0, count: count)
      var v = [Double](repeating: 0, count: count)
      for k in 1...6 {
        let g = LossGradient(network, state.batch, state.likelihood).gradient.flattened
        let θ = network.parameterVector.flattened
        network = try optimizers[method].step(network, state.batch, state.likelihood)
        var expected = θ
        for i in 0..<count {
          switch method {
          case 0:
            m[i] = μ * m[i] + g[i]
            expected[i] = θ[i] - α * m[i]
          case 1:
            m[i] = μ * m[i] + g[i]
            expected[i] = θ[i] - α * (g[i] + μ * m[i])
          default:
            m[i] = 0.8 * m[i] + 0.2 * g[i]
            v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i]
            let (mean, square) = (
              m[i] / (1 - power(0.8, Double(k))), v[i] / (1 - power(0.95, Double(k)))
            )
            expected[i] = θ[i] - α * mean / (square.squareRoot() + 1e-3)
          }
        }
        expectRatio(
          .difference(network.parameterVector.flattened, expected), "\(method), step \(k)",
          seed: seed)
      }
    }
  }

  /// The step of fresh KFAC (D2, λ = 0.3) at rate 1 under a rule of weight decay.
  private func decayed(
    _ state: TrainingState, _ placement: DescentRule.DecayPlacement, _ blocks: Set<String>?
  ) throws -> ParameterVector {
    var optimizer = PreconditionedDescent(
      NaturalGradientPreconditioner(structure: .kfac, rule: .factor, lambda: .constant(0.3)),
      DescentRule(
        learningRate: .constant(1), weightDecay: 0.2, decayPlacement: placement,
        decayedBlocks: blocks))
    let next = try optimizer.step(state.network, state.batch, state.likelihood)
    return state.network.parameterVector - next.parameterVector
  }

  @Test(
    "Weight decay is preconditioned with the gradient, or added after it, on the chosen blocks",
    arguments: 60..<63 as Range<UInt64>)
  func weightDecay(seed: UInt64) throws {
    let test = NetworkCase(
      .perceptron, .tanh, RandomNetwork.likelihoods[Int(seed % 3)], seed: seed, exampleCount: 9)
    let state = TrainingState(test)
    let θ = state.network.parameterVector
    let layers = state.layers()
    for chosen in [nil, Set(["layer2"])] {
      let before = try decayed(state, .gradient, chosen)
      let after = try decayed(state, .direction, chosen)
      for (index, layer) in layers.enumerated() {
        let η = chosen == nil || index == 1 ? 0.2 : 0
        let matrix = layer.damped(.factor, 0.3)
        // θ − θ′ is rounded at the size of θ, and the solution at κ.
        let slack = try 30 * .ulpOfOne * condition(matrix) * (1 + LAPACK.norm1(θ.blocks[index]))
        var right = cvec(state.gradient.blocks[index])
        var plain = try LAPACK.dposv(matrix, right)
        right.add(η, times: cvec(θ.blocks[index]))
        plain.add(η, times: cvec(θ.blocks[index]))
        let together = try LAPACK.dposv(matrix, right)
        expectAtMost(
          (cvec(before.blocks[index]) - together).norm, slack * (1 + together.norm), "before",
          seed: seed)
        expectAtMost(
          (cvec(after.blocks[index]) - plain).norm, slack * (1 + plain.norm), "after", seed: seed)
        if η > 0 { expectDifferent(before.blocks[index], after.blocks[index], relative: 1e-2) }
      }
    }
  }

  @Test(
    "Clipping scales each weight matrix and each bias, or all together, to the norm, and no more")
  func clipping() throws {
    let state = TrainingState(
      NetworkCase(.perceptron, .tanh, .categorical, seed: 70, exampleCount: 9))
    let gradient = state.gradient
    func step(_ clipping: DescentRule.Clipping) throws -> ParameterVector {
      var optimizer = GradientDescent(
        DescentRule(learningRate: .constant(1), clipping: clipping))
      let next = try optimizer.step(state.network, state.batch, state.likelihood)
      return state.network.parameterVector - next.parameterVector
    }
    for c in [0.05 * gradient.norm, 0.3 * gradient.norm, 2 * gradient.norm] {
      let whole = try step(.whole(norm: c))
      let factor = min(1, c / gradient.norm)
      expectAtMost((whole - factor * gradient).norm, 1e-14, "whole, \(c)")
      let each = try step(.eachTensor(norm: c))
      for (index, block) in gradient.blocks.enumerated() {
        let last = block.columnCount - 1
        for columns in [0..<last, last..<last + 1] {
          let part = block.block(rows: 0..<block.rowCount, columns: columns)
          let clipped = each.blocks[index].block(rows: 0..<block.rowCount, columns: columns)
          let factor = min(1, c / frobenius(part))
          expectAtMost(frobenius(clipped - factor * part), 1e-14, "each, \(c)")
        }
      }
    }
    expectDifferent(
      try step(.whole(norm: 0.05 * gradient.norm)).flattened,
      try step(.eachTensor(norm: 0.05 * gradient.norm)).flattened)
    // On the parabola: the clipped direction enters the momentum. v = ½, ¾; w = ¾, 3/8.
    let rule = DescentRule(
      learningRate: .constant(0.5), momentum: 0.5, clipping: .whole(norm: 0.5))
    #expect(try Self.path(GradientDescent(rule), steps: 2) == [0.75, 0.375])
  }

  @Test("A rule that cannot be followed is refused in one sentence that names the value")
  func badRules() {
    let rate = Schedule.constant(0.1)
    for (rule, part) in [
      (DescentRule(learningRate: .constant(.nan)), "the learning rate"),
      (DescentRule(learningRate: rate, momentum: -0.1), "momentum"),
      (DescentRule(learningRate: rate, weightDecay: .infinity), "weight decay"),
      (DescentRule(learningRate: rate, clipping: .whole(norm: 0)), "clipping norm"),
      (DescentRule(learningRate: rate, clipping: .eachTensor(norm: .nan)), "clipping norm"),
      (DescentRule(learningRate: rate, stepsPerEpoch: 0), "0 steps"),
    ] {
      let error = #expect(throws: OptimizationError.self) { try rule.check() }
      #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }
  }
}
