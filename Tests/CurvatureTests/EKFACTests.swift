import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// EKFAC and its optimality (spec 5, P-81 to P-89).
@Suite("EKFAC")
struct EKFACTests {
  /// The layers of all cases with their exact blocks.
  static func layers(_ cases: [CurvatureCase]) -> [(
    name: String, seed: UInt64, layer: LayerSamples, defined: DefinedLayer
  )] {
    cases.flatMap { test in
      zip(test.layers, test.defined).map { ("\(test), \($0.name)", test.seed, $0, $1) }
    }
  }

  /// Q = Q_A ⊗ Q_G of a block.
  func basis(_ block: EigenbasisBlock) -> Matrix { kronecker(block.inputBasis, block.outputBasis) }

  @Test("The basis is orthogonal and diagonalises A and G", arguments: CurvatureCase.varied)
  func basisDiagonalisesTheFactors(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      for sharing in WeightSharing.allCases {
        let block = try EigenbasisBlock.ekfac(layer, sharing: sharing)
        let (a, g) = defined.factors(sharing)
        for (q, m) in [(block.inputBasis, a), (block.outputBasis, g)] {
          expectRatio(.orthogonality(q), "\(test)", seed: test.seed)
          let rotated = LAPACK.dgemm(q, LAPACK.dgemm(m, q), transposeA: true)
          if frobenius(m) == 0 { continue }
          expectRatio(
            Ratio(
              rotated, against: .diagonal(rotated.diagonal), size: m.rowCount,
              scale: LAPACK.norm1(m)), "\(test)", seed: test.seed)
        }
      }
    }
  }

  @Test(
    "P-81, P-85, P-86: S = diag(QᵀFQ) ≥ 0, trace kept, majorised by F's spectrum",
    arguments: CurvatureCase.varied)
  func secondMomentsAreTheRotatedDiagonal(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let block = try EigenbasisBlock.ekfac(layer)
      let q = basis(block)
      let f = defined.fisher
      let rotated = LAPACK.dgemm(q, LAPACK.dgemm(f, q), transposeA: true)
      let s = block.secondMoments
      #expect(s.rowCount == defined.outputSize && s.columnCount == defined.inputSize)
      if frobenius(f) == 0 { continue }
      expectRatio(
        Ratio(
          Matrix(column: Vector(s.storage)), against: Matrix(column: Vector(rotated.diagonal)),
          size: defined.size, scale: LAPACK.norm1(f)), "\(test)", seed: test.seed)
      #expect(s.storage.allSatisfy { $0 >= 0 })
      let matrix = try block.dense(within: .standard)
      expectRatio(.difference(Vector([matrix.trace]), Vector([f.trace])), "\(test)")
      // Schur and Horn: the sums of the k largest are at most those of the spectrum.
      let spectrum = Array(try LAPACK.dsyevd(f).values.elements.reversed())
      var (sum, bound) = (0.0, 0.0)
      for (moment, eigenvalue) in zip(s.storage.sorted(by: >), spectrum) {
        sum += moment
        bound += eigenvalue
        expectAtMost(sum, bound, slack: 1e-13 * f.trace, "\(test)", seed: test.seed)
      }
    }
  }

  @Test(
    "P-82: EKFAC is never further than KFAC; the gap is ‖s − α⊗γ‖² (Pythagoras)",
    arguments: CurvatureCase.varied, WeightSharing.allCases)
  func ekfacIsNeverFurtherThanKFAC(test: CurvatureCase, sharing: WeightSharing) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let f = defined.fisher
      let block = try EigenbasisBlock.ekfac(layer, sharing: sharing)
      let ekfac = try block.dense(within: .standard)
      let (a, g) = defined.factors(sharing)
      let kfac = kronecker(a, g)
      let (near, far) = (frobenius(f - ekfac), frobenius(f - kfac))
      let unit = f.dot(f) + kfac.dot(kfac)
      let slack = 1e-13 * unit
      expectAtMost(near * near, far * far, slack: slack, "\(test)", seed: test.seed)
      // KFAC's diagonal in the same basis is α ⊗ γ.
      let q = basis(block)
      let eigenvalues = LAPACK.dgemm(q, LAPACK.dgemm(kfac, q), transposeA: true).diagonal
      let gap = Vector(block.secondMoments.storage) - Vector(eigenvalues)
      expectAtMost(
        abs(far * far - near * near - gap.dot(gap)), slack, "gap, \(test)", seed: test.seed)
    }
  }

  @Test("P-83, P-84: for any orthogonal basis error² = ‖F‖² − ‖s‖², and s is the best diagonal")
  func secondMomentsAreOptimalInAnyBasis() throws {
    for (name, seed, layer, defined) in Self.layers(Array(CurvatureCase.varied.prefix(12))) {
      var generator = Generator(seed: seed)
      let a = generator.positiveDefinite(defined.inputSize)
      let g = generator.positiveDefinite(defined.outputSize)
      let stale = try EigenbasisBlock.ekfac(
        layer, basisOf: (KroneckerFactor(a), KroneckerFactor(g)))
      let f = defined.fisher
      if frobenius(f) == 0 { continue }
      let s = Vector(stale.secondMoments.storage)
      let error = f - (try stale.dense(within: .standard))
      expectAtMost(
        abs(error.dot(error) - f.dot(f) + s.dot(s)), 1e-13 * f.dot(f), name, seed: seed)
      let q = basis(stale)
      for entry in 0..<min(3, s.count) {
        for sign in [-1.0, 1.0] {
          var moved = s
          moved[entry] += sign * 0.05 * f.trace
          let other = LAPACK.dgemm(LAPACK.dgemm(q, .diagonal(moved.elements)), q, transposeB: true)
          #expect(frobenius(f - other) > frobenius(error), "\(name)")
        }
      }
    }
  }

  @Test("P-89: the damped solve is that of QSQᵀ + λI", arguments: CurvatureCase.dense)
  func dampedEKFACIsExactTikhonov(test: CurvatureCase) throws {
    for layer in test.layers {
      let block = try EigenbasisBlock.ekfac(layer)
      let q = basis(block)
      let s = block.secondMoments.storage
      let matrix = LAPACK.dgemm(LAPACK.dgemm(q, .diagonal(s)), q, transposeB: true)
      try expectDampedLaws(
        try block.damped(.exact, 0.01), expected: matrix.addingToDiagonal(0.01), "\(test)",
        seed: test.seed)
    }
  }

  @Test("P-82's limit: the damped step of EKFAC can be worse than KFAC's")
  func dampedStepOfEKFACCanBeWorse() throws {
    // Measured in the norm of the damped block itself, at the λ of both; many seeds show it.
    var worse = 0
    var better = 0
    for seed in 1...40 as ClosedRange<UInt64> {
      let test = CurvatureCase(
        RandomNetwork(.perceptron, .tanh, .categorical, seed: seed, exampleCount: 10))
      let layer = test.layers[0]
      let gradient = ParameterVector(blocks: [test.gradient.blocks[0]])
      let λ = 1e-3
      let right = gradient.flattened
      let matrix = test.defined[0].fisher.addingToDiagonal(λ)
      let best = try LAPACK.dposv(matrix, right)
      func error(_ structure: any Structure) throws -> Double {
        let step = try structure.damped(.exact, λ).solve(gradient).flattened
        let difference = step - best
        return difference.dot(LAPACK.dgemm(matrix, difference)).squareRoot()
      }
      let ekfac = try error(try EigenbasisBlock.ekfac(layer))
      let kfac = try error(KroneckerBlock.kfac(layer))
      if ekfac > 1.1 * kfac { worse += 1 }
      if kfac > 1.1 * ekfac { better += 1 }
    }
    #expect(worse > 0)
    #expect(better > worse)
  }
}
