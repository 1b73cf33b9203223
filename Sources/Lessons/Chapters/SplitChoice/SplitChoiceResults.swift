import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks
import Optimization

/// The numbers and tables of chapter 10.
struct SplitChoiceResults {
  static let published = PublishedSplitTable.resNet50OnAscend910
  /// λ of the small counter-example, and of the trained factors' inverse.
  static let exampleLambda = 0.1
  static let trainedLambda = 0.03

  let tables: [ResultTable]
  let printed, crossings, costs, coupled, trained: ResultTable

  let crossing, crossingHeight, spline, splineHeight, structuralCrossing: ReportedNumber
  let firstTimeLow, firstTimeHigh, plainMatches: ReportedNumber
  let exampleLoss, exampleMatrix, exampleInverse: ReportedNumber
  let correlation, belowTolerance, trainedCount, leastLoss, greatestLoss: ReportedNumber
  let leastInverse, greatestInverse: ReportedNumber

  init(_ context: ChapterContext) throws {
    let table = SplitChoiceResults.published
    printed = SplitChoiceResults.printedTable
    let crossings = SplitChoiceResults.crossingTable
    self.crossings = crossings
    costs = SplitChoiceResults.costTable
    coupled = try SplitChoiceResults.coupledTable()
    let trained = try SplitChoiceResults.trainedTable(context)
    self.trained = trained

    func cross(_ column: String, _ rows: String, _ interpolation: String, _ format: NumberFormat)
      -> ReportedNumber
    {
      crossings.number(
        column, where: ["rows": rows, "interpolation": interpolation], format)
    }
    crossing = cross("position", "printed", "lines", .fixed(1))
    crossingHeight = cross("height", "printed", "lines", .fixed(4))
    spline = cross("position", "recomputed", "index-spline", .fixed(2))
    splineHeight = cross("height", "recomputed", "index-spline", .fixed(4))
    structuralCrossing = cross("position", "layer shapes alone", "lines", .fixed(1))

    var findings = Findings()
    let interval = table.firstTimeInterval ?? 0...0
    firstTimeLow = findings.report(
      "first_time_low", interval.lowerBound,
      "least unrounded time p1 in µs that gives every printed performance", .fixed(2))
    firstTimeHigh = findings.report(
      "first_time_high", interval.upperBound, "greatest such p1 in µs", .fixed(2))
    let plain = SplitTradeOff.performance(table.microseconds.map(Double.init))
    plainMatches = findings.report(
      "plain_matches",
      Double(zip(plain, table.performance).count { abs($0 - $1) <= 0.5e-4 + 1e-12 }),
      "of nine printed performances, how many are 35/p to four digits", .fixed(0))
    let example = try ConstructedBlindSpots.loss(
      SplitChoiceResults.example, split: 2, shift: SplitChoiceResults.exampleLambda)
    exampleLoss = findings.report(
      "example_loss", example.spectral, "Eq. 11 of the 4 by 4 example", .percent(0))
    exampleMatrix = findings.report(
      "example_matrix", example.matrix, "relative Frobenius error of its split", .percent(0))
    exampleInverse = findings.report(
      "example_inverse", example.inverse, "relative Frobenius error of its damped inverse",
      .percent(0))
    let losses = trained.rows.indices.map { trained.number("loss", row: $0).value }
    let inverses = trained.rows.indices.map { trained.number("inverse", row: $0).value }
    correlation = findings.report(
      "rank_correlation", RankCorrelation.spearman(losses, inverses) ?? .nan,
      "Spearman's rank correlation of Eq. 11 with the inverse's error, trained factors",
      .significant(2))
    belowTolerance = findings.report(
      "below_tolerance", Double(losses.count { $0 < 0.01 }),
      "trained factors with Eq. 11 below 1 %", .fixed(0))
    trainedCount = findings.report(
      "trained_factors", Double(losses.count), "trained factors that split 10 cuts", .fixed(0))
    leastLoss = findings.report(
      "least_loss", losses.min() ?? .nan, "least Eq. 11 of the trained factors", .percent(1))
    greatestLoss = findings.report(
      "greatest_loss", losses.max() ?? .nan, "greatest", .percent(1))
    leastInverse = findings.report(
      "least_inverse", inverses.min() ?? .nan, "least error of the damped inverse", .percent(0))
    greatestInverse = findings.report(
      "greatest_inverse", inverses.max() ?? .nan, "greatest", .percent(0))
    tables = [printed, crossings, costs, coupled, trained, findings.table]
  }

  /// Diagonal 10, 4, 4, 1; the two fours, in different groups of 2, are coupled by 3.9.
  static var example: Matrix {
    Matrix(rows: [[10, 0, 0, 0], [0, 4, 3.9, 0], [0, 3.9, 4, 0], [0, 0, 0, 1]])
  }

  static let dimensions = ResidualNetwork.resNet50.layers.map(\.inputSize)

  private static var structural: [Int] {
    SplitRetention.structuralCounts(of: dimensions, sizes: published.sizes)
  }

