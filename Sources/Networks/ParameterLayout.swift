/// Where each parameter block lies in the parameter vector θ = [cvec W̄₁; cvec W̄₂; …].
public struct ParameterLayout: Equatable, Sendable {
  /// The size of one block.
  public struct Block: Equatable, Sendable {
    /// The block's name.
    public let name: String
    /// dG, the number of outputs.
    public let rowCount: Int
    /// dA, the number of inputs, the homogeneous one included.
    public let columnCount: Int
    /// Whether the last column is the bias.
    public let hasBias: Bool

    public init(name: String, rowCount: Int, columnCount: Int, hasBias: Bool) {
      self.name = name
      self.rowCount = rowCount
      self.columnCount = columnCount
      self.hasBias = hasBias
    }

    /// dG · dA, the number of parameters.
    public var count: Int { rowCount * columnCount }
  }

  /// The blocks in the order of the parameter vector.
  public let blocks: [Block]

  public init(blocks: [Block]) { self.blocks = blocks }

  /// The index in θ of each block's first parameter.
  public var offsets: [Int] {
    var next = 0
    return blocks.map { block in
      defer { next += block.count }
      return next
    }
  }

  /// P, the number of parameters.
  public var count: Int { blocks.reduce(0) { $0 + $1.count } }
}
