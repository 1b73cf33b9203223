import Curvature
import DenseAlgebra
import Networks

/// How fast factors grow old, early and late in training.
public enum Staleness {
  static let item = ReproductionItem(
    "staleness", "what a step loses by factors that are k steps old, early and late in training",
    isOfPaper: false, run: run)

  /// Curvature of iteration `origin` (or of another batch, `age` 0) used at iteration origin + age.
  struct Measured: Sendable {
    let origin: Int
    let age: Int
    let points: [StalenessMeasurement.Point]
    /// Fresh weights and another batch at the same moment: the sampling error beside that of age.
    let control: [StalenessMeasurement.Point]
    /// The change of the exact blocks on fixed examples since the origin.
    let drift: Double
    /// ‖F‖ of the exact blocks now, divided by that at the origin.
    let normRatio: Double
  }

  /// What is measured: at which ages, from which moments, with which dampings.
  struct Plan: Sendable {
    let origins: [Int]
    let ages: [Int]
    let lambdas: [Double]
    /// The λ of sentences and figure.
    let shown: Double

    init(isQuick: Bool) {
      origins = isQuick ? [0, 50] : [0, 50, 200]
      ages = isQuick ? [0, 1, 5, 20, 50] : [0, 1, 2, 5, 10, 20, 50, 100, 200]
      lambdas = isQuick ? [1e-2] : [1e-3, 1e-2, 1e-1]
      shown = 1e-2
    }
  }

  private static func run(_ context: ReproductionContext) throws -> ReproductionResult {
    let data = context.data.training
    let plan = Plan(isQuick: context.isQuick)
    let wanted = plan.origins.flatMap { origin in plan.ages.map { origin + $0 } }
    let runs = try Parallel.map(context.seeds.count, "staleness, training", context.progress) {
      try StepStudy.states(
        data, seed: context.seeds[$0], iterations: Array(Set(wanted)).sorted())
    }
    let jobs = runs.indices.flatMap { run in
      plan.origins.flatMap { origin in plan.ages.map { (run, origin, $0) } }
    }
    let fixed = data.training.subset(Array(0..<min(512, data.training.count)))
    let measured = try Parallel.map(jobs.count, "staleness", context.progress) { job in
      let (run, origin, age) = jobs[job]
      func state(_ iteration: Int) -> TailState {
        guard let found = runs[run].first(where: { $0.iteration == iteration }) else {
          preconditionFailure("no state at iteration \(iteration)")
        }
        return found
      }
      return try measure(
        old: state(origin), now: state(origin + age), data: data.training, fixed: fixed,
        plan: plan)
    }
    let summary = StalenessSummary(
      measured: measured, plan: plan,
      subtitle: StepStudy.subtitle(data, "λ = \(NumberFormat.short(plan.shown))"))
    return ReproductionResult(
      setting: StepStudy.setting(context)
        + " Factors of iteration \(plan.origins.map { "\($0)" }.joined(separator: ", ")) are used k "
        + "steps later with that step's gradient and batch. kfac is damped by the rule pi, kfac-split "
        + "(10) by factor, ekfac by exact. The exact blocks are followed on \(fixed.count) fixed "
        + "examples, so that their change has no sampling error.",
      claims: summary.claims, tables: [summary.table, summary.driftTable],
      figures: [("staleness", summary.figure)],
      remarks: [
        "Age 0 has no error by definition. The columns `other_batch` have fresh weights and another "
          + "batch of the same size at the same moment: an error of that size is the price of batches, "
          + "not of age.",
        "`kept` may exceed 1: a stale Kronecker product is no worse than a fresh one by any theorem.",
      ])
  }

  private static func measure(
    old: TailState, now: TailState, data: Dataset, fixed: Dataset, plan: Plan
  ) throws -> Measured {
    func samples(_ network: Network, _ data: Dataset) -> GradientSamples {
      GradientSamples(network, data, likelihood: StepStudy.likelihood, kind: .exact)
    }
    let gradient = LossGradient(now.network, now.batch, StepStudy.likelihood).gradient
    let fisher = try StepStudy.fisher(now.network, now.batch)
    let references = try plan.lambdas.map {
      (
        lambda: $0, reference: DampedReference(try fisher.damped(.exact, $0), gradient: gradient)
      )
    }
    let fresh = samples(now.network, now.batch)
    var generator = SplitMix64(
      seed: now.seed &* 7919 &+ UInt64(1000 * old.iteration + now.iteration))
    let others = Array(generator.permutation(data.count).prefix(now.batch.count))
    func compared(with stale: GradientSamples) throws -> [StalenessMeasurement.Point] {
      try StalenessMeasurement(
        fresh: fresh, stale: stale, gradient: gradient, references: references
      ).points
    }
    let before = StepStudy.blocks(of: try StepStudy.fisher(old.network, old.examples(fixed)))
    let after = StepStudy.blocks(of: try StepStudy.fisher(now.network, now.examples(fixed)))
    let norms = zip(before.blocks, after.blocks)
      .map { MatrixComparison(of: $1.matrix, with: $0.matrix) }.reduce(MatrixComparison(), +)
    return Measured(
      origin: old.iteration, age: now.iteration - old.iteration,
      points: try compared(with: samples(old.network, old.batch)),
      control: try compared(with: samples(now.network, now.examples(data.subset(others)))),
      drift: StalenessMeasurement.drift(from: before, to: after),
      normRatio: (norms.squaredApproximation / norms.squaredReference).squareRoot())
  }
}
