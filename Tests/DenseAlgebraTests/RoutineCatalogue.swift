import DenseAlgebra
import TestSupport

/// One routine of ours beside the LAPACK routine for the same task, both judged by one formula.
struct Routine: Sendable {
  let name: String
  let oracle: String
  /// nil where the matrix is not one the routine is for.
  let run: @Sendable (RoutineProblem) throws -> RoutineOutcome?

  static let all =
    products + triangularSolves + cholesky + lu + spectra + relativeSpectra + norms
    + iterations

  /// A routine whose answers, ours and LAPACK's, are judged by one ratio.
  init<Answer>(
    _ name: String, oracle: String, where applies: @escaping @Sendable (RoutineProblem) -> Bool,
    ours: @escaping @Sendable (RoutineProblem) throws -> Answer,
    lapack: @escaping @Sendable (RoutineProblem) throws -> Answer,
    ratio: @escaping @Sendable (RoutineProblem, Answer) throws -> Double
  ) {
    self.init(name: name, oracle: oracle) { problem in
      guard applies(problem) else { return nil }
      return RoutineOutcome(
        ratio: try ratio(problem, ours(problem)), lapackRatio: try ratio(problem, lapack(problem)))
    }
  }

  init(
    name: String, oracle: String,
    run: @escaping @Sendable (RoutineProblem) throws -> RoutineOutcome?
  ) {
    self.name = name
    self.oracle = oracle
    self.run = run
  }

  func measure(_ problem: RoutineProblem) throws -> RoutineMeasurement? {
    try run(problem).map {
      RoutineMeasurement(routine: name, oracle: oracle, problem: problem, outcome: $0)
    }
  }
}

@Sendable func always(_ problem: RoutineProblem) -> Bool { true }

/// ‖residual‖₁ / (n · scales · ε). Divided one by one: a product of scales may overflow where the
/// ratio does not.
func ratio(_ residual: Matrix, _ problem: RoutineProblem, _ scales: Matrix...) -> Double {
  let norm = LAPACK.norm1(residual)
  if norm == 0 { return 0 }
  return scales.reduce(norm / (Double(problem.size) * .ulpOfOne)) { $0 / LAPACK.norm1($1) }
}

/// ‖A·X − B‖₁ / (n‖A‖₁‖X‖₁ε).
func solveRatio(_ problem: RoutineProblem, _ a: Matrix, _ x: Matrix, _ b: Matrix) -> Double {
  ratio(Referee.residual(a, x, minus: b), problem, a, x)
}

/// ‖QᵀQ − I‖₁ / (nε).
func orthogonality(_ problem: RoutineProblem, _ q: Matrix) -> Double {
  ratio(Referee.residual(q.transposed, q, minus: .identity(q.columnCount)), problem)
}

/// −log₁₀ of a relative error, from 0 to 16.
func digits(relativeError: Double) -> Double {
  relativeError.isNaN ? 0 : max(0, min(16, -logarithm(relativeError) / logarithm(10)))
}

/// The worst |x − y| / |y| over entries y that are not zero.
func worstRelativeError(_ found: Vector, _ exact: Vector) -> Double {
  zip(found.elements, exact.elements).reduce(0) { worst, pair in
    pair.1 == 0 ? worst : max(worst, abs(pair.0 - pair.1) / abs(pair.1))
  }
}

/// max|X − Y| / max|Y|.
func largestRelativeError(_ found: Matrix, _ exact: Matrix) -> Double {
  LAPACK.dlange(found - exact, .maximum) / LAPACK.dlange(exact, .maximum)
}

/// A forward error over its bound n·κ·ε, with the correct digits of both answers.
func forwardOutcome(
  _ problem: RoutineProblem, condition: Double, ours: Double, lapack: Double
) -> RoutineOutcome {
  let bound = Double(problem.size) * condition * .ulpOfOne
  return RoutineOutcome(
    ratio: ours / bound, lapackRatio: lapack / bound, digits: digits(relativeError: ours),
    lapackDigits: digits(relativeError: lapack))
}
