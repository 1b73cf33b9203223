import DenseAlgebra
import TestSupport
import Testing

/// Spec 10.1, P-01 … P-03, P-08, P-09, P-15: entries, order and bounds of A ⊗ G.
@Suite("Kronecker products")
struct KroneckerTests {
  @Test("Entry (j·p + i, j'·q + i') is the product of two entries")
  func entriesFollowTheDefinition() {
    for edge in KroneckerCase.any.edges {
      #expect(Matrix.kronecker(edge.a, edge.g) == edge.definition, "\(edge)")
    }
  }

  /// ‖A‖₁‖G‖₁‖cvec V‖₁, in whose units the sums of both sides round.
  private func scale(_ a: Matrix, _ g: Matrix, _ v: Matrix) -> Double {
    LAPACK.norm1(a) * LAPACK.norm1(g) * LAPACK.norm1(Matrix(column: Vector(v.storage)))
  }

  @Test("P-01: (A ⊗ G) cvec V = cvec(G V Aᵀ)")
  func kroneckerActsOnColumnStackedMatrices() {
    property("P-01", .equal, oracle: "dgemm on A ⊗ G", over: KroneckerCase.any) { value, checks in
      let (a, g, v) = (value.a, value.g, value.v)
      let dense = LAPACK.dgemm(value.definition, Vector(v.storage))
      let factored = Vector((g * v.timesTransposed(a)).storage)
      let ours = Matrix.kronecker(a, g) * Vector(v.storage)
      for (result, name) in [(factored, "G V Aᵀ"), (ours, "(A ⊗ G) cvec V")] {
        checks.lapack(
          Ratio(
            Matrix(column: result), against: Matrix(column: dense), size: v.storage.count,
            scale: scale(a, g, v)), algorithm: name, oracle: "dgemm on A ⊗ G")
      }
    }
  }

  @Test("P-02: (G ⊗ A) rvec V = rvec(G V Aᵀ)")
  func rowStackingExchangesTheFactors() {
    property("P-02", .equal, oracle: "dgemm on G ⊗ A", over: KroneckerCase.any) { value, checks in
      let (a, g, v) = (value.a, value.g, value.v)
      let dense = LAPACK.dgemm(Matrix.kronecker(g, a), Vector(v.transposed.storage))
      let factored = Vector((g * v.timesTransposed(a)).transposed.storage)
      checks.equal(factored, dense, scale: scale(a, g, v))
    }
  }

  /// Factors of size 1 commute; above that the order shows, also where the sizes agree.
  @Test("P-03: (G ⊗ A) cvec V is something else, also when the sizes agree")
  func exchangedFactorsAreWrong() {
    let generic = Cases<KroneckerCase> { random in
      let size = 2 + random.below(5)
      let other = random.below(2) == 0 ? size : 2 + random.below(5)
      return KroneckerCase(
        left: GeneralCase(rowCount: size, columnCount: size, rank: size),
        right: GeneralCase(rowCount: other, columnCount: other, rank: other),
        seed: random.next() % 100_000)
    }
    property("P-03", .counterProperty, oracle: "dgemm", over: generic) { value, checks in
      var generator = value.generator
      let a = generator.normal(value.left.rowCount, value.left.rowCount)
      let g = generator.normal(value.right.rowCount, value.right.rowCount)
      let v = generator.normal(value.right.rowCount, value.left.rowCount)
      let wrong = LAPACK.dgemm(Matrix.kronecker(g, a), Vector(v.storage))
      checks.different(wrong, Vector((g * v.timesTransposed(a)).storage))
    }
  }

  /// Scaled by 1e150 twice, ‖A ⊗ G‖ is 1e300 and its square overflows: the norms must not.
  @Test("P-08: R(A ⊗ G) = cvec A · cvec(G)ᵀ, of rank one, and R keeps the Frobenius norm")
  func rearrangementOfAProductHasRankOne() {
    property("P-08", .equal, oracle: "dgesvd, dlange", over: KroneckerCase.nonsingular) {
      value, checks in
      let (a, g, dense) = (value.a, value.g, value.definition)
      let rearranged = dense.rearranged(leftSize: a.rowCount, rightSize: g.rowCount)
      // One product per entry on both sides: equal to the last bit.
      let expected = Matrix(rowCount: a.storage.count, columnCount: g.storage.count) {
        a.storage[$0] * g.storage[$1]
      }
      checks.holds(rearranged == expected, "R(A ⊗ G) is the outer product, bit for bit")
      checks.holds(rearranged.storage.sorted() == dense.storage.sorted(), "R moves entries only")
      checks.equal(
        rearranged.frobeniusNorm, LAPACK.dlange(dense, .frobenius), size: dense.rowCount, "‖R‖")
      let values = try LAPACK.dgesvd(rearranged).values
      checks.equal(
        values[0], LAPACK.dlange(a, .frobenius) * LAPACK.dlange(g, .frobenius),
        size: dense.rowCount, "σ₁ = ‖A‖‖G‖")
      for k in 1..<max(1, values.count) {
        checks.atMost(values[k], 0, size: dense.rowCount, scale: values[0], "σ₂")
      }
    }
  }

