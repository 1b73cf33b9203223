import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Verification

/// The outcome of one catching test: a number that is small for right code.
struct MistakeCheck {
  let value: Double
  /// The most that right code may show.
  var limit = 30.0
  /// The least that tells wrong code beyond doubt.
  var failure = 1e6
}

/// The tests that catch mistakes; each reads nothing but the dump of a recipe.
enum MistakeChecks {
  /// Runs one catching test on a recipe in a setting.
  static func run(
    _ test: Mistake.Catch, _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) throws -> MistakeCheck {
    switch test {
    case .vector(let quantity): try vector(quantity, recipe, setting)
    case .property(6): inverse(recipe, setting)
    case .property(10): pinching(recipe, setting)
    case .property(17): centralDifference(recipe, setting)
    case .property(18): hessianRoot(recipe, setting)
    case .property(24): labelIndependence(recipe, setting)
    case .property(29): monteCarloMean(recipe, setting)
    case .property(30): symmetry(recipe, setting)
    case .property(37): duplication(recipe, setting)
    case .property(39): nullVector(recipe, setting)
    case .property(52): gaussianLastLayer(recipe, setting)
    case .property(57): biasBlock(recipe, setting)
    case .property(59), .property(62): ownMatrix(recipe, setting)
    case .property(64): smallestTrace(recipe, setting)
    case .property(77): constantAverage(recipe, setting)
    case .property(78): linearSharing(recipe, setting)
    case .property(80): biasRow(recipe, setting)
    case .property(81): exactDiagonal(recipe, setting)
    case .property(85): trace(recipe, setting)
    case .property(100): product(recipe, setting)
    case .property(101): productSymmetry(recipe, setting)
    case .property(112): warmStart(recipe, setting)
    case .property(let number): preconditionFailure("no check of P-\(number) for mistakes")
    }
  }

  /// The certified value, in units of a thirtieth of its limit 30 n κ ε.
  private static func vector(
    _ quantity: Mistake.Quantity, _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) throws -> MistakeCheck {
    let certified = try VectorSetting.of(setting, quantity)
    let dump = recipe.dump(certified.setting)
    var largest = -Double.infinity
    for (name, (matrix, limit)) in certified.values
    where quantity.names(name) && certified.isOfSetting(name) {
      guard let actual = dump[name], actual.rowCount == matrix.rowCount,
        actual.columnCount == matrix.columnCount
      else { return MistakeCheck(value: .infinity) }
      let difference = (actual - matrix).frobeniusNorm / matrix.frobeniusNorm
      largest = max(largest, 30 * difference / limit)
    }
    precondition(largest >= 0, "\(certified.setting.name) holds no \(quantity.rawValue)")
    return MistakeCheck(value: largest)
  }

  /// P-17: ⟨V, d⟩ is the central difference of the loss along d. With steps of 1e-4 its truncation
  /// and rounding errors are about 1e-8.
  private static func centralDifference(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    var generator = Generator(seed: 1)
    let dump = recipe.dump(setting)
    var slope = 0.0
    let direction = ParameterVector(
      blocks: setting.network.parameters.map {
        generator.normal($0.weights.rowCount, $0.weights.columnCount)
      })
    for (index, block) in direction.blocks.enumerated() {
      guard let v = dump["layer\(index + 1).gradient"] else {
        return MistakeCheck(value: .infinity)
      }
      slope += v.dot(block)
    }
    func loss(_ length: Double) -> Double {
      LossGradient(
        setting.network.adding(direction, scale: length), setting.data, setting.likelihood
      ).loss
    }
    let difference = (loss(1e-4) - loss(-1e-4)) / 2e-4
    return MistakeCheck(
      value: (slope - difference).magnitude / difference.magnitude, limit: 1e-6, failure: 0.1)
  }

  /// P-18: Σ_c v vᵀ is the Hessian of −log p of every example.
  private static func hessianRoot(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    let outputs = setting.network.forward(setting.data.inputs).output
    let columns = recipe.columns(setting, setting.likelihood, outputs)
    var largest = 0.0
    for n in 0..<outputs.columnCount {
      var sum = Matrix(rowCount: outputs.rowCount, columnCount: outputs.rowCount)
      for column in columns {
        let v = Matrix(
          rowCount: outputs.rowCount, columnCount: 1, storage: column.column(n).elements)
        sum.add(1, times: LAPACK.dgemm(v, v, transposeB: true))
      }
      largest = max(largest, ratio(sum, setting.likelihood.hessian(outputs.column(n))))
    }
    return MistakeCheck(value: largest)
  }

