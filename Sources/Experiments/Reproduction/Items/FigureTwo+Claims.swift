import Optimization

extension FigureTwo {
  /// The rows of one reading with the paper's λ, in training and in the test.
  static func rows(
    _ rows: [Row], _ statistic: Statistic, _ reading: TraceRule.Reading, stride: Int = 1
  ) -> [Row] {
    let test = Test(
      training: trainings[0], testLambda: lambdas[0], stride: stride, statistic: statistic,
      reading: reading)
    return rows.filter { $0.test == test }
  }

  /// The rows of the literal reading on the batch's exact factors with the paper's λ.
  public static func literal(_ all: [Row], stride: Int = 1) -> [Row] {
    rows(all, .exact, .product, stride: stride)
  }

  /// Whether a property holds for most layers.
  static func holdsForMost(_ rows: [Row], _ property: (Row) -> Bool) -> Bool {
    2 * rows.count(where: property) > rows.count
  }

  /// Reproduced where most layers have the property under the literal reading; in form only where they
  /// have a weaker one there, or the property under another reading or other statistics.
  ///
  /// `statistics` are those that count as other ones, all with the paper's λ.
  public static func verdict(
    _ rows: [Row], _ property: (Row) -> Bool, orWeaker weaker: (Row) -> Bool = { _ in false },
    statistics: [Statistic] = Statistic.allCases
  ) -> Claim.Verdict {
    if holdsForMost(literal(rows), property) { return .reproduced }
    return holdsForMost(literal(rows), weaker) || !others(rows, property, statistics).isEmpty
      ? .inFormOnly : .notFound
  }

  /// The other readings, with the paper's λ, under which most layers have a property.
  static func others(_ all: [Row], _ property: (Row) -> Bool, _ statistics: [Statistic])
    -> [String]
  {
    var names: [String] = []
    for statistic in statistics {
      for reading in TraceRule.Reading.allCases {
        let isLiteral = statistic == .exact && reading == .product
        if !isLiteral && holdsForMost(rows(all, statistic, reading), property) {
          names.append("\(reading.rawValue) (\(statistic.rawValue))")
        }
      }
    }
    return names
  }

  static func claims(_ rows: [Row]) -> [Claim] { [courseClaim(rows), intervalClaim(rows)] }

  private static func list(_ rows: [Row], _ text: (Row) -> String) -> String {
    rows.map { "layer \($0.layer) \(text($0))" }.joined(separator: ", ")
  }

  private static func joined(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.joined(separator: ", ")
  }

  /// "relatively large at the beginning, and then fluctuates around a relatively fixed small value".
  private static func courseClaim(_ rows: [Row]) -> Claim {
    let chosen = literal(rows)
    let isBoth: (Row) -> Bool = { $0.isLargeFirst && $0.isLevel }
    let isBothAtOnce: (Row) -> Bool = { $0.isLargeAtOnce && $0.isLevel }
    let ofBatch = [Statistic.exact, .empirical]
    let courses = list(chosen) { row in
      [row.first, row.early, row.third, row.last].map(NumberFormat.short)
        .joined(separator: " → ")
    }
    let five = chosen.count(where: \.isLargeFirst)
    let once = chosen.count(where: \.isLargeAtOnce)
    let level = chosen.count(where: \.isLevel)
    let other = joined(others(rows, isBoth, ofBatch))
    return Claim(
      "It can be seen clearly that Δ^k is relatively large at the beginning, and then fluctuates "
        + "around a relatively fixed small value after a few iterations.",
      place: "Figures 2 and 3 and the text on them",
      finding: "reading a, exact factors, λ = \(lambdas[0]): median Δ of the first test, the first "
        + "five, the third and the last quarter of the tests: \(courses).",
      verdict: verdict(rows, isBoth, orWeaker: isBothAtOnce, statistics: ofBatch),
      reason: "The first five tests are at least twice as high as the later ones in \(five) of "
        + "\(chosen.count) layers, the first test alone in \(once) (in form only); the last two quarters "
        + "agree up to a factor of two in \(level). Most layers must do both. Other readings of the "
        + "batch under which most do: \(other). Running averages do not count: the k-th refresh has "
        + "weight 1/k there, so Δ falls by construction.")
  }

