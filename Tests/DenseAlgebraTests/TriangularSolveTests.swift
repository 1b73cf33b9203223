import DenseAlgebra
import TestSupport
import Testing

/// Each solve is backward stable: ‖TX − B‖ ≤ c n‖T‖‖X‖ε whatever the condition (Higham, 8.1).
@Suite("Triangular solves agree with dtrsm")
struct TriangularSolveTests {
  enum Solve: CaseIterable, CustomStringConvertible {
    case lower, lowerTransposed, upper, upperTransposed

    var description: String {
      switch self {
      case .lower: "L⁻¹B"
      case .lowerTransposed: "L⁻ᵀB"
      case .upper: "U⁻¹B"
      case .upperTransposed: "U⁻ᵀB"
      }
    }
    var triangle: LAPACK.Triangle {
      self == .lower || self == .lowerTransposed ? .lower : .upper
    }
    var isTransposed: Bool { self == .lowerTransposed || self == .upperTransposed }

    func callAsFunction(_ t: Matrix, _ b: Matrix) -> Matrix {
      switch self {
      case .lower: t.solvingLower(b)
      case .lowerTransposed: t.solvingLowerTransposed(b)
      case .upper: t.solvingUpper(b)
      case .upperTransposed: t.solvingUpperTransposed(b)
      }
    }
  }

  /// Around the edges of any blocking by 8, 32, 48 or 64.
  static let sizes = [0, 1, 2, 3, 5, 10, 47, 48, 49, 65, 130]

  /// The Cholesky factor of a matrix of condition 100, and NaN in the triangle nobody may read.
  private func triangular(_ n: Int, _ triangle: LAPACK.Triangle) throws -> (
    clean: Matrix, dirty: Matrix
  ) {
    var generator = Generator(seed: UInt64(n))
    let lower = try LAPACK.dpotrf(generator.positiveDefinite(n))
    let clean = triangle == .lower ? lower : lower.transposed
    let dirty = Matrix(rowCount: n, columnCount: n) {
      (triangle == .lower ? $0 >= $1 : $0 <= $1) ? clean[$0, $1] : .nan
    }
    return (clean, dirty)
  }

  @Test(
    "The residual is at round-off and the solution is dtrsm's", arguments: Solve.allCases, sizes)
  func solvesAreThoseOfDtrsm(_ solve: Solve, _ n: Int) throws {
    let (clean, dirty) = try triangular(n, solve.triangle)
    var generator = Generator(seed: 21)
    for columns in [0, 1, 5, 60] {
      let b = generator.normal(n, columns)
      let x = solve(dirty, b)
      let name = "\(solve) n = \(n), \(columns) columns"
      expectRatio(.solve(solve.isTransposed ? clean.transposed : clean, x, b), name)
      let oracle = LAPACK.dtrsm(clean, b, solve.triangle, transposed: solve.isTransposed)
      // Condition of the factor is √100.
      LapackComparison.expect(
        .difference(x, oracle).over(condition: 10), algorithm: "triangular solve \(solve)",
        oracle: "dtrsm, over κ", name)
    }
  }

  @Test("Powers of two are solved without rounding", arguments: Solve.allCases)
  func powersOfTwoAreExact(_ solve: Solve) {
    let n = 53
    let t = Matrix(rowCount: n, columnCount: n) {
      let inside = solve.triangle == .lower ? $0 > $1 : $0 < $1
      return $0 == $1 ? 0.5 : inside && abs($0 - $1) <= 2 ? Double(($0 + 2 * $1) % 3 - 1) : 0
    }
    let x = Matrix(rowCount: n, columnCount: 3) { Double(($0 * 3 + $1) % 7 - 3) }
    let b = LAPACK.dgemm(t, x, transposeA: solve.isTransposed)
    #expect(solve(t, b) == x)
  }
}
