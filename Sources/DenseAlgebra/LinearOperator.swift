/// A matrix known by its product with a vector.
public protocol LinearOperator: Sendable {
  /// The number of entries of a product.
  var rowCount: Int { get }
  /// The number of entries of a vector the operator accepts.
  var columnCount: Int { get }
  /// The product with x.
  func apply(_ x: Vector) -> Vector
  /// The matrix itself, rowCount × columnCount.
  func dense() -> Matrix
}

extension LinearOperator {
  /// The matrix, column j being the product with unit vector j: columnCount products.
  public func dense() -> Matrix {
    var entries: [Double] = []
    entries.reserveCapacity(rowCount * columnCount)
    var unit = Vector.zero(columnCount)
    for j in 0..<columnCount {
      unit[j] = 1
      entries += apply(unit).elements
      unit[j] = 0
    }
    return Matrix(rowCount: rowCount, columnCount: columnCount, storage: entries)
  }
}

extension Matrix: LinearOperator {
  public func apply(_ x: Vector) -> Vector { self * x }
  public func dense() -> Matrix { self }
}
