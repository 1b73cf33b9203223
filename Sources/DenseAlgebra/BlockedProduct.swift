// The one routine through which all cubic work of this target runs: C += ± A·B by tiles of 4 × 4
// that stay in registers. Both operands are first copied ("packed") into panels of four rows and
// four columns, so a transposed operand costs nothing and every inner index is provably in range.
// Each entry of C is still one sequential sum over k, in order: tiling never changes a bit.

/// Where a block lies in a span: entry (i, j) is at `offset + i·rowStride + j·columnStride`.
struct BlockLayout {
  var offset = 0
  var rowStride = 1
  var columnStride: Int

  /// The layout of the transposed block over the same memory.
  var transposed: BlockLayout {
    BlockLayout(offset: offset, rowStride: columnStride, columnStride: rowStride)
  }
}

extension Matrix {
  /// The layout of the block that begins at (row, column).
  func layout(row: Int = 0, column: Int = 0) -> BlockLayout {
    BlockLayout(offset: column * rowCount + row, columnStride: rowCount)
  }
}

/// How much of the result a product writes.
enum ProductRegion {
  case full
  /// Only tiles that touch the lower triangle; entries above the diagonal are then unspecified.
  case lowerTriangle
}

/// C += sign · A·B, with A of m × inner and B of inner × n; `sign` is 1 or −1.
///
/// C is column-major inside `c`, its entry (i, j) at `offset + i + j·stride`. Blocks of 256 terms
/// keep a panel of B in the nearest cache and a slab of A in the next. 2·m·n·inner flops.
func addProduct(
  _ sign: Double, rows m: Int, columns n: Int, inner: Int,
  _ a: Span<Double>, _ aLayout: BlockLayout, _ b: Span<Double>, _ bLayout: BlockLayout,
  into c: inout MutableSpan<Double>, at offset: Int, stride: Int, region: ProductRegion = .full
) {
  guard m > 0, n > 0, inner > 0 else { return }
  let depth = min(inner, 256)
  let slabRows = min(m, 128)
  var packedA = [SIMD4<Double>](repeating: .zero, count: (slabRows + 3) / 4 * depth)
  var packedB = [SIMD4<Double>](repeating: .zero, count: (n + 3) / 4 * depth)
  var firstTerm = 0
  while firstTerm < inner {
    let terms = min(depth, inner - firstTerm)
    var bBlock = bLayout.transposed
    bBlock.offset += firstTerm * bLayout.rowStride
    pack(b, bBlock, rows: n, columns: terms, scale: sign, into: &packedB)
    var firstRow = 0
    while firstRow < m {
      let rows = min(slabRows, m - firstRow)
      var aBlock = aLayout
      aBlock.offset += firstRow * aLayout.rowStride + firstTerm * aLayout.columnStride
      pack(a, aBlock, rows: rows, columns: terms, scale: 1, into: &packedA)
      addTiles(
        packedA.span, packedB.span, terms: terms, firstRow: firstRow, rows: rows, columns: n,
        into: &c, at: offset, stride: stride, region: region)
      firstRow += rows
    }
    firstTerm += terms
  }
}

/// Copies a block into panels of four rows: vector (panel·columns + j) holds four entries of column j.
private func pack(
  _ source: Span<Double>, _ layout: BlockLayout, rows: Int, columns: Int, scale: Double,
  into panels: inout [SIMD4<Double>]
) {
  var target = panels.mutableSpan
  let step = layout.rowStride
  for panel in 0..<(rows + 3) / 4 {
    let height = min(4, rows - 4 * panel)
    var position = layout.offset + 4 * panel * step
    for j in 0..<columns {
      var entries = SIMD4<Double>.zero
      if height == 4 {
        entries = SIMD4(
          source[position], source[position &+ step], source[position &+ 2 &* step],
          source[position &+ 3 &* step])
      } else {
        for i in 0..<height { entries[i] = source[position + i * step] }
      }
      target[panel &* columns &+ j] = scale * entries
      position &+= layout.columnStride
    }
  }
}

private func addTiles(
  _ a: Span<SIMD4<Double>>, _ b: Span<SIMD4<Double>>, terms: Int, firstRow: Int, rows: Int,
  columns: Int, into c: inout MutableSpan<Double>, at offset: Int, stride: Int,
  region: ProductRegion
) {
  var column = 0
  while column < columns {
    let bPanel = b.extracting(column / 4 * terms..<(column / 4 + 1) * terms)
    let width = min(4, columns - column)
    // Tiles wholly above the diagonal are skipped when only the lower triangle is wanted.
    var row = region == .lowerTriangle ? max(0, (column - firstRow) & ~3) : 0
    while row < rows {
      let aPanel = a.extracting(row / 4 * terms..<(row / 4 + 1) * terms)
      let height = min(4, rows - row)
      let corner = offset + firstRow + row + column * stride
      var tile = Tile()
      for j in 0..<width {
        for i in 0..<height { tile[j][i] = c[corner &+ j &* stride &+ i] }
      }
      tile.add(aPanel, bPanel)
      for j in 0..<width {
        for i in 0..<height { c[corner &+ j &* stride &+ i] = tile[j][i] }
      }
      row += 4
    }
    column += 4
  }
}

/// Four columns of four entries of the result, held in registers while the sum over k runs.
private struct Tile {
  var c0 = SIMD4<Double>.zero
  var c1 = SIMD4<Double>.zero
  var c2 = SIMD4<Double>.zero
  var c3 = SIMD4<Double>.zero

  subscript(_ column: Int) -> SIMD4<Double> {
    @inline(__always) get {
      switch column {
      case 0: c0
      case 1: c1
      case 2: c2
      default: c3
      }
    }
    @inline(__always) set {
      switch column {
      case 0: c0 = newValue
      case 1: c1 = newValue
      case 2: c2 = newValue
      default: c3 = newValue
      }
    }
  }

  @inline(__always)
  mutating func add(_ a: Span<SIMD4<Double>>, _ b: Span<SIMD4<Double>>) {
    var c0 = self.c0
    var c1 = self.c1
    var c2 = self.c2
    var c3 = self.c3
    let b = b.extracting(first: a.count)
    for k in 0..<a.count {
      let column = a[k]
      let weights = b[k]
      c0 += column * weights[0]
      c1 += column * weights[1]
      c2 += column * weights[2]
      c3 += column * weights[3]
    }
    self.c0 = c0
    self.c1 = c1
    self.c2 = c2
    self.c3 = c3
  }
}
