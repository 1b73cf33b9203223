import Curvature
import DenseAlgebra
import Optimization
import TestSupport
import Testing

/// What a split of the factors keeps and what it loses (spec 7.4, 7.5; THOR paper, Eqs. 10, 11).
@Suite("Information loss of a split")
struct SplitLossTests {
  @Test("P-117: blockwise inverses of split factors are the dense inverse of the pinched matrix")
  func blockwiseInverseIsTheDenseOne() {
    property(
      "P-117", .equal, oracle: "dpotri", over: SplitCase.cases(FactorCase.semidefinite)
    ) { test, checks in
      let λ = test.factors.damping
      for (name, m) in [("A", test.a), ("G", test.g)] {
        let matrix = pinching(m, test.split).addingToDiagonal(λ)
        let expected = try LAPACK.dpotri(matrix)
        let factor = KroneckerFactor(m, blockSize: test.split)
        // ⌈n/d⌉ blocks, the last of n mod d rows where that is not 0.
        let n = m.rowCount
        checks.holds(factor.blocks.count == (n + test.split - 1) / test.split, "\(name), blocks")
        checks.holds(
          factor.blocks.last?.rowCount == (n - 1) % test.split + 1, "\(name), remainder")
        let inverse = try DampedFactor(factor, shift: λ, name: name).denseInverse
        checks.equal(
          inverse, expected, scale: try condition(matrix) * LAPACK.norm1(expected), name)
      }
    }
  }

  @Test("P-119: the relative error of the split is √(1 − (1 − ε_A²)(1 − ε_G²)) in Frobenius norm")
  func errorHasAClosedForm() {
    property("P-119", .equal, oracle: "explicit Kronecker product", over: SplitCase.nonzero) {
      test, checks in
      /// 1 − ε², ε = ‖M − M̂‖_F/‖M‖_F.
      func kept(_ m: Matrix) -> Double {
        let ε = frobenius(m - KroneckerFactor(m, blockSize: test.split).dense) / frobenius(m)
        return 1 - ε * ε
      }
      let whole = kronecker(test.a, test.g)
      let cut = kronecker(pinching(test.a, test.split), pinching(test.g, test.split))
      let error = frobenius(whole - cut) / frobenius(whole)
      // Squares, since a root would magnify the round-off of a vanishing error.
      checks.equal(
        error * error, 1 - kept(test.a) * kept(test.g), size: whole.rowCount, scale: 1)
    }
  }

  @Test("P-120: 0 ≤ L_d ≤ 1 − 1/j, and L_d is Eq. 11")
  func lossIsBoundedByTheNumberOfBlocks() {
    property(
      "P-120", .inequality, oracle: "dgesvd", over: SplitCase.cases(FactorCase.semidefinite)
    ) { test, checks in
      for (name, m) in [("A", test.a), ("G", test.g)] {
        let loss = try SplitLoss(m, sizes: [test.split])
        let j = Double((m.rowCount + test.split - 1) / test.split)
        checks.atMost(0, loss.losses[0], name)
        checks.atMost(loss.losses[0], 1 - 1 / j, size: m.rowCount, scale: 1, name)
        checks.equal(
          loss.losses[0], frobenius(m) == 0 ? 0 : try explicitLoss(m, test.split),
          size: m.rowCount, scale: 1, "\(name), Eq. 11")
        checks.holds(loss.dimension == m.rowCount && loss.sizes == [test.split], name)
      }
    }
  }

  @Test("P-120: L_d = 1 − d/n for the matrix of ones where d divides n")
  func matrixOfOnesReachesTheBound() {
    let blocks = Cases<(Int, Int)>(
      edges: [(1, 1), (1, 7), (2, 1), (9, 2)],
      draw: { (1 + $0.below(8), 1 + $0.below(8)) })
    property("P-120", .equal, oracle: "closed form", over: blocks) { value, checks in
      let (j, d) = value
      let n = j * d
      let ones = Matrix(rowCount: n, columnCount: n, repeating: 3)
      let expected = 1 - Double(d) / Double(n)
      checks.equal(try SplitLoss(ones, sizes: [d]).losses[0], expected, size: n, scale: 1)
      let root = Matrix(rowCount: n, columnCount: 1, repeating: 3)
      checks.equal(
        try SplitLoss(root: root, sizes: [d]).losses[0], expected, size: n, scale: 1, "root")
    }
  }

  @Test("P-121: L_d does not rise along a divisor chain and is 0 from d = n on")
  func divisorChainsAreOrdered() {
    property("P-121", .inequality, oracle: "dsyev", over: MatrixCase.semidefinite) {
      test, checks in
      let m = test.matrix
      let n = m.rowCount
      let largest = try LAPACK.dsyev(m).values[n - 1]
      for chain in [[1, 2, 4, 8, 16], [1, 3, 6, 12], [2, 10, 20]] {
        let losses = try SplitLoss(m, sizes: chain).losses
        for (fine, coarse) in zip(losses, losses.dropFirst()) {
          checks.atMost(coarse, fine, size: n, scale: 1, "\(chain)")
        }
        for (size, loss) in zip(chain, losses) {
          if size >= n { checks.holds(loss == 0, "no split at \(size)") }
          let kept = try LAPACK.dsyev(pinching(m, size)).values[n - 1]
          let expected = largest > 0 ? 1 - kept / largest : 0
          checks.equal(loss, expected, size: n, scale: 1, "\(size) by dsyev")
        }
      }
    }
  }

