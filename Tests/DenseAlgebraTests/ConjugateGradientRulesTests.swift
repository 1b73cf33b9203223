import DenseAlgebra
import TestSupport
import Testing

/// How the generic solver starts, stops and reports (spec 6.1, 6.3).
@Suite("Conjugate gradients: rules")
struct ConjugateGradientRulesTests {
  private static func system(_ n: Int, condition: Double, seed: UInt64 = 131) -> (
    a: Matrix, b: Vector
  ) {
    var generator = Generator(seed: seed)
    let a = generator.positiveDefinite(n, condition: condition)
    return (a, generator.vector(n))
  }

  @Test("A start moves the system: from x₀ it solves A y = b − A x₀ from zero")
  func startShiftsTheSystem() {
    let (a, b) = Self.system(15, condition: 10)
    var generator = Generator(seed: 133)
    let start = generator.vector(15)
    for k in 0...4 {
      let shifted = start + conjugateGradientIterate(k, a, trueResidual(a, start, b))
      expectRatio(
        .difference(conjugateGradientIterate(k, a, b, start: start), shifted).over(condition: 10),
        "\(k)")
    }
  }

  @Test(
    "It stops at the first residual below the target, not later", arguments: [1e-2, 1e-5, 1e-9])
  func stopsAtTheFirstGoodResidual(_ tolerance: Double) {
    let (a, b) = Self.system(30, condition: 1e3)
    let solution = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: tolerance), maximumIterations: 500
    ).solve(a, b)
    let norms = solution.residualNorms
    #expect(solution.status == .converged)
    #expect(norms.count == solution.iterations + 1)
    #expect(norms[0] == b.norm)
    #expect(norms.dropLast().allSatisfy { $0 > tolerance * b.norm })
    #expect(norms[norms.count - 1] <= tolerance * b.norm)
    // The recurrence's residual is the true one up to the attainable accuracy (Greenbaum 1997).
    for k in [1, 5, solution.iterations] {
      let truth = trueResidual(a, conjugateGradientIterate(k, a, b), b).norm
      expectAtMost(
        abs(norms[k] - truth), 30 * 30 * .ulpOfOne * LAPACK.norm1(a) * solution.value.norm,
        "step \(k)")
    }
  }

  /// Martens (2010): stop when k > m, q < 0 and (qₖ − qₖ₋ₘ)/qₖ < mε, m = max(10, k/10).
  @Test("The quadratic rule stops where its definition says", arguments: [5e-4, 1e-3, 1e-2])
  func quadraticProgressRule(_ tolerance: Double) throws {
    let (a, b) = Self.system(60, condition: 1e4)
    let solution = ConjugateGradient(
      stoppingRule: .quadraticProgress(tolerance: tolerance), maximumIterations: 99
    ).solve(a, b)
    #expect(solution.status == .converged)
    let q = (0...99).map { k -> Double in
      let x = conjugateGradientIterate(k, a, b)
      return 0.5 * x.dot(LAPACK.dgemm(a, x)) - x.dot(b)
    }
    let expected = try #require(
      (11...99).first { q[$0] < 0 && (q[$0] - q[$0 - 10]) / q[$0] < 10 * tolerance })
    #expect(solution.iterations == expected)
    #expect(solution.iterations > 10)
  }

  @Test("The iteration limit is kept and reported", arguments: [0, 1, 7])
  func iterationLimit(_ limit: Int) {
    let (a, b) = Self.system(30, condition: 1e6)
    let solution = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-14), maximumIterations: limit
    ).solve(a, b)
    #expect(solution.status == .iterationLimit)
    #expect(solution.iterations == limit)
    if limit == 0 { #expect(solution.value == .zero(30)) }
  }

  @Test("A zero right-hand side gives zero, whatever the start")
  func zeroRightHandSide() {
    let a = Self.system(5, condition: 10).a
    for start in [nil, Vector(repeating: 1, count: 5)] {
      let solution = ConjugateGradient().solve(a, .zero(5), start: start)
      #expect(solution.status == .zeroRightHandSide)
      #expect(solution.value == .zero(5))
      #expect(solution.iterations == 0)
    }
  }

  @Test("Curvature that is not positive is reported and the iterate kept")
  func nonpositiveCurvature() {
    let indefinite = Matrix.diagonal([1, -1])
    for b in [Vector([0, 1]), Vector([1, 1])] {
      let solution = ConjugateGradient().solve(indefinite, b)
      #expect(solution.status == .nonpositiveCurvature)
      #expect(solution.value == .zero(2))
      #expect(solution.iterations == 0)
    }
    // The second direction meets it: after the first step from b = (3, 1), (8/10)⁻¹ b.
    let solution = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-10))
      .solve(indefinite, Vector([3, 1]))
    #expect(solution.status == .nonpositiveCurvature)
    #expect(solution.iterations == 1)
    expectRatio(.difference(solution.value, Vector([3.75, 1.25])))
    let zero = ConjugateGradient().solve(Matrix(rowCount: 2, columnCount: 2), Vector([1, 1]))
    #expect(zero.status == .nonpositiveCurvature)
    let badPreconditioner = ConjugateGradient()
      .solve(Matrix.identity(2), Vector([1, 1]), preconditioner: Matrix.diagonal([-1, -1]))
    #expect(badPreconditioner.status == .nonpositiveCurvature)
  }

  @Test("A NaN or infinity is reported, never returned", arguments: [Double.nan, .infinity])
  func notFiniteNumbers(_ bad: Double) {
    let b = Vector([1, 2, 3])
    var a = Matrix.identity(3)
    a[1, 1] = bad
    let solution = ConjugateGradient().solve(a, b)
    #expect(solution.status == .notFinite)
    #expect(solution.value.elements.allSatisfy { $0.isFinite })
    #expect(
      ConjugateGradient().solve(Matrix.identity(3), Vector([1, bad, 3])).status == .notFinite)
  }

  @Test("An operator that has only apply gives the same bits as its matrix")
  func anyOperatorWillDo() {
    struct Twice: LinearOperator {
      let matrix: Matrix
      var rowCount: Int { matrix.rowCount }
      var columnCount: Int { matrix.columnCount }
      func apply(_ x: Vector) -> Vector { matrix * x }
    }
    let (a, b) = Self.system(10, condition: 10)
    #expect(ConjugateGradient().solve(Twice(matrix: a), b) == ConjugateGradient().solve(a, b))
    #expect(Twice(matrix: a).dense() == a)
  }
}
