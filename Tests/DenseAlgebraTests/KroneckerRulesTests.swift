import DenseAlgebra
import TestSupport
import Testing

/// Spec 10.1, P-04 … P-07: spectra, factors and inverses of A ⊗ G from those of A and G.
@Suite("Factorizations of Kronecker products")
struct KroneckerRulesTests {
  @Test("P-04: the eigenvalues of A ⊗ G are all products")
  func eigenvaluesMultiply() {
    property("P-04", .equal, oracle: "dsyev", over: SymmetricPair.cases(MatrixCase.symmetric)) {
      pair, checks in
      let left = try SymmetricEigendecomposition.values(of: pair.a.matrix).elements
      let right = try SymmetricEigendecomposition.values(of: pair.g.matrix).elements
      let products = left.flatMap { alpha in right.map { alpha * $0 } }.sorted()
      let dense = pair.definition
      checks.lapack(
        EigenTests.eigenvalueRatio(Vector(products), try LAPACK.dsyev(dense).values, of: dense),
        algorithm: "eigenvalues of A ⊗ G", oracle: "dsyev")
    }
  }

  /// A lower triangle L with a positive diagonal and LLᵀ = M is the factor of M, whatever the
  /// condition. That the entries are dpotrf's holds up to κ(M) (Sun 1991).
  @Test("P-05: chol(A ⊗ G) = chol A ⊗ chol G")
  func choleskyFactorsMultiply() {
    property(
      "P-05", .equal, oracle: "dpotrf", over: SymmetricPair.cases(MatrixCase.positiveDefinite)
    ) { pair, checks in
      let dense = pair.definition
      let product = Matrix.kronecker(
        try CholeskyFactorization(pair.a.matrix).lower,
        try CholeskyFactorization(pair.g.matrix).lower)
      checks.holds(product.diagonal.allSatisfy { $0 > 0 }, "a positive diagonal")
      checks.holds(
        product
          == Matrix(rowCount: dense.rowCount, columnCount: dense.rowCount) {
            $0 >= $1 ? product[$0, $1] : 0
          }, "zeros above")
      checks.ratio(.reconstruction(LAPACK.dsyrk(product), of: dense), "LLᵀ")
    }
    property(
      "P-05", .equal, oracle: "dpotrf", claim: "chol A ⊗ chol G is dpotrf's factor, over κ",
      over: SymmetricPair.cases(MatrixCase.wellConditioned)
    ) { pair, checks in
      let product = Matrix.kronecker(
        try CholeskyFactorization(pair.a.matrix).lower,
        try CholeskyFactorization(pair.g.matrix).lower)
      let condition = try conditionNumber(pair.a.matrix) * conditionNumber(pair.g.matrix)
      checks.lapack(
        .difference(product, try LAPACK.dpotrf(pair.definition)).over(condition: condition),
        algorithm: "chol A ⊗ chol G", oracle: "dpotrf, over κ")
    }
  }

  @Test("P-06: (A ⊗ G)⁻¹ = A⁻¹ ⊗ G⁻¹")
  func inversesMultiply() {
    property("P-06", .equal, oracle: "dgesv, over κ", over: KroneckerCase.nonsingular) {
      value, checks in
      let product = Matrix.kronecker(
        try LUFactorization(value.a).inverse, try LUFactorization(value.g).inverse)
      let dense = value.definition
      checks.ratio(.inverse(dense, product), "(A ⊗ G)(A⁻¹ ⊗ G⁻¹) = I")
      checks.lapack(
        .difference(product, try LAPACK.dgesv(dense, .identity(dense.rowCount)))
          .over(condition: value.condition), algorithm: "A⁻¹ ⊗ G⁻¹", oracle: "dgesv, over κ")
    }
  }

  /// Of rectangular matrices of any rank; the smallest kept singular value of the product is at least
  /// 1e-8 of the largest, the others are round-off.
  @Test("P-06: pseudo-inverses multiply too")
  func pseudoInversesMultiply() {
    let cases = KroneckerCase.any.filter { min($0.left.columnCount, $0.right.columnCount) > 0 }
    property("P-06", .equal, oracle: "dgesvd, over κ", over: cases) { value, checks in
      let ours = try [value.a, value.g].map { m -> Matrix in
        let svd = try SingularValueDecomposition(m)
        return pseudoInverse(svd.left, svd.values, svd.right)
      }
      let oracle = try LAPACK.dgesvd(value.definition)
      checks.ratio(
        .difference(
          Matrix.kronecker(ours[0], ours[1]),
          pseudoInverse(oracle.left, oracle.values, oracle.right)
        ).over(condition: value.condition))
    }
  }

