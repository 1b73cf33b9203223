import Curvature
import Networks

/// F̂_λ⁻¹ ∇h with the curvature of the step's own batch, on some layers; ∇h on the rest.
///
/// Structure, damping rule and Fisher kind are separate choices: `exact` with `exact` is the natural
/// gradient (through the Gram matrix where that is smaller), `block-diagonal` the block natural
/// gradient, `block-tridiagonal` with `pi` that of Martens and Grosse (2015), and `kfac` with `factor`
/// Eq. 6 of the THOR paper. Nothing is kept from one step to the next.
public struct NaturalGradientPreconditioner: Preconditioner {
  public let structure: StructureKind
  public let options: StructureOptions
  public let rule: DampingRule
  public let lambda: Schedule
  public let fisher: FisherKind
  /// The parameter blocks that are preconditioned; nil means all.
  public let blocks: [Int]?
  public private(set) var operations = 0.0

  public init(
    structure: StructureKind, options: StructureOptions = StructureOptions(), rule: DampingRule,
    lambda: Schedule, fisher: FisherKind = .exact, blocks: [Int]? = nil
  ) {
    self.structure = structure
    self.options = options
    self.rule = rule
    self.lambda = lambda
    self.fisher = fisher
    self.blocks = blocks
  }

  public var name: String { structure.rawValue }

  public mutating func direction(for gradient: ParameterVector, at point: TrainingPoint) throws
    -> ParameterVector
  {
    let chosen = blocks ?? Array(point.network.parameters.indices)
    let samples = point.samples(fisher, blocks: chosen)
    let damped = try structure.build(samples, options)
      .damped(rule, lambda.value(atEpoch: point.epoch))
    operations += NaturalGradientPreconditioner.cost(structure, samples, point)
    return gradient.replacing(
      chosen, with: damped.solve(ParameterVector(blocks: chosen.map { gradient.blocks[$0] })))
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.number("curvature.operations", &operations)
  }

  /// What the samples, the structure and its damped solve cost, to leading order.
  private static func cost(
    _ structure: StructureKind, _ samples: GradientSamples, _ point: TrainingPoint
  ) -> Double {
    let layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let vectors = Double(samples.exampleCount * samples.columnCount)
    let sampling = OperationCount.samples(
      point.network, examples: samples.exampleCount, columns: samples.columnCount)
    /// The Gram matrix of some layers, N·K square, or their dense Fisher; factored.
    func dense(_ layers: [LayerSamples]) -> Double {
      let size = layers.reduce(0) { $0 + $1.layout.count }
      if vectors >= Double(size) {
        return Double(size) * Double(size) * vectors + OperationCount.cube(size) / 3
      }
      let inner = layers.reduce(0.0) {
        let columns = Double($1.exampleCount * $1.positions)
        let k = Double($1.columnCount)
        return $0 + columns * columns * (Double($1.inputSize) + k * k * Double($1.outputSize))
      }
      return inner + vectors * vectors * vectors / 3
    }
    func kronecker(_ layer: LayerSamples) -> Double {
      OperationCount.factors(layer) + OperationCount.cube(layer.inputSize) / 3
        + OperationCount.cube(layer.outputSize) / 3
        + OperationCount.rotation(layer.outputSize, layer.inputSize)
    }
    switch structure {
    case .exact: return sampling + dense(layers)
    case .blockDiagonal: return sampling + layers.reduce(0) { $0 + dense([$1]) }
    case .diagonal: return sampling + layers.reduce(0) { $0 + Double($1.layout.count) * vectors }
    case .unitWise:
      return sampling
        + layers.reduce(0) {
          $0 + Double($1.outputSize)
            * (Double($1.inputSize * $1.inputSize) * vectors + OperationCount.cube($1.inputSize) / 3)
        }
    case .kfac, .kfacSplit, .nearestKronecker, .tkfac, .klKronecker, .blockTridiagonal:
      return sampling + layers.reduce(0) { $0 + kronecker($1) }
    case .ekfac:
      return sampling
        + layers.reduce(0) {
          $0 + OperationCount.factors($1) + OperationCount.eigendecomposition($1.inputSize)
            + OperationCount.eigendecomposition($1.outputSize)
            + 2 * Double($1.layout.count) * vectors
        }
    }
  }
}

extension ParameterVector {
  /// The vector with some of its blocks exchanged for those of another, in order.
  func replacing(_ indices: [Int], with other: ParameterVector) -> ParameterVector {
    var result = self
    for (index, block) in zip(indices, other.blocks) { result.blocks[index] = block }
    return result
  }
}

/// Natural-gradient descent, θ ← θ − α F̂_λ⁻¹ ∇h with fresh curvature at every step.
public typealias NaturalGradientDescent = PreconditionedDescent<NaturalGradientPreconditioner>

extension PreconditionedDescent where Curvature == NaturalGradientPreconditioner {
  public init(
    learningRate: Double, structure: StructureKind, options: StructureOptions = StructureOptions(),
    rule: DampingRule, lambda: Double, fisher: FisherKind = .exact, blocks: [Int]? = nil
  ) {
    precondition(learningRate > 0, "the learning rate must be positive, got \(learningRate)")
    self.init(
      NaturalGradientPreconditioner(
        structure: structure, options: options, rule: rule, lambda: .constant(lambda),
        fisher: fisher, blocks: blocks),
      DescentRule(learningRate: .constant(learningRate)))
  }
}
