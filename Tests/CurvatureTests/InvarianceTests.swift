import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// One network in two coordinate systems: do the steps realise the same function? (spec 4.8)
@Suite("Invariance of the step under a change of coordinates")
struct InvarianceTests {
  /// Affine twins whose factors can be inverted with eight digits to spare.
  static let affine = TwinCase.cases(.affine).filter {
    guard let κ = try? $0.twins.factorCondition else { return false }
    return κ < 1e8
  }
  static let orthogonal = TwinCase.cases(.orthogonal)

  @Test("The twins are one function")
  func twinsAgree() throws {
    for map in [TwinCase.Map.affine, .orthogonal] {
      for test in TwinCase.cases(map).edges {
        let outputs = try test.twins.outputs
        expectRatio(.difference(outputs[1], outputs[0]), "\(test)")
      }
    }
  }

  @Test("P-72: the undamped KFAC step ignores affine input maps and tanh ↔ logistic")
  func undampedKFACIsInvariant() {
    property("P-72", .equal, oracle: "the same function in other coordinates", over: Self.affine) {
      test, checks in
      let twins = try test.twins
      let κ = try twins.factorCondition
      let start = twins.outputs[0]
      // Softmax has a singular G in the last layer: the pseudo-inverse is invariant too.
      let rules: [DampingRule] = test.likelihood == .categorical ? [.none] : [.none, .factor]
      for rule in rules {
        let after = try twins.outputsAfterStep(.kfac, rule, 0)
        // An inverse multiplies by κ; the step moves the outputs by their difference.
        let scale = κ * (LAPACK.norm1(start) + LAPACK.norm1(after[0] - start))
        checks.equal(after[1], after[0], scale: scale, "\(rule), over κ")
      }
    }
  }

  @Test("P-72: so does the step of the exact blocks")
  func exactBlocksAreInvariant() {
    let cases = Self.affine.filter {
      guard let κ = try? $0.twins.blockCondition else { return false }
      return κ < 1e8
    }
    property("P-72", .equal, oracle: "the same function in other coordinates", over: cases) {
      test, checks in
      let twins = try test.twins
      let start = twins.outputs[0]
      let κ = try twins.blockCondition
      let after = try twins.outputsAfterStep(.blockDiagonal, .none, 0)
      let scale = κ * (LAPACK.norm1(start) + LAPACK.norm1(after[0] - start))
      checks.equal(after[1], after[0], scale: scale, "over κ")
    }
  }

  @Test("P-73: the damped KFAC step ignores orthogonal input maps")
  func orthogonalMapsAreHarmless() {
    property(
      "P-73", .equal, oracle: "the same function in other coordinates",
      over: Self.orthogonal.filter { !$0.logistic }
    ) { test, checks in
      let twins = try test.twins
      let start = twins.outputs[0]
      let λ = [0.01, 0.1, 1, 10][Int(test.seed % 4)]
      for rule in [DampingRule.sqrt, .factor, .pi, .exact] {
        let after = try twins.outputsAfterStep(.kfac, rule, λ)
        var κ = 1.0
        for samples in twins.samples {
          for index in samples.blocks.indices {
            let (a, g) = DefinedLayer(samples, block: index).factors()
            κ = max(κ, try condition(damped(a, g, rule, λ)))
          }
        }
        let scale = κ * (LAPACK.norm1(start) + LAPACK.norm1(after[0] - start))
        checks.equal(after[1], after[0], scale: scale, "\(rule), λ = \(λ), over κ")
      }
    }
  }

  @Test("P-74: the damped KFAC step depends on affine input maps")
  func dampedKFACIsNotAffineInvariant() {
    property("P-74", .counterProperty, oracle: "search of generic twins", over: Self.affine) {
      test, checks in
      let twins = try test.twins
      let start = twins.outputs[0]
      for rule in [DampingRule.sqrt, .factor, .pi, .exact] {
        // A map of the inputs changes the first layer's coordinates only.
        let after = try twins.outputsAfterStep(.kfac, rule, 0.3, onlyLayer: 0)
        checks.different(after[1] - start, after[0] - start, relative: 1e-4, "\(rule)")
      }
    }
  }

  @Test("P-99: undamped diagonal, EKFAC, TKFAC and nearest-Kronecker steps see affine input maps")
  func othersAreNotAffineInvariant() {
    // Layers of width 1 are their own diagonal, and Γ of one output factors out.
    let generic = Self.affine.filter {
      $0.inputs > 1 && $0.hidden > 1 && $0.outputs > 1 && $0.likelihood != .categorical
    }
    property("P-99", .counterProperty, oracle: "search of generic twins", over: generic) {
      test, checks in
      let twins = try test.twins
      let start = twins.outputs[0]
      for (kind, rule) in [
        (StructureKind.diagonal, DampingRule.none), (.ekfac, .none), (.tkfac, .factor),
        (.nearestKronecker, .factor),
      ] {
        let after = try twins.outputsAfterStep(kind, rule, 0, onlyLayer: 0)
        checks.different(after[1] - start, after[0] - start, relative: 1e-4, "\(kind)")
      }
    }
  }

