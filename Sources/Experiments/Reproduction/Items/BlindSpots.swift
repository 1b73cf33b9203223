import Curvature
import DenseAlgebra
import Networks
import Optimization

/// Where THOR's measures cannot see, and how often that costs a step.
public enum BlindSpots {
  static let item = ReproductionItem(
    "blind-spots",
    "cases that Eqs. 8 and 11 cannot see, and how often they cost a step in real runs",
    isOfPaper: false, run: run)

  /// The split's errors over the orders of the hidden units, in one state.
  struct Orders: Sendable {
    let iteration: Int
    let lambda: Double
    /// The first is the order as trained.
    let points: [HiddenUnitOrder.Point]
  }

  /// One factor of a trained network: Eq. 11 beside the inverse.
  struct RealLoss: Sendable {
    let iteration: Int
    let layer: Int
    let factor: String
    let loss: ConstructedBlindSpots.Loss
  }

  /// All that was measured.
  struct Findings: Sendable {
    var rotations: [ConstructedBlindSpots.Rotation] = []
    var blindLosses: [(coupling: Double, loss: ConstructedBlindSpots.Loss)] = []
    var drifts: [ConstructedBlindSpots.Drift] = []
    var realLosses: [RealLoss] = []
    var orders: [Orders] = []
    var courses: [TraceSweep.Course] = []
    var runs: [StaleDecisions.Run] = []
    /// The λ of the split's inverse in the tables of factors.
    let shift = 0.03
    /// The λ of the sweep of Δ.
    let sweep = [0, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1]
  }

  private static func run(_ context: ReproductionContext) throws -> ReproductionResult {
    let data = context.data.training
    let examples = data.training
    var findings = Findings()
    findings.rotations = try [15, 45, 90].map {
      try ConstructedBlindSpots.rotation(degrees: $0, lambda: 1e-3, draws: 200, seed: 1)
    }
    findings.blindLosses = try [0.5, 0.9, 0.99].map {
      (
        $0,
        try ConstructedBlindSpots.loss(
          ConstructedBlindSpots.blindFactor(half: 10, top: 100, coupling: $0), split: 10, shift: 0)
      )
    }
    findings.drifts = try [0.002, 0.004, 0.008, 0.012].flatMap { rate in
      try TraceRule.Reference.allCases.map {
        try ConstructedBlindSpots.drift(rate: rate, tests: 20, reference: $0)
      }
    }
    let iterations = context.isQuick ? [0, 10] : [0, 10, 50, 200]
    let orderCount = context.isQuick ? 20 : 200
    let states = try Parallel.map(context.seeds.count, "blind-spots, states", context.progress) {
      try StepStudy.states(data, seed: context.seeds[$0], iterations: iterations)
    }.flatMap { $0 }
    findings.realLosses = try states.flatMap { try realLosses($0, shift: findings.shift) }
    let jobs = states.flatMap { state in [0.03, 0.3].map { (state, $0) } }
    findings.orders = try Parallel.map(jobs.count, "blind-spots, orders", context.progress) {
      let (state, λ) = jobs[$0]
      return Orders(
        iteration: state.iteration, lambda: λ,
        points: try HiddenUnitOrder.measure(
          state.network, state.batch, StepStudy.likelihood, split: 10, rule: .factor, lambda: λ,
          orders: orderCount, seed: state.seed &* 31 &+ UInt64(state.iteration)))
    }
    let training = training(context.isQuick, examples: examples.count)
    @Sendable func start(_ seed: UInt64) throws -> Network {
      try Network.multilayerPerceptron(
        widths: StepStudy.widths(data), activation: .relu, initialization: .he, seed: seed)
    }
    findings.courses = try Parallel.map(
      context.seeds.count, "blind-spots, traces", context.progress
    ) {
      let seed = context.seeds[$0]
      return try TraceSweep.course(
        start(seed), examples, training: training, lambda: 0.3, seed: seed)
    }
    let runs = choices(context.isQuick).flatMap { choice in
      context.seeds.map { (choice, $0) }
    }
    findings.runs = try Parallel.map(runs.count, "blind-spots, runs", context.progress) {
      let (choice, seed) = runs[$0]
      return try StaleDecisions.run(
        choice, try start(seed), examples, training: training, seed: seed)
    }
    let summary = BlindSpotSummary(
      findings: findings, choices: choices(context.isQuick), network: StepStudy.label(data))
    return ReproductionResult(
      setting: StepStudy.setting(context)
        + " These states are used for the order of the hidden units and for Eq. 11. The runs of the "
        + "trace rule train the same network with THOR instead: split 10, a test every "
        + "\(training.interval) of \(training.steps) steps, momentum \(training.momentum), factors of the "
        + "last batch. Their rates, 0.01, 0.003 and 0.001 at λ = 0.3, 0.1 and 0.03, were the best of "
        + "three tried each without a trace rule.",
      claims: summary.claims, tables: summary.tables, figures: summary.figures,
      remarks: [
        "In the runs a stale step is compared with a fresh one of the same structure (split, λ on each "
          + "factor) for the same gradient, layer by layer. Two bounds: F-cosine below "
          + "\(StaleDecisions.leastCosine) in the fresh damped matrix, and more than "
          + "\(NumberFormat.percent(StaleDecisions.largestLoss)) of η lost against the exact block "
          + "F + λ²I (layers 2–4). λ² because (A + λI) ⊗ (G + λI) leaves λ² where there is no curvature.",
        "The columns `other_batch` say how often fresh factors of another batch of the same size would "
          + "have broken the same bound: that much is sampling, not age.",
      ])
  }

  static func training(_ isQuick: Bool, examples: Int) -> StaleDecisions.Training {
    var training = StaleDecisions.Training()
    training.batch = min(training.batch, examples)
    if isQuick { training.steps = 120 }
    return training
  }

  static func choices(_ isQuick: Bool) -> [StaleDecisions.Choice] {
    let readings: [TraceRule.Reading] =
      isQuick ? [.product] : [.product, .dampedFactors, .undamped]
    let rates = isQuick ? [(0.3, 0.01)] : [(0.3, 0.01), (0.1, 0.003), (0.03, 0.001)]
    return [("thor", 0.0), ("thor-stop", 0.001)].flatMap { name, ω2 in
      readings.flatMap { reading in
        rates.map {
          .init(name, stopBelow: ω2, reading: reading, lambda: $0.0, learningRate: $0.1)
        }
      }
    }
  }

  private static func realLosses(_ state: TailState, shift: Double) throws -> [RealLoss] {
    let samples = GradientSamples(
      state.network, state.batch, likelihood: StepStudy.likelihood, kind: .exact)
    return try StepStudy.layers(samples).enumerated().flatMap { index, layer in
      let factors = KFACFactors(layer)
      // A factor that is no larger than a block is not split.
      let split = [("A", factors.a), ("G", factors.g)].filter { $0.1.rowCount > 10 }
      return try split.map { name, factor in
        RealLoss(
          iteration: state.iteration, layer: index + 2, factor: name,
          loss: try ConstructedBlindSpots.loss(factor, split: 10, shift: shift))
      }
    }
  }
}
