/// A comma-separated table as this suite reads it, so that the writer is not its own judge.
struct Table {
  let header: [String]
  /// The cells by column name.
  let rows: [[String: String]]

  init(_ bytes: [UInt8]) {
    var lines: [[String]] = [[]]
    var cell: [UInt8] = []
    var isQuoted = false
    // A doubled quote closes and opens again; no name of natgrad holds one.
    for byte in bytes {
      switch byte {
      case 0x22: isQuoted.toggle()
      case 0x2C where !isQuoted, 0x0A where !isQuoted:
        lines[lines.count - 1].append(String(decoding: cell, as: UTF8.self))
        cell = []
        if byte == 0x0A { lines.append([]) }
      default: cell.append(byte)
      }
    }
    precondition(cell.isEmpty && lines.last == [], "the table does not end with a line end")
    let header = lines[0]
    self.header = header
    self.rows = lines.dropFirst().dropLast().map { line in
      precondition(line.count == header.count, "a line of \(line.count) cells: \(line)")
      return Dictionary(uniqueKeysWithValues: zip(header, line))
    }
  }

  /// The rows whose cells have the given values.
  func rows(where cells: [String: String]) -> [[String: String]] {
    rows.filter { row in cells.allSatisfy { row[$0.key] == $0.value } }
  }

  /// The numbers in `value` of those rows.
  func values(where cells: [String: String]) -> [Double] {
    rows(where: cells).compactMap { $0["value"].flatMap(Double.init) }
  }
}
