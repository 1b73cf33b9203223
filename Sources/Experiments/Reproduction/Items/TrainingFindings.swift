import DataFiles
import Foundation
import Optimization

/// What training runs say of the paper's Table 2, Figure 7 and ablations.
public struct TrainingFindings: Sendable {
  let experiment: TrainingExperiment
  private let rows: [TrainingReport.Row]

  /// Judges the runs of the ten methods of `figure-7`.
  public init(_ experiment: TrainingExperiment) {
    self.experiment = experiment
    self.rows = TrainingReport.rows(experiment)
  }

  private func row(_ method: OptimizerMethod) -> TrainingReport.Row? {
    rows.first { $0.name == method.rawValue }
  }

  private func loss(_ method: OptimizerMethod) -> TrainingReport.Spread? {
    row(method)?.finalTrainingLoss
  }

  private func spread(_ value: TrainingReport.Spread?, scale: Double = 1, _ format: String)
    -> String
  {
    value.map {
      String(format: format, scale * $0.mean) + " ± " + String(format: format, scale * $0.deviation)
    } ?? "no run ended"
  }

  /// The mean training loss at the evaluation nearest a share of the run.
  private func loss(_ method: OptimizerMethod, atShare share: Double) -> Double? {
    let runs = experiment.runs.filter { $0.name == method.rawValue && $0.divergence == nil }
    let values = runs.compactMap { run -> Double? in
      guard !run.points.isEmpty else { return nil }
      let index = Int((share * Double(run.points.count - 1)).rounded())
      return run.points[index].trainingLoss
    }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  static let secondOrder: [OptimizerMethod] = [
    .kfac, .ekfac, .cgKFAC, .thor, .thorStop, .thorNT, .thorTrace, .thorFrequency, .thorSplit,
  ]

  /// The paper's statements in their order.
  public var claims: [Claim] {
    [faster, everySecondOrder, accuracy, againstKFAC, againstEKFAC, ablationClaim, printed]
  }

  /// "THOR, THOR_stop, THOR_NT and KFAC converge faster than Momentum in the first 30 epochs".
  private var faster: Claim {
    let methods: [OptimizerMethod] = [.thor, .thorStop, .thorNT, .kfac]
    let share = 1.0 / 3
    let own = loss(.momentum, atShare: share)
    let others = methods.map { ($0, loss($0, atShare: share)) }
    let isLower = others.allSatisfy { pair in
      guard let own, let loss = pair.1 else { return false }
      return loss < own
    }
    return Claim(
      "Figure 7 (a) shows that THOR, THOR_stop, THOR_NT and KFAC converge faster than Momentum in the "
        + "first 30 epochs", place: "Experiments, CIFAR-10, Results",
      finding: "mean training loss after a third of the steps: momentum "
        + (own.map { String(format: "%.4f", $0) } ?? "-") + ", "
        + others.map { "\($0.0.rawValue) " + ($0.1.map { String(format: "%.4f", $0) } ?? "-") }
        .joined(separator: ", "),
      verdict: isLower ? .inFormOnly : .notFound,
      reason: isLower
        ? "all four have a lower mean loss than tuned momentum at the same step, on a smaller network"
        : "not all four have a lower mean loss than tuned momentum at the same step")
  }

  /// The repository's own question: at equal steps, is every second-order method as low as momentum?
  private var everySecondOrder: Claim {
    let own = loss(.momentum)
    let parts = TrainingFindings.secondOrder.compactMap { method in
      loss(method).map { (method, $0) }
    }
    let above = parts.filter { $0.1.mean > (own?.mean ?? -.infinity) }
    return Claim(
      "second-order algorithms are able to achieve higher test accuracy than Momentum",
      place: "Experiments, CIFAR-10, Results",
      finding: "final training loss: momentum \(spread(own, "%.4f")), "
        + parts.map { "\($0.0.rawValue) \(spread($0.1, "%.4f"))" }.joined(separator: ", ")
        + "; best test accuracy: momentum "
        + spread(row(.momentum)?.bestAccuracy, scale: 100, "%.2f %%") + ", "
        + parts.map {
          "\($0.0.rawValue) " + spread(row($0.0)?.bestAccuracy, scale: 100, "%.2f %%")
        }.joined(separator: ", "),
      verdict: parts.allSatisfy {
        (row($0.0)?.bestAccuracy?.mean ?? 0) > (row(.momentum)?.bestAccuracy?.mean ?? 1)
      } ? .inFormOnly : .notFound,
      reason: above.isEmpty
        ? "at equal steps every second-order method's mean training loss is at least as low as tuned "
          + "momentum's; the verdict is on test accuracy"
        : "at equal steps the mean training loss of "
          + above.map(\.0.rawValue).joined(separator: ", ")
          + " is above tuned momentum's; the verdict is on test accuracy")
  }

  /// "THOR can reach 95% test accuracy": the ordering of the best accuracies in Table 2.
  private var accuracy: Claim {
    let methods: [OptimizerMethod] = [.momentum, .kfac, .thor, .thorStop, .thorNT]
    let best = methods.map { row($0)?.bestAccuracy }
    // Table 2's order: momentum < KFAC, NT < THOR < stop; its outer ends are asked for.
    let isOrdered =
      zip(best.dropFirst(), repeatElement(best[0], count: 4)).allSatisfy { pair in
        guard let value = pair.0, let momentum = pair.1 else { return false }
        return value.mean > momentum.mean
      } && (best[3]?.mean ?? 0) >= (best[1]?.mean ?? 1)
    return Claim(
      "Best Test Acc | 94.31% | 94.42% | 95.00% | 95.09% | 94.40%", place: "Table 2",
      finding: zip(methods, best).map {
        "\($0.0.rawValue) \(spread($0.1, scale: 100, "%.2f %%"))"
      }.joined(separator: ", "),
      verdict: isOrdered ? .inFormOnly : .notFound,
      reason: isOrdered
        ? "the order momentum lowest and THOR_stop not below KFAC was seen, on another network and data"
        : "the order of the table (momentum lowest, THOR_stop not below KFAC) was not seen here")
  }

  /// Time per epoch of KFAC over THOR's, in operations.
  private var againstKFAC: Claim {
    let methods: [OptimizerMethod] = [.momentum, .kfac, .thor, .thorStop, .thorNT]
    let operations = methods.map { row($0)?.operationsPerStep?.mean }
    let ratio = (operations[1] ?? .nan) / (operations[2] ?? .nan)
    return Claim(
      "Time Per Epoch | 13.29s | 65.01s | 17.64s | 17.16s | 18.09s", place: "Table 2",
      finding: "operations per step: "
        + zip(methods, operations).map {
          "\($0.0.rawValue) " + ($0.1.map { String(format: "%.3g", $0) } ?? "-")
        }.joined(separator: ", ")
        + "; seconds per epoch (two runs at a time): "
        + methods.map { "\($0.rawValue) \(spread(row($0)?.secondsPerEpoch, "%.2f"))" }
        .joined(separator: ", "),
      verdict: ratio > 1 ? .inFormOnly : .notFound,
      reason:
        "KFAC takes \(String(format: "%.2f", ratio)) times THOR's operations here, the paper's times "
        + "have the ratio \(String(format: "%.2f", 65.01 / 17.64)); seconds cannot be compared across "
        + "machines and networks")
  }

  /// "THOR_stop is 3809s faster than EKFac with 93% test accuracy".
  private var againstEKFAC: Claim {
    let stop = row(.thorStop)?.operationsPerStep?.mean ?? .nan
    let ekfac = row(.ekfac)?.operationsPerStep?.mean ?? .nan
    let level = experiment.options.levels.last ?? 0
    func steps(_ method: OptimizerMethod) -> String {
      row(method)?.levels.last.map {
        "\($0.steps.map { String(format: "%.0f", $0.mean) } ?? "-") steps in \($0.reached) of "
          + "\(experiment.options.seeds.count) runs"
      } ?? "-"
    }
    return Claim(
      "THOR_stop is 3809s faster than EKFac with 93% test accuracy",
      place: "Experiments, CIFAR-10, Results",
      finding: "operations per step: thor-stop \(String(format: "%.3g", stop)), ekfac "
        + "\(String(format: "%.3g", ekfac)); to \(NumberText.short(100 * level)) %: thor-stop "
        + "\(steps(.thorStop)), ekfac \(steps(.ekfac))",
      verdict: stop < ekfac ? .inFormOnly : .notFound,
      reason:
        "a step of THOR_stop costs \(String(format: "%.2f", stop / ekfac)) of a step of EKFAC in "
        + "operations here; the seconds are of other machines")
  }

  /// The savings of each ablation against KFAC, and the paper's 65, 48.5 and 40.5 %.
  private var ablationClaim: Claim {
    let parts: [(OptimizerMethod, Double)] = [
      (.thorTrace, 65), (.thorFrequency, 48.5), (.thorSplit, 40.5),
    ]
    let kfac = row(.kfac)?.operationsPerStep?.mean ?? .nan
    let saved = parts.map { part in
      100 * (1 - (row(part.0)?.operationsPerStep?.mean ?? .nan) / kfac)
    }
    let isOrdered = zip(saved, saved.dropFirst()).allSatisfy { $0 > $1 }
    return Claim(
      "THOR_tr which accelerated 65% compared to original KFAC algorithm on 90 epochs, while THOR_fre and "
        + "THOR_sp respectively accelerated 48.5% and 40.5%",
      place: "Experiments, CIFAR-10, Results",
      finding: "operations saved against KFAC at interval 20: "
        + zip(parts, saved).map { "\($0.0.rawValue) \(String(format: "%.1f", $1)) %" }
        .joined(separator: ", "),
      verdict: isOrdered ? .inFormOnly : .notFound,
      reason: (isOrdered
        ? "the order trace, frequency, split was seen in operations"
        : "the order trace, frequency, split was not seen in operations")
        + "; whether the paper's percentages are time saved or speed-up is not stated")
  }

  /// The differences that the text takes from Table 2.
  private var printed: Claim {
    let momentum = 809.51
    let differences = [656.84, 670.95, 622.92].map { momentum - $0 }
    let isConsistent = zip(differences, [152.67, 138.56, 186.59]).allSatisfy {
      abs($0 - $1) < 0.005
    }
    return Claim(
      "THOR is 152.67s faster, THOR_NT is 138.56s faster and THOR_stop is 186.59s faster than Momentum "
        + "with 93% test accuracy", place: "Experiments, CIFAR-10, Results",
      finding: "differences of Table 2's row Time(93%): "
        + differences.map { String(format: "%.2f", $0) }.joined(separator: ", "),
      verdict: isConsistent ? .arithmeticConsistent : .notFound,
      reason: "printed numbers against printed numbers; nothing was measured")
  }

  /// Operations and decisions of each ablation.
  var ablations: ResultTable {
    var table = ResultTable(
      "ablations", "What each part of THOR saves and costs against KFAC.",
      [
        ("method", "the optimizer"),
        ("operations_saved_percent", "100 · (1 − operations/KFAC's operations)"),
        ("final_training_loss", "mean over the seeds"),
        ("loss_over_kfac", "its ratio to KFAC's"),
      ])
    let kfac = row(.kfac)
    for method in TrainingFindings.secondOrder {
      guard let own = row(method), let operations = own.operationsPerStep?.mean,
        let loss = own.finalTrainingLoss?.mean, let base = kfac?.operationsPerStep?.mean,
        let baseLoss = kfac?.finalTrainingLoss?.mean
      else { continue }
      table.append([
        .text(method.rawValue), .number(100 * (1 - operations / base)), .number(loss),
        .number(loss / baseLoss),
      ])
    }
    return table
  }

  /// How often each outcome of the trace rule occurred.
  var outcomes: ResultTable {
    var table = ResultTable(
      "outcomes", "Decisions of the trace rule over all runs, by method and layer.",
      [
        ("method", "the optimizer"), ("layer", "the parameter block"),
        ("update", "tests that updated"),
        ("keep", "tests that kept"), ("stop", "tests that stopped the layer"),
      ])
    for entry in experiment.entries {
      let decisions = experiment.runs.filter { $0.name == entry.name }.flatMap(\.decisions)
      for layer in Set(decisions.map(\.layer)).sorted() {
        let own = decisions.filter { $0.layer == layer }
        table.append(
          [.text(entry.name), .text(layer)]
            + TraceRule.Outcome.allCases.map { outcome in
              .integer(own.count { $0.outcome == outcome })
            })
      }
    }
    return table
  }
}
