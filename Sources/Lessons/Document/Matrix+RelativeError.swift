import DenseAlgebra

extension Matrix {
  /// ‖M − R‖_F / ‖R‖_F for a reference R.
  func relativeError(to reference: Matrix) -> Double {
    (self - reference).frobeniusNorm / reference.frobeniusNorm
  }
}
