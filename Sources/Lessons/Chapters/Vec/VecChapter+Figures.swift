import DataFiles
import DenseAlgebra
import Experiments
import Networks
import Verification

/// The small example of chapter 04: two outputs, two inputs and a bias.
enum VecExample {
  static let a = Matrix(rows: [[4, 1, 2], [1, 3, 1], [2, 1, 1]])
  static let g = Matrix(rows: [[5, -2], [-2, 3]])
  static let layout = ParameterLayout(blocks: [
    .init(name: "example", rowCount: 2, columnCount: 3, hasBias: true)
  ])
  /// Entry names in the order of columns: W₁₁ is the weight of output 1 and input 1.
  static let names = ["W₁₁", "W₂₁", "W₁₂", "W₂₂", "b₁", "b₂"]

  /// For each place of rvec, the place of the same entry in cvec.
  static var places: [Int] { Vectorization.row.columnPositions(of: layout) }

  static var permutation: ResultTable {
    var table = ResultTable(
      "permutation", "Where each entry of the 2 × 3 matrix [W b] stands in the two lists.",
      [
        ("entry", "entry of [W b]"), ("rvec", "place when rows are stacked, counted from 0"),
        ("cvec", "place when columns are stacked, counted from 0"),
      ])
    for (row, column) in places.enumerated() {
      table.append([.text(names[column]), .integer(row), .integer(column)])
    }
    return table
  }

  static var entries: ResultTable {
    var table = ResultTable(
      "products", "The entries of the two 6 × 6 products.",
      [
        ("row", "row, counted from 0"), ("column", "column, counted from 0"),
        ("cvec", "entry of A ⊗ G"), ("rvec", "entry of Π (A ⊗ G) Πᵀ"),
      ])
    let left = Matrix.kronecker(a, g)
    let turned = Vectorization.row.matrix(left, layout: layout)
    for row in 0..<6 {
      for column in 0..<6 {
        table.append([
          .integer(row), .integer(column), .number(left[row, column]),
          .number(turned[row, column]),
        ])
      }
    }
    return table
  }

  /// The two lists and the permutation between them.
  static func picture(alternativeText: String) -> Canvas {
    var canvas = Canvas(
      width: 640, height: 396, title: "One matrix, two lists, and the permutation between them",
      alternativeText: alternativeText)
    canvas.text(canvas.title, at: Point(x: 16, y: 32), size: 16)
    let cell = 40.0
    // The matrix itself.
    let matrix = Point(x: 40, y: 118)
    canvas.text("[W b], 2 × 3", at: Point(x: matrix.x, y: matrix.y - 14), size: 12.5)
    for j in 0..<3 {
      for i in 0..<2 {
        let box = Rectangle(
          x: matrix.x + Double(j) * cell, y: matrix.y + Double(i) * cell, width: cell,
          height: cell)
        canvas.rectangle(box, fill: tint(j))
        canvas.frame(box, Stroke(.secondaryInk, width: 0.8))
        canvas.text(
          names[j * 2 + i], at: Point(x: box.x + cell / 2, y: box.y + 25), size: 12.5,
          anchor: .middle)
      }
    }
    canvas.text("one shade per column", at: Point(x: matrix.x, y: 222), size: 11)
    canvas.text("the last column is the bias", at: Point(x: matrix.x, y: 238), size: 11)
    // Π with cvec above and rvec on the left.
    let grid = Point(x: 330, y: 118)
    canvas.text(
      "cvec: columns stacked", at: Point(x: grid.x + 120, y: 66), size: 12.5, anchor: .middle)
    canvas.text(
      Text(
        "rvec: rows stacked", at: Point(x: 246, y: grid.y + 120), size: 12.5, anchor: .middle,
        direction: .upwards))
    for index in 0..<6 {
      let offset = Double(index) * cell
      let above = Rectangle(x: grid.x + offset, y: grid.y - 38, width: cell, height: 30)
      canvas.rectangle(above, fill: tint(index / 2))
      canvas.frame(above, Stroke(.secondaryInk, width: 0.8))
      canvas.text(
        names[index], at: Point(x: above.x + cell / 2, y: above.y + 20), size: 12,
        anchor: .middle)
      let left = Rectangle(x: grid.x - 58, y: grid.y + offset, width: 48, height: cell)
      canvas.rectangle(left, fill: tint(places[index] / 2))
      canvas.frame(left, Stroke(.secondaryInk, width: 0.8))
      canvas.text(
        names[places[index]], at: Point(x: left.x + 24, y: left.y + 25), size: 12,
        anchor: .middle)
    }
    for i in 0..<6 {
      for j in 0..<6 {
        let box = Rectangle(
          x: grid.x + Double(j) * cell, y: grid.y + Double(i) * cell, width: cell, height: cell)
        let isOne = places[i] == j
        canvas.rectangle(box, fill: isOne ? Color(0x0072B2) : .white)
        canvas.frame(box, Stroke(.grid, width: 0.8))
        canvas.text(
          isOne ? "1" : "0", at: Point(x: box.x + cell / 2, y: box.y + 25), size: 12,
          anchor: .middle, color: isOne ? .white : .secondaryInk)
      }
    }
    canvas.frame(
      Rectangle(x: grid.x, y: grid.y, width: 6 * cell, height: 6 * cell), Stroke(.ink))
    canvas.text(
      "Π: rvec = Π cvec", at: Point(x: grid.x + 120, y: grid.y + 262), size: 12.5, anchor: .middle)
    return canvas
  }

