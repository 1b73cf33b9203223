import DataFiles
import Experiments
import Foundation
import Optimization

/// The tables of chapter 12.
extension FairRaceMeasurement {
  typealias Spread = TrainingReport.Spread

  var summary: ResultTable { TrainingReport.summary(race) }

  private func cell(_ value: Double?) -> CSV.Cell { value.map { .number($0) } ?? .empty }

  /// Means and ends of the bands of every fourth step.
  var curves: ResultTable {
    var table = ResultTable(
      "curves", "The race: means over the seeds with the least and the greatest.",
      [
        ("method", "the optimizer"), ("step", "steps taken"),
        ("operations", "floating-point operations so far, by formula, mean"),
        ("training_loss", "mean −log p over the training examples, mean over the seeds"),
        ("training_loss_least", "least of the seeds"),
        ("training_loss_greatest", "greatest of the seeds"),
        ("test_accuracy", "share of test examples classified rightly, mean over the seeds"),
        ("test_accuracy_least", "least of the seeds"),
        ("test_accuracy_greatest", "greatest of the seeds"),
      ])
    for entry in race.entries {
      let runs = race.runs.filter { $0.name == entry.name && $0.divergence == nil }
      for index in 0..<(runs.map(\.points.count).min() ?? 0) {
        let points = runs.map { $0.points[index] }
        func three(_ value: (TrainingExperiment.Point) -> Double) -> [CSV.Cell] {
          let values = points.map(value)
          return [cell(Spread(values)?.mean), cell(values.min()), cell(values.max())]
        }
        table.append(
          [
            .text(entry.name), .integer(points[0].step),
            cell(Spread(points.map(\.operations))?.mean),
          ] + three(\.trainingLoss) + three(\.testAccuracy))
      }
    }
    return table
  }

  /// Each run of the race.
  var runs: ResultTable {
    var table = ResultTable(
      "runs", "Every run of the race.",
      [
        ("method", "the optimizer"), ("seed", "the run's seed"),
        ("final_training_loss", "after the last step; empty where the run failed"),
        ("best_accuracy", "largest test accuracy of all evaluations"),
        ("operations", "of the whole run, by formula"),
      ])
    for run in race.runs {
      table.append([
        .text(run.name), .integer(Int(run.seed)), cell(FairRaceMeasurement.finalLoss(run)),
        .number(run.bestAccuracy), cell(run.points.last?.operations),
      ])
    }
    return table
  }

  /// The setting of each method that the race uses.
  var settings: ResultTable {
    var table = ResultTable(
      "settings", "What the tuning chose.",
      [
        ("method", "the optimizer"), ("learning_rate", "α"), ("damping", "λ"), ("momentum", "μ"),
        ("failed_trials", "of the grid's runs, those that diverged or ended above log 10"),
        ("on_edge", "1 where the chosen rate or second number is the grid's least or greatest"),
      ])
    let grid = FairRaceMeasurement.grid
    for (method, settings) in tuned.best {
      let rate = FairRaceMeasurement.constant(settings.learningRate)
      let λ = FairRaceMeasurement.constant(settings.damping)
      let rates = method.isSecondOrder ? grid.rates : grid.firstOrderRates ?? grid.rates
      let seconds = method.isSecondOrder ? grid.dampings : grid.momenta
      let second = method.isSecondOrder ? λ : settings.momentum
      let isOnEdge =
        [rates.min(), rates.max()].contains(rate)
        || [seconds.min(), seconds.max()].contains(second)
      table.append([
        .text(method.rawValue), .number(rate), method.isSecondOrder ? .number(λ) : .empty,
        .number(settings.momentum),
        .integer(losses(method).count { $0 >= FairRaceMeasurement.failure }),
        .integer(isOnEdge ? 1 : 0),
      ])
    }
    return table
  }

  /// The losses of a method's grid, failed runs at log 10, the best first.
  func losses(_ method: OptimizerMethod) -> [Double] {
    tuned.trials.filter { $0.method == method }.map {
      min($0.loss.flatMap { $0.isFinite ? $0 : nil } ?? .infinity, FairRaceMeasurement.failure)
    }.sorted()
  }

