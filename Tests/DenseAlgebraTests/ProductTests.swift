import DenseAlgebra
import TestSupport
import Testing

/// |fl(AB) − AB| ≤ γₖ|A||B| (Higham, section 3.5), so ratios are taken to k‖A‖‖B‖ε.
@Suite("Products agree with BLAS")
struct ProductTests {
  /// Rows, inner size and columns: empty, one, odd remainders of every blocking, and large.
  static let shapes: [(Int, Int, Int)] = [
    (0, 0, 0), (0, 3, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1), (1, 7, 1), (5, 1, 4), (2, 3, 4),
    (7, 8, 9), (17, 16, 15), (31, 33, 4), (64, 64, 64), (65, 130, 67), (3, 300, 5), (200, 3, 1),
    (97, 257, 50),
  ]

  private func expectProduct(
    _ product: Matrix, _ oracle: Matrix, _ a: Matrix, _ b: Matrix, inner: Int,
    algorithm: String, oracle name: String, _ context: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let scale = LAPACK.dlange(a, .one) * LAPACK.dlange(b, .one)
    LapackComparison.expect(
      Ratio(product, against: oracle, size: inner, scale: scale), algorithm: algorithm,
      oracle: name, context, sourceLocation: sourceLocation)
  }

  @Test("A·B, Aᵀ·B and A·Bᵀ are dgemm's", arguments: shapes)
  func productsAreThoseOfDgemm(_ shape: (Int, Int, Int)) {
    let (m, inner, n) = shape
    var generator = Generator(seed: 11)
    let a = generator.normal(m, inner)
    let b = generator.normal(inner, n)
    let oracle = LAPACK.dgemm(a, b)
    let results = [a * b, a.transposed.transposedTimes(b), a.timesTransposed(b.transposed)]
    for (result, name) in zip(results, ["A·B", "Aᵀ·B", "A·Bᵀ"]) {
      expectProduct(
        result, oracle, a, b, inner: inner, algorithm: "product \(name)", oracle: "dgemm",
        "\(shape)")
    }
  }

  @Test("A·x and Aᵀ·x are dgemm's", arguments: shapes)
  func vectorProductsAreThoseOfDgemm(_ shape: (Int, Int, Int)) {
    let (m, inner, _) = shape
    var generator = Generator(seed: 12)
    let a = generator.normal(m, inner)
    let x = Matrix(column: generator.vector(inner))
    let y = Matrix(column: generator.vector(m))
    expectProduct(
      Matrix(column: a * Vector(x.storage)), LAPACK.dgemm(a, x), a, x, inner: inner,
      algorithm: "product A·x", oracle: "dgemm", "\(shape)")
    expectProduct(
      Matrix(column: a.transposedTimes(Vector(y.storage))),
      LAPACK.dgemm(a, y, transposeA: true), a.transposed, y, inner: m, algorithm: "product Aᵀ·x",
      oracle: "dgemm", "\(shape)")
  }

  @Test("A·Aᵀ and Aᵀ·A are dsyrk's and exactly symmetric", arguments: shapes)
  func symmetricProductsAreThoseOfDsyrk(_ shape: (Int, Int, Int)) {
    let (m, inner, _) = shape
    var generator = Generator(seed: 13)
    let a = generator.normal(m, inner)
    let product = a.timesOwnTranspose
    let gram = a.gram
    #expect(product == product.transposed)
    #expect(gram == gram.transposed)
    expectProduct(
      product, LAPACK.dsyrk(a), a, a.transposed, inner: inner, algorithm: "product A·Aᵀ",
      oracle: "dsyrk", "\(shape)")
    expectProduct(
      gram, LAPACK.dsyrk(a, transposed: true), a.transposed, a, inner: m,
      algorithm: "product Aᵀ·A", oracle: "dsyrk", "\(shape)")
  }

  @Test("Whole numbers are multiplied without rounding")
  func integerProductsAreExact() {
    let a = Matrix(rowCount: 37, columnCount: 41) { Double(($0 * 5 + $1 * 3) % 17 - 8) }
    let b = Matrix(rowCount: 41, columnCount: 29) { Double(($0 * 7 + $1 * 11) % 13 - 6) }
    #expect(a * b == LAPACK.dgemm(a, b))
    #expect(a.gram == LAPACK.dsyrk(a, transposed: true))
  }

  @Test("A NaN in either factor reaches exactly its row or column")
  func notANumberIsNotLost() {
    var a = Matrix(rowCount: 9, columnCount: 9, repeating: 0)
    a[4, 2] = .nan
    let product = a * Matrix(rowCount: 9, columnCount: 9)
    for i in 0..<9 { for j in 0..<9 { #expect(product[i, j].isNaN == (i == 4)) } }
  }
}
