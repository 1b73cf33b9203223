import Networks

/// What turns a gradient into a direction: the curvature, with the memory that it needs.
///
/// Structure, damping, solver and staleness are choices of the conformers; momentum, weight decay,
/// clipping and the learning rate belong to `DescentRule`.
public protocol Preconditioner: Sendable {
  /// The name in tables.
  var name: String { get }
  /// Refreshes what is due at the point, then applies the inverse curvature to ∇h of its batch.
  mutating func direction(for gradient: ParameterVector, at point: TrainingPoint) throws
    -> ParameterVector
  /// The floating-point operations so far, without those of the gradient.
  var operations: Double { get }
  /// Hands over, or takes back, everything that is kept between steps.
  mutating func exchange(_ archive: inout Archive) throws(OptimizationError)
  /// The refresh decisions since the last call.
  mutating func takeDecisions() -> [RefreshDecision]
}

extension Preconditioner {
  public mutating func takeDecisions() -> [RefreshDecision] { [] }
}

/// Where a training run stands when a step is taken.
public struct TrainingPoint: Sendable {
  public let network: Network
  public let batch: Dataset
  public let likelihood: Likelihood
  /// k, the number of steps taken before this one.
  public let step: Int
  /// k divided by the steps of one epoch.
  public let epoch: Double

  public init(
    network: Network, batch: Dataset, likelihood: Likelihood, step: Int, epoch: Double
  ) {
    self.network = network
    self.batch = batch
    self.likelihood = likelihood
    self.step = step
    self.epoch = epoch
  }

  /// The samples of some blocks; a Monte-Carlo Fisher draws fresh labels at every step.
  public func samples(_ fisher: FisherKind, blocks: [Int]) -> GradientSamples {
    var kind = fisher
    if case .monteCarlo(let samples, let seed) = fisher {
      kind = .monteCarlo(samples: samples, seed: seed &+ UInt64(step))
    }
    return GradientSamples(network, batch, likelihood: likelihood, kind: kind, blocks: blocks)
  }
}

/// No curvature: the direction is the gradient.
public struct IdentityPreconditioner: Preconditioner {
  public init() {}

  public var name: String { "sgd" }
  public var operations: Double { 0 }

  public func direction(for gradient: ParameterVector, at point: TrainingPoint) -> ParameterVector {
    gradient
  }

  public func exchange(_ archive: inout Archive) {}
}
