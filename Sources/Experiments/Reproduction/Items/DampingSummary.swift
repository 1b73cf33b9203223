import Curvature
import DataFiles

/// The damping laboratory over the seeds: tables, figure and sentences.
struct DampingSummary {
  let measured: [DampingLaboratory.Measured]
  let iterations: [Int]
  let lambdas: [Double]
  let fixed: [Double]
  let subtitle: String

  private typealias Damping = DampingMeasurement.ReferenceDamping

  private func name(_ damping: Damping) -> String {
    switch damping {
    case .same: "same"
    case .fixed(let λ): "\(λ)"
    }
  }

  private func values(
    _ iteration: Int, _ rule: DampingRule, _ λ: Double, _ reference: Reference, _ damping: Damping,
    _ value: (DampingMeasurement.Point) -> Double
  ) -> SampleSummary? {
    SampleSummary(
      measured.filter { $0.iteration == iteration }.flatMap(\.measurement.points).filter {
        $0.rule == rule && $0.lambda == λ && $0.reference == reference && $0.damping == damping
      }.map(value))
  }

  /// The sum over the seeds of a decrease, divided by that of the largest of all rules and λ in each state.
  ///
  /// Sums and not a mean of shares: late in training a state's largest decrease may be next to nothing.
  func share(
    _ iteration: Int, _ rule: DampingRule, _ λ: Double,
    _ value: (DampingMeasurement.Decrease) -> Double
  ) -> Double? {
    var (own, largest) = (0.0, 0.0)
    for state in measured where state.iteration == iteration {
      let all = state.measurement.decreases
      guard let best = all.map(value).filter(\.isFinite).max(),
        let found = all.first(where: { $0.rule == rule && $0.lambda == λ })
      else { return nil }
      own += value(found)
      largest += best
    }
    return largest > 0 && own.isFinite ? own / largest : nil
  }

  private func best(_ iteration: Int, _ rule: DampingRule, _ reference: Reference, _ λ: Double)
    -> (lambda: Double, value: Double)?
  {
    DampingMeasurement.best(
      lambdas.compactMap { own in
        values(iteration, rule, own, reference, .fixed(λ), \.efficiency).map { (own, $0.mean) }
      })
  }

  private func bestShare(
    _ iteration: Int, _ rule: DampingRule, _ value: (DampingMeasurement.Decrease) -> Double
  ) -> (lambda: Double, value: Double)? {
    DampingMeasurement.best(
      lambdas.compactMap { own in
        share(iteration, rule, own, value).map { (own, $0) }
      })
  }

  var table: ResultTable {
    var table = ResultTable(
      "damping", "steps under the five rules against exact curvatures, over the seeds",
      [
        ("iteration", "the training step"),
        ("rule", "none (D0), sqrt (D1), factor (D2), pi (D3), exact (D4)"),
        ("lambda", "the rule's λ (without effect on none)"),
        ("reference", "full: the exact Fisher of layers 2–4; blocks: its layer blocks"),
        ("reference_lambda", "λ of the reference: a number, or the same as the rule's"),
        ("eta", "mean of η"), ("eta_least", "least over the seeds"),
        ("eta_greatest", "greatest over the seeds"),
        ("f_cosine", "mean of the F-cosine"), ("length_ratio", "mean of ‖û‖ / ‖u‖"),
      ])
    for iteration in iterations {
      for rule in DampingRule.allCases {
        for λ in lambdas {
          for reference in [Reference.full, .blocks] {
            for damping in [.same] + fixed.map(Damping.fixed) {
              guard let eta = values(iteration, rule, λ, reference, damping, \.efficiency),
                let cosine = values(iteration, rule, λ, reference, damping, \.fisherCosine),
                let ratio = values(iteration, rule, λ, reference, damping, \.lengthRatio)
              else { continue }
              table.append([
                .integer(iteration), .text(rule.rawValue), .number(λ), .text(reference.rawValue),
                .text(name(damping)), .number(eta.mean), .number(eta.least),
                .number(eta.greatest), .number(cosine.mean), .number(ratio.mean),
              ])
            }
          }
        }
      }
    }
    return table
  }

  var bestTable: ResultTable {
    var table = ResultTable(
      "damping-best", "each rule at its best λ, by mean over the seeds",
      [
        ("iteration", "the training step"), ("rule", "the damping rule"),
        (
          "judge",
          "full or blocks: η against that reference; batch-decrease or held-out-decrease: the loss"
        ),
        ("reference_lambda", "λ of the reference; empty where the loss is the judge"),
        ("best_lambda", "the rule's λ with the largest mean (empty for none, which has no λ)"),
        (
          "value",
          "mean η there, or the share of the sum of the largest decreases of the states"
        ),
      ])
    for iteration in iterations {
      for rule in DampingRule.allCases {
        func append(
          _ judge: String, _ λ: Double?, _ found: (lambda: Double, value: Double)?
        ) {
          guard let found else { return }
          table.append([
            .integer(iteration), .text(rule.rawValue), .text(judge),
            λ.map { .number($0) } ?? .empty,
            rule == .none ? .empty : .number(found.lambda), .number(found.value),
          ])
        }
        for reference in [Reference.full, .blocks] {
          for λ in fixed {
            append(reference.rawValue, λ, best(iteration, rule, reference, λ))
          }
        }
        append("batch-decrease", nil, bestShare(iteration, rule, \.batch))
        append("held-out-decrease", nil, bestShare(iteration, rule, \.heldOut))
      }
    }
    return table
  }

