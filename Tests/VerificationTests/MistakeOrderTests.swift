import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes of order and shape (the specification, section 11).
@Suite("Signatures of mistakes: order and shape")
struct MistakeOrderTests {
  @Test("M-10: in a square layer U' solves A_δ U' G_δ = V, the factors exchanged")
  func exchangedFactors() throws {
    let signature = try MistakeSignature("M-10")
    let (a, g) = try signature.dampedFactors("layer1")
    let v = try signature.pair("layer1.gradient").right
    let u = try signature.step("layer1").wrong
    #expect(a.rowCount == g.rowCount)
    expectRatio(
      .solve(Matrix.kronecker(g, a), Vector(u.storage), Vector(v.storage)), "A_δ U' G_δ = V")
    signature.expectUnchanged(.a, .g, .gradient, .inverse)
  }

  @Test("M-10: in a layer that is not square nothing has a wrong size either, only wrong values")
  func exchangedFactorsOfDifferentSizes() throws {
    let signature = try MistakeSignature("M-10")
    let (wrong, right) = try signature.step("layer2")
    #expect(wrong.rowCount == 5 && wrong.columnCount == 7)
    expectDifferent(wrong, right, "layer2")
    // The sandwich with exchanged factors does have other sizes: A_δ is 7 × 7, V is 5 × 7.
    #expect(try signature.dampedFactors("layer2").a.columnCount != wrong.rowCount)
  }

  @Test("M-11: V' holds V by rows, or is Vᵀ; then U' = Uᵀ")
  func rowsForColumns() throws {
    let scrambled = try MistakeSignature("M-11a")
    let turned = try MistakeSignature("M-11b")
    for layer in scrambled.layers {
      let (wrong, right) = try scrambled.pair("\(layer).gradient")
      #expect(wrong.storage == right.transposed.storage && wrong.rowCount == right.rowCount)
      #expect(try turned.pair("\(layer).gradient").wrong.transposed == right)
      let step = try turned.step(layer)
      expectRatio(.difference(step.wrong.transposed, step.right), "U' = Uᵀ")
    }
    scrambled.expectUnchanged(.a, .g, .inverse)
    turned.expectUnchanged(.a, .g, .inverse)
  }

  @Test("M-12: A' is one row and column smaller, and U' ends in the raw gradient of the bias")
  func missingBias() throws {
    let signature = try MistakeSignature("M-12")
    for layer in signature.layers {
      let (wrong, right) = try signature.pair("\(layer).A")
      let units = right.rowCount - 1
      #expect(wrong.rowCount == units)
      expectRatio(.difference(wrong, right.block(rows: 0..<units, columns: 0..<units)), layer)
      let v = try signature.pair("\(layer).gradient").right
      let u = try signature.step(layer).wrong
      #expect(u.column(units) == v.column(units))
      // The other columns solve with the smaller factor, under its own π.
      let g = try signature.pair("\(layer).G").right
      let shifts = try #require(MistakeChecks.shifts(signature.setting, wrong, g))
      let rows = 0..<v.rowCount
      expectRatio(
        .solve(
          Matrix.kronecker(wrong.addingToDiagonal(shifts.0), g.addingToDiagonal(shifts.1)),
          Vector(u.block(rows: rows, columns: 0..<units).storage),
          Vector(v.block(rows: rows, columns: 0..<units).storage)), layer)
    }
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-13: A'₀₀ = 1, and A' is A with the last index moved to the front")
  func biasFirst() throws {
    let signature = try MistakeSignature("M-13")
    for layer in signature.layers {
      let (wrong, right) = try signature.pair("\(layer).A")
      let last = right.rowCount - 1
      #expect((wrong[0, 0] - 1).magnitude <= 17 * .ulpOfOne)
      let moved = Matrix(rowCount: last + 1, columnCount: last + 1) {
        right[$0 == 0 ? last : $0 - 1, $1 == 0 ? last : $1 - 1]
      }
      expectRatio(.difference(wrong, moved), layer)
    }
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-14: A' = diag(A_W, 1), and nothing else of A is changed")
  func biasApart() throws {
    let signature = try MistakeSignature("M-14")
    for layer in signature.layers {
      let (wrong, right) = try signature.pair("\(layer).A")
      let last = right.rowCount - 1
      var expected = right
      for i in 0..<last {
        expected[i, last] = 0
        expected[last, i] = 0
      }
      #expect(wrong == expected)
    }
    signature.expectUnchanged(.g, .gradient)
  }
}
