import Curvature
import DenseAlgebra
import Networks

/// CG-FAC: each step's system solved by conjugate gradients, matrix-free, from zero or from the last step.
///
/// (A ⊗ G + λI) cvec(U) = cvec(V) or the same with the exact layer block, of the step's own batch.
/// A warm start loses the descent property, so a solution with ⟨U, V⟩ ≤ 0 is replaced by the one from
/// zero. Reference: the specification, sections 6.1 and 6.3; arXiv 2101.00218.
public struct ConjugateGradientPreconditioner: Preconditioner {
  public let solver: MatrixFreeSolver
  public let lambda: Schedule
  public let fisher: FisherKind
  public let isWarm: Bool
  /// The parameter blocks that are preconditioned; nil means all.
  public let blocks: [Int]?
  public private(set) var operations = 0.0
  /// The steps of conjugate gradients that each layer took at the last step of training.
  public private(set) var iterations: [Int] = []
  private var last: ParameterVector?

  public init(
    _ solver: MatrixFreeSolver, lambda: Schedule, fisher: FisherKind = .exact,
    isWarm: Bool = false, blocks: [Int]? = nil
  ) {
    self.solver = solver
    self.lambda = lambda
    self.fisher = fisher
    self.isWarm = isWarm
    self.blocks = blocks
  }

  public var name: String { solver.layerOperator.rawValue }

  public mutating func direction(for gradient: ParameterVector, at point: TrainingPoint) throws
    -> ParameterVector
  {
    let chosen = blocks ?? Array(point.network.parameters.indices)
    let samples = point.samples(fisher, blocks: chosen)
    operations += OperationCount.samples(
      point.network, examples: samples.exampleCount, columns: samples.columnCount)
    let layers = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let λ = lambda.value(atEpoch: point.epoch)
    iterations = []
    var direction = gradient
    for (index, block) in chosen.enumerated() {
      let right = ParameterVector(blocks: [gradient.blocks[block]])
      let start = isWarm ? last.map { ParameterVector(blocks: [$0.blocks[block]]) } : nil
      var (step, solutions) = try solver.solve([layers[index]], right, lambda: λ, start: start)
      count(layers[index], solutions[0])
      if start != nil && step.dot(right) <= 0 {
        (step, solutions) = try solver.solve([layers[index]], right, lambda: λ)
        count(layers[index], solutions[0])
      }
      guard solutions[0].status != .notFinite else {
        throw OptimizationError(
          "conjugate gradients for \(point.network.layout.blocks[block].name) met numbers that are not "
            + "finite; finite weights, gradients and curvature were expected: use a smaller learning "
            + "rate or a larger damping.")
      }
      iterations.append(solutions[0].iterations)
      direction.blocks[block] = step.blocks[0]
    }
    if isWarm { last = direction }
    return direction
  }

  private mutating func count(_ layer: LayerSamples, _ solution: IterativeSolution) {
    operations +=
      Double(solution.iterations)
      * (OperationCount.product(layer, solver.layerOperator) + 10 * Double(layer.layout.count))
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.number("curvature.operations", &operations)
    if isWarm { try archive.vector("curvature.last-step", &last) }
  }
}
