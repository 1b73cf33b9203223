import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

extension Checks {
  /// A ⊗ G of a layer is its exact block.
  mutating func kfacIsExact(_ samples: GradientSamples, block index: Int) throws {
    let exact = DefinedLayer(samples, block: index).fisher
    let kfac = try KroneckerBlock.kfac(LayerSamples(samples, block: index)).dense(within: .standard)
    equal(kfac, exact, scale: floored(exact), samples.blocks[index].name)
  }
}

/// Where KFAC is the exact block, and where it must not be (spec 4.2).
@Suite("KFAC is exact where theory says so, and only there")
struct KFACExactnessTests {
  /// One example each; the last layer at least is used at one position.
  static let oneExample = NetworkCase.all.withUnsharedLastLayer.with { $0.exampleCount = 1 }

  @Test("P-48: KFAC is exact with one example (T1), any network, likelihood and Fisher kind")
  func oneExampleIsExact() {
    property("P-48", .equal, oracle: "definition, dsyrk", over: Self.oneExample) { test, checks in
      let samples = test.curvature.samples
      for (index, block) in samples.blocks.enumerated()
      where block.uses.count == 1 && block.uses[0].positions == 1 {
        try checks.kfacIsExact(samples, block: index)
      }
    }
  }

  @Test("P-49: KFAC is exact with identical inputs (T2), whatever the labels")
  func identicalInputsAreExact() {
    property("P-49", .equal, oracle: "definition, dsyrk", over: Self.oneExample) { test, checks in
      let one = test.problem
      let copies = 2 + Int(test.seed % 6)
      let inputs = Matrix(rowCount: one.data.inputs.rowCount, columnCount: copies) { i, _ in
        one.data.inputs[i, 0]
      }
      let data = drawn(one.network, inputs, test.likelihood, seed: test.seed)
      let samples = GradientSamples(
        one.network, data, likelihood: test.likelihood, kind: test.kind)
      for (index, block) in samples.blocks.enumerated()
      where block.uses.count == 1 && block.uses[0].positions == 1 {
        try checks.kfacIsExact(samples, block: index)
      }
    }
  }

  @Test("P-50: KFAC and every cross-layer block are exact for deep linear Gaussian networks (T3)")
  func deepLinearIsExact() {
    let cases = NetworkCase.exact.filter {
      [.perceptron, .biasFree, .residual].contains($0.architecture)
    }.with {
      $0.activation = .identity
      $0.likelihood = .gaussian(variance: $0.pick([0.01, 0.7, 100]))
    }
    property("P-50", .equal, oracle: "definition, dgemm", over: cases) { test, checks in
      let curvature = test.curvature
      let fisher = try ExactFisher(curvature.samples).dense(within: .standard)
      let offsets = curvature.samples.layout.offsets
      let layers = curvature.defined
      for (l, first) in layers.enumerated() {
        try checks.kfacIsExact(curvature.samples, block: l)
        for (m, second) in layers.enumerated() {
          let (a, g) = crossFactors(first, second)
          let block = fisher.block(
            rows: offsets[l]..<offsets[l] + first.size,
            columns: offsets[m]..<offsets[m] + second.size)
          // |F_ℓm| is at most the geometric mean of the diagonal blocks; its sums may cancel to less.
          let scale = (floored(first.fisher) * floored(second.fisher)).squareRoot()
          checks.equal(block, kronecker(a, g), scale: scale, "block \(l), \(m)")
        }
      }
    }
  }

  @Test("P-51: the empirical Fisher of a deep linear network is not a Kronecker product")
  func empiricalDeepLinearIsNotExact() {
    let cases = NetworkCase.generic.with {
      $0.activation = .identity
      $0.likelihood = .gaussian(variance: 0.7)
      $0.kind = .empirical
    }
    property("P-51", .counterProperty, oracle: "definition, dsyrk", over: cases) { test, checks in
      let curvature = test.curvature
      checks.different(
        try KroneckerBlock.kfac(curvature.layers[0]).dense(within: .standard),
        curvature.defined[0].fisher)
    }
  }

