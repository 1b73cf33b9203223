import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// The algorithm of 2015 with rescaling, momentum and adaptive damping (spec 4.7).
@Suite("KFAC as published in 2015")
struct AdaptiveKFACTests {
  /// A quadratic on which KFAC is not exact: one linear layer at every position, the mean over
  /// positions, Gaussian targets. F = A′ ⊗ I/σ² with A′ of the mean input, A is of all positions.
  static func quadratic(seed: UInt64) throws -> TrainingState {
    var generator = Generator(seed: seed)
    let network = try Network(
      inputShape: .sequence(positions: 3, features: 4),
      nodes: [
        Node(.dense(parameters: 0), inputs: [0]), Node(.meanOverPositions, inputs: [1]),
      ],
      parameters: [ParameterBlock(name: "layer1", weights: generator.normal(2, 5), hasBias: true)])
    return TrainingState(
      network,
      Dataset(
        name: "quadratic", inputs: generator.normal(12, 20),
        targets: .values(generator.normal(2, 20))),
      .gaussian(variance: 0.7))
  }

  /// θ₀, θ₁, … of conjugate gradients on ½θᵀHθ − bᵀθ, preconditioned with M.
  static func conjugateGradients(
    _ h: Matrix, _ m: Matrix, from start: Vector, gradient: Vector, steps: Int
  ) throws -> [Vector] {
    var x = start
    var r = -gradient
    var z = try LAPACK.dposv(m, r)
    var p = z
    var iterates = [x]
    for _ in 0..<steps {
      let hp = LAPACK.dgemm(h, p)
      let α = r.dot(z) / p.dot(hp)
      x.add(α, times: p)
      let old = r.dot(z)
      r.add(-α, times: hp)
      z = try LAPACK.dposv(m, r)
      p = z + (r.dot(z) / old) * p
      iterates.append(x)
    }
    return iterates
  }

