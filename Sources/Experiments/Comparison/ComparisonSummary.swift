import Curvature
import DataFiles

/// The comparison's measurements over seeds, condensed to what a person opens first.
public struct ComparisonSummary: Sendable {
  /// Mean, spread and range of one number over the seeds.
  public struct Statistic: Equatable, Sendable {
    public let mean: Double
    /// The sample standard deviation; 0 for one seed.
    public let deviation: Double
    public let minimum: Double
    public let maximum: Double
    public let count: Int

    init?(_ values: [Double]) {
      guard let smallest = values.min(), let largest = values.max() else { return nil }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      self.mean = mean
      self.deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
      self.minimum = smallest
      self.maximum = largest
      self.count = values.count
    }
  }

  /// One line of the summary: a structure under one rule and solver at one place and iteration.
  public struct Row: Sendable {
    public let iteration: Int
    public let place: Measurement.Place
    public let structure: StructureKind
    public let split: Int?
    public let rule: DampingRule
    public let lambda: Double
    public let solver: String
    /// By reference and metric; only what was measured.
    let statistics: [Key: Statistic]

    public func statistic(_ metric: ErrorMetric, _ reference: Reference) -> Statistic? {
      statistics[Key(metric: metric, reference: reference)]
    }

    /// The reference of the row's step metrics: the coupled Fisher, or the exact block of a layer.
    public var stepReference: Reference { place == .network ? .full : .blocks }
  }

  struct Key: Hashable { let metric: ErrorMetric, reference: Reference }

  public let rows: [Row]
  private let groups: [Group: [Double]]
  private let fisher: String

  private struct Group: Hashable {
    let iteration: Int
    let place: Measurement.Place
    let fisher: String
    let structure: StructureKind
    let rule: DampingRule?
    let lambda: Double?
    let solver: String?
    let key: Key
  }

  /// The most rows of `summary.csv`.
  public static let rowLimit = 150

  /// Groups the measurements; over `rowLimit` rows only those of the whole network are kept.
  public init(_ comparison: Comparison) {
    let options = comparison.options
    fisher = options.fisher.label
    var groups: [Group: [Double]] = [:]
    for point in comparison.points {
      for m in point.measurements {
        let group = Group(
          iteration: point.iteration, place: m.place, fisher: m.fisher, structure: m.structure,
          rule: m.rule, lambda: m.lambda, solver: m.solver,
          key: Key(metric: m.metric, reference: m.reference))
        groups[group, default: []].append(m.value)
      }
    }
    self.groups = groups
    var rows: [Row] = []
    let places = options.layers.map { Measurement.Place.layer($0) } + [.network]
    for iteration in options.iterations {
      for place in places {
        for (kind, rule, solver) in ComparisonSummary.choices(options) {
          let row = ComparisonSummary.row(
            groups, fisher: options.fisher.label, iteration, place, kind, rule, solver,
            lambda: options.defaultLambda, split: kind == .kfacSplit ? options.split : nil)
          if let row { rows.append(row) }
        }
      }
    }
    self.rows =
      rows.count <= ComparisonSummary.rowLimit ? rows : rows.filter { $0.place == .network }
  }

  /// The statistic of one metric at any place, rule, λ and solver; nil where it was not measured.
  public func statistic(
    _ metric: ErrorMetric, _ reference: Reference, iteration: Int,
    place: Measurement.Place = .network, structure: StructureKind, rule: DampingRule? = nil,
    lambda: Double? = nil, solver: String? = nil
  ) -> Statistic? {
    Statistic(
      groups[
        Group(
          iteration: iteration, place: place, fisher: fisher, structure: structure, rule: rule,
          lambda: lambda, solver: solver, key: Key(metric: metric, reference: reference))] ?? [])
  }

  /// Structure, rule and solver of the summary's lines: the preferred rule of each structure, KFAC also
  /// under the paper's `factor`, and the two CG-FAC operators.
  static func choices(_ options: ComparisonOptions) -> [(StructureKind, DampingRule, String)] {
    var choices: [(StructureKind, DampingRule, String)] = []
    for kind in options.structures {
      choices.append((kind, ComparisonOptions.preferredRule(of: kind), "direct"))
      if kind == .kfac { choices.append((kind, .factor, "direct")) }
    }
    for layerOperator in MatrixFreeSolver.Operator.allCases
    where options.structures.contains(layerOperator.structure) {
      choices.append((layerOperator.structure, .exact, layerOperator.rawValue))
    }
    return choices
  }

  private static func row(
    _ groups: [Group: [Double]], fisher: String, _ iteration: Int, _ place: Measurement.Place,
    _ kind: StructureKind, _ rule: DampingRule, _ solver: String, lambda: Double, split: Int?
  ) -> Row? {
    // Layer rows of a conjugate-gradient solve would repeat the directly solved ones' matrices.
    if place != .network && solver != "direct" { return nil }
    var statistics: [Key: Statistic] = [:]
    for reference in Reference.allCases {
      for metric in ErrorMetric.allCases {
        let key = Key(metric: metric, reference: reference)
        let isMatrix = metric.family == .matrix
        if isMatrix && solver != "direct" { continue }
        let group = Group(
          iteration: iteration, place: place, fisher: fisher, structure: kind,
          rule: isMatrix ? nil : rule, lambda: isMatrix ? nil : lambda,
          solver: metric.family == .step ? solver : nil, key: key)
        statistics[key] = groups[group].flatMap { Statistic($0) }
      }
    }
    guard !statistics.isEmpty else { return nil }
    return Row(
      iteration: iteration, place: place, structure: kind, split: split, rule: rule,
      lambda: lambda, solver: solver, statistics: statistics)
  }
}
