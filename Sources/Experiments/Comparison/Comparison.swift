import Curvature
import DenseAlgebra
import Dispatch
import Networks
import Optimization
import Synchronization

/// The comparison of all structures over seeds and iterations of training: the engine of Figure 4.
public struct Comparison: Sendable {
  /// Where a set of measurements was taken.
  public struct Point: Sendable {
    public let seed: UInt64
    public let iteration: Int
    /// The mean loss of the batch.
    public let loss: Double
    public let measurements: [Measurement]
  }

  /// What stands in the columns that say how the network came about.
  public struct Labels: Equatable, Sendable {
    public let network: String
    public let activation: String
    public let initialization: String
    public let optimizer: String
    /// Nil where nothing was trained.
    public let learningRate: Double?
  }

  public let options: ComparisonOptions
  public let dataset: Dataset
  public let likelihood: Likelihood
  public let labels: Labels
  /// In the order of seeds, then of iterations.
  public let points: [Point]
  /// The first seed's analysis at the iteration that Figure 4 shows.
  public let figureAnalysis: CurvatureAnalysis

  /// The iteration whose matrices are drawn: 10 as in the paper, or the last one measured before it.
  public static func figureIteration(_ options: ComparisonOptions) -> Int {
    options.iterations.last { $0 <= 10 } ?? options.iterations[0]
  }

  /// Trains every seed, then measures every wanted state; seeds and states run in parallel.
  ///
  /// Results are placed by index, so the number of threads does not change a bit of them.
  /// `progress` is called with a finished and a total count.
  public init(
    _ options: ComparisonOptions, dataset: Dataset, likelihood: Likelihood,
    progress: @Sendable (String, Int, Int) -> Void
  ) throws {
    try options.requireMemoryOfStates()
    self.options = options
    self.dataset = dataset
    self.likelihood = likelihood
    self.labels = Labels(
      network: options.widths.map(String.init).joined(separator: "-"),
      activation: options.activation.rawValue, initialization: options.initialization.label,
      optimizer: options.training.label, learningRate: options.learningRate)
    let curve = stride(from: 0, through: options.lastIteration, by: options.curveStep)
    let wanted = Set(options.iterations).union(curve).sorted()
    let runs = try Parallel.map(options.seeds.count, "training", progress) { index in
      try TrainingRun(
        seed: options.seeds[index], data: dataset, likelihood: likelihood, options: options,
        iterations: wanted)
    }
    let states = runs.flatMap { run in run.states.map { (seed: run.seed, state: $0) } }
    // The slow states (all metrics) first, so that the cores finish together.
    let order = states.indices.sorted {
      let slow0 = options.iterations.contains(states[$0].state.iteration)
      let slow1 = options.iterations.contains(states[$1].state.iteration)
      return slow0 != slow1 ? slow0 : $0 < $1
    }
    let measured = try Parallel.map(states.count, "measuring", progress) { job in
      let (seed, state) = states[order[job]]
      return try Comparison.measure(
        state, seed: seed, options: options, dataset: dataset, likelihood: likelihood)
    }
    var points = [Point?](repeating: nil, count: states.count)
    for (job, point) in measured.enumerated() { points[order[job]] = point }
    self.points = points.compactMap { $0 }
    let shown = runs[0].states.first { $0.iteration == Comparison.figureIteration(options) }
    let state = shown ?? runs[0].states[0]
    self.figureAnalysis = try CurvatureAnalysis(
      state.network, batch: dataset.subset(state.batch), likelihood: likelihood, options: options,
      kinds: [.exact, .kfac, .ekfac, .kfacSplit].filter(options.structures.contains),
      fullData: nil)
  }

  /// Measures one given network on one given batch, without training.
  ///
  /// The options' layers, structures, λ and Fisher count; seeds, iterations and training do not.
  public init(
    _ options: ComparisonOptions, network: Network, activations: [Activation], dataset: Dataset,
    likelihood: Likelihood
  ) throws {
    var single = options
    single.seeds = [0]
    single.iterations = [0]
    single.batch = dataset.count
    self.options = single
    self.dataset = dataset
    self.likelihood = likelihood
    self.labels = Labels(
      network: ([network.inputShape.count] + network.parameters.map(\.weights.rowCount))
        .map(String.init).joined(separator: "-"),
      activation: activations.map(\.rawValue).joined(separator: ","), initialization: "given",
      optimizer: "none", learningRate: nil)
    let analysis = try CurvatureAnalysis(
      network, batch: dataset, likelihood: likelihood, options: single,
      kinds: single.structures, fullData: nil)
    self.figureAnalysis = analysis
    var measurements = try analysis.matrixMeasurements(wholeNetwork: true)
    measurements += try analysis.samplingMeasurements(seed: 0, movingAverage: nil)
    for lambda in single.lambdas {
      measurements += try analysis.dampedMeasurements(lambda: lambda)
    }
    self.points = [
      Point(seed: 0, iteration: 0, loss: analysis.loss.loss, measurements: measurements)
    ]
  }

  private static func measure(
    _ state: TrainingRun.State, seed: UInt64, options: ComparisonOptions, dataset: Dataset,
    likelihood: Likelihood
  ) throws -> Point {
    let isFull = options.iterations.contains(state.iteration)
    let followed: [StructureKind] = [.blockDiagonal, .kfac, .ekfac, .kfacSplit]
    let analysis = try CurvatureAnalysis(
      state.network, batch: dataset.subset(state.batch), likelihood: likelihood, options: options,
      kinds: isFull ? options.structures : followed.filter(options.structures.contains),
      coupled: isFull, fullData: isFull ? dataset : nil)
    var measurements: [Measurement] = []
    if isFull {
      measurements += try analysis.matrixMeasurements(wholeNetwork: true)
      measurements += try analysis.samplingMeasurements(seed: seed, movingAverage: state.averages)
      for lambda in options.lambdas {
        measurements += try analysis.dampedMeasurements(lambda: lambda)
      }
    } else {
      measurements += try analysis.matrixMeasurements(wholeNetwork: false)
    }
    return Point(
      seed: seed, iteration: state.iteration, loss: analysis.loss.loss, measurements: measurements)
  }
}
