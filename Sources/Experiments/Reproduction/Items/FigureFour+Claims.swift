import Curvature
import DataFiles
import Networks

extension FigureFour {
  /// Reproduced where the plain reading is in its window (layers i, no λ, relative Frobenius, either of
  /// the split against KFAC or of both against the exact blocks); in form only where another norm is.
  public static func fiveVerdict(_ rows: [Row], kfac: Double, split: Double) -> Claim.Verdict {
    let exact = aroundFive.contains(kfac) && aroundFive.contains(split)
    if exact || plain(rows)?.isFive == true { return .reproduced }
    return rows.contains(where: \.isFive) ? .inFormOnly : .notFound
  }

  /// Reproduced where the plain reading falls to 1 %; in form only where another norm does, or where
  /// the plain one at least halves.
  public static func oneVerdict(_ rows: [Row]) -> Claim.Verdict {
    guard let plain = plain(rows) else { return .notFound }
    if plain.isOne { return .reproduced }
    return rows.contains(where: \.isOne) || plain.mean50 <= plain.mean10 / 2
      ? .inFormOnly : .notFound
  }

  /// Whether the share on the blocks grows from 10 to 50 iterations.
  public static func shareVerdict(at10: Double, at50: Double) -> Claim.Verdict {
    at50 > at10 ? .reproduced : .notFound
  }

  static func plain(_ rows: [Row]) -> Row? {
    rows.first { $0.layers == .last && $0.damping == .out && $0.norm == .frobenius }
  }

  static func claims(
    _ rows: [Row], _ summary: ComparisonSummary,
    _ errors: [SplitCourse]
  ) -> [Claim] {
    func mean(_ kind: StructureKind, _ iteration: Int) -> Double {
      summary.statistic(.relativeFrobenius, .blocks, iteration: iteration, structure: kind)?.mean
        ?? .nan
    }
    func list(_ rows: [Row], _ value: (Row) -> Double) -> String {
      rows.isEmpty
        ? "none"
        : rows.map { "\($0.label) \(NumberFormat.short(value($0)))" }.joined(separator: "; ")
    }
    let percent = NumberFormat.percent
    let (kfac, split) = (mean(.kfac, 10), mean(.kfacSplit, 10))
    let first = rows.filter { $0.layers == .last && $0.damping == .out }
    let five = rows.filter(\.isFive)
    let one = rows.filter(\.isOne)
    let both = rows.filter { $0.isFive && $0.isOne }
    let share10 = Quantiles.mean(errors.map(\.at10.shareInside))
    let share50 = Quantiles.mean(errors.map(\.at50.shareInside))
    let plain = plain(rows)
    return [
      Claim(
        "We calculate the errors of two approximations F̃ and F̂, which are around 5% after 10 "
          + "iterations.",
        place:
          "the text on Figure 4; \"errors of two approximations\" may mean each against the exact "
          + "Fisher, or one against the other",
        finding: "after 10 iterations, each against the exact blocks (relative Frobenius): KFAC "
          + "\(percent(kfac)), split \(percent(split)). Split against KFAC, layers i, no λ: "
          + list(first, \.mean10) + ".",
        verdict: fiveVerdict(rows, kfac: kfac, split: split),
        reason: "The norm is not stated. Of \(rows.count) combinations of norm, λ and layers, "
          + "\(five.count) give 3–7 % in the mean over the seeds: " + list(five, \.mean10) + "."),
      Claim(
        "Interestingly, the relative difference between two approximations F̃ and F̂ reduces to 1% "
          + "after 50 iterations.",
        place: "the text on Figure 4",
        finding: "after 50 iterations, layers i, no λ: " + list(first, \.mean50) + ".",
        verdict: oneVerdict(rows),
        reason: "\(one.count) of \(rows.count) combinations fall to 0.5–2 %: " + list(one, \.mean50)
          + ". Both sentences together hold for: " + list(both, \.mean50)
          + ". The plain reading (relative Frobenius, no λ, layers i) goes from "
          + "\(percent(plain?.mean10 ?? .nan)) to \(percent(plain?.mean50 ?? .nan))."),
      Claim(
        "One possible reason is that the independence assumption is more likely to be satisfied when "
          + "the proportion of element value on the diagonal block increases.",
        place: "the text on Figure 4",
        finding: "the share of Σ|entries| of A ⊗ G inside the split's blocks goes from "
          + "\(percent(share10)) after 10 to \(percent(share50)) after 50 iterations (mean over the "
          + "seeds, layers i).",
        verdict: shareVerdict(at10: share10, at50: share50),
        reason:
          "Reproduced when the share grows. For squared entries it would be no reason but the "
          + "same statement: the relative Frobenius error is √(1 − share of the squares inside)."),
    ]
  }

