/// The files inside a ZIP archive, as its central directory lists them.
///
/// Sizes come from that directory only: the header before each file may hold placeholders, and
/// numpy's does. Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
struct ZipArchive {
  /// One file: its name and where its data lie.
  struct Entry: Equatable {
    let name: String
    let isEncrypted: Bool
    let method: Int
    var isPacked: Bool { method != 0 }
    let crc32: UInt32
    let size: Int
    /// The whole record, header included, and the packed data in it.
    let record: Range<Int>
    let data: Range<Int>
  }

  private let bytes: [UInt8]
  private let name: String
  let entries: [Entry]

  /// Reads the central directory; `name` is what messages call the archive.
  ///
  /// Throws `DataFileError` where the directory is missing (a cut file) or damaged, or entries lie
  /// outside the file or over one another.
  init(_ bytes: [UInt8], name: String) throws(DataFileError) {
    self.bytes = bytes
    self.name = name
    guard let end = Self.endRecord(of: bytes) else {
      throw DataFileError(
        "\(name): the ZIP directory at the end of the file is missing. "
          + "The file was cut; save or copy it again.")
    }
    guard let directory = Self.directory(of: bytes, end: end),
      let entries = Self.entries(of: bytes, directory: directory)
    else {
      throw DataFileError(
        "\(name): the ZIP directory is damaged: it points outside the file or contradicts itself. "
          + "Save or copy the file again.")
    }
    self.entries = entries
  }

  /// The unpacked bytes of one entry, their CRC-32 checked.
  func contents(of entry: Entry) throws(DataFileError) -> [UInt8] {
    let label = "\(name), entry '\(Excerpt(entry.name))'"
    guard !entry.isEncrypted else {
      throw DataFileError("\(label): the entry is encrypted. Save it without a password.")
    }
    let packed = Array(bytes[entry.data])
    let contents: [UInt8]
    switch entry.method {
    case 0:
      guard packed.count == entry.size else {
        throw DataFileError(
          "\(label): a stored entry of \(entry.size) bytes takes \(packed.count) bytes. "
            + "The file is damaged; save or copy it again.")
      }
      contents = packed
    case 8: contents = try Deflate.inflateRaw(packed, expectedSize: entry.size, name: label)
    default:
      throw DataFileError(
        "\(label): the packing method is \(entry.method), and stored (0) and deflated (8) are read. "
          + "Save the file with numpy.savez or numpy.savez_compressed.")
    }
    guard Deflate.crc32(contents) == entry.crc32 else {
      throw DataFileError(
        "\(label): the checksum (CRC-32) differs from the one stored. "
          + "The file is damaged; save or copy it again.")
    }
    return contents
  }

  /// Where the end-of-directory record begins: it is the last thing in the file but for a comment
  /// of at most 65,535 bytes whose length it states.
  private static func endRecord(of bytes: [UInt8]) -> Int? {
    let last = bytes.count - 22
    guard last >= 0 else { return nil }
    for position in stride(from: last, through: max(0, last - 65_535), by: -1)
    where bytes[position] == 0x50 && bytes.unsigned(at: position, count: 4) == 0x0605_4B50 {
      if bytes.integer(at: position + 20, count: 2) == last - position { return position }
    }
    return nil
  }

  /// The number of entries and the bytes of the directory, the ZIP64 record used where it is there.
  private static func directory(
    of bytes: [UInt8], end: Int
  ) -> (entryCount: Int, range: Range<Int>)? {
    let locator = end - 20
    let fields: (entryCount: Int?, size: Int?, start: Int?)
    let limit: Int
    if bytes.unsigned(at: locator, count: 4) == 0x0706_4B50 {
      guard let record = bytes.integer(at: locator + 8, count: 8), record <= locator - 56,
        bytes.unsigned(at: record, count: 4) == 0x0606_4B50
      else { return nil }
      fields = (
        bytes.integer(at: record + 32, count: 8), bytes.integer(at: record + 40, count: 8),
        bytes.integer(at: record + 48, count: 8)
      )
      limit = record
    } else {
      fields = (
        bytes.integer(at: end + 10, count: 2), bytes.integer(at: end + 12, count: 4),
        bytes.integer(at: end + 16, count: 4)
      )
      limit = end
    }
    guard let entryCount = fields.entryCount, let size = fields.size, let start = fields.start,
      start <= limit, size == limit - start, entryCount <= size / 46
    else { return nil }
    return (entryCount, start..<limit)
  }

