import DenseAlgebra

/// The sums that the undamped matrix metrics are made of; those of disjoint blocks add up.
///
/// So a block-diagonal approximation is compared block by block, and what lies outside the blocks is
/// added once. Reference: the specification, section 9.
public struct MatrixComparison: Equatable, Sendable {
  /// ‖F̂ − F‖².
  public var squaredDifference = 0.0
  /// ‖F‖².
  public var squaredReference = 0.0
  /// ‖F̂‖².
  public var squaredApproximation = 0.0
  /// ⟨F̂, F⟩.
  public var inner = 0.0
  /// The largest |F̂ − F| entry.
  public var largest = 0.0
  /// tr F̂.
  public var approximationTrace = 0.0
  /// tr F.
  public var referenceTrace = 0.0

  /// The comparison of nothing with nothing.
  public init() {}

  /// Compares an approximation F̂ with a reference F of the same size. O(entries).
  public init(of approximation: Matrix, with reference: Matrix) {
    let difference = approximation - reference
    squaredDifference = difference.dot(difference)
    squaredReference = reference.dot(reference)
    squaredApproximation = approximation.dot(approximation)
    inner = approximation.dot(reference)
    largest = difference.maximumMagnitude
    approximationTrace = approximation.diagonal.reduce(0, +)
    referenceTrace = reference.diagonal.reduce(0, +)
  }

  /// The comparison of two disjoint parts together.
  public static func + (left: MatrixComparison, right: MatrixComparison) -> MatrixComparison {
    var sum = left
    sum.squaredDifference += right.squaredDifference
    sum.squaredReference += right.squaredReference
    sum.squaredApproximation += right.squaredApproximation
    sum.inner += right.inner
    sum.largest = max(sum.largest, right.largest)
    sum.approximationTrace += right.approximationTrace
    sum.referenceTrace += right.referenceTrace
    return sum
  }

  /// The metrics; those that divide by zero are left out.
  public var metrics: [MetricValue] {
    var values = [MetricValue(.maximumAbsolute, largest)]
    if squaredReference > 0 {
      values.append(
        MetricValue(.relativeFrobenius, (squaredDifference / squaredReference).squareRoot()))
    }
    if referenceTrace != 0 {
      values.append(MetricValue(.traceRatio, approximationTrace / referenceTrace))
    }
    if squaredApproximation > 0 {
      values.append(MetricValue(.leastSquaresScale, inner / squaredApproximation))
    }
    return values
  }
}
