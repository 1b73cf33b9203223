import DenseAlgebra

/// What a forward pass leaves behind: every value, and the inputs of every use of a parameter block.
public struct Tape: Equatable, Sendable {
  /// One node's use of a parameter block.
  public struct Use: Equatable, Sendable {
    /// The index of the parameter block.
    public let block: Int
    /// The index of the node.
    public let node: Int
    /// The block's inputs ā, dA × (N·T), column n·T + t; the last row is 1 where there is a bias.
    public let inputs: Matrix
    /// T, the number of positions at which the block is applied to one example.
    public let positions: Int
  }

  /// Value i of every example, one column per example; value 0 is the input.
  public let values: [Matrix]
  /// The uses of parameter blocks, in node order.
  public let uses: [Use]

  /// The network's output z, C × N.
  public var output: Matrix { values[values.count - 1] }
}
