import DataFiles
import DenseAlgebra
import Experiments
import Networks
import RealModule

/// The tables, numbers and figures of chapter 02.
struct ThreeFishersReport {
  let study: FisherStudy
  let small: SmallRegression
  private var findings = Findings()
  private let states, samples, residuals, blocks: ResultTable

  /// Numbers of one moment of the training.
  struct Moment {
    let loss, ratio, cosine, sampled, expected, empirical: ReportedNumber
    let hessian, negative: ReportedNumber
  }

  let first, shown, last: Moment
  let slope, largestDeviation, firstError, errorAtTen, neededSamples: ReportedNumber
  let regressionFirst, regressionLast, exactFall, empiricalFall: ReportedNumber

  init(_ study: FisherStudy, _ small: SmallRegression) {
    self.study = study
    self.small = small
    states = ThreeFishersReport.states(study)
    samples = ThreeFishersReport.samples(study)
    residuals = ThreeFishersReport.residuals(small)
    blocks = ThreeFishersReport.blocks(study)
    let table = states
    func moment(_ step: Int) -> Moment {
      func number(_ column: String, _ format: NumberFormat) -> ReportedNumber {
        table.number(column, where: ["step": "\(step)"], format)
      }
      return Moment(
        loss: number("loss", .significant(2)), ratio: number("empirical_ratio", .percent(1)),
        cosine: number("empirical_cosine", .fixed(2)),
        sampled: number("sampled_error", .percent(0)),
        expected: number("sampled_expected", .percent(0)),
        empirical: number("empirical_error", .percent(step == 0 ? 0 : 1)),
        hessian: number("hessian_error", .percent(0)),
        negative: number("negative_eigenvalues", .fixed(0)))
    }
    first = moment(0)
    shown = moment(FisherStudy.shownStep)
    last = moment(FisherStudy.steps.max() ?? 0)

    let counts = FisherStudy.sampleCounts
    let means = counts.map { ThreeFishersReport.meanError(study, $0) }
    let expected = study.shownState.expectedError
    let predicted = counts.map { expected / Double($0).squareRoot() }
    let deviation = zip(means, predicted).map { abs($0 / $1 - 1) }.max() ?? 0
    slope = findings.report(
      "slope", ThreeFishersReport.slope(counts.map(Double.init), means),
      "slope of log error against log samples, least squares", .significant(3))
    largestDeviation = findings.report(
      "largest-deviation", deviation,
      "largest relative difference of measured and computed error", .percent(1))
    firstError = samples.number("expected", row: 0, .percent(0))
    errorAtTen = findings.report(
      "error-at-ten", expected / 10.0.squareRoot(),
      "computed error of ten drawn labels for each image at the shown step", .percent(0))
    let end = study.states[study.states.count - 1]
    neededSamples = findings.report(
      "needed-thousands", (end.expectedError / 0.01) * (end.expectedError / 0.01) / 1000,
      "thousands of labels for each image for an error of 0.01 at the last step, by the formula",
      .significant(2))
    regressionFirst = residuals.number("empirical_ratio", row: 0, .percent(0))
    regressionLast = residuals.number(
      "empirical_ratio", row: SmallRegression.scales.count - 1, .significant(2))
    let start = study.states[0]
    exactFall = findings.report(
      "exact-fall", end.exact.frobeniusNorm / start.exact.frobeniusNorm,
      "norm of the exact Fisher at the last step over that at the first", .significant(2))
    empiricalFall = findings.report(
      "empirical-fall", end.empirical.frobeniusNorm / start.empirical.frobeniusNorm,
      "norm of the empirical Fisher at the last step over that at the first", .significant(2))
  }

  var tables: [ResultTable] { [states, samples, residuals, blocks, findings.table] }

  /// The small network for Python, one row for each example.
  var arrays: [(name: String, array: NumericArray)] {
    [
      ("X", NumericArray(small.inputs.transposed)),
      ("W1", NumericArray(small.network.parameters[0].weights)),
      ("W2", NumericArray(small.network.parameters[1].weights)),
      ("Y", NumericArray(small.targets.transposed)),
      (
        "labels",
        NumericArray(
          shape: [small.labels.count], elements: small.labels.map(Double.init), kind: .integer)
      ),
    ]
  }

  // MARK: - Tables

  private static func states(_ study: FisherStudy) -> ResultTable {
    var table = ResultTable(
      "states", "the matrices of layers 2 to 4 along the training",
      [
        ("step", "Adam steps taken"), ("loss", "mean loss of the batch, in nats"),
        ("accuracy", "share of the batch with the right label on top"),
        ("exact_norm", "Frobenius norm of the exact Fisher F"),
        ("empirical_ratio", "norm of the empirical Fisher / norm of F"),
        ("empirical_error", "distance of the empirical Fisher from F / norm of F"),
        ("empirical_cosine", "inner product of the empirical Fisher and F / product of norms"),
        ("sampled_error", "the same distance for one drawn label for each image, one seed"),
        ("sampled_expected", "the computed root-mean-square of that distance"),
        ("hessian_error", "the same distance for the Hessian of the loss"),
        ("negative_eigenvalues", "eigenvalues of the Hessian below −1e-6 of its largest"),
      ])
    for state in study.states {
      let norm = state.exact.frobeniusNorm
      let empiricalNorm = state.empirical.frobeniusNorm
      var row: [CSV.Cell] = [
        .integer(state.step), .number(state.loss), .number(state.accuracy), .number(norm),
        .number(empiricalNorm / norm),
        .number(state.empirical.relativeError(to: state.exact)),
        .number(state.empirical.dot(state.exact) / (norm * empiricalNorm)),
        .number(state.sampled.relativeError(to: state.exact)),
        .number(state.expectedError),
      ]
      if let hessian = state.hessian, let negative = state.negativeEigenvalues {
        row += [.number(hessian.relativeError(to: state.exact)), .integer(negative)]
      } else {
        row += [.empty, .empty]
      }
      table.append(row)
    }
    return table
  }

