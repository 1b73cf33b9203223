import CLAPACKE
import DenseAlgebra

extension LAPACK {
  /// The norms that `dlange` knows.
  public enum Norm: CaseIterable, Sendable {
    /// max |mᵢⱼ|, the largest column sum, the largest row sum, √Σmᵢⱼ².
    case maximum, one, infinity, frobenius
  }

  /// A norm of a matrix by `dlange`, which scales and so neither overflows nor underflows.
  ///
  /// The variant without LAPACKE's NaN check is called: a NaN entry gives NaN.
  public static func dlange(_ m: Matrix, _ norm: Norm) -> Double {
    prepare()
    let letter: CChar =
      switch norm {
      case .maximum: character("M")
      case .one: character("1")
      case .infinity: character("I")
      case .frobenius: character("F")
      }
    var work = [Double](repeating: 0, count: max(1, m.rowCount))
    return LAPACKE_dlange_work(
      LAPACK_COL_MAJOR, letter, m.rows, m.columns, m.storage, m.leading, &work)
  }

  /// ‖M‖₁, the norm of the ratio assertions.
  public static func norm1(_ m: Matrix) -> Double { dlange(m, .one) }
}
