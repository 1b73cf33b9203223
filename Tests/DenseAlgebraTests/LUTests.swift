import DenseAlgebra
import TestSupport
import Testing

@Suite("LU factorization")
struct LUTests {
  static let sizes = MatrixKind.sizes + [47, 48, 49, 97, 130]

  @Test("Solutions leave a residual at round-off, as dgesv's do", arguments: sizes)
  func solutionsHaveSmallResiduals(_ n: Int) throws {
    var generator = Generator(seed: 41)
    for scale in [1, 1e150, 1e-150] {
      let a = scale * generator.normal(n, n)
      let b = generator.normal(n, 3)
      let factorization = try LUFactorization(a)
      LapackComparison.expect(
        .solve(a, factorization.solve(b), b), algorithm: "LU solve", oracle: "b",
        "n = \(n), scale \(scale)")
      let column = b.column(1)
      expectRatio(.solve(a, factorization.solve(column), column), "n = \(n), scale \(scale)")
      // Gauss with partial pivoting solves from the right: A·A⁻¹ has the small residual.
      expectRatio(.inverse(a, factorization.inverse), "n = \(n), scale \(scale)")
    }
  }

  @Test(
    "Solutions are dgesv's up to the condition", arguments: [1, 2, 5, 49, 130], [1.0, 1e2, 1e6])
  func solutionsAreThoseOfDgesv(_ n: Int, _ condition: Double) throws {
    var generator = Generator(seed: 42)
    let a = generator.matrix(n, n, singularValues: geometric(n, from: 1, to: 1 / condition))
    let b = generator.normal(n, 4)
    LapackComparison.expect(
      .difference(try LUFactorization(a).solve(b), try LAPACK.dgesv(a, b))
        .over(condition: condition),
      algorithm: "LU solve", oracle: "dgesv, over κ", "n = \(n), κ = \(condition)")
  }

  @Test("The determinant's sign and logarithm are those of dgetrf's pivots", arguments: sizes)
  func determinantIsThatOfDgetrf(_ n: Int) throws {
    var generator = Generator(seed: 43)
    let a = generator.matrix(n, n, singularValues: geometric(n, from: 1, to: 1e-2))
    let factorization = try LUFactorization(a)
    let (factors, pivots) = try LAPACK.dgetrf(a)
    let exchanges = pivots.enumerated().count { $0 != $1 }
    let negative = factors.diagonal.count { $0 < 0 }
    #expect(factorization.determinantSign == ((exchanges + negative) % 2 == 0 ? 1 : -1))
    // log |det A| = Σ log σ, closed form by construction; each σ to n·ε·κ.
    let expected = geometric(n, from: 1, to: 1e-2).reduce(0) { $0 + logarithm($1) }
    expectAtMost(
      abs(factorization.logAbsoluteDeterminant - expected),
      30 * 100 * Double(n * n) * .ulpOfOne, "n = \(n)")
  }

  @Test("A permutation has the sign of the permutation")
  func signOfAPermutation() throws {
    let swap = Matrix(rows: [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    let cycle = Matrix(rows: [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    #expect(try LUFactorization(swap).determinantSign == -1)
    #expect(try LUFactorization(cycle).determinantSign == 1)
    #expect(try LUFactorization(-cycle).determinantSign == -1)
    #expect(try LUFactorization(cycle).logAbsoluteDeterminant == 0)
    #expect(try LUFactorization(cycle).solve(Vector([1, 2, 3])) == Vector([2, 3, 1]))
  }

  /// Without pivoting the multiplier 1e20 wipes out the second equation (Forsythe's example).
  @Test("A tiny leading entry is not used as pivot")
  func pivotingIsNeeded() throws {
    let a = Matrix(rows: [[1e-20, 1], [1, 1]])
    let x = try LUFactorization(a).solve(Vector([1, 2]))
    expectRatio(.difference(x, Vector([1, 1])))
  }

  @Test("An exactly singular matrix is reported with its column", arguments: [0, 1, 50, 99])
  func singularColumnIsReported(_ column: Int) {
    let n = 100
    var a = Matrix.identity(n)
    a[column, column] = 0
    #expect(throws: SingularMatrix(size: n, pivot: column)) { try LUFactorization(a) }
    #expect(throws: LAPACK.Failure(routine: "dgesv", info: column + 1)) {
      try LAPACK.dgesv(a, Vector.zero(n))
    }
  }

  @Test("A NaN does not pass for a pivot")
  func notANumberThrows() {
    var a = Matrix.identity(5)
    a[3, 3] = .nan
    #expect(throws: SingularMatrix(size: 5, pivot: 3)) { try LUFactorization(a) }
  }
}
