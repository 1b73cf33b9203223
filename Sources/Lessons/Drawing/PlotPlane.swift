import Experiments

/// A plane with two labelled axes, for points and cells that no line chart draws.
struct PlotPlane {
  var canvas: Canvas
  let x, y: AxisScale
  /// The inside of the axes.
  let plot: Rectangle

  init(
    title: String, subtitle: String, x: ChartAxis, y: ChartAxis, side: Double = 400,
    right: Double = 84
  ) {
    let fallback = 0.0...1.0
    self.x = AxisScale(x.kind, x.limits ?? fallback)
    self.y = AxisScale(y.kind, y.limits ?? fallback)
    plot = Rectangle(x: 76, y: 68, width: side, height: side)
    canvas = Canvas(
      width: plot.right + right, height: plot.bottom + 62, title: title,
      alternativeText: "\(title): \(y.label) against \(x.label).")
    canvas.text(title, at: Point(x: 16, y: 30), size: 16)
    canvas.text(subtitle, at: Point(x: 16, y: 50), size: 12, color: .secondaryInk)
    canvas.text(
      x.label, at: Point(x: plot.x + side / 2, y: plot.bottom + 42), size: 12, anchor: .middle)
    canvas.text(
      Text(
        y.label, at: Point(x: 22, y: plot.y + side / 2), size: 12, anchor: .middle,
        direction: .upwards))
  }

  /// The place of a pair of values.
  func point(_ x: Double, _ y: Double) -> Point {
    Point(
      x: plot.x + plot.width * self.x.position(of: x),
      y: plot.bottom - plot.height * self.y.position(of: y))
  }

  /// The frame with marks and numbers, above what was drawn before.
  mutating func drawAxes() {
    canvas.frame(plot, Stroke(.ink))
    for tick in x.ticks(atMost: 8) {
      let place = point(tick.value, y.lower)
      canvas.line(from: place, to: Point(x: place.x, y: place.y + 5), Stroke(.ink))
      canvas.text(
        tick.label, at: Point(x: place.x, y: place.y + 19), size: 11, anchor: .middle)
    }
    for tick in y.ticks(atMost: 8) {
      let place = point(x.lower, tick.value)
      canvas.line(from: Point(x: place.x - 5, y: place.y), to: place, Stroke(.ink))
      canvas.text(tick.label, at: Point(x: place.x - 9, y: place.y + 4), size: 11, anchor: .end)
    }
  }
}
