import DenseAlgebra
import Testing

/// Sizes 0 and 1 are ordinary sizes.
@Suite("Sizes 0 and 1")
struct EmptyAndSingleTests {
  let empty = Matrix(rowCount: 0, columnCount: 0)
  let none = Vector([])

  @Test("Empty products and factorizations")
  func emptyFactorizations() throws {
    #expect(empty * empty == empty)
    let tall = Matrix(rowCount: 3, columnCount: 0)
    #expect(tall * Matrix(rowCount: 0, columnCount: 2) == Matrix(rowCount: 3, columnCount: 2))
    #expect(tall * none == .zero(3))
    #expect(tall.gram == empty)
    let cholesky = try CholeskyFactorization(empty)
    #expect(cholesky.solve(none) == none)
    #expect(cholesky.logDeterminant == 0)
    #expect(cholesky.inverse == empty)
    let lu = try LUFactorization(empty)
    #expect(lu.solve(none) == none)
    #expect(lu.inverse == empty)
    #expect(lu.determinantSign == 1)
    #expect(lu.logAbsoluteDeterminant == 0)
    let wide = Matrix(rowCount: 0, columnCount: 3)
    #expect(empty.solvingLower(wide) == wide)
    #expect(empty.solvingLowerTransposed(wide) == wide)
    #expect(empty.solvingUpper(wide) == wide)
    #expect(empty.solvingUpperTransposed(wide) == wide)
  }

  @Test("Empty spectra, norms and Kronecker tools")
  func emptySpectra() throws {
    #expect(try SymmetricEigendecomposition(empty).values == none)
    #expect(try SymmetricEigendecomposition.values(of: empty) == none)
    #expect(try SymmetricEigendecomposition(empty).reconstruct { $0 } == empty)
    #expect(try SingularValueDecomposition(Matrix(rowCount: 4, columnCount: 0)).values == none)
    let jacobi = try JacobiEigendecomposition(factor: Matrix(rowCount: 2, columnCount: 0))
    #expect(jacobi.values == Vector([0, 0]))
    #expect(try empty.spectralNorm() == 0)
    #expect(try empty.nuclearNorm() == 0)
    #expect(empty.frobeniusNorm == 0)
    #expect(empty.maximumMagnitude == 0)
    #expect(Matrix.kronecker(empty, .identity(3)) == empty)
    #expect(empty.pinched(blockSize: 2) == empty)
    #expect(Matrix.pinchingRanges(size: 0, blockSize: 2).isEmpty)
    #expect(empty.rearranged(leftSize: 0, rightSize: 3).storage.isEmpty)
    #expect(ConjugateGradient().solve(empty, none).status == .zeroRightHandSide)
  }

  @Test("One by one: A = [4]")
  func single() throws {
    let a = Matrix(rows: [[4]])
    let b = Vector([8])
    #expect(try CholeskyFactorization(a).lower == Matrix(rows: [[2]]))
    #expect(try CholeskyFactorization(a).solve(b) == Vector([2]))
    #expect(try CholeskyFactorization(a).inverse == Matrix(rows: [[0.25]]))
    #expect(try LUFactorization(-a).solve(b) == Vector([-2]))
    #expect(try LUFactorization(-a).determinantSign == -1)
    #expect(try SymmetricEigendecomposition(-a).values == Vector([-4]))
    #expect(abs(try SymmetricEigendecomposition(-a).vectors[0, 0]) == 1)
    let svd = try SingularValueDecomposition(-a)
    #expect(svd.values == Vector([4]))
    #expect(svd.left[0, 0] * svd.right[0, 0] == -1)
    #expect(try JacobiEigendecomposition(factor: a).values == Vector([16]))
    #expect(ConjugateGradient().solve(a, b).value == Vector([2]))
    #expect(ConjugateGradient().solve(a, b).iterations == 1)
  }
}
