import CLAPACKE
import DenseAlgebra

extension LAPACK {
  /// M = left · diag(values) · rightᵀ, thin, values descending.
  public struct SingularValues: Sendable {
    public let left: Matrix
    public let values: Vector
    public let right: Matrix
  }

  /// The thin singular value decomposition by `dgesvd`.
  public static func dgesvd(_ m: Matrix) throws(Failure) -> SingularValues {
    prepare()
    let rank = min(m.rowCount, m.columnCount)
    var work = m
    var values = Vector.zero(rank)
    var left = Matrix(rowCount: m.rowCount, columnCount: rank)
    var rightTransposed = Matrix(rowCount: rank, columnCount: m.columnCount)
    // Reference LAPACK rejects the leading dimensions of an empty matrix.
    guard rank > 0 else {
      return SingularValues(left: left, values: values, right: rightTransposed.transposed)
    }
    var superdiagonal = [Double](repeating: 0, count: rank)
    try check(
      "dgesvd",
      LAPACKE_dgesvd(
        LAPACK_COL_MAJOR, character("S"), character("S"), m.rows, m.columns, &work.storage,
        m.leading, &values.elements, &left.storage, left.leading, &rightTransposed.storage,
        rightTransposed.leading, &superdiagonal))
    return SingularValues(left: left, values: values, right: rightTransposed.transposed)
  }
}
