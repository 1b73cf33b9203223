import Curvature
import DataFiles
import DenseAlgebra
import Networks
import Verification

/// A certified test vector as a setting, with the limit of every matrix.
struct VectorSetting {
  let setting: CurvatureSetting
  /// The certified matrices and the largest relative Frobenius difference that agrees.
  let values: [String: (matrix: Matrix, limit: Double)]

  /// The vector with the likelihood and the kind of network of a setting, under its rule.
  ///
  /// The rules `sqrt` and `factor` are in a Gaussian one only, and so is the split, of size 2.
  static func of(
    _ setting: CurvatureSetting, _ quantity: Mistake.Quantity
  ) throws -> VectorSetting {
    switch (setting.network.inputShape, quantity, setting.likelihood, setting.rule) {
    case (.sequence, .secondMoments, _, _):
      // In the sequence of the vector each output reads one position, which hides M-51.
      try VectorSetting("t1/convolution", rule: setting.rule)
    case (.vector, .inverse, _, _):
      try VectorSetting("t1/tanh-categorical-7-3-5", rule: .pi, lambda: 0.001)
    case (.sequence, _, _, _): try VectorSetting("t1/sequence-expand", rule: setting.rule)
    case (.image, _, _, _): try VectorSetting("t1/convolution", rule: setting.rule)
    case (_, .splitStep, _, _): try VectorSetting("t1/split-softplus-gaussian", rule: setting.rule)
    case (_, _, .categorical, .pi), (_, _, .categorical, .exact):
      try VectorSetting("t1/ekfac-tanh-categorical", rule: setting.rule)
    case (.vector, _, _, _): try VectorSetting("t1/logistic-gaussian-7-3-5", rule: setting.rule)
    }
  }

  init(_ identifier: String, rule: DampingRule, lambda: Double = 0.1) throws {
    let vector = try VectorIndex.read(identifier)
    guard case .network(let model) = vector.model, let targets = model.targets else {
      preconditionFailure("\(identifier) is no batch of a network")
    }
    var setting = CurvatureSetting(
      name: identifier, network: model.network,
      data: Dataset(name: identifier, inputs: model.inputs, targets: targets),
      likelihood: model.likelihood, rule: rule, lambda: lambda)
    setting.split = 2
    self.setting = setting
    var values: [String: (matrix: Matrix, limit: Double)] = [:]
    for entry in vector.stages.flatMap(\.arrays) {
      guard let limit = entry.limit, let array = vector.arrays[entry.name], array.shape.count == 2
      else { continue }
      values[entry.name] = (try array.matrix(entry.name), limit)
    }
    self.values = values
  }

  /// Whether a value is of the setting's λ, where its name has any, and of its rule; EKFAC's is `exact`.
  func isOfSetting(_ name: String) -> Bool {
    guard name.contains(".step.") || name.contains(".inverse.") else { return true }
    let rule = name.contains(".step.ekfac.") ? .exact : setting.rule
    return name.hasSuffix(".\(rule.rawValue).\(setting.lambda)")
  }
}
