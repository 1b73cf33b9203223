import CLAPACKE
import DenseAlgebra

extension LAPACK {
  /// Eigenvalues in ascending order, and the eigenvectors as columns in the same order.
  public struct Eigen: Sendable {
    public let values: Vector
    public let vectors: Matrix
  }

  /// Symmetric eigenvalues and vectors by `dsyev` (implicit QL or QR).
  public static func dsyev(_ a: Matrix) throws(Failure) -> Eigen {
    prepare()
    requireSquare(a, "dsyev")
    var vectors = a
    var values = Vector.zero(a.rowCount)
    try check(
      "dsyev",
      LAPACKE_dsyev(
        LAPACK_COL_MAJOR, character("V"), character("L"), a.rows, &vectors.storage, a.leading,
        &values.elements))
    return Eigen(values: values, vectors: vectors)
  }

  /// Symmetric eigenvalues and vectors by `dsyevd` (divide and conquer).
  public static func dsyevd(_ a: Matrix) throws(Failure) -> Eigen {
    prepare()
    requireSquare(a, "dsyevd")
    var vectors = a
    var values = Vector.zero(a.rowCount)
    try check(
      "dsyevd",
      LAPACKE_dsyevd(
        LAPACK_COL_MAJOR, character("V"), character("L"), a.rows, &vectors.storage, a.leading,
        &values.elements))
    return Eigen(values: values, vectors: vectors)
  }

  /// Symmetric eigenvalues and vectors by `dsyevr` (relatively robust representations).
  public static func dsyevr(_ a: Matrix) throws(Failure) -> Eigen {
    prepare()
    requireSquare(a, "dsyevr")
    var work = a
    var values = Vector.zero(a.rowCount)
    var vectors = Matrix(rowCount: a.rowCount, columnCount: a.rowCount)
    var found: LAPACKInteger = 0
    var support = [LAPACKInteger](repeating: 0, count: 2 * max(1, a.rowCount))
    try check(
      "dsyevr",
      LAPACKE_dsyevr(
        LAPACK_COL_MAJOR, character("V"), character("A"), character("L"), a.rows, &work.storage,
        a.leading, 0, 0, 0, 0, 0, &found, &values.elements, &vectors.storage, a.leading, &support))
    return Eigen(values: values, vectors: vectors)
  }

  /// The solutions of Av = λBv for symmetric A and positive definite B by `dsygvd`; VᵀBV = I.
  public static func dsygvd(_ a: Matrix, _ b: Matrix) throws(Failure) -> Eigen {
    prepare()
    requireSquare(a, "dsygvd")
    precondition(a.rowCount == b.rowCount && b.isSquare, "dsygvd: sizes differ")
    var vectors = a
    var factor = b
    var values = Vector.zero(a.rowCount)
    try check(
      "dsygvd",
      LAPACKE_dsygvd(
        LAPACK_COL_MAJOR, 1, character("V"), character("L"), a.rows, &vectors.storage, a.leading,
        &factor.storage, b.leading, &values.elements))
    return Eigen(values: values, vectors: vectors)
  }
}
