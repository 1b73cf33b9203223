/// The thin singular value decomposition M = U·diag(σ)·Vᵀ.
///
/// QR with column pivoting, then one-sided Jacobi on Rᵀ: small singular values come out with high
/// relative accuracy (Drmač and Veselić 2008). A wide matrix is transposed first. The matrix is
/// scaled by a power of two, so 1e±200 loses nothing. About 10·m·n² flops a sweep, 5 to 10 sweeps.
public struct SingularValueDecomposition: Sendable {
  /// U, m × k with k = min(m, n): orthonormal columns, also for singular values that are zero.
  public let left: Matrix
  /// The singular values, descending.
  public let values: Vector
  /// V, n × k, orthonormal columns.
  public let right: Matrix

  /// Decomposes M, whose entries must be finite; throws if 30 sweeps were not enough.
  public init(_ matrix: Matrix) throws(IterationLimitReached) {
    matrix.requireFinite("SingularValueDecomposition")
    guard matrix.rowCount >= matrix.columnCount else {
      let turned = try SingularValueDecomposition(matrix.transposed)
      (left, values, right) = (turned.right, turned.values, turned.left)
      return
    }
    let n = matrix.columnCount
    let largest = matrix.maximumMagnitude
    // Squares of columns from 1e140 down to 1e-150 are in range: 290 orders of magnitude.
    let exponent = largest == 0 ? 0 : 460 - Int(largest.exponent)
    let qr = HouseholderQR(matrix.scaled(byPowerOfTwo: exponent))
    let jacobi = try OneSidedJacobi(
      qr.upper.transposed, routine: "SingularValueDecomposition")
    // M·P = Q·R and Rᵀ·W = X with orthogonal columns, so M = (Q·W)·diag‖xⱼ‖·(P·X/‖xⱼ‖)ᵀ.
    let lengths = (0..<n).map { jacobi.columns.column($0).norm }
    let order = (0..<n).sorted { (lengths[$1], $0) < (lengths[$0], $1) }
    let normalizable = order.filter { lengths[$0] > 1e-150 }
    var right = Matrix(rowCount: n, columnCount: n)
    for (target, source) in normalizable.enumerated() {
      for i in 0..<n {
        right[qr.order[i], target] = jacobi.columns[i, source] / lengths[source]
      }
    }
    right.completeOrthonormalColumns(from: normalizable.count)
    self.right = right
    values = Vector(
      order.map { Double(sign: .plus, exponent: -exponent, significand: lengths[$0]) })
    let rotation = Matrix(
      rowCount: n, columnCount: n, storage: order.flatMap { jacobi.rotation.column($0).elements })
    left = qr.orthogonalColumns(n) * rotation
  }
}

extension Matrix {
  /// Overwrites columns `known`… by an orthonormal basis of what the earlier columns leave out.
  mutating func completeOrthonormalColumns(from known: Int) {
    guard known < columnCount else { return }
    let basis = HouseholderQR(block(rows: 0..<rowCount, columns: 0..<known))
      .orthogonalColumns(columnCount)
    setBlock(
      row: 0, column: known, to: basis.block(rows: 0..<rowCount, columns: known..<columnCount))
  }
}
