/// The curves of training runs: loss against steps, operations and seconds, and the test accuracy.
public enum TrainingFigure {
  /// Means over the seeds with bands from least to greatest; a diverged run is left out.
  public static func canvas(
    _ experiment: TrainingExperiment, title: String, subtitle: String, includesTimes: Bool = true
  ) -> Canvas {
    func series(
      _ x: (TrainingExperiment.Point) -> Double, _ y: (TrainingExperiment.Point) -> Double
    ) -> [LineSeries] {
      experiment.entries.compactMap { entry in
        let runs = experiment.runs.filter { $0.name == entry.name && $0.divergence == nil }
        guard let count = runs.map(\.points.count).min(), count > 0 else { return nil }
        // The runs of one method are evaluated at the same steps.
        let columns = (0..<count).map { index in runs.map { $0.points[index] } }
        func mean(
          _ points: [TrainingExperiment.Point], _ value: (TrainingExperiment.Point) -> Double
        )
          -> Double
        {
          points.reduce(0) { $0 + value($1) } / Double(points.count)
        }
        return LineSeries(
          name: entry.name, x: columns.map { mean($0, x) }, y: columns.map { mean($0, y) },
          least: columns.map { $0.map(y).min() ?? 0 },
          greatest: columns.map { $0.map(y).max() ?? 0 })
      }
    }
    var panels = [
      LineChartGrid.Panel(
        title: "training loss over steps", x: ChartAxis("steps"),
        y: ChartAxis("mean −log p", .logarithmic),
        series: series({ Double($0.step) }, \.trainingLoss)),
      LineChartGrid.Panel(
        title: "test accuracy over steps", x: ChartAxis("steps"), y: ChartAxis("share right"),
        series: series({ Double($0.step) }, \.testAccuracy)),
      LineChartGrid.Panel(
        title: "training loss over operations",
        x: ChartAxis("floating-point operations, by formula", .logarithmic),
        y: ChartAxis("mean −log p", .logarithmic), series: series(\.operations, \.trainingLoss)),
    ]
    if includesTimes {
      panels.append(
        LineChartGrid.Panel(
          title: "training loss over seconds", x: ChartAxis("seconds of training", .logarithmic),
          y: ChartAxis("mean −log p", .logarithmic), series: series(\.seconds, \.trainingLoss)))
    }
    return LineChartGrid(
      title: title, subtitle: subtitle, panels: panels, columnCount: 2,
      caption:
        "Lines: means over \(experiment.options.seeds.count) seeds; bands: least to greatest. "
        + "Operations are counted by formula; seconds are of this machine."
    ).canvas
  }
}
