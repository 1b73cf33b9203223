import Networks
import Optimization

/// Figures 2 and 3: the change rate Δ of Eq. 8 for each layer while KFAC trains.
public enum FigureTwo {
  static let item = ReproductionItem(
    "figure-2",
    "The change rate Δ of each layer under every reading of Eq. 8 (Figures 2 and 3)"
  ) { context in
    var settings = CurvatureTrajectory.Settings()
    if context.isQuick { settings.steps = 400 }
    return try result(context, settings)
  }

  /// λ of Eq. 13 at epoch 0, and the λ of Table 3 at epoch 0, a tenth of it.
  public static let lambdas = [0.3, 0.03]
  /// The trainings: Eq. 13; with a tenth of its λ; and with α lowered as λ², so that α/λ² stays.
  public static let trainings = [
    Training(lambda: 0.3, learningRate: 0.1), Training(lambda: 0.03, learningRate: 0.1),
    Training(lambda: 0.03, learningRate: 0.001),
  ]

  /// λ and α of a training run.
  public struct Training: Hashable, Sendable {
    public let lambda, learningRate: Double

    public init(lambda: Double, learningRate: Double) {
      self.lambda = lambda
      self.learningRate = learningRate
    }

    func isOf(_ run: CurvatureTrajectory) -> Bool {
      run.settings.lambda == lambda && run.settings.learningRate == learningRate
    }
  }
  /// The interval in which the paper finds most layers.
  public static let interval = 0.001..<0.01

  /// Whose traces are tested.
  public enum Statistic: String, CaseIterable, Sendable {
    case exact = "batch, exact"
    case empirical = "batch, empirical"
    case average = "running average, exact"

    func traces(of record: CurvatureTrajectory.Record) -> LayerTraces {
      switch self {
      case .exact: record.exact
      case .empirical: record.empirical
      case .average: record.average
      }
    }
  }

  /// One way to measure: how the network was trained, and what is tested how often.
  public struct Test: Hashable, Sendable {
    public var training: Training
    public var testLambda: Double
    /// Steps between two tests, as a multiple of the records' interval.
    public var stride: Int
    public var statistic: Statistic
    public var reading: TraceRule.Reading

    public init(
      training: Training, testLambda: Double, stride: Int, statistic: Statistic,
      reading: TraceRule.Reading
    ) {
      self.training = training
      self.testLambda = testLambda
      self.stride = stride
      self.statistic = statistic
      self.reading = reading
    }
  }

  /// Δ of one layer at every test of a run.
  public static func changes(
    _ run: CurvatureTrajectory, layer: Int, _ test: Test
  ) -> [(step: Int, change: Double)] {
    let records = run.records(ofLayer: layer)
    return stride(from: test.stride, to: records.count, by: test.stride).map { index in
      let change = TraceRule.change(
        from: test.statistic.traces(of: records[index - test.stride]),
        to: test.statistic.traces(of: records[index]), lambda: test.testLambda,
        reading: test.reading)
      return (records[index].step, change)
    }
  }

  /// What the tests of one layer say, over the seeds.
  public struct Row: Equatable, Sendable {
    public let test: Test
    public let layer: Int
    /// The shares of the tests below, inside and above (0.001, 0.01).
    public let below, inside, above: Double
    public let count: Int
    /// The medians of Δ over the first test, the first five, the third quarter and the last quarter.
    public let first, early, third, last: Double

    /// `changes` holds Δ in the order of the tests, one list for each seed.
    public init(_ test: Test, layer: Int, changes: [[Double]]) {
      self.test = test
      self.layer = layer
      let all = changes.joined().filter(\.isFinite)
      count = all.count
      let total = Double(max(count, 1))
      inside = Double(all.count(where: FigureTwo.isInside)) / total
      above = Double(all.count { $0 >= FigureTwo.interval.upperBound }) / total
      below = Double(all.count { $0 <= FigureTwo.interval.lowerBound }) / total
      func pooled(_ range: (Int) -> Range<Int>) -> Double {
        Quantiles.median(changes.flatMap { Array($0[range($0.count)]) }.filter(\.isFinite))
      }
      first = pooled { 0..<min(1, $0) }
      early = pooled { 0..<min(5, $0) }
      third = pooled { $0 / 2..<3 * $0 / 4 }
      last = pooled { 3 * $0 / 4..<$0 }
    }

    /// The level of the second half.
    public var late: Double { (third + last) / 2 }
    /// "relatively large at the beginning": the first five tests at twice the later level.
    public var isLargeFirst: Bool { early >= 2 * late }
    /// The same of the first test alone.
    public var isLargeAtOnce: Bool { first >= 2 * late }
    /// "fluctuates around a relatively fixed small value": the last quarters agree up to a factor of two.
    public var isLevel: Bool { last <= 2 * third && third <= 2 * last }
    /// More tests inside the interval than outside.
    public var isInside: Bool { inside > 0.5 }
    /// "fluctuates around 0.001": a later level from 0.0005 to 0.002.
    public var isAroundThousandth: Bool { late >= 0.0005 && late <= 0.002 }
  }

  static func isInside(_ change: Double) -> Bool {
    change > interval.lowerBound && change < interval.upperBound
  }

  /// Trains under both λ, tests under every reading, and judges.
  public static func result(
    _ context: ReproductionContext, _ settings: CurvatureTrajectory.Settings
  ) throws -> ReproductionResult {
    let data = context.data.training.training
    let seeds = context.seeds
    let runs = try Parallel.map(trainings.count * seeds.count, "training", context.progress) {
      job in
      var chosen = settings
      chosen.lambda = trainings[job / seeds.count].lambda
      chosen.learningRate = trainings[job / seeds.count].learningRate
      return try CurvatureTrajectory(
        chosen, data: data, likelihood: .categorical, seed: seeds[job % seeds.count])
    }
    let rows = rows(runs, layers: settings.widths.count - 1)
    let diverged = runs.filter { $0.divergedAt != nil }
    return ReproductionResult(
      setting: FigureOne.setting(settings, data, seeds.count, diverged: 0)
        + " Two more sets of runs have λ = \(lambdas[1]), with α = \(trainings[1].learningRate) and "
        + "\(trainings[2].learningRate). ResNet-50 on ImageNet (Figure 3, every 200 "
        + "iterations) is stood in for by the same runs, tested every \(10 * settings.interval) steps.",
      claims: claims(rows), tables: [shares(rows, settings), traces(runs)],
      figures: [
        ("figure-2", figure(runs, settings, data.name)),
        ("figure-2-lambda", lambdaFigure(runs, settings, data.name)),
      ],
      remarks: remarks(rows, runs)
        + diverged.map {
          "The run with λ = \($0.settings.lambda), α = \($0.settings.learningRate) and seed \($0.seed) "
            + "diverged at step \($0.divergedAt ?? 0); what it recorded before is used."
        })
  }

  /// Every test of every layer, in the order of the table.
  static func rows(_ runs: [CurvatureTrajectory], layers: Int) -> [Row] {
    var rows: [Row] = []
    for (training, test) in [(0, 0), (0, 1), (1, 1), (2, 1)] {
      let chosen = runs.filter(trainings[training].isOf)
      for stride in [1, 10] {
        for statistic in Statistic.allCases {
          for reading in TraceRule.Reading.allCases {
            let test = Test(
              training: trainings[training], testLambda: lambdas[test], stride: stride,
              statistic: statistic, reading: reading)
            for layer in 1...layers {
              rows.append(
                Row(
                  test, layer: layer,
                  changes: chosen.map { changes($0, layer: layer, test).map(\.change) }))
            }
          }
        }
      }
    }
    return rows
  }
}