  @Test("R of a matrix with distinct entries: row j'·d + j holds cvec of block (j, j')")
  func rearrangementFollowsTheDefinition() {
    for (left, right) in [(1, 1), (1, 6), (6, 1), (2, 3), (4, 4), (5, 7)] {
      let n = left * right
      let m = Matrix(rowCount: n, columnCount: n) { Double($0 * n + $1) }
      let rearranged = m.rearranged(leftSize: left, rightSize: right)
      for j in 0..<left {
        for k in 0..<left {
          let block = m.block(
            rows: j * right..<(j + 1) * right, columns: k * right..<(k + 1) * right)
          #expect(rearranged.row(k * left + j).elements == block.storage)
        }
      }
    }
  }

  /// Also for neighbours, A′ = A + 1e-8 E, where the left side is a difference of nearly equal numbers
  /// and rounds in units of ‖A‖‖G‖.
  @Test("P-09: ‖A ⊗ G − A′ ⊗ G′‖ ≤ ‖A‖‖G − G′‖ + ‖A − A′‖‖G′‖ in two norms")
  func perturbationBound() {
    property("P-09", .inequality, oracle: "the triangle inequality", over: KroneckerCase.any) {
      value, checks in
      let (a, g) = (value.a, value.g)
      for relative in [1, 1e-8] {
        var generator = value.generator
        var (a2, g2) = (a, g)
        a2.add(relative * value.left.scale, times: generator.normal(a.rowCount, a.columnCount))
        g2.add(relative * value.right.scale, times: generator.normal(g.rowCount, g.columnCount))
        let distance = Matrix.kronecker(a, g) - Matrix.kronecker(a2, g2)
        let norms: [(String, (Matrix) throws -> Double)] = [
          ("Frobenius", { $0.frobeniusNorm }), ("spectral", { try $0.spectralNorm() }),
        ]
        for (name, norm) in norms {
          let bound = try norm(a) * norm(g - g2) + norm(a - a2) * norm(g2)
          // Below 1e-290 numbers lose digits to underflow.
          let scale = (try norm(a) + norm(a2)) * (try norm(g) + norm(g2))
          checks.atMost(
            try norm(distance), bound, size: distance.rowCount + distance.columnCount,
            scale: max(scale, 1e-290), name)
        }
      }
    }
  }

  @Test("P-15: partial traces of A ⊗ G are tr(G) A and tr(A) G")
  func partialTraces() {
    property("P-15", .equal, oracle: "closed form", over: KroneckerCase.nonsingular) {
      value, checks in
      let (a, g, dense) = (value.a, value.g, value.definition)
      let right = dense.partialTraceOverRight(leftSize: a.rowCount, rightSize: g.rowCount)
      let left = dense.partialTraceOverLeft(leftSize: a.rowCount, rightSize: g.rowCount)
      // The traces cancel: relative to the sum of the magnitudes they add up.
      func magnitude(_ m: Matrix) -> Double { m.diagonal.reduce(0) { $0 + abs($1) } }
      checks.equal(right, g.trace * a, scale: magnitude(g) * LAPACK.norm1(a), "Tr_G")
      checks.equal(left, a.trace * g, scale: magnitude(a) * LAPACK.norm1(g), "Tr_A")
    }
  }

  @Test("Partial traces of any matrix of whole numbers are sums over blocks")
  func partialTracesOfAnyMatrix() {
    for (left, right) in [(1, 1), (1, 6), (6, 1), (2, 3), (4, 4), (5, 7)] {
      let n = left * right
      let m = Matrix(rowCount: n, columnCount: n) { Double(($0 * 31 + $1 * 17) % 101) }
      #expect(
        m.partialTraceOverRight(leftSize: left, rightSize: right)
          == Matrix(rowCount: left, columnCount: left) { j, k in
            (0..<right).reduce(0) { $0 + m[j * right + $1, k * right + $1] }
          })
      #expect(
        m.partialTraceOverLeft(leftSize: left, rightSize: right)
          == Matrix(rowCount: right, columnCount: right) { i, k in
            (0..<left).reduce(0) { $0 + m[$1 * right + i, $1 * right + k] }
          })
    }
  }
}