  @Test("P-07: log det, trace and three norms follow their rules")
  func scalarRules() {
    property(
      "P-07", .equal, oracle: "dgetrf, dgesvd, dlange", over: KroneckerCase.nonsingular
    ) { value, checks in
      let (a, g, dense) = (value.a, value.g, value.definition)
      let n = dense.rowCount
      let oracle = try LAPACK.dgesvd(dense).values.elements
      let logDeterminant = try LAPACK.dgetrf(dense).factors.diagonal
        .reduce(0) { $0 + logarithm(abs($1)) }
      let terms = [
        Double(g.rowCount) * (try LUFactorization(a)).logAbsoluteDeterminant,
        Double(a.rowCount) * (try LUFactorization(g)).logAbsoluteDeterminant,
      ]
      // d log det = tr(M⁻¹ dM): n ε κ for each of n pivots, and the round-off of the two terms, which
      // cancel where one factor is large and the other small.
      checks.equal(
        terms[0] + terms[1], logDeterminant, size: n * n,
        scale: value.condition + abs(terms[0]) + abs(terms[1]), "log det")
      checks.equal(
        a.frobeniusNorm * g.frobeniusNorm, LAPACK.dlange(dense, .frobenius), size: n, "Frobenius")
      checks.equal(try a.spectralNorm() * g.spectralNorm(), oracle[0], size: n, "spectral")
      checks.equal(
        try a.nuclearNorm() * g.nuclearNorm(), oracle.reduce(0, +), size: n, "nuclear")
      // The trace may cancel, so its error is relative to the sum of magnitudes.
      checks.equal(
        a.trace * g.trace, dense.diagonal.reduce(0, +), size: n,
        scale: dense.diagonal.reduce(0) { $0 + abs($1) }, "trace")
    }
  }

  @Test("P-07: ranks multiply")
  func ranksMultiply() {
    let cases = KroneckerCase.any.filter { min($0.left.columnCount, $0.right.columnCount) > 0 }
    property("P-07", .equal, oracle: "dgesvd", over: cases) { value, checks in
      // Kept singular values are at least 1e-8 of the largest, the others n ε.
      func rank(_ values: Vector) -> Int { values.elements.count { $0 > 1e-11 * values[0] } }
      let left = rank(try SingularValueDecomposition(value.a).values)
      let right = rank(try SingularValueDecomposition(value.g).values)
      checks.holds(left == value.left.rank && right == value.right.rank, "the ranks of A and G")
      checks.holds(
        rank(try LAPACK.dgesvd(Matrix.kronecker(value.a, value.g)).values) == left * right,
        "rank A ⊗ G = \(left)·\(right)")
    }
  }

  private func pseudoInverse(_ left: Matrix, _ values: Vector, _ right: Matrix) -> Matrix {
    let scaled = Matrix(rowCount: right.rowCount, columnCount: right.columnCount) {
      values[$1] > 1e-11 * values[0] ? right[$0, $1] / values[$1] : 0
    }
    return LAPACK.dgemm(scaled, left, transposeB: true)
  }

  /// Spec 4.4: K₁ = A^(−½)E₁, K₂ = B^(−½)E₂ diagonalise both products at once.
  @Test("P-16: (A ⊗ B ± C ⊗ D)⁻¹ from two small eigenproblems", arguments: [1.0, -1.0])
  func inverseOfASumOfProducts(_ sign: Double) {
    property("P-16", .equal, oracle: "dgesv, over κ", over: KroneckerCase.nonsingular) {
      value, checks in
      let sizes = (value.left.rowCount, value.right.rowCount)
      var generator = value.generator
      let a = generator.positiveDefinite(sizes.0, condition: 10)
      let b = generator.positiveDefinite(sizes.1, condition: 10)
      // 0 ≼ C ≼ 0.08 I ≺ A and likewise for D keep the difference positive definite.
      let c = 0.08 * generator.positiveDefinite(sizes.0, condition: 10)
      let d = 0.08 * generator.positiveDefinite(sizes.1, condition: 10)
      let v = generator.normal(sizes.1, sizes.0)

      func basis(_ m: Matrix, _ inner: Matrix) throws -> (basis: Matrix, values: Vector) {
        let root = try SymmetricEigendecomposition(m).reconstruct { 1 / $0.squareRoot() }
        let eigen = try SymmetricEigendecomposition((root * inner * root).symmetrized)
        return (root * eigen.vectors, eigen.values)
      }
      let (k1, s1) = try basis(a, c)
      let (k2, s2) = try basis(b, d)
      var w = k2.transposedTimes(v) * k1
      for j in 0..<sizes.0 { for i in 0..<sizes.1 { w[i, j] /= 1 + sign * s2[i] * s1[j] } }
      let solution = k2 * w.timesTransposed(k1)

      let dense = KroneckerCase.definition(a, b) + sign * KroneckerCase.definition(c, d)
      // κ(A ⊗ B) = 100, and the difference moves it by less than a factor 3.
      checks.lapack(
        .difference(Vector(solution.storage), try LAPACK.dgesv(dense, Vector(v.storage)))
          .over(condition: 300), algorithm: "(A ⊗ B ± C ⊗ D)⁻¹", oracle: "dgesv, over κ")
    }
  }
}

/// λmax/λmin of a symmetric positive definite matrix by `dsyev`.
func conditionNumber(_ m: Matrix) throws -> Double {
  let values = try LAPACK.dsyev(m).values
  return values[values.count - 1] / values[0]
}
