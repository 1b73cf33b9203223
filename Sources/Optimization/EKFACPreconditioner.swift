import Curvature
import DenseAlgebra
import Networks

/// EKFAC with an amortised eigenbasis and running second moments.
///
/// The basis Q_A ⊗ Q_G of the averaged factors is made anew every few steps; in between the second
/// moments S follow the batches in the stale basis, S ← ρS + (1 − ρ)S_batch, and
/// U = Q_G [(Q_Gᵀ V Q_A) ⊘ (S + λ)] Q_Aᵀ. Reference: the specification, section 5; George et al. 2018,
/// arXiv 1806.03884.
public struct EKFACPreconditioner: Preconditioner {
  /// What a batch says of S.
  public enum Moments: String, CaseIterable, Sendable {
    /// diag(Qᵀ F Q) from per-example gradients, of the Fisher kind of the options.
    case perExample = "per-example"
    /// N (Q_Gᵀ V Q_A)², from the batch gradient alone: unbiased for model-drawn labels only.
    case batchGradient = "batch-gradient"
  }

  /// What S starts at in a new basis.
  public enum Restart: String, CaseIterable, Sendable {
    /// γ αᵀ, KFAC's value, which is exact for nothing but costs nothing.
    case kfac
    /// The moments of the batch at hand.
    case batch
  }

  public struct Options: Equatable, Sendable {
    public var fisher = FisherKind.exact
    public var sharing = WeightSharing.expand
    public var averaging = FactorAverage.martensGrosse(most: 0.95)
    public var lambda = Schedule.constant(0.1)
    /// The steps between two updates of the factors and of S.
    public var factorInterval = IntervalSchedule.constant(1)
    /// The steps between two eigendecompositions.
    public var basisInterval = IntervalSchedule.constant(1)
    /// ρ.
    public var decay = 0.95
    public var moments = Moments.perExample
    public var restart = Restart.batch
    public var blocks: [Int]?

    public init() {}

    /// Throws one sentence where an option cannot be used.
    public func check() throws(OptimizationError) {
      try averaging.check()
      try lambda.check("the damping")
      try factorInterval.check("the factor interval")
      try basisInterval.check("the basis interval")
      guard decay >= 0, decay <= 1 else {
        throw OptimizationError(
          "the decay of the second moments is \(decay); a number from 0 to 1 was expected: change it."
        )
      }
    }
  }

  struct Layer: Sendable {
    var estimate: KFACFactors?
    var batches = 0
    /// The factors that the basis is of.
    var basisFactors: KFACFactors?
    var secondMoments: Matrix?
    /// Made from `basisFactors`.
    var basis: (a: Matrix, g: Matrix, start: Matrix)?
  }

  public let options: Options
  public private(set) var operations = 0.0
  private var layers: [Layer] = []
  private var lastFactorStep: Int?
  private var lastBasisStep: Int?

  /// Throws one sentence where an option cannot be used.
  public init(_ options: Options) throws(OptimizationError) {
    try options.check()
    self.options = options
  }

  public var name: String { "ekfac" }

