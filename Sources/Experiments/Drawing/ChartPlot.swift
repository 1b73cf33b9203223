/// One plotting area with its axes: what a panel of a line chart becomes.
struct ChartPlot {
  let panel: LineChartGrid.Panel
  let xScale, yScale: AxisScale
  let xTicks, yTicks: [AxisScale.Tick]
  let xLabelLines, yLabelLines, titleLines: [String]
  let width, height: Double

  init(_ panel: LineChartGrid.Panel, width: Double, height: Double) {
    self.panel = panel
    self.width = width
    self.height = height
    xScale = panel.x.scale(fitting: panel.series.flatMap(\.x))
    yScale = panel.y.scale(
      fitting: panel.series.flatMap { $0.y + $0.least + $0.greatest }
        + panel.references.map(\.value))
    yTicks = yScale.ticks(atMost: max(3, Int(height / 34)))
    xTicks = ChartPlot.fittingTicks(xScale, width: width)
    xLabelLines = TextMetrics.lines(of: panel.x.label, size: FigureText.labelSize, width: width)
    yLabelLines = TextMetrics.lines(of: panel.y.label, size: FigureText.labelSize, width: height)
    titleLines = TextMetrics.lines(
      of: panel.title, size: FigureText.panelTitleSize, width: width)
  }

  /// As many ticks as leave a gap between their labels.
  private static func fittingTicks(_ scale: AxisScale, width: Double) -> [AxisScale.Tick] {
    for count in stride(from: max(3, Int(width / 45)), to: 2, by: -1) {
      let ticks = scale.ticks(atMost: count)
      let ends = ticks.map { tick in
        let middle = scale.position(of: tick.value) * width
        let half = TextMetrics.width(of: tick.label, size: FigureText.tickSize) / 2
        return (left: middle - half, right: middle + half)
      }
      if zip(ends, ends.dropFirst()).allSatisfy({ $0.right + 8 <= $1.left }) { return ticks }
    }
    return scale.ticks(atMost: 2)
  }

  /// The room left of the plotting area.
  var leftRoom: Double {
    let tickWidth =
      yTicks.map { TextMetrics.width(of: $0.label, size: FigureText.tickSize) }.max() ?? 0
    return tickWidth + 8 + (yLabelLines.isEmpty ? 0 : Double(yLabelLines.count) * 15 + 6)
  }
  /// The room right of it, for the last label of the x axis.
  var rightRoom: Double {
    let overhang = xTicks.map {
      xScale.position(of: $0.value) * width
        + TextMetrics.width(of: $0.label, size: FigureText.tickSize) / 2 - width
    }
    return max(4, overhang.max() ?? 0)
  }
  var topRoom: Double {
    titleLines.isEmpty
      ? 6 : FigureText.height(titleLines.count, size: FigureText.panelTitleSize) + 7
  }
  var bottomRoom: Double { 22 + Double(xLabelLines.count) * 15 }

  /// Points that an axis cannot show at all.
  var hiddenPointCount: Int {
    panel.series.reduce(0) { total, series in
      total + zip(series.x, series.y).count { !xScale.admits($0) || !yScale.admits($1) }
    }
  }

  func draw(
    on canvas: inout Canvas, left: Double, top: Double, styles: [String: SeriesStyle],
    references: [String: Stroke]
  ) {
    let area = Rectangle(x: left, y: top, width: width, height: height)
    drawAxes(on: &canvas, area)
    for series in panel.series where series.hasBand {
      drawBand(of: series, on: &canvas, area, styles[series.name]!.stroke.color)
    }
    for reference in panel.references where yScale.admits(reference.value) {
      let position = yScale.position(of: reference.value)
      guard (0...1).contains(position) else { continue }
      let y = area.bottom - position * area.height
      canvas.line(
        from: Point(x: area.x, y: y), to: Point(x: area.right, y: y), references[reference.name]!)
    }
    for (index, series) in panel.series.enumerated() {
      drawLine(of: series, on: &canvas, area, styles[series.name]!, rank: index)
    }
    FigureText.draw(
      titleLines, on: &canvas, left: left, top: top - topRoom, size: FigureText.panelTitleSize)
  }

  private func drawAxes(on canvas: inout Canvas, _ area: Rectangle) {
    for tick in xTicks {
      let x = area.x + xScale.position(of: tick.value) * area.width
      canvas.line(from: Point(x: x, y: area.y), to: Point(x: x, y: area.bottom), Stroke(.grid))
      canvas.line(
        from: Point(x: x, y: area.bottom), to: Point(x: x, y: area.bottom + 5), Stroke(.ink))
      canvas.text(
        tick.label, at: Point(x: x, y: area.bottom + 17), size: FigureText.tickSize,
        anchor: .middle)
    }
    for tick in yTicks {
      let y = area.bottom - yScale.position(of: tick.value) * area.height
      canvas.line(from: Point(x: area.x, y: y), to: Point(x: area.right, y: y), Stroke(.grid))
      canvas.line(from: Point(x: area.x - 5, y: y), to: Point(x: area.x, y: y), Stroke(.ink))
      canvas.text(
        tick.label, at: Point(x: area.x - 8, y: y + 4), size: FigureText.tickSize, anchor: .end)
    }
    for value in xScale.minorTicks {
      let x = area.x + xScale.position(of: value) * area.width
      canvas.line(
        from: Point(x: x, y: area.bottom), to: Point(x: x, y: area.bottom + 2.5),
        Stroke(.ink, width: 0.6))
    }
    for value in yScale.minorTicks {
      let y = area.bottom - yScale.position(of: value) * area.height
      canvas.line(
        from: Point(x: area.x - 2.5, y: y), to: Point(x: area.x, y: y), Stroke(.ink, width: 0.6))
    }
    canvas.polyline(
      [
        Point(x: area.x, y: area.y), Point(x: area.x, y: area.bottom),
        Point(x: area.right, y: area.bottom),
      ], Stroke(.ink))
    for (index, line) in xLabelLines.enumerated() {
      canvas.text(
        line, at: Point(x: area.x + area.width / 2, y: area.bottom + 34 + Double(index) * 15),
        size: FigureText.labelSize, anchor: .middle)
    }
    for (index, line) in yLabelLines.enumerated() {
      let x = area.x - leftRoom + 11 + Double(index) * 15
      canvas.text(
        Text(
          line, at: Point(x: x, y: area.y + area.height / 2), size: FigureText.labelSize,
          anchor: .middle, direction: .upwards))
    }
  }
}
