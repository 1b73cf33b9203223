import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes of averaging (the specification, section 11).
@Suite("Signatures of mistakes: averages")
struct MistakeAverageTests {
  @Test("M-38: A' = ρᵏ I + (1 − ρᵏ) A, and the same for G; one refresh already shows it")
  func startedAtTheIdentity() throws {
    for refreshes in [1, 7] {
      var setting = CurvatureSetting.denseAveraged
      setting.averagedRefreshes = refreshes
      let signature = try MistakeSignature("M-38", on: setting)
      let y = (0..<refreshes).reduce(1.0) { power, _ in power * 0.95 }
      for layer in signature.layers {
        for factor in ["A", "G"] {
          let (wrong, right) = try signature.pair("\(layer).\(factor)")
          expectRatio(.difference(wrong, ((1 - y) * right).addingToDiagonal(y)), layer)
        }
      }
      signature.expectUnchanged(.gradient)
    }
  }

  @Test("M-39: A' = (1 − ρᵏ) A and G' = (1 − ρᵏ) G, which tends to right")
  func startedAtZero() throws {
    let signature = try MistakeSignature("M-39")
    let y = (0..<7).reduce(1.0) { power, _ in power * 0.95 }
    try signature.expectScale("A") { _ in 1 - y }
    try signature.expectScale("G") { _ in 1 - y }
    signature.expectUnchanged(.gradient)
    var late = signature.setting
    late.averagedRefreshes = 1000
    try MistakeSignature("M-39", on: late).expectScale("A") { _ in 1 }
  }

  @Test("M-47: A'⁻¹ is the mean of the workers' inverses, ⪰ (A + δI)⁻¹, and equal for one worker")
  func averagedInverses() throws {
    let signature = try MistakeSignature("M-47")
    let damping = "inverse.pi.\(signature.setting.lambda)"
    let parts = [Array(0..<8), Array(8..<17)]
    let workers = parts.map { examples in
      var part = signature.setting
      part.data = part.data.subset(examples)
      return CurvatureRecipe().dump(part)
    }
    for layer in signature.layers {
      let (a, g) = (try signature.pair("\(layer).A").right, try signature.pair("\(layer).G").right)
      let shifts = try #require(MistakeChecks.shifts(signature.setting, a, g))
      for (factor, δ) in [("A", shifts.0), ("G", shifts.1)] {
        let name = "\(layer).\(factor)"
        let (wrong, right) = try signature.pair("\(name).\(damping)")
        var mean = Matrix(rowCount: right.rowCount, columnCount: right.rowCount)
        var condition = 1.0
        for (part, worker) in zip(parts, workers) {
          let damped = try #require(worker[name]).addingToDiagonal(δ)
          let inverse = try LAPACK.dpotri(damped)
          condition = max(condition, LAPACK.norm1(damped) * LAPACK.norm1(inverse))
          mean.add(Double(part.count) / 17, times: inverse)
        }
        expectRatio(Ratio.difference(wrong, mean).over(condition: condition), name)
        let gap = try LAPACK.dsyev(wrong - right).values.elements
        let budget = 30 * Double(gap.count) * .ulpOfOne * condition * LAPACK.norm1(right)
        #expect(gap[0] >= -budget && gap[gap.count - 1] > 1e-6 * right.frobeniusNorm, "\(name)")
      }
    }
    signature.expectUnchanged(.a, .g, .gradient)
    var alone = signature.setting
    alone.workerCount = 1
    #expect(try MistakeSignature("M-47", on: alone).wrong == signature.right)
  }

  @Test("M-48: A' has rank one and G' at most K; A − A' and G − G' are ⪰ 0")
  func outerProductsOfMeans() throws {
    let signature = try MistakeSignature("M-48")
    for layer in signature.layers {
      for (factor, rank) in [("A", 1), ("G", 5)] {
        let (wrong, right) = try signature.pair("\(layer).\(factor)")
        let budget = 30 * Double(right.rowCount) * .ulpOfOne * LAPACK.norm1(right)
        let values = try LAPACK.dsyev(wrong).values.elements
        #expect(values.dropLast(rank).allSatisfy { $0.magnitude <= budget }, "\(layer).\(factor)")
        #expect(values[values.count - 1] > 1e-3 * right.trace / Double(right.rowCount))
        let gap = try LAPACK.dsyev(right - wrong).values.elements
        #expect(gap[0] >= -budget && gap[gap.count - 1] > 1e-3 * LAPACK.norm1(right))
      }
    }
    signature.expectUnchanged(.gradient)
  }
}
