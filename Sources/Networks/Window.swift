/// The kernel size, stride and zero padding of a convolution or a pooling.
///
/// An axis of length n gives ⌊(n + 2·padding − kernel)/stride⌋ + 1 positions; position o reads
/// the input rows o·stride − padding + k, k = 0..<kernel, and zeros outside the image. A stride that
/// does not divide leaves the last rows unread, as in the usual libraries.
public struct Window: Equatable, Sendable {
  public var kernelHeight: Int
  public var kernelWidth: Int
  public var rowStride: Int
  public var columnStride: Int
  public var rowPadding: Int
  public var columnPadding: Int

  /// A window with stride 1 and no padding unless said otherwise.
  public init(
    kernelHeight: Int, kernelWidth: Int, rowStride: Int = 1, columnStride: Int = 1,
    rowPadding: Int = 0, columnPadding: Int = 0
  ) {
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.rowStride = rowStride
    self.columnStride = columnStride
    self.rowPadding = rowPadding
    self.columnPadding = columnPadding
  }

  /// The number of entries one window covers in one channel.
  var area: Int { kernelHeight * kernelWidth }

  /// Whether kernel and stride are positive and the padding is less than the kernel.
  ///
  /// Wider padding would give positions that read nothing but zeros.
  var isValid: Bool {
    kernelHeight >= 1 && kernelWidth >= 1 && rowStride >= 1 && columnStride >= 1
      && (0..<kernelHeight).contains(rowPadding) && (0..<kernelWidth).contains(columnPadding)
  }

  /// The numbers of positions down and across an image, or nil where the kernel does not fit.
  func positions(height: Int, width: Int) -> (rows: Int, columns: Int)? {
    let freeRows = height + 2 * rowPadding - kernelHeight
    let freeColumns = width + 2 * columnPadding - kernelWidth
    guard freeRows >= 0, freeColumns >= 0 else { return nil }
    return (freeRows / rowStride + 1, freeColumns / columnStride + 1)
  }
}
