import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

extension Checks {
  /// The laws of every damped structure: apply, solve, dense form, inverse and log-determinant are of
  /// one matrix, and that matrix is the expected one.
  ///
  /// A solve is judged twice: by its residual, without κ, and against `dposv`, where the error may grow
  /// with κ. log det may err by n ε κ, since d log det = tr(M⁻¹ dM). `amplification` is what the
  /// structure's own formula loses on top, where it has a factor that its matrix does not show, and
  /// `determinantScale` what its log-determinant may err by in units of n ε for reasons of its own: the κ of
  /// another matrix that it is computed from, or the size of terms that cancel in it.
  mutating func dampedLaws(
    _ damped: any DampedStructure, expected: Matrix?, seed: UInt64, amplification: Double = 1,
    determinantScale: Double = 0, _ name: String = ""
  ) throws {
    let matrix = try damped.dense(within: .standard)
    let inverse = try damped.denseInverse(within: .standard)
    let n = damped.layout.count
    if let expected {
      equal(matrix, expected, scale: amplification * LAPACK.norm1(expected), "dense, \(name)")
    }
    equal(
      matrix, matrix.transposed, scale: amplification * LAPACK.norm1(matrix), "symmetry, \(name)")
    ratio(.inverse(matrix, inverse).over(condition: amplification), "inverse, \(name)")
    holds(damped.rank == n, "full rank, \(name)")

    var generator = Generator(seed: seed &+ 77)
    let right = generator.vector(n)
    let vector = ParameterVector(right, layout: damped.layout)
    let image = damped.apply(vector).flattened
    equal(
      image, LAPACK.dgemm(matrix, right),
      scale: amplification * LAPACK.norm1(matrix) * LAPACK.norm1(Matrix(column: right)),
      "apply, \(name)")

    let solution = damped.solve(vector).flattened
    ratio(.solve(matrix, solution, right).over(condition: amplification), "solve, \(name)")
    let κ = amplification * (try condition(matrix))
    ratio(
      solutionRatio(solution, try LAPACK.dposv(matrix, right), condition: κ),
      "solve against dposv, \(name)")
    ratio(
      solutionRatio(damped.solve(damped.apply(vector)).flattened, right, condition: κ),
      "solve after apply, \(name)")

    let logDeterminant = try LAPACK.dgetrf(matrix).factors.diagonal.reduce(0) {
      $0 + logarithm(abs($1))
    }
    equal(
      damped.logDeterminant, logDeterminant, size: n,
      scale: max(κ, determinantScale) + abs(logDeterminant),
      "log det, \(name)")
  }

  /// The Moore–Penrose laws of rule `none`; where the rank is clear, also the pseudo-inverse and rank by
  /// `dsyevd`. The error of a pseudo-inverse may grow with κ. `rankMayBeClear` is false where true
  /// eigenvalues lie near the cut-off d·ε·λmax.
  mutating func pseudoInverseLaws(
    _ damped: any DampedStructure, expected: Matrix?, seed: UInt64, rankMayBeClear: Bool = true,
    _ name: String = ""
  ) throws {
    let matrix = try damped.dense(within: .standard)
    let inverse = try damped.denseInverse(within: .standard)
    let n = damped.layout.count
    if let expected { equal(matrix, expected, "dense, \(name)") }
    let m = LAPACK.norm1(matrix)
    let x = LAPACK.norm1(inverse)
    if m == 0 {
      holds(x == 0 && damped.rank == 0 && damped.logDeterminant == 0, "zero, \(name)")
      return
    }
    let mx = LAPACK.dgemm(matrix, inverse)
    let scale = 1 + m * x
    equal(LAPACK.dgemm(mx, matrix), matrix, scale: m * scale, "M X M = M, \(name)")
    equal(LAPACK.dgemm(inverse, mx), inverse, scale: x * scale, "X M X = X, \(name)")
    equal(inverse, inverse.transposed, "X symmetric, \(name)")
    equal(mx.trace, Double(damped.rank), size: n, scale: scale, "tr M X = rank, \(name)")

    var generator = Generator(seed: seed &+ 78)
    let right = generator.vector(n)
    let solution = damped.solve(ParameterVector(right, layout: damped.layout)).flattened
    equal(
      solution, LAPACK.dgemm(inverse, right),
      scale: scale * x * LAPACK.norm1(Matrix(column: right)), "solve, \(name)")

    let eigen = try LAPACK.dsyevd(matrix)
    let values = eigen.values.elements
    let largest = values[n - 1]
    let clear = values.count { $0 > 1e-9 * largest }
    if rankMayBeClear, clear == values.count(where: { $0 > 1e-13 * largest }) {
      holds(damped.rank == clear, "rank \(clear), \(name)")
      let kept = n - clear..<n
      let vectors = eigen.vectors.block(rows: 0..<n, columns: kept)
      let reciprocals = Matrix.diagonal(values[kept].map { 1 / $0 })
      let pseudo = LAPACK.dgemm(LAPACK.dgemm(vectors, reciprocals), vectors, transposeB: true)
      equal(inverse, pseudo, scale: scale * LAPACK.norm1(pseudo), "X against dsyevd, \(name)")
      let logDeterminant = values.suffix(clear).reduce(0) { $0 + logarithm($1) }
      // The smallest kept eigenvalue is over 1e-9 λmax.
      equal(
        damped.logDeterminant, logDeterminant, size: n, scale: 1e9,
        "log pseudo-determinant, \(name)")
    }
  }
}

/// The same laws outside a property.
func expectDampedLaws(
  _ damped: any DampedStructure, expected: Matrix?, _ name: String, seed: UInt64
) throws {
  var checks = Checks()
  try checks.dampedLaws(damped, expected: expected, seed: seed, name)
  report(checks, seed: seed)
}

/// The same laws outside a property.
func expectPseudoInverseLaws(
  _ damped: any DampedStructure, expected: Matrix?, _ name: String, seed: UInt64
) throws {
  var checks = Checks()
  try checks.pseudoInverseLaws(damped, expected: expected, seed: seed, name)
  report(checks, seed: seed)
}

private func report(_ checks: Checks, seed: UInt64) {
  for measurement in checks.measurements where !measurement.holds {
    Issue.record("seed \(seed): \(measurement)")
  }
}
