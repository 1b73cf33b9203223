import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// Operations counted by formula (spec 6.2, 7.4), for 2 inputs, 3 units, 2 classes, five examples.
@Suite("Operation counts")
struct OperationCountTests {
  /// d_A, d_G = 3, 3 and 4, 2: 9 and 8 weights.
  static func state(scale: Double = 1) throws -> TrainingState {
    var generator = Generator(seed: 3)
    return TrainingState(
      try Network.multilayerPerceptron(
        weights: [generator.normal(3, 3), generator.normal(2, 4)], activations: [.tanh]),
      Dataset(
        name: "five", inputs: scale * generator.normal(2, 5), targets: .labels([0, 1, 1, 0, 1])),
      .categorical)
  }

  /// The operations after each of some steps.
  static func counts(
    _ preconditioner: some Preconditioner, steps: Int = 4, scale: Double = 1
  ) throws -> [Double] {
    var optimizer = PreconditionedDescent(
      preconditioner, DescentRule(learningRate: .constant(0.01)))
    let state = try state(scale: scale)
    var network = state.network
    return try (0..<steps).map { _ in
      network = try optimizer.step(network, state.batch, state.likelihood)
      return optimizer.operations
    }
  }

  private static func expectEqual(
    _ counts: [Double], _ expected: [Double], _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(counts.count == expected.count, "\(name)", sourceLocation: sourceLocation)
    for (count, value) in zip(counts, expected) {
      // Thirds of cubes are rounded.
      #expect(abs(count - value) < 1e-9, "\(name): \(counts)", sourceLocation: sourceLocation)
    }
  }

  /// Forward: 2 · 17 weights · 5 examples = 170. The gradient: forward, backward, g āᵀ.
  static let gradient = 3.0 * 170
  /// Forward, and one backward pass for each of two columns.
  static let samples = 3.0 * 170
  /// N (d_A² + K d_G²): 5 (9 + 18) + 5 (16 + 8).
  static let factors = 135.0 + 120
  /// d³/3: 9 + 9 + 64/3 + 8/3.
  static let cholesky = 42.0
  /// 2 d_A d_G (d_A + d_G): 108 + 96.
  static let solve = 204.0

  @Test("The parts are their formulas")
  func parts() throws {
    let state = try Self.state()
    #expect(OperationCount.gradient(state.network, examples: 5) == Self.gradient)
    #expect(OperationCount.samples(state.network, examples: 5, columns: 2) == Self.samples)
    let samples = state.point().samples(.exact, blocks: [0, 1])
    let layers = [0, 1].map { LayerSamples(samples, block: $0) }
    #expect(layers.map(OperationCount.factors) == [135, 120])
    let six = KroneckerFactor(.identity(6))
    #expect(OperationCount.cholesky(six) == 72)
    // Blocks of 4 and 2: (64 + 8)/3; n d² instead of n³.
    let split = KroneckerFactor(.identity(6), blockSize: 4)
    #expect(OperationCount.cholesky(split) == 24)
    let two = KroneckerFactor(.identity(2))
    // 2 · 6 · 4 + 2 · 2 · 36, and 2 · 6 · 4 + 2 · 2 · (16 + 4).
    #expect(OperationCount.solve(a: six, g: two) == 192)
    #expect(OperationCount.solve(a: split, g: two) == 128)
    #expect(OperationCount.eigendecomposition(4) == 576)
    #expect(OperationCount.rotation(2, 4) == 96)
    // 4 n N + 4 d_G N² K and 4 n N + 4 d_G N K with n = 9, N = 5, K = 2, d_G = 3.
    #expect(OperationCount.product(layers[0], .kfac) == 180 + 600)
    #expect(OperationCount.product(layers[0], .exactBlock) == 180 + 120)
  }

  @Test("Descent costs its gradients, and counts add up")
  func descent() throws {
    Self.expectEqual(
      try Self.counts(IdentityPreconditioner()), (1...4).map { Double($0) * Self.gradient }, "sgd")
    Self.expectEqual(
      try Self.counts(AdamPreconditioner()), (1...4).map { Double($0) * Self.gradient }, "adam")
  }

  @Test("KFAC pays for factors every T_FIM, for inverses every T_INV, for solves always")
  func kfac() throws {
    var options = KroneckerPreconditioner.Options()
    options.factorInterval = .constant(2)
    options.inverseInterval = .constant(4)
    let steps = [
      Self.samples + Self.factors + Self.cholesky, 0, Self.samples + Self.factors, 0,
      Self.samples + Self.factors + Self.cholesky,
    ]
    var total = 0.0
    let expected = steps.map {
      total += Self.gradient + $0 + Self.solve
      return total
    }
    Self.expectEqual(
      try Self.counts(try KroneckerPreconditioner(options, name: "kfac"), steps: 5), expected,
      "kfac")
    // Split 2: blocks 2, 1 | 2, 1 and 2, 2 | 2: d³/3: 3 + 3 + 16/3 + 8/3; solves 60 + 64.
    options.split = 2
    let split = Self.gradient + Self.samples + Self.factors + 14 + 124
    Self.expectEqual(
      try Self.counts(try KroneckerPreconditioner(options, name: "thor"), steps: 1), [split],
      "split")
  }