  private static var printedTable: ResultTable {
    var result = ResultTable(
      "table-1", "Table 1 of the THOR paper as printed, with its rows computed again.",
      [
        ("size", "split size d"), ("count", "printed: factors with a loss below 1 %"),
        ("microseconds", "printed: time to invert one d × d matrix, µs"),
        ("retained_printed", "printed as normalized loss of matrix"),
        ("retained", "count / 54"), ("performance_printed", "printed as normalized performance"),
        ("performance", "35 / printed time"),
        ("structural", "factors A of ResNet-50 with at most d rows, from the layer shapes"),
      ])
    let performance = SplitTradeOff.performance(published.microseconds.map(Double.init))
    for index in published.sizes.indices {
      result.append([
        .integer(published.sizes[index]), .integer(published.counts[index]),
        .integer(published.microseconds[index]), .number(published.retainedFraction[index]),
        .number(Double(published.counts[index]) / Double(published.factorCount)),
        .number(published.performance[index]), .number(performance[index]),
        .integer(structural[index]),
      ])
    }
    return result
  }

  private static var crossingTable: ResultTable {
    var result = ResultTable(
      "crossings", "Where the two curves of Table 1 cross.",
      [
        ("rows", "printed rows; count/54 and 35/p; or the layer shapes with the printed speed"),
        ("interpolation", "straight lines over d, or cubic splines over the place in the list"),
        ("position", "d at the crossing"), ("height", "the common value"),
        ("size", "the closest listed size"),
      ])
    var curves = PublishedSplitTable.Rows.allCases.map { ($0.rawValue, published.tradeOff($0)) }
    curves.append(
      (
        "layer shapes alone",
        SplitTradeOff(
          sizes: published.sizes,
          retainedFraction: structural.map { Double($0) / Double(published.factorCount) },
          performance: published.performance)
      ))
    for (name, curve) in curves {
      for interpolation in SplitTradeOff.Interpolation.allCases {
        guard let found = curve.choice(interpolation) else { continue }
        result.append([
          .text(name), .text(interpolation.rawValue), .number(found.position),
          .number(found.height), .integer(found.size),
        ])
      }
    }
    return result
  }

  /// The cost of all 54 factors: printed times of single blocks, one after the other, and operations.
  private static var costTable: ResultTable {
    var result = ResultTable(
      "costs", "What inverting the 54 factors A of ResNet-50 in blocks of d takes.",
      [
        ("size", "split size d"), ("blocks", "blocks in all factors together"),
        ("one_block", "printed time of one d × d block, µs"),
        (
          "milliseconds",
          "printed times of all blocks one after the other, ms; smaller last blocks by straight lines between printed sizes"
        ),
        ("operations", "cubic count: the sum of n³ over the blocks' rows n"),
        ("operations_share", "operations over those of the whole factors"),
      ])
    let times = SplitChoice(
      measured: InversionTimes(
        sizes: published.sizes, seconds: published.microseconds.map { 1e-6 * Double($0) },
        samples: published.sizes.map { _ in 0 }), extrapolatingTo: [])
    func operations(_ size: Int) -> Double {
      dimensions.reduce(0) { sum, dimension in
        sum
          + Matrix.pinchingRanges(size: dimension, blockSize: size).reduce(0) {
            let rows = Double($1.count)
            return $0 + rows * rows * rows
          }
      }
    }
    let whole = operations(dimensions.max() ?? 1)
    for (index, size) in published.sizes.enumerated() {
      let count = operations(size)
      result.append([
        .integer(size),
        .integer(dimensions.reduce(0) { $0 + ($1 + size - 1) / size }),
        .integer(published.microseconds[index]),
        .number(1000 * times.seconds(inverting: dimensions, split: size)),
        .number(count), .number(count / whole),
      ])
    }
    return result
  }

  /// A family with Eq. 11 = 0 and an inverse that is wrong by any share.
  private static func coupledTable() throws -> ResultTable {
    var result = ResultTable(
      "coupled",
      "Twenty coordinates, split 10: one large eigenvalue in each group, nine coupled pairs.",
      [
        ("coupling", "the entry that couples a pair, below 1"), ("loss", "Eq. 11"),
        ("matrix", "relative Frobenius error of the split"),
        ("inverse", "relative Frobenius error of its inverse, λ = 0"),
      ])
    for coupling in [0.5, 0.9, 0.99] {
      let loss = try ConstructedBlindSpots.loss(
        ConstructedBlindSpots.blindFactor(half: 10, top: 100, coupling: coupling), split: 10,
        shift: 0)
      result.append([
        .number(coupling), .number(loss.spectral), .number(loss.matrix), .number(loss.inverse),
      ])
    }
    return result
  }

