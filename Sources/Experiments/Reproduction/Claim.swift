/// One statement of the paper, or one question beyond it, with what was measured here.
public struct Claim: Equatable, Sendable {
  /// How a statement fared.
  public enum Verdict: String, CaseIterable, Codable, Sendable {
    /// The numbers or the ordering stated were seen on the data used here.
    case reproduced
    /// The shape was seen, at other sizes or on a smaller problem.
    case inFormOnly = "in form only"
    /// It was looked for as stated and not seen.
    case notFound = "not found"
    /// Printed numbers agree with each other; nothing was measured.
    case arithmeticConsistent = "arithmetic consistent"
    /// It needs machines or data that are not here.
    case outOfScope = "out of scope here"
    /// A question that the paper does not ask.
    case measured
  }

  /// The paper's own words, or the question.
  public let statement: String
  /// Where the words stand: "Figure 4, caption and text".
  public let place: String
  /// What was measured, with numbers and their spread.
  public let finding: String
  public let verdict: Verdict
  /// Why the verdict is what it is.
  public let reason: String

  public init(
    _ statement: String, place: String, finding: String, verdict: Verdict, reason: String
  ) {
    self.statement = statement
    self.place = place
    self.finding = finding
    self.verdict = verdict
    self.reason = reason
  }
}
