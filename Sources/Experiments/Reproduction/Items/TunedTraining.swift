import DataFiles
import Optimization

/// The same tuning budget for every method: a grid of two numbers, one run each, the lowest loss wins.
///
/// The first number is the learning rate; the second is λ where a method has a curvature, else μ (for
/// Adam and plain gradient descent, which have neither, the rates of the grid are spread more finely).
public struct TunedTraining: Sendable {
  /// One tried setting and the training loss that it ended at; nil where it diverged.
  public struct Trial: Sendable {
    public let method: OptimizerMethod
    public let learningRate: Double
    public let second: Double
    public let loss: Double?
  }

  /// The settings that are tried: every rate with every λ, or with every μ.
  public struct Grid: Equatable, Sendable {
    public var rates = [0.01, 0.03, 0.1, 0.3]
    public var dampings = [0.01, 0.1, 1.0]
    /// The rates of methods without a curvature; nil: the same.
    public var firstOrderRates: [Double]?
    public var momenta = [0.5, 0.9, 0.95]

    public init() {}

    func rates(_ method: OptimizerMethod) -> [Double] {
      method.isSecondOrder ? rates : firstOrderRates ?? rates
    }

    func seconds(_ method: OptimizerMethod) -> [Double] {
      method.isSecondOrder ? dampings : momenta
    }
  }

  public let trials: [Trial]
  /// The best setting of each method.
  public let best: [(method: OptimizerMethod, settings: OptimizerSettings)]

  /// Tries the whole grid on Figure 7's network for every method from a seed that no reported run uses.
  init(
    _ methods: [OptimizerMethod], steps: Int, isQuick: Bool, data: TrainingData,
    base: (OptimizerMethod) -> OptimizerSettings,
    progress: @Sendable (String, Int, Int) -> Void
  ) throws {
    var grid = Grid()
    if isQuick {
      grid.rates = [0.03, 0.1]
      grid.dampings.removeFirst()
      grid.momenta.removeFirst()
    }
    var options = TrainingExperiment.Options()
    options.steps = steps
    options.seeds = [101]
    try self.init(methods, grid, options: options, data: data, base: base, progress: progress)
  }

  /// Tries a grid for every method; the seeds of the options are the tuning's, and should be reported
  /// by no other run.
  public init(
    _ methods: [OptimizerMethod], _ grid: Grid, options: TrainingExperiment.Options,
    data: TrainingData, base: (OptimizerMethod) -> OptimizerSettings,
    progress: @Sendable (String, Int, Int) -> Void
  ) throws {
    precondition(options.seeds.count == 1, "\(options.seeds.count) seeds to tune with")
    var entries: [TrainingExperiment.Entry] = []
    var places: [(OptimizerMethod, Double, Double, OptimizerSettings)] = []
    for method in methods {
      for rate in grid.rates(method) {
        for second in grid.seconds(method) {
          var settings = base(method)
          settings.learningRate = .constant(rate)
          if method.isSecondOrder {
            settings.damping = .constant(second)
          } else {
            settings.momentum = second
          }
          entries.append(
            TrainingExperiment.Entry(
              method, settings, name: "\(method.rawValue) \(rate) \(second)"))
          places.append((method, rate, second, settings))
        }
      }
    }
    var options = options
    options.evaluateEvery = options.steps
    options.levels = []
    let experiment = try TrainingExperiment(
      entries, options: options, data: data, progress: progress)
    // lesson: one-budget
    let trials = zip(places, experiment.runs).map { place, run in
      Trial(
        method: place.0, learningRate: place.1, second: place.2,
        loss: run.divergence == nil ? run.points.last?.trainingLoss : nil)
    }
    self.trials = trials
    self.best = methods.map { method in
      let own = zip(places, trials).filter { $0.0.0 == method }
      let winner = own.min { ($0.1.loss ?? .infinity) < ($1.1.loss ?? .infinity) }
      return (method, winner?.0.3 ?? base(method))
    }
    // end lesson
  }

  /// Every trial, and which won.
  public var table: ResultTable {
    var table = ResultTable(
      "tuning", "The grid of every method: one run of seed 101 for each setting.",
      [
        ("method", "the optimizer"), ("learning_rate", "α, constant"),
        ("second", "λ for a method with a curvature, μ for one without"),
        ("training_loss", "after the tuning steps; empty where the run diverged"),
        ("chosen", "1 where this setting is used below"),
      ])
    for trial in trials {
      let chosen = best.contains { entry in
        entry.method == trial.method
          && entry.settings.learningRate == .constant(trial.learningRate)
          && (trial.method.isSecondOrder
            ? entry.settings.damping == .constant(trial.second)
            : entry.settings.momentum == trial.second)
      }
      table.append([
        .text(trial.method.rawValue), .number(trial.learningRate), .number(trial.second),
        trial.loss.map { .number($0) } ?? .empty, .integer(chosen ? 1 : 0),
      ])
    }
    return table
  }
}
