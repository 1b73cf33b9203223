import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The block-tridiagonal inverse of KFAC (spec 4.4, P-69 to P-71, P-16).
@Suite("Block-tridiagonal KFAC")
struct BlockTridiagonalTests {
  static let cases: [CurvatureCase] = (0..<9).map {
    CurvatureCase(
      RandomNetwork(
        .perceptron, Activation.allCases[$0 % 5], RandomNetwork.likelihoods[$0 % 3],
        seed: UInt64(600 + $0), exampleCount: 8 + $0))
  }

  /// F̃ of all layers with the diagonal blocks' factors damped.
  static func kroneckerFactored(_ test: CurvatureCase, _ rule: DampingRule, _ λ: Double) -> Matrix {
    let layers = test.defined
    let offsets = test.samples.layout.offsets
    var matrix = Matrix(
      rowCount: test.samples.layout.count, columnCount: test.samples.layout.count)
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

  @Test(
    "P-69: F̂ is F̃ on the tridiagonal, F̂⁻¹ is block-tridiagonal and positive definite",
    arguments: cases, [DampingRule.sqrt, .factor, .pi])
  func agreesOnTheTridiagonal(test: CurvatureCase, rule: DampingRule) throws {
    let λ = 0.05
    let structure = try StructureKind.blockTridiagonal.build(test.samples)
    let damping = try structure.damped(rule, λ)
    let matrix = try damping.dense(within: .standard)
    let wanted = Self.kroneckerFactored(test, rule, λ)
    let inverse = try LAPACK.dgesv(matrix, .identity(matrix.rowCount))
    let κ = try condition(matrix)
    let offsets = test.samples.layout.offsets
    let ranges = zip(offsets, test.samples.layout.blocks).map { $0..<$0 + $1.count }
    for (l, rows) in ranges.enumerated() {
      for (m, columns) in ranges.enumerated() {
        if abs(l - m) <= 1 {
          expectRatio(
            Ratio(
              matrix.block(rows: rows, columns: columns),
              against: wanted.block(rows: rows, columns: columns), size: matrix.rowCount,
              scale: LAPACK.norm1(wanted)), "block \(l), \(m), \(rule), \(test)", seed: test.seed)
        } else {
          let block = inverse.block(rows: rows, columns: columns)
          expectRatio(
            Ratio(
              block, against: Matrix(rowCount: rows.count, columnCount: columns.count),
              size: matrix.rowCount, scale: κ * LAPACK.norm1(inverse)),
            "inverse \(l), \(m), \(rule), \(test)", seed: test.seed)
          if frobenius(wanted.block(rows: rows, columns: columns)) > 0 {
            #expect(frobenius(matrix.block(rows: rows, columns: columns)) > 0)
          }
        }
      }
    }
    #expect(try LAPACK.dsyevd(matrix).values[0] > 0)
    try expectDampedLaws(damping, expected: nil, "\(rule), \(test)", seed: test.seed)
  }

  @Test(
    "P-70: with two layers it is the whole Kronecker-factored F̃ (dgesv)",
    arguments: [DampingRule.sqrt, .factor, .pi])
  func twoLayersAreTheWholeMatrix(rule: DampingRule) throws {
    for seed in 1...6 as ClosedRange<UInt64> {
      for λ in [1.0, 0.05, 1e-3] {
        var generator = Generator(seed: seed)
        let network = try Network.multilayerPerceptron(
          weights: [generator.normal(3, 3), generator.normal(2, 4)], activations: [.tanh])
        let likelihood = RandomNetwork.likelihoods[Int(seed % 3)]
        let data = drawn(network, generator.normal(2, 9), likelihood, seed: seed)
        let samples = GradientSamples(network, data, likelihood: likelihood, kind: .exact)
        let layers = (0..<2).map { DefinedLayer(samples, block: $0) }
        let cross = crossFactors(layers[0], layers[1])
        var whole = blockDiagonal(
          layers.map { damped($0.factors().a, $0.factors().g, rule, λ) })
        whole.setBlock(row: 0, column: 9, to: kronecker(cross.a, cross.g))
        whole.setBlock(row: 9, column: 0, to: kronecker(cross.a, cross.g).transposed)
        let damping = try StructureKind.blockTridiagonal.build(samples).damped(rule, λ)
        try expectDampedLaws(damping, expected: whole, "\(rule), \(λ)", seed: seed)
        let right = generator.vector(17)
        let step = damping.solve(ParameterVector(right, layout: samples.layout)).flattened
        expectRatio(
          solutionRatio(step, try LAPACK.dgesv(whole, right), condition: try condition(whole)),
          "\(rule), \(λ)", seed: seed)
        // P-71: Ψ = F̃₁₂ F̃₂₂⁻¹ is (A₁₂ A₂₂⁻¹) ⊗ (G₁₂ G₂₂⁻¹).
        if rule == .factor {
          let second = layers[1].factors()
          let ψ = try LAPACK.dgesv(
            whole.block(rows: 9..<17, columns: 9..<17), kronecker(cross.a, cross.g).transposed
          ).transposed
          let ψA = try LAPACK.dgesv(second.a.addingToDiagonal(λ), cross.a.transposed).transposed
          let ψG = try LAPACK.dgesv(second.g.addingToDiagonal(λ), cross.g.transposed).transposed
          expectRatio(
            Ratio(
              kronecker(ψA, ψG), against: ψ, size: 9,
              scale: try condition(damped(second.a, second.g, rule, λ)) * LAPACK.norm1(ψ)))
        }
      }
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

  @Test("P-16: (A ⊗ B − C ⊗ D)⁻¹ by simultaneous diagonalisation (dgesv)")
  func differencesOfKroneckerProducts() throws {
    for seed in 1...10 as ClosedRange<UInt64> {
      var generator = Generator(seed: seed)
      let a = generator.positiveDefinite(4, condition: 30)
      let b = generator.positiveDefinite(3, condition: 30)
      // C ⪯ 0.9 A and D ⪯ 0.9 B keep the difference positive definite.
      func below(_ m: Matrix) throws -> Matrix {
        let l = try LAPACK.dpotrf(m)
        let inner = generator.symmetric(
          eigenvalues: (0..<m.rowCount).map { 0.9 * Double($0) / Double(m.rowCount) })
        return LAPACK.dgemm(LAPACK.dgemm(l, inner), l, transposeB: true).symmetrized
      }
      let (c, d) = (try below(a), try below(b))
      let matrix = kronecker(a, b) - kronecker(c, d)
      let difference = try KroneckerDifference(a: a, b: b, c: c, d: d, name: "layer1")
      let v = generator.normal(3, 4)
      let κ = try condition(matrix)
      expectRatio(
        solutionRatio(
          Vector(difference.solve(v).storage), try LAPACK.dgesv(matrix, Vector(v.storage)),
          condition: κ), seed: seed)
      expectRatio(
        Ratio(
          Matrix(column: Vector(difference.apply(v).storage)),
          against: Matrix(column: LAPACK.dgemm(matrix, Vector(v.storage))), size: 12,
          scale: LAPACK.norm1(matrix) * LAPACK.norm1(Matrix(column: Vector(v.storage)))),
        seed: seed)
      let logDeterminant = try LAPACK.dgetrf(matrix).factors.diagonal.reduce(0) {
        $0 + logarithm(abs($1))
      }
      expectAtMost(
        abs(difference.logDeterminant - logDeterminant), 30 * 12 * κ * .ulpOfOne, seed: seed)
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
