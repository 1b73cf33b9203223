import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The Kronecker product nearest in Stein divergence (spec 8.5).
@Suite("KL-optimal Kronecker product")
struct KLKroneckerTests {
  /// Σ (w − log w − 1) of the generalised eigenvalues by `dsygvd`, and how far round-off moves it:
  /// each w errs by ε‖F‖‖F̂⁻¹‖, and the divergence by |1 − 1/w| times that.
  static func stein(_ f: Matrix, _ approximation: Matrix) throws -> (
    value: Double, sensitivity: Double
  ) {
    let w = try LAPACK.dsygvd(f, approximation).values.elements
    let error = LAPACK.norm1(f) * LAPACK.norm1(try LAPACK.dpotri(approximation))
    return (
      w.reduce(0) { $0 + $1 - 1 - logarithm($1) }, w.reduce(1) { $0 + abs(1 - 1 / $1) * error }
    )
  }

  @Test("P-97: at the fixed point tr(F̂⁻¹F_λ) = d_A d_G, and no other product has less divergence")
  func fixedPoint() {
    property(
      "P-97", .equal, oracle: "dgesv",
      claim: "tr(F̂⁻¹F_λ) = d_A d_G; both partial traces are multiples of I", over: NetworkCase.all,
      share: 0.5
    ) { test, checks in
      for layer in test.layers {
        let λ = layer.damping(test.pick([1, 0.05, 1e-3]))
        let f = layer.fisher.addingToDiagonal(λ)
        let product = try KLKroneckerBlock(layer.samples).damped(.exact, λ)
          .dense(within: .standard)
        let whitened = try LAPACK.dgesv(product, f)
        let (dA, dG) = (layer.defined.inputSize, layer.defined.outputSize)
        // The solve errs by κ ε of ‖F̂⁻¹‖‖F_λ‖ at most.
        let κ = LAPACK.norm1(f) * LAPACK.norm1(try LAPACK.dpotri(product))
        checks.equal(
          whitened.trace, Double(dA * dG), size: layer.size, scale: κ, "trace, \(layer.name)")
        func overG(_ j: Int, _ k: Int) -> Double {
          (0..<dG).reduce(0) { $0 + whitened[j * dG + $1, k * dG + $1] } / Double(dG)
        }
        func overA(_ i: Int, _ k: Int) -> Double {
          (0..<dA).reduce(0) { $0 + whitened[$1 * dG + i, $1 * dG + k] } / Double(dA)
        }
        checks.equal(
          Matrix(rowCount: dG, columnCount: dG, entry: overA), .identity(dG),
          scale: κ * Double(max(dA, dG)), "Tr_A, \(layer.name)")
        // A is one step older than G, and the iteration stops at steps under 1e-11 of the factor.
        let error = Matrix(rowCount: dA, columnCount: dA, entry: overG).addingToDiagonal(-1)
        checks.bounded(
          LAPACK.norm1(error), atMost: κ * (1e-11 + 30 * Double(layer.size) * .ulpOfOne),
          "Tr_G, \(layer.name)")
      }
    }
    property(
      "P-97", .inequality, oracle: "dsygvd",
      claim: "its Stein divergence is at most that of KFAC, TKFAC, nearest and split",
      over: NetworkCase.all, share: 0.3
    ) { test, checks in
      for layer in test.layers {
        let λ = layer.damping(test.pick([1, 0.05, 1e-3]))
        let f = layer.fisher.addingToDiagonal(λ)
        let best = try Self.stein(
          f,
          try KLKroneckerBlock(layer.samples).damped(.exact, λ).dense(within: .standard))
        for block in [
          KroneckerBlock.kfac(layer.samples), .tkfac(layer.samples),
          try .nearestKronecker(layer.samples), .kfacSplit(layer.samples, split: 2),
        ] {
          // D1 is no damping where one factor is large and the other small.
          let isBalanced = layer.scale > 1e-3 && layer.scale < 1e3
          for rule in isBalanced ? [DampingRule.pi, .sqrt] : [.pi] {
            let other = try Self.stein(f, try block.damped(rule, λ).dense(within: .standard))
            checks.atMost(
              best.value, other.value, size: layer.size,
              scale: best.sensitivity + other.sensitivity, "\(block.kind) \(rule), \(layer.name)")
          }
        }
      }
    }
  }

  @Test("It is F + λI itself where that is a Kronecker product")
  func exactWhereABlockIsAProduct() throws {
    // Identical g for every example up to scale: N = 1 and one output make F = āāᵀ ⊗ g², so F + λI
    // is (āāᵀ g² + λI) ⊗ 1.
    let test = CurvatureCase(
      RandomNetwork(
        .perceptron, .tanh, .gaussian(variance: 0.7), seed: 9, exampleCount: 5, outputCount: 1))
    let last = test.samples.blocks.count - 1
    let f = test.defined[last].fisher.addingToDiagonal(0.2)
    let fit = try KLKroneckerBlock(test.layers[last]).damped(.exact, 0.2)
    expectRatio(.difference(try fit.dense(within: .standard), f))
  }
}
