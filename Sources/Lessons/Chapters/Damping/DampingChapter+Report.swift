import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Optimization

/// The tables, numbers and figures of chapter 06.
struct DampingReport {
  /// λ of Eq. 13 in its first three stretches of thirty epochs.
  static let printed = [0.3, 0.03, 0.003]

  let study: DampingStudy
  private(set) var findings = Findings()
  private let rules, dense, eigenvalues, printed, best, schedules: ResultTable
  private let worst: (lambda: Double, pair: DampedPair)

  let worstLambda, worstAngle, worstEfficiency: ReportedNumber
  let countA, countG, aboveA, aboveG, angleWithoutG: ReportedNumber
  let productShare, angleAtPrinted, lastAngleWithoutG: ReportedNumber

  init(_ study: DampingStudy) {
    self.study = study
    worst = study.mostDifferent
    rules = DampingReport.rules(study)
    dense = DampingReport.dense(study)
    eigenvalues = DampingReport.eigenvalues(study)
    printed = DampingReport.printed(study)
    best = DampingReport.best(study)
    schedules = DampingReport.schedules()
    worstLambda = findings.report(
      "worst-lambda", worst.lambda,
      "λ at which the steps of Eq. 6 and of exact damping have the largest angle", .significant(2))
    worstAngle = findings.report(
      "worst-angle", worst.pair.angle, "the angle there, in degrees", .fixed(0))
    worstEfficiency = findings.report(
      "worst-efficiency", worst.pair.efficiency,
      "share of the exactly damped model's best decrease that Eq. 6's step keeps there",
      .percent(0))
    let (alphas, gammas) = (study.layers.flatMap(\.alpha), study.layers.flatMap(\.gamma))
    countA = findings.report(
      "eigenvalues-a", Double(alphas.count), "eigenvalues of the three factors A", .fixed(0))
    countG = findings.report(
      "eigenvalues-g", Double(gammas.count), "eigenvalues of the three factors G", .fixed(0))
    aboveA = findings.report(
      "above-a", Double(alphas.count { $0 > DampingReport.printed[0] }),
      "eigenvalues of the three factors A above 0.3", .fixed(0))
    aboveG = findings.report(
      "above-g", Double(gammas.count { $0 > DampingReport.printed[0] }),
      "eigenvalues of the three factors G above 0.3", .fixed(0))
    let table = printed
    angleWithoutG = table.number("angle_without_g", row: 0, .fixed(0))
    lastAngleWithoutG = table.number("angle_without_g", row: 2, .fixed(0))
    productShare = table.number("product_share", row: 0, .percent(1))
    angleAtPrinted = table.number("angle", row: 0, .fixed(0))
  }

  var tables: [ResultTable] {
    [rules, dense, eigenvalues, printed, best, schedules, findings.table]
  }

  var arrays: [(name: String, array: NumericArray)] {
    study.layers.enumerated().flatMap { index, layer in
      [
        ("A\(index + 2)", NumericArray(layer.factors.a)),
        ("G\(index + 2)", NumericArray(layer.factors.g)),
        ("V\(index + 2)", NumericArray(layer.gradient)),
      ]
    }
  }

  func number(
    _ rule: DampingRule, _ column: String, near lambda: Double, _ format: NumberFormat
  ) -> ReportedNumber {
    guard
      let row = study.points.firstIndex(where: {
        $0.rule == rule && abs($0.lambda / lambda - 1) < 1e-6
      })
    else { preconditionFailure("no point of \(rule) at \(lambda)") }
    return rules.number(column, row: row, format)
  }

  func bestNumber(_ rule: DampingRule, _ column: String, _ format: NumberFormat) -> ReportedNumber {
    best.number(column, where: ["rule": rule.rawValue], format)
  }

  // MARK: - Tables

  private static func rules(_ study: DampingStudy) -> ResultTable {
    var table = ResultTable(
      "rules", "factored rules against exact damping of the same A ⊗ G, layers 2 to 4",
      [
        ("rule", "factor (THOR, Eq. 6), pi (Martens and Grosse) or sqrt (MindSpore's source)"),
        ("lambda", "λ, the same on both sides"),
        ("inverse_error", "Frobenius distance of the inverses / norm of the exactly damped one"),
        ("eta", "share of the exactly damped model's best decrease that the step keeps"),
        ("length_ratio", "length of the step / length of the exactly damped one"),
        ("angle", "angle between the two steps, in degrees"),
      ])
    for point in study.points {
      table.append([
        .text(point.rule.rawValue), .number(point.lambda), .number(point.inverseError),
        .number(point.efficiency), .number(point.lengthRatio), .number(point.angle),
      ])
    }
    return table
  }

  private static func dense(_ study: DampingStudy) -> ResultTable {
    var table = ResultTable(
      "against-fisher", "the rules against the exact layer blocks F plus λ, layers 2 to 4",
      [
        ("rule", "the damping rule of KFAC's factors"), ("lambda", "the rule's λ"),
        ("inverse_error", "distance of the inverses / norm of the inverse of F + λ"),
        ("eta", "share of the best decrease of the model with F + λ"),
        ("eta_fixed", "the same for the model with F + 0.01, whatever the rule's λ"),
      ])
    for point in study.dense {
      table.append([
        .text(point.rule.rawValue), .number(point.lambda), .number(point.inverseError),
        .number(point.efficiency), .number(point.fixedEfficiency),
      ])
    }
    return table
  }

