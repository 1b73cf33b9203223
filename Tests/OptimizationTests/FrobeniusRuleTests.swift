import Curvature
import DenseAlgebra
import Networks
import Optimization
import TestSupport
import Testing

/// SP-NGD's interval rule (spec 8.8; stated there from memory of the paper).
@Suite("The Frobenius rule for intervals")
struct FrobeniusRuleTests {
  static func scalar(_ value: Double) -> Matrix { Matrix(rows: [[value]]) }

  /// The intervals after refreshes with these values, each at the step when it was due.
  static func intervals(_ values: [Matrix]) throws -> [Int] {
    let rule = try FrobeniusIntervalRule(threshold: 0.1)
    var statistic = AgedStatistic()
    return values.map {
      let step = statistic.due
      statistic.refresh($0, atStep: step, rule)
      #expect(statistic.due == step + statistic.interval)
      return statistic.interval
    }
  }

  @Test("A constant statistic waits 1, 1, 2, 3, 5, 8, … steps: Δ₋₁ + Δ₋₂")
  func constantStatistics() throws {
    // The second refresh has no X₋₂ to be similar to.
    #expect(
      try Self.intervals(Array(repeating: Self.scalar(2), count: 8)) == [1, 1, 2, 3, 5, 8, 13, 21])
  }

  @Test("A jump halves the interval, one similar neighbour keeps it, and it never falls below 1")
  func jumps() throws {
    // After 1, 1, 2, 3, 5 on the value 1 a jump to 2: ⌊5/2⌋ = 2. Then 2 is like X₋₁ = 2 but not like
    // X₋₂ = 1: 2 again; then like both: 2 + 2 = 4; then a jump: 2; another: 1; another: 1.
    let values = [1.0, 1, 1, 1, 1, 2, 2, 2, 1, 2, 1]
    #expect(
      try Self.intervals(values.map(Self.scalar)) == [1, 1, 2, 3, 5, 2, 2, 4, 2, 1, 1])
    // Like X₋₂ but not like X₋₁ is a jump too.
    #expect(try Self.intervals([1.0, 1, 1, 1, 2, 1].map(Self.scalar)) == [1, 1, 2, 3, 1, 1])
  }

  @Test("Similar means a relative change below the threshold, of the old value's norm")
  func similarity() throws {
    let rule = try FrobeniusIntervalRule(threshold: 0.25)
    #expect(!rule.isSimilar(Self.scalar(1.25), Self.scalar(1)))
    #expect(rule.isSimilar(Self.scalar(1.25.nextDown), Self.scalar(1)))
    #expect(!rule.isSimilar(Self.scalar(0.75), Self.scalar(1)))
    // Relative to the old one: 1.25 from 1 is 25 %, 1 from 1.25 only 20 %.
    #expect(rule.isSimilar(Self.scalar(1), Self.scalar(1.25)))
    #expect(!rule.isSimilar(Self.scalar(0), Self.scalar(0)))
  }

  @Test("P-127: the norm sees the rotation that the trace does not")
  func rotationsAreSeen() throws {
    let old = Matrix.diagonal([1, 4])
    let rotated = Matrix.diagonal([4, 1])
    property(
      "P-127", .counterProperty, oracle: "closed form", claim: "the Frobenius rule sees a rotation",
      over: .list([0.05, 0.1, 0.5, 1])
    ) { threshold, checks in
      let rule = try FrobeniusIntervalRule(threshold: threshold)
      checks.holds(!rule.isSimilar(rotated, old), "α = \(threshold)")
      let traces = [old, rotated].map { LayerTraces(a: $0.trace, g: 1, sizeA: 2, sizeG: 1) }
      checks.holds(
        TraceRule.change(from: traces[0], to: traces[1], lambda: 0, reading: .undamped) == 0,
        "Δ = 0")
    }
  }

  @Test("The preconditioner ages A and G of each layer by themselves, and solves with what it has")
  func preconditionerFollowsTheRule() throws {
    let test = NetworkCase(.perceptron, .tanh, .categorical, seed: 95, exampleCount: 15)
    var method = FrobeniusPreconditioner(
      try FrobeniusIntervalRule(threshold: 0.1), damping: .factor, lambda: .constant(0.3))
    var state = TrainingState(test)
    // The rule by hand, factor by factor.
    struct Aged {
      var history: [Matrix] = []
      var gaps = [1, 1]
      var due = 0

      mutating func offer(_ x: Matrix, at step: Int) {
        guard step == due else { return }
        func similar(_ back: Int) -> Bool? {
          guard history.count >= back else { return nil }
          let old = history[history.count - back]
          return frobenius(x - old) < 0.1 * frobenius(old)
        }
        let (last, before) = (gaps[gaps.count - 1], gaps[gaps.count - 2])
        let next: Int
        switch (similar(1), similar(2)) {
        case (nil, _): next = 1
        case (false?, _): next = max(1, last / 2)
        case (true?, true?): next = last + before
        case (true?, _): next = last
        }
        history.append(x)
        gaps.append(next)
        due = step + next
      }
    }
    var aged = state.network.parameters.map { _ in (a: Aged(), g: Aged()) }
    var checks = Checks()
    var longest = 1
    for step in 0..<14 {
      // Two restless steps, then calm ones, then a jump at step 10.
      let scale = step < 2 || step == 9 ? -3 : -0.01
      let direction = try method.direction(for: state.gradient, at: state.point(step: step))
      for (index, layer) in state.layers().enumerated() {
        aged[index].a.offer(layer.a, at: step)
        aged[index].g.offer(layer.g, at: step)
        let (a, g) = (aged[index].a, aged[index].g)
        checks.holds(
          method.intervals[index] == (a.gaps[a.gaps.count - 1], g.gaps[g.gaps.count - 1]),
          "layer \(index), step \(step)")
        longest = max(longest, method.intervals[index].a, method.intervals[index].g)
        let matrix = kronecker(
          a.history[a.history.count - 1].addingToDiagonal(0.3),
          g.history[g.history.count - 1].addingToDiagonal(0.3))
        try checks.solves(
          direction.blocks[index], matrix, state.gradient.blocks[index],
          "layer \(index), step \(step)")
      }
      state.network = state.network.adding(direction, scale: scale)
    }
    #expect(checks.holds, "\(checks.measurements.filter { !$0.holds })")
    #expect(longest >= 3)
  }

  @Test("A threshold that is not positive is refused", arguments: [0, -1, .nan, .infinity])
  func badThresholds(value: Double) {
    let error = #expect(throws: OptimizationError.self) {
      try FrobeniusIntervalRule(threshold: value)
    }
    #expect(error?.description.contains("\(value)") == true)
  }
}