  static func setting(_ options: ComparisonOptions, _ data: Dataset) -> String {
    let network = options.widths.map(String.init).joined(separator: "-")
    return "The paper's network (it prints 768 inputs, which no MNIST image has), \(network) with "
      + "\(options.activation.rawValue), start \(options.initialization.label), on \(data.name) "
      + "(\(data.count) images) instead of MNIST; layers \(options.layers.lowerBound)–"
      + "\(options.layers.upperBound) trained with KFAC (α = \(options.learningRate), λ = "
      + "\(options.trainingLambda) on each factor) and the rest with gradient descent, batch "
      + "\(options.batch), split \(options.split), \(options.seeds.count) seeds. Activation, start, "
      + "rate, λ, norm and layers are not stated in the paper: specification-curve crosses them."
  }

  /// Whether the absolute error falls with the matrices or with their off-diagonal share.
  static func scaleRemark(_ rows: [Row], _ errors: [SplitCourse]) -> String {
    func mean(_ norm: SplitError.Norm, _ value: (Row) -> Double) -> Double {
      rows.first { $0.layers == .last && $0.damping == .out && $0.norm == norm }.map(value) ?? .nan
    }
    func trace(_ error: SplitError) -> Double {
      Quantiles.mean(error.layers.map(\.g.trace))
    }
    let short = NumberFormat.short
    let (g10, g50) = (
      Quantiles.mean(errors.map { trace($0.at10) }), Quantiles.mean(errors.map { trace($0.at50) })
    )
    return "The largest absolute entry of the difference, which panel (c) draws, goes from "
      + "\(short(mean(.largest, \.mean10))) to \(short(mean(.largest, \.mean50))) between 10 and 50 "
      + "iterations while the mean tr G of the layers goes from \(short(g10)) to \(short(g50)); relative "
      + "to the largest entry of A ⊗ G it goes from \(short(mean(.relativeLargest, \.mean10))) to "
      + "\(short(mean(.relativeLargest, \.mean50))). An absolute error moves with the size of the "
      + "matrices, so its course alone says nothing on how good the split is."
  }

  static func norms(_ rows: [Row]) -> ResultTable {
    var table = ResultTable(
      "norms", "The error of the split against KFAC in every norm, over the seeds.",
      [
        ("layers", "which reading of \"the middle three layers\""),
        ("lambda", "whether the compared matrices hold λ"),
        (
          "norm",
          "the norm: "
            + SplitError.Norm.allCases.map { "\($0.rawValue): \($0.explanation)" }
            .joined(separator: "; ")
        ),
        ("mean_10", "after 10 iterations, mean over the seeds"), ("least_10", "least"),
        ("greatest_10", "greatest"), ("mean_50", "after 50 iterations, mean"),
        ("least_50", "least"), ("greatest_50", "greatest"),
      ])
    for row in rows {
      table.append([
        .text(row.layers.rawValue), .text(row.damping.rawValue), .text(row.norm.rawValue),
        .number(row.mean10), .number(row.at10.min() ?? .nan), .number(row.at10.max() ?? .nan),
        .number(row.mean50), .number(row.at50.min() ?? .nan), .number(row.at50.max() ?? .nan),
      ])
    }
    return table
  }

  /// KFAC, EKFAC and the split against the exact Fisher and its blocks.
  static func exactErrors(_ summary: ComparisonSummary, _ options: ComparisonOptions) -> ResultTable
  {
    var table = ResultTable(
      "exact-errors", "Relative Frobenius errors against the exact Fisher, undamped.",
      [
        ("iteration", "iterations of training"), ("structure", "the approximation"),
        ("reference", "blocks: the exact layer blocks; full: with the coupling between layers"),
        ("mean", "over the seeds"), ("least", "over the seeds"), ("greatest", "over the seeds"),
      ])
    for iteration in options.iterations {
      for kind in [StructureKind.kfac, .ekfac, .kfacSplit] {
        for reference in [Reference.blocks, .full] {
          guard
            let found = summary.statistic(
              .relativeFrobenius, reference, iteration: iteration, structure: kind)
          else { continue }
          table.append([
            .integer(iteration), .text(kind.rawValue), .text(reference.rawValue),
            .number(found.mean), .number(found.minimum), .number(found.maximum),
          ])
        }
      }
    }
    return table
  }
}
