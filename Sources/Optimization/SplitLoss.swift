import DenseAlgebra

/// The information that a factor loses at each of several split sizes.
///
/// L_d(A) = 1 − (λ_max(Â Âᵀ)/λ_max(A Aᵀ))^½ = 1 − ‖Â‖₂/‖A‖₂, Â = P_d(A) the diagonal blocks of size d;
/// 0 ≤ L_d ≤ 1 − 1/⌈n/d⌉ for a semi-definite A, and 0 for the zero matrix, which loses nothing. Only the
/// largest eigenvalue enters: a small loss says little about the inverse, and for a general d the loss
/// need not fall as d grows. Reference: THOR paper, Eq. 11; the specification, section 7.5.
public struct SplitLoss: Equatable, Sendable {
  /// n, the number of rows of the factor.
  public let dimension: Int
  /// The split sizes d, as given.
  public let sizes: [Int]
  /// L_d, in the order of the sizes.
  public let losses: [Double]

  /// The losses of a symmetric n × n factor of which the lower triangle is read; d ≥ n loses nothing.
  ///
  /// Throws where the eigenvalue iteration of a block does not converge. The entries must be finite.
  public init(_ factor: Matrix, sizes: [Int]) throws(IterationLimitReached) {
    precondition(
      factor.isSquare, "a factor is square, got \(factor.rowCount) × \(factor.columnCount)")
    try self.init(dimension: factor.rowCount, sizes: sizes) {
      range throws(IterationLimitReached) in
      // ‖M‖₂ of a symmetric M is the larger magnitude of its outermost eigenvalues.
      let values = try SymmetricEigendecomposition.values(
        of: factor.block(rows: range, columns: range)
      ).elements
      return max(-(values.first ?? 0), values.last ?? 0)
    }
  }

  /// The losses of A = B Bᵀ from its n × r root B: block A_bb = B_b B_bᵀ has the largest eigenvalue of
  /// the r × r matrix B_bᵀ B_b, so that a large factor of low rank is never formed.
  public init(root: Matrix, sizes: [Int]) throws(IterationLimitReached) {
    try self.init(dimension: root.rowCount, sizes: sizes) {
      range throws(IterationLimitReached) in
      let rows = root.block(rows: range, columns: 0..<root.columnCount)
      let small = rows.rowCount <= rows.columnCount ? rows.timesOwnTranspose : rows.gram
      return max(0, try SymmetricEigendecomposition.values(of: small).elements.last ?? 0)
    }
  }

  private init(
    dimension: Int, sizes: [Int],
    norm: (Range<Int>) throws(IterationLimitReached) -> Double
  ) throws(IterationLimitReached) {
    let whole = try norm(0..<dimension)
    var losses: [Double] = []
    for size in sizes {
      // lesson: split-loss
      var largest = whole
      if size < dimension {
        largest = 0
        for range in Matrix.pinchingRanges(size: dimension, blockSize: size) {
          largest = max(largest, try norm(range))
        }
      }
      // 1 − ‖Â‖₂/‖A‖₂; a pinching does not raise the norm, so that only round-off goes below 0.
      losses.append(whole == 0 ? 0 : max(0, 1 - largest / whole))
      // end lesson
    }
    self.dimension = dimension
    self.sizes = sizes
    self.losses = losses
  }

  /// The loss of Â ⊗ Ĝ against A ⊗ G: 1 − (1 − L_A)(1 − L_G), since ‖A ⊗ G‖₂ = ‖A‖₂‖G‖₂; neither of
  /// them zero.
  public static func product(_ lossOfA: Double, _ lossOfG: Double) -> Double {
    1 - (1 - lossOfA) * (1 - lossOfG)
  }
}
