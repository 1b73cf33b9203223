import DenseAlgebra
import RealModule

/// A ⊗ B − C ⊗ D for positive definite A, B and semi-definite C, D, ready to apply and to solve with.
///
/// With A^(−1/2) C A^(−1/2) = E₁ diag(s₁) E₁ᵀ, K₁ = A^(−1/2) E₁, and K₂, s₂ likewise from B and D,
/// the solution is K₂ [ (K₂ᵀ V K₁) ⊘ (1 − s₂ s₁ᵀ) ] K₁ᵀ. Throws `notPositiveDefinite` where an entry of
/// 1 − s₂ s₁ᵀ is not positive. Reference: the specification, section 4.4; Martens and Grosse 2015, App. B.
public struct KroneckerDifference: Sendable {
  private let a: Matrix
  private let b: Matrix
  private let c: Matrix
  private let d: Matrix
  private let k1: Matrix
  private let k2: Matrix
  private let denominators: Matrix
  public let logDeterminant: Double

  public init(a: Matrix, b: Matrix, c: Matrix, d: Matrix, name: String) throws(CurvatureError) {
    (self.a, self.b, self.c, self.d) = (a, b, c, d)
    let first = try KroneckerDifference.simultaneous(a, c, name)
    let second = try KroneckerDifference.simultaneous(b, d, name)
    k1 = first.vectors
    k2 = second.vectors
    denominators = Matrix(rowCount: b.rowCount, columnCount: a.rowCount) {
      1 - second.values[$0] * first.values[$1]
    }
    if let index = denominators.storage.firstIndex(where: { !($0 > 0) }) {
      throw CurvatureError.notPositiveDefinite(
        block: "the conditional block of \(name)", size: denominators.storage.count, pivot: index,
        value: denominators.storage[index])
    }
    logDeterminant =
      Double(b.rowCount) * first.logDeterminant + Double(a.rowCount) * second.logDeterminant
      + logSum(denominators.storage)
  }

  /// (A ⊗ B − C ⊗ D) cvec(V) as a matrix: B V A − D V C.
  public func apply(_ matrix: Matrix) -> Matrix { b * matrix * a - d * matrix * c }

  /// The solution for the right side cvec(V), as a matrix.
  public func solve(_ matrix: Matrix) -> Matrix {
    var inner = k2.transposedTimes(matrix) * k1
    for index in inner.storage.indices { inner.storage[index] /= denominators.storage[index] }
    return (k2 * inner).timesTransposed(k1)
  }

  /// K and s with Kᵀ M K = I and Kᵀ C K = diag(s), and log det M.
  private static func simultaneous(_ m: Matrix, _ c: Matrix, _ name: String) throws(CurvatureError)
    -> (vectors: Matrix, values: Vector, logDeterminant: Double)
  {
    do {
      let decomposition = try SymmetricEigendecomposition(m)
      if let smallest = decomposition.values.elements.first, !(smallest > 0) {
        throw CurvatureError.notPositiveDefinite(
          block: "a damped factor of \(name)", size: m.rowCount, pivot: 0, value: smallest)
      }
      let inverseRoot = decomposition.reconstruct { 1 / $0.squareRoot() }
      let inner = try SymmetricEigendecomposition((inverseRoot * c * inverseRoot).symmetrized)
      return (
        inverseRoot * inner.vectors, inner.values, logSum(decomposition.values.elements)
      )
    } catch let error as CurvatureError {
      throw error
    } catch {
      throw CurvatureError.iterationLimit(
        what: "the eigendecomposition of a factor of \(name)", limit: 30 * m.rowCount)
    }
  }
}
