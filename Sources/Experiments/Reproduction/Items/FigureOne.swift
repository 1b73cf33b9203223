import DataFiles
import Networks
import Optimization

/// Figure 1: ‖F‖_F of each layer over the steps of KFAC's training.
public enum FigureOne {
  static let item = ReproductionItem(
    "figure-1", "The Frobenius norm of each layer's Fisher matrix over the steps of KFAC"
  ) { context in
    var settings = CurvatureTrajectory.Settings()
    if context.isQuick { settings.steps = 400 }
    return try result(context, settings)
  }

  /// Which norm is followed.
  public enum Statistic: String, CaseIterable, Sendable {
    case exactBlock = "exact block of the batch"
    case kronecker = "A ⊗ G of the batch"
    case average = "A ⊗ G of KFAC's running averages"

    func norm(of record: CurvatureTrajectory.Record) -> Double {
      switch self {
      case .exactBlock: record.exactNorm
      case .kronecker: record.kroneckerNorm
      case .average: record.averageNorm
      }
    }
  }

  /// One layer under one statistic, over the seeds.
  public struct Row: Equatable, Sendable {
    public let layer: Int
    public let statistic: Statistic
    /// One for each seed.
    public let courses: [NormCourse]

    public init(layer: Int, statistic: Statistic, courses: [NormCourse]) {
      self.layer = layer
      self.statistic = statistic
      self.courses = courses
    }

    /// Whether most seeds do as stated.
    public var isAsStated: Bool { holds(\.isAsStated) }
    /// The same for the first interval alone.
    public var isAsStatedAtOnce: Bool { holds(\.isAsStatedAtOnce) }
    func holds(_ property: (NormCourse) -> Bool) -> Bool {
      2 * courses.count(where: property) > courses.count
    }
    var first: Double { Quantiles.median(courses.map(\.first)) }
    var early: Double { Quantiles.median(courses.map(\.early)) }
    var late: Double { Quantiles.median(courses.map(\.late)) }
    var drift: Double { Quantiles.median(courses.map(\.drift)) }
    var settledAt: Double { Quantiles.median(courses.map { Double($0.settledAt) }) }
  }

  /// Trains, measures and judges.
  public static func result(
    _ context: ReproductionContext, _ settings: CurvatureTrajectory.Settings
  ) throws -> ReproductionResult {
    let data = context.data.training.training
    let runs = try Parallel.map(context.seeds.count, "training", context.progress) {
      try CurvatureTrajectory(
        settings, data: data, likelihood: .categorical, seed: context.seeds[$0])
    }
    let layers = 1..<settings.widths.count
    let usable = runs.filter { $0.divergedAt == nil }
    let rows = Statistic.allCases.flatMap { statistic in
      layers.map { layer in
        Row(
          layer: layer, statistic: statistic,
          courses: usable.map { run in
            NormCourse(run.records(ofLayer: layer).map(statistic.norm))
          })
      }
    }
    return ReproductionResult(
      setting: setting(settings, data, usable.count, diverged: runs.count - usable.count),
      claims: claims(rows, settings), tables: [norms(runs), changes(rows, settings)],
      figures: usable.isEmpty ? [] : [("figure-1", figure(usable, settings, data.name))],
      remarks: [
        "The exact block's norm is that of its Gram matrix, so that the 785 × 20 layer needs two "
          + "matrices of the batch's size instead of one of 2 GB. Norms of one batch carry its sampling "
          + "noise; the paper does not say which it plots. KFAC's running averages are shown and not judged: "
          + "the k-th refresh has weight 1/k down to 1/20, so early changes are larger by construction."
      ])
  }

  static func setting(
    _ settings: CurvatureTrajectory.Settings, _ data: Dataset, _ seeds: Int, diverged: Int
  ) -> String {
    let network = settings.widths.map(String.init).joined(separator: "-")
    return "A dense \(network) network (\(settings.activation.rawValue), start "
      + "\(settings.initialization.label)) on \(data.name) (\(data.count) examples) stands in for "
      + "ResNet-18 on CIFAR-10: all \(settings.widths.count - 1) dense layers instead of one dense and three "
      + "convolution layers. KFAC as in the paper's Eq. 6 and 13: α = \(settings.learningRate), "
      + "λ = \(settings.lambda) on each factor, weight decay \(settings.weightDecay), batch "
      + "\(settings.batch), refreshed and recorded every \(settings.interval) steps, \(settings.steps) "
      + "steps, \(seeds) seeds" + (diverged > 0 ? " (\(diverged) more diverged)" : "") + "."
  }

