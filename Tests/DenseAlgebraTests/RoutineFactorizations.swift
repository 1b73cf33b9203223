import DenseAlgebra
import TestSupport

extension Routine {
  static let cholesky: [Routine] = [
    definite("Cholesky factor", oracle: "dpotrf") { problem, ours, lapack in
      func judged(_ l: Matrix) -> Double {
        ratio(Referee.residual(l, l.transposed, minus: problem.matrix), problem, problem.matrix)
      }
      return RoutineOutcome(ratio: judged(ours.lower), lapackRatio: judged(lapack))
    },
    definite("Cholesky solve", oracle: "dpotrs") { problem, ours, lapack in
      let columns = (0..<3).map { ours.solve(problem.right.column($0)).elements }
      let a = problem.matrix
      let together = solveRatio(problem, a, ours.solve(problem.right), problem.right)
      let oneByOne = solveRatio(
        problem, a, Matrix(rowCount: problem.size, columnCount: 3, storage: columns.flatMap { $0 }),
        problem.right)
      return RoutineOutcome(
        ratio: max(together, oneByOne),
        lapackRatio: solveRatio(
          problem, a, try LAPACK.dpotrs(lower: lapack, problem.right), problem.right))
    },
    definite("Cholesky inverse", oracle: "dpotri") { problem, ours, _ in
      inverseOutcome(problem, ours: ours.inverse, lapack: try LAPACK.dpotri(problem.matrix))
    },
    definite("Cholesky log determinant", oracle: "dpotrf") { problem, ours, lapack in
      try logDeterminantOutcome(
        problem, ours: ours.logDeterminant,
        lapack: 2 * lapack.diagonal.reduce(0) { $0 + logarithm($1) })
    },
    definite("Cholesky solve: error/κ against 50 digits", oracle: "dposv") { problem, ours, _ in
      try solutionOutcome(problem, ours: { ours.solve($0) }, lapack: LAPACK.dposv)
    },
    definite("Cholesky inverse: error/κ against 50 digits", oracle: "dpotri") { problem, ours, _ in
      try inverseErrorOutcome(
        problem, ours: ours.inverse, lapack: try LAPACK.dpotri(problem.matrix))
    },
  ]

  static let lu: [Routine] = [
    general("LU solve", oracle: "dgesv") { problem, ours in
      let columns = (0..<3).map { ours.solve(problem.right.column($0)).elements }
      let a = problem.matrix
      let together = solveRatio(problem, a, ours.solve(problem.right), problem.right)
      let oneByOne = solveRatio(
        problem, a, Matrix(rowCount: problem.size, columnCount: 3, storage: columns.flatMap { $0 }),
        problem.right)
      return RoutineOutcome(
        ratio: max(together, oneByOne),
        lapackRatio: solveRatio(problem, a, try LAPACK.dgesv(a, problem.right), problem.right))
    },
    general("LU inverse", oracle: "dgetri") { problem, ours in
      inverseOutcome(problem, ours: ours.inverse, lapack: try LAPACK.dgetri(problem.matrix))
    },
    general("LU log determinant", oracle: "dgetrf") { problem, ours in
      let factors = try LAPACK.dgetrf(problem.matrix).factors
      return try logDeterminantOutcome(
        problem, ours: ours.logAbsoluteDeterminant,
        lapack: factors.diagonal.reduce(0) { $0 + logarithm(abs($1)) })
    },
    general("LU solve: error/κ against 50 digits", oracle: "dgesv") { problem, ours in
      try solutionOutcome(problem, ours: { ours.solve($0) }, lapack: LAPACK.dgesv)
    },
    general("LU inverse: error/κ against 50 digits", oracle: "dgetri") { problem, ours in
      try inverseErrorOutcome(
        problem, ours: ours.inverse, lapack: try LAPACK.dgetri(problem.matrix))
    },
  ]

  /// A routine on symmetric matrices that both factor. Where only one does, and the matrix is not
  /// positive definite beyond round-off, that is a finding; anywhere else it is an error.
  private static func definite(
    _ name: String, oracle: String,
    _ judge:
      @escaping @Sendable (RoutineProblem, CholeskyFactorization, Matrix) throws ->
      RoutineOutcome?
  ) -> Routine {
    Routine(name: name, oracle: oracle) { problem in
      guard problem.isSymmetric else { return nil }
      let ours = try? CholeskyFactorization(problem.matrix)
      let lapack = try? LAPACK.dpotrf(problem.matrix)
      switch (ours, lapack) {
      case (nil, nil): return nil
      case (let ours?, let lapack?): return try judge(problem, ours, lapack)
      default:
        let refused = ours == nil ? "ours" : "LAPACK"
        let isClear = try isPositiveDefiniteBeyondRoundOff(problem.matrix)
        return RoutineOutcome(
          ratio: isClear ? .infinity : .nan, lapackRatio: .nan,
          finding: isClear
            ? "" : "\(refused) alone refuses: a pivot at round-off; either sign is allowed")
      }
    }
  }

