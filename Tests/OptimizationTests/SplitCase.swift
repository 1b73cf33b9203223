import DenseAlgebra
import TestSupport

/// Two factors and the size of their split.
struct SplitCase: Sendable, CustomStringConvertible {
  var factors: FactorCase
  var split: Int

  var a: Matrix { factors.a.matrix }
  var g: Matrix { factors.g.matrix }
  var description: String { "\(factors); split \(split)" }

  /// Splits from 1 to beyond the larger factor, dividing and not dividing.
  static func cases(_ factors: Cases<FactorCase>) -> Cases<SplitCase> {
    Cases(
      edges: factors.edges.enumerated().map { SplitCase(factors: $1, split: 1 + $0 % 4) },
      smaller: { value in
        factors.smaller(value.factors).map { SplitCase(factors: $0, split: value.split) }
          + (1..<max(value.split, 1)).map { SplitCase(factors: value.factors, split: $0) }
      },
      draw: { random in
        let drawn = factors.draw(&random)
        return SplitCase(
          factors: drawn, split: 1 + random.below(max(drawn.a.size, drawn.g.size) + 1))
      })
  }

  /// Neither factor is zero: A ⊗ G has a norm to divide by.
  static let nonzero = cases(
    FactorCase.semidefinite.filter { $0.a.matrix.trace > 0 && $0.g.matrix.trace > 0 })
}

extension LAPACK {
  /// ‖M‖₂ by `dgesvd`.
  static func spectralNorm(_ m: Matrix) throws -> Double { try dgesvd(m).values[0] }
}

/// Eq. 11 as it is written, by `dgesvd`.
func explicitLoss(_ m: Matrix, _ split: Int) throws -> Double {
  1 - (try LAPACK.spectralNorm(pinching(m, split)) / LAPACK.spectralNorm(m))
}
