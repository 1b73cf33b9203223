/// The eigendecomposition of X·Xᵀ from its factor X, by one-sided Jacobi on X.
///
/// Small eigenvalues of graded matrices keep their relative accuracy, which a routine that is
/// given X·Xᵀ itself cannot promise; so this is the referee for those: Demmel and Veselić (1992).
public struct JacobiEigendecomposition: Sendable {
  /// The eigenvalues, ascending: squares of the singular values of X, and zeros.
  public let values: Vector
  /// The eigenvectors as columns, m × m for X of m × n.
  public let vectors: Matrix

  /// Decomposes X·Xᵀ; the entries of X must be finite. Throws if 30 sweeps were not enough.
  public init(factor: Matrix) throws(IterationLimitReached) {
    let svd = try SingularValueDecomposition(factor)
    let m = factor.rowCount
    let known = svd.values.count
    var vectors = Matrix(rowCount: m, columnCount: m)
    vectors.setBlock(row: 0, column: 0, to: svd.left)
    vectors.completeOrthonormalColumns(from: known)
    self.vectors = Matrix(
      rowCount: m, columnCount: m,
      storage: (0..<m).reversed().flatMap { vectors.column($0).elements })
    values = Vector(
      Array(repeating: 0, count: m - known) + svd.values.elements.reversed().map { $0 * $0 })
  }
}
