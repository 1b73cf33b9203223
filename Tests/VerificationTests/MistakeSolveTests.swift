import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes of damping and solving (the specification, section 11).
@Suite("Signatures of mistakes: damping and solving")
struct MistakeSolveTests {
  @Test("M-27: G_δ U' = V, or U' A_δ = V: one side is not solved")
  func oneSided() throws {
    let (left, right) = (try MistakeSignature("M-27a"), try MistakeSignature("M-27b"))
    for layer in left.layers {
      let (a, g) = try left.dampedFactors(layer)
      let v = try left.pair("\(layer).gradient").right
      expectRatio(.solve(g, try left.step(layer).wrong, v), "G_δ U' = V")
      expectRatio(.solve(a, try right.step(layer).wrong.transposed, v.transposed), "U' A_δ = V")
    }
    left.expectUnchanged(.a, .g, .gradient, .inverse)
    right.expectUnchanged(.a, .g, .gradient, .inverse)
  }

  @Test("M-28: U' = G_δ V A_δ")
  func multiplied() throws {
    let signature = try MistakeSignature("M-28")
    for layer in signature.layers {
      let (a, g) = try signature.dampedFactors(layer)
      let product = LAPACK.dgemm(g, LAPACK.dgemm(try signature.pair("\(layer).gradient").right, a))
      expectRatio(.difference(try signature.step(layer).wrong, product), layer)
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse)
  }

  /// Expects the shifts read back from the wrong inverses to be the given functions of π and √λ,
  /// or of the right shifts, up to 30 κ d ε of the damped factor; and nothing but a shift to differ.
  private func expectShifts(
    _ id: String,
    _ expected: (_ right: (a: Double, g: Double), CurvatureSetting, _ layer: Int) -> (
      a: Double, g: Double
    )
  ) throws {
    let signature = try MistakeSignature(id)
    for (index, layer) in signature.layers.enumerated() {
      let (a, g) = (try signature.pair("\(layer).A").right, try signature.pair("\(layer).G").right)
      let shifts = try #require(MistakeChecks.shifts(signature.setting, a, g))
      let (δA, δG) = expected(shifts, signature.setting, index)
      for (factor, matrix, δ) in [("A", a, δA), ("G", g, δG)] {
        let back = try #require(
          MistakeChecks.readBack(signature.wrong, "\(layer).\(factor)", signature.setting))
        let scale =
          back.condition * Double(matrix.rowCount) * .ulpOfOne
          * LAPACK.norm1(matrix.addingToDiagonal(δ))
        expectAtMost((back.value - δ).magnitude, 30 * scale, "\(id) δ of \(layer).\(factor)")
        expectAtMost(back.rest, 30, "\(id) rest of \(layer).\(factor)")
      }
    }
    signature.expectUnchanged(.a, .g, .gradient)
  }

  @Test("M-29a: read back from the inverses of rule sqrt, δ' = λ")
  func strengthForRoot() throws {
    try expectShifts("M-29a") { _, setting, _ in (setting.lambda, setting.lambda) }
  }

  @Test("M-29b: read back from the inverses of rule factor, δ' = √λ")
  func rootForStrength() throws {
    try expectShifts("M-29b") { _, setting, _ in
      (setting.lambda.squareRoot(), setting.lambda.squareRoot())
    }
  }

  @Test("M-30: the shifts are exchanged: δ_A'/δ_G' = π⁻², δ_A' δ_G' = λ")
  func invertedπ() throws {
    try expectShifts("M-30") { right, setting, _ in
      let square = right.a / right.g
      let ratio = 1 / square
      return ((setting.lambda * ratio).squareRoot(), (setting.lambda / ratio).squareRoot())
    }
  }

  @Test("M-31: δ_A'/δ_G' is d_A/d_G times right, δ_A' δ_G' = λ")
  func withoutSizes() throws {
    try expectShifts("M-31") { right, setting, layer in
      let ratio = right.a / right.g * [8.0 / 11, 12.0 / 3, 4.0 / 5][layer]
      return ((setting.lambda * ratio).squareRoot(), (setting.lambda / ratio).squareRoot())
    }
  }

  @Test("M-32: δ_A'/δ_G' = π⁴, δ_A' δ_G' = λ")
  func rootNotTaken() throws {
    try expectShifts("M-32") { right, setting, _ in
      let ratio = (right.a / right.g) * (right.a / right.g)
      return ((setting.lambda * ratio).squareRoot(), (setting.lambda / ratio).squareRoot())
    }
  }

  @Test("M-33: δ_G' = 0, or both shifts are doubled")
  func oneFactorOrTwice() throws {
    try expectShifts("M-33a") { right, _, _ in (right.a, 0) }
    try expectShifts("M-33b") { right, _, _ in (2 * right.a, 2 * right.g) }
  }

  @Test("M-34: δ_G' is N²/s² times right, δ_A' is right")
  func dampedBeforeRescaling() throws {
    try expectShifts("M-34") { right, _, _ in (right.a, right.g * 289 / 16_384) }
  }

  @Test("M-35: in the eigenbasis the denominators are (α + λ)(γ + λ)")
  func dampedEigenvalues() throws {
    let signature = try MistakeSignature("M-35")
    for layer in signature.layers {
      let a = try LAPACK.dsyev(signature.pair("\(layer).A").right)
      let g = try LAPACK.dsyev(signature.pair("\(layer).G").right)
      func rotated(_ matrix: Matrix) -> Matrix {
        LAPACK.dgemm(LAPACK.dgemm(g.vectors, matrix, transposeA: true), a.vectors)
      }
      let λ = signature.setting.lambda
      let denominators = Matrix(rowCount: g.values.count, columnCount: a.values.count) {
        (a.values[$1] + λ) * (g.values[$0] + λ)
      }
      let u = rotated(try signature.step(layer).wrong)
      let v = rotated(try signature.pair("\(layer).gradient").right)
      // Errors of U relative to its own size are multiplied by the largest denominator.
      let condition = denominators.maximumMagnitude * LAPACK.norm1(u) / LAPACK.norm1(v)
      expectRatio(
        Ratio.difference(u.hadamard(denominators), v).over(condition: max(1, condition)), layer)
    }
    signature.expectUnchanged(.a, .g, .gradient, .secondMoments)
  }
}
