import Curvature

extension FidelitySummary {
  /// The edges of the bins of η.
  private static let edges = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0000001]

  var figure: Canvas {
    let ofEta = ChartAxis("η of the step", limits: 0...1)
    func panel(_ title: String, _ outcome: Outcome) -> LineChartGrid.Panel {
      .init(
        title: title, x: ofEta, y: ChartAxis("decrease / that of the exact step", limits: 0...2),
        series: shareSeries(outcome), references: [ReferenceLine(1, name: "the exact step")])
    }
    return LineChartGrid(
      title: "Fidelity is not performance", subtitle: subtitle,
      panels: [
        panel("(a) batch, best length", .batchAtBest),
        panel("(b) held-out, length best for the batch", .heldOutAtBest),
        .init(
          title: "(c) α = 1, batch: does the loss fall?", x: ofEta,
          y: ChartAxis("share of steps that decrease it", limits: 0...1), series: fallingSeries),
        .init(
          title: "(d) rank correlation of η with the decrease",
          x: ChartAxis("iteration of training"),
          y: ChartAxis("Spearman's ρ, median", limits: -1...1), series: courseSeries),
      ], columnCount: 2,
      caption:
        "(a)–(c): steps in bins of η (at least 5 each); medians and quartiles, or shares. States "
        + "in which the exact step does not decrease the loss are left out of (a) and (b). (d): medians "
        + "over seeds and λ; the approximations of one state at one λ are ranked."
    ).canvas
  }

  /// The values of the bins that hold at least five points, at the median η of each.
  private func bins<Value>(
    _ points: [(eta: Double, value: Double)], _ summary: (SampleSummary) -> Value
  ) -> [(Double, Value)] {
    zip(FidelitySummary.edges, FidelitySummary.edges.dropFirst()).compactMap { low, high in
      let inside = points.filter { $0.eta >= low && $0.eta < high }
      guard inside.count >= 5, let eta = SampleSummary(inside.map(\.eta)),
        let values = SampleSummary(inside.map(\.value))
      else { return nil }
      return (eta.median, summary(values))
    }
  }

  private func shareSeries(_ outcome: Outcome) -> [LineSeries] {
    lambdas.map { λ in
      let points = shares(outcome) { $0.lambda == λ && $0.approximation.structure != .exact }
      let found = bins(points.map { (eta: $0.eta, value: $0.share) }) { $0 }
      return LineSeries(
        name: "λ = \(NumberFormat.short(λ))", x: found.map(\.0), y: found.map(\.1.median),
        least: found.map { $0.1.quantile(0.25) }, greatest: found.map { $0.1.quantile(0.75) })
    }
  }

  /// The share of the steps of length 1 that decrease the batch's loss, by bins of η.
  private var fallingSeries: [LineSeries] {
    lambdas.map { λ in
      let steps = groups.flatMap { $0 }.filter {
        $0.lambda == λ && $0.approximation.structure != .exact
      }
      let points = steps.compactMap { point -> (eta: Double, value: Double)? in
        guard let η = point.fidelities[.efficiency], let value = point.outcomes[.batchAtOne] else {
          return nil
        }
        return (η, value > 0 ? 1 : 0)
      }
      let found = bins(points, \.mean)
      return LineSeries(
        name: "λ = \(NumberFormat.short(λ))", x: found.map(\.0), y: found.map(\.1))
    }
  }

  /// The median rank correlation over training, for each outcome.
  private var courseSeries: [LineSeries] {
    let iterations = Set(measured.map(\.iteration)).sorted()
    let names: [(Outcome, String)] = [
      (.batchAtBest, "ρ: batch, best length"), (.heldOutAtBest, "ρ: held-out, best length"),
      (.batchAtOne, "ρ: batch, α = 1"), (.heldOutAtOne, "ρ: held-out, α = 1"),
    ]
    return names.map { outcome, name in
      let found = iterations.compactMap { iteration -> (Double, Double)? in
        let own = measured.filter { $0.iteration == iteration }.flatMap { state in
          lambdas.map { λ in state.points.filter { $0.lambda == λ } }
        }
        return SampleSummary(correlations(own, .efficiency, outcome)).map {
          (Double(iteration), $0.median)
        }
      }
      return LineSeries(name: name, x: found.map(\.0), y: found.map(\.1))
    }
  }
}
