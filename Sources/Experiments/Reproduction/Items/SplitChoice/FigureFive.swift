import DataFiles
import Networks
import Optimization

extension ReproductionItem {
  /// Figure 5 with Table 1: the trade-off replayed from the printed numbers, and computed here.
  static let figureFive = ReproductionItem(
    "figure-5", "Figure 5 and Table 1: what a split keeps against what an inversion costs"
  ) { context in
    // The user's files first: a bad one should say so at once.
    let given = try GivenFactors.read(context.factors)
    let sizes = SplitSizes.powersOfTwo.filter { !context.isQuick || $0 <= 512 }
    var sets: [FactorSet] = []
    if !given.isEmpty {
      sets.append(
        FactorSet(
          name: "given, \(given.count) factors",
          retention: try SplitRetention(factors: given.map(\.factor), sizes: sizes)))
    }
    sets.append(try FactorSet.trained(context, sizes: sizes))
    context.progress("simulated factors", 0, 2)
    sets.append(try FactorSet.simulated(.resNet50, spread: 0, sizes: sizes))
    context.progress("simulated factors", 1, 2)
    sets.append(try FactorSet.simulated(.resNet50, spread: 3, sizes: sizes))
    context.progress("simulated factors", 2, 2)
    let choice = SplitChoice(
      sizes: sizes, limit: sizes[sizes.count - 1], extrapolates: false, sets: sets,
      isQuick: context.isQuick)
    context.progress("inversion times", 1, 1)
    let figure = FigureFive(table: .resNet50OnAscend910, choice: choice)
    return ReproductionResult(
      setting: "Table 1 replayed from its printed numbers; then the same on this machine with "
        + (given.isEmpty ? "" : "\(given.count) given factors, ")
        + "the factors A of 784-20-20-20-10 trained on \(context.data.small.dataset.name), and "
        + "simulated factors A of the 54 layer shapes of ResNet-50 (simulated: spectra and eigenvectors "
        + "are drawn, only the shapes are ResNet-50's).",
      claims: figure.claims,
      tables: [
        figure.replayTable, figure.crossingTable, choice.retentionTable, choice.lossTable,
        choice.timeTable, choice.choiceTable,
      ],
      figures: [("figure-5", figure.canvas)],
      remarks: [
        "Simulated: "
          + (sets.map { "\($0.name): \($0.retention.source)" }.suffix(2)).joined(
            separator: "; ") + ". Neither was fitted to a trained network.",
        "L_d looks at the largest eigenvalue alone, which for uncentred activations is the direction of "
          + "their mean; it says little about the inverse (specification, section 7.5).",
      ])
  }
}

/// The claims, tables and figure about the choice of 128.
public struct FigureFive {
  let table: PublishedSplitTable
  let choice: SplitChoice

  /// How far from the printed position a crossing may lie and still be "the same": a thousandth of the
  /// axis from 0 to 2048, which is what reading a plot gives.
  static let readingError = 2.048

  var claims: [Claim] {
    [rows, crossing, closest, caption, here, inversion]
  }

  private var structuralCounts: [Int] {
    SplitRetention.structuralCounts(
      of: ResidualNetwork.resNet50.layers.map(\.inputSize), sizes: table.sizes)
  }

  private var rows: Claim {
    let fractions = table.counts.map { Double($0) / Double(table.factorCount) }
    let exact = zip(fractions, table.retainedFraction).count { abs($0 - $1) <= 0.5e-4 + 1e-12 }
    let interval = table.firstTimeInterval
    let recomputed = SplitTradeOff.performance(table.microseconds.map(Double.init))
    let plain = zip(recomputed, table.performance).count { abs($0 - $1) <= 0.5e-4 + 1e-12 }
    let structural = zip(structuralCounts, table.counts).count { $0 <= $1 }
    let range =
      interval.map {
        "an unrounded p₁ from \(NumberText.fixed($0.lowerBound, decimals: 2)) to "
          + "\(NumberText.fixed($0.upperBound, decimals: 2)) µs gives all of them"
      } ?? "no p₁ gives all of them"
    let isConsistent =
      exact == table.sizes.count && interval != nil && structural == table.sizes.count
    return Claim(
      "Table 1: The data about split dimension on ResNet-50 with Ascend 910",
      place: "Table 1",
      finding: "nothing; from the printed numbers, count/\(table.factorCount) gives \(exact) of "
        + "\(table.sizes.count) entries of \"normalized loss\"; \(table.microseconds[0])/p_d with the "
        + "printed times gives \(plain) of \(table.sizes.count) entries of \"normalized performance\", and "
        + "\(range). Of the \(table.counts[table.counts.count - 1]) factors kept at d = 2048, "
        + "\(structuralCounts[structuralCounts.count - 1]) are no larger than 2048 and are not split.",
      verdict: isConsistent ? .arithmeticConsistent : .notFound,
      reason:
        "consistent where all counts agree, one p₁ explains all ratios, and no count is below the "
        + "number of factors that are not split at that size.")
  }

