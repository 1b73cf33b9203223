/// The key of a colour scale: a vertical strip with ticks, and the meaning of grey below it.
struct ColorBar {
  static let stripWidth = 12.0
  static let tickSize = 11.0
  static let labelSize = 11.0

  let scale: ColorScale
  let label: String
  let height: Double

  private var ticks: [AxisScale.Tick] { scale.axis.ticks(atMost: max(3, Int(height / 28))) }
  private var labelLines: [String] {
    TextMetrics.lines(of: label, size: ColorBar.labelSize, width: height)
  }
  /// With a logarithmic scale the strip leaves room for a grey square below it.
  private var stripHeight: Double { scale.absentLabel == nil ? height : height - 20 }
  private var tickWidth: Double {
    (ticks.map(\.label) + [scale.absentLabel ?? ""]).map {
      TextMetrics.width(of: $0, size: ColorBar.tickSize)
    }.max() ?? 0
  }

  /// The room that strip, tick labels and label take.
  var width: Double {
    ColorBar.stripWidth + 7 + tickWidth + 4 + Double(labelLines.count) * 15
  }

  func draw(on canvas: inout Canvas, left: Double, top: Double) {
    let strip = Rectangle(x: left, y: top, width: ColorBar.stripWidth, height: stripHeight)
    let cells = 128
    canvas.image(
      ColorGrid(
        rowCount: cells, columnCount: 1,
        colors: (0..<cells).map { scale.map.color(at: 1 - (Double($0) + 0.5) / Double(cells)) }),
      in: strip)
    canvas.frame(strip, Stroke(.secondaryInk, width: 0.5))
    let labelLeft = strip.right + 7
    for tick in ticks {
      let y = strip.bottom - scale.axis.position(of: tick.value) * strip.height
      canvas.line(
        from: Point(x: strip.right, y: y), to: Point(x: strip.right + 4, y: y), Stroke(.ink))
      canvas.text(
        tick.label, at: Point(x: labelLeft, y: y + 4), size: ColorBar.tickSize)
    }
    if let absent = scale.absentLabel {
      let square = Rectangle(x: left, y: top + height - 10, width: ColorBar.stripWidth, height: 10)
      canvas.rectangle(square, fill: .absent)
      canvas.frame(square, Stroke(.secondaryInk, width: 0.5))
      canvas.text(
        absent, at: Point(x: labelLeft, y: square.bottom - 1), size: ColorBar.tickSize)
    }
    for (index, line) in labelLines.enumerated() {
      canvas.text(
        Text(
          line, at: Point(x: labelLeft + tickWidth + 15 + Double(index) * 15, y: top + height / 2),
          size: ColorBar.labelSize, anchor: .middle, direction: .upwards, color: .secondaryInk))
    }
  }
}
