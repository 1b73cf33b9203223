import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes in the split and in CG-FAC (the specification, section 11).
@Suite("Signatures of mistakes: split and conjugate gradients")
struct MistakeSplitTests {
  @Test("M-60: Ĝ' = G; blocks of d + 1; trailing rows of 0")
  func wrongSplits() throws {
    let (whole, wider) = (try MistakeSignature("M-60a"), try MistakeSignature("M-60b"))
    let dropped = try MistakeSignature("M-60c")
    for layer in whole.layers {
      let (a, g) = (try whole.pair("\(layer).A").right, try whole.pair("\(layer).G").right)
      #expect(try whole.pair("\(layer).G.split-3").wrong == g)
      #expect(try wider.pair("\(layer).G.split-3").wrong == g.pinched(blockSize: 4))
      for signature in [whole, wider] {
        let split = try signature.pair("\(layer).A.split-3")
        #expect(split.wrong == split.right)
      }
      for (factor, matrix) in [("A", a), ("G", g)] {
        let (wrong, right) = try dropped.pair("\(layer).\(factor).split-3")
        let kept = matrix.rowCount / 3 * 3
        for i in 0..<matrix.rowCount {
          #expect(i < kept ? wrong.row(i) == right.row(i) : wrong.row(i).norm == 0)
        }
      }
    }
    for signature in [whole, wider, dropped] {
      signature.expectUnchanged(.a, .g, .gradient, .inverse, .step)
    }
  }

  @Test("M-61: P((A + δI)⁻¹) ⪰ (P(A) + δI)⁻¹, and equal where the split cuts nothing")
  func splitAfterInversion() throws {
    let signature = try MistakeSignature("M-61")
    let damping = "inverse.pi.\(signature.setting.lambda)"
    for layer in signature.layers {
      for factor in ["A", "G"] {
        let (wrong, right) = try signature.pair("\(layer).\(factor).split-3.\(damping)")
        let whole = try signature.pair("\(layer).\(factor).\(damping)").right
        #expect(wrong == whole.pinched(blockSize: 3))
        let gap = try LAPACK.dsyev(wrong - right).values.elements
        let budget = 30 * Double(gap.count) * .ulpOfOne * LAPACK.norm1(right)
        let condition = try LAPACK.norm1(LAPACK.dpotri(whole)) * LAPACK.norm1(whole)
        #expect(gap[0] >= -budget * condition, "\(layer).\(factor)")
      }
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse, .step, .split)
    var uncut = signature.setting
    uncut.split = 12
    #expect(try MistakeSignature("M-61", on: uncut).wrong == CurvatureRecipe().dump(uncut))
  }

  @Test("M-64: the counts do not fall with a better start, and are those of the right rule from 0")
  func stopAgainstTheFirstResidual() throws {
    func counts(_ setting: CurvatureSetting) throws -> (wrong: [Double], right: [Double]) {
      let signature = try MistakeSignature("M-64", on: setting)
      let pairs = try signature.layers.map {
        try signature.pair("\($0).iterations.cg-kfac.\(setting.lambda)")
      }
      return (pairs.map { $0.wrong[0, 0] }, pairs.map { $0.right[0, 0] })
    }
    let cold = try counts(.dense)
    #expect(cold.wrong == cold.right && cold.right.allSatisfy { $0 > 0 })
    var near = CurvatureSetting.dense
    let loss = LossGradient(near.network, near.data, near.likelihood)
    for length in [1e-3, 1e-6] {
      near.network = near.start.adding(loss.gradient, scale: -length)
      let warm = try counts(near)
      #expect(warm.right == [0, 0, 0])
      #expect(zip(warm.wrong, cold.wrong).allSatisfy { $0 >= $1 }, "\(warm) after \(cold)")
    }
  }

  @Test("M-65: ⟨V, F'(W)⟩ ≠ ⟨W, F'(V)⟩")
  func twoGradientMatrices() throws {
    let signature = try MistakeSignature("M-65")
    for samples in MistakeChecks.samples(signature.setting) {
      let product = signature.mistake.recipe.product(signature.setting, samples).dense()
      expectDifferent(product, product.transposed, samples.name)
      // By definition: A ⊗ (1/N) Σ_c Y_c Y_{c+1}ᵀ + λI.
      var g = Matrix(rowCount: samples.outputSize, columnCount: samples.outputSize)
      for (c, y) in samples.gradients.enumerated() {
        g.add(
          1 / 17.0, times: LAPACK.dgemm(y, samples.gradients[(c + 1) % 5], transposeB: true))
      }
      let expected = Matrix.kronecker(KFACFactors(samples).a, g)
        .addingToDiagonal(signature.setting.lambda)
      expectRatio(.difference(product, expected), samples.name)
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse, .step)
  }

  @Test("M-66: the product is F_ℓ V + λV; with one example and one column it is the right one")
  func exactBlock() throws {
    let signature = try MistakeSignature("M-66")
    for (layer, samples) in zip(signature.layers, MistakeChecks.samples(signature.setting)) {
      let (wrong, right) = try signature.pair(
        "\(layer).product.cg-kfac.exact.\(signature.setting.lambda)")
      let v = Vector(try signature.pair("\(layer).gradient").right.storage)
      let block = LAPACK.dsyrk(samples.scaledGradients)
      let expected = LAPACK.dgemm(block, v) + signature.setting.lambda * v
      expectRatio(.difference(Vector(wrong.storage), expected), layer)
      expectDifferent(wrong, right, layer)
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse, .step)

    // N = K = 1: one example and the gradient at its label.
    var single = signature.setting
    single.data = single.data.subset([4])
    var empirical = try Mistake.with("M-17").recipe
    let right = empirical.dump(single)
    signature.mistake.change(&empirical)
    let wrong = empirical.dump(single)
    for layer in signature.layers {
      let name = "\(layer).product.cg-kfac.exact.\(single.lambda)"
      expectRatio(.difference(try #require(wrong[name]), try #require(right[name])), name)
    }
  }
}
