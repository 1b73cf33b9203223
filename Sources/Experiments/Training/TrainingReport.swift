import DataFiles
import Foundation
import Optimization

/// The tables of training runs: curves, decisions, and a summary in the form of the paper's Tables 2 and 4.
public enum TrainingReport {
  /// loss and accuracy against steps and operations, one row for each evaluation.
  public static func curves(_ experiment: TrainingExperiment) -> ResultTable {
    var table = ResultTable(
      "curves", "Loss and accuracy of every run over its steps.",
      [
        ("method", "the optimizer"), ("seed", "the run's seed"), ("step", "steps taken"),
        ("epoch", "passes over the training data"),
        ("training_loss", "mean −log p over the evaluated training examples"),
        ("test_loss", "the same over the test examples"),
        ("test_accuracy", "share of test examples classified rightly"),
        ("operations", "the optimizer's floating-point operations, by formula"),
      ])
    for run in experiment.runs {
      for point in run.points {
        table.append([
          .text(run.name), .integer(Int(run.seed)), .integer(point.step), .number(point.epoch),
          .number(point.trainingLoss), .number(point.testLoss), .number(point.testAccuracy),
          .number(point.operations),
        ])
      }
    }
    return table
  }

  /// The seconds of the same rows; apart, because they differ from run to run.
  public static func timings(_ experiment: TrainingExperiment) -> ResultTable {
    var table = ResultTable(
      "timings", "Seconds of training up to each evaluation.", isTiming: true,
      [
        ("method", "the optimizer"), ("seed", "the run's seed"), ("step", "steps taken"),
        ("seconds", "wall-clock seconds of the steps, evaluations not counted"),
      ])
    for run in experiment.runs {
      for point in run.points {
        table.append([
          .text(run.name), .integer(Int(run.seed)), .integer(point.step), .number(point.seconds),
        ])
      }
    }
    return table
  }

  /// Every decision of the trace rule.
  public static func decisions(_ experiment: TrainingExperiment) -> ResultTable {
    var table = ResultTable(
      "decisions", "Every test of the trace rule: what was seen and decided.",
      [
        ("method", "the optimizer"), ("seed", "the run's seed"), ("step", "the step of the test"),
        ("layer", "the parameter block"), ("delta", "Δ of Eq. 8; empty at the first test"),
        ("outcome", "update, keep or stop"), ("reason", "the comparison that decided"),
      ])
    for run in experiment.runs {
      for decision in run.decisions {
        table.append([
          .text(run.name), .integer(Int(run.seed)), .integer(decision.step), .text(decision.layer),
          decision.change.isNaN ? .empty : .number(decision.change),
          .text(decision.outcome.rawValue), .text(decision.reason),
        ])
      }
    }
    return table
  }

  /// A mean with its standard deviation over the runs that have the value.
  public struct Spread: Equatable, Sendable {
    public let mean: Double
    public let deviation: Double
    public let count: Int

