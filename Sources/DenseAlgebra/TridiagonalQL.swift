import RealModule

/// The eigenvalues of a symmetric tridiagonal matrix by implicit QL or QR steps.
///
/// Like LAPACK's dsteqr: the matrix is split where an off-diagonal entry is negligible, each block
/// is chased from its larger end, and the whole budget is 30·n steps. The rotations are handed on,
/// so that the same code gives the values alone or turns vectors with them.
struct TridiagonalQL {
  /// The diagonal; the eigenvalues, in no order, once `solve` has run.
  private(set) var diagonal: [Double]
  private var offDiagonal: [Double]

  init(diagonal: [Double], offDiagonal: [Double]) {
    self.diagonal = diagonal
    self.offDiagonal = offDiagonal
  }

  /// One step's rotations: the k-th turns column `start + k·direction` and its next.
  struct Sweep {
    let start: Int
    let direction: Int
    var rotations: [SIMD2<Double>] = []
  }

  /// Runs to the end; `apply` receives the rotations of each step in order.
  mutating func solve(_ apply: (Sweep) -> Void) throws(IterationLimitReached) {
    let n = diagonal.count
    let limit = 30 * n
    var steps = 0
    var blockStart = 0
    while blockStart < n {
      var blockEnd = blockStart
      while blockEnd < n - 1, !isNegligible(blockEnd) { blockEnd += 1 }
      // From the larger end: the entries that a step makes small are then the small ones.
      let isReversed = diagonal[blockEnd].magnitude < diagonal[blockStart].magnitude
      var wanted = isReversed ? blockEnd : blockStart
      let last = isReversed ? blockStart : blockEnd
      let direction = isReversed ? -1 : 1
      while (last - wanted) * direction >= 0 {
        var end = wanted
        while end != last, !isNegligible(min(end, end + direction)) { end += direction }
        if end != last { offDiagonal[min(end, end + direction)] = 0 }
        if end == wanted {
          wanted += direction
          continue
        }
        guard steps < limit else {
          throw IterationLimitReached(
            routine: "SymmetricEigendecomposition", size: n, index: wanted, limit: limit)
        }
        steps += 1
        apply(step(from: wanted, to: end, direction: direction))
      }
      blockStart = blockEnd + 1
    }
  }

  /// LAPACK's test: e² ≤ ε²·|dᵢ|·|dᵢ₊₁| + the smallest normal number, with ε = 2⁻⁵³.
  private func isNegligible(_ i: Int) -> Bool {
    let e = offDiagonal[i].magnitude
    let bound = (0x1p-53 * diagonal[i].magnitude) * (0x1p-53 * diagonal[i + 1].magnitude)
    return e * e <= bound + Double.leastNormalMagnitude
  }

  /// One implicit step with Wilkinson's shift that aims at the eigenvalue at `wanted`.
  private mutating func step(from wanted: Int, to end: Int, direction: Int) -> Sweep {
    func between(_ i: Int) -> Int { min(i, i + direction) }
    var sweep = Sweep(start: end - direction, direction: -direction)
    let e0 = offDiagonal[between(wanted)]
    let half = (diagonal[wanted + direction] - diagonal[wanted]) / (2 * e0)
    let radius = Double.hypot(half, 1)
    var p = diagonal[wanted]
    var g = diagonal[end] - p + e0 / (half + (half < 0 ? -radius : radius))
    var sine = 1.0
    var cosine = 1.0
    p = 0
    var i = end
    while i != wanted {
      i -= direction
      let f = sine * offDiagonal[between(i)]
      let b = cosine * offDiagonal[between(i)]
      let r: Double
      (cosine, sine, r) = Self.rotation(g, f)
      if i + direction != end { offDiagonal[between(i + direction)] = r }
      g = diagonal[i + direction] - p
      let t = (diagonal[i] - g) * sine + 2 * cosine * b
      p = sine * t
      diagonal[i + direction] = g + p
      g = cosine * t - b
      sweep.rotations.append(SIMD2(cosine, sine))
    }
    diagonal[wanted] -= p
    offDiagonal[between(wanted)] = g
    return sweep
  }

  /// Cosine, sine and r with c·f + s·g = r and c·g − s·f = 0.
  private static func rotation(_ f: Double, _ g: Double) -> (Double, Double, Double) {
    if g == 0 { return (1, 0, f) }
    if f == 0 { return (0, 1, g) }
    let square = f * f + g * g
    if square > 1e-280, square < 1e280 {
      let r = square.squareRoot()
      return (f / r, g / r, r)
    }
    let scale = max(f.magnitude, g.magnitude)
    let (x, y) = (f / scale, g / scale)
    let r = (x * x + y * y).squareRoot()
    return (x / r, y / r, scale * r)
  }
}