  /// The expected lowest loss of k different settings drawn from n: Σ l₍ᵢ₎ C(n − i, k − 1) / C(n, k).
  static func expectedBest(of losses: [Double], drawing k: Int) -> Double {
    // lesson: expected-best
    let n = losses.count
    var (best, probability) = (0.0, Double(k) / Double(n))
    for (index, loss) in losses.sorted().enumerated() where index <= n - k {
      best += probability * loss
      // C(n − i − 2, k − 1) / C(n − i − 1, k − 1) with i = index.
      let left = Double(n - index - 1)
      probability *= left > 0 ? (left - Double(k - 1)) / left : 0
    }
    return best
    // end lesson
  }

  /// The expected lowest loss over the number of tuning runs.
  var budget: ResultTable {
    var table = ResultTable(
      "budget", "The lowest loss that so many random settings of a method's grid give on average.",
      [("runs", "settings tried")]
        + FairRaceMeasurement.methods.map {
          ($0.rawValue, "expected lowest training loss; a failed run counts as log 10")
        })
    for k in 1...losses(.momentum).count {
      table.append(
        [.integer(k)]
          + FairRaceMeasurement.methods.map {
            .number(FairRaceMeasurement.expectedBest(of: losses($0), drawing: k))
          })
    }
    return table
  }

  /// The trial of a method with given numbers; nil where it failed or was not tried.
  func trial(_ method: OptimizerMethod, rate: Double, second: Double?) -> Double? {
    tuned.trials.filter {
      $0.method == method && $0.learningRate == rate && (second == nil || $0.second == second)
    }.compactMap(\.loss).filter { $0 <= FairRaceMeasurement.failure }.min()
  }

  /// What the same tuning runs say under other rules of comparison.
  var rules: ResultTable {
    var table = ResultTable(
      "rules", "The tuning runs under three rules: final training loss of seed 101.",
      [
        ("method", "the optimizer"), ("tuned", "best of the method's own grid"),
        ("same_rate", "best second number at the rate 0.03"),
        ("printed", "at α = 0.1, and λ = 0.3 or μ = 0.9: Equation 13 at epoch 0"),
      ])
    for method in FairRaceMeasurement.methods {
      table.append([
        .text(method.rawValue), cell(losses(method).first),
        cell(trial(method, rate: FairRaceMeasurement.sharedRate, second: nil)),
        cell(
          trial(
            method, rate: FairRaceMeasurement.printedRate,
            second: method.isSecondOrder
              ? FairRaceMeasurement.printedDamping : FairRaceMeasurement.momentum)),
      ])
    }
    return table
  }

  /// Which method needs the fewest steps, and which the fewest operations, to each level.
  var firsts: ResultTable {
    var table = ResultTable(
      "firsts",
      "Who is first at each level of test accuracy, among those that reach it with all seeds.",
      [
        ("level", "test accuracy"), ("reached", "methods that reach it with all seeds"),
        ("by_steps", "fewest mean steps"), ("steps", "of that method"),
        ("by_operations", "fewest mean operations"), ("operations", "of that method"),
      ])
    let rows = TrainingReport.rows(race)
    for (index, level) in FairRaceMeasurement.levels.enumerated() {
      let all = rows.filter { $0.levels[index].reached == $0.runs }
      func first(_ value: (TrainingReport.Level) -> Spread?) -> (name: String, value: Double?) {
        let best = all.min {
          (value($0.levels[index])?.mean ?? .infinity)
            < (value($1.levels[index])?.mean ?? .infinity)
        }
        return (best?.name ?? "–", best.flatMap { value($0.levels[index])?.mean })
      }
      let (steps, operations) = (first(\.steps), first(\.operations))
      table.append([
        .number(level), .integer(all.count), .text(steps.name), cell(steps.value),
        .text(operations.name), cell(operations.value),
      ])
    }
    return table
  }

  /// Every run of the damping laboratory.
  var dampings: ResultTable {
    var table = ResultTable(
      "damping", "The race with a tenth and ten times each method's λ.",
      [
        ("method", "the optimizer"), ("multiple", "of the tuned λ"), ("lambda", "λ"),
        ("seed", "the run's seed"),
        ("final_training_loss", "after the last step; empty where the run failed"),
      ])
    for run in damped {
      table.append([
        .text(run.method.rawValue), .number(run.multiple), .number(run.lambda),
        .integer(Int(run.seed)), cell(run.loss),
      ])
    }
    return table
  }

