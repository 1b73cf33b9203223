import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The block-tridiagonal inverse of KFAC (spec 4.4, P-69 to P-71, P-16).
@Suite("Block-tridiagonal KFAC")
struct BlockTridiagonalTests {
  /// F̃ of all layers with the diagonal blocks' factors damped.
  static func kroneckerFactored(
    _ layers: [DefinedLayer], _ offsets: [Int], _ rule: DampingRule, _ λ: Double
  ) -> Matrix {
    let size = layers.reduce(0) { $0 + $1.size }
    var matrix = Matrix(rowCount: size, columnCount: size)
    for (l, first) in layers.enumerated() {
      for (m, second) in layers.enumerated() {
        let (a, g) = crossFactors(first, second)
        matrix.setBlock(
          row: offsets[l], column: offsets[m],
          to: l == m ? damped(a, g, rule, λ) : kronecker(a, g))
      }
    }
    return matrix
  }

  /// What a damped block-tridiagonal structure is compared with.
  struct Setting {
    let curvature: CurvatureCase
    let samples: GradientSamples
    let rule: DampingRule
    let λ: Double
    /// F̃ with damped factors in the diagonal blocks.
    let matrix: Matrix
    let ranges: [Range<Int>]
    /// Π (1 + ‖Ψ‖₁)²: the form Ξ⁻¹Λ⁻¹Ξ⁻ᵀ multiplies by every Ψ = F̃₁₂F̃₂₂⁻¹ from both sides.
    let growth: Double
    /// The largest √κ of a damped factor: M^(−½) C M^(−½) in the conditional blocks errs by it, since
    /// ‖C M^(−½)‖ ≤ ‖M^½‖ for C ⪯ M.
    let rootCondition: Double
    /// The largest |log α| + |log γ| of a layer's damped factors: d_G log det A + d_A log det G sums n such
    /// terms, which cancel where rule π makes α = 1/γ of outputs that are saturated (1e130 and 1e-130).
    let largestLogarithm: Double

    /// All layers, or two that follow one another.
    init(_ test: NetworkCase, twoLayers: Bool = false) throws {
      var rule = test.pick([DampingRule.sqrt, .factor, .pi])
      λ = test.pick([1, 0.05, 1e-3], salt: 1)
      curvature = test.curvature
      let source = curvature.source
      let first = twoLayers ? Int(test.seed) % (source.network.parameters.count - 1) : 0
      let chosen = twoLayers ? [first, first + 1] : Array(source.network.parameters.indices)
      let samples = GradientSamples(
        source.network, source.data, likelihood: source.likelihood, kind: test.kind, blocks: chosen)
      self.samples = samples
      let layers = samples.blocks.indices.map { DefinedLayer(samples, block: $0) }
      if !layers.allSatisfy(\.hasFiniteBalance) { rule = .sqrt }
      self.rule = rule
      let offsets = samples.layout.offsets
      ranges = zip(offsets, layers).map { $0..<$0 + $1.size }
      matrix = BlockTridiagonalTests.kroneckerFactored(layers, offsets, rule, λ)
      var growth = 1.0
      for (row, next) in zip(ranges, ranges.dropFirst()) {
        let ψ = try LAPACK.dgesv(
          matrix.block(rows: next, columns: next), matrix.block(rows: next, columns: row)
        ).transposed
        growth *= (1 + LAPACK.norm1(ψ)) * (1 + LAPACK.norm1(ψ.transposed))
      }
      self.growth = growth
      var largest = 1.0
      var largestLogarithm = 0.0
      for layer in layers {
        let (a, g) = layer.factors()
        guard
          let shifts = rule.shifts(a: KroneckerFactor(a), g: KroneckerFactor(g), lambda: λ)
        else { continue }
        let damped = [a.addingToDiagonal(shifts.a), g.addingToDiagonal(shifts.g)]
        largest = try damped.map(condition).reduce(largest, max)
        let logarithms = try damped.map {
          try LAPACK.dsyevd($0).values.elements.reduce(0) { max($0, abs(logarithm($1))) }
        }
        largestLogarithm = max(largestLogarithm, logarithms[0] + logarithms[1])
      }
      rootCondition = largest.squareRoot()
      self.largestLogarithm = largestLogarithm
    }

