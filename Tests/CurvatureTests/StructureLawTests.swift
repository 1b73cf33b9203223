import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Every structure under every rule obeys the laws of a damped matrix and has the right entries.
@Suite("Every structure, every rule")
struct StructureLawTests {
  static let split = 2

  /// The undamped layer blocks of a structure by definition; nil where it is not a matrix of its own
  /// (another suite compares those: `ekfac` depends on a basis, the others on an iteration).
  static func undamped(_ kind: StructureKind, _ test: CurvatureCase) -> Matrix? {
    switch kind {
    case .exact: test.fisher
    case .blockDiagonal: blockDiagonal(test.defined.map(\.fisher))
    case .diagonal: blockDiagonal(test.defined.map { pinching($0.fisher, 1) })
    case .unitWise:
      // Entry (j·d_G + i, j′·d_G + i′) belongs to units i and i′.
      blockDiagonal(
        test.defined.map { layer in
          Matrix(rowCount: layer.size, columnCount: layer.size) {
            $0 % layer.outputSize == $1 % layer.outputSize ? layer.fisher[$0, $1] : 0
          }
        })
    case .kfac, .kfacSplit, .tkfac, .nearestKronecker, .klKronecker, .ekfac, .blockTridiagonal: nil
    }
  }

  /// The damped matrix by definition.
  static func expected(
    _ kind: StructureKind, _ rule: DampingRule, _ λ: Double, _ test: CurvatureCase
  ) -> Matrix? {
    switch kind {
    case .exact, .blockDiagonal, .diagonal, .unitWise:
      undamped(kind, test).map { rule == .exact ? $0.addingToDiagonal(λ) : $0 }
    case .kfac, .kfacSplit:
      blockDiagonal(
        test.defined.map { layer in
          let (a, g) = layer.factors()
          return kind == .kfac
            ? damped(a, g, rule, λ) : damped(pinching(a, split), pinching(g, split), rule, λ)
        })
    case .tkfac:
      // √δ Φ ⊗ √δ Ψ, where δ Φ and δ Ψ are the partial traces (spec 8.4).
      blockDiagonal(
        test.defined.map { layer in
          let root = layer.fisher.trace > 0 ? 1 / layer.fisher.trace.squareRoot() : 0
          return damped(
            root
              * layer.fisher.partialTraceOverRight(
                leftSize: layer.inputSize, rightSize: layer.outputSize),
            root
              * layer.fisher.partialTraceOverLeft(
                leftSize: layer.inputSize, rightSize: layer.outputSize), rule, λ)
        })
    case .nearestKronecker, .klKronecker, .ekfac, .blockTridiagonal: nil
    }
  }

