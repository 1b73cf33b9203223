import DataFiles
import Foundation
import Optimization

extension ReproductionItem {
  /// Figure 6: the split of ResNet-18 by the rule of Figure 5, and the schedules of Eq. 13.
  static let figureSix = ReproductionItem(
    "figure-6", "Figure 6: the split of ResNet-18 and the schedules of Eq. 13"
  ) { context in
    let sizes = SplitSizes.nineTimesPowersOfTwo
    var sets: [FactorSet] = []
    for spread in [0.0, 3.0] {
      context.progress("simulated factors", sets.count, 2)
      sets.append(try FactorSet.simulated(.resNet18, spread: spread, sizes: sizes))
    }
    context.progress("simulated factors", 2, 2)
    let limit = context.isQuick ? 288 : 1152
    let choice = SplitChoice(
      sizes: sizes, limit: limit, extrapolates: true, sets: sets, isQuick: context.isQuick)
    let figure = FigureSix(choice: choice, limit: limit)
    return ReproductionResult(
      setting:
        "Simulated factors A of the 21 layer shapes of ResNet-18 for CIFAR-10 (simulated: spectra "
        + "and eigenvectors are drawn, only the shapes are ResNet-18's), with inversion times of this "
        + "machine up to \(limit) rows and n³ beyond; the schedules are computed, not trained with.",
      claims: figure.claims,
      tables: [
        choice.retentionTable, choice.timeTable, choice.choiceTable,
        ScheduleCurves.table([.cifar10], lastEpoch: 89),
      ],
      figures: [("figure-6", figure.canvas)],
      remarks: [
        "Simulated: " + sets.map { "\($0.name): \($0.retention.source)" }.joined(separator: "; ")
          + ". Neither was fitted to a trained network.",
        "The paper does not say which first layer its ResNet-18 has; 3 × 3 is usual at 32 × 32 pixels.",
      ])
  }
}

/// The claims and the figure of the hyper-parameters on CIFAR-10.
struct FigureSix {
  let choice: SplitChoice
  let limit: Int

  var claims: [Claim] {
    let found = choice.sets.map { ($0, choice.tradeOff($0)) }
    let sizes = found.compactMap { $0.1.choice()?.size }
    let published = ResidualNetwork.resNet18.publishedSplit
    let crossings = found.count { SplitChoice.crosses($0.1) }
    let epochs = [0.0, 29.5, 30, 59.5, 60, 89.5]
    return [
      Claim(
        "(a) The split dimension list is [1, 9, 18, 36, 72, 144, 288, 576, 1152, 2304, 4608], we set split "
          + "dimension as 72.",
        place: "Figure 6, caption",
        finding: "with inversion times of this machine the chosen size is "
          + found.map { set, curves in
            "\(SplitChoice.text(curves)) for \(set.name) (structural: "
              + "\(SplitChoice.text(choice.structuralTradeOff(set))))"
          }.joined(separator: "; ")
          + ". With the printed times of an Ascend 910 between its sizes: "
          + choice.sets.map { set in
            SplitChoice.text(
              SplitChoice.ascend(sizes: choice.times.sizes, sets: choice.sets).tradeOff(set))
              + " for \(set.name)"
          }.joined(separator: "; ") + ".",
        verdict: FigureSix.verdict(sizes, published: published, crossings: crossings),
        reason: "in form only where the curves cross inside the list, whatever size is chosen "
          + "(\(published) by \(sizes.count { $0 == published }) of \(found.count) sets here): the factors "
          + "are simulated and the machine is not a V100, for which the paper prints no times."),
      Claim(
        "(b) The same update interval of FIM on THOR, THOR_stop and THOR_NT.",
        place: "Figure 6, caption",
        finding: "nothing; the intervals are plotted without a table or a formula.",
        verdict: .outOfScope,
        reason: "the values cannot be read off reliably; only KFAC's 20 is printed."),
      Claim.arithmetic(
        "α^(e) = 0.1 × 10^(−⌊e/30⌋), λ^(e) = 0.3 × 10^(−⌊e/30⌋)",
        place: "Eq. 13",
        ScheduleCurves.checks("α", Schedule.Preset.cifar10.learningRate, at: epochs) {
          0.1 * pow(10, -($0 / 30).rounded(.down))
        }
          + ScheduleCurves.checks("λ", Schedule.Preset.cifar10.damping, at: epochs) {
            0.3 * pow(10, -($0 / 30).rounded(.down))
          }, decimals: 4,
        note:
          "The curves of this item are the equation's; \"printed\" is the equation evaluated apart from "
          + "the schedule that training uses."),
    ]
  }

  /// In form only where the curves of some set cross inside the list, else not found.
  static func verdict(_ sizes: [Int], published: Int, crossings: Int) -> Claim.Verdict {
    crossings > 0 ? .inFormOnly : .notFound
  }

  var canvas: Canvas {
    LineChartGrid(
      title: "Figure 6 of the THOR paper: hyper-parameters of ResNet-18 on CIFAR-10",
      subtitle:
        "split selection on simulated factors with ResNet-18's shapes, times of this machine; "
        + "schedules of Eq. 13",
      panels: [choice.panel("(a) split selection")]
        + ScheduleCurves.panels([.cifar10], lastEpoch: 89, letters: ("b", "c"), note: ", Eq. 13"),
      columnCount: 3,
      caption:
        "Inversion times are measured up to \(limit) rows and follow n³ beyond. The paper's panel of "
        + "update intervals is a plot without numbers and is not drawn again."
    ).canvas
  }
}
