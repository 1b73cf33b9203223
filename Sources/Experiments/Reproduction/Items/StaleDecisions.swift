import Curvature
import DenseAlgebra
import Networks
import Optimization

/// What the trace rule's decisions cost in real training runs: stale steps against fresh ones.
public enum StaleDecisions {
  /// What was decided, or when the run was looked at.
  public enum Occasion: String, CaseIterable, Sendable {
    /// The factors were replaced: what keeping them would have cost.
    case update
    case keep
    case stop
    /// The last step of the run, layers that were still tested.
    case endActive = "end, active"
    /// The last step, layers that had been stopped.
    case endStopped = "end, stopped"
  }

  /// One layer at one decision.
  public struct Observation: Sendable {
    public let occasion: Occasion
    public let layer: Int
    public let step: Int
    /// Δ; nil at the end of a run.
    public let change: Double?
    /// The F-cosine of the stale step with the fresh one in the fresh damped matrix.
    public let cosine: Double
    /// 1 − η stale / η fresh against the exact block; nil for layer 1, whose block is too large.
    public let loss: Double?
    /// The same two for factors of another batch at the same weights.
    public let controlCosine: Double
    public let controlLoss: Double?
  }

  /// The bounds beyond which a stale step counts as worse.
  public static let leastCosine = 0.9
  public static let largestLoss = 0.1

  /// A method, with what its rule looks at and its damping.
  public struct Choice: Hashable, Sendable {
    public let name: String
    public let stopBelow: Double
    public let reading: TraceRule.Reading
    public let lambda: Double
    public let learningRate: Double

    public init(
      _ name: String, stopBelow: Double, reading: TraceRule.Reading, lambda: Double,
      learningRate: Double
    ) {
      self.learningRate = learningRate
      self.name = name
      self.stopBelow = stopBelow
      self.reading = reading
      self.lambda = lambda
    }
  }

  /// How the runs are trained.
  public struct Training: Sendable {
    public var steps = 400
    public var batch = 256
    public var interval = 20
    public var split = 10
    public var momentum = 0.9

    public init() {}
  }

  /// One seeded run, and what it showed.
  public struct Run: Sendable {
    public let choice: Choice
    public let seed: UInt64
    public let observations: [Observation]
    /// The mean loss on 2,000 examples at the end; nil where the run diverged.
    public let loss: Double?
  }

