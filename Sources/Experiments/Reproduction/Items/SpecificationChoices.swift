import Curvature
import Networks
import Optimization

/// What the paper's Figure 4 leaves unstated, with the levels that are crossed.
public struct SpecificationChoices: Sendable {
  /// One unstated thing.
  public enum Choice: Int, CaseIterable, Sendable {
    case layers, start, activation, training, labels, bias, lambda, norm, seed

    public var name: String {
      switch self {
      case .layers: "layers"
      case .start: "start"
      case .activation: "activation"
      case .training: "training"
      case .labels: "labels"
      case .bias: "bias in A"
      case .lambda: "λ in the matrices"
      case .norm: "norm"
      case .seed: "seed"
      }
    }
  }

  /// How the network is trained.
  public struct Training: Equatable, Sendable {
    public let name: String
    public let learningRate: Double
    public let momentum: Double
    /// λ on each factor of KFAC on the middle layers; nil for first-order training.
    public let lambda: Double?

    public init(_ name: String, learningRate: Double, momentum: Double = 0, lambda: Double? = nil) {
      self.name = name
      self.learningRate = learningRate
      self.momentum = momentum
      self.lambda = lambda
    }

    /// KFAC with the rule `factor` on layers 2 to 4 and the gradient on the rest, or the gradient.
    func optimizer() -> any Optimizer {
      let rule = DescentRule(learningRate: .constant(learningRate), momentum: momentum)
      guard let lambda else { return GradientDescent(rule) }
      return PreconditionedDescent(
        NaturalGradientPreconditioner(
          structure: .kfac, rule: .factor, lambda: .constant(lambda), blocks: [1, 2, 3]), rule)
    }
  }

  /// The widths of the printed network, then of the one with the hidden layer that may be missing.
  public var networks = [[784, 20, 20, 20, 10], [784, 20, 20, 20, 20, 10]]
  public var starts: [Initialization] = [
    .he, .glorot, .normal(standardDeviation: 0.01), .normal(standardDeviation: 0.02),
    .normal(standardDeviation: 0.03), .normal(standardDeviation: 0.05),
    .normal(standardDeviation: 0.1),
  ]
  public var activations: [Activation] = [.relu, .tanh, .logistic]
  public var trainings = [
    Training("sgd 0.1", learningRate: 0.1), Training("sgd 0.01", learningRate: 0.01),
    Training("momentum 0.1", learningRate: 0.1, momentum: 0.9),
    Training("momentum 0.01", learningRate: 0.01, momentum: 0.9),
    Training("kfac 0.1, λ 0.3", learningRate: 0.1, lambda: 0.3),
    Training("kfac 0.1, λ 0.03", learningRate: 0.1, lambda: 0.03),
    Training("kfac 0.01, λ 0.3", learningRate: 0.01, lambda: 0.3),
    Training("kfac 0.01, λ 0.03", learningRate: 0.01, lambda: 0.03),
  ]
  public var seeds: [UInt64]
  public var batch = 128
  public var split = 10
  /// λ of the damped matrices: the paper's Eq. 13 at epoch 0.
  public var lambda = 0.3
  /// After how many steps the matrices are compared.
  public var iterations = (first: 10, second: 50)

  public init(seeds: [UInt64]) { self.seeds = seeds }

  /// The readings for a look: three starts, two activations, two trainings.
  public static func quick(seeds: [UInt64]) -> SpecificationChoices {
    var choices = SpecificationChoices(seeds: Array(seeds.prefix(1)))
    choices.starts = [.he, .normal(standardDeviation: 0.02), .normal(standardDeviation: 0.1)]
    choices.activations = [.relu, .tanh]
    choices.trainings = [choices.trainings[0], choices.trainings[4]]
    return choices
  }

  /// The levels of a choice by name.
  public func levels(_ choice: Choice) -> [String] {
    switch choice {
    case .layers: FigureFour.Layers.allCases.map(\.rawValue)
    case .start: starts.map(\.label)
    case .activation: activations.map(\.rawValue)
    case .training: trainings.map(\.name)
    case .labels: ["exact", "empirical"]
    case .bias: ["in", "out"]
    case .lambda: SplitError.Damping.allCases.map(\.rawValue)
    case .norm: SplitError.Norm.allCases.map(\.rawValue)
    case .seed: seeds.map { "\($0)" }
    }
  }

  /// One training run: a choice of network, start, activation, training and seed.
  struct Job: Equatable, Sendable {
    let network, start, activation, training, seed: Int
  }

  /// All runs; those of one seed follow one another.
  var jobs: [Job] {
    var jobs: [Job] = []
    for seed in seeds.indices {
      for network in networks.indices {
        for start in starts.indices {
          for activation in activations.indices {
            for training in trainings.indices {
              jobs.append(
                Job(
                  network: network, start: start, activation: activation, training: training,
                  seed: seed))
            }
          }
        }
      }
    }
    return jobs
  }
}

/// One reading of Figure 4's text: a level of every choice, and the error after 10 and 50 iterations.
public struct SpecificationReading: Equatable, Sendable {
  /// The level of each choice, in the order of `Choice`.
  public let levels: [UInt8]
  public let at10, at50: Double

  public init(levels: [UInt8], at10: Double, at50: Double) {
    precondition(
      levels.count == SpecificationChoices.Choice.allCases.count,
      "\(levels.count) levels for \(SpecificationChoices.Choice.allCases.count) choices")
    self.levels = levels
    self.at10 = at10
    self.at50 = at50
  }

  public func level(of choice: SpecificationChoices.Choice) -> Int { Int(levels[choice.rawValue]) }

  /// "around 5% after 10 iterations".
  public var isFive: Bool { FigureFour.aroundFive.contains(at10) }
  /// "reduces to 1% after 50 iterations".
  public var isOne: Bool { FigureFour.aroundOne.contains(at50) }
  public var isBoth: Bool { isFive && isOne }
  /// Falls by a factor of at least two.
  public var isHalved: Bool { at50 <= at10 / 2 }
}
