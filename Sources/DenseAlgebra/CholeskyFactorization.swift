import RealModule

/// Says that a symmetric matrix has a pivot that is not a positive finite number.
public struct NotPositiveDefinite: Error, Equatable, Sendable, CustomStringConvertible {
  /// The size n of the matrix.
  public let size: Int
  /// The first failing pivot, counted from zero: the leading (pivot + 1)-square block is at fault.
  public let pivot: Int
  /// The value Aₖₖ − Σⱼ Lₖⱼ² found there: zero, negative, or not finite.
  public let value: Double

  /// Names the pivot, its place and its value.
  public init(size: Int, pivot: Int, value: Double) {
    self.size = size
    self.pivot = pivot
    self.value = value
  }

  public var description: String {
    "A \(size) × \(size) matrix is not positive definite: pivot \(pivot) is \(value), "
      + "expected a positive finite number; add damping to the diagonal."
  }
}

/// The Cholesky factorisation A = L·Lᵀ of a symmetric positive definite matrix.
///
/// Only the lower triangle of A is read. Right-looking by panels of 48 columns; n³/3 flops.
/// Source: Golub and Van Loan, Matrix Computations, 4th edition, section 4.2.
public struct CholeskyFactorization: Sendable {
  /// The factor L, with zeros above the diagonal.
  public let lower: Matrix

  /// Factors A, or throws `NotPositiveDefinite` at the first pivot that is not positive and finite.
  public init(_ matrix: Matrix) throws(NotPositiveDefinite) {
    precondition(
      matrix.isSquare, "Cholesky of a \(matrix.rowCount) × \(matrix.columnCount) matrix")
    let n = matrix.rowCount
    var factor = matrix
    let blockSize = 48
    for start in stride(from: 0, to: n, by: blockSize) {
      let size = min(blockSize, n - start)
      var panel = factor.block(rows: start..<n, columns: start..<start + size)
      try Self.factorPanel(&panel, first: start, size: n)
      factor.setBlock(row: start, column: start, to: panel)
      let rest = n - start - size
      let layout = panel.layout(row: size)
      var target = factor.storage.mutableSpan
      addProduct(
        -1, rows: rest, columns: rest, inner: size, panel.storage.span, layout,
        panel.storage.span, layout.transposed, into: &target,
        at: (start + size) * n + start + size, stride: n, region: .lowerTriangle)
    }
    var target = factor.storage.mutableSpan
    for j in 0..<n { for i in 0..<j { target[j * n + i] = 0 } }
    lower = factor
  }

  /// Factors a tall panel whose leading square block is its part of the diagonal, column by column.
  private static func factorPanel(
    _ panel: inout Matrix, first: Int, size n: Int
  ) throws(NotPositiveDefinite) {
    let m = panel.rowCount
    for j in 0..<panel.columnCount {
      var column = Array(panel.storage[j * m + j..<(j + 1) * m])
      var target = column.mutableSpan
      let weights = (0..<j).map { -panel.storage[$0 * m + j] }
      addColumns(
        of: panel.storage.span, rowCount: m, from: j, weights: weights.span, into: &target)
      // lesson: cholesky-pivot
      let pivot = target[0]
      guard pivot > 0, pivot.isFinite else {
        throw NotPositiveDefinite(size: n, pivot: first + j, value: pivot)
      }
      let root = pivot.squareRoot()
      // end lesson
      var panelSpan = panel.storage.mutableSpan
      panelSpan[j * m + j] = root
      for i in 1..<max(1, m - j) { panelSpan[j * m + j + i] = target[i] / root }
    }
  }

  /// The solution of A·x = b: two triangular solves, 2n² flops.
  public func solve(_ b: Vector) -> Vector {
    precondition(b.count == lower.rowCount, "solve: size \(lower.rowCount) against \(b.count)")
    var x = b
    lower.substitute(into: &x, transposed: false, forward: true, unitDiagonal: false)
    lower.substitute(into: &x, transposed: true, forward: false, unitDiagonal: false)
    return x
  }

  /// A⁻¹·B for r right-hand sides: two blocked triangular solves, 2n²·r flops.
  public func solve(_ b: Matrix) -> Matrix {
    lower.solvingLowerTransposed(lower.solvingLower(b))
  }

  /// log det A = 2·Σ log Lᵢᵢ.
  public var logDeterminant: Double {
    2 * lower.diagonal.reduce(0) { $0 + Double.log($1) }
  }

  /// A⁻¹ = L⁻ᵀ·L⁻¹, exactly symmetric; 2n³/3 flops.
  public var inverse: Matrix {
    let n = lower.rowCount
    var root = Matrix.identity(n)
    lower.substitute(
      into: &root, transposed: false, forward: true, unitDiagonal: false, triangularResult: true)
    var product = Matrix(rowCount: n, columnCount: n)
    var target = product.storage.mutableSpan
    // Row i of L⁻¹ is zero right of column i, so a block of rows reaches only a leading square.
    for start in stride(from: 0, to: n, by: 64) {
      let end = min(start + 64, n)
      let rows = root.layout(row: start)
      addProduct(
        1, rows: end, columns: end, inner: end - start, root.storage.span, rows.transposed,
        root.storage.span, rows, into: &target, at: 0, stride: n, region: .lowerTriangle)
    }
    product.mirrorLowerTriangle()
    return product
  }
}