  @Test("A stopped layer costs no factors and no inverses any more")
  func stoppedLayers() throws {
    var options = KroneckerPreconditioner.Options()
    options.traceRule = try TraceRule(updateAbove: 1e6, stopBelow: 1e6)
    let first = Self.gradient + Self.samples + Self.factors + Self.cholesky + Self.solve
    // The second test computes factors and stops.
    let second = first + Self.gradient + Self.samples + Self.factors + Self.solve
    let stale = Self.gradient + Self.solve
    Self.expectEqual(
      try Self.counts(try KroneckerPreconditioner(options, name: "thor")),
      [first, second, second + stale, second + 2 * stale], "stopped")
  }

  @Test("EKFAC pays for bases rarely, for moments at factor steps, for four rotations always")
  func ekfac() throws {
    var options = EKFACPreconditioner.Options()
    options.factorInterval = .constant(2)
    options.basisInterval = .constant(4)
    // 9 (27 + 27 + 64 + 8); 2 n N K = 2 · 17 · 5 · 2; two rotations there and two back.
    let (bases, moments, rotations) = (1134.0, 340.0, 408.0)
    let refreshed = Self.samples + Self.factors + moments
    var total = 0.0
    let expected = [refreshed + bases, 0, refreshed, 0].map {
      total += Self.gradient + $0 + rotations
      return total
    }
    Self.expectEqual(try Self.counts(try EKFACPreconditioner(options)), expected, "ekfac")
  }

  @Test("CG-FAC pays for each iteration: a product and five vector operations")
  func conjugateGradients() throws {
    for layerOperator in MatrixFreeSolver.Operator.allCases {
      let state = try Self.state()
      var method = ConjugateGradientPreconditionerTests.method(layerOperator, tolerance: 1e-4)
      _ = try method.direction(for: state.gradient, at: state.point())
      // 180 + 600 and 160 + 400, or 180 + 120 and 160 + 80.
      let products: [Double] =
        layerOperator == .kfac ? [780.0, 560.0] : [300.0, 240.0]
      let first = Double(method.iterations[0]) * (products[0] + 90)
      let second = Double(method.iterations[1]) * (products[1] + 80)
      let expected: Double = Self.samples + first + second
      #expect(method.operations == expected)
      #expect(method.iterations.allSatisfy { $0 > 0 })
    }
  }

  @Test("KFAC of 2015 pays for products with the exact Fisher, and three times where γ is chosen")
  func adaptiveKFAC() throws {
    let state = try Self.state()
    // One proposal costs a solve and one product, 300 + 240; the last step another product.
    let (product, forward) = (540.0, 170.0)
    let always = Self.gradient + Self.samples + Self.factors + forward
    let first = always + Self.cholesky + Self.solve + product
    let early = always + Self.cholesky + Self.solve + 2 * product
    let stale = always + Self.solve + 2 * product
    let choice = always + 3 * (Self.cholesky + Self.solve + 2 * product)
    for (gammaInterval, fourth) in [(0, stale), (3, choice)] {
      var options = AdaptiveKFAC.Options()
      options.lambdaInterval = 1
      options.gammaInterval = gammaInterval
      var optimizer = try AdaptiveKFAC(options)
      var network = state.network
      let counts = try (0..<4).map { _ in
        network = try optimizer.step(network, state.batch, state.likelihood)
        return optimizer.operations
      }
      Self.expectEqual(
        counts, [first, first + early, first + 2 * early, first + 2 * early + fourth],
        "T₂ = \(gammaInterval)")
    }
  }

  @Test("The Frobenius rule pays for what it refreshes")
  func frobeniusRule() throws {
    let refreshed = Self.gradient + Self.samples + Self.factors + Self.cholesky + Self.solve
    let stale = Self.gradient + Self.solve
    // Intervals 1, 1, 2 and calm data: refreshes at the steps 0, 1, 2 and 4.
    let method = FrobeniusPreconditioner(
      try FrobeniusIntervalRule(threshold: 10), lambda: .constant(0.3))
    let r = refreshed
    Self.expectEqual(
      try Self.counts(method, steps: 5), [r, 2 * r, 3 * r, 3 * r + stale, 4 * r + stale], "rule")
  }

  @Test("Counts do not depend on the data's values, where no rule reads them")
  func independentOfTheData() throws {
    var options = KroneckerPreconditioner.Options()
    options.averaging = .martensGrosse(most: 0.95)
    let λ = Schedule.constant(0.1)
    var preconditioners: [any Preconditioner] = [IdentityPreconditioner(), AdamPreconditioner()]
    for (kind, rule) in [(StructureKind.exact, DampingRule.exact), (.kfac, .pi), (.ekfac, .exact)] {
      preconditioners.append(
        NaturalGradientPreconditioner(structure: kind, rule: rule, lambda: λ))
    }
    preconditioners.append(try KroneckerPreconditioner(options, name: "kfac"))
    preconditioners.append(try EKFACPreconditioner(EKFACPreconditioner.Options()))
    for preconditioner in preconditioners {
      let counts = try Self.counts(preconditioner)
      #expect(try Self.counts(preconditioner, scale: 7) == counts, "\(preconditioner.name)")
      #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 < $1 })
    }
  }

  @Test("Fresh KFAC counts the same whether it is a natural gradient or a Kronecker preconditioner")
  func twoPathsAgree() throws {
    let natural = try Self.counts(
      NaturalGradientPreconditioner(structure: .kfac, rule: .factor, lambda: .constant(0.3)))
    let kronecker = try Self.counts(
      try KroneckerPreconditioner(KroneckerPreconditioner.Options(), name: "kfac"))
    Self.expectEqual(natural, kronecker, "fresh KFAC")
  }
}
