import Curvature
import DataFiles

/// Fidelity beside performance over all states: correlations, tables, figure and sentences.
struct FidelitySummary {
  let measured: [Fidelity.Measured]
  let lambdas: [Double]
  let subtitle: String

  typealias Measure = FidelityMeasurement.Fidelity
  typealias Outcome = FidelityMeasurement.Outcome
  typealias Point = FidelityMeasurement.Point

  /// The points of one state at one λ: what is ranked against each other.
  var groups: [[Point]] {
    measured.flatMap { state in
      lambdas.map { λ in state.points.filter { $0.lambda == λ } }
    }
  }

  func correlations(_ groups: [[Point]], _ measure: Measure, _ outcome: Outcome)
    -> [Double]
  {
    groups.compactMap { FidelityMeasurement.correlation($0, measure, outcome) }
  }

  var correlationTable: ResultTable {
    var table = ResultTable(
      "fidelity-correlations",
      "Spearman's rank correlation of fidelity with the loss decrease, within states",
      [
        ("group", "what is ranked: the approximations of a state at one λ, or of a state at all λ"),
        ("fidelity", "eta: same λ; eta-at-0.01: against F + 0.01 I; the errors with a minus sign"),
        (
          "outcome",
          "the decrease on the batch or on held-out examples, at the best length on the batch or at 1"
        ),
        ("groups", "how many groups"), ("median", "median of ρ over the groups"),
        ("lower_quartile", "a quarter of the groups lies below"),
        ("upper_quartile", "a quarter lies above"), ("least", "least"), ("greatest", "greatest"),
        ("negative", "share of groups with ρ < 0"),
      ])
    let kinds: [(String, [[Point]], [Measure])] = [
      ("state and λ", groups, [.efficiency, .fisherNorm, .matrix]),
      ("state", measured.map(\.points), [.efficiency, .fixedEfficiency, .fisherNorm]),
    ]
    for (name, groups, measures) in kinds {
      for measure in measures {
        for outcome in Outcome.allCases {
          let values = correlations(groups, measure, outcome)
          guard let summary = SampleSummary(values) else { continue }
          table.append([
            .text(name), .text(measure.rawValue), .text(outcome.rawValue),
            .integer(summary.count), .number(summary.median), .number(summary.quantile(0.25)),
            .number(summary.quantile(0.75)), .number(summary.least), .number(summary.greatest),
            .number(Double(values.count { $0 < 0 }) / Double(values.count)),
          ])
        }
      }
    }
    return table
  }

  /// The decrease divided by the exact step's in the same state at the same λ; nil unless that falls.
  func shares(_ outcome: Outcome, _ isWanted: (Point) -> Bool) -> [(
    eta: Double, share: Double
  )] {
    groups.flatMap { group -> [(eta: Double, share: Double)] in
      guard
        let exact = group.first(where: { $0.approximation.structure == .exact })?
          .outcomes[outcome], exact > 0
      else { return [] }
      return group.filter(isWanted).compactMap { point in
        guard let η = point.fidelities[.efficiency], let value = point.outcomes[outcome] else {
          return nil
        }
        return (η, value / exact)
      }
    }
  }

  var methodTable: ResultTable {
    var table = ResultTable(
      "fidelity-methods",
      "each approximation over all states: fidelity, and decrease by the exact step's",
      [
        ("structure", "the structure, or gradient"), ("rule", "its damping rule"),
        ("lambda", "λ of the rule and of the exact step"),
        ("eta", "median of η"),
        ("batch_at_best", "median of the batch's decrease at the best length / the exact step's"),
        ("batch_at_1", "the same at length 1, states in which the exact step decreases the loss"),
        ("held_out_at_best", "the same on held-out examples at the length best for the batch"),
        ("held_out_at_1", "the same on held-out examples at length 1"),
      ])
    for approximation in FidelityMeasurement.Approximation.all {
      for λ in lambdas {
        let own = groups.flatMap { $0 }.filter {
          $0.approximation == approximation && $0.lambda == λ
        }
        guard let η = SampleSummary(own.compactMap { $0.fidelities[.efficiency] }) else { continue }
        table.append(
          [
            .text(approximation.name), .text(approximation.rule.rawValue), .number(λ),
            .number(η.median),
          ]
            + Outcome.allCases.map { outcome in
              let found = shares(outcome) {
                $0.approximation == approximation && $0.lambda == λ
              }
              return SampleSummary(found.map(\.share)).map { .number($0.median) } ?? .empty
            })
      }
    }
    return table
  }

  var pointTable: ResultTable {
    var table = ResultTable(
      "fidelity-points", "every step measured",
      [
        ("seed", "the seed"), ("iteration", "the training step"),
        ("structure", "the structure, or gradient"), ("rule", "its damping rule"),
        ("lambda", "λ of rule and reference"), ("eta", "η against F + λI"),
        ("eta_at_0.01", "η against F + 0.01 I"),
        ("f_norm_error", "‖û − u‖_Fλ / ‖u‖_Fλ"),
        ("frobenius_error", "‖F̂ − F‖ / ‖F‖, undamped, empty where the structure is no matrix"),
        ("best_length", "the length with the largest decrease on the batch"),
        ("batch_at_best", "h(θ) − h(θ − αû) on the batch at that length"),
        ("batch_at_1", "the same at length 1"),
        ("held_out_at_best", "the decrease on held-out examples at that length"),
        ("held_out_at_1", "the same at length 1"),
      ])
    for state in measured {
      for point in state.points {
        func fidelity(_ measure: Measure, sign: Double = 1) -> CSV.Cell {
          point.fidelities[measure].map { .number(sign * $0 + 0) } ?? .empty
        }
        table.append(
          [
            .integer(Int(state.seed)), .integer(state.iteration),
            .text(point.approximation.name), .text(point.approximation.rule.rawValue),
            .number(point.lambda), fidelity(.efficiency), fidelity(.fixedEfficiency),
            fidelity(.fisherNorm, sign: -1), fidelity(.matrix, sign: -1), .number(point.length),
          ] + Outcome.allCases.map { point.outcomes[$0].map { .number($0) } ?? .empty })
      }
    }
    return table
  }

