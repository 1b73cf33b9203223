import DenseAlgebra
import TestSupport
import Testing

/// Spec 10.1, P-10 … P-14: keeping the diagonal blocks of a matrix (THOR's split).
@Suite("Pinching")
struct PinchingTests {
  /// Sizes and block sizes: dividing, not dividing, larger than the matrix, one by one.
  static let cases = [(0, 2), (1, 1), (6, 2), (7, 3), (10, 4), (5, 1), (8, 8), (5, 20), (33, 16)]

  @Test("Blocks lie on the diagonal, the last one smaller", arguments: cases)
  func entriesAreThoseOfTheBlocks(_ n: Int, _ size: Int) {
    let m = Matrix(rowCount: n, columnCount: n) { Double(1 + $0 * n + $1) }
    #expect(
      m.pinched(blockSize: size)
        == Matrix(rowCount: n, columnCount: n) { $0 / size == $1 / size ? m[$0, $1] : 0 })
    let ranges = Matrix.pinchingRanges(size: n, blockSize: size)
    #expect(ranges.flatMap { Array($0) } == Array(0..<n))
    #expect(ranges.dropLast().allSatisfy { $0.count == size })
    #expect(ranges.count == (n + size - 1) / size)
    #expect(ranges.allSatisfy { !$0.isEmpty && $0.count <= size })
  }

  @Test("P-10: squared norms add up, the trace stays, twice is once")
  func pinchingIsAProjection() {
    property("P-10", .equal, oracle: "dlange", over: PinchingCase.cases(MatrixCase.symmetric)) {
      value, checks in
      // Any matrix, also one that is not symmetric, at the scale of the case.
      var generator = Generator(seed: value.matrix.seed)
      let n = value.matrix.size
      let symmetric = value.a
      let scale = LAPACK.norm1(symmetric) == 0 ? 1 : LAPACK.norm1(symmetric)
      for m in [symmetric, scale * generator.normal(n, n)] {
        let pinched = m.pinched(blockSize: value.blockSize)
        let rest = m - pinched
        // Norms as fractions of ‖M‖, whose square may overflow.
        let whole = LAPACK.dlange(m, .frobenius)
        let parts = [pinched, rest].map { LAPACK.dlange($0, .frobenius) / (whole == 0 ? 1 : whole) }
        checks.equal(
          parts[0] * parts[0] + parts[1] * parts[1], whole == 0 ? 0 : 1, size: n, "Pythagoras")
        checks.holds(m.trace == pinched.trace, "the trace, bit for bit")
        checks.holds(pinched.pinched(blockSize: value.blockSize) == pinched, "twice is once")
      }
    }
  }

  @Test("P-11: the spectrum shrinks: λmin rises, λmax falls, no eigenvalue is negative")
  func spectrumShrinks() {
    property(
      "P-11", .inequality, oracle: "dsyev", over: PinchingCase.cases(MatrixCase.semidefinite)
    ) { value, checks in
      let n = value.matrix.size
      let scale = LAPACK.norm1(value.a)
      let values = try LAPACK.dsyev(value.a).values
      let pinched = try LAPACK.dsyev(value.a.pinched(blockSize: value.blockSize)).values
      checks.atMost(values[0], pinched[0], size: n, scale: scale, "λmin")
      checks.atMost(pinched[n - 1], values[n - 1], size: n, scale: scale, "λmax")
      checks.atMost(0, pinched[0], size: n, scale: scale, "semi-definite")
    }
  }

  @Test("P-12: j times the pinching is at least the matrix, j blocks")
  func blocksTimesPinchingDominates() {
    property(
      "P-12", .inequality, oracle: "dsyev", over: PinchingCase.cases(MatrixCase.semidefinite)
    ) { value, checks in
      let n = value.matrix.size
      let j = Double(Matrix.pinchingRanges(size: n, blockSize: value.blockSize).count)
      // All blocks alike is where the bound is reached.
      for a in [value.a, Matrix(rowCount: n, columnCount: n, repeating: 1)] {
        let difference = j * a.pinched(blockSize: value.blockSize) - a
        checks.atMost(
          0, try LAPACK.dsyev(difference).values[0], size: n, scale: j * LAPACK.norm1(a))
      }
    }
  }

  /// j blocks of d: c·P(11ᵀ) − 11ᵀ has the eigenvalue (c − j)·d on the constant vector.
  @Test("P-12: the factor j is needed: a smaller one does not dominate")
  func blockCountIsSharp() {
    let blocks = Cases.list([(2, 1), (2, 3), (3, 2), (5, 2)])
    property("P-12", .counterProperty, oracle: "dsyev", over: blocks) { value, checks in
      let (j, d) = (value.0, value.1)
      let ones = Matrix(rowCount: j * d, columnCount: j * d, repeating: 1)
      let difference = (Double(j) - 0.1) * ones.pinched(blockSize: d) - ones
      checks.bounded(-(try LAPACK.dsyev(difference).values[0]), atLeast: 0.0999 * Double(d))
    }
  }

  @Test("P-13: the determinant does not fall (Fischer)")
  func determinantGrows() {
    property(
      "P-13", .inequality, oracle: "dpotrf", over: PinchingCase.cases(MatrixCase.positiveDefinite)
    ) { value, checks in
      let n = value.matrix.size
      let full = try LAPACK.dpotrf(value.a).diagonal.reduce(0) { $0 + 2 * logarithm($1) }
      let pinched = try CholeskyFactorization(value.a.pinched(blockSize: value.blockSize))
        .logDeterminant
      // Each of the n pivots is known to n ε κ, κ that of the matrix scaled to a unit diagonal
      // (Demmel 1989), and the sum rounds.
      checks.atMost(
        full, pinched, size: n * n, scale: try scaledCondition(value.a) + abs(pinched), "log det")
    }
  }

  @Test("P-14: the pinched inverse dominates the inverse of the pinching")
  func pinchedInverseDominates() {
    property(
      "P-14", .inequality, oracle: "dpotri", over: PinchingCase.cases(MatrixCase.positiveDefinite)
    ) { value, checks in
      let inversePinched = try LAPACK.dpotri(value.a).pinched(blockSize: value.blockSize)
      let pinchedInverse = try CholeskyFactorization(value.a.pinched(blockSize: value.blockSize))
        .inverse
      // Either inverse is known to n ε κ, κ that of the matrix scaled to a unit diagonal.
      checks.atMost(
        0, try LAPACK.dsyev(inversePinched - pinchedInverse).values[0], size: value.matrix.size,
        scale: try scaledCondition(value.a) * LAPACK.norm1(inversePinched))
    }
  }

  @Test("Pinching and inverting do not commute on a matrix that is not block-diagonal")
  func pinchingDoesNotCommuteWithInversion() throws {
    var generator = Generator(seed: 121)
    let a = generator.positiveDefinite(6, condition: 1e3)
    expectDifferent(
      try CholeskyFactorization(a).inverse.pinched(blockSize: 2),
      try CholeskyFactorization(a.pinched(blockSize: 2)).inverse, relative: 1e-2)
  }
}

