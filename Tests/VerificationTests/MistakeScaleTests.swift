import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes of scale (the specification, section 11), at round-off.
@Suite("Signatures: scale")
struct MistakeScaleTests {
  /// Expects dump = factor · right for one quantity of every layer, the factor of layer i given.
  private func expectScale(
    _ id: String, _ quantity: String, _ factor: (_ layer: Int, CurvatureSetting) -> Double
  ) throws {
    let mistake = try Mistake.with(id)
    let wrong = mistake.dump(mistake.home)
    let right = CurvatureRecipe().dump(mistake.home)
    for layer in mistake.home.network.parameters.indices {
      let name = "layer\(layer + 1).\(quantity)"
      let expected = factor(layer, mistake.home) * (try #require(right[name]))
      expectRatio(.difference(try #require(wrong[name]), expected), "\(id) \(name)")
    }
  }

  private func examples(_ setting: CurvatureSetting) -> Double { Double(setting.data.count) }

  @Test("M-01: A' = N A") func summedA() throws {
    try expectScale("M-01", "A") { examples($1) }
    try expectScale("M-01", "G") { _, _ in 1 }
  }

  @Test("M-02: G' = G/N², and EKFAC's S too; V is right") func meanLossAveraged() throws {
    try expectScale("M-02", "G") { 1 / (examples($1) * examples($1)) }
    try expectScale("M-02", "gradient") { _, _ in 1 }
  }

  @Test("M-03: G' = G/N") func meanLossSummed() throws {
    try expectScale("M-03", "G") { 1 / examples($1) }
  }

  @Test("M-04: G' = N G") func summedG() throws {
    try expectScale("M-04", "G") { examples($1) }
  }

  @Test("M-05: G' = s² G and V' = s V") func lossScale() throws {
    try expectScale("M-05", "G") { $1.lossScale * $1.lossScale }
    try expectScale("M-05", "gradient") { $1.lossScale }
  }

  @Test("M-06: A' = (N/d_A) A, another number in each layer") func dividedBySize() throws {
    try expectScale("M-06", "A") {
      examples($1) / Double($1.network.parameters[$0].weights.columnCount)
    }
  }

  @Test("M-16: A' and G' are N/(N − 1) times right") func unbiased() throws {
    for quantity in ["A", "G"] {
      try expectScale("M-16", quantity) { examples($1) / (examples($1) - 1) }
    }
  }
}

extension Mistake {
  /// The mistake of a number and form.
  static func with(_ id: String) throws -> Mistake {
    try #require(all.first { $0.id == id }, "no mistake \(id)")
  }
}
