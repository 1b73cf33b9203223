import Curvature
import DenseAlgebra
import Networks

/// Which damping rule keeps most of the step, each at its best λ.
public enum DampingLaboratory {
  static let item = ReproductionItem(
    "damping-laboratory",
    "the five damping rules on the same factors over λ, and which keeps most at its best λ",
    isOfPaper: false, run: run)

  struct Measured: Sendable {
    let iteration: Int
    let measurement: DampingMeasurement
  }

  private static func run(_ context: ReproductionContext) throws -> ReproductionResult {
    let data = context.data.training
    let held = StepStudy.heldOut(context)
    let iterations = context.isQuick ? [0, 10] : [0, 10, 50]
    let lambdas =
      context.isQuick
      ? [1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1]
      : [1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 0.03, 0.1, 0.3, 1, 3, 10]
    let fixed = [1e-3, 1e-2, 1e-1]
    let states = try Parallel.map(
      context.seeds.count, "damping-laboratory, training", context.progress
    ) { try StepStudy.states(data, seed: context.seeds[$0], iterations: iterations) }.flatMap { $0 }
    let measured = try Parallel.map(states.count, "damping-laboratory", context.progress) { index in
      let state = states[index]
      let samples = GradientSamples(
        state.network, state.batch, likelihood: StepStudy.likelihood, kind: .exact)
      return Measured(
        iteration: state.iteration,
        measurement: try DampingMeasurement(
          samples,
          gradient: LossGradient(state.network, state.batch, StepStudy.likelihood).gradient,
          fisher: try StepStudy.fisher(state.network, state.batch), lambdas: lambdas, fixed: fixed,
          decrease: (
            batch: state.decrease(on: state.batch),
            heldOut: state.decrease(on: state.examples(held))
          )))
    }
    let summary = DampingSummary(
      measured: measured, iterations: iterations, lambdas: lambdas, fixed: fixed,
      subtitle: StepStudy.subtitle(data, "means over the seeds"))
    return ReproductionResult(
      setting: StepStudy.setting(context)
        + " KFAC's factors of the batch under D0 (none), D1 (sqrt), D2 (factor), D3 (pi) and D4 "
        + "(exact); references: the exact Fisher F + λI of the batch, whole and by layer blocks. The "
        + "loss is followed along each step to its best length (line search on the batch) and looked "
        + "at again on \(held.count) test examples.",
      claims: summary.claims,
      tables: [summary.table, summary.bestTable, summary.decreaseTable],
      figures: [("damping-laboratory", summary.figure)],
      remarks: [
        "D1 at λ² is D2 at λ, entry by entry, so these two are one family under two names: over all λ "
          + "they can do the same, and a difference of their best is one of the grid.",
        "Theory (specification 4.6): D3 − D4 is positive semi-definite at the same λ, so D3's inverse is "
          + "the smaller and its step shorter in the sense ∇hᵀû; that says nothing on direction.",
        "Against a reference with the same λ every rule but D0 tends to η = 1 as λ grows, since both "
          + "sides become gradient descent; so the best λ is asked for at a fixed reference, and of the "
          + "loss itself, which knows no λ.",
      ])
  }
}
