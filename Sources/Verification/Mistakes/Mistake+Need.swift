import Curvature
import Networks

extension Mistake {
  /// What a setting must have for a mistake to make a difference.
  public enum Need: Sendable {
    case categorical
    case gaussian
    case bias
    /// Dense layers that follow one another with nothing but activations between.
    case plainChain
    /// A layer at several positions.
    case positions
    /// A layer at several positions, factors by `expand` or by `reduce`.
    case expandedPositions
    case reducedPositions
    case convolution
    /// Factors averaged over several refreshes.
    case averaging
    /// A network that has moved since refresh 0, so that conjugate gradients start warm.
    case warmStart
    /// A rule that adds to the factors.
    case factoredRule
    /// One of these in which √λ appears.
    case rootRule
    case factorRule
    case piRule
    case exactRule

    /// Why the mistake says nothing about a setting; nil where it does.
    func isMissing(in setting: CurvatureSetting) -> String? {
      switch self {
      case .categorical:
        setting.likelihood == .categorical ? nil : "needs a categorical likelihood"
      case .gaussian:
        if case .gaussian = setting.likelihood { nil } else { "needs a Gaussian likelihood" }
      case .bias:
        setting.network.parameters.allSatisfy(\.hasBias) ? nil : "needs biases"
      case .factoredRule:
        [.sqrt, .factor, .pi].contains(setting.rule) ? nil : "needs damped factors"
      case .plainChain:
        setting.isPlainChain ? nil : "needs dense layers in a chain"
      case .positions: setting.hasPositions ? nil : "needs positions"
      case .expandedPositions:
        setting.hasPositions && setting.sharing == .expand ? nil : "needs positions and expand"
      case .reducedPositions:
        setting.hasPositions && setting.sharing == .reduce ? nil : "needs positions and reduce"
      case .convolution: setting.firstWindow == nil ? "needs a convolution" : nil
      case .averaging: setting.averagedRefreshes > 1 ? nil : "needs several refreshes"
      case .warmStart: setting.network != setting.start ? nil : "needs a warm start"
      case .rootRule:
        [.sqrt, .pi].contains(setting.rule) ? nil : "needs the damping rule sqrt or pi"
      case .factorRule: setting.rule == .factor ? nil : "needs the damping rule factor"
      case .piRule: setting.rule == .pi ? nil : "needs the damping rule pi"
      case .exactRule: setting.rule == .exact ? nil : "needs the damping rule exact"
      }
    }
  }

  public func whyNotApplicable(to setting: CurvatureSetting) -> String? {
    for need in needs {
      if let reason = need.isMissing(in: setting) { return reason }
    }
    return nil
  }
}

extension CurvatureSetting {
  /// Whether the nodes are dense layers with an activation, or nothing, between each two.
  fileprivate var isPlainChain: Bool {
    guard case .vector = network.inputShape else { return false }
    return network.nodes.enumerated().allSatisfy { index, node in
      guard node.inputs == [index] else { return false }
      return switch node.operation {
      case .dense, .activation: true
      case .convolution, .meanPooling, .meanOverPositions, .flatten, .addition: false
      }
    }
  }

  /// Whether weights are shared by the positions of a sequence or an image.
  fileprivate var hasPositions: Bool {
    if case .vector = network.inputShape { false } else { true }
  }

  /// The window and the channels of the first convolution; nil without any.
  var firstWindow: (window: Window, channels: Int)? {
    for node in network.nodes {
      if case .convolution(_, let window) = node.operation,
        case .image(let channels, _, _) = network.shapes[node.inputs[0]]
      {
        return (window, channels)
      }
    }
    return nil
  }
}
