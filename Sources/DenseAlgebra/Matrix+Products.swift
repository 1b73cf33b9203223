extension Matrix {
  /// The product A·B.
  ///
  /// Column j of the product is Σₖ A₍:,k₎ Bₖⱼ, summed in order of k. m·n·k multiply-adds.
  public static func * (a: Matrix, b: Matrix) -> Matrix {
    precondition(
      a.columnCount == b.rowCount,
      "product: \(a.rowCount) × \(a.columnCount) times \(b.rowCount) × \(b.columnCount)")
    return product(a, b, region: .full)
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
    return Matrix.product(self, transposingLeft: true, b, region: .full)
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
    return Matrix.product(self, b, transposingRight: true, region: .full)
  }

  /// The symmetric product A·Aᵀ, exactly symmetric; the lower triangle is computed and mirrored.
  public var timesOwnTranspose: Matrix {
    var c = Matrix.product(self, self, transposingRight: true, region: .lowerTriangle)
    c.mirrorLowerTriangle()
    return c
  }

  /// The symmetric product Aᵀ·A (a Gram matrix), exactly symmetric.
  public var gram: Matrix {
    var c = Matrix.product(self, transposingLeft: true, self, region: .lowerTriangle)
    c.mirrorLowerTriangle()
    return c
  }

  /// Large products go through tiles; small ones, and those of fewer than four columns, column by
  /// column, where packing would cost more than it saves. Both give the same bits.
  private static func product(
    _ a: Matrix, transposingLeft: Bool = false, _ b: Matrix, transposingRight: Bool = false,
    region: ProductRegion
  ) -> Matrix {
    let m = transposingLeft ? a.columnCount : a.rowCount
    let inner = transposingLeft ? a.rowCount : a.columnCount
    let n = transposingRight ? b.rowCount : b.columnCount
    var c = Matrix(rowCount: m, columnCount: n)
    var target = c.storage.mutableSpan
    guard n < 4 || m * n * inner < 64_000 else {
      let aLayout = transposingLeft ? a.layout().transposed : a.layout()
      let bLayout = transposingRight ? b.layout().transposed : b.layout()
      addProduct(
        1, rows: m, columns: n, inner: inner, a.storage.span, aLayout, b.storage.span, bLayout,
        into: &target, at: 0, stride: m, region: region)
      return c
    }
    let left = transposingLeft ? a.transposed : a
    let right = transposingRight ? b.transposed : b
    for j in 0..<n {
      let first = region == .lowerTriangle ? j : 0
      addColumns(
        of: left.storage.span, rowCount: m, from: first,
        weights: right.storage.span.extracting(j * inner..<(j + 1) * inner),
        into: &target, at: j * m + first)
    }
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
