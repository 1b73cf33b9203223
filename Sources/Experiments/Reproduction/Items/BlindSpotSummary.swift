import Curvature
import DataFiles
import Optimization

/// The blind spots in tables, figures and sentences.
struct BlindSpotSummary {
  let findings: BlindSpots.Findings
  let choices: [StaleDecisions.Choice]
  let network: String

  /// The counts of one occasion of one choice over all runs.
  struct Tally: Sendable {
    let count: Int
    /// Share with an F-cosine below the bound, stale and other batch.
    let cosine: Double
    let controlCosine: Double
    /// Share that loses more η than the bound, layers 2–4; nil where there is none.
    let loss: Double?
    let controlLoss: Double?
    let medianCosine: Double
    /// Share beyond either bound.
    let either: Double

    init?(_ observations: [StaleDecisions.Observation]) {
      guard !observations.isEmpty else { return nil }
      func share<Value>(_ values: [Value], _ isBad: (Value) -> Bool) -> Double {
        Double(values.count(where: isBad)) / Double(values.count)
      }
      let losses = observations.compactMap(\.loss)
      count = observations.count
      cosine = share(observations) { $0.cosine < StaleDecisions.leastCosine }
      controlCosine = share(observations) { $0.controlCosine < StaleDecisions.leastCosine }
      loss = losses.isEmpty ? nil : share(losses) { $0 > StaleDecisions.largestLoss }
      controlLoss =
        losses.isEmpty
        ? nil : share(observations.compactMap(\.controlLoss)) { $0 > StaleDecisions.largestLoss }
      medianCosine = SampleSummary(observations.map(\.cosine))?.median ?? .nan
      either = share(observations) {
        $0.cosine < StaleDecisions.leastCosine || ($0.loss ?? 0) > StaleDecisions.largestLoss
      }
    }
  }

  func observations(
    _ occasion: StaleDecisions.Occasion, _ isWanted: (StaleDecisions.Choice) -> Bool
  ) -> [StaleDecisions.Observation] {
    findings.runs.filter { isWanted($0.choice) }.flatMap(\.observations)
      .filter { $0.occasion == occasion }
  }

  var tables: [ResultTable] {
    [
      rotationTable, blindTable, trainedTable, driftTable, orderTable, sweepTable, decisionTable,
      observationTable,
    ]
  }

  private var rotationTable: ResultTable {
    var table = ResultTable(
      "rotation", "a curvature that turns while its traces stay",
      [
        ("degrees", "the angle of the rotation in each plane of a large and a small eigenvalue"),
        ("delta", "the largest Δ of all readings of Eq. 8 (zero up to rounding)"),
        ("thor", "the decision with (0.01, 0)"), ("thor_stop", "the decision with (0.01, 0.001)"),
        ("matrix_change", "‖F' − F‖ / ‖F'‖, Frobenius"),
        ("eta", "mean η of the stale step over gradients drawn from N(0, F'), λ = 0.001"),
      ])
    for row in findings.rotations {
      table.append([
        .number(row.degrees), .number(row.change), .text(row.thor.rawValue),
        .text(row.thorStop.rawValue), .number(row.matrixChange), .number(row.efficiency),
      ])
    }
    return table
  }

  private var blindTable: ResultTable {
    var table = ResultTable(
      "eq-11-constructed", "factors for which Eq. 11 is zero and the split's inverse is wrong",
      [
        ("coupling", "ρ, the correlation of nine pairs across the two blocks of a 20 × 20 factor"),
        ("eq_11", "1 − λmax(Â)/λmax(A)"),
        (
          "inverse_error",
          "‖Â⁻¹ − A⁻¹‖ / ‖A⁻¹‖, Frobenius; ρ in closed form but for the top entries"
        ),
        ("matrix_error", "‖Â − A‖ / ‖A‖, Frobenius"),
      ])
    for (coupling, loss) in findings.blindLosses {
      table.append([
        .number(coupling), .number(loss.spectral), .number(loss.inverse), .number(loss.matrix),
      ])
    }
    return table
  }

