import Curvature
import DenseAlgebra
import Networks

/// KFAC whose factors age by SP-NGD's Frobenius rule, each factor of each layer by itself.
///
/// U = G_λ⁻¹ V A_λ⁻¹ with whatever factors are in use; a refreshed factor is inverted at once.
/// Reference: the specification, section 8.8 (the rule is stated there from memory).
public struct FrobeniusPreconditioner: Preconditioner {
  public let rule: FrobeniusIntervalRule
  public let damping: DampingRule
  public let lambda: Schedule
  public let fisher: FisherKind
  /// The parameter blocks that are preconditioned; nil means all.
  public let blocks: [Int]?
  public private(set) var operations = 0.0
  private var statistics: [(a: AgedStatistic, g: AgedStatistic)] = []
  private var inverses: [(any DampedStructure)?] = []
  private var inverseLambdas: [Double] = []

  public init(
    _ rule: FrobeniusIntervalRule, damping: DampingRule = .pi, lambda: Schedule,
    fisher: FisherKind = .exact, blocks: [Int]? = nil
  ) {
    self.rule = rule
    self.damping = damping
    self.lambda = lambda
    self.fisher = fisher
    self.blocks = blocks
  }

  public var name: String { "sp-ngd-rule" }

  public mutating func direction(for gradient: ParameterVector, at point: TrainingPoint) throws
    -> ParameterVector
  {
    let chosen = blocks ?? Array(point.network.parameters.indices)
    if statistics.isEmpty {
      statistics = chosen.map { _ in (AgedStatistic(), AgedStatistic()) }
      inverses = chosen.map { _ in nil }
      inverseLambdas = chosen.map { _ in 0 }
    }
    let λ = lambda.value(atEpoch: point.epoch)
    let due = statistics.indices.filter {
      statistics[$0].a.due <= point.step || statistics[$0].g.due <= point.step
    }
    if !due.isEmpty { refresh(due, chosen, point, λ) }
    var direction = gradient
    for (index, block) in chosen.enumerated() {
      guard let a = statistics[index].a.value, let g = statistics[index].g.value else { continue }
      let (factorA, factorG) = (KroneckerFactor(a), KroneckerFactor(g))
      if inverses[index] == nil {
        let layout = ParameterLayout(blocks: [point.network.layout.blocks[block]])
        inverses[index] = try KroneckerBlock(kind: .kfac, layout: layout, a: factorA, g: factorG)
          .damped(damping, inverseLambdas[index])
      }
      if let inverse = inverses[index] {
        direction.blocks[block] =
          inverse.solve(ParameterVector(blocks: [gradient.blocks[block]])).blocks[0]
      }
      operations += OperationCount.solve(a: factorA, g: factorG)
    }
    return direction
  }

  private mutating func refresh(
    _ due: [Int], _ chosen: [Int], _ point: TrainingPoint, _ λ: Double
  ) {
    let samples = point.samples(fisher, blocks: due.map { chosen[$0] })
    operations += OperationCount.samples(
      point.network, examples: samples.exampleCount, columns: samples.columnCount)
    for (place, index) in due.enumerated() {
      let layer = LayerSamples(samples, block: place)
      let fresh = KFACFactors(layer)
      operations += OperationCount.factors(layer)
      if statistics[index].a.due <= point.step {
        statistics[index].a.refresh(fresh.a, atStep: point.step, rule)
      }
      if statistics[index].g.due <= point.step {
        statistics[index].g.refresh(fresh.g, atStep: point.step, rule)
      }
      // Counted here, since a resumed run makes its inverses once more.
      operations +=
        OperationCount.cube(layer.inputSize) / 3 + OperationCount.cube(layer.outputSize) / 3
      inverses[index] = nil
      inverseLambdas[index] = λ
    }
  }

  /// The intervals in force, A's and G's of each chosen layer.
  public var intervals: [(a: Int, g: Int)] { statistics.map { ($0.a.interval, $0.g.interval) } }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.number("curvature.operations", &operations)
    let chosen = blocks ?? Array(archive.layout.blocks.indices)
    if archive.isLoading || statistics.isEmpty {
      statistics = chosen.map { _ in (AgedStatistic(), AgedStatistic()) }
      inverses = chosen.map { _ in nil }
      inverseLambdas = chosen.map { _ in 0 }
    }
    for index in statistics.indices {
      let block = archive.layout.blocks[chosen[index]]
      try statistics[index].a.exchange(
        &archive, "curvature.\(block.name).A", size: block.columnCount)
      try statistics[index].g.exchange(&archive, "curvature.\(block.name).G", size: block.rowCount)
      try archive.number("curvature.\(block.name).lambda", &inverseLambdas[index])
    }
  }
}
