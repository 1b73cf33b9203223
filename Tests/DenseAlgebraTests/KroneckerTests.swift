import DenseAlgebra
import TestSupport
import Testing

/// Spec 10.1, P-01 … P-09, P-15, P-16. Factors are A (left, activations) and G (right, gradients).
@Suite("Kronecker products")
struct KroneckerTests {
  /// Rows and columns of A, rows and columns of G.
  static let shapes = [
    (0, 0, 2, 2), (1, 1, 1, 1), (1, 4, 3, 1), (2, 3, 4, 5), (5, 5, 5, 5), (6, 2, 1, 7),
    (3, 0, 2, 2),
  ]
  /// Sizes of square factors.
  static let sizes = [(1, 1), (1, 6), (6, 1), (2, 3), (4, 4), (5, 7)]

  /// The definition, entry by entry, which shares no code with `Matrix.kronecker`.
  static func definition(_ a: Matrix, _ g: Matrix) -> Matrix {
    Matrix(rowCount: a.rowCount * g.rowCount, columnCount: a.columnCount * g.columnCount) {
      a[$0 / g.rowCount, $1 / g.columnCount] * g[$0 % g.rowCount, $1 % g.columnCount]
    }
  }

  @Test("Entry (j·p + i, j'·q + i') is the product of two entries", arguments: shapes)
  func entriesFollowTheDefinition(_ shape: (Int, Int, Int, Int)) {
    var generator = Generator(seed: 101)
    let a = generator.normal(shape.0, shape.1)
    let g = generator.normal(shape.2, shape.3)
    #expect(Matrix.kronecker(a, g) == Self.definition(a, g))
  }

  @Test("P-01 (A ⊗ G) cvec V = cvec(G V Aᵀ)", arguments: shapes)
  func kroneckerActsOnColumnStackedMatrices(_ shape: (Int, Int, Int, Int)) {
    var generator = Generator(seed: 102)
    let a = generator.normal(shape.0, shape.1)
    let g = generator.normal(shape.2, shape.3)
    let v = generator.normal(shape.3, shape.1)
    let dense = LAPACK.dgemm(Self.definition(a, g), Vector(v.storage))
    let factored = g * v.timesTransposed(a)
    LapackComparison.expect(
      Ratio(
        Matrix(column: Vector(factored.storage)), against: Matrix(column: dense),
        size: v.storage.count,
        scale: LAPACK.norm1(a) * LAPACK.norm1(g) * LAPACK.norm1(Matrix(column: Vector(v.storage)))),
      algorithm: "G V Aᵀ", oracle: "dgemm on A ⊗ G", "\(shape)")
  }

  @Test("P-02 (G ⊗ A) rvec V = rvec(G V Aᵀ)", arguments: shapes)
  func rowStackingExchangesTheFactors(_ shape: (Int, Int, Int, Int)) {
    var generator = Generator(seed: 103)
    let a = generator.normal(shape.0, shape.1)
    let g = generator.normal(shape.2, shape.3)
    let v = generator.normal(shape.3, shape.1)
    let dense = LAPACK.dgemm(Matrix.kronecker(g, a), Vector(v.transposed.storage))
    let factored = (g * v.timesTransposed(a)).transposed
    expectRatio(
      Ratio(
        Matrix(column: Vector(factored.storage)), against: Matrix(column: dense),
        size: v.storage.count,
        scale: LAPACK.norm1(a) * LAPACK.norm1(g) * LAPACK.norm1(Matrix(column: Vector(v.storage)))),
      "\(shape)")
  }

  @Test("P-03 (G ⊗ A) cvec V is something else, also when the sizes agree", arguments: 1...10)
  func exchangedFactorsAreWrong(_ seed: Int) {
    var generator = Generator(seed: UInt64(seed))
    let (a, g, v) = (generator.normal(4, 4), generator.normal(4, 4), generator.normal(4, 4))
    let wrong = LAPACK.dgemm(Matrix.kronecker(g, a), Vector(v.storage))
    expectDifferent(
      wrong, Vector((g * v.timesTransposed(a)).storage), relative: 1e-2, seed: UInt64(seed))
  }

