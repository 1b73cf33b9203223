import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// Eigenvectors as the recipe takes them, with one sign.
private func eigenvectors(_ factor: Matrix) throws -> Matrix {
  positiveColumns(try SymmetricEigendecomposition(factor).vectors)
}

/// The signatures of mistakes in second moments (the specification, section 11).
@Suite("Signatures of mistakes: second moments")
struct MistakeSecondMomentTests {
  @Test("M-44b: S' = diag(Q F Qᵀ), with the right trace")
  func transposedBasis() throws {
    let signature = try MistakeSignature("M-44b")
    for (layer, samples) in zip(signature.layers, MistakeChecks.samples(signature.setting)) {
      // Signs of eigenvectors do not cancel in Q F Qᵀ; the recipe makes largest entries positive.
      let qA = try eigenvectors(signature.pair("\(layer).A").right)
      let qG = try eigenvectors(signature.pair("\(layer).G").right)
      let q = Matrix.kronecker(qA, qG)
      let rotated = LAPACK.dgemm(q, samples.scaledGradients)
      let (wrong, right) = try signature.pair("\(layer).second-moments")
      let expected = Matrix(
        rowCount: wrong.rowCount, columnCount: wrong.columnCount,
        storage: LAPACK.dsyrk(rotated).diagonal)
      expectRatio(.difference(wrong, expected), layer)
      expectDifferent(wrong, right, layer)
      let sums = (wrong.storage.reduce(0, +), right.storage.reduce(0, +))
      expectAtMost(
        (sums.0 - sums.1).magnitude, 30 * Double(wrong.storage.count) * .ulpOfOne * sums.1, layer)
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse, .step, .diagonal)
  }

  @Test("M-44c: Q_Gᵀ U' Q_Aᵀ ∘ (S + λ) = Q_G V Q_A")
  func sameRotationTwice() throws {
    let signature = try MistakeSignature("M-44c")
    for layer in signature.layers {
      let qA = try eigenvectors(signature.pair("\(layer).A").right)
      let qG = try eigenvectors(signature.pair("\(layer).G").right)
      let v = try signature.pair("\(layer).gradient").right
      let s = try signature.pair("\(layer).second-moments").right
        .map { $0 + signature.setting.lambda }
      let u = try signature.pair("\(layer).step.ekfac.exact.\(signature.setting.lambda)")
      let rotated = LAPACK.dgemm(LAPACK.dgemm(qG, u.wrong, transposeA: true), qA, transposeB: true)
      let expected = LAPACK.dgemm(LAPACK.dgemm(qG, v), qA)
      // Errors of U relative to its own size are multiplied by the largest S + λ.
      let condition = s.maximumMagnitude * LAPACK.norm1(rotated) / LAPACK.norm1(expected)
      expectRatio(
        Ratio.difference(rotated.hadamard(s), expected).over(condition: max(1, condition)), layer)
      expectDifferent(u.wrong, u.right, layer)
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse, .step, .secondMoments, .diagonal)
  }

  @Test("M-49: D' = V ∘ V, or V ∘ V/N")
  func squaredBatchGradient() throws {
    for (id, scale) in [("M-49a", 1.0), ("M-49b", 1 / 17.0)] {
      let signature = try MistakeSignature(id)
      for layer in signature.layers {
        let v = try signature.pair("\(layer).gradient").right
        expectRatio(
          .difference(try signature.pair("\(layer).diagonal").wrong, scale * v.hadamard(v)), id)
      }
      signature.expectUnchanged(.a, .g, .gradient, .inverse, .step, .secondMoments)
    }
  }

  @Test("M-50: Σ S' = ‖V‖², far below tr F")
  func squaredBatchGradientInTheBasis() throws {
    let signature = try MistakeSignature("M-50")
    for layer in signature.layers {
      let (wrong, right) = try signature.pair("\(layer).second-moments")
      let v = try signature.pair("\(layer).gradient").right
      let (sum, square) = (wrong.storage.reduce(0, +), v.dot(v))
      expectAtMost(
        (sum - square).magnitude, 30 * Double(v.storage.count) * .ulpOfOne * square, layer)
      #expect(sum < 0.5 * right.storage.reduce(0, +))
    }
    signature.expectUnchanged(.a, .g, .gradient, .inverse, .step, .diagonal)
  }

  /// P-23, for squares of entries: over all label vectors, weighted by their probability.
  @Test("M-49 and M-50: over the model's labels D' and S' are in the mean 1/N, and 1/N², of right")
  func meanOverLabels() throws {
    let network = try Network.multilayerPerceptron(
      widths: [3, 5, 3], activation: .tanh, initialization: .normal(standardDeviation: 0.7), seed: 8
    )
    let inputs = CurvatureSetting.sequence.data.inputs.block(rows: 0..<3, columns: 0..<3)
    let p = network.forward(inputs).output.softmax
    var means: [String: Matrix] = [:]
    var right: CurvatureDump?
    for index in 0..<27 {
      let labels = [index % 3, index / 3 % 3, index / 9]
      let weight = labels.enumerated().reduce(1) { $0 * p[$1.element, $1.offset] }
      let setting = CurvatureSetting(
        name: "enumerated", network: network,
        data: Dataset(name: "enumerated", inputs: inputs, targets: .labels(labels)),
        likelihood: .categorical)
      right = CurvatureRecipe().dump(setting)
      for (id, quantity) in [
        ("M-49a", "diagonal"), ("M-49b", "diagonal"), ("M-50", "second-moments"),
      ] {
        let dump = try Mistake.with(id).dump(setting)
        for layer in ["layer1", "layer2"] {
          // EKFAC is left out where its basis is not determined: A of layer 2 has rank 3 of 6.
          guard let value = dump["\(layer).\(quantity)"] else { continue }
          means["\(id) \(layer).\(quantity)", default: 0 * value].add(weight, times: value)
        }
      }
    }
    #expect(means.count == 5)
    for (key, mean) in means {
      let name = String(key.split(separator: " ")[1])
      let exact = try #require(right?[name])
      let scale = key.hasPrefix("M-49b") ? 9.0 : 3.0
      expectRatio(.difference(scale * mean, exact), key)
    }
  }

  @Test("M-51: Σ S' is the sum of |g|²|ā|² of single positions; a layer without sharing is right")
  func squaredBeforeTheSum() throws {
    let signature = try MistakeSignature("M-51")
    let shared = MistakeChecks.samples(signature.setting)[0]
    var sum = 0.0
    for g in shared.gradients {
      for column in 0..<g.columnCount {
        let (x, y) = (shared.inputs.column(column), g.column(column))
        sum += x.dot(x) * y.dot(y) / 17
      }
    }
    let (wrong, right) = try signature.pair("layer1.second-moments")
    expectAtMost(
      (wrong.storage.reduce(0, +) - sum).magnitude,
      30 * Double(wrong.storage.count) * .ulpOfOne * sum)
    #expect((right.storage.reduce(0, +) - sum).magnitude > 1e-3 * sum)
    let last = try signature.pair("layer2.second-moments")
    #expect(last.wrong == last.right)
    signature.expectUnchanged(.a, .g, .gradient, .inverse, .step, .diagonal)
  }
}
