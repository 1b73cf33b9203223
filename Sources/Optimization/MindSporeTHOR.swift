import DenseAlgebra
import Networks

/// MindSpore's `nn.thor`, beside the paper's THOR: what the API page promises, or what the source does.
///
/// Per step: divide by the loss scale, precondition, add η W, clip each tensor to norm 1, then
/// v ← μ v + u and θ ← θ − α v (Nesterov: θ − α(u + μ v)). The decay is therefore not preconditioned.
/// Reference: MindSpore API page of `nn.thor`; the specification, sections 7.8 and 7.11.
public struct MindSporeTHOR: Optimizer {
  public private(set) var preconditioner: MindSporePreconditioner
  private var rule: DescentRule
  private var stepCount = 0
  private var velocity: ParameterVector?
  private var gradientOperations = 0.0

  /// Throws one sentence where an option cannot be used.
  public init(_ options: MindSporeOptions) throws(OptimizationError) {
    preconditioner = try MindSporePreconditioner(options)
    rule = DescentRule(
      learningRate: .constant(options.learningRate[0]), momentum: options.momentum,
      usesNesterov: options.usesNesterov && !options.source.ignoresNesterov,
      clipping: options.clipsGradient ? .eachTensor(norm: 1) : .none)
  }

  public var options: MindSporeOptions { preconditioner.options }
  public var name: String { preconditioner.name }
  public var operations: Double { gradientOperations + preconditioner.operations }

  public mutating func step(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) throws
    -> Network
  {
    try options.check(for: network.layout)
    let gradient = LossGradient(network, batch, likelihood).gradient
    gradientOperations += OperationCount.gradient(network, examples: batch.count)
    var direction = try preconditioner.direction(
      for: gradient,
      at: TrainingPoint(
        network: network, batch: batch, likelihood: likelihood, step: stepCount,
        epoch: rule.epoch(ofStep: stepCount)))
    addDecay(to: &direction, network)
    rule.learningRate = .constant(options.learningRate(atStep: stepCount))
    let next = rule.moved(network, along: direction, step: stepCount, velocity: &velocity)
    stepCount += 1
    return next
  }

  /// u ← u + η W on the parameters that decay; W and b of a block are two parameters.
  private func addDecay(to direction: inout ParameterVector, _ network: Network) {
    guard options.weightDecay > 0 else { return }
    for (index, block) in network.parameters.enumerated() {
      let weightCount = block.outputCount * block.inputCount
      for (kind, range) in [
        ("weight", 0..<weightCount), ("bias", weightCount..<block.weights.storage.count),
      ] where options.decayFilter?.contains("\(block.name).\(kind)") ?? true {
        for entry in range {
          direction.blocks[index].storage[entry] +=
            options.weightDecay * block.weights.storage[entry]
        }
      }
    }
  }

  public mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    try archive.count("optimizer.step", &stepCount)
    try archive.number("optimizer.operations", &gradientOperations)
    if rule.momentum > 0 {
      // A velocity of zero is the start of v ← μ v + u.
      var v = velocity ?? .zero(archive.layout)
      try archive.vector("optimizer.velocity", &v)
      velocity = v
    }
    try preconditioner.exchange(&archive)
  }
}
