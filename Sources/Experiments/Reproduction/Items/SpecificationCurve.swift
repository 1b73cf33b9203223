import DataFiles
import Networks

/// The specification curve of Figure 4: everything that the paper leaves unstated, crossed.
public enum SpecificationCurve {
  static let item = ReproductionItem(
    "specification-curve",
    "Figure 4's errors under every combination of what the paper leaves unstated", isOfPaper: false
  ) { context in
    let choices =
      context.isQuick
      ? SpecificationChoices.quick(seeds: context.seeds)
      : SpecificationChoices(seeds: context.seeds)
    return try result(choices, data: context.data.small.dataset, context.progress)
  }

  /// Trains every combination once and reads its factors in every way.
  public static func result(
    _ choices: SpecificationChoices, data: Dataset,
    _ progress: @Sendable (String, Int, Int) -> Void
  ) throws -> ReproductionResult {
    let inputs = try Parallel.map(choices.seeds.count, "first layer", progress) {
      try InputFactors(choices, data: data, seed: choices.seeds[$0])
    }
    let jobs = choices.jobs
    let runs = try Parallel.map(jobs.count, "training", progress) { index in
      let job = jobs[index]
      return try SpecificationRun(job, choices, data: data, inputs: inputs[job.seed])
    }
    let readings = runs.flatMap(\.readings)
    let diverged = runs.count(where: \.isDiverged)
    return ReproductionResult(
      setting: setting(choices, data, runs: runs.count, readings: readings.count, diverged),
      claims: claims(readings, choices),
      tables: [
        shares(readings, choices), variance(readings), table(of: readings, choices),
      ],
      figures: readings.isEmpty
        ? []
        : [
          ("specification-curve", curve(readings, data.name)),
          ("variance-explained", varianceFigure(readings, data.name)),
        ],
      remarks: [
        "The windows are 3–7 % for \"around 5 %\" and 0.5–2 % for \"1 %\". The largest absolute entry is "
          + "no percentage: 0.05 is counted as 5 %, as the colour bar of the paper's panel (c) would read.",
        "The spectral norm of the difference is left out for layers 1–3 (785 rows), and the damped inverse "
          + "exists with λ on each factor only, so the crossing is not quite balanced and the shares of "
          + "variance need not add up. \(readings.count { $0.at10 == 0 || $0.at50 == 0 }) readings have an "
          + "error of exactly zero and stand outside the logarithms.",
      ])
  }

  private static func setting(
    _ choices: SpecificationChoices, _ data: Dataset, runs: Int, readings: Int, _ diverged: Int
  ) -> String {
    let counts = SpecificationChoices.Choice.allCases.map { choice in
      "\(choice.name) (\(choices.levels(choice).count))"
    }
    return
      "\(readings) readings from \(runs) training runs of \(choices.iterations.second) steps (batch "
      + "\(choices.batch), split \(choices.split)) of "
      + choices.networks.map { $0.map(String.init).joined(separator: "-") }
      .joined(separator: " and ")
      + " on \(data.name) (\(data.count) images) instead of MNIST; crossed: "
      + counts.joined(separator: ", ")
      + ". The paper says of all its experiments that starts are normal, and gives no σ. KFAC trains the "
      + "middle three layers and gradient descent the rest. All errors are in closed form from the factors "
      + "of the batch. \(diverged) runs diverged, or grew until a factor could not be inverted, and give "
      + "no reading."
  }

  static func claims(_ readings: [SpecificationReading], _ choices: SpecificationChoices) -> [Claim]
  {
    let percent = NumberFormat.percent
    let all = SpecificationAnalysis.Shares(readings)
    let absolute = SplitError.Norm.allCases.firstIndex(of: .largest) ?? 0
    let relative = SpecificationAnalysis.Shares(
      readings.filter { $0.level(of: .norm) != absolute })
    func sentence(_ shares: SpecificationAnalysis.Shares) -> String {
      "\(percent(shares.five)) are at 3–7 % after 10 iterations, \(percent(shares.one)) at 0.5–2 % after "
        + "50, \(percent(shares.both)) both; \(percent(shares.halved)) fall by a factor of at least two"
    }
    func order(_ outcome: SpecificationAnalysis.Outcome, _ chosen: [SpecificationReading]) -> String
    {
      SpecificationChoices.Choice.allCases
        .map { ($0.name, SpecificationAnalysis.explained(chosen, by: $0, outcome)) }
        .sorted { $0.1 > $1.1 }.prefix(5).map { "\($0.0) \(percent($0.1))" }
        .joined(separator: ", ")
    }
    let frobenius = readings.filter {
      SplitError.Norm.allCases[$0.level(of: .norm)] == .frobenius
    }
    let levels = SpecificationChoices.Choice.allCases.flatMap { choice in
      choices.levels(choice).indices.map { level in
        (
          name: "\(choice.name) \(choices.levels(choice)[level])",
          shares: SpecificationAnalysis.Shares(readings.filter { $0.level(of: choice) == level })
        )
      }
    }.filter { $0.shares.both > 0 }.sorted { $0.shares.both > $1.shares.both }
    let place = "beyond the paper; the text on Figure 4, specification 7.10"
    return [
      Claim(
        "How many readings of the text on Figure 4 show an error around 5 % after 10 iterations that "
          + "reduces to 1 % after 50?",
        place: place,
        finding: "of \(all.count) readings \(sentence(all)). Without the absolute norm, of "
          + "\(relative.count): \(sentence(relative)). In relative Frobenius norm, of "
          + "\(frobenius.count): \(sentence(SpecificationAnalysis.Shares(frobenius))).",
        verdict: .measured,
        reason: "Every combination of the unstated choices counts once, each seed by itself."),
      Claim(
        "Which unstated choices decide the error and its course?", place: place,
        finding: "share of the variance of the log error (η², one-way), the five largest: after 10 "
          + "iterations \(order(.at10, readings)); after 50 \(order(.at50, readings)); of the ratio "
          + "\(order(.ratio, readings)). In relative Frobenius norm: after 10 "
          + "\(order(.at10, frobenius)); after 50 \(order(.at50, frobenius)); of the ratio "
          + "\(order(.ratio, frobenius)).",
        verdict: .measured, reason: "Main effects alone; variance.csv has all of them."),
      Claim(
        "Where do both numbers of the paper occur together most often?", place: place,
        finding: levels.isEmpty
          ? "nowhere."
          : "share of readings with both, by level, the eight largest: "
            + levels.prefix(8).map { "\($0.name) \(percent($0.shares.both))" }
            .joined(separator: "; ") + ".",
        verdict: .measured, reason: "choices.csv has every level."),
    ]
  }
}
