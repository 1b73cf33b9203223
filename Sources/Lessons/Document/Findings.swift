import DataFiles
import Experiments

/// The single numbers of a chapter that stand in no other table: a table of name, value, meaning.
public struct Findings: Sendable {
  public private(set) var table = ResultTable(
    "numbers", "Single numbers of the text.",
    [
      ("name", "what the chapter's source calls it"), ("value", "the number"),
      ("meaning", "what was measured, with its unit"),
    ])

  public init() {}

  /// Adds a number and gives it back for the text.
  public mutating func report(
    _ name: String, _ value: Double, _ meaning: String, _ format: NumberFormat = .significant(3)
  ) -> ReportedNumber {
    let row = table.rows.count
    table.append([.text(name), .number(value), .text(meaning)])
    return table.number("value", row: row, format)
  }
}
