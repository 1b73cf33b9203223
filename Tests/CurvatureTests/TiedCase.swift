import Curvature
import DenseAlgebra
import Networks
import TestSupport

/// Two examples uₙ = gₙ ⊗ aₙ in orthonormal directions, ‖u₂‖² = (1 + gap) ‖u₁‖²: the singular values of
/// R are ½ and ½ (1 + gap).
struct TiedCase: Sendable, CustomStringConvertible {
  var inputSize: Int
  var outputSize: Int
  var gap: Double
  var scale = 1.0
  var seed: UInt64

  var description: String {
    "d_A = \(inputSize), d_G = \(outputSize), gap \(gap), gradients of \(scale), seed \(seed)"
  }

  var layer: LayerCase {
    var generator = Generator(seed: seed)
    let a = generator.orthogonal(inputSize)
    var g = generator.orthogonal(outputSize)
    for i in 0..<outputSize {
      g[i, 0] *= scale
      g[i, 1] *= scale * (1 + gap).squareRoot()
    }
    let use = GradientSamples.Use(
      inputs: a.block(rows: 0..<inputSize, columns: 0..<2),
      gradients: [g.block(rows: 0..<outputSize, columns: 0..<2)], positions: 1)
    let block = GradientSamples.Block(
      name: "tied", rowCount: outputSize, columnCount: inputSize, hasBias: false, uses: [use])
    return LayerCase(
      GradientSamples(exampleCount: 2, columnCount: 1, blocks: [block], chain: [[0]]), block: 0)
  }

  static let all = Cases<TiedCase>(
    edges: [0, 1e-15, 3e-14, 1e-12, 3e-10, 1e-7, 1e-5, 1e-3].flatMap { gap in
      [
        TiedCase(inputSize: 3, outputSize: 2, gap: gap, seed: 1),
        TiedCase(inputSize: 2, outputSize: 4, gap: gap, scale: 1e-75, seed: 2),
      ]
    },
    draw: {
      TiedCase(
        inputSize: 2 + $0.below(5), outputSize: 2 + $0.below(5),
        gap: exponential(logarithm(10) * (-16 + 14 * $0.uniform())),
        scale: exponential(logarithm(10) * (-70 + 140 * $0.uniform())),
        seed: $0.next() % 100_000)
    })
}