  @Test(
    "On a fixed quadratic its momentum is preconditioned conjugate gradients, step for step",
    arguments: 1...4 as ClosedRange<UInt64>)
  func momentumIsConjugateGradients(seed: UInt64) throws {
    let state = try Self.quadratic(seed: seed)
    let layer = state.layers()[0]
    // λ + η in the model is 1e-12 against a curvature of about 1: an error of κ 1e-12.
    var options = AdaptiveKFAC.Options()
    options.lambda = 1e-12
    options.lambdaDecay = 1
    options.gammaInterval = 0
    let iterates = try Self.conjugateGradients(
      layer.fisher, layer.damped(.pi, 1e-12), from: state.network.parameterVector.flattened,
      gradient: state.gradient.flattened, steps: 5)
    for usesMomentum in [true, false] {
      options.usesMomentum = usesMomentum
      var optimizer = try AdaptiveKFAC(options)
      var network = state.network
      let size = (iterates[5] - iterates[0]).norm
      for k in 1...5 {
        network = try optimizer.step(network, state.batch, state.likelihood)
        let θ = network.parameterVector.flattened
        if usesMomentum || k == 1 {
          expectAtMost((θ - iterates[k]).norm, 1e-8 * size, "step \(k)", seed: seed)
        } else if k == 2 {
          // Rescaling alone is steepest descent.
          #expect((θ - iterates[k]).norm > 1e-4 * size)
        }
        if k > 1 { #expect((optimizer.coefficients.mu == 0) == !usesMomentum) }
      }
      // G is a multiple of I, so M⁻¹F has d_A = 5 distinct eigenvalues: solved after five steps.
      let gradient = LossGradient(network, state.batch, state.likelihood).gradient.norm
      if usesMomentum { expectAtMost(gradient, 1e-8 * state.gradient.norm, seed: seed) }
    }
  }

  /// What 4.7 makes of a step: the best (α, μ) of the model and its change M(δ) − M(0).
  struct ExplicitStep {
    let gradient: Vector
    let curvature: Matrix
    let proposal: Vector

    /// With fresh factors and the strength γ in them.
    init(_ state: TrainingState, lambda: Double, decay η: Double, gamma: Double) throws {
      let layers = state.layers()
      var gradient = state.gradient
      gradient.add(η, times: state.network.parameterVector)
      self.gradient = gradient.flattened
      self.curvature = ExplicitLayer.fisher(layers).addingToDiagonal(lambda + η)
      var proposal: [Double] = []
      for (layer, block) in zip(layers, gradient.blocks) {
        proposal += try LAPACK.dposv(layer.damped(.pi, gamma * gamma), cvec(block)).elements
      }
      self.proposal = -Vector(proposal)
    }

    /// M(δ) − M(0) = ∇hᵀδ + ½ δᵀ(F + λ̄I)δ.
    func model(_ δ: Vector) -> Double {
      gradient.dot(δ) + 0.5 * δ.dot(LAPACK.dgemm(curvature, δ))
    }

    /// The minimiser in the span of the proposal and the last step, by `dgesv`.
    func best(after last: Vector?) throws -> Vector {
      let directions = [proposal] + (last.map { [$0] } ?? [])
      let n = directions.count
      let system = Matrix(rowCount: n, columnCount: n) {
        directions[$0].dot(LAPACK.dgemm(curvature, directions[$1]))
      }
      let right = Vector(directions.map { -gradient.dot($0) })
      let coefficients = try LAPACK.dgesv(system, right)
      var δ = coefficients[0] * directions[0]
      if n == 2 { δ.add(coefficients[1], times: directions[1]) }
      return δ
    }
  }

  static func objective(_ state: TrainingState, _ η: Double) -> Double {
    let θ = state.network.parameterVector
    return state.loss + η / 2 * θ.dot(θ)
  }

  @Test("Every step minimises the model in its plane, and λ follows ρ by the thresholds ¼ and ¾")
  func lambdaFollowsTheReductionRatio() throws {
    var branches = Set<String>()
    for (index, λ0) in [1e-4, 1e-2, 1, 150].enumerated() {
      for seed in 0..<3 as Range<UInt64> {
        let η = seed == 1 ? 0.01 : 0
        let test = NetworkCase(
          .perceptron, .tanh, RandomNetwork.likelihoods[index % 3], seed: 30 + seed,
          exampleCount: 12, widthLimit: 4)
        var state = TrainingState(test)
        var options = AdaptiveKFAC.Options()
        options.averaging = .fresh
        options.lambda = λ0
        options.weightDecay = η
        options.lambdaInterval = 2
        options.lambdaDecay = 0.8
        options.gammaInterval = 0
        options.inverseInterval = 1
        var optimizer = try AdaptiveKFAC(options)
        var last: Vector?
        for step in 1...8 {
          let (λ, γ) = (optimizer.lambda, optimizer.gamma)
          #expect(abs(γ - (λ + η).squareRoot()) <= 1e-15 * γ)
          let explicit = try ExplicitStep(state, lambda: λ, decay: η, gamma: γ)
          let before = Self.objective(state, η)
          let θ = state.network.parameterVector.flattened
          state.network = try optimizer.step(state.network, state.batch, state.likelihood)
          let δ = state.network.parameterVector.flattened - θ
          // Near its minimum the model does not feel how well (α, μ) are determined.
          let least = explicit.model(try explicit.best(after: last))
          expectAtMost(
            abs(explicit.model(δ) - least), 1e-7 * abs(least), "\(test), λ₀ = \(λ0), step \(step)")
          last = δ
          guard step % 2 == 0 else {
            #expect(optimizer.lambda == λ)
            continue
          }
          let change = Self.objective(state, η) - before
          let ρ = optimizer.reductionRatio
          // h is known to ε h.
          expectAtMost(
            abs(ρ - change / least), (1e-13 * before + 1e-7 * abs(change)) / abs(least),
            "ρ, \(test), λ₀ = \(λ0), step \(step)")
          let ω1 = power(0.8, 2)
          let expected = ρ > 0.75 ? λ * ω1 : ρ < 0.25 ? λ / ω1 : λ
          expectAtMost(abs(optimizer.lambda - expected), 1e-14 * expected)
          branches.insert(ρ > 0.75 ? "smaller" : ρ < 0.25 ? "larger" : "same")
        }
      }
    }
    #expect(branches == ["smaller", "larger", "same"])
  }

  @Test("γ becomes the best of γ, ω₂γ and γ/ω₂ for the model")
  func gammaIsChosenByTheModel() throws {
    var choices = Set<Int>()
    for seed in 40..<46 as Range<UInt64> {
      for λ0 in [1e-3, 0.1, 10] {
        var state = TrainingState(
          NetworkCase(.perceptron, .tanh, .categorical, seed: seed, exampleCount: 12, widthLimit: 4)
        )
        var options = AdaptiveKFAC.Options()
        options.averaging = .fresh
        options.lambda = λ0
        options.lambdaInterval = 1000
        options.lambdaDecay = 0.7
        options.gammaInterval = 2
        options.inverseInterval = 1
        var optimizer = try AdaptiveKFAC(options)
        var last: Vector?
        for step in 0..<6 {
          let γ = optimizer.gamma
          // ω₂ = √0.7 to the power T₂ = 2.
          let candidates = step > 0 && step % 2 == 0 ? [γ, 0.7 * γ, γ / 0.7] : [γ]
          let models = try candidates.map {
            let explicit = try ExplicitStep(state, lambda: λ0, decay: 0, gamma: $0)
            return explicit.model(try explicit.best(after: last))
          }
          let θ = state.network.parameterVector.flattened
          state.network = try optimizer.step(state.network, state.batch, state.likelihood)
          last = state.network.parameterVector.flattened - θ
          let chosen = try #require(
            candidates.firstIndex { abs($0 - optimizer.gamma) <= 1e-14 * $0 })
          let least = models.min() ?? 0
          expectAtMost(models[chosen], least, slack: 1e-7 * abs(least), "\(models)", seed: seed)
          if candidates.count > 1 { choices.insert(chosen) }
        }
      }
    }
    #expect(choices.count >= 2, "only \(choices) were ever best")
  }

  @Test("Options that cannot be used are refused in one sentence")
  func badOptions() {
    for change: @Sendable (inout AdaptiveKFAC.Options) -> Void in [
      { $0.lambda = 0 }, { $0.lambda = .nan }, { $0.lambdaInterval = 0 }, { $0.lambdaDecay = 1.5 },
      { $0.inverseInterval = 0 }, { $0.gammaInterval = -1 }, { $0.weightDecay = -1 },
      { $0.averaging = .martensGrosse(most: 2) },
    ] {
      var options = AdaptiveKFAC.Options()
      change(&options)
      let bad = options
      let error = #expect(throws: OptimizationError.self) { try AdaptiveKFAC(bad) }
      #expect(error?.description.contains("expected") == true)
    }
  }
}