  var decreaseTable: ResultTable {
    var table = ResultTable(
      "damping-decrease", "the loss decrease at the best length, by rule and λ, over the seeds",
      [
        ("iteration", "the training step"), ("rule", "the damping rule"),
        ("lambda", "the rule's λ"),
        ("batch", "mean of h(θ) − h(θ − αû) on the batch, α the best length there"),
        ("batch_share", "the sum over the seeds / that of the largest decrease of each state"),
        ("held_out", "mean of the decrease on test examples at the same α"),
        ("held_out_share", "the same share on test examples"),
      ])
    for iteration in iterations {
      for rule in DampingRule.allCases {
        for λ in lambdas {
          let own = measured.filter { $0.iteration == iteration }
            .flatMap(\.measurement.decreases).filter { $0.rule == rule && $0.lambda == λ }
          guard let batch = SampleSummary(own.map(\.batch)),
            let heldOut = SampleSummary(own.map(\.heldOut)),
            let batchShare = share(iteration, rule, λ, \.batch),
            let heldOutShare = share(iteration, rule, λ, \.heldOut)
          else { continue }
          table.append([
            .integer(iteration), .text(rule.rawValue), .number(λ), .number(batch.mean),
            .number(batchShare), .number(heldOut.mean), .number(heldOutShare),
          ])
        }
      }
    }
    return table
  }

  /// "pi 95.1 % (λ = 0.01), exact …", the best rule first.
  private func ranking(_ found: (DampingRule) -> (lambda: Double, value: Double)?) -> String {
    DampingRule.allCases.compactMap { rule in found(rule).map { (rule, $0) } }
      .sorted { $0.1.value > $1.1.value }
      .map { rule, best in
        "\(rule.rawValue) \(NumberFormat.percent(best.value))"
          + (rule == .none ? "" : " (λ = \(NumberFormat.short(best.lambda)))")
      }.joined(separator: ", ")
  }

  var claims: [Claim] {
    let λ = fixed.contains(1e-2) ? 1e-2 : fixed[0]
    func each(_ sentence: (Int) -> String) -> String {
      iterations.map { "iteration \($0): \(sentence($0))" }.joined(separator: "; ")
    }
    return [
      Claim(
        "Which damping rule keeps most of the full Fisher's model decrease, each at its best λ?",
        place: "beyond the paper, on its Eq. 6",
        finding: "η against F + \(NumberFormat.short(λ)) I: "
          + each { iteration in ranking { best(iteration, $0, .full, λ) } } + ".",
        verdict: .measured,
        reason: "the factors are the same, so that rule and λ alone differ; means over the seeds"),
      Claim(
        "Which rule decreases the loss most, each at its best λ?", place: "beyond the paper",
        finding: "Share of the largest decrease of the state, on the batch: "
          + each { iteration in ranking { bestShare(iteration, $0, \.batch) } }
          + ". On test examples: "
          + each { iteration in ranking { bestShare(iteration, $0, \.heldOut) } } + ".",
        verdict: .measured,
        reason: "the loss knows no λ and no reference; each step has its best length on the batch"),
    ]
  }

  var figure: Canvas {
    let λ = fixed.contains(1e-2) ? 1e-2 : fixed[0]
    func series(_ value: (DampingRule, Double) -> Double?) -> [LineSeries] {
      DampingRule.allCases.map { rule in
        let points = lambdas.compactMap { own in value(rule, own).map { (own, $0) } }
        return LineSeries(
          name: rule.rawValue, x: points.map(\.0), y: points.map(\.1))
      }
    }
    let x = ChartAxis("the rule's λ", .logarithmic)
    let panels =
      iterations.map { iteration in
        LineChartGrid.Panel(
          title: "iteration \(iteration): against F + \(NumberFormat.short(λ)) I", x: x,
          y: ChartAxis("η", limits: 0...1),
          series: series { values(iteration, $0, $1, .full, .fixed(λ), \.efficiency)?.mean })
      }
      + iterations.map { iteration in
        LineChartGrid.Panel(
          title: "iteration \(iteration): loss on the batch", x: x,
          y: ChartAxis("share of the largest decrease", limits: 0...1),
          series: series { share(iteration, $0, $1, \.batch) })
      }
      + iterations.map { iteration in
        LineChartGrid.Panel(
          title: "iteration \(iteration): length, reference with the same λ", x: x,
          y: ChartAxis("length / exact length", .logarithmic, limits: 0.01...100),
          series: series { values(iteration, $0, $1, .full, .same, \.lengthRatio)?.mean })
      }
    return LineChartGrid(
      title: "Five damping rules on the same Kronecker factors",
      subtitle: subtitle,
      panels: panels, columnCount: iterations.count,
      caption: "none: the pseudo-inverse, which has no λ. Loss: each step at its best length."
    ).canvas
  }
}
