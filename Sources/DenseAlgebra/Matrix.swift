/// A dense matrix of doubles, stored column by column as LAPACK does.
///
/// Entry (i, j) of an m × n matrix is `storage[j * m + i]`, so `storage` *is* cvec of the matrix:
/// the vector that stacks its columns. Sizes 0 and 1 are ordinary.
public struct Matrix: Equatable, Sendable {
  /// The number of rows, m.
  public let rowCount: Int
  /// The number of columns, n.
  public let columnCount: Int
  /// The m·n entries, column after column (cvec).
  public var storage: [Double]

  /// A matrix whose entries all equal one value.
  public init(rowCount: Int, columnCount: Int, repeating value: Double = 0) {
    precondition(rowCount >= 0 && columnCount >= 0, "negative size \(rowCount) × \(columnCount)")
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.storage = Array(repeating: value, count: rowCount * columnCount)
  }

  /// Takes m·n entries in column order.
  public init(rowCount: Int, columnCount: Int, storage: [Double]) {
    precondition(
      storage.count == rowCount * columnCount,
      "a \(rowCount) × \(columnCount) matrix needs \(rowCount * columnCount) entries, got \(storage.count)"
    )
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.storage = storage
  }

  /// Builds a matrix from its rows, which must have equal lengths.
  public init(rows: [[Double]]) {
    let columnCount = rows.first?.count ?? 0
    self.init(rowCount: rows.count, columnCount: columnCount)
    for (i, row) in rows.enumerated() {
      precondition(
        row.count == columnCount, "row \(i) has \(row.count) entries, row 0 \(columnCount)")
      for (j, value) in row.enumerated() { self[i, j] = value }
    }
  }

  /// Builds a matrix entry by entry.
  public init(rowCount: Int, columnCount: Int, entry: (Int, Int) -> Double) {
    self.init(rowCount: rowCount, columnCount: columnCount)
    for j in 0..<columnCount { for i in 0..<rowCount { self[i, j] = entry(i, j) } }
  }

  /// The n × n identity.
  public static func identity(_ size: Int) -> Matrix {
    diagonal(Array(repeating: 1, count: size))
  }

  /// The square matrix with the given diagonal and zeros elsewhere.
  public static func diagonal(_ values: [Double]) -> Matrix {
    var matrix = Matrix(rowCount: values.count, columnCount: values.count)
    for (i, value) in values.enumerated() { matrix[i, i] = value }
    return matrix
  }

  /// Entry (i, j), counted from zero.
  public subscript(_ i: Int, _ j: Int) -> Double {
    get {
      precondition(i >= 0 && i < rowCount, "row \(i) of \(rowCount)")
      return storage[j * rowCount + i]
    }
    set {
      precondition(i >= 0 && i < rowCount, "row \(i) of \(rowCount)")
      storage[j * rowCount + i] = newValue
    }
  }

  /// Whether the matrix has as many rows as columns.
  public var isSquare: Bool { rowCount == columnCount }

  /// The entries (0,0), (1,1), … of a square or rectangular matrix.
  public var diagonal: [Double] { (0..<min(rowCount, columnCount)).map { self[$0, $0] } }

  /// Σᵢ Mᵢᵢ of a square matrix.
  public var trace: Double {
    precondition(isSquare, "trace of a \(rowCount) × \(columnCount) matrix")
    return diagonal.reduce(0, +)
  }

  /// Column j as a vector.
  public func column(_ j: Int) -> Vector {
    Vector(Array(storage[j * rowCount..<(j + 1) * rowCount]))
  }

  /// Row i as a vector.
  public func row(_ i: Int) -> Vector { Vector((0..<columnCount).map { self[i, $0] }) }

  /// The transpose, n × m.
  public var transposed: Matrix {
    var result = Matrix(rowCount: columnCount, columnCount: rowCount)
    let source = storage.span
    var target = result.storage.mutableSpan
    // Tiles of 16 × 16 keep both the rows read and the columns written in the nearest cache.
    for tileJ in stride(from: 0, to: columnCount, by: 16) {
      for tileI in stride(from: 0, to: rowCount, by: 16) {
        for j in tileJ..<min(tileJ + 16, columnCount) {
          for i in tileI..<min(tileI + 16, rowCount) {
            target[i * columnCount + j] = source[j * rowCount + i]
          }
        }
      }
    }
    return result
  }

