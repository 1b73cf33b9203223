import DenseAlgebra
import Optimization
import TestSupport
import Testing

/// Learning rates and dampings over the epochs (spec 7.7; THOR paper, Eqs. 13 to 16, Table 3).
@Suite("Schedules")
struct ScheduleTests {
  /// Eq. 15 with drawn numbers.
  struct WarmUp: Sendable, CustomStringConvertible {
    var start: Double
    var target: Double
    var warmUp: Double
    var end: Double
    var power: Double

    var schedule: Schedule {
      .warmUp(start: start, target: target, warmUp: warmUp, end: end, power: power)
    }
    var description: String { "\(schedule)" }

    static let all = Cases<WarmUp>(
      edges: [
        WarmUp(start: 0.005, target: 0.45, warmUp: 5, end: 55, power: 6),
        WarmUp(start: 0.01, target: 0.8, warmUp: 5, end: 48, power: 6),
        WarmUp(start: 0, target: 1, warmUp: 0.5, end: 1, power: 4.0839),
        WarmUp(start: 2, target: 1, warmUp: 3, end: 0.25, power: 1),
      ],
      draw: {
        WarmUp(
          start: $0.uniform(), target: 0.01 + $0.uniform(), warmUp: 0.1 + 10 * $0.uniform(),
          end: 0.5 + 80 * $0.uniform(), power: [1, 2, 4.0839, 4.9687, 6][$0.below(5)])
      })
  }

  @Test("P-133: Eq. 15 is a line up to e_w, meets the decay there, and reaches 0 at e_w + e_end")
  func warmUpIsContinuous() {
    property("P-133", .equal, oracle: "closed form", over: WarmUp.all) { test, checks in
      let schedule = test.schedule
      let scale = max(test.start, test.target)
      checks.equal(schedule.value(atEpoch: 0), test.start, "start")
      checks.equal(
        schedule.value(atEpoch: test.warmUp / 2), (test.start + test.target) / 2, "half way")
      checks.equal(schedule.value(atEpoch: test.warmUp), test.target, scale: scale, "e_w")
      checks.equal(
        schedule.value(atEpoch: test.warmUp.nextUp), test.target,
        scale: scale * (1 + test.power * test.warmUp / test.end), "just past e_w")
      for part in [0.25, 0.5, 0.75] {
        // (1 − part)^p rounds at p times the relative error of its base.
        checks.equal(
          schedule.value(atEpoch: test.warmUp + part * test.end),
          test.target * power(1 - part, test.power),
          scale: scale * (1 + test.power * (1 + test.warmUp / test.end)), "part \(part)")
      }
      // The paper's form: not at e_end, where the value is target · (e_w/e_end)^p.
      if test.end > test.warmUp {
        checks.holds(schedule.value(atEpoch: test.end) > 0, "positive at e_end")
      }
    }
  }

  @Test("P-133: past the end Eqs. 14 and 15 stay 0, also for a power that is not whole")
  func decaysAreClamped() {
    property("P-133", .equal, oracle: "closed form", over: WarmUp.all) { test, checks in
      let plain = Schedule.polynomial(target: test.target, end: test.end, power: test.power)
      for past in [0.001, 1, 100] {
        checks.holds(plain.value(atEpoch: test.end + past) == 0, "Eq. 14, \(past)")
        checks.holds(
          test.schedule.value(atEpoch: test.warmUp + test.end + past) == 0, "Eq. 15, \(past)")
      }
      checks.holds(plain.value(atEpoch: test.end) == 0, "Eq. 14 at its end")
      checks.holds(plain.value(atEpoch: 0) == test.target, "Eq. 14 at its start")
    }
  }

  @Test("P-133: unclamped the decay grows again for an even power and is no number for others")
  func unclampedDecaysGrow() {
    property(
      "P-133", .counterProperty, oracle: "pow of the C library",
      over: WarmUp.all.filter { $0.power != 1 }
    ) { test, checks in
      let unclamped = test.target * power(1 - (test.end + test.end) / test.end, test.power)
      let whole = test.power == test.power.rounded()
      checks.holds(whole ? unclamped > 0 : unclamped.isNaN, "\(unclamped)")
      let clamped = Schedule.polynomial(target: test.target, end: test.end, power: test.power)
        .value(atEpoch: 2 * test.end)
      checks.holds(clamped == 0, "clamped")
    }
  }

