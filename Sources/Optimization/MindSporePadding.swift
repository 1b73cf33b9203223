import DenseAlgebra

/// How a damped factor is laid out in blocks of equal size before it is inverted.
///
/// Both layouts fill the last block up with the identity, so the kept part of its inverse is the
/// inverse of the smaller block that the specification's split has there.
/// Reference: the specification, section 7.4.
public enum MindSporePadding: String, CaseIterable, Sendable {
  /// To a multiple of the block size; a factor of exactly half the block size is left as it is.
  case ascend
  /// To a multiple of the block size, unless the factor is smaller than one block.
  case gpu

  /// The size after padding.
  public func paddedSize(_ size: Int, blockSize: Int = 128) -> Int {
    precondition(size >= 1 && blockSize >= 1, "size \(size), block size \(blockSize)")
    let isLeftAlone =
      switch self {
      case .ascend: 2 * size == blockSize
      case .gpu: size < blockSize
      }
    return isLeftAlone ? size : (size + blockSize - 1) / blockSize * blockSize
  }

  /// The diagonal blocks that are inverted, each of the padded size or of the block size.
  public func blocks(of damped: Matrix, blockSize: Int = 128) -> [Matrix] {
    precondition(
      damped.isSquare, "a factor is square, got \(damped.rowCount) × \(damped.columnCount)")
    var padded = Matrix.identity(paddedSize(damped.rowCount, blockSize: blockSize))
    padded.setBlock(row: 0, column: 0, to: damped)
    return Matrix.pinchingRanges(size: padded.rowCount, blockSize: blockSize).map {
      padded.block(rows: $0, columns: $0)
    }
  }
}
