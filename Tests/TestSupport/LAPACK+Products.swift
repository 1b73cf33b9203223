import CLAPACKE
import DenseAlgebra

extension LAPACK {
  /// op(A)·op(B) by `dgemm`.
  public static func dgemm(
    _ a: Matrix, _ b: Matrix, transposeA: Bool = false, transposeB: Bool = false
  ) -> Matrix {
    prepare()
    let m = transposeA ? a.columnCount : a.rowCount
    let inner = transposeA ? a.rowCount : a.columnCount
    let n = transposeB ? b.rowCount : b.columnCount
    precondition(inner == (transposeB ? b.columnCount : b.rowCount), "dgemm: inner sizes differ")
    var c = Matrix(rowCount: m, columnCount: n)
    cblas_dgemm(
      CblasColMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      LAPACKInteger(m), LAPACKInteger(n), LAPACKInteger(inner), 1, a.storage, a.leading, b.storage,
      b.leading, 0, &c.storage, c.leading)
    return c
  }

  /// A·x by `dgemm`.
  public static func dgemm(_ a: Matrix, _ x: Vector, transposeA: Bool = false) -> Vector {
    Vector(dgemm(a, Matrix(column: x), transposeA: transposeA).storage)
  }

  /// A·Aᵀ, or Aᵀ·A when `transposed`, by `dsyrk`; both triangles are filled.
  public static func dsyrk(_ a: Matrix, transposed: Bool = false) -> Matrix {
    prepare()
    let n = transposed ? a.columnCount : a.rowCount
    let inner = transposed ? a.rowCount : a.columnCount
    var c = Matrix(rowCount: n, columnCount: n)
    cblas_dsyrk(
      CblasColMajor, CblasLower, transposed ? CblasTrans : CblasNoTrans, LAPACKInteger(n),
      LAPACKInteger(inner), 1, a.storage, a.leading, 0, &c.storage, c.leading)
    return c.mirroringLower()
  }

  /// Which triangle of a matrix is read.
  public enum Triangle: CaseIterable, Sendable { case lower, upper }

  /// op(T)⁻¹·B by `dtrsm` for a triangular T with an explicit diagonal.
  public static func dtrsm(
    _ t: Matrix, _ b: Matrix, _ triangle: Triangle = .lower, transposed: Bool = false
  ) -> Matrix {
    prepare()
    requireSquare(t, "dtrsm")
    precondition(t.rowCount == b.rowCount, "dtrsm: \(t.rowCount) against \(b.rowCount) rows")
    var x = b
    cblas_dtrsm(
      CblasColMajor, CblasLeft, triangle == .lower ? CblasLower : CblasUpper,
      transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, b.rows, b.columns, 1, t.storage,
      t.leading, &x.storage, x.leading)
    return x
  }
}
