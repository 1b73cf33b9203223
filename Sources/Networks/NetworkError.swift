/// Why a list of nodes and parameter blocks is not a network.
public struct NetworkError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The node at fault, counted from zero; nil where the fault is not one node's.
  public let node: Int?
  /// The parameter block at fault, where there is one.
  public let block: Int?
  /// What was found, what was expected and what to do.
  public let message: String

  public init(node: Int? = nil, block: Int? = nil, message: String) {
    self.node = node
    self.block = block
    self.message = message
  }

  public var description: String { message }
}
