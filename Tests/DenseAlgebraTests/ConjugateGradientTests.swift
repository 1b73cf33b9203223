import DenseAlgebra
import TestSupport
import Testing

/// How the generic solver starts, stops and reports (spec 6.1, 6.3; P-104, P-106, P-111 … P-115).
@Suite("Conjugate gradients: rules")
struct ConjugateGradientTests {
  static func system(_ n: Int, condition: Double, seed: UInt64 = 131) -> (a: Matrix, b: Vector) {
    var generator = Generator(seed: seed)
    let a = generator.positiveDefinite(n, condition: condition)
    return (a, generator.vector(n))
  }

  /// The iterate after exactly k steps: no rule can be met with a tolerance of 0.
  static func iterate(
    _ k: Int, _ a: Matrix, _ b: Vector, start: Vector? = nil, preconditioner: Matrix? = nil
  ) -> Vector {
    ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 0), maximumIterations: k)
      .solve(a, b, start: start, preconditioner: preconditioner).value
  }

  static func residual(_ a: Matrix, _ x: Vector, _ b: Vector) -> Vector { b - LAPACK.dgemm(a, x) }

  @Test("P-104 converged, it is dpotrs's solution", arguments: [1, 2, 10, 50], [1.0, 1e2, 1e4])
  func convergedSolutionIsThatOfDpotrs(_ n: Int, _ condition: Double) throws {
    let (a, b) = Self.system(n, condition: condition)
    let tolerance = 1e-13
    let solution = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: tolerance), maximumIterations: 1000
    ).solve(a, b)
    #expect(solution.status == .converged)
    let oracle = try LAPACK.dpotrs(lower: LAPACK.dpotrf(a), b)
    // ‖x − x*‖ ≤ ‖A⁻¹‖‖r‖, ‖r‖ ≤ τ‖b‖, and the round-off of n steps on top.
    let error = (solution.value - oracle).norm / oracle.norm
    let bound = condition * (tolerance + 30 * Double(n) * .ulpOfOne)
    LapackComparison.record(
      algorithm: "conjugate gradient, error over κ(τ + 30nε)", oracle: "dpotrs",
      ratio: error / bound, limit: 1)
    expectAtMost(error, bound, "n = \(n), κ = \(condition)")
  }

  @Test("P-106 rank one plus λI: the closed form; one step for b ∝ v, two otherwise")
  func rankOneSystem() {
    var generator = Generator(seed: 132)
    let (v, w) = (generator.vector(12), generator.vector(12))
    let lambda = 0.5
    let a = (Matrix(column: v).timesOwnTranspose).addingToDiagonal(lambda)
    let solver = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-12))
    for (b, steps) in [(v, 1), (w, 2)] {
      let solution = solver.solve(a, b)
      #expect(solution.iterations == steps)
      let closed = (1 / lambda) * (b - (v.dot(b) / (lambda + v.dot(v))) * v)
      // κ = (λ + ‖v‖²)/λ.
      expectRatio(.difference(solution.value, closed).over(condition: 1 + v.dot(v) / lambda))
    }
  }

  @Test("P-111 the first iterate is the exact line search along b")
  func firstIterateIsALineSearch() {
    let (a, b) = Self.system(20, condition: 1e3)
    let step = b.dot(b) / b.dot(LAPACK.dgemm(a, b))
    expectRatio(.difference(Self.iterate(1, a, b), step * b))
  }

  @Test("P-112 a start near the solution: no step under the ‖b‖ rule, some under the ‖r₀‖ rule")
  func warmStart() throws {
    let (a, b) = Self.system(20, condition: 1e2)
    let exact = try LAPACK.dposv(a, b)
    let start = (1 + 1e-5) * exact
    let byRightHandSide = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-4))
      .solve(a, b, start: start)
    #expect(byRightHandSide.iterations == 0)
    #expect(byRightHandSide.status == .converged)
    #expect(byRightHandSide.value == start)
    let byFirstResidual = ConjugateGradient(stoppingRule: .firstResidual(tolerance: 1e-4))
      .solve(a, b, start: start)
    #expect(byFirstResidual.iterations > 0)
    #expect(byFirstResidual.status == .converged)
    // From zero r₀ = b, and the two rules are one.
    let cold = ConjugateGradient(stoppingRule: .firstResidual(tolerance: 1e-4)).solve(a, b)
    #expect(cold == ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-4)).solve(a, b))
    #expect(cold.iterations > byRightHandSide.iterations)
  }

  @Test("A start moves the system: from x₀ it solves A y = b − A x₀ from zero")
  func startShiftsTheSystem() {
    let (a, b) = Self.system(15, condition: 10)
    var generator = Generator(seed: 133)
    let start = generator.vector(15)
    for k in 0...4 {
      let shifted = start + Self.iterate(k, a, Self.residual(a, start, b))
      expectRatio(
        .difference(Self.iterate(k, a, b, start: start), shifted).over(condition: 10), "\(k)")
    }
  }

  @Test("P-113 the perfect preconditioner needs one step", arguments: [1, 2, 10, 50])
  func perfectPreconditioner(_ n: Int) throws {
    let (a, b) = Self.system(n, condition: 1e4)
    let solution = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-8))
      .solve(a, b, preconditioner: try LAPACK.dpotri(a))
    #expect(solution.iterations == 1)
    #expect(solution.status == .converged)
  }

  @Test("P-114 two blocks at once: the same at convergence, not when cut short")
  func jointSolve() {
    let (a, b) = Self.system(8, condition: 50, seed: 134)
    let (c, d) = Self.system(6, condition: 500, seed: 135)
    var joint = Matrix(rowCount: 14, columnCount: 14)
    joint.setBlock(row: 0, column: 0, to: a)
    joint.setBlock(row: 8, column: 8, to: c)
    let right = Vector(b.elements + d.elements)
    func parts(_ solver: ConjugateGradient) -> Vector {
      Vector(solver.solve(a, b).value.elements + solver.solve(c, d).value.elements)
    }
    let full = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-12), maximumIterations: 200)
    expectAtMost(
      (full.solve(joint, right).value - parts(full)).norm, 500 * 1e-10 * parts(full).norm)
    let truncated = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 0), maximumIterations: 3)
    expectDifferent(truncated.solve(joint, right).value, parts(truncated), relative: 1e-2)
  }

  @Test("P-115 preconditioning with LLᵀ is plain CG on L⁻¹AL⁻ᵀ", arguments: 0...5)
  func preconditioningIsATransformation(_ k: Int) throws {
    let (a, b) = Self.system(12, condition: 100)
    let p = Self.system(12, condition: 10, seed: 136).a
    let lower = try LAPACK.dpotrf(p)
    let half = LAPACK.dtrsm(lower, a)
    let transformed = LAPACK.dtrsm(lower, half.transposed).symmetrized
    let y = Self.iterate(k, transformed, Vector(LAPACK.dtrsm(lower, Matrix(column: b)).storage))
    let back = LAPACK.dtrsm(lower, Matrix(column: y), .lower, transposed: true)
    let x = Self.iterate(k, a, b, preconditioner: try LAPACK.dpotri(p))
    // Rounding differs by κ(P) in the data; five steps on κ = 100 magnify it modestly.
    expectRatio(.difference(x, Vector(back.storage)).over(condition: 10 * 100), "\(k) steps")
    if k > 0 { expectDifferent(x, Self.iterate(k, a, b), relative: 1e-3) }
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
      let truth = Self.residual(a, Self.iterate(k, a, b), b).norm
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
      let x = Self.iterate(k, a, b)
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