  @Test(
    "Under orthogonal maps EKFAC, TKFAC, nearest Kronecker, KL, the exact F are invariant too",
    arguments: 1...4 as ClosedRange<UInt64>)
  func orthogonalMapsAreHarmlessToOthers(seed: UInt64) throws {
    let twins = try TwinCase(
      inputs: 3, hidden: 4, outputs: 2, likelihood: .gaussian(variance: 0.7), logistic: false,
      map: .orthogonal, seed: seed
    ).twins
    for (kind, rule) in [
      (StructureKind.ekfac, DampingRule.exact), (.tkfac, .sqrt), (.nearestKronecker, .pi),
      (.exact, .exact), (.blockTridiagonal, .pi), (.klKronecker, .exact),
    ] {
      let outputs = try twins.outputsAfterStep(kind, rule, 0.1)
      expectAtMost(
        frobenius(outputs[1] - outputs[0]), 1e-9 * frobenius(outputs[0]), "\(kind) \(rule)",
        seed: seed)
    }
    let diagonal = try twins.outputsAfterStep(.diagonal, .exact, 0.1)
    expectDifferent(diagonal[1], diagonal[0], relative: 1e-4, "diagonal")
  }

  @Test("P-76: permuted hidden units permute the damped KFAC step: one function after it")
  func hiddenUnitsMayBePermuted() {
    property(
      "P-76", .equal, oracle: "the permuted step", over: NetworkCase.all.chains, share: 0.5
    ) { test, checks in
      let curvature = test.curvature
      let source = curvature.source
      let units = source.network.parameters[0].weights.rowCount
      var random = SplitMix64(seed: test.seed)
      let order = random.permutation(units)
      /// Rows of the first layer and columns of the second in the new order.
      func permuted(_ v: ParameterVector) -> ParameterVector {
        var result = v
        for (unit, old) in order.enumerated() {
          for j in 0..<v.blocks[0].columnCount { result.blocks[0][unit, j] = v.blocks[0][old, j] }
          for i in 0..<v.blocks[1].rowCount { result.blocks[1][i, unit] = v.blocks[1][i, old] }
        }
        return result
      }
      var other = source.network
      let weights = permuted(source.network.parameterVector)
      for (index, block) in weights.blocks.enumerated() { other.parameters[index].weights = block }
      let samples = GradientSamples(
        other, source.data, likelihood: test.likelihood, kind: test.kind)
      let gradient = LossGradient(other, source.data, test.likelihood).gradient
      let sensitivity = exponentSensitivity(source.network, source.data.inputs)
      // One layer's gradient may cancel; its terms do not.
      let sizes = termSizes(curvature)
      let isBalanced = curvature.defined.allSatisfy(\.hasFiniteBalance)
      for rule in [DampingRule.sqrt, .factor, .pi, .exact] where rule != .pi || isBalanced {
        let λ = test.pick([10, 0.1, 1e-4])
        let expected = permuted(
          try StructureKind.kfac.build(curvature.samples).damped(rule, λ).solve(curvature.gradient))
        let step = try StructureKind.kfac.build(samples).damped(rule, λ).solve(gradient)
        for (index, layer) in curvature.defined.enumerated() {
          let (a, g) = layer.factors()
          let matrix = damped(a, g, rule, λ)
          let smallest = try LAPACK.dsyevd(matrix).values[0]
          // δu = M⁻¹(δb − δM u): what round-off in gradient and matrix does to the step.
          let scale =
            sensitivity
            * (sizes[index] + LAPACK.norm1(matrix)
              * LAPACK.norm1(
                Matrix(column: Vector(expected.blocks[index].storage)))) / smallest
          checks.equal(
            Vector(step.blocks[index].storage), Vector(expected.blocks[index].storage),
            scale: max(scale, 1e-290), "\(rule), λ = \(λ), layer \(index)")
        }
      }
    }
  }

  /// ‖(1/N) Σ |g||ā|ᵀ‖₁ of every layer of the loss gradient.
  func termSizes(_ curvature: CurvatureCase) -> [Double] {
    let source = curvature.source
    let empirical = GradientSamples(
      source.network, source.data, likelihood: source.likelihood, kind: .empirical)
    return empirical.blocks.map { block in
      let use = block.uses[0]
      let sum = LAPACK.dgemm(
        use.gradients[0].map(\.magnitude), use.inputs.map(\.magnitude), transposeB: true)
      return sum.storage.reduce(0, +) / Double(empirical.exampleCount)
    }
  }
}
