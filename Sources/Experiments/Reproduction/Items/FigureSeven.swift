import Foundation
import Networks
import Optimization

/// Table 2 and Figure 7 with the ablations: ten methods on Fashion-MNIST at the same tuning budget.
extension ReproductionItem {
  static let figureSeven = ReproductionItem(
    "figure-7", "Table 2, Figure 7 and the ablations: training curves of ten methods"
  ) { context in
    let data = context.data.training
    let methods: [OptimizerMethod] = [
      .momentum, .kfac, .ekfac, .cgKFAC, .thor, .thorStop, .thorNT, .thorTrace, .thorFrequency,
      .thorSplit,
    ]
    let isQuick = context.isQuick
    func base(_ method: OptimizerMethod) -> OptimizerSettings {
      var settings = OptimizerSettings(method)
      // The paper's interval for KFAC is 20; an eigendecomposition of 785 rows costs some 25 Cholesky
      // factorisations, so EKFAC's basis is kept for ten such intervals.
      settings.inverseInterval = .constant(method == .ekfac ? 200 : 20)
      return settings
    }
    let tuned = try TunedTraining(
      methods, steps: isQuick ? 20 : 240, isQuick: isQuick, data: data, base: base,
      progress: context.progress)
    var options = TrainingExperiment.Options()
    let perEpoch = options.stepsPerEpoch(data)
    options.steps = isQuick ? 60 : 4 * perEpoch
    options.evaluateEvery = isQuick ? 20 : perEpoch / 4
    options.seeds = context.seeds
    options.levels = isQuick ? [0.6, 0.7] : [0.8, 0.84, 0.86]
    let experiment = try TrainingExperiment(
      tuned.best.map { TrainingExperiment.Entry($0.method, $0.settings) }, options: options,
      data: data, progress: context.progress)
    let findings = TrainingFindings(experiment)
    let setting =
      "Small counterpart: \(options.widths.map(String.init).joined(separator: "-")) (ReLU, He start, "
      + "batch \(options.batch)) on \(data.training.name), \(data.training.count) training and "
      + "\(data.test.count) test images, \(options.steps) steps, \(options.seeds.count) seeds; the paper "
      + "trains ResNet-18 on CIFAR-10 for 90 epochs. Exact Fisher, μ = 0.9 for every second-order method, "
      + "constant rates, each method tuned on the same number of runs (tuning.csv)."
    let subtitle =
      "\(data.training.name), \(options.widths.map(String.init).joined(separator: "-")), batch "
      + "\(options.batch), every method tuned on \(tuned.trials.count / methods.count) runs"
    return ReproductionResult(
      setting: setting, claims: findings.claims,
      tables: [
        TrainingReport.summary(experiment), TrainingReport.times(experiment), tuned.table,
        TrainingReport.curves(experiment), TrainingReport.timings(experiment),
        findings.ablations, findings.outcomes,
      ],
      figures: [
        (
          "figure-7",
          TrainingFigure.canvas(
            experiment.only([.momentum, .kfac, .ekfac, .cgKFAC, .thor, .thorStop, .thorNT]),
            title: "Figure 7 of the THOR paper, small counterpart", subtitle: subtitle)
        ),
        (
          "ablations",
          TrainingFigure.canvas(
            experiment.only([.kfac, .thor, .thorTrace, .thorFrequency, .thorSplit]),
            title: "Each part of THOR alone", subtitle: subtitle)
        ),
      ],
      remarks: [
        "Seconds are of this machine, with two runs at a time; no wall-clock claim of the paper can be "
          + "tested on another network and machine. Operations are counted by formula."
      ])
  }
}

extension TrainingExperiment {
  /// The runs of some methods.
  func only(_ methods: [OptimizerMethod]) -> TrainingExperiment {
    let kept = entries.filter { methods.contains($0.method) }
    let names = Set(kept.map(\.name))
    return TrainingExperiment(
      entries: kept, options: options, data: data, runs: runs.filter { names.contains($0.name) })
  }
}
