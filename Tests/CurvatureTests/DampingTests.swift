import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The damping family D0 to D4 of one Kronecker block (spec 4.6).
@Suite("Damping rules")
struct DampingTests {
  /// A Kronecker block of two random positive definite factors.
  static func block(seed: UInt64, scale: Double = 1) -> KroneckerBlock {
    var generator = Generator(seed: seed)
    let a = 7 * generator.positiveDefinite(4, condition: 50)
    let g = 0.3 * generator.positiveDefinite(3, condition: 20)
    return block(scale * a, (1 / scale) * g)
  }

  static func block(_ a: Matrix, _ g: Matrix, kind: StructureKind = .kfac) -> KroneckerBlock {
    KroneckerBlock(
      kind: kind,
      layout: ParameterLayout(blocks: [
        ParameterLayout.Block(
          name: "layer1", rowCount: g.rowCount, columnCount: a.rowCount, hasBias: true)
      ]), a: KroneckerFactor(a), g: KroneckerFactor(g))
  }

  static func dense(_ block: KroneckerBlock, _ rule: DampingRule, _ λ: Double) throws -> Matrix {
    try block.damped(rule, λ).dense(within: .standard)
  }

  @Test("P-62: every rule solves its own matrix of table 4.6", arguments: DampingRule.allCases)
  func everyRuleFollowsTheTable(rule: DampingRule) throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      for λ in [2.0, 0.1, 1e-3] {
        let block = Self.block(seed: seed)
        let expected = damped(block.a.dense, block.g.dense, rule, λ)
        try expectDampedLaws(
          try block.damped(rule, λ), expected: expected, "\(rule) \(λ)", seed: seed)
      }
    }
  }

  @Test("P-63: D3 − D4 is the two cross terms, D3 ⪰ D4 and D3⁻¹ ⪯ D4⁻¹")
  func piDominatesExact() throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      let block = Self.block(seed: seed)
      let (a, g) = (block.a.dense, block.g.dense)
      let λ = 0.2
      let π = (a.trace / 4 / (g.trace / 3)).squareRoot()
      let (d3, d4) = (try Self.dense(block, .pi, λ), try Self.dense(block, .exact, λ))
      let cross =
        kronecker(π * λ.squareRoot() * .identity(4), g)
        + kronecker(a, λ.squareRoot() / π * .identity(3))
      expectRatio(
        Ratio(d3 - d4, against: cross, size: 12, scale: LAPACK.norm1(d3)), seed: seed)
      let inverses =
        try block.damped(.exact, λ).denseInverse(within: .standard)
        - block.damped(.pi, λ).denseInverse(within: .standard)
      for difference in [d3 - d4, inverses] {
        let smallest = try LAPACK.dsyevd(difference).values[0]
        expectAtMost(0, smallest, slack: 1e-13 * frobenius(difference), seed: seed)
      }
    }
  }

  @Test("P-64: π makes tr(D3 − D4) smallest, with the value in closed form")
  func piMinimisesTheTrace() throws {
    let block = Self.block(seed: 3)
    let (a, g) = (block.a.dense, block.g.dense)
    let λ = 0.2
    let excess = try Self.dense(block, .pi, λ).trace - Self.dense(block, .exact, λ).trace
    let closed = 2 * (λ * a.trace * g.trace * 12).squareRoot()
    expectRatio(.difference(Vector([excess]), Vector([closed])))
    for factor in [0.3, 0.9, 1.1, 3] {
      let π = factor * (a.trace / 4 / (g.trace / 3)).squareRoot()
      let other = kronecker(
        a.addingToDiagonal(π * λ.squareRoot()), g.addingToDiagonal(λ.squareRoot() / π))
      #expect(other.trace - (try Self.dense(block, .exact, λ).trace) > 1.001 * closed)
    }
  }

  @Test("P-65: only D3 (and D4) ignore how a scale is shared between the factors")
  func onlyPiIsScaleFree() throws {
    let λ = 0.2
    let (one, other) = (Self.block(seed: 4), Self.block(seed: 4, scale: 9))
    for rule in [DampingRule.pi, .exact, .none] {
      expectRatio(.difference(try Self.dense(other, rule, λ), try Self.dense(one, rule, λ)))
    }
    for rule in [DampingRule.sqrt, .factor] {
      expectDifferent(try Self.dense(other, rule, λ), try Self.dense(one, rule, λ), relative: 0.05)
    }
  }

  @Test("P-66: D2 expands to A⊗G + λ(A⊗I + I⊗G) + λ²I, and is D1 at λ²")
  func factorExpands() throws {
    let block = Self.block(seed: 5)
    let (a, g) = (block.a.dense, block.g.dense)
    let λ = 0.3
    let expansion =
      kronecker(a, g) + λ * (kronecker(a, .identity(3)) + kronecker(.identity(4), g))
      + λ * λ * .identity(12)
    expectRatio(.difference(try Self.dense(block, .factor, λ), expansion))
    expectRatio(
      .difference(try Self.dense(block, .sqrt, λ * λ), try Self.dense(block, .factor, λ)))
  }

  @Test("P-67: at large λ the step tends to V/λ (D1, D3, D4) or V/λ² (D2)")
  func largeDampingIsGradientDescent() throws {
    let block = Self.block(seed: 6)
    var generator = Generator(seed: 6)
    let v = ParameterVector(blocks: [generator.normal(3, 4)])
    for rule in [DampingRule.sqrt, .factor, .pi, .exact] {
      // The relative error is of the order of the shift's inverse: λ^(−½), D2 and D4 λ^(−1).
      let λ = 1e12
      let scale = rule == .factor ? λ * λ : λ
      let step = try block.damped(rule, λ).solve(v)
      let error = (scale * step - v).norm / v.norm
      #expect(error < (rule == .sqrt || rule == .pi ? 1e-4 : 1e-10), "\(rule): \(error)")
      #expect(error > 0)
    }
  }

  @Test("P-68: as λ → 0, D4 tends to the pseudo-inverse's solution for V in the range")
  func smallDampingIsThePseudoInverse() throws {
    var generator = Generator(seed: 7)
    let a = generator.symmetric(eigenvalues: [0, 0, 1, 3])
    let g = generator.symmetric(eigenvalues: [0, 0.5, 2])
    let block = Self.block(a, g)
    let inRange = ParameterVector(blocks: [g * generator.normal(3, 4) * a])
    let pseudo = try block.damped(.none, 0).solve(inRange)
    let damped = try block.damped(.none, 0)
    #expect(damped.rank == 4)
    expectRatio(.solve(kronecker(a, g), pseudo.flattened, inRange.flattened))
    var last = Double.infinity
    for λ in [1e-2, 1e-4, 1e-6] {
      let error = (try block.damped(.exact, λ).solve(inRange) - pseudo).norm / pseudo.norm
      // The smallest non-zero eigenvalue is 0.5: the error is at most λ/0.5.
      #expect(error <= 2 * λ && error < last)
      last = error
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

  @Test("P-59, P-75: U = G⁻¹ V A⁻¹ is gradient descent in whitened coordinates")
  func whitening() throws {
    let block = Self.block(seed: 9)
    var generator = Generator(seed: 9)
    let v = generator.normal(3, 4)
    let step = try block.damped(.factor, 0).solve(ParameterVector(blocks: [v])).blocks[0]
    let lA = try LAPACK.dpotrf(block.a.dense)
    let lG = try LAPACK.dpotrf(block.g.dense)
    // W̄′ = L_Gᵀ W̄ L_A, so V′ = L_G⁻¹ V L_A⁻ᵀ and U = L_G⁻ᵀ V′ L_A⁻¹.
    let inner = LAPACK.dtrsm(lA, LAPACK.dtrsm(lG, v).transposed).transposed
    let outer = LAPACK.dtrsm(
      lA, LAPACK.dtrsm(lG, inner, transposed: true).transposed, transposed: true
    ).transposed
    expectRatio(
      solutionRatio(
        Vector(step.storage), Vector(outer.storage),
        condition: try condition(block.a.dense) * condition(block.g.dense)))
    expectRatio(
      .solve(kronecker(block.a.dense, block.g.dense), Vector(step.storage), Vector(v.storage)))
  }
}
