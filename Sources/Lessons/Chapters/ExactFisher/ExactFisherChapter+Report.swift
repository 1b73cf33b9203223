import DataFiles
import DenseAlgebra
import Experiments
import Networks
import RealModule

/// The tables, numbers and figures of chapter 03.
struct ExactFisherReport {
  /// Of the steps h.
  static let exponents: [Double] = (-18 ... -2).map { Double($0) / 2 }

  let routes: FiveRoutes
  let squares: SquareOfMean
  private(set) var findings = Findings()
  private let agreement, steps, means, parts: ResultTable

  let bestPlain, bestCareful, bestGradient, plainAtSmall: ReportedNumber
  let vectors, layerShare: ReportedNumber
  let drawnAtLargest, startAtLargest, trainedAtLargest: ReportedNumber

  init(_ routes: FiveRoutes, _ squares: SquareOfMean) {
    self.routes = routes
    self.squares = squares
    agreement = ExactFisherReport.agreement(routes)
    let curves = ExactFisherReport.steps(routes)
    steps = curves
    means = ExactFisherReport.means(squares)
    parts = ExactFisherReport.parts(routes)
    func best(_ column: String) -> ReportedNumber {
      let values = curves.rows.indices.map { curves.number(column, row: $0).value }
      let row = values.indices.max { values[$0] < values[$1] } ?? 0
      return curves.number(column, row: row, .fixed(0))
    }
    bestPlain = best("digits_plain")
    bestCareful = best("digits_careful")
    bestGradient = best("digits_gradient")
    plainAtSmall = curves.number("digits_plain", row: 2, .fixed(0))
    vectors = findings.report(
      "label-vectors",
      Double.pow(Double(FiveRoutes.classCount), Double(FiveRoutes.inputCount)).rounded(),
      "number of label vectors of the small network's inputs", .fixed(0))
    let fisher = routes.fisher
    let edge = routes.network.layout.offsets[1]
    var coupling = 0.0
    for i in 0..<edge {
      for j in edge..<fisher.columnCount { coupling += 2 * fisher[i, j] * fisher[i, j] }
    }
    layerShare = findings.report(
      "coupling", coupling.squareRoot() / fisher.frobeniusNorm,
      "norm of the blocks between the two layers / norm of F", .percent(0))
    let last = squares.points.count - 1
    drawnAtLargest = means.number("drawn", row: last, .significant(2))
    startAtLargest = means.number("start", row: last, .significant(2))
    trainedAtLargest = means.number("trained", row: last, .significant(2))
  }

  var tables: [ResultTable] { [agreement, steps, means, parts, findings.table] }

  var arrays: [(name: String, array: NumericArray)] {
    [
      ("X", NumericArray(routes.inputs.transposed)),
      ("W1", NumericArray(routes.network.parameters[0].weights)),
      ("W2", NumericArray(routes.network.parameters[1].weights)),
      ("F", NumericArray(routes.fisher)),
    ]
  }

  /// What the text says of the outcome in words.
  func claims(_ document: inout ChapterDocument) {
    func digits(_ column: String, _ row: Int) -> Double {
      agreement.number(column, row: row).value
    }
    document.claim(
      "routes 1 to 4 agree to rounding, route 5 has fewer digits",
      holds: (1...3).allSatisfy { digits("digits_1", $0) >= 12 } && digits("digits_1", 4) < 12)
    func bestStep(_ column: String) -> Double {
      let row = steps.rows.indices.max {
        steps.number(column, row: $0).value < steps.number(column, row: $1).value
      }
      return steps.number("step", row: row ?? 0).value
    }
    document.claim("no digit is right at the smallest steps", holds: plainAtSmall.value == 0)
    document.claim(
      "KL without cancellation is best at a smaller step, with more digits",
      holds: bestStep("digits_careful") < bestStep("digits_plain")
        && bestCareful.value > bestPlain.value)
    document.claim(
      "the quotient is near 1/B for drawn labels, larger for the data's, largest after training",
      holds: abs(drawnAtLargest.value * 256 - 1) < 0.25
        && startAtLargest.value > 2 * drawnAtLargest.value
        && trainedAtLargest.value > startAtLargest.value)
  }

  // MARK: - Tables

  private static let descriptions: [FiveRoutes.Route: (name: String, passes: Int)] = {
    let (n, c) = (FiveRoutes.inputCount, FiveRoutes.classCount)
    let parameters = 39
    return [
      .labels: ("1 labels: every class, weighted", n * c),
      .root: ("2 square root of the output Hessian", n * c),
      .jacobian: ("3 Jacobians: mean of JᵀHJ", n * c),
      .vectors: ("4 all label vectors, mean gradients", n * c),
      .divergence: ("5 second difference of KL", 2 * parameters * (parameters + 1) * n),
    ]
  }()