  @Test("P-04 eigenvalues of A ⊗ G are all products", arguments: sizes)
  func eigenvaluesMultiply(_ size: (Int, Int)) throws {
    var generator = Generator(seed: 104)
    let a = generator.symmetric(eigenvalues: (0..<size.0).map { _ in generator.random.normal() })
    let g = generator.symmetric(eigenvalues: (0..<size.1).map { _ in generator.random.normal() })
    let left = try SymmetricEigendecomposition.values(of: a).elements
    let right = try SymmetricEigendecomposition.values(of: g).elements
    let products = left.flatMap { alpha in right.map { alpha * $0 } }.sorted()
    let dense = Self.definition(a, g)
    LapackComparison.expect(
      EigenTests.eigenvalueRatio(Vector(products), try LAPACK.dsyev(dense).values, of: dense),
      algorithm: "eigenvalues of A ⊗ G", oracle: "dsyev", "\(size)")
  }

  @Test("P-05 chol(A ⊗ G) = chol A ⊗ chol G", arguments: sizes)
  func choleskyFactorsMultiply(_ size: (Int, Int)) throws {
    var generator = Generator(seed: 105)
    let a = generator.positiveDefinite(size.0)
    let g = generator.positiveDefinite(size.1)
    let product = Matrix.kronecker(
      try CholeskyFactorization(a).lower, try CholeskyFactorization(g).lower)
    // κ of the product is 10⁴; that of its factor, which bounds the forward error, is 10².
    LapackComparison.expect(
      .difference(product, try LAPACK.dpotrf(Self.definition(a, g))).over(condition: 100),
      algorithm: "chol A ⊗ chol G", oracle: "dpotrf, over κ", "\(size)")
  }

  @Test("P-06 (A ⊗ G)⁻¹ = A⁻¹ ⊗ G⁻¹", arguments: sizes)
  func inversesMultiply(_ size: (Int, Int)) throws {
    var generator = Generator(seed: 106)
    let a = generator.matrix(
      size.0, size.0, singularValues: geometric(size.0, from: 1, to: 0.1))
    let g = generator.matrix(
      size.1, size.1, singularValues: geometric(size.1, from: 1, to: 0.1))
    let product = Matrix.kronecker(try LUFactorization(a).inverse, try LUFactorization(g).inverse)
    let dense = Self.definition(a, g)
    LapackComparison.expect(
      .difference(product, try LAPACK.dgesv(dense, .identity(dense.rowCount))).over(condition: 100),
      algorithm: "A⁻¹ ⊗ G⁻¹", oracle: "dgesv, over κ", "\(size)")
  }

  @Test("P-06 pseudo-inverses multiply too")
  func pseudoInversesMultiply() throws {
    var generator = Generator(seed: 107)
    let a = generator.matrix(4, 3, singularValues: [2, 1, 0])
    let g = generator.matrix(3, 5, singularValues: [3, 1, 0])
    let ours = [a, g].map { m -> Matrix in
      let svd = try! SingularValueDecomposition(m)
      return Self.pseudoInverse(svd.left, svd.values, svd.right)
    }
    let oracle = try LAPACK.dgesvd(Self.definition(a, g))
    // The largest over the smallest nonzero singular value is 6.
    expectRatio(
      .difference(
        Matrix.kronecker(ours[0], ours[1]),
        Self.pseudoInverse(oracle.left, oracle.values, oracle.right)
      ).over(condition: 6))
  }

  static func pseudoInverse(_ left: Matrix, _ values: Vector, _ right: Matrix) -> Matrix {
    let scaled = Matrix(rowCount: right.rowCount, columnCount: right.columnCount) {
      values[$1] > 1e-8 * values[0] ? right[$0, $1] / values[$1] : 0
    }
    return LAPACK.dgemm(scaled, left, transposeB: true)
  }

