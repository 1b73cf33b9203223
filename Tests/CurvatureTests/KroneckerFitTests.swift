import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The Kronecker products that are fitted to the exact block (spec 8.3, 8.4).
@Suite("Nearest Kronecker product and TKFAC")
struct KroneckerFitTests {
  static func dense(_ block: some MatrixStructure) throws -> Matrix {
    try block.dense(within: .standard)
  }

  static func square(_ m: Matrix) -> Double { frobenius(m) * frobenius(m) }

  /// R(F) entry by entry: row j′·d_A + j is cvec of block (j, j′).
  static func rearranged(_ layer: LayerCase) -> Matrix {
    let (dA, dG, f) = (layer.defined.inputSize, layer.defined.outputSize, layer.fisher)
    return Matrix(rowCount: dA * dA, columnCount: dG * dG) {
      f[($0 % dA) * dG + $1 % dG, ($0 / dA) * dG + $1 / dG]
    }
  }

  @Test("P-90: the nearest product's error² is ‖F‖² − σ₁², and no single product is nearer")
  func nearestKroneckerIsTheTopSingularTriple() {
    property(
      "P-90", .equal, oracle: "dgesvd", claim: "the nearest product's error² is ‖F‖² − σ₁²",
      over: NetworkCase.all, share: 0.5
    ) { test, checks in
      for layer in test.layers {
        let unit = 1 / layer.scale
        let product = unit * (try Self.dense(KroneckerBlock.nearestKronecker(layer.samples)))
        let svd = try LAPACK.dgesvd(unit * Self.rearranged(layer))
        let σ = svd.values[0]
        let fisher = unit * layer.fisher
        checks.equal(
          Self.square(fisher - product), Self.square(fisher) - σ * σ, size: layer.size, scale: 1,
          "error², \(layer.name)")
        // Where σ₁ is well separated the product itself is determined: R = σ₁ u₁ v₁ᵀ.
        if svd.values.count > 1, svd.values[1] < 0.9 * σ {
          let (dA, dG) = (layer.defined.inputSize, layer.defined.outputSize)
          let best = Matrix(rowCount: layer.size, columnCount: layer.size) {
            σ * svd.left[($1 / dG) * dA + $0 / dG, 0] * svd.right[($1 % dG) * dG + $0 % dG, 0]
          }
          // A singular vector is known to ε ‖R‖/(σ₁ − σ₂).
          checks.equal(product, best, scale: 1 / (1 - svd.values[1] / σ), layer.name)
        }
      }
    }
    property(
      "P-90", .inequality, oracle: "dlange", claim: "no single Kronecker product is nearer",
      over: NetworkCase.all, share: 0.5
    ) { test, checks in
      for layer in test.layers {
        let nearest = try Self.dense(KroneckerBlock.nearestKronecker(layer.samples))
        let others = [
          "KFAC": try Self.dense(KroneckerBlock.kfac(layer.samples)),
          "reduce": try Self.dense(KroneckerBlock.kfac(layer.samples, sharing: .reduce)),
          "TKFAC": try Self.dense(KroneckerBlock.tkfac(layer.samples)),
          "split": try Self.dense(KroneckerBlock.kfacSplit(layer.samples, split: 2)),
          "KL": try KLKroneckerBlock(layer.samples).damped(.exact, layer.damping(0.1))
            .dense(within: .standard),
        ]
        for (name, other) in others {
          let unit = 1 / (layer.scale + LAPACK.norm1(other))
          checks.atMost(
            Self.square(unit * (layer.fisher - nearest)),
            Self.square(unit * (layer.fisher - other)), size: layer.size, scale: 1,
            "\(name), \(layer.name)")
        }
      }
    }
  }

  @Test(
    "P-90: where σ₁ and σ₂ (nearly) tie the error is still ‖F‖² − σ₁², the factors semi-definite")
  func tiedSingularValues() {
    property(
      "P-90", .equal, oracle: "dgesvd, closed form",
      claim: "where σ₁ ties σ₂ error² is still ‖F‖² − σ₁², with semi-definite factors",
      over: TiedCase.all
    ) { test, checks in
      let layer = test.layer
      let nearest = try KroneckerBlock.nearestKronecker(layer.samples)
      let unit = 1 / layer.scale
      let fisher = unit * layer.fisher
      let σ = try LAPACK.dgesvd(unit * Self.rearranged(layer)).values[0]
      checks.equal(
        σ, unit * 0.5 * (1 + test.gap) * test.scale * test.scale, size: layer.size, "σ₁")
      checks.equal(
        Self.square(fisher - unit * (try Self.dense(nearest))), Self.square(fisher) - σ * σ,
        size: layer.size, scale: 1, "error²")
      for factor in [nearest.a.dense, nearest.g.dense] {
        checks.holds(factor == factor.transposed, "symmetric")
        checks.atMost(
          0, try LAPACK.dsyev(factor).values[0], size: factor.rowCount,
          scale: layer.scale.squareRoot(), "semi-definite")
      }
    }
  }