  private static func tint(_ column: Int) -> Color {
    [Color(0xFFFFFF), Color(0xE4EEF6), Color(0xF6E3D3)][column]
  }

  /// A ⊗ G, Π (A ⊗ G) Πᵀ and G ⊗ A: the last two are equal.
  static var products: HeatmapGrid {
    let left = Matrix.kronecker(a, g)
    let turned = Vectorization.row.matrix(left, layout: layout)
    return HeatmapGrid(
      title: "The same linear map in two orders",
      rows: [
        .init(groups: [
          .init(
            [
              .init(title: "A ⊗ G, for cvec", matrix: left),
              .init(title: "Π (A ⊗ G) Πᵀ = G ⊗ A, for rvec", matrix: turned),
            ], kind: .signed, label: "entry")
        ])
      ],
      caption: "A is 3 × 3, G is 2 × 2, with integer entries.", panelSide: 200)
  }
}

extension VecMeasurement {
  /// η of the four steps in three layers.
  var dots: DotPanels {
    DotPanels(
      title: "One KFAC step, four orders of the same numbers",
      subtitle:
        "784-20-20-20-10, Fashion-MNIST, after \(VecMeasurement.iteration) steps, λ = "
        + "\(VecMeasurement.lambda) on each factor",
      rows: Order.allCases.map(\.rawValue),
      panels: [
        ("cosine", "cosine with the right step"), ("efficiency", "efficiency η"),
        ("slope", "cosine with the gradient"),
      ].map { column, title in
        DotPanels.Panel(
          title: title,
          series: layers.map { layer in
            (
              layer.name,
              Order.allCases.map { order in
                steps.number(column, where: ["layer": layer.name, "order": order.rawValue]).value
              }
            )
          })
      }, x: ChartAxis("(no unit)", limits: 0...1), panelWidth: 175)
  }

  var curveChart: LineChart {
    return LineChart(
      title: "Four training runs from one start",
      subtitle:
        "784-20-20-20-10, Fashion-MNIST, λ = \(VecMeasurement.trainingLambda) on each factor",
      x: ChartAxis("steps"), y: ChartAxis("loss on a fixed batch, nats", .logarithmic),
      series: VecMeasurement.runs.enumerated().map { index, run in
        let all = curves.rows.indices.compactMap { row -> (Double, Double)? in
          guard case .number(let loss) = curves.rows[row][index + 1] else { return nil }
          return (Double(row), loss)
        }
        // Every tenth step of a long run; the table has all.
        let points = all.count < 20 ? all : all.filter { Int($0.0).isMultiple(of: 10) }
        return LineSeries(name: run.name, x: points.map(\.0), y: points.map(\.1))
      })
  }
}