    var damped: any DampedStructure {
      get throws { try StructureKind.blockTridiagonal.build(samples).damped(rule, λ) }
    }
  }

  @Test("P-69: F̂ is F̃ on the tridiagonal blocks, F̂⁻¹ is block-tridiagonal and positive definite")
  func agreesOnTheTridiagonal() {
    property(
      "P-69", .equal, oracle: "dpotri",
      claim: "F̂ = F̃ on the tridiagonal blocks, and F̂⁻¹ is zero off them",
      over: NetworkCase.all.chains, share: 0.5
    ) { test, checks in
      let setting = try Setting(test)
      let damping = try setting.damped
      let matrix = try damping.dense(within: .standard)
      let inverse = try damping.denseInverse(within: .standard)
      let reference = try LAPACK.dpotri(matrix.symmetrized)
      let κ = try condition(matrix.symmetrized)
      for (l, rows) in setting.ranges.enumerated() {
        for (m, columns) in setting.ranges.enumerated() {
          let wanted = setting.matrix.block(rows: rows, columns: columns)
          if abs(l - m) <= 1 {
            checks.ratio(
              Ratio(
                matrix.block(rows: rows, columns: columns), against: wanted, size: matrix.rowCount,
                scale: setting.growth * LAPACK.norm1(setting.matrix)), "F̂, block \(l), \(m)")
          } else {
            checks.holds(
              inverse.block(rows: rows, columns: columns).maximumMagnitude == 0,
              "F̂⁻¹ is zero in block \(l), \(m)")
            checks.equal(
              reference.block(rows: rows, columns: columns),
              Matrix(rowCount: rows.count, columnCount: columns.count),
              scale: setting.growth * κ * LAPACK.norm1(reference), "dpotri, block \(l), \(m)")
          }
        }
      }
      try checks.dampedLaws(
        damping, expected: nil, seed: test.seed,
        amplification: setting.growth * setting.rootCondition,
        determinantScale: setting.largestLogarithm)
    }
    property(
      "P-69", .inequality, oracle: "dsyev", claim: "F̂⁻¹ is positive definite",
      over: NetworkCase.all.chains, share: 0.5
    ) { test, checks in
      let setting = try Setting(test)
      let inverse = try setting.damped.denseInverse(within: .standard)
      // Of full rank, since dpotrf needs positive pivots, and not negative beyond round-off.
      checks.holds((try? LAPACK.dpotrf(inverse)) != nil, "dpotrf succeeds")
      checks.atMost(
        0, try LAPACK.dsyev(inverse).values[0], size: inverse.rowCount,
        scale: setting.growth * LAPACK.norm1(inverse))
    }
  }

  @Test("P-70: for two layers it is the whole Kronecker-factored F̃")
  func twoLayersAreTheWholeMatrix() {
    property(
      "P-70", .equal, oracle: "dgesv", over: NetworkCase.all.chains, share: 0.5
    ) { test, checks in
      let setting = try Setting(test, twoLayers: true)
      let damping = try setting.damped
      try checks.dampedLaws(
        damping, expected: setting.matrix, seed: test.seed,
        amplification: setting.growth * setting.rootCondition,
        determinantScale: setting.largestLogarithm)
      var generator = Generator(seed: test.seed)
      let right = generator.vector(setting.matrix.rowCount)
      let step = damping.solve(ParameterVector(right, layout: damping.layout)).flattened
      checks.ratio(
        solutionRatio(
          step, try LAPACK.dgesv(setting.matrix, right),
          condition: setting.growth * (try condition(setting.matrix))), "dgesv, over κ")
    }
  }

