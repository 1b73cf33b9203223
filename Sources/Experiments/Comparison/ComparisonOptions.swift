import Curvature
import Networks

/// What `natgrad compare` measures; the defaults are the THOR paper's Figure 4 network.
///
/// The paper prints 768 inputs, which no MNIST image has; 784 = 28² is meant. The learning rate and
/// the training damping are those of its Eq. 13 at epoch 0.
public struct ComparisonOptions: Equatable, Sendable {
  /// Layer sizes from the inputs to the outputs.
  public var widths = [784, 20, 20, 20, 10]
  public var activation = Activation.relu
  public var initialization = Initialization.he
  /// How the network is trained between the measured iterations.
  public var training = Training.kfac
  public var learningRate = 0.1
  /// λ of the training's `factor` rule.
  public var trainingLambda = 0.3
  public var batch = 256
  /// The compared layers, counted from 1.
  public var layers = 2...4
  /// The block size of `kfac-split`.
  public var split = 10
  /// The iterations that are measured in full.
  public var iterations = [0, 10, 50]
  /// The distance of the iterations at which the matrix errors are followed, up to `lastIteration`.
  public var curveStep = 5
  public var lastIteration = 100
  public var seeds: [UInt64] = [1, 2, 3, 4, 5]
  /// The damping strengths of the step metrics, ascending.
  public var lambdas = [1e-4, 1e-3, 1e-2, 1e-1, 1]
  /// The λ of the summary and of the metrics that need a generalised eigenproblem.
  public var defaultLambda = 1e-2
  public var fisher = FisherKind.exact
  public var sharing = WeightSharing.expand
  public var structures = StructureKind.allCases
  /// Every rule, reference and λ for every metric, whatever it costs.
  public var everything = false
  /// Dense matrices and their metrics; without them only steps are compared and large layers work.
  public var dense = true
  public var limit = MemoryLimit.standard

  /// How the network moves from one iteration to the next.
  public enum Training: String, CaseIterable, Codable, Sendable {
    /// KFAC with the `factor` rule on the compared layers, gradient descent on the others.
    case kfac
    /// Gradient descent on all layers.
    case sgd
  }

  public init() {}

  /// The indices of the compared parameter blocks.
  public var blocks: [Int] { layers.map { $0 - 1 } }

  /// The options that structures are built with.
  public var structureOptions: StructureOptions {
    StructureOptions(split: split, sharing: sharing, limit: limit)
  }

  /// The rules that a structure's steps are compared under.
  ///
  /// KFAC and its split show the whole damping family; the others their preferred rule, unless
  /// `everything` is asked for.
  public func rules(for kind: StructureKind) -> [DampingRule] {
    if everything { return kind.rules }
    switch kind {
    case .kfac, .kfacSplit: return kind.rules
    case .nearestKronecker, .tkfac, .blockTridiagonal: return [.pi]
    case .exact, .blockDiagonal, .diagonal, .unitWise, .ekfac, .klKronecker: return [.exact]
    }
  }

  /// The rule under which a structure stands in the summary and in the figures.
  public static func preferredRule(of kind: StructureKind) -> DampingRule {
    switch kind {
    case .kfac, .nearestKronecker, .tkfac, .blockTridiagonal: .pi
    case .kfacSplit: .factor
    case .exact, .blockDiagonal, .diagonal, .unitWise, .ekfac, .klKronecker: .exact
    }
  }
}
