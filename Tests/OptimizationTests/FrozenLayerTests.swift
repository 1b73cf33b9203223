import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// What a layer does between updates (spec 7.1, lines 6 and 7).
@Suite("Kept and stopped layers")
struct FrozenLayerTests {
  /// Runs five steps on changing batches and hands over each step's direction.
  private func run(
    _ test: NetworkCase, _ options: KroneckerPreconditioner.Options,
    _ visit: (Int, TrainingState, ParameterVector) throws -> Void
  ) throws -> KroneckerPreconditioner {
    var thor = try KroneckerPreconditioner(options, name: "thor")
    var state = TrainingState(test)
    let data = state.batch
    for step in 0..<5 {
      state.batch = data.subset((0..<data.count).filter { ($0 + step) % 3 > 0 })
      let direction = try thor.direction(for: state.gradient, at: state.point(step: step))
      try visit(step, state, direction)
      state.network = state.network.adding(direction, scale: -0.1)
    }
    return thor
  }

  private func options(_ ω1: Double, _ ω2: Double) throws -> KroneckerPreconditioner.Options {
    var options = KroneckerPreconditioner.Options()
    options.lambda = .exponential(initial: 0.3, rate: 1e-3)  // halves a step
    options.traceRule = try TraceRule(updateAbove: ω1, stopBelow: ω2)
    return options
  }

  @Test("P-134: a stopped layer uses its frozen inverse, λ included, and the current gradient")
  func stoppedLayers() {
    property("P-134", .equal, oracle: "dposv", over: NetworkCase.generic, share: 0.5) {
      test, checks in
      // Every change is below 1e6: update at step 0, stop at step 1.
      var frozen: [ExplicitLayer] = []
      var thor = try run(test, options(1e6, 1e6)) { step, state, direction in
        if step == 0 { frozen = state.layers() }
        for (index, layer) in frozen.enumerated() {
          try checks.solves(
            direction.blocks[index], layer.damped(.factor, 0.3), state.gradient.blocks[index],
            "layer \(index), step \(step)")
        }
      }
      let decisions = thor.takeDecisions()
      checks.holds(
        decisions.map(\.step)
          == frozen.map { _ in 0 } + frozen.map { _ in 1 }, "no test after the stop")
      checks.holds(
        decisions.map(\.outcome)
          == frozen.map { _ in .update } + frozen.map { _ in .stop }, "update, then stop")
      for index in frozen.indices {
        checks.holds(thor.traceState(ofLayer: index).isStopped, "stopped")
      }
    }
  }

  @Test("P-134: neither fresh factors nor the first gradient give that step")
  func stoppedLayersAreNotFresh() {
    property("P-134", .counterProperty, oracle: "dposv", over: NetworkCase.generic, share: 0.5) {
      test, checks in
      var first: ParameterVector?
      _ = try run(test, options(1e6, 1e6)) { step, state, direction in
        first = first ?? direction
        guard step == 4 else { return }
        var fresh: [Double] = []
        for (layer, block) in zip(state.layers(step: 4), state.gradient.blocks) {
          fresh += try LAPACK.dposv(layer.damped(.factor, 0.3), cvec(block)).elements
        }
        checks.different(direction.flattened, Vector(fresh), relative: 1e-4, "fresh factors")
        checks.different(
          direction.flattened, first?.flattened ?? .zero(direction.count), relative: 1e-4,
          "the first gradient")
      }
    }
  }

  @Test("A kept layer uses the last accepted inverse too, but goes on being tested")
  func keptLayers() throws {
    let test = NetworkCase(.perceptron, .tanh, .categorical, seed: 12, exampleCount: 15)
    var checks = Checks()
    var accepted: [ExplicitLayer] = []
    var thor = try run(test, options(1e6, 0)) { step, state, direction in
      if step == 0 { accepted = state.layers() }
      for (index, layer) in accepted.enumerated() {
        try checks.solves(
          direction.blocks[index], layer.damped(.factor, 0.3), state.gradient.blocks[index])
      }
    }
    #expect(checks.holds, "\(checks.measurements.filter { !$0.holds })")
    let decisions = thor.takeDecisions()
    #expect(decisions.count == 5 * accepted.count)
    #expect(decisions.dropFirst(accepted.count).allSatisfy { $0.outcome == .keep })
    for (index, layer) in accepted.enumerated() {
      let factors = try #require(thor.acceptedFactors(ofLayer: index))
      expectRatio(.difference(factors.a, layer.a))
      expectRatio(.difference(factors.g, layer.g))
      // The newest were computed and discarded.
      expectDifferent(try #require(thor.newestFactors(ofLayer: index)).a, layer.a)
    }
  }

  @Test("With re-damping the old factors take the new λ at every step")
  func redamping() throws {
    let test = NetworkCase(.perceptron, .tanh, .bernoulli, seed: 14, exampleCount: 15)
    var options = try options(1e6, 0)
    options.redamps = true
    var checks = Checks()
    var accepted: [ExplicitLayer] = []
    _ = try run(test, options) { step, state, direction in
      if step == 0 { accepted = state.layers() }
      let λ = 0.3 * power(1e-3, Double(step) / 10)
      for (index, layer) in accepted.enumerated() {
        try checks.solves(
          direction.blocks[index], layer.damped(.factor, λ), state.gradient.blocks[index])
      }
    }
    #expect(checks.holds, "\(checks.measurements.filter { !$0.holds })")
  }

  @Test("Decisions report Δ by the reading of the rule, with the λ of the step")
  func decisionsReportTheChange() throws {
    let test = NetworkCase(.perceptron, .tanh, .categorical, seed: 12, exampleCount: 15)
    for reading in TraceRule.Reading.allCases {
      var options = try options(0, 0)
      options.traceRule = try TraceRule(updateAbove: 0, stopBelow: 0, reading: reading)
      var layers: [[ExplicitLayer]] = []
      var thor = try run(test, options) { step, state, _ in layers.append(state.layers()) }
      let decisions = thor.takeDecisions()
      #expect(decisions.prefix(layers[0].count).allSatisfy { $0.change.isNaN })
      for decision in decisions.dropFirst(layers[0].count) {
        let index = try #require(Int(decision.layer.dropFirst(5))) - 1
        let λ = 0.3 * power(1e-3, Double(decision.step) / 10)
        let expected = TraceReadingTests.explicit(
          reading, layers[decision.step - 1][index], layers[decision.step][index], λ)
        #expect(abs(decision.change - expected.value) <= 1e-13 * expected.scale, "\(reading)")
        #expect(decision.outcome == .update && decision.reason == "Δ > ω₁")
      }
    }
  }
}
