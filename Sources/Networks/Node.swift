/// One operation of a network and the values that it reads.
///
/// Value 0 is the network's input, value i + 1 the output of node i; a node reads earlier values only.
public struct Node: Equatable, Sendable {
  /// What is computed.
  public let operation: Operation
  /// The values read: one, or two and more for an addition.
  public let inputs: [Int]

  public init(_ operation: Operation, inputs: [Int]) {
    self.operation = operation
    self.inputs = inputs
  }
}