  private var crossing: Claim {
    let stated = PublishedSplitTable.statedChoice
    let lines = table.tradeOff().choice()
    let spline = table.tradeOff(.recomputed).choice(.indexSpline)
    return Claim(
      "We can find the intersection point is (106, 0.21)",
      place: "text on Figure 5",
      finding: "nothing; from the printed rows, straight lines between the sizes cross at "
        + "\(SplitChoice.text(table.tradeOff()).replacing("128 at ", with: "")); cubic splines over the "
        + "place in the list, from count/54 and 35/p_d, cross at "
        + (spline.map {
          "(\(NumberText.fixed($0.position, decimals: 2)), "
            + "\(NumberText.fixed($0.height, decimals: 4)))"
        } ?? "no place") + ".",
      verdict: FigureFive.crossingVerdict(lines, stated: (stated.position, stated.height)),
      reason: "consistent where the straight lines cross within "
        + "\(NumberText.fixed(FigureFive.readingError, decimals: 1)) of d = 106 (a thousandth of the axis, "
        + "as from reading a plot) at a height that rounds to 0.21; how the authors interpolated is not "
        + "stated.")
  }

  /// Whether a crossing is the stated one up to the reading of a plot.
  public static func crossingVerdict(
    _ choice: SplitTradeOff.Choice?, stated: (position: Double, height: Double)
  ) -> Claim.Verdict {
    guard let choice else { return .notFound }
    let isNear = abs(choice.position - stated.position) <= readingError
    let isHigh = abs(choice.height - stated.height) <= 0.005
    return isNear && isHigh ? .arithmeticConsistent : .notFound
  }

  private var closest: Claim {
    let stated = PublishedSplitTable.statedChoice.size
    let found = table.tradeOff().choice()?.size
    let structural = SplitTradeOff(
      sizes: table.sizes,
      retainedFraction: structuralCounts.map { Double($0) / Double(table.factorCount) },
      performance: table.performance)
    return Claim(
      "Thus, we choose the split dimension as 128 which is the closest point to the intersection point "
        + "in the split dimension list.",
      place: "text on Figure 5",
      finding: "nothing; from the printed rows, the closest listed size is "
        + "\(found.map(String.init) ?? "none"). Counting only the factors that are no larger than d, with "
        + "the printed times: \(SplitChoice.text(structural)).",
      verdict: found == stated ? .arithmeticConsistent : .notFound,
      reason:
        "the size with the least |d − x| of the crossing x by straight lines. The shapes of the "
        + "layers alone, without any spectrum, "
        + (structural.choice()?.size == stated ? "give the same choice." : "give another choice."))
  }

  private var caption: Claim {
    let (first, last) = (
      table.retainedFraction[0], table.retainedFraction[table.sizes.count - 1]
    )
    return Claim(
      "for normalized loss of matrices, 1 represents the maximum loss of the original matrix and 0 "
        + "represents the minimum loss.",
      place: "Figure 5, caption",
      finding:
        "nothing; the printed row goes from \(NumberText.fixed(first, decimals: 4)) at d = 1, where "
        + "the split is finest, to \(NumberText.fixed(last, decimals: 4)) at d = 2048, where it is "
        + "coarsest.",
      verdict: first > last ? .arithmeticConsistent : .notFound,
      reason: first > last
        ? "the row falls with d, as a loss does."
        : "the row rises with d: it is the fraction of factors that keep 99 %, and 1 means no loss. It is "
          + "called the retained fraction here.")
  }

  private var here: Claim {
    let found = choice.sets.map { ($0, choice.tradeOff($0)) }
    let crossing = found.filter { SplitChoice.crosses($0.1) }
    return Claim(
      "Figure 5: The trade-off between loss of matrix and performance of Ascend 910.",
      place: "Figure 5",
      finding: "with inversion times of this machine the chosen size is "
        + found.map { set, curves in
          "\(SplitChoice.text(curves)) for \(set.name) (structural: "
            + "\(SplitChoice.text(choice.structuralTradeOff(set))))"
        }.joined(separator: "; ") + ".",
      verdict: crossing.isEmpty ? .notFound : .inFormOnly,
      reason:
        "in form only where the retained fraction passes the performance inside the list for some set "
        + "of factors; ResNet-50's own factors and an Ascend 910 are not here, so no more can be said of "
        + "the size.")
  }

