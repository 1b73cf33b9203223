import DenseAlgebra
import TestSupport
import Testing

/// Spec 6.4: what exact arithmetic promises, with the slack that rounding needs (P-105, P-107 … P-110).
@Suite("Conjugate gradients: theory")
struct ConjugateGradientTheoryTests {
  /// Rounding delays the end where the condition is large (Greenbaum 1997, chapter 4): the textbook
  /// recurrence in NumPy 2.4.6 takes 10 and 14 steps for 8 values at κ = 1e3 and 1e6, 7 for 5 at 1e6.
  @Test("P-105: at most as many steps as distinct eigenvalues, twice as many where κ > 10")
  func terminationByDistinctEigenvalues() {
    property(
      "P-105", .inequality, oracle: "the chosen spectrum",
      over: SystemCase.cases(conditions: 1e6, distinct: 8)
    ) { value, checks in
      let (a, b) = (value.a, value.b)
      let solution = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-8), maximumIterations: 100
      ).solve(a, b)
      checks.holds(solution.status == .converged, "converged")
      checks.bounded(
        Double(solution.iterations),
        atMost: Double(value.condition <= 10 ? value.distinct : 2 * value.distinct), "steps")
      let attainable =
        30 * Double(value.size) * .ulpOfOne * LAPACK.norm1(a) * solution.value.norm / b.norm
      checks.bounded(
        trueResidual(a, solution.value, b).norm / b.norm, atMost: 1e-8 + attainable, "‖r‖/‖b‖")
    }
  }

  @Test("P-105: rank r plus λI: r + 1 steps, r when b is in the range")
  func terminationByRank() {
    let ranks = Cases<(rank: Int, seed: UInt64)>(
      edges: [(1, 1), (7, 2)], smaller: { [($0.rank - 1, $0.seed)].filter { $0.0 > 0 } },
      draw: { (1 + $0.below(7), $0.next() % 100_000) })
    property("P-105", .inequality, oracle: "the chosen spectrum", over: ranks) { value, checks in
      var generator = Generator(seed: value.seed)
      let x = generator.normal(30, value.rank)
      let a = x.timesOwnTranspose.addingToDiagonal(1)
      let solver = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-9))
      for (b, steps, name) in [
        (generator.vector(30), value.rank + 1, "any b"),
        (x * generator.vector(value.rank), value.rank, "b in the range"),
      ] {
        let solution = solver.solve(a, b)
        checks.bounded(Double(solution.iterations), atMost: Double(steps), name)
        checks.bounded(trueResidual(a, solution.value, b).norm / b.norm, atMost: 1.001e-9, name)
      }
    }
  }

  /// Energy errors ‖x_k − x*‖_A for k = 0 … steps, from the oracle's solution.
  private func energyErrors(_ a: Matrix, _ b: Vector, steps: Int) throws -> [Double] {
    let exact = try LAPACK.dposv(a, b)
    return (0...steps).map { k in
      let error = conjugateGradientIterate(k, a, b) - exact
      return error.dot(LAPACK.dgemm(a, error)).squareRoot()
    }
  }

  @Test("P-107: Chebyshev's bound, ‖e_k‖_A ≤ 2((√κ − 1)/(√κ + 1))ᵏ‖e₀‖_A")
  func chebyshevBound() {
    property(
      "P-107", .inequality, oracle: "dposv", over: SystemCase.cases(conditions: 1e4)
    ) { value, checks in
      let errors = try energyErrors(value.a, value.b, steps: 25)
      let root = value.condition.squareRoot()
      var rate = 1.0
      for k in errors.indices {
        // The floor is the accuracy of the oracle's own solution, √κ n ε in this norm.
        checks.atMost(
          errors[k], 2 * rate * errors[0], size: value.size, scale: root * errors[0], "step \(k)")
        rate *= (root - 1) / (root + 1)
      }
    }
  }

  /// Each in units of what rounding leaves of it: √κ n ε for energies, κ n ε for iterates. Exact
  /// arithmetic ends after as many steps as there are distinct eigenvalues; the steps that rounding
  /// adds may move ‖x‖ back (by 2e-10 in one of 3000 cases).
  @Test("P-108: energy error and q fall, ‖x‖ rises, ⟨x, b⟩ > 0")
  func monotoneQuantities() {
    property(
      "P-108", .inequality, oracle: "dposv",
      over: SystemCase.cases(sizes: 25, conditions: 1e4)
    ) { value, checks in
      let (a, b, steps) = (value.a, value.b, min(12, value.distinct))
      let errors = try energyErrors(a, b, steps: steps)
      let iterates = (0...steps).map { conjugateGradientIterate($0, a, b) }
      let q = iterates.map { 0.5 * $0.dot(LAPACK.dgemm(a, $0)) - $0.dot(b) }
      let last = iterates[steps].norm
      for k in 1...steps {
        checks.atMost(
          errors[k], errors[k - 1], size: value.size,
          scale: value.condition.squareRoot() * errors[0], "energy error, step \(k)")
        // Rounding of q itself: xᵀAx sums terms up to ‖A‖‖x‖², much more than |q| where x lies in
        // the directions of the small eigenvalues.
        checks.atMost(
          q[k], q[k - 1], size: value.size, scale: LAPACK.norm1(a) * last * last,
          "q, step \(k)")
        checks.atMost(
          iterates[k - 1].norm, iterates[k].norm, size: value.size,
          scale: value.condition * last,
          "‖x‖, step \(k)")
        checks.holds(iterates[k].dot(b) > 0, "⟨x, b⟩ > 0, step \(k)")
      }
      checks.holds(errors[1] < errors[0] && q[1] < 0, "the first step gains")
    }
  }

  @Test("P-109: the residual norm is not always monotone")
  func residualNeedNotFall() {
    property(
      "P-109", .counterProperty, oracle: "search", over: SystemCase.cases(conditions: 1e4),
      holds: .some
    ) { value, checks in
      let norms = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-8), maximumIterations: 10
      ).solve(value.a, value.b).residualNorms
      let growth = zip(norms.dropFirst(), norms).map { $0 / $1 }.max()
      checks.bounded(growth ?? 0, atLeast: 1.1, "largest ‖r_k‖/‖r_{k−1}‖")
    }
  }

  /// A = diag(1, 100), b = (1, 0.1): α = 1.01/2, r₁ = (0.495, −4.95), ‖r₁‖ = 4.95·√1.01 > ‖b‖.
  @Test("On diag(1, 100) the residual grows as the closed form says")
  func residualGrowsByTheClosedForm() {
    let solution = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-8), maximumIterations: 10
    ).solve(Matrix.diagonal([1, 100]), Vector([1, 0.1]))
    let norms = solution.residualNorms
    #expect(solution.iterations == 2)
    expectRatio(
      .difference(Vector(Array(norms.prefix(2))), Double(1.01).squareRoot() * Vector([1, 4.95]))
        .over(condition: 100))
  }

  /// A true residual carries an error nε‖A‖‖x‖ against a length that has fallen to ‖rᵢ‖, and so does
  /// a difference of iterates; κ ≤ 100 and six steps magnify it by no more than κ.
  @Test("P-110: residuals are orthogonal and directions conjugate")
  func orthogonality() {
    let cases = SystemCase.cases(sizes: 30, conditions: 1e2).filter { $0.size > 1 }
    property("P-110", .equal, oracle: "dgemm", over: cases) { value, checks in
      let (a, b) = (value.a, value.b)
      let steps = min(6, value.size)
      let iterates = (0...steps).map { conjugateGradientIterate($0, a, b) }
      let residuals = iterates.map { trueResidual(a, $0, b) }
      let directions = (1...steps).map { iterates[$0] - iterates[$0 - 1] }
      let unit =
        Double(value.size) * .ulpOfOne * LAPACK.norm1(a) * iterates[steps].norm * value.condition
      for i in 1..<steps {
        for j in 0..<i {
          // |⟨u, v⟩|/(‖u‖‖v‖), times ‖rᵢ‖ over its unit.
          for (u, v, name) in [
            (residuals[i], residuals[j], "r"), (directions[i], LAPACK.dgemm(a, directions[j]), "p"),
          ] {
            let isZero = u.norm == 0 || v.norm == 0
            let cosine = isZero ? 0 : abs(((1 / u.norm) * u).dot((1 / v.norm) * v))
            checks.bounded(cosine * residuals[i].norm / unit, atMost: 30, "\(name) \(i) \(j)")
          }
        }
      }
    }
  }
}
