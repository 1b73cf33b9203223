import DenseAlgebra

// The rearrangements of a batch that the nodes share.
extension Matrix {
  /// The same memory read with other extents.
  func regrouped(rowCount: Int, columnCount: Int) -> Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount, storage: storage)
  }

  /// The matrix with a last row of ones: the homogeneous coordinate of the bias.
  var appendingOne: Matrix {
    var entries: [Double] = []
    entries.reserveCapacity((rowCount + 1) * columnCount)
    for column in 0..<columnCount {
      entries.append(contentsOf: storage[column * rowCount..<(column + 1) * rowCount])
      entries.append(1)
    }
    return Matrix(rowCount: rowCount + 1, columnCount: columnCount, storage: entries)
  }

  /// channels × (N·T), column n·T + t, to (channels·T) × N with row c·T + t: the memory of images.
  func channelMajor(positions: Int) -> Matrix {
    swappingWithinExamples(
      outer: positions, inner: rowCount, rowCount: rowCount * positions,
      columnCount: columnCount / positions)
  }

  /// The inverse of `channelMajor`: (channels·T) × N to channels × (N·T).
  func positionMajor(positions: Int) -> Matrix {
    swappingWithinExamples(
      outer: rowCount / positions, inner: positions, rowCount: rowCount / positions,
      columnCount: columnCount * positions)
  }

  /// Transposes the inner × outer rectangle that each example's memory is.
  private func swappingWithinExamples(
    outer: Int, inner: Int, rowCount: Int, columnCount: Int
  ) -> Matrix {
    var result = Matrix(rowCount: rowCount, columnCount: columnCount)
    let source = storage.span
    var target = result.storage.mutableSpan
    let size = outer * inner
    guard size > 0 else { return result }
    for start in stride(from: 0, to: source.count, by: size) {
      for o in 0..<outer {
        for i in 0..<inner { target[start + i * outer + o] = source[start + o * inner + i] }
      }
    }
    return result
  }
}
