/// Says in one sentence what an optimizer cannot use: what was seen, what was expected, what to do.
public struct OptimizationError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
