/// Text of a chapter: Markdown with mathematics between dollar signs, and measured numbers.
///
/// ```swift
/// let error = findings.report("error", value, "KFAC's relative Frobenius error", .percent(1))
/// let text: Prose = #"KFAC misses $F$ by \#(error); the paper prints \#(printed: "about 5 %")."#
/// ```
/// A measured number can only come in as a ``ReportedNumber``. Digits typed as text are small
/// counts and names ("Equation 6"); a test refuses decimals and percentages among them.
public struct Prose: Equatable, Sendable, ExpressibleByStringInterpolation {
  public enum Part: Equatable, Sendable {
    case literal(String)
    case number(ReportedNumber)
    /// A number or words printed in a source, or a setting that a run was given.
    case quoted(String)
  }

  public let parts: [Part]

  public init(parts: [Part]) { self.parts = parts }
  public init(stringLiteral value: String) { parts = [.literal(value)] }
  public init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

  public struct StringInterpolation: StringInterpolationProtocol {
    var parts: [Part] = []

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { parts.append(.literal(literal)) }
    }
    /// A measured number.
    public mutating func appendInterpolation(_ number: ReportedNumber) {
      parts.append(.number(number))
    }
    /// Text without measured numbers, or whose numbers keep their provenance.
    public mutating func appendInterpolation(_ prose: Prose) { parts += prose.parts }
    /// What a source prints, word for word.
    public mutating func appendInterpolation(printed text: String) { parts.append(.quoted(text)) }
    /// A setting of the run: a constant of the chapter's source that the computation was given.
    public mutating func appendInterpolation(given value: Int) { parts.append(.quoted("\(value)")) }
    public mutating func appendInterpolation(given value: Double) {
      parts.append(.quoted(NumberFormat.significant(4).text(value)))
    }
    public mutating func appendInterpolation(given name: String) { parts.append(.quoted(name)) }
  }

  /// The text with dollar signs around mathematics.
  public var markdown: String {
    parts.map { part in
      switch part {
      case .literal(let text), .quoted(let text): text
      case .number(let number): number.text
      }
    }.joined()
  }

  /// The measured numbers in order.
  public var numbers: [ReportedNumber] {
    parts.compactMap { if case .number(let number) = $0 { number } else { nil } }
  }

  /// Only what was typed.
  public var literals: [String] {
    parts.compactMap { if case .literal(let text) = $0 { text } else { nil } }
  }
}