  @Test("P-07 log det, trace, rank and three norms follow their rules", arguments: sizes)
  func scalarRules(_ size: (Int, Int)) throws {
    var generator = Generator(seed: 108)
    let a = generator.matrix(size.0, size.0, singularValues: geometric(size.0, from: 2, to: 0.5))
    let g = generator.matrix(size.1, size.1, singularValues: geometric(size.1, from: 3, to: 0.3))
    let dense = Self.definition(a, g)
    let n = Double(dense.rowCount)
    let oracle = try LAPACK.dgesvd(dense).values.elements
    let logDeterminant = try LAPACK.dgetrf(dense).factors.diagonal
      .reduce(0) { $0 + logarithm(abs($1)) }
    let ours =
      Double(size.1) * (try LUFactorization(a)).logAbsoluteDeterminant
      + Double(size.0) * (try LUFactorization(g)).logAbsoluteDeterminant
    // Each logarithm carries a relative error n·ε·κ of its pivot, κ = 40.
    expectAtMost(abs(ours - logDeterminant), 30 * 40 * n * n * .ulpOfOne, "log det \(size)")
    let rules: [(String, Double, Double)] = [
      ("Frobenius", a.frobeniusNorm * g.frobeniusNorm, LAPACK.dlange(dense, .frobenius)),
      ("spectral", try a.spectralNorm() * g.spectralNorm(), oracle[0]),
      ("nuclear", try a.nuclearNorm() * g.nuclearNorm(), oracle.reduce(0, +)),
    ]
    for (name, value, expected) in rules {
      expectAtMost(abs(value - expected), 30 * n * .ulpOfOne * expected, "\(name) \(size)")
    }
    // The trace may cancel, so its error is relative to the sum of magnitudes.
    expectAtMost(
      abs(a.trace * g.trace - Self.definition(a, g).trace),
      30 * n * .ulpOfOne * dense.diagonal.reduce(0) { $0 + abs($1) }, "trace \(size)")
  }

  @Test("P-07 ranks multiply")
  func ranksMultiply() throws {
    var generator = Generator(seed: 109)
    let a = generator.matrix(4, 4, singularValues: [1, 0.5, 0, 0])
    let g = generator.matrix(5, 3, singularValues: [1, 0.5, 0])
    func rank(_ values: Vector) -> Int { values.elements.count { $0 > 1e-10 * values[0] } }
    let left = rank(try SingularValueDecomposition(a).values)
    let right = rank(try SingularValueDecomposition(g).values)
    #expect((left, right) == (2, 2))
    #expect(rank(try LAPACK.dgesvd(Matrix.kronecker(a, g)).values) == left * right)
  }

  @Test("P-08 R(A ⊗ G) = cvec A · cvec(G)ᵀ, of rank one", arguments: sizes)
  func rearrangementOfAProductHasRankOne(_ size: (Int, Int)) throws {
    var generator = Generator(seed: 110)
    let a = generator.normal(size.0, size.0)
    let g = generator.normal(size.1, size.1)
    let rearranged = Self.definition(a, g).rearranged(leftSize: size.0, rightSize: size.1)
    // One product per entry on both sides: equal to the last bit.
    let expected = Matrix(rowCount: a.storage.count, columnCount: g.storage.count) {
      a.storage[$0] * g.storage[$1]
    }
    #expect(rearranged == expected)
    let values = try LAPACK.dgesvd(rearranged).values
    for k in 1..<max(1, values.count) { expectAtMost(values[k], 1e-14 * values[0]) }
  }

  @Test("P-08 R moves entries about and keeps the Frobenius norm", arguments: sizes)
  func rearrangementKeepsTheEntries(_ size: (Int, Int)) {
    let n = size.0 * size.1
    let m = Matrix(rowCount: n, columnCount: n) { Double($0 * n + $1) }
    let rearranged = m.rearranged(leftSize: size.0, rightSize: size.1)
    #expect(rearranged.storage.sorted() == m.storage.sorted())
    for j in 0..<size.0 {
      for k in 0..<size.0 {
        let block = m.block(
          rows: j * size.1..<(j + 1) * size.1, columns: k * size.1..<(k + 1) * size.1)
        #expect(rearranged.row(k * size.0 + j).elements == block.storage)
      }
    }
  }

  @Test("P-09 the perturbation bound holds in two norms", arguments: 1...30)
  func perturbationBound(_ seed: Int) throws {
    var generator = Generator(seed: UInt64(seed))
    let (m, n) = (1 + generator.random.below(5), 1 + generator.random.below(5))
    let (a, a2) = (generator.normal(m, m), generator.normal(m, m))
    let (g, g2) = (generator.normal(n, n), generator.normal(n, n))
    let distance = Matrix.kronecker(a, g) - Matrix.kronecker(a2, g2)
    let frobenius =
      a.frobeniusNorm * (g - g2).frobeniusNorm + (a - a2).frobeniusNorm * g2.frobeniusNorm
    expectAtMost(distance.frobeniusNorm, frobenius * (1 + 1e-13), seed: UInt64(seed))
    let spectral = try a.spectralNorm() * (g - g2).spectralNorm()
    let other = try (a - a2).spectralNorm() * g2.spectralNorm()
    expectAtMost(
      try distance.spectralNorm(), (spectral + other) * (1 + 1e-13), seed: UInt64(seed))
  }

