import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// A dumped run, and what a reader computes anew from its weights and its batches.
struct TrajectoryReading {
  let setting: TrajectorySetting
  let dump: CurvatureDump

  init(_ recipe: TrajectoryRecipe, _ setting: TrajectorySetting) throws {
    self.setting = setting
    self.dump = try recipe.dump(setting)
  }

  /// Every step with every layer.
  var places: [(step: Int, layer: Int)] {
    (0..<setting.stepCount).flatMap { step in
      setting.network.parameters.indices.map { (step, $0) }
    }
  }

  /// A dumped quantity of a step and a layer, both from 0.
  func value(_ step: Int, _ layer: Int, _ quantity: String) throws -> Matrix {
    let name = "step\(step).layer\(layer + 1).\(quantity)"
    return try #require(dump[name], "no \(name)")
  }

  /// The network before a step.
  func network(_ step: Int) throws -> Network {
    try Network(
      inputShape: setting.network.inputShape, nodes: setting.network.nodes,
      parameters: setting.network.parameters.enumerated().map { layer, block in
        ParameterBlock(
          name: block.name, weights: try value(step, layer, "weights"), hasBias: block.hasBias)
      })
  }

  /// V of the step's batch at the step's weights.
  func gradient(_ step: Int, _ layer: Int) throws -> Matrix {
    LossGradient(try network(step), setting.batch(step), setting.likelihood).gradient.blocks[layer]
  }

  func samples(_ step: Int, _ layer: Int) throws -> LayerSamples {
    LayerSamples(
      GradientSamples(
        try network(step), setting.batch(step), likelihood: setting.likelihood, kind: .exact),
      block: layer)
  }

  /// A = X Xᵀ/N and G = Σ_c Y Yᵀ/N of the step's batch, by dgemm.
  func batchFactors(_ step: Int, _ layer: Int) throws -> KFACFactors {
    let samples = try samples(step, layer)
    let scale = 1 / Double(samples.exampleCount)
    var g = Matrix(rowCount: samples.outputSize, columnCount: samples.outputSize)
    for y in samples.gradients { g.add(scale, times: LAPACK.dgemm(y, y, transposeB: true)) }
    return KFACFactors(
      a: scale * LAPACK.dgemm(samples.inputs, samples.inputs, transposeB: true), g: g)
  }

  /// Σ_j ρ^(k−j) A_j / Σ_j ρ^(k−j) over the batches of steps 0 … k (4.5).
  func averagedFactors(_ step: Int, _ layer: Int) throws -> KFACFactors {
    var (sum, total): (KFACFactors?, Double) = (nil, 0)
    for past in 0...step {
      let weight = power(setting.decay, step - past)
      let batch = try batchFactors(past, layer)
      sum = KFACFactors(
        a: weight * batch.a + (sum?.a ?? 0 * batch.a),
        g: weight * batch.g + (sum?.g ?? 0 * batch.g))
      total += weight
    }
    let result = try #require(sum)
    return KFACFactors(a: 1 / total * result.a, g: 1 / total * result.g)
  }

  /// (A + λI) ⊗ (G + λI), the rule `factor`.
  func damped(_ factors: KFACFactors) -> Matrix {
    Matrix.kronecker(
      factors.a.addingToDiagonal(setting.lambda), factors.g.addingToDiagonal(setting.lambda))
  }

  /// The dumped factors of a step.
  func ownFactors(_ step: Int, _ layer: Int) throws -> KFACFactors {
    KFACFactors(a: try value(step, layer, "A"), g: try value(step, layer, "G"))
  }

  /// P⁻¹V with the dumped factors of the step, by dgesv; and κ₁ of P.
  func solved(_ step: Int, _ layer: Int, _ v: Matrix) throws -> (u: Matrix, condition: Double) {
    let p = damped(try ownFactors(step, layer))
    let inverse = try LAPACK.dgetri(p)
    let u = try LAPACK.dgesv(p, Vector(v.storage))
    return (
      Matrix(rowCount: v.rowCount, columnCount: v.columnCount, storage: u.elements),
      LAPACK.norm1(p) * LAPACK.norm1(inverse)
    )
  }

  /// The residual ratio of P U = V with the dumped step.
  func residual(_ p: Matrix, _ step: Int, _ layer: Int, _ v: Matrix) throws -> Double {
    let u = try value(step, layer, "step")
    return Ratio.solve(p, Vector(u.storage), Vector(v.storage)).value
  }

  /// tr A tr G of the step's own batch, and Eq. 8 (reading a) from one such trace to another.
  func trace(_ step: Int, _ layer: Int) throws -> Double {
    let factors = try batchFactors(step, layer)
    return factors.a.trace * factors.g.trace
  }

  func change(_ layer: Int, from old: Double, to new: Double) -> Double {
    let size = setting.network.parameters[layer].weights.storage.count
    return (new - old).magnitude / (old + setting.lambda * Double(size))
  }

  /// Eq. 9 on fresh statistics: 0 no test, 1 update, 2 keep, 3 stop, and Δ, or −1 without one (7.3).
  func replayed(_ layer: Int) throws -> [(decision: Double, change: Double)] {
    let thresholds = try #require(setting.thresholds)
    var (accepted, isStopped): (Double?, Bool) = (nil, false)
    return try (0..<setting.stepCount).map { step in
      guard step % setting.inverseInterval == 0, !isStopped else { return (0, -1) }
      let new = try trace(step, layer)
      guard let old = accepted else {
        accepted = new
        return (1, -1)
      }
      let change = change(layer, from: old, to: new)
      if change > thresholds.update {
        accepted = new
        return (1, change)
      }
      isStopped = change < thresholds.stop
      return (isStopped ? 3 : 2, change)
    }
  }
}

/// xᵏ.
func power(_ x: Double, _ k: Int) -> Double { (0..<k).reduce(1) { result, _ in result * x } }

/// The wrong and the right run of one mistake at its home.
struct TrajectorySignature {
  let mistake: TrajectoryMistake
  let wrong: TrajectoryReading
  let right: TrajectoryReading

  init(_ id: String) throws {
    mistake = try #require(TrajectoryMistake.all.first { $0.id == id }, "no mistake \(id)")
    wrong = try TrajectoryReading(mistake.recipe, mistake.home)
    right = try TrajectoryReading(TrajectoryRecipe(), mistake.home)
  }

  var places: [(step: Int, layer: Int)] { right.places }
}

/// Expects a ratio that tells wrong code beyond doubt.
func expectFar(
  _ ratio: Double, _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(ratio >= 1e6, "\(name) agrees: ratio \(ratio)", sourceLocation: sourceLocation)
}
