import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Where KFAC is the exact block, and where it must not be (spec 4.2).
@Suite("KFAC is exact where theory says so, and only there")
struct KFACExactnessTests {
  /// Expects A ⊗ G and EKFAC to be the exact block of the given layers (P-87 says EKFAC too).
  func expectExact(_ test: CurvatureCase, layers: [Int]? = nil) throws {
    for index in layers ?? Array(test.samples.blocks.indices) {
      let layer = test.layers[index]
      let exact = test.defined[index].fisher
      let kfac = try KroneckerBlock.kfac(layer).dense(within: .standard)
      expectRatio(.difference(kfac, exact), "\(test), layer \(index)", seed: test.seed)
      let ekfac = try EigenbasisBlock.ekfac(layer).dense(within: .standard)
      expectRatio(.difference(ekfac, exact), "EKFAC, \(test), layer \(index)", seed: test.seed)
    }
  }

  func expectInexact(_ test: CurvatureCase, layer: Int) throws {
    let kfac = try KroneckerBlock.kfac(test.layers[layer]).dense(within: .standard)
    expectDifferent(
      kfac, test.defined[layer].fisher, relative: 0.02, "\(test)", seed: test.seed)
  }

  @Test("T1, P-48: one example, any network, likelihood and Fisher kind", arguments: 0..<9)
  func oneExampleIsExact(index: Int) throws {
    for activation in [Activation.tanh, .logistic, .softplus] {
      let source = RandomNetwork(
        .perceptron, activation, RandomNetwork.likelihoods[index % 3], seed: UInt64(index),
        exampleCount: 1)
      try expectExact(CurvatureCase(source, CurvatureCase.kinds[index / 3]))
    }
  }

  @Test("T2, P-49: identical inputs", arguments: RandomNetwork.likelihoods)
  func identicalInputsAreExact(likelihood: Likelihood) throws {
    let source = RandomNetwork(.perceptron, .tanh, likelihood, seed: 4, exampleCount: 1)
    let repeated = source.data.subset([0, 0, 0, 0, 0])
    let samples = GradientSamples(
      source.network, repeated, likelihood: likelihood, kind: .exact)
    for index in samples.blocks.indices {
      let kfac = KroneckerBlock.kfac(LayerSamples(samples, block: index))
      expectRatio(
        .difference(
          try kfac.dense(within: .standard), DefinedLayer(samples, block: index).fisher))
    }
  }

  @Test("T3, P-50: deep linear, Gaussian, exact Fisher", arguments: 1...4 as ClosedRange<UInt64>)
  func deepLinearIsExact(seed: UInt64) throws {
    try expectExact(
      CurvatureCase(
        RandomNetwork(
          .perceptron, .identity, .gaussian(variance: 0.7), seed: seed, exampleCount: 9)))
  }