  private var trainedTable: ResultTable {
    var table = ResultTable(
      "eq-11-trained", "Eq. 11 beside the inverse on the factors of the trained network, split 10",
      [
        ("iteration", "the training step"), ("layer", "the layer, counted from 1"),
        ("factor", "A or G"), ("eq_11", "mean of 1 − λmax(Â)/λmax(A) over the seeds"),
        (
          "inverse_error",
          "mean of ‖(Â + δI)⁻¹ − (A + δI)⁻¹‖ / ‖(A + δI)⁻¹‖, δ = \(findings.shift)"
        ),
        ("matrix_error", "mean of ‖Â − A‖ / ‖A‖"),
      ])
    let keys = findings.realLosses.map { [$0.iteration, $0.layer, $0.factor == "A" ? 0 : 1] }
    var seen: Set<[Int]> = []
    for key in keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) where seen.insert(key).inserted
    {
      let own = findings.realLosses.filter {
        [$0.iteration, $0.layer, $0.factor == "A" ? 0 : 1] == key
      }.map(\.loss)
      guard let spectral = SampleSummary(own.map(\.spectral)),
        let inverse = SampleSummary(own.map(\.inverse)),
        let matrix = SampleSummary(own.map(\.matrix))
      else { continue }
      table.append([
        .integer(key[0]), .integer(key[1]), .text(key[2] == 0 ? "A" : "G"),
        .number(spectral.mean), .number(inverse.mean), .number(matrix.mean),
      ])
    }
    return table
  }

  private var driftTable: ResultTable {
    var table = ResultTable(
      "reference-drift", "a trace that grows steadily, under the two readings of Fᵏ⁻¹, ω₁ = 0.01",
      [
        ("rate", "growth of the trace from test to test"),
        ("reference", "last-accepted or last-computed"), ("tests", "the number of tests"),
        ("updates", "updates after the first test"),
        ("largest_lag", "how far the trace got away from the accepted one, relative"),
      ])
    for row in findings.drifts {
      table.append([
        .number(row.rate), .text(row.reference.rawValue), .integer(row.tests),
        .integer(row.updates), .number(row.largestLag),
      ])
    }
    return table
  }

  private var orderTable: ResultTable {
    var table = ResultTable(
      "hidden-order",
      "the split's errors over random orders of the hidden units, which change no function",
      [
        ("iteration", "the training step"), ("lambda", "λ on each factor and of F + λI"),
        ("orders", "how many orders over all seeds"),
        ("error_as_trained", "mean of ‖A⊗G − Â⊗Ĝ‖ / ‖A⊗G‖ (layers 2–4) in the order as trained"),
        ("error_median", "median over the orders"), ("error_least", "least"),
        ("error_greatest", "greatest"),
        ("error_spread", "mean over the seeds of greatest − least in one network"),
        ("eta_as_trained", "mean of η against the exact Fisher F + λI in the order as trained"),
        ("eta_median", "median over the orders"), ("eta_least", "least"),
        ("eta_greatest", "greatest"),
        ("eta_spread", "mean over the seeds of greatest − least in one network"),
      ])
    for (iteration, λ) in orderKeys {
      let own = findings.orders.filter { $0.iteration == iteration && $0.lambda == λ }
      let error = OrderSpread(own.map { $0.points.map(\.error) })
      let eta = OrderSpread(own.map { $0.points.map(\.efficiency) })
      guard let error, let eta else { continue }
      table.append(
        [.integer(iteration), .number(λ), .integer(error.random.count)] + error.cells + eta.cells)
    }
    return table
  }

  private var sweepTable: ResultTable {
    var table = ResultTable(
      "delta-and-lambda", "Δ from test to test on the same trajectories, for every λ and reading",
      [
        (
          "reading",
          "a: tr A tr G; b: of the damped factors; c: each factor; d: exact block; e: λ = 0"
        ),
        ("lambda", "the λ in Eq. 8; the trajectories are those of THOR_NT with λ = 0.3"),
        ("median", "median Δ over layers, tests and seeds"), ("largest", "largest Δ"),
        ("update", "share above ω₁ = 0.01"), ("keep", "share in between"),
        ("stop", "share below ω₂ = 0.001"),
      ])
    for reading in TraceRule.Reading.allCases {
      for λ in findings.sweep {
        let changes = TraceSweep.changes(findings.courses, lambda: λ, reading: reading)
        guard let summary = SampleSummary(changes) else { continue }
        let outcomes = changes.map { TraceRule.thorStop.outcome($0) }
        func share(_ outcome: TraceRule.Outcome) -> CSV.Cell {
          .number(Double(outcomes.count { $0 == outcome }) / Double(outcomes.count))
        }
        table.append([
          .text(reading.rawValue), .number(λ), .number(summary.median),
          .number(summary.greatest), share(.update), share(.keep), share(.stop),
        ])
      }
    }
    return table
  }

  private var decisionTable: ResultTable {
    var table = ResultTable(
      "decisions", "how often a stale step loses more than a bound, by decision",
      [
        ("method", "thor (ω₂ = 0) or thor-stop (ω₂ = 0.001)"),
        ("reading", "of Eq. 8"), ("lambda", "λ on each factor and in Eq. 8"),
        ("learning_rate", "the rate of the runs"),
        ("occasion", "update (had it been kept), keep, stop, or the end of the run"),
        ("count", "layers and decisions over all seeds"),
        (
          "cosine_below",
          "share with an F-cosine to the fresh step below \(StaleDecisions.leastCosine)"
        ),
        ("cosine_below_other_batch", "the same for factors of another batch at the same weights"),
        (
          "eta_loss_above",
          "share that loses more than \(StaleDecisions.largestLoss) of the fresh step's η (layers 2–4)"
        ),
        ("eta_loss_above_other_batch", "the same for another batch"),
        ("either", "share beyond either bound"), ("median_cosine", "median F-cosine"),
        ("diverged", "runs of this choice that diverged"),
        (
          "final_loss", "mean loss on 2,000 training examples at the end, runs that did not diverge"
        ),
      ])
    for choice in choices {
      let runs = findings.runs.filter { $0.choice == choice }
      let loss = SampleSummary(runs.compactMap(\.loss))
      for occasion in StaleDecisions.Occasion.allCases {
        guard let tally = Tally(observations(occasion) { $0 == choice }) else { continue }
        table.append([
          .text(choice.name), .text(choice.reading.rawValue), .number(choice.lambda),
          .number(choice.learningRate), .text(occasion.rawValue), .integer(tally.count),
          .number(tally.cosine),
          .number(tally.controlCosine), tally.loss.map { .number($0) } ?? .empty,
          tally.controlLoss.map { .number($0) } ?? .empty, .number(tally.either),
          .number(tally.medianCosine), .integer(runs.count { $0.loss == nil }),
          loss.map { .number($0.mean) } ?? .empty,
        ])
      }
    }
    return table
  }

  private var observationTable: ResultTable {
    var table = ResultTable(
      "decisions-all", "every decision that was looked at",
      [
        ("method", "thor or thor-stop"), ("reading", "of Eq. 8"), ("lambda", "λ"),
        ("seed", "the seed"), ("occasion", "the decision, or the end of the run"),
        ("step", "the training step"), ("layer", "counted from 1"),
        ("delta", "Δ; empty at the end"), ("f_cosine", "of the stale with the fresh step"),
        ("eta_loss", "1 − η stale / η fresh; empty for layer 1"),
        ("f_cosine_other_batch", "of fresh factors of another batch"),
        ("eta_loss_other_batch", "the same for the loss of η"),
      ])
    func cell(_ value: Double?) -> CSV.Cell { value.map { .number($0) } ?? .empty }
    for run in findings.runs {
      for row in run.observations {
        table.append([
          .text(run.choice.name), .text(run.choice.reading.rawValue),
          .number(run.choice.lambda), .integer(Int(run.seed)), .text(row.occasion.rawValue),
          .integer(row.step), .integer(row.layer), cell(row.change), .number(row.cosine),
          cell(row.loss), .number(row.controlCosine), cell(row.controlLoss),
        ])
      }
    }
    return table
  }
}

/// One number over the orders of the hidden units of several networks, the first order as trained.
struct OrderSpread {
  let asTrained: SampleSummary
  let random: SampleSummary
  /// The mean over the networks of greatest − least.
  let spread: Double

  init?(_ networks: [[Double]]) {
    guard let asTrained = SampleSummary(networks.compactMap(\.first)),
      let random = SampleSummary(networks.flatMap { $0.dropFirst() }),
      let spread = SampleSummary(
        networks.compactMap { values in
          SampleSummary(Array(values.dropFirst())).map { $0.greatest - $0.least }
        })
    else { return nil }
    self.asTrained = asTrained
    self.random = random
    self.spread = spread.mean
  }

  var cells: [CSV.Cell] {
    [
      .number(asTrained.mean), .number(random.median), .number(random.least),
      .number(random.greatest), .number(spread),
    ]
  }
}
