import Experiments
import Optimization

/// The figures of chapter 12.
extension FairRaceMeasurement {
  private func series(
    _ methods: [OptimizerMethod], _ x: (TrainingExperiment.Point) -> Double,
    _ y: (TrainingExperiment.Point) -> Double
  ) -> [LineSeries] {
    methods.map { method in
      let runs = race.runs.filter { $0.name == method.rawValue && $0.divergence == nil }
      // The start, which has cost nothing yet, has no place on a logarithmic axis.
      let columns = (1..<max(1, runs.map(\.points.count).min() ?? 1)).map { index in
        runs.map { $0.points[index] }
      }
      func mean(_ points: [TrainingExperiment.Point], _ value: (TrainingExperiment.Point) -> Double)
        -> Double
      {
        points.reduce(0) { $0 + value($1) } / Double(points.count)
      }
      return LineSeries(
        name: method.rawValue, x: columns.map { mean($0, x) }, y: columns.map { mean($0, y) },
        least: columns.map { $0.map(y).min() ?? 0 },
        greatest: columns.map { $0.map(y).max() ?? 0 })
    }
  }

  /// The methods of the first figure; those that the second one shares keep their look.
  private static let structures: [OptimizerMethod] = [
    .momentum, .thor, .kfac, .naturalGradient, .ekfac, .cgKFAC,
  ]

  var raceFigure: Canvas {
    figure("One race, two axes", FairRaceMeasurement.structures)
  }

  var variantsFigure: Canvas {
    figure("The variants of THOR", [.momentum, .thor, .kfac, .thorStop, .thorNT])
  }

  /// Loss against steps and against operations.
  private func figure(_ title: String, _ methods: [OptimizerMethod]) -> Canvas {
    let widths = FairRaceMeasurement.widths.map(String.init).joined(separator: "-")
    var grid = LineChartGrid(
      title: title,
      subtitle: "UCI digits, \(widths), batch \(FairRaceMeasurement.batch), every method tuned on "
        + "\(losses(.momentum).count) runs",
      panels: [
        LineChartGrid.Panel(
          title: "(a) over steps", x: ChartAxis("steps"),
          y: ChartAxis("training loss, nats", .logarithmic),
          series: series(methods, { Double($0.step) }, \.trainingLoss)),
        LineChartGrid.Panel(
          title: "(b) over operations",
          x: ChartAxis("floating-point operations, by formula", .logarithmic),
          y: ChartAxis("training loss, nats", .logarithmic),
          series: series(methods, \.operations, \.trainingLoss)),
      ], columnCount: 2,
      caption:
        "Lines: means over \(FairRaceMeasurement.seeds.count) seeds; bands: least to greatest.")
    grid.plotWidth = 270
    grid.plotHeight = 205
    return grid.canvas
  }

  /// The expected lowest loss against the number of tuning runs.
  var budgetFigure: Canvas {
    let count = losses(.momentum).count
    var chart = LineChart(
      title: "What a tuning budget buys",
      subtitle: "expected lowest loss of k settings drawn from each method's grid",
      x: ChartAxis("tuning runs k", limits: 0...13),
      y: ChartAxis("training loss, nats", .logarithmic),
      series: FairRaceMeasurement.structures.map { method in
        LineSeries(
          name: method.rawValue, x: (1...count).map(Double.init),
          y: (1...count).map {
            FairRaceMeasurement.expectedBest(of: losses(method), drawing: $0)
          })
      }, caption: "One seed; a failed run counts as log 10, the loss of equal probabilities.")
    chart.plotWidth = 480
    chart.plotHeight = 280
    return chart.canvas
  }

  /// The final loss of each second-order method at three dampings.
  func dampingFigure(alternativeText: String) -> Canvas {
    let methods = FairRaceMeasurement.methods.filter(\.isSecondOrder)
    let names = ["λ/10", "λ as tuned", "10 λ"]
    return DotPanels(
      title: "Change the damping", subtitle: "means over 3 seeds; no dot: a run failed",
      rows: methods.map(\.rawValue),
      panels: [
        DotPanels.Panel(
          title: "final loss at three dampings",
          series: zip(names, FairRaceMeasurement.multiples).map { name, multiple in
            (name, methods.map { dampedLoss($0, multiple) ?? .nan })
          })
      ], x: ChartAxis("final training loss, nats", .logarithmic), panelWidth: 480, rowHeight: 24
    ).canvas(alternativeText: alternativeText)
  }
}
