import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Verification

// Tests that catch mistakes in shared weights, averages, splits, EKFAC and conjugate gradients.
extension MistakeChecks {
  /// The right samples of every layer for the exact Fisher.
  static func samples(_ setting: CurvatureSetting) -> [LayerSamples] {
    let samples = GradientSamples(
      setting.network, setting.data, likelihood: setting.likelihood, kind: .exact)
    return samples.blocks.indices.map { LayerSamples(samples, block: $0) }
  }

  /// P-10: a split keeps the trace, and ‖M‖² = ‖M̂‖² + ‖M − M̂‖².
  static func pinching(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck {
    let dump = recipe.dump(setting)
    var largest = 0.0
    for layer in setting.network.parameters.indices {
      for factor in ["layer\(layer + 1).A", "layer\(layer + 1).G"] {
        guard let whole = dump[factor], let split = dump["\(factor).split-\(setting.split)"] else {
          return MistakeCheck(value: .infinity)
        }
        let budget = Double(whole.rowCount) * .ulpOfOne
        largest = max(largest, (whole.trace - split.trace).magnitude / (budget * whole.trace))
        let (square, kept) = (whole.dot(whole), split.dot(split))
        let rest = (whole - split).dot(whole - split)
        largest = max(largest, (square - kept - rest).magnitude / (budget * square))
      }
    }
    return MistakeCheck(value: largest)
  }

  /// P-30: A and G are symmetric.
  static func symmetry(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck {
    let factors = recipe.dump(setting).values.filter { name, _ in
      Mistake.Quantity.a.names(name) || Mistake.Quantity.g.names(name)
    }
    return MistakeCheck(value: factors.values.map { Ratio.symmetry($0).value }.max() ?? .infinity)
  }

  /// P-77: the average over several refreshes of one batch is that of the batch.
  static func constantAverage(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    var once = setting
    once.averagedRefreshes = 1
    return MistakeCheck(
      value: worst(recipe.dump(setting), against: CurvatureRecipe().dump(once), [.a, .g]))
  }

  /// P-78: A ⊗ G is the exact block of a deep linear network with shared weights: `expand` with a loss
  /// at each position, `reduce` with the mean over positions.
  static func linearSharing(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    let isReduced = setting.sharing == .reduce
    let end: Networks.Operation = isReduced ? .meanOverPositions : .flatten
    let outputs = isReduced ? 5 : 5 * 7
    guard
      let network = try? Network(
        inputShape: .sequence(positions: 7, features: 3),
        nodes: [
          Node(.dense(parameters: 0), inputs: [0]), Node(.dense(parameters: 1), inputs: [1]),
          Node(end, inputs: [2]),
        ],
        parameters: [
          ParameterBlock(
            name: "layer1", weights: Matrix(rowCount: 11, columnCount: 4), hasBias: true),
          ParameterBlock(
            name: "layer2", weights: Matrix(rowCount: 5, columnCount: 12), hasBias: true),
        ])
    else { return MistakeCheck(value: .infinity) }
    var linear = CurvatureSetting(
      name: "linear", network: network.initialized(.normal(standardDeviation: 0.5), seed: 19),
      data: Dataset(
        name: "linear", inputs: CurvatureSetting.sequence.data.inputs,
        targets: .values(Matrix(rowCount: outputs, columnCount: 17))),
      likelihood: .gaussian(variance: 1))
    linear.sharing = setting.sharing
    let dump = recipe.dump(linear)
    var largest = 0.0
    for (index, layer) in samples(linear).enumerated() {
      guard let a = dump["layer\(index + 1).A"], let g = dump["layer\(index + 1).G"] else {
        return MistakeCheck(value: .infinity)
      }
      largest = max(
        largest, ratio(Matrix.kronecker(a, g), LAPACK.dsyrk(layer.scaledGradients)))
    }
    return MistakeCheck(value: largest)
  }

  /// P-81 with Q = I: the diagonal is that of the exact block.
  static func exactDiagonal(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck
  {
    let dump = recipe.dump(setting)
    return MistakeCheck(
      value: samples(setting).enumerated().map { index, layer in
        let exact = LAPACK.dsyrk(layer.scaledGradients).diagonal
        return ratio(
          dump["layer\(index + 1).diagonal"],
          Matrix(rowCount: layer.outputSize, columnCount: layer.inputSize, storage: exact))
      }.max() ?? .infinity)
  }

  /// P-85: the sum of EKFAC's scales is the trace of the exact block.
  static func trace(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck {
    let dump = recipe.dump(setting)
    var largest = 0.0
    for (index, layer) in samples(setting).enumerated() {
      guard let s = dump["layer\(index + 1).second-moments"] else {
        return MistakeCheck(value: .infinity)
      }
      let exact = layer.scaledGradients.storage.reduce(0) { $0 + $1 * $1 }
      let sum = s.storage.reduce(0, +)
      largest = max(
        largest, (sum - exact).magnitude / (Double(s.storage.count) * exact * .ulpOfOne))
    }
    return MistakeCheck(value: largest)
  }

  /// P-100: the product with V is G V A + λV.
  static func product(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck {
    let dump = recipe.dump(setting)
    return MistakeCheck(
      value: samples(setting).enumerated().map { index, layer in
        let factors = KFACFactors(layer)
        guard let v = dump["layer\(index + 1).gradient"] else { return .infinity }
        let expected =
          LAPACK.dgemm(factors.g, LAPACK.dgemm(v, factors.a)) + setting.lambda * v
        return ratio(dump["layer\(index + 1).product.cg-kfac.exact.\(setting.lambda)"], expected)
      }.max() ?? .infinity)
  }

  /// P-101: the product is symmetric.
  static func productSymmetry(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    MistakeCheck(
      value: samples(setting).map { Ratio.symmetry(recipe.product(setting, $0).dense()).value }
        .max() ?? .infinity)
  }

  /// P-112: begun at a solution that is right to nine digits, the iteration takes no step.
  static func warmStart(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck {
    var near = setting
    let loss = LossGradient(setting.start, setting.data, setting.likelihood)
    near.network = setting.start.adding(loss.gradient, scale: -1e-9)
    let dump = recipe.dump(near)
    let steps = dump.values.filter { name, _ in Mistake.Quantity.iterations.names(name) }.values
      .map { $0[0, 0] }
    return MistakeCheck(value: steps.max() ?? .infinity, limit: 0, failure: 1)
  }
}
