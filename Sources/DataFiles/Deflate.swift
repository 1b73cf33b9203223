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
    var unpacked: [UInt8] = []
    var position = 0
    while position < bytes.count {
      guard position == 0 || bytes[position] == 0x1F else {
        throw DataFileError(
          "\(name): \(bytes.count - position) bytes follow the end of the gzip data at byte "
            + "\(position). Remove them, or copy the file again.")
      }
      // 16 + 15: a gzip header, and the largest window.
      let member = inflate(
        bytes, from: position, windowBits: 16 + 15, limit: limit - unpacked.count)
      switch member.end {
      case .complete where unpacked.isEmpty: unpacked = member.output
      case .complete: unpacked += member.output
      case .cut:
        throw DataFileError(
          "\(name): the file ends inside its gzip data, after \(bytes.count) bytes. "
            + "It was cut; copy or fetch it again.")
      case .damaged(let reason):
        throw DataFileError(
          "\(name): the gzip data is damaged (\(reason), near byte \(member.position)). "
            + "Copy or fetch the file again.")
      case .overLimit:
        throw DataFileError(
          "\(name): the gzip data unpacks to more than the limit of \(limit) bytes. "
            + "Give a smaller file or raise the memory limit.")
      }
      position = member.position
    }
    return unpacked
  }

  /// Unpacks raw deflate data whose unpacked size is known, as in a ZIP archive.
  ///
  /// Throws `DataFileError` naming `name` where the data are cut or damaged, or unpack to another
  /// size than `expectedSize`; never takes more memory than that size.
  public static func inflateRaw(
    _ bytes: [UInt8], expectedSize: Int, name: String
  ) throws(DataFileError) -> [UInt8] {
    let result = inflate(bytes, from: 0, windowBits: -15, limit: expectedSize)
    let seen: String
    switch result.end {
    case .complete where result.output.count == expectedSize && result.position == bytes.count:
      return result.output
    case .complete where result.output.count == expectedSize:
      seen = "end \(bytes.count - result.position) bytes early"
    case .complete: seen = "unpack to \(result.output.count) bytes"
    case .cut: seen = "are cut after \(bytes.count) bytes"
    case .damaged(let reason): seen = "are damaged (\(reason))"
    case .overLimit: seen = "unpack to more bytes than that"
    }
    throw DataFileError(
      "\(name): \(expectedSize) unpacked bytes are promised, but the packed data \(seen). "
        + "Save or copy the file again.")
  }

  private enum End { case complete, cut, damaged(String), overLimit }

  /// Runs zlib over one stream that starts at `start`; `position` is where the stream ended.
  ///
  /// The one use of pointers in this target: zlib keeps the addresses of its state, input and
  /// output from call to call, so all three stay pinned for the whole loop.
  private static func inflate(
    _ bytes: [UInt8], from start: Int, windowBits: Int32, limit: Int
  ) -> (output: [UInt8], position: Int, end: End) {
    var output: [UInt8] = []
    var position = start
    var chunk = [UInt8](repeating: 0, count: min(1 << 18, max(limit, 1)))
    var stream = z_stream()
    let end = bytes.withUnsafeBufferPointer { input -> End in
      withUnsafeMutablePointer(to: &stream) { stream -> End in
        let size = Int32(MemoryLayout<z_stream>.size)
        let started = inflateInit2_(stream, windowBits, ZLIB_VERSION, size)
        precondition(started == Z_OK, "zlib \(ZLIB_VERSION) did not start: \(started)")
        defer { inflateEnd(stream) }
        while true {
          // zlib counts in 32 bits, so a huge input goes in by parts.
          let offered = min(bytes.count - position, 1 << 30)
          stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress.map { $0 + position })
          stream.pointee.avail_in = uInt(offered)
          let status = chunk.withUnsafeMutableBufferPointer { buffer -> Int32 in
            stream.pointee.next_out = buffer.baseAddress
            stream.pointee.avail_out = uInt(buffer.count)
            return CZlib.inflate(stream, Z_NO_FLUSH)
          }
          position += offered - Int(stream.pointee.avail_in)
          let produced = chunk.count - Int(stream.pointee.avail_out)
          guard produced <= limit - output.count else { return .overLimit }
          output += chunk[..<produced]
          switch status {
          case Z_STREAM_END: return .complete
          case Z_OK: continue
          case Z_BUF_ERROR: return .cut
          default:
            return .damaged(stream.pointee.msg.map { String(cString: $0) } ?? "code \(status)")
          }
        }
      }
    }
    return (output, position, end)
  }
}
