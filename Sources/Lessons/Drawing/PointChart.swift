import Experiments

/// Title, legend and axes of the charts below, in the look of `LineChart`.
enum PointChart {
  static let margin = 16.0
  static let tickSize = 11.0
  static let labelSize = 12.0

  /// Title and subtitle over a width; returns the bottom edge. Draws only where there is a canvas.
  @discardableResult
  static func head(_ title: String, _ subtitle: String, width: Double, on canvas: inout Canvas)
    -> Double
  {
    var y = margin
    for line in TextMetrics.lines(of: title, size: 16, width: width) {
      canvas.text(line, at: Point(x: margin, y: y + 16), size: 16)
      y += 21
    }
    for line in TextMetrics.lines(of: subtitle, size: 12, width: width) {
      canvas.text(line, at: Point(x: margin, y: y + 13), size: 12, color: .secondaryInk)
      y += 16
    }
    return y + 12
  }

  /// The height that `head` takes.
  static func headHeight(_ title: String, _ subtitle: String, width: Double) -> Double {
    let titles = TextMetrics.lines(of: title, size: 16, width: width).count
    let subtitles = TextMetrics.lines(of: subtitle, size: 12, width: width).count
    return margin + 21 * Double(titles) + 16 * Double(subtitles) + 12
  }

  /// Marks with their names from left to right, broken into lines; returns the height.
  @discardableResult
  static func legend(_ names: [String], width: Double, top: Double, on canvas: inout Canvas)
    -> Double
  {
    var (x, y) = (margin, top + 10)
    for (index, name) in names.enumerated() {
      let entry = 22 + TextMetrics.width(of: name, size: labelSize)
      if x > margin && x + entry > margin + width { (x, y) = (margin, y + 18) }
      canvas.marker(
        marker(index), at: Point(x: x + 6, y: y - 4), radius: 4.5, fill: color(index))
      canvas.text(name, at: Point(x: x + 16, y: y), size: labelSize)
      x += entry + 14
    }
    return y + 8 - top
  }

  static func color(_ index: Int) -> Color { Color.series[index % Color.series.count] }
  static func marker(_ index: Int) -> Marker { Marker.allCases[index % Marker.allCases.count] }

  /// Grid lines, marks and their labels under a plot.
  static func xAxis(
    _ scale: AxisScale, label: String, in plot: Rectangle, ticks count: Int,
    on canvas: inout Canvas
  ) {
    for tick in scale.ticks(atMost: count) {
      let x = plot.x + scale.position(of: tick.value) * plot.width
      canvas.line(from: Point(x: x, y: plot.y), to: Point(x: x, y: plot.bottom), Stroke(.grid))
      canvas.line(
        from: Point(x: x, y: plot.bottom), to: Point(x: x, y: plot.bottom + 4), Stroke(.ink))
      canvas.text(
        tick.label, at: Point(x: x, y: plot.bottom + 17), size: tickSize, anchor: .middle)
    }
    canvas.text(
      label, at: Point(x: plot.x + plot.width / 2, y: plot.bottom + 36), size: labelSize,
      anchor: .middle)
  }
}

/// Dots for named rows, in panels that share the rows.
struct DotPanels {
  struct Panel {
    var title: String
    /// Of each series one value per row.
    var series: [(name: String, values: [Double])]
  }

  var title: String
  var subtitle = ""
  var rows: [String]
  var panels: [Panel]
  var x: ChartAxis
  var panelWidth = 210.0
  var rowHeight = 30.0

  func canvas(alternativeText: String) -> Canvas {
    let left = rows.map { TextMetrics.width(of: $0, size: 12) }.max() ?? 0
    let pitch = panelWidth + 26
    let inner = left + 12 + pitch * Double(panels.count)
    let headHeight = PointChart.headHeight(title, subtitle, width: inner)
    let plotTop = headHeight + 20
    let plotHeight = rowHeight * Double(rows.count)
    let legendTop = plotTop + plotHeight + 50
    var canvas = Canvas(
      width: inner + 2 * PointChart.margin, height: legendTop + 46, title: title,
      alternativeText: alternativeText)
    PointChart.head(title, subtitle, width: inner, on: &canvas)
    let values = panels.flatMap { $0.series.flatMap(\.values) }
    let scale = x.limits.map { AxisScale(x.kind, $0) } ?? AxisScale(x.kind, fitting: values)
    for (index, row) in rows.enumerated() {
      canvas.text(
        row,
        at: Point(
          x: PointChart.margin + left, y: plotTop + (Double(index) + 0.5) * rowHeight + 4),
        size: 12, anchor: .end)
    }
    for (index, panel) in panels.enumerated() {
      let plot = Rectangle(
        x: PointChart.margin + left + 12 + Double(index) * pitch, y: plotTop, width: panelWidth,
        height: plotHeight)
      draw(panel, in: plot, scale, on: &canvas)
    }
    PointChart.legend(
      panels.first?.series.map(\.name) ?? [], width: inner, top: legendTop, on: &canvas)
    return canvas
  }

