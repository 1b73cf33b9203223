import Curvature
import DenseAlgebra
import Networks

/// A network, a batch and the options of one curvature computation.
///
/// A recipe turns it into a dump. The settings in which the mistakes are at home are at
/// `CurvatureSetting.dense` and its neighbours.
public struct CurvatureSetting: Sendable {
  /// One word for tables.
  public let name: String
  /// The network with its present parameters θ.
  public var network: Network
  /// The batch of N examples.
  public var data: Dataset
  public var likelihood: Likelihood
  /// How KFAC's factors are damped before the step is computed.
  public var rule: DampingRule
  /// λ.
  public var lambda: Double
  /// What the factors do where weights are shared.
  public var sharing = WeightSharing.expand
  /// M, the number of labels that a Monte-Carlo Fisher draws for each example.
  public var sampleCount = 13
  /// The seed of whatever is drawn: labels, dropout masks.
  public var seed: UInt64 = 29
  /// How often the statistics were refreshed before; fresh draws come from `seed` + `refresh`.
  public var refresh: UInt64 = 0
  /// The network at refresh 0.
  public var start: Network
  /// s, the loss scale of mixed precision.
  public var lossScale = 128.0

  public init(
    name: String, network: Network, data: Dataset, likelihood: Likelihood,
    rule: DampingRule = .pi, lambda: Double = 0.03
  ) {
    self.name = name
    self.network = network
    self.start = network
    self.data = data
    self.likelihood = likelihood
    self.rule = rule
    self.lambda = lambda
  }

  /// The same setting with another rule, under another name.
  public func with(rule: DampingRule, name: String) -> CurvatureSetting {
    var other = CurvatureSetting(
      name: name, network: network, data: data, likelihood: likelihood, rule: rule, lambda: lambda)
    other.sharing = sharing
    other.sampleCount = sampleCount
    other.seed = seed
    other.refresh = refresh
    other.start = start
    other.lossScale = lossScale
    return other
  }
}