  private var inversion: Claim {
    let layers = ResidualNetwork.resNet50.layers
    let dimensions = layers.map(\.inputSize) + layers.map(\.outputSize)
    let full = choice.seconds(inverting: dimensions, split: nil)
    let split = choice.seconds(inverting: dimensions, split: 128)
    let timed = choice.times.sizes[choice.times.sizes.count - 1]
    let ascend = SplitChoice.ascend(sizes: table.sizes, sets: [])
    let printed = (
      ascend.seconds(inverting: dimensions, split: nil),
      ascend.seconds(inverting: dimensions, split: 128)
    )
    return Claim(
      "KFAC takes 2s to calculate the FIM inversion on Tesla V100 while THOR only takes 200ms.",
      place: "Experiments",
      finding: "inverting the 108 factors of ResNet-50's shapes on this machine takes "
        + "\(NumberText.short(full)) s whole and \(NumberText.short(split)) s in blocks of 128, "
        + "\(NumberText.short(full / split)) times less (from the measured times of single matrices; by n³ "
        + "beyond \(timed) rows). With the printed times of an Ascend 910 it would be "
        + "\(NumberText.short(printed.0)) s and \(NumberText.short(printed.1)) s, "
        + "\(NumberText.short(printed.0 / printed.1)) times less.",
      verdict: FigureFive.speedVerdict(full / split),
      reason:
        "the printed ratio is 10; in form only where the split is at least twice as fast, since the "
        + "hardware is another; the split that the paper used there is not stated.")
  }

  /// In form only where a split is at least twice as fast.
  public static func speedVerdict(_ ratio: Double) -> Claim.Verdict {
    ratio >= 2 ? .inFormOnly : .notFound
  }

  // MARK: Tables and figure

  var replayTable: ResultTable {
    var result = ResultTable(
      "table-1", "Table 1 as printed, with its rows computed again.",
      [
        ("size", "split size d"), ("count", "printed count of factors with L < 1 %"),
        ("microseconds", "printed time, µs"),
        ("printedRetained", "printed \"normalized loss of matrix\""),
        ("retained", "count / 54"), ("printedPerformance", "printed \"normalized performance\""),
        ("performance", "35 / printed time"),
        ("structural", "factors A of ResNet-50 with at most d rows"),
      ])
    let performance = SplitTradeOff.performance(table.microseconds.map(Double.init))
    for index in table.sizes.indices {
      result.append([
        .integer(table.sizes[index]), .integer(table.counts[index]),
        .integer(table.microseconds[index]), .number(table.retainedFraction[index]),
        .number(Double(table.counts[index]) / Double(table.factorCount)),
        .number(table.performance[index]), .number(performance[index]),
        .integer(structuralCounts[index]),
      ])
    }
    return result
  }

  var crossingTable: ResultTable {
    var result = ResultTable(
      "crossings", "Where the curves of Table 1 cross; the paper says (106, 0.21).",
      [
        ("rows", "printed rows, or count/54 and 35/p_d"),
        ("interpolation", "lines over d, or splines over the place in the list"),
        ("position", "d at the crossing"), ("height", "the common value"),
        ("size", "the closest listed size"),
      ])
    for rows in PublishedSplitTable.Rows.allCases {
      for interpolation in SplitTradeOff.Interpolation.allCases {
        let found = table.tradeOff(rows).choice(interpolation)
        result.append([
          .text(rows.rawValue), .text(interpolation.rawValue),
          found.map { .number($0.position) } ?? .empty,
          found.map { .number($0.height) } ?? .empty, found.map { .integer($0.size) } ?? .empty,
        ])
      }
    }
    return result
  }

  var canvas: Canvas {
    func series(_ count: Int) -> [LineSeries] {
      let x = table.sizes.prefix(count).map(Double.init)
      return [
        LineSeries(
          name: "performance, Table 1", x: x, y: Array(table.performance.prefix(count))),
        LineSeries(
          name: "retained fraction, Table 1", x: x,
          y: Array(table.retainedFraction.prefix(count))),
        LineSeries(
          name: "factors no larger than d, ResNet-50", x: x,
          y: structuralCounts.prefix(count).map { Double($0) / Double(table.factorCount) }),
      ]
    }
    let y = ChartAxis("fraction", limits: 0...1)
    return LineChartGrid(
      title: "Figure 5 of the THOR paper: retained factors against the speed of inversion",
      subtitle: "Table 1 (ResNet-50, Ascend 910), and the same on this machine",
      panels: [
        .init(
          title: "(a) Table 1 near the crossing", x: ChartAxis("split size d"), y: y,
          series: series(6), references: [ReferenceLine(0.21, name: "0.21 (the paper)")]),
        .init(
          title: "(b) Table 1, whole list", x: ChartAxis("split size d", .logarithmic), y: y,
          series: series(table.sizes.count),
          references: [ReferenceLine(0.21, name: "0.21 (the paper)")]),
        choice.panel("(c) this machine"),
      ],
      columnCount: 3,
      caption:
        "Retained: factors with L_d < 1 % (Eq. 11). Simulated factors have the shapes of ResNet-50, "
        + "not its spectra."
    ).canvas
  }
}
