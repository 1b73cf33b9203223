import Curvature
import Optimization

extension BlindSpotSummary {
  /// The pairs of iteration and λ of the orders, ascending.
  var orderKeys: [(Int, Double)] {
    let iterations = Set(findings.orders.map(\.iteration)).sorted()
    let lambdas = Set(findings.orders.map(\.lambda)).sorted()
    return iterations.flatMap { iteration in lambdas.map { (iteration, $0) } }
  }

  var claims: [Claim] {
    [rotationClaim, lossClaim, orderClaim, driftClaim, sweepClaim, decisionClaim, stopClaim]
  }

  private func percent(_ value: Double) -> String { NumberFormat.percent(value) }

  private var rotationClaim: Claim {
    Claim(
      "Is a small Δ evidence that the curvature has not changed?",
      place: "beyond the paper, on Eq. 8",
      finding: "A constructed curvature turns by "
        + findings.rotations.map {
          "\(NumberFormat.short($0.degrees))° and changes by \(percent($0.matrixChange)) in the "
            + "Frobenius norm: Δ = \(NumberFormat.short($0.change)) at most, THOR says "
            + "\($0.thor.rawValue), THOR_stop \($0.thorStop.rawValue), and the stale step keeps η = "
            + "\(percent($0.efficiency))"
        }.joined(separator: "; ") + ".", verdict: .measured,
      reason:
        "a trace does not change under rotations, so Δ is a lower bound of the change and no more")
  }

  private var lossClaim: Claim {
    let real = findings.realLosses.filter { $0.loss.spectral < 0.01 }
    let wrong = real.filter { $0.loss.inverse > 0.5 }.count
    let order = RankCorrelation.spearman(
      findings.realLosses.map(\.loss.spectral), findings.realLosses.map(\.loss.inverse))
    let correlation =
      order.map {
        " Over all of them the rank correlation of Eq. 11 with the inverse's error is "
          + "\(NumberFormat.short($0))."
      } ?? ""
    return Claim(
      "Does a small information loss (Eq. 11) mean that the split's inverse is near?",
      place: "beyond the paper, on Eq. 11",
      finding: "Constructed: "
        + findings.blindLosses.map {
          "Eq. 11 = \(percent($0.loss.spectral)) with an inverse wrong by \(percent($0.loss.inverse))"
        }.joined(separator: "; ")
        + ". Trained network, split 10, δ = \(findings.shift): of \(findings.realLosses.count) factors "
        + "\(real.count) have Eq. 11 below 1 %, and \(wrong) of these have an inverse wrong by more than "
        + "50 %.\(correlation)", verdict: .measured,
      reason: "Eq. 11 looks at the largest eigenvalue, and the inverse is made of the small ones")
  }

  private var orderClaim: Claim {
    let sentences = orderKeys.compactMap { iteration, λ -> String? in
      let own = findings.orders.filter { $0.iteration == iteration && $0.lambda == λ }
      guard let error = OrderSpread(own.map { $0.points.map(\.error) }),
        let eta = OrderSpread(own.map { $0.points.map(\.efficiency) })
      else { return nil }
      return
        "iteration \(iteration), λ = \(NumberFormat.short(λ)): error \(percent(error.random.least)) "
        + "to \(percent(error.random.greatest)) (within one network by \(percent(error.spread)) on "
        + "average), η \(percent(eta.random.least)) to \(percent(eta.random.greatest)) (by "
        + "\(percent(eta.spread)))"
    }
    return Claim(
      "Does the order of the hidden units matter to the split?",
      place: "beyond the paper, on Eq. 10",
      finding: "Over random orders, which change neither the function nor KFAC: "
        + sentences.joined(separator: "; ") + ".", verdict: .measured,
      reason: "Eq. 10 keeps the correlations of units that happen to stand in one group of 10")
  }

  private var driftClaim: Claim {
    let rate = 0.004
    let rows = findings.drifts.filter { $0.rate == rate }
    return Claim(
      "Does it matter whether Fᵏ⁻¹ is the last accepted or the last computed matrix?",
      place: "beyond the paper, on Eqs. 8 and 9",
      finding: "A trace that grows by \(percent(rate)) per test, ω₁ = 1 %: "
        + rows.map {
          "\($0.reference.rawValue) gives \($0.updates) updates in \($0.tests) tests and lags by up to "
            + percent($0.largestLag)
        }.joined(separator: "; ") + ".", verdict: .measured,
      reason: "compared with the last computed one, a slow drift never sums up")
  }

