import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks
import Optimization

/// The numbers and tables of chapter 11.
struct TraceRuleResults {
  static let settings: CurvatureTrajectory.Settings = {
    var settings = CurvatureTrajectory.Settings()
    settings.steps = 600
    return settings
  }()
  static let lambdas = [0, 0.001, 0.01, 0.03, 0.1, 0.3, 1]
  /// Of the rotating curvature's F + λI.
  static let rotationLambda = 1e-3
  static let angles = [0.0, 5, 15, 30, 45, 60, 75, 90]

  let runs: TraceRuleRuns
  let course, sweep, rotation, drift, savings, stale, decisions: ResultTable
  let tables: [ResultTable]
  let inBand, belowBand, aboveBand, medianDelta, undampedDelta: ReportedNumber
  let firstChange, lateChange: ReportedNumber
  let twoByTwo, normDrift, traceShare, stopped, stopCount: ReportedNumber

  init(_ context: ChapterContext) throws {
    let data = context.fashionMNIST.dataset
    let seeds = TraceRuleRuns.seeds
    let trajectories = try Parallel.map(seeds.count, "chapter 11, trajectories", context.progress) {
      try CurvatureTrajectory(
        TraceRuleResults.settings, data: data, likelihood: .categorical, seed: seeds[$0])
    }
    runs = try TraceRuleRuns(context)
    course = TraceRuleResults.courseTable(trajectories)
    sweep = TraceRuleResults.sweepTable(trajectories)
    rotation = try TraceRuleResults.rotationTable(context)
    drift = try TraceRuleResults.driftTable()
    savings = runs.savingTable
    stale = runs.staleTable
    decisions = runs.decisionTable

    let row = TraceRuleResults.lambdas.firstIndex(of: TraceRuleRuns.lambda) ?? 0
    inBand = sweep.number("a_inside", row: row, .percent(0))
    belowBand = sweep.number("a_below", row: row, .percent(0))
    aboveBand = sweep.number("a_above", row: row, .percent(0))
    medianDelta = sweep.number("a_median", row: row, .significant(2))
    undampedDelta = sweep.number("a_median", row: 0, .significant(2))

    var findings = Findings()
    let (old, new) = (Matrix.diagonal([10, 0.1]), Matrix.diagonal([0.1, 10]))
    twoByTwo = findings.report(
      "two_by_two", new.relativeError(to: old),
      "relative Frobenius change of diag(10, 0.1) turned by 90 degrees", .percent(0))
    let ratios = trajectories.flatMap { run in
      (1...TraceRuleRuns.layerCount).map { layer -> Double in
        let norms = run.records(ofLayer: layer).map(\.exactNorm)
        let quarter = norms.count / 4
        let (third, last) = (
          Quantiles.mean(Array(norms[(2 * quarter)..<(3 * quarter)])),
          Quantiles.mean(Array(norms[(3 * quarter)...]))
        )
        return abs(last / third - 1)
      }
    }
    normDrift = findings.report(
      "norm_drift", Quantiles.median(ratios),
      "change of the mean norm from the third to the last quarter, median over layers and seeds",
      .percent(0))
    let steps = trajectories.flatMap { run in
      (1...TraceRuleRuns.layerCount).map { layer -> (first: Double, late: [Double]) in
        let norms = run.records(ofLayer: layer).map(\.exactNorm)
        let changes = zip(norms, norms.dropFirst()).map { abs($1 / $0 - 1) }
        return (changes[0], Array(changes[(changes.count / 2)...]))
      }
    }
    firstChange = findings.report(
      "first_change", Quantiles.median(steps.map(\.first)),
      "relative change of the norm over the first 20 steps, median over layers and seeds",
      .percent(0))
    lateChange = findings.report(
      "late_change", Quantiles.median(steps.flatMap(\.late)),
      "relative change of the norm per 20 steps in the second half, median", .percent(0))
    let shares = trajectories.flatMap(\.records).map { record in
      let trace = record.exact.a * record.exact.g
      return trace
        / (trace + TraceRuleRuns.lambda * Double(record.exact.sizeA * record.exact.sizeG))
    }
    traceShare = findings.report(
      "trace_share", Quantiles.median(shares),
      "share of tr A tr G in the denominator of Eq. 8, reading a, median over records", .percent(1))
    let ends = runs.stale.flatMap(\.observations)
    stopCount = findings.report(
      "layers_at_end",
      Double(ends.count { $0.occasion == .endActive || $0.occasion == .endStopped }),
      "layers of THOR_stop at the end, all seeds", .fixed(0))
    stopped = findings.report(
      "layers_stopped", Double(ends.count { $0.occasion == .endStopped }),
      "of these, stopped", .fixed(0))
    tables = [course, sweep, rotation, drift, savings, stale, decisions, findings.table]
  }

