import Experiments
import Optimization

extension TraceRuleResults {
  /// Norm and Δ of every layer over training.
  var courseFigure: Canvas {
    let layers = 1...TraceRuleRuns.layerCount
    func rows(_ layer: Int, from first: Int) -> [Int] {
      course.rows.indices.filter {
        course.number("layer", row: $0).value == Double(layer)
          && course.number("step", row: $0).value >= Double(first)
      }
    }
    func values(_ column: String, _ rows: [Int]) -> [Double] {
      rows.map { course.number(column, row: $0).value }
    }
    let interval = TraceRuleResults.settings.interval
    let x = ChartAxis("step of training")
    var grid = LineChartGrid(
      title: "Norm and change rate of every layer",
      subtitle: "784-20-20-20-10 on Fashion-MNIST, trained by KFAC, a record every 20 steps",
      panels: [
        .init(
          title: "(a) norm of each layer's Fisher block", x: x,
          y: ChartAxis("Frobenius norm (no unit)", .logarithmic),
          series: layers.map { layer in
            let these = rows(layer, from: 0)
            return LineSeries(
              name: "layer \(layer)", x: values("step", these), y: values("norm", these),
              least: values("norm_least", these), greatest: values("norm_greatest", these))
          }),
        .init(
          title: "(b) change rate of Equation 8", x: x,
          y: ChartAxis("Δ per 20 steps (no unit)", .logarithmic),
          series: layers.map { layer in
            let these = rows(layer, from: interval)
            return LineSeries(
              name: "layer \(layer)", x: values("step", these), y: values("delta", these))
          },
          references: [
            ReferenceLine(TraceRule.thor.updateAbove, name: "ω₁ of the paper"),
            ReferenceLine(TraceRule.thorStop.stopBelow, name: "ω₂ of the paper"),
          ]),
      ],
      caption: "Lines: medians over three seeds. Bands in (a): least to greatest.")
    (grid.plotWidth, grid.plotHeight) = (280, 190)
    return grid.canvas
  }

  /// One strip of decisions for each layer of each variant.
  var stripFigure: Canvas {
    let tests = TraceRuleRuns.training.steps / TraceRuleRuns.training.interval
    let (cell, left, top) = (26.0, 92.0, 96.0)
    let rowHeight = 22.0
    let groupHeight = Double(TraceRuleRuns.layerCount) * rowHeight + 34
    let width = left + cell * Double(tests) + 24
    var canvas = Canvas(
      width: width, height: top + groupHeight * Double(runs.split.count) + 40,
      title: "What the trace rule decided",
      alternativeText: "Decisions by test and layer for three variants of THOR.")
    canvas.text("What the trace rule decided", at: Point(x: 16, y: 30), size: 16)
    canvas.text(
      "a test every 20 steps, first seed; time runs to the right", at: Point(x: 16, y: 50),
      size: 12, color: .secondaryInk)
    let legend: [(TraceRule.Outcome?, String)] = [
      (.update, "update"), (.keep, "keep"), (.stop, "stop"), (nil, "stopped, not tested"),
    ]
    var place = left
    for (outcome, name) in legend {
      TraceRuleResults.draw(outcome, in: Rectangle(x: place, y: 62, width: 20, height: 16), &canvas)
      canvas.text(name, at: Point(x: place + 26, y: 75), size: 12)
      place += 36 + 8 * Double(name.count)
    }
    for (group, course) in runs.split.enumerated() {
      let start = top + groupHeight * Double(group)
      canvas.text(course.name, at: Point(x: 16, y: start + 14), size: 13)
      for layer in 0..<TraceRuleRuns.layerCount {
        let y = start + 22 + rowHeight * Double(layer)
        canvas.text(
          "layer \(layer + 1)", at: Point(x: left - 10, y: y + 14), size: 11, anchor: .end)
        let strip = TraceRuleRuns.strip(course, layer: layer, runs.layerNames)
        for (test, outcome) in strip.enumerated() {
          TraceRuleResults.draw(
            outcome,
            in: Rectangle(x: left + cell * Double(test), y: y, width: cell - 2, height: 18),
            &canvas)
        }
      }
    }
    let bottom = top + groupHeight * Double(runs.split.count)
    for test in stride(from: 0, to: tests, by: 5) {
      canvas.text(
        "\(test * TraceRuleRuns.training.interval)",
        at: Point(x: left + cell * Double(test) + 12, y: bottom + 4), size: 11, anchor: .middle)
    }
    canvas.text(
      "step of training", at: Point(x: left + cell * Double(tests) / 2, y: bottom + 26), size: 12,
      anchor: .middle)
    return canvas
  }

  /// Colour and sign differ, so that either is enough.
  private static func draw(
    _ outcome: TraceRule.Outcome?, in box: Rectangle, _ canvas: inout Canvas
  ) {
    let middle = Point(x: box.x + box.width / 2, y: box.y + box.height / 2)
    switch outcome {
    case .update:
      canvas.rectangle(box, fill: Color.series[0])
    case .keep:
      canvas.rectangle(box, fill: Color(0xD7E3EE))
      canvas.marker(.circle, at: middle, radius: 2.5, fill: .ink)
    case .stop:
      canvas.rectangle(box, fill: Color.series[1])
      canvas.marker(.cross, at: middle, radius: 5, fill: .white)
    case nil:
      canvas.frame(box, Stroke(.absent))
    }
  }

  /// The rotating curvature: change of the matrix, Δ, and what the stale step keeps.
  var rotationFigure: Canvas {
    func column(_ name: String) -> [Double] {
      rotation.rows.indices.map { rotation.number(name, row: $0).value }
    }
    let x = column("degrees")
    return LineChart(
      title: "A curvature that turns",
      subtitle: "100 parameters; eigenvalues of each factor from 1 to a thousandth; traces fixed",
      x: ChartAxis("angle of the rotation (degrees)", limits: 0...90),
      y: ChartAxis("share (no unit)", limits: 0...1.5),
      series: [
        LineSeries(name: "relative change of F (Frobenius)", x: x, y: column("matrix_change")),
        LineSeries(name: "η of the stale step", x: x, y: column("efficiency")),
        LineSeries(name: "Δ of Equation 8", x: x, y: column("delta")),
      ]
    ).canvas
  }
}
