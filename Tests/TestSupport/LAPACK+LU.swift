import CLAPACKE
import DenseAlgebra

extension LAPACK {
  /// The packed factors of PA = LU by `dgetrf`, with the pivot rows counted from zero: at step k
  /// row k was exchanged with row `pivots[k]`. `info` k > 0: U has a zero in place k.
  public static func dgetrf(_ a: Matrix) throws(Failure) -> (factors: Matrix, pivots: [Int]) {
    prepare()
    var factors = a
    var pivots = [LAPACKInteger](repeating: 0, count: min(a.rowCount, a.columnCount))
    try check(
      "dgetrf",
      LAPACKE_dgetrf(LAPACK_COL_MAJOR, a.rows, a.columns, &factors.storage, a.leading, &pivots))
    return (factors, pivots.map { Int($0) - 1 })
  }

  /// A⁻¹ of a general square A by `dgetrf` and `dgetri`.
  public static func dgetri(_ a: Matrix) throws(Failure) -> Matrix {
    let (factors, pivots) = try dgetrf(a)
    var inverse = factors
    // Reference LAPACK stops the program at the work size that LAPACKE finds for an empty matrix.
    if a.rowCount == 0 { return inverse }
    try check(
      "dgetri",
      LAPACKE_dgetri(
        LAPACK_COL_MAJOR, a.rows, &inverse.storage, a.leading,
        pivots.map { LAPACKInteger($0 + 1) }))
    return inverse
  }

  /// A⁻¹B for a general square A by `dgesv`.
  public static func dgesv(_ a: Matrix, _ b: Matrix) throws(Failure) -> Matrix {
    prepare()
    requireSquare(a, "dgesv")
    precondition(a.rowCount == b.rowCount, "dgesv: sizes differ")
    var factors = a
    var pivots = [LAPACKInteger](repeating: 0, count: a.rowCount)
    var x = b
    try check(
      "dgesv",
      LAPACKE_dgesv(
        LAPACK_COL_MAJOR, a.rows, b.columns, &factors.storage, a.leading, &pivots, &x.storage,
        x.leading))
    return x
  }

  /// A⁻¹b for a general square A by `dgesv`.
  public static func dgesv(_ a: Matrix, _ b: Vector) throws(Failure) -> Vector {
    Vector(try dgesv(a, Matrix(column: b)).storage)
  }
}
