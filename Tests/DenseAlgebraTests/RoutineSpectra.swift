import DenseAlgebra
import TestSupport

extension Routine {
  /// Symmetric eigenvalues and vectors, singular values and vectors.
  static let spectra: [Routine] =
    eigen("dsyev") { try LAPACK.dsyev($0) } + eigen("dsyevd") { try LAPACK.dsyevd($0) }
    + eigen("dsyevr") { try LAPACK.dsyevr($0) }
    + singular("dgesvd") { try LAPACK.dgesvd($0) } + singular("dgesdd") { try LAPACK.dgesdd($0) }
    + [eigenvaluesAlone, certifiedEigenvalues, certifiedSingularValues, jacobi]

  /// ‖A − QΛQᵀ‖₁ / (n‖A‖₁ε) and ‖QᵀQ − I‖₁ / (nε).
  private static func eigen(
    _ oracle: String, _ lapack: @escaping @Sendable (Matrix) throws -> LAPACK.Eigen
  ) -> [Routine] {
    @Sendable func ours(_ problem: RoutineProblem) throws -> (Vector, Matrix) {
      let found = try SymmetricEigendecomposition(problem.matrix)
      return (found.values, found.vectors)
    }
    @Sendable func theirs(_ problem: RoutineProblem) throws -> (Vector, Matrix) {
      let found = try lapack(problem.matrix)
      return (found.values, found.vectors)
    }
    return [
      Routine(
        "symmetric eigendecomposition: residual", oracle: oracle, where: \.isSymmetric, ours: ours,
        lapack: theirs,
        ratio: { problem, found in
          ratio(
            reconstructionError(found.1, found.0, found.1, of: problem.matrix), problem,
            problem.matrix)
        }),
      Routine(
        "symmetric eigendecomposition: orthogonality", oracle: oracle, where: \.isSymmetric,
        ours: ours, lapack: theirs,
        ratio: { problem, found in orthogonality(problem, found.1) }),
    ]
  }

  /// U·diag(σ)·Vᵀ − M.
  private static func reconstructionError(
    _ u: Matrix, _ values: Vector, _ v: Matrix, of m: Matrix
  ) -> Matrix {
    let scaled = Matrix(rowCount: u.rowCount, columnCount: u.columnCount) {
      u[$0, $1] * values[$1]
    }
    return Referee.residual(scaled, v.transposed, minus: m)
  }

  /// The same for M = U·Σ·Vᵀ, of the matrix and of its first half of columns, which is tall.
  private static func singular(
    _ oracle: String, _ lapack: @escaping @Sendable (Matrix) throws -> LAPACK.SingularValues
  ) -> [Routine] {
    @Sendable func tall(_ problem: RoutineProblem) -> Matrix {
      problem.matrix.block(rows: 0..<problem.size, columns: 0..<(problem.size + 1) / 2)
    }
    let shapes: [(String, @Sendable (RoutineProblem) -> Matrix)] = [
      ("singular value decomposition", { $0.matrix }),
      ("singular value decomposition (tall)", tall),
    ]
    return shapes.flatMap { name, matrix in
      @Sendable func ours(_ problem: RoutineProblem) throws -> (Matrix, Vector, Matrix) {
        let found = try SingularValueDecomposition(matrix(problem))
        return (found.left, found.values, found.right)
      }
      @Sendable func theirs(_ problem: RoutineProblem) throws -> (Matrix, Vector, Matrix) {
        let found = try lapack(matrix(problem))
        return (found.left, found.values, found.right)
      }
      return [
        Routine(
          "\(name): residual", oracle: oracle, where: always, ours: ours, lapack: theirs,
          ratio: { problem, found in
            let m = matrix(problem)
            return ratio(reconstructionError(found.0, found.1, found.2, of: m), problem, m)
          }),
        Routine(
          "\(name): orthogonality", oracle: oracle, where: always, ours: ours, lapack: theirs,
          ratio: { problem, found in
            max(orthogonality(problem, found.0), orthogonality(problem, found.2))
          }),
      ]
    }
  }

  /// max|λ − λ'| / (n‖A‖₁ε) of the values computed without vectors; the referee is dsyevd.
  private static let eigenvaluesAlone = Routine(
    "symmetric eigenvalues alone", oracle: "dsyev", where: \.isSymmetric,
    ours: { try SymmetricEigendecomposition.values(of: $0.matrix) },
    lapack: { try LAPACK.dsyev($0.matrix).values },
    ratio: { problem, found in
      let error = found - (try LAPACK.dsyevd(problem.matrix).values)
      return spread(error, problem)
    })

  private static func spread(_ error: Vector, _ problem: RoutineProblem) -> Double {
    // A row of numbers: its 1-norm is the largest of them.
    ratio(
      Matrix(rowCount: 1, columnCount: error.count, storage: error.elements), problem,
      problem.matrix)
  }

