import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// Layers for which a theorem says F = A ⊗ G (spec 4.2).
struct KroneckerTheorem: Sendable, CustomStringConvertible {
  enum Setting: String, CaseIterable, Sendable {
    /// T1: N = 1, any Fisher kind.
    case oneExample
    /// T2: every input the same, any Fisher kind.
    case identicalInputs
    /// T3: every layer of a linear network with a Gaussian likelihood.
    case deepLinear
    /// T4: the last layer with a Gaussian likelihood.
    case gaussianLastLayer
    /// T5: a last layer of zeros with a categorical or Bernoulli likelihood.
    case zeroLastLayer
  }

  var setting: Setting
  var network: NetworkCase

  var description: String { "\(setting.rawValue): \(network)" }

  static let cases: Cases<KroneckerTheorem> = {
    let networks = NetworkCase.all.unshared
    return Cases(
      // Every setting with several edges, every edge with two settings.
      edges: networks.edges.enumerated().flatMap { index, network in
        [index % 5, (index + 2) % 5].map {
          KroneckerTheorem(setting: Setting.allCases[$0], network: network)
        }
      },
      smaller: { value in
        networks.smaller(value.network).map {
          KroneckerTheorem(setting: value.setting, network: $0)
        }
      },
      draw: { random in
        KroneckerTheorem(
          setting: Setting.allCases[random.below(Setting.allCases.count)],
          network: networks.draw(&random))
      })
  }()

  /// The layers to which the theorem applies.
  var layers: [LayerCase] {
    var test = network
    switch setting {
    case .oneExample: test.exampleCount = 1
    case .identicalInputs: break
    case .deepLinear:
      test.activation = .identity
      test.likelihood = .gaussian(variance: 0.7)
      test.kind = .exact
    case .gaussianLastLayer:
      test.likelihood = .gaussian(variance: 0.7)
      test.kind = .exact
    case .zeroLastLayer:
      if case .gaussian = test.likelihood { test.likelihood = .categorical }
      test.kind = .exact
    }
    let problem = test.problem
    var network = problem.network
    var data = problem.data
    let last = network.parameters.count - 1
    switch setting {
    case .identicalInputs:
      let inputs = Matrix(rowCount: data.inputs.rowCount, columnCount: data.count) { i, _ in
        data.inputs[i, 0]
      }
      data = drawn(network, inputs, test.likelihood, seed: test.seed)
    case .zeroLastLayer:
      network.parameters[last].weights = 0 * network.parameters[last].weights
    default: break
    }
    let samples = GradientSamples(
      network, data, likelihood: test.likelihood, kind: test.kind)
    let onlyLast = setting == .gaussianLastLayer || setting == .zeroLastLayer
    return (onlyLast ? last...last : 0...last).map { LayerCase(samples, block: $0) }
  }
}