  /// Trains and looks at every decision after the first of each layer, and at the end.
  public static func run(
    _ choice: Choice, _ network: Network, _ data: Dataset, training: Training, seed: UInt64
  ) throws -> Run {
    var options = KroneckerPreconditioner.Options()
    options.lambda = .constant(choice.lambda)
    options.split = training.split
    options.factorInterval = .constant(training.interval)
    options.inverseInterval = .constant(training.interval)
    options.traceRule = try TraceRule(
      updateAbove: 0.01, stopBelow: choice.stopBelow, reading: choice.reading)
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: choice.name),
      DescentRule(
        learningRate: .constant(choice.learningRate), momentum: training.momentum))
    var batches = BatchSequence(count: data.count, batch: training.batch, seed: seed ^ 0xBA7C_4E5)
    var others = BatchSequence(count: data.count, batch: training.batch, seed: seed ^ 0x0DD5)
    var network = network
    var observations: [Observation] = []
    let layerCount = network.parameters.count
    for step in 0..<training.steps {
      let batch = data.subset(batches.next())
      let old = (0..<layerCount).map { optimizer.preconditioner.acceptedFactors(ofLayer: $0) }
      let next: Network
      do {
        next = try optimizer.step(network, batch, StepStudy.likelihood)
      } catch CurvatureError.notPositiveDefinite(_, _, _, let value) where value.isNaN {
        // The outputs overflowed before the weights did.
        return Run(choice: choice, seed: seed, observations: observations, loss: nil)
      }
      let decisions = optimizer.takeDecisions().filter { !$0.change.isNaN }
      guard next.parameters.allSatisfy({ $0.weights.storage.allSatisfy(\.isFinite) }) else {
        return Run(choice: choice, seed: seed, observations: observations, loss: nil)
      }
      if !decisions.isEmpty {
        let moment = Moment(
          network, batch, other: data.subset(others.next()), options: options)
        for decision in decisions {
          guard
            let layer = network.parameters.firstIndex(where: { $0.name == decision.layer }),
            let stale = old[layer]
          else { continue }
          let occasion: Occasion =
            switch decision.outcome {
            case .update: .update
            case .keep: .keep
            case .stop: .stop
            }
          observations.append(
            try moment.observation(occasion, layer, step, decision.change, stale: stale))
        }
      }
      network = next
    }
    let batch = data.subset(batches.next())
    let moment = Moment(network, batch, other: data.subset(others.next()), options: options)
    for layer in 0..<layerCount {
      guard let stale = optimizer.preconditioner.acceptedFactors(ofLayer: layer) else { continue }
      let isStopped = optimizer.preconditioner.traceState(ofLayer: layer).isStopped
      observations.append(
        try moment.observation(
          isStopped ? .endStopped : .endActive, layer, training.steps, nil, stale: stale))
    }
    let loss = Evaluation(
      network, data.subset(Array(0..<min(2000, data.count))), StepStudy.likelihood
    ).loss
    return Run(
      choice: choice, seed: seed, observations: observations, loss: loss.isFinite ? loss : nil)
  }

  /// One point of a run: the gradient, the fresh factors, and those of another batch.
  private struct Moment {
    let gradient: ParameterVector
    let layers: [LayerSamples]
    let others: [LayerSamples]
    let exact: [ExactFisher]
    let options: KroneckerPreconditioner.Options

    init(
      _ network: Network, _ batch: Dataset, other: Dataset,
      options: KroneckerPreconditioner.Options
    ) {
      func samples(_ data: Dataset) -> GradientSamples {
        GradientSamples(network, data, likelihood: StepStudy.likelihood, kind: options.fisher)
      }
      gradient = LossGradient(network, batch, StepStudy.likelihood).gradient
      let own = samples(batch)
      layers = StepStudy.layers(own)
      exact = ExactFisher.blocks(of: own)
      others = StepStudy.layers(samples(other))
      self.options = options
    }

    func observation(
      _ occasion: Occasion, _ layer: Int, _ step: Int, _ change: Double?, stale: KFACFactors
    ) throws -> Observation {
      let λ = options.lambda.value(atEpoch: 0)
      let part = ParameterVector(blocks: [gradient.blocks[layer]])
      let samples = layers[layer]
      func damped(_ factors: KFACFactors) throws -> any DampedStructure {
        try StepStudy.kronecker([factors], samples.layout, split: options.split)
          .damped(options.rule, λ)
      }
      let own = DampedReference(try damped(KFACFactors(samples)), gradient: part)
      // D2 with λ leaves λ² in the directions without curvature: F + λ²I is what it imitates.
      let exact =
        samples.layout.count > 2000
        ? nil
        : DampedReference(
          try self.exact[layer].damped(.exact, λ * λ), gradient: part)
      func judged(_ factors: KFACFactors) throws -> (cosine: Double, loss: Double?) {
        let step = try damped(factors).solve(part)
        let cosine = StepStudy.value(.fisherCosine, in: own.metrics(ofStep: step)) ?? .nan
        guard let exact,
          let η = StepStudy.value(.efficiency, in: exact.metrics(ofStep: step)),
          let fresh = StepStudy.value(.efficiency, in: exact.metrics(ofStep: own.step))
        else { return (cosine, nil) }
        return (cosine, 1 - η / fresh)
      }
      let found = try judged(stale)
      let control = try judged(KFACFactors(others[layer]))
      return Observation(
        occasion: occasion, layer: layer + 1, step: step, change: change, cosine: found.cosine,
        loss: found.loss, controlCosine: control.cosine, controlLoss: control.loss)
    }
  }
}