  @Test("P-133: Eq. 16 halves every 10 ln ½ / ln ρ epochs")
  func dampingHalves() {
    let rates = Cases<(initial: Double, rate: Double, epoch: Double)>(
      edges: [(0.03, 0.87, 0), (0.3, 0.2, 3), (0.6, 0.3, 7.5)],
      draw: { ($0.uniform() + 0.01, 0.1 + 0.89 * $0.uniform(), 40 * $0.uniform()) })
    property("P-133", .equal, oracle: "closed form", over: rates) { test, checks in
      let schedule = Schedule.exponential(initial: test.initial, rate: test.rate)
      let half = 10 * logarithm(0.5) / logarithm(test.rate)
      let now = schedule.value(atEpoch: test.epoch)
      // The exponent e/10 times ln ρ is known to ε |e ln ρ|/10.
      let growth = 1 + (test.epoch + half) * abs(logarithm(test.rate)) / 10
      checks.equal(
        schedule.value(atEpoch: test.epoch + half), now / 2, scale: now * growth, "half")
      checks.equal(
        schedule.value(atEpoch: 10), test.initial * test.rate, "ρ after ten epochs")
      checks.equal(schedule.value(atEpoch: 0), test.initial, "λ₀")
    }
  }

  @Test("Eq. 13 falls by ten at the epochs 30, 60 and 90, and not between")
  func stepsFall() {
    let schedule = Schedule.steps(initial: 0.1, factor: 0.1, every: 30)
    for (epoch, expected) in [
      (0.0, 0.1), (29.99, 0.1), (30, 0.01), (59.5, 0.01), (60, 0.001), (90, 0.0001),
    ] {
      expectRatio(
        .difference(Vector([schedule.value(atEpoch: epoch)]), Vector([expected])), "\(epoch)")
    }
    #expect(Schedule.constant(0.3).value(atEpoch: 1e9) == 0.3)
  }

  @Test(
    "0⁰ is 1 in every schedule: the start of a factor or rate of 0, and a power of 0 past the end")
  func zeroToTheZeroth() {
    #expect(Schedule.steps(initial: 2, factor: 0, every: 3).value(atEpoch: 1) == 2)
    #expect(Schedule.steps(initial: 2, factor: 0, every: 3).value(atEpoch: 3) == 0)
    #expect(Schedule.exponential(initial: 2, rate: 0).value(atEpoch: 0) == 2)
    #expect(Schedule.exponential(initial: 2, rate: 0).value(atEpoch: 1) == 0)
    #expect(Schedule.polynomial(target: 2, end: 3, power: 0).value(atEpoch: 9) == 2)
  }

  @Test("A warm-up of length 0 is the decay alone")
  func noWarmUp() {
    let schedule = Schedule.warmUp(start: 5, target: 2, warmUp: 0, end: 4, power: 2)
    #expect(schedule.value(atEpoch: 0) == 2 && schedule.value(atEpoch: 2) == 0.5)
  }

  /// Table 3 as printed, and Eq. 13 as text.
  static let printed: [(Schedule.Preset, rate: Schedule, damping: Schedule)] = [
    (
      .cifar10, .steps(initial: 0.1, factor: 0.1, every: 30),
      .steps(initial: 0.3, factor: 0.1, every: 30)
    ),
    (
      .imageNet256, .polynomial(target: 0.045, end: 70, power: 6),
      .exponential(initial: 0.03, rate: 0.87)
    ),
    (
      .imageNet256Stop, .polynomial(target: 0.050, end: 70, power: 6),
      .exponential(initial: 0.03, rate: 0.87)
    ),
    (
      .imageNet256NT, .polynomial(target: 0.045, end: 72, power: 6),
      .exponential(initial: 0.03, rate: 0.87)
    ),
    (
      .imageNet4096, .warmUp(start: 0.005, target: 0.45, warmUp: 5, end: 55, power: 6),
      .exponential(initial: 0.3, rate: 0.2)
    ),
    (
      .imageNet8192, .warmUp(start: 0.01, target: 0.8, warmUp: 5, end: 48, power: 6),
      .exponential(initial: 0.6, rate: 0.3)
    ),
  ]

