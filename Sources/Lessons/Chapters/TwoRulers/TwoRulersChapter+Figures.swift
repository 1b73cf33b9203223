import DenseAlgebra
import Experiments
import Foundation

/// A plane with equal units on both axes on which curves are drawn.
struct PlanePlot {
  let area: Rectangle
  let x, y: AxisScale

  /// The height follows from the width, so that a circle is a circle.
  init(left: Double, top: Double, width: Double, x: ClosedRange<Double>, y: ClosedRange<Double>) {
    let height = width * (y.upperBound - y.lowerBound) / (x.upperBound - x.lowerBound)
    area = Rectangle(x: left, y: top, width: width, height: height)
    self.x = AxisScale(.linear, x)
    self.y = AxisScale(.linear, y)
  }

  func place(_ point: Vector) -> Point {
    Point(
      x: area.x + x.position(of: point[0]) * area.width,
      y: area.bottom - y.position(of: point[1]) * area.height)
  }

  func drawAxes(on canvas: inout Canvas, title: String, xLabel: String, yLabel: String) {
    for tick in x.ticks(atMost: 7) {
      let x = area.x + self.x.position(of: tick.value) * area.width
      canvas.line(from: Point(x: x, y: area.y), to: Point(x: x, y: area.bottom), Stroke(.grid))
      canvas.text(tick.label, at: Point(x: x, y: area.bottom + 15), size: 11, anchor: .middle)
    }
    for tick in y.ticks(atMost: 6) {
      let y = area.bottom - self.y.position(of: tick.value) * area.height
      canvas.line(from: Point(x: area.x, y: y), to: Point(x: area.right, y: y), Stroke(.grid))
      canvas.text(tick.label, at: Point(x: area.x - 6, y: y + 4), size: 11, anchor: .end)
    }
    canvas.frame(area, Stroke(.secondaryInk, width: 0.8))
    canvas.text(title, at: Point(x: area.x, y: area.y - 8), size: 12.5)
    canvas.text(
      xLabel, at: Point(x: area.x + area.width / 2, y: area.bottom + 33), size: 12, anchor: .middle)
    canvas.text(
      Text(
        yLabel, at: Point(x: area.x - 34, y: area.y + area.height / 2), size: 12, anchor: .middle,
        direction: .upwards))
  }

  /// The parts of a curve that lie inside the frame.
  func draw(_ points: [Vector], on canvas: inout Canvas, _ stroke: Stroke) {
    var run: [Point] = []
    for point in points {
      if (0...1).contains(x.position(of: point[0])) && (0...1).contains(y.position(of: point[1])) {
        run.append(place(point))
      } else {
        canvas.polyline(run, stroke)
        run = []
      }
    }
    canvas.polyline(run, stroke)
  }
}

/// The figures of chapter 01.
enum TwoRulersFigures {
  private static let divergenceStroke = Stroke(Color.series[0], width: 2)
  private static let fisherStroke = Stroke(Color.series[1], width: 1.7, dashes: [6, 3])
  private static let circleStroke = Stroke(Color(0x666666), width: 1.5, dashes: [2, 2])

  private static func legend(
    _ entries: [(String, Stroke)], on canvas: inout Canvas, left: Double, top: Double
  ) {
    var x = left
    for (name, stroke) in entries {
      canvas.line(from: Point(x: x, y: top), to: Point(x: x + 30, y: top), stroke)
      canvas.text(name, at: Point(x: x + 36, y: top + 4), size: 12)
      x += 36 + TextMetrics.width(of: name, size: 12) + 22
    }
  }

  private static func ellipse(_ center: Vector, _ fisher: Matrix) -> [Vector] {
    TwoRulersMeasurement.contour(center) { point in
      let δ = point - center
      return 0.5 * δ.dot(fisher * δ)
    }
  }

  static func balls(alternativeText: String) -> Canvas {
    var canvas = Canvas(
      width: 800, height: 440, title: "Balls of two rulers",
      alternativeText: alternativeText)
    canvas.text("Balls of two rulers", at: Point(x: 16, y: 32), size: 16)
    let normal = PlanePlot(left: 62, top: 78, width: 400, x: -1.5...4.5, y: 0...3.6)
    normal.drawAxes(
      on: &canvas, title: "(a) normal distribution", xLabel: "mean μ (unit of the data)",
      yLabel: "deviation σ (unit of the data)")
    for here in TwoRulersMeasurement.normals {
      let center = Vector([here.mean, here.deviation])
      let curve = TwoRulersMeasurement.contour(center) { point in
        point[1] <= 0
          ? .infinity : NormalFit.divergence(here, (mean: point[0], deviation: point[1]))
      }
      let fisher = NormalFit.fisher(.deviation, mean: here.mean, deviation: here.deviation)
      draw(center, curve, ellipse(center, fisher), on: &canvas, normal)
    }
    let softmax = PlanePlot(left: 530, top: 78, width: 254, x: -1.4...4.6, y: -3.4...3.4)
    softmax.drawAxes(
      on: &canvas, title: "(b) softmax of three classes", xLabel: "logit of class 1 (no unit)",
      yLabel: "logit of class 2 (no unit)")
    for center in TwoRulersMeasurement.softmaxes {
      let curve = TwoRulersMeasurement.contour(center) {
        TwoRulersMeasurement.divergence(center, $0)
      }
      let fisher = TwoRulersMeasurement.fisher(center)
      draw(center, curve, ellipse(center, fisher), on: &canvas, softmax)
    }
    legend(
      [
        ("equal KL divergence", divergenceStroke),
        ("Fisher ellipse of the same size", fisherStroke),
        ("Euclidean circles of one radius", circleStroke),
      ], on: &canvas, left: 16, top: 424)
    return canvas
  }

