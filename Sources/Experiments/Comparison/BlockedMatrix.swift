import Curvature
import DenseAlgebra
import Networks

/// A matrix over several layers as its diagonal blocks and, where layers are coupled, the whole.
struct BlockedMatrix {
  let blocks: [Matrix]
  /// Nil where everything outside the blocks is zero.
  let whole: Matrix?

  /// The dense form of a structure: its layers where it acts on each by itself, else all of it.
  init(_ structure: any MatrixStructure, within limit: MemoryLimit) throws(CurvatureError) {
    if let layerwise = structure as? any Layerwise {
      var blocks: [Matrix] = []
      for layer in layerwise.layers {
        guard let layer = layer as? any MatrixStructure else {
          preconditionFailure("a layer of a matrix structure is a matrix")
        }
        blocks.append(try layer.dense(within: limit))
      }
      self.blocks = blocks
      self.whole = nil
    } else {
      let matrix = try structure.dense(within: limit)
      let layout = structure.layout
      self.blocks = zip(layout.blocks, layout.offsets).map { block, offset in
        let range = offset..<offset + block.count
        return matrix.block(rows: range, columns: range)
      }
      self.whole = matrix
    }
  }

  /// The comparison with a reference of the same layers: block by block, then what lies outside.
  func compared(with reference: BlockedMatrix) -> (
    layers: [MatrixComparison], all: MatrixComparison
  ) {
    let layers = zip(blocks, reference.blocks).map { MatrixComparison(of: $0, with: $1) }
    return (layers, layers.reduce(outside(reference), +))
  }

  /// The comparison outside the diagonal blocks.
  private func outside(_ reference: BlockedMatrix) -> MatrixComparison {
    guard let size = whole?.rowCount ?? reference.whole?.rowCount else { return MatrixComparison() }
    var sums = MatrixComparison()
    var start = 0
    for block in blocks {
      let rows = start..<start + block.rowCount
      for columns in [0..<start, rows.upperBound..<size] where !columns.isEmpty {
        let zero = Matrix(rowCount: rows.count, columnCount: columns.count)
        var part = MatrixComparison(
          of: whole?.block(rows: rows, columns: columns) ?? zero,
          with: reference.whole?.block(rows: rows, columns: columns) ?? zero)
        // Only square diagonal blocks have a trace.
        part.approximationTrace = 0
        part.referenceTrace = 0
        sums = sums + part
      }
      start = rows.upperBound
    }
    return sums
  }
}
