import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// A random network with one Fisher kind, the gradient samples and their definition.
struct CurvatureCase: Sendable, CustomStringConvertible {
  let source: RandomNetwork
  let kind: FisherKind
  let samples: GradientSamples
  let gradient: ParameterVector

  var description: String { "\(source), \(kind)" }
  var seed: UInt64 { source.seed }
  var layers: [LayerSamples] {
    samples.blocks.indices.map { LayerSamples(samples, block: $0) }
  }
  var defined: [DefinedLayer] {
    samples.blocks.indices.map { DefinedLayer(samples, block: $0) }
  }

  init(_ source: RandomNetwork, _ kind: FisherKind = .exact) {
    self.source = source
    self.kind = kind
    self.samples = GradientSamples(
      source.network, source.data, likelihood: source.likelihood, kind: kind)
    self.gradient = LossGradient(source.network, source.data, source.likelihood).gradient
  }

  /// The columns of all layers stacked: F = (1/N) U Uᵀ couples the layers.
  var stackedGradients: Matrix { Self.stacked(samples) }

  /// The same of the samples' absolute values: the scale where sums over positions cancel.
  var stackedMagnitudes: Matrix { Self.stacked(samples.magnitudes) }

  private static func stacked(_ samples: GradientSamples) -> Matrix {
    let parts = samples.blocks.indices.map { DefinedLayer(samples, block: $0).gradients }
    var stacked = Matrix(
      rowCount: samples.layout.count, columnCount: samples.exampleCount * samples.columnCount)
    for (offset, part) in zip(samples.layout.offsets, parts) {
      stacked.setBlock(row: offset, column: 0, to: part)
    }
    return stacked
  }

  /// The whole network's Fisher by `dsyrk`.
  var fisher: Matrix { (1 / Double(samples.exampleCount)) * LAPACK.dsyrk(stackedGradients) }

  static let kinds: [FisherKind] = [.exact, .empirical, .monteCarlo(samples: 3, seed: 5)]

  /// Every architecture with each likelihood; activations and Fisher kinds rotate.
  static let varied: [CurvatureCase] = RandomNetwork.Architecture.allCases.enumerated().flatMap {
    index, architecture in
    RandomNetwork.likelihoods.enumerated().map { variant, likelihood in
      CurvatureCase(
        RandomNetwork(
          architecture, Activation.allCases[(2 * index + variant) % Activation.allCases.count],
          likelihood, seed: UInt64(100 + 10 * index + variant)),
        kinds[(index + variant) % kinds.count])
    }
  }

  /// Perceptrons with every activation and likelihood, 6 to 20 examples: nothing shared.
  static let dense: [CurvatureCase] = Activation.allCases.enumerated().flatMap {
    index, activation in
    RandomNetwork.likelihoods.enumerated().map { variant, likelihood in
      CurvatureCase(
        RandomNetwork(
          .perceptron, activation, likelihood, seed: UInt64(300 + 10 * index + variant),
          exampleCount: 6 + (5 * index + variant) % 15))
    }
  }
}

/// A data set whose targets the network itself draws.
func drawn(_ network: Network, _ inputs: Matrix, _ likelihood: Likelihood, seed: UInt64) -> Dataset
{
  var random = SplitMix64(seed: seed)
  return Dataset(
    name: "drawn", inputs: inputs,
    targets: likelihood.sampledTargets(network.forward(inputs).output, using: &random))
}

/// The value of one metric in a list; NaN, which fails every comparison, where it is missing.
func value(_ metric: ErrorMetric, _ values: [MetricValue]) -> Double {
  values.first { $0.metric == metric }?.value ?? .nan
}
