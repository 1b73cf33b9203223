import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// EKFAC and its optimality (spec 5).
@Suite("EKFAC")
struct EKFACTests {
  /// Q = Q_A ⊗ Q_G of a block.
  static func basis(_ block: EigenbasisBlock) -> Matrix {
    kronecker(block.inputBasis, block.outputBasis)
  }

  /// diag(Qᵀ M Q) by `dgemm`.
  static func rotatedDiagonal(_ m: Matrix, _ q: Matrix) -> Vector {
    Vector(LAPACK.dgemm(q, LAPACK.dgemm(m, q), transposeA: true).diagonal)
  }

  /// Q diag(d) Qᵀ by `dgemm`.
  static func combined(_ q: Matrix, _ d: Vector) -> Matrix {
    let scaled = Matrix(rowCount: q.rowCount, columnCount: q.columnCount) { q[$0, $1] * d[$1] }
    return LAPACK.dgemm(scaled, q, transposeB: true)
  }

  /// Squares of Frobenius norms below are of matrices divided by their size, which cannot underflow.
  static func square(_ m: Matrix) -> Double { frobenius(m) * frobenius(m) }

  /// The ways of sharing that differ for a layer.
  static func sharings(_ layer: LayerCase) -> [WeightSharing] {
    layer.defined.positions == 1 ? [.expand] : WeightSharing.allCases
  }

  /// The block in the eigenbasis of factors that have nothing to do with the layer.
  static func stale(_ layer: LayerCase, seed: UInt64) throws -> EigenbasisBlock {
    var generator = Generator(seed: seed)
    return try .ekfac(
      layer.samples,
      basisOf: (
        KroneckerFactor(generator.positiveDefinite(layer.defined.inputSize)),
        KroneckerFactor(generator.positiveDefinite(layer.defined.outputSize))
      ))
  }

  @Test("P-81: S = diag(QᵀFQ) in an orthonormal eigenbasis Q of A ⊗ G, and S ≥ 0")
  func secondMomentsAreTheRotatedDiagonal() {
    property(
      "P-81", .equal, oracle: "dsyev, dgemm",
      claim: "S = diag(QᵀFQ) in an orthonormal eigenbasis of A ⊗ G", over: NetworkCase.all
    ) { test, checks in
      for layer in test.layers {
        for sharing in Self.sharings(layer) {
          let block = try EigenbasisBlock.ekfac(layer.samples, sharing: sharing)
          let (a, g) = layer.defined.factors(sharing)
          let sizes = layer.magnitudes.factors(sharing)
          for (q, m, size) in [(block.inputBasis, a, sizes.a), (block.outputBasis, g, sizes.g)] {
            checks.ratio(.orthogonality(q), "QᵀQ = I, \(layer.name)")
            let rotated = LAPACK.dgemm(q, LAPACK.dgemm(m, q), transposeA: true)
            checks.equal(
              rotated, .diagonal(rotated.diagonal), scale: floored(size),
              "QᵀMQ diagonal, \(layer.name)")
            checks.equal(
              Vector(rotated.diagonal.sorted()), try LAPACK.dsyev(m).values, scale: floored(size),
              "eigenvalues, \(layer.name)")
          }
          checks.equal(
            Vector(block.secondMoments.storage),
            Self.rotatedDiagonal(layer.fisher, Self.basis(block)), scale: layer.scale,
            "S, \(sharing), \(layer.name)")
        }
      }
    }
    property(
      "P-81", .inequality, oracle: "theorem", claim: "S ≥ 0 in any basis", over: NetworkCase.all,
      share: 0.5
    ) { test, checks in
      for layer in test.layers {
        for block in [
          try EigenbasisBlock.ekfac(layer.samples), try Self.stale(layer, seed: test.seed),
        ] {
          let smallest = block.secondMoments.storage.min() ?? .nan
          checks.atMost(0, smallest, scale: layer.scale, layer.name)
        }
      }
    }
  }

