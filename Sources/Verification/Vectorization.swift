import DenseAlgebra
import Networks

/// The order in which the entries of each layer's [W b] are stacked into the parameter vector.
///
/// `column` is cvec, natgrad's own: entry (i, j) of a dG × dA block sits at j·dG + i, and KFAC's block
/// is A ⊗ G. `row` is rvec, the habit of PyTorch and NumPy: entry (i, j) sits at i·dA + j, and the
/// block is G ⊗ A. rvec = Π cvec with a permutation Π within each layer, so M becomes Π M Πᵀ; the
/// layers stay in order. The bias is the last column of [W b] either way; libraries that keep W
/// and b apart need one more permutation. Reference: the specification, sections 1.2 and 1.6.
public enum Vectorization: String, CaseIterable, Codable, Sendable {
  case column
  case row

  /// One sentence for `natgrad list`.
  public var explanation: String {
    switch self {
    case .column: "columns of [W b] one after the other (cvec); KFAC's block is A ⊗ G"
    case .row: "rows of [W b] one after the other (rvec, as in PyTorch); KFAC's block is G ⊗ A"
    }
  }

  /// The position in cvec order of each entry of this order.
  public func columnPositions(of layout: ParameterLayout) -> [Int] {
    switch self {
    case .column: Array(0..<layout.count)
    case .row:
      // lesson: row-positions
      zip(layout.blocks, layout.offsets).flatMap { block, offset in
        (0..<block.count).map {
          offset + ($0 % block.columnCount) * block.rowCount + $0 / block.columnCount
        }
      }
    // end lesson
    }
  }

  /// Π v: a vector of P entries from cvec order to this order.
  public func vector(_ columnOrdered: Vector, layout: ParameterLayout) -> Vector {
    precondition(
      columnOrdered.count == layout.count,
      "a vector of \(columnOrdered.count) entries for \(layout.count) parameters")
    return Vector(columnPositions(of: layout).map { columnOrdered[$0] })
  }

  /// Πᵀ v: a vector of P entries from this order to cvec order.
  public func columnOrdered(_ vector: Vector, layout: ParameterLayout) -> Vector {
    precondition(
      vector.count == layout.count,
      "a vector of \(vector.count) entries for \(layout.count) parameters")
    var result = Vector.zero(vector.count)
    for (here, there) in columnPositions(of: layout).enumerated() { result[there] = vector[here] }
    return result
  }

  /// Π M Πᵀ: a P × P matrix from cvec order to this order.
  public func matrix(_ columnOrdered: Matrix, layout: ParameterLayout) -> Matrix {
    requireSize(columnOrdered, layout)
    if self == .column { return columnOrdered }
    let positions = columnPositions(of: layout)
    return Matrix(rowCount: layout.count, columnCount: layout.count) {
      columnOrdered[positions[$0], positions[$1]]
    }
  }

  /// Πᵀ M Π: a P × P matrix from this order to cvec order.
  public func columnOrdered(_ matrix: Matrix, layout: ParameterLayout) -> Matrix {
    requireSize(matrix, layout)
    if self == .column { return matrix }
    var positions = [Int](repeating: 0, count: layout.count)
    for (here, there) in columnPositions(of: layout).enumerated() { positions[there] = here }
    return Matrix(rowCount: layout.count, columnCount: layout.count) {
      matrix[positions[$0], positions[$1]]
    }
  }

  private func requireSize(_ matrix: Matrix, _ layout: ParameterLayout) {
    precondition(
      matrix.rowCount == layout.count && matrix.columnCount == layout.count,
      "a \(matrix.rowCount) × \(matrix.columnCount) matrix for \(layout.count) parameters")
  }
}