  @Test("P-71: Ψ, read back from the inverse, is (A₁₂A₂₂⁻¹) ⊗ (G₁₂G₂₂⁻¹)")
  func couplingIsAKroneckerProduct() {
    property("P-71", .equal, oracle: "dgesv", over: NetworkCase.all.chains) { test, checks in
      let setting = try Setting(test, twoLayers: true)
      let inverse = try setting.damped.denseInverse(within: .standard)
      let (first, second) = (setting.ranges[0], setting.ranges[1])
      // F̂⁻¹ = Ξᵀ Λ Ξ: its first block is Λ₁, the one beside it −Λ₁ Ψ.
      let corner = inverse.block(rows: first, columns: first)
      let ψ = -(try LAPACK.dgesv(corner, inverse.block(rows: first, columns: second)))
      let layers = (0..<2).map { DefinedLayer(setting.samples, block: $0) }
      let cross = crossFactors(layers[0], layers[1])
      let (a, g) = layers[1].factors()
      let shifts = setting.rule.shifts(
        a: KroneckerFactor(a), g: KroneckerFactor(g), lambda: setting.λ)
      guard let shifts else { return }
      let ψA = try LAPACK.dgesv(a.addingToDiagonal(shifts.a), cross.a.transposed).transposed
      let ψG = try LAPACK.dgesv(g.addingToDiagonal(shifts.g), cross.g.transposed).transposed
      let scale = try condition(setting.matrix) * setting.growth
      checks.equal(kronecker(ψA, ψG), ψ, scale: scale, "over κ")
      let whole = try LAPACK.dgesv(
        setting.matrix.block(rows: second, columns: second),
        setting.matrix.block(rows: second, columns: first)
      ).transposed
      checks.equal(kronecker(ψA, ψG), whole, scale: scale, "against the whole F̃₂₂, over κ")
    }
  }

  @Test("Layers that do not follow one another are not coupled")
  func gapsAreNotCoupled() throws {
    var generator = Generator(seed: 8)
    let network = try Network.multilayerPerceptron(
      weights: [generator.normal(3, 3), generator.normal(2, 4), generator.normal(2, 3)],
      activations: [.tanh, .tanh])
    let data = drawn(network, generator.normal(2, 9), .categorical, seed: 8)
    let samples = GradientSamples(
      network, data, likelihood: .categorical, kind: .exact, blocks: [0, 2])
    let tridiagonal = try StructureKind.blockTridiagonal.build(samples).damped(.pi, 0.1)
    let diagonal = try StructureKind.kfac.build(samples).damped(.pi, 0.1)
    expectRatio(
      .difference(
        try tridiagonal.dense(within: .standard), try diagonal.dense(within: .standard)))
  }