  private var sweepClaim: Claim {
    func sentence(_ reading: TraceRule.Reading) -> String {
      let values = findings.sweep.compactMap { λ -> String? in
        let changes = TraceSweep.changes(findings.courses, lambda: λ, reading: reading)
        guard let summary = SampleSummary(changes) else { return nil }
        let stops = changes.count { TraceRule.thorStop.outcome($0) == .stop }
        return "\(NumberFormat.short(summary.median)) at λ = \(NumberFormat.short(λ)) (stop "
          + "\(percent(Double(stops) / Double(changes.count))))"
      }
      return values.joined(separator: ", ")
    }
    return Claim(
      "How much of Δ is λ?", place: "beyond the paper, on Eq. 8",
      finding:
        "Median Δ of the same tests under reading a: \(sentence(.product)). Under reading b: "
        + "\(sentence(.dampedFactors)).", verdict: .measured,
      reason:
        "in reading a λ d_A d_G stands below the line and cancels above it, so the thresholds "
        + "0.01 and 0.001 mean something else at every λ and layer size")
  }

  /// What the decisions cost, with the other-batch share beside it.
  private func sentence(
    _ occasion: StaleDecisions.Occasion, _ isWanted: (StaleDecisions.Choice) -> Bool
  ) -> String? {
    guard let tally = Tally(observations(occasion, isWanted)) else { return nil }
    let loss = tally.loss.map {
      ", and \(percent($0)) lose more than \(percent(StaleDecisions.largestLoss)) of η "
        + "(other batch: \(percent(tally.controlLoss ?? 0)))"
    }
    return
      "\(occasion.rawValue): of \(tally.count), \(percent(tally.cosine)) have an F-cosine below "
      + "\(StaleDecisions.leastCosine) (other batch: \(percent(tally.controlCosine)))"
      + (loss ?? "")
  }

  private var decisionClaim: Claim {
    let lambdas = Set(choices.map(\.lambda)).sorted(by: >)
    let sentences = lambdas.map { λ in
      "λ = \(NumberFormat.short(λ)): "
        + [StaleDecisions.Occasion.update, .keep, .stop, .endActive, .endStopped].compactMap {
          sentence($0) { $0.reading == .product && $0.lambda == λ }
        }.joined(separator: "; ")
    }
    return Claim(
      "How often does a step with kept or stopped factors lose more than a bound?",
      place: "beyond the paper, on Eq. 9",
      finding: "Reading a, THOR and THOR_stop together. " + sentences.joined(separator: ". ") + ".",
      verdict: .measured,
      reason: "update counts what keeping would have cost: a rule that sees what matters has large "
        + "shares there and small ones under keep and stop")
  }

  private var stopClaim: Claim {
    let stopped = choices.filter { $0.stopBelow > 0 }.compactMap { choice -> String? in
      let ends = StaleDecisions.Occasion.self
      let still = observations(ends.endActive) { $0 == choice }.count
      let frozen = observations(ends.endStopped) { $0 == choice }
      guard still + frozen.count > 0 else { return nil }
      let tally = Tally(frozen)
      return "reading \(choice.reading.rawValue), λ = \(NumberFormat.short(choice.lambda)): "
        + "\(frozen.count) of \(still + frozen.count) layers stopped"
        + (tally.map { ", \(percent($0.either)) of these beyond a bound at the end" } ?? "")
    }
    return Claim(
      "\"Moreover, we can stop updating the FIM and its inverse matrix for each layer if the FIM becomes "
        + "stable\": were the stopped layers stable?",
      place: "the words are the THOR paper's, on Figure 1; the question is beyond it",
      finding: "THOR_stop at the end of the runs: "
        + (stopped.isEmpty ? "no run ended" : stopped.joined(separator: "; ")) + ".",
      verdict: .measured,
      reason: "a stopped layer is compared with fresh factors at the end, long after the decision")
  }

  var figures: [(name: String, canvas: Canvas)] {
    [
      ("delta-and-lambda", sweepFigure), ("hidden-order", orderFigure),
      ("decisions", decisionFigure),
    ]
  }

