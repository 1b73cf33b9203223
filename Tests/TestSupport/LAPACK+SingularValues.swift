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

  /// The thin singular value decomposition by `dgesdd` (divide and conquer).
  public static func dgesdd(_ m: Matrix) throws(Failure) -> SingularValues {
    prepare()
    let rank = min(m.rowCount, m.columnCount)
    var work = m
    var values = Vector.zero(rank)
    var left = Matrix(rowCount: m.rowCount, columnCount: rank)
    var rightTransposed = Matrix(rowCount: rank, columnCount: m.columnCount)
    guard rank > 0 else {
      return SingularValues(left: left, values: values, right: rightTransposed.transposed)
    }
    try check(
      "dgesdd",
      LAPACKE_dgesdd(
        LAPACK_COL_MAJOR, character("S"), m.rows, m.columns, &work.storage, m.leading,
        &values.elements, &left.storage, left.leading, &rightTransposed.storage,
        rightTransposed.leading))
    return SingularValues(left: left, values: values, right: rightTransposed.transposed)
  }

  /// The singular value decomposition of a square or tall matrix by `dgesvj`, one-sided Jacobi: small
  /// singular values keep their relative accuracy. Columns of `left` for zero values are undefined.
  public static func dgesvj(_ m: Matrix) throws(Failure) -> SingularValues {
    prepare()
    precondition(m.rowCount >= m.columnCount, "dgesvj: \(m.rowCount) × \(m.columnCount)")
    var left = m
    var values = Vector.zero(m.columnCount)
    var right = Matrix(rowCount: m.columnCount, columnCount: m.columnCount)
    guard m.columnCount > 0 else {
      return SingularValues(left: left, values: values, right: right)
    }
    var statistics = [Double](repeating: 0, count: 6)
    try check(
      "dgesvj",
      LAPACKE_dgesvj(
        LAPACK_COL_MAJOR, character("G"), character("U"), character("V"), m.rows, m.columns,
        &left.storage, m.leading, &values.elements, 0, &right.storage, right.leading, &statistics))
    return SingularValues(left: left, values: statistics[0] * values, right: right)
  }
}
