import DenseAlgebra
import TestSupport
import Testing

@Suite("Singular value decomposition")
struct SingularValueTests {
  static let shapes = [
    (0, 0), (0, 3), (3, 0), (1, 1), (1, 5), (5, 1), (2, 2), (3, 2), (2, 3), (10, 10), (50, 10),
    (10, 50), (50, 50), (120, 7),
  ]

  private func expectDecomposition(
    _ m: Matrix, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let svd = try SingularValueDecomposition(m)
    let rank = min(m.rowCount, m.columnCount)
    #expect(svd.values.count == rank, sourceLocation: sourceLocation)
    #expect(svd.left.columnCount == rank, sourceLocation: sourceLocation)
    #expect(svd.right.columnCount == rank, sourceLocation: sourceLocation)
    let scaled = Matrix(rowCount: m.rowCount, columnCount: rank) {
      svd.left[$0, $1] * svd.values[$1]
    }
    LapackComparison.expect(
      .reconstruction(LAPACK.dgemm(scaled, svd.right, transposeB: true), of: m),
      algorithm: "SVD UΣVᵀ", oracle: "M", name, sourceLocation: sourceLocation)
    for factor in [svd.left, svd.right] {
      LapackComparison.expect(
        .orthogonality(factor), algorithm: "SVD UᵀU, VᵀV", oracle: "I", name,
        sourceLocation: sourceLocation)
    }
    let values = svd.values.elements
    #expect(
      values == values.sorted(by: >) && values.allSatisfy { $0 >= 0 },
      sourceLocation: sourceLocation)
    LapackComparison.expect(
      EigenTests.eigenvalueRatio(svd.values, try LAPACK.dgesvd(m).values, of: m),
      algorithm: "singular values", oracle: "dgesvd", name, sourceLocation: sourceLocation)
  }

  @Test("UΣVᵀ is M, thin and orthogonal, values are dgesvd's", arguments: shapes)
  func decompositionOfRectangularMatrices(_ shape: (Int, Int)) throws {
    var generator = Generator(seed: 71)
    let (m, n) = shape
    let rank = min(m, n)
    try expectDecomposition(generator.normal(m, n), "normal \(shape)")
    try expectDecomposition(
      generator.matrix(m, n, singularValues: geometric(rank, from: 1, to: 1e-12)),
      "geometric \(shape)")
    try expectDecomposition(
      generator.matrix(m, n, singularValues: (0..<rank).map { $0 < rank / 2 ? 1 : 0 }),
      "half the rank \(shape)")
    try expectDecomposition(Matrix(rowCount: m, columnCount: n), "zero \(shape)")
  }

  @Test("The special symmetric matrices too", arguments: MatrixKind.allCases, [2, 3, 10, 50])
  func decompositionOfSpecialMatrices(_ kind: MatrixKind, _ n: Int) throws {
    try expectDecomposition(kind.matrix(size: n), "\(kind) \(n)")
  }

  @Test("Prescribed singular values come back", arguments: 1...10)
  func prescribedSingularValues(_ seed: Int) throws {
    var generator = Generator(seed: UInt64(seed))
    let m = 1 + generator.random.below(30)
    let n = 1 + generator.random.below(30)
    let values = (0..<min(m, n)).map { _ in generator.random.uniform() }.sorted(by: >)
    let matrix = generator.matrix(m, n, singularValues: values)
    expectRatio(
      Ratio(
        Matrix(
          rowCount: 1, columnCount: values.count,
          storage: try SingularValueDecomposition(matrix).values.elements),
        against: Matrix(rowCount: 1, columnCount: values.count, storage: values),
        size: max(m, n), scale: LAPACK.norm1(matrix)), "\(m) × \(n)", seed: UInt64(seed))
  }
}
