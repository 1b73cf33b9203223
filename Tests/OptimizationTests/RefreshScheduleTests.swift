import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// When factors and inverses are refreshed (spec 7.1, 7.3).
@Suite("Intervals between refreshes")
struct RefreshScheduleTests {
  static let list = IntervalSchedule.list([
    .init(fromStep: 0, interval: 2), .init(fromStep: 4, interval: 3),
    .init(fromStep: 10, interval: 5),
  ])
  static let growing = IntervalSchedule.growing(initial: 1, rate: 2, most: 8)

  /// The schedules, and by hand the steps below 30 at which they are due with 4 steps to an epoch.
  static let due: [(IntervalSchedule, [Int])] = [
    (.constant(1), Array(0..<30)),
    (.constant(3), [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]),
    (.constant(40), [0]),
    // T = 2 to step 3, 3 to step 9, then 5; counted from the last refresh.
    (list, [0, 2, 5, 8, 13, 18, 23, 28]),
    // T = 1, 2, 4, 8, 8, … in the epochs that begin with the steps 0, 4, 8, 12.
    (growing, [0, 1, 2, 3, 5, 7, 11, 19, 27]),
  ]

  @Test("Constant, listed and growing intervals are due at these steps", arguments: 0..<5)
  func dueSteps(index: Int) {
    let (schedule, expected) = Self.due[index]
    var last: Int?
    let steps = (0..<30).filter { step in
      guard schedule.isDue(atStep: step, last: last, epoch: Double(step) / 4) else { return false }
      last = step
      return true
    }
    #expect(steps == expected, "\(schedule)")
  }

  @Test("The optimizer tests every layer at these steps and no others", arguments: 0..<5)
  func testedSteps(index: Int) throws {
    let (schedule, expected) = Self.due[index]
    var options = KroneckerPreconditioner.Options()
    options.traceRule = .thor
    options.factorInterval = schedule
    options.inverseInterval = schedule
    let state = TrainingState(
      NetworkCase(.perceptron, .tanh, .categorical, seed: 3, exampleCount: 6))
    var optimizer = PreconditionedDescent(
      try KroneckerPreconditioner(options, name: "thor"),
      DescentRule(learningRate: .constant(0.01), stepsPerEpoch: 4))
    var network = state.network
    for _ in 0..<30 { network = try optimizer.step(network, state.batch, state.likelihood) }
    let decisions = optimizer.takeDecisions()
    for layer in network.parameters {
      #expect(decisions.filter { $0.layer == layer.name }.map(\.step) == expected)
    }
    #expect(optimizer.takeDecisions().isEmpty)
  }

  @Test("A growing interval is min(most, ⌈initial · rate^⌊e⌋⌉)")
  func growingIntervals() {
    let schedule = IntervalSchedule.growing(initial: 2, rate: 1.5, most: 10)
    let expected = [2, 3, 5, 7, 10, 10, 10]  // 2, 3, 4.5, 6.75, 10.125, …
    for (epoch, interval) in expected.enumerated() {
      #expect(schedule.interval(atStep: 0, epoch: Double(epoch)) == interval)
      #expect(schedule.interval(atStep: 0, epoch: Double(epoch) + 0.99) == interval)
    }
    #expect(schedule.interval(atStep: 0, epoch: 1e6) == 10)
  }