  private static func samples(_ study: FisherStudy) -> ResultTable {
    var table = ResultTable(
      "monte-carlo", "the error of the Monte-Carlo Fisher at the shown step",
      [
        ("samples", "M, labels drawn for each image"), ("seed", "number of the repetition"),
        ("error", "distance from the exact Fisher / its norm"),
        ("expected", "root-mean-square error by the formula"),
      ])
    for run in study.errors {
      table.append([
        .integer(run.samples), .integer(run.seed), .number(run.error),
        .number(study.shownState.expectedError / Double(run.samples).squareRoot()),
      ])
    }
    return table
  }

  private static func residuals(_ small: SmallRegression) -> ResultTable {
    var table = ResultTable(
      "residuals", "the small regression network while its residuals shrink",
      [
        ("scale", "t: targets are z + t (y − z)"),
        ("empirical_ratio", "norm of the empirical Fisher / norm of the exact one"),
        ("empirical_distance", "distance of the empirical Fisher from F / norm of F"),
        ("hessian_distance", "distance of the Hessian from F / norm of F"),
      ])
    for point in small.points {
      table.append([
        .number(point.scale), .number(point.empiricalNorm), .number(point.empiricalDistance),
        .number(point.hessianDistance),
      ])
    }
    return table
  }

  private static func blocks(_ study: FisherStudy) -> ResultTable {
    var table = ResultTable(
      "blocks", "Frobenius norms of the layer blocks of the four matrices shown",
      [
        ("matrix", "exact, monte-carlo, empirical or hessian"), ("row_layer", "layer of the rows"),
        ("column_layer", "layer of the columns"), ("norm", "Frobenius norm of the block"),
      ])
    let size = study.shownState.exact.rowCount
    let edges = [0] + study.boundaries + [size]
    for (name, matrix) in study.shownMatrices {
      for i in 0..<3 {
        for j in 0..<3 {
          let block = matrix.block(rows: edges[i]..<edges[i + 1], columns: edges[j]..<edges[j + 1])
          table.append([
            .text(name), .integer(i + 2), .integer(j + 2), .number(block.frobeniusNorm),
          ])
        }
      }
    }
    return table
  }

  static func meanError(_ study: FisherStudy, _ samples: Int) -> Double {
    let own = study.errors.filter { $0.samples == samples }.map(\.error)
    return (own.reduce(0) { $0 + $1 * $1 } / Double(own.count)).squareRoot()
  }

  /// The slope of the least-squares line through the logarithms.
  private static func slope(_ x: [Double], _ y: [Double]) -> Double {
    let (u, v) = (x.map { Double.log($0) }, y.map { Double.log($0) })
    let count = Double(u.count)
    let (meanU, meanV) = (u.reduce(0, +) / count, v.reduce(0, +) / count)
    let above = zip(u, v).reduce(0) { $0 + ($1.0 - meanU) * ($1.1 - meanV) }
    return above / u.reduce(0) { $0 + ($1 - meanU) * ($1 - meanU) }
  }

  var statesTable: DocumentTable {
    DocumentTable(
      states,
      caption:
        #"""
        The classifier along its training. Errors are distances from $F$ divided by its norm; \#
        "drawn" is the computed error of one drawn label for each image. The cosine of two \#
        matrices is their inner product, entry by entry, over the product of their norms. A dash: \#
        not computed.
        """#,
      columns: [
        .init("step", "step", .fixed(0)), .init("loss", "loss", .significant(2)),
        .init("accuracy", "right", .percent(0)),
        .init("sampled_expected", "error, drawn", .percent(0)),
        .init("empirical_error", "error, empirical", .percent(0)),
        .init("hessian_error", "error, Hessian", .percent(0)),
        .init("empirical_ratio", "norm, empirical / F", .percent(1)),
        .init("empirical_cosine", "cosine, empirical and F", .fixed(2)),
        .init("negative_eigenvalues", "negative eigenvalues of the Hessian", .fixed(0)),
      ])
  }
}

extension FisherStudy {
  var shownState: State {
    guard let state = states.first(where: { $0.step == FisherStudy.shownStep }) else {
      preconditionFailure("the shown step is not among the steps")
    }
    return state
  }

  var shownMatrices: [(name: String, matrix: Matrix)] {
    let state = shownState
    guard let hessian = state.hessian else { preconditionFailure("no Hessian was formed") }
    return [
      ("exact", state.exact), ("monte-carlo", state.sampled), ("empirical", state.empirical),
      ("hessian", hessian),
    ]
  }
}
