import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The damping family D0 to D4 of one Kronecker block (spec 4.6).
@Suite("Damping rules")
struct DampingTests {
  static func block(_ a: Matrix, _ g: Matrix, kind: StructureKind = .kfac) -> KroneckerBlock {
    KroneckerBlock(
      kind: kind,
      layout: ParameterLayout(blocks: [
        ParameterLayout.Block(
          name: "layer1", rowCount: g.rowCount, columnCount: a.rowCount, hasBias: true)
      ]), a: KroneckerFactor(a), g: KroneckerFactor(g))
  }

  static func block(_ test: FactorCase) -> KroneckerBlock { block(test.a.matrix, test.g.matrix) }

  static func dense(_ block: KroneckerBlock, _ rule: DampingRule, _ λ: Double) throws -> Matrix {
    try block.damped(rule, λ).dense(within: .standard)
  }

  /// Semi-definite factors that are not zero: π needs both traces.
  static let positiveTraces = FactorCase.semidefinite.filter {
    $0.a.matrix.trace > 0 && $0.g.matrix.trace > 0
  }

  /// π² = (tr A / d_A)/(tr G / d_G).
  static func balance(_ a: Matrix, _ g: Matrix) -> Double {
    ((a.trace / Double(a.rowCount)) / (g.trace / Double(g.rowCount))).squareRoot()
  }

  @Test("P-62: every damping rule solves its own matrix of table 4.6")
  func everyRuleFollowsTheTable() {
    property("P-62", .equal, oracle: "dposv", over: FactorCase.semidefinite, share: 0.5) {
      test, checks in
      let block = Self.block(test)
      for rule in DampingRule.allCases where rule != .none {
        let expected = damped(test.a.matrix, test.g.matrix, rule, test.damping)
        try checks.dampedLaws(
          try block.damped(rule, test.damping), expected: expected, seed: test.seed, "\(rule)")
      }
    }
  }

  @Test("P-62: rule none applies the pseudo-inverse of A ⊗ G, singular factors included")
  func ruleNoneIsThePseudoInverse() {
    property("P-62", .equal, oracle: "dsyevd", over: FactorCase.semidefinite) { test, checks in
      try checks.pseudoInverseLaws(
        try Self.block(test).damped(.none, test.damping),
        expected: kronecker(test.a.matrix, test.g.matrix), seed: test.seed,
        // A graded factor's eigenvalues reach down to 1e-16 of the largest.
        rankMayBeClear: test.a.kind != .graded && test.g.kind != .graded)
    }
  }

  /// D3 for any π through the library's damped factors; its own rule for the π of the traces.
  static func factored(_ test: FactorCase, _ π: Double) throws -> (dense: Matrix, inverse: Matrix) {
    let root = test.damping.squareRoot()
    let a = try DampedFactor(KroneckerFactor(test.a.matrix), shift: π * root, name: "A")
    let g = try DampedFactor(KroneckerFactor(test.g.matrix), shift: root / π, name: "G")
    return (kronecker(a.dense, g.dense), kronecker(a.denseInverse, g.denseInverse))
  }

