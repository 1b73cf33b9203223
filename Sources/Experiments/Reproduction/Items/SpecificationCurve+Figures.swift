extension SpecificationCurve {
  /// How many points a sorted curve is drawn with.
  private static let points = 200

  /// Ascending values against the share of readings below, from all of them.
  private static func sorted(_ name: String, _ values: [Double]) -> LineSeries {
    let ascending = values.sorted()
    let places = (0...points).map { Double($0) / Double(points) }
    return LineSeries(
      name: name, x: places, y: places.map { Quantiles.quantile($0, ofSorted: ascending) })
  }

  /// The error after 50 iterations of the readings in the order of their error after 10.
  ///
  /// Neighbours in that order are drawn as their median with the band that holds four fifths of them.
  private static func followed(_ name: String, _ readings: [SpecificationReading]) -> LineSeries {
    let order = readings.indices.sorted {
      (readings[$0].at10, $0) < (readings[$1].at10, $1)
    }
    let groupCount = min(points / 4, order.count)
    var (x, middle, least, greatest) = ([Double](), [Double](), [Double](), [Double]())
    for group in 0..<groupCount {
      let range =
        group * order.count / groupCount..<(group + 1) * order.count / groupCount
      let values = order[range].map { readings[$0].at50 }.sorted()
      x.append((Double(group) + 0.5) / Double(groupCount))
      middle.append(Quantiles.quantile(0.5, ofSorted: values))
      least.append(Quantiles.quantile(0.1, ofSorted: values))
      greatest.append(Quantiles.quantile(0.9, ofSorted: values))
    }
    return LineSeries(name: name, x: x, y: middle, least: least, greatest: greatest)
  }

  /// All readings, sorted, with what the paper says.
  static func curve(_ readings: [SpecificationReading], _ data: String) -> Canvas {
    let references = [
      ReferenceLine(0.05, name: "5 % (the paper, 10 iterations)"),
      ReferenceLine(0.01, name: "1 % (the paper, 50 iterations)"),
    ]
    let x = ChartAxis("share of readings")
    func byNorm(_ value: (SpecificationReading) -> Double) -> [LineSeries] {
      SplitError.Norm.allCases.enumerated().map { index, norm in
        sorted(norm.rawValue, readings.filter { $0.level(of: .norm) == index }.map(value))
      }
    }
    let limits = 1e-5...2.0
    var figure = LineChartGrid(
      title: "The specification curve of Figure 4: \(readings.count) readings",
      subtitle: "\(data); error of the split against KFAC",
      panels: [
        .init(
          title: "(a) all readings", x: x, y: ChartAxis("error", .logarithmic, limits: limits),
          series: [
            sorted("after 10 iterations, sorted", readings.map(\.at10)),
            sorted("after 50 iterations, sorted", readings.map(\.at50)),
            followed("after 50 iterations, in the order of 10", readings),
          ], references: references),
        .init(
          title: "(b) error after 50 over error after 10, sorted", x: x,
          y: ChartAxis("ratio", .logarithmic, limits: 0.01...100),
          series: [
            sorted(
              "ratio",
              readings.filter { $0.at10 > 0 }.map { $0.at50 / $0.at10 })
          ],
          references: [
            ReferenceLine(1, name: "no change"), ReferenceLine(0.2, name: "1 % over 5 %"),
          ]),
        .init(
          title: "(c) after 10 iterations, by norm", x: x,
          y: ChartAxis("error", .logarithmic, limits: limits), series: byNorm(\.at10),
          references: references),
        .init(
          title: "(d) after 50 iterations, by norm", x: x,
          y: ChartAxis("error", .logarithmic, limits: limits), series: byNorm(\.at50),
          references: references),
      ],
      caption:
        "Each curve is the quantile function of all its readings. Band in (a): four fifths of the "
        + "readings with neighbouring errors after 10 iterations. Errors below 0.00001 are not drawn."
    )
    figure.plotHeight = 280
    return figure.canvas
  }

  /// η² of each choice after 10 and 50 iterations.
  static func varianceFigure(_ readings: [SpecificationReading], _ data: String) -> Canvas {
    func panel(_ title: String, _ these: [SpecificationReading]) -> LineChartGrid.Panel {
      LineChartGrid.Panel(
        title: title, x: ChartAxis("iterations of training", limits: 0...60),
        y: ChartAxis("share of variance, η²"),
        series: SpecificationChoices.Choice.allCases.filter { $0 != .seed }.compactMap { choice in
          let values = [SpecificationAnalysis.Outcome.at10, .at50].map {
            SpecificationAnalysis.explained(these, by: choice, $0)
          }
          // A norm by itself cannot explain what happens inside one norm.
          guard choice != .norm || these.count == readings.count else { return nil }
          return LineSeries(name: choice.name, x: [10, 50], y: values)
        })
    }
    let frobenius = readings.filter {
      SplitError.Norm.allCases[$0.level(of: .norm)] == .frobenius
    }
    var figure = LineChartGrid(
      title: "What decides the error of the split",
      subtitle:
        "\(data); share of the variance of the log error that one choice explains by itself",
      panels: [panel("(a) all norms", readings), panel("(b) relative Frobenius", frobenius)],
      caption: "One-way η² of each choice over \(readings.count) readings; the seed explains "
        + NumberFormat.percent(
          SpecificationAnalysis.explained(readings, by: .seed, .at50)) + " after 50 iterations.")
    figure.plotHeight = 300
    return figure.canvas
  }
}
