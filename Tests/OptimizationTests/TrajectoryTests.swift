import Curvature
import DataFiles
import DenseAlgebra
import Optimization
import Testing

/// Training runs of an independent NumPy program, taken again step by step (tier T4).
///
/// `Fixtures/generate/training_numpy.py` was written from the papers, not from this library. A value
/// agrees when ‖x − r‖ ≤ 30 n κ ε ‖r‖: n is the longest sum, and κ was measured on the NumPy side by
/// disturbing every gradient, factor, moment, direction and weight of the run by 2⁻³⁰. Decisions agree
/// exactly; each is at least 1e-6 from its threshold, 10⁴ times the largest limit of a Δ.
@Suite("Trajectories")
struct TrajectoryTests {
  @Test(
    "T4: every loss, step, change and weight of a run agrees within 30 nκε, and every decision",
    arguments: TrajectoryCase.identifiers)
  func runsAgree(identifier: String) throws {
    let test = try TrajectoryCase(identifier)
    let run = try test.run()
    #expect(Set(run.arrays.keys) == Set(test.results.map(\.name)))
    for (name, stored, unit) in test.results {
      let ratio = ratio(try #require(run.arrays[name]), stored.elements, unit)
      #expect(ratio <= 30, "\(identifier) \(name): ratio \(ratio)")
    }
    #expect(run.decisions.map(\.step) == test.decisions.map(\.step))
    #expect(run.decisions.map(\.layer) == test.decisions.map(\.layer))
    #expect(run.decisions.map(\.outcome) == test.decisions.map(\.action))
    #expect(test.decisions.allSatisfy { $0.margin ?? 1 >= 1e-6 })
    #expect(test.results.allSatisfy { 30 * $0.unit <= 1e-10 })
  }

  @Test("The cases are nine, with all outcomes in one of them and 15 steps of THOR in another")
  func coverage() throws {
    let cases = try TrajectoryCase.identifiers.map { try TrajectoryCase($0) }
    #expect(cases.count == 9)
    let outcomes = cases.map { Set($0.decisions.map(\.action)) }
    #expect(outcomes.contains(Set(TraceRule.Outcome.allCases)))
    #expect(cases.contains { $0.training.thresholds == [0.01, 0] && $0.batches.count >= 15 })
    #expect(cases.contains { $0.training.thresholds == [0.01, 0.001] })
  }

  /// A case, and a change of its words that makes a mistake of the catalogue.
  struct Mistake: CustomTestStringConvertible {
    let name, identifier: String
    let change: @Sendable (inout TrainingWords) -> Void
    var testDescription: String { "\(name) in \(identifier)" }
  }

  static let mistakes: [Mistake] = [
    Mistake(name: "M-17 empirical Fisher", identifier: "thor-tanh-categorical") {
      $0.fisher = .empirical
    },
    Mistake(name: "M-29 root of lambda", identifier: "thor-stop-relu-gaussian") { $0.rule = .sqrt },
    Mistake(name: "M-36 fresh inverses", identifier: "kfac-martens-grosse") {
      $0.inverseInterval = 1
    },
    Mistake(name: "M-36 fresh basis", identifier: "ekfac-stale-basis") { $0.basisInterval = 1 },
    Mistake(name: "M-38 identity start", identifier: "kfac-martens-grosse") {
      $0.averaging?.kind = .identityStart
    },
    Mistake(name: "M-38 no identity start", identifier: "kfac-identity-start") {
      $0.averaging?.kind = .martensGrosse
    },
    Mistake(name: "M-40 weights exchanged", identifier: "kfac-identity-start") {
      $0.averaging?.decay = 0.25
    },
    Mistake(name: "M-58 decay before preconditioning", identifier: "thor-empirical-decay") {
      $0.decayOn = .gradient
    },
    Mistake(name: "M-60 other split", identifier: "thor-tanh-categorical") { $0.split = 2 },
    Mistake(name: "reading a of Eq. 8 for b", identifier: "thor-empirical-decay") {
      $0.reading = .product
    },
    Mistake(name: "M-62 last computed", identifier: "thor-drift-last-accepted") {
      $0.reference = .lastComputed
    },
    Mistake(name: "never stops", identifier: "thor-stop-relu-gaussian") {
      $0.thresholds = [0.01, 0]
    },
    Mistake(name: "moments restarted from KFAC", identifier: "ekfac-stale-basis") {
      $0.restart = .kfac
    },
    Mistake(name: "M-66 exact block", identifier: "cg-fac-warm") { $0.operator = .exactBlock },
    Mistake(name: "cold start", identifier: "cg-fac-warm") { $0.start = .cold },
    Mistake(name: "one step more", identifier: "cg-fac-warm") { $0.iterations = 5 },
  ]

  @Test(
    "A run with one mistake leaves the stored one a million times its limit", arguments: mistakes)
  func mistakesLeave(mistake: Mistake) throws {
    let test = try TrajectoryCase("t4/\(mistake.identifier)")
    var words = test.training
    mistake.change(&words)
    let run = try test.run(words)
    let worst = test.results.map { name, stored, unit in
      // Another number of changes is another run too.
      ratio(run.arrays[name] ?? [], stored.elements, unit)
    }.max()
    #expect(worst ?? 0 >= 30e6, "\(mistake.name): ratio \(worst ?? 0)")
  }

  @Test("Under slow drift the last accepted reference updates, and the last computed never does")
  func drift() throws {
    let accepted = try TrajectoryCase("t4/thor-drift-last-accepted").run().decisions
    let computed = try TrajectoryCase("t4/thor-drift-last-computed").run().decisions
    func updates(_ decisions: [RefreshDecision]) -> [Int] {
      decisions.filter { $0.outcome == .update }.map(\.step)
    }
    #expect(updates(computed) == [0, 0])
    #expect(updates(accepted).filter { $0 > 0 }.count >= 3)
    #expect(computed.allSatisfy { !($0.change > 0.01) })
  }

  /// ‖x − r‖ / (‖r‖ nκε); infinite where the shapes differ.
  private func ratio(_ actual: [Double], _ expected: [Double], _ unit: Double) -> Double {
    guard actual.count == expected.count else { return .infinity }
    return (Vector(actual) - Vector(expected)).norm / (unit * Vector(expected).norm)
  }
}