  private static func courseTable(_ runs: [CurvatureTrajectory]) -> ResultTable {
    var table = ResultTable(
      "course", "Norms and Δ of every layer over KFAC's training: medians over three seeds.",
      [
        ("step", "steps taken before"), ("layer", "counted from 1"),
        ("norm", "‖F‖_F of the exact block of the batch"), ("norm_least", "least"),
        ("norm_greatest", "greatest"),
        ("delta", "Δ since the record before, reading a, λ = 0.3; empty at the first"),
        ("trace_a", "tr A, first seed"), ("trace_g", "tr G, first seed"),
      ])
    for (index, first) in runs[0].records(ofLayer: 1).enumerated() {
      for layer in 1...TraceRuleRuns.layerCount {
        let all = runs.map { $0.records(ofLayer: layer) }.filter { index < $0.count }
        let norms = all.map { $0[index].exactNorm }
        let changes =
          index == 0
          ? []
          : all.map {
            TraceRule.change(
              from: $0[index - 1].exact, to: $0[index].exact, lambda: TraceRuleRuns.lambda,
              reading: .product)
          }
        let own = all[0][index].exact
        table.append([
          .integer(first.step), .integer(layer), .number(Quantiles.median(norms)),
          .number(norms.min() ?? .nan), .number(norms.max() ?? .nan),
          changes.isEmpty ? .empty : .number(Quantiles.median(changes)), .number(own.a),
          .number(own.g),
        ])
      }
    }
    return table
  }

  /// Δ of the same records for every λ, readings a and b.
  private static func sweepTable(_ runs: [CurvatureTrajectory]) -> ResultTable {
    let readings: [(String, TraceRule.Reading)] = [("a", .product), ("b", .dampedFactors)]
    var table = ResultTable(
      "sweep", "Δ from record to record on the same runs, for every λ of Eq. 8.",
      [("lambda", "λ in Eq. 8 alone; the runs are trained with 0.3")]
        + readings.flatMap { name, _ in
          [
            ("\(name)_median", "median Δ, reading \(name)"),
            ("\(name)_below", "share below 0.001"),
            ("\(name)_inside", "share from 0.001 to 0.01"), ("\(name)_above", "share above 0.01"),
          ]
        })
    for λ in lambdas {
      var row: [CSV.Cell] = [.number(λ)]
      for (_, reading) in readings {
        let changes = runs.flatMap { run in
          (1...TraceRuleRuns.layerCount).flatMap { layer -> [Double] in
            let records = run.records(ofLayer: layer)
            return zip(records, records.dropFirst()).map {
              TraceRule.change(from: $0.exact, to: $1.exact, lambda: λ, reading: reading)
            }
          }
        }
        let total = Double(changes.count)
        row += [
          .number(Quantiles.median(changes)),
          .number(Double(changes.count { $0 < 0.001 }) / total),
          .number(Double(changes.count { $0 >= 0.001 && $0 <= 0.01 }) / total),
          .number(Double(changes.count { $0 > 0.01 }) / total),
        ]
      }
      table.append(row)
    }
    return table
  }

  private static func rotationTable(_ context: ChapterContext) throws -> ResultTable {
    var table = ResultTable(
      "rotation", "A curvature of 100 parameters that turns while its traces stay.",
      [
        ("degrees", "angle of the rotation"),
        ("delta", "the largest Δ of all readings of Eq. 8; rounding"),
        ("matrix_change", "relative Frobenius change of F"),
        ("efficiency", "η of the stale step, mean over gradients drawn from the new F"),
        ("thor", "decision with (0.01, 0)"), ("thor_stop", "decision with (0.01, 0.001)"),
      ])
    let found = try Parallel.map(angles.count, "chapter 11, rotations", context.progress) {
      try ConstructedBlindSpots.rotation(
        degrees: angles[$0], lambda: rotationLambda, draws: 50, seed: 1)
    }
    for rotation in found {
      table.append([
        .integer(Int(rotation.degrees)), .number(rotation.change), .number(rotation.matrixChange),
        .number(rotation.efficiency), .text(rotation.thor.rawValue),
        .text(rotation.thorStop.rawValue),
      ])
    }
    return table
  }

  private static func driftTable() throws -> ResultTable {
    var table = ResultTable(
      "drift", "A trace that grows steadily over 20 tests, ω₁ = 0.01, under both references.",
      [
        ("rate", "growth per test"), ("reference", "what the new trace is compared with"),
        ("updates", "updates in 20 tests"),
        ("lag", "largest relative distance from the accepted trace"),
      ])
    for rate in [0.002, 0.004, 0.008] {
      for reference in TraceRule.Reference.allCases {
        let drift = try ConstructedBlindSpots.drift(rate: rate, tests: 20, reference: reference)
        table.append([
          .number(rate), .text(reference.rawValue), .integer(drift.updates),
          .number(drift.largestLag),
        ])
      }
    }
    return table
  }
}
