import DenseAlgebra
import Networks
import Optimization

/// Training runs of several methods and seeds on one network and data set.
public struct TrainingExperiment: Sendable {
  /// A method with its numbers, under the name that tables give it.
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let method: OptimizerMethod
    public let settings: OptimizerSettings

    public init(_ method: OptimizerMethod, _ settings: OptimizerSettings, name: String? = nil) {
      self.name = name ?? method.rawValue
      self.method = method
      self.settings = settings
    }
  }

  public struct Options: Equatable, Sendable {
    public var widths = [784, 20, 20, 20, 10]
    public var activation = Activation.relu
    public var initialization = Initialization.he
    public var batch = 128
    public var steps = 1000
    /// The steps between two evaluations; step 0 and the last one are evaluated too.
    public var evaluateEvery = 100
    public var seeds: [UInt64] = [1, 2, 3, 4, 5]
    /// The test accuracies whose first reaching is reported.
    public var levels = [0.8, 0.85, 0.87]
    /// At most this many training examples are evaluated, the first ones.
    public var evaluatedTraining = 10_000
    /// Whether a run whose curvature cannot be factored ends by itself, as a diverged one does;
    /// otherwise its error ends the experiment.
    public var endsFailedRuns = false

    public init() {}

    public func stepsPerEpoch(_ data: TrainingData) -> Int { max(1, data.training.count / batch) }

    /// What an optimizer must know of a run.
    public func length(_ data: TrainingData) -> RunLength {
      RunLength(stepsPerEpoch: stepsPerEpoch(data), steps: steps, batch: batch)
    }
  }

  /// One evaluation.
  public struct Point: Equatable, Sendable {
    public let step: Int
    public let epoch: Double
    public let trainingLoss: Double
    public let testLoss: Double
    public let testAccuracy: Double
    /// The optimizer's operations so far, by formula.
    public let operations: Double
    /// Seconds of all steps so far, evaluations not counted.
    public let seconds: Double

    public init(
      step: Int, epoch: Double, trainingLoss: Double, testLoss: Double, testAccuracy: Double,
      operations: Double, seconds: Double
    ) {
      self.step = step
      self.epoch = epoch
      self.trainingLoss = trainingLoss
      self.testLoss = testLoss
      self.testAccuracy = testAccuracy
      self.operations = operations
      self.seconds = seconds
    }
  }

  /// One seeded run of one method.
  public struct Run: Sendable {
    public let name: String
    public let seed: UInt64
    public internal(set) var points: [Point] = []
    public internal(set) var decisions: [RefreshDecision] = []
    /// Why the run ended early; nil where it did not.
    public internal(set) var divergence: String?
    public internal(set) var network: Network

    public init(
      name: String, seed: UInt64, network: Network, points: [Point] = [],
      decisions: [RefreshDecision] = [], divergence: String? = nil
    ) {
      self.name = name
      self.seed = seed
      self.network = network
      self.points = points
      self.decisions = decisions
      self.divergence = divergence
    }

    /// The largest test accuracy of all evaluations.
    public var bestAccuracy: Double { points.map(\.testAccuracy).max() ?? 0 }

    /// The first evaluation that reaches a test accuracy.
    public func reaching(_ level: Double) -> Point? { points.first { $0.testAccuracy >= level } }
  }

  public let entries: [Entry]
  public let options: Options
  public let data: TrainingData
  /// Method by method, and within a method seed by seed.
  public let runs: [Run]

  /// Runs that were trained before.
  public init(entries: [Entry], options: Options, data: TrainingData, runs: [Run]) {
    self.entries = entries
    self.options = options
    self.data = data
    self.runs = runs
  }

  /// Trains every entry from every seed, two and more at a time; a diverging run ends by itself.
  ///
  /// With a folder of checkpoints, an interrupted run goes on where it was last put down.
  public init(
    _ entries: [Entry], options: Options, data: TrainingData, checkpoints: CheckpointFolder? = nil,
    progress: @Sendable (String, Int, Int) -> Void
  ) throws {
    self.entries = entries
    self.options = options
    self.data = data
    // Numbers that cannot be used are refused before anything is trained.
    for entry in entries {
      _ = try entry.settings.optimizer(entry.method, options.length(data))
    }
    let jobs = entries.flatMap { entry in options.seeds.map { (entry, $0) } }
    let what = "training runs"
    self.runs = try Parallel.map(jobs.count, what, progress) { index in
      let (entry, seed) = jobs[index]
      return try TrainingExperiment.train(entry, seed, options, data, checkpoints) {
        step, loss, accuracy in
        // One job at a time shows how training goes; several would only overwrite each other.
        guard jobs.count == 1 else { return }
        progress(
          "\(entry.name) loss \(NumberText.short(loss)), accuracy "
            + "\(NumberText.short(100 * accuracy)) %, step", step, options.steps)
      }
    }
  }

  private static func train(
    _ entry: Entry, _ seed: UInt64, _ options: Options, _ data: TrainingData,
    _ checkpoints: CheckpointFolder?, _ show: (Int, Double, Double) -> Void
  ) throws -> Run {
    let network = try Network.multilayerPerceptron(
      widths: options.widths, activation: options.activation,
      initialization: options.initialization, seed: seed)
    let stepsPerEpoch = options.stepsPerEpoch(data)
    var loop = TrainingLoop(
      network: network,
      optimizer: try entry.settings.optimizer(entry.method, options.length(data)),
      data: data.training, likelihood: .categorical, batch: options.batch, seed: seed)
    let evaluated = data.training.subset(
      Array(0..<min(options.evaluatedTraining, data.training.count)))
    var run = Run(name: entry.name, seed: seed, network: network)
    var elapsed = Duration.zero
    if let saved = try checkpoints?.load(entry.name, seed, network.layout) {
      try loop.resume(from: saved.arrays)
      run.points = saved.points
      run.decisions = saved.decisions
      elapsed = .seconds(saved.points.last?.seconds ?? 0)
    }
    var lastSave = ContinuousClock.now
    func evaluate() -> Bool {
      let training = loop.evaluation(on: evaluated)
      let test = loop.evaluation(on: data.test)
      run.points.append(
        Point(
          step: loop.stepCount, epoch: Double(loop.stepCount) / Double(stepsPerEpoch),
          trainingLoss: training.loss, testLoss: test.loss, testAccuracy: test.accuracy ?? 0,
          operations: loop.optimizer.operations, seconds: elapsed / .seconds(1)))
      show(loop.stepCount, training.loss, test.accuracy ?? 0)
      return training.loss.isFinite && test.loss.isFinite
    }
    if run.points.isEmpty { _ = evaluate() }
    while loop.stepCount < options.steps {
      let start = ContinuousClock.now
      do {
        try loop.advance()
      } catch let diverged as DivergedTraining {
        run.divergence = "\(entry.name): \(diverged)"
        return run
      } catch let failed where options.endsFailedRuns {
        run.divergence = "\(entry.name): step \(loop.stepCount): \(failed)"
        return run
      }
      elapsed += ContinuousClock.now - start
      run.decisions += loop.takeDecisions()
      run.network = loop.network
      guard loop.stepCount % options.evaluateEvery == 0 || loop.stepCount == options.steps else {
        continue
      }
      guard evaluate() else {
        run.divergence =
          "\(entry.name): \(DivergedTraining(seed: seed, step: loop.stepCount - 1))"
        return run
      }
      if let checkpoints, ContinuousClock.now - lastSave > checkpoints.pause {
        try checkpoints.save(entry.name, loop, run)
        lastSave = ContinuousClock.now
      }
    }
    return run
  }
}
