import DataFiles
import DenseAlgebra
import Experiments

/// The tables of chapter 05 that its numbers are read from, and its figures.
extension KFACMeasurement {
  var droppedTable: ResultTable {
    var table = ResultTable(
      "dropped", "What block-diagonal and Kronecker structure drop from F, for five seeds.",
      [
        ("seed", "the seed of start and batches"),
        ("across", "‖F − blocks‖/‖F‖, Frobenius norm, layers 2 to 4 together"),
        ("within", "‖blocks − KFAC‖/‖F‖"), ("total", "‖F − KFAC‖/‖F‖"),
        ("layer2", "‖F_2 − A ⊗ G‖/‖F_2‖"), ("layer3", "the same, layer 3"),
        ("layer4", "the same, layer 4"),
        ("trace2", "tr(A ⊗ G)/tr F_2"), ("trace3", "the same, layer 3"),
        ("trace4", "the same, layer 4"),
      ])
    for (seed, one) in zip(KFACMeasurement.seeds, dropped) {
      let numbers = [one.acrossLayers, one.withinLayers, one.total] + one.layerErrors
      table.append(
        [.integer(Int(seed))] + (numbers + one.traceRatios).map { CSV.Cell.number($0) })
    }
    return table
  }

  var growthTable: ResultTable {
    var table = ResultTable(
      "growth", "Error of A ⊗ G against N: five networks, four random choices of examples each.",
      [
        ("layer", "2 to 4"), ("examples", "N"),
        ("median", "median of ‖F_ℓ − A ⊗ G‖/‖F_ℓ‖ over 20 choices"),
        ("lower", "their lower quartile"), ("upper", "their upper quartile"),
        ("least", "the smallest of them"), ("greatest", "the largest of them"),
      ])
    for point in growth {
      table.append([
        .integer(point.layer + 2), .integer(point.count), .number(point.median),
        .number(point.quantile(0.25)), .number(point.quantile(0.75)),
        .number(point.errors.min() ?? 0), .number(point.errors.max() ?? 0),
      ])
    }
    return table
  }

  var pairingTable: ResultTable {
    var table = ResultTable(
      "pairings", "Inputs given to other examples' gradients: A and G stay, F changes.",
      [
        ("layer", "2 to 4"), ("setting", "the wanted dependence; empty: the pairs as they are"),
        ("correlation", "of ‖ā‖² with tr Γ over the examples"),
        ("error", "‖F_ℓ − A ⊗ G‖/‖F_ℓ‖"), ("trace", "tr(A ⊗ G)/tr F_ℓ"),
      ])
    for pairing in pairings {
      table.append([
        .integer(pairing.layer + 2), pairing.setting.map { .number($0) } ?? .empty,
        .number(pairing.correlation), .number(pairing.error), .number(pairing.traceRatio),
      ])
    }
    return table
  }

  /// F, the blocks, KFAC, and the three differences, in one colour scale.
  var matricesFigure: Canvas {
    let one = dropped[0]
    func panel(_ title: String, _ matrix: Matrix) -> HeatmapGrid.Panel {
      HeatmapGrid.Panel(
        title: title, matrix: reduced(matrix), layerBoundaries: [42, 84],
        layerNames: KFACMeasurement.layerNames)
    }
    let scale = ColorScale(.logarithmicMagnitude(decades: 5), fitting: [one.fisher])
    func row(_ title: String, _ panels: [HeatmapGrid.Panel]) -> HeatmapGrid.Row {
      HeatmapGrid.Row(
        title: title,
        groups: [HeatmapGrid.Group(panels, scale: scale, label: "|entry| (no unit)")])
    }
    return HeatmapGrid(
      title: "Two steps from the Fisher matrix to KFAC",
      rows: [
        row(
          "The matrices",
          [
            panel("F", one.fisher), panel("block-diagonal", one.blocks), panel("KFAC", one.kfac),
          ]),
        row(
          "What was dropped",
          [
            panel("first: F − blocks", one.fisher - one.blocks),
            panel("then: blocks − KFAC", one.blocks - one.kfac),
            panel("in all: F − KFAC", one.fisher - one.kfac),
          ]),
      ],
      caption:
        "Each cell: the largest magnitude of 10 × 10 entries. Fashion-MNIST, 784-20-20-20-10, ReLU, "
        + "seed 1, iteration 10, N = 256, exact Fisher.",
      panelSide: 210
    ).canvas
  }

  /// The entry of largest magnitude of each block of 10 × 10 entries; no block holds two layers.
  private func reduced(_ matrix: Matrix) -> Matrix {
    let side = 10
    return Matrix(rowCount: matrix.rowCount / side, columnCount: matrix.columnCount / side) {
      i, j in
      matrix.block(rows: i * side..<(i + 1) * side, columns: j * side..<(j + 1) * side)
        .maximumMagnitude
    }
  }

  var growthFigure: Canvas {
    var chart = LineChart(
      title: "KFAC's error does not average out",
      x: ChartAxis("examples in the batch N (no unit)", .logarithmic, limits: 1...1024),
      y: ChartAxis("relative Frobenius error (no unit)", limits: 0...0.8),
      series: (0..<3).map { layer in
        let points = growth.filter { $0.layer == layer }
        return LineSeries(
          name: KFACMeasurement.layerNames[layer], x: points.map { Double($0.count) },
          y: points.map(\.median), least: points.map { $0.quantile(0.25) },
          greatest: points.map { $0.quantile(0.75) })
      },
      caption: "Medians of 20 random choices of examples (five networks); bands: the middle half.")
    chart.plotWidth = 460
    chart.plotHeight = 260
    return chart.canvas
  }

  var pairingFigure: Canvas {
    var grid = LineChartGrid(
      title: "The same A and G, other pairs",
      panels: (0..<3).map { layer in
        let asked = pairings.filter { $0.layer == layer && $0.setting != nil }
          .sorted { $0.correlation < $1.correlation }
        let real = pairings.filter { $0.layer == layer && $0.setting == nil }
        return LineChartGrid.Panel(
          title: KFACMeasurement.layerNames[layer],
          x: ChartAxis("correlation of ‖ā‖² and tr Γ", limits: -1...1),
          y: ChartAxis("relative Frobenius error (no unit)", limits: 0...0.5),
          series: [
            LineSeries(
              name: "pairs by size", x: asked.map(\.correlation), y: asked.map(\.error)),
            LineSeries(name: "real pairs", x: real.map(\.correlation), y: real.map(\.error)),
          ],
          references: [ReferenceLine(shuffledErrors[layer], name: "pairs by chance, median")])
      }, columnCount: 3,
      caption:
        "Every point of a panel has the same factors; only the pairs differ. Seed 1, N = 256.")
    grid.plotWidth = 175
    return grid.canvas
  }
}
