import DenseAlgebra
import Testing

/// For which cases a property must hold.
public enum Quantifier: Sendable {
  case every
  /// At least one: for claims that something *can* happen.
  case some
}

/// Tries one property of the catalogue on its edges and on random cases.
///
/// A failing case is made smaller while it still fails; the report gives the seed, the case, the worst
/// entry with both values, ratio and limit, and the command that replays it.
/// - Parameters:
///   - number: the catalogue's number, "P-62"; the test's name must carry it.
///   - claim: what is claimed; the test's name after its number unless given.
///   - oracle: what the result is compared with: a LAPACK routine, a closed form, a theorem, ….
///   - share: the part of the usual number of cases, below 1 for a costly claim.
///   - body: measures one case; a thrown error fails the case.
public func property<Value>(
  _ number: String, _ kind: PropertyKind, oracle: String, claim: String? = nil,
  over cases: Cases<Value>, share: Double = 1, holds quantifier: Quantifier = .every,
  function: String = #function, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (Value, inout Checks) throws -> Void
) {
  let name = Test.current?.displayName ?? Test.current?.name ?? ""
  precondition(name.contains(number), "the test “\(name)” does not carry the number \(number)")
  let claim = claim ?? String(name.split(separator: ": ", maxSplits: 1).last ?? "")

  let random = cases.edges.isEmpty || share > 0 ? PropertyRun.caseCount : 0
  let count = cases.edges.count + max(1, Int((Double(random) * share).rounded(.up)))
  var worst: Measurement?
  var held = 0
  var tried = 0
  var firstFailure: String?
  for index in 0..<count {
    if let only = PropertyRun.onlyCase, only != index { continue }
    var generator = SplitMix64(seed: PropertyRun.seed(of: number, case: index))
    let value = index < cases.edges.count ? cases.edges[index] : cases.draw(&generator)
    let outcome = Outcome(value, body)
    tried += 1
    if outcome.holds { held += 1 }
    if outcome.holds || quantifier == .every {
      for measurement in outcome.checks.measurements where measurement.use >= worst?.use ?? -1 {
        worst = measurement
      }
    }
    if !outcome.holds, firstFailure == nil {
      let (small, smallOutcome, steps) =
        quantifier == .every ? shrink(value, outcome, cases.smaller, body) : (value, outcome, 0)
      firstFailure = """
        \(number) fails: \(claim)
        case \(index) of \(count), seed \(PropertyRun.seed): \(value)
        \(steps == 0 ? "" : "smallest failing case, after \(steps) steps: \(small)\n")\
        \(smallOutcome.failures.joined(separator: "\n"))
        replay: NATGRAD_SEED=\(PropertyRun.seed) NATGRAD_CASES=\(PropertyRun.caseCount) \
        NATGRAD_CASE=\(index) scripts/test --filter '\(filter(sourceLocation, function))'
        """
      if quantifier == .every { break }
    }
  }
  PropertyTable.add(
    .init(
      number: number, claim: claim, kind: kind, oracle: oracle,
      test: "\(sourceLocation.moduleName).\(function.prefix { $0 != "(" })", cases: tried,
      worst: worst))
  switch quantifier {
  case .every:
    if let firstFailure { Issue.record("\(firstFailure)", sourceLocation: sourceLocation) }
  case .some:
    if held == 0 {
      Issue.record(
        "none of \(tried) cases: \(firstFailure ?? "nothing was tried")",
        sourceLocation: sourceLocation)
    }
  }
}

/// What a case measured, or the error that ended it.
private struct Outcome {
  var checks = Checks()
  var error: (any Error)?

  init<Value>(_ value: Value, _ body: (Value, inout Checks) throws -> Void) {
    do {
      try body(value, &checks)
    } catch {
      self.error = error
    }
  }

  /// A case in which nothing was compared does not hold: the claim was not tried.
  var holds: Bool { error == nil && !checks.measurements.isEmpty && checks.holds }

  var failures: [String] {
    if let error { return ["threw \(error)"] }
    if checks.measurements.isEmpty { return ["nothing was compared"] }
    return checks.measurements.filter { !$0.holds }.prefix(3).map(\.description)
  }
}

/// Takes the first smaller case that still fails, again and again.
private func shrink<Value>(
  _ value: Value, _ outcome: Outcome, _ smaller: (Value) -> [Value],
  _ body: (Value, inout Checks) throws -> Void
) -> (Value, Outcome, steps: Int) {
  var (smallest, itsOutcome, steps) = (value, outcome, 0)
  search: while steps < 100 {
    for candidate in smaller(smallest) {
      let candidateOutcome = Outcome(candidate, body)
      if !candidateOutcome.holds {
        (smallest, itsOutcome) = (candidate, candidateOutcome)
        steps += 1
        continue search
      }
    }
    break
  }
  return (smallest, itsOutcome, steps)
}

/// The argument of `--filter` that selects one test function.
private func filter(_ location: SourceLocation, _ function: String) -> String {
  "\(location.moduleName).*/\(function.prefix { $0 != "(" })"
}
