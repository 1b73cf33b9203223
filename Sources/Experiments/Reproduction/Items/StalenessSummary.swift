import Curvature
import DataFiles

/// The ageing of curvature over the seeds: tables, figure and sentences.
struct StalenessSummary {
  let measured: [Staleness.Measured]
  let plan: Staleness.Plan
  let subtitle: String

  private typealias Method = StalenessMeasurement.Method

  private func values(
    _ origin: Int, _ age: Int, _ method: Method, _ λ: Double, isControl: Bool = false,
    _ value: (StalenessMeasurement.Point) -> Double
  ) -> SampleSummary? {
    SampleSummary(
      measured.filter { $0.origin == origin && $0.age == age }
        .flatMap { isControl ? $0.control : $0.points }
        .filter { $0.method == method && $0.lambda == λ }.map(value))
  }

  private func drift(_ origin: Int, _ age: Int) -> SampleSummary? {
    SampleSummary(measured.filter { $0.origin == origin && $0.age == age }.map(\.drift))
  }

  var table: ResultTable {
    var table = ResultTable(
      "staleness", "steps from old factors against steps from fresh ones, over the seeds",
      [
        ("origin", "the iteration whose batch and weights the factors are of"),
        ("age", "k: the steps since then"),
        ("method", "the structure and what of it is stale"),
        ("rule", "its damping rule"), ("lambda", "λ of rule and reference"),
        ("error", "mean of ‖û − u‖ / ‖u‖ in the norm of the fresh damped structure"),
        ("error_least", "least over the seeds"), ("error_greatest", "greatest over the seeds"),
        ("eta_stale", "mean of η of the stale step against the exact Fisher of the batch"),
        ("eta_fresh", "mean of η of the fresh step"),
        ("kept", "mean of η stale / η fresh"), ("kept_least", "least over the seeds"),
        ("error_other_batch", "mean error of fresh weights and another batch at the same moment"),
        ("kept_other_batch", "mean of what that keeps of η fresh"),
      ])
    for origin in plan.origins {
      for age in plan.ages {
        for method in Method.allCases {
          for λ in plan.lambdas {
            guard let error = values(origin, age, method, λ, \.error),
              let stale = values(origin, age, method, λ, \.staleEfficiency),
              let fresh = values(origin, age, method, λ, \.freshEfficiency),
              let kept = values(origin, age, method, λ, \.kept),
              let otherError = values(origin, age, method, λ, isControl: true, \.error),
              let otherKept = values(origin, age, method, λ, isControl: true, \.kept)
            else { continue }
            table.append([
              .integer(origin), .integer(age),
              .text(method.rawValue), .text(method.rule.rawValue), .number(λ),
              .number(error.mean), .number(error.least), .number(error.greatest),
              .number(stale.mean), .number(fresh.mean), .number(kept.mean), .number(kept.least),
              .number(otherError.mean), .number(otherKept.mean),
            ])
          }
        }
      }
    }
    return table
  }

  var driftTable: ResultTable {
    var table = ResultTable(
      "staleness-drift", "how much the exact layer blocks change on fixed examples, over the seeds",
      [
        ("origin", "the earlier iteration"), ("age", "the steps since then"),
        ("change", "mean of ‖F' − F‖ / ‖F‖, Frobenius, F the later blocks"),
        ("change_least", "least over the seeds"),
        ("change_greatest", "greatest over the seeds"),
        ("norm_ratio", "mean of ‖F later‖ / ‖F earlier‖"),
      ])
    for origin in plan.origins {
      for age in plan.ages where age > 0 {
        let found = measured.filter { $0.origin == origin && $0.age == age }
        guard let change = drift(origin, age),
          let ratio = SampleSummary(found.map(\.normRatio))
        else { continue }
        table.append([
          .integer(origin), .integer(age), .number(change.mean), .number(change.least),
          .number(change.greatest), .number(ratio.mean),
        ])
      }
    }
    return table
  }

  /// The last age up to which stale factors keep, on average, at least 90 % of what another batch keeps
  /// at the same moment; nil where age 1 keeps less.
  private func lastGoodAge(_ origin: Int, _ method: Method) -> Int? {
    let ages = plan.ages.filter { $0 > 0 }
    let good = ages.prefix { age in
      guard let kept = values(origin, age, method, plan.shown, \.kept),
        let other = values(origin, age, method, plan.shown, isControl: true, \.kept)
      else { return false }
      return kept.mean >= 0.9 * other.mean
    }
    return good.last
  }

