import DataFiles
import Experiments

/// Operations of one product with each operator, by formula.
enum CGFACCost {
  static let layers: [(name: String, inputs: Int, outputs: Int)] = [
    ("21 to 20", 21, 20), ("785 to 20", 785, 20), ("1025 to 1024", 1025, 1024),
  ]
  static let batches = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]

  static func cost(_ layer: (name: String, inputs: Int, outputs: Int), _ batch: Int, _ k: Int)
    -> ConjugateGradientCost
  {
    ConjugateGradientCost(
      inputSize: layer.inputs, outputSize: layer.outputs, examples: batch, columns: k)
  }

  static func productTable() -> ResultTable {
    var table = ResultTable(
      "products", "Operations of one product FV against N, one back-propagated vector each.",
      [
        ("layer", "inputs with the bias, and outputs"), ("batch", "N"),
        ("kfac", "cg-kfac without factors"), ("exact", "cg-exact-block without its matrix"),
        ("formed", "G V A with formed factors, their formation not counted"),
      ])
    for layer in layers {
      for batch in batches {
        let cost = cost(layer, batch, 1)
        table.append([
          .text(layer.name), .integer(batch), .number(cost.inputsFirst),
          .number(cost.exactProduct), .number(cost.formedProduct),
        ])
      }
    }
    return table
  }

  static func crossingTable() -> ResultTable {
    var table = ResultTable(
      "crossing", "The batch from which a product without factors takes more operations.",
      [
        ("layer", "inputs with the bias, and outputs"), ("half", "(d_A + d_G)/2"),
        ("exact", "N of cg-exact-block, K = 1"), ("kfac", "N of cg-kfac, K = 1"),
        ("kfac10", "N of cg-kfac, K = 10"),
        ("steps", "20 steps of cg-kfac at N = 128, K = 1, in operations"),
        ("eigen", "factors, two eigendecompositions and the solve, N = 128, K = 1"),
        ("cholesky", "factors, two Cholesky factorisations and the solve, N = 128, K = 1"),
        ("stepsOverEigen", "steps over eigen"), ("stepsOverCholesky", "steps over cholesky"),
      ])
    for layer in layers {
      let half = Double(layer.inputs + layer.outputs) / 2
      let cost = cost(layer, 128, 1)
      let steps = cost.iteration(steps: 20, product: cost.inputsFirst)
      func crossing(_ k: Int) -> CSV.Cell {
        .number(
          ConjugateGradientCost.breakEvenBatch(
            inputSize: layer.inputs, outputSize: layer.outputs, columns: k, inputsFirstOnly: true))
      }
      table.append([
        .text(layer.name), .number(half), .number(half / (1 + 1 / Double(layer.inputs))),
        crossing(1), crossing(10), .number(steps), .number(cost.directEigen),
        .number(cost.directCholesky), .number(steps / cost.directEigen),
        .number(steps / cost.directCholesky),
      ])
    }
    return table
  }
}

extension CGFACCost {
  static func figure(_ table: ResultTable) -> Canvas {
    func number(_ row: Int, _ column: String) -> Double {
      table.number(column, row: row).value
    }
    let panels = layers.prefix(2).map { layer in
      let rows = table.rows.indices.filter { table.rows[$0][0] == .text(layer.name) }
      func series(_ name: String, _ column: String) -> LineSeries {
        LineSeries(
          name: name, x: rows.map { number($0, "batch") }, y: rows.map { number($0, column) })
      }
      return LineChartGrid.Panel(
        title: "layer " + layer.name,
        x: ChartAxis("examples N (count)", .logarithmic, limits: 1...4096),
        y: ChartAxis("operations of one product (count)", .logarithmic),
        series: [
          series("cg-kfac without factors", "kfac"),
          series("cg-exact-block without its matrix", "exact"),
          series("G V A with formed factors", "formed"),
        ])
    }
    var grid = LineChartGrid(
      title: "Without factors is cheaper for small batches only", panels: Array(panels),
      caption: "By formula, one back-propagated vector for each example (K = 1).")
    grid.plotWidth = 280
    return grid.canvas
  }
}
