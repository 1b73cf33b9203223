import Curvature
import DenseAlgebra
import Networks
import RealModule

/// KFAC as published in 2015: rescaling, momentum and adaptive damping by the exact Fisher of the batch.
///
/// With the proposal Δ = −F̂⁻¹∇h and the last step δ₀, the step is δ = αΔ + μδ₀, where (α, μ) minimise
/// the quadratic model with F + (λ + η)I. λ follows the reduction ratio ρ every T₁ steps; γ, the strength
/// in the factors, is chosen among three values every T₂ steps. Reference: Martens and Grosse 2015,
/// arXiv 1503.05671, sections 6.4 to 6.6 and 7; the specification, section 4.7 (ω₂ and T₂ from memory there).
public struct AdaptiveKFAC: Optimizer {
  public struct Options: Equatable, Sendable {
    public var averaging = FactorAverage.martensGrosse(most: 0.95)
    /// λ₀.
    public var lambda = 150.0
    /// η, the coefficient of (η/2)‖θ‖², which is part of the objective.
    public var weightDecay = 0.0
    /// Whether δ₀ takes part.
    public var usesMomentum = true
    /// T₁ and ω₁^(1/T₁).
    public var lambdaInterval = 5
    public var lambdaDecay = 0.95
    /// T₂; 0 keeps γ = √(λ + η).
    public var gammaInterval = 20
    /// T₃.
    public var inverseInterval = 20

    public init() {}

    public func check() throws(OptimizationError) {
      try averaging.check()
      guard lambda > 0, lambda.isFinite else {
        throw OptimizationError(
          "the first λ is \(lambda); a positive number was expected: the paper begins with 150.")
      }
      guard lambdaInterval >= 1, inverseInterval >= 1, gammaInterval >= 0,
        lambdaDecay > 0, lambdaDecay <= 1, weightDecay >= 0
      else {
        throw OptimizationError(
          "T₁ is \(lambdaInterval), T₂ \(gammaInterval), T₃ \(inverseInterval), the decay of λ "
            + "\(lambdaDecay) and the weight decay \(weightDecay); intervals of at least 1 (T₂: 0 for never), a "
            + "decay in (0, 1] and a weight decay of at least 0 were expected.")
      }
    }
  }

  public let options: Options
  public private(set) var operations = 0.0
  /// λ as it stands.
  public private(set) var lambda: Double
  /// γ as it stands.
  public private(set) var gamma: Double
  /// (α, μ) of the last step.
  public private(set) var coefficients = (alpha: 0.0, mu: 0.0)
  /// ρ of the last test; NaN before the first.
  public private(set) var reductionRatio = Double.nan
  private var stepCount = 0
  private var estimates: [KFACFactors] = []
  /// The factors that the inverse in use is of, and its γ.
  private var inverted: [KFACFactors] = []
  private var invertedGamma = 0.0
  private var inverse: [any DampedStructure] = []
  private var lastStep: ParameterVector?

  public init(_ options: Options) throws(OptimizationError) {
    try options.check()
    self.options = options
    self.lambda = options.lambda
    self.gamma = (options.lambda + options.weightDecay).squareRoot()
  }

  public var name: String { "kfac-2015" }

  public mutating func step(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) throws
    -> Network
  {
    let η = options.weightDecay
    let loss = LossGradient(network, batch, likelihood)
    var gradient = loss.gradient
    gradient.add(η, times: network.parameterVector)
    let samples = GradientSamples(network, batch, likelihood: likelihood, kind: .exact)
    operations +=
      OperationCount.gradient(network, examples: batch.count)
      + OperationCount.samples(network, examples: batch.count, columns: samples.columnCount)
    updateEstimates(samples)
    let fisher = ExactFisher(samples)

    // The proposals: one with the γ in use, or three to choose from.
    let isChoice =
      options.gammaInterval > 0 && stepCount > 0 && stepCount % options.gammaInterval == 0
    if stepCount % options.inverseInterval == 0 || stepCount < 3 || isChoice {
      inverted = estimates
      invertedGamma = gamma
      inverse = []
      // Counted here, since a resumed run makes its inverse once more.
      operations += inversionCount
    }
    var best = try move(gradient, fisher, samples.layout, gamma: nil)
    if isChoice {
      let ω2 = options.lambdaDecay.squareRoot()
      let factor = Double.pow(ω2, Double(options.gammaInterval))
      for candidate in [gamma * factor, gamma / factor] {
        let other = try move(gradient, fisher, samples.layout, gamma: candidate)
        if other.model < best.model { best = other }
      }
      gamma = best.gamma
      invertedGamma = gamma
      inverse = best.inverse
    }
    coefficients = (best.alpha, best.mu)
    lastStep = best.step
    let next = network.adding(best.step, scale: 1)
    stepCount += 1
    if stepCount % options.lambdaInterval == 0 {
      adaptLambda(network, next, batch, likelihood, before: loss.loss, model: best.model)
    }
    return next
  }

  private mutating func updateEstimates(_ samples: GradientSamples) {
    let layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let fresh = layers.map { KFACFactors($0) }
    operations += layers.reduce(0) { $0 + OperationCount.factors($1) }
    estimates = fresh.indices.map { index in
      options.averaging.estimate(
        after: estimates.isEmpty ? nil : estimates[index], batch: fresh[index],
        count: stepCount + 1)
    }
  }

