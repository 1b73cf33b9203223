import DenseAlgebra
import Testing

/// A caller's mistake in shapes stops the program instead of giving a wrong number.
@Suite("Preconditions")
struct PreconditionTests {
  @Test("Matrix shapes")
  func matrixShapes() async {
    await #expect(processExitsWith: .failure) {
      _ = Matrix(rowCount: 2, columnCount: 2, storage: [1])
    }
    await #expect(processExitsWith: .failure) { _ = Matrix(rowCount: -1, columnCount: 2) }
    await #expect(processExitsWith: .failure) { _ = Matrix(rows: [[1, 2], [3]]) }
    // In column-major storage (2, 0) of a 2 × 2 matrix would silently be (0, 1).
    await #expect(processExitsWith: .failure) { _ = Matrix.identity(2)[2, 0] }
    await #expect(processExitsWith: .failure) {
      _ = Matrix.identity(3).block(rows: 0..<4, columns: 0..<1)
    }
    await #expect(processExitsWith: .failure) {
      var m = Matrix.identity(3)
      m.setBlock(row: 2, column: 0, to: .identity(2))
    }
    // Without rows no entry is written that could leave the storage: only the shapes tell.
    await #expect(processExitsWith: .failure) {
      var m = Matrix(rowCount: 0, columnCount: 2)
      m.setBlock(row: 0, column: 1, to: Matrix(rowCount: 0, columnCount: 2))
    }
  }

  @Test("Sums and products of different sizes")
  func sizesOfOperands() async {
    await #expect(processExitsWith: .failure) { _ = Matrix.identity(2) * Matrix.identity(3) }
    await #expect(processExitsWith: .failure) { _ = Matrix.identity(2) * Vector.zero(3) }
    await #expect(processExitsWith: .failure) { _ = Matrix.identity(2) + Matrix.identity(3) }
    await #expect(processExitsWith: .failure) { _ = Vector([1, 2]) + Vector([1]) }
    await #expect(processExitsWith: .failure) { _ = Vector([1, 2]).dot(Vector([1])) }
    await #expect(processExitsWith: .failure) {
      _ = Matrix(rowCount: 2, columnCount: 3).trace
    }
  }

  @Test("Factorizations of matrices that are not square, solves of other sizes")
  func factorizations() async {
    await #expect(processExitsWith: .failure) {
      _ = try CholeskyFactorization(Matrix(rowCount: 2, columnCount: 3))
    }
    await #expect(processExitsWith: .failure) {
      _ = try LUFactorization(Matrix(rowCount: 3, columnCount: 2))
    }
    await #expect(processExitsWith: .failure) {
      _ = try SymmetricEigendecomposition(Matrix(rowCount: 3, columnCount: 2))
    }
    await #expect(processExitsWith: .failure) {
      _ = try CholeskyFactorization(.identity(2)).solve(Vector.zero(3))
    }
    await #expect(processExitsWith: .failure) {
      _ = try LUFactorization(.identity(2)).solve(Matrix.identity(3))
    }
    await #expect(processExitsWith: .failure) {
      _ = Matrix.identity(2).solvingLower(.identity(3))
    }
    await #expect(processExitsWith: .failure) {
      _ = Matrix.diagonal([1, 0]).solvingUpper(.identity(2))
    }
  }

  @Test("A spectrum of numbers that are not finite")
  func notFiniteEntries() async {
    await #expect(processExitsWith: .failure) {
      _ = try SymmetricEigendecomposition(.diagonal([1, .nan]))
    }
    await #expect(processExitsWith: .failure) {
      _ = try SingularValueDecomposition(Matrix(rows: [[1, .infinity]]))
    }
  }

  @Test("Kronecker tools, generator and conjugate gradients")
  func theRest() async {
    await #expect(processExitsWith: .failure) {
      _ = Matrix.identity(6).partialTraceOverRight(leftSize: 2, rightSize: 2)
    }
    await #expect(processExitsWith: .failure) {
      _ = Matrix.identity(6).rearranged(leftSize: 4, rightSize: 2)
    }
    await #expect(processExitsWith: .failure) { _ = Matrix.identity(6).pinched(blockSize: 0) }
    await #expect(processExitsWith: .failure) {
      var random = SplitMix64(seed: 1)
      _ = random.below(0)
    }
    await #expect(processExitsWith: .failure) {
      _ = ConjugateGradient().solve(Matrix.identity(2), Vector([1, 2, 3]))
    }
    await #expect(processExitsWith: .failure) {
      _ = ConjugateGradient().solve(Matrix.identity(2), Vector([1, 2]), start: Vector([1]))
    }
  }
}
