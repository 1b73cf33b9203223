import DenseAlgebra
import Networks
import RealModule

/// KFAC whose inverse is block-tridiagonal over layers that follow one another.
///
/// F̂ agrees with the Kronecker-factored F̃ on the diagonal and first off-diagonal blocks, where
/// F̃_ℓm = A_ℓm ⊗ G_ℓm with A_ℓm = (1/N) X_ℓ X_mᵀ and G_ℓm = (1/N) Σ_c Y_ℓ Y_mᵀ, and F̂⁻¹ = Ξᵀ Λ Ξ is block-tridiagonal.
/// Damping enters the diagonal blocks' factors only.
/// Reference: the specification, section 4.4; Martens and Grosse 2015, section 4.3.
public struct BlockTridiagonalKFAC: Structure {
  public var kind: StructureKind { .blockTridiagonal }
  public let layout: ParameterLayout
  private let layers: [LayerSamples]
  /// For each layer whether the next one follows it directly.
  private let isLinked: [Bool]

  /// Takes the layers of the samples; throws `needsPlainChain` where a layer shares its weights.
  public init(_ samples: GradientSamples) throws(CurvatureError) {
    self.layout = samples.layout
    self.layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let chained = Set(samples.chain.flatMap { $0 })
    for (index, layer) in layers.enumerated() where !chained.contains(index) {
      throw CurvatureError.needsPlainChain(structure: .blockTridiagonal, block: layer.name)
    }
    let links = Set(samples.chain.flatMap { run in zip(run, run.dropFirst()).map { [$0, $1] } })
    self.isLinked = layers.indices.map { links.contains([$0, $0 + 1]) }
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    var blocks: [DampedKroneckerBlock] = []
    for layer in layers {
      guard
        let block = try KroneckerBlock.kfac(layer).damped(rule, lambda) as? DampedKroneckerBlock
      else { throw CurvatureError.undefinedRule(structure: kind, rule: rule) }
      blocks.append(block)
    }
    var couplings: [Coupling?] = []
    for index in layers.indices {
      couplings.append(
        index + 1 < layers.count && isLinked[index]
          ? try Coupling(
            layers[index], layers[index + 1], block: blocks[index], next: blocks[index + 1])
          : nil)
    }
    return DampedBlockTridiagonal(layout: layout, blocks: blocks, couplings: couplings)
  }

  /// What layer ℓ needs to know of layer ℓ+1: Ψ = Ψ^A ⊗ Ψ^G and Σ_ℓ|ℓ₊₁ = A ⊗ G − (Ψ^A A′ Ψ^Aᵀ) ⊗ (Ψ^G G′ Ψ^Gᵀ).
  struct Coupling: Sendable {
    /// Ψ^A = A_ℓ,ℓ₊₁ A_ℓ₊₁⁻¹.
    let psiA: Matrix
    /// Ψ^G = G_ℓ,ℓ₊₁ G_ℓ₊₁⁻¹.
    let psiG: Matrix
    let conditional: KroneckerDifference

    init(
      _ layer: LayerSamples, _ following: LayerSamples, block: DampedKroneckerBlock,
      next: DampedKroneckerBlock
    ) throws(CurvatureError) {
      let scale = 1 / Double(layer.exampleCount)
      let crossA = scale * layer.inputs.timesTransposed(following.inputs)
      var crossG = Matrix(rowCount: layer.outputSize, columnCount: following.outputSize)
      for (g, h) in zip(layer.gradients, following.gradients) {
        crossG.add(scale, times: g.timesTransposed(h))
      }
      // Ψ = C M⁻¹ with symmetric M: solve M Ψᵀ = Cᵀ.
      self.psiA = next.a.solve(crossA.transposed).transposed
      self.psiG = next.g.solve(crossG.transposed).transposed
      // Ψ^A A′ Ψ^Aᵀ = C A′⁻¹ Cᵀ.
      self.conditional = try KroneckerDifference(
        a: block.a.dense, b: block.g.dense,
        c: psiA.timesTransposed(crossA).symmetrized, d: psiG.timesTransposed(crossG).symmetrized,
        name: layer.name)
    }
  }
}

/// F̂ = Ξ⁻¹ Λ⁻¹ Ξ⁻ᵀ with its inverse Ξᵀ Λ Ξ; Ξ is unit upper block-bidiagonal with −Ψ.
struct DampedBlockTridiagonal: DampedStructure {
  let layout: ParameterLayout
  let blocks: [DampedKroneckerBlock]
  let couplings: [BlockTridiagonalKFAC.Coupling?]

  func solve(_ vector: ParameterVector) -> ParameterVector {
    var u = vector.blocks
    // u = Ξ v: U_ℓ = V_ℓ − Ψ^G V_ℓ₊₁ Ψ^Aᵀ, read from the old values, so first layer first.
    for (index, coupling) in couplings.enumerated() {
      guard let coupling else { continue }
      u[index].add(
        -1, times: (coupling.psiG * vector.blocks[index + 1]).timesTransposed(coupling.psiA))
    }
    // Λ: the inverse conditional covariances Σ⁻¹.
    for index in u.indices {
      u[index] = couplings[index]?.conditional.solve(u[index]) ?? blocks[index].solve(u[index])
    }
    // Ξᵀ: U_ℓ₊₁ = V_ℓ₊₁ − Ψ^Gᵀ V_ℓ Ψ^A, read from the values before this step, so last layer first.
    for index in u.indices.reversed() {
      guard let coupling = couplings[index] else { continue }
      u[index + 1].add(-1, times: coupling.psiG.transposedTimes(u[index]) * coupling.psiA)
    }
    return ParameterVector(blocks: u)
  }

  func apply(_ vector: ParameterVector) -> ParameterVector {
    var u = vector.blocks
    // Ξ⁻ᵀ: forward substitution.
    for (index, coupling) in couplings.enumerated() {
      guard let coupling else { continue }
      u[index + 1].add(1, times: coupling.psiG.transposedTimes(u[index]) * coupling.psiA)
    }
    for index in u.indices {
      u[index] = couplings[index]?.conditional.apply(u[index]) ?? blocks[index].apply(u[index])
    }
    // Ξ⁻¹: back substitution.
    for index in u.indices.reversed() {
      guard let coupling = couplings[index] else { continue }
      u[index].add(1, times: (coupling.psiG * u[index + 1]).timesTransposed(coupling.psiA))
    }
    return ParameterVector(blocks: u)
  }

  /// Ξ has determinant 1, so only the conditional blocks count.
  var logDeterminant: Double {
    blocks.indices.reduce(0) {
      $0 + (couplings[$1]?.conditional.logDeterminant ?? blocks[$1].logDeterminant)
    }
  }
}
