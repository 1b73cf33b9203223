// A pinching keeps the diagonal blocks of a matrix and zeroes the rest. Spec 7.4.

extension Matrix {
  /// The index ranges {0..d−1}, {d..2d−1}, … of a size, the last one smaller unless d divides it.
  public static func pinchingRanges(size: Int, blockSize: Int) -> [Range<Int>] {
    precondition(size >= 0, "pinching: size \(size) is negative")
    precondition(blockSize > 0, "pinching: the block size must be positive, got \(blockSize)")
    return stride(from: 0, to: size, by: blockSize).map { $0..<$0 + min(blockSize, size - $0) }
  }

  /// The pinching P_d(M): diagonal blocks of the given size kept, everything else zero.
  ///
  /// ⌈n/d⌉ blocks; the last has size n mod d if that is not zero; d ≥ n keeps M. It is an
  /// orthogonal projection that keeps the trace and positive semi-definiteness. Spec 7.4.
  public func pinched(blockSize: Int) -> Matrix {
    precondition(isSquare, "pinched: \(rowCount) × \(columnCount)")
    // lesson: pinching
    var result = Matrix(rowCount: rowCount, columnCount: columnCount)
    for range in Matrix.pinchingRanges(size: rowCount, blockSize: blockSize) {
      result.setBlock(
        row: range.lowerBound, column: range.lowerBound, to: block(rows: range, columns: range))
    }
    return result
    // end lesson
  }
}
