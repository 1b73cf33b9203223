import DenseAlgebra
import Experiments
import Foundation

/// Figures of every kind, with the labels that the main job's figures have.
enum DrawingSamples {
  static func matrix(_ size: Int, split: Int? = nil, layers: [Int] = []) -> Matrix {
    let edges = [0] + layers + [size]
    func layer(_ i: Int) -> Int { edges.lastIndex { $0 <= i } ?? 0 }
    return Matrix(rowCount: size, columnCount: size) { i, j in
      if layer(i) != layer(j) { return 0 }
      if let split, i / split != j / split { return 0 }
      let distance = Double(abs(i % 21 - j % 21) + abs(i / 21 - j / 21))
      return cos(0.3 * Double(i + j)) * exp(-0.25 * distance) / Double(1 + layer(i) * 3)
    }
  }

  static var layeredGrid: HeatmapGrid {
    let layers = [420, 840]
    let kfac = matrix(1050, layers: layers)
    let split = matrix(1050, split: 10, layers: layers)
    var difference = kfac
    difference.add(-1, times: split)
    let names = ["layer 2", "layer 3", "layer 4"]
    func panel(_ title: String, _ subtitle: String, _ matrix: Matrix) -> HeatmapGrid.Panel {
      .init(
        title: title, subtitle: subtitle, matrix: matrix, layerBoundaries: layers,
        layerNames: names)
    }
    let panels = [
      panel("(a) KFAC", "Ā ⊗ G, block-diagonal", kfac),
      panel("(b) split 10", "the paper’s Eq. 10", split),
      panel("(c) |KFAC − split 10|", "‖KFAC − split‖F / ‖KFAC‖F = 5.3 %", difference),
    ]
    return HeatmapGrid(
      title: "Figure 4: what the splitting approximation leaves out of KFAC",
      subtitle: "Fashion-MNIST, 784-20-20-20-10, ReLU, He start, iteration 10, seed 0",
      rows: [
        .init(
          title: "1  The paper’s three panels, linear colour",
          groups: [
            .init(panels, kind: .magnitude, label: "magnitude of the entry, linear colour")
          ]),
        .init(
          title: "2  The same, logarithmic colour",
          groups: [
            .init(
              panels, kind: .logarithmicMagnitude(decades: 6),
              label: "magnitude of the entry, logarithmic colour")
          ]),
        .init(
          title: "3  Damped inverses, (F + λI)⁻¹ with λ = 10⁻²",
          groups: [
            .init([panels[0]], kind: .signed, label: "entry of the inverse"),
            .init([panels[2]], kind: .logarithmicMagnitude(decades: 4), label: "difference"),
          ]),
      ],
      caption: "Dashed lines separate the layers. All panels of a row share one colour scale where "
        + "they share a colour bar. The paper states neither norm nor damping nor start.")
  }

  static var smallHeatmap: Heatmap {
    var figure = Heatmap(
      title: "A small signed matrix", subtitle: "12 × 12, split 4", matrix: matrix(12, layers: [8]),
      kind: .signed, label: "entry", caption: "Cells are entries.")
    figure.layerBoundaries = [8]
    figure.layerNames = ["first layer", "second layer"]
    figure.side = 300
    return figure
  }

  static func series(_ name: String, _ xs: [Double], _ f: (Double) -> Double, spread: Double = 1.4)
    -> LineSeries
  {
    LineSeries(
      name: name, x: xs, y: xs.map(f), least: xs.map { f($0) / spread },
      greatest: xs.map { f($0) * spread })
  }

  static var stepQuality: LineChart {
    let lambdas = stride(from: -4.0, through: 0, by: 0.5).map { pow(10, $0) }
    let names = [
      "block-diagonal", "block-tridiagonal", "diagonal", "unit-wise", "kfac", "ekfac",
      "kfac-split", "nearest-kronecker", "tkfac", "kl-kronecker",
    ]
    return LineChart(
      title: "What share of the full-FIM model decrease each structure’s step loses",
      subtitle: "Fashion-MNIST, iteration 10, damping rule “factor”",
      x: ChartAxis("damping λ", .logarithmic),
      y: ChartAxis("1 − η (share of the decrease lost)", .logarithmic),
      series: names.enumerated().map { k, name in
        series(name, lambdas) { 0.002 * Double(k + 1) / (1 + pow($0 * 20, 0.7)) + 1e-5 }
      },
      caption:
        "η: decrease of the quadratic model along the step at its best length, divided by the "
        + "decrease of the exact natural-gradient step. Bands: least and greatest of five seeds. "
        + "Lower is better; ε ≤ 1e-12, κ(F) ≈ 10⁸, σ², π ± 2, x·y, n × n.")
  }

