/// A matrix whose neighbouring columns are rotated many times.
///
/// Eight rows of all columns lie together, so that a whole sweep of rotations runs along memory
/// and carries the shared column in registers: one load and one store a rotation.
struct RotatedColumns {
  private let rowCount: Int
  private let columnCount: Int
  /// Vector `slab·columnCount + j` holds rows 8·slab … 8·slab + 7 of column j.
  private var slabs: [SIMD8<Double>]
  private var pending: [TridiagonalQL.Sweep] = []
  private var pendingCount = 0

  init(_ matrix: Matrix) {
    rowCount = matrix.rowCount
    columnCount = matrix.columnCount
    let slabCount = (rowCount + 7) / 8
    slabs = Array(repeating: .zero, count: slabCount * columnCount)
    for slab in 0..<slabCount {
      for j in 0..<columnCount {
        var entries = SIMD8<Double>.zero
        for i in 0..<min(8, rowCount - 8 * slab) {
          entries[i] = matrix.storage[j * rowCount + 8 * slab + i]
        }
        slabs[slab * columnCount + j] = entries
      }
    }
  }

  /// Takes a sweep; sweeps are saved up so that a slab stays in the nearest cache for many.
  mutating func apply(_ sweep: TridiagonalQL.Sweep) {
    pending.append(sweep)
    pendingCount += sweep.rotations.count
    if pendingCount > 4096 { flush() }
  }

  private mutating func flush() {
    let starts = stride(from: 0, to: slabs.count, by: max(1, columnCount))
    let sweeps = pending
    var span = slabs.mutableSpan
    for slab in starts {
      for sweep in sweeps { Self.turn(&span, at: slab, sweep) }
    }
    pending.removeAll(keepingCapacity: true)
    pendingCount = 0
  }

  /// With x the column at the rotation and y its neighbour: y ← c·y + s·x, x ← c·x − s·y.
  private static func turn(
    _ span: inout MutableSpan<SIMD8<Double>>, at slab: Int, _ sweep: TridiagonalQL.Sweep
  ) {
    let rotations = sweep.rotations.span
    let direction = sweep.direction
    var position = slab + sweep.start
    var carried = span[position - direction]
    for k in 0..<rotations.count {
      let cosine = rotations[k].x
      let sine = rotations[k].y
      let x = span[position]
      span[position &- direction] = cosine * carried + sine * x
      carried = cosine * x - sine * carried
      position &+= direction
    }
    span[position &- direction] = carried
  }

  /// The matrix with its columns in the given order.
  mutating func matrix(order: [Int]) -> Matrix {
    flush()
    var result = Matrix(rowCount: rowCount, columnCount: columnCount)
    var target = result.storage.mutableSpan
    for (j, source) in order.enumerated() {
      for i in 0..<rowCount {
        target[j * rowCount + i] = slabs[(i / 8) * columnCount + source][i % 8]
      }
    }
    return result
  }
}
