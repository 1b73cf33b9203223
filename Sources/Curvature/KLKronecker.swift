import DenseAlgebra
import Networks

/// The Kronecker product that is nearest to F + λI in the Stein (log-determinant) divergence.
///
/// The flip-flop A = (1/d_G) Tr_G[(I ⊗ G⁻¹)(F + λI)], G = (1/d_A) Tr_A[(A⁻¹ ⊗ I)(F + λI)] to its fixed
/// point, where tr((A ⊗ G)⁻¹(F + λI)) = d_A d_G. Damping is inside the fit, so the only rule is `exact`.
/// Reference: the specification, section 8.5; Lin et al., arXiv 2509.03378.
public struct KLKroneckerBlock: Structure {
  public var kind: StructureKind { .klKronecker }
  public let layout: ParameterLayout
  private let contraction: KroneckerContraction
  private let name: String

  public init(_ samples: LayerSamples) {
    self.layout = samples.layout
    self.contraction = KroneckerContraction(samples)
    self.name = samples.name
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    let dA = layout.blocks[0].columnCount
    let dG = layout.blocks[0].rowCount
    let limit = 20_000
    var g = Matrix.identity(dG)
    var a = Matrix.identity(dA)
    var lastChange = Double.infinity
    for _ in 0..<limit {
      let gInverse = try inverse(g, "factor G of \(name)")
      let nextA =
        (1 / Double(dG)) * contraction.inputSide(gInverse).addingToDiagonal(lambda * gInverse.trace)
      let aInverse = try inverse(nextA, "factor A of \(name)")
      var nextG =
        (1 / Double(dA))
        * contraction.outputSide(aInverse).addingToDiagonal(lambda * aInverse.trace)
      // (cA, G/c) is the same product: fix the scale so that the factors can be compared.
      let scale = Double(dG) / nextG.trace
      nextG = scale * nextG
      let change = max(
        (nextG - g).frobeniusNorm / nextG.frobeniusNorm,
        ((1 / scale) * nextA - a).frobeniusNorm / ((1 / scale) * nextA).frobeniusNorm)
      g = nextG
      a = (1 / scale) * nextA
      if change <= 1e-13 || (change < 1e-11 && change >= lastChange) {
        return DampedKroneckerBlock(
          layout: layout,
          a: try DampedFactor(KroneckerFactor(a), shift: 0, name: "factor A of \(name)"),
          g: try DampedFactor(KroneckerFactor(g), shift: 0, name: "factor G of \(name)"))
      }
      lastChange = change
    }
    throw CurvatureError.iterationLimit(
      what: "the flip-flop for the KL-optimal Kronecker product of \(name)", limit: limit)
  }

  private func inverse(_ matrix: Matrix, _ what: String) throws(CurvatureError) -> Matrix {
    do {
      return try CholeskyFactorization(matrix).inverse
    } catch {
      throw CurvatureError.notPositiveDefinite(
        block: what, size: error.size, pivot: error.pivot, value: error.value)
    }
  }
}
