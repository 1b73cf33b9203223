/// A product of elementary reflectors, H₀·H₁·…·H_{b−1} = I − V·T·Vᵀ with a triangular T.
///
/// Applied to many columns at once it is three matrix products.
/// Source: Schreiber and Van Loan (1989), the compact WY form.
struct BlockReflection {
  private let vectors: Matrix
  private let factor: Matrix

  /// Takes reflectors as columns, column j having j zeros, then its leading one.
  init(vectors: Matrix, taus: [Double]) {
    let size = taus.count
    let inner = vectors.gram
    var factor = Matrix(rowCount: size, columnCount: size)
    for j in 0..<size {
      // Column j is −τⱼ·T·(Vᵀvⱼ) over the columns before it, and τⱼ on the diagonal.
      let weights = (0..<j).map { -taus[j] * inner[$0, j] }
      var column = [Double](repeating: 0, count: size)
      var target = column.mutableSpan
      addColumns(
        of: factor.storage.span, rowCount: size, weights: weights.span, into: &target)
      target[j] = taus[j]
      factor.storage.replaceSubrange(j * size..<(j + 1) * size, with: column)
    }
    self.vectors = vectors
    self.factor = factor
  }

  /// Overwrites rows and columns `first`… of the matrix by their product with the reflection.
  func apply(to matrix: inout Matrix, from first: Int) {
    let columns = first..<matrix.columnCount
    var block = matrix.block(rows: first..<matrix.rowCount, columns: columns)
    let product = factor * vectors.transposedTimes(block)
    let stride = block.rowCount
    var target = block.storage.mutableSpan
    addProduct(
      -1, rows: stride, columns: columns.count, inner: vectors.columnCount,
      vectors.storage.span, vectors.layout(), product.storage.span, product.layout(),
      into: &target, at: 0, stride: stride)
    matrix.setBlock(row: first, column: first, to: block)
  }

  /// Q = H₀·H₁·…, from reflectors stored below the diagonal (`shift` rows further down) of a matrix.
  ///
  /// The first `columnCount` columns of Q, built backwards so that it starts as the identity.
  static func orthogonalMatrix(
    reflectors: Matrix, taus: [Double], shift: Int, columnCount: Int
  ) -> Matrix {
    let n = reflectors.rowCount
    var q = Matrix(rowCount: n, columnCount: columnCount) { $0 == $1 ? 1 : 0 }
    for start in stride(from: 0, to: taus.count, by: 32).reversed() {
      let indices = start..<min(start + 32, taus.count)
      var vectors = reflectors.block(rows: start + shift..<n, columns: indices)
      for j in 0..<indices.count {
        for i in 0..<j { vectors[i, j] = 0 }
        vectors[j, j] = 1
      }
      BlockReflection(vectors: vectors, taus: Array(taus[indices])).apply(
        to: &q, from: start + shift)
    }
    return q
  }
}
