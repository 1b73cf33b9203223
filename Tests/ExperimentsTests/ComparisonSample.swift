import Curvature
import DenseAlgebra
import Experiments
import Networks

/// A small comparison that the tests share: two seeds of a 6-5-4-3 network on a teacher's data.
enum ComparisonSample {
  static let data = Result {
    try Dataset.teacher(
      widths: [6, 5, 4, 3], activation: .tanh, likelihood: .categorical, count: 120, seed: 11)
  }

  /// Layers 2 and 3 have 4 × 6 and 3 × 5 parameters.
  static var options: ComparisonOptions {
    var options = ComparisonOptions()
    options.widths = [6, 5, 4, 3]
    options.activation = .tanh
    options.layers = 2...3
    options.split = 2
    options.batch = 40
    options.iterations = [0, 2]
    options.lastIteration = 5
    options.seeds = [4, 9]
    options.lambdas = [0.01, 0.1]
    return options
  }

  static func comparison(_ options: ComparisonOptions) throws -> Comparison {
    try Comparison(options, dataset: data.get(), likelihood: .categorical) { _, _, _ in }
  }

  static let comparison = Result { try comparison(options) }

  /// The measured state of the first seed at iteration 2, computed again.
  static func state() throws -> (network: Network, batch: Dataset) {
    let run = try TrainingRun(
      seed: 4, data: data.get(), likelihood: .categorical, options: options, iterations: [2])
    return (run.states[0].network, try data.get().subset(run.states[0].batch))
  }

  /// The values of the first seed at iteration 2 that have all these marks.
  static func values(
    _ metric: ErrorMetric, _ reference: Reference, _ structure: StructureKind,
    place: Measurement.Place = .network, fisher: String = "exact", rule: DampingRule? = nil,
    lambda: Double? = nil, solver: String? = nil
  ) throws -> [Double] {
    let point = try comparison.get().points.first { $0.seed == 4 && $0.iteration == 2 }
    let marks = Marks(
      place: place, fisher: fisher, structure: structure, rule: rule, lambda: lambda,
      solver: solver, reference: reference, metric: metric)
    return (point?.measurements ?? []).filter { $0.marks == marks }.map(\.value)
  }
}

/// All that tells the measurements of one point apart.
struct Marks: Hashable {
  var place: Measurement.Place
  var fisher: String
  var structure: StructureKind
  var rule: DampingRule?
  var lambda: Double?
  var solver: String?
  var reference: Reference
  var metric: ErrorMetric
}

extension Measurement {
  var marks: Marks {
    Marks(
      place: place, fisher: fisher, structure: structure, rule: rule, lambda: lambda,
      solver: solver, reference: reference, metric: metric)
  }
}
