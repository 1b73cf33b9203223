extension [UInt8] {
  /// The unsigned number in `count` bytes (at most 8) from `offset`, lowest byte first; nil where
  /// that leaves the array.
  func unsigned(at offset: Int, count: Int) -> UInt64? {
    guard offset >= 0, offset <= self.count - count else { return nil }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(self[offset + index]) << UInt64(8 * index) }
    return value
  }

  /// The same as a count or an offset; nil also where it does not fit.
  func integer(at offset: Int, count: Int) -> Int? {
    unsigned(at: offset, count: count).flatMap { Int(exactly: $0) }
  }

  /// Appends the lowest `count` bytes of a number, lowest first.
  mutating func append(_ value: Int, count: Int) {
    for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
  }
}
