import Curvature
import Foundation

/// The three figures of the item on CG-FAC.
struct ConjugateGradientFigures {
  let study: ConjugateGradientStudy
  let warm: WarmStartStudy
  let times: BreakEvenTimes

  var all: [(name: String, canvas: Canvas)] {
    [("cg-steps", steps), ("cg-warm-start", warmStart), ("cg-break-even", breakEven)]
  }

  private var groups: [(name: String, layerOperator: MatrixFreeSolver.Operator, fisher: String)] {
    MatrixFreeSolver.Operator.allCases.flatMap { layerOperator in
      ["exact", "empirical"].map { fisher in
        (
          (layerOperator == .kfac ? "A ⊗ G" : "exact block") + ", \(fisher) Fisher", layerOperator,
          fisher
        )
      }
    }
  }

  /// Median and quartiles at each x; an x without values is left out.
  private func series(_ name: String, _ x: [Double], _ values: [[Double]]) -> LineSeries {
    let found = zip(x, values.map { $0.sorted() }).filter { !$0.1.isEmpty }
    func quantile(_ share: Double) -> [Double] {
      found.map { ProcessorTime.quantile(share, of: $0.1) }
    }
    return LineSeries(
      name: name, x: found.map(\.0), y: quantile(0.5), least: quantile(0.25),
      greatest: quantile(0.75))
  }

  private func limited(_ solve: ConjugateGradientStudy.Solve, _ tolerance: Int) -> Double {
    let limit =
      solve.parameters > study.options.largeSize ? study.options.largeLimit : study.options.limit
    return Double(max(1, solve.steps[tolerance] ?? limit))
  }

  private var steps: Canvas {
    let options = study.options
    let index = options.tolerances.firstIndex(of: 1e-2) ?? 0
    func solves(_ group: (String, MatrixFreeSolver.Operator, String))
      -> [ConjugateGradientStudy.Solve]
    {
      study.solves.filter { $0.layerOperator == group.1 && $0.fisher == group.2 }
    }
    func byLambda(_ group: (String, MatrixFreeSolver.Operator, String))
      -> [[ConjugateGradientStudy.Solve]]
    {
      let all = solves(group)
      return options.lambdas.map { lambda in all.filter { $0.lambda == lambda } }
    }
    let overCondition = groups.map { group in
      let parts = byLambda(group)
      return series(
        group.name,
        parts.map { ConjugateGradientClaims.median($0.map { $0.condition.squareRoot() }) },
        parts.map { $0.map { limited($0, index) } })
    }
    let roots = overCondition.flatMap(\.x)
    let bound = [roots.min() ?? 1, roots.max() ?? 10]
    let boundX = (0...20).map { bound[0] * pow(bound[1] / bound[0], Double($0) / 20) }
    let chebyshev = LineSeries(
      name: "Chebyshev's bound", x: boundX,
      y: boundX.map {
        Double(ConjugateGradientStudy.chebyshevSteps(condition: $0 * $0, tolerance: 1e-2))
      })
    let overTolerance = groups.map { group in
      let all = solves(group).filter { $0.lambda == 1e-2 }
      return series(
        group.name, options.tolerances,
        options.tolerances.indices.map { tolerance in all.map { limited($0, tolerance) } })
    }
    let authorLoss = groups.map { group in
      series(
        group.name, options.lambdas,
        byLambda(group).map { $0.compactMap { $0.authorCosine.map { max(1e-8, 1 - $0) } } })
    }
    return LineChartGrid(
      title: "CG-FAC: how many steps conjugate gradients take",
      subtitle:
        "784-20-20-20-10, tanh, batch \(options.batch), all layers, from zero, right side: the "
        + "gradient",
      panels: [
        .init(
          title: "(a) steps to ‖r‖ ≤ 0.01‖V‖ against √κ", x: ChartAxis("√κ", .logarithmic),
          y: ChartAxis("steps", .logarithmic), series: overCondition + [chebyshev],
          references: [ReferenceLine(20, name: "20 steps (the note)")]),
        .init(
          title: "(b) steps against the tolerance, λ = 0.01",
          x: ChartAxis("tolerance on ‖r‖/‖V‖", .logarithmic), y: ChartAxis("steps", .logarithmic),
          series: overTolerance, references: [ReferenceLine(20, name: "20 steps (the note)")]),
        .init(
          title: "(c) what the author's rule leaves", x: ChartAxis("damping λ", .logarithmic),
          y: ChartAxis("1 − cosine to the exact step", .logarithmic), series: authorLoss),
      ],
      columnCount: 3,
      caption:
        "Lines: medians over seeds, states and layers (in (c) without layer 1 of the exact block); "
        + "bands: quartiles. Each mark of (a) is one λ. A solve that met the limit of steps counts as "
        + "the limit."
    ).canvas
  }

