import DenseAlgebra

/// The mean loss of a batch and its gradient.
///
/// h = (1/N) Σₙ −log p(yₙ | xₙ) and ∇h per parameter block, V = (1/N) Σ g āᵀ over examples, uses and
/// positions (spec 1.1). One forward and one backward pass.
public struct LossGradient: Sendable {
  /// h, the mean of `losses`.
  public let loss: Double
  /// −log p of every example (the Gaussian without its constant).
  public let losses: [Double]
  /// ∇h, one dG × dA matrix per parameter block.
  public let gradient: ParameterVector

  /// Computes the loss and its gradient; the data set must have examples and fit the network.
  public init(_ network: Network, _ data: Dataset, _ likelihood: Likelihood) {
    precondition(data.count > 0, "the mean loss of no examples")
    let tape = network.forward(data.inputs)
    let losses = likelihood.losses(tape.output, data.targets)
    let pulled = network.pullback(likelihood.gradient(tape.output, data.targets), through: tape)
    var gradient = ParameterVector.zero(network.layout)
    for (use, g) in zip(tape.uses, pulled) {
      gradient.blocks[use.block].add(
        1 / Double(data.count), times: g.timesTransposed(use.inputs))
    }
    self.losses = losses
    self.loss = losses.reduce(0, +) / Double(data.count)
    self.gradient = gradient
  }
}
