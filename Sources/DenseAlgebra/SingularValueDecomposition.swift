/// The thin singular value decomposition M = U·diag(σ)·Vᵀ.
///
/// QR with rows sorted and columns pivoted, then one-sided Jacobi on Rᵀ: small singular values come
/// out with high relative accuracy whether the rows or the columns are badly scaled (Drmač and
/// Veselić 2008; Cox and Higham 1998). A wide matrix is transposed first. The matrix is scaled by a
/// power of two, so 1e±200 loses nothing. About 10·m·n² flops a sweep, 5 to 10 sweeps.
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
    let m = matrix.rowCount
    let largest = matrix.maximumMagnitude
    // Squares of columns from 1e140 down to 1e-150 are in range: 290 orders of magnitude.
    let exponent = largest == 0 ? 0 : 460 - Int(largest.exponent)
    // A reflection that starts at a small entry would swamp its row with the large ones below.
    let rowMagnitudes = (0..<m).map { i in (0..<n).reduce(0) { max($0, matrix[i, $1].magnitude) } }
    let rowOrder = (0..<m).sorted { (rowMagnitudes[$1], $0) < (rowMagnitudes[$0], $1) }
    let sorted = Matrix(rowCount: m, columnCount: n) { matrix[rowOrder[$0], $1] }
    let qr = HouseholderQR(sorted.scaled(byPowerOfTwo: exponent))
    let jacobi = try OneSidedJacobi(
      qr.upper.transposed, routine: "SingularValueDecomposition")
    // S·M·P = Q·R and Rᵀ·W = X with orthogonal columns: M = (Sᵀ·Q·W)·diag‖xⱼ‖·(P·X/‖xⱼ‖)ᵀ.
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
    let sortedLeft = qr.orthogonalColumns(n) * rotation
    var left = Matrix(rowCount: m, columnCount: n)
    for j in 0..<n { for i in 0..<m { left[rowOrder[i], j] = sortedLeft[i, j] } }
    self.left = left
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
