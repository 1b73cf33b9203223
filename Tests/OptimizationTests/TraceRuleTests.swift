import Curvature
import DenseAlgebra
import Optimization
import TestSupport
import Testing

/// Eq. 9 as a state machine (spec 7.3).
@Suite("The trace rule")
struct TraceRuleTests {
  /// Thresholds, as the table's rows have them.
  struct Thresholds: Sendable, CustomStringConvertible {
    var ω1: Double
    var ω2: Double
    var seed: UInt64 = 1

    var description: String { "ω₁ = \(ω1), ω₂ = \(ω2), seed \(seed)" }

    static let all = Cases<Thresholds>(
      edges: [
        Thresholds(ω1: 0.01, ω2: 0), Thresholds(ω1: 0.01, ω2: 0.001), Thresholds(ω1: 0, ω2: 0),
        Thresholds(ω1: 0.25, ω2: 0.25), Thresholds(ω1: 4, ω2: 0.5),
      ],
      draw: {
        let ω1 = $0.uniform()
        let ω2 = $0.below(3) == 0 ? 0 : ω1 * $0.uniform()
        return Thresholds(ω1: ω1, ω2: ω2, seed: $0.next())
      })
  }

  /// tr A = t, tr G = 1, so that reading e changes by |t′ − t|/t.
  static func traces(_ t: Double) -> LayerTraces { LayerTraces(a: t, g: 1, sizeA: 2, sizeG: 1) }

  @Test("P-128: the boundaries belong to keep, nothing stops below ω₂ = 0, and NaN updates")
  func boundariesOfTheTable() {
    property("P-128", .equal, oracle: "the table of 7.3", over: Thresholds.all) { test, checks in
      let rule = try TraceRule(
        updateAbove: test.ω1, stopBelow: test.ω2, reading: .undamped)
      checks.holds(rule.outcome(test.ω1) == .keep, "Δ = ω₁")
      checks.holds(rule.outcome(test.ω1.nextUp) == .update, "Δ just above ω₁")
      checks.holds(rule.outcome(test.ω2) == .keep, "Δ = ω₂")
      checks.holds(rule.outcome(.nan) == .update, "0/0")
      checks.holds(rule.outcome(.infinity) == .update, "from a trace of 0")
      if test.ω2 > 0 {
        checks.holds(rule.outcome(test.ω2.nextDown) == .stop, "Δ just below ω₂")
        checks.holds(rule.outcome(0) == .stop, "Δ = 0")
      } else {
        checks.holds(rule.outcome(0) == .keep, "Δ = 0")
        checks.holds(
          rule.outcome(.leastNonzeroMagnitude) == (test.ω1 > 0 ? .keep : .update), "the least Δ")
      }
    }
  }

  @Test("P-128: the variants are (0.01, 0), (0.01, 0.001) and (0, 0)")
  func variants() {
    property(
      "P-128", .equal, oracle: "the variants of 7.3", over: .list([0.0, 1e-300, 5e-4, 0.005, 0.02])
    ) { Δ, checks in
      let thor: TraceRule.Outcome = Δ > 0.01 ? .update : .keep
      checks.holds(TraceRule.thor.outcome(Δ) == thor, "THOR never stops")
      let stop: TraceRule.Outcome = Δ < 0.001 ? .stop : thor
      checks.holds(TraceRule.thorStop.outcome(Δ) == stop, "THOR_stop")
      checks.holds(TraceRule.thorNT.outcome(Δ) == (Δ > 0 ? .update : .keep), "THOR_NT")
    }
  }

  /// 7.3 written anew: what a machine with these thresholds does with a sequence of traces.
  private func machine(
    _ test: Thresholds, _ reference: TraceRule.Reference, _ sequence: [Double]
  ) -> [TraceRule.Outcome?] {
    var τ: Double?
    var isStopped = false
    return sequence.map { t in
      if isStopped { return nil }
      guard let old = τ else {
        τ = t
        return .update
      }
      let Δ = abs(t - old) / abs(old)
      if reference == .lastComputed { τ = t }
      if !(Δ <= test.ω1) {
        τ = t
        return .update
      }
      if Δ >= test.ω2 { return .keep }
      isStopped = true
      return .stop
    }
  }

  @Test("P-128: a layer updates first, keeps its reference where it keeps, and stops for good")
  func stateMachine() {
    property("P-128", .equal, oracle: "7.3 written anew", over: Thresholds.all) { test, checks in
      var random = SplitMix64(seed: test.seed)
      for reference in TraceRule.Reference.allCases {
        // Quarters: every comparison with a boundary is exact; zeros give 0/0.
        let sequence = (0..<40).map { _ in Double(random.below(9)) / 4 }
        let smooth = (0..<40).map { 1 + 0.02 * Double($0) * random.uniform() }
        for traces in [sequence, smooth] {
          let rule = try TraceRule(
            updateAbove: test.ω1, stopBelow: test.ω2, reading: .undamped, reference: reference)
          var state = TraceState()
          let outcomes = traces.map { state.test(Self.traces($0), rule, lambda: 0.3)?.outcome }
          checks.holds(outcomes == machine(test, reference, traces), "\(reference)")
          let stop = outcomes.firstIndex(of: .stop)
          checks.holds(state.isStopped == (stop != nil), "the state")
          checks.holds(
            outcomes.dropFirst((stop ?? 39) + 1).allSatisfy { $0 == nil }, "stop is absorbing")
          checks.holds(test.ω2 > 0 || stop == nil, "ω₂ = 0 never stops")
        }
      }
    }
  }