  @Test("T3: every cross-layer block A_ℓm ⊗ G_ℓm is exact too")
  func deepLinearCrossBlocksAreExact() {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .identity, .gaussian(variance: 0.7), seed: 2, exampleCount: 9))
    let fisher = test.fisher
    let offsets = test.samples.layout.offsets
    for (l, first) in test.defined.enumerated() {
      for (m, second) in test.defined.enumerated() {
        let crossing = crossFactors(first, second)
        let block = fisher.block(
          rows: offsets[l]..<offsets[l] + first.size,
          columns: offsets[m]..<offsets[m] + second.size)
        expectRatio(.difference(kronecker(crossing.a, crossing.g), block), "\(l), \(m)")
      }
    }
  }

  @Test("D4, P-51: the empirical Fisher of a deep linear network is not a Kronecker product")
  func empiricalDeepLinearIsNotExact() throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let source = RandomNetwork(
        .perceptron, .identity, .gaussian(variance: 0.7), seed: seed, exampleCount: 9)
      try expectInexact(CurvatureCase(source, .empirical), layer: 0)
    }
  }

  @Test("T4, P-52: the last layer under a Gaussian, any network; G is I/σ²")
  func gaussianLastLayerIsExact() throws {
    for activation in Activation.allCases {
      let test = CurvatureCase(
        RandomNetwork(
          .perceptron, activation, .gaussian(variance: 0.7), seed: 8, exampleCount: 11))
      let last = test.samples.blocks.count - 1
      try expectExact(test, layers: [last])
      let g = KFACFactors(test.layers[last]).g
      expectRatio(.difference(g, (1 / 0.7) * .identity(g.rowCount)))
    }
  }

  @Test("T5, P-53: a zero last layer under softmax and Bernoulli; G in closed form")
  func zeroLastLayerIsExact() throws {
    for likelihood in [Likelihood.categorical, .bernoulli] {
      let source = RandomNetwork(.perceptron, .tanh, likelihood, seed: 6, exampleCount: 8)
      var network = source.network
      let last = network.parameters.count - 1
      let weights = network.parameters[last].weights
      network.parameters[last].weights = 0 * weights
      let samples = GradientSamples(
        network, source.data, likelihood: likelihood, kind: .exact)
      let c = weights.rowCount
      let expected =
        likelihood == .bernoulli
        ? 0.25 * Matrix.identity(c)
        : Matrix(rowCount: c, columnCount: c) {
          (($0 == $1 ? 1 : 0) - 1 / Double(c)) / Double(c)
        }
      let layer = LayerSamples(samples, block: last)
      expectRatio(.difference(KFACFactors(layer).g, expected), "\(likelihood)")
      expectRatio(
        .difference(
          try KroneckerBlock.kfac(layer).dense(within: .standard),
          DefinedLayer(samples, block: last).fisher))
    }
  }

  @Test("T6: linear regression with a Gaussian", arguments: 1...3 as ClosedRange<UInt64>)
  func linearRegressionIsExact(seed: UInt64) throws {
    let network = try Network.multilayerPerceptron(
      widths: [4, 3], activation: .identity, initialization: .normal(standardDeviation: 1),
      seed: seed)
    var generator = Generator(seed: seed)
    let likelihood = Likelihood.gaussian(variance: 2.5)
    let data = drawn(network, generator.normal(4, 9), likelihood, seed: seed)
    let samples = GradientSamples(network, data, likelihood: likelihood, kind: .exact)
    expectRatio(
      .difference(
        try KroneckerBlock.kfac(LayerSamples(samples, block: 0)).dense(within: .standard),
        DefinedLayer(samples, block: 0).fisher))
  }

  @Test("D8, P-54: a generic nonlinear network is not exact")
  func genericNetworksAreNotExact() throws {
    for (index, likelihood) in RandomNetwork.likelihoods.enumerated() {
      let source = RandomNetwork(
        .perceptron, .tanh, likelihood, seed: UInt64(21 + index), exampleCount: 12)
      try expectInexact(CurvatureCase(source), layer: 0)
    }
  }

  @Test("P-55, P-56: the error is the covariance of the two second moments")
  func errorIsTheCovariance() throws {
    for test in CurvatureCase.dense {
      for (index, layer) in test.defined.enumerated() {
        let (a, g) = layer.factors()
        let n = Double(layer.exampleCount)
        var covariance = Matrix(rowCount: layer.size, columnCount: layer.size)
        var traces = 0.0
        for example in 0..<layer.exampleCount {
          let (ā, Γ) = layer.outerProducts(ofExample: example)
          covariance.add(1 / n, times: kronecker(ā - a, Γ - g))
          traces += (ā.trace - a.trace) * (Γ.trace - g.trace) / n
        }
        let kfac = try KroneckerBlock.kfac(test.layers[index]).dense(within: .standard)
        let scale = max(LAPACK.norm1(kfac), LAPACK.norm1(layer.fisher))
        if scale == 0 { continue }
        expectRatio(
          Ratio(layer.fisher - kfac, against: covariance, size: layer.size, scale: scale),
          "\(test), layer \(index)", seed: test.seed)
        let exact = ExactFisher(test.samples)
        let trace = exact.layers[index].scaledGradients
        expectAtMost(
          abs(LAPACK.dsyrk(trace).trace - kfac.trace - traces), 0,
          slack: 30 * Double(layer.size) * .ulpOfOne * (kfac.trace + layer.fisher.trace),
          "\(test), layer \(index)")
      }
    }
  }

  @Test("P-57: the bias corner of A is 1 and the bias block of KFAC is the exact one")
  func biasBlockIsExact() throws {
    for test in CurvatureCase.dense {
      for (index, layer) in test.defined.enumerated() {
        let a = KFACFactors(test.layers[index]).a
        let last = layer.inputSize - 1
        expectRatio(.difference(Vector([a[last, last]]), Vector([1])))
        let rows = last * layer.outputSize..<layer.size
        let exact = layer.fisher.block(rows: rows, columns: rows)
        if frobenius(exact) == 0 { continue }
        expectRatio(
          .difference(
            try KroneckerBlock.kfac(test.layers[index]).dense(within: .standard)
              .block(rows: rows, columns: rows), exact), "\(test), layer \(index)")
      }
    }
  }

  @Test("P-58: TKFAC and EKFAC do not keep the bias block")
  func otherStructuresLoseTheBiasBlock() throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, .categorical, seed: 21, exampleCount: 12))
    let layer = test.defined[0]
    let rows = (layer.inputSize - 1) * layer.outputSize..<layer.size
    let exact = layer.fisher.block(rows: rows, columns: rows)
    let tkfac = try KroneckerBlock.tkfac(test.layers[0]).dense(within: .standard)
    let ekfac = try EigenbasisBlock.ekfac(test.layers[0]).dense(within: .standard)
    expectDifferent(tkfac.block(rows: rows, columns: rows), exact)
    expectDifferent(ekfac.block(rows: rows, columns: rows), exact)
  }

  @Test("P-37: duplicating or permuting the examples changes nothing")
  func factorsAreMeans() throws {
    let source = RandomNetwork(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 7)
    let samples = { (indices: [Int]) in
      GradientSamples(
        source.network, source.data.subset(indices), likelihood: source.likelihood, kind: .exact)
    }
    let once = samples(Array(0..<7))
    for other in [samples([3, 1, 0, 6, 5, 4, 2]), samples((0..<14).map { $0 % 7 })] {
      let first = KFACFactors(LayerSamples(once, block: 0))
      let second = KFACFactors(LayerSamples(other, block: 0))
      expectRatio(.difference(second.a, first.a))
      expectRatio(.difference(second.g, first.g))
      expectRatio(
        .difference(
          try ExactFisher(other).dense(within: .standard),
          try ExactFisher(once).dense(within: .standard)))
    }
  }
}

/// A_ℓm = (1/N) X_ℓ X_mᵀ and G_ℓm = (1/N) Σ_c Y_ℓ Y_mᵀ of two layers without sharing (spec 4.1).
func crossFactors(_ first: DefinedLayer, _ second: DefinedLayer) -> (a: Matrix, g: Matrix) {
  let n = Double(first.exampleCount)
  let (x, y) = (first.block.uses[0], second.block.uses[0])
  var g = Matrix(rowCount: first.outputSize, columnCount: second.outputSize)
  for (left, right) in zip(x.gradients, y.gradients) {
    g.add(1 / n, times: LAPACK.dgemm(left, right, transposeB: true))
  }
  return ((1 / n) * LAPACK.dgemm(x.inputs, y.inputs, transposeB: true), g)
}
