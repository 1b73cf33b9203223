import Curvature
import DenseAlgebra
import Foundation
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes about the kind of Fisher matrix (the specification, section 11).
@Suite("Signatures of mistakes: kind of Fisher matrix")
struct MistakeFisherTests {
  /// G of every layer for columns of one of the right kinds, by the library's own road.
  private func factors(_ setting: CurvatureSetting, _ kind: FisherKind) -> [Matrix] {
    let samples = GradientSamples(
      setting.network, setting.data, likelihood: setting.likelihood, kind: kind)
    return samples.blocks.indices.map { KFACFactors(LayerSamples(samples, block: $0)).g }
  }

  /// Expects the wrong G of every layer to be the given ones.
  private func expectFactors(_ signature: MistakeSignature, _ expected: [Matrix]) throws {
    for (layer, g) in zip(signature.layers, expected) {
      expectRatio(
        .difference(try signature.pair("\(layer).G").wrong, g), "\(signature.mistake.id) \(layer)")
    }
  }

  @Test(
    "M-07: G' = M, C or 1/M times the estimate from the same draws; against the exact G there is noise",
    arguments: [("M-07a", 13.0), ("M-07b", 5), ("M-07c", 1 / 13.0)])
  func scaledDraws(_ id: String, _ factor: Double) throws {
    let signature = try MistakeSignature(id)
    let estimate = factors(signature.setting, .monteCarlo(samples: 13, seed: 29))
    try expectFactors(signature, estimate.map { factor * $0 })
    for layer in signature.layers {
      let (wrong, right) = try signature.pair("\(layer).G")
      let scale = wrong.dot(right) / right.dot(right)
      expectDifferent(wrong, scale * right, "rest of \(layer)")
    }
  }

  @Test(
    "M-08: V' = cV and G' = cG with c = 2, 2/C and ½; M-09: G' = 2G with V right",
    arguments: [("M-08a", 2.0), ("M-08b", 2.0 / 5), ("M-08c", 0.5), ("M-09", 2)])
  func squaredError(_ id: String, _ c: Double) throws {
    let signature = try MistakeSignature(id)
    try signature.expectScale("G") { _ in c }
    try signature.expectScale("gradient") { _ in id == "M-09" ? 1 : c }
    signature.expectUnchanged(.a)
  }

  @Test("M-08b cannot be seen with two outputs, where 2/C = 1")
  func twoOutputs() throws {
    let data = CurvatureSetting.gaussian.data
    let network = try Network.multilayerPerceptron(
      widths: [7, 3, 2], activation: .tanh, initialization: .glorot, seed: 1)
    let targets = Matrix(rowCount: 2, columnCount: 17) { Double($0) - Double($1) / 16 }
    let setting = CurvatureSetting(
      name: "two outputs", network: network,
      data: Dataset(name: "two outputs", inputs: data.inputs, targets: .values(targets)),
      likelihood: .gaussian(variance: 1))
    let signature = try MistakeSignature("M-08b", on: setting)
    signature.expectUnchanged(.a, .g, .gradient)
  }