  @Test("P-63: D3 − D4 is the two cross terms, D3 ⪰ D4 and D3⁻¹ ⪯ D4⁻¹, for every π")
  func piDominatesExact() {
    property(
      "P-63", .equal, oracle: "definition", claim: "D3 − D4 = π√λ I ⊗ G + (√λ/π) A ⊗ I, every π",
      over: Self.positiveTraces
    ) { test, checks in
      let (a, g, root) = (test.a.matrix, test.g.matrix, test.damping.squareRoot())
      let block = Self.block(test)
      let d4 = try Self.dense(block, .exact, test.damping)
      for factor in [1, 0.1, 30] {
        let π = factor * Self.balance(a, g)
        let cross =
          kronecker(π * root * .identity(a.rowCount), g)
          + kronecker(a, (root / π) * .identity(g.rowCount))
        let d3 =
          try factor == 1
          ? Self.dense(block, .pi, test.damping) : Self.factored(test, π).dense
        checks.equal(d3 - d4, cross, scale: LAPACK.norm1(d3), "\(factor) π")
      }
    }
    property(
      "P-63", .inequality, oracle: "dsyev", claim: "D3 ⪰ D4 and D3⁻¹ ⪯ D4⁻¹, every π",
      over: Self.positiveTraces
    ) { test, checks in
      let block = Self.block(test)
      let exact = try block.damped(.exact, test.damping)
      let d4 = try exact.dense(within: .standard)
      let inverse4 = try exact.denseInverse(within: .standard)
      let n = d4.rowCount
      // An inverse errs by κ ε of its norm.
      let scale = try condition(d4) * LAPACK.norm1(inverse4)
      for factor in [1, 0.1, 30] {
        let d3 = try Self.factored(test, factor * Self.balance(test.a.matrix, test.g.matrix))
        let own = try block.damped(.pi, test.damping)
        let dense3 = factor == 1 ? try own.dense(within: .standard) : d3.dense
        let inverse3 = factor == 1 ? try own.denseInverse(within: .standard) : d3.inverse
        checks.atMost(
          0, try LAPACK.dsyev(dense3 - d4).values[0], size: n, scale: LAPACK.norm1(dense3),
          "D3 − D4, \(factor) π")
        checks.atMost(
          0, try LAPACK.dsyev((inverse4 - inverse3).symmetrized).values[0], size: n, scale: scale,
          "D4⁻¹ − D3⁻¹, \(factor) π")
      }
    }
  }

  @Test("P-64: π makes tr(D3 − D4) smallest, 2√(λ tr A tr G d_A d_G)")
  func piMinimisesTheTrace() {
    property("P-64", .equal, oracle: "closed form, scan of π", over: Self.positiveTraces) {
      test, checks in
      let (a, g, λ) = (test.a.matrix, test.g.matrix, test.damping)
      let block = Self.block(test)
      let size = a.rowCount * g.rowCount
      let trace4 = try Self.dense(block, .exact, λ).trace
      let own = try Self.dense(block, .pi, λ).trace
      let closed = 2 * (λ * a.trace * g.trace * Double(size)).squareRoot()
      checks.equal(own - trace4, closed, size: size, scale: own, "the rule's π")
      for factor in [0.03, 0.3, 0.9, 1.1, 3, 30] {
        let other = try Self.factored(test, factor * Self.balance(a, g)).dense.trace
        // The two terms scale with π and 1/π, so their sum with (f + 1/f)/2, at least 1.
        checks.equal(
          other - trace4, closed * (factor + 1 / factor) / 2, size: size, scale: other,
          "\(factor) π")
        checks.atMost(own, other, size: size, "π against \(factor) π")
      }
    }
  }

  @Test("P-65: D3 ignores how a scale is shared between the factors; D1 and D2 do not")
  func onlyPiIsScaleFree() {
    property(
      "P-65", .equal, oracle: "the same code on other factors",
      claim: "D3, D4 and D0 ignore how a scale is shared between the factors",
      over: Self.positiveTraces
    ) { test, checks in
      var random = SplitMix64(seed: test.seed)
      let c = exponential(logarithm(100) * (2 * random.uniform() - 1))
      let scaled = Self.block(c * test.a.matrix, (1 / c) * test.g.matrix)
      for rule in [DampingRule.pi, .exact, .none] {
        checks.equal(
          try Self.dense(scaled, rule, test.damping),
          try Self.dense(Self.block(test), rule, test.damping), "\(rule), c = \(c)")
      }
    }
    // A shift far from the factors' own size would hide the difference.
    property(
      "P-65", .counterProperty, oracle: "the same code on other factors",
      claim: "D1 and D2 depend on how a scale is shared between the factors",
      over: FactorCase.positiveDefinite.generic
    ) { test, checks in
      var random = SplitMix64(seed: test.seed)
      let c = 3 + 6 * random.uniform()
      let scaled = Self.block(c * test.a.matrix, (1 / c) * test.g.matrix)
      let size = (LAPACK.norm1(test.a.matrix) * LAPACK.norm1(test.g.matrix)).squareRoot()
      let shift = min(max(test.damping, 0.1), 3) * size
      for (rule, λ) in [(DampingRule.sqrt, shift * shift), (.factor, shift)] {
        checks.different(
          try Self.dense(scaled, rule, λ), try Self.dense(Self.block(test), rule, λ), "\(rule)")
      }
    }
  }

