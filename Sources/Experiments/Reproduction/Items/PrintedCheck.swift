import DataFiles

/// A printed number beside the one that other printed numbers give for it.
public struct PrintedCheck: Equatable, Sendable {
  /// Which numbers are compared, as a formula in words.
  public let what: String
  public let printed: Double
  public let computed: Double
  /// How far apart the two may be.
  public let tolerance: Double
  /// Why so far: rounding to the printed digits, or what is said.
  public let allowance: String

  public init(
    _ what: String, printed: Double, computed: Double, tolerance: Double, allowance: String
  ) {
    self.what = what
    self.printed = printed
    self.computed = computed
    self.tolerance = tolerance
    self.allowance = allowance
  }

  /// A number that was rounded to some decimals: half a unit of the last one is allowed.
  public static func rounded(
    _ what: String, printed: Double, computed: Double, decimals: Int
  ) -> PrintedCheck {
    let unit = (0..<decimals).reduce(1.0) { unit, _ in unit / 10 }
    return PrintedCheck(
      what, printed: printed, computed: computed, tolerance: unit / 2,
      allowance: "rounding to \(decimals) decimals")
  }

  /// Whether the two agree; a rounding error of the comparison itself is forgiven.
  public var isConsistent: Bool {
    abs(printed - computed) <= tolerance + 1e-9 * max(1, abs(printed))
  }

  /// The table of such comparisons.
  static func table(_ checks: [PrintedCheck]) -> ResultTable {
    var table = ResultTable(
      "arithmetic", "Printed numbers beside what other printed numbers give.",
      [
        ("what", "the comparison"), ("printed", "the number in the paper"),
        ("computed", "the number from the others"), ("difference", "computed − printed"),
        ("tolerance", "the difference that is allowed"), ("allowance", "why that much"),
        ("consistent", "whether the difference is within the tolerance"),
      ])
    for check in checks {
      table.append([
        .text(check.what), .number(check.printed), .number(check.computed),
        .number(check.computed - check.printed), .number(check.tolerance), .text(check.allowance),
        .text("\(check.isConsistent)"),
      ])
    }
    return table
  }
}

extension Claim {
  /// A statement whose printed numbers are compared with each other; nothing is measured.
  ///
  /// Arithmetic consistent where every comparison agrees, else not found.
  public static func arithmetic(
    _ statement: String, place: String, _ checks: [PrintedCheck], decimals: Int, note: String = ""
  ) -> Claim {
    let finding = checks.map { check in
      "\(check.what) = \(NumberText.fixed(check.computed, decimals: decimals)), printed "
        + "\(NumberText.fixed(check.printed, decimals: decimals))"
    }.joined(separator: "; ")
    let bad = checks.filter { !$0.isConsistent }
    let allowances = Set(checks.map(\.allowance)).sorted().joined(separator: ", ")
    let reason =
      bad.isEmpty
      ? "all \(checks.count) comparisons agree (allowed: \(allowances))."
      : "\(bad.count) of \(checks.count) comparisons do not agree (allowed: \(allowances)): "
        + bad.map(\.what).joined(separator: "; ") + "."
    return Claim(
      statement, place: place, finding: "nothing; from the printed numbers, \(finding).",
      verdict: bad.isEmpty ? .arithmeticConsistent : .notFound,
      reason: reason + (note.isEmpty ? "" : " \(note)"))
  }
}

extension Claim.Verdict {
  /// The verdict on a statement that holds in some of several cases: reproduced where it holds in
  /// all, in form only where it holds in some, not found where it holds in none.
  public init(holdingIn count: Int, of all: Int) {
    precondition(
      all > 0 && (0...all).contains(count), "a statement that holds in \(count) of \(all) cases")
    self = count == all ? .reproduced : count > 0 ? .inFormOnly : .notFound
  }
}