  @Test("P-122: a larger split may lose more: L₃ < L₄ occurs at n = 6")
  func lossIsNotMonotone() {
    property(
      "P-122", .counterProperty, oracle: "search",
      over: Cases<UInt64>(draw: { $0.next() % 100_000 }), holds: .some
    ) { seed, checks in
      var generator = Generator(seed: seed)
      let root = generator.normal(6, 2)
      let losses = try SplitLoss(LAPACK.dsyrk(root), sizes: [3, 4]).losses
      checks.bounded(losses[1] - losses[0], atLeast: 0.01)
    }
  }

  @Test("A coordinate pair across the cut of 4 but not of 3 loses nothing at 3 and half at 4")
  func cutThroughThePair() throws {
    // Coordinates 3 and 4 move together: {0,1,2}, {3,4,5} keeps them, {0..3}, {4,5} parts them.
    var m = Matrix(rowCount: 6, columnCount: 6)
    for i in 3...4 { for j in 3...4 { m[i, j] = 1 } }
    let losses = try SplitLoss(m, sizes: [1, 3, 4, 6]).losses
    for (loss, expected) in zip(losses, [0.5, 0, 0.5, 0]) {
      #expect(abs(loss - expected) <= 30 * .ulpOfOne)
    }
  }

  @Test("P-123: 1 − L(Â ⊗ Ĝ) = (1 − L(Â))(1 − L(Ĝ))")
  func productRule() {
    property(
      "P-123", .equal, oracle: "dgesvd on the explicit Kronecker product", over: SplitCase.nonzero
    ) { test, checks in
      let whole = try LAPACK.spectralNorm(kronecker(test.a, test.g))
      let cut = try LAPACK.spectralNorm(
        kronecker(pinching(test.a, test.split), pinching(test.g, test.split)))
      let ofA = try SplitLoss(test.a, sizes: [test.split]).losses[0]
      let ofG = try SplitLoss(test.g, sizes: [test.split]).losses[0]
      checks.equal(
        SplitLoss.product(ofA, ofG), 1 - cut / whole, size: test.a.rowCount * test.g.rowCount,
        scale: 1)
    }
  }

  @Test("P-124: tr(A ⊗ G + λI) = tr A tr G + λ d_A d_G, and a split changes no bit of a trace")
  func tracesDoNotSeeTheSplit() {
    property(
      "P-124", .equal, oracle: "explicit Kronecker product",
      over: SplitCase.cases(FactorCase.semidefinite)
    ) { test, checks in
      let λ = test.factors.damping
      let count = test.a.rowCount * test.g.rowCount
      let closed = test.a.trace * test.g.trace + λ * Double(count)
      let whole = kronecker(test.a, test.g).addingToDiagonal(λ)
      checks.equal(closed, whole.trace, size: count, "whole")
      let (a, g) = (pinching(test.a, test.split), pinching(test.g, test.split))
      checks.equal(kronecker(a, g).addingToDiagonal(λ).trace, closed, size: count, "split")
      checks.holds(a.trace == test.a.trace && g.trace == test.g.trace, "bits")
      for (m, trace) in [(test.a, test.a.trace), (test.g, test.g.trace)] {
        checks.equal(
          KroneckerFactor(m, blockSize: test.split).trace, trace, size: m.rowCount, "blocks")
      }
    }
  }

  @Test("The loss from a root is the loss of its product, wide and tall blocks alike")
  func rootsGiveTheSameLoss() throws {
    for (n, r) in [(1, 1), (1, 4), (5, 2), (7, 7), (12, 3), (6, 10)] {
      var generator = Generator(seed: UInt64(100 * n + r))
      let root = generator.normal(n, r)
      let sizes = [1, 2, 3, 5, 8, 20]
      let fromRoot = try SplitLoss(root: root, sizes: sizes)
      let fromProduct = try SplitLoss(LAPACK.dsyrk(root), sizes: sizes)
      #expect(fromRoot.dimension == n && fromRoot.sizes == sizes)
      for (one, two) in zip(fromRoot.losses, fromProduct.losses) {
        #expect(abs(one - two) <= 30 * Double(max(n, r)) * .ulpOfOne, "\(n) × \(r)")
      }
    }
  }

  @Test("The norm of Eq. 11 is that of the largest magnitude: an indefinite matrix too")
  func indefiniteMatrices() throws {
    // ‖M‖₂ = 5 from the pair ±; the diagonal blocks of 1 are 0 and 2.
    let m = Matrix(rows: [[0, 0, 0], [0, -5, 0], [0, 0, 2]])
    #expect(try SplitLoss(m, sizes: [1, 2, 3]).losses == [0, 0, 0])
    let flip = Matrix(rows: [[0, -4], [-4, -6]])  // eigenvalues −8 and 2
    let loss = try SplitLoss(flip, sizes: [1]).losses[0]
    #expect(abs(loss - 0.25) <= 30 * .ulpOfOne)
  }

  @Test("The zero matrix and the empty one lose nothing")
  func nothingToLose() throws {
    #expect(try SplitLoss(Matrix(rowCount: 4, columnCount: 4), sizes: [1, 4]).losses == [0, 0])
    #expect(try SplitLoss(Matrix(rowCount: 0, columnCount: 0), sizes: [1]).losses == [0])
    #expect(try SplitLoss(root: Matrix(rowCount: 4, columnCount: 2), sizes: [2]).losses == [0])
  }
}