  private static func eigenvalues(_ study: DampingStudy) -> ResultTable {
    var table = ResultTable(
      "eigenvalues", "the eigenvalues of the factors",
      [
        ("layer", "the layer"), ("factor", "A or G"), ("rank", "1 is the largest"),
        ("value", "the eigenvalue"),
      ])
    for (index, layer) in study.layers.enumerated() {
      for (name, values) in [("A", layer.alpha), ("G", layer.gamma)] {
        for (rank, value) in values.reversed().enumerated() {
          table.append([
            .integer(index + 2), .text(name), .integer(rank + 1), .number(value),
          ])
        }
      }
    }
    return table
  }

  private static func printed(_ study: DampingStudy) -> ResultTable {
    var table = ResultTable(
      "printed-lambdas", "Eq. 6 at the λ of Eq. 13, layers 2 to 4",
      [
        ("epochs", "the epochs of Eq. 13 with this λ"), ("lambda", "λ"),
        ("product_share", "trace of A ⊗ G / trace of (A + λ) ⊗ (G + λ)"),
        ("cross_share", "trace of λ (A ⊗ I + I ⊗ G) / the same"),
        ("square_share", "trace of λ² I / the same"),
        ("inverse_error", "distance of the inverse from exact damping's / norm of that"),
        ("angle", "angle to the exactly damped step, in degrees"),
        ("length_ratio", "length / length of the exactly damped step"),
        ("angle_without_g", "angle to the step in which G is left out, in degrees"),
        ("length_without_g", "length of that step / length of Eq. 6's"),
      ])
    for (index, lambda) in DampingReport.printed.enumerated() {
      let traces = study.layers.map { $0.traces(lambda) }
      let product = traces.reduce(0) { $0 + $1.product }
      let cross = traces.reduce(0) { $0 + $1.cross }
      let square = traces.reduce(0) { $0 + $1.square }
      let sum = product + cross + square
      let pair = DampingStudy.pair(study.layers, .factor, lambda)
      let without = DampingStudy.withoutG(study.layers, lambda)
      table.append([
        .text("\(30 * index) to \(30 * index + 29)"), .number(lambda), .number(product / sum),
        .number(cross / sum), .number(square / sum), .number(pair.inverseError),
        .number(pair.angle), .number(pair.lengthRatio), .number(without.angle),
        .number(without.lengthRatio),
      ])
    }
    return table
  }

  private static func best(_ study: DampingStudy) -> ResultTable {
    var table = ResultTable(
      "best", "each rule at its own best λ against the exact blocks F + 0.01",
      [
        ("rule", "the damping rule"), ("best_lambda", "its λ with the largest share, of the grid"),
        ("eta", "share of the best decrease of the model with F + 0.01"),
        ("eta_same", "the share at the same λ, 0.01"),
      ])
    for rule in [DampingRule.factor, .sqrt, .pi, .exact] {
      let own = study.dense.filter { $0.rule == rule }
      guard let top = own.max(by: { $0.fixedEfficiency < $1.fixedEfficiency }),
        let same = own.first(where: { abs($0.lambda / DampingStudy.fixedLambda - 1) < 1e-6 })
      else { preconditionFailure("no points of \(rule)") }
      table.append([
        .text(rule.rawValue), .number(top.lambda), .number(top.fixedEfficiency),
        .number(same.fixedEfficiency),
      ])
    }
    return table
  }

  static let presets: [(name: String, preset: Schedule.Preset, last: Int)] = [
    ("Eq. 13: CIFAR-10", .cifar10, 90), ("Eq. 16: ImageNet batch 256", .imageNet256, 70),
    ("Eq. 16: ImageNet batch 4096", .imageNet4096, 55),
    ("Eq. 16: ImageNet batch 8192", .imageNet8192, 48),
  ]

  private static func schedules() -> ResultTable {
    var table = ResultTable(
      "schedules", "the damping of the paper's Equations 13 and 16 with the numbers of its Table 3",
      [
        ("schedule", "equation, data and batch size"), ("epoch", "e"), ("lambda", "λ"),
        ("root", "√λ"),
      ])
    for (name, preset, last) in presets {
      for epoch in 0...last {
        let value = preset.damping.value(atEpoch: Double(epoch))
        table.append([
          .text(name), .integer(epoch), .number(value), .number(value.squareRoot()),
        ])
      }
    }
    return table
  }

  func schedule(_ name: String, _ epoch: Int) -> ReportedNumber {
    schedules.number("lambda", where: ["schedule": name, "epoch": "\(epoch)"], .significant(2))
  }

  var printedTable: DocumentTable {
    DocumentTable(
      printed,
      caption:
        #"""
        Equation 6 at the three values of λ of Equation 13. Shares are of the trace of what is \#
        inverted.
        """#,
      columns: [
        .init("epochs", "epochs"), .init("lambda", "λ", .significant(1)),
        .init("product_share", "A ⊗ G", .percent(1)),
        .init("cross_share", "cross terms", .percent(1)),
        .init("square_share", "λ² I", .percent(1)),
        .init("angle", "angle to exact damping, °", .fixed(0)),
        .init("length_ratio", "length / exact", .significant(2)),
        .init("angle_without_g", "angle to the step without G, °", .fixed(0)),
      ])
  }

  var bestTable: DocumentTable {
    DocumentTable(
      best,
      caption:
        #"""
        The damping laboratory: share of the best decrease of the model with the exact blocks $F \#
        + 0.01 I$, each rule at the same λ and at its own best λ. "factor" is Equation 6, "sqrt" \#
        the root rule.
        """#,
      columns: [
        .init("rule", "rule"), .init("eta_same", "at the same λ", .percent(1)),
        .init("best_lambda", "own best λ", .significant(2)), .init("eta", "there", .percent(1)),
      ])
  }
}