  @Test("P-15 partial traces of A ⊗ G are tr(G) A and tr(A) G", arguments: sizes)
  func partialTraces(_ size: (Int, Int)) {
    var generator = Generator(seed: 111)
    let a = generator.normal(size.0, size.0)
    let g = generator.normal(size.1, size.1)
    let dense = Self.definition(a, g)
    let right = dense.partialTraceOverRight(leftSize: size.0, rightSize: size.1)
    let left = dense.partialTraceOverLeft(leftSize: size.0, rightSize: size.1)
    // The traces cancel: relative to the sum of the magnitudes they add up.
    let gScale = g.diagonal.reduce(0) { $0 + abs($1) }
    let aScale = a.diagonal.reduce(0) { $0 + abs($1) }
    expectRatio(
      Ratio(right, against: g.trace * a, size: size.1, scale: gScale * LAPACK.norm1(a)))
    expectRatio(
      Ratio(left, against: a.trace * g, size: size.0, scale: aScale * LAPACK.norm1(g)))
  }

  @Test("P-15 partial traces of any matrix are sums over blocks", arguments: sizes)
  func partialTracesOfAnyMatrix(_ size: (Int, Int)) {
    let n = size.0 * size.1
    let m = Matrix(rowCount: n, columnCount: n) { Double(($0 * 31 + $1 * 17) % 101) }
    let right = Matrix(rowCount: size.0, columnCount: size.0) { j, k in
      (0..<size.1).reduce(0) { $0 + m[j * size.1 + $1, k * size.1 + $1] }
    }
    let left = Matrix(rowCount: size.1, columnCount: size.1) { i, k in
      (0..<size.0).reduce(0) { $0 + m[$1 * size.1 + i, $1 * size.1 + k] }
    }
    #expect(m.partialTraceOverRight(leftSize: size.0, rightSize: size.1) == right)
    #expect(m.partialTraceOverLeft(leftSize: size.0, rightSize: size.1) == left)
  }

  /// Spec 4.4: K₁ = A^(−½)E₁, K₂ = B^(−½)E₂ diagonalise both products at once.
  @Test("P-16 (A ⊗ B ± C ⊗ D)⁻¹ from two small eigenproblems", arguments: sizes, [1.0, -1.0])
  func inverseOfASumOfProducts(_ size: (Int, Int), _ sign: Double) throws {
    var generator = Generator(seed: 112)
    let a = generator.positiveDefinite(size.0, condition: 10)
    let b = generator.positiveDefinite(size.1, condition: 10)
    // 0 ≼ C ≼ 0.08 I ≺ A and likewise for D keep the difference positive definite.
    let c = 0.08 * generator.positiveDefinite(size.0, condition: 10)
    let d = 0.08 * generator.positiveDefinite(size.1, condition: 10)
    let v = generator.normal(size.1, size.0)

    func basis(_ m: Matrix, _ inner: Matrix) throws -> (basis: Matrix, values: Vector) {
      let root = try SymmetricEigendecomposition(m).reconstruct { 1 / $0.squareRoot() }
      let eigen = try SymmetricEigendecomposition((root * inner * root).symmetrized)
      return (root * eigen.vectors, eigen.values)
    }
    let (k1, s1) = try basis(a, c)
    let (k2, s2) = try basis(b, d)
    var w = k2.transposedTimes(v) * k1
    for j in 0..<size.0 { for i in 0..<size.1 { w[i, j] /= 1 + sign * s2[i] * s1[j] } }
    let solution = k2 * w.timesTransposed(k1)

    let dense = Self.definition(a, b) + sign * Self.definition(c, d)
    // κ(A ⊗ B) = 100, and the difference moves it by less than a factor 3.
    LapackComparison.expect(
      .difference(Vector(solution.storage), try LAPACK.dgesv(dense, Vector(v.storage)))
        .over(condition: 300), algorithm: "(A ⊗ B ± C ⊗ D)⁻¹", oracle: "dgesv, over κ", "\(size)")
  }
}
