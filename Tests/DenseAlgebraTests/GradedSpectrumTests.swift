import DenseAlgebra
import TestSupport
import Testing

/// The spectrum of XXᵀ for graded X: here LAPACK's symmetric eigensolvers lose the small
/// eigenvalues and the one-sided Jacobi method does not.
///
/// Numbers: scripts/graded_spectrum.py, mpmath 1.3.0 at 80 digits, eigenvalues of XXᵀ with
/// X = DB, D = powers of two 1 … 2⁻³³ in scrambled order, B whole numbers; all exact in binary.
@Suite("Graded spectra")
struct GradedSpectrumTests {
  struct Fixture: CustomStringConvertible, Sendable {
    let rows: Int
    let columns: Int
    /// κ₂(B), which bounds the relative error of an accurate method (Demmel and Veselić 1992).
    let condition: Double
    let eigenvalues: [Double]

    var description: String { "\(rows) × \(columns)" }

    var factor: Matrix {
      Matrix(rowCount: rows, columnCount: columns) { i, j in
        let whole = (7 * i + 3 * j + i * j) % 5 - 2 + (i == j ? 10 : 0)
        return Double(whole) * Double(sign: .plus, exponent: -3 * (5 * i % rows), significand: 1)
      }
    }

    /// Twice for the square, n for the length of the sums.
    var relativeBound: Double { 2 * 30 * Double(max(rows, columns)) * condition * .ulpOfOne }
  }

  static let fixtures = [
    Fixture(
      rows: 12, columns: 12, condition: 4.8681,
      eigenvalues: [
        1.9135575248952792965e-18, 1.4884793372165771593e-16, 5.6510144835774497991e-15,
        3.6164959676384142911e-13, 1.5875824410131844016e-11, 1.1193044480269126916e-9,
        7.5703462842003930648e-8, 7.4846775144440018236e-6, 0.00051264943414699409407,
        0.01921861228922637296, 1.2871021883666530592, 85.042659799682690271,
      ]),
    Fixture(
      rows: 9, columns: 20, condition: 2.7214,
      eigenvalues: [
        5.4135680668302941516e-13, 1.8172548622592822844e-11, 2.0233861203031098686e-9,
        1.0148319850845088994e-7, 9.82525323500895987e-6, 0.00042159663858725819796,
        0.028648685901639078401, 3.4217261697792004076, 100.01645910081154694,
      ]),
  ]

  private func worstRelativeError(_ values: [Double], _ expected: [Double]) -> Double {
    zip(values, expected).map { abs($0 - $1) / $1 }.max() ?? 0
  }

  @Test("Jacobi gives every eigenvalue of XXᵀ to full relative accuracy", arguments: fixtures)
  func jacobiIsAccurate(_ fixture: Fixture) throws {
    let x = fixture.factor
    let jacobi = try JacobiEigendecomposition(factor: x)
    let error = worstRelativeError(jacobi.values.elements, fixture.eigenvalues)
    expectAtMost(error, fixture.relativeBound, "relative error")
    expectRatio(
      .eigen(LAPACK.dsyrk(x), values: jacobi.values, vectors: jacobi.vectors), "\(fixture)")
    expectRatio(.orthogonality(jacobi.vectors), "\(fixture)")
  }

  @Test("Singular values of X and Xᵀ have full relative accuracy", arguments: fixtures)
  func singularValuesAreAccurate(_ fixture: Fixture) throws {
    for x in [fixture.factor, fixture.factor.transposed] {
      let values = try SingularValueDecomposition(x).values.elements
      let error = worstRelativeError(values.reversed().map { $0 * $0 }, fixture.eigenvalues)
      expectAtMost(error, fixture.relativeBound, "relative error of σ²")
    }
  }