  @Test("Laws of the damped matrix, and its definition", arguments: CurvatureCase.varied)
  func everyStructureObeysTheLaws(test: CurvatureCase) throws {
    let λ = [0.5, 1e-2, 1e-4][Int(test.seed) % 3]
    for kind in StructureKind.allCases {
      let structure: any Structure
      do {
        structure = try kind.build(test.samples, StructureOptions(split: Self.split))
      } catch CurvatureError.needsPlainChain {
        #expect(
          kind == .blockTridiagonal
            && test.samples.chain.flatMap { $0 }.count < test.samples.blocks.count)
        continue
      }
      #expect(structure.kind == kind && structure.layout == test.samples.layout)
      for rule in kind.rules {
        let name = "\(kind) \(rule) \(λ), \(test)"
        let damped = try structure.damped(rule, λ)
        let expected = Self.expected(kind, rule, λ, test)
        if rule == .none {
          try expectPseudoInverseLaws(damped, expected: expected, name, seed: test.seed)
        } else {
          try expectDampedLaws(damped, expected: expected, name, seed: test.seed)
        }
      }
    }
  }

  @Test("The undamped matrix and its product", arguments: CurvatureCase.varied)
  func undampedMatricesApplyAsTheirDenseForm(test: CurvatureCase) throws {
    for kind in StructureKind.allCases {
      guard kind != .blockTridiagonal,
        let structure = try kind.build(test.samples) as? any MatrixStructure
      else { continue }
      let matrix = try structure.dense(within: .standard)
      let name = "\(kind), \(test)"
      if let expected = Self.undamped(kind, test) {
        expectRatio(.difference(matrix, expected), name, seed: test.seed)
      }
      let v = test.source.direction(seed: 9)
      let size = matrix.rowCount
      let scale = LAPACK.norm1(matrix) * LAPACK.norm1(Matrix(column: v.flattened))
      expectRatio(
        Ratio(
          Matrix(column: structure.apply(v).flattened),
          against: Matrix(column: LAPACK.dgemm(matrix, v.flattened)), size: size, scale: scale),
        name, seed: test.seed)
    }
  }

  @Test("The dense and the Gram form of the exact Fisher agree", arguments: CurvatureCase.varied)
  func bothFormsOfTheExactFisher(test: CurvatureCase) throws {
    let fisher = ExactFisher(test.samples)
    let expected = test.fisher
    for rule in [DampingRule.none, .exact] {
      for damped in [
        try fisher.dampedDense(rule, 0.03), try fisher.dampedGram(rule, 0.03),
      ] as [any DampedStructure] {
        let name = "\(type(of: damped)), \(rule), \(test)"
        if rule == .none {
          try expectPseudoInverseLaws(damped, expected: expected, name, seed: test.seed)
        } else {
          try expectDampedLaws(
            damped, expected: expected.addingToDiagonal(0.03), name, seed: test.seed)
        }
      }
    }
    let held = DenseStructure(kind: .exact, layout: test.samples.layout, matrix: expected)
    try expectDampedLaws(
      try held.damped(.exact, 0.03), expected: expected.addingToDiagonal(0.03), "held, \(test)",
      seed: test.seed)
  }

  @Test("Reduce reaches every KFAC-like structure")
  func reduceReachesEveryStructure() throws {
    let test = CurvatureCase(
      RandomNetwork(.sequence, .tanh, .categorical, seed: 5, exampleCount: 9))
    let options = StructureOptions(split: 2, sharing: .reduce)
    let limit = MemoryLimit.standard
    func dense(_ kind: StructureKind) throws -> Matrix {
      let structure = try #require(
        try kind.build(test.samples, options) as? any MatrixStructure)
      return try structure.dense(within: limit)
    }
    let factors = test.defined.map { $0.factors(.reduce) }
    expectRatio(
      .difference(try dense(.kfac), blockDiagonal(factors.map { kronecker($0.a, $0.g) })))
    expectRatio(
      .difference(
        try dense(.kfacSplit),
        blockDiagonal(factors.map { kronecker(pinching($0.a, 2), pinching($0.g, 2)) })))
    let expanded = LayerwiseStructure(try test.layers.map { try EigenbasisBlock.ekfac($0) })
    expectDifferent(try dense(.ekfac), try expanded.dense(within: limit))
  }

  @Test("Saturated outputs: a G of 1e-310 leaves the nearest product and D3 finite")
  func tinyGradients() throws {
    // The smallest case on which the soak found a NaN.
    let saturated = NetworkCase(
      .perceptron, .logistic, .categorical, kind: .empirical, seed: 58622, exampleCount: 1,
      widthLimit: 5, edge: .extremeOutputs)
    for layer in saturated.layers {
      let nearest = try KroneckerBlock.nearestKronecker(layer.samples).dense(within: .standard)
      #expect(nearest.storage.allSatisfy { abs($0) < 1e-290 }, "\(layer.name)")
    }
    let block = DampingTests.block(.diagonal([1e4, 1]), .diagonal([1e-300 * 1e-10]))
    let damped = try block.damped(.pi, 1)
    let expected = Matrix.identity(2)
    expectRatio(.difference(try damped.dense(within: .standard), expected))
  }
}