  /// ‖F − F_EK‖², ‖F − A ⊗ G‖² and ‖s − α ⊗ γ‖², all divided by the square of the sizes.
  static func distances(_ layer: LayerCase, _ sharing: WeightSharing) throws -> (
    ekfac: Double, kfac: Double, gap: Double
  ) {
    let unit = 1 / (layer.scale + layer.productScale(sharing))
    let block = try EigenbasisBlock.ekfac(layer.samples, sharing: sharing)
    let kfac = try KroneckerBlock.kfac(layer.samples, sharing: sharing).dense(within: .standard)
    // KFAC's diagonal in the same basis is α ⊗ γ.
    let moved = Vector(block.secondMoments.storage) - rotatedDiagonal(kfac, basis(block))
    return (
      square(unit * (layer.fisher - (try block.dense(within: .standard)))),
      square(unit * (layer.fisher - kfac)), square(Matrix(column: unit * moved))
    )
  }

  @Test("P-82: EKFAC is never further than KFAC; the squares differ by ‖s − α⊗γ‖²")
  func ekfacIsNeverFurtherThanKFAC() {
    property(
      "P-82", .inequality, oracle: "dlange", claim: "‖F − F_EK‖ ≤ ‖F − A ⊗ G‖",
      over: NetworkCase.all
    ) { test, checks in
      for layer in test.layers {
        for sharing in Self.sharings(layer) {
          let (ekfac, kfac, _) = try Self.distances(layer, sharing)
          checks.atMost(ekfac, kfac, size: layer.size, scale: 1, "\(sharing), \(layer.name)")
        }
      }
    }
    property(
      "P-82", .equal, oracle: "dgemm, dlange",
      claim: "‖F − A ⊗ G‖² − ‖F − F_EK‖² = ‖s − α⊗γ‖² (Pythagoras)", over: NetworkCase.all
    ) { test, checks in
      for layer in test.layers {
        for sharing in Self.sharings(layer) {
          let (ekfac, kfac, gap) = try Self.distances(layer, sharing)
          checks.equal(kfac - ekfac, gap, size: layer.size, scale: 1, "\(sharing), \(layer.name)")
        }
      }
    }
  }