    /// nil where there are no values; the deviation of one value is 0.
    public init?(_ values: [Double]) {
      guard !values.isEmpty else { return nil }
      let mean = values.reduce(0, +) / Double(values.count)
      self.mean = mean
      self.count = values.count
      self.deviation =
        values.count < 2
        ? 0
        : (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1))
          .squareRoot()
    }
  }

  /// What one method reached.
  public struct Row: Sendable {
    public let name: String
    public let runs: Int
    public let diverged: Int
    public let bestAccuracy: Spread?
    public let finalTrainingLoss: Spread?
    public let operationsPerStep: Spread?
    public let secondsPerEpoch: Spread?
    /// For each level of the options: steps, epochs, operations and seconds of the runs that reached it.
    public let levels: [Level]
  }

  /// How a level of test accuracy was reached.
  public struct Level: Sendable {
    public let accuracy: Double
    public let reached: Int
    public let steps: Spread?
    public let operations: Spread?
    public let seconds: Spread?
  }

  /// One row for each method, in the order of the entries.
  public static func rows(_ experiment: TrainingExperiment) -> [Row] {
    let stepsPerEpoch = Double(experiment.options.stepsPerEpoch(experiment.data))
    return experiment.entries.map { entry in
      let runs = experiment.runs.filter { $0.name == entry.name }
      let whole = runs.filter { $0.divergence == nil }
      func spread(_ value: (TrainingExperiment.Run) -> Double?) -> Spread? {
        Spread(whole.compactMap(value))
      }
      return Row(
        name: entry.name, runs: runs.count, diverged: runs.count - whole.count,
        bestAccuracy: spread { $0.bestAccuracy },
        finalTrainingLoss: spread { $0.points.last?.trainingLoss },
        operationsPerStep: spread { run in
          run.points.last.flatMap { $0.step > 0 ? $0.operations / Double($0.step) : nil }
        },
        secondsPerEpoch: spread { run in
          run.points.last.flatMap {
            $0.step > 0 ? $0.seconds / Double($0.step) * stepsPerEpoch : nil
          }
        },
        levels: experiment.options.levels.map { level in
          let reached = whole.compactMap { $0.reaching(level) }
          return Level(
            accuracy: level, reached: reached.count, steps: Spread(reached.map { Double($0.step) }),
            operations: Spread(reached.map(\.operations)),
            seconds: Spread(reached.map(\.seconds)))
        })
    }
  }

  /// The summary without what depends on the clock.
  public static func summary(_ experiment: TrainingExperiment) -> ResultTable {
    var columns = [
      ("method", "the optimizer"), ("runs", "seeds"), ("diverged", "runs that ended early"),
      ("best_accuracy", "largest test accuracy, mean over the runs that did not diverge"),
      ("best_accuracy_sd", "its standard deviation"),
      ("final_training_loss", "training loss after the last step"),
      ("final_training_loss_sd", "its standard deviation"),
      ("operations_per_step", "floating-point operations of a step, by formula"),
    ]
    for level in experiment.options.levels {
      let name = levelName(level)
      columns += [
        ("reached_\(name)", "runs that reached \(NumberText.short(100 * level)) % test accuracy"),
        ("steps_\(name)", "their mean steps to it"),
        ("operations_\(name)", "their mean operations to it"),
      ]
    }
    var table = ResultTable(
      "summary", "What each method reached, in the form of the paper's Tables 2 and 4.", columns)
    for row in rows(experiment) {
      table.append(
        [
          .text(row.name), .integer(row.runs), .integer(row.diverged),
          cell(row.bestAccuracy?.mean), cell(row.bestAccuracy?.deviation),
          cell(row.finalTrainingLoss?.mean), cell(row.finalTrainingLoss?.deviation),
          cell(row.operationsPerStep?.mean),
        ]
          + row.levels.flatMap {
            [.integer($0.reached), cell($0.steps?.mean), cell($0.operations?.mean)]
          })
    }
    return table
  }

  /// The seconds of the summary.
  public static func times(_ experiment: TrainingExperiment) -> ResultTable {
    var table = ResultTable(
      "summary-times", "Seconds per epoch and to each level of test accuracy.", isTiming: true,
      [
        ("method", "the optimizer"), ("seconds_per_epoch", "mean over the runs"),
        ("seconds_per_epoch_sd", "its standard deviation"),
      ]
        + experiment.options.levels.map {
          (
            "seconds_\(levelName($0))",
            "to \(NumberText.short(100 * $0)) % test accuracy, mean over the runs that reached it"
          )
        })
    for row in rows(experiment) {
      table.append(
        [
          .text(row.name), cell(row.secondsPerEpoch?.mean), cell(row.secondsPerEpoch?.deviation),
        ] + row.levels.map { cell($0.seconds?.mean) })
    }
    return table
  }

  /// The summary for a terminal.
  public static func text(_ experiment: TrainingExperiment) -> String {
    let options = experiment.options
    var lines = [
      ["method", "best accuracy", "final loss", "s/epoch"]
        + options.levels.flatMap {
          let percent = NumberText.short(100 * $0)
          return ["steps to \(percent) %", "s to \(percent) %"]
        }
    ]
    func text(_ spread: Spread?, _ format: String, scale: Double = 1) -> String {
      spread.map {
        String(format: format, scale * $0.mean)
          + (options.seeds.count > 1 ? String(format: " ± " + format, scale * $0.deviation) : "")
      } ?? "-"
    }
    for row in rows(experiment) {
      lines.append(
        [
          row.name, text(row.bestAccuracy, "%.2f %%", scale: 100),
          text(row.finalTrainingLoss, "%.4f"), text(row.secondsPerEpoch, "%.3g"),
        ]
          + row.levels.flatMap { level in
            let share =
              level.reached < row.runs && level.reached > 0
              ? " (\(level.reached) of \(row.runs))" : ""
            return [text(level.steps, "%.0f") + share, text(level.seconds, "%.3g")]
          })
    }
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      zip(line, widths).enumerated().map { index, pair in
        let padding = String(repeating: " ", count: pair.1 - pair.0.count)
        return index == 0 ? pair.0 + padding : padding + pair.0
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  private static func levelName(_ level: Double) -> String {
    NumberText.short(100 * level).replacing(".", with: "_")
  }

  private static func cell(_ value: Double?) -> CSV.Cell { value.map { .number($0) } ?? .empty }
}
