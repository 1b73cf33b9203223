import DenseAlgebra

/// An array of numbers with a shape, as numpy knows it.
public struct NumericArray: Equatable, Sendable {
  /// What the numbers were, or are to be, stored as.
  public enum Kind: String, Sendable { case float64, float32, integer, boolean }

  /// The dimensions; empty for a single number.
  public let shape: [Int]
  /// The numbers, last index fastest (C order) whatever the order of the file was.
  public let elements: [Double]
  /// What the numbers are stored as.
  public let kind: Kind

  /// Takes the product of `shape` numbers, last index fastest.
  ///
  /// Numbers must be of their kind: whole for `.integer`, 0 or 1 for `.boolean`, single precision
  /// for `.float32`.
  public init(shape: [Int], elements: [Double], kind: Kind = .float64) {
    let count = ArrayShape.elementCount(shape, most: .max)
    precondition(
      count == elements.count,
      "an array of shape \(ArrayShape.text(shape)) cannot have \(elements.count) elements")
    let fits: (Double) -> Bool =
      switch kind {
      case .float64: { _ in true }
      case .float32: { $0.isNaN || Double(Float($0)) == $0 }
      case .integer: { Int64(exactly: $0) != nil }
      case .boolean: { $0 == 0 || $0 == 1 }
      }
    if kind != .float64 {
      for element in elements { precondition(fits(element), "\(element) is no \(kind)") }
    }
    self.shape = shape
    self.elements = elements
    self.kind = kind
  }

  /// A matrix as an array of shape (rows, columns).
  public init(_ matrix: Matrix) {
    self.init(
      shape: [matrix.rowCount, matrix.columnCount], elements: matrix.transposed.storage)
  }

  /// A vector as an array of one dimension.
  public init(_ vector: Vector) { self.init(shape: [vector.count], elements: vector.elements) }

  /// A number as an array of no dimensions.
  public init(_ number: Double) { self.init(shape: [], elements: [number]) }

  /// The array as a matrix; `name` is what the message calls it.
  ///
  /// Throws `DataFileError` where the array has not two dimensions.
  public func matrix(_ name: String = "the array") throws(DataFileError) -> Matrix {
    guard shape.count == 2 else { throw shapeError(name, expected: "a matrix (2 dimensions)") }
    // Read column by column, C order is the transpose.
    return Matrix(rowCount: shape[1], columnCount: shape[0], storage: elements).transposed
  }

  /// The array as a vector; `name` is what the message calls it.
  ///
  /// Throws `DataFileError` where the array has not one dimension.
  public func vector(_ name: String = "the array") throws(DataFileError) -> Vector {
    guard shape.count == 1 else { throw shapeError(name, expected: "a vector (1 dimension)") }
    return Vector(elements)
  }

  /// The array as class labels; `name` is what the message calls it.
  ///
  /// Throws `DataFileError` where the array has not one dimension or a label, the first being
  /// named, is not a whole number. Whether labels are in range is for the caller to say.
  public func labels(_ name: String = "the array") throws(DataFileError) -> [Int] {
    var labels: [Int] = []
    for (index, element) in try vector(name).elements.enumerated() {
      guard let label = Int(exactly: element) else {
        throw DataFileError(
          "\(name): entry [\(index)] is \(element), and labels must be whole numbers counted from "
            + "0. Save the class numbers, or use a likelihood that takes values.")
      }
      labels.append(label)
    }
    return labels
  }

  /// Throws `DataFileError` naming the first entry that is NaN or infinite.
  public func requireFinite(_ name: String = "the array") throws(DataFileError) {
    guard let position = elements.firstIndex(where: { !$0.isFinite }) else { return }
    throw DataFileError(
      "\(name): entry \(ArrayShape.indexText(position, in: shape)) is \(elements[position]), and "
        + "every entry must be a finite number. Look for the step that made it.")
  }

  private func shapeError(_ name: String, expected: String) -> DataFileError {
    DataFileError(
      "\(name): the shape is \(ArrayShape.text(shape)), and \(expected) is expected. "
        + "Reshape the array before saving it.")
  }
}
