import DenseAlgebra
import TestSupport
import Testing

/// Spec 10.1, P-10 … P-14: keeping the diagonal blocks of a matrix (THOR's split).
@Suite("Pinching")
struct PinchingTests {
  /// Sizes and block sizes: dividing, not dividing, larger than the matrix, one by one.
  static let cases = [(0, 2), (1, 1), (6, 2), (7, 3), (10, 4), (5, 1), (8, 8), (5, 20), (33, 16)]

  private func positive(_ n: Int, seed: UInt64 = 121, condition: Double = 1e3) -> Matrix {
    var generator = Generator(seed: seed)
    return generator.positiveDefinite(n, condition: condition)
  }

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

  @Test("P-10 squared norms add up, the trace stays, twice is once", arguments: cases)
  func pinchingIsAProjection(_ n: Int, _ size: Int) {
    let m = Matrix(rowCount: n, columnCount: n) { Double(($0 * 7 + $1 * 13) % 11 - 5) }
    let pinched = m.pinched(blockSize: size)
    // Whole numbers: every sum is exact.
    #expect(m.dot(m) == pinched.dot(pinched) + (m - pinched).dot(m - pinched))
    #expect(m.trace == pinched.trace)
    #expect(pinched.pinched(blockSize: size) == pinched)
  }

  @Test("P-11 the spectrum shrinks: λmin rises, λmax falls", arguments: cases.dropFirst())
  func spectrumShrinks(_ n: Int, _ size: Int) throws {
    let a = positive(n)
    let values = try LAPACK.dsyev(a).values
    let pinched = try LAPACK.dsyev(a.pinched(blockSize: size)).values
    let slack = 30 * Double(n) * .ulpOfOne * LAPACK.norm1(a)
    expectAtMost(values[0], pinched[0], slack: slack, "λmin")
    expectAtMost(pinched[n - 1], values[n - 1], slack: slack, "λmax")
    #expect(pinched[0] > 0)
  }

  @Test("P-12 j times the pinching is at least the matrix, j blocks", arguments: cases.dropFirst())
  func blocksTimesPinchingDominates(_ n: Int, _ size: Int) throws {
    var generator = Generator(seed: 122)
    let count = Double(Matrix.pinchingRanges(size: n, blockSize: size).count)
    let vector = generator.vector(n)
    // Rank one with all blocks alike is where the bound is nearly reached.
    let rankOne = Matrix(rowCount: n, columnCount: n) { vector[$0] * vector[$1] }
    for a in [positive(n), rankOne, Matrix(rowCount: n, columnCount: n, repeating: 1)] {
      let smallest = try LAPACK.dsyev(count * a.pinched(blockSize: size) - a).values[0]
      expectAtMost(-smallest, 0, slack: 30 * Double(n) * .ulpOfOne * count * LAPACK.norm1(a))
    }
  }

  @Test("P-12 j is needed: one block fewer does not dominate")
  func blockCountIsSharp() throws {
    let ones = Matrix(rowCount: 6, columnCount: 6, repeating: 1)
    // 3 blocks of 2: λmin(c·Â − 1·1ᵀ) = 2c − 6 on the constant vector.
    #expect(try LAPACK.dsyev(2.9 * ones.pinched(blockSize: 2) - ones).values[0] < -0.1)
  }

  @Test("P-13 the determinant does not fall (Fischer)", arguments: cases.dropFirst())
  func determinantGrows(_ n: Int, _ size: Int) throws {
    let a = positive(n)
    let full = try LAPACK.dpotrf(a).diagonal.reduce(0) { $0 + 2 * logarithm($1) }
    let pinched = try CholeskyFactorization(a.pinched(blockSize: size)).logDeterminant
    // Each of the n pivots is known to n·ε·κ.
    expectAtMost(full, pinched, slack: 30 * 1e3 * Double(n * n) * .ulpOfOne)
    if size == 1, n > 1 { #expect(pinched > full + 1e-3) }
  }

  @Test(
    "P-14 the pinched inverse dominates the inverse of the pinching", arguments: cases.dropFirst())
  func pinchedInverseDominates(_ n: Int, _ size: Int) throws {
    let a = positive(n)
    let inversePinched = try LAPACK.dpotri(a).pinched(blockSize: size)
    let pinchedInverse = try CholeskyFactorization(a.pinched(blockSize: size)).inverse
    let smallest = try LAPACK.dsyev(inversePinched - pinchedInverse).values[0]
    expectAtMost(
      -smallest, 0, slack: 30 * 1e3 * Double(n) * .ulpOfOne * LAPACK.norm1(inversePinched))
  }

  @Test("Pinching and inverting do not commute on a matrix that is not block-diagonal")
  func pinchingDoesNotCommuteWithInversion() throws {
    let a = positive(6)
    expectDifferent(
      try CholeskyFactorization(a).inverse.pinched(blockSize: 2),
      try CholeskyFactorization(a.pinched(blockSize: 2)).inverse, relative: 1e-2)
  }
}
