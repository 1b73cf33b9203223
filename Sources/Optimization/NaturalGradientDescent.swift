import Curvature
import Networks

/// Natural-gradient descent, θ ← θ − α F̂_λ⁻¹ ∇h on some layers and plain gradient descent on the rest.
///
/// Structure, damping rule and Fisher kind are separate choices; with `kfac` and `factor` this is
/// Eq. 6 of the THOR paper, factors fresh at every step. The paper's Figure 4 trains the middle layers
/// this way; the layers that are left out take the step −α ∇h.
public struct NaturalGradientDescent: Optimizer {
  public let learningRate: Double
  public let structure: StructureKind
  public let options: StructureOptions
  public let rule: DampingRule
  public let lambda: Double
  public let fisher: FisherKind
  /// The parameter blocks that are preconditioned; nil means all.
  public let blocks: [Int]?
  private var stepCount: UInt64 = 0

  public init(
    learningRate: Double, structure: StructureKind, options: StructureOptions = StructureOptions(),
    rule: DampingRule, lambda: Double, fisher: FisherKind = .exact, blocks: [Int]? = nil
  ) {
    precondition(learningRate > 0, "the learning rate must be positive, got \(learningRate)")
    self.learningRate = learningRate
    self.structure = structure
    self.options = options
    self.rule = rule
    self.lambda = lambda
    self.fisher = fisher
    self.blocks = blocks
  }

  public var name: String { structure.rawValue }

  public mutating func step(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) throws
    -> Network
  {
    // A Monte-Carlo Fisher draws fresh labels at every step, from a stream of the one seed.
    var kind = fisher
    if case .monteCarlo(let samples, let seed) = fisher {
      kind = .monteCarlo(samples: samples, seed: seed &+ stepCount)
    }
    stepCount += 1
    let chosen = blocks ?? Array(network.parameters.indices)
    let samples = GradientSamples(
      network, batch, likelihood: likelihood, kind: kind, blocks: chosen)
    let gradient = LossGradient(network, batch, likelihood).gradient
    let damped = try structure.build(samples, options).damped(rule, lambda)
    let preconditioned = damped.solve(
      ParameterVector(blocks: chosen.map { gradient.blocks[$0] }))
    var direction = gradient
    for (index, block) in zip(chosen, preconditioned.blocks) { direction.blocks[index] = block }
    return network.adding(direction, scale: -learningRate)
  }
}