  /// How often the approximation with the largest η has the largest outcome, the exact step left out,
  /// and how often any approximation beats the exact step.
  private func ranks(_ outcome: Outcome) -> (agreeing: Int, beaten: Int, count: Int) {
    var result = (agreeing: 0, beaten: 0, count: 0)
    for group in groups {
      let others = group.filter { $0.approximation.structure != .exact }
      func outcomeOf(_ point: Point) -> Double { point.outcomes[outcome] ?? -.infinity }
      guard let exact = group.first(where: { $0.approximation.structure == .exact }),
        let nearest = others.max(by: {
          ($0.fidelities[.efficiency] ?? 0) < ($1.fidelities[.efficiency] ?? 0)
        }),
        let best = others.max(by: { outcomeOf($0) < outcomeOf($1) })
      else { continue }
      result.count += 1
      if outcomeOf(nearest) >= outcomeOf(best) { result.agreeing += 1 }
      if outcomeOf(best) > outcomeOf(exact) { result.beaten += 1 }
    }
    return result
  }

  /// In how many states some approximation at some λ beats the exact step at its best λ.
  private func beatenAtBestLambda(_ outcome: Outcome) -> Int {
    measured.count { state in
      func best(_ isExact: Bool) -> Double {
        state.points.filter { ($0.approximation.structure == .exact) == isExact }
          .compactMap { $0.outcomes[outcome] }.max() ?? -.infinity
      }
      return best(false) > best(true)
    }
  }

  var claims: [Claim] {
    func text(_ measure: Measure, _ outcome: Outcome, _ groups: [[Point]]) -> String {
      guard let summary = SampleSummary(correlations(groups, measure, outcome)) else { return "–" }
      return "\(NumberFormat.short(summary.median)) (quartiles "
        + "\(NumberFormat.short(summary.quantile(0.25))) to \(NumberFormat.short(summary.quantile(0.75))))"
    }
    let batch = ranks(.batchAtBest)
    let held = ranks(.heldOutAtBest)
    let one = ranks(.batchAtOne)
    func share(_ part: Int, _ whole: Int) -> String {
      NumberFormat.percent(Double(part) / Double(max(whole, 1)))
    }
    let names: [Outcome: String] = [
      .batchAtBest: "on the batch at the best length", .batchAtOne: "on the batch at α = 1",
      .heldOutAtBest: "on held-out examples at the batch's best length",
      .heldOutAtOne: "on held-out examples at α = 1",
    ]
    func each(_ measure: Measure, _ groups: [[Point]]) -> String {
      Outcome.allCases.map { "\(text(measure, $0, groups)) \(names[$0] ?? "")" }
        .joined(separator: ", ")
    }
    return [
      Claim(
        "Does η rank the loss decrease that a step really brings?", place: "beyond the paper",
        finding: "Median rank correlation over \(groups.count) groups (one state, one λ, all "
          + "approximations): \(each(.efficiency, groups)).", verdict: .measured,
        reason:
          "Spearman's ρ within a group, so that easy and hard states do not count as agreement"),
      Claim(
        "Does the error of the matrix rank it?", place: "beyond the paper",
        finding: "The same for −‖F̂ − F‖ / ‖F‖: \(each(.matrix, groups)).", verdict: .measured,
        reason: "the undamped error does not know the rule, so structures with several rules tie"),
      Claim(
        "Is the nearest approximation the best, and is the exact step?", place: "beyond the paper",
        finding: "The approximation with the largest η also has the largest decrease in "
          + "\(share(batch.agreeing, batch.count)) of the groups on the batch and in "
          + "\(share(held.agreeing, held.count)) on held-out examples (best length), in "
          + "\(share(one.agreeing, one.count)) at α = 1. Some approximation beats the exact natural "
          + "gradient in \(share(batch.beaten, batch.count)) on the batch, "
          + "\(share(held.beaten, held.count)) on held-out examples, and "
          + "\(share(one.beaten, one.count)) at α = 1. With the best λ of those tried for each, in "
          + "\(share(beatenAtBestLambda(.batchAtBest), measured.count)) of the states on the batch and "
          + "\(share(beatenAtBestLambda(.heldOutAtBest), measured.count)) on held-out examples.",
        verdict: .measured,
        reason:
          "counted over \(batch.count) groups of \(FidelityMeasurement.Approximation.all.count) "
          + "steps; the rules factor and sqrt damp otherwise than F + λI at the same λ, which the last "
          + "sentence allows for"),
      Claim(
        "Does η against one fixed λ rank steps with different λ?", place: "beyond the paper",
        finding: "Median over \(measured.count) states, all approximations at all λ together: "
          + "\(each(.fixedEfficiency, measured.map(\.points))).", verdict: .measured,
        reason: "the reference is F + 0.01 I for all of them"),
    ]
  }
}
