import DenseAlgebra
import Networks

/// A random network with data and a Fisher kind, made from a few small numbers: those shrink.
public struct NetworkCase: Sendable, CustomStringConvertible {
  /// What breaks careless code; the empty description is generic input.
  public enum Edge: String, CaseIterable, Sendable {
    case none
    /// Every input is 0: only the bias coordinate is left of A.
    case zeroInputs
    /// Every unit of the first layer is off: no gradient comes through it.
    case deadUnits
    /// Two examples, repeated: the rank stays that of two.
    case repeatedExamples
    /// The last layer is scaled until the largest output is ±500.
    case extremeOutputs
    /// Inputs 100 times as large, or as small.
    case largeInputs, smallInputs
  }

  public var architecture: RandomNetwork.Architecture
  public var activation: Activation
  public var likelihood: Likelihood
  public var kind: FisherKind
  public var seed: UInt64
  /// N.
  public var exampleCount: Int
  public var widthLimit = 6
  public var edge = Edge.none

  public init(
    _ architecture: RandomNetwork.Architecture, _ activation: Activation, _ likelihood: Likelihood,
    kind: FisherKind = .exact, seed: UInt64, exampleCount: Int, widthLimit: Int = 6,
    edge: Edge = .none
  ) {
    self.architecture = architecture
    self.activation = activation
    self.likelihood = likelihood
    self.kind = kind
    self.seed = seed
    self.exampleCount = exampleCount
    self.widthLimit = widthLimit
    self.edge = edge
  }

  public var description: String {
    "\(architecture.rawValue), \(activation.rawValue), \(likelihood), \(kind), seed \(seed), "
      + "N = \(exampleCount), widths to \(widthLimit), edge \(edge.rawValue)"
  }

  /// The network and its data.
  public var problem: RandomNetwork {
    let drawn = RandomNetwork(
      architecture, activation, likelihood, seed: seed, exampleCount: exampleCount,
      widthLimit: widthLimit)
    var network = drawn.network
    var inputs = drawn.data.inputs
    switch edge {
    case .none: return drawn
    case .zeroInputs: inputs = 0 * inputs
    case .largeInputs: inputs = 100 * inputs
    case .smallInputs: inputs = 0.01 * inputs
    case .repeatedExamples:
      let two = inputs
      inputs = Matrix(rowCount: two.rowCount, columnCount: two.columnCount) { two[$0, $1 % 2] }
    case .deadUnits:
      let weights = network.parameters[0].weights
      if network.parameters[0].hasBias {
        for i in 0..<weights.rowCount {
          network.parameters[0].weights[i, weights.columnCount - 1] = -1e3
        }
      } else {
        network.parameters[0].weights = 0 * weights
      }
    case .extremeOutputs:
      let largest = network.forward(inputs).output.maximumMagnitude
      let last = network.parameters.count - 1
      if largest > 0 {
        network.parameters[last].weights = (500 / largest) * network.parameters[last].weights
      }
    }
    var random = SplitMix64(seed: seed &+ 1)
    return RandomNetwork(
      drawn, network: network,
      data: Dataset(
        name: "random", inputs: inputs,
        targets: likelihood.sampledTargets(network.forward(inputs).output, using: &random)))
  }

  public static let kinds: [FisherKind] = [.exact, .empirical, .monteCarlo(samples: 3, seed: 5)]

  /// Every node kind, activation, likelihood and Fisher kind, widths 1 to 6, N 1 to 20. The edges are
  /// each architecture with each likelihood (activations and kinds rotate), then every `Edge`, N = 1
  /// and width 1 on several.
  public static let all = Cases(edges: covering + deliberate, smaller: smaller, draw: draw)

  /// Only the exact Fisher.
  public static let exact = Cases(
    edges: (covering + deliberate).map(\.withExactFisher),
    smaller: { smaller($0).map(\.withExactFisher) }, draw: { draw(&$0).withExactFisher })

