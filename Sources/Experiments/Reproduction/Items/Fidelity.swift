import Curvature
import Networks

/// Whether the nearer approximation gives the better step.
public enum Fidelity {
  static let item = ReproductionItem(
    "fidelity", "whether a step that is nearer to the exact one decreases the loss more",
    isOfPaper: false, run: run)

  struct Measured: Sendable {
    let seed: UInt64
    let iteration: Int
    let points: [FidelityMeasurement.Point]
  }

  private static func run(_ context: ReproductionContext) throws -> ReproductionResult {
    let data = context.data.training
    let held = StepStudy.heldOut(context)
    let iterations = context.isQuick ? [0, 20] : [0, 5, 10, 20, 50, 100, 200]
    let lambdas = context.isQuick ? [1e-2] : [1e-3, 1e-2, 1e-1]
    let states = try Parallel.map(context.seeds.count, "fidelity, training", context.progress) {
      try StepStudy.states(data, seed: context.seeds[$0], iterations: iterations)
    }.flatMap { $0 }
    let measured = try Parallel.map(states.count, "fidelity", context.progress) { index in
      let state = states[index]
      let samples = GradientSamples(
        state.network, state.batch, likelihood: StepStudy.likelihood, kind: .exact)
      let measurement = try FidelityMeasurement(
        samples, gradient: LossGradient(state.network, state.batch, StepStudy.likelihood).gradient,
        fisher: try StepStudy.fisher(state.network, state.batch), lambdas: lambdas,
        decrease: (
          batch: state.decrease(on: state.batch), heldOut: state.decrease(on: state.examples(held))
        ))
      return Measured(
        seed: state.seed, iteration: state.iteration, points: measurement.points)
    }
    let summary = FidelitySummary(
      measured: measured, lambdas: lambdas,
      subtitle: StepStudy.subtitle(data, "all approximations and states"))
    return ReproductionResult(
      setting: StepStudy.setting(context)
        + " \(FidelityMeasurement.Approximation.all.count) approximations (structures with damping "
        + "rules, the exact Fisher and the gradient among them) at λ = "
        + lambdas.map(NumberFormat.short).joined(separator: ", ")
        + " in \(states.count) states; the loss on the step's batch and on \(held.count) test examples.",
      claims: summary.claims,
      tables: [summary.correlationTable, summary.methodTable, summary.pointTable],
      figures: [("fidelity", summary.figure)],
      remarks: [
        "η is a statement on the quadratic model at one point, with one λ, at the best length of the "
          + "model. The loss is not quadratic, λ is a choice, and the best length for the loss is found "
          + "here by a line search that no training run makes.",
        "Correlations within one state compare approximations; between states the decrease depends "
          + "on the state far more than on the approximation.",
      ])
  }
}