  /// The factors of the small network that split 10 cuts, over seeds and iterations.
  private static func trainedTable(_ context: ChapterContext) throws -> ResultTable {
    let options = ComparisonOptions()
    let data = context.fashionMNIST.dataset
    let iterations = [0, 10, 50]
    let runs = try Parallel.map(options.seeds.count, "chapter 10, training", context.progress) {
      try TrainingRun(
        seed: options.seeds[$0], data: data, likelihood: .categorical, options: options,
        iterations: iterations)
    }
    var result = ResultTable(
      "trained", "Split 10 on the factors of 784-20-20-20-10, layers 2 to 4.",
      [
        ("seed", "seed of the run"), ("iteration", "iterations of training"),
        ("factor", "A or G with the layer's number"), ("loss", "Eq. 11"),
        ("inverse", "relative Frobenius error of the damped inverse, λ = 0.03"),
        ("matrix", "relative Frobenius error of the factor"),
      ])
    for run in runs {
      for state in run.states {
        let samples = GradientSamples(
          state.network, data.subset(state.batch), likelihood: .categorical, kind: .exact,
          blocks: options.blocks)
        for index in samples.blocks.indices {
          let factors = KFACFactors(LayerSamples(samples, block: index))
          for (name, factor) in [("A", factors.a), ("G", factors.g)]
          where factor.rowCount > options.split {
            let loss = try ConstructedBlindSpots.loss(
              factor, split: options.split, shift: trainedLambda)
            result.append([
              .text("\(run.seed)"), .integer(state.iteration),
              .text("\(name) of layer \(options.blocks[index] + 1)"), .number(loss.spectral),
              .number(loss.inverse), .number(loss.matrix),
            ])
          }
        }
      }
    }
    return result
  }
}

extension SplitChoiceResults {
  /// The two curves of Figure 5 near their crossing, with the layer shapes alone.
  var crossingFigure: Canvas {
    let table = SplitChoiceResults.published
    let count = 6
    let x = table.sizes.prefix(count).map(Double.init)
    func column(_ name: String) -> [Double] {
      (0..<count).map { printed.number(name, row: $0).value }
    }
    return LineChart(
      title: "Figure 5 of the THOR paper, from the printed rows of Table 1",
      subtitle: "ResNet-50 on Ascend 910; straight lines between the printed sizes",
      x: ChartAxis("split size d (rows of a block)"),
      y: ChartAxis("fraction (no unit)", limits: 0...1),
      series: [
        LineSeries(name: "performance, printed", x: x, y: column("performance_printed")),
        LineSeries(name: "retained fraction, printed", x: x, y: column("retained_printed")),
        LineSeries(
          name: "factors no larger than d, from the layer shapes", x: x,
          y: column("structural").map { $0 / Double(table.factorCount) }),
      ],
      references: [ReferenceLine(0.21, name: "0.21 (printed height of the crossing)")]
    ).canvas
  }

  /// One block against all blocks.
  var costFigure: Canvas {
    let x = costs.rows.indices.map { costs.number("size", row: $0).value }
    func column(_ name: String) -> [Double] {
      costs.rows.indices.map { costs.number(name, row: $0).value }
    }
    return LineChartGrid(
      title: "The time of one block, and of all blocks",
      subtitle:
        "54 factors A of ResNet-50; times printed for Ascend 910, blocks one after the other",
      panels: [
        .init(
          title: "(a) printed times", x: ChartAxis("split size d (rows of a block)", .logarithmic),
          y: ChartAxis("time (ms)", .logarithmic),
          series: [
            LineSeries(name: "all blocks of all factors", x: x, y: column("milliseconds")),
            LineSeries(name: "one block", x: x, y: column("one_block").map { $0 / 1000 }),
          ]),
        .init(
          title: "(b) cubic count", x: ChartAxis("split size d (rows of a block)", .logarithmic),
          y: ChartAxis("operations (share of no split)", .logarithmic),
          series: [
            LineSeries(name: "all blocks of all factors", x: x, y: column("operations_share"))
          ]),
      ]
    ).canvas
  }

  /// Eq. 11 against the error of the inverse: trained factors, and constructed ones.
  var blindFigure: Canvas {
    var plane = PlotPlane(
      title: "What Equation 11 says, and what happens to the inverse",
      subtitle: "circles: factors of the trained network; diamonds: constructed",
      x: ChartAxis("information loss, Equation 11 (no unit)", limits: -0.02...0.7),
      y: ChartAxis("relative error of the inverse (no unit)", limits: 0...1.05))
    plane.drawAxes()
    for row in trained.rows.indices {
      plane.canvas.marker(
        .circle,
        at: plane.point(
          trained.number("loss", row: row).value, trained.number("inverse", row: row).value),
        radius: 3.5, fill: Color.series[0])
    }
    let constructed =
      coupled.rows.indices.map {
        (coupled.number("loss", row: $0).value, coupled.number("inverse", row: $0).value)
      } + [(exampleLoss.value, exampleInverse.value)]
    for (loss, inverse) in constructed {
      plane.canvas.marker(
        .diamond, at: plane.point(loss, inverse), radius: 6, fill: Color.series[1])
    }
    let tolerance = plane.point(0.01, 0)
    plane.canvas.line(
      from: tolerance, to: Point(x: tolerance.x, y: plane.plot.y),
      Stroke(.secondaryInk, dashes: [5, 4]))
    plane.canvas.text(
      "the paper's tolerance", at: Point(x: tolerance.x + 6, y: plane.plot.bottom - 10), size: 11,
      color: .secondaryInk)
    return plane.canvas
  }
}
