import Curvature
import DenseAlgebra
import Experiments
import Foundation
import Networks
import Optimization

/// The runs of chapter 12: eight methods on the digits, each tuned on as many runs as any other.
struct FairRaceMeasurement {
  static let methods: [OptimizerMethod] = [
    .momentum, .naturalGradient, .kfac, .ekfac, .cgKFAC, .thor, .thorStop, .thorNT,
  ]
  static let widths = [64, 20, 20, 20, 10]
  static let batch = 64
  static let epochs = 4
  static let seeds: [UInt64] = [1, 2, 3, 4, 5]
  static let tuningSeed: UInt64 = 101
  /// The damping laboratory repeats the race with these seeds.
  static let dampingSeeds: [UInt64] = [1, 2, 3]
  static let multiples = [0.1, 1.0, 10.0]
  static let levels = [0.85, 0.9, 0.93]
  /// The steps between two evaluations.
  static let evaluation = 4
  /// T_FIM and T_INV, and the first interval of THOR's growing schedule.
  static let interval = 5
  static let longestInterval = 40
  static let momentum = 0.9
  /// The rate of the comparison at one rate for all.
  static let sharedRate = 0.03
  /// The α and λ of THOR's Equation 13 in the first 30 epochs.
  static let printedRate = 0.1
  static let printedDamping = 0.3
  /// The loss of a network that finds all ten classes equally likely: a run above it has failed.
  static let failure = log(10.0)

  static var grid: TunedTraining.Grid {
    var grid = TunedTraining.Grid()
    grid.rates = [0.01, 0.03, 0.1]
    grid.dampings = [0.03, 0.1, 0.3, 1]
    grid.firstOrderRates = [0.03, 0.1, 0.3]
    grid.momenta = [0, 0.5, 0.9, 0.95]
    return grid
  }

  /// One run of the damping laboratory.
  struct Damped {
    let method: OptimizerMethod
    let multiple: Double
    let lambda: Double
    let seed: UInt64
    /// nil where the run failed.
    let loss: Double?
  }

  /// η of a method's step in the middle of momentum's run.
  struct Near {
    let method: OptimizerMethod
    /// Against F of the step's own batch, and against F of other examples.
    let own, other: [Double]
  }

  let data: TrainingData
  let steps: Int
  let tuned: TunedTraining
  let race: TrainingExperiment
  let damped: [Damped]
  let fidelity: [Near]

  init(_ progress: @escaping @Sendable (String, Int, Int) -> Void) throws {
    let data = try DatasetSource.digits.loadParts(widths: FairRaceMeasurement.widths)
    var options = TrainingExperiment.Options()
    options.widths = FairRaceMeasurement.widths
    options.batch = FairRaceMeasurement.batch
    options.steps = FairRaceMeasurement.epochs * options.stepsPerEpoch(data)
    options.evaluateEvery = FairRaceMeasurement.evaluation
    options.levels = FairRaceMeasurement.levels
    options.endsFailedRuns = true
    var tuning = options
    tuning.seeds = [FairRaceMeasurement.tuningSeed]
    tuned = try TunedTraining(
      FairRaceMeasurement.methods, FairRaceMeasurement.grid, options: tuning, data: data,
      base: FairRaceMeasurement.base, progress: progress)
    options.seeds = FairRaceMeasurement.seeds
    race = try TrainingExperiment(
      tuned.best.map { TrainingExperiment.Entry($0.method, $0.settings) }, options: options,
      data: data, progress: progress)
    damped = try FairRaceMeasurement.damped(tuned, race, options, progress)
    fidelity = try FairRaceMeasurement.fidelity(tuned, options, data, progress)
    steps = options.steps
    self.data = data
  }

  private static func base(_ method: OptimizerMethod) -> OptimizerSettings {
    var settings = OptimizerSettings(method)
    settings.momentum = momentum
    settings.factorInterval = .constant(interval)
    settings.inverseInterval = .constant(interval)
    settings.growingInterval = .growing(initial: interval, rate: 2, most: longestInterval)
    return settings
  }

  /// The loss at the end of a run; nil where it failed.
  static func finalLoss(_ run: TrainingExperiment.Run) -> Double? {
    guard run.divergence == nil, let loss = run.points.last?.trainingLoss, loss <= failure else {
      return nil
    }
    return loss
  }

  static func constant(_ schedule: Schedule) -> Double { schedule.value(atEpoch: 0) }

  // MARK: Damping

  /// The examples of the second reference of the fidelity, none of them in the step's batch.
  static let otherExamples = 128

