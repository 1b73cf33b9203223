import DenseAlgebra
import Networks

/// A curvature matrix that is held densely: an exact Fisher formed once and damped many times.
public struct DenseStructure: MatrixStructure {
  public let kind: StructureKind
  public let layout: ParameterLayout
  /// The undamped matrix, P × P in cvec order.
  public let matrix: Matrix

  /// Takes the matrix of an exact structure (`exact` or `block-diagonal`).
  public init(kind: StructureKind, layout: ParameterLayout, matrix: Matrix) {
    precondition(
      matrix.rowCount == layout.count && matrix.isSquare,
      "a \(matrix.rowCount) × \(matrix.columnCount) matrix for \(layout.count) parameters")
    self.kind = kind
    self.layout = layout
    self.matrix = matrix
  }

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    ParameterVector(matrix * vector.flattened, layout: layout)
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix { matrix }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    try requireDefined(rule, lambda)
    return try DampedDenseMatrix(
      matrix, layout: layout, rule: rule, lambda: lambda,
      name: layout.blocks.count == 1 ? "the block of \(layout.blocks[0].name)" : "the Fisher")
  }
}
