import DenseAlgebra
import Experiments

extension ThreeFishersReport {
  /// The side of the blocks of entries that one cell of the heat maps stands for; it divides all
  /// layer boundaries.
  private static let cell = 10

  /// The entry of largest magnitude of each block.
  private static func reduced(_ matrix: Matrix) -> Matrix {
    let count = matrix.rowCount / cell
    return Matrix(rowCount: count, columnCount: count) { i, j in
      var largest = 0.0
      for column in j * cell..<(j + 1) * cell {
        for row in i * cell..<(i + 1) * cell { largest = max(largest, abs(matrix[row, column])) }
      }
      return largest
    }
  }

  var heatmaps: Figure {
    let titles = [
      "exact": "exact Fisher F", "monte-carlo": "Monte Carlo, one label each",
      "empirical": "empirical, labels of the data", "hessian": "Hessian of the loss",
    ]
    let panels = study.shownMatrices.map { name, matrix in
      HeatmapGrid.Panel(
        title: titles[name] ?? name, matrix: ThreeFishersReport.reduced(matrix),
        layerBoundaries: study.boundaries.map { $0 / ThreeFishersReport.cell },
        layerNames: ["layer 2", "layer 3", "4"])
    }
    let scale = ColorScale(.logarithmicMagnitude(decades: 3), fitting: panels.map(\.matrix))
    func row(_ pair: ArraySlice<HeatmapGrid.Panel>) -> HeatmapGrid.Row {
      HeatmapGrid.Row(groups: [HeatmapGrid.Group(Array(pair), scale: scale, label: "|entry|")])
    }
    var grid = HeatmapGrid(
      title: "Four matrices of one network on the same images",
      rows: [row(panels[0..<2]), row(panels[2..<4])],
      caption: "A cell is the largest entry of ten by ten. Dashed lines separate layers.")
    grid.panelSide = 210
    return Figure(
      "four-matrices", grid.canvas,
      caption:
        #"""
        The four matrices of layers 2 to 4 after \#(given: FisherStudy.shownStep) steps, absolute \#
        values on one logarithmic scale.
        """#,
      alternativeText:
        #"""
        Four heat maps with the same layer structure. Monte Carlo has the pattern of the exact \#
        Fisher with coarse noise, error \#(shown.sampled); the empirical Fisher is darker, with \#
        \#(shown.ratio) of the norm of F; the Hessian is brighter than F with other stripes, \#
        error \#(shown.hessian), but for layer 4, where it is the same.
        """#,
      tables: ["states", "blocks"])
  }

  var raceFigure: Figure {
    let steps = study.states.filter { $0.step > 0 }
    let x = steps.map { Double($0.step) }
    let hessians = steps.filter { $0.hessian != nil }
    let chart = LineChart(
      title: "One label for each image: drawn, or from the data",
      x: ChartAxis("training step", .logarithmic),
      y: ChartAxis("distance from F / norm of F (no unit)", .logarithmic),
      series: [
        LineSeries(name: "Monte Carlo, one drawn label", x: x, y: steps.map(\.expectedError)),
        LineSeries(
          name: "empirical", x: x, y: steps.map { $0.empirical.relativeError(to: $0.exact) }),
        LineSeries(
          name: "Hessian", x: hessians.map { Double($0.step) },
          y: hessians.compactMap { state in
            state.hessian.map { $0.relativeError(to: state.exact) }
          }),
      ],
      references: [ReferenceLine(1, name: "the zero matrix")])
    return Figure(
      "race", chart.canvas,
      caption:
        #"""
        The error of three matrices as estimates of $F$ along the training; Monte Carlo by its \#
        computed root mean square.
        """#,
      alternativeText:
        #"""
        On logarithmic axes the Monte-Carlo error rises from below all others to \#
        \#(last.expected) at the last step. The empirical error rises to \#(last.empirical), just \#
        below the line of the zero matrix. They cross after step twenty. The Hessian falls slowly \#
        to \#(last.hessian).
        """#,
      tables: ["states"])
  }

  var samplingFigure: Figure {
    let counts = FisherStudy.sampleCounts
    let x = counts.map(Double.init)
    let own = counts.map { count in study.errors.filter { $0.samples == count }.map(\.error) }
    let state = study.shownState
    let chart = LineChart(
      title: "The error of the Monte-Carlo Fisher falls like one over a square root",
      x: ChartAxis("labels drawn for each image, M (no unit)", .logarithmic),
      y: ChartAxis("distance from F / norm of F (no unit)", .logarithmic),
      series: [
        LineSeries(
          name: "measured, root mean square", x: x,
          y: counts.map { ThreeFishersReport.meanError(study, $0) },
          least: own.map { $0.min() ?? 0 }, greatest: own.map { $0.max() ?? 0 }),
        LineSeries(
          name: "computed", x: x, y: x.map { state.expectedError / $0.squareRoot() }),
      ],
      references: [
        ReferenceLine(
          state.empirical.relativeError(to: state.exact), name: "empirical, labels of the data")
      ],
      caption: "Band: least and greatest of the repetitions.")
    return Figure(
      "monte-carlo", chart.canvas,
      caption:
        #"""
        Error of the Monte-Carlo Fisher against the number of drawn labels, measured and \#
        computed.
        """#,
      alternativeText:
        #"""
        On logarithmic axes the measured error is a straight line of slope \#(slope), from \#
        \#(firstError) at one label; the computed line lies on it. The dashed line of the \#
        empirical Fisher stays at \#(shown.empirical) for all sample counts.
        """#,
      tables: ["monte-carlo", "states"])
  }

  var vanishingFigure: Figure {
    let scales = small.points.map(\.scale)
    let steps = study.states.filter { $0.step > 0 }
    let x = steps.map { Double($0.step) }
    let first = study.states[0]
    let grid = LineChartGrid(
      title: "When residuals vanish",
      panels: [
        LineChartGrid.Panel(
          title: "regression: residuals times t",
          x: ChartAxis("t (no unit)", .logarithmic),
          y: ChartAxis("over the norm of F (no unit)", .logarithmic),
          series: [
            LineSeries(
              name: "norm of the empirical Fisher", x: scales, y: small.points.map(\.empiricalNorm)),
            LineSeries(
              name: "distance of the Hessian from F", x: scales,
              y: small.points.map(\.hessianDistance)),
            LineSeries(name: "norm of the exact Fisher", x: scales, y: scales.map { _ in 1 }),
          ]),
        LineChartGrid.Panel(
          title: "classification: training",
          x: ChartAxis("training step", .logarithmic),
          y: ChartAxis("norm / its value at the start", .logarithmic),
          series: [
            LineSeries(
              name: "norm of the empirical Fisher", x: x,
              y: steps.map { $0.empirical.frobeniusNorm / first.empirical.frobeniusNorm }),
            LineSeries(
              name: "norm of the exact Fisher", x: x,
              y: steps.map { $0.exact.frobeniusNorm / first.exact.frobeniusNorm }),
          ]),
      ],
      columnCount: 2)
    return Figure(
      "residuals", grid.canvas,
      caption:
        #"""
        Left: a regression network whose residuals are scaled by $t$. Right: the classifier \#
        during training.
        """#,
      alternativeText:
        #"""
        Left: with t from one to a thousandth the empirical Fisher falls with slope two to \#
        \#(regressionLast) of the norm of F, the Hessian's distance falls with slope one, the \#
        exact Fisher is constant. Right: both Fishers fall during training, the empirical one \#
        further, to \#(empiricalFall) of its start against \#(exactFall).
        """#,
      tables: ["residuals", "states"])
  }
}
