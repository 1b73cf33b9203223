import DenseAlgebra
import TestSupport
import Testing

/// The acceptance tests of LAPACK's own eigensolvers, on the matrices where solvers break.
@Suite("Symmetric eigendecomposition")
struct EigenTests {
  static let sizes = MatrixKind.sizes + [100]

  @Test(
    "QΛQᵀ is A, Q is orthogonal, values ascend and are dsyevd's", arguments: MatrixKind.allCases,
    sizes)
  func decompositionIsBackwardStable(_ kind: MatrixKind, _ n: Int) throws {
    let a = kind.matrix(size: n)
    let eigen = try SymmetricEigendecomposition(a)
    let name = "\(kind) \(n)"
    LapackComparison.expect(
      .eigen(a, values: eigen.values, vectors: eigen.vectors), algorithm: "eigen QΛQᵀ",
      oracle: "A", name)
    LapackComparison.expect(
      .orthogonality(eigen.vectors), algorithm: "eigen QᵀQ", oracle: "I", name)
    #expect(eigen.values.elements == eigen.values.elements.sorted())
    let oracle = try LAPACK.dsyevd(a).values
    LapackComparison.expect(
      Self.eigenvalueRatio(eigen.values, oracle, of: a), algorithm: "eigenvalues",
      oracle: "dsyevd", name)
    LapackComparison.expect(
      Self.eigenvalueRatio(try SymmetricEigendecomposition.values(of: a), oracle, of: a),
      algorithm: "eigenvalues alone", oracle: "dsyevd", name)
  }

  /// max |λ − λ'| / (n‖A‖₁ε).
  static func eigenvalueRatio(_ values: Vector, _ oracle: Vector, of a: Matrix) -> Ratio {
    // One row, so that the 1-norm of the difference is its largest entry.
    let row = Matrix(rowCount: 1, columnCount: values.count, storage: values.elements)
    let other = Matrix(rowCount: 1, columnCount: oracle.count, storage: oracle.elements)
    return Ratio(row, against: other, size: a.rowCount, scale: LAPACK.norm1(a))
  }

  @Test("Random spectra over many seeds", arguments: 1...20)
  func randomSpectra(_ seed: Int) throws {
    var generator = Generator(seed: UInt64(seed))
    let n = 1 + generator.random.below(40)
    let values = (0..<n).map { _ in generator.random.normal() }.sorted()
    let a = generator.symmetric(eigenvalues: values)
    let eigen = try SymmetricEigendecomposition(a)
    expectRatio(
      Self.eigenvalueRatio(eigen.values, Vector(values), of: a), "n = \(n)", seed: UInt64(seed))
    expectRatio(
      .eigen(a, values: eigen.values, vectors: eigen.vectors), "n = \(n)", seed: UInt64(seed))
    expectRatio(.orthogonality(eigen.vectors), "n = \(n)", seed: UInt64(seed))
  }

  /// dsteqr drops e where |e| ≤ √|dᵢ| √|dᵢ₊₁| ε with ε = 2⁻⁵³; the next number above is kept and turns
  /// the vectors by 45°, since the diagonal entries are equal.
  @Test("An off-diagonal entry of just ε is negligible, as in dsyev; the next number is not")
  func negligibleEntries() throws {
    for (entry, isDropped) in [(0x1p-53, true), ((0x1p-53).nextUp, false)] {
      let a = Matrix(rows: [[1, entry], [entry, 1]])
      let eigen = try SymmetricEigendecomposition(a)
      let oracle = try LAPACK.dsyev(a)
      for vectors in [eigen.vectors, oracle.vectors] {
        let isAxes = vectors.storage.allSatisfy { $0 == 0 || $0.magnitude == 1 }
        #expect(isAxes == isDropped, "\(entry): \(vectors)")
      }
    }
  }

  /// 2 − 2cos(kπ/(n+1)), written without cancellation as 4 sin².
  @Test("The second difference matrix has its closed-form spectrum", arguments: [1, 2, 5, 50, 100])
  func secondDifferenceMatrix(_ n: Int) throws {
    let a = MatrixKind.toeplitz.matrix(size: n)
    let expected = (1...n).map { 4 * sineSquared(Double($0) * .pi / Double(2 * (n + 1))) }
    expectRatio(
      Self.eigenvalueRatio(try SymmetricEigendecomposition(a).values, Vector(expected), of: a))
  }

  @Test("Identity and zero are decomposed without rounding", arguments: MatrixKind.sizes)
  func diagonalMatricesAreExact(_ n: Int) throws {
    let ones = Vector(repeating: 1, count: n)
    #expect(try SymmetricEigendecomposition(.identity(n)).values == ones)
    let zero = Matrix(rowCount: n, columnCount: n)
    #expect(try SymmetricEigendecomposition(zero).values == .zero(n))
    let descending = Matrix.diagonal((0..<n).map { Double(-$0) })
    #expect(
      try SymmetricEigendecomposition(descending).values
        == Vector((0..<n).map { Double($0 - n + 1) })
    )
  }

  @Test("Eigenvectors belong to their values: Av = λv column by column", arguments: [3, 10, 50])
  func columnsMatchValues(_ n: Int) throws {
    let a = MatrixKind.indefinite.matrix(size: n, seed: 4)
    let eigen = try SymmetricEigendecomposition(a)
    for j in 0..<n {
      let v = eigen.vectors.column(j)
      // ‖Av − λv‖ within 30nε‖A‖: relative to ‖A‖, not to the small λ.
      expectRatio(
        Ratio(
          Matrix(column: LAPACK.dgemm(a, v)), against: Matrix(column: eigen.values[j] * v),
          size: n, scale: LAPACK.norm1(a)), "column \(j) of \(n)")
    }
  }

  @Test("Only the lower triangle is read")
  func upperTriangleIsNotRead() throws {
    let a = MatrixKind.indefinite.matrix(size: 40)
    let dirty = Matrix(rowCount: 40, columnCount: 40) { $0 >= $1 ? a[$0, $1] : 777 }
    #expect(
      try SymmetricEigendecomposition(dirty).values == SymmetricEigendecomposition(a).values)
    #expect(
      try SymmetricEigendecomposition.values(of: dirty)
        == SymmetricEigendecomposition.values(of: a))
  }

  @Test("Q f(Λ) Qᵀ is A for the identity, A² for the square, A⁻¹ᐟ² squared inverts")
  func reconstructAppliesAFunction() throws {
    for n in [0, 1, 5, 50] {
      var generator = Generator(seed: 52)
      let a = generator.positiveDefinite(n)
      let eigen = try SymmetricEigendecomposition(a)
      let root = eigen.reconstruct { 1 / $0.squareRoot() }
      for m in [eigen.reconstruct { $0 }, eigen.reconstruct { $0 * $0 }, root] {
        #expect(m == m.transposed)
      }
      expectRatio(.reconstruction(eigen.reconstruct { $0 }, of: a))
      expectRatio(.reconstruction(eigen.reconstruct { $0 * $0 }, of: LAPACK.dgemm(a, a)))
      // κ(A) = 100: the small eigenvalues are known to n·ε·κ.
      expectRatio(.difference(LAPACK.dgemm(root, root), try LAPACK.dpotri(a)).over(condition: 100))
    }
  }
}
