import Networks

/// A rule that turns a batch into the next network.
public protocol Optimizer: Sendable {
  /// The name in tables.
  var name: String { get }
  /// The network after one step on the batch.
  mutating func step(_ network: Network, _ batch: Dataset, _ likelihood: Likelihood) throws
    -> Network
  /// The floating-point operations of all steps so far, counted by `OperationCount`'s formulas.
  var operations: Double { get }
  /// Hands over, or takes back, everything that is kept between steps.
  mutating func exchange(_ archive: inout Archive) throws(OptimizationError)
  /// The refresh decisions since the last call, in order; empty for a method that makes none.
  mutating func takeDecisions() -> [RefreshDecision]
}

extension Optimizer {
  public mutating func takeDecisions() -> [RefreshDecision] { [] }
}
