import CLAPACKE
import DenseAlgebra

extension LAPACK {
  /// The minimiser of ‖b − Ax‖ for a tall A of full rank, or the shortest solution for a wide one,
  /// by `dgels`.
  public static func dgels(_ a: Matrix, _ b: Vector) throws(Failure) -> Vector {
    prepare()
    precondition(a.rowCount == b.count, "dgels: \(a.rowCount) rows against \(b.count)")
    var factors = a
    let leading = max(1, a.rowCount, a.columnCount)
    var x = b.elements + [Double](repeating: 0, count: leading - b.count)
    try check(
      "dgels",
      LAPACKE_dgels(
        LAPACK_COL_MAJOR, character("N"), a.rows, a.columns, 1, &factors.storage, a.leading, &x,
        LAPACKInteger(leading)))
    return Vector(Array(x.prefix(a.columnCount)))
  }
}
