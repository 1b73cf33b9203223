import Curvature
import DenseAlgebra
import Networks

/// A network, a batch and the options of one curvature computation.
///
/// A recipe turns it into a dump. The settings in which the mistakes are at home are at
/// `CurvatureSetting.dense` and its neighbours.
public struct CurvatureSetting: MistakeSetting {
  public var name: String
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
  /// k, how many refreshes the factors are averaged over; each sees this batch.
  public var averagedRefreshes = 1
  /// ρ, the most that an average keeps of its past.
  public var decay = 0.95
  /// How many workers share the batch.
  public var workerCount = 2
  /// d, the block size of the split.
  public var split = 3

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

  /// The same setting under another name and with another rule.
  public func with(rule: DampingRule, name: String) -> CurvatureSetting {
    var other = self
    other.name = name
    other.rule = rule
    return other
  }
}