  private var sweepFigure: Canvas {
    let series = TraceRule.Reading.allCases.map { reading in
      let found = findings.sweep.filter { $0 > 0 }.compactMap { λ in
        SampleSummary(TraceSweep.changes(findings.courses, lambda: λ, reading: reading))
          .map { (λ, $0) }
      }
      return LineSeries(
        name: "reading \(reading.rawValue)", x: found.map(\.0), y: found.map(\.1.median))
    }
    return LineChart(
      title: "Δ of the same tests, for every λ in Eq. 8",
      subtitle: "trajectories of THOR_NT (λ = 0.3), \(network); medians over layers, tests, seeds",
      x: ChartAxis("λ in Eq. 8", .logarithmic),
      y: ChartAxis("median Δ", .logarithmic, limits: 1e-4...1),
      series: series,
      references: [
        ReferenceLine(0.01, name: "ω₁ = 0.01: a larger Δ updates"),
        ReferenceLine(0.001, name: "ω₂ = 0.001: a smaller Δ stops"),
      ],
      caption:
        "a: tr A tr G + λ d_A d_G; b: the damped factors; c: each factor alone; d: the exact "
        + "block; e: a without λ."
    ).canvas
  }

  private var orderFigure: Canvas {
    let lambdas = Set(findings.orders.map(\.lambda)).sorted()
    let iterations = Set(findings.orders.map(\.iteration)).sorted()
    func series(_ λ: Double, _ value: (HiddenUnitOrder.Point) -> Double) -> [LineSeries] {
      let found = iterations.compactMap { iteration in
        OrderSpread(
          findings.orders.filter { $0.iteration == iteration && $0.lambda == λ }
            .map { $0.points.map(value) }
        ).map { (Double(iteration), $0) }
      }
      return [
        LineSeries(
          name: "random orders", x: found.map(\.0), y: found.map(\.1.random.median),
          least: found.map(\.1.random.least), greatest: found.map(\.1.random.greatest)),
        LineSeries(
          name: "as trained", x: found.map(\.0), y: found.map(\.1.asTrained.mean)),
      ]
    }
    let x = ChartAxis("iteration of training")
    let error = LineChartGrid.Panel(
      title: "(a) error of the split", x: x, y: ChartAxis("‖A⊗G − Â⊗Ĝ‖ / ‖A⊗G‖", limits: 0...1),
      series: series(lambdas[0], \.error))
    let panels = lambdas.enumerated().map { index, λ in
      LineChartGrid.Panel(
        title: "(\(index == 0 ? "b" : "c")) η of its step, λ = \(NumberFormat.short(λ))", x: x,
        y: ChartAxis("η against F + λI", limits: 0...1), series: series(λ, \.efficiency))
    }
    return LineChartGrid(
      title: "The order of hidden units changes the split, and nothing else",
      subtitle: "split 10 of layers 2–4 of \(network); rule factor",
      panels: [error] + panels, columnCount: 3,
      caption:
        "Random orders of the units of all hidden layers: median over orders and seeds; band: "
        + "least to greatest. KFAC without a split is the same for all of them."
    ).canvas
  }

  private var decisionFigure: Canvas {
    let lambdas = Set(choices.map(\.lambda)).sorted()
    func series(_ value: (Tally) -> Double?, _ control: (Tally) -> Double?) -> [LineSeries] {
      func points(
        _ occasions: [StaleDecisions.Occasion], _ value: (Tally) -> Double?
      ) -> [(Double, Double)] {
        lambdas.compactMap { λ in
          let found = occasions.flatMap { occasion in
            observations(occasion) { $0.reading == .product && $0.lambda == λ }
          }
          return Tally(found).flatMap(value).map { (λ, $0) }
        }
      }
      let named = StaleDecisions.Occasion.allCases.map { occasion in
        (
          occasion == .update ? "update, had it been kept" : occasion.rawValue,
          points([occasion], value)
        )
      }
      let other = (
        "another batch, fresh weights", points(StaleDecisions.Occasion.allCases, control)
      )
      return (named + [other]).filter { !$0.1.isEmpty }.map { name, points in
        LineSeries(name: name, x: points.map(\.0), y: points.map(\.1))
      }
    }
    let x = ChartAxis("λ of training and of Eq. 8", .logarithmic)
    return LineChartGrid(
      title: "How often old factors cost a step more than a bound",
      subtitle: "THOR and THOR_stop, reading a; \(network), a test every 20 steps",
      panels: [
        .init(
          title: "(a) F-cosine to the fresh step below \(StaleDecisions.leastCosine)", x: x,
          y: ChartAxis("share of decisions", limits: 0...1),
          series: series({ $0.cosine }, { $0.controlCosine })),
        .init(
          title: "(b) more than \(percent(StaleDecisions.largestLoss)) of η lost, layers 2–4", x: x,
          y: ChartAxis("share of decisions", limits: 0...1),
          series: series({ $0.loss }, { $0.controlLoss })),
      ],
      caption:
        "Each decision of each layer after the first test, and every layer at the end of the run. Few "
        + "decisions stop: the table has the counts."
    ).canvas
  }
}
