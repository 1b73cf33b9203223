// Triangular systems with many right-hand sides: blocks of rows are solved with the right-hand
// sides laid out as contiguous rows, and everything below or above a block is a matrix product.

extension Matrix {
  /// Solves L·X = B for a lower triangular L (this matrix; entries above its diagonal are not read).
  ///
  /// Blocked forward substitution, n²·r multiply-adds for r right-hand sides. The diagonal must
  /// hold no zero.
  public func solvingLower(_ b: Matrix) -> Matrix {
    solvingTriangle(b, transposed: false, lower: true)
  }

  /// Solves Lᵀ·X = B for a lower triangular L (this matrix; the upper triangle is not read).
  ///
  /// Blocked backward substitution, n²·r multiply-adds. The diagonal must hold no zero.
  public func solvingLowerTransposed(_ b: Matrix) -> Matrix {
    solvingTriangle(b, transposed: true, lower: true)
  }

  /// Solves U·X = B for an upper triangular U (this matrix; the lower triangle is not read).
  ///
  /// Blocked backward substitution, n²·r multiply-adds. The diagonal must hold no zero.
  public func solvingUpper(_ b: Matrix) -> Matrix {
    solvingTriangle(b, transposed: false, lower: false)
  }

  /// Solves Uᵀ·X = B for an upper triangular U (this matrix; the lower triangle is not read).
  ///
  /// Blocked forward substitution, n²·r multiply-adds. The diagonal must hold no zero.
  public func solvingUpperTransposed(_ b: Matrix) -> Matrix {
    solvingTriangle(b, transposed: true, lower: false)
  }

  private func solvingTriangle(_ b: Matrix, transposed: Bool, lower: Bool) -> Matrix {
    precondition(
      isSquare, "a triangular solve needs a square matrix, got \(rowCount) × \(columnCount)")
    precondition(
      b.rowCount == rowCount,
      "triangular solve: size \(rowCount) against \(b.rowCount) × \(b.columnCount)")
    for (i, value) in diagonal.enumerated() {
      precondition(value != 0, "triangular solve: diagonal entry \(i) is zero")
    }
    var x = b
    substitute(
      into: &x, transposed: transposed, forward: lower != transposed, unitDiagonal: false)
    return x
  }

  /// Overwrites X by T⁻¹·X, T being a triangle of this matrix or of its transpose.
  ///
  /// `triangularResult` says that X starts as a lower triangular matrix, so that block row k of a
  /// forward substitution has zeros right of its diagonal block; they are skipped.
  func substitute(
    into x: inout Matrix, transposed: Bool, forward: Bool, unitDiagonal: Bool,
    triangularResult: Bool = false
  ) {
    let n = rowCount
    let blockSize = 48
    let entries = storage.span
    let layout = transposed ? self.layout().transposed : self.layout()
    let starts = Array(stride(from: 0, to: n, by: blockSize))
    for start in forward ? starts : starts.reversed() {
      let size = min(blockSize, n - start)
      let width = triangularResult ? start + size : x.columnCount
      // Row i of the block becomes column i: contiguous over the right-hand sides.
      var rows = x.block(rows: start..<start + size, columns: 0..<width).transposed
      for step in 0..<size {
        let i = forward ? step : size - 1 - step
        let others = forward ? 0..<i : i + 1..<size
        let rowStart = layout.offset + (start + i) * layout.rowStride + start * layout.columnStride
        var row = Array(rows.storage[i * width..<(i + 1) * width])
        var rowSpan = row.mutableSpan
        let weights = others.map { -entries[rowStart + $0 * layout.columnStride] }
        addColumns(
          of: rows.storage.span.extracting(others.lowerBound * width..<others.upperBound * width),
          rowCount: width, weights: weights.span, into: &rowSpan)
        let pivot = unitDiagonal ? 1 : entries[rowStart + i * layout.columnStride]
        var target = rows.storage.mutableSpan
        for column in 0..<width { target[i * width + column] = rowSpan[column] / pivot }
      }
      x.setBlock(row: start, column: 0, to: rows.transposed)
      let rest = forward ? start + size..<n : 0..<start
      var factor = layout
      factor.offset += rest.lowerBound * layout.rowStride + start * layout.columnStride
      let rowLayout = rows.layout().transposed
      let stride = x.rowCount
      var target = x.storage.mutableSpan
      addProduct(
        -1, rows: rest.count, columns: width, inner: size, entries, factor, rows.storage.span,
        rowLayout, into: &target, at: rest.lowerBound, stride: stride)
    }
  }

  /// Overwrites x by T⁻¹·x, T being a triangle of this matrix or of its transpose.
  func substitute(
    into x: inout Vector, transposed: Bool, forward: Bool, unitDiagonal: Bool
  ) {
    let n = rowCount
    let entries = storage.span
    var target = x.elements.mutableSpan
    for step in 0..<n {
      let j = forward ? step : n - 1 - step
      let below = forward != transposed ? j + 1..<n : 0..<j
      let column = entries.extracting(j * n + below.lowerBound..<j * n + below.upperBound)
      let pivot = unitDiagonal ? 1 : entries[j * n + j]
      if transposed {
        let known = DenseAlgebra.dot(column, target.span.extracting(below))
        target[j] = (target[j] - known) / pivot
      } else {
        target[j] /= pivot
        axpy(-target[j], column, into: &target, at: below.lowerBound)
      }
    }
  }
}
