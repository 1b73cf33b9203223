import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// Which rule is defined for which structure, and what is thrown where damping does not suffice.
@Suite("The table of damping rules, and singular matrices")
struct DampingTableTests {
  /// From the issue: factored rules need two factors, and a block-tridiagonal inverse needs them
  /// damped; the KL-optimal product has λ inside its fit.
  static let table: [StructureKind: Set<DampingRule>] = [
    .exact: [.none, .exact], .blockDiagonal: [.none, .exact], .diagonal: [.none, .exact],
    .unitWise: [.none, .exact], .ekfac: [.none, .exact],
    .kfac: [.none, .sqrt, .factor, .pi, .exact], .kfacSplit: [.none, .sqrt, .factor, .pi, .exact],
    .nearestKronecker: [.none, .sqrt, .factor, .pi, .exact],
    .tkfac: [.none, .sqrt, .factor, .pi, .exact],
    .blockTridiagonal: [.sqrt, .factor, .pi], .klKronecker: [.exact],
  ]

  @Test(arguments: StructureKind.allCases)
  func undefinedRulesAreThrownAndDefinedOnesServed(kind: StructureKind) throws {
    let test = CurvatureCase(
      RandomNetwork(.perceptron, .tanh, .categorical, seed: 2, exampleCount: 10))
    let structure = try kind.build(test.samples)
    for rule in DampingRule.allCases {
      if try #require(Self.table[kind]).contains(rule) {
        #expect(throws: Never.self) { _ = try structure.damped(rule, 0.1) }
      } else {
        #expect(throws: CurvatureError.undefinedRule(structure: kind, rule: rule)) {
          _ = try structure.damped(rule, 0.1)
        }
      }
    }
  }

  /// A two-layer network with N = 6 whose input feature 1 is zero in every example, so row 1 of A is
  /// exactly zero.
  static func deadInput(hiddenZero: Bool = false) throws -> GradientSamples {
    var generator = Generator(seed: 4)
    var inputs = generator.normal(3, 6)
    for n in 0..<6 { inputs[1, n] = 0 }
    var weights = [generator.normal(2, 4), generator.normal(2, 3)]
    // A zero outgoing weight makes the second row of the first layer's G zero.
    if hiddenZero { for i in 0..<2 { weights[1][i, 1] = 0 } }
    let network = try Network.multilayerPerceptron(weights: weights, activations: [.tanh])
    return GradientSamples(
      network, drawn(network, inputs, .gaussian(variance: 1), seed: 4),
      likelihood: .gaussian(variance: 1), kind: .exact)
  }

  @Test("λ = 0 on a singular factor names the block, its size and the pivot")
  func singularFactorsAreNamed() throws {
    let samples = try Self.deadInput()
    let a = CurvatureError.notPositiveDefinite(
      block: "factor A of layer1", size: 4, pivot: 1, value: 0)
    for rule in [DampingRule.sqrt, .factor, .pi] {
      #expect(throws: a) { _ = try StructureKind.kfac.build(samples).damped(rule, 0) }
      #expect(throws: a) { _ = try StructureKind.blockTridiagonal.build(samples).damped(rule, 0) }
      // In a split the pivot is counted in the whole factor: block size 1 makes it the second block.
      #expect(throws: a) {
        _ = try StructureKind.kfacSplit.build(samples, StructureOptions(split: 1)).damped(rule, 0)
      }
    }
    let g = CurvatureError.notPositiveDefinite(
      block: "factor G of layer1", size: 2, pivot: 1, value: 0)
    let second = try Self.deadInput(hiddenZero: true)
    let layer = LayerSamples(second, block: 0)
    let alive = KroneckerBlock(
      kind: .kfac, layout: layer.layout, a: KroneckerFactor(.identity(4)),
      g: KroneckerFactor(KFACFactors(layer).g))
    #expect(throws: g) { _ = try alive.damped(.factor, 0) }
  }

  @Test("λ = 0 with rule exact on a singular matrix is refused by every structure")
  func exactRuleRefusesSingularMatrices() throws {
    let samples = try Self.deadInput()
    for kind in StructureKind.allCases where kind.rules.contains(.exact) {
      let structure = try kind.build(samples)
      let error = #expect(throws: CurvatureError.self, "\(kind)") {
        _ = try structure.damped(.exact, 0)
      }
      switch error {
      case .notPositiveDefinite(let block, let size, let pivot, let value):
        #expect(block.contains("layer1") || kind == .exact, "\(kind): \(block)")
        #expect((0..<max(size, samples.layout.count)).contains(pivot), "\(kind)")
        #expect(!(value > 1e-12), "\(kind): \(value)")
      case .iterationLimit:
        // The flip-flop has no fixed point on a singular matrix; it may say that instead.
        #expect(kind == .klKronecker)
      default: Issue.record("\(kind): \(String(describing: error))")
      }
    }
  }

  @Test("The same systems are solved as soon as λ is positive, and by rule none at λ = 0")
  func dampingMakesThemSolvable() throws {
    let samples = try Self.deadInput()
    for kind in StructureKind.allCases {
      for rule in kind.rules {
        #expect(throws: Never.self, "\(kind) \(rule)") {
          _ = try kind.build(samples).damped(rule, 1e-3)
        }
      }
      if kind.rules.contains(.none) {
        let damped = try kind.build(samples).damped(.none, 0)
        #expect(damped.rank < samples.layout.count, "\(kind)")
      }
    }
  }

  @Test("Rule none drops eigenvalues at or below d·ε·λmax, keeps the next, and counts the rank")
  func cutOffIsAtTheRoundOff() throws {
    // One output, example n sees only input n: F = diag(values), d = 6, cut-off 1.3e-15.
    let values = [1, 1e-8, 1e-13, 2e-15, 1e-15, 0]
    let samples = GradientSamples(
      exampleCount: 6, columnCount: 1,
      blocks: [
        GradientSamples.Block(
          name: "layer1", rowCount: 1, columnCount: 6, hasBias: false,
          uses: [
            GradientSamples.Use(
              inputs: .diagonal(values.map { (6 * $0).squareRoot() }),
              gradients: [Matrix(rowCount: 1, columnCount: 6, repeating: 1)], positions: 1)
          ])
      ], chain: [[0]])
    let fisher = ExactFisher(samples)
    var damped: [(String, any DampedStructure)] = [
      ("dense", try fisher.dampedDense(.none, 0)), ("Gram", try fisher.dampedGram(.none, 0)),
    ]
    for kind in StructureKind.allCases where kind.rules.contains(.none) {
      damped.append(("\(kind)", try kind.build(samples).damped(.none, 0)))
    }
    let ones = ParameterVector(blocks: [Matrix(rowCount: 1, columnCount: 6, repeating: 1)])
    for (name, structure) in damped {
      #expect(structure.rank == 4, "\(name)")
      let solution = structure.solve(ones).blocks[0].storage
      for (found, value) in zip(solution, values) {
        let expected = value > 1.5e-15 ? 1 / value : 0
        expectAtMost(abs(found - expected), 1e-12 * expected, "\(name), \(value)")
      }
      let logDeterminant = values.prefix(4).reduce(0) { $0 + logarithm($1) }
      expectAtMost(abs(structure.logDeterminant - logDeterminant), 1e-12, "\(name)")
    }
  }

  @Test("Messages say what was seen, what was expected and what to do")
  func messages() {
    let error = CurvatureError.notPositiveDefinite(
      block: "factor A of layer2", size: 21, pivot: 3, value: -1e-9)
    for part in ["factor A of layer2", "21", "pivot 3", "-1e-09", "larger damping", "none"] {
      #expect(error.description.contains(part), "\(part)")
    }
    let undefined = CurvatureError.undefinedRule(structure: .ekfac, rule: .pi)
    for part in ["pi", "ekfac", "none, exact"] {
      #expect(undefined.description.contains(part), "\(part)")
    }
  }
}
