import DataFiles
import DenseAlgebra
import Experiments
import Foundation

extension SplitMeasurement {
  /// KFAC's matrix, its split and the difference after 10 and 50 iterations of the first seed.
  var panels: Canvas {
    func row(_ index: Int, _ title: String) -> HeatmapGrid.Row {
      let (whole, split) = (dense(index, split: nil), dense(index, split: options.split))
      let bounds = [420, 840]
      func panel(_ name: String, _ matrix: Matrix) -> HeatmapGrid.Panel {
        HeatmapGrid.Panel(
          title: name, matrix: matrix.map(\.magnitude), layerBoundaries: bounds,
          layerNames: ["layer 2", "layer 3", "layer 4"])
      }
      let panels = [
        panel("(a) KFAC", whole), panel("(b) split 10", split),
        panel("(c) |(a) − (b)|", whole - split),
      ]
      return HeatmapGrid.Row(
        title: title,
        groups: [.init(panels, kind: .logarithmicMagnitude(decades: 4), label: "|entry|")])
    }
    return HeatmapGrid(
      title: "THOR's Figure 4, drawn again",
      subtitle: "784-20-20-20-10 with ReLU on Fashion-MNIST, layers 2 to 4, first seed",
      rows: [row(0, "After 10 iterations"), row(1, "After 50 iterations")],
      caption: "Dashed lines separate layers. Logarithmic colour over four decades.",
      panelSide: 178
    ).canvas
  }

  /// The split's error against its size.
  func sizesFigure(_ table: ResultTable) -> Canvas {
    func values(_ column: String) -> [Double] {
      table.rows.indices.map { table.number(column, row: $0).value }
    }
    let x = values("size")
    func series(_ name: String, _ column: String) -> LineSeries {
      LineSeries(
        name: name, x: x, y: values(column + "_mean"), least: values(column + "_least"),
        greatest: values(column + "_greatest"))
    }
    return LineChartGrid(
      title: "What the split removes, by its size",
      subtitle: "layers 2 to 4; A is 21 wide (bias last), G is 20 or 10 wide; five seeds",
      panels: [
        .init(
          title: "(a) of A ⊗ G", x: ChartAxis("split size d (coordinates)", limits: 0...22),
          y: ChartAxis("relative Frobenius error (no unit)", limits: 0...1),
          series: [
            series("after 10 iterations", "matrix_10"), series("after 50 iterations", "matrix_50"),
          ]),
        .init(
          title: "(b) of the damped inverse",
          x: ChartAxis("split size d (coordinates)", limits: 0...22),
          y: ChartAxis("relative Frobenius error (no unit)", limits: 0...1),
          series: [
            series("after 10 iterations", "inverse_10"),
            series("after 50 iterations", "inverse_50"),
          ]),
      ],
      caption: "Lines: mean over the seeds. Bands: least to greatest."
    ).canvas
  }
}

extension SplitCurve {
  /// Sorted errors of all readings.
  var curveFigure: Canvas {
    func column(_ name: String) -> [Double] {
      quantiles.rows.indices.map { quantiles.number(name, row: $0).value }
    }
    return LineChart(
      title: "The specification curve of Figure 4",
      subtitle: "every reading of what the paper leaves unstated, each curve sorted by itself",
      x: ChartAxis("share of the readings with a smaller error (no unit)"),
      y: ChartAxis("error of the split (no unit)", .logarithmic, limits: 1e-3...2),
      series: [
        LineSeries(name: "after 10 iterations", x: column("share"), y: column("at_10")),
        LineSeries(name: "after 50 iterations", x: column("share"), y: column("at_50")),
      ],
      references: [
        ReferenceLine(0.05, name: "5 % (printed, 10 iterations)"),
        ReferenceLine(0.01, name: "1 % (printed, 50 iterations)"),
      ]
    ).canvas
  }

  /// All readings in the plane of both errors, with the paper's sentence as a box.
  var densityFigure: Canvas {
    let limits = SplitCurve.lower...SplitCurve.upper
    var plane = PlotPlane(
      title: "Where the readings of Figure 4 lie",
      subtitle:
        "darker: more readings (logarithmic); the box is what the paper's sentence asks for",
      x: ChartAxis("error after 10 iterations (no unit)", .logarithmic, limits: limits),
      y: ChartAxis("error after 50 iterations (no unit)", .logarithmic, limits: limits))
    let count = SplitCurve.cellCount
    func integer(_ cell: CSV.Cell) -> Int {
      if case .integer(let value) = cell { value } else { 0 }
    }
    let largest = density.rows.map { integer($0[2]) }.max() ?? 1
    var colors = Array(repeating: Color.white, count: count * count)
    for row in density.rows {
      let share = log(Double(integer(row[2])) + 1) / log(Double(largest) + 1)
      let place = (count - 1 - integer(row[1])) * count + integer(row[0])
      colors[place] = ColorMap.sequential.color(at: 1 - share)
    }
    plane.canvas.image(
      ColorGrid(rowCount: count, columnCount: count, colors: colors), in: plane.plot)
    plane.drawAxes()
    plane.canvas.line(
      from: plane.point(limits.lowerBound, limits.lowerBound),
      to: plane.point(limits.upperBound, limits.upperBound),
      Stroke(.secondaryInk, dashes: [5, 4]))
    plane.canvas.text("no change", at: plane.point(1.6e-4, 5e-5), size: 11)
    let (five, one) = (FigureFour.aroundFive, FigureFour.aroundOne)
    let (corner, end) = (
      plane.point(five.lowerBound, one.upperBound), plane.point(five.upperBound, one.lowerBound)
    )
    let box = Rectangle(x: corner.x, y: corner.y, width: end.x - corner.x, height: end.y - corner.y)
    let red = Color(0xD00000)
    plane.canvas.frame(box, Stroke(red, width: 2.5))
    plane.canvas.text(
      "the paper's sentence", at: plane.point(0.045, 1.7e-3), size: 12, anchor: .middle, color: red)
    return plane.canvas
  }
}
