import DenseAlgebra

/// An undamped reference matrix that approximations are compared with.
public struct MatrixReference: Sendable {
  /// F, symmetric.
  public let matrix: Matrix

  public init(_ matrix: Matrix) {
    precondition(
      matrix.isSquare, "a reference is square, got \(matrix.rowCount) × \(matrix.columnCount)")
    self.matrix = matrix
  }

  /// The matrix metrics of an approximation; those that divide by zero are left out.
  ///
  /// `includingSpectral` adds the spectral norm, an eigenproblem of this size. Squares of the entries
  /// are summed, so entries should lie between 1e-150 and 1e150.
  public func metrics(of approximation: Matrix, includingSpectral: Bool) throws(CurvatureError)
    -> [MetricValue]
  {
    var values = MatrixComparison(of: approximation, with: matrix).metrics
    guard includingSpectral else { return values }
    do {
      let norm = try matrix.spectralNorm()
      if norm > 0 {
        values.append(
          MetricValue(.relativeSpectral, try (approximation - matrix).spectralNorm() / norm))
      }
    } catch {
      throw CurvatureError.iterationLimit(what: "a spectral norm", limit: error.limit)
    }
    return values
  }
}
