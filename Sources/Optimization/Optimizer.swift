import Networks

/// A rule that turns a batch into the next network.
public protocol Optimizer: Sendable {
  /// The name in tables.
  var name: String { get }
  /// The network after one step on the batch.
  mutating func step(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) throws
    -> Network
}

/// Plain gradient descent, θ ← θ − α ∇h.
public struct GradientDescent: Optimizer {
  public let learningRate: Double

  public init(learningRate: Double) {
    precondition(learningRate > 0, "the learning rate must be positive, got \(learningRate)")
    self.learningRate = learningRate
  }

  public var name: String { "sgd" }

  public func step(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) -> Network {
    let gradient = LossGradient(network, batch, likelihood).gradient
    return network.adding(gradient, scale: -learningRate)
  }
}