  public mutating func direction(for gradient: ParameterVector, at point: TrainingPoint) throws
    -> ParameterVector
  {
    let chosen = options.blocks ?? Array(point.network.parameters.indices)
    let layout = point.network.layout
    if layers.isEmpty { layers = chosen.map { _ in Layer() } }
    let isBasisDue = options.basisInterval.isDue(
      atStep: point.step, last: lastBasisStep, epoch: point.epoch)
    let isFactorDue =
      isBasisDue
      || options.factorInterval.isDue(atStep: point.step, last: lastFactorStep, epoch: point.epoch)
    if isFactorDue {
      lastFactorStep = point.step
      let samples = point.samples(options.fisher, blocks: chosen)
      operations += OperationCount.samples(
        point.network, examples: samples.exampleCount, columns: samples.columnCount)
      for index in chosen.indices {
        try refresh(
          index, LayerSamples(samples, block: index), gradient.blocks[chosen[index]],
          newBasis: isBasisDue)
      }
    }
    if isBasisDue { lastBasisStep = point.step }
    let λ = options.lambda.value(atEpoch: point.epoch)
    var direction = gradient
    for (index, block) in chosen.enumerated() {
      try makeBasis(index)
      guard let basis = layers[index].basis, let moments = layers[index].secondMoments else {
        preconditionFailure("layer \(layout.blocks[block].name) has no basis at its first step")
      }
      let structure = EigenbasisBlock(
        kind: .ekfac, layout: ParameterLayout(blocks: [layout.blocks[block]]), inputBasis: basis.a,
        outputBasis: basis.g, secondMoments: moments)
      direction.blocks[block] = try structure.damped(.exact, λ)
        .solve(ParameterVector(blocks: [gradient.blocks[block]])).blocks[0]
      operations += 2 * OperationCount.rotation(moments.rowCount, moments.columnCount)
    }
    return direction
  }

  private mutating func refresh(
    _ index: Int, _ samples: LayerSamples, _ gradient: Matrix, newBasis: Bool
  ) throws {
    let fresh = KFACFactors(samples, sharing: options.sharing)
    layers[index].batches += 1
    layers[index].estimate = options.averaging.estimate(
      after: layers[index].estimate, batch: fresh, count: layers[index].batches)
    operations += OperationCount.factors(samples)
    if newBasis {
      layers[index].basisFactors = layers[index].estimate
      layers[index].basis = nil
    }
    try makeBasis(index)
    guard let basis = layers[index].basis else { return }
    if newBasis {
      operations +=
        OperationCount.eigendecomposition(samples.inputSize)
        + OperationCount.eigendecomposition(samples.outputSize)
      if options.restart == .kfac {
        layers[index].secondMoments = basis.start
        return
      }
    }
    let batch: Matrix
    switch options.moments {
    case .perExample:
      batch = samples.secondMoments(inputBasis: basis.a, outputBasis: basis.g)
      operations +=
        2 * Double(samples.layout.count * samples.exampleCount * samples.columnCount)
    case .batchGradient:
      let rotated = basis.g.transposedTimes(gradient) * basis.a
      batch = Double(samples.exampleCount) * rotated.hadamard(rotated)
    }
    guard !newBasis, let old = layers[index].secondMoments else {
      layers[index].secondMoments = batch
      return
    }
    layers[index].secondMoments = options.decay * old + (1 - options.decay) * batch
  }

  private mutating func makeBasis(_ index: Int) throws {
    guard layers[index].basis == nil, let factors = layers[index].basisFactors else { return }
    let (qA, α) = try KroneckerFactor(factors.a).eigendecomposition()
    let (qG, γ) = try KroneckerFactor(factors.g).eigendecomposition()
    let start = Matrix(rowCount: γ.count, columnCount: α.count) { γ[$0] * α[$1] }
    layers[index].basis = (qA, qG, start)
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.number("curvature.operations", &operations)
    try archive.count("curvature.last-factors", &lastFactorStep)
    try archive.count("curvature.last-basis", &lastBasisStep)
    let chosen = options.blocks ?? Array(archive.layout.blocks.indices)
    if archive.isLoading || layers.isEmpty { layers = chosen.map { _ in Layer() } }
    for index in layers.indices {
      let block = archive.layout.blocks[chosen[index]]
      let prefix = "curvature.\(block.name)"
      try archive.count("\(prefix).batches", &layers[index].batches)
      try archive.factors("\(prefix).estimate", &layers[index].estimate, block)
      try archive.factors("\(prefix).basis", &layers[index].basisFactors, block)
      try archive.matrix(
        "\(prefix).second-moments", &layers[index].secondMoments, rows: block.rowCount,
        columns: block.columnCount)
    }
  }
}