  @Test("P-52: the last layer under a Gaussian is A ⊗ I/σ² in any network (T4)")
  func gaussianLastLayerIsExact() {
    let cases = NetworkCase.exact.withUnsharedLastLayer.with {
      $0.likelihood = .gaussian(variance: $0.pick([0.01, 0.7, 100]))
    }
    property("P-52", .equal, oracle: "closed form", over: cases) { test, checks in
      guard case .gaussian(let variance) = test.likelihood else { return }
      let curvature = test.curvature
      let last = curvature.samples.blocks.count - 1
      try checks.kfacIsExact(curvature.samples, block: last)
      let factors = KFACFactors(curvature.layers[last])
      checks.equal(factors.g, (1 / variance) * .identity(factors.g.rowCount), "G = I/σ²")
      let layer = curvature.defined[last]
      checks.equal(
        try ExactFisher.blocks(of: curvature.samples)[last].dense(within: .standard),
        kronecker(layer.factors().a, (1 / variance) * .identity(layer.outputSize)), "F = A ⊗ I/σ²")
    }
  }

  @Test("P-53: a zero last layer is exact under softmax and Bernoulli (T5); G in closed form")
  func zeroLastLayerIsExact() {
    let cases = NetworkCase.exact.withUnsharedLastLayer.with {
      if case .gaussian = $0.likelihood { $0.likelihood = .categorical }
    }
    property("P-53", .equal, oracle: "closed form", over: cases) { test, checks in
      let source = test.problem
      var network = source.network
      let last = network.parameters.count - 1
      network.parameters[last].weights = 0 * network.parameters[last].weights
      let samples = GradientSamples(
        network, source.data, likelihood: test.likelihood, kind: .exact)
      let c = network.outputCount
      let expected =
        test.likelihood == .bernoulli
        ? 0.25 * Matrix.identity(c)
        : Matrix(rowCount: c, columnCount: c) {
          (($0 == $1 ? 1 : 0) - 1 / Double(c)) / Double(c)
        }
      try checks.kfacIsExact(samples, block: last)
      checks.equal(KFACFactors(LayerSamples(samples, block: last)).g, expected, "G")
      checks.equal(
        try ExactFisher.blocks(of: samples)[last].dense(within: .standard),
        kronecker(DefinedLayer(samples, block: last).factors().a, expected), "F")
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

  @Test("P-54: in a generic tanh network KFAC is not the exact block")
  func genericNetworksAreNotExact() {
    property("P-54", .counterProperty, oracle: "definition, dsyrk", over: NetworkCase.generic) {
      test, checks in
      let curvature = test.curvature
      checks.different(
        try KroneckerBlock.kfac(curvature.layers[0]).dense(within: .standard),
        curvature.defined[0].fisher)
    }
  }

  @Test("P-55: F − A ⊗ G = E[(āāᵀ − A) ⊗ (Γ − G)]")
  func errorIsTheCovariance() {
    property(
      "P-55", .equal, oracle: "definition", over: NetworkCase.all.withUnsharedLastLayer, share: 0.5
    ) { test, checks in
      let curvature = test.curvature
      let exact = ExactFisher.blocks(of: curvature.samples)
      for (index, layer) in curvature.defined.enumerated() where layer.positions == 1 {
        let (a, g) = layer.factors()
        let n = Double(layer.exampleCount)
        var covariance = Matrix(rowCount: layer.size, columnCount: layer.size)
        for example in 0..<layer.exampleCount {
          let (ā, Γ) = layer.outerProducts(ofExample: example)
          covariance.add(1 / n, times: kronecker(ā - a, Γ - g))
        }
        let kfac = try KroneckerBlock.kfac(curvature.layers[index]).dense(within: .standard)
        checks.equal(
          try exact[index].dense(within: .standard) - kfac, covariance,
          scale: max(floored(kfac), floored(layer.fisher)), layer.block.name)
      }
    }
  }

  @Test("P-56: tr F − tr A tr G is the covariance of ‖ā‖² and tr Γ over the examples")
  func traceErrorIsTheCovariance() {
    property(
      "P-56", .equal, oracle: "definition", over: NetworkCase.all.withUnsharedLastLayer
    ) { test, checks in
      let curvature = test.curvature
      let exact = ExactFisher.blocks(of: curvature.samples)
      for (index, layer) in curvature.defined.enumerated() where layer.positions == 1 {
        let n = Double(layer.exampleCount)
        let squares = (0..<layer.exampleCount).map { example in
          let (ā, Γ) = layer.outerProducts(ofExample: example)
          return (a: ā.trace, g: Γ.trace)
        }
        let (meanA, meanG) = (
          squares.reduce(0) { $0 + $1.a } / n, squares.reduce(0) { $0 + $1.g } / n
        )
        let covariance = squares.reduce(0) { $0 + ($1.a - meanA) * ($1.g - meanG) } / n
        let factors = KFACFactors(curvature.layers[index])
        let traces = (
          try exact[index].dense(within: .standard).trace, factors.a.trace * factors.g.trace
        )
        checks.equal(
          traces.0 - traces.1, covariance, size: layer.size,
          scale: max(traces.0 + traces.1, 1e-290), layer.block.name)
      }
    }
  }

  @Test("P-57: the bias corner of A is 1 and the bias block of KFAC is the exact one")
  func biasBlockIsExact() {
    property(
      "P-57", .equal, oracle: "definition, dsyrk",
      over: NetworkCase.all.withUnsharedLastLayer.filter { $0.architecture != .biasFree }
    ) { test, checks in
      let curvature = test.curvature
      for (index, layer) in curvature.defined.enumerated() where layer.positions == 1 {
        let a = KFACFactors(curvature.layers[index]).a
        let last = layer.inputSize - 1
        checks.equal(a[last, last], 1, "the corner of A")
        let rows = last * layer.outputSize..<layer.size
        let exact = layer.fisher.block(rows: rows, columns: rows)
        checks.equal(
          try KroneckerBlock.kfac(curvature.layers[index]).dense(within: .standard)
            .block(rows: rows, columns: rows), exact, scale: floored(exact), layer.block.name)
      }
    }
  }

  @Test("P-58: TKFAC and EKFAC do not keep the bias block")
  func otherStructuresLoseTheBiasBlock() {
    property("P-58", .counterProperty, oracle: "definition, dsyrk", over: NetworkCase.generic) {
      test, checks in
      let curvature = test.curvature
      let layer = curvature.defined[0]
      let rows = (layer.inputSize - 1) * layer.outputSize..<layer.size
      let exact = layer.fisher.block(rows: rows, columns: rows)
      let tkfac = try KroneckerBlock.tkfac(curvature.layers[0]).dense(within: .standard)
      let ekfac = try EigenbasisBlock.ekfac(curvature.layers[0]).dense(within: .standard)
      // TKFAC keeps it where Γ has the same shape for all examples, so it may come near.
      checks.different(
        tkfac.block(rows: rows, columns: rows), exact, relative: 1e-6, "TKFAC")
      checks.different(
        ekfac.block(rows: rows, columns: rows), exact, relative: 1e-6, "EKFAC")
    }
  }

  @Test("P-37: duplicating or permuting the examples leaves KFAC's factors and F as they are")
  func factorsAreMeans() {
    property(
      "P-37", .equal, oracle: "the same code on other data",
      over: NetworkCase.all.filter { [.exact, .empirical].contains($0.kind) }
    ) { test, checks in
      let source = test.problem
      let n = source.data.count
      func samples(_ indices: [Int]) -> GradientSamples {
        GradientSamples(
          source.network, source.data.subset(indices), likelihood: source.likelihood,
          kind: test.kind)
      }
      let once = samples(Array(0..<n))
      let exact = try ExactFisher(once).dense(within: .standard)
      /// A sum of m terms errs by m ε, whatever the size of the matrix; here m is 3 N K T.
      func scale(_ m: Matrix, positions: Int) -> Double {
        let terms = Double(3 * n * once.columnCount * positions)
        return floored(m) * max(1, terms / Double(m.rowCount))
      }
      var random = SplitMix64(seed: test.seed)
      for other in [samples(random.permutation(n)), samples((0..<3 * n).map { $0 % n })] {
        checks.equal(
          try ExactFisher(other).dense(within: .standard), exact,
          scale: scale(exact, positions: 1), "F")
        for index in once.blocks.indices {
          let layer = LayerSamples(once, block: index)
          let first = KFACFactors(layer)
          let second = KFACFactors(LayerSamples(other, block: index))
          checks.equal(
            second.a, first.a, scale: scale(first.a, positions: layer.positions), "A")
          checks.equal(
            second.g, first.g, scale: scale(first.g, positions: layer.positions), "G")
        }
      }
    }
  }
}
