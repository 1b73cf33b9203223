import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The tests that catch mistakes of a trajectory; each reads nothing but the dump of a recipe.
enum TrajectoryChecks {
  /// Runs one catching test on a recipe in a setting.
  static func run(
    _ test: Mistake.Catch, _ recipe: TrajectoryRecipe, _ setting: TrajectorySetting
  ) throws -> MistakeCheck {
    switch test {
    case .property(59): try ownSystem(recipe, setting)
    case .property(77): try average(recipe, setting)
    case .property(81): try newBasis(recipe, setting)
    case .property(116): try asKFAC(recipe, setting)
    case .property(128): try decisions(recipe, setting)
    case .property(129): try slowDrift(recipe, setting)
    case .property(134): try frozenLayer(recipe)
    case .property, .vector: preconditionFailure("no check of \(test) for trajectories")
    }
  }

  /// P-59: the step is the dense solution with the dumped factors for the gradient, recomputed, with
  /// weight decay and clipping where the setting wants them.
  private static func ownSystem(
    _ recipe: TrajectoryRecipe, _ setting: TrajectorySetting
  ) throws -> MistakeCheck {
    let reading = try TrajectoryReading(recipe, setting)
    var largest = 0.0
    for (step, layer) in reading.places {
      let decay = setting.weightDecay * (try reading.value(step, layer, "weights"))
      var v = try reading.gradient(step, layer)
      if setting.preconditionsDecay { v = v + decay }
      var (u, condition) = try reading.solved(step, layer, v)
      if !setting.preconditionsDecay { u = u + decay }
      u = min(1, setting.clippingNorm / u.frobeniusNorm) * u
      let ratio = Ratio.difference(try reading.value(step, layer, "step"), u)
      largest = max(largest, ratio.over(condition: condition).value)
    }
    return MistakeCheck(value: largest)
  }

  /// P-77: the dumped factors are the weighted mean of the batches, Σ ρ^(k−j) A_j / Σ ρ^(k−j).
  private static func average(
    _ recipe: TrajectoryRecipe, _ setting: TrajectorySetting
  ) throws -> MistakeCheck {
    let reading = try TrajectoryReading(recipe, setting)
    return MistakeCheck(
      value: try reading.places.map { step, layer in
        let (own, mean) = (
          try reading.ownFactors(step, layer), try reading.averagedFactors(step, layer)
        )
        return max(
          Ratio.difference(own.a, mean.a).value, Ratio.difference(own.g, mean.g).value)
      }.max() ?? .infinity)
  }

  /// P-81: in a new basis S is diag(Qᵀ F Q) of the exact block.
  private static func newBasis(
    _ recipe: TrajectoryRecipe, _ setting: TrajectorySetting
  ) throws -> MistakeCheck {
    let reading = try TrajectoryReading(recipe, setting)
    return MistakeCheck(
      value: try reading.places.filter { $0.step % setting.inverseInterval == 0 }.map {
        MistakeChecks.ratio(
          try reading.value($0.step, $0.layer, "second-moments"),
          try diagonal(reading, $0.step, $0.layer))
      }.max() ?? .infinity)
  }

  /// diag(Qᵀ F Q) of the step's batch, F explicit and Q = Q_A ⊗ Q_G dumped, as d_G × d_A.
  static func diagonal(_ reading: TrajectoryReading, _ step: Int, _ layer: Int) throws -> Matrix {
    let (qA, qG) = (
      try reading.value(step, layer, "A.basis"), try reading.value(step, layer, "G.basis")
    )
    let q = Matrix.kronecker(qA, qG)
    let exact = LAPACK.dsyrk(try reading.samples(step, layer).scaledGradients)
    let rotated = LAPACK.dgemm(q, LAPACK.dgemm(exact, q), transposeA: true)
    return Matrix(rowCount: qG.rowCount, columnCount: qA.rowCount, storage: rotated.diagonal)
  }

  /// P-116: with thresholds of 0, T = 1 and fresh factors every step is KFAC's of its own batch.
  private static func asKFAC(
    _ recipe: TrajectoryRecipe, _ setting: TrajectorySetting
  ) throws -> MistakeCheck {
    var fresh = setting
    (fresh.decay, fresh.thresholds) = (0, (0, 0))
    let reading = try TrajectoryReading(recipe, fresh)
    return MistakeCheck(
      value: try reading.places.map { step, layer in
        try reading.residual(
          reading.damped(try reading.batchFactors(step, layer)), step, layer,
          try reading.gradient(step, layer))
      }.max() ?? .infinity)
  }

  /// P-128: the decisions are those of Eq. 9 on fresh statistics; how many are not.
  private static func decisions(
    _ recipe: TrajectoryRecipe, _ setting: TrajectorySetting
  ) throws -> MistakeCheck {
    let reading = try TrajectoryReading(recipe, setting)
    let taken = try #require(reading.dump["decisions"])
    var different = 0
    for layer in setting.network.parameters.indices {
      for (step, expected) in try reading.replayed(layer).enumerated()
      where taken[step, layer] != expected.decision {
        different += 1
      }
    }
    return MistakeCheck(value: Double(different), limit: 0, failure: 1)
  }

  /// P-129: where every change from test to test is below ω₁, layers still update; how many do not.
  private static func slowDrift(
    _ recipe: TrajectoryRecipe, _ setting: TrajectorySetting
  ) throws -> MistakeCheck {
    let reading = try TrajectoryReading(recipe, setting)
    let taken = try #require(reading.dump["decisions"])
    let thresholds = try #require(setting.thresholds)
    var without = 0
    for layer in setting.network.parameters.indices {
      let traces = try (0..<setting.stepCount).map { try reading.trace($0, layer) }
      let changes = zip(traces, traces.dropFirst()).map {
        reading.change(layer, from: $0, to: $1)
      }
      try #require(changes.allSatisfy { $0 < thresholds.update }, "\(setting.name): fast drift")
      if !(1..<setting.stepCount).contains(where: { taken[$0, layer] == 1 }) { without += 1 }
    }
    return MistakeCheck(value: Double(without), limit: 0, failure: 1)
  }

  /// P-134: a layer that stopped goes on with the inverse of its last update and the current gradient.
  private static func frozenLayer(_ recipe: TrajectoryRecipe) throws -> MistakeCheck {
    let setting = TrajectorySetting.stopping
    let reading = try TrajectoryReading(recipe, setting)
    let taken = try #require(reading.dump["decisions"])
    var ratios: [Double] = []
    for layer in setting.network.parameters.indices {
      let steps = Array(0..<setting.stepCount)
      guard let stop = steps.first(where: { taken[$0, layer] == 3 }),
        let update = steps.last(where: { taken[$0, layer] == 1 })
      else { continue }
      let frozen = reading.damped(try reading.batchFactors(update, layer))
      for step in steps where step > stop {
        ratios.append(
          try reading.residual(frozen, step, layer, try reading.gradient(step, layer)))
      }
    }
    return MistakeCheck(value: try #require(ratios.max(), "no layer of \(setting.name) stopped"))
  }
}
