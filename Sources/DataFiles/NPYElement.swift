/// How one element lies in an `.npy` file: its kind of number, its width and its byte order.
struct NPYElement {
  private enum Format { case float, signed, unsigned, truth }
  private let format: Format
  private let isBigEndian: Bool
  /// The bytes of one element.
  let width: Int

  /// Reads a type code such as `<f8`; nil for every type that is not read.
  init?(typeCode: String) {
    let characters = Array(typeCode.utf8)
    guard characters.count == 3, let width = Int(String(decoding: characters[2...], as: UTF8.self))
    else { return nil }
    let letter = Character(UnicodeScalar(characters[1]))
    switch (letter, width) {
    case ("f", 4), ("f", 8): format = .float
    case ("i", 1), ("i", 2), ("i", 4), ("i", 8): format = .signed
    case ("u", 1), ("u", 2), ("u", 4), ("u", 8): format = .unsigned
    case ("b", 1): format = .truth
    default: return nil
    }
    switch Character(UnicodeScalar(characters[0])) {
    case "<", "=": isBigEndian = false
    case ">": isBigEndian = true
    case "|" where width == 1: isBigEndian = false
    default: return nil
    }
    self.width = width
  }

  /// The kind of number that the element is.
  var kind: NumericArray.Kind {
    switch format {
    case .float: width == 8 ? .float64 : .float32
    case .signed, .unsigned: .integer
    case .truth: .boolean
    }
  }

  /// The elements at the given positions of `bytes`, counted in elements.
  ///
  /// Throws the position and the number where an integer is not exactly a `Double`, or
  /// not an `Int64`.
  func decode(
    _ bytes: Span<UInt8>, positions: some Sequence<Int>
  ) throws(Inexact) -> [Double] {
    var elements: [Double] = []
    elements.reserveCapacity(positions.underestimatedCount)
    for position in positions {
      var bits: UInt64 = 0
      for index in 0..<width {
        let byte = isBigEndian ? index : width - 1 - index
        bits = bits << 8 | UInt64(bytes[position * width + byte])
      }
      switch format {
      case .float where width == 8: elements.append(Double(bitPattern: bits))
      case .float: elements.append(Double(Float(bitPattern: UInt32(bits))))
      case .truth: elements.append(bits == 0 ? 0 : 1)
      case .unsigned:
        guard let value = Double(exactly: bits), bits <= UInt64(Int64.max) else {
          throw Inexact(position: position, number: "\(bits)")
        }
        elements.append(value)
      case .signed:
        // Moved to the top and back, the sign bit is copied downwards.
        let unused = UInt64(64 - 8 * width)
        let number = Int64(bitPattern: bits << unused) >> unused
        guard let value = Double(exactly: number) else {
          throw Inexact(position: position, number: "\(number)")
        }
        elements.append(value)
      }
    }
    return elements
  }

  /// An integer that is not read exactly.
  struct Inexact: Error {
    let position: Int
    let number: String
  }
}
