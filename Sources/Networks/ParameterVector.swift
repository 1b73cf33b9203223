import DenseAlgebra

/// A vector in parameter space, held as one dG × dA matrix per parameter block.
///
/// Flat it is θ = [cvec W̄₁; cvec W̄₂; …] (spec 1.1); since matrices are stored by columns, each
/// block's memory is its piece of θ.
public struct ParameterVector: Equatable, Sendable {
  /// One matrix per block, dG × dA.
  public var blocks: [Matrix]

  public init(blocks: [Matrix]) { self.blocks = blocks }

  /// Cuts a flat vector of P entries into the blocks of a layout.
  public init(_ flat: Vector, layout: ParameterLayout) {
    precondition(
      flat.count == layout.count,
      "a parameter vector needs \(layout.count) entries, got \(flat.count)")
    self.blocks = zip(layout.blocks, layout.offsets).map { block, offset in
      Matrix(
        rowCount: block.rowCount, columnCount: block.columnCount,
        storage: Array(flat.elements[offset..<offset + block.count]))
    }
  }

  /// The zero vector of a layout.
  public static func zero(_ layout: ParameterLayout) -> ParameterVector {
    ParameterVector(
      blocks: layout.blocks.map { Matrix(rowCount: $0.rowCount, columnCount: $0.columnCount) })
  }

  /// P, the number of entries.
  public var count: Int { blocks.reduce(0) { $0 + $1.storage.count } }

  /// The entries as one vector, cvec after cvec.
  public var flattened: Vector { Vector(blocks.flatMap(\.storage)) }

  /// The inner product Σ over all entries.
  public func dot(_ other: ParameterVector) -> Double {
    precondition(
      blocks.count == other.blocks.count,
      "dot: \(blocks.count) blocks against \(other.blocks.count)")
    return zip(blocks, other.blocks).reduce(0) { $0 + $1.0.dot($1.1) }
  }

  /// The Euclidean norm, free of overflow.
  public var norm: Double { Vector(blocks.map { Vector($0.storage).norm }).norm }

  /// Adds `scale * other` in place.
  public mutating func add(_ scale: Double, times other: ParameterVector) {
    precondition(
      blocks.count == other.blocks.count,
      "add: \(blocks.count) blocks against \(other.blocks.count)")
    for index in blocks.indices { blocks[index].add(scale, times: other.blocks[index]) }
  }

  public static func + (left: ParameterVector, right: ParameterVector) -> ParameterVector {
    var sum = left
    sum.add(1, times: right)
    return sum
  }

  public static func - (left: ParameterVector, right: ParameterVector) -> ParameterVector {
    var difference = left
    difference.add(-1, times: right)
    return difference
  }

  public static func * (scale: Double, vector: ParameterVector) -> ParameterVector {
    ParameterVector(blocks: vector.blocks.map { scale * $0 })
  }

  public static prefix func - (vector: ParameterVector) -> ParameterVector { -1 * vector }
}