  static var errorsGrid: LineChartGrid {
    let iterations = (0...100).map(Double.init)
    func panel(_ title: String, _ label: String, _ kind: ScaleKind, _ scale: Double)
      -> LineChartGrid.Panel
    {
      .init(
        title: title, x: ChartAxis("iteration"), y: ChartAxis(label, kind),
        series: [
          series("split 5", iterations) { scale * (0.06 + exp(-$0 / 20)) },
          series("split 10", iterations) { scale * (0.03 + 0.7 * exp(-$0 / 15)) },
          series("split 20", iterations) { scale * (0.01 + 0.3 * exp(-$0 / 12)) },
        ],
        references: kind == .logarithmic
          ? [ReferenceLine(0.05, name: "the paper: about 5 % at iteration 10")] : [])
    }
    return LineChartGrid(
      title: "Errors of the split factors over training",
      subtitle: "against KFAC, layers 2–4, five seeds",
      panels: [
        panel("(a) relative Frobenius error", "‖F̂ − F̃‖F / ‖F̃‖F", .logarithmic, 0.4),
        panel("(b) largest entry", "max |difference|", .linear, 3e-5),
        panel(
          "(c) relative inverse error", "relative Frobenius error of the damped inverse, λ = 0.01",
          .linear, 1),
        panel("(d) step F-cosine", "cosine (no unit)", .linear, 12_000),
      ], caption: "Lines: medians. Bands: least and greatest over the seeds.")
  }

  /// Sizes 0 and 1, nothing to draw, one point, one value.
  static var bareFigures: [(name: String, canvas: Canvas)] {
    let x = ChartAxis("x", .logarithmic)
    let y = ChartAxis("y")
    let wide = Matrix(rows: [[1, 2, 3, 4, 5]])
    return [
      (
        "empty-matrix",
        Heatmap(
          title: "Empty", matrix: Matrix(rowCount: 0, columnCount: 0), kind: .signed, label: ""
        )
        .canvas
      ),
      ("one-row", Heatmap(title: "Row", matrix: wide, kind: .magnitude, label: "entry").canvas),
      ("no-series", LineChart(title: "Nothing", x: x, y: y, series: []).canvas),
      ("no-panel", LineChartGrid(title: "Nothing at all", panels: []).canvas),
      ("no-row", HeatmapGrid(title: "Nothing here", rows: []).canvas),
      (
        "one-point",
        LineChart(title: "One", x: x, y: y, series: [LineSeries(name: "a", x: [3], y: [0])]).canvas
      ),
    ]
  }

  /// Every text much longer than its place.
  static var longTexts: [(name: String, canvas: Canvas)] {
    let long = "a very long text about ‖F‖ and λ = 10⁻⁴ that goes on and on "
    let text = String(repeating: long, count: 4)
    let panel = HeatmapGrid.Panel(
      title: text, subtitle: text, matrix: matrix(30), layerBoundaries: [2, 20],
      layerNames: ["the first layer", "middle", "last"])
    let heatmaps = HeatmapGrid(
      title: text, subtitle: text,
      rows: (0..<2).map { _ in
        .init(
          title: text,
          groups: [
            .init([panel, panel], kind: .logarithmicMagnitude(decades: 12), label: text),
            .init([panel], scale: ColorScale(.signed, largestMagnitude: 3e-7), label: long),
          ])
      }, caption: text, panelSide: 120)
    let xs = [1e-7, 1e-3, 1, 1e5]
    let chart = LineChartGrid.Panel(
      title: text, x: ChartAxis(text, .logarithmic), y: ChartAxis(text),
      series: [
        LineSeries(name: text, x: xs, y: [1, -2e-9, 3, 1e6]),
        LineSeries(name: "b", x: xs, y: [4, 3, 2, 1]),
      ], references: [ReferenceLine(2, name: long)])
    var charts = LineChartGrid(
      title: text, subtitle: text, panels: [chart, chart, chart], caption: text)
    charts.plotWidth = 150
    charts.plotHeight = 110
    return [("long-heatmaps", heatmaps.canvas), ("long-charts", charts.canvas)]
  }

  static let canvases: [(name: String, canvas: Canvas)] =
    [
      ("layered-grid", layeredGrid.canvas), ("small-heatmap", smallHeatmap.canvas),
      ("step-quality", stepQuality.canvas), ("errors-grid", errorsGrid.canvas),
    ] + bareFigures + longTexts

  static func canvas(_ name: String) -> Canvas { canvases.first { $0.name == name }!.canvas }
}