  /// max|λ − λ₅₀| / (n‖A‖₁ε); the digits are those of the worst eigenvalue, relative to itself.
  private static let certifiedEigenvalues = Routine(
    name: "symmetric eigenvalues against 50 digits", oracle: "dsyevd"
  ) { problem in
    guard let exact = problem.certified?.eigenvalues else { return nil }
    let ours = try SymmetricEigendecomposition(problem.matrix).values
    let lapack = try LAPACK.dsyevd(problem.matrix).values
    return RoutineOutcome(
      ratio: spread(ours - exact, problem), lapackRatio: spread(lapack - exact, problem),
      digits: digits(relativeError: worstRelativeError(ours, exact)),
      lapackDigits: digits(relativeError: worstRelativeError(lapack, exact)))
  }

  /// max|σ − σ₅₀| / (n‖M‖₁ε); the digits are those of the worst singular value.
  private static let certifiedSingularValues = Routine(
    name: "singular values against 50 digits", oracle: "dgesvd"
  ) { problem in
    guard let exact = problem.certified?.singularValues else { return nil }
    let ours = try SingularValueDecomposition(problem.matrix).values
    let lapack = try LAPACK.dgesvd(problem.matrix).values
    return RoutineOutcome(
      ratio: spread(ours - exact, problem), lapackRatio: spread(lapack - exact, problem),
      digits: digits(relativeError: worstRelativeError(ours, exact)),
      lapackDigits: digits(relativeError: worstRelativeError(lapack, exact)))
  }

  /// X the lower triangle of the matrix: ‖XXᵀ − QΛQᵀ‖₁ / (n‖XXᵀ‖₁ε), or the orthogonality of Q if
  /// that is worse. LAPACK decomposes the product; the Jacobi method never forms it.
  private static let jacobi = Routine(
    "Jacobi eigendecomposition of XXᵀ", oracle: "dsyevd of XXᵀ", where: always,
    ours: {
      let found = try JacobiEigendecomposition(factor: $0.lowerTriangle)
      return (found.values, found.vectors)
    },
    lapack: {
      let x = $0.lowerTriangle
      let found = try LAPACK.dsyevd(Referee.product(x, x.transposed))
      return (found.values, found.vectors)
    },
    ratio: { (problem: RoutineProblem, found: (Vector, Matrix)) in
      let x = problem.lowerTriangle
      let product = Referee.product(x, x.transposed)
      let residual = ratio(
        reconstructionError(found.1, found.0, found.1, of: product), problem, product)
      return max(residual, orthogonality(problem, found.1))
    })

  /// The smallest eigenvalues of graded matrices, each relative to itself: max|λ − λ'| / (nελ').
  ///
  /// A = D·C·D with C well conditioned: the Jacobi method on a factor keeps the relative accuracy
  /// of every eigenvalue (Demmel and Veselić 1992). The limit is four times the error of LAPACK's
  /// Jacobi, dgesvj; the rows of dsyevd and dsyevr show what their eigenvalues lose.
  static let relativeSpectra: [Routine] = [
    graded("dgesvj of its factor", factorJacobi),
    graded("dsyevd") { try LAPACK.dsyevd($0.matrix).values },
    graded("dsyevr") { try LAPACK.dsyevr($0.matrix).values },
  ]

  private static func graded(
    _ oracle: String, _ lapack: @escaping @Sendable (RoutineProblem) throws -> Vector
  ) -> Routine {
    Routine(name: "graded eigenvalues each relative to itself: Jacobi", oracle: oracle) { problem in
      guard problem.kind.hasPrefix("graded") else { return nil }
      let certified = problem.certified?.eigenvalues
      let exact = try certified ?? factorJacobi(problem)
      let factor = try problem.certified?.factor ?? CholeskyFactorization(problem.matrix).lower
      let ours = worstRelativeError(try JacobiEigendecomposition(factor: factor).values, exact)
      let theirs = worstRelativeError(try lapack(problem), exact)
      let budget = Double(problem.size) * .ulpOfOne
      return RoutineOutcome(
        ratio: ours / budget, lapackRatio: theirs / budget,
        digits: certified.map { _ in digits(relativeError: ours) },
        lapackDigits: certified.map { _ in digits(relativeError: theirs) })
    }
  }

  /// Eigenvalues of A by LAPACK's one-sided Jacobi on the given factor, or on that of dpotrf.
  @Sendable private static func factorJacobi(_ problem: RoutineProblem) throws -> Vector {
    let factor = try problem.certified?.factor ?? LAPACK.dpotrf(problem.matrix)
    return Vector(try LAPACK.dgesvj(factor).values.elements.reversed().map { $0 * $0 })
  }
}