  /// A step with its coefficients, the model's change, and the inverse that proposed it.
  private struct Move {
    let step: ParameterVector
    let alpha: Double
    let mu: Double
    let model: Double
    let gamma: Double
    let inverse: [any DampedStructure]
  }

  private mutating func move(
    _ gradient: ParameterVector, _ fisher: ExactFisher, _ layout: ParameterLayout, gamma: Double?
  ) throws -> Move {
    let γ = gamma ?? invertedGamma
    var used = inverse
    if gamma != nil || inverse.isEmpty {
      used = try zip(layout.blocks, inverted).map { block, factors in
        let (a, g) = (KroneckerFactor(factors.a), KroneckerFactor(factors.g))
        return try KroneckerBlock(
          kind: .kfac, layout: ParameterLayout(blocks: [block]), a: a, g: g
        ).damped(.pi, γ * γ)
      }
      if gamma == nil { inverse = used } else { operations += inversionCount }
    }
    let proposal = ParameterVector(
      blocks: zip(used, gradient.blocks).map { inverse, block in
        (-1.0) * inverse.solve(ParameterVector(blocks: [block])).blocks[0]
      })
    let damping = lambda + options.weightDecay
    operations += inverted.reduce(0) {
      $0 + OperationCount.solve(a: KroneckerFactor($1.a), g: KroneckerFactor($1.g))
    }
    func curved(_ vector: ParameterVector) -> ParameterVector {
      operations += fisher.layers.reduce(0) { $0 + OperationCount.product($1, .exactBlock) }
      var image = fisher.apply(vector)
      image.add(damping, times: vector)
      return image
    }
    let curvedProposal = curved(proposal)
    let dd = proposal.dot(curvedProposal)
    let dg = proposal.dot(gradient)
    var (α, μ) = (dd > 0 ? -dg / dd : 0, 0.0)
    var step = α * proposal
    if options.usesMomentum, let last = lastStep {
      // [Δᵀ(F+λ̄I)Δ  Δᵀ(F+λ̄I)δ₀; ·  δ₀ᵀ(F+λ̄I)δ₀] (α, μ)ᵀ = −(∇hᵀΔ, ∇hᵀδ₀)ᵀ
      let ld = last.dot(curvedProposal)
      let ll = last.dot(curved(last))
      let lg = last.dot(gradient)
      let determinant = dd * ll - ld * ld
      // Parallel directions leave one of the two coefficients free: the proposal alone then.
      if determinant > 1e-12 * dd * ll {
        α = -(ll * dg - ld * lg) / determinant
        μ = -(dd * lg - ld * dg) / determinant
        step = α * proposal + μ * last
      }
    }
    // At the optimum M(δ) − M(0) = ½ ∇hᵀδ.
    return Move(
      step: step, alpha: α, mu: μ, model: gradient.dot(step) / 2, gamma: γ, inverse: used)
  }

  /// What the inverses of all factors cost.
  private var inversionCount: Double {
    inverted.reduce(0) {
      $0 + OperationCount.cholesky(KroneckerFactor($1.a))
        + OperationCount.cholesky(KroneckerFactor($1.g))
    }
  }

  /// λ ← ω₁λ where the model was good (ρ > 3/4), λ/ω₁ where it was bad (ρ < 1/4).
  private mutating func adaptLambda(
    _ network: Network, _ next: Network, _ batch: Dataset, _ likelihood: Likelihood,
    before: Double, model: Double
  ) {
    func objective(_ network: Network, _ loss: Double) -> Double {
      let θ = network.parameterVector
      return loss + options.weightDecay / 2 * θ.dot(θ)
    }
    let after = LossGradient(next, batch, likelihood).loss
    operations += OperationCount.gradient(network, examples: batch.count) / 3
    reductionRatio = (objective(next, after) - objective(network, before)) / model
    let ω1 = Double.pow(options.lambdaDecay, Double(options.lambdaInterval))
    if reductionRatio > 0.75 { lambda *= ω1 }
    if reductionRatio < 0.25 { lambda /= ω1 }
    if options.gammaInterval == 0 { gamma = (lambda + options.weightDecay).squareRoot() }
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.count("optimizer.step", &stepCount)
    try archive.number("optimizer.operations", &operations)
    try archive.number("optimizer.lambda", &lambda)
    try archive.number("optimizer.gamma", &gamma)
    try archive.number("optimizer.inverted-gamma", &invertedGamma)
    try archive.vector("optimizer.last-step", &lastStep)
    try exchange(&estimates, "estimate", &archive)
    try exchange(&inverted, "inverted", &archive)
    if archive.isLoading { inverse = [] }
  }

  private func exchange(_ all: inout [KFACFactors], _ name: String, _ archive: inout Archive)
    throws(OptimizationError)
  {
    var loaded: [KFACFactors] = []
    for (index, block) in archive.layout.blocks.enumerated() {
      var factors: KFACFactors? = all.isEmpty ? nil : all[index]
      try archive.factors("optimizer.\(block.name).\(name)", &factors, block)
      if let factors { loaded.append(factors) }
    }
    all = loaded
  }
}