  var claims: [Claim] {
    let step = 20
    let first = plan.origins[0]
    let last = plan.origins[plan.origins.count - 1]
    var claims: [Claim] = []
    if let early = drift(first, step), let late = drift(last, step) {
      let all = plan.origins.compactMap { origin in
        drift(origin, step).map {
          "\(NumberFormat.percent($0.mean)) from iteration \(origin) (\(NumberFormat.percent($0.least)) "
            + "to \(NumberFormat.percent($0.greatest)))"
        }
      }.joined(separator: ", ")
      let long = plan.ages.last.flatMap { age in
        drift(last, age).map {
          " Over \(age) steps from iteration \(last) it is \(NumberFormat.percent($0.mean))."
        }
      }
      claims.append(
        Claim(
          "The paper's assumption: \"the FIM for each layer changes rapidly in the first few iterations "
            + "and then tends to be stable\".",
          place: "abstract and the text on Figure 1 of the THOR paper, which show the norm",
          finding:
            "Change of the exact layer blocks, not of their norm alone, over \(step) steps on "
            + "fixed examples: \(all)." + (long ?? ""),
          verdict: StalenessMeasurement.verdict(early: early.mean, late: late.mean),
          reason:
            "reproduced if the late change is below 10 % and less than half of the early one, in "
            + "form only if less than half but not below 10 %, else not found"))
    }
    func ages(_ method: Method) -> String {
      plan.origins.map { origin in
        let age = lastGoodAge(origin, method).map { "\($0)" } ?? "less than 1"
        return "\(age) from iteration \(origin)"
      }.joined(separator: ", ")
    }
    let oldest = plan.ages.last ?? 0
    claims.append(
      Claim(
        "How old may factors be before age costs a tenth of the step?",
        place: "beyond the paper",
        finding:
          "The largest age tried (of \(plan.ages.dropFirst().map { "\($0)" }.joined(separator: ", "))) "
          + "up to which the stale step keeps 90 % of the η that fresh weights with another batch keep, at "
          + "λ = \(NumberFormat.short(plan.shown)): "
          + Method.allCases.map { "\($0.rawValue): \(ages($0))" }.joined(separator: "; ") + ".",
        verdict: .measured, reason: "means over the seeds; other λ are in the table"))
    let comparison = plan.origins.compactMap { origin -> String? in
      guard let moments = values(origin, oldest, .ekfacFreshMoments, plan.shown, \.kept),
        let all = values(origin, oldest, .ekfac, plan.shown, \.kept)
      else { return nil }
      return "\(NumberFormat.percent(moments.mean)) against \(NumberFormat.percent(all.mean)) from "
        + "iteration \(origin)"
    }.joined(separator: ", ")
    claims.append(
      Claim(
        "Do fresh second moments rescue a stale eigenbasis (EKFAC)?", place: "beyond the paper",
        finding: "Share of the fresh EKFAC step's η kept \(oldest) steps later at λ = "
          + "\(NumberFormat.short(plan.shown)), fresh moments against stale ones: \(comparison).",
        verdict: .measured, reason: "both have the same old basis"))
    return claims
  }

  var figure: Canvas {
    let ages = plan.ages.filter { $0 > 0 }
    func series(
      _ origin: Int, _ value: @escaping (StalenessMeasurement.Point) -> Double
    ) -> [LineSeries] {
      let other = ages.compactMap { age in
        values(origin, age, .kfac, plan.shown, isControl: true, value).map {
          (Double(age), $0.mean)
        }
      }
      return Method.allCases.map { method in
        let found = ages.compactMap { age in
          values(origin, age, method, plan.shown, value).map { (Double(age), $0) }
        }
        return LineSeries(
          name: method.rawValue, x: found.map(\.0), y: found.map(\.1.mean),
          least: found.map(\.1.least), greatest: found.map(\.1.greatest))
      } + [
        LineSeries(
          name: "kfac, fresh weights, another batch", x: other.map(\.0), y: other.map(\.1))
      ]
    }
    let x = ChartAxis(
      "age of the factors, steps", .logarithmic, limits: 1...Double(max(2, ages.last ?? 2)))
    let panels =
      plan.origins.map { origin in
        LineChartGrid.Panel(
          title: "factors of iteration \(origin)", x: x,
          y: ChartAxis("relative error, fresh F-norm", .logarithmic, limits: 0.01...100),
          series: series(origin, \.error))
      }
      + plan.origins.map { origin in
        LineChartGrid.Panel(
          title: "factors of iteration \(origin)", x: x,
          y: ChartAxis("η stale / η fresh", limits: 0...1.2),
          series: series(origin, \.kept))
      }
    return LineChartGrid(
      title: "How factors grow old",
      subtitle: subtitle,
      panels: panels, columnCount: plan.origins.count,
      caption: "Above: error of the stale step against the fresh one of the same structure. Below: "
        + "what it keeps of the fresh step's η against the exact Fisher. Lines: means over the seeds; "
        + "bands: least to greatest."
    ).canvas
  }
}