  private static func draw(
    _ center: Vector, _ curve: [Vector], _ ellipse: [Vector], on canvas: inout Canvas,
    _ plot: PlanePlot
  ) {
    let circle = ellipse.indices.map { index -> Vector in
      let δ = ellipse[index] - center
      return center + (TwoRulersMeasurement.circleRadius / δ.norm) * δ
    }
    plot.draw(circle, on: &canvas, circleStroke)
    plot.draw(ellipse, on: &canvas, fisherStroke)
    plot.draw(curve, on: &canvas, divergenceStroke)
    canvas.marker(.circle, at: plot.place(center), radius: 2.5, fill: .ink)
  }

  static func paths(
    _ paths: [(method: NormalFit.Method, points: [Vector])], alternativeText: String
  ) -> Canvas {
    var canvas = Canvas(
      width: 800, height: 424, title: "One valley, two planes",
      alternativeText: alternativeText)
    canvas.text("One valley, two planes", at: Point(x: 16, y: 32), size: 16)
    let left = PlanePlot(left: 62, top: 78, width: 320, x: -1.8...1.8, y: -0.8...2.2)
    let right = PlanePlot(left: 456, top: 78, width: 320, x: -1.8...1.8, y: -2.2...0.8)
    for loss in [0.1, 0.5, 1, 2, 4, 8] {
      let circle = (0...540).map { index -> Vector in
        let angle = Double(index) * .pi / 270
        return Vector([1, 0]) + (2 * loss).squareRoot() * Vector([cos(angle), sin(angle)])
      }
      right.draw(circle, on: &canvas, Stroke(Color(0xB8B8B8)))
      left.draw(circle.map(BentValley.parameters), on: &canvas, Stroke(Color(0xB8B8B8)))
    }
    left.drawAxes(
      on: &canvas, title: "(a) parameters", xLabel: "a (no unit)", yLabel: "b (no unit)")
    right.drawAxes(
      on: &canvas, title: "(b) means of the model", xLabel: "first mean (no unit)",
      yLabel: "second mean (no unit)")
    let strokes = [
      Stroke(Color.series[0], width: 2), Stroke(Color.series[1], width: 2, dashes: [7, 3]),
      Stroke(Color.series[2], width: 2, dashes: [2, 2]),
    ]
    let markers: [Marker] = [.circle, .square, .triangle]
    for (index, path) in paths.enumerated() {
      for (plot, points) in [(left, path.points), (right, path.points.map(BentValley.mean))] {
        plot.draw(points, on: &canvas, strokes[index])
        for point in stride(from: 6 + 3 * index, to: points.count - 3, by: 12) {
          canvas.marker(
            markers[index], at: plot.place(points[point]), radius: 3.2, fill: strokes[index].color)
        }
      }
    }
    for (plot, map) in [(left, { $0 }), (right, BentValley.mean)]
      as [(PlanePlot, (Vector) -> Vector)]
    {
      let (start, end) = (plot.place(map(BentValley.start)), plot.place(map(Vector([1, 1]))))
      canvas.marker(.diamond, at: start, radius: 4, fill: .ink)
      canvas.marker(.plus, at: end, radius: 4.5, fill: .ink)
      canvas.text("start", at: Point(x: start.x - 9, y: start.y + 4), size: 11, anchor: .end)
      canvas.text("end", at: Point(x: end.x + 9, y: end.y + 4), size: 11)
    }
    legend(
      zip(NormalFit.Method.allCases, strokes).map { ($0.rawValue, $1) }, on: &canvas, left: 16,
      top: 404)
    return canvas
  }

  static func steps(_ table: ResultTable) -> Canvas {
    let rates = table.rows.indices.map { table.number("rate", row: $0).value }
    var chart = LineChart(
      title: "One step, written in two ways",
      x: ChartAxis("learning rate (no unit)", .logarithmic),
      y: ChartAxis("distance of the ends / length of the step (no unit)", .logarithmic),
      series: NormalFit.Method.allCases.map { method in
        LineSeries(
          name: method.rawValue, x: rates,
          y: table.rows.indices.map { table.number(method.rawValue, row: $0).value })
      },
      caption: "Normal distribution, a step in (μ, σ) against the same step in (μ, log σ).")
    chart.plotWidth = 460
    chart.plotHeight = 250
    return chart.canvas
  }
}
