import DenseAlgebra
import TestSupport

extension Routine {
  /// ‖C − A·B‖₁ / (n‖A‖₁‖B‖₁ε), the exact product from twice the precision.
  ///
  /// One factor is the matrix of the problem, the other a normal matrix: a symmetric pair would not
  /// notice a transposition.
  static let products: [Routine] = [
    product("product", { $0 * $1 }, { LAPACK.dgemm($0, $1) }, { ($0, $1) }),
    product(
      "product with transposed left factor", { $1.transposedTimes($0) },
      { LAPACK.dgemm($1, $0, transposeA: true) }, { ($1.transposed, $0) }),
    product(
      "product with transposed right factor", { $0.timesTransposed($1) },
      { LAPACK.dgemm($0, $1, transposeB: true) }, { ($0, $1.transposed) }),
    product(
      "matrix times vector", { Matrix(column: $1 * $0.column(0)) },
      { LAPACK.dgemm($1, $0.block(rows: 0..<$0.rowCount, columns: 0..<1)) },
      { ($1, $0.block(rows: 0..<$0.rowCount, columns: 0..<1)) }),
    product(
      "transposed matrix times vector", { Matrix(column: $1.transposedTimes($0.column(0))) },
      { LAPACK.dgemm($1, $0.block(rows: 0..<$0.rowCount, columns: 0..<1), transposeA: true) },
      { ($1.transposed, $0.block(rows: 0..<$0.rowCount, columns: 0..<1)) }),
    symmetricProduct(
      "symmetric product", { $0.timesOwnTranspose }, { LAPACK.dsyrk($0) }, { ($0, $0.transposed) }),
    symmetricProduct(
      "Gram matrix", { $0.gram }, { LAPACK.dsyrk($0, transposed: true) }, { ($0.transposed, $0) }),
  ]

  private static func product(
    _ name: String, _ ours: @escaping @Sendable (Matrix, Matrix) -> Matrix,
    _ lapack: @escaping @Sendable (Matrix, Matrix) -> Matrix,
    _ factors: @escaping @Sendable (Matrix, Matrix) -> (Matrix, Matrix)
  ) -> Routine {
    Routine(
      name, oracle: "dgemm", where: always, ours: { ours($0.matrix, $0.other) },
      lapack: { lapack($0.matrix, $0.other) },
      ratio: { problem, found in
        let (a, b) = factors(problem.matrix, problem.other)
        return ratio(Referee.residual(a, b, minus: found), problem, a, b)
      })
  }

  private static func symmetricProduct(
    _ name: String, _ ours: @escaping @Sendable (Matrix) -> Matrix,
    _ lapack: @escaping @Sendable (Matrix) -> Matrix,
    _ factors: @escaping @Sendable (Matrix) -> (Matrix, Matrix)
  ) -> Routine {
    Routine(
      name, oracle: "dsyrk", where: always, ours: { ours($0.lowerTriangle) },
      lapack: { lapack($0.lowerTriangle) },
      ratio: { problem, found in
        let (a, b) = factors(problem.lowerTriangle)
        return ratio(Referee.residual(a, b, minus: found), problem, a, b)
      })
  }

  /// ‖T·X − B‖₁ / (n‖T‖₁‖X‖₁ε) for the two triangles of the matrix and their transposes.
  static let triangularSolves: [Routine] = [
    triangularSolve("triangular solve (lower)", .lower, transposed: false) { $0.solvingLower($1) },
    triangularSolve("triangular solve (lower transposed)", .lower, transposed: true) {
      $0.solvingLowerTransposed($1)
    },
    triangularSolve("triangular solve (upper)", .upper, transposed: false) { $0.solvingUpper($1) },
    triangularSolve("triangular solve (upper transposed)", .upper, transposed: true) {
      $0.solvingUpperTransposed($1)
    },
  ]

  private static func triangularSolve(
    _ name: String, _ triangle: LAPACK.Triangle, transposed: Bool,
    _ ours: @escaping @Sendable (Matrix, Matrix) -> Matrix
  ) -> Routine {
    Routine(name: name, oracle: "dtrsm") { problem in
      let t = triangle == .lower ? problem.lowerTriangle : problem.upperTriangle
      guard !t.diagonal.contains(0) else { return nil }
      // A triangle of an ordinary matrix can be as ill-conditioned as 2ⁿ: solutions may overflow.
      let expected = LAPACK.dtrsm(problem.matrix, problem.right, triangle, transposed: transposed)
      guard LAPACK.norm1(expected).isFinite else { return nil }
      let factor = transposed ? t.transposed : t
      return RoutineOutcome(
        ratio: solveRatio(problem, factor, ours(problem.matrix, problem.right), problem.right),
        lapackRatio: solveRatio(problem, factor, expected, problem.right))
    }
  }

  /// The error of a norm over n·ε times the norm.
  static let norms: [Routine] = [
    norm(
      "Frobenius norm", oracle: "dlange", { $0.frobeniusNorm }, { LAPACK.dlange($0, .frobenius) }
    ) {
      Referee.frobenius($0)
    },
    norm(
      "largest entry", oracle: "dlange", { $0.maximumMagnitude }, { LAPACK.dlange($0, .maximum) }
    ) { $0.storage.reduce(0) { max($0, abs($1)) } },
    norm(
      "spectral norm", oracle: "dgesvd", { try $0.spectralNorm() },
      { try LAPACK.dgesvd($0).values[0] }
    ) { try LAPACK.dgesvj($0).values[0] },
    norm(
      "nuclear norm", oracle: "dgesvd", { try $0.nuclearNorm() },
      { try LAPACK.dgesvd($0).values.elements.reduce(0, +) }
    ) { try LAPACK.dgesvj($0).values.elements.reduce(0, +) },
  ]

  private static func norm(
    _ name: String, oracle: String, _ ours: @escaping @Sendable (Matrix) throws -> Double,
    _ lapack: @escaping @Sendable (Matrix) throws -> Double,
    referee: @escaping @Sendable (Matrix) throws -> Double
  ) -> Routine {
    Routine(
      name, oracle: oracle, where: always, ours: { try ours($0.matrix) },
      lapack: { try lapack($0.matrix) },
      ratio: { problem, found in
        let exact = try referee(problem.matrix)
        return found == exact ? 0 : abs(found - exact) / exact / (Double(problem.size) * .ulpOfOne)
      })
  }
}
