import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// The numbers and tables of chapter 09.
struct SplitResults {
  let measurement: SplitMeasurement
  let curve: SplitCurve
  let errors, exact, sizes, bases: ResultTable
  let tables: [ResultTable]
  let arrays: [(name: String, array: NumericArray)]

  let frobenius10, frobenius50, inverse10, inverse50, largest10, largest50: ReportedNumber
  let leastFrobenius10, greatestFrobenius10: ReportedNumber
  let relativeLargest10, meanShare, inputShare, outputShare, centredShare: ReportedNumber
  let traceA10, traceA50, traceG10, traceG50, outputChange: ReportedNumber
  let smallError, smallLayer, smallBias: ReportedNumber
  let readings, five, one, both, halved, median10, median50: ReportedNumber

  init(_ context: ChapterContext) throws {
    let measured = try SplitMeasurement(context.fashionMNIST.dataset, context.progress)
    let curve = try SplitCurve(context)
    let first = measured.states[0][0]
    guard let trained = first.errors[.last] else { preconditionFailure("no reading i") }
    let orders = try SplitBases(measured, first)
    measurement = measured
    self.curve = curve
    errors = measured.errorTable
    exact = measured.exactTable
    sizes = try measured.sizeTable()
    bases = orders.table(trained)

    func error(_ measure: String, _ column: String, _ format: NumberFormat, _ table: ResultTable)
      -> ReportedNumber
    {
      table.number(
        column, where: ["layers": FigureFour.Layers.last.rawValue, "measure": measure], format)
    }
    frobenius10 = error("relative Frobenius", "mean_10", .percent(1), errors)
    leastFrobenius10 = error("relative Frobenius", "least_10", .percent(1), errors)
    greatestFrobenius10 = error("relative Frobenius", "greatest_10", .percent(1), errors)
    frobenius50 = error("relative Frobenius", "mean_50", .percent(1), errors)
    let inverse = "damped inverse (relative Frobenius)"
    inverse10 = error(inverse, "mean_10", .percent(1), errors)
    inverse50 = error(inverse, "mean_50", .percent(1), errors)
    largest10 = error("largest entry (absolute)", "mean_10", .significant(2), errors)
    largest50 = error("largest entry (absolute)", "mean_50", .significant(2), errors)

    var findings = Findings()
    func average(_ index: Int, _ value: (KFACFactors) -> Double) -> Double {
      measured.mean(index) { state in Quantiles.mean(state.factors.map(value)) }
    }
    func removed(_ matrix: Matrix) -> Double {
      let split = measured.options.split
      return (matrix - matrix.pinched(blockSize: split)).frobeniusNorm / matrix.frobeniusNorm
    }
    func mean(_ a: Matrix) -> Matrix {
      let last = a.columnCount - 1
      return Matrix(rowCount: a.rowCount, columnCount: a.columnCount) {
        a[$0, last] * a[$1, last]
      }
    }
    relativeLargest10 = findings.report(
      "relative_largest_10", measured.mean(0) { $0.errors[.last]?.value(.relativeLargest, .out) },
      "largest entry of the difference over the largest of KFAC's matrix, 10 iterations, mean over seeds",
      .percent(0))
    meanShare = findings.report(
      "mean_share", average(0) { mean($0.a).frobeniusNorm / $0.a.frobeniusNorm },
      "Frobenius norm of the mean's outer product over that of A, 10 iterations, mean over layers and seeds",
      .percent(1))
    inputShare = findings.report(
      "removed_of_a", average(0) { removed($0.a) },
      "relative Frobenius error of the split of A, 10 iterations, mean over layers and seeds",
      .percent(1))
    outputShare = findings.report(
      "removed_of_g", average(0) { removed($0.g) },
      "relative Frobenius error of the split of G, 10 iterations, mean over layers and seeds; G of layer 4 is 10 wide and not split",
      .percent(1))
    centredShare = findings.report(
      "removed_of_covariance", average(0) { removed($0.a - mean($0.a)) },
      "relative Frobenius error of the split of the inputs' covariance, 10 iterations, mean over layers and seeds",
      .percent(1))
    func trace(_ name: String, _ index: Int, _ value: (KFACFactors) -> Double) -> ReportedNumber {
      findings.report(
        "\(name)_\(SplitMeasurement.iterations[index])", average(index, value),
        "mean over layers 2 to 4 and seeds", .significant(3))
    }
    traceA10 = trace("trace_a", 0) { $0.a.trace }
    traceA50 = trace("trace_a", 1) { $0.a.trace }
    traceG10 = trace("trace_g", 0) { $0.g.trace }
    traceG50 = trace("trace_g", 1) { $0.g.trace }
    outputChange = findings.report(
      "output_change", orders.outputChange,
      "largest change of an output of the network by re-ordering its hidden units", .significant(1))
    let small = try SplitMeasurement.SmallStart(context.fashionMNIST.dataset)
    smallError = findings.report(
      "small_start_error", small.error,
      "relative Frobenius error, start normal with standard deviation 0.02, 10 iterations, first seed",
      .percent(1))
    smallLayer = findings.report(
      "small_start_layers_2_and_3", 1 - small.lastLayer,
      "share of layers 2 and 3 in the squared norm of A ⊗ G of layers 2 to 4, the same run",
      .significant(1))
    smallBias = findings.report(
      "small_start_bias", small.bias,
      "share of the bias entry in the squared norm of layer 4's A, the same run", .percent(1))

    func all(_ column: String, _ format: NumberFormat) -> ReportedNumber {
      curve.choices.number(column, where: ["choice": "all"], format)
    }
    readings = all("readings", .significant(6))
    five = all("five_at_10", .percent(1))
    one = all("one_at_50", .percent(1))
    both = all("both", .percent(3))
    halved = all("halved", .percent(1))
    median10 = all("median_10", .percent(0))
    median50 = all("median_50", .percent(0))

    tables = [
      errors, exact, sizes, bases, curve.choices, curve.variance, curve.frobenius,
      curve.quantiles, curve.density, findings.table,
    ]
    arrays = zip(SplitMeasurement.iterations, measured.states[0]).flatMap { iteration, state in
      zip(measured.options.layers, state.factors).flatMap { layer, factors in
        [
          ("A\(layer)_\(iteration)", NumericArray(factors.a)),
          ("G\(layer)_\(iteration)", NumericArray(factors.g)),
        ]
      }
    }
  }
}
