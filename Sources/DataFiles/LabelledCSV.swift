/// A data set from a table with a header line: one column holds the label, every other column one
/// input.
public struct LabelledCSV: Equatable, Sendable {
  /// What the label column holds.
  public enum Targets: Equatable, Sendable {
    /// Every label is a whole number, as class labels are.
    case labels([Int])
    /// Some label is not.
    case values([Double])
  }

  /// The names of the input columns, in the order of the file.
  public let inputNames: [String]
  /// N × D: one row for each line, one column for each input column.
  public let inputs: NumericArray
  /// The N labels.
  public let targets: Targets
  /// The line of the file, counted from 1, that each of the N examples begins in.
  public let lines: [Int]

  /// The N labels as whole numbers; `name` is what the message calls the file.
  ///
  /// Throws `DataFileError` naming the first that is not whole.
  public func labels(_ name: String) throws(DataFileError) -> [Int] {
    switch targets {
    case .labels(let labels): return labels
    case .values(let values):
      let row = values.firstIndex { Int(exactly: $0) == nil }!
      throw DataFileError(
        "\(name), line \(lines[row]): the label is \(values[row]), and labels must be whole numbers "
          + "counted from 0. Put class numbers in the label column.")
    }
  }

  /// Reads a table.
  ///
  /// Throws `DataFileError` where the file cannot be read, has no such column or no data, a line
  /// has too few or too many cells, or a cell, the first being named by line and column, is not a
  /// finite number.
  public static func read(
    path: String, labelColumn: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> LabelledCSV {
    try decode(
      InputFile.read(path: path, limit: limit), name: path, labelColumn: labelColumn,
      limit: limit)
  }

  /// Reads a table from memory; `name` is what messages call the file.
  public static func decode(
    _ bytes: [UInt8], name: String, labelColumn: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> LabelledCSV {
    var reader = CSVReader(bytes, name: name)
    guard let header = try reader.next()?.cells else {
      throw DataFileError(
        "\(name): the file is empty, and a line of column names is expected. "
          + "Give a table with a header and at least one line of numbers.")
    }
    let labelIndex = try position(of: labelColumn, in: header, name: name)
    var inputs: [Double] = []
    var labels: [Double] = []
    var lines: [Int] = []
    while let record = try reader.next() {
      guard record.cells.count == header.count else {
        throw DataFileError(
          "\(name), line \(record.line): the line has \(count(record.cells.count, "cell")), and the "
            + "header names \(count(header.count, "column")). Give every line one cell for each column."
        )
      }
      for (index, cell) in record.cells.enumerated() {
        guard let number = finiteNumber(cell) else {
          throw DataFileError(
            "\(name), line \(record.line), column \"\(Excerpt(header[index]))\": "
              + "\"\(Excerpt(cell))\" is "
              + "not a number. Every cell below the header must be a finite decimal number.")
        }
        if index == labelIndex { labels.append(number) } else { inputs.append(number) }
      }
      lines.append(record.line)
      guard inputs.count + labels.count <= limit / 8 else {
        throw DataFileError(
          "\(name), line \(record.line): the numbers so far need more than the limit of \(limit) "
            + "bytes. Give a smaller table or raise the memory limit.")
      }
    }
    guard !labels.isEmpty else {
      throw DataFileError(
        "\(name): there is no line below the header. Give at least one line of numbers.")
    }
    var inputNames = header
    inputNames.remove(at: labelIndex)
    let wholeLabels = labels.compactMap { Int(exactly: $0) }
    return LabelledCSV(
      inputNames: inputNames,
      inputs: NumericArray(shape: [labels.count, inputNames.count], elements: inputs),
      targets: wholeLabels.count == labels.count ? .labels(wholeLabels) : .values(labels),
      lines: lines)
  }

  private static func position(
    of labelColumn: String, in header: [String], name: String
  ) throws(DataFileError) -> Int {
    let matches = header.indices.filter { header[$0] == labelColumn }
    if matches.count == 1 { return matches[0] }
    if matches.count > 1 {
      throw DataFileError(
        "\(name): \(matches.count) columns are named \"\(labelColumn)\". "
          + "Give the label column a name of its own.")
    }
    let seen: String
    if header.allSatisfy({ finiteNumber($0) != nil }) {
      seen = "the first line holds numbers instead of column names"
    } else if header.count == 1, let mark = [";", "\t"].first(where: header[0].contains) {
      seen = "the cells are separated by \(mark == ";" ? "semicolons" : "tabs"), not commas"
    } else {
      let shown = header.prefix(12).map { "\"\(Excerpt($0))\"" }.joined(separator: ", ")
      seen = "the columns are \(shown)\(header.count > 12 ? ", … (\(header.count) in all)" : "")"
    }
    throw DataFileError(
      "\(name): there is no column \"\(labelColumn)\": \(seen). "
        + "Name the label column as the header does.")
  }

  /// A decimal number; the words and hexadecimal digits that Swift also reads are refused.
  private static func finiteNumber(_ cell: String) -> Double? {
    let isDecimal = cell.utf8.allSatisfy {
      (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0)
    }
    guard isDecimal, let number = Double(cell), number.isFinite else { return nil }
    return number
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}
