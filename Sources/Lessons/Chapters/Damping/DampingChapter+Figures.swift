import Curvature
import Experiments
import Optimization

extension DampingReport {
  private static let names: [DampingRule: String] = [
    .factor: "THOR, λ on each factor", .pi: "π√λ and √λ/π", .sqrt: "√λ on each factor",
    .exact: "λ on A ⊗ G",
  ]

  private func series(_ value: (DampingStudy.Point) -> Double) -> [LineSeries] {
    DampingStudy.compared.map { rule in
      let own = study.points.filter { $0.rule == rule }
      return LineSeries(
        name: DampingReport.names[rule] ?? rule.rawValue, x: own.map(\.lambda), y: own.map(value))
    }
  }

  var laboratory: Figure {
    let x = ChartAxis("λ (no unit)", .logarithmic)
    let fromFisher = (DampingStudy.compared + [.exact]).map { rule in
      let own = study.dense.filter { $0.rule == rule }
      return LineSeries(
        name: DampingReport.names[rule] ?? rule.rawValue, x: own.map(\.lambda),
        y: own.map(\.inverseError))
    }
    var grid = LineChartGrid(
      title: "The same λ under different rules",
      panels: [
        LineChartGrid.Panel(
          title: "inverse: distance from exact damping", x: x,
          y: ChartAxis("relative error (no unit)", .logarithmic), series: series(\.inverseError)),
        LineChartGrid.Panel(
          title: "step: angle to exact damping", x: x,
          y: ChartAxis("angle (degrees)", limits: 0...90), series: series(\.angle)),
        LineChartGrid.Panel(
          title: "step: length", x: x, y: ChartAxis("length / exact (no unit)", .logarithmic),
          series: series(\.lengthRatio)),
        LineChartGrid.Panel(
          title: "inverse: distance from the exact block", x: x,
          y: ChartAxis("relative error (no unit)", .logarithmic), series: fromFisher),
      ],
      columnCount: 2, caption: "784-20-20-20-10, layers 2 to 4, after ten steps of KFAC.")
    grid.plotWidth = 300
    grid.plotHeight = 200
    let low = number(.factor, "inverse_error", near: 1e-6, .significant(2))
    return Figure(
      "laboratory", grid.canvas,
      caption:
        #"""
        Three factored rules against exact damping $(A \otimes G + \lambda I)^{-1}$ of the same \#
        factors; last panel: all four against the exact block $(F + \lambda I)^{-1}$.
        """#,
      alternativeText:
        #"""
        Four charts against λ. THOR's rule: inverse error from \#(low) at the smallest λ down and \#
        towards one at large λ; its angle to the exactly damped step rises to \#(worstAngle) \#
        degrees near λ = \#(worstLambda) and falls again; its length falls below one as λ grows. \#
        The other two rules stay nearer at small λ.
        """#,
      tables: ["rules", "against-fisher"])
  }

  var spectra: Figure {
    func panel(_ layer: Int) -> LineChartGrid.Panel {
      let own = study.layers[layer]
      func series(_ name: String, _ values: [Double]) -> LineSeries {
        let shown = Array(values.reversed())
        return LineSeries(name: name, x: shown.indices.map { Double($0 + 1) }, y: shown)
      }
      return LineChartGrid.Panel(
        title: "layer \(layer + 2)", x: ChartAxis("rank"),
        y: ChartAxis("eigenvalue (no unit)", .logarithmic, limits: 1e-6...10),
        series: [series("A", own.alpha), series("G", own.gamma)],
        references: [ReferenceLine(DampingStudy.trainingLambda, name: "λ at the start of Eq. 13")])
    }
    var grid = LineChartGrid(
      title: "Where λ lies in the spectra of the factors",
      panels: [panel(0), panel(1), panel(2)], columnCount: 3)
    grid.plotWidth = 210
    grid.plotHeight = 210
    return Figure(
      "spectra", grid.canvas,
      caption: #"The eigenvalues of $A$ and $G$ of the three layers, with the λ of Equation 13."#,
      alternativeText:
        #"""
        Three charts of sorted eigenvalues on a logarithmic axis, falling from about one to \#
        nearly zero. Above the dashed line of the starting λ lie only \#(aboveA) of the \#
        \#(countA) eigenvalues of A and \#(aboveG) of the \#(countG) of G, all at the left ends.
        """#,
      tables: ["eigenvalues"])
  }

  var scheduleFigure: Figure {
    let series = DampingReport.presets.map { name, preset, last in
      let epochs = (0...last).map(Double.init)
      return LineSeries(
        name: name, x: epochs, y: epochs.map { preset.damping.value(atEpoch: $0) })
    }
    let chart = LineChart(
      title: "The damping schedules of Equations 13 and 16",
      x: ChartAxis("epoch"), y: ChartAxis("λ (no unit)", .logarithmic), series: series)
    return Figure(
      "schedules", chart.canvas,
      caption: #"λ over the epochs, with the numbers of Equation 13 and of Table 3."#,
      alternativeText:
        #"""
        Four falling curves. Equation 13 falls by ten at epochs 30, 60 and 90; batch 256 falls \#
        slowly from \#(schedule(DampingReport.presets[1].name, 0)) to \#
        \#(schedule(DampingReport.presets[1].name, 70)); the large batches fall fast, batch 4096 \#
        to \#(schedule(DampingReport.presets[2].name, 55)).
        """#,
      tables: ["schedules"])
  }
}
