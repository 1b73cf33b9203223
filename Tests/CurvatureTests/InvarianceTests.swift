import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing

/// One network in two coordinate systems: do the steps realise the same function? (spec 4.8)
@Suite("Invariance of the step under a change of coordinates")
struct InvarianceTests {
  static let likelihood = Likelihood.gaussian(variance: 0.7)
  static let examples = 30

  /// A 3-4-2 network and the same function on inputs x′ = Φx + t, with tanh or rewritten to logistic.
  struct Twins {
    let networks: [Network]
    let data: [Dataset]

    init(_ map: Matrix, shift: Vector, logistic: Bool, seed: UInt64) throws {
      var generator = Generator(seed: seed)
      let (first, second) = (generator.normal(4, 4), generator.normal(2, 5))
      let inputs = generator.normal(3, examples)
      let plain = try Network.multilayerPerceptron(weights: [first, second], activations: [.tanh])
      // W̄ x̄ = W̄ Ω⁻¹ (Ω x̄) with Ω = [Φ t; 0 1].
      var Ω = Matrix.identity(4)
      Ω.setBlock(row: 0, column: 0, to: map)
      for i in 0..<3 { Ω[i, 3] = shift[i] }
      var moved = try LAPACK.dgesv(Ω.transposed, first.transposed).transposed
      var last = second
      if logistic {
        // tanh s = 2σ(2s) − 1.
        moved = 2 * moved
        for i in 0..<2 {
          for j in 0..<4 {
            last[i, 4] -= second[i, j]
            last[i, j] = 2 * second[i, j]
          }
        }
      }
      let other = try Network.multilayerPerceptron(
        weights: [moved, last], activations: [logistic ? .logistic : .tanh])
      let mapped = Matrix(rowCount: 3, columnCount: examples) { i, n in
        shift[i] + (0..<3).reduce(0) { $0 + map[i, $1] * inputs[$1, n] }
      }
      let targets = Targets.values(generator.normal(2, examples))
      networks = [plain, other]
      data = [
        Dataset(name: "x", inputs: inputs, targets: targets),
        Dataset(name: "Φx + t", inputs: mapped, targets: targets),
      ]
    }

    /// The two networks' outputs after one step of length ½ each.
    func outputsAfterStep(_ kind: StructureKind, _ rule: DampingRule, _ λ: Double) throws
      -> [Matrix]
    {
      try zip(networks, data).map { network, data in
        let samples = GradientSamples(network, data, likelihood: likelihood, kind: .exact)
        let gradient = LossGradient(network, data, likelihood).gradient
        let step = try kind.build(samples).damped(rule, λ).solve(gradient)
        return network.adding(step, scale: -0.5).forward(data.inputs).output
      }
    }
  }

  static let skew = Matrix(rows: [[2, 0.5, 0], [-0.3, 0.7, 0.2], [0.1, 0, 1.5]])
  static let shift = Vector([0.5, -1, 0.3])

  @Test("The twins are one function")
  func twinsAgree() throws {
    for logistic in [false, true] {
      let twins = try Twins(Self.skew, shift: Self.shift, logistic: logistic, seed: 1)
      let outputs = zip(twins.networks, twins.data).map { $0.forward($1.inputs).output }
      expectRatio(.difference(outputs[1], outputs[0]))
    }
  }

  @Test(
    "P-72: undamped KFAC and the exact blocks ignore affine input maps and tanh ↔ logistic",
    arguments: 1...4 as ClosedRange<UInt64>, [false, true])
  func undampedKFACIsInvariant(seed: UInt64, logistic: Bool) throws {
    let twins = try Twins(Self.skew, shift: Self.shift, logistic: logistic, seed: seed)
    let start = twins.networks[0].forward(twins.data[0].inputs).output
    for (kind, rule) in [
      (StructureKind.kfac, DampingRule.factor), (.kfac, .none), (.blockDiagonal, .exact),
    ] {
      let outputs = try twins.outputsAfterStep(kind, rule, 0)
      // κ of the factors is below 1e5 here, twice used.
      expectAtMost(
        frobenius(outputs[1] - outputs[0]), 1e-7 * frobenius(outputs[0]), "\(kind) \(rule)",
        seed: seed)
      expectDifferent(outputs[0], start, relative: 0.01)
    }
  }

  @Test("P-74, P-99: damped KFAC and the undamped rest are not affine-invariant")
  func othersAreNot() throws {
    let twins = try Twins(Self.skew, shift: Self.shift, logistic: false, seed: 2)
    for (kind, rule, λ) in [
      (StructureKind.kfac, DampingRule.pi, 0.3), (.kfac, .sqrt, 0.3), (.kfac, .exact, 0.3),
      (.diagonal, .exact, 0), (.ekfac, .exact, 0), (.tkfac, .factor, 0),
      (.nearestKronecker, .factor, 0),
    ] {
      let outputs = try twins.outputsAfterStep(kind, rule, λ)
      expectDifferent(outputs[1], outputs[0], relative: 1e-3, "\(kind) \(rule) \(λ)")
    }
  }

  @Test(
    "P-73: under orthogonal input maps damped KFAC, EKFAC, TKFAC and nearest Kronecker are",
    arguments: 1...4 as ClosedRange<UInt64>)
  func orthogonalMapsAreHarmless(seed: UInt64) throws {
    var generator = Generator(seed: seed)
    let twins = try Twins(
      generator.orthogonal(3), shift: .zero(3), logistic: false, seed: seed)
    for (kind, rule) in [
      (StructureKind.kfac, DampingRule.pi), (.kfac, .factor), (.ekfac, .exact), (.tkfac, .sqrt),
      (.nearestKronecker, .pi), (.exact, .exact), (.blockTridiagonal, .pi), (.klKronecker, .exact),
    ] {
      let outputs = try twins.outputsAfterStep(kind, rule, 0.1)
      expectAtMost(
        frobenius(outputs[1] - outputs[0]), 1e-9 * frobenius(outputs[0]), "\(kind) \(rule)",
        seed: seed)
    }
    let diagonal = try twins.outputsAfterStep(.diagonal, .exact, 0.1)
    expectDifferent(diagonal[1], diagonal[0], relative: 1e-4, "diagonal")
  }
}