  private static func norms(_ runs: [CurvatureTrajectory]) -> ResultTable {
    var table = ResultTable(
      "norms", "The norms and traces of every layer at every record.",
      [
        ("seed", "the seed of start and batches"), ("step", "steps taken before"),
        ("layer", "counted from 1"), ("exact_frobenius", "‖F‖_F of the batch's exact block"),
        ("kfac_frobenius", "‖A ⊗ G‖_F of the batch"),
        ("average_frobenius", "‖A ⊗ G‖_F of KFAC's running averages"),
        ("exact_trace", "tr F of the batch's exact block"),
        ("kfac_trace", "tr A tr G of the batch"), ("loss", "the mean loss of the batch"),
      ])
    for run in runs {
      for record in run.records {
        table.append([
          .text("\(run.seed)"), .integer(record.step), .integer(record.layer),
          .number(record.exactNorm), .number(record.kroneckerNorm), .number(record.averageNorm),
          .number(record.exact.block), .number(record.exact.a * record.exact.g),
          .number(record.loss),
        ])
      }
    }
    return table
  }

  private static func changes(_ rows: [Row], _ settings: CurvatureTrajectory.Settings)
    -> ResultTable
  {
    var table = ResultTable(
      "changes", "How fast the norms change early and late; medians over the seeds.",
      [
        ("statistic", "which norm"), ("layer", "counted from 1"),
        ("first_change", "relative change over the first interval"),
        ("early_change", "median relative change per interval in the first five intervals"),
        ("late_change", "the same in the second half"),
        ("drift", "change of the mean from the third to the last quarter"),
        ("settled_step", "from which step five-record means stay within 25 % of the last quarter"),
        ("seeds_as_stated", "seeds with early ≥ 2 × late and drift ≤ 25 %"),
        ("seeds_at_once", "seeds with first ≥ 2 × late and drift ≤ 25 %"), ("seeds", "all seeds"),
      ])
    for row in rows {
      table.append([
        .text(row.statistic.rawValue), .integer(row.layer), .number(row.first),
        .number(row.early), .number(row.late),
        .number(row.drift), .number(row.settledAt * Double(settings.interval)),
        .integer(row.courses.count(where: \.isAsStated)),
        .integer(row.courses.count(where: \.isAsStatedAtOnce)), .integer(row.courses.count),
      ])
    }
    return table
  }

  private static func figure(
    _ runs: [CurvatureTrajectory], _ settings: CurvatureTrajectory.Settings, _ data: String
  ) -> Canvas {
    let steps = runs[0].records(ofLayer: 1).map { Double($0.step) }
    func series(_ value: (CurvatureTrajectory.Record) -> Double) -> [LineSeries] {
      (1..<settings.widths.count).map { layer in
        let all = runs.map { $0.records(ofLayer: layer).map(value) }
        let columns = steps.indices.map { index in all.map { $0[index] } }
        return LineSeries(
          name: "layer \(layer)", x: steps, y: columns.map(Quantiles.median),
          least: columns.map { $0.min() ?? .nan }, greatest: columns.map { $0.max() ?? .nan })
      }
    }
    let changes = (1..<settings.widths.count).map { layer in
      let all = runs.map { NormCourse($0.records(ofLayer: layer).map(\.exactNorm)).changes }
      return LineSeries(
        name: "layer \(layer)", x: Array(steps.dropFirst()),
        y: steps.indices.dropLast().map { index in Quantiles.median(all.map { $0[index] }) })
    }
    let x = ChartAxis("step of training")
    return LineChartGrid(
      title: "Figure 1: the Frobenius norm of the Fisher matrix, layer by layer",
      subtitle: "\(data), \(settings.widths.map(String.init).joined(separator: "-")), "
        + "KFAC with α \(settings.learningRate), λ \(settings.lambda), batch \(settings.batch)",
      panels: [
        .init(
          title: "(a) exact block of the batch", x: x, y: ChartAxis("‖F‖_F", .logarithmic),
          series: series(\.exactNorm)),
        .init(
          title: "(b) KFAC's running averages", x: x, y: ChartAxis("‖A ⊗ G‖_F", .logarithmic),
          series: series(\.averageNorm)),
        .init(
          title: "(c) trace of the exact block", x: x, y: ChartAxis("tr F", .logarithmic),
          series: series(\.exact.block)),
        .init(
          title: "(d) relative change of (a) per \(settings.interval) steps", x: x,
          y: ChartAxis("|change| / norm", .logarithmic), series: changes),
      ],
      caption: "Lines: medians over \(runs.count) seeds; bands: least to greatest."
    ).canvas
  }
}
