/// The positions in a file of an array stored first index fastest (Fortran order), in the order last
/// index fastest (C order).
struct FortranOrder: Sequence, IteratorProtocol {
  private let shape: [Int]
  private let strides: [Int]
  private var index: [Int]
  private var position = 0
  private var remaining: Int

  /// `count` is the product of the dimensions.
  init(shape: [Int], count: Int) {
    self.shape = shape
    var strides: [Int] = []
    var stride = 1
    for dimension in shape {
      strides.append(stride)
      stride *= dimension
    }
    self.strides = strides
    index = [Int](repeating: 0, count: shape.count)
    remaining = count
  }

  var underestimatedCount: Int { remaining }

  mutating func next() -> Int? {
    guard remaining > 0 else { return nil }
    remaining -= 1
    let current = position
    // Count up the index like an odometer, last digit first.
    for axis in shape.indices.reversed() {
      index[axis] += 1
      position += strides[axis]
      if index[axis] < shape[axis] { break }
      position -= strides[axis] * shape[axis]
      index[axis] = 0
    }
    return current
  }
}
