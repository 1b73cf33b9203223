import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// A network, a Fisher kind and a λ for the end-to-end comparison with LAPACK.
struct LapackComparisonCase: Sendable, CustomStringConvertible {
  let source: RandomNetwork
  let kind: FisherKind
  let λ: Double

  var description: String { "\(source), \(kind), λ = \(λ)" }
  var seed: UInt64 { source.seed }

  /// Made anew by each test: the matrices of all cases together would fill the memory.
  func curvature() -> CurvatureCase { CurvatureCase(source, kind) }

  /// Every architecture with every activation and likelihood, Fisher kinds and λ rotating; one round
  /// of 135 networks for every 30 of the environment variable NATGRAD_CASES, new seeds each round.
  static let all: [LapackComparisonCase] = (0..<rounds).flatMap { round in
    RandomNetwork.everyCase.enumerated().map { index, network in
      LapackComparisonCase(
        source: round == 0
          ? network
          : RandomNetwork(
            network.architecture, network.activation, network.likelihood,
            seed: UInt64(2000 * round + index)),
        kind: CurvatureCase.kinds[(index + index / 3 + round) % CurvatureCase.kinds.count],
        λ: [0.3, 0.03, 1e-3][(index / 3 + round) % 3])
    }
  }

  private static let rounds = max(1, PropertyRun.caseCount / 30)
}

/// One row of the README's table: an algorithm under a rule, and what it is compared with.
struct LapackRow {
  let algorithm: String
  let rule: String
  let oracle: String
  let name: String
  let seed: UInt64

  init(
    _ algorithm: String, _ rule: DampingRule, oracle: String, _ name: String, seed: UInt64
  ) {
    self.algorithm = algorithm
    self.rule = rule.rawValue
    self.oracle = oracle
    self.name = name
    self.seed = seed
  }

  /// Records the worst of several ratios as one case.
  func expect(_ ratios: [(quantity: String, ratio: Ratio)]) {
    for (index, entry) in ratios.enumerated() {
      LapackComparison.expect(
        entry.ratio, algorithm: algorithm, rule: rule, oracle: oracle,
        cases: index == 0 ? 1 : 0, "\(entry.quantity), \(name)", seed: seed)
    }
  }

  /// Compares matrix, solution and inverse of a damped structure with those of an explicit matrix.
  ///
  /// Matrix and residual are judged without κ; the errors of solution and inverse may grow with
  /// κ = ‖M‖₁‖M⁻¹‖₁. `sensitivity` is by how much the expected matrix itself may be off.
  func compare(
    _ damped: any DampedStructure, with matrix: Matrix, gradient: ParameterVector,
    sensitivity: Double = 1
  ) throws {
    let n = matrix.rowCount
    let inverse = try LAPACK.dpotri(matrix)
    let κ = LAPACK.norm1(matrix) * LAPACK.norm1(inverse)
    let right = gradient.flattened
    let step = damped.solve(gradient).flattened
    expect([
      (
        "matrix",
        Ratio.difference(try damped.dense(within: .standard), matrix).over(condition: sensitivity)
      ),
      ("residual", Ratio.solve(matrix, step, right).over(condition: sensitivity)),
      (
        "step, error/κ",
        solutionRatio(step, try LAPACK.dposv(matrix, right), condition: κ * sensitivity)
      ),
      (
        "inverse, error/κ",
        Ratio(
          try damped.denseInverse(within: .standard), against: inverse, size: n,
          scale: κ * LAPACK.norm1(inverse) * sensitivity)
      ),
    ])
  }

  /// The same for rule `none`: the pseudo-inverse by dsyevd, where the rank is clear.
  ///
  /// An eigenvalue between d·ε and 1e-13 of the largest may count or not; one above 1e-9 must count.
  func comparePseudoInverse(
    _ damped: any DampedStructure, with matrix: Matrix, gradient: ParameterVector,
    sensitivity: Double = 1
  ) throws {
    guard let (pseudo, rank) = try pseudoInverse(matrix) else { return }
    #expect(
      damped.rank >= rank, "\(algorithm), rule none: a clear eigenvalue was left out, \(name)")
    if damped.rank != rank { return }
    let κ = 1 + LAPACK.norm1(matrix) * LAPACK.norm1(pseudo)
    let right = gradient.flattened
    let n = matrix.rowCount
    expect([
      (
        "matrix",
        Ratio.difference(try damped.dense(within: .standard), matrix).over(condition: sensitivity)
      ),
      (
        "pseudo-inverse, error/κ",
        Ratio(
          try damped.denseInverse(within: .standard), against: pseudo, size: n,
          scale: κ * LAPACK.norm1(pseudo) * sensitivity)
      ),
      (
        "step, error/κ",
        Ratio(
          Matrix(column: damped.solve(gradient).flattened),
          against: Matrix(column: LAPACK.dgemm(pseudo, right)), size: n,
          scale: κ * LAPACK.norm1(pseudo) * LAPACK.norm1(Matrix(column: right)) * sensitivity)
      ),
    ])
  }

  /// Σ v vᵀ/λ over the eigenvalues above round-off; nil where one lies between 1e-13 and 1e-9 of the
  /// largest, so that the rank is a matter of taste.
  private func pseudoInverse(_ matrix: Matrix) throws -> (matrix: Matrix, rank: Int)? {
    let n = matrix.rowCount
    let eigen = try LAPACK.dsyevd(matrix)
    let values = eigen.values.elements
    let largest = values[n - 1]
    let clear = values.count { $0 > 1e-9 * largest }
    guard largest > 0, clear == values.count(where: { $0 > 1e-13 * largest }) else { return nil }
    let kept = n - clear..<n
    let vectors = eigen.vectors.block(rows: 0..<n, columns: kept)
    let reciprocals = Matrix.diagonal(values[kept].map { 1 / $0 })
    let scaled = LAPACK.dgemm(vectors, reciprocals)
    return (LAPACK.dgemm(scaled, vectors, transposeB: true), clear)
  }
}
