import DenseAlgebra

/// A matrix reduced to few enough cells for its place, so that no thin structure is lost.
struct MatrixCells {
  /// The side of the square blocks of entries that one cell stands for.
  let blockSize: Int
  let rowCount, columnCount: Int
  /// The entry of largest magnitude of each block with its sign, row after row; where a block holds
  /// an entry that is not finite, that entry.
  let values: [Double]

  /// Takes the smallest blocks that leave at most so many cells on a side.
  init(_ matrix: Matrix, atMost limit: Int) {
    let size = max(1, matrix.rowCount, matrix.columnCount)
    let block = (size + limit - 1) / limit
    blockSize = block
    rowCount = (matrix.rowCount + block - 1) / block
    columnCount = (matrix.columnCount + block - 1) / block
    var values = [Double](repeating: 0, count: rowCount * columnCount)
    let entries = matrix.storage.span
    for j in 0..<matrix.columnCount {
      for i in 0..<matrix.rowCount {
        let entry = entries[j * matrix.rowCount + i]
        let cell = i / block * columnCount + j / block
        if !entry.isFinite || (values[cell].isFinite && abs(entry) > abs(values[cell])) {
          values[cell] = entry
        }
      }
    }
    self.values = values
  }

  /// The cells in the colours of a scale.
  func colors(_ scale: ColorScale) -> ColorGrid {
    ColorGrid(rowCount: rowCount, columnCount: columnCount, colors: values.map(scale.color))
  }
}