  private static func agreement(_ routes: FiveRoutes) -> ResultTable {
    var table = ResultTable(
      "routes", "the exact Fisher of one network by five routes",
      [
        ("route", "how F was computed"),
        ("passes", "passes of one input through the network, backward (1 to 4) or forward (5)"),
        ("digits_1", "whole decimal digits shared with route 1, at most 15"),
        ("digits_3", "the same with route 3"), ("digits_5", "the same with route 5"),
      ])
    for route in FiveRoutes.Route.allCases {
      guard let matrix = routes.fishers[route], let text = descriptions[route],
        let first = routes.fishers[.labels], let third = routes.fishers[.jacobian],
        let fifth = routes.fishers[.divergence]
      else { preconditionFailure("route \(route) was not taken") }
      func digits(_ other: Matrix, _ own: FiveRoutes.Route) -> CSV.Cell {
        route == own ? .empty : .integer(FiveRoutes.digits(matrix, other))
      }
      table.append([
        .text(text.name), .integer(text.passes), digits(first, .labels),
        digits(third, .jacobian), digits(fifth, .divergence),
      ])
    }
    return table
  }

  /// Digits for steps h from 1e-9 to 0.1, by three kinds of second difference.
  private static func steps(_ routes: FiveRoutes) -> ResultTable {
    var table = ResultTable(
      "steps", "digits of second differences against the step h",
      [
        ("step", "h"),
        ("digits_plain", "KL as the sum of p (log p − log q): whole digits shared with route 1"),
        ("digits_careful", "KL without cancellation, as the suite computes it"),
        ("digits_gradient", "differences of the gradient of KL"),
      ])
    let (network, inputs) = (routes.network, routes.inputs)
    for exponent in exponents {
      let h = Double.pow(10, exponent)
      let plain = FiveRoutes.secondDifference(
        of: { FiveRoutes.plainDivergence(network, inputs, $0) }, layout: network.layout, step: h)
      let careful = FiveRoutes.secondDifference(
        of: { FiveRoutes.divergence(network, inputs, $0) }, layout: network.layout, step: h)
      let gradient = FiveRoutes.gradientDifference(network, inputs, step: h)
      table.append(
        [.number(h)]
          + [plain, careful, gradient].map { .integer(FiveRoutes.digits($0, routes.fisher)) })
    }
    return table
  }

  private static func means(_ squares: SquareOfMean) -> ResultTable {
    var table = ResultTable(
      "square-of-mean", "squared norm of the mean gradient / mean of squared norms, layers 2 to 4",
      [
        ("batch", "B, images in a batch"),
        ("drawn", "labels drawn from the model: mean over the draws"),
        ("drawn_least", "least of the draws"), ("drawn_greatest", "greatest of the draws"),
        ("start", "labels of the data, before training"),
        ("trained", "labels of the data, after 100 steps on these images"),
      ])
    for point in squares.points {
      table.append([
        .integer(point.batch), .number(point.drawn), .number(point.least),
        .number(point.greatest), .number(point.start), .number(point.trained),
      ])
    }
    return table
  }

  private static func parts(_ routes: FiveRoutes) -> ResultTable {
    var table = ResultTable(
      "classes", "the parts of F that the classes contribute",
      [
        ("class", "c"), ("mean_probability", "mean of p(c) over the inputs"),
        ("trace", "trace of the part"), ("norm", "Frobenius norm of the part"),
      ])
    for (index, part) in routes.classParts.enumerated() {
      let mean =
        routes.probabilities.row(index).elements.reduce(0, +) / Double(FiveRoutes.inputCount)
      table.append([
        .integer(index), .number(mean), .number(part.trace), .number(part.frobeniusNorm),
      ])
    }
    return table
  }

  func trace(_ index: Int) -> ReportedNumber { parts.number("trace", row: index, .significant(2)) }

