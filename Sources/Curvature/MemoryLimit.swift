/// The largest number of bytes that one matrix of a computation may take.
///
/// Every allocation that grows with the square of a parameter count or of a batch asks here first.
public struct MemoryLimit: Equatable, Sendable {
  /// The limit in bytes.
  public let bytes: Int

  /// A limit of the given number of bytes.
  public init(bytes: Int) {
    precondition(bytes > 0, "a memory limit must be positive, got \(bytes)")
    self.bytes = bytes
  }

  /// 2 GiB.
  public static let standard = MemoryLimit(bytes: 2 << 30)

  /// The bytes of `count` matrices of the given size, or `Int.max` where that overflows.
  public static func bytes(rows: Int, columns: Int, count: Int = 1) -> Int {
    let (area, overflow) = rows.multipliedReportingOverflow(by: columns)
    let (total, overflowTotal) = area.multipliedReportingOverflow(by: 8 * count)
    return overflow || overflowTotal ? Int.max : total
  }

  /// Throws `exceedsMemory` when a matrix of this size would be larger than the limit.
  public func require(rows: Int, columns: Int, for what: String, advice: String)
    throws(CurvatureError)
  {
    let needed = MemoryLimit.bytes(rows: rows, columns: columns)
    guard needed <= bytes else {
      throw CurvatureError.exceedsMemory(
        what: "\(what) (\(rows) × \(columns))", bytes: needed, limit: bytes, advice: advice)
    }
  }
}