  @Test("P-91: the factors of the nearest product and of TKFAC are symmetric and semi-definite")
  func factorsArePositiveSemidefinite() {
    property("P-91", .inequality, oracle: "dsyev", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        for block in [
          try KroneckerBlock.nearestKronecker(layer.samples), .tkfac(layer.samples),
        ] {
          for factor in [block.a.dense, block.g.dense] {
            checks.holds(factor == factor.transposed, "symmetric, \(block.kind), \(layer.name)")
            checks.atMost(
              0, try LAPACK.dsyev(factor).values[0], size: factor.rowCount,
              // A factor is the root of the block's size.
              scale: max(floored(factor), layer.scale.squareRoot()), "\(block.kind), \(layer.name)")
          }
        }
      }
    }
  }

  @Test("P-92: the rearranged block of N examples has rank at most N")
  func rearrangedRankIsBounded() {
    let cases = NetworkCase.all.unshared.with { $0.exampleCount = 1 + $0.exampleCount % 5 }
    property("P-92", .inequality, oracle: "dgesvd", over: cases) { test, checks in
      let blocks = ExactFisher.blocks(of: test.curvature.samples)
      for (block, layer) in zip(blocks, test.layers) {
        let (dA, dG) = (layer.defined.inputSize, layer.defined.outputSize)
        let σ = try LAPACK.dgesvd(
          try Self.dense(block).rearranged(leftSize: dA, rightSize: dG)
        ).values.elements
        // Also at most the dimensions of the symmetric d_A × d_A and d_G × d_G matrices.
        let bound = min(test.exampleCount, dA * (dA + 1) / 2, dG * (dG + 1) / 2)
        let roundOff = 30 * Double(layer.size) * .ulpOfOne * layer.scale
        checks.bounded(
          Double(σ.count { $0 > roundOff }), atMost: Double(bound), "rank, \(layer.name)")
      }
    }
  }

  @Test("P-92: with shared weights the rank can exceed N")
  func rearrangedRankOfSharedWeights() {
    // u = Σ g āᵀ of several positions: R(u uᵀ) = u ⊗ u has rank rank(u)², not 1.
    let cases = NetworkCase.all.generic.with {
      $0.architecture = .convolution
      $0.exampleCount = 1
      $0.edge = .none
    }
    property("P-92", .counterProperty, oracle: "dgesvd", over: cases, share: 0.5, holds: .some) {
      test, checks in
      let layer = test.layers[0]
      let σ = try LAPACK.dgesvd(Self.rearranged(layer)).values.elements
      checks.bounded(Double(σ.count { $0 > 1e-6 * σ[0] }), atLeast: 2, "rank with N = 1")
    }
  }

  @Test("P-93: r terms of the singular value decomposition leave Σ σ² of the rest; N leave none")
  func truncatedSums() {
    let cases = NetworkCase.all.unshared.with { $0.widthLimit = min($0.widthLimit, 3) }
    property("P-93", .equal, oracle: "dgesvd", over: cases, share: 0.5) { test, checks in
      for layer in test.layers {
        let (dA, dG) = (layer.defined.inputSize, layer.defined.outputSize)
        let fisher = (1 / layer.scale) * layer.fisher
        let σ = try LAPACK.dgesvd((1 / layer.scale) * Self.rearranged(layer)).values.elements
        let terms = try SingularValueDecomposition(fisher.rearranged(leftSize: dA, rightSize: dG))
        var sum = Matrix(rowCount: layer.size, columnCount: layer.size)
        for r in σ.indices {
          let a = Matrix(
            rowCount: dA, columnCount: dA, storage: terms.left.column(r).elements)
          let g = Matrix(
            rowCount: dG, columnCount: dG, storage: terms.right.column(r).elements)
          sum.add(terms.values[r], times: .kronecker(a, g))
          let rest = σ.dropFirst(r + 1).reduce(0) { $0 + $1 * $1 }
          checks.equal(
            Self.square(fisher - sum), rest, size: layer.size, scale: 1,
            "\(r + 1) terms, \(layer.name)")
          if r + 1 == min(test.exampleCount, σ.count) {
            checks.equal(sum, fisher, scale: 1, "N terms, \(layer.name)")
          }
        }
      }
    }
  }

  @Test("P-94: TKFAC keeps the trace and both partial traces; is Shampoo² and one power step")
  func tkfacKeepsTheTraces() {
    property("P-94", .equal, oracle: "dgemm, definitions", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        let f = layer.fisher
        let tkfac = try Self.dense(KroneckerBlock.tkfac(layer.samples))
        let (dA, dG) = (layer.defined.inputSize, layer.defined.outputSize)
        func overG(_ m: Matrix) -> Matrix {
          Matrix(rowCount: dA, columnCount: dA) { j, k in
            (0..<dG).reduce(0) { $0 + m[j * dG + $1, k * dG + $1] }
          }
        }
        func overA(_ m: Matrix) -> Matrix {
          Matrix(rowCount: dG, columnCount: dG) { i, k in
            (0..<dA).reduce(0) { $0 + m[$1 * dG + i, $1 * dG + k] }
          }
        }
        // A partial trace adds up to max(d_A, d_G) entries.
        let scale = layer.scale * Double(max(dA, dG))
        checks.equal(overG(tkfac), overG(f), scale: scale, "Tr_G, \(layer.name)")
        checks.equal(overA(tkfac), overA(f), scale: scale, "Tr_A, \(layer.name)")
        checks.equal(tkfac.trace, f.trace, size: layer.size, scale: layer.scale, layer.name)
        guard f.trace > 1e-280 else { continue }

        // R ⊗ L/tr L with L = E[u uᵀ] and R = E[uᵀ u].
        var left = Matrix(rowCount: dG, columnCount: dG)
        var right = Matrix(rowCount: dA, columnCount: dA)
        for column in 0..<layer.defined.gradients.columnCount {
          let u = Matrix(
            rowCount: dG, columnCount: dA,
            storage: layer.defined.gradients.column(column).elements)
          left.add(1 / Double(test.exampleCount), times: LAPACK.dgemm(u, u, transposeB: true))
          right.add(1 / Double(test.exampleCount), times: LAPACK.dgemm(u, u, transposeA: true))
        }
        checks.equal(
          tkfac, kronecker((1 / left.trace) * right, left), scale: layer.scale,
          "Shampoo², \(layer.name)")

        // R vec(I) and Rᵀ vec(I); their product with the right trace is u vᵀ/tr F.
        let r = Self.rearranged(layer)
        let u = LAPACK.dgemm(r, Vector(Matrix.identity(dG).storage))
        let v = LAPACK.dgemm(r, Vector(Matrix.identity(dA).storage), transposeA: true)
        let a = Matrix(rowCount: dA, columnCount: dA, storage: u.elements)
        let g = Matrix(rowCount: dG, columnCount: dG, storage: v.elements)
        checks.equal(
          tkfac, kronecker((1 / f.trace) * a, g), scale: layer.scale, "power step, \(layer.name)")
      }
    }
  }

  @Test("P-96: EKFAC in the nearest product's basis is never further than that product")
  func ekfacInTheNearestBasis() {
    property("P-96", .inequality, oracle: "dlange", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        let unit = 1 / layer.scale
        let nearest = try KroneckerBlock.nearestKronecker(layer.samples)
        let rebased = try EigenbasisBlock.ekfac(layer.samples, basisOf: (nearest.a, nearest.g))
        checks.atMost(
          Self.square(unit * (layer.fisher - (try Self.dense(rebased)))),
          Self.square(unit * (layer.fisher - (try Self.dense(nearest)))), size: layer.size,
          scale: 1, layer.name)
      }
    }
  }

  @Test("P-98: block-diagonal ≤ unit-wise ≤ diagonal in Frobenius norm")
  func nestedMasksAreOrdered() {
    let cases = NetworkCase.all.filter { $0.problem.network.layout.count <= 150 }
    property("P-98", .inequality, oracle: "dsyrk, dlange", over: cases) { test, checks in
      let curvature = test.curvature
      let fisher = curvature.fisher
      let errors = try [StructureKind.blockDiagonal, .unitWise, .diagonal].map { kind in
        let structure = try kind.build(curvature.samples)
        guard let matrix = structure as? any MatrixStructure else { return Double.nan }
        return frobenius(fisher - (try Self.dense(matrix)))
      }
      let scale = floored(fisher)
      checks.atMost(errors[0], errors[1], size: fisher.rowCount, scale: scale, "unit-wise")
      checks.atMost(errors[1], errors[2], size: fisher.rowCount, scale: scale, "diagonal")
    }
  }
}