  @Test(
    "M-17: G' is the empirical factor: labels change it, N bounds its rank, perfect fit ends it")
  func empirical() throws {
    let signature = try MistakeSignature("M-17")
    try expectFactors(signature, factors(signature.setting, .empirical))

    var shuffled = signature.setting
    shuffled.data = signature.setting.relabelled { ($0 + 1) % 5 }
    let other = try MistakeSignature("M-17", on: shuffled)
    for layer in signature.layers {
      expectDifferent(
        try signature.pair("\(layer).G").wrong, try other.pair("\(layer).G").wrong, layer)
    }

    // Five examples: rank at most 5 of 11, where the exact factor has more.
    var few = signature.setting
    few.data = few.data.subset([0, 1, 2, 3, 4])
    let (wrong, right) = try MistakeSignature("M-17", on: few).pair("layer1.G")
    let budget = 30 * 11 * Double.ulpOfOne
    let values = try (LAPACK.dsyev(wrong).values.elements, LAPACK.dsyev(right).values.elements)
    #expect(values.0[5] <= budget * values.0[10])
    #expect(values.1[5] > 1e-3 * values.1[10])

    var fitted = CurvatureSetting.gaussian
    fitted.data = Dataset(
      name: "fitted", inputs: fitted.data.inputs,
      targets: .values(fitted.network.forward(fitted.data.inputs).output))
    let ended = try MistakeSignature("M-17", on: fitted)
    for layer in ended.layers { #expect(try ended.pair("\(layer).G").wrong.frobeniusNorm == 0) }
  }

  @Test("M-18: G' is the empirical factor at the most probable labels, whatever the seed")
  func mostProbable() throws {
    let signature = try MistakeSignature("M-18")
    let outputs = signature.setting.network.forward(signature.setting.data.inputs).output
    var relabelled = signature.setting
    relabelled.data = Dataset(
      name: "argmax", inputs: relabelled.data.inputs,
      targets: .labels(
        (0..<outputs.columnCount).map { n in
          let logits = outputs.column(n).elements
          return logits.firstIndex(of: logits.max() ?? .nan) ?? -1
        }))
    try expectFactors(signature, factors(relabelled, .empirical))
    var reseeded = signature.setting
    reseeded.seed += 1
    #expect(try MistakeSignature("M-18", on: reseeded).wrong == signature.wrong)
  }

  @Test("M-19: G' is that of the labels of refresh 0, and repeats itself; fresh labels do not")
  func sampledOnce() throws {
    let signature = try MistakeSignature("M-19")
    let setting = signature.setting
    var generator = SplitMix64(seed: setting.seed)
    var stale = setting
    stale.data = Dataset(
      name: "stale", inputs: setting.data.inputs,
      targets: setting.likelihood.sampledTargets(
        setting.start.forward(setting.data.inputs).output, using: &generator))
    try expectFactors(signature, factors(stale, .empirical))

    var next = setting
    next.refresh += 1
    #expect(try MistakeSignature("M-19", on: next).wrong == signature.wrong)
    let fresh = CurvatureRecipe.monteCarlo
    #expect(fresh.dump(next) != fresh.dump(setting))
  }

  @Test("P-29 accepts fresh labels, so it is the reuse or the missing 1/M that it refuses")
  func freshLabelsPass() {
    let check = MistakeChecks.monteCarloMean(.monteCarlo, .dense)
    #expect(check.value > 0 && check.value <= check.limit, "\(check)")
  }

  @Test("M-20: G' = G + E[(Jᵀp)(Jᵀp)ᵀ], and G'_L 1 = mean p")
  func withoutOuterProduct() throws {
    let signature = try MistakeSignature("M-20")
    let tape = signature.setting.network.forward(signature.setting.data.inputs)
    let p = tape.output.softmax
    let pulled = signature.setting.network.pullback(p, through: tape)
    for (layer, g) in zip(signature.layers, pulled) {
      let (wrong, right) = try signature.pair("\(layer).G")
      let extra = (1 / 17.0) * LAPACK.dgemm(g, g, transposeB: true)
      expectRatio(.difference(wrong, right + extra), layer)
    }
    let last = try signature.pair("layer3.G").wrong
    expectRatio(.difference(last * Vector(repeating: 1, count: 5), p.rowMeans), "G'_L 1")
  }

  @Test("M-21: G'_L = (1/N) Σ SᵀS, whose rows do not sum to 0")
  func transposedRoot() throws {
    let signature = try MistakeSignature("M-21")
    let outputs = signature.setting.network.forward(signature.setting.data.inputs).output
    let roots = Likelihood.categorical.hessianRoots(outputs)
    var sum = Matrix(rowCount: 5, columnCount: 5)
    for n in 0..<17 {
      let s = Matrix(rowCount: 5, columnCount: 5) { i, c in roots[c][i, n] }
      sum.add(1 / 17.0, times: LAPACK.dgemm(s, s, transposeA: true))
    }
    let wrong = try signature.pair("layer3.G").wrong
    expectRatio(.difference(wrong, sum), "G'_L")
    #expect((wrong * Vector(repeating: 1, count: 5)).norm > 1e-3 * wrong.frobeniusNorm)
  }

  @Test("M-22: G'_L is diagonal, the means of 1/p")
  func gradientByProbabilities() throws {
    let signature = try MistakeSignature("M-22")
    let outputs = signature.setting.network.forward(signature.setting.data.inputs).output
    let expected = Matrix.diagonal(outputs.softmax.map { 1 / $0 }.rowMeans.elements)
    expectRatio(.difference(try signature.pair("layer3.G").wrong, expected), "G'_L")
  }
}

extension CurvatureRecipe {
  /// The right Monte-Carlo Fisher: fresh labels at every refresh, each draw with 1/√M.
  static var monteCarlo: CurvatureRecipe {
    var recipe = CurvatureRecipe()
    recipe.columns = { setting, likelihood, outputs in
      FisherKind.monteCarlo(
        samples: setting.sampleCount, seed: setting.seed + setting.refresh
      ).columns(outputs, setting.data.targets, likelihood)
    }
    return recipe
  }
}

extension CurvatureSetting {
  /// The data with every label mapped.
  func relabelled(_ map: (Int) -> Int) -> Dataset {
    guard case .labels(let labels) = data.targets else { preconditionFailure("no labels") }
    return Dataset(name: data.name, inputs: data.inputs, targets: .labels(labels.map(map)))
  }
}

extension Matrix {
  /// softmax of every column, from the definition.
  var softmax: Matrix {
    let sums = (0..<columnCount).map { n in
      (0..<rowCount).reduce(0) { $0 + exp(self[$1, n]) }
    }
    return Matrix(rowCount: rowCount, columnCount: columnCount) {
      exp(self[$0, $1]) / sums[$1]
    }
  }

  /// The mean of each row.
  var rowMeans: Vector {
    self * Vector(repeating: 1 / Double(columnCount), count: columnCount)
  }
}
