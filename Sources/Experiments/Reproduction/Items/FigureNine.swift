import DataFiles
import Foundation
import Networks
import Optimization

/// Figure 9: the target learning rate and the decay power of Eq. 14 on a grid.
extension ReproductionItem {
  static let figureNine = ReproductionItem(
    "figure-9", "Figure 9: test accuracy over target learning rate and decay power"
  ) { context in
    let data = context.data.training
    let rates = context.isQuick ? [0.003, 0.01] : [0.001, 0.003, 0.01, 0.03]
    let powers = context.isQuick ? [2.0, 6.0] : [2.0, 4.0, 6.0, 8.0]
    let seeds = Array(context.seeds.prefix(context.isQuick ? 1 : 3))
    var options = TrainingExperiment.Options()
    let epochs = context.isQuick ? 2.0 : 2.0
    options.steps = Int(epochs * Double(options.stepsPerEpoch(data)))
    options.evaluateEvery = options.steps
    options.seeds = seeds
    options.levels = []
    var entries: [TrainingExperiment.Entry] = []
    for rate in rates {
      for power in powers {
        var settings = OptimizerSettings(.thor)
        // The paper trains 40 epochs with a decay of 70: the end lies at 70/40 of the run.
        settings.learningRate = .polynomial(target: rate, end: 70 / 40 * epochs, power: power)
        settings.damping = .constant(0.3)
        entries.append(.init(.thor, settings, name: "\(rate) \(power)"))
      }
    }
    let experiment = try TrainingExperiment(
      entries, options: options, data: data, progress: context.progress)
    let rows = TrainingReport.rows(experiment)
    var table = ResultTable(
      "grid", "Test accuracy after the run for each target rate and decay power.",
      [
        ("target_rate", "α_target of Eq. 14"), ("power", "p_decay"),
        ("test_accuracy", "mean over the seeds"), ("test_accuracy_sd", "its standard deviation"),
        ("diverged", "runs that diverged"),
      ])
    // A setting of which a run diverged has no mean: its other runs would flatter it.
    var means: [[Double?]] = []
    for (index, rate) in rates.enumerated() {
      means.append([])
      for (place, power) in powers.enumerated() {
        let row = rows[index * powers.count + place]
        means[index].append(row.diverged == 0 ? row.bestAccuracy?.mean : nil)
        table.append([
          .number(rate), .number(power), row.bestAccuracy.map { .number($0.mean) } ?? .empty,
          row.bestAccuracy.map { .number($0.deviation) } ?? .empty, .integer(row.diverged),
        ])
      }
    }
    let ended = means.joined().enumerated().compactMap { place, mean in mean.map { (place, $0) } }
    let largest = ended.max { $0.1 < $1.1 }
    let least = ended.min { $0.1 < $1.1 }
    let range = (largest?.1 ?? 0) - (least?.1 ?? 0)
    let noise =
      ended.compactMap { rows[$0.0].bestAccuracy?.deviation }.reduce(0, +)
      / Double(max(1, ended.count))
    let figure = LineChart(
      title: "Figure 9 of the THOR paper, small counterpart",
      subtitle:
        "THOR on \(data.training.name), \(options.steps) steps, Eq. 14 with the decay's end at "
        + "70/40 of the run",
      x: ChartAxis("target learning rate", .logarithmic),
      y: ChartAxis("test accuracy after the run"),
      series: powers.enumerated().map { place, power in
        LineSeries(
          name: "power \(NumberText.short(power))", x: rates,
          y: means.map { $0[place] ?? .nan })
      }, caption: "Means over \(seeds.count) seeds; grid.csv has the deviations.")
    return ReproductionResult(
      setting: "Small counterpart: THOR (λ = 0.3, μ = 0.9) on "
        + "\(options.widths.map(String.init).joined(separator: "-")) and \(data.training.name), "
        + "\(seeds.count) seeds, \(options.steps) steps; the paper trains ResNet-50 on ImageNet for 40 "
        + "epochs.",
      claims: [
        Claim(
          "Figure 9 shows the impact of target learning rate and decay rate on reaching the test accuracy "
            + "after 40 epochs with batch-size 256", place: "Experiments, ImageNet, Setup",
          finding: finding(
            least: least?.1, largest: largest,
            of: rates.flatMap { rate in powers.map { (rate, $0) } }, noise: noise),
          verdict: range > 2 * noise && range > 0 ? .inFormOnly : .notFound,
          reason:
            "the two numbers move the accuracy by \(String(format: "%.1f", 100 * range)) points, "
            + (range > 2 * noise
              ? "more than twice the spread of the seeds; the paper's values were not available as numbers"
              : "not more than twice the spread of the seeds"))
      ], tables: [table], figures: [("figure-9", figure.canvas)])
  }
}

/// The accuracies of the settings that did not diverge, and where the best is.
private func finding(
  least: Double?, largest: (place: Int, accuracy: Double)?, of settings: [(Double, Double)],
  noise: Double
) -> String {
  guard let least, let largest else { return "every setting diverged" }
  let (rate, power) = settings[largest.place]
  return String(
    format: "test accuracies from %.1f %% to %.1f %%, best at rate %@ and power %@; mean standard "
      + "deviation over the seeds %.2f %%", 100 * least, 100 * largest.accuracy,
    NumberText.short(rate), NumberText.short(power), 100 * noise)
}
