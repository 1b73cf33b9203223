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
    let rates = context.isQuick ? [0.03, 0.1] : [0.01, 0.03, 0.1, 0.3]
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
    var means: [[Double]] = []
    for (index, rate) in rates.enumerated() {
      means.append([])
      for (place, power) in powers.enumerated() {
        let row = rows[index * powers.count + place]
        means[index].append(row.bestAccuracy?.mean ?? 0)
        table.append([
          .number(rate), .number(power), row.bestAccuracy.map { .number($0.mean) } ?? .empty,
          row.bestAccuracy.map { .number($0.deviation) } ?? .empty, .integer(row.diverged),
        ])
      }
    }
    let all = means.flatMap { $0 }
    let range = (all.max() ?? 0) - (all.min() ?? 0)
    let noise = rows.compactMap(\.bestAccuracy?.deviation).max() ?? 0
    let best = all.firstIndex(of: all.max() ?? 0) ?? 0
    let figure = LineChart(
      title: "Figure 9 of the THOR paper, small counterpart",
      subtitle:
        "THOR on \(data.training.name), \(options.steps) steps, Eq. 14 with the decay's end at "
        + "70/40 of the run",
      x: ChartAxis("target learning rate", .logarithmic),
      y: ChartAxis("test accuracy after the run"),
      series: powers.enumerated().map { place, power in
        LineSeries(
          name: "power \(NumberText.short(power))", x: rates, y: means.map { $0[place] })
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
          finding: String(
            format:
              "test accuracies from %.1f %% to %.1f %%, best at rate %@ and power %@; largest "
              + "standard deviation over the seeds %.2f %%", 100 * (all.min() ?? 0),
            100 * (all.max() ?? 0), NumberText.short(rates[best / powers.count]),
            NumberText.short(powers[best % powers.count]), 100 * noise),
          verdict: range > 2 * noise && range > 0 ? .inFormOnly : .notFound,
          reason:
            "the two numbers move the accuracy by \(String(format: "%.1f", 100 * range)) points, "
            + (range > 2 * noise
              ? "more than twice the spread of the seeds; the paper's values were not available as numbers"
              : "not more than twice the spread of the seeds"))
      ], tables: [table], figures: [("figure-9", figure.canvas)])
  }
}