  private var warmStart: Canvas {
    let options = warm.options
    func panel(
      _ course: WarmStartStudy.Course, _ layerOperator: MatrixFreeSolver.Operator, _ letter: String
    )
      -> LineChartGrid.Panel
    {
      let series = options.lambdas.flatMap { lambda in
        [WarmStartStudy.Policy.cold, .warm].map { policy in
          let rows = warm.rows.filter {
            $0.course == course && $0.layerOperator == layerOperator && $0.lambda == lambda
              && $0.policy == policy
          }
          let steps = Set(rows.map(\.step)).sorted()
          return LineSeries(
            name:
              "λ = \(NumberText.short(lambda)), \(policy == .cold ? "from zero" : "from the last step")",
            x: steps.map(Double.init),
            y: steps.map { step in
              let all = rows.filter { $0.step == step }.flatMap(\.iterations)
              return Double(all.reduce(0, +)) / Double(all.count)
            })
        }
      }
      return .init(
        title: "(\(letter)) \(layerOperator == .kfac ? "A ⊗ G" : "exact block"), "
          + course.rawValue,
        x: ChartAxis("step of training"), y: ChartAxis("steps of a solve", .logarithmic),
        series: series, references: [ReferenceLine(20, name: "20 steps (the note)")])
    }
    return LineChartGrid(
      title: "CG-FAC: starting from the previous step's solution",
      subtitle:
        "784-20-20-20-10, tanh, batch \(options.training.batch), layers 2–4, exact Fisher; steps "
        + "to ‖r‖ ≤ 0.01‖V‖",
      panels: [
        panel(.fresh, .kfac, "a"), panel(.fresh, .exactBlock, "b"), panel(.slow, .kfac, "c"),
        panel(.slow, .exactBlock, "d"), panel(.oneBatch, .kfac, "e"),
        panel(.oneBatch, .exactBlock, "f"),
      ],
      columnCount: 2, caption: "Means over the layers and over up to three seeds."
    ).canvas
  }

  private var breakEven: Canvas {
    let layers = times.steps.map(\.layer)
    func panel(_ title: String, columns: Int, _ y: (BreakEvenTimes.Product) -> Double)
      -> LineChartGrid.Panel
    {
      let series = layers.map { layer in
        let found = times.products.filter { $0.layer == layer && $0.cost.columns == columns }
        return LineSeries(
          name: layer, x: found.map { Double($0.cost.examples) }, y: found.map(y))
      }
      return .init(
        title: title, x: ChartAxis("batch N", .logarithmic),
        y: ChartAxis("without / with formed factors", .logarithmic), series: series,
        references: [ReferenceLine(1, name: "break-even")])
    }
    func operations(_ product: BreakEvenTimes.Product) -> Double {
      product.cost.inputsFirst / product.cost.formedProduct
    }
    func time(_ product: BreakEvenTimes.Product) -> Double {
      product.implicit.median / product.formed.median
    }
    return LineChartGrid(
      title: "CG-FAC: one product without factors against one with formed factors",
      subtitle: "reading 1, A ⊗ G; K = 1: empirical Fisher, K = 10: exact Fisher of ten classes",
      panels: [
        panel("(a) operations, K = 1", columns: 1, operations),
        panel("(b) time here, K = 1", columns: 1, time),
        panel("(c) operations, K = 10", columns: 10, operations),
        panel("(d) time here, K = 10", columns: 10, time),
      ],
      columnCount: 2,
      caption:
        "Below the line the product without factors is the cheaper one. Forming A and G is not "
        + "counted. Times: medians of processor time."
    ).canvas
  }
}
