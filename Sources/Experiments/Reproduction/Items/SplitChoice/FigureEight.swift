import DataFiles
import Foundation
import Optimization

extension ReproductionItem {
  /// Figure 8: the schedules of Table 3 through Eqs. 14 to 16.
  static let figureEight = ReproductionItem(
    "figure-8", "Figure 8: the schedules of Eqs. 14 to 16 with the values of Table 3"
  ) { _ in
    ReproductionResult(
      setting:
        "Formulas with the printed values of Table 3 only; ResNet-50 on ImageNet is out of scope "
        + "here and nothing was trained.",
      claims: FigureEight.claims,
      tables: [
        PrintedCheck.table(FigureEight.equationChecks + FigureEight.endChecks),
        ScheduleCurves.table(ScheduleCurves.imageNet, lastEpoch: 80),
      ],
      figures: [("figure-8", FigureEight.canvas)],
      remarks: [
        "Past its end the unclamped (1 − e/e_end)⁶ grows again; the schedules here stay 0 there.",
        "THOR_stop has the learning rate 0.050 and the others 0.045: the comparison of the two in Table 4 "
          + "is not at equal learning rates.",
      ])
  }
}

/// The claims and the figure of the hyper-parameters on ImageNet.
enum FigureEight {
  /// Table 3 as printed: preset, α_warmup, α_target, e_warmup, e_end, p_decay, λ₀, ρ_decay.
  static let printed: [(Schedule.Preset, [Double])] = [
    (.imageNet256, [0, 0.045, 0, 70, 6, 0.03, 0.87]),
    (.imageNet256Stop, [0, 0.050, 0, 70, 6, 0.03, 0.87]),
    (.imageNet256NT, [0, 0.045, 0, 72, 6, 0.03, 0.87]),
    (.imageNet4096, [0.005, 0.45, 5, 55, 6, 0.3, 0.2]),
    (.imageNet8192, [0.01, 0.8, 5, 48, 6, 0.6, 0.3]),
  ]

  /// Eqs. 14 and 15 with Table 3, written out; Eq. 14 has no warm-up.
  static func learningRate(_ row: [Double], _ e: Double) -> Double {
    let (start, target, warmUp, end, power) = (row[0], row[1], row[2], row[3], row[4])
    if warmUp > 0 && e <= warmUp { return start + (target - start) / warmUp * e }
    return target * pow(1 - (e - warmUp) / end, power)
  }

  /// Eq. 16.
  static func damping(_ row: [Double], _ e: Double) -> Double { row[5] * pow(row[6], e / 10) }

  static let equationChecks = printed.flatMap { preset, row in
    ScheduleCurves.checks("α, \(preset.rawValue)", preset.learningRate, at: [0, 5, 20, 40]) {
      learningRate(row, $0)
    }
      + ScheduleCurves.checks("λ, \(preset.rawValue)", preset.damping, at: [0, 20, 40]) {
        damping(row, $0)
      }
  }

  /// The first epoch at which each schedule is 0, against the printed e_end.
  static let endChecks = printed.map { preset, row in
    let first = (0...4000).first {
      preset.learningRate.value(atEpoch: Double($0) / 40) == 0
    }
    return PrintedCheck(
      "\(preset.rawValue): first epoch with α = 0", printed: row[3],
      computed: first.map { Double($0) / 40 } ?? .infinity, tolerance: 0.025,
      allowance: "a fortieth of an epoch")
  }

  static var claims: [Claim] {
    let equations = Claim.arithmetic(
      "(b) Learning rate on Momentum, THOR, THOR_stop and THOR_NT. (c) Damping on THOR, THOR_stop and "
        + "THOR_NT.",
      place: "Figure 8, caption, with Eqs. 14 to 16 and Table 3", equationChecks, decimals: 6,
      note:
        "The curves of THOR, THOR_stop and THOR_NT follow from Table 3; \"printed\" is the equation "
        + "evaluated apart from the schedule that training uses. Momentum's learning rate is only plotted."
    )
    let selection = PublishedSplitTable.resNet50OnAscend910.tradeOff().choice()?.size
    let published = ResidualNetwork.resNet50.publishedSplit
    let ends = endChecks.count { $0.isConsistent }
    return [
      Claim(
        "(a) The split dimension list is [1, 16, 32, 64, 128, 256, 512, 1024, 2048], we set split dimension "
          + "as 128.",
        place: "Figure 8, caption",
        finding:
          "nothing; Table 1 gives \(selection.map(String.init) ?? "no size") by straight lines (item "
          + "figure-5).",
        verdict: selection == published ? .arithmeticConsistent : .notFound,
        reason: "the same list and the same data as Figure 5."),
      Claim(
        equations.statement, place: equations.place,
        finding:
          "nothing; \(equationChecks.count { $0.isConsistent }) of \(equationChecks.count) values of "
          + "the schedules at epochs 0, 5, 20 and 40 are those of the equations with Table 3 (table "
          + "`arithmetic`). At epoch 40: "
          + printed.map { preset, row in
            "\(preset.rawValue) α = \(NumberText.short(learningRate(row, 40))), "
              + "λ = \(NumberText.short(damping(row, 40)))"
          }.joined(separator: "; ") + ".",
        verdict: equations.verdict, reason: equations.reason),
      Claim(
        "e_{end} is the end of decay epoch",
        place: "text on Eqs. 14 and 15",
        finding: "nothing; the first epoch with α = 0 against the printed e_end: "
          + endChecks.map {
            "\($0.what.replacing(": first epoch with α = 0", with: "")) "
              + "\(NumberText.short($0.computed)) (\(NumberText.short($0.printed)))"
          }.joined(separator: ", ") + ".",
        verdict: ends == endChecks.count
          ? .arithmeticConsistent : ends > 0 ? .inFormOnly : .notFound,
        reason:
          "it holds in \(ends) of \(endChecks.count) rows: Eq. 15 as printed reaches 0 at e_warmup + "
          + "e_end, so that there e_end is the length of the decay."),
      Claim(
        "(d) Same update interval on THOR, THOR_stop and THOR_NT.",
        place: "Figure 8, caption",
        finding: "nothing; the intervals are plotted without a table or a formula.",
        verdict: .outOfScope, reason: "the values cannot be read off reliably."),
    ]
  }

  static var canvas: Canvas {
    LineChartGrid(
      title: "Figure 8 of the THOR paper: schedules of ResNet-50 on ImageNet",
      subtitle: "Eqs. 14 to 16 with the values of Table 3",
      panels: ScheduleCurves.panels(ScheduleCurves.imageNet, lastEpoch: 80, letters: ("b", "c")),
      columnCount: 2,
      caption:
        "Momentum's learning rate and the update intervals are plots without numbers in the paper and "
        + "are not drawn again. A learning rate ends where it is 0."
    ).canvas
  }
}
