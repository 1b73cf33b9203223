import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// The memory guard on a layer whose dense form is large: 785 × 20, P = 15,700.
@Suite("Large layers: the dense form is guarded, everything else works")
struct MemoryTests {
  static let limit = MemoryLimit(bytes: 1 << 30)
  static let parameters = 785 * 20
  static let bytes = parameters * parameters * 8

  static func large() throws -> (samples: GradientSamples, gradient: ParameterVector) {
    let network = try Network.multilayerPerceptron(
      widths: [784, 20, 4], activation: .tanh, initialization: .glorot, seed: 1)
    var generator = Generator(seed: 1)
    let data = drawn(network, generator.normal(784, 6), .categorical, seed: 1)
    return (
      GradientSamples(network, data, likelihood: .categorical, kind: .exact, blocks: [0]),
      ParameterVector(
        blocks: [LossGradient(network, data, .categorical).gradient.blocks[0]])
    )
  }

  func expectExceeded(_ name: String, _ body: () throws -> Void) {
    let error = #expect(throws: CurvatureError.self, "\(name)") { try body() }
    guard case .exceedsMemory(let what, let bytes, let limit, let advice) = error else {
      Issue.record("\(name): \(String(describing: error))")
      return
    }
    #expect(bytes == Self.bytes && limit == Self.limit.bytes, "\(name)")
    #expect(what.contains("15700 × 15700") && advice.contains("--layers"), "\(name): \(what)")
  }

  @Test("Every dense form is refused with its bytes and advice, and every solve still works")
  func denseFormsAreRefused() throws {
    let (samples, gradient) = try Self.large()
    let options = StructureOptions(split: 100, limit: Self.limit)
    let λ = 0.1
    for kind in StructureKind.allCases {
      // Two structures whose cost here is the point of their own: 20 or more blocks of 785 × 785.
      if kind == .unitWise || kind == .klKronecker || kind == .blockTridiagonal { continue }
      let structure = try kind.build(samples, options)
      let rule = kind.rules.contains(.pi) ? DampingRule.pi : .exact
      let damped = try structure.damped(rule, λ)
      // The single layer asks the guard too, not only the assembly of layers.
      for part in [structure] + ((structure as? any Layerwise)?.layers ?? []) {
        if let matrix = part as? any MatrixStructure {
          expectExceeded("\(kind)") { _ = try matrix.dense(within: Self.limit) }
        }
        let damped = try part.damped(rule, λ)
        expectExceeded("damped \(kind)") { _ = try damped.dense(within: Self.limit) }
        expectExceeded("inverse \(kind)") { _ = try damped.denseInverse(within: Self.limit) }
      }
      let step = damped.solve(gradient)
      let residual = damped.apply(step) - gradient
      // ‖r‖ ≤ c n ε ‖M‖‖x‖ with ‖M‖ ≤ ‖M‖_F; the trace bounds it.
      let norm = ExactFisher(samples).layers[0].scaledGradients.frobeniusNorm
      expectAtMost(
        residual.norm, 1e-13 * Double(Self.parameters) * (norm * norm + 1) * step.norm,
        "\(kind)")
      expectAtMost(residual.norm, 1e-9 * gradient.norm, "\(kind)")
    }
    expectExceeded("the dense route") {
      _ = try ExactFisher(samples, limit: Self.limit).dampedDense(.exact, λ)
    }
  }

  @Test("CG solves the large layer on both operators")
  func conjugateGradientsNeedNoMatrix() throws {
    let (samples, gradient) = try Self.large()
    let iteration = ConjugateGradient(
      stoppingRule: .rightHandSide(tolerance: 1e-10), maximumIterations: 500)
    let layer = LayerSamples(samples, block: 0)
    for (operation, kind) in [
      (MatrixFreeSolver.Operator.kfac, StructureKind.kfac), (.exactBlock, .blockDiagonal),
    ] {
      #expect(operation.structure == kind)
      let (step, iterations) = try MatrixFreeSolver(operation, iteration: iteration)
        .solve([layer], gradient, lambda: 0.1)
      #expect(iterations[0].status == .converged)
      let direct = try kind.build(samples).damped(.exact, 0.1).solve(gradient)
      expectAtMost((step - direct).norm, 1e-6 * direct.norm, "\(operation)")
    }
  }

  @Test("The guard counts 8 bytes an entry, allows the limit itself, and survives overflow")
  func theLimitIsExact() throws {
    #expect(MemoryLimit.bytes(rows: 1000, columns: 3) == 24_000)
    #expect(MemoryLimit.bytes(rows: 1000, columns: 3, count: 2) == 48_000)
    #expect(MemoryLimit.bytes(rows: .max / 2, columns: 3) == .max)
    #expect(MemoryLimit.bytes(rows: 1 << 31, columns: 1 << 31) == .max)
    #expect(MemoryLimit.standard.bytes == 2_147_483_648)
    let limit = MemoryLimit(bytes: 800)
    #expect(throws: Never.self) {
      try limit.require(rows: 10, columns: 10, for: "a matrix", advice: "do less")
    }
    #expect(
      throws: CurvatureError.exceedsMemory(
        what: "a matrix (10 × 11)", bytes: 880, limit: 800, advice: "do less")
    ) {
      try limit.require(rows: 10, columns: 11, for: "a matrix", advice: "do less")
    }
  }

  @Test("A limit of no bytes stops the program")
  func nothingIsNoLimit() async {
    await #expect(processExitsWith: .failure) { _ = MemoryLimit(bytes: 0) }
  }

  @Test("The Gram matrix and the unit-wise blocks ask the guard too")
  func otherAllocationsAreGuarded() throws {
    let (samples, _) = try Self.large()
    let small = StructureOptions(limit: MemoryLimit(bytes: 4000))
    // N K = 24: 24² · 8 = 4608 bytes.
    for kind in [StructureKind.exact, .blockDiagonal] {
      #expect(
        throws: CurvatureError.exceedsMemory(
          what: "the Gram matrix (24 × 24)", bytes: 4608, limit: 4000,
          advice: "use a smaller --batch")
      ) {
        _ = try kind.build(samples, small).damped(.exact, 0.1)
      }
    }
    let unitWise = #expect(throws: CurvatureError.self) {
      _ = try StructureKind.unitWise.build(samples, small)
    }
    guard case .exceedsMemory(_, let bytes, _, _) = unitWise else {
      Issue.record("\(String(describing: unitWise))")
      return
    }
    #expect(bytes == 20 * 785 * 785 * 8)
    let message = String(describing: try #require(unitWise))
    for part in ["\(bytes) bytes", "4000 bytes", "--max-memory", "--layers"] {
      #expect(message.contains(part), "\(message)")
    }
  }
}
