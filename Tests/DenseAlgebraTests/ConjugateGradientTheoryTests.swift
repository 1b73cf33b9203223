import DenseAlgebra
import TestSupport
import Testing

/// Spec 6.4: what exact arithmetic promises, with the slack that rounding needs (P-105, P-107 … P-110).
@Suite("Conjugate gradients: theory")
struct ConjugateGradientTheoryTests {
  typealias Rules = ConjugateGradientTests

  @Test("P-105 at most as many steps as distinct eigenvalues", arguments: [1, 2, 3, 5, 8])
  func terminationByDistinctEigenvalues(_ count: Int) throws {
    for condition in [10.0, 1e3, 1e6] {
      var generator = Generator(seed: 141)
      let distinct = geometric(count, from: 1, to: 1 / condition)
      let a = generator.symmetric(eigenvalues: (0..<40).map { distinct[$0 % count] })
      let b = generator.vector(40)
      let solution = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-8), maximumIterations: 100
      ).solve(a, b)
      #expect(solution.status == .converged)
      // Rounding delays the end where the condition is large: the textbook recurrence in
      // NumPy 2.4.6 takes 10 and 14 steps for 8 values at κ = 1e3 and 1e6, 7 for 5 at 1e6.
      let slack = condition == 10 ? 0 : condition == 1e3 ? count / 4 : 3 * count / 4
      #expect(solution.iterations <= count + slack, "κ = \(condition)")
      #expect(condition > 10 || solution.iterations == count, "and no fewer on a random b")
    }
  }

  @Test("P-105 rank r plus λI: r + 1 steps, r when b is in the range", arguments: [1, 2, 4, 7])
  func terminationByRank(_ rank: Int) {
    var generator = Generator(seed: 142)
    let x = generator.normal(30, rank)
    let a = x.timesOwnTranspose.addingToDiagonal(1)
    let solver = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-9))
    #expect(solver.solve(a, generator.vector(30)).iterations == rank + 1)
    #expect(solver.solve(a, x * generator.vector(rank)).iterations == rank)
  }

  /// Energy errors ‖x_k − x*‖_A for k = 0 … steps, from the oracle's solution.
  private func energyErrors(_ a: Matrix, _ b: Vector, steps: Int) throws -> [Double] {
    let exact = try LAPACK.dposv(a, b)
    return (0...steps).map { k in
      let error = Rules.iterate(k, a, b) - exact
      return error.dot(LAPACK.dgemm(a, error)).squareRoot()
    }
  }

  @Test("P-107 Chebyshev's bound", arguments: [2.0, 10, 100, 1e3])
  func chebyshevBound(_ condition: Double) throws {
    let (a, b) = Rules.system(40, condition: condition)
    let errors = try energyErrors(a, b, steps: 25)
    let root = condition.squareRoot()
    var rate = 1.0
    for k in errors.indices {
      // The floor is the accuracy of the oracle's own solution, √κ·n·ε in this norm.
      expectAtMost(
        errors[k], 2 * rate * errors[0] * (1 + 1e-10),
        slack: 30 * 40 * root * .ulpOfOne * errors[0], "κ = \(condition), k = \(k)")
      rate *= (root - 1) / (root + 1)
    }
    #expect(errors[1] < errors[0])
  }

  @Test(
    "P-108 energy error and q fall, ‖x‖ rises, ⟨x, b⟩ > 0", arguments: [1, 2, 3, 4],
    [10.0, 1e3, 1e5])
  func monotoneQuantities(_ seed: UInt64, _ condition: Double) throws {
    let (a, b) = Rules.system(25, condition: condition, seed: seed)
    let steps = 12
    let errors = try energyErrors(a, b, steps: steps)
    let iterates = (0...steps).map { Rules.iterate($0, a, b) }
    let q = iterates.map { 0.5 * $0.dot(LAPACK.dgemm(a, $0)) - $0.dot(b) }
    // Converged iterates only jitter; until then every step is strict.
    for k in 1...steps where errors[k - 1] > 1e-7 * errors[0] {
      #expect(errors[k] < errors[k - 1], "energy error, step \(k), seed \(seed)")
      #expect(q[k] < q[k - 1] * (1 - .ulpOfOne), "q, step \(k), seed \(seed)")
      #expect(iterates[k].norm > iterates[k - 1].norm, "‖x‖, step \(k), seed \(seed)")
      #expect(iterates[k].dot(b) > 0)
    }
  }

  /// A = diag(1, 100), b = (1, 0.1): α = 1.01/2, r₁ = (0.495, −4.95), ‖r₁‖ = 4.95·√1.01 > ‖b‖.
  @Test("P-109 the residual norm need not fall")
  func residualNeedNotFall() {
    let solution = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-8), maximumIterations: 10
    ).solve(Matrix.diagonal([1, 100]), Vector([1, 0.1]))
    let norms = solution.residualNorms
    #expect(solution.iterations == 2)
    #expect(norms[1] > norms[0])
    expectRatio(
      .difference(Vector(Array(norms.prefix(2))), Double(1.01).squareRoot() * Vector([1, 4.95]))
        .over(condition: 100))
  }

  @Test("P-110 residuals are orthogonal and directions conjugate", arguments: [1, 2, 3])
  func orthogonality(_ seed: UInt64) {
    let condition = 10.0
    let (a, b) = Rules.system(30, condition: condition, seed: seed)
    let iterates = (0...6).map { Rules.iterate($0, a, b) }
    let residuals = iterates.map { Rules.residual(a, $0, b) }
    let directions = (1...6).map { iterates[$0] - iterates[$0 - 1] }
    func cosine(_ x: Vector, _ y: Vector) -> Double { abs(x.dot(y)) / (x.norm * y.norm) }
    for i in 0..<6 {
      for j in 0..<i {
        // A true residual carries an error ε‖A‖‖x‖ against a length that has fallen to ‖rᵢ‖.
        let slack = 30 * 30 * .ulpOfOne * LAPACK.norm1(a) * iterates[6].norm
        expectAtMost(cosine(residuals[i], residuals[j]), slack / residuals[i].norm, "r \(i) \(j)")
        expectAtMost(
          cosine(directions[i], LAPACK.dgemm(a, directions[j])),
          slack * condition / residuals[i].norm, "p \(i) \(j)")
      }
    }
  }
}
