import Curvature
import DenseAlgebra
import Networks

/// KFAC and THOR: Kronecker factors that are refreshed, tested, split and inverted by a schedule.
///
/// U = G_λ⁻¹ V A_λ⁻¹ per layer, with the cached inverse and the current gradient. KFAC has moving
/// averages and fixed intervals; THOR has fresh factors, growing intervals, a trace rule and a split.
/// Reference: THOR paper, Algorithm 1; the specification, sections 4.3 to 4.6 and 7.1.
public struct KroneckerPreconditioner: Preconditioner {
  /// The parts of the method.
  public struct Options: Equatable, Sendable {
    public var fisher = FisherKind.exact
    public var sharing = WeightSharing.expand
    public var averaging = FactorAverage.fresh
    public var rule = DampingRule.factor
    public var lambda = Schedule.constant(0.3)
    /// Whether the inverse is made anew at every step with that step's λ.
    public var redamps = false
    /// The block size of Eq. 10 for both factors; nil does not split.
    public var split: Int?
    /// T_FIM.
    public var factorInterval = IntervalSchedule.constant(1)
    /// T_INV.
    public var inverseInterval = IntervalSchedule.constant(1)
    /// Eq. 8 and 9; nil accepts the factors at every inverse interval.
    public var traceRule: TraceRule?
    /// The parameter blocks that are preconditioned; nil means all.
    public var blocks: [Int]?

    public init() {}

    /// Throws one sentence where parts do not fit together.
    public func check() throws(OptimizationError) {
      try averaging.check()
      try lambda.check("the damping")
      try factorInterval.check("T_FIM")
      try inverseInterval.check("T_INV")
      if traceRule != nil {
        try IntervalSchedule.check(factors: factorInterval, inverses: inverseInterval)
      }
      if let split, split < 1 {
        throw OptimizationError(
          "the split size is \(split); at least 1 was expected: give a larger one, or do not split."
        )
      }
    }
  }

  /// One layer's memory.
  struct Layer: Sendable {
    /// The running estimate of the factors.
    var estimate: KFACFactors?
    /// How many batches the estimate has seen.
    var batches = 0
    /// The traces of the estimate.
    var traces: LayerTraces?
    /// The factors that the inverse is of, and the λ it was made with.
    var accepted: KFACFactors?
    var acceptedLambda = 0.0
    var trace = TraceState()
    /// Made from `accepted`; not kept in checkpoints, since the same factors give the same bits.
    var inverse: (any DampedStructure)?
  }

  public let options: Options
  public let name: String
  public private(set) var operations = 0.0
  private var layers: [Layer] = []
  private var lastFactorStep: Int?
  private var lastInverseStep: Int?
  private var decisions: [RefreshDecision] = []

  /// Throws one sentence where the options do not fit together.
  public init(_ options: Options, name: String) throws(OptimizationError) {
    try options.check()
    self.options = options
    self.name = name
  }

  public mutating func direction(for gradient: ParameterVector, at point: TrainingPoint) throws
    -> ParameterVector
  {
    let chosen = options.blocks ?? Array(point.network.parameters.indices)
    let layout = point.network.layout
    if layers.isEmpty { layers = chosen.map { _ in Layer() } }
    let λ = options.lambda.value(atEpoch: point.epoch)
    if options.factorInterval.isDue(
      atStep: point.step, last: lastFactorStep, epoch: point.epoch)
    {
      refreshFactors(chosen, point)
      lastFactorStep = point.step
    }
    let isTest = options.inverseInterval.isDue(
      atStep: point.step, last: lastInverseStep, epoch: point.epoch)
    if isTest { lastInverseStep = point.step }
    var direction = gradient
    for (index, block) in chosen.enumerated() {
      let part = ParameterLayout(blocks: [layout.blocks[block]])
      if isTest { test(index, part.blocks[0].name, point.step, λ) }
      try invert(index, part, λ)
      guard let inverse = layers[index].inverse, let factors = layers[index].accepted else {
        preconditionFailure("layer \(part.blocks[0].name) has no inverse after its first test")
      }
      direction.blocks[block] =
        inverse.solve(ParameterVector(blocks: [gradient.blocks[block]])).blocks[0]
      operations += OperationCount.solve(
        a: factor(factors.a), g: factor(factors.g))
    }
    return direction
  }

  /// Algorithm 1, line 3: A and G of this batch into the estimates of the layers that still move.
  private mutating func refreshFactors(_ chosen: [Int], _ point: TrainingPoint) {
    let moving = chosen.indices.filter { !layers[$0].trace.isStopped }
    if moving.isEmpty { return }
    let samples = point.samples(options.fisher, blocks: moving.map { chosen[$0] })
    operations += OperationCount.samples(
      point.network, examples: samples.exampleCount, columns: samples.columnCount)
    for (place, index) in moving.enumerated() {
      let layer = LayerSamples(samples, block: place)
      let fresh = KFACFactors(layer, sharing: options.sharing)
      operations += OperationCount.factors(layer)
      layers[index].batches += 1
      let estimate = options.averaging.estimate(
        after: layers[index].estimate, batch: fresh, count: layers[index].batches)
      layers[index].estimate = estimate
      layers[index].traces = LayerTraces(
        estimate, block: options.traceRule?.reading == .exactBlock ? layer : nil)
    }
  }

