import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// The figures of chapter 08.
extension CGFACMeasurement {
  static let pictureCount = 32

  /// M of the first examples with one back-propagated vector each, whole and masked.
  func pairFigure() -> Canvas {
    let problem = empirical[0][CGFACMeasurement.followedLayer]
    let count = CGFACMeasurement.pictureCount
    let all = CGFACMeasurement.pairMatrix(problem.samples, problem.gradient)
    let m = all.block(rows: 0..<count, columns: 0..<count)
    let kept = Matrix.diagonal(m.diagonal)
    let scale = ColorScale(.signed, fitting: [m])
    let panels = [
      HeatmapGrid.Panel(title: "cg-kfac keeps M", matrix: m),
      HeatmapGrid.Panel(title: "cg-exact-block keeps diag(M)", matrix: kept),
    ]
    return HeatmapGrid(
      title: "The whole difference between KFAC and the exact block",
      subtitle: "M = Yᵀ V X: rows and columns are examples",
      rows: [
        HeatmapGrid.Row(
          groups: [HeatmapGrid.Group(panels, scale: scale, label: "entry of M (no unit)")])
      ],
      caption: "Layer 3, empirical Fisher (one vector for each example), 32 examples of the batch.",
      panelSide: 230
    ).canvas
  }

  static func residualFigure(_ table: ResultTable) -> Canvas {
    func panel(_ title: String, _ layerOperator: Operator) -> LineChartGrid.Panel {
      let series = lambdas.map { lambda -> LineSeries in
        let name = column(layerOperator, lambda)
        let place = table.columns.firstIndex { $0.name == name }!
        let points = table.rows.enumerated().compactMap { step, row -> (Double, Double)? in
          if case .number(let value) = row[place] { (Double(step), value) } else { nil }
        }
        return LineSeries(
          name: "λ = " + NumberFormat.significant(1).text(lambda), x: points.map(\.0),
          y: points.map(\.1))
      }
      return LineChartGrid.Panel(
        title: title, x: ChartAxis("step (count)", limits: 0...Double(historyLength)),
        y: ChartAxis("‖r‖ / ‖V‖ (no unit)", .logarithmic, limits: 1e-6...10), series: series,
        references: [ReferenceLine(tolerance, name: "the tolerance of this suite")])
    }
    var grid = LineChartGrid(
      title: "The damping decides how many steps a solve takes",
      panels: [
        panel("(a) cg-kfac", .kfac), panel("(b) cg-exact-block", .exactBlock),
      ], caption: "Layer 3 (420 parameters), exact Fisher, N = 128, seed 1, from zero.")
    grid.plotWidth = 280
    return grid.canvas
  }

  func warmFigure() -> Canvas {
    func panel(_ course: WarmStartStudy.Course, _ title: String) -> LineChartGrid.Panel {
      func series(_ name: String, _ policy: WarmStartStudy.Policy, _ lambda: Double) -> LineSeries {
        let rows = warm.rows.filter {
          $0.course == course && $0.layerOperator == .kfac && $0.lambda == lambda
            && $0.policy == policy
        }
        let steps = Array(Set(rows.map(\.step))).sorted()
        return LineSeries(
          name: name, x: steps.map(Double.init),
          y: steps.map { step in
            Quantiles.median(
              rows.filter { $0.step == step }.flatMap(\.iterations).map(Double.init))
          })
      }
      return LineChartGrid.Panel(
        title: title, x: ChartAxis("training step (count)", limits: 0...12),
        y: ChartAxis("median steps of a solve (count)", limits: 0...50),
        series: [
          series("λ = 10⁻³, from zero", .cold, 1e-3),
          series("λ = 10⁻³, warm", .warm, 1e-3),
          series("λ = 10⁻¹, from zero", .cold, 1e-1),
          series("λ = 10⁻¹, warm", .warm, 1e-1),
        ])
    }
    var grid = LineChartGrid(
      title: "A warm start needs the same batch",
      panels: [
        panel(.fresh, "(a) a fresh batch at every step"), panel(.oneBatch, "(b) one batch"),
      ], caption: "cg-kfac, layers 2 to 4, two seeds, stop at ‖r‖ ≤ τ‖V‖ with one τ for all.")
    grid.plotWidth = 280
    return grid.canvas
  }
}
