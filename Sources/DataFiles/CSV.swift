/// Comma-separated tables.
///
/// Source: RFC 4180, with three freedoms when reading: lines may end in CRLF, LF or CR, blank lines
/// are skipped, and a UTF-8 byte order mark at the start is too.
public enum CSV {
  /// One cell of a table to be written.
  public enum Cell: Equatable, Sendable {
    case text(String)
    /// Written with the fewest decimal digits that read back as the same `Double`.
    case number(Double)
    case integer(Int)
    /// Nothing between two commas.
    case empty
  }

  /// The bytes of a table: a header line and one line for each row, ended by LF.
  ///
  /// Text that holds a comma, a quote or a line end is quoted. Every row needs as many cells as the
  /// header.
  public static func encode(header: [String], rows: [[Cell]]) -> [UInt8] {
    var text = line(header.map(Cell.text))
    for (index, row) in rows.enumerated() {
      precondition(
        row.count == header.count,
        "row \(index) has \(row.count) cells, the header \(header.count)")
      text += line(row)
    }
    return Array(text.utf8)
  }

  private static func line(_ cells: [Cell]) -> String {
    cells.map(text(of:)).joined(separator: ",") + "\n"
  }

  /// A cell as it stands in the file.
  public static func text(of cell: Cell) -> String {
    switch cell {
    case .text(let text):
      guard text.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) else { return text }
      let doubled = text.split(separator: "\"", omittingEmptySubsequences: false)
      return "\"\(doubled.joined(separator: "\"\""))\""
    case .number(let number): return "\(number)"
    case .integer(let integer): return "\(integer)"
    case .empty: return ""
    }
  }
}
