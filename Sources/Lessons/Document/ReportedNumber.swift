import DataFiles
import Experiments

/// A measured number as it stands in the text, with the cell of the CSV file that it was read from.
///
/// Prose takes measured numbers in this form only, so a sentence and its data cannot part.
public struct ReportedNumber: Equatable, Sendable {
  public let value: Double
  public let format: NumberFormat
  /// The table's name: its file is `data/NN-name.csv`.
  public let table: String
  public let column: String
  /// Counted from 0, without the header.
  public let row: Int

  /// The number as the reader sees it.
  public var text: String { format.text(value) }
}

/// How a number is printed.
public enum NumberFormat: Equatable, Sendable {
  /// At most so many significant digits: 0.0123, 4.5×10⁻⁷.
  case significant(Int)
  /// So many decimals.
  case fixed(Int)
  /// As a percentage with so many decimals.
  case percent(Int)

  public func text(_ value: Double) -> String {
    switch self {
    case .significant(let digits): NumberText.significant(value, digits: digits)
    case .fixed(let decimals): NumberText.fixed(value, decimals: decimals)
    case .percent(let decimals): NumberText.fixed(100 * value, decimals: decimals) + " %"
    }
  }

  /// The format in a manifest: "percent 1".
  public var name: String {
    switch self {
    case .significant(let digits): "significant \(digits)"
    case .fixed(let decimals): "fixed \(decimals)"
    case .percent(let decimals): "percent \(decimals)"
    }
  }

  /// Reads a manifest's name back.
  public init?(name: String) {
    let parts = name.split(separator: " ")
    guard parts.count == 2, let count = Int(parts[1]), count >= 0 else { return nil }
    switch parts[0] {
    case "significant": self = .significant(count)
    case "fixed": self = .fixed(count)
    case "percent": self = .percent(count)
    default: return nil
    }
  }
}

extension ResultTable {
  /// The number of one cell.
  public func number(_ column: String, row: Int, _ format: NumberFormat = .significant(3))
    -> ReportedNumber
  {
    guard let place = columns.firstIndex(where: { $0.name == column }), rows.indices.contains(row)
    else { preconditionFailure("table \(name) has no cell \(column) in row \(row)") }
    let value: Double
    switch rows[row][place] {
    case .number(let number): value = number
    case .integer(let integer): value = Double(integer)
    case .text(let text): preconditionFailure("\(name), \(column), row \(row): '\(text)'")
    case .empty: preconditionFailure("\(name), \(column), row \(row) is empty")
    }
    return ReportedNumber(value: value, format: format, table: name, column: column, row: row)
  }

  /// The number of one cell, in the one row whose other cells read as given.
  public func number(
    _ column: String, where match: KeyValuePairs<String, String>,
    _ format: NumberFormat = .significant(3)
  ) -> ReportedNumber {
    let found = rows.indices.filter { row in
      match.allSatisfy { name, text in
        guard let place = columns.firstIndex(where: { $0.name == name }) else { return false }
        return CSV.text(of: rows[row][place]) == text
      }
    }
    precondition(found.count == 1, "table \(name): \(found.count) rows have \(match)")
    return number(column, row: found[0], format)
  }
}
