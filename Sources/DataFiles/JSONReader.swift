/// Reads one JSON document by recursive descent; what is accepted is said at `JSON`.
struct JSONReader {
  private let bytes: [UInt8]
  private let name: String
  private var position: Int
  private var depth = 0

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
  private static let words: [(String, JSON)] = [
    ("null", .null), ("true", .boolean(true)), ("false", .boolean(false)),
  ]

  /// Begins at the first byte, after a byte order mark if there is one.
  init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    self.position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// The one value that fills the document.
  mutating func document() throws(DataFileError) -> JSON {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end of the document") }
    return value
  }

  private mutating func value() throws(DataFileError) -> JSON {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try nested(Self.object)
    case UInt8(ascii: "["): return try nested(Self.array)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), .some(Self.digits): return .number(try number())
    default: break
    }
    for (word, value) in Self.words
    where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw unexpected("a value")
  }

  private mutating func nested(
    _ read: (inout JSONReader) throws(DataFileError) -> JSON
  ) throws(DataFileError) -> JSON {
    guard depth < JSON.deepestNesting else {
      throw error(
        at: position,
        "arrays and objects lie more than \(JSON.deepestNesting) deep in one another. "
          + "Write the document with less nesting.")
    }
    depth += 1
    position += 1
    let value = try read(&self)
    depth -= 1
    return value
  }

  private static func array(_ reader: inout JSONReader) throws(DataFileError) -> JSON {
    var elements: [JSON] = []
    if reader.take("]") { return .array([]) }
    while true {
      elements.append(try reader.value())
      if reader.take("]") { return .array(elements) }
      guard reader.take(",") else { throw reader.unexpected("a comma or ]") }
    }
  }

  private static func object(_ reader: inout JSONReader) throws(DataFileError) -> JSON {
    var members: [String: JSON] = [:]
    if reader.take("}") { return .object([:]) }
    while true {
      reader.skipSpace()
      let start = reader.position
      guard reader.peek == UInt8(ascii: "\"") else { throw reader.unexpected("a name in quotes") }
      let member = try reader.string()
      guard reader.take(":") else { throw reader.unexpected("a colon") }
      guard members.updateValue(try reader.value(), forKey: member) == nil else {
        throw reader.error(
          at: start, "the name \"\(Excerpt(member))\" stands twice in one object. Keep one of them."
        )
      }
      if reader.take("}") { return .object(members) }
      guard reader.take(",") else { throw reader.unexpected("a comma or }") }
    }
  }

  /// RFC 8259, section 6: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
  private mutating func number() throws(DataFileError) -> Double {
    let start = position
    skip("-")
    if !skip("0") { try digits() }
    if skip(".") { try digits() }
    if skip("e") || skip("E") {
      _ = skip("+") || skip("-")
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let number = Double(text), number.isFinite else {
      throw error(
        at: start, "the number \(Excerpt(text)) is too large for a double. Write a smaller one.")
    }
    return number
  }

  private mutating func digits() throws(DataFileError) {
    let start = position
    while let byte = peek, Self.digits.contains(byte) { position += 1 }
    guard position > start else { throw unexpected("a digit") }
  }

  /// RFC 8259, section 7, from the opening to the closing quote.
  private mutating func string() throws(DataFileError) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let text = String(validating: text, as: UTF8.self) else {
          throw error(
            at: start, "the string that begins here is not UTF-8. Save the file as UTF-8.")
        }
        return text
      case UInt8(ascii: "\\"):
        position += 1
        text += try escaped().utf8
      case 0..<0x20:
        throw error(
          at: position, "a control character stands in a string. Write it as \\u00XX or \\n.")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw error(at: start, "the string that begins here is never closed. Close it with a quote.")
  }

  /// What follows a backslash.
  private mutating func escaped() throws(DataFileError) -> Character {
    guard let byte = peek else { throw unexpected("an escape") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return Character(UnicodeScalar(byte))
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let start = position - 2
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), skip("\\"), skip("u") { units.append(try codeUnit()) }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw error(
          at: start, "half of a surrogate pair stands alone. Write both halves, or the character.")
      }
      return Character(text)
    default:
      position -= 1
      throw unexpected("one of \" \\ / b f n r t u after a backslash")
    }
  }

  private mutating func codeUnit() throws(DataFileError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw unexpected("a hexadecimal digit")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  @discardableResult
  private mutating func skip(_ mark: UnicodeScalar) -> Bool {
    guard peek == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func take(_ mark: UnicodeScalar) -> Bool {
    skipSpace()
    return skip(mark)
  }

  private func unexpected(_ expected: String) -> DataFileError {
    let rest = bytes[position...].prefix(12)
    let seen =
      rest.isEmpty
      ? "the document ends" : "\"\(Excerpt(String(decoding: rest, as: UTF8.self)))\" stands"
    return error(at: position, "\(seen) where \(expected) is expected. Correct the document there.")
  }

  private func error(at offset: Int, _ text: String) -> DataFileError {
    let before = bytes[..<offset]
    let line = 1 + before.count(where: { $0 == UInt8(ascii: "\n") })
    let column = 1 + before.reversed().prefix(while: { $0 != UInt8(ascii: "\n") }).count
    return DataFileError("\(name), line \(line), column \(column) (in bytes): \(text)")
  }
}