  /// The sub-matrix of the given rows and columns.
  public func block(rows: Range<Int>, columns: Range<Int>) -> Matrix {
    precondition(
      rows.upperBound <= rowCount && columns.upperBound <= columnCount,
      "block \(rows) × \(columns) of a \(rowCount) × \(columnCount) matrix")
    var entries: [Double] = []
    entries.reserveCapacity(rows.count * columns.count)
    for j in columns {
      entries.append(
        contentsOf: storage[j * rowCount + rows.lowerBound..<j * rowCount + rows.upperBound])
    }
    return Matrix(rowCount: rows.count, columnCount: columns.count, storage: entries)
  }

  /// Overwrites the sub-matrix whose first entry is (row, column).
  public mutating func setBlock(row: Int, column: Int, to block: Matrix) {
    precondition(
      row + block.rowCount <= rowCount && column + block.columnCount <= columnCount,
      "a \(block.rowCount) × \(block.columnCount) block at (\(row), \(column)) leaves a \(rowCount) × \(columnCount) matrix"
    )
    for j in 0..<block.columnCount {
      let start = (column + j) * rowCount + row
      storage.replaceSubrange(
        start..<start + block.rowCount,
        with: block.storage[j * block.rowCount..<(j + 1) * block.rowCount])
    }
  }

  /// (M + Mᵀ)/2: removes the rounding asymmetry of a matrix that is symmetric by construction.
  public var symmetrized: Matrix {
    precondition(isSquare, "symmetrized: \(rowCount) × \(columnCount)")
    return 0.5 * (self + transposed)
  }

  /// M + shift·I for a square matrix.
  public func addingToDiagonal(_ shift: Double) -> Matrix {
    precondition(isSquare, "addingToDiagonal: \(rowCount) × \(columnCount)")
    var result = self
    for i in 0..<rowCount { result.storage[i * rowCount + i] += shift }
    return result
  }

  /// Adds `scale * other` in place.
  public mutating func add(_ scale: Double, times other: Matrix) {
    precondition(
      rowCount == other.rowCount && columnCount == other.columnCount,
      "add: \(rowCount) × \(columnCount) against \(other.rowCount) × \(other.columnCount)")
    var target = storage.mutableSpan
    axpy(scale, other.storage.span, into: &target)
  }

  /// The entrywise (Hadamard) product.
  public func hadamard(_ other: Matrix) -> Matrix {
    precondition(
      rowCount == other.rowCount && columnCount == other.columnCount,
      "hadamard: \(rowCount) × \(columnCount) against \(other.rowCount) × \(other.columnCount)")
    var result = self
    for index in storage.indices { result.storage[index] *= other.storage[index] }
    return result
  }

  /// The Frobenius inner product Σᵢⱼ Mᵢⱼ Nᵢⱼ.
  public func dot(_ other: Matrix) -> Double {
    precondition(
      rowCount == other.rowCount && columnCount == other.columnCount,
      "dot: \(rowCount) × \(columnCount) against \(other.rowCount) × \(other.columnCount)")
    return DenseAlgebra.dot(storage.span, other.storage.span)
  }

  /// Applies a function to every entry.
  public func map(_ transform: (Double) -> Double) -> Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount, storage: storage.map(transform))
  }

  public static func + (left: Matrix, right: Matrix) -> Matrix {
    var sum = left
    sum.add(1, times: right)
    return sum
  }

  public static func - (left: Matrix, right: Matrix) -> Matrix {
    var difference = left
    difference.add(-1, times: right)
    return difference
  }

  public static func * (scale: Double, matrix: Matrix) -> Matrix {
    matrix.map { scale * $0 }
  }

  public static prefix func - (matrix: Matrix) -> Matrix { -1 * matrix }
}