  /// Perceptrons with biases and nothing shared, all Fisher kinds.
  public static let dense = all.filter { $0.architecture == .perceptron }

  /// Smooth (tanh) perceptrons of widths above 1 with 6 to 20 examples, exact Fisher, no edges: where
  /// claims about generic input are made.
  public static let generic = Cases<NetworkCase>(
    draw: { random in
      NetworkCase(
        .perceptron, .tanh, RandomNetwork.likelihoods[random.below(3)],
        seed: random.next() % 100_000,
        exampleCount: 6 + random.below(15))
    }
  ).filter {
    $0.problem.network.parameters.allSatisfy {
      min($0.weights.rowCount, $0.weights.columnCount) > 1
    }
  }

  private var withExactFisher: NetworkCase {
    var copy = self
    copy.kind = .exact
    return copy
  }

  private static let covering: [NetworkCase] =
    RandomNetwork.Architecture.allCases.enumerated().flatMap { index, architecture in
      RandomNetwork.likelihoods.enumerated().map { variant, likelihood in
        NetworkCase(
          architecture, Activation.allCases[(2 * index + variant) % Activation.allCases.count],
          likelihood, kind: kinds[(index + variant) % kinds.count],
          seed: UInt64(10 * index + variant), exampleCount: 1 + (7 * index + 5 * variant) % 20)
      }
    }

  private static let deliberate: [NetworkCase] =
    Edge.allCases.dropFirst().enumerated().map { index, edge in
      NetworkCase(
        .perceptron, edge == .deadUnits ? .relu : .tanh, RandomNetwork.likelihoods[index % 3],
        seed: UInt64(500 + index), exampleCount: 5 + index, edge: edge)
    } + [
      NetworkCase(.perceptron, .relu, .categorical, seed: 600, exampleCount: 1),
      NetworkCase(.perceptron, .tanh, .bernoulli, seed: 601, exampleCount: 4, widthLimit: 1),
      NetworkCase(.convolution, .relu, .categorical, seed: 602, exampleCount: 3, edge: .zeroInputs),
      NetworkCase(
        .sequence, .softplus, .categorical, seed: 603, exampleCount: 3, edge: .extremeOutputs),
    ]

  private static func draw(_ random: inout SplitMix64) -> NetworkCase {
    let architectures = RandomNetwork.Architecture.allCases
    return NetworkCase(
      architectures[random.below(architectures.count)],
      Activation.allCases[random.below(Activation.allCases.count)],
      RandomNetwork.likelihoods[random.below(3)], kind: kinds[random.below(3)],
      seed: random.next() % 100_000, exampleCount: 1 + random.below(20),
      edge: random.below(4) == 0 ? Edge.allCases[random.below(Edge.allCases.count)] : .none)
  }

  private static func smaller(_ value: NetworkCase) -> [NetworkCase] {
    func with(_ change: (inout NetworkCase) -> Void) -> NetworkCase {
      var copy = value
      change(&copy)
      return copy
    }
    var candidates: [NetworkCase] = []
    if value.edge != .none { candidates.append(with { $0.edge = .none }) }
    if value.architecture != .perceptron {
      candidates.append(with { $0.architecture = .perceptron })
    }
    for count in [1, 2, value.exampleCount / 2, value.exampleCount - 1]
    where count >= 1 && count < value.exampleCount {
      candidates.append(with { $0.exampleCount = count })
    }
    for limit in 1..<max(value.widthLimit, 1) { candidates.append(with { $0.widthLimit = limit }) }
    if value.kind != .exact { candidates.append(with { $0.kind = .exact }) }
    if value.activation != .identity { candidates.append(with { $0.activation = .identity }) }
    if value.likelihood != .gaussian(variance: 0.7) {
      candidates.append(with { $0.likelihood = .gaussian(variance: 0.7) })
    }
    return candidates
  }
}
