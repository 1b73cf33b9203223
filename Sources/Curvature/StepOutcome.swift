import DenseAlgebra
import Networks

/// What a step does to the loss and to the predictive distribution on a batch.
public struct StepOutcome: Sendable {
  /// h(θ) − h(θ − α û), means over the batch.
  public let decrease: Double
  /// The mean of KL(p_θ ‖ p_θ₋αû) over the batch.
  public let divergence: Double

  /// Takes the step and evaluates the batch once.
  ///
  /// `blocks` says which parameter blocks the step moves, in order. `outputs` are the network's
  /// outputs on the batch before the step and `loss` its mean loss there.
  public init(
    _ network: Network, _ data: Dataset, _ likelihood: Likelihood, outputs: Matrix, loss: Double,
    step: ParameterVector, blocks: [Int], length: Double
  ) {
    precondition(
      step.blocks.count == blocks.count, "\(step.blocks.count) blocks for \(blocks.count)")
    var moved = network
    for (index, block) in zip(blocks, step.blocks) {
      moved.parameters[index].weights.add(-length, times: block)
    }
    let after = moved.forward(data.inputs).output
    let count = Double(data.count)
    decrease = loss - likelihood.losses(after, data.targets).reduce(0, +) / count
    divergence = likelihood.divergence(from: outputs, to: after).reduce(0, +) / count
  }
}
