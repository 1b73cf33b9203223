/// The reduction T = Qᵀ·A·Q of a symmetric matrix to tridiagonal form by Householder reflections.
///
/// Only the lower triangle of A is read. 4n³/3 flops, and as many again for Q. By panels of 32
/// columns as in LAPACK's dlatrd: half of the flops are products of the trailing triangle with a
/// vector, the other half one update A − V·Wᵀ − W·Vᵀ at the end of each panel. The last 32 columns
/// are updated one by one, as in dsytrd.
/// Source: Golub and Van Loan, Matrix Computations, 4th edition, section 8.3.1.
struct Tridiagonalization {
  /// The n diagonal entries of T.
  var diagonal: [Double] { work.diagonal }
  /// The n − 1 entries below it.
  private(set) var subdiagonal: [Double] = []
  private var work: Matrix
  private var taus: [Double] = []

  init(_ matrix: Matrix) {
    let n = matrix.rowCount
    work = matrix
    var start = 0
    while start < n - 1 {
      // A product with entries that are not updated yet carries their round-off into a trailing
      // square that may be far smaller: on graded matrices that costs up to four digits of the
      // small eigenvalues.
      let end = n - start > 32 ? start + 32 : start + 1
      reducePanel(start, end)
      start = end
    }
  }

  /// The orthogonal Q with A = Q·T·Qᵀ.
  var orthogonal: Matrix {
    BlockReflection.orthogonalMatrix(
      reflectors: work, taus: taus, shift: 1, columnCount: work.rowCount)
  }

  /// Reduces columns start..<end; the columns right of them are updated once, at the end.
  private mutating func reducePanel(_ start: Int, _ end: Int) {
    let n = work.rowCount
    let height = n - start
    // The updates −v·wᵀ − w·vᵀ found so far are −left·rightᵀ, rows start..<n, with
    // left = (v₀, w₀, v₁, w₁, …) and right = (w₀, v₀, w₁, v₁, …).
    var left = Matrix(rowCount: height, columnCount: 2 * (end - start))
    var right = left
    for k in start..<end {
      let row = k - start
      let known = 2 * row
      var weights = (0..<known).map { -right[row, $0] }
      var span = work.storage.mutableSpan
      addColumns(
        of: left.storage.span, rowCount: height, from: row, weights: weights.span, into: &span,
        at: k * n + k)
      let reflection = HouseholderReflection(&span, at: k * n + k + 1, count: n - k - 1)
      subdiagonal.append(reflection.beta)
      taus.append(reflection.tau)
      guard reflection.tau != 0 else { continue }
      var v = Array(work.storage[k * n + k + 1..<(k + 1) * n])
      v[0] = 1
      var w = trailingProduct(k + 1, v)
      weights = (0..<known).map {
        let first = $0 * height + row + 1
        return -dot(right.storage.span.extracting(first..<($0 + 1) * height), v.span)
      }
      var image = w.mutableSpan
      addColumns(
        of: left.storage.span, rowCount: height, from: row + 1, weights: weights.span,
        into: &image)
      for i in 0..<image.count { image[i] *= reflection.tau }
      axpy(-0.5 * reflection.tau * dot(image.span, v.span), v.span, into: &image)
      let first = known * height + row + 1
      let second = first + height
      left.storage.replaceSubrange(first..<first + v.count, with: v)
      left.storage.replaceSubrange(second..<second + v.count, with: w)
      right.storage.replaceSubrange(first..<first + v.count, with: w)
      right.storage.replaceSubrange(second..<second + v.count, with: v)
    }
    let rest = n - end
    var target = work.storage.mutableSpan
    addProduct(
      -1, rows: rest, columns: rest, inner: left.columnCount, left.storage.span,
      left.layout(row: end - start), right.storage.span,
      right.layout(row: end - start).transposed, into: &target, at: end * n + end, stride: n,
      region: .lowerTriangle)
  }

