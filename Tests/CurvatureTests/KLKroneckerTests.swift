import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The Kronecker product nearest in Stein divergence (spec 8.5, P-97).
@Suite("KL-optimal Kronecker product")
struct KLKroneckerTests {
  static let strengths = [1.0, 0.05, 1e-3]

  /// Σ (w − log w − 1) of the generalised eigenvalues by `dsygvd`.
  func stein(_ f: Matrix, _ approximation: Matrix) throws -> Double {
    try LAPACK.dsygvd(f, approximation).values.elements.reduce(0) {
      $0 + $1 - 1 - logarithm($1)
    }
  }

  @Test(
    "P-97: tr(F̂⁻¹ F_λ) = d_A d_G, and both conditions of the fixed point hold",
    arguments: CurvatureCase.varied)
  func fixedPointConditionsHold(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let λ = Self.strengths[Int(test.seed) % 3]
      let f = defined.fisher.addingToDiagonal(λ)
      let fit = try KLKroneckerBlock(layer).damped(.exact, λ)
      let product = try fit.dense(within: .standard)
      let whitened = try LAPACK.dgesv(product, f)
      let (dA, dG) = (defined.inputSize, defined.outputSize)
      let κ = try condition(product)
      // Round-off of the inverse, and the last step of the iteration (1e-11 at most).
      let tolerance = 30 * Double(dA * dG) * κ * .ulpOfOne + 1e-9
      expectAtMost(
        abs(whitened.trace / Double(dA * dG) - 1), tolerance, "\(test)", seed: test.seed)
      // (A ⊗ G)⁻¹F_λ has partial traces d_G I and d_A I: the fixed point, in whitened form.
      for j in 0..<dA {
        for k in 0..<dA {
          let trace = (0..<dG).reduce(0) { $0 + whitened[j * dG + $1, k * dG + $1] }
          expectAtMost(
            abs(trace / Double(dG) - (j == k ? 1 : 0)), tolerance * κ.squareRoot(), "\(test)")
        }
      }
    }
  }

  @Test(
    "P-97: its Stein divergence is below every other single product's",
    arguments: CurvatureCase.varied)
  func nothingIsNearerInStein(test: CurvatureCase) throws {
    for (layer, defined) in zip(test.layers, test.defined) {
      let λ = Self.strengths[Int(test.seed) % 3]
      let f = defined.fisher.addingToDiagonal(λ)
      let best = try stein(
        f, try KLKroneckerBlock(layer).damped(.exact, λ).dense(within: .standard))
      for block in [
        KroneckerBlock.kfac(layer), KroneckerBlock.tkfac(layer),
        try KroneckerBlock.nearestKronecker(layer), KroneckerBlock.kfacSplit(layer, split: 2),
      ] {
        for rule in [DampingRule.sqrt, .factor, .pi] {
          let other = try stein(f, try block.damped(rule, λ).dense(within: .standard))
          expectAtMost(
            best, other, slack: 1e-9 * (1 + other), "\(block.kind) \(rule), \(test)",
            seed: test.seed)
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
