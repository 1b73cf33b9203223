import DenseAlgebra
import Networks

/// A dense symmetric matrix plus λ I with its Cholesky factor, or its pseudo-inverse.
///
/// Reference: the specification, section 3.3 (dpotrf and dpotrs on F + λI; the eigen route for D0).
public struct DampedDenseMatrix: DampedStructure {
  public let layout: ParameterLayout
  public let logDeterminant: Double
  public let rank: Int
  private let damped: Matrix
  private let solver: Solver

  private enum Solver: Sendable {
    case cholesky(CholeskyFactorization)
    case pseudoInverse(Matrix)
  }

  /// Factorises `matrix` + λI (rule `exact`) or decomposes it (rule `none`).
  public init(
    _ matrix: Matrix, layout: ParameterLayout, rule: DampingRule, lambda: Double, name: String
  ) throws(CurvatureError) {
    self.layout = layout
    switch rule {
    case .exact:
      damped = matrix.addingToDiagonal(lambda)
      do {
        let factorization = try CholeskyFactorization(damped)
        solver = .cholesky(factorization)
        logDeterminant = factorization.logDeterminant
        rank = layout.count
      } catch {
        // Of several layers the one whose parameter the pivot is.
        let index = layout.offsets.lastIndex { $0 <= error.pivot } ?? 0
        throw CurvatureError.notPositiveDefinite(
          block: layout.blocks.count == 1 ? name : "\(name) at \(layout.blocks[index].name)",
          size: error.size, pivot: error.pivot, value: error.value)
      }
    case .none:
      damped = matrix
      do {
        let decomposition = try SymmetricEigendecomposition(matrix)
        let values = Matrix(
          rowCount: matrix.rowCount, columnCount: 1, storage: decomposition.values.elements)
        let kept = try dampedEigenvalues(values, rule: .none, lambda: 0, name: name).storage
        let cutOff = kept.first { $0 > 0 } ?? .infinity
        solver = .pseudoInverse(decomposition.reconstruct { $0 >= cutOff ? 1 / $0 : 0 })
        logDeterminant = logSum(kept)
        rank = kept.count { $0 > 0 }
      } catch let error as IterationLimitReached {
        throw CurvatureError.iterationLimit(
          what: "the eigendecomposition of \(name)", limit: error.limit)
      } catch let error as CurvatureError {
        throw error
      } catch {
        preconditionFailure("no other error is thrown here: \(error)")
      }
    case .sqrt, .factor, .pi:
      preconditionFailure("rule \(rule.rawValue) needs factors")
    }
  }

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    ParameterVector(damped * vector.flattened, layout: layout)
  }

  public func solve(_ vector: ParameterVector) -> ParameterVector {
    let right = vector.flattened
    return switch solver {
    case .cholesky(let factorization):
      ParameterVector(factorization.solve(right), layout: layout)
    case .pseudoInverse(let inverse): ParameterVector(inverse * right, layout: layout)
    }
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix { damped }

  public func denseInverse(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    switch solver {
    case .cholesky(let factorization): factorization.inverse
    case .pseudoInverse(let inverse): inverse
    }
  }
}
