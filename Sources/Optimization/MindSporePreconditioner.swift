import Curvature
import DenseAlgebra
import Networks

/// The curvature of MindSpore's `nn.thor`: fresh factors and their inverses every `frequency` steps.
///
/// U = ρ G⁻¹ ((1/s) ∇) A⁻¹ per layer, ∇ the gradient of the scaled loss. No trace rule, no stopping, no
/// moving average, no growing interval. Reference: the specification, section 7.8.
public struct MindSporePreconditioner: Preconditioner {
  public let options: MindSporeOptions
  public private(set) var operations = 0.0
  private var inverses: [MindSporeInverse] = []

  /// Throws one sentence where an option cannot be used.
  public init(_ options: MindSporeOptions) throws(OptimizationError) {
    try options.check()
    self.options = options
  }

  public var name: String { "nn.thor" }

  /// Throws also where the batch cannot be dealt out to the workers, or a damped factor is not positive
  /// definite.
  public mutating func direction(for gradient: ParameterVector, at point: TrainingPoint) throws
    -> ParameterVector
  {
    if inverses.isEmpty || point.step % options.frequency == 0 { try refresh(point) }
    let s = options.lossScale
    var direction = (1 / s) * ((options.trainingLossScale ?? s) * gradient)
    for (index, inverse) in inverses.enumerated() {
      direction.blocks[index] = inverse.applied(to: direction.blocks[index])
      operations += OperationCount.solve(a: inverse.a, g: inverse.g)
    }
    return direction
  }

  private mutating func refresh(_ point: TrainingPoint) throws {
    let blocks = point.network.parameters.indices
    let samples = point.samples(options.fisher, blocks: Array(blocks))
    operations += OperationCount.samples(
      point.network, examples: samples.exampleCount, columns: samples.columnCount)
    let workers = try SimulatedWorkers(samples, count: options.workers)
    let inversions = options.source.averaging == .inverses ? Double(options.workers) : 1
    var fresh: [MindSporeInverse] = []
    for index in blocks {
      operations += OperationCount.factors(LayerSamples(samples, block: index))
      let inverse = try workers.inverse(
        ofBlock: index, isConvolution: point.network.isConvolution(block: index),
        lambda: options.damping(atStep: point.step), options)
      // d³/3 for a Cholesky factor and 2d³/3 for the inverse from it
      operations +=
        3 * inversions
        * (OperationCount.cholesky(inverse.a) + OperationCount.cholesky(inverse.g))
      fresh.append(inverse)
    }
    inverses = fresh
  }

  /// The inverses in use, by parameter block; empty before the first step.
  public var cachedInverses: [MindSporeInverse] { inverses }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.number("curvature.operations", &operations)
    let blocks = archive.layout.blocks
    var count = inverses.count
    try archive.count("curvature.inverses", &count)
    guard count == 0 || count == blocks.count else {
      throw OptimizationError(
        "the checkpoint holds the inverses of \(count) layers and this network has \(blocks.count); it "
          + "is of another network. Resume with the options it was written with, or start anew.")
    }
    var exchanged: [MindSporeInverse] = []
    for index in 0..<count {
      let current = archive.isLoading ? nil : inverses[index]
      exchanged.append(try exchange(&archive, blocks[index], current))
    }
    inverses = exchanged
  }

  /// Hands over one layer's inverses as they are, or takes them back.
  private func exchange(
    _ archive: inout Archive, _ block: ParameterLayout.Block, _ current: MindSporeInverse?
  ) throws(OptimizationError) -> MindSporeInverse {
    let inputs = block.columnCount - (block.hasBias && !options.source.biasInA ? 1 : 0)
    var a = current?.a.dense ?? Matrix(rowCount: inputs, columnCount: inputs)
    var g = current?.g.dense ?? Matrix(rowCount: block.rowCount, columnCount: block.rowCount)
    var scale = current?.scale ?? 0
    try archive.matrix("curvature.\(block.name).inverse-A", &a)
    try archive.matrix("curvature.\(block.name).inverse-G", &g)
    try archive.number("curvature.\(block.name).scale", &scale)
    return MindSporeInverse(
      a: KroneckerFactor(a, blockSize: options.splitSize),
      g: KroneckerFactor(g, blockSize: options.splitSize), scale: scale)
  }
}