  /// Losses and ranks at the three dampings.
  var ranks: ResultTable {
    let methods = FairRaceMeasurement.methods.filter(\.isSecondOrder)
    var table = ResultTable(
      "ranks", "Mean final loss and rank at a tenth, once and ten times the tuned λ.",
      [
        ("method", "the optimizer"), ("lambda", "the tuned λ"),
        ("loss_tenth", "at λ/10; empty where a run failed"), ("rank_tenth", "1 is lowest"),
        ("loss_own", "at λ"), ("rank_own", "1 is lowest"), ("loss_ten", "at 10 λ"),
        ("rank_ten", "1 is lowest; methods that failed share the mean of the last ranks"),
      ])
    let ranks = FairRaceMeasurement.multiples.map { multiple in
      RankCorrelation.ranks(methods.map { dampedLoss($0, multiple) ?? .infinity })
    }
    for (index, method) in methods.enumerated() {
      let λ = damped.first { $0.method == method && $0.multiple == 1 }?.lambda
      table.append(
        [.text(method.rawValue), cell(λ)]
          + FairRaceMeasurement.multiples.enumerated().flatMap { place, multiple in
            [cell(dampedLoss(method, multiple)), .number(ranks[place][index])]
          })
    }
    return table
  }

  /// Nearness to the exact step beside the final loss.
  var fidelityTable: ResultTable {
    var table = ResultTable(
      "fidelity", "How near a method's step is to the exact one, and where it ends.",
      [
        ("method", "the optimizer; thor stands for its three variants"),
        ("eta", "η against F + λI of the step's batch, the exact method's λ, mean over the seeds"),
        ("eta_least", "least of the seeds"), ("eta_greatest", "greatest of the seeds"),
        ("eta_other", "the same against F of other examples, mean over the seeds"),
        ("final_training_loss", "of the race, mean over the seeds"),
        ("rank_by_eta", "1 is nearest"), ("rank_by_loss", "1 is lowest"),
      ])
    let losses = fidelity.map { near in
      TrainingReport.rows(race).first { $0.name == near.method.rawValue }?.finalTrainingLoss?.mean
        ?? .infinity
    }
    let means = fidelity.map { Spread($0.own)?.mean ?? .nan }
    let byEta = RankCorrelation.ranks(means.map { -$0 })
    let byLoss = RankCorrelation.ranks(losses)
    for (index, near) in fidelity.enumerated() {
      table.append([
        .text(near.method.rawValue), .number(means[index]), cell(near.own.min()),
        cell(near.own.max()), cell(Spread(near.other)?.mean), .number(losses[index]),
        .number(byEta[index]), .number(byLoss[index]),
      ])
    }
    return table
  }

  /// Of all pairs of rows, how many have the nearer method ending at the higher loss.
  static func reversed(_ table: ResultTable, _ nearness: String) -> Int {
    let values = table.rows.indices.map { row in
      (
        table.number(nearness, row: row).value,
        table.number("final_training_loss", row: row).value
      )
    }
    var count = 0
    for (index, a) in values.enumerated() {
      for b in values[(index + 1)...] where (a.0 - b.0) * (a.1 - b.1) > 0 { count += 1 }
    }
    return count
  }

  /// Tables 2 and 4 of the THOR paper.
  static var printed: ResultTable {
    var table = ResultTable(
      "printed", "Tables 2 and 4 of the THOR paper, as printed.",
      [
        ("table", "2: ResNet-18 on CIFAR-10, one V100; 4: ResNet-50 on ImageNet, 8 Ascend 910"),
        ("method", "the optimizer"), ("best_accuracy", "best test accuracy, %"),
        ("seconds_per_epoch", "s"),
        ("seconds_first", "s to 93 % (Table 2) or 74.9 % (Table 4)"),
        ("seconds_second", "s to 94 % or 75.9 %"), ("seconds_third", "s to 95 %; empty: NaN"),
      ])
    for (number, rows) in [(2, PrintedTimes.cifar), (4, PrintedTimes.imageNet)] {
      for row in rows {
        let times = row.seconds + Array(repeating: nil, count: 3 - row.seconds.count)
        table.append(
          [
            .integer(number), .text(row.method), .number(row.bestAccuracy),
            .number(row.secondsPerEpoch),
          ] + times.map { $0.map { .number($0) } ?? .empty })
      }
    }
    return table
  }
}
