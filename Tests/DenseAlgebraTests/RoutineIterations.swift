import DenseAlgebra
import TestSupport

extension Routine {
  /// ‖Ax − b‖₁ / (n‖A‖₁‖x‖₁ε) of conjugate gradients run to the end, for κ up to 1e8.
  ///
  /// The budget of steps is the theory's: ‖eₖ‖_A ≤ 2((√κ − 1)/(√κ + 1))ᵏ‖e₀‖_A, so ½√κ log(2√κ/ε)
  /// steps bring the residual to ε. For larger κ that is no rival of a factorization.
  static let iterations: [Routine] = [
    Routine(name: "conjugate gradients", oracle: "dpotrs") { problem in
      guard problem.isSymmetric, (try? CholeskyFactorization(problem.matrix)) != nil else {
        return nil
      }
      let values = try LAPACK.dsyevd(problem.matrix).values
      let condition = values[problem.size - 1] / values[0]
      guard values[0] > 0, condition < 3e8 else { return nil }
      let root = condition.squareRoot()
      let b = problem.right.column(0)
      let iteration = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-16),
        maximumIterations: 20 + Int(root / 2 * logarithm(2 * root / .ulpOfOne)))
      let found = iteration.solve(problem.matrix, b).value
      let expected = try LAPACK.dpotrs(lower: LAPACK.dpotrf(problem.matrix), b)
      func judged(_ x: Vector) -> Double {
        solveRatio(problem, problem.matrix, Matrix(column: x), Matrix(column: b))
      }
      return RoutineOutcome(ratio: judged(found), lapackRatio: judged(expected))
    }
  ]
}