  @Test(
    "Shared weights are refused by name",
    arguments: [
      RandomNetwork.Architecture.sequence, .convolution, .tied, .tiedSequence,
    ])
  func sharedWeightsAreRefused(architecture: RandomNetwork.Architecture) throws {
    let test = CurvatureCase(
      RandomNetwork(architecture, .tanh, .categorical, seed: 2, exampleCount: 5))
    let error = #expect(throws: CurvatureError.self) {
      _ = try StructureKind.blockTridiagonal.build(test.samples)
    }
    guard case .needsPlainChain(.blockTridiagonal, let block) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(test.samples.blocks.map(\.name).contains(block))
  }

  /// A, B of condition up to 1e3, and C = θ-part of A, D = θ-part of B, θ < 1.
  struct DifferenceCase: Sendable, CustomStringConvertible {
    var leftSize: Int
    var rightSize: Int
    var conditionNumber: Double
    var share: Double
    var seed: UInt64

    var description: String {
      "\(leftSize) and \(rightSize), κ = \(conditionNumber), θ = \(share), seed \(seed)"
    }

    static let all = Cases<DifferenceCase>(
      edges: [
        DifferenceCase(leftSize: 1, rightSize: 1, conditionNumber: 1, share: 0, seed: 1),
        DifferenceCase(leftSize: 1, rightSize: 5, conditionNumber: 30, share: 0.99, seed: 2),
        DifferenceCase(leftSize: 4, rightSize: 3, conditionNumber: 1, share: 0.5, seed: 3),
        DifferenceCase(leftSize: 6, rightSize: 6, conditionNumber: 1e3, share: 0.999, seed: 4),
      ],
      smaller: { value in
        [\DifferenceCase.leftSize, \.rightSize].flatMap { size in
          (1..<max(value[keyPath: size], 1)).map {
            var copy = value
            copy[keyPath: size] = $0
            return copy
          }
        }
      },
      draw: {
        DifferenceCase(
          leftSize: 1 + $0.below(6), rightSize: 1 + $0.below(6),
          conditionNumber: exponential(logarithm(1e3) * $0.uniform()), share: 0.999 * $0.uniform(),
          seed: $0.next() % 100_000)
      })
  }

  @Test("P-16: (A ⊗ B − C ⊗ D)⁻¹ by simultaneous diagonalisation")
  func differencesOfKroneckerProducts() {
    property("P-16", .equal, oracle: "dgesv", over: DifferenceCase.all) { test, checks in
      var generator = Generator(seed: test.seed)
      let a = generator.positiveDefinite(test.leftSize, condition: test.conditionNumber)
      let b = generator.positiveDefinite(test.rightSize, condition: test.conditionNumber)
      // C ⪯ θA and D ⪯ θB keep the difference above (1 − θ²) A ⊗ B.
      func below(_ m: Matrix) throws -> Matrix {
        let l = try LAPACK.dpotrf(m)
        let inner = generator.symmetric(
          eigenvalues: (0..<m.rowCount).map { test.share * Double($0 + 1) / Double(m.rowCount) })
        return LAPACK.dgemm(LAPACK.dgemm(l, inner), l, transposeB: true).symmetrized
      }
      let (c, d) = (try below(a), try below(b))
      let matrix = kronecker(a, b) - kronecker(c, d)
      let difference = try KroneckerDifference(a: a, b: b, c: c, d: d, name: "layer1")
      let v = generator.normal(test.rightSize, test.leftSize)
      let right = Vector(v.storage)
      // κ(A ⊗ B)/(1 − θ²), and the factors' inverse roots lose κ once more.
      let κ = try condition(a) * condition(b) / (1 - test.share * test.share)
      checks.ratio(
        solutionRatio(
          Vector(difference.solve(v).storage), try LAPACK.dgesv(matrix, right), condition: κ),
        "solve, over κ")
      checks.equal(
        Vector(difference.apply(v).storage), LAPACK.dgemm(matrix, right),
        scale: (LAPACK.norm1(kronecker(a, b)) + LAPACK.norm1(kronecker(c, d)))
          * LAPACK.norm1(Matrix(column: right)), "apply")
      let logDeterminant = try LAPACK.dgetrf(matrix).factors.diagonal.reduce(0) {
        $0 + logarithm(abs($1))
      }
      checks.equal(
        difference.logDeterminant, logDeterminant, size: matrix.rowCount,
        scale: κ + abs(logDeterminant), "log det")
    }
  }

  @Test("An indefinite difference is refused with its block and value")
  func indefiniteDifferencesAreRefused() {
    let i = Matrix.identity(2)
    #expect(
      throws: CurvatureError.notPositiveDefinite(
        block: "the conditional block of layer3", size: 4, pivot: 0, value: -1)
    ) {
      _ = try KroneckerDifference(a: i, b: i, c: 2 * i, d: i, name: "layer3")
    }
    #expect(throws: CurvatureError.self) {
      _ = try KroneckerDifference(a: .diagonal([1, 0]), b: i, c: i, d: i, name: "layer3")
    }
  }
}
