import CZlib

/// Runs zlib over streams that follow one another in memory, and stops at a limit.
///
/// The one use of pointers in this target: zlib keeps the addresses of its state, input and output
/// from call to call, so all three stay pinned while a stream is read.
struct Inflater {
  /// How a stream ended.
  enum End { case complete, cut, damaged(String), overLimit }

  /// A gzip header and the largest window; no header and the largest window.
  static let gzipFormat: Int32 = 16 + 15
  static let rawFormat: Int32 = -15

  /// Where the next stream begins.
  private(set) var position = 0
  private let bytes: [UInt8]
  private var remaining: Int
  /// Shared by all streams: a file can hold one for every 20 bytes.
  private var chunk: [UInt8]

  /// All streams together may unpack to `limit` bytes.
  init(_ bytes: [UInt8], limit: Int) {
    self.bytes = bytes
    remaining = limit
    chunk = [UInt8](repeating: 0, count: min(1 << 16, max(limit, 1)))
  }

  /// Unpacks one stream and hands over its bytes part by part.
  mutating func nextStream(windowBits: Int32, _ use: (ArraySlice<UInt8>) -> Void) -> End {
    var stream = z_stream()
    return bytes.withUnsafeBufferPointer { input -> End in
      withUnsafeMutablePointer(to: &stream) { stream -> End in
        let size = Int32(MemoryLayout<z_stream>.size)
        let started = inflateInit2_(stream, windowBits, ZLIB_VERSION, size)
        precondition(started == Z_OK, "zlib \(ZLIB_VERSION) did not start: \(started)")
        defer { inflateEnd(stream) }
        while true {
          // zlib counts in 32 bits, so a huge input goes in by parts.
          let offered = min(input.count - position, 1 << 30)
          stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress.map { $0 + position })
          stream.pointee.avail_in = uInt(offered)
          let status = chunk.withUnsafeMutableBufferPointer { buffer -> Int32 in
            stream.pointee.next_out = buffer.baseAddress
            stream.pointee.avail_out = uInt(buffer.count)
            return inflate(stream, Z_NO_FLUSH)
          }
          position += offered - Int(stream.pointee.avail_in)
          let produced = chunk.count - Int(stream.pointee.avail_out)
          guard produced <= remaining else { return .overLimit }
          remaining -= produced
          use(chunk[..<produced])
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
  }
}