  @Test("P-83: ‖F − F_EK‖² = ‖F‖² − ‖s‖² for any orthogonal basis")
  func errorInAnyBasis() {
    property("P-83", .equal, oracle: "dlange", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        let unit = 1 / layer.scale
        for block in [
          try Self.stale(layer, seed: test.seed), try EigenbasisBlock.ekfac(layer.samples),
        ] {
          let error = Self.square(unit * (layer.fisher - (try block.dense(within: .standard))))
          checks.equal(
            error, Self.square(unit * layer.fisher) - Self.square(unit * block.secondMoments),
            size: layer.size, scale: 1, layer.name)
        }
      }
    }
  }

  @Test("P-84: another diagonal d in the same basis is further from F, by ‖d − s‖² in the square")
  func secondMomentsAreTheBestDiagonal() {
    property("P-84", .inequality, oracle: "theorem", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        let unit = 1 / layer.scale
        let block = try Self.stale(layer, seed: test.seed)
        let q = Self.basis(block)
        let s = unit * Vector(block.secondMoments.storage)
        let fisher = unit * layer.fisher
        let error = Self.square(fisher - (unit * (try block.dense(within: .standard))))
        var generator = Generator(seed: test.seed)
        for length in [1, 1e-2, 1e-4] {
          let change = length * generator.vector(s.count)
          let other = Self.square(fisher - Self.combined(q, s + change))
          checks.atMost(
            error + inner(change, change), other, size: layer.size, scale: 1 + other,
            "by \(length), \(layer.name)")
        }
      }
    }
  }

  @Test("P-85: EKFAC keeps the trace of the block")
  func traceIsKept() {
    property("P-85", .equal, oracle: "dsyrk", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        for block in [
          try EigenbasisBlock.ekfac(layer.samples), try Self.stale(layer, seed: test.seed),
        ] {
          checks.equal(
            try block.dense(within: .standard).trace, layer.fisher.trace, size: layer.size,
            scale: layer.scale, layer.name)
        }
      }
    }
  }

  @Test("P-86: s is majorised by the spectrum of F (Schur and Horn): λmax(F_EK) ≤ λmax(F)")
  func secondMomentsAreMajorised() {
    property("P-86", .inequality, oracle: "dsyev", over: NetworkCase.all) { test, checks in
      for layer in test.layers {
        let spectrum = Array(try LAPACK.dsyev(layer.fisher).values.elements.reversed())
        for block in [
          try EigenbasisBlock.ekfac(layer.samples), try Self.stale(layer, seed: test.seed),
        ] {
          var (sum, bound) = (0.0, 0.0)
          for (moment, eigenvalue) in zip(block.secondMoments.storage.sorted(by: >), spectrum) {
            sum += moment
            bound += eigenvalue
            checks.atMost(sum, bound, size: layer.size, scale: layer.scale, layer.name)
          }
          checks.atMost(
            try largestEigenvalue(try block.dense(within: .standard)), spectrum[0],
            size: layer.size, scale: layer.scale, "λmax, \(layer.name)")
        }
      }
    }
  }

  @Test("P-87: EKFAC = KFAC = F where F = A ⊗ G (T1 to T5), repeated eigenvalues included")
  func ekfacIsExactWhereKFACIs() {
    property("P-87", .equal, oracle: "dsyrk, theorems T1 to T5", over: KroneckerTheorem.cases) {
      test, checks in
      for layer in test.layers {
        let scale = max(layer.scale, layer.productScale())
        checks.equal(
          try EigenbasisBlock.ekfac(layer.samples).dense(within: .standard), layer.fisher,
          scale: scale, "EKFAC, \(layer.name)")
        checks.equal(
          try KroneckerBlock.kfac(layer.samples).dense(within: .standard), layer.fisher,
          scale: scale, "KFAC, \(layer.name)")
      }
    }
  }

  @Test("P-89: the EKFAC solve is that of QSQᵀ + λI")
  func dampedEKFACIsExactTikhonov() {
    property("P-89", .equal, oracle: "dgesv", over: NetworkCase.all, share: 0.5) { test, checks in
      for layer in test.layers {
        let block = try EigenbasisBlock.ekfac(layer.samples)
        let q = Self.basis(block)
        let undamped = Self.combined(q, Self.rotatedDiagonal(layer.fisher, q))
        let λ = layer.damping(test.pick([1, 1e-2, 1e-4]))
        let matrix = undamped.addingToDiagonal(λ)
        // Where sums over positions cancel, S is known to ε times the sum of absolute values.
        let cancellation = max(1, layer.scale / LAPACK.norm1(matrix))
        var generator = Generator(seed: test.seed)
        let right = generator.vector(layer.size)
        let damped = try block.damped(.exact, λ)
        let step = damped.solve(ParameterVector(right, layout: block.layout)).flattened
        checks.ratio(
          .solve(matrix, step, right).over(condition: cancellation), "residual, \(layer.name)")
        checks.ratio(
          solutionRatio(
            step, try LAPACK.dgesv(matrix, right),
            condition: cancellation * (try condition(matrix))),
          "dgesv, over κ, \(layer.name)")
        if layer.size <= 20 {
          try checks.dampedLaws(
            damped, expected: matrix, seed: test.seed, amplification: cancellation, layer.name)
        }
      }
    }
  }

  @Test("P-82's limit: the damped step of EKFAC can be worse than KFAC's, and the reverse")
  func dampedStepOfEKFACCanBeWorse() {
    /// ‖û − u‖ in the norm of F + λI, at the λ of both.
    @Sendable func error(
      _ structure: some Structure, _ layer: LayerCase, _ gradient: Matrix
    ) throws -> Double {
      let λ = 1e-3
      let vector = ParameterVector(blocks: [gradient])
      let matrix = layer.fisher.addingToDiagonal(λ)
      let best = try LAPACK.dposv(matrix, vector.flattened)
      let difference = try structure.damped(.exact, λ).solve(vector).flattened - best
      return inner(difference, LAPACK.dgemm(matrix, difference)).squareRoot()
    }
    for isWorse in [true, false] {
      property(
        "P-82", .counterProperty, oracle: "dposv, search",
        claim: "the damped step of EKFAC can be \(isWorse ? "worse" : "better") than KFAC's",
        over: NetworkCase.generic, holds: .some
      ) { test, checks in
        let curvature = test.curvature
        let layer = LayerCase(curvature.samples, block: 0)
        let gradient = curvature.gradient.blocks[0]
        let ekfac = try error(try EigenbasisBlock.ekfac(layer.samples), layer, gradient)
        let kfac = try error(KroneckerBlock.kfac(layer.samples), layer, gradient)
        checks.bounded(isWorse ? ekfac / kfac : kfac / ekfac, atLeast: 1.1, "ratio of errors")
      }
    }
  }
}