  @Test("Boundaries through whole traces: 1 → 1.5 at ω₁ = 0.5 keeps, the next number updates")
  func boundariesThroughTraces() throws {
    let rule = try TraceRule(updateAbove: 0.5, stopBelow: 0.25, reading: .undamped)
    for (t, expected) in [
      (1.5, TraceRule.Outcome.keep), (1.5.nextUp, .update), (0.5, .keep),
      (0.5.nextDown.nextDown, .update),
      (1.25, .keep), (1.25.nextDown, .stop), (0.75, .keep), (0.75.nextUp, .stop), (1, .stop),
    ] {
      var state = TraceState()
      _ = state.test(Self.traces(1), rule, lambda: 0)
      #expect(state.test(Self.traces(t), rule, lambda: 0)?.outcome == expected, "\(t)")
    }
  }

  @Test("0/0 updates, says so, and takes the new reference")
  func undefinedChangeIsFlagged() throws {
    for reading in TraceRule.Reading.allCases {
      let rule = try TraceRule(updateAbove: 0.01, stopBelow: 0.001, reading: reading)
      let zero = LayerTraces(a: 0, g: 0, block: 0, sizeA: 3, sizeG: 2)
      var state = TraceState()
      let first = state.test(zero, rule, lambda: 0)
      #expect(first?.outcome == .update && first?.change.isNaN == true)
      #expect(first?.reason == "first test")
      let second = state.test(zero, rule, lambda: 0)
      #expect(second?.outcome == .update && second?.change.isNaN == true, "\(reading)")
      #expect(second?.reason.contains("0/0") == true)
      let one = LayerTraces(a: 1, g: 1, block: 1, sizeA: 3, sizeG: 2)
      #expect(state.test(one, rule, lambda: 0)?.change == .infinity)
      #expect(state.reference == one && !state.isStopped)
      // With λ only reading e still divides by zero.
      #expect(
        TraceRule.change(from: zero, to: zero, lambda: 0.3, reading: reading).isNaN
          == (reading == .undamped))
    }
  }

  /// How many of 20 tests after the first update, while the trace grows by `drift` a test.
  private static func updates(_ drift: Double, _ reference: TraceRule.Reference) throws -> Int {
    let rule = try TraceRule(
      updateAbove: 0.01, stopBelow: 0, reading: .undamped, reference: reference)
    var state = TraceState()
    _ = state.test(traces(1), rule, lambda: 0)
    return (1...20).count {
      state.test(traces(power(1 + drift, Double($0))), rule, lambda: 0)?.outcome == .update
    }
  }

  /// Drifts a test that are not near the root of 1.01 of any order.
  private static let drifts = Cases<Double>(
    edges: [0.004, 0.0098, 0.003, 0.0006],
    draw: { 0.0007 + 0.0092 * $0.uniform() }
  ).filter { drift in
    (1...20).allSatisfy { abs(power(1 + drift, Double($0)) - 1.01) > 1e-9 }
  }

  @Test("P-129: a slow drift is seen from the last accepted statistics, every few tests")
  func lastAcceptedSeesDrift() {
    property("P-129", .equal, oracle: "closed form", over: Self.drifts) { drift, checks in
      // The first m with (1 + drift)ᵐ > 1.01, again and again.
      let m = (1...20).first { power(1 + drift, Double($0)) > 1.01 } ?? 21
      checks.equal(Double(try Self.updates(drift, .lastAccepted)), Double(20 / m))
      if drift == 0.004 { checks.holds(20 / m == 6, "0.4 % a test: 6 of 20") }
    }
  }

  @Test("P-129: from the last computed statistics it is never seen")
  func lastComputedIsBlindToDrift() {
    property("P-129", .counterProperty, oracle: "closed form", over: Self.drifts) {
      drift, checks in
      checks.holds(try Self.updates(drift, .lastComputed) == 0, "no update")
      checks.bounded(power(1 + drift, 20) - 1, atLeast: 0.01, "what had to be seen by the end")
    }
  }

  @Test("ω₂ above ω₁ is refused with the question whether to swap them")
  func swappedThresholds() {
    let error = #expect(throws: OptimizationError.self) {
      try TraceRule(updateAbove: 0.001, stopBelow: 0.01)
    }
    let text = error?.description ?? ""
    #expect(text.contains("ω₁ is 0.001") && text.contains("ω₂ is 0.01"))
    #expect(text.contains("swap them?"))
    #expect(throws: Never.self) { try TraceRule(updateAbove: 0.01, stopBelow: 0.01) }
  }

  @Test(
    "A threshold that is no number of at least 0 is refused by name",
    arguments: [-1, .nan, .infinity])
  func badThresholds(value: Double) {
    let first = #expect(throws: OptimizationError.self) {
      try TraceRule(updateAbove: value, stopBelow: 0)
    }
    #expect(first?.description.contains("ω₁") == true)
    let second = #expect(throws: OptimizationError.self) {
      try TraceRule(updateAbove: 1, stopBelow: value)
    }
    #expect(second?.description.contains("ω₂") == true)
  }
}
