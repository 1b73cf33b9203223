/// Says that an iteration used its whole budget without converging.
public struct IterationLimitReached: Error, Equatable, Sendable, CustomStringConvertible {
  /// Which iteration.
  public let routine: String
  /// The size of the problem.
  public let size: Int
  /// The first eigenvalue or singular value, counted from zero, that had not converged.
  public let index: Int
  /// The budget: total steps for eigenvalues, sweeps for Jacobi methods.
  public let limit: Int

  /// Names the routine, the size, the place and the budget.
  public init(routine: String, size: Int, index: Int, limit: Int) {
    self.routine = routine
    self.size = size
    self.index = index
    self.limit = limit
  }

  public var description: String {
    "\(routine) of size \(size) did not converge within \(limit) iterations at index \(index); "
      + "please report the matrix."
  }
}
