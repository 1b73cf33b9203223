/// What readers need to know of a shape before they trust it.
enum ArrayShape {
  /// The most dimensions of an array, as in NumPy 2.
  static let mostDimensions = 64

  /// The product of the dimensions; nil where a dimension is negative or the array is larger than
  /// `most` elements.
  ///
  /// Dimensions of size 0 count as 1 in that comparison, so that (0, 2⁶²) is refused as well: a
  /// loop over such columns would not end.
  static func elementCount(_ shape: [Int], most: Int) -> Int? {
    var product = 1
    for dimension in shape {
      guard dimension >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: max(dimension, 1))
      guard !overflow, next <= most else { return nil }
      product = next
    }
    return shape.contains(0) ? 0 : product
  }

  /// A shape in numpy's notation: (), (3,), (3, 4); only the beginning of a long one.
  static func text(_ shape: [Int]) -> String {
    guard shape.count <= mostDimensions else {
      let shown = shape.prefix(8).map(String.init).joined(separator: ", ")
      return "(\(shown), …; \(shape.count) dimensions)"
    }
    if shape.count == 1 { return "(\(shape[0]),)" }
    return "(\(shape.map(String.init).joined(separator: ", ")))"
  }

  /// The index of a flat position, last index fastest, in numpy's notation: [2, 0].
  static func indexText(_ position: Int, in shape: [Int]) -> String {
    var rest = position
    var index: [Int] = []
    for dimension in shape.reversed() {
      index.append(rest % dimension)
      rest /= dimension
    }
    return "[\(index.reversed().map(String.init).joined(separator: ", "))]"
  }
}
