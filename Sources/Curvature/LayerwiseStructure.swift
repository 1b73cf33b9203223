import DenseAlgebra
import Networks

/// A curvature matrix that is block-diagonal over layers: one structure for each parameter block.
public struct LayerwiseStructure<Block: Structure>: Layerwise {
  public let kind: StructureKind
  public let layout: ParameterLayout
  /// The structures of the single layers, in order.
  public let blocks: [Block]

  public var layers: [any Structure] { blocks }

  public init(_ blocks: [Block]) {
    precondition(!blocks.isEmpty, "a layerwise structure needs at least one layer")
    self.kind = blocks[0].kind
    self.blocks = blocks
    self.layout = ParameterLayout(blocks: blocks.flatMap(\.layout.blocks))
  }

  public func damped(_ rule: DampingRule, _ lambda: Double) throws(CurvatureError)
    -> any DampedStructure
  {
    var damped: [any DampedStructure] = []
    for block in blocks { damped.append(try block.damped(rule, lambda)) }
    return DampedLayerwiseStructure(layout: layout, blocks: damped)
  }
}

extension LayerwiseStructure: MatrixStructure where Block: MatrixStructure {
  public func apply(_ vector: ParameterVector) -> ParameterVector {
    mapBlocks(vector, blocks) { $0.apply($1) }
  }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try assemble(blocks, layout, within: limit) { block, limit throws(CurvatureError) in
      try block.dense(within: limit)
    }
  }
}

/// The damped layers of a layerwise structure, each solved by itself.
public struct DampedLayerwiseStructure: DampedStructure {
  public let layout: ParameterLayout
  /// The damped structures of the single layers.
  public let blocks: [any DampedStructure]

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    mapBlocks(vector, blocks) { $0.apply($1) }
  }

  public func solve(_ vector: ParameterVector) -> ParameterVector {
    mapBlocks(vector, blocks) { $0.solve($1) }
  }

  public var logDeterminant: Double { blocks.reduce(0) { $0 + $1.logDeterminant } }
  public var rank: Int { blocks.reduce(0) { $0 + $1.rank } }

  public func dense(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try assemble(blocks, layout, within: limit) { block, limit throws(CurvatureError) in
      try block.dense(within: limit)
    }
  }

  public func denseInverse(within limit: MemoryLimit) throws(CurvatureError) -> Matrix {
    try assemble(blocks, layout, within: limit) { block, limit throws(CurvatureError) in
      try block.denseInverse(within: limit)
    }
  }
}

private func mapBlocks<Block>(
  _ vector: ParameterVector, _ blocks: [Block],
  _ transform: (Block, ParameterVector) -> ParameterVector
) -> ParameterVector {
  ParameterVector(
    blocks: zip(blocks, vector.blocks).map { block, matrix in
      transform(block, ParameterVector(blocks: [matrix])).blocks[0]
    })
}

private func assemble<Block>(
  _ blocks: [Block], _ layout: ParameterLayout, within limit: MemoryLimit,
  _ part: (Block, MemoryLimit) throws(CurvatureError) -> Matrix
) throws(CurvatureError) -> Matrix {
  try limit.require(
    rows: layout.count, columns: layout.count, for: "the dense block-diagonal matrix",
    advice: "compare fewer layers (--layers), or steps only (--no-dense)")
  var dense = Matrix(rowCount: layout.count, columnCount: layout.count)
  for (offset, block) in zip(layout.offsets, blocks) {
    dense.setBlock(row: offset, column: offset, to: try part(block, limit))
  }
  return dense
}
