import DataFiles

/// A table of results that is built row by row and written as CSV.
public struct ResultTable: Equatable, Sendable {
  /// The file's name without its ending.
  public let name: String
  /// What the table holds, in one sentence.
  public let title: String
  /// The columns with what each holds.
  public let columns: [Column]
  public private(set) var rows: [[CSV.Cell]] = []
  /// Whether the values depend on the machine's speed, so that two runs differ.
  public let isTiming: Bool

  public struct Column: Equatable, Sendable {
    public let name: String
    public let meaning: String
  }

  public init(
    _ name: String, _ title: String, isTiming: Bool = false, _ columns: [(String, String)]
  ) {
    self.name = name
    self.title = title
    self.isTiming = isTiming
    self.columns = columns.map { Column(name: $0.0, meaning: $0.1) }
  }

  /// Adds a row of as many cells as there are columns.
  public mutating func append(_ cells: [CSV.Cell]) {
    precondition(
      cells.count == columns.count,
      "table \(name): \(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  public var csv: [UInt8] { CSV.encode(header: columns.map(\.name), rows: rows) }
}