  /// Higham, Accuracy and Stability (2002), theorem 10.7: with H = A scaled to unit diagonal,
  /// Cholesky succeeds when λ_min(H) > n(n + 1)ε and may fail otherwise.
  private static func isPositiveDefiniteBeyondRoundOff(_ a: Matrix) throws -> Bool {
    guard a.diagonal.allSatisfy({ $0 > 0 }) else { return false }
    let roots = a.diagonal.map { $0.squareRoot() }
    let scaled = Matrix(rowCount: a.rowCount, columnCount: a.rowCount) {
      a[$0, $1] / roots[$0] / roots[$1]
    }
    let n = Double(a.rowCount)
    return try LAPACK.dsyevd(scaled).values[0] > n * (n + 1) * .ulpOfOne
  }

  /// A routine on matrices that both factor; ours refuses where a pivot is zero, as LAPACK does.
  private static func general(
    _ name: String, oracle: String,
    _ judge: @escaping @Sendable (RoutineProblem, LUFactorization) throws -> RoutineOutcome?
  ) -> Routine {
    Routine(name: name, oracle: oracle) { problem in
      let ours = try? LUFactorization(problem.matrix)
      let lapack = try? LAPACK.dgetrf(problem.matrix)
      switch (ours, lapack) {
      case (nil, nil): return nil
      case (let ours?, .some): return try judge(problem, ours)
      default:
        let values = try LAPACK.dgesvj(problem.matrix).values
        let isClear = values[problem.size - 1] > Double(problem.size) * .ulpOfOne * values[0]
        return RoutineOutcome(
          ratio: isClear ? .infinity : .nan, lapackRatio: .nan,
          finding: isClear
            ? ""
            : "\(ours == nil ? "ours" : "LAPACK") alone refuses: a pivot at round-off became zero")
      }
    }
  }

  /// The better of ‖AX − I‖₁ and ‖XA − I‖₁, over n‖A‖₁‖X‖₁ε: an algorithm keeps one of them small.
  private static func inverseOutcome(
    _ problem: RoutineProblem, ours: Matrix, lapack: Matrix
  ) -> RoutineOutcome? {
    let identity = Matrix.identity(problem.size)
    func judged(_ x: Matrix) -> Double {
      min(
        solveRatio(problem, problem.matrix, x, identity),
        solveRatio(problem, x, problem.matrix, identity))
    }
    // Inverses of matrices that are singular up to round-off may overflow.
    guard LAPACK.norm1(lapack).isFinite else { return nil }
    return RoutineOutcome(ratio: judged(ours), lapackRatio: judged(lapack))
  }

  /// |log det − exact| over ε times n Σᵢⱼ|A⁻¹|ᵢⱼ√(aᵢᵢaⱼⱼ) + Σ|log|: the first term is what elimination's
  /// backward error does to log det and does not grow with the grading, the second what the sum
  /// of logarithms does. The diagonal is replaced by the largest entry of row and column, so that
  /// it serves indefinite matrices too.
  private static func logDeterminantOutcome(
    _ problem: RoutineProblem, ours: Double, lapack: Double
  ) throws -> RoutineOutcome? {
    let a = problem.matrix
    let certified = problem.certified?.logAbsoluteDeterminant
    guard let exact = certified ?? Referee.logAbsoluteDeterminant(a),
      let inverse = try? LAPACK.dgetri(a), LAPACK.norm1(inverse).isFinite
    else { return nil }
    let sizes = (0..<problem.size).map { i in
      (0..<problem.size).reduce(0) { max($0, abs(a[i, $1]), abs(a[$1, i])) }.squareRoot()
    }
    let sensitivity = (0..<problem.size).reduce(0.0) { sum, j in
      (0..<problem.size).reduce(sum) { $0 + sizes[$1] * abs(inverse[$1, j]) * sizes[j] }
    }
    let budget =
      .ulpOfOne * (Double(problem.size) * sensitivity + abs(exact) + Double(problem.size))
    func error(_ value: Double) -> Double { abs(value - exact) }
    var outcome = RoutineOutcome(ratio: error(ours) / budget, lapackRatio: error(lapack) / budget)
    if certified != nil {
      outcome.digits = digits(relativeError: error(ours) / max(1, abs(exact)))
      outcome.lapackDigits = digits(relativeError: error(lapack) / max(1, abs(exact)))
    }
    return outcome
  }

  private static func solutionOutcome(
    _ problem: RoutineProblem, ours: (Vector) throws -> Vector,
    lapack: (Matrix, Vector) throws -> Vector
  ) throws -> RoutineOutcome? {
    guard let certified = problem.certified, let right = certified.rightHandSide,
      let exact = certified.solution, let condition = certified.condition
    else { return nil }
    func error(_ x: Vector) -> Double {
      largestRelativeError(Matrix(column: x), Matrix(column: exact))
    }
    return forwardOutcome(
      problem, condition: condition, ours: error(try ours(right)),
      lapack: error(try lapack(problem.matrix, right)))
  }

  private static func inverseErrorOutcome(
    _ problem: RoutineProblem, ours: Matrix, lapack: Matrix
  ) throws -> RoutineOutcome? {
    guard let exact = problem.certified?.inverse, let condition = problem.certified?.condition
    else { return nil }
    return forwardOutcome(
      problem, condition: condition, ours: largestRelativeError(ours, exact),
      lapack: largestRelativeError(lapack, exact))
  }
}
