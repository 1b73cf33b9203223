import DenseAlgebra

/// The positions at which a window reads an image, and the maps between images and patches.
///
/// `unfold` lays the patch of every position into a column, so that a convolution is one matrix
/// product; `fold` is its transpose. Rows of a patch run over channel, kernel row, kernel column;
/// columns are n·T + t with t = (output row)·(output columns) + (output column).
/// Source: arXiv 1602.01407, section 2; `spec/algorithms.md` 4.9.
struct Unfolding {
  let channels: Int
  let height: Int
  let width: Int
  let window: Window
  let rows: Int
  let columns: Int

  init(channels: Int, height: Int, width: Int, window: Window) {
    guard let (rows, columns) = window.positions(height: height, width: width) else {
      preconditionFailure("the window \(window) does not fit an image of \(height) × \(width)")
    }
    self.channels = channels
    self.height = height
    self.width = width
    self.window = window
    self.rows = rows
    self.columns = columns
  }

  /// T, the number of positions of the window.
  var positions: Int { rows * columns }
  /// The number of entries of one patch: channels · kernel height · kernel width.
  var patchCount: Int { channels * window.area }
  private var imageCount: Int { channels * height * width }

  /// The patches of N images: imageCount × N to patchCount × (N·T), with a last row of ones if asked.
  func unfold(_ images: Matrix, appendingOne: Bool) -> Matrix {
    let patchRows = patchCount + (appendingOne ? 1 : 0)
    var patches = Matrix(
      rowCount: patchRows, columnCount: images.columnCount * positions,
      repeating: 0)
    let source = images.storage.span
    var target = patches.storage.mutableSpan
    for example in 0..<images.columnCount {
      forEachPair { position, patchRow, imageRow in
        target[(example * positions + position) * patchRows + patchRow] =
          source[example * imageCount + imageRow]
      }
    }
    if appendingOne {
      for column in 0..<images.columnCount * positions { target[(column + 1) * patchRows - 1] = 1 }
    }
    return patches
  }

  /// The transpose of `unfold`: adds every patch entry back to the pixel that it was read from.
  func fold(_ patches: Matrix, exampleCount: Int) -> Matrix {
    precondition(
      patches.rowCount == patchCount && patches.columnCount == exampleCount * positions,
      "fold: \(patches.rowCount) × \(patches.columnCount), expected \(patchCount) × \(exampleCount * positions)"
    )
    var images = Matrix(rowCount: imageCount, columnCount: exampleCount)
    let source = patches.storage.span
    var target = images.storage.mutableSpan
    for example in 0..<exampleCount {
      forEachPair { position, patchRow, imageRow in
        target[example * imageCount + imageRow] +=
          source[(example * positions + position) * patchCount + patchRow]
      }
    }
    return images
  }

  /// Calls a function for every entry of every patch that lies inside the image.
  @inline(__always)
  func forEachPair(_ body: (_ position: Int, _ patchRow: Int, _ imageRow: Int) -> Void) {
    for outputRow in 0..<rows {
      for outputColumn in 0..<columns {
        let position = outputRow * columns + outputColumn
        for channel in 0..<channels {
          for kernelRow in 0..<window.kernelHeight {
            let row = outputRow * window.rowStride - window.rowPadding + kernelRow
            guard row >= 0, row < height else { continue }
            for kernelColumn in 0..<window.kernelWidth {
              let column = outputColumn * window.columnStride - window.columnPadding + kernelColumn
              guard column >= 0, column < width else { continue }
              body(
                position,
                (channel * window.kernelHeight + kernelRow) * window.kernelWidth + kernelColumn,
                (channel * height + row) * width + column)
            }
          }
        }
      }
    }
  }
}