  /// XXᵀ is exact here, so what dsyevd loses it loses by itself: its promise is n·ε·‖A‖, and the
  /// smallest eigenvalue is below that. This is why Jacobi, not LAPACK, is the referee.
  @Test("dsyevd and the QL method keep n·ε·‖A‖ but lose the smallest eigenvalue")
  func tridiagonalMethodsLoseTheSmallest() throws {
    let fixture = Self.fixtures[0]
    let a = LAPACK.dsyrk(fixture.factor)
    let expected = Vector(fixture.eigenvalues)
    for values in [try LAPACK.dsyevd(a).values, try SymmetricEigendecomposition(a).values] {
      expectRatio(EigenTests.eigenvalueRatio(values, expected, of: a))
      let error = worstRelativeError(values.elements, fixture.eigenvalues)
      #expect(error > 1e6 * fixture.relativeBound, "relative error \(error)")
    }
  }

  /// No theorem promises these digits; dsyevd keeps them because small matrices are updated after each
  /// reflection. With updates saved up the loss was 30000-fold at n = 20.
  @Test("Of small graded matrices the QL method keeps the digits that dsyevd keeps")
  func qlKeepsTheDigitsOfDsyevd() throws {
    let graded = try CertifiedMatrix.all().filter { $0.factor != nil }
    #expect(graded.count == 12)
    for certified in graded {
      let exact = try #require(certified.eigenvalues).elements
      let ours = try SymmetricEigendecomposition(certified.matrix).values.elements
      let lapack = try LAPACK.dsyevd(certified.matrix).values.elements
      expectAtMost(
        worstRelativeError(ours, exact), 100 * worstRelativeError(lapack, exact), certified.name)
    }
  }

  /// X = DQ with Q orthogonal: XXᵀ = D², so the eigenvalues are dᵢ² to n·ε each.
  @Test("A scaled orthogonal factor has the squares of its scales", arguments: [1, 2, 5, 20])
  func scaledOrthogonalFactor(_ n: Int) throws {
    var generator = Generator(seed: 61)
    let scales = geometric(n, from: 1e-60, to: 1e60)
    let q = generator.orthogonal(n)
    let order = generator.random.permutation(n)
    let x = Matrix(rowCount: n, columnCount: n) { scales[order[$0]] * q[$0, $1] }
    let values = try JacobiEigendecomposition(factor: x).values.elements
    let error = worstRelativeError(values, scales.map { $0 * $0 })
    expectAtMost(error, 30 * Double(n) * .ulpOfOne, "relative error at n = \(n)")
  }

  /// X = (1 1; s 2s): σ₁² = 2 + 5s², and σ₁σ₂ = |det X| = s.
  @Test(
    "Rows further apart than the square root of the range", arguments: [1e-100, 1e-160, 1e-200])
  func rowsFarApart(_ s: Double) throws {
    let x = Matrix(rows: [[1, 1], [s, 2 * s]])
    for m in [x, x.transposed, Matrix(rows: [[2 * s, s], [1, 1]])] {
      let values = try SingularValueDecomposition(m).values
      expectRatio(.difference(Vector([values[0]]), Vector([Double(2).squareRoot()])))
      expectRatio(.difference(Vector([values[1]]), Vector([s / Double(2).squareRoot()])))
    }
  }

  @Test(
    "Jacobi and QL agree to n·ε·‖A‖ where both are trusted", arguments: [0, 1, 2, 10, 50],
    [0, 1, 3, 60])
  func jacobiAgreesWithQL(_ rows: Int, _ columns: Int) throws {
    var generator = Generator(seed: 62)
    let x = generator.normal(rows, columns)
    let a = LAPACK.dsyrk(x)
    let jacobi = try JacobiEigendecomposition(factor: x)
    #expect(jacobi.values.elements == jacobi.values.elements.sorted())
    LapackComparison.expect(
      EigenTests.eigenvalueRatio(jacobi.values, try LAPACK.dsyevd(a).values, of: a),
      algorithm: "Jacobi eigenvalues", oracle: "dsyevd", "\(rows) × \(columns)")
    expectRatio(.eigen(a, values: jacobi.values, vectors: jacobi.vectors), "\(rows) × \(columns)")
    expectRatio(.orthogonality(jacobi.vectors), "\(rows) × \(columns)")
  }
}
