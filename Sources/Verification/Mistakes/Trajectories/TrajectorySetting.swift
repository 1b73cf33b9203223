import Curvature
import DenseAlgebra
import Networks

/// A network, its batches and the options of one short training run.
///
/// A `TrajectoryRecipe` turns it into a dump. Step k = 0, 1, … does what the specification says in
/// sections 4.5, 5 and 7.1 to 7.3, each layer by itself: U = P⁻¹ V, θ ← θ − αU.
public struct TrajectorySetting: MistakeSetting {
  public var name: String
  /// The network before step 0.
  public var network: Network
  public var data: Dataset
  public var likelihood: Likelihood
  /// The examples of a batch; step k takes the batch k mod count.
  public var batches: [Range<Int>]
  public var stepCount = 16
  /// α.
  public var learningRate = 0.3
  /// How A and G are damped; EKFAC adds λ to its second moments.
  public var rule = DampingRule.factor
  /// λ.
  public var lambda = 0.1
  /// T_FIM: the factors, and EKFAC's second moments, are refreshed when it divides k.
  public var factorInterval = 1
  /// T_INV: the inverse, or EKFAC's basis, is made anew when it divides k.
  public var inverseInterval = 1
  /// ρ of the factors' average; 0 takes the last batch alone.
  public var decay = 0.0
  /// EKFAC in the eigenbasis of the factors, in place of KFAC.
  public var usesEigenbasis = false
  /// ρ of EKFAC's second moments.
  public var momentDecay = 0.9
  /// (ω₁, ω₂) of the trace rule; nil accepts the factors whenever T_INV divides k.
  public var thresholds: (update: Double, stop: Double)?
  /// η.
  public var weightDecay = 0.0
  /// Whether ηθ is added to V (the gradient of h + (η/2)‖θ‖²) or to P⁻¹V.
  public var preconditionsDecay = false
  /// The most that the norm of a layer's step may be.
  public var clippingNorm = Double.infinity
  /// τ, by how many steps a stale quantity is late.
  public var lag = 2

  public init(
    name: String, network: Network, data: Dataset, likelihood: Likelihood, batches: [Range<Int>]
  ) {
    self.name = name
    self.network = network
    self.data = data
    self.likelihood = likelihood
    self.batches = batches
  }

  /// The batch of step k.
  public func batch(_ step: Int) -> Dataset { data.subset(Array(batches[step % batches.count])) }
}

// The settings in which the mistakes of a trajectory are at home: 7-5-3, tanh, categorical, inputs with
// mean ½, normal weights and biases, three batches of N = 17.
extension TrajectorySetting {
  /// KFAC with averaged factors, everything at every step.
  public static let averaged: TrajectorySetting = {
    var setting = perceptron("averaged")
    setting.decay = 0.75
    return setting
  }()

  /// The same with weight decay added to the preconditioned gradient, as MindSpore's `nn.thor` has it.
  public static let decoupled: TrajectorySetting = {
    var setting = averaged
    setting.name = "decoupled"
    setting.weightDecay = 0.05
    return setting
  }()

  /// The same with weight decay in the gradient.
  public static let coupled: TrajectorySetting = {
    var setting = decoupled
    setting.name = "coupled"
    setting.preconditionsDecay = true
    return setting
  }()

  /// KFAC with averaged factors and clipped steps, without biases: a layer is one tensor.
  public static let clipped: TrajectorySetting = {
    var setting = perceptron("clipped", hasBias: false)
    setting.decay = averaged.decay
    setting.clippingNorm = 0.4
    return setting
  }()

  /// EKFAC with a new basis at every fifth step and running second moments.
  public static let eigenbasis: TrajectorySetting = {
    var setting = averaged
    setting.name = "eigenbasis"
    setting.usesEigenbasis = true
    setting.inverseInterval = 5
    return setting
  }()

  /// THOR on one batch, so that traces drift slowly: every single change is below ω₁ and above ω₂.
  public static let drift: TrajectorySetting = {
    var setting = perceptron("drift")
    setting.batches = [0..<setting.data.count]
    setting.learningRate = 0.02
    setting.thresholds = (0.01, 1e-5)
    return setting
  }()

  /// THOR with tests at every second step; layers update, keep and stop.
  public static let stopping: TrajectorySetting = {
    var setting = perceptron("stopping")
    setting.factorInterval = 2
    setting.inverseInterval = 2
    setting.thresholds = (0.1, 0.01)
    return setting
  }()

  private static func perceptron(_ name: String, hasBias: Bool = true) -> TrajectorySetting {
    do {
      let widths = [7, 5, 3]
      let network = try Network.multilayerPerceptron(
        weights: zip(widths, widths.dropFirst()).map {
          Matrix(rowCount: $1, columnCount: $0 + (hasBias ? 1 : 0))
        }, activations: [.tanh], hasBias: hasBias
      ).initialized(.normal(standardDeviation: 0.5), seed: 17)
      return TrajectorySetting(
        name: name, network: network,
        data: try Dataset.teacher(
          widths: widths, activation: .tanh, likelihood: .categorical, count: 51, seed: 18),
        likelihood: .categorical, batches: [0..<17, 17..<34, 34..<51])
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
