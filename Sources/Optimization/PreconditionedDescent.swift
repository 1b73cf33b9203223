import Networks

/// θ ← θ − α (P⁻¹ ∇h): a preconditioner and a descent rule make an optimizer.
///
/// A named method is a preset: SGD, momentum and Nesterov have the identity, KFAC and THOR a
/// `KroneckerPreconditioner`, and so on.
public struct PreconditionedDescent<Curvature: Preconditioner>: Optimizer {
  public let rule: DescentRule
  public private(set) var preconditioner: Curvature
  private let givenName: String?
  private var stepCount = 0
  private var velocity: ParameterVector?
  private var gradientOperations = 0.0

  /// The name is the preconditioner's unless one is given.
  public init(_ preconditioner: Curvature, _ rule: DescentRule, name: String? = nil) {
    self.preconditioner = preconditioner
    self.rule = rule
    self.givenName = name
  }

  public var name: String { givenName ?? preconditioner.name }
  public var operations: Double { gradientOperations + preconditioner.operations }

  public mutating func step(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) throws
    -> Network
  {
    var gradient = LossGradient(network, batch, likelihood).gradient
    gradientOperations += OperationCount.gradient(network, examples: batch.count)
    if rule.decayPlacement == .gradient { rule.addDecay(to: &gradient, network) }
    let direction = try preconditioner.direction(
      for: gradient,
      at: TrainingPoint(
        network: network, batch: batch, likelihood: likelihood, step: stepCount,
        epoch: rule.epoch(ofStep: stepCount)))
    let next = rule.moved(network, along: direction, step: stepCount, velocity: &velocity)
    stepCount += 1
    return next
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.count("optimizer.step", &stepCount)
    try archive.number("optimizer.operations", &gradientOperations)
    if rule.momentum > 0 {
      // A velocity of zero is the start of the heavy ball; without momentum there is none.
      var v = velocity ?? .zero(archive.layout)
      try archive.vector("optimizer.velocity", &v)
      velocity = v
    }
    try preconditioner.exchange(&archive)
  }

  public mutating func takeDecisions() -> [RefreshDecision] { preconditioner.takeDecisions() }
}

/// Gradient descent: plain, with momentum, or Nesterov's.
public typealias GradientDescent = PreconditionedDescent<IdentityPreconditioner>

extension PreconditionedDescent where Curvature == IdentityPreconditioner {
  /// First-order descent under a rule.
  public init(_ rule: DescentRule) {
    self.init(
      IdentityPreconditioner(), rule,
      name: rule.momentum == 0 ? "sgd" : rule.usesNesterov ? "nesterov" : "momentum")
  }

  /// θ ← θ − α ∇h.
  public init(learningRate: Double) {
    precondition(learningRate > 0, "the learning rate must be positive, got \(learningRate)")
    self.init(DescentRule(learningRate: .constant(learningRate)))
  }
}
