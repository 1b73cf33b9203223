extension Matrix {
  /// The product A·B.
  ///
  /// Column j of the product is Σₖ A₍:,k₎ Bₖⱼ, summed in order of k. m·n·k multiply-adds.
  public static func * (a: Matrix, b: Matrix) -> Matrix {
    precondition(
      a.columnCount == b.rowCount,
      "product: \(a.rowCount) × \(a.columnCount) times \(b.rowCount) × \(b.columnCount)")
    return product(
      a, a.layout(), b, b.layout(), rows: a.rowCount, columns: b.columnCount,
      inner: a.columnCount)
  }

  /// The product A·x.
  public static func * (a: Matrix, x: Vector) -> Vector {
    precondition(
      a.columnCount == x.count, "product: \(a.rowCount) × \(a.columnCount) times \(x.count)")
    var y = Vector.zero(a.rowCount)
    var target = y.elements.mutableSpan
    addColumns(of: a.storage.span, rowCount: a.rowCount, weights: x.elements.span, into: &target)
    return y
  }

  /// The product Aᵀ·B without forming Aᵀ.
  public func transposedTimes(_ b: Matrix) -> Matrix {
    precondition(
      rowCount == b.rowCount,
      "transposedTimes: \(rowCount) × \(columnCount) against \(b.rowCount) × \(b.columnCount)")
    return Matrix.product(
      self, layout().transposed, b, b.layout(), rows: columnCount, columns: b.columnCount,
      inner: rowCount)
  }

  /// The product Aᵀ·x without forming Aᵀ.
  public func transposedTimes(_ x: Vector) -> Vector {
    precondition(
      rowCount == x.count, "transposedTimes: \(rowCount) × \(columnCount) against \(x.count)")
    let aSpan = storage.span
    let xSpan = x.elements.span
    return Vector(
      (0..<columnCount).map {
        DenseAlgebra.dot(aSpan.extracting($0 * rowCount..<($0 + 1) * rowCount), xSpan)
      })
  }

  /// The product A·Bᵀ without forming Bᵀ first.
  public func timesTransposed(_ b: Matrix) -> Matrix {
    precondition(
      columnCount == b.columnCount,
      "timesTransposed: \(rowCount) × \(columnCount) against \(b.rowCount) × \(b.columnCount)")
    return Matrix.product(
      self, layout(), b, b.layout().transposed, rows: rowCount, columns: b.rowCount,
      inner: columnCount)
  }

  /// The symmetric product A·Aᵀ, exactly symmetric; the lower triangle is computed and mirrored.
  public var timesOwnTranspose: Matrix {
    ownProduct(layout(), size: rowCount, inner: columnCount)
  }

  /// The symmetric product Aᵀ·A (a Gram matrix), exactly symmetric.
  public var gram: Matrix {
    ownProduct(layout().transposed, size: columnCount, inner: rowCount)
  }

  private static func product(
    _ a: Matrix, _ aLayout: BlockLayout, _ b: Matrix, _ bLayout: BlockLayout, rows: Int,
    columns: Int, inner: Int
  ) -> Matrix {
    var c = Matrix(rowCount: rows, columnCount: columns)
    var target = c.storage.mutableSpan
    addProduct(
      1, rows: rows, columns: columns, inner: inner, a.storage.span, aLayout, b.storage.span,
      bLayout, into: &target, at: 0, stride: rows)
    return c
  }

  private func ownProduct(_ layout: BlockLayout, size: Int, inner: Int) -> Matrix {
    var c = Matrix(rowCount: size, columnCount: size)
    var target = c.storage.mutableSpan
    addProduct(
      1, rows: size, columns: size, inner: inner, storage.span, layout, storage.span,
      layout.transposed, into: &target, at: 0, stride: size, region: .lowerTriangle)
    c.mirrorLowerTriangle()
    return c
  }

  /// Copies the strictly lower triangle onto the upper one.
  mutating func mirrorLowerTriangle() {
    let n = rowCount
    var span = storage.mutableSpan
    for tileJ in stride(from: 0, to: n, by: 16) {
      for tileI in stride(from: tileJ, to: n, by: 16) {
        for j in tileJ..<min(tileJ + 16, n) {
          for i in max(tileI, j + 1)..<max(min(tileI + 16, n), max(tileI, j + 1)) {
            span[i * n + j] = span[j * n + i]
          }
        }
      }
    }
  }
}

/// target[offset…] += Σₖ weightsₖ · (rows `first`… of column k), in order of k, four at a time.
@inline(__always)
func addColumns(
  of matrix: Span<Double>, rowCount: Int, from first: Int = 0, weights: Span<Double>,
  into target: inout MutableSpan<Double>, at offset: Int = 0
) {
  let inner = weights.count
  let whole = inner & ~3
  var k = 0
  while k < whole {
    axpy4(
      weights[k], matrix.extracting(k * rowCount + first..<(k + 1) * rowCount),
      weights[k + 1], matrix.extracting((k + 1) * rowCount + first..<(k + 2) * rowCount),
      weights[k + 2], matrix.extracting((k + 2) * rowCount + first..<(k + 3) * rowCount),
      weights[k + 3], matrix.extracting((k + 3) * rowCount + first..<(k + 4) * rowCount),
      into: &target, at: offset)
    k += 4
  }
  while k < inner {
    axpy(
      weights[k], matrix.extracting(k * rowCount + first..<(k + 1) * rowCount),
      into: &target, at: offset)
    k += 1
  }
}
