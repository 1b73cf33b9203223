import RealModule

/// Says that elimination met a column without a usable pivot.
public struct SingularMatrix: Error, Equatable, Sendable, CustomStringConvertible {
  /// The size n of the matrix.
  public let size: Int
  /// The column, counted from zero, whose best pivot is zero or not finite.
  public let pivot: Int

  /// Names the size and the column.
  public init(size: Int, pivot: Int) {
    self.size = size
    self.pivot = pivot
  }

  public var description: String {
    "A \(size) × \(size) matrix is singular: column \(pivot) has no pivot that is finite and "
      + "not zero; check the matrix or add damping to the diagonal."
  }
}

/// The factorisation P·A = L·U with partial pivoting.
///
/// Right-looking by panels of 48 columns; 2n³/3 flops.
/// Source: Golub and Van Loan, Matrix Computations, 4th edition, section 3.4.
public struct LUFactorization: Sendable {
  /// U on and above the diagonal, L without its unit diagonal below it.
  private let factors: Matrix
  /// Row i of P·A is row `order[i]` of A.
  private let order: [Int]
  private let permutationSign: Double

  /// Factors A, or throws `SingularMatrix` at a column without a finite pivot other than zero.
  public init(_ matrix: Matrix) throws(SingularMatrix) {
    precondition(matrix.isSquare, "LU of a \(matrix.rowCount) × \(matrix.columnCount) matrix")
    let n = matrix.rowCount
    var work = matrix
    var order = Array(0..<n)
    var sign = 1.0
    let blockSize = 48
    for start in stride(from: 0, to: n, by: blockSize) {
      let size = min(blockSize, n - start)
      var panel = work.block(rows: start..<n, columns: start..<start + size)
      let swaps = try Self.factorPanel(&panel, first: start, size: n)
      for (j, pivotRow) in swaps.enumerated() where pivotRow != j {
        order.swapAt(start + j, start + pivotRow)
        sign = -sign
        for column in 0..<n {
          work.storage.swapAt(column * n + start + j, column * n + start + pivotRow)
        }
      }
      work.setBlock(row: start, column: start, to: panel)
      let next = start + size
      let rest = n - next
      var right = work.block(rows: start..<next, columns: next..<n)
      panel.block(rows: 0..<size, columns: 0..<size).substitute(
        into: &right, transposed: false, forward: true, unitDiagonal: true)
      work.setBlock(row: start, column: next, to: right)
      var target = work.storage.mutableSpan
      addProduct(
        -1, rows: rest, columns: rest, inner: size, panel.storage.span, panel.layout(row: size),
        right.storage.span, right.layout(), into: &target, at: next * n + next, stride: n)
    }
    factors = work
    self.order = order
    permutationSign = sign
  }

  /// Factors a tall panel and returns, for each of its columns, the row swapped into place.
  private static func factorPanel(
    _ panel: inout Matrix, first: Int, size n: Int
  ) throws(SingularMatrix) -> [Int] {
    let m = panel.rowCount
    var swaps: [Int] = []
    for j in 0..<panel.columnCount {
      var column = Array(panel.storage[j * m..<(j + 1) * m])
      var target = column.mutableSpan
      for k in 0..<j {
        let multipliers = panel.storage.span.extracting(k * m + k + 1..<(k + 1) * m)
        axpy(-target[k], multipliers, into: &target, at: k + 1)
      }
      var pivotRow = j
      for i in j..<m where target[i].magnitude > target[pivotRow].magnitude { pivotRow = i }
      let pivot = target[pivotRow]
      guard pivot != 0, pivot.isFinite else { throw SingularMatrix(size: n, pivot: first + j) }
      swaps.append(pivotRow)
      for i in j + 1..<max(j + 1, m) { target[i] /= pivot }
      if pivotRow != j { target[pivotRow] = target[j] / pivot }
      target[j] = pivot
      panel.storage.replaceSubrange(j * m..<(j + 1) * m, with: column)
      if pivotRow != j {
        for k in 0..<panel.columnCount where k != j {
          panel.storage.swapAt(k * m + j, k * m + pivotRow)
        }
      }
    }
    return swaps
  }

  /// The solution of A·x = b, 2n² flops.
  public func solve(_ b: Vector) -> Vector {
    precondition(b.count == order.count, "solve: size \(order.count) against \(b.count)")
    var x = Vector(order.map { b[$0] })
    factors.substitute(into: &x, transposed: false, forward: true, unitDiagonal: true)
    factors.substitute(into: &x, transposed: false, forward: false, unitDiagonal: false)
    return x
  }

  /// A⁻¹·B for r right-hand sides, 2n²·r flops.
  public func solve(_ b: Matrix) -> Matrix {
    precondition(
      b.rowCount == order.count,
      "solve: size \(order.count) against \(b.rowCount) × \(b.columnCount)")
    var x = b
    for j in 0..<b.columnCount {
      for (i, source) in order.enumerated() {
        x.storage[j * order.count + i] = b.storage[j * order.count + source]
      }
    }
    factors.substitute(into: &x, transposed: false, forward: true, unitDiagonal: true)
    factors.substitute(into: &x, transposed: false, forward: false, unitDiagonal: false)
    return x
  }

  /// A⁻¹, by solving against the identity.
  public var inverse: Matrix { solve(.identity(order.count)) }

  /// log |det A| = Σ log |Uᵢᵢ|.
  public var logAbsoluteDeterminant: Double {
    factors.diagonal.reduce(0) { $0 + Double.log($1.magnitude) }
  }

  /// The sign of det A, 1 or −1.
  public var determinantSign: Double {
    factors.diagonal.reduce(permutationSign) { $1 < 0 ? -$0 : $0 }
  }
}