  /// The race again with a tenth and with ten times the λ of every method, all else as tuned.
  private static func damped(
    _ tuned: TunedTraining, _ race: TrainingExperiment, _ options: TrainingExperiment.Options,
    _ progress: @Sendable (String, Int, Int) -> Void
  ) throws -> [Damped] {
    let curved = tuned.best.filter(\.method.isSecondOrder)
    var places: [(method: OptimizerMethod, multiple: Double, lambda: Double)] = []
    var entries: [TrainingExperiment.Entry] = []
    for (method, settings) in curved {
      for multiple in multiples where multiple != 1 {
        var changed = settings
        let λ = multiple * constant(settings.damping)
        changed.damping = .constant(λ)
        entries.append(
          TrainingExperiment.Entry(method, changed, name: "\(method.rawValue) \(multiple)"))
        places.append((method, multiple, λ))
      }
    }
    var options = options
    options.seeds = dampingSeeds
    options.evaluateEvery = options.steps
    let experiment = try TrainingExperiment(
      entries, options: options, data: race.data, progress: progress)
    let other = experiment.runs.enumerated().map { index, run in
      let place = places[index / dampingSeeds.count]
      return Damped(
        method: place.method, multiple: place.multiple, lambda: place.lambda, seed: run.seed,
        loss: finalLoss(run))
    }
    let own = curved.flatMap { method, settings in
      race.runs.filter { $0.name == method.rawValue && dampingSeeds.contains($0.seed) }.map {
        Damped(
          method: method, multiple: 1, lambda: constant(settings.damping), seed: $0.seed,
          loss: finalLoss($0))
      }
    }
    return curved.flatMap { method, _ in
      multiples.flatMap { multiple in
        (own + other).filter { $0.method == method && $0.multiple == multiple }
      }
    }
  }

  /// The mean loss of a method at a multiple of its λ; nil where a run failed.
  func dampedLoss(_ method: OptimizerMethod, _ multiple: Double) -> Double? {
    let losses = damped.filter { $0.method == method && $0.multiple == multiple }.map(\.loss)
    let whole = losses.compactMap(\.self)
    return whole.count == losses.count ? whole.reduce(0, +) / Double(whole.count) : nil
  }

  /// How many pairs of methods change places between their own λ and a multiple of it; pairs that
  /// fail together have no order.
  func exchanges(_ multiple: Double) -> Int {
    let methods = FairRaceMeasurement.methods.filter(\.isSecondOrder)
    func order(_ a: OptimizerMethod, _ b: OptimizerMethod, _ multiple: Double) -> Int {
      let x = dampedLoss(a, multiple) ?? .infinity
      let y = dampedLoss(b, multiple) ?? .infinity
      return x < y ? -1 : x > y ? 1 : 0
    }
    var count = 0
    for (index, a) in methods.enumerated() {
      for b in methods[(index + 1)...] where order(a, b, 1) * order(a, b, multiple) < 0 {
        count += 1
      }
    }
    return count
  }

  // MARK: Fidelity

  /// Every method's step with fresh curvature against the exact one, all in the same states.
  private static func fidelity(
    _ tuned: TunedTraining, _ options: TrainingExperiment.Options, _ data: TrainingData,
    _ progress: @Sendable (String, Int, Int) -> Void
  ) throws -> [Near] {
    let chosen = Dictionary(uniqueKeysWithValues: tuned.best.map { ($0.method, $0.settings) })
    @Sendable func settings(_ method: OptimizerMethod) -> OptimizerSettings {
      chosen[method] ?? OptimizerSettings(method)
    }
    var half = options
    half.steps = options.steps / 2
    half.evaluateEvery = half.steps
    let states = try TrainingExperiment(
      [TrainingExperiment.Entry(.momentum, settings(.momentum))], options: half, data: data,
      progress: progress
    ).runs.map(\.network)
    let batch = data.training.subset(Array(0..<options.batch))
    let kinds: [(OptimizerMethod, StructureKind?)] = [
      (.naturalGradient, .exact), (.ekfac, .ekfac), (.kfac, .kfac), (.cgKFAC, .kfac),
      (.thor, .kfacSplit), (.momentum, nil),
    ]
    let others = data.training.subset(
      Array(options.batch..<(options.batch + otherExamples)))
    let values = try Parallel.map(states.count, "fidelity", progress) { index in
      let network = states[index]
      let samples = GradientSamples(network, batch, likelihood: .categorical, kind: .exact)
      let gradient = LossGradient(network, batch, .categorical).gradient
      let λ = constant(settings(.naturalGradient).damping)
      let references = try [
        samples, GradientSamples(network, others, likelihood: .categorical, kind: .exact),
      ].map {
        DampedReference(
          try StructureKind.exact.build($0).damped(.exact, λ), gradient: gradient)
      }
      return try kinds.map { method, kind in
        var step = gradient
        if let kind {
          let own = settings(method)
          step = try kind.build(samples, StructureOptions(split: own.split))
            .damped(method.rule, constant(own.damping)).solve(gradient)
        }
        return references.map { reference in
          reference.metrics(ofStep: step).first { $0.metric == .efficiency }?.value ?? .nan
        }
      }
    }
    return kinds.indices.map { index in
      Near(
        method: kinds[index].0, own: values.map { $0[index][0] }, other: values.map { $0[index][1] }
      )
    }
  }
}