  /// "For most layers, Δ^k lies in the interval (0.001, 0.01)".
  private static func intervalClaim(_ rows: [Row]) -> Claim {
    let chosen = literal(rows)
    let inside = verdict(rows, \.isInside)
    let near = chosen.filter(\.isAroundThousandth)
    // The sentence has two halves: without the second one only the first is seen.
    let both: Claim.Verdict = inside == .reproduced && near.isEmpty ? .inFormOnly : inside
    let shares = TraceRule.Reading.allCases.map { reading in
      let mean = Quantiles.mean(FigureTwo.rows(rows, .exact, reading).map(\.inside))
      return "\(reading.rawValue) \(NumberFormat.percent(mean))"
    }
    let short = list(chosen) { NumberFormat.percent($0.inside) }
    let far = list(literal(rows, stride: 10)) { NumberFormat.percent($0.inside) }
    let other = joined(others(rows, \.isInside, Statistic.allCases))
    return Claim(
      "For most layers, Δ^k lies in the interval (0.001, 0.01) and fluctuates around 0.001 for some "
        + "layers.",
      place: "the text on Figures 2 and 3",
      finding: "share of tests inside the interval under reading a, exact factors, λ = "
        + "\(lambdas[0]): \(short); at Figure 3's distance of ten tests: \(far). Mean over the layers, by "
        + "reading: \(shares.joined(separator: ", ")).",
      verdict: both,
      reason:
        "\(chosen.count(where: \.isInside)) of \(chosen.count) layers have more tests inside than "
        + "outside under reading a; other readings under which most have: \(other). Layers whose later "
        + "level is 0.0005 to 0.002 under reading a: \(joined(near.map { "\($0.layer)" })).")
  }

  /// What λ does to Δ: in the test alone, and in the training too.
  static func remarks(_ rows: [Row], _ runs: [CurvatureTrajectory]) -> [String] {
    func level(_ training: Training, _ test: Double) -> Double {
      let wanted = Test(
        training: training, testLambda: test, stride: 1, statistic: .exact, reading: .product)
      return Quantiles.median(rows.filter { $0.test == wanted }.map(\.late).filter(\.isFinite))
    }
    let (high, low) = (lambdas[0], lambdas[1])
    let start = level(trainings[0], high)
    let inTest = level(trainings[0], low)
    func direction(_ to: Double) -> String {
      to > start ? "rises" : to < start ? "falls" : "stays"
    }
    func lastLoss(_ training: Training) -> Double {
      Quantiles.median(runs.filter(training.isOf).compactMap { $0.records.last?.loss })
    }
    let shares = runs.filter(trainings[0].isOf).flatMap(\.records).map { record in
      let product = record.exact.a * record.exact.g
      return product / (product + high * Double(record.exact.sizeA * record.exact.sizeG))
    }
    let short = NumberFormat.short
    let others = trainings.dropFirst().map { training in
      let value = level(training, low)
      let name =
        "Where the training has λ = \(training.lambda) too, with α = \(training.learningRate), "
      guard value.isFinite else { return name + "no run lasts to a second test." }
      return name + "it \(direction(value)) to \(short(value)) (another run: last batch loss "
        + "\(short(lastLoss(training))) instead of \(short(lastLoss(trainings[0]))))."
    }
    let share = NumberFormat.percent(Quantiles.median(shares))
    return [
      "Which way λ moves Δ. With reading a, λ d_A d_G stands in the denominator only. On one and the "
        + "same run (λ = \(high), α = \(trainings[0].learningRate)) the median later Δ over the layers "
        + "\(direction(inTest)) from \(short(start)) to \(short(inTest)) when the λ of the test alone is "
        + "lowered to \(low); by the formula it cannot fall. \(others.joined(separator: " "))",
      "With λ = \(high) the trace of A ⊗ G is \(share) of the denominator of reading a in the median over "
        + "records and layers: where that is little, Δ is near |Δ tr F|/(λ d_A d_G), the change in units of "
        + "the damping rather than of the curvature.",
    ]
  }
}
