/// Values of named things as dots in rows, for comparison across a few series.
///
/// ```swift
/// let figure = DotChart(
///   title: "What each structure misses", x: ChartAxis("relative Frobenius error", .logarithmic),
///   rows: ["KFAC", "EKFAC"], series: [("exact λ", [0.7, 0.5]), ("λ on the factors", [0.8, nil])])
/// let canvas = figure.canvas
/// ```
/// Rows keep the given order from the top; a missing value, or one that the axis cannot show, leaves
/// its place empty.
public struct DotChart: Sendable {
  public var title, subtitle: String
  public var x: ChartAxis
  public var rows: [String]
  public var series: [(name: String, values: [Double?])]
  public var caption: String
  /// The width of the plotting area and the height of a row in pixels.
  public var plotWidth = 480.0
  public var rowHeight = 22.0

  public init(
    title: String, subtitle: String = "", x: ChartAxis, rows: [String],
    series: [(name: String, values: [Double?])], caption: String = ""
  ) {
    precondition(
      !rows.isEmpty && series.allSatisfy { $0.values.count == rows.count },
      "\(rows.count) rows, and series of \(series.map(\.values.count))")
    self.title = title
    self.subtitle = subtitle
    self.x = x
    self.rows = rows
    self.series = series
    self.caption = caption
  }

  /// What the figure shows, in sentences.
  public var alternativeText: String {
    let head = [title, subtitle].filter { !$0.isEmpty }.joined(separator: ". ")
    let body = series.map { name, values in
      let shown = zip(rows, values).compactMap { row, value in
        value.map { "\(row) \(NumberText.short($0))" }
      }
      return "\(name), \(x.label): " + shown.joined(separator: "; ")
    }
    return ([head] + body).joined(separator: ". ") + "."
  }

  /// The finished drawing.
  public var canvas: Canvas {
    let scale = x.scale(fitting: series.flatMap { $0.values.compactMap { $0 } })
    let left =
      (rows.map { TextMetrics.width(of: $0, size: FigureText.labelSize) }.max() ?? 0).rounded(.up)
      + 12
    let inner = left + plotWidth + 24
    let styles = series.indices.map { SeriesStyle(index: $0) }
    let legend = ChartLegend(
      series.count < 2
        ? []
        : zip(series, styles).map {
          ChartLegend.Entry(
            name: $0.name, stroke: Stroke($1.stroke.color, width: 0.01), marker: $1.marker)
        },
      width: inner)
    let frame = FigureFrame(
      title: title, subtitle: subtitle, notes: [], caption: caption, width: inner)
    let height = rowHeight * Double(rows.count)
    let area = Rectangle(
      x: FigureText.margin + left, y: (FigureText.margin + frame.headHeight + 4).rounded(),
      width: plotWidth, height: height)
    var canvas = Canvas(
      width: inner + 2 * FigureText.margin,
      height: area.bottom + 44 + legend.height + frame.footHeight + FigureText.margin,
      title: title, alternativeText: alternativeText)
    drawAxes(on: &canvas, area, scale)
    for (style, values) in zip(styles, series.map(\.values)) {
      for (row, value) in values.enumerated() {
        guard let value, scale.admits(value), (0...1).contains(scale.position(of: value)) else {
          continue
        }
        canvas.marker(
          style.marker,
          at: Point(x: area.x + scale.position(of: value) * area.width, y: y(row, area)),
          radius: 4.2, fill: style.stroke.color)
      }
    }
    legend.draw(on: &canvas, left: FigureText.margin, top: area.bottom + 44)
    frame.draw(on: &canvas)
    return canvas
  }

  private func y(_ row: Int, _ area: Rectangle) -> Double {
    area.y + (Double(row) + 0.5) * rowHeight
  }

  private func drawAxes(on canvas: inout Canvas, _ area: Rectangle, _ scale: AxisScale) {
    for (row, name) in rows.enumerated() {
      canvas.line(
        from: Point(x: area.x, y: y(row, area)), to: Point(x: area.right, y: y(row, area)),
        Stroke(.grid))
      canvas.text(
        name, at: Point(x: area.x - 8, y: y(row, area) + 4), size: FigureText.labelSize,
        anchor: .end)
    }
    for tick in scale.ticks(atMost: max(3, Int(area.width / 70))) {
      let x = area.x + scale.position(of: tick.value) * area.width
      canvas.line(from: Point(x: x, y: area.y), to: Point(x: x, y: area.bottom), Stroke(.grid))
      canvas.line(
        from: Point(x: x, y: area.bottom), to: Point(x: x, y: area.bottom + 5), Stroke(.ink))
      canvas.text(
        tick.label, at: Point(x: x, y: area.bottom + 17), size: FigureText.tickSize,
        anchor: .middle)
    }
    canvas.line(
      from: Point(x: area.x, y: area.bottom), to: Point(x: area.right, y: area.bottom),
      Stroke(.ink))
    canvas.text(
      x.label, at: Point(x: area.x + area.width / 2, y: area.bottom + 34),
      size: FigureText.labelSize, anchor: .middle)
  }
}