  @Test("P-66: D2 expands to A⊗G + λ(A⊗I + I⊗G) + λ²I, and is D1 at λ²")
  func factorExpands() {
    property("P-66", .equal, oracle: "definition", over: FactorCase.semidefinite) { test, checks in
      let (a, g, λ) = (test.a.matrix, test.g.matrix, test.damping)
      let (oneA, oneG) = (Matrix.identity(a.rowCount), Matrix.identity(g.rowCount))
      let expansion =
        kronecker(a, g) + λ * (kronecker(a, oneG) + kronecker(oneA, g))
        + λ * λ * .identity(a.rowCount * g.rowCount)
      let d2 = try Self.dense(Self.block(test), .factor, λ)
      checks.equal(d2, expansion, "expansion")
      checks.equal(try Self.dense(Self.block(test), .sqrt, λ * λ), d2, "D1 at λ²")
    }
  }

  @Test("P-59: U = G⁻¹ V A⁻¹ is the dense solution with A ⊗ G")
  func stepIsTheDenseSolution() {
    property("P-59", .equal, oracle: "dgesv", over: FactorCase.positiveDefinite) { test, checks in
      let matrix = kronecker(test.a.matrix, test.g.matrix)
      let right = Vector(test.rightHandSide.storage)
      let step = try Self.block(test).damped(.factor, 0)
        .solve(ParameterVector(blocks: [test.rightHandSide])).flattened
      checks.ratio(.solve(matrix, step, right), "residual")
      // An inverse multiplies by κ.
      let κ = try condition(test.a.matrix) * condition(test.g.matrix)
      checks.ratio(
        solutionRatio(step, try LAPACK.dgesv(matrix, right), condition: κ), "dgesv, over κ")
    }
  }

  @Test("P-75: KFAC's step is gradient descent in the coordinates W̄′ = L_Gᵀ W̄ L_A")
  func stepIsDescentInWhiteCoordinates() {
    property("P-75", .equal, oracle: "dtrsm", over: FactorCase.positiveDefinite) { test, checks in
      let v = test.rightHandSide
      let step = try Self.block(test).damped(.factor, 0)
        .solve(ParameterVector(blocks: [v])).flattened
      let lA = try LAPACK.dpotrf(test.a.matrix)
      let lG = try LAPACK.dpotrf(test.g.matrix)
      // V′ = L_G⁻¹ V L_A⁻ᵀ is the gradient there, and the step −V′ is U = L_G⁻ᵀ V′ L_A⁻¹ here.
      let white = LAPACK.dtrsm(lA, LAPACK.dtrsm(lG, v).transposed).transposed
      let back = LAPACK.dtrsm(
        lA, LAPACK.dtrsm(lG, white, transposed: true).transposed, transposed: true
      ).transposed
      let κ = try condition(test.a.matrix) * condition(test.g.matrix)
      checks.ratio(solutionRatio(step, Vector(back.storage), condition: κ), "over κ")
    }
  }

  @Test("A zero trace on one side gives both factors √λ")
  func zeroTraceSharesTheDampingEqually() throws {
    var generator = Generator(seed: 8)
    let a = generator.positiveDefinite(3)
    let zero = Matrix(rowCount: 2, columnCount: 2)
    let expected = kronecker(a.addingToDiagonal(0.5), zero.addingToDiagonal(0.5))
    expectRatio(.difference(try Self.dense(Self.block(a, zero), .pi, 0.25), expected))
    let other = kronecker(zero.addingToDiagonal(0.5), a.addingToDiagonal(0.5))
    expectRatio(.difference(try Self.dense(Self.block(zero, a), .pi, 0.25), other))
  }
}
