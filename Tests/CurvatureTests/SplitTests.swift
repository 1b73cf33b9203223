import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// THOR's split of the factors (spec 7.4, Eq. 10; P-116, P-117, P-119, P-131).
@Suite("KFAC split into diagonal blocks")
struct SplitTests {
  static let cases = Array(CurvatureCase.dense.prefix(6))

  @Test(
    "The factors are pinched separately with the same size, the last block smaller",
    arguments: [1, 2, 3, 4, 5, 50])
  func factorsArePinched(split: Int) throws {
    for test in Self.cases {
      for (layer, defined) in zip(test.layers, test.defined) {
        let block = KroneckerBlock.kfacSplit(layer, split: split)
        let (a, g) = defined.factors()
        expectRatio(.difference(block.a.dense, pinching(a, split)), "A, \(split), \(test)")
        expectRatio(.difference(block.g.dense, pinching(g, split)), "G, \(split), \(test)")
        #expect(block.a.ranges.count == (a.rowCount + split - 1) / split)
        #expect(block.a.ranges.last?.upperBound == a.rowCount)
        #expect(block.a.size == a.rowCount)
        expectRatio(.difference(Vector([block.a.trace]), Vector([a.trace])))
      }
    }
  }

  @Test(
    "P-117: the blockwise inverse is the dense inverse of the pinched matrix, remainder included",
    arguments: [1, 2, 3, 4, 5, 7])
  func blockwiseInverseIsTheInverse(split: Int) throws {
    for test in Self.cases {
      for (layer, defined) in zip(test.layers, test.defined) {
        let (a, g) = defined.factors()
        for rule in [DampingRule.sqrt, .factor, .pi, .exact] {
          let damping = try KroneckerBlock.kfacSplit(layer, split: split).damped(rule, 0.03)
          let matrix = damped(pinching(a, split), pinching(g, split), rule, 0.03)
          let inverse = try LAPACK.dpotri(matrix)
          expectRatio(
            Ratio(
              try damping.denseInverse(within: .standard), against: inverse,
              size: matrix.rowCount, scale: try condition(matrix) * LAPACK.norm1(inverse)),
            "\(rule), \(split), \(test)", seed: test.seed)
        }
      }
    }
  }

  @Test(
    "P-118: a factor padded with an identity tail has the same inverse on the kept part",
    arguments: [2, 3, 4])
  func paddingChangesNothing(split: Int) throws {
    for test in Self.cases {
      for layer in test.layers {
        let a = KFACFactors(layer).a
        let n = a.rowCount
        let padded = (n + split - 1) / split * split
        var whole = Matrix.identity(padded)
        whole.setBlock(row: 0, column: 0, to: a.addingToDiagonal(0.03))
        let expected = try LAPACK.dpotri(pinching(whole, split))
          .block(rows: 0..<n, columns: 0..<n)
        let factor = try DampedFactor(
          KroneckerFactor(a, blockSize: split), shift: 0.03, name: "factor A")
        expectRatio(
          Ratio(
            factor.denseInverse, against: expected, size: n,
            scale: try condition(a.addingToDiagonal(0.03)) * LAPACK.norm1(expected)), "\(test)")
      }
    }
  }

  @Test("P-116: a split of at least both sizes is KFAC", arguments: cases)
  func largeSplitIsKFAC(test: CurvatureCase) throws {
    for layer in test.layers {
      let whole = KroneckerBlock.kfac(layer)
      let split = KroneckerBlock.kfacSplit(
        layer, split: max(layer.inputSize, layer.outputSize))
      #expect(split.a == whole.a && split.g == whole.g)
    }
  }

  @Test("P-119: the relative error is √(1 − (1 − ε_A²)(1 − ε_G²))", arguments: cases)
  func errorHasAClosedForm(test: CurvatureCase) throws {
    for layer in test.layers {
      let kfac = try KroneckerBlock.kfac(layer).dense(within: .standard)
      for split in [1, 2, 3] {
        let cut = try KroneckerBlock.kfacSplit(layer, split: split).dense(within: .standard)
        let factors = KFACFactors(layer)
        func share(_ m: Matrix) -> Double {
          let part = frobenius(m - pinching(m, split)) / frobenius(m)
          return 1 - part * part
        }
        let closed = 1 - share(factors.a) * share(factors.g)
        let error = frobenius(kfac - cut) / frobenius(kfac)
        expectAtMost(abs(error * error - closed), 1e-13, "\(split), \(test)", seed: test.seed)
      }
    }
  }

  @Test("A coarser split is never further from A ⊗ G than a finer one inside it")
  func divisorChainIsOrdered() throws {
    for test in Self.cases {
      for layer in test.layers {
        let kfac = try KroneckerBlock.kfac(layer).dense(within: .standard)
        let errors = try [1, 2, 4, 8].map {
          frobenius(
            kfac - (try KroneckerBlock.kfacSplit(layer, split: $0).dense(within: .standard)))
        }
        for (fine, coarse) in zip(errors, errors.dropFirst()) {
          expectAtMost(coarse, fine, slack: 1e-13 * frobenius(kfac), "\(test)")
        }
      }
    }
  }

  @Test(
    "P-76, P-131: a permutation of hidden units changes the split, not KFAC; a sign flip neither")
  func onlyTheSplitSeesTheOrderOfUnits() throws {
    var generator = Generator(seed: 31)
    let (first, second) = (generator.normal(4, 4), generator.normal(3, 5))
    let inputs = generator.normal(3, 15)
    /// The network's outputs after one step, with the hidden units rewritten by a signed permutation.
    func outputs(order: [Int], signs: [Double], _ kind: StructureKind) throws -> Matrix {
      let network = try Network.multilayerPerceptron(
        weights: [
          Matrix(rowCount: 4, columnCount: 4) { signs[$0] * first[order[$0], $1] },
          Matrix(rowCount: 3, columnCount: 5) {
            $1 < 4 ? signs[$1] * second[$0, order[$1]] : second[$0, $1]
          },
        ], activations: [.tanh])
      let base = try Network.multilayerPerceptron(weights: [first, second], activations: [.tanh])
      let data = drawn(base, inputs, .categorical, seed: 31)
      let samples = GradientSamples(network, data, likelihood: .categorical, kind: .exact)
      let gradient = LossGradient(network, data, .categorical).gradient
      let step = try kind.build(samples, StructureOptions(split: 2)).damped(.factor, 0.1)
        .solve(gradient)
      return network.adding(step, scale: -0.3).forward(inputs).output
    }
    let plain = [1.0, 1, 1, 1]
    for kind in [StructureKind.kfac, .kfacSplit] {
      let reference = try outputs(order: [0, 1, 2, 3], signs: plain, kind)
      let permuted = try outputs(order: [2, 0, 3, 1], signs: plain, kind)
      let flipped = try outputs(order: [0, 1, 2, 3], signs: [-1, 1, -1, -1], kind)
      // λ = 0.1 on each factor keeps κ near 1e4 at most.
      expectAtMost(frobenius(flipped - reference), 1e-10 * frobenius(reference), "\(kind)")
      if kind == .kfac {
        expectAtMost(frobenius(permuted - reference), 1e-10 * frobenius(reference))
      } else {
        expectDifferent(permuted, reference, relative: 1e-3)
      }
    }
  }
}
