import DataFiles
import Optimization

extension FigureTwo {
  static func shares(_ rows: [Row], _ settings: CurvatureTrajectory.Settings) -> ResultTable {
    var table = ResultTable(
      "shares", "Where Δ lies, for every reading, layer and λ, pooled over the seeds.",
      [
        ("training_lambda", "λ of the training"), ("learning_rate", "α of the training"),
        ("test_lambda", "λ in Eq. 8"),
        ("distance", "steps between two tests"),
        ("statistic", "whose traces: of the batch, or KFAC's running average"),
        ("reading", "a–e: what the trace is of (natgrad list)"), ("layer", "counted from 1"),
        ("tests", "the number of tests"), ("below", "share with Δ ≤ 0.001"),
        ("inside", "share in (0.001, 0.01)"), ("above", "share with Δ ≥ 0.01"),
        ("first", "median Δ of the first test"), ("early", "median Δ of the first five tests"),
        ("third", "median Δ of the third quarter"),
        ("last", "median Δ of the last quarter"),
      ])
    for row in rows {
      table.append([
        .number(row.test.training.lambda), .number(row.test.training.learningRate),
        .number(row.test.testLambda),
        .integer(row.test.stride * settings.interval), .text(row.test.statistic.rawValue),
        .text(row.test.reading.rawValue), .integer(row.layer), .integer(row.count),
        .number(row.below), .number(row.inside), .number(row.above), .number(row.first),
        .number(row.early),
        .number(row.third), .number(row.last),
      ])
    }
    return table
  }

  static func traces(_ runs: [CurvatureTrajectory]) -> ResultTable {
    var table = ResultTable(
      "traces", "The traces at every record, from which every reading of Δ follows.",
      [
        ("lambda", "λ of the training"), ("learning_rate", "α of the training"),
        ("seed", "the seed of start and batches"),
        ("step", "steps taken before"), ("layer", "counted from 1"),
        ("trace_a", "tr A of the batch"), ("trace_g", "tr G, labels in expectation"),
        ("trace_f", "tr F of the exact block, labels in expectation"),
        ("empirical_trace_g", "tr G with the batch's labels"),
        ("empirical_trace_f", "tr F with the batch's labels"),
      ])
    for run in runs {
      for record in run.records {
        table.append([
          .number(run.settings.lambda), .number(run.settings.learningRate), .text("\(run.seed)"),
          .integer(record.step),
          .integer(record.layer), .number(record.exact.a), .number(record.exact.g),
          .number(record.exact.block), .number(record.empirical.g), .number(record.empirical.block),
        ])
      }
    }
    return table
  }

  /// The median over the seeds at each test, with the range where asked for.
  private static func series(
    _ name: String, _ runs: [CurvatureTrajectory], layer: Int, _ test: Test, band: Bool
  ) -> LineSeries {
    let all = runs.filter(test.training.isOf)
      .map { changes($0, layer: layer, test) }
    let steps = all.map { $0.map(\.step) }.max { $0.count < $1.count } ?? []
    let columns = steps.indices.map { index in
      all.filter { $0.count > index }.map { $0[index].change }
    }
    return LineSeries(
      name: name, x: steps.map(Double.init), y: columns.map(Quantiles.median),
      least: band ? columns.map { $0.min() ?? .nan } : [],
      greatest: band ? columns.map { $0.max() ?? .nan } : [])
  }

  private static let thresholds = [
    ReferenceLine(0.01, name: "ω₁ = 0.01"), ReferenceLine(0.001, name: "ω₂ = 0.001"),
  ]

  /// Each layer under all readings, with the paper's λ.
  static func figure(
    _ runs: [CurvatureTrajectory], _ settings: CurvatureTrajectory.Settings, _ data: String
  ) -> Canvas {
    let panels = (1..<settings.widths.count).map { layer in
      LineChartGrid.Panel(
        title: "layer \(layer)", x: ChartAxis("step of training"),
        y: ChartAxis("change rate Δ", .logarithmic, limits: 1e-5...10),
        series: TraceRule.Reading.allCases.map { reading in
          series(
            "reading \(reading.rawValue)", runs, layer: layer,
            Test(
              training: trainings[0], testLambda: lambdas[0], stride: 1, statistic: .exact,
              reading: reading), band: reading == .product)
        }, references: thresholds)
    }
    return LineChartGrid(
      title: "Figure 2: the change rate Δ under every reading of Eq. 8",
      subtitle:
        "\(data), KFAC with λ \(lambdas[0]), α \(settings.learningRate); factors of the batch, "
        + "labels in expectation, tested every \(settings.interval) steps",
      panels: panels,
      caption:
        "a: tr A tr G + λ d_A d_G; b: λ on each factor; c: A and G apart, the larger; d: the "
        + "exact block; e: a without λ. Medians over the seeds; band (a): least to greatest."
    ).canvas
  }

  /// Reading a for all layers under each λ.
  static func lambdaFigure(
    _ runs: [CurvatureTrajectory], _ settings: CurvatureTrajectory.Settings, _ data: String
  ) -> Canvas {
    let (high, low) = (lambdas[0], lambdas[1])
    let gentle = trainings[2]
    let shown: [(title: String, training: Training, test: Double, stride: Int)] = [
      ("(a) trained and tested with λ \(high)", trainings[0], high, 1),
      ("(b) trained with λ \(high), tested with \(low)", trainings[0], low, 1),
      ("(c) λ \(low) and α \(gentle.learningRate)", gentle, low, 1),
      ("(d) as (c), every \(10 * settings.interval) steps (Figure 3)", gentle, low, 10),
    ]
    let panels = shown.map { panel in
      LineChartGrid.Panel(
        title: panel.title, x: ChartAxis("step of training"),
        y: ChartAxis("change rate Δ, reading a", .logarithmic, limits: 1e-5...1),
        series: (1..<settings.widths.count).map { layer in
          series(
            "layer \(layer)", runs, layer: layer,
            Test(
              training: panel.training, testLambda: panel.test, stride: panel.stride,
              statistic: .exact, reading: .product), band: false)
        }, references: thresholds)
    }
    return LineChartGrid(
      title: "What λ does to the change rate of the literal reading",
      subtitle: "\(data), KFAC, α \(settings.learningRate) in (a) and (b), factors of the batch",
      panels: panels,
      caption:
        "Medians over the seeds; α lowered as λ² in (c) and (d). On one run a smaller λ in the test can only raise Δ."
    ).canvas
  }
}
