import DenseAlgebra
import Networks
import TestSupport

// Dense matrices straight from their definitions, entry by entry: small sizes only.
extension GradientSamples {
  /// The parameter gradients u, P × (N·K), column c·N + n: uses and positions summed (spec 2.3, 4.9).
  var parameterGradients: Matrix {
    var result = Matrix(rowCount: layout.count, columnCount: exampleCount * columnCount)
    for (block, offset) in zip(blocks, layout.offsets) {
      for use in block.uses {
        for c in 0..<columnCount {
          for n in 0..<exampleCount {
            for t in n * use.positions..<(n + 1) * use.positions {
              for j in 0..<block.columnCount {
                for i in 0..<block.rowCount {
                  result[offset + j * block.rowCount + i, c * exampleCount + n] +=
                    use.inputs[j, t] * use.gradients[c][i, t]
                }
              }
            }
          }
        }
      }
    }
    return result
  }

  /// F = (1/N) Σ u uᵀ, P × P (spec 3.1).
  var fisher: Matrix { (1 / Double(exampleCount)) * LAPACK.dsyrk(parameterGradients) }
}

extension RandomNetwork {
  /// The Fisher matrix of this problem.
  func fisher(_ kind: FisherKind = .exact) -> Matrix {
    GradientSamples(network, data, likelihood: likelihood, kind: kind).fisher
  }
}
