import DenseAlgebra

/// Examples and their targets.
///
/// Nothing is checked at creation; `check(network:likelihood:)` reports what does not fit a network.
public struct Dataset: Equatable, Sendable {
  /// The name used in tables and messages.
  public let name: String
  /// The inputs, D × N, one example per column.
  public let inputs: Matrix
  /// The targets of the same N examples.
  public let targets: Targets

  public init(name: String, inputs: Matrix, targets: Targets) {
    self.name = name
    self.inputs = inputs
    self.targets = targets
  }

  /// N, the number of examples.
  public var count: Int { inputs.columnCount }

  /// The examples with the given indices, in that order; an index may come more than once.
  public func subset(_ indices: [Int]) -> Dataset {
    Dataset(name: name, inputs: inputs.columns(indices), targets: targets.subset(indices))
  }
}