  private func draw(
    _ panel: Panel, in plot: Rectangle, _ scale: AxisScale, on canvas: inout Canvas
  ) {
    canvas.text(panel.title, at: Point(x: plot.x, y: plot.y - 8), size: 12.5)
    PointChart.xAxis(scale, label: x.label, in: plot, ticks: 6, on: &canvas)
    for row in rows.indices {
      let y = plot.y + (Double(row) + 0.5) * rowHeight
      canvas.line(from: Point(x: plot.x, y: y), to: Point(x: plot.right, y: y), Stroke(.grid))
    }
    canvas.frame(plot, Stroke(.secondaryInk, width: 0.8))
    for (index, series) in panel.series.enumerated() {
      // Dots of one row lie a little above each other, so that equal values stay visible.
      let offset = (Double(index) - Double(panel.series.count - 1) / 2) * 5
      for (row, value) in series.values.enumerated() where AxisScale.admits(value, scale.kind) {
        let y = plot.y + (Double(row) + 0.5) * rowHeight + offset
        let position = min(max(scale.position(of: value), 0), 1)
        canvas.marker(
          PointChart.marker(index), at: Point(x: plot.x + position * plot.width, y: y),
          radius: 4.2, fill: PointChart.color(index))
      }
    }
  }
}

/// Points in the plane, with straight lines for comparison.
struct ScatterChart {
  struct Series {
    var name: String
    var points: [(x: Double, y: Double)]
  }
  struct Line {
    var name: String
    var from, to: (x: Double, y: Double)
  }

  var title: String
  var subtitle = ""
  var x, y: ChartAxis
  var series: [Series]
  var lines: [Line] = []
  var plotWidth = 470.0
  var plotHeight = 360.0
  var radius = 2.6

  func canvas(alternativeText: String) -> Canvas {
    let xs = series.flatMap { $0.points.map(\.x) }
    let ys = series.flatMap { $0.points.map(\.y) }
    let xScale = x.limits.map { AxisScale(x.kind, $0) } ?? AxisScale(x.kind, fitting: xs)
    let yScale = y.limits.map { AxisScale(y.kind, $0) } ?? AxisScale(y.kind, fitting: ys)
    let yTicks = yScale.ticks(atMost: 8)
    let tickWidth = yTicks.map { TextMetrics.width(of: $0.label, size: 11) }.max() ?? 0
    let left = PointChart.margin + 24 + tickWidth + 8
    let inner = left - PointChart.margin + plotWidth + 12
    let plotTop = PointChart.headHeight(title, subtitle, width: inner) + 4
    let plot = Rectangle(x: left, y: plotTop, width: plotWidth, height: plotHeight)
    let legendTop = plot.bottom + 50
    let legendHeight = 24 + 18 * Double(lines.count) + (series.count > 3 ? 18 : 0)
    var canvas = Canvas(
      width: inner + 2 * PointChart.margin, height: legendTop + legendHeight + 12, title: title,
      alternativeText: alternativeText)
    PointChart.head(title, subtitle, width: inner, on: &canvas)
    for tick in yTicks {
      let height = plot.bottom - yScale.position(of: tick.value) * plot.height
      canvas.line(
        from: Point(x: plot.x, y: height), to: Point(x: plot.right, y: height), Stroke(.grid))
      canvas.text(tick.label, at: Point(x: plot.x - 7, y: height + 4), size: 11, anchor: .end)
    }
    canvas.text(
      Text(
        y.label, at: Point(x: PointChart.margin + 12, y: plot.y + plot.height / 2), size: 12,
        anchor: .middle, direction: .upwards))
    PointChart.xAxis(xScale, label: x.label, in: plot, ticks: 8, on: &canvas)
    canvas.frame(plot, Stroke(.secondaryInk, width: 0.8))
    func place(_ point: (x: Double, y: Double)) -> Point {
      Point(
        x: plot.x + xScale.position(of: point.x) * plot.width,
        y: plot.bottom - yScale.position(of: point.y) * plot.height)
    }
    for (index, line) in lines.enumerated() {
      canvas.line(from: place(line.from), to: place(line.to), ScatterChart.stroke(index))
    }
    for (index, series) in series.enumerated() {
      for point in series.points
      where AxisScale.admits(point.x, x.kind) && AxisScale.admits(point.y, y.kind) {
        canvas.marker(
          PointChart.marker(index), at: place(point), radius: radius,
          fill: PointChart.color(index))
      }
    }
    let height = PointChart.legend(
      series.map(\.name), width: inner, top: legendTop, on: &canvas)
    for (index, line) in lines.enumerated() {
      let y = legendTop + height + 6 + 18 * Double(index)
      canvas.line(
        from: Point(x: PointChart.margin, y: y), to: Point(x: PointChart.margin + 26, y: y),
        ScatterChart.stroke(index))
      canvas.text(line.name, at: Point(x: PointChart.margin + 34, y: y + 4), size: 12)
    }
    return canvas
  }

  private static func stroke(_ index: Int) -> Stroke {
    Stroke(
      index == 0 ? Color(0x555555) : PointChart.color(index + 3), width: 1.4,
      dashes: index == 0 ? [] : [6, 4])
  }
}
