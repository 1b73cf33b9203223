import DenseAlgebra
import TestSupport
import Testing

/// Everything that is scaled inside must be so: squares of 1e±200 leave the range of a double.
@Suite("Matrices near the ends of the range")
struct ExtremeScaleTests {
  static let scales = [1e-300, 1e-200, 1e-150, 1e150, 1e200, 1e300]

  private func core(_ n: Int = 12) -> Matrix {
    var generator = Generator(seed: 91)
    return generator.positiveDefinite(n)
  }

  @Test("Cholesky, LU and their solutions", arguments: scales)
  func factorizations(_ scale: Double) throws {
    let a = scale * core()
    let b = Vector((0..<12).map { scale * Double($0 - 5) })
    let cholesky = try CholeskyFactorization(a)
    expectRatio(.reconstruction(LAPACK.dsyrk(cholesky.lower), of: a))
    expectRatio(.solve(a, cholesky.solve(b), b))
    expectRatio(.solve(a, try LUFactorization(a).solve(b), b))
  }

  @Test("Eigenvalues and singular values scale with the matrix", arguments: scales)
  func decompositions(_ scale: Double) throws {
    let a = scale * core()
    let eigen = try SymmetricEigendecomposition(a)
    expectRatio(.eigen(a, values: eigen.values, vectors: eigen.vectors), "\(scale)")
    expectRatio(.orthogonality(eigen.vectors), "\(scale)")
    let expected = Vector(geometric(12, from: scale, to: scale / 100).reversed())
    expectRatio(EigenTests.eigenvalueRatio(eigen.values, expected, of: a), "\(scale)")
    let svd = try SingularValueDecomposition(a)
    expectRatio(.orthogonality(svd.left), "\(scale)")
    expectRatio(
      EigenTests.eigenvalueRatio(Vector(svd.values.elements.reversed()), expected, of: a),
      "\(scale)")
    expectRatio(
      EigenTests.eigenvalueRatio(Vector([try a.spectralNorm()]), Vector([scale]), of: a))
  }

  @Test("An entry whose square underflows is not taken for zero beside 1e-144")
  func smallCoupling() throws {
    let a = Matrix(rows: [[2e-144, 1e-155], [1e-155, 2e-144]])
    let eigen = try SymmetricEigendecomposition(a)
    expectRatio(.eigen(a, values: eigen.values, vectors: eigen.vectors))
    let expected = Vector([2e-144 - 1e-155, 2e-144 + 1e-155])
    expectRatio(EigenTests.eigenvalueRatio(eigen.values, expected, of: a))
  }

  @Test("Entries of 1e-200 and 1e200 in one matrix")
  func mixedScales() throws {
    let a = Matrix.diagonal([1e-200, 1, 1e200])
    // The tridiagonal method promises n·ε·‖A‖ only, the others each entry of a diagonal matrix.
    let eigenvalues = try SymmetricEigendecomposition(a).values
    expectRatio(EigenTests.eigenvalueRatio(eigenvalues, Vector([1e-200, 1, 1e200]), of: a))
    #expect(try SingularValueDecomposition(a).values == Vector([1e200, 1, 1e-200]))
    expectRatio(
      .difference(
        try CholeskyFactorization(a).solve(Vector([1e-200, 1, 1e200])), Vector([1, 1, 1]))
    )
  }

  @Test("Jacobi on a factor of 1e±150", arguments: [1e-150, 1e150])
  func jacobi(_ scale: Double) throws {
    var generator = Generator(seed: 92)
    let q = generator.orthogonal(6)
    let jacobi = try JacobiEigendecomposition(factor: scale * q)
    expectRatio(.difference(jacobi.values, Vector(repeating: scale * scale, count: 6)))
    expectRatio(.orthogonality(jacobi.vectors))
  }

  @Test(
    "Conjugate gradients give the same bits at every power of two", arguments: [-660, -500, 500])
  func conjugateGradient(_ exponent: Int) {
    let scale = Double(sign: .plus, exponent: exponent, significand: 1)
    let b = Vector((0..<12).map { Double($0) - 5.5 })
    let solver = ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 1e-8))
    let plain = solver.solve(core(), b)
    let scaled = solver.solve(core(), scale * b)
    #expect(scaled.status == .converged)
    #expect(scaled.iterations == plain.iterations)
    #expect(scaled.value == scale * plain.value)
  }
}
