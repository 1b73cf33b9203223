import CLAPACKE
import DenseAlgebra

extension LAPACK {
  /// The lower factor L of A = LLᵀ by `dpotrf`, zeros above. `info` k > 0: the leading minor of
  /// order k is not positive.
  public static func dpotrf(_ a: Matrix) throws(Failure) -> Matrix {
    prepare()
    requireSquare(a, "dpotrf")
    var factor = a
    try check(
      "dpotrf",
      LAPACKE_dpotrf(LAPACK_COL_MAJOR, character("L"), a.rows, &factor.storage, a.leading))
    return factor.zeroingUpper()
  }

  /// A⁻¹B by `dpotrs` from the lower factor of A.
  public static func dpotrs(lower: Matrix, _ b: Matrix) throws(Failure) -> Matrix {
    prepare()
    requireSquare(lower, "dpotrs")
    precondition(lower.rowCount == b.rowCount, "dpotrs: sizes differ")
    var x = b
    try check(
      "dpotrs",
      LAPACKE_dpotrs(
        LAPACK_COL_MAJOR, character("L"), lower.rows, b.columns, lower.storage, lower.leading,
        &x.storage, x.leading))
    return x
  }

  /// A⁻¹b by `dpotrs` from the lower factor of A.
  public static func dpotrs(lower: Matrix, _ b: Vector) throws(Failure) -> Vector {
    Vector(try dpotrs(lower: lower, Matrix(column: b)).storage)
  }

  /// A⁻¹ by `dpotrf` and `dpotri`; both triangles are filled.
  public static func dpotri(_ a: Matrix) throws(Failure) -> Matrix {
    var inverse = try dpotrf(a)
    try check(
      "dpotri",
      LAPACKE_dpotri(LAPACK_COL_MAJOR, character("L"), a.rows, &inverse.storage, a.leading))
    return inverse.mirroringLower()
  }

  /// A⁻¹B for symmetric positive definite A by `dposv`.
  public static func dposv(_ a: Matrix, _ b: Matrix) throws(Failure) -> Matrix {
    prepare()
    requireSquare(a, "dposv")
    precondition(a.rowCount == b.rowCount, "dposv: sizes differ")
    var factor = a
    var x = b
    try check(
      "dposv",
      LAPACKE_dposv(
        LAPACK_COL_MAJOR, character("L"), a.rows, b.columns, &factor.storage, a.leading,
        &x.storage, x.leading))
    return x
  }

  /// A⁻¹b for symmetric positive definite A by `dposv`.
  public static func dposv(_ a: Matrix, _ b: Vector) throws(Failure) -> Vector {
    Vector(try dposv(a, Matrix(column: b)).storage)
  }
}
