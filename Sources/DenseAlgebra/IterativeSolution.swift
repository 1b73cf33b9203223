/// What an iterative solver reached, and how it ended.
public struct IterativeSolution: Equatable, Sendable {
  /// Why the iteration ended.
  public enum Status: String, Sendable {
    /// The stopping rule was met, or the residual became exactly zero.
    case converged
    /// The permitted number of iterations was used up first.
    case iterationLimit
    /// A direction p with pᵀAp ≤ 0 (or rᵀM⁻¹r ≤ 0) showed that A (or M) is not positive definite.
    case nonpositiveCurvature
    /// The right-hand side is zero, and so is the value.
    case zeroRightHandSide
    /// A number that is not finite appeared; the value is the last iterate before it.
    case notFinite
  }

  /// The last iterate.
  public let value: Vector
  /// Why the iteration ended.
  public let status: Status
  /// How many steps were taken; each costs one product with the operator.
  public let iterations: Int
  /// ‖b − A·xₖ‖ as the recurrence carries it, for k = 0 (the start) to `iterations`.
  public let residualNorms: [Double]

  /// Puts a result together, for solvers written elsewhere.
  public init(value: Vector, status: Status, iterations: Int, residualNorms: [Double]) {
    self.value = value
    self.status = status
    self.iterations = iterations
    self.residualNorms = residualNorms
  }
}