/// A symmetric matrix and the block size of its pinching.
struct PinchingCase: Sendable, CustomStringConvertible {
  var matrix: MatrixCase
  var blockSize: Int

  var a: Matrix { matrix.matrix }
  var description: String { "\(matrix), blocks of \(blockSize)" }

  /// Block sizes that divide the size, do not divide it, are one, are the size or more.
  static func cases(_ matrices: Cases<MatrixCase>) -> Cases<PinchingCase> {
    Cases(
      edges: matrices.edges.enumerated().map {
        PinchingCase(matrix: $1, blockSize: [1, 2, 4, 3, 6, 9][$0 % 6])
      },
      smaller: { value in
        matrices.smaller(value.matrix).map { PinchingCase(matrix: $0, blockSize: value.blockSize) }
          + (1..<max(1, value.blockSize)).map { PinchingCase(matrix: value.matrix, blockSize: $0) }
      },
      draw: {
        let matrix = matrices.draw(&$0)
        return PinchingCase(matrix: matrix, blockSize: 1 + $0.below(matrix.size + 1))
      })
  }
}

/// κ of D A D, D scaling A to a unit diagonal: what a Cholesky factorization feels.
private func scaledCondition(_ a: Matrix) throws -> Double {
  let d = a.diagonal.map { 1 / $0.squareRoot() }
  return try conditionNumber(
    Matrix(rowCount: a.rowCount, columnCount: a.rowCount) { d[$0] * a[$0, $1] * d[$1] })
}
