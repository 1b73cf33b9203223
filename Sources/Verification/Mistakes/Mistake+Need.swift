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
      case .rootRule:
        [.sqrt, .pi].contains(setting.rule) ? nil : "needs the damping rule sqrt or pi"
      case .factorRule: setting.rule == .factor ? nil : "needs the damping rule factor"
      case .piRule: setting.rule == .pi ? nil : "needs the damping rule pi"
      case .exactRule: setting.rule == .exact ? nil : "needs the damping rule exact"
      }
    }
  }

  /// Why the mistake does not apply to a setting; nil where it does.
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
}
