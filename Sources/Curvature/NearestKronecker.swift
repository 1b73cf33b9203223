import DenseAlgebra

extension KroneckerBlock {
  /// TKFAC: the Kronecker product that keeps the trace and both partial traces of the exact block.
  ///
  /// F ≈ δ Φ ⊗ Ψ with δ = tr F, Φ = Tr_G F/δ, Ψ = Tr_A F/δ; the factors here are √δ Φ and √δ Ψ. It is one
  /// step of power iteration on the rearrangement from the identity.
  /// Reference: the specification, section 8.4; Gao et al., arXiv 2011.10741.
  public static func tkfac(_ samples: LayerSamples) -> KroneckerBlock {
    let contraction = KroneckerContraction(samples)
    let inputTrace = contraction.inputSide(.identity(samples.outputSize))
    let outputTrace = contraction.outputSide(.identity(samples.inputSize))
    let root = inputTrace.trace.squareRoot()
    let scale = root > 0 ? 1 / root : 0
    return KroneckerBlock(
      kind: .tkfac, layout: samples.layout, a: KroneckerFactor(scale * inputTrace),
      g: KroneckerFactor(scale * outputTrace))
  }

  /// The Kronecker product nearest to the exact block in the Frobenius norm.
  ///
  /// The top singular triple (σ, u, v) of the rearrangement R gives A = √σ mat(u), G = √σ mat(v), both
  /// positive semi-definite, and error² = ‖F‖² − σ². Found by power iteration from the identity,
  /// N(K d_G² + d_A²) operations a step; throws `iterationLimit` after 20,000 steps.
  /// Reference: the specification, section 8.3; Van Loan and Pitsianis 1993.
  public static func nearestKronecker(_ samples: LayerSamples) throws(CurvatureError)
    -> KroneckerBlock
  {
    let contraction = KroneckerContraction(samples)
    let limit = 20_000
    let size = samples.outputSize
    var v = (1 / Double(size).squareRoot()) * Matrix.identity(size)
    var lastChange = Double.infinity
    for _ in 0..<limit {
      let u = contraction.inputSide(v)
      let uNorm = u.frobeniusNorm
      // A zero block (all gradients zero) is the product of zeros.
      guard uNorm > 0 else { return pair(samples, 0 * u, 0 * v) }
      // Divided, not multiplied by 1/‖u‖: of the size of g², it overflows for gradients of 1e-154.
      let next = contraction.outputSide(u.map { $0 / uNorm })
      let σ = next.frobeniusNorm
      guard σ > 0 else { return pair(samples, 0 * u, 0 * v) }
      let direction = next.map { $0 / σ }
      let change = (direction - v).frobeniusNorm
      v = direction
      // Converged when the direction stands still to rounding, or no longer comes nearer.
      if change <= 1e-14 || (change < 1e-12 && change >= lastChange) {
        let root = σ.squareRoot()
        return pair(samples, (root / uNorm) * u, root * v)
      }
      lastChange = change
    }
    throw CurvatureError.iterationLimit(
      what: "the power iteration for the nearest Kronecker product of \(samples.name)", limit: limit
    )
  }

  private static func pair(_ samples: LayerSamples, _ a: Matrix, _ g: Matrix) -> KroneckerBlock {
    KroneckerBlock(
      kind: .nearestKronecker, layout: samples.layout, a: KroneckerFactor(a),
      g: KroneckerFactor(g))
  }
}
