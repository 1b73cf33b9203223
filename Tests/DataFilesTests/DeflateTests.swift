import DataFiles
import Testing

@Suite struct DeflateTests {
  /// Source: `printf 'natural gradient\n' | gzip -n9`, GNU gzip 1.12.
  static let gzipped = bytes(
    hexadecimal: """
      1f8b0800000000000203 cb4b2c292d4acc51482f4a4cc94ccd2be10200 051fe1eb 11000000
      """)
  static let raw = Array(gzipped[10..<29])
  static let plain = Array("natural gradient\n".utf8)

  @Test func hasThePublishedCheckValue() {
    // Source: the check value of CRC-32/ISO-HDLC in Greg Cook's catalogue of CRC algorithms.
    #expect(Deflate.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(Deflate.crc32([]) == 0)
  }

  @Test func unpacksWhatGzipPacked() throws {
    #expect(try Deflate.gunzip(Self.gzipped, name: "a.gz") == Self.plain)
    #expect(
      try Deflate.inflateRaw(Self.raw, expectedSize: Self.plain.count, name: "a") == Self.plain)
  }

  @Test func unpacksEveryMember() throws {
    let twice = try Deflate.gunzip(Self.gzipped + Self.gzipped, name: "a.gz")
    #expect(twice == Self.plain + Self.plain)
  }

  @Test func packsWithAFixedHeader() throws {
    let packed = Deflate.gzip(Self.plain)
    #expect(packed.starts(with: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF]))
    #expect(packed[10...] == Self.gzipped[10...])
  }

  @Test(arguments: [0, 1, 100_000, 1 << 20])
  func unpacksWhatItPacked(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * $0 >> 7) }
    #expect(try Deflate.gunzip(Deflate.gzip(bytes), name: "a.gz") == bytes)
    let stream = Deflate.zlib(bytes)
    #expect(stream[0] == 0x78 && (Int(stream[0]) * 256 + Int(stream[1])) % 31 == 0)
    let raw = Array(stream.dropFirst(2).dropLast(4))
    #expect(try Deflate.inflateRaw(raw, expectedSize: count, name: "a") == bytes)
  }

  @Test func saysThatAFileIsCutWhereverItIsCut() {
    for count in 2..<Self.gzipped.count {
      expectMessage("a.gz", "\(count) bytes", "cut") {
        try Deflate.gunzip(Array(Self.gzipped.prefix(count)), name: "a.gz")
      }
    }
  }

  @Test func saysThatBytesFollowOrAreDamaged() {
    expectMessage("a.gz", "3 bytes follow", "byte 37") {
      try Deflate.gunzip(Self.gzipped + [0, 0, 0], name: "a.gz")
    }
    var wrongSum = Self.gzipped
    wrongSum[30] ^= 1
    expectMessage("a.gz", "damaged", "incorrect data check") {
      try Deflate.gunzip(wrongSum, name: "a.gz")
    }
    expectMessage("a.txt", "1f 8b") {
      try Deflate.gunzip([1, 2], name: "a.txt")
    }
  }

  @Test func stopsAtTheLimit() throws {
    let packed = Deflate.gzip(Array(repeating: 7, count: 1 << 20))
    #expect(try Deflate.gunzip(packed, name: "a.gz", limit: 1 << 20).count == 1 << 20)
    expectMessage("a.gz", "1048575", "limit") {
      try Deflate.gunzip(packed, name: "a.gz", limit: (1 << 20) - 1)
    }
    // The limit is for all members together.
    expectMessage("a.gz", "20 bytes", "limit") {
      try Deflate.gunzip(Self.gzipped + Self.gzipped, name: "a.gz", limit: 20)
    }
  }

  @Test func refusesRawDataOfAnotherSize() {
    let count = Self.plain.count
    expectMessage("a", "\(count - 1) unpacked", "more") {
      try Deflate.inflateRaw(Self.raw, expectedSize: count - 1, name: "a")
    }
    expectMessage("a", "\(count + 1) unpacked", "to \(count)") {
      try Deflate.inflateRaw(Self.raw, expectedSize: count + 1, name: "a")
    }
    // A deflated byte stands for at most 1032 bytes, so this size is refused before it is taken.
    expectMessage("a", "1152921504606846976 unpacked", "have only \(Self.raw.count) bytes") {
      try Deflate.inflateRaw(Self.raw, expectedSize: 1 << 60, name: "a")
    }
    expectMessage("a", "2 bytes early") {
      try Deflate.inflateRaw(Self.raw + [0, 0], expectedSize: count, name: "a")
    }
    expectMessage("a", "cut after 5 bytes") {
      try Deflate.inflateRaw(Array(Self.raw.prefix(5)), expectedSize: count, name: "a")
    }
  }
}