  @Test("The presets are the printed numbers of Table 3 and Eq. 13, and pass their own check")
  func presetsArePrinted() throws {
    #expect(Self.printed.map { $0.0 } == Schedule.Preset.allCases)
    for (preset, rate, damping) in Self.printed {
      #expect(preset.learningRate == rate && preset.damping == damping, "\(preset)")
      try preset.learningRate.check("the learning rate")
      try preset.damping.check("the damping")
    }
  }

  @Test("A stretched schedule has at f · e the value of the other at e")
  func stretching() {
    let schedules: [Schedule] = [.constant(0.7)] + Self.printed.flatMap { [$0.rate, $0.damping] }
    for schedule in schedules {
      for factor in [0.5, 1, 4] {
        for epoch in [0, 0.5, 5, 7.25, 30, 61, 80] {
          let (value, expected) = (
            schedule.stretched(by: factor).value(atEpoch: factor * epoch),
            schedule.value(atEpoch: epoch)
          )
          // Powers of two move no bit but of ρ^(1/f).
          #expect(abs(value - expected) <= 1e-13 * expected, "\(schedule), \(factor), \(epoch)")
        }
      }
    }
  }

  @Test("Each field is refused by its name where it cannot be used")
  func badFields() {
    let bad: [(Schedule, String)] = [
      (.constant(-1), "value -1.0"), (.constant(.nan), "value nan"),
      (.constant(.infinity), "value inf"),
      (.steps(initial: -1, factor: 0.1, every: 3), "initial -1.0"),
      (.steps(initial: 1, factor: -0.1, every: 3), "factor -0.1"),
      (.steps(initial: 1, factor: 0.1, every: 0), "every 0.0"),
      (.steps(initial: 1, factor: 0.1, every: .nan), "every nan"),
      (.polynomial(target: -1, end: 3, power: 2), "target -1.0"),
      (.polynomial(target: 1, end: 0, power: 2), "end 0.0"),
      (.polynomial(target: 1, end: 3, power: -2), "power -2.0"),
      (.polynomial(target: 1, end: 3, power: .infinity), "power inf"),
      (.warmUp(start: -1, target: 1, warmUp: 1, end: 3, power: 2), "start -1.0"),
      (.warmUp(start: 0, target: -1, warmUp: 1, end: 3, power: 2), "target -1.0"),
      (.warmUp(start: 0, target: 1, warmUp: -1, end: 3, power: 2), "warmUp -1.0"),
      (.warmUp(start: 0, target: 1, warmUp: 1, end: 0, power: 2), "end 0.0"),
      (.warmUp(start: 0, target: 1, warmUp: 1, end: 3, power: -2), "power -2.0"),
      (.exponential(initial: -1, rate: 0.5), "initial -1.0"),
      (.exponential(initial: 1, rate: -0.5), "rate -0.5"),
    ]
    for (schedule, field) in bad {
      let error = #expect(throws: OptimizationError.self) { try schedule.check("the damping") }
      let text = error?.description ?? ""
      #expect(text.contains("the schedule of the damping has \(field);"), "\(text)")
    }
    for good: Schedule in [
      .constant(0), .steps(initial: 0, factor: 0, every: 0.1),
      .polynomial(target: 0, end: 0.1, power: 0),
      .warmUp(start: 0, target: 0, warmUp: 0, end: 0.1, power: 0),
      .exponential(initial: 0, rate: 0), .exponential(initial: 1, rate: 1.5),
    ] {
      #expect(throws: Never.self) { try good.check("the damping") }
    }
  }
}
