import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The laws of every damped structure: apply, solve, dense form, inverse and log-determinant are of
/// one matrix, and that matrix is the expected one.
///
/// A solve is judged twice: by its residual, without κ, and against `dposv`, where the error may grow
/// with κ. log det may err by n ε κ, since d log det = tr(M⁻¹ dM).
func expectDampedLaws(
  _ damped: any DampedStructure, expected: Matrix?, _ name: String, seed: UInt64
) throws {
  let matrix = try damped.dense(within: .standard)
  let inverse = try damped.denseInverse(within: .standard)
  let n = damped.layout.count
  if let expected { expectRatio(.difference(matrix, expected), "dense, \(name)", seed: seed) }
  expectRatio(.symmetry(matrix), "symmetry, \(name)", seed: seed)
  expectRatio(.inverse(matrix, inverse), "inverse, \(name)", seed: seed)
  #expect(damped.rank == n, "rank, \(name)")

  var generator = Generator(seed: seed &+ 77)
  let right = generator.vector(n)
  let vector = ParameterVector(right, layout: damped.layout)
  let image = damped.apply(vector).flattened
  let product = LAPACK.dgemm(matrix, right)
  expectRatio(
    Ratio(
      Matrix(column: image), against: Matrix(column: product), size: n,
      scale: LAPACK.norm1(matrix) * LAPACK.norm1(Matrix(column: right))),
    "apply, \(name)", seed: seed)

  let solution = damped.solve(vector).flattened
  expectRatio(.solve(matrix, solution, right), "solve, \(name)", seed: seed)
  let κ = try condition(matrix)
  expectRatio(
    solutionRatio(solution, try LAPACK.dposv(matrix, right), condition: κ),
    "solve against dposv, \(name)", seed: seed)
  expectRatio(
    solutionRatio(damped.solve(damped.apply(vector)).flattened, right, condition: κ),
    "solve after apply, \(name)", seed: seed)

  let logDeterminant = try LAPACK.dgetrf(matrix).factors.diagonal.reduce(0) {
    $0 + logarithm(abs($1))
  }
  expectAtMost(
    abs(damped.logDeterminant - logDeterminant), 30 * Double(n) * κ * .ulpOfOne,
    slack: 30 * .ulpOfOne * abs(logDeterminant), "log det, \(name)", seed: seed)
}

/// The Moore–Penrose laws of rule `none`; where the rank is clear, also the pseudo-inverse and rank by
/// `dsyevd`. The error of a pseudo-inverse may grow with κ.
func expectPseudoInverseLaws(
  _ damped: any DampedStructure, expected: Matrix?, _ name: String, seed: UInt64
) throws {
  let matrix = try damped.dense(within: .standard)
  let inverse = try damped.denseInverse(within: .standard)
  let n = damped.layout.count
  if let expected { expectRatio(.difference(matrix, expected), "dense, \(name)", seed: seed) }
  let m = LAPACK.norm1(matrix)
  let x = LAPACK.norm1(inverse)
  if m == 0 {
    #expect(x == 0 && damped.rank == 0 && damped.logDeterminant == 0, "\(name)")
    return
  }
  let mx = LAPACK.dgemm(matrix, inverse)
  let scale = 1 + m * x
  expectRatio(
    Ratio(LAPACK.dgemm(mx, matrix), against: matrix, size: n, scale: m * scale),
    "M X M = M, \(name)", seed: seed)
  expectRatio(
    Ratio(LAPACK.dgemm(inverse, mx), against: inverse, size: n, scale: x * scale),
    "X M X = X, \(name)", seed: seed)
  expectRatio(.symmetry(inverse), "X symmetric, \(name)", seed: seed)
  expectAtMost(
    abs(mx.trace - Double(damped.rank)), 0, slack: 30 * Double(n) * scale * .ulpOfOne,
    "tr M X = rank, \(name)", seed: seed)

  var generator = Generator(seed: seed &+ 78)
  let right = generator.vector(n)
  let solution = damped.solve(ParameterVector(right, layout: damped.layout)).flattened
  expectRatio(
    Ratio(
      Matrix(column: solution), against: Matrix(column: LAPACK.dgemm(inverse, right)), size: n,
      scale: scale * x * LAPACK.norm1(Matrix(column: right))),
    "solve, \(name)", seed: seed)

  let eigen = try LAPACK.dsyevd(matrix)
  let values = eigen.values.elements
  let largest = values[n - 1]
  let clear = values.count { $0 > 1e-9 * largest }
  if clear == values.count(where: { $0 > 1e-13 * largest }) {
    #expect(damped.rank == clear, "rank, \(name)")
    let kept = n - clear..<n
    let vectors = eigen.vectors.block(rows: 0..<n, columns: kept)
    let reciprocals = Matrix.diagonal(values[kept].map { 1 / $0 })
    let pseudo = LAPACK.dgemm(LAPACK.dgemm(vectors, reciprocals), vectors, transposeB: true)
    expectRatio(
      Ratio(inverse, against: pseudo, size: n, scale: scale * LAPACK.norm1(pseudo)),
      "X against dsyevd, \(name)", seed: seed)
    let logDeterminant = values.suffix(clear).reduce(0) { $0 + logarithm($1) }
    expectAtMost(
      abs(damped.logDeterminant - logDeterminant), 30 * Double(n) * 1e9 * .ulpOfOne,
      "log pseudo-determinant, \(name)", seed: seed)
  }
}
