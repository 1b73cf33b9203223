import CZlib

/// The deflate family by way of zlib: gzip files, zlib streams, raw deflate and CRC-32.
///
/// Source: RFC 1950 (zlib), RFC 1951 (deflate), RFC 1952 (gzip).
public enum Deflate {
  /// The CRC-32 of gzip, ZIP and PNG (polynomial 0xEDB88320, reflected).
  public static func crc32(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, bytes, bytes.count))
  }

  /// Packs bytes as a zlib stream at level 9.
  ///
  /// One zlib version gives the same bytes for the same input; another version may pack otherwise.
  public static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var packed = [UInt8](repeating: 0, count: Int(count))
    let status = compress2(&packed, &count, bytes, uLong(bytes.count), 9)
    precondition(status == Z_OK, "zlib answered \(status) for \(bytes.count) bytes")
    packed.removeSubrange(Int(count)...)
    return packed
  }

  /// Packs bytes as one gzip member with a fixed header: no name, no time, system "unknown".
  public static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    // A zlib stream is two bytes, the deflate data, and a four-byte checksum; gzip wraps the same
    // deflate data in a header and trailer of its own.
    var packed: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF]
    packed += zlib(bytes).dropFirst(2).dropLast(4)
    packed.append(Int(crc32(bytes)), count: 4)
    packed.append(bytes.count, count: 4)
    return packed
  }

  /// Whether the bytes begin as a gzip file does.
  public static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// Unpacks a gzip file of one or several members and checks length and CRC-32 of each.
  ///
  /// Throws `DataFileError` naming `name` where the file is no gzip file, is cut, is damaged, has
  /// bytes after its last member, or unpacks to more than `limit` bytes.
  public static func gunzip(
    _ bytes: [UInt8], name: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> [UInt8] {
    guard isGzip(bytes) else {
      throw DataFileError(
        "\(name): the file does not begin with gzip's bytes 1f 8b. Give a gzip file.")
    }
    // Counted first, so that memory is taken for the exact size and never beyond the limit.
    var size = 0
    try forEachPart(of: bytes, name: name, limit: limit) { size += $0.count }
    var unpacked: [UInt8] = []
    unpacked.reserveCapacity(size)
    try forEachPart(of: bytes, name: name, limit: limit) { unpacked += $0 }
    return unpacked
  }

  /// Runs through the members of a gzip file and hands over what they unpack to, part by part.
  private static func forEachPart(
    of bytes: [UInt8], name: String, limit: Int, _ use: (ArraySlice<UInt8>) -> Void
  ) throws(DataFileError) {
    var inflater = Inflater(bytes, limit: limit)
    while inflater.position < bytes.count {
      guard inflater.position == 0 || bytes[inflater.position] == 0x1F else {
        throw DataFileError(
          "\(name): \(bytes.count - inflater.position) bytes follow the end of the gzip data at "
            + "byte \(inflater.position). Remove them, or copy the file again.")
      }
      switch inflater.nextStream(windowBits: Inflater.gzipFormat, use) {
      case .complete: continue
      case .cut:
        throw DataFileError(
          "\(name): the file ends inside its gzip data, after \(bytes.count) bytes. "
            + "It was cut; copy or fetch it again.")
      case .damaged(let reason):
        throw DataFileError(
          "\(name): the gzip data is damaged (\(reason), near byte \(inflater.position)). "
            + "Copy or fetch the file again.")
      case .overLimit:
        throw DataFileError(
          "\(name): the gzip data unpacks to more than the limit of \(limit) bytes. "
            + "Give a smaller file or raise the memory limit.")
      }
    }
  }

  /// The most bytes that one packed byte can stand for, with room for the ends of short streams.
  ///
  /// Source: zlib, "Technical Details": "the maximum compression factor … 1032:1".
  private static func mostUnpacked(_ packed: Int) -> Int { 1032 * packed + 1032 }

  /// Unpacks raw deflate data whose unpacked size is known, as in a ZIP archive.
  ///
  /// Throws `DataFileError` naming `name` where the data are cut or damaged, or unpack to another
  /// size than `expectedSize`; never takes more memory than that size.
  public static func inflateRaw(
    _ bytes: [UInt8], expectedSize: Int, name: String
  ) throws(DataFileError) -> [UInt8] {
    var output: [UInt8] = []
    var inflater = Inflater(bytes, limit: expectedSize)
    let seen: String
    if expectedSize > mostUnpacked(bytes.count) {
      seen = "have only \(bytes.count) bytes"
    } else {
      output.reserveCapacity(expectedSize)
      switch inflater.nextStream(windowBits: Inflater.rawFormat, { output += $0 }) {
      case .complete where output.count == expectedSize && inflater.position == bytes.count:
        return output
      case .complete where output.count == expectedSize:
        seen = "end \(bytes.count - inflater.position) bytes early"
      case .complete: seen = "unpack to \(output.count) bytes"
      case .cut: seen = "are cut after \(bytes.count) bytes"
      case .damaged(let reason): seen = "are damaged (\(reason))"
      case .overLimit: seen = "unpack to more bytes than that"
      }
    }
    throw DataFileError(
      "\(name): \(expectedSize) unpacked bytes are promised, but the packed data \(seen). "
        + "Save or copy the file again.")
  }
}