  /// P-24: with every label moved on by one, G stays.
  private static func labelIndependence(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    guard case .labels(let labels) = setting.data.targets else {
      preconditionFailure("P-24 is asked of labels")
    }
    var other = setting
    other.data = Dataset(
      name: setting.data.name, inputs: setting.data.inputs,
      targets: .labels(labels.map { ($0 + 1) % setting.network.outputCount }))
    return MistakeCheck(
      value: worst(recipe.dump(other), against: recipe.dump(setting), [.g]))
  }

  /// P-29: the mean of tr G over refreshes is that of the exact Fisher, in standard errors.
  ///
  /// Six of them have a false-alarm rate of 2e-9; the seeds are fixed.
  static func monteCarloMean(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    let exact = exactBiasBlocks(setting).map(\.trace)
    var largest = 0.0
    let count = 60
    let traces = (0..<count).map { refresh in
      var drawn = setting
      drawn.refresh = UInt64(refresh)
      let dump = recipe.dump(drawn)
      return exact.indices.map { dump["layer\($0 + 1).G"]?.trace ?? .nan }
    }
    for layer in exact.indices {
      let values = traces.map { $0[layer] }
      let mean = values.reduce(0, +) / Double(count)
      let variance =
        values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count * (count - 1))
      let distance = (mean - exact[layer]).magnitude
      if distance > 1e-13 * exact[layer] {
        largest = max(largest, distance / variance.squareRoot())
      }
    }
    return MistakeCheck(value: largest, limit: 6, failure: 20)
  }

  /// P-37: the batch twice over gives the same A, G and V.
  private static func duplication(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    var twice = setting
    let indices = Array(0..<setting.data.count)
    twice.data = setting.data.subset(indices + indices)
    return MistakeCheck(
      value: worst(recipe.dump(twice), against: recipe.dump(setting), [.a, .g, .gradient]))
  }

  /// P-39: G_L 1 = 0 for the softmax.
  private static func nullVector(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    guard let g = recipe.dump(setting)["layer\(setting.network.parameters.count).G"] else {
      return MistakeCheck(value: .infinity)
    }
    let sums = g * Vector(repeating: 1, count: g.columnCount)
    return MistakeCheck(
      value: sums.norm / (Double(g.rowCount) * g.frobeniusNorm * .ulpOfOne))
  }

  /// P-52: G_L = I/σ² for the Gaussian.
  private static func gaussianLastLayer(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    guard case .gaussian(let variance) = setting.likelihood else {
      preconditionFailure("P-52 is asked of a Gaussian")
    }
    let g = recipe.dump(setting)["layer\(setting.network.parameters.count).G"]
    return MistakeCheck(
      value: ratio(g, (1 / variance) * Matrix.identity(setting.network.outputCount)))
  }

  /// P-57: A ends in 1, and G is the exact Fisher's block of the biases.
  private static func biasBlock(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    let dump = recipe.dump(setting)
    var largest = 0.0
    for (index, g) in exactBiasBlocks(setting).enumerated() {
      guard let a = dump["layer\(index + 1).A"] else { return MistakeCheck(value: .infinity) }
      let last = a[a.rowCount - 1, a.columnCount - 1]
      largest = max(largest, (last - 1).magnitude / (Double(setting.data.count) * .ulpOfOne))
      largest = max(largest, ratio(dump["layer\(index + 1).G"], g))
    }
    return MistakeCheck(value: largest)
  }

  /// P-80: the last row of A is [mean a, 1]; treated apart it would be zero but for the 1.
  private static func biasRow(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    let dump = recipe.dump(setting)
    let tape = setting.network.forward(setting.data.inputs)
    var largest = 0.0
    for (index, use) in tape.uses.enumerated() {
      let n = use.inputs.columnCount
      let mean = use.inputs * Vector(repeating: 1 / Double(n), count: n)
      guard let a = dump["layer\(index + 1).A"] else { return MistakeCheck(value: .infinity) }
      largest = max(largest, Ratio.difference(a.row(a.rowCount - 1), mean).value)
    }
    return MistakeCheck(value: largest)
  }
}