  /// The product of the trailing square from `first` with x, reading its lower triangle once.
  private func trailingProduct(_ first: Int, _ x: [Double]) -> [Double] {
    let n = work.rowCount
    let size = n - first
    let entries = work.storage.span
    let xSpan = x.span
    var product = [Double](repeating: 0, count: size)
    var target = product.mutableSpan
    let whole = size & ~3
    for j in stride(from: 0, to: whole, by: 4) {
      let start = (first + j) * n + first
      let weights = SIMD4(xSpan[j], xSpan[j + 1], xSpan[j + 2], xSpan[j + 3])
      var sums = multiplyFourColumns(
        entries.extracting(start..<start + 3 * n + size), stride: n, from: j + 4, xSpan,
        weights: weights, into: &target)
      // The four columns' own rows: a symmetric square of which the lower triangle is read.
      let c0 = entries.extracting(start + j..<start + j + 4)
      let c1 = entries.extracting(start + n + j + 1..<start + n + j + 4)
      let c2 = entries.extracting(start + 2 * n + j + 2..<start + 2 * n + j + 4)
      sums += SIMD4(c0[0], c0[1], c0[2], c0[3]) * weights[0]
      sums += SIMD4(c0[1], c1[0], c1[1], c1[2]) * weights[1]
      sums += SIMD4(c0[2], c1[1], c2[0], c2[1]) * weights[2]
      sums += SIMD4(c0[3], c1[2], c2[1], entries[start + 3 * n + j + 3]) * weights[3]
      for c in 0..<4 { target[j + c] += sums[c] }
    }
    for j in whole..<size {
      for i in whole..<size {
        target[j] += entries[(first + min(i, j)) * n + first + max(i, j)] * xSpan[i]
      }
    }
    return product
  }
}

/// y[i] += Σ_c a_c[i]·weights[c] for i ≥ `first`, and returns the four sums Σᵢ a_c[i]·x[i].
///
/// Column c begins at c·stride. Both uses of an entry share its one load; pairs of rows fill the
/// registers of every 64-bit processor.
private func multiplyFourColumns(
  _ columns: Span<Double>, stride: Int, from first: Int, _ x: Span<Double>,
  weights: SIMD4<Double>, into y: inout MutableSpan<Double>
) -> SIMD4<Double> {
  let size = x.count
  let count = size - first
  let a0 = columns.extracting(first..<size)
  let a1 = columns.extracting(stride + first..<stride + size)
  let a2 = columns.extracting(2 * stride + first..<2 * stride + size)
  let a3 = columns.extracting(3 * stride + first..<3 * stride + size)
  let tail = x.extracting(first..<size)
  precondition(first >= 0 && count >= 0 && size <= y.count)
  var (s0, s1, s2, s3) = (
    SIMD2<Double>.zero, SIMD2<Double>.zero, SIMD2<Double>.zero, SIMD2<Double>.zero
  )
  var i = 0
  while i < count & ~1 {
    let xs = SIMD2(tail[i], tail[i + 1])
    let c0 = SIMD2(a0[i], a0[i + 1])
    let c1 = SIMD2(a1[i], a1[i + 1])
    let c2 = SIMD2(a2[i], a2[i + 1])
    let c3 = SIMD2(a3[i], a3[i + 1])
    var ys = SIMD2(y[first &+ i], y[first &+ i &+ 1])
    ys += c0 * weights[0]
    s0 += c0 * xs
    ys += c1 * weights[1]
    s1 += c1 * xs
    ys += c2 * weights[2]
    s2 += c2 * xs
    ys += c3 * weights[3]
    s3 += c3 * xs
    y[first &+ i] = ys.x
    y[first &+ i &+ 1] = ys.y
    i += 2
  }
  var sums = SIMD4(s0.sum(), s1.sum(), s2.sum(), s3.sum())
  if i < count {
    let entries = SIMD4(a0[i], a1[i], a2[i], a3[i])
    y[first &+ i] += (entries * weights).sum()
    sums += entries * tail[i]
  }
  return sums
}
