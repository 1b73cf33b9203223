import DenseAlgebra

extension Unfolding {
  /// The mean of every window of every channel; padding counts as zeros.
  func meanPool(_ images: Matrix) -> Matrix {
    let perChannel = Unfolding(channels: 1, height: height, width: width, window: window)
    let result = perChannel.unfold(channelsAsExamples(images), appendingOne: false)
    let mean = Matrix(rowCount: 1, columnCount: window.area, repeating: 1 / Double(window.area))
    return (mean * result).regrouped(
      rowCount: channels * positions, columnCount: images.columnCount)
  }

  /// The transpose of `meanPool`.
  func spreadMeanPool(_ cotangent: Matrix) -> Matrix {
    let perChannel = Unfolding(channels: 1, height: height, width: width, window: window)
    let mean = Matrix(rowCount: window.area, columnCount: 1, repeating: 1 / Double(window.area))
    let patches =
      mean
      * cotangent.regrouped(
        rowCount: 1, columnCount: channels * positions * cotangent.columnCount)
    return perChannel.fold(patches, exampleCount: channels * cotangent.columnCount)
      .regrouped(rowCount: channels * height * width, columnCount: cotangent.columnCount)
  }

  /// (channels·height·width) × N read as (height·width) × (N·channels): the same memory.
  private func channelsAsExamples(_ images: Matrix) -> Matrix {
    images.regrouped(rowCount: height * width, columnCount: channels * images.columnCount)
  }
}

extension Shape {
  /// The mean over the positions of a sequence (to its features) or an image (to its channels).
  func meanOverPositions(_ batch: Matrix) -> Matrix {
    let axes = positionAxes
    var result = Matrix(rowCount: axes.kept, columnCount: batch.columnCount)
    let source = batch.storage.span
    var target = result.storage.mutableSpan
    for example in 0..<batch.columnCount {
      for kept in 0..<axes.kept {
        var sum = 0.0
        for position in 0..<axes.positions {
          sum += source[example * count + kept * axes.keptStride + position * axes.positionStride]
        }
        target[example * axes.kept + kept] = sum / Double(axes.positions)
      }
    }
    return result
  }

  /// The transpose of `meanOverPositions`.
  func spreadMeanOverPositions(_ cotangent: Matrix) -> Matrix {
    let axes = positionAxes
    var result = Matrix(rowCount: count, columnCount: cotangent.columnCount)
    let source = cotangent.storage.span
    var target = result.storage.mutableSpan
    for example in 0..<cotangent.columnCount {
      for kept in 0..<axes.kept {
        let share = source[example * axes.kept + kept] / Double(axes.positions)
        for position in 0..<axes.positions {
          target[example * count + kept * axes.keptStride + position * axes.positionStride] = share
        }
      }
    }
    return result
  }

  /// The extents and strides of features or channels, and of the positions averaged over.
  private var positionAxes: (kept: Int, keptStride: Int, positions: Int, positionStride: Int) {
    switch self {
    case .vector: preconditionFailure("a vector has no positions")
    case .sequence(let positions, let features): (features, 1, positions, features)
    case .image(let channels, let height, let width): (channels, height * width, height * width, 1)
    }
  }
}