  private static func entries(
    of bytes: [UInt8], directory: (entryCount: Int, range: Range<Int>)
  ) -> [Entry]? {
    var entries: [Entry] = []
    var position = directory.range.lowerBound
    for _ in 0..<directory.entryCount {
      guard position <= directory.range.upperBound - 46,
        bytes.unsigned(at: position, count: 4) == 0x0201_4B50,
        let nameLength = bytes.integer(at: position + 28, count: 2),
        let extraLength = bytes.integer(at: position + 30, count: 2),
        let commentLength = bytes.integer(at: position + 32, count: 2)
      else { return nil }
      let extra = position + 46 + nameLength
      let next = extra + extraLength + commentLength
      guard next <= directory.range.upperBound,
        let entry = entry(
          of: bytes, at: position, nameLength: nameLength, extra: extra..<extra + extraLength,
          directoryStart: directory.range.lowerBound)
      else { return nil }
      entries.append(entry)
      position = next
    }
    guard position == directory.range.upperBound else { return nil }
    // Entries that share data are how a small file unpacks to a huge one.
    let records = entries.map(\.record).sorted { $0.lowerBound < $1.lowerBound }
    for (earlier, later) in zip(records, records.dropFirst())
    where earlier.upperBound > later.lowerBound { return nil }
    return entries
  }

  private static func entry(
    of bytes: [UInt8], at position: Int, nameLength: Int, extra: Range<Int>, directoryStart: Int
  ) -> Entry? {
    guard let flags = bytes.integer(at: position + 8, count: 2),
      let method = bytes.integer(at: position + 10, count: 2),
      let crc32 = bytes.unsigned(at: position + 16, count: 4),
      var packedSize = bytes.integer(at: position + 20, count: 4),
      var size = bytes.integer(at: position + 24, count: 4),
      var start = bytes.integer(at: position + 42, count: 4)
    else { return nil }

    // The ZIP64 field holds, in this order, whichever of the three did not fit in four bytes.
    let placeholder = 0xFFFF_FFFF
    if size == placeholder || packedSize == placeholder || start == placeholder {
      guard var field = zip64Field(of: bytes, in: extra) else { return nil }
      func next() -> Int? {
        guard field.count >= 8 else { return nil }
        defer { field = field.dropFirst(8) }
        return bytes.integer(at: field.lowerBound, count: 8)
      }
      if size == placeholder { size = next() ?? -1 }
      if packedSize == placeholder { packedSize = next() ?? -1 }
      if start == placeholder { start = next() ?? -1 }
      guard size >= 0, packedSize >= 0, start >= 0 else { return nil }
    }

    // The local header: 30 bytes, the name again, and extra fields of its own.
    guard start <= directoryStart - 30, bytes.unsigned(at: start, count: 4) == 0x0403_4B50,
      bytes.integer(at: start + 26, count: 2) == nameLength,
      let localExtraLength = bytes.integer(at: start + 28, count: 2)
    else { return nil }
    let nameBytes = bytes[position + 46..<position + 46 + nameLength]
    let data = start + 30 + nameLength + localExtraLength
    guard data <= directoryStart, packedSize <= directoryStart - data,
      bytes[start + 30..<start + 30 + nameLength] == nameBytes
    else { return nil }
    return Entry(
      name: String(decoding: nameBytes, as: UTF8.self), isEncrypted: flags & 1 != 0,
      method: method, crc32: UInt32(crc32), size: size, record: start..<data + packedSize,
      data: data..<data + packedSize)
  }

  /// The contents of the extra field with identifier 1.
  private static func zip64Field(of bytes: [UInt8], in extra: Range<Int>) -> Range<Int>? {
    var position = extra.lowerBound
    while position <= extra.upperBound - 4 {
      guard let identifier = bytes.integer(at: position, count: 2),
        let length = bytes.integer(at: position + 2, count: 2),
        length <= extra.upperBound - position - 4
      else { return nil }
      if identifier == 1 { return position + 4..<position + 4 + length }
      position += 4 + length
    }
    return nil
  }
}
