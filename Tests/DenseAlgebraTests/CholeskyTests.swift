import DenseAlgebra
import TestSupport
import Testing

@Suite("Cholesky factorization")
struct CholeskyTests {
  static let cases = MatrixKind.positiveDefinite.flatMap { kind in
    (MatrixKind.sizes + [97, 130]).filter(kind.isPositiveDefinite).map { (kind, $0) }
  }

  @Test("LLᵀ is A, as with dpotrf; L has zeros above", arguments: cases)
  func factorReconstructsTheMatrix(_ kind: MatrixKind, _ n: Int) throws {
    let a = kind.matrix(size: n)
    let lower = try CholeskyFactorization(a).lower
    LapackComparison.expect(
      .reconstruction(LAPACK.dsyrk(lower), of: a), algorithm: "Cholesky LLᵀ", oracle: "A",
      "\(kind) \(n)")
    #expect(
      lower == Matrix(rowCount: n, columnCount: n) { $0 >= $1 ? lower[$0, $1] : 0 },
      "above the diagonal")
    #expect(lower.diagonal.allSatisfy { $0 > 0 })
  }

  /// κ(L) ≤ 10 bounds the forward error of the factor (Sun 1991).
  @Test("The factor of a well conditioned matrix is dpotrf's", arguments: [1, 2, 5, 50, 130])
  func factorIsThatOfDpotrf(_ n: Int) throws {
    var generator = Generator(seed: 31)
    let a = generator.positiveDefinite(n)
    LapackComparison.expect(
      .difference(try CholeskyFactorization(a).lower, try LAPACK.dpotrf(a)).over(condition: 10),
      algorithm: "Cholesky factor", oracle: "dpotrf, over κ", "\(n)")
  }

  @Test("Solutions leave a residual at round-off whatever the condition", arguments: cases)
  func solutionsHaveSmallResiduals(_ kind: MatrixKind, _ n: Int) throws {
    let a = kind.matrix(size: n)
    var generator = Generator(seed: 32)
    let factorization = try CholeskyFactorization(a)
    let x = generator.vector(n)
    let b = LAPACK.dgemm(a, x)
    LapackComparison.expect(
      .solve(a, factorization.solve(b), b), algorithm: "Cholesky solve", oracle: "b",
      "\(kind) \(n)")
    let columns = LAPACK.dgemm(a, generator.normal(n, 7))
    expectRatio(.solve(a, factorization.solve(columns), columns), "\(kind) \(n), 7 columns")
  }

  @Test("Solutions and inverses are dpotrs's and dpotri's up to the condition")
  func solutionsAreThoseOfDpotrs() throws {
    for n in [1, 2, 5, 49, 97, 130] {
      for condition in [1.0, 1e2, 1e6] {
        var generator = Generator(seed: 33)
        let a = generator.positiveDefinite(n, condition: condition)
        let b = generator.normal(n, 3)
        let factorization = try CholeskyFactorization(a)
        let oracle = try LAPACK.dpotrs(lower: LAPACK.dpotrf(a), b)
        LapackComparison.expect(
          .difference(factorization.solve(b), oracle).over(condition: condition),
          algorithm: "Cholesky solve", oracle: "dpotrs, over κ", "n = \(n), κ = \(condition)")
        LapackComparison.expect(
          .difference(factorization.inverse, try LAPACK.dpotri(a)).over(condition: condition),
          algorithm: "Cholesky inverse", oracle: "dpotri, over κ", "n = \(n), κ = \(condition)")
      }
    }
  }

  @Test("The inverse is exactly symmetric and inverts", arguments: cases)
  func inverseIsSymmetric(_ kind: MatrixKind, _ n: Int) throws {
    let a = kind.matrix(size: n)
    let inverse = try CholeskyFactorization(a).inverse
    #expect(inverse == inverse.transposed)
    // A right residual of dpotri's method is bounded with an extra κ only through ‖A⁻¹‖‖A‖, which
    // the ratio divides by; graded matrices show that nothing else is lost.
    expectRatio(.inverse(a, inverse), "\(kind) \(n)")
  }

  @Test("log det is the sum of the logarithms of dsyev's eigenvalues", arguments: [0, 1, 2, 5, 50])
  func logDeterminantIsThatOfTheSpectrum(_ n: Int) throws {
    var generator = Generator(seed: 34)
    let a = 1e-9 * generator.positiveDefinite(n)
    let oracle = try LAPACK.dsyev(a).values.elements.reduce(0) { $0 + logarithm($1) }
    let value = try CholeskyFactorization(a).logDeterminant
    // Each eigenvalue is known to n·ε·κ with κ = 100, each logarithm to as much absolutely.
    expectAtMost(
      abs(value - oracle), 30 * 100 * Double(n * n) * .ulpOfOne, "log det \(value) vs \(oracle)")
  }

  @Test("log det does not overflow where the determinant does")
  func logDeterminantDoesNotOverflow() throws {
    let n = 40
    let a = Matrix.diagonal(Array(repeating: 1e200, count: n))
    let value = try CholeskyFactorization(a).logDeterminant
    let expected = Double(n) * logarithm(1e200)
    expectAtMost(abs(value - expected), 4 * Double(n) * .ulpOfOne * expected)
  }

  @Test("Only the lower triangle is read")
  func upperTriangleIsNotRead() throws {
    var generator = Generator(seed: 35)
    let a = generator.positiveDefinite(60)
    let dirty = Matrix(rowCount: 60, columnCount: 60) { $0 >= $1 ? a[$0, $1] : .nan }
    #expect(try CholeskyFactorization(dirty).lower == CholeskyFactorization(a).lower)
  }

  /// A = LDLᵀ with unit L of whole numbers and D = 1 except one entry: the pivot found there is
  /// that entry exactly.
  @Test(
    "A pivot that is not positive is reported with its place and value",
    arguments: [0, 1, 7, 48, 63, 99], [0, -3])
  func failingPivotIsReported(_ pivot: Int, _ value: Double) {
    let n = 100
    let unit = Matrix(rowCount: n, columnCount: n) {
      $0 == $1 ? 1 : $0 > $1 && $0 - $1 <= 3 ? Double(($0 + $1) % 3 - 1) : 0
    }
    var d = [Double](repeating: 1, count: n)
    d[pivot] = value
    let a = LAPACK.dgemm(LAPACK.dgemm(unit, .diagonal(d)), unit, transposeB: true)
    #expect(throws: NotPositiveDefinite(size: n, pivot: pivot, value: value)) {
      try CholeskyFactorization(a)
    }
    #expect(throws: LAPACK.Failure(routine: "dpotrf", info: pivot + 1)) { try LAPACK.dpotrf(a) }
  }

  @Test(
    "A NaN or infinite pivot throws", arguments: [Double.nan, .infinity, -.infinity], [0, 2, 70])
  func notFinitePivotThrows(_ value: Double, _ pivot: Int) {
    var a = Matrix.identity(80)
    a[pivot, pivot] = value
    let error = #expect(throws: NotPositiveDefinite.self) { try CholeskyFactorization(a) }
    #expect(error?.pivot == pivot)
    #expect(error?.value.isFinite == false)
  }
}
