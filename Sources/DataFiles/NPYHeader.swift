/// The header of an `.npy` file: a Python dictionary with three entries.
///
/// Example: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`. Source: NumPy,
/// `numpy.lib.format`, "Format specification".
struct NPYHeader: Equatable {
  var typeCode = ""
  var isFortranOrder = false
  var shape: [Int] = []

  /// Reads the text of a header; nil where it is no such dictionary.
  ///
  /// A type code that is not a string (a structured array's list of fields) is given as its text,
  /// which begins with `[`.
  init?(_ text: [UInt8]) {
    var reader = Reader(text: text)
    var keys: Set<String> = []
    guard reader.take("{") else { return nil }
    while !reader.take("}") {
      guard let key = reader.string(), keys.insert(key).inserted, reader.take(":") else {
        return nil
      }
      switch key {
      case "descr":
        guard let code = reader.string() ?? reader.list() else { return nil }
        typeCode = code
      case "fortran_order":
        guard let value = reader.truth() else { return nil }
        isFortranOrder = value
      case "shape":
        guard let value = reader.tuple() else { return nil }
        shape = value
      default: return nil
      }
      guard reader.take(",") || reader.isAt("}") else { return nil }
    }
    guard keys.count == 3, reader.isAtEnd else { return nil }
  }

  private struct Reader {
    let text: [UInt8]
    var position = 0

    mutating func skipSpace() {
      while position < text.count, [0x20, 0x0A, 0x09, 0x0D].contains(text[position]) {
        position += 1
      }
    }

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return position == text.count
      }
    }

    mutating func isAt(_ word: String) -> Bool {
      skipSpace()
      return text[position...].starts(with: word.utf8)
    }

    mutating func take(_ word: String) -> Bool {
      guard isAt(word) else { return false }
      position += word.utf8.count
      return true
    }

    /// Text in single or double quotes, without escapes.
    mutating func string() -> String? {
      let quote: UInt8
      if isAt("'") { quote = 0x27 } else if isAt("\"") { quote = 0x22 } else { return nil }
      let rest = text[(position + 1)...]
      guard let end = rest.firstIndex(of: quote) else { return nil }
      position = end + 1
      return String(decoding: rest[..<end], as: UTF8.self)
    }

    /// A list in brackets, as it stands.
    mutating func list() -> String? {
      guard isAt("[") else { return nil }
      var depth = 0
      for index in position..<text.count {
        if text[index] == UInt8(ascii: "[") { depth += 1 }
        if text[index] == UInt8(ascii: "]") { depth -= 1 }
        if depth == 0 {
          defer { position = index + 1 }
          return String(decoding: text[position...index], as: UTF8.self)
        }
      }
      return nil
    }

    mutating func truth() -> Bool? {
      if take("True") { return true }
      return take("False") ? false : nil
    }

    mutating func tuple() -> [Int]? {
      guard take("(") else { return nil }
      var values: [Int] = []
      while !take(")") {
        skipSpace()
        let digits = text[position...].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        position += digits.count
        values.append(value)
        _ = take("L")  // Python 2 wrote its long integers so.
        guard take(",") || isAt(")") else { return nil }
      }
      return values
    }
  }
}
