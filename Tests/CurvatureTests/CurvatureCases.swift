import Curvature
import DenseAlgebra
import Networks
import TestSupport

extension NetworkCase {
  /// The network with its gradient samples and their definition.
  var curvature: CurvatureCase { CurvatureCase(problem, kind) }

  /// One of several choices (a damping, a rule), which the case's seed makes.
  func pick<Choice>(_ choices: [Choice], salt: UInt64 = 0) -> Choice {
    var random = SplitMix64(seed: seed &+ salt)
    return choices[random.below(choices.count)]
  }
}

extension Cases<NetworkCase> {
  /// The same cases with something fixed, an activation or the number of examples.
  func with(_ change: @escaping @Sendable (inout NetworkCase) -> Void) -> Cases {
    @Sendable func changed(_ value: NetworkCase) -> NetworkCase {
      var copy = value
      change(&copy)
      return copy
    }
    return Cases(
      edges: edges.map(changed),
      smaller: { value in
        smaller(value).map(changed).filter { $0.description != value.description }
      }, draw: { changed(draw(&$0)) })
  }

  /// Those whose last layer is applied once to each example.
  var withUnsharedLastLayer: Cases {
    filter { $0.architecture != .sequence && $0.architecture != .tiedSequence }
  }

  /// Dense layers that follow one another.
  var chains: Cases { filter { [.perceptron, .biasFree].contains($0.architecture) } }
}

/// The scale of a residual: ‖M‖₁, but at least 1e-290, since products of smaller numbers underflow
/// gradually and keep no relative accuracy (outputs of ±500 reach that).
func floored(_ m: Matrix) -> Double { max(LAPACK.norm1(m), 1e-290) }

extension GradientSamples {
  /// The samples' absolute values: what made from them is the scale where sums over positions cancel.
  var magnitudes: GradientSamples {
    GradientSamples(
      exampleCount: exampleCount, columnCount: columnCount,
      blocks: blocks.map { block in
        Block(
          name: block.name, rowCount: block.rowCount, columnCount: block.columnCount,
          hasBias: block.hasBias,
          uses: block.uses.map {
            Use(
              inputs: $0.inputs.map(\.magnitude),
              gradients: $0.gradients.map { $0.map(\.magnitude) }, positions: $0.positions)
          })
      }, chain: chain)
  }
}

/// Σ xᵢyᵢ by `dgemm`.
func inner(_ x: Vector, _ y: Vector) -> Double {
  LAPACK.dgemm(Matrix(column: x), y, transposeA: true)[0]
}

/// The largest eigenvalue of a symmetric matrix by `dsyevd`.
func largestEigenvalue(_ m: Matrix) throws -> Double {
  try LAPACK.dsyevd(m).values.elements.last ?? 0
}

/// 1 + the largest Σ|w||ā| over all layers: by so much the exponentials in activations and likelihood
/// may multiply the relative round-off of their arguments, when a network is evaluated in two ways.
func exponentSensitivity(_ network: Network, _ inputs: Matrix) -> Double {
  network.forward(inputs).uses.reduce(1) { largest, use in
    let weights = network.parameters[use.block].weights.map(\.magnitude)
    return max(
      largest, 1 + LAPACK.dlange(LAPACK.dgemm(weights, use.inputs.map(\.magnitude)), .maximum))
  }
}
