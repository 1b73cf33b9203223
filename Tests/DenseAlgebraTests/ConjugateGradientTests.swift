import DenseAlgebra
import TestSupport
import Testing

/// What the generic solver computes (spec 6.1, 6.3; P-104, P-106, P-111 … P-115).
@Suite("Conjugate gradients: solutions")
struct ConjugateGradientTests {
  @Test("P-104: converged, it is dpotrs's solution")
  func convergedSolutionIsThatOfDpotrs() {
    property("P-104", .equal, oracle: "dpotrs", over: SystemCase.cases(conditions: 1e6)) {
      value, checks in
      let (a, b) = (value.a, value.b)
      let tolerance = 1e-12
      let solution = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: tolerance), maximumIterations: 5000
      ).solve(a, b)
      checks.holds(solution.status == .converged, "converged")
      let oracle = try LAPACK.dpotrs(lower: LAPACK.dpotrf(a), b)
      // ‖x − x*‖ ≤ ‖A⁻¹‖‖r‖, ‖r‖ ≤ τ‖b‖, and the round-off of the recurrence on top.
      let unit = value.condition * (tolerance + Double(value.size) * .ulpOfOne)
      let error = (solution.value - oracle).norm / oracle.norm / unit
      checks.bounded(error, atMost: 30, "error over κ(τ + nε)")
      LapackComparison.record(
        algorithm: "conjugate gradient, error over κ(τ + nε)", oracle: "dpotrs", ratio: error)
    }
  }

  @Test("P-106: rank one plus λI: the closed form; one step for b ∝ v, two otherwise")
  func rankOneSystem() {
    let cases = Cases<SystemCase>(
      edges: [1e-150, 1e150].map {
        SystemCase(size: 6, distinct: 1, spread: 1e-2, scale: $0, seed: 3)
      },
      draw: { random in
        SystemCase(
          size: 2 + random.below(30), distinct: 1,
          spread: [1e-3, 1e-2, 1, 1e2][random.below(4)], seed: random.next() % 100_000)
      })
    property("P-106", .equal, oracle: "closed form", over: cases) { value, checks in
      var generator = Generator(seed: value.seed)
      let (v, w) = (generator.vector(value.size), generator.vector(value.size))
      // λ/‖v‖² is the case's spread, and A is scaled as a whole.
      let lambda = value.spread * v.dot(v)
      let a = value.scale * (Matrix(column: v).timesOwnTranspose).addingToDiagonal(lambda)
      let condition = 1 + v.dot(v) / lambda
      let solver = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-11))
      for (b, steps, name) in [(v, 1, "b = v"), (-3 * v, 1, "b = −3v"), (w, 2, "any b")] {
        let solution = solver.solve(a, b)
        checks.holds(solution.iterations == steps, "\(name): \(solution.iterations) steps")
        let closed =
          (1 / value.scale / lambda) * (b - (v.dot(b) / (lambda + v.dot(v))) * v)
        checks.ratio(.difference(solution.value, closed).over(condition: condition), name)
      }
    }
  }

  @Test("P-111: the first iterate is the exact line search along b")
  func firstIterateIsALineSearch() {
    property("P-111", .equal, oracle: "closed form", over: SystemCase.cases(conditions: 1e6)) {
      value, checks in
      let (a, b) = (value.a, value.b)
      let curvature = b.dot(LAPACK.dgemm(a, b))
      let first = conjugateGradientIterate(1, a, b)
      // bᵀAb is a sum of terms up to ‖A‖‖b‖².
      let condition = LAPACK.norm1(a) * b.dot(b) / curvature
      checks.ratio(.difference(first, (b.dot(b) / curvature) * b).over(condition: condition))
      // And the slope of q along b vanishes there: ⟨b, b − Ax₁⟩ = 0.
      checks.equal(
        b.dot(trueResidual(a, first, b)), 0, size: value.size,
        scale: LAPACK.norm1(a) * first.norm * b.norm, "slope")
    }
  }

  @Test("P-112: a start near the solution takes no step under the ‖b‖ rule")
  func warmStart() {
    property(
      "P-112", .equal, oracle: "dposv", over: SystemCase.cases(conditions: 1e2)
    ) { value, checks in
      let (a, b) = (value.a, value.b)
      let start = (1 + 1e-5) * (try LAPACK.dposv(a, b))
      let warm = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-4))
        .solve(a, b, start: start)
      checks.holds(warm.iterations == 0 && warm.status == .converged, "no step")
      checks.holds(warm.value == start, "the start itself, bit for bit")
      // From zero r₀ = b, and the two rules are one.
      let rules: [ConjugateGradient.StoppingRule] = [
        .firstResidual(tolerance: 1e-4), .rightHandSide(tolerance: 1e-4),
      ]
      let cold = rules.map { ConjugateGradient(stoppingRule: $0).solve(a, b) }
      checks.holds(cold[0] == cold[1] && cold[0].iterations > 0, "from zero the rules agree")
    }
  }

  @Test("P-112: under the ‖r₀‖ rule the same start needs steps")
  func warmStartUnderTheOtherRule() {
    property(
      "P-112", .counterProperty, oracle: "dposv", over: SystemCase.cases(conditions: 1e2)
    ) { value, checks in
      let (a, b) = (value.a, value.b)
      let start = (1 + 1e-5) * (try LAPACK.dposv(a, b))
      let solution = ConjugateGradient(stoppingRule: .firstResidual(tolerance: 1e-4))
        .solve(a, b, start: start)
      checks.bounded(Double(solution.iterations), atLeast: 1, "steps")
      checks.holds(solution.status == .converged, "converged")
    }
  }

  /// M⁻¹ = A⁻¹ from dpotri is known to n ε κ, and so is the residual after the one step.
  @Test("P-113: the perfect preconditioner needs one step")
  func perfectPreconditioner() {
    property("P-113", .equal, oracle: "dpotri", over: SystemCase.cases(conditions: 1e6)) {
      value, checks in
      let (a, b) = (value.a, value.b)
      let unit = Double(value.size) * .ulpOfOne * value.condition
      let solution = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 30 * unit))
        .solve(a, b, preconditioner: try LAPACK.dpotri(a))
      checks.holds(
        solution.iterations == 1 && solution.status == .converged,
        "\(solution.iterations) steps, \(solution.status)")
      checks.bounded(
        trueResidual(a, solution.value, b).norm / b.norm / unit, atMost: 30, "‖r₁‖/‖b‖ over nεκ")
    }
  }

  @Test("P-114: two blocks at once are the two solved apart, at convergence")
  func jointSolve() {
    property("P-114", .equal, oracle: "dposv", over: SystemCase.cases(sizes: 10, conditions: 1e3)) {
      value, checks in
      let (joint, right, parts) = Self.twoBlocks(value)
      let full = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-12), maximumIterations: 1000)
      let apart = Vector(parts.flatMap { full.solve($0.a, $0.b).value.elements })
      let together = full.solve(joint, right)
      checks.holds(together.status == .converged, "converged")
      // Each solves to 1e-12 ‖b‖ in the residual, the error is κ times that.
      let unit = max(value.condition, 500) * (1e-12 + Double(right.count) * .ulpOfOne)
      checks.bounded((together.value - apart).norm / apart.norm / unit, atMost: 30, "over κτ")
    }
  }

  @Test("P-114: cut short, they are something else")
  func truncatedJointSolve() {
    let generic = SystemCase.cases(sizes: 12, conditions: 1e2).generic
      .filter { $0.distinct > 4 && $0.scale == 1 && $0.spread > 1 }
    property("P-114", .counterProperty, oracle: "itself, apart", over: generic) { value, checks in
      let (joint, right, parts) = Self.twoBlocks(value)
      let apart = parts.flatMap { conjugateGradientIterate(3, $0.a, $0.b).elements }
      checks.different(conjugateGradientIterate(3, joint, right), Vector(apart))
    }
  }

  /// The block-diagonal system of a case and a second one of condition 500.
  private static func twoBlocks(
    _ value: SystemCase
  ) -> (joint: Matrix, right: Vector, parts: [(a: Matrix, b: Vector)]) {
    let second = SystemCase(
      size: 6, distinct: 6, spread: 500, scale: value.scale, seed: value.seed + 1)
    var joint = Matrix(rowCount: value.size + 6, columnCount: value.size + 6)
    joint.setBlock(row: 0, column: 0, to: value.a)
    joint.setBlock(row: value.size, column: value.size, to: second.a)
    return (
      joint, Vector(value.b.elements + second.b.elements),
      [(value.a, value.b), (second.a, second.b)]
    )
  }

  /// Zero to three steps. Rounding differs by κ(P) in the data, and each step magnifies it: three by no
  /// more than κ(A), later ones as orthogonality is lost (at the fifth of n = 5, κ = 100, 1.3e-9 was
  /// seen in 3000 cases).
  @Test("P-115: preconditioning with LLᵀ is plain CG on L⁻¹AL⁻ᵀ")
  func preconditioningIsATransformation() {
    property(
      "P-115", .equal, oracle: "dtrsm", over: SystemCase.cases(sizes: 12, conditions: 1e2)
    ) { value, checks in
      let (a, b, p) = (value.a, value.b, Self.preconditioner(value))
      let lower = try LAPACK.dpotrf(p)
      let half = LAPACK.dtrsm(lower, a)
      let transformed = LAPACK.dtrsm(lower, half.transposed).symmetrized
      let right = Vector(LAPACK.dtrsm(lower, Matrix(column: b)).storage)
      let inverse = try LAPACK.dpotri(p)
      for k in 0...3 {
        let y = conjugateGradientIterate(k, transformed, right)
        let back = LAPACK.dtrsm(lower, Matrix(column: y), .lower, transposed: true)
        let x = conjugateGradientIterate(k, a, b, preconditioner: inverse)
        checks.ratio(
          .difference(x, Vector(back.storage)).over(condition: 10 * value.condition), "\(k) steps")
      }
    }
  }

  @Test("P-115: and not plain CG on A")
  func preconditioningChangesTheIterates() {
    let generic = SystemCase.cases(sizes: 12, conditions: 1e2).generic
      .filter { $0.size > 3 && $0.distinct > 3 }
    property("P-115", .counterProperty, oracle: "itself, plain", over: generic) { value, checks in
      let inverse = try LAPACK.dpotri(Self.preconditioner(value))
      for k in 1...2 {
        checks.different(
          conjugateGradientIterate(k, value.a, value.b, preconditioner: inverse),
          conjugateGradientIterate(k, value.a, value.b), "\(k) steps")
      }
    }
  }

  /// A positive definite matrix of condition 10 that has nothing to do with the system.
  private static func preconditioner(_ value: SystemCase) -> Matrix {
    SystemCase(size: value.size, distinct: value.size, spread: 10, seed: value.seed + 1).a
  }
}
