import DenseAlgebra
import Networks

/// A seeded training run, one step at a time, that can be put down and taken up again.
///
/// Weights and batches have separate streams of the seed. The state after k steps is a function of
/// the seed, the optimizer and the data, whether or not the run was interrupted.
public struct TrainingLoop: Sendable {
  public private(set) var network: Network
  public private(set) var optimizer: any Optimizer
  /// The number of steps taken.
  public private(set) var stepCount = 0
  /// The examples of which the batches are made.
  public let data: Dataset
  public let likelihood: Likelihood
  public let seed: UInt64
  private let batchSize: Int
  private var batches: BatchSequence

  /// A run at its start.
  public init(
    network: Network, optimizer: any Optimizer, data: Dataset, likelihood: Likelihood, batch: Int,
    seed: UInt64
  ) {
    self.network = network
    self.optimizer = optimizer
    self.data = data
    self.likelihood = likelihood
    self.seed = seed
    self.batchSize = batch
    self.batches = TrainingLoop.batches(data, batch, seed)
  }

  private static func batches(_ data: Dataset, _ size: Int, _ seed: UInt64) -> BatchSequence {
    BatchSequence(count: data.count, batch: size, seed: seed ^ 0xBA7C_4E5)
  }

  /// Takes one step; throws `DivergedTraining` where the new parameters are not finite, or where the
  /// optimizer could not use curvature that had overflowed.
  public mutating func advance() throws {
    let batch = data.subset(batches.next())
    let next: Network
    do {
      next = try optimizer.step(network, batch, likelihood)
    } catch {
      throw isOverflowing(on: batch) ? DivergedTraining(seed: seed, step: stepCount) : error
    }
    guard next.parameters.allSatisfy({ $0.weights.storage.allSatisfy(\.isFinite) }) else {
      throw DivergedTraining(seed: seed, step: stepCount)
    }
    network = next
    stepCount += 1
  }

  /// Whether the outputs, the gradient or the second moments of a batch are no longer finite.
  private func isOverflowing(on batch: Dataset) -> Bool {
    let samples = GradientSamples(network, batch, likelihood: likelihood, kind: .exact)
    let sizes = samples.blocks.flatMap(\.uses).flatMap { use in
      ([use.inputs] + use.gradients).map { $0.dot($0) }
    }
    return !(LossGradient(network, batch, likelihood).gradient.norm + sizes.reduce(0, +)).isFinite
  }

  /// The mean loss and, for labels, the share of right answers on a data set, in pieces that fit memory.
  public func evaluation(on data: Dataset) -> Evaluation {
    Evaluation(network, data, likelihood)
  }

  /// The decisions of the optimizer since the last call.
  public mutating func takeDecisions() -> [RefreshDecision] { optimizer.takeDecisions() }

  /// The whole state as named arrays.
  public func checkpoint() throws(OptimizationError) -> [String: Matrix] {
    var copy = self
    var archive = Archive(savingFor: network.layout)
    try copy.exchange(&archive)
    return archive.arrays
  }

  /// Takes up a checkpoint of a run with the same network, optimizer, data and seed.
  public mutating func resume(from arrays: [String: Matrix]) throws(OptimizationError) {
    var copy = self
    var archive = Archive(loading: arrays, for: network.layout)
    try copy.exchange(&archive)
    try archive.finish()
    // The order of the batches is a function of the seed: drawn again up to the step.
    copy.batches = TrainingLoop.batches(data, batchSize, seed)
    for _ in 0..<copy.stepCount { _ = copy.batches.next() }
    self = copy
  }

  private mutating func exchange(_ archive: inout Archive) throws(OptimizationError) {
    var weights = network.parameterVector
    try archive.vector("weights", &weights)
    for index in network.parameters.indices {
      network.parameters[index].weights = weights.blocks[index]
    }
    try archive.count("step", &stepCount)
    try optimizer.exchange(&archive)
  }
}

/// How well a network does on a data set.
public struct Evaluation: Equatable, Sendable {
  /// The mean of −log p(y | x).
  public let loss: Double
  /// The share of examples whose largest output is their label; nil where targets are not labels.
  public let accuracy: Double?

  public init(loss: Double, accuracy: Double?) {
    self.loss = loss
    self.accuracy = accuracy
  }

  /// Evaluates in pieces of 2,000 examples.
  public init(_ network: Network, _ data: Dataset, _ likelihood: Likelihood) {
    precondition(data.count > 0, "the evaluation of a network on no examples")
    var total = 0.0
    var right = 0
    for start in stride(from: 0, to: data.count, by: 2000) {
      let part = data.subset(Array(start..<min(start + 2000, data.count)))
      let outputs = network.forward(part.inputs).output
      total += likelihood.losses(outputs, part.targets).reduce(0, +)
      guard case .labels(let labels) = part.targets else { continue }
      for (n, label) in labels.enumerated() {
        let column = (0..<outputs.rowCount).map { outputs[$0, n] }
        // The first of equal maxima, so that a network without an opinion scores as class 0.
        if column.firstIndex(of: column.max() ?? 0) == label { right += 1 }
      }
    }
    loss = total / Double(data.count)
    if case .labels = data.targets {
      accuracy = Double(right) / Double(data.count)
    } else {
      accuracy = nil
    }
  }
}

/// A training run whose parameters or outputs overflowed.
public struct DivergedTraining: Error, Equatable, Sendable, CustomStringConvertible {
  public let seed: UInt64
  /// The step that made them so.
  public let step: Int

  public init(seed: UInt64, step: Int) {
    self.seed = seed
    self.step = step
  }

  public var description: String {
    "the training with seed \(seed) diverged at step \(step): its parameters are no longer finite; "
      + "use a smaller learning rate or a larger damping."
  }
}
