import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// THOR with its parts switched off (spec 7.1, 7.4).
@Suite("THOR without its parts")
struct THORAsKFACTests {
  @Test("P-116: THOR_NT with T = 1 and no split is KFAC with λI on both factors, step for step")
  func withoutItsPartsTHORIsKFAC() {
    property(
      "P-116", .equal, oracle: "fresh KFAC, dposv on the explicit Kronecker product",
      over: NetworkCase.ordinary, share: 0.5
    ) { test, checks in
      let λ = test.choice([0.3, 0.03, 1])
      var options = KroneckerPreconditioner.Options()
      options.fisher = test.kind
      options.lambda = .constant(λ)
      options.traceRule = .thorNT
      var thor = try KroneckerPreconditioner(options, name: "thor-nt")
      options.split = 50
      var wide = try KroneckerPreconditioner(options, name: "thor-nt, d = 50")
      var kfac = NaturalGradientPreconditioner(
        structure: .kfac, rule: .factor, lambda: .constant(λ), fisher: test.kind)
      var state = TrainingState(test)
      for step in 0..<3 {
        let gradient = state.gradient
        let point = state.point(step: step)
        let direction = try thor.direction(for: gradient, at: point)
        let expected = try kfac.direction(for: gradient, at: point)
        checks.holds(direction == expected, "fresh KFAC at step \(step)")
        checks.holds(
          try wide.direction(for: gradient, at: point) == expected, "d ≥ both sizes, step \(step)")
        for (index, layer) in state.layers(test.kind, step: step).enumerated() {
          try checks.solves(
            direction.blocks[index], layer.damped(.factor, λ), gradient.blocks[index],
            "layer \(index), step \(step)")
        }
        state.network = state.network.adding(direction, scale: -0.05)
      }
    }
  }

  @Test("Each part by itself is another method: stale factors, the trace rule, the split")
  func partsChangeTheSteps() throws {
    let start = TrainingState(
      NetworkCase(.perceptron, .tanh, .categorical, seed: 7, exampleCount: 18))
    /// The parameters after six steps.
    func trained(_ change: (inout KroneckerPreconditioner.Options) throws -> Void) throws -> Vector
    {
      var options = KroneckerPreconditioner.Options()
      try change(&options)
      var optimizer = PreconditionedDescent(
        try KroneckerPreconditioner(options, name: "ablation"),
        DescentRule(learningRate: .constant(0.3)))
      var network = start.network
      for _ in 0..<6 { network = try optimizer.step(network, start.batch, start.likelihood) }
      return network.parameterVector.flattened
    }
    let plain = try trained { _ in }
    let others = [
      try trained { $0.split = 2 },
      try trained {
        $0.factorInterval = .constant(3)
        $0.inverseInterval = .constant(3)
      },
      try trained { $0.traceRule = try TraceRule(updateAbove: 10, stopBelow: 0) },
      try trained { $0.averaging = .martensGrosse(most: 0.95) },
      try trained { $0.rule = .sqrt },
    ]
    for (index, other) in others.enumerated() {
      expectDifferent(other, plain, relative: 1e-4, "part \(index)")
    }
    #expect(try trained { $0.traceRule = .thorNT } == plain)
  }

  /// The outputs after one split step of a network whose first hidden units are renumbered, and what
  /// the step changed relative to the start.
  private func outputs(
    _ test: NetworkCase, order: [Int], signs: [Double]
  ) throws -> (start: Matrix, after: Matrix, scale: Double) {
    var state = TrainingState(test)
    var weights = state.network.parameterVector
    for (unit, old) in order.enumerated() {
      for j in 0..<weights.blocks[0].columnCount {
        weights.blocks[0][unit, j] =
          signs[unit] * state.network.parameters[0].weights[old, j]
      }
      for i in 0..<weights.blocks[1].rowCount {
        weights.blocks[1][i, unit] = signs[unit] * state.network.parameters[1].weights[i, old]
      }
    }
    for (index, block) in weights.blocks.enumerated() {
      state.network.parameters[index].weights = block
    }
    var options = KroneckerPreconditioner.Options()
    options.lambda = .constant(0.1)
    options.split = 2
    options.traceRule = .thor
    var thor = try KroneckerPreconditioner(options, name: "thor")
    let start = state.network.forward(state.batch.inputs).output
    let direction = try thor.direction(for: state.gradient, at: state.point())
    let after = state.network.adding(direction, scale: -0.3).forward(state.batch.inputs).output
    let κ = try state.layers().map { try condition($0.damped(.factor, 0.1, split: 2)) }.max() ?? 1
    return (start, after, κ * (LAPACK.norm1(start) + LAPACK.norm1(after - start)))
  }

  /// Networks with at least three units in the first hidden layer, so that pairs can be broken up.
  private static let wide = NetworkCase.generic.filter {
    $0.problem.network.parameters[0].weights.rowCount >= 3
  }

  @Test("P-131: the split step depends on the order of the hidden units")
  func theOrderOfUnitsMatters() {
    property(
      "P-131", .counterProperty, oracle: "the network with its units renumbered", over: Self.wide
    ) { test, checks in
      let units = test.problem.network.parameters[0].weights.rowCount
      let plain = [Double](repeating: 1, count: units)
      let reference = try outputs(test, order: Array(0..<units), signs: plain)
      let moved = try outputs(test, order: (0..<units).map { ($0 + 1) % units }, signs: plain)
      checks.equal(moved.start, reference.start, scale: reference.scale, "one function before")
      checks.different(
        moved.after - moved.start, reference.after - reference.start, relative: 1e-5)
    }
  }

  @Test("P-131: it does not depend on the signs of tanh units")
  func theSignsOfUnitsDoNotMatter() {
    property(
      "P-131", .equal, oracle: "the network with flipped units", over: Self.wide
    ) { test, checks in
      let units = test.problem.network.parameters[0].weights.rowCount
      let order = Array(0..<units)
      let reference = try outputs(
        test, order: order, signs: [Double](repeating: 1, count: units))
      let flipped = try outputs(
        test, order: order, signs: order.map { ($0 + Int(test.seed)) % 2 == 0 ? -1 : 1 })
      checks.equal(flipped.after, reference.after, scale: reference.scale, "over κ")
    }
  }
}