  var routesTable: DocumentTable {
    DocumentTable(
      agreement,
      caption:
        #"""
        Five routes to the same 39 × 39 matrix, and how many decimal digits they share, at most \#
        15. Route 5 uses $h = 10^{-4}$.
        """#,
      columns: [
        .init("route", "route"), .init("passes", "passes", .fixed(0)),
        .init("digits_1", "digits shared with 1", .fixed(0)),
        .init("digits_3", "with 3", .fixed(0)), .init("digits_5", "with 5", .fixed(0)),
      ])
  }

  // MARK: - Figures

  var assembly: Figure {
    let edge = routes.network.layout.offsets[1]
    func panel(_ title: String, _ matrix: Matrix) -> HeatmapGrid.Panel {
      HeatmapGrid.Panel(
        title: title, matrix: matrix, layerBoundaries: [edge], layerNames: ["layer 1", "2"])
    }
    let panels =
      routes.classParts.enumerated().map { panel("class \($0)", $1) }
      + [panel("sum: F", routes.fisher)]
    let scale = ColorScale(.signed, fitting: [routes.fisher])
    func row(_ pair: ArraySlice<HeatmapGrid.Panel>) -> HeatmapGrid.Row {
      HeatmapGrid.Row(groups: [HeatmapGrid.Group(Array(pair), scale: scale, label: "entry")])
    }
    var grid = HeatmapGrid(
      title: "The exact Fisher, one class after the other",
      rows: [row(panels[0..<2]), row(panels[2..<4])],
      caption: "Each part: outer products of gradients, weighted by the model's probability.")
    grid.panelSide = 200
    return Figure(
      "assembly", grid.canvas,
      caption:
        #"""
        $F$ of the small network as the sum over its three classes; colours with sign, one scale.
        """#,
      alternativeText:
        #"""
        Four heat maps of 39 by 39 entries. Each class gives a positive semi-definite part with \#
        its own pattern, with traces \#(trace(0)), \#(trace(1)) and \#(trace(2)); the fourth is \#
        their sum. The strongest entries are in the last columns of layer 1.
        """#,
      tables: ["classes"])
  }

  var stepsFigure: Figure {
    let x = ExactFisherReport.exponents.map { Double.pow(10, $0) }
    func series(_ name: String, _ column: String) -> LineSeries {
      LineSeries(
        name: name, x: x, y: steps.rows.indices.map { steps.number(column, row: $0).value })
    }
    let chart = LineChart(
      title: "How many digits a second difference gives",
      x: ChartAxis("step h (no unit)", .logarithmic),
      y: ChartAxis("whole digits shared with route 1", limits: 0...12),
      series: [
        series("KL as p (log p − log q)", "digits_plain"),
        series("KL without cancellation", "digits_careful"),
        series("differences of the gradient", "digits_gradient"),
      ])
    return Figure(
      "steps", chart.canvas,
      caption: #"Digits of $F$ by second differences of KL, against the step $h$."#,
      alternativeText:
        #"""
        Three curves that rise and fall with the step. The textbook formula peaks at \#
        \#(bestPlain) digits and has \#(plainAtSmall) at a step of one in a hundred million; KL \#
        without cancellation peaks at \#(bestCareful), differences of the gradient at \#
        \#(bestGradient), both at smaller steps.
        """#,
      tables: ["steps"])
  }

  var meansFigure: Figure {
    let x = squares.points.map { Double($0.batch) }
    let chart = LineChart(
      title: "The square of the mean is not the mean of squares",
      x: ChartAxis("images in the batch, B (no unit)", .logarithmic),
      y: ChartAxis("square of mean / mean of squares (no unit)", .logarithmic),
      series: [
        LineSeries(
          name: "drawn labels", x: x, y: squares.points.map(\.drawn),
          least: squares.points.map(\.least), greatest: squares.points.map(\.greatest)),
        LineSeries(name: "one over B", x: x, y: x.map { 1 / $0 }),
        LineSeries(name: "labels of the data, start", x: x, y: squares.points.map(\.start)),
        LineSeries(name: "labels of the data, trained", x: x, y: squares.points.map(\.trained)),
      ], caption: "Band: least and greatest of the draws.")
    return Figure(
      "square-of-mean", chart.canvas,
      caption:
        #"""
        Squared norm of the mean gradient over the mean of squared norms, for layers 2 to 4 on \#
        Fashion-MNIST.
        """#,
      alternativeText:
        #"""
        On logarithmic axes the curve of drawn labels falls along one over B to \#
        \#(drawnAtLargest) at the largest batch. With the labels of the data before training it \#
        falls more slowly, to \#(startAtLargest); after training it ends at \#(trainedAtLargest).
        """#,
      tables: ["square-of-mean"])
  }
}

extension FiveRoutes {
  /// The matrix of route 1.
  var fisher: Matrix {
    guard let matrix = fishers[.labels] else { preconditionFailure("route 1 was not taken") }
    return matrix
  }
}
