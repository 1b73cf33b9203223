extension CSV {
  /// The cells of a table of text: its header and its rows, each with as many cells as the header.
  ///
  /// `name` is what messages call the file. Throws `DataFileError` where the table is empty, a row
  /// has another number of cells, or a quote is not closed.
  public static func decode(
    _ bytes: [UInt8], name: String
  ) throws(DataFileError) -> (header: [String], rows: [[String]]) {
    var reader = CSVReader(bytes, name: name)
    guard let header = try reader.next() else {
      throw DataFileError("\(name) is empty. Write a header line and a line for each row.")
    }
    var rows: [[String]] = []
    while let record = try reader.next() {
      guard record.cells.count == header.cells.count else {
        throw DataFileError(
          "\(name), line \(record.line) has \(record.cells.count) cells and the header "
            + "\(header.cells.count). Give every line as many cells as the header.")
      }
      rows.append(record.cells)
    }
    return (header.cells, rows)
  }
}
