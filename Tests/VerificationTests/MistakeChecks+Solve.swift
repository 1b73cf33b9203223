import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Verification

extension MistakeChecks {
  /// P-59 and P-62: the step solves its rule's own matrix of the specification's table 4.6,
  /// G_δ U A_δ = V or G U A + λU = V, with shifts computed here from the definition.
  static func ownMatrix(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck {
    let dump = recipe.dump(setting)
    var largest = 0.0
    for index in setting.network.parameters.indices {
      let layer = "layer\(index + 1)"
      guard let a = dump["\(layer).A"], let g = dump["\(layer).G"],
        let v = dump["\(layer).gradient"], let u = dump[stepName(layer, setting)]
      else { return MistakeCheck(value: .infinity) }
      if let (shiftA, shiftG) = shifts(setting, a, g) {
        let product = Matrix.kronecker(a.addingToDiagonal(shiftA), g.addingToDiagonal(shiftG))
        largest = max(largest, Ratio.solve(product, Vector(u.storage), Vector(v.storage)).value)
      } else {
        let matrix = Matrix.kronecker(a, g).addingToDiagonal(setting.lambda)
        largest = max(largest, Ratio.solve(matrix, Vector(u.storage), Vector(v.storage)).value)
      }
    }
    return MistakeCheck(value: largest)
  }

  /// P-06: what is dumped as the damped inverses is the inverse, ‖M M⁻¹ − I‖ ≤ 30 n κ ε.
  static func inverse(_ recipe: CurvatureRecipe, _ setting: CurvatureSetting) -> MistakeCheck {
    let dump = recipe.dump(setting)
    var largest = 0.0
    for index in setting.network.parameters.indices {
      let layer = "layer\(index + 1)"
      guard let a = dump["\(layer).A"], let g = dump["\(layer).G"],
        let shifts = shifts(setting, a, g)
      else { return MistakeCheck(value: .infinity) }
      for (factor, matrix, δ) in [("A", a, shifts.0), ("G", g, shifts.1)] {
        let name = "\(layer).\(factor).inverse.\(setting.rule.rawValue).\(setting.lambda)"
        guard let inverse = dump[name] else { return MistakeCheck(value: .infinity) }
        largest = max(largest, Ratio.inverse(matrix.addingToDiagonal(δ), inverse).value)
      }
    }
    return MistakeCheck(value: largest)
  }

  /// P-64: the shifts, read back from the inverses, make the trace of D3 − D4 as small as it can be.
  static func smallestTrace(
    _ recipe: CurvatureRecipe, _ setting: CurvatureSetting
  ) -> MistakeCheck {
    let dump = recipe.dump(setting)
    var largest = 0.0
    for index in setting.network.parameters.indices {
      let layer = "layer\(index + 1)"
      guard let a = dump["\(layer).A"], let g = dump["\(layer).G"],
        let shiftA = readBack(dump, "\(layer).A", setting),
        let shiftG = readBack(dump, "\(layer).G", setting)
      else { return MistakeCheck(value: .infinity) }
      let (dA, dG) = (Double(a.rowCount), Double(g.rowCount))
      let trace = shiftA.value * dA * g.trace + shiftG.value * dG * a.trace
      let smallest = 2 * (setting.lambda * a.trace * g.trace * dA * dG).squareRoot()
      let condition = max(shiftA.condition, shiftG.condition)
      largest = max(
        largest, (trace / smallest - 1).magnitude / (condition * max(dA, dG) * .ulpOfOne))
    }
    return MistakeCheck(value: largest)
  }

  /// (δ_A, δ_G) by the definitions of the specification, 4.6; nil for the rule `exact`.
  static func shifts(
    _ setting: CurvatureSetting, _ a: Matrix, _ g: Matrix
  ) -> (Double, Double)? {
    let root = setting.lambda.squareRoot()
    let π =
      ((a.trace / Double(a.rowCount)) / (g.trace / Double(g.rowCount))).squareRoot()
    return switch setting.rule {
    case .sqrt: (root, root)
    case .factor: (setting.lambda, setting.lambda)
    case .pi: (π * root, root / π)
    case .none, .exact: nil
    }
  }

  /// δ of a factor from its dumped inverse, tr((A'inv)⁻¹ − A)/d, with κ, the error of which it is
  /// free of up to κ d ε; `rest` is the ratio of (A'inv)⁻¹ − A − δI, which is not a multiple of I.
  static func readBack(
    _ dump: CurvatureDump, _ factor: String, _ setting: CurvatureSetting
  ) -> (value: Double, condition: Double, rest: Double)? {
    guard let matrix = dump[factor],
      let inverse = dump["\(factor).inverse.\(setting.rule.rawValue).\(setting.lambda)"],
      let damped = try? LAPACK.dgesv(inverse, .identity(inverse.rowCount))
    else { return nil }
    let condition = LAPACK.norm1(inverse) * LAPACK.norm1(damped)
    let δ = (damped - matrix).trace / Double(matrix.rowCount)
    let rest = Ratio.difference(damped, matrix.addingToDiagonal(δ)).over(condition: condition)
    return (δ, condition, rest.value)
  }

  static func stepName(_ layer: String, _ setting: CurvatureSetting) -> String {
    "\(layer).step.kfac.\(setting.rule.rawValue).\(setting.lambda)"
  }

  /// ‖X − Y‖₁/(n‖Y‖₁ε); infinite where X is missing or has another size.
  static func ratio(_ actual: Matrix?, _ expected: Matrix) -> Double {
    guard let actual, actual.rowCount == expected.rowCount,
      actual.columnCount == expected.columnCount
    else { return .infinity }
    return Ratio.difference(actual, expected).value
  }

  /// The largest ratio over some quantities of all layers.
  static func worst(
    _ actual: CurvatureDump, against expected: CurvatureDump, _ quantities: [Mistake.Quantity]
  ) -> Double {
    expected.values.filter { name, _ in quantities.contains { $0.names(name) } }
      .map { ratio(actual[$0.key], $0.value) }.max() ?? .infinity
  }

  /// (1/N) Σₙ Jₙᵀ Hₙ Jₙ at the pre-activations of every layer: J from basis vectors, H closed form.
  static func exactBiasBlocks(_ setting: CurvatureSetting) -> [Matrix] {
    let tape = setting.network.forward(setting.data.inputs)
    let (c, n) = (tape.output.rowCount, tape.output.columnCount)
    let rows = (0..<c).map { output in
      setting.network.pullback(
        Matrix(rowCount: c, columnCount: n) { i, _ in i == output ? 1 : 0 }, through: tape)
    }
    return tape.uses.indices.map { use in
      let size = rows[0][use].rowCount
      var sum = Matrix(rowCount: size, columnCount: size)
      for example in 0..<n {
        let jacobian = Matrix(rowCount: c, columnCount: size) { rows[$0][use][$1, example] }
        let hessian = setting.likelihood.hessian(tape.output.column(example))
        sum.add(
          1 / Double(n),
          times: LAPACK.dgemm(jacobian, LAPACK.dgemm(hessian, jacobian), transposeA: true))
      }
      return sum
    }
  }
}