  @Test("T_FIM that does not divide T_INV is refused beside a trace rule, with the reason")
  func unalignedIntervals() {
    for (factors, inverses) in [
      (IntervalSchedule.constant(3), IntervalSchedule.constant(4)),
      (.constant(8), .constant(4)),
      (.constant(2), .list([.init(fromStep: 0, interval: 4), .init(fromStep: 6, interval: 5)])),
      (Self.list, .constant(30)),
      (.constant(2), .growing(initial: 2, rate: 1.5, most: 8)),
      (.growing(initial: 2, rate: 2, most: 8), .growing(initial: 2, rate: 2, most: 16)),
    ] {
      var options = KroneckerPreconditioner.Options()
      options.factorInterval = factors
      options.inverseInterval = inverses
      // Without a test nothing can stop falsely.
      #expect(throws: Never.self) { try options.check() }
      options.traceRule = .thorStop
      let error = #expect(throws: OptimizationError.self) {
        try KroneckerPreconditioner(options, name: "thor")
      }
      let text = error?.description ?? ""
      #expect(text.contains("T_FIM is \(factors) and T_INV is \(inverses)"))
      #expect(text.contains("Δ = 0") && text.contains("stop the layer falsely"), "\(text)")
    }
  }

  @Test("T_FIM that divides every T_INV is accepted, 1 beside a growing one too")
  func alignedIntervals() {
    for (factors, inverses) in [
      (IntervalSchedule.constant(1), IntervalSchedule.constant(7)), (.constant(5), .constant(20)),
      (.constant(2), .list([.init(fromStep: 0, interval: 4), .init(fromStep: 6, interval: 6)])),
      (Self.list, Self.list), (Self.growing, Self.growing), (.constant(1), Self.growing),
    ] {
      #expect(throws: Never.self) {
        try IntervalSchedule.check(factors: factors, inverses: inverses)
      }
    }
  }

  /// A machine made by hand: the trace grows by 5 % a step; what the tests answer up to step 24.
  private func outcomes(factors: Int, inverses: Int) -> [(change: Double, outcome: String)] {
    var (seen, reference) = (1.0, 1.0)
    var isStopped = false
    var answers: [(Double, String)] = []
    for step in 0...24 where !isStopped {
      if step % factors == 0 { seen = power(1.05, Double(step)) }
      guard step % inverses == 0, step > 0 else { continue }
      let change = abs(seen - reference) / reference
      if change < 0.001 {
        isStopped = true
        answers.append((change, "stop"))
      } else if change > 0.01 {
        reference = seen
        answers.append((change, "update"))
      } else {
        answers.append((change, "keep"))
      }
    }
    return answers
  }

  @Test("Why: with T_FIM = 8 and T_INV = 4 a layer that grows by 5 % a step is stopped at once")
  func unalignedIntervalsStopFalsely() throws {
    let false8 = outcomes(factors: 8, inverses: 4)
    #expect(false8.count == 1 && false8[0].change == 0 && false8[0].outcome == "stop")
    let right = outcomes(factors: 4, inverses: 4)
    #expect(right.map(\.outcome) == Array(repeating: "update", count: 6))
    // The library's rule answers the same where the statistics are the same.
    var state = TraceState()
    let old = LayerTraces(a: 1, g: 1, sizeA: 1, sizeG: 1)
    _ = state.test(old, .thorStop, lambda: 0)
    #expect(state.test(old, .thorStop, lambda: 0)?.outcome == .stop)
    #expect(state.test(TraceRuleTests.traces(2), .thorStop, lambda: 0) == nil)
    // T_FIM = 3 under T_INV = 4 meets no unchanged factor, but compares unequal spans of steps:
    // the factors at the tests 4, 8, 12 are those of the steps 3, 6, 12.
    let spans = outcomes(factors: 3, inverses: 4).prefix(3).map(\.change)
    for (change, span) in zip(spans, [3.0, 3, 6]) {
      #expect(abs(change - (power(1.05, span) - 1)) < 1e-12)
    }
  }

  @Test("A schedule that cannot be followed is refused by name")
  func badSchedules() {
    for (schedule, part) in [
      (IntervalSchedule.constant(0), "at least 1"),
      (.list([.init(fromStep: 0, interval: 3), .init(fromStep: 5, interval: 0)]), "at least 1"),
      (.list([.init(fromStep: 1, interval: 3)]), "begin with 0"),
      (.list([]), "begin with 0"),
      (.list([.init(fromStep: 0, interval: 3), .init(fromStep: 0, interval: 4)]), "ascending"),
      (.growing(initial: 4, rate: 0.5, most: 8), "at least 1"),
      (.growing(initial: 4, rate: 2, most: 3), "at least the first"),
    ] {
      let error = #expect(throws: OptimizationError.self) { try schedule.check("T_X") }
      #expect(error?.description.contains("T_X") == true)
      #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }
  }
}
