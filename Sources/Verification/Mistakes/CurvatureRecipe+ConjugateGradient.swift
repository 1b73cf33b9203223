import Curvature
import DenseAlgebra
import Networks

extension CurvatureRecipe {
  /// CG-FAC's product with V, its step and the number of steps taken, as a 1 × 1 matrix.
  ///
  /// The start is the step at refresh 0, solved to round-off where the network has moved since, and
  /// zero where it has not.
  func addConjugateGradients(
    to dump: inout CurvatureDump, _ setting: CurvatureSetting, _ layers: [LayerSamples]
  ) {
    let starts = hasMoved(setting) ? firstSteps(setting) : [:]
    let iteration = ConjugateGradient(stoppingRule: stoppingRule)
    for (index, samples) in layers.enumerated() {
      let layer = "layer\(index + 1)"
      guard let v = dump["\(layer).gradient"], v.rowCount == samples.outputSize,
        v.columnCount == samples.inputSize
      else { continue }
      let matrix = product(setting, samples)
      let right = Vector(v.storage)
      let solution = iteration.solve(matrix, right, start: starts[layer])
      func shaped(_ vector: Vector) -> Matrix {
        Matrix(rowCount: v.rowCount, columnCount: v.columnCount, storage: vector.elements)
      }
      dump["\(layer).product.cg-kfac.exact.\(setting.lambda)"] = shaped(matrix.apply(right))
      dump["\(layer).step.cg-kfac.exact.\(setting.lambda)"] = shaped(solution.value)
      dump["\(layer).iterations.cg-kfac.\(setting.lambda)"] = Matrix(
        rowCount: 1, columnCount: 1, repeating: Double(solution.iterations))
    }
  }

  private func hasMoved(_ setting: CurvatureSetting) -> Bool { setting.network != setting.start }

  /// The right steps at refresh 0, under the rule `exact`: what a warm start begins with.
  private func firstSteps(_ setting: CurvatureSetting) -> [String: Vector] {
    var first = setting.with(rule: .exact, name: setting.name)
    first.network = setting.start
    first.refresh = 0
    let dump = CurvatureRecipe().dump(first)
    return Dictionary(
      uniqueKeysWithValues: setting.network.parameters.indices.compactMap { index in
        let layer = "layer\(index + 1)"
        return dump["\(layer).step.kfac.exact.\(setting.lambda)"].map {
          (layer, Vector($0.storage))
        }
      })
  }
}
