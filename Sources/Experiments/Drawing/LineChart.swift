/// One line chart with its legend below it.
///
/// ```swift
/// let figure = LineChart(
///   title: "What share of the decrease a step loses",
///   x: ChartAxis("damping λ", .logarithmic), y: ChartAxis("1 − η", .logarithmic),
///   series: [LineSeries(name: "KFAC", x: lambdas, y: losses, least: low, greatest: high)],
///   caption: "Fashion-MNIST, iteration 10; bands: five seeds.")
/// let canvas = figure.canvas   // canvas.svg(), canvas.png(), canvas.alternativeText
/// ```
/// A ``LineChartGrid`` of one panel.
public struct LineChart: Sendable {
  public var title, subtitle: String
  public var x, y: ChartAxis
  public var series: [LineSeries]
  public var references: [ReferenceLine]
  public var caption: String
  /// The size of the plotting area in pixels.
  public var plotWidth = 600.0
  public var plotHeight = 360.0

  public init(
    title: String, subtitle: String = "", x: ChartAxis, y: ChartAxis, series: [LineSeries],
    references: [ReferenceLine] = [], caption: String = ""
  ) {
    self.title = title
    self.subtitle = subtitle
    self.x = x
    self.y = y
    self.series = series
    self.references = references
    self.caption = caption
  }

  /// The finished drawing.
  public var canvas: Canvas {
    var grid = LineChartGrid(
      title: title, subtitle: subtitle,
      panels: [LineChartGrid.Panel(x: x, y: y, series: series, references: references)],
      columnCount: 1, caption: caption)
    grid.plotWidth = plotWidth
    grid.plotHeight = plotHeight
    return grid.canvas
  }
}
