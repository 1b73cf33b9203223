import DenseAlgebra

/// What the error of Eq. 10's split needs to know of one Kronecker factor M and its pinching M̂.
///
/// Every norm of A ⊗ G − Â ⊗ Ĝ but the spectral one follows from such numbers of A and of G, without
/// any product being formed. Reference: the specification, sections 7.4 and 7.5.
public struct SplitFactor: Equatable, Sendable {
  /// The number of rows.
  public let size: Int
  public let trace: Double
  /// ‖M‖²_F.
  public let squared: Double
  /// ‖M − M̂‖²_F.
  public let squaredOutside: Double
  /// The largest entry of M; on the diagonal, since M is positive semi-definite.
  public let largest: Double
  /// The largest |entry| of M − M̂.
  public let largestOutside: Double
  /// Σ|entries| of M and of M̂.
  public let sum, sumInside: Double
  /// λ_max(M) and λ_max(M̂).
  public let eigenvalue, eigenvalueInside: Double
  /// ‖(M + λI)⁻¹‖²_F, ‖(M̂ + λI)⁻¹‖²_F and their inner product.
  public let inverse, inverseInside, inverseInner: Double

  /// Reads a symmetric positive semi-definite factor; `lambda` > 0 is that of the damped inverse.
  public init(_ matrix: Matrix, split: Int, lambda: Double) throws {
    precondition(lambda > 0, "the damped inverse needs a positive λ, got \(lambda)")
    let ranges = Matrix.pinchingRanges(size: matrix.rowCount, blockSize: split)
    size = matrix.rowCount
    trace = matrix.trace
    squared = matrix.dot(matrix)
    largest = matrix.diagonal.max() ?? 0
    var squaredOutside = 0.0
    var largestOutside = 0.0
    var (sum, sumInside) = (0.0, 0.0)
    let entries = matrix.storage.span
    for range in ranges {
      for column in range {
        for row in 0..<size {
          let entry = entries[column * size + row].magnitude
          sum += entry
          if range.contains(row) {
            sumInside += entry
          } else {
            squaredOutside += entry * entry
            largestOutside = max(largestOutside, entry)
          }
        }
      }
    }
    self.squaredOutside = squaredOutside
    self.largestOutside = largestOutside
    self.sum = sum
    self.sumInside = sumInside
    let blocks = ranges.map { matrix.block(rows: $0, columns: $0) }
    func top(_ matrix: Matrix) throws -> Double {
      max(try SymmetricEigendecomposition.values(of: matrix).elements.last ?? 0, 0)
    }
    eigenvalue = try top(matrix)
    eigenvalueInside = try blocks.map(top).max() ?? 0
    let whole = try CholeskyFactorization(matrix.addingToDiagonal(lambda)).inverse
    inverse = whole.dot(whole)
    var (inside, inner) = (0.0, 0.0)
    for (range, block) in zip(ranges, blocks) {
      let part = try CholeskyFactorization(block.addingToDiagonal(lambda)).inverse
      inside += part.dot(part)
      inner += part.dot(whole.block(rows: range, columns: range))
    }
    inverseInside = inside
    inverseInner = inner
  }

  /// ‖M + δI‖²_F.
  func squared(shiftedBy δ: Double) -> Double { squared + 2 * δ * trace + δ * δ * Double(size) }
}

/// ‖A ⊗ G − Â ⊗ Ĝ‖₂, the one norm that is no function of numbers of A and of G.
public enum SplitSpectrum {
  /// By Lanczos with full reorthogonalisation on V ↦ G V A − Ĝ V Â, with A + δI and G + δI for A and G.
  ///
  /// Stops where four more steps change the value by less than 1e-8 of it, or after 80 steps; the
  /// value is a lower bound of the norm at every step.
  public static func differenceNorm(
    a: Matrix, g: Matrix, split: Int, shift: Double
  ) throws -> Double {
    let (a, g) = (a.addingToDiagonal(shift), g.addingToDiagonal(shift))
    let (aInside, gInside) = (a.pinched(blockSize: split), g.pinched(blockSize: split))
    func apply(_ v: Matrix) -> Matrix { g * v * a - gInside * v * aInside }
    var generator = SplitMix64(seed: 0x5EED)
    var q = Matrix(rowCount: g.rowCount, columnCount: a.rowCount) { _, _ in generator.normal() }
    q = (1 / q.frobeniusNorm) * q
    var basis: [Matrix] = []
    var diagonal: [Double] = []
    var beside: [Double] = []
    var value = 0.0
    for step in 1...min(80, a.rowCount * g.rowCount) {
      basis.append(q)
      var w = apply(q)
      diagonal.append(w.dot(q))
      for vector in basis { w.add(-w.dot(vector), times: vector) }
      let β = w.frobeniusNorm
      let isLast = β <= 1e-13 * max(value, diagonal[0].magnitude) || step == a.rowCount * g.rowCount
      if isLast || step % 4 == 0 {
        let next = try largest(diagonal, beside)
        let isSettled = abs(next - value) <= 1e-8 * next
        value = next
        if isLast || isSettled { return value }
      }
      beside.append(β)
      q = (1 / β) * w
    }
    return value
  }

  /// The largest |eigenvalue| of a symmetric tridiagonal matrix.
  private static func largest(_ diagonal: [Double], _ beside: [Double]) throws -> Double {
    let t = Matrix(rowCount: diagonal.count, columnCount: diagonal.count) { i, j in
      i == j ? diagonal[i] : abs(i - j) == 1 ? beside[min(i, j)] : 0
    }
    return try SymmetricEigendecomposition.values(of: t).elements.reduce(0) {
      max($0, $1.magnitude)
    }
  }
}
