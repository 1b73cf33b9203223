import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The Kronecker products that are fitted to the exact block (spec 8.3, 8.4, P-88 to P-96).
@Suite("Nearest Kronecker product and TKFAC")
struct KroneckerFitTests {
  func dense(_ block: some MatrixStructure) throws -> Matrix { try block.dense(within: .standard) }

  @Test(
    "P-90: error² = ‖F‖² − σ₁² of the rearrangement (dgesvd), and the product is the best one",
    arguments: CurvatureCase.varied)
  func nearestKroneckerIsTheTopSingularTriple(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let f = defined.fisher
      let product = try dense(KroneckerBlock.nearestKronecker(layer))
      // R(F), row j′·d_A + j: cvec of block (j, j′).
      let (dA, dG) = (defined.inputSize, defined.outputSize)
      let rearranged = Matrix(rowCount: dA * dA, columnCount: dG * dG) {
        f[($0 % dA) * dG + $1 % dG, ($0 / dA) * dG + $1 / dG]
      }
      let svd = try LAPACK.dgesvd(rearranged)
      let σ = svd.values[0]
      let square = f.dot(f)
      let error = f - product
      expectAtMost(
        abs(error.dot(error) - (square - σ * σ)), 1e-13 * square, "\(test)", seed: test.seed)
      // Where σ₁ is well separated the product itself is determined: R = σ₁ u₁ v₁ᵀ.
      if svd.values.count > 1, σ > 0, svd.values[1] < 0.9 * σ {
        let best = Matrix(rowCount: dA * dG, columnCount: dA * dG) {
          σ * svd.left[($1 / dG) * dA + $0 / dG, 0] * svd.right[($1 % dG) * dG + $0 % dG, 0]
        }
        let gap = 1 / (1 - svd.values[1] / σ)
        expectRatio(
          Ratio(product, against: best, size: dA * dG, scale: gap * LAPACK.norm1(best)),
          "\(test)", seed: test.seed)
      }
    }
  }

  @Test(
    "P-90: no single Kronecker product is nearer: KFAC, TKFAC, split, KL",
    arguments: CurvatureCase.varied)
  func nearestKroneckerIsNeverBeaten(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let f = defined.fisher
      let near = frobenius(f - (try dense(KroneckerBlock.nearestKronecker(layer))))
      let kl = try KLKroneckerBlock(layer).damped(.exact, 0.1).dense(within: .standard)
      let others = [
        "kfac": try dense(KroneckerBlock.kfac(layer)),
        "reduce": try dense(KroneckerBlock.kfac(layer, sharing: .reduce)),
        "tkfac": try dense(KroneckerBlock.tkfac(layer)),
        "split": try dense(KroneckerBlock.kfacSplit(layer, split: 2)), "kl": kl,
      ]
      for (name, other) in others {
        expectAtMost(
          near, frobenius(f - other), slack: 1e-7 * frobenius(f), "\(name), \(test)",
          seed: test.seed)
      }
    }
  }

  @Test(
    "P-91: both factors are symmetric and positive semi-definite", arguments: CurvatureCase.varied)
  func factorsArePositiveSemidefinite(test: CurvatureCase) throws {
    for layer in test.layers {
      for block in [try KroneckerBlock.nearestKronecker(layer), KroneckerBlock.tkfac(layer)] {
        for factor in [block.a.dense, block.g.dense] {
          #expect(factor == factor.transposed)
          let values = try LAPACK.dsyevd(factor).values.elements
          expectAtMost(
            -1e-13 * (values.last ?? 0), values.first ?? 0, "\(block.kind), \(test)",
            seed: test.seed)
        }
      }
    }
  }

  @Test("P-94: TKFAC keeps the trace and both partial traces", arguments: CurvatureCase.varied)
  func tkfacKeepsTheTraces(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let f = defined.fisher
      let tkfac = try dense(KroneckerBlock.tkfac(layer))
      let (dA, dG) = (defined.inputSize, defined.outputSize)
      let overG = { (m: Matrix) in
        Matrix(rowCount: dA, columnCount: dA) { j, k in
          (0..<dG).reduce(0) { $0 + m[j * dG + $1, k * dG + $1] }
        }
      }
      let overA = { (m: Matrix) in
        Matrix(rowCount: dG, columnCount: dG) { i, k in
          (0..<dA).reduce(0) { $0 + m[$1 * dG + i, $1 * dG + k] }
        }
      }
      expectRatio(.difference(overG(tkfac), overG(f)), "Tr_G, \(test)", seed: test.seed)
      expectRatio(.difference(overA(tkfac), overA(f)), "Tr_A, \(test)", seed: test.seed)
      expectRatio(.difference(Vector([tkfac.trace]), Vector([f.trace])), "\(test)")
    }
  }

  @Test("P-94: TKFAC is Shampoo² from the per-example gradients: R ⊗ L / tr L")
  func tkfacIsShampooSquared() throws {
    for test in CurvatureCase.dense {
      for (layer, defined) in zip(test.layers, test.defined) {
        let n = Double(defined.exampleCount)
        var left = Matrix(rowCount: defined.outputSize, columnCount: defined.outputSize)
        var right = Matrix(rowCount: defined.inputSize, columnCount: defined.inputSize)
        for column in 0..<defined.gradients.columnCount {
          let u = Matrix(
            rowCount: defined.outputSize, columnCount: defined.inputSize,
            storage: defined.gradients.column(column).elements)
          left.add(1 / n, times: LAPACK.dgemm(u, u, transposeB: true))
          right.add(1 / n, times: LAPACK.dgemm(u, u, transposeA: true))
        }
        if left.trace == 0 { continue }
        expectRatio(
          .difference(
            try dense(KroneckerBlock.tkfac(layer)), (1 / left.trace) * kronecker(right, left)),
          "\(test)", seed: test.seed)
      }
    }
  }

  @Test("P-94: TKFAC is one power step from the identity on the rearrangement")
  func tkfacIsOnePowerStep() throws {
    let test = CurvatureCase.dense[2]
    let defined = test.defined[0]
    let (dA, dG) = (defined.inputSize, defined.outputSize)
    let rearranged = defined.fisher.rearranged(leftSize: dA, rightSize: dG)
    let ones = { (size: Int) in Vector(Matrix.identity(size).storage) }
    // u = R vec(I), v = Rᵀ vec(I); the product with the right trace is u vᵀ/tr F.
    let u = LAPACK.dgemm(rearranged, ones(dG))
    let v = LAPACK.dgemm(rearranged, ones(dA), transposeA: true)
    let a = Matrix(rowCount: dA, columnCount: dA, storage: u.elements)
    let g = Matrix(rowCount: dG, columnCount: dG, storage: v.elements)
    expectRatio(
      .difference(
        try dense(KroneckerBlock.tkfac(test.layers[0])),
        (1 / defined.fisher.trace) * kronecker(a, g)))
  }

  @Test(
    "P-96: EKFAC in the nearest product's basis is never further than that product",
    arguments: CurvatureCase.varied)
  func ekfacInTheNearestBasis(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let f = defined.fisher
      let nearest = try KroneckerBlock.nearestKronecker(layer)
      let rebased = try EigenbasisBlock.ekfac(layer, basisOf: (nearest.a, nearest.g))
      expectAtMost(
        frobenius(f - (try dense(rebased))), frobenius(f - (try dense(nearest))),
        slack: 1e-7 * frobenius(f), "\(test)", seed: test.seed)
    }
  }

  @Test("P-88, P-95: EKFAC against nearest Kronecker and TKFAC against KFAC go both ways")
  func neitherOrderHoldsAlways() throws {
    var ekfacWins = [false: 0, true: 0]
    var tkfacWins = [false: 0, true: 0]
    for seed in 1...400 as ClosedRange<UInt64> {
      let test = CurvatureCase(
        RandomNetwork(
          .perceptron, Activation.allCases[Int(seed % 5)], RandomNetwork.likelihoods[Int(seed % 3)],
          seed: seed, exampleCount: 2 + Int(seed % 3)))
      for (layer, defined) in zip(test.layers, test.defined) {
        let f = defined.fisher
        func error(_ block: some MatrixStructure) throws -> Double {
          frobenius(f - (try dense(block))) / frobenius(f)
        }
        if frobenius(f) == 0 { continue }
        let nearest = try error(KroneckerBlock.nearestKronecker(layer))
        let ekfac = try error(EigenbasisBlock.ekfac(layer))
        if abs(ekfac - nearest) > 1e-6 { ekfacWins[ekfac < nearest, default: 0] += 1 }
        let (tkfac, kfac) = (
          try error(KroneckerBlock.tkfac(layer)), try error(KroneckerBlock.kfac(layer))
        )
        if abs(tkfac - kfac) > 1e-6 { tkfacWins[tkfac < kfac, default: 0] += 1 }
      }
    }
    #expect(ekfacWins[true, default: 0] > 0 && ekfacWins[false, default: 0] > 0, "\(ekfacWins)")
    #expect(tkfacWins[true, default: 0] > 0 && tkfacWins[false, default: 0] > 0, "\(tkfacWins)")
  }

  @Test(
    "P-98: block-diagonal ≤ unit-wise ≤ diagonal in Frobenius norm", arguments: CurvatureCase.varied
  )
  func nestedMasksAreOrdered(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let f = defined.fisher
      let unitWise = frobenius(f - (try dense(UnitWiseBlock(layer))))
      let diagonal = frobenius(f - (try dense(DiagonalBlock(layer))))
      expectAtMost(unitWise, diagonal, slack: 1e-13 * frobenius(f), "\(test)", seed: test.seed)
    }
  }
}
