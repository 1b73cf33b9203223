import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The wrong and the right dump of one mistake on its home or another setting.
struct MistakeSignature {
  let mistake: Mistake
  let setting: CurvatureSetting
  let wrong: CurvatureDump
  let right: CurvatureDump

  init(_ id: String, on setting: CurvatureSetting? = nil) throws {
    mistake = try Mistake.with(id)
    self.setting = setting ?? mistake.home
    wrong = mistake.dump(self.setting)
    right = CurvatureRecipe().dump(self.setting)
  }

  /// layer1, layer2, …
  var layers: [String] { setting.network.parameters.indices.map { "layer\($0 + 1)" } }

  /// A dumped quantity of the wrong and of the right recipe, as `layer1.G`.
  func pair(_ name: String) throws -> (wrong: Matrix, right: Matrix) {
    (try #require(wrong[name], "no \(name)"), try #require(right[name], "no \(name)"))
  }

  /// The step of KFAC under the setting's rule.
  func step(_ layer: String) throws -> (wrong: Matrix, right: Matrix) {
    try pair(MistakeChecks.stepName(layer, setting))
  }

  /// A_δ and G_δ by definition, from the right factors.
  func dampedFactors(_ layer: String) throws -> (a: Matrix, g: Matrix) {
    let (a, g) = (try pair("\(layer).A").right, try pair("\(layer).G").right)
    let shifts = try #require(MistakeChecks.shifts(setting, a, g))
    return (a.addingToDiagonal(shifts.0), g.addingToDiagonal(shifts.1))
  }

  /// Expects wrong = factor · right for one quantity of every layer, the factor of layer i given.
  func expectScale(_ quantity: String, _ factor: (_ layer: Int) -> Double) throws {
    for (index, layer) in layers.enumerated() {
      let (wrong, right) = try pair("\(layer).\(quantity)")
      expectRatio(.difference(wrong, factor(index) * right), "\(mistake.id) \(layer).\(quantity)")
    }
  }

  /// Expects the quantities of all layers to be those of the right recipe, to the bit.
  func expectUnchanged(_ quantities: Mistake.Quantity...) {
    for (name, matrix) in right.values where quantities.contains(where: { $0.names(name) }) {
      #expect(wrong[name] == matrix, "\(mistake.id) changes \(name)")
    }
  }
}

extension Mistake {
  /// The mistake of a number and form.
  static func with(_ id: String) throws -> Mistake {
    try #require(all.first { $0.id == id }, "no mistake \(id)")
  }
}

/// Each column times ±1, so that its largest entry is positive: eigenvectors of one sign.
func positiveColumns(_ q: Matrix) -> Matrix {
  let signs = (0..<q.columnCount).map { j in
    let magnitudes = q.column(j).elements.map(\.magnitude)
    let largest = magnitudes.max() ?? 0
    let row = magnitudes.firstIndex { $0 >= (1 - 1e-9) * largest } ?? 0
    return q[row, j] < 0 ? -1.0 : 1.0
  }
  return Matrix(rowCount: q.rowCount, columnCount: q.columnCount) { q[$0, $1] * signs[$1] }
}
