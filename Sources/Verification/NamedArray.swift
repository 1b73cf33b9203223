import DataFiles

/// An array of a file, with what messages call it.
struct NamedArray {
  let path: String
  let name: String
  let array: NumericArray

  /// An error that begins with the file and the array.
  func error(_ sentences: String) -> DataFileError {
    DataFileError("\(place): \(sentences)")
  }

  /// What the readers of single entries call the array.
  var place: String { "\(path), array '\(name)'" }

  /// The shape in numpy's notation: (), (3,), (3, 4).
  var shape: String { NamedArray.text(array.shape) }

  static func text(_ shape: [Int]) -> String {
    shape.count == 1 ? "(\(shape[0]),)" : "(\(shape.map(String.init).joined(separator: ", ")))"
  }

  /// The index of a flat position, last index fastest: [2, 0].
  static func index(_ position: Int, in shape: [Int]) -> String {
    var rest = position
    var index: [String] = []
    for extent in shape.reversed() {
      index.append(String(rest % extent))
      rest /= extent
    }
    return "[\(index.reversed().joined(separator: ", "))]"
  }
}
