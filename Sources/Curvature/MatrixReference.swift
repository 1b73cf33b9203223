import DenseAlgebra

/// An undamped reference matrix with the norms that errors are measured in, computed once.
public struct MatrixReference: Sendable {
  /// F, symmetric.
  public let matrix: Matrix
  /// ‖F‖_F.
  public let frobeniusNorm: Double

  public init(_ matrix: Matrix) {
    precondition(
      matrix.isSquare, "a reference is square, got \(matrix.rowCount) × \(matrix.columnCount)")
    self.matrix = matrix
    self.frobeniusNorm = matrix.frobeniusNorm
  }

  /// The matrix metrics of an approximation; those that divide by zero are left out.
  ///
  /// `includingSpectral` adds the spectral norm, an eigenproblem of this size.
  public func metrics(of approximation: Matrix, includingSpectral: Bool) throws(CurvatureError)
    -> [MetricValue]
  {
    let difference = approximation - matrix
    var values = [MetricValue(.maximumAbsolute, difference.maximumMagnitude)]
    if frobeniusNorm > 0 {
      values.append(MetricValue(.relativeFrobenius, difference.frobeniusNorm / frobeniusNorm))
    }
    let trace = matrix.trace
    if trace != 0 { values.append(MetricValue(.traceRatio, approximation.trace / trace)) }
    let square = approximation.dot(approximation)
    if square > 0 {
      values.append(MetricValue(.leastSquaresScale, approximation.dot(matrix) / square))
    }
    if includingSpectral && frobeniusNorm > 0 {
      do {
        let norm = try matrix.spectralNorm()
        values.append(MetricValue(.relativeSpectral, try difference.spectralNorm() / norm))
      } catch {
        throw CurvatureError.iterationLimit(what: "a spectral norm", limit: error.limit)
      }
    }
    return values
  }
}
