import Curvature
import DenseAlgebra
import Networks
import Optimization

/// The states of one seeded training run that a comparison looks at.
public struct TrainingRun: Sendable {
  /// A state before the step of its iteration, with the batch that the step would use.
  public struct State: Sendable {
    public let iteration: Int
    public let network: Network
    /// The examples of the batch, as indices into the data.
    public let batch: [Int]
    /// The moving averages of KFAC's factors over the iterations so far, this one included.
    public let averages: [KFACFactors]
  }

  public let seed: UInt64
  public let states: [State]

  /// Trains from the seed's start to the last wanted iteration and keeps the wanted states.
  ///
  /// Weights and batches have separate streams of the seed. The averages follow Martens and Grosse
  /// (2015): weight min(1 − 1/k, 0.95) on the old value, so the first batch is taken whole.
  public init(
    seed: UInt64, data: Dataset, likelihood: Likelihood, options: ComparisonOptions,
    iterations: [Int]
  ) throws {
    self.seed = seed
    var network = try Network.multilayerPerceptron(
      widths: options.widths, activation: options.activation,
      initialization: options.initialization, seed: seed)
    try options.requireMemoryOfFactors(network)
    var batches = BatchSequence(count: data.count, batch: options.batch, seed: seed ^ 0xBA7C_4E5)
    var optimizer = options.optimizer
    var averages: [KFACFactors] = []
    var states: [State] = []
    let last = iterations.max() ?? 0
    for iteration in 0...last {
      let indices = batches.next()
      let batch = data.subset(indices)
      try TrainingRun.requireFinite(network, batch, likelihood, seed: seed, iteration: iteration)
      let samples = GradientSamples(
        network, batch, likelihood: likelihood, kind: options.fisher, blocks: options.blocks)
      let fresh = samples.blocks.indices.map {
        KFACFactors(LayerSamples(samples, block: $0), sharing: options.sharing)
      }
      let keep = min(1 - 1 / Double(iteration + 1), 0.95)
      averages =
        averages.isEmpty
        ? fresh : zip(averages, fresh).map { $0.averaged(with: $1, keeping: keep) }
      if iterations.contains(iteration) {
        states.append(
          State(iteration: iteration, network: network, batch: indices, averages: averages))
      }
      if iteration < last { network = try optimizer.step(network, batch, likelihood) }
    }
    self.states = states
  }

  /// Throws where the outputs or the loss of the batch are no longer numbers.
  private static func requireFinite(
    _ network: Network, _ batch: Dataset, _ likelihood: Likelihood, seed: UInt64, iteration: Int
  ) throws(TrainingDiverged) {
    let outputs = network.forward(batch.inputs).output
    let isFinite =
      outputs.storage.allSatisfy(\.isFinite)
      && likelihood.losses(outputs, batch.targets).allSatisfy(\.isFinite)
    guard isFinite else { throw TrainingDiverged(seed: seed, iteration: iteration) }
  }
}

/// A training run whose outputs overflowed.
public struct TrainingDiverged: Error, Equatable, Sendable, CustomStringConvertible {
  public let seed: UInt64
  public let iteration: Int

  public var description: String {
    iteration == 0
      ? "the loss of seed \(seed) is not finite at the start; use a smaller start (--init)."
      : "the training with seed \(seed) diverged: its loss at iteration \(iteration) is not finite; "
        + "use a smaller --learning-rate or a larger --training-damping."
  }
}

extension ComparisonOptions {
  /// The optimizer of the training option.
  public var optimizer: any Optimizer {
    switch training {
    case .sgd: GradientDescent(learningRate: learningRate)
    case .kfac:
      NaturalGradientDescent(
        learningRate: learningRate, structure: .kfac, options: structureOptions, rule: .factor,
        lambda: trainingLambda, fisher: fisher, blocks: blocks)
    }
  }
}
