/// One line of a comma-separated table, with its number in the file counted from 1.
struct CSVRecord: Equatable {
  let line: Int
  let cells: [String]
}

/// Reads a comma-separated table line by line; what is accepted is said at `CSV`.
struct CSVReader {
  private let bytes: [UInt8]
  private let name: String
  private var position: Int
  private var line = 1
  /// How many cells the last line had; before the first line, how many it can have at most.
  private var cellCount: Int

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  /// Begins at the first line; `name` is what messages call the file.
  init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    self.position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    // Room for as many cells as there are, not twice as many: a line of commas alone has a cell of
    // 16 bytes for each byte of the file.
    let firstLine = bytes.prefix { $0 != Self.lineFeed && $0 != Self.carriageReturn }
    self.cellCount = firstLine.count { $0 == Self.comma } + 1
  }

  /// The next line that is not blank; nil at the end.
  ///
  /// Throws `DataFileError` where a quote is not closed or text follows a closing quote.
  mutating func next() throws(DataFileError) -> CSVRecord? {
    while position < bytes.count {
      let start = line
      var cells: [String] = []
      var isBlank = true
      while true {
        let (cell, isQuoted) = try nextCell()
        cells.append(cell)
        if isQuoted || !cell.isEmpty { isBlank = false }
        guard position < bytes.count, bytes[position] == Self.comma else { break }
        isBlank = false
        position += 1
        if cells.count == 1 { cells.reserveCapacity(cellCount) }
      }
      skipLineEnd()
      if !isBlank {
        cellCount = cells.count
        return CSVRecord(line: start, cells: cells)
      }
    }
    return nil
  }

  /// Reads up to the next comma, line end or end of file; blanks around the cell are dropped.
  private mutating func nextCell() throws(DataFileError) -> (text: String, isQuoted: Bool) {
    skipBlanks()
    guard position < bytes.count, bytes[position] == Self.quote else {
      let start = position
      while position < bytes.count, !isEnd(bytes[position]) { position += 1 }
      var end = position
      while end > start, Self.isBlank(bytes[end - 1]) { end -= 1 }
      return (String(decoding: bytes[start..<end], as: UTF8.self), false)
    }
    let start = line
    var text: [UInt8] = []
    position += 1
    while true {
      guard position < bytes.count else {
        throw DataFileError(
          "\(name), line \(start): a quote is opened and never closed. Close it, or write \"\" for "
            + "a quote inside a quoted cell.")
      }
      let byte = bytes[position]
      if byte == Self.quote {
        position += 1
        guard position < bytes.count, bytes[position] == Self.quote else { break }
      } else if byte == Self.lineFeed {
        line += 1
      }
      text.append(byte)
      position += 1
    }
    skipBlanks()
    guard position == bytes.count || isEnd(bytes[position]) else {
      throw DataFileError(
        "\(name), line \(line): text follows a closing quote. Put the whole cell in quotes and "
          + "write \"\" for a quote in it.")
    }
    return (String(decoding: text, as: UTF8.self), true)
  }

  private mutating func skipBlanks() {
    while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
  }

  private mutating func skipLineEnd() {
    guard position < bytes.count else { return }
    let isPair =
      bytes[position] == Self.carriageReturn && position + 1 < bytes.count
      && bytes[position + 1] == Self.lineFeed
    position += isPair ? 2 : 1
    line += 1
  }

  private func isEnd(_ byte: UInt8) -> Bool {
    byte == Self.comma || byte == Self.lineFeed || byte == Self.carriageReturn
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