  /// Lines 4 and 5: whether the new factors are accepted.
  private mutating func test(_ index: Int, _ name: String, _ step: Int, _ λ: Double) {
    guard let traces = layers[index].traces, let estimate = layers[index].estimate else { return }
    if let rule = options.traceRule {
      guard let result = layers[index].trace.test(traces, rule, lambda: λ) else { return }
      decisions.append(
        RefreshDecision(
          step: step, layer: name, change: result.change, outcome: result.outcome,
          reason: result.reason))
      guard result.outcome == .update else { return }
    }
    layers[index].accepted = estimate
    discardInverse(index, λ)
  }

  /// The next inverse is of the accepted factors with this λ. It is counted here, not where it is
  /// made, since a resumed run makes it once more.
  private mutating func discardInverse(_ index: Int, _ λ: Double) {
    layers[index].acceptedLambda = λ
    layers[index].inverse = nil
    guard let factors = layers[index].accepted else { return }
    operations +=
      OperationCount.cholesky(factor(factors.a)) + OperationCount.cholesky(factor(factors.g))
  }

  /// Line 6: split by Eq. 10 and invert, if there is no inverse of the accepted factors yet.
  private mutating func invert(_ index: Int, _ layout: ParameterLayout, _ λ: Double) throws {
    if options.redamps && layers[index].acceptedLambda != λ { discardInverse(index, λ) }
    guard layers[index].inverse == nil, let factors = layers[index].accepted else { return }
    let block = KroneckerBlock(
      kind: options.split == nil ? .kfac : .kfacSplit, layout: layout, a: factor(factors.a),
      g: factor(factors.g))
    layers[index].inverse = try block.damped(options.rule, layers[index].acceptedLambda)
  }

  private func factor(_ matrix: Matrix) -> KroneckerFactor {
    options.split.map { KroneckerFactor(matrix, blockSize: $0) } ?? KroneckerFactor(matrix)
  }

  public mutating func takeDecisions() -> [RefreshDecision] {
    defer { decisions = [] }
    return decisions
  }

  /// The factors that a layer's inverse is of, by the layer's place among the chosen ones.
  public func acceptedFactors(ofLayer index: Int) -> KFACFactors? {
    layers.indices.contains(index) ? layers[index].accepted : nil
  }

  /// The newest estimate of a layer's factors, accepted or not.
  public func newestFactors(ofLayer index: Int) -> KFACFactors? {
    layers.indices.contains(index) ? layers[index].estimate : nil
  }

  /// The state of a layer's trace rule.
  public func traceState(ofLayer index: Int) -> TraceState {
    layers.indices.contains(index) ? layers[index].trace : TraceState()
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.number("curvature.operations", &operations)
    try archive.count("curvature.last-factors", &lastFactorStep)
    try archive.count("curvature.last-inverses", &lastInverseStep)
    let chosen = options.blocks ?? Array(archive.layout.blocks.indices)
    if archive.isLoading || layers.isEmpty { layers = chosen.map { _ in Layer() } }
    for index in layers.indices {
      try layers[index].exchange(&archive, archive.layout.blocks[chosen[index]])
    }
  }
}

extension KroneckerPreconditioner.Layer {
  mutating func exchange(_ archive: inout Archive, _ block: ParameterLayout.Block)
    throws(OptimizationError)
  {
    let prefix = "curvature.\(block.name)"
    try archive.count("\(prefix).batches", &batches)
    try archive.factors("\(prefix).estimate", &estimate, block)
    try archive.factors("\(prefix).accepted", &accepted, block)
    try archive.number("\(prefix).lambda", &acceptedLambda)
    try archive.traces("\(prefix).traces", &traces, block)
    try archive.traces("\(prefix).reference", &trace.reference, block)
    var stopped = trace.isStopped ? 1 : 0
    try archive.count("\(prefix).stopped", &stopped)
    trace.isStopped = stopped == 1
    if archive.isLoading { inverse = nil }
  }
}

extension Archive {
  /// Exchanges the two factors of a layer, which may be missing.
  mutating func factors(
    _ name: String, _ value: inout KFACFactors?, _ block: ParameterLayout.Block
  ) throws(OptimizationError) {
    var a = value?.a
    var g = value?.g
    try matrix("\(name).A", &a, rows: block.columnCount, columns: block.columnCount)
    try matrix("\(name).G", &g, rows: block.rowCount, columns: block.rowCount)
    guard isLoading else { return }
    guard a != nil || g != nil else {
      value = nil
      return
    }
    // One of them alone is a damaged file: asking for both names the missing one.
    var both = KFACFactors(
      a: Matrix(rowCount: block.columnCount, columnCount: block.columnCount),
      g: Matrix(rowCount: block.rowCount, columnCount: block.rowCount))
    try factors(name, &both)
    value = both
  }

  private mutating func factors(_ name: String, _ value: inout KFACFactors)
    throws(OptimizationError)
  {
    var (a, g) = (value.a, value.g)
    try matrix("\(name).A", &a)
    try matrix("\(name).G", &g)
    value = KFACFactors(a: a, g: g)
  }

  /// Exchanges traces, which may be missing: tr A, tr G, tr F (−1 where it was not computed).
  mutating func traces(
    _ name: String, _ value: inout LayerTraces?, _ block: ParameterLayout.Block
  ) throws(OptimizationError) {
    var row: Matrix? = value.map {
      Matrix(rows: [[$0.a, $0.g, $0.block.isNaN ? -1 : $0.block]])
    }
    try matrix(name, &row, rows: 1, columns: 3)
    guard isLoading else { return }
    value = row.map {
      LayerTraces(
        a: $0[0, 0], g: $0[0, 1], block: $0[0, 2] < 0 ? .nan : $0[0, 2],
        sizeA: block.columnCount, sizeG: block.rowCount)
    }
  }
}
