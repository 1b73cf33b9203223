import DenseAlgebra
import TestSupport
import Testing

/// The plain operations, on closed forms of whole numbers where nothing rounds.
@Suite("Vector and Matrix")
struct MatrixTests {
  let m = Matrix(rows: [[1, 2, 3], [4, 5, 6]])

  @Test("Storage is column after column")
  func storageIsColumnMajor() {
    #expect(m.storage == [1, 4, 2, 5, 3, 6])
    #expect(m == Matrix(rowCount: 2, columnCount: 3, storage: [1, 4, 2, 5, 3, 6]))
    #expect(m == Matrix(rowCount: 2, columnCount: 3) { Double(3 * $0 + $1 + 1) })
    #expect(m[1, 2] == 6)
    #expect(m.column(1) == Vector([2, 5]))
    #expect(m.row(1) == Vector([4, 5, 6]))
    #expect(m.diagonal == [1, 5])
  }

  @Test(
    "The transpose exchanges indices at every size of tile", arguments: [0, 1, 3, 15, 16, 17, 40])
  func transposeExchangesIndices(_ rows: Int) {
    for columns in [0, 1, 16, 33] {
      let m = Matrix(rowCount: rows, columnCount: columns) { Double(1000 * $0 + $1) }
      #expect(
        m.transposed == Matrix(rowCount: columns, columnCount: rows) { Double(1000 * $1 + $0) })
    }
  }

  @Test("Blocks are cut out and put back")
  func blocks() {
    let m = Matrix(rowCount: 5, columnCount: 4) { Double(10 * $0 + $1) }
    let block = m.block(rows: 1..<4, columns: 2..<4)
    #expect(block == Matrix(rows: [[12, 13], [22, 23], [32, 33]]))
    var zero = Matrix(rowCount: 5, columnCount: 4)
    zero.setBlock(row: 1, column: 2, to: block)
    #expect(
      zero
        == Matrix(rowCount: 5, columnCount: 4) {
          (1..<4) ~= $0 && $1 >= 2 ? Double(10 * $0 + $1) : 0
        }
    )
    #expect(m.block(rows: 2..<2, columns: 0..<4) == Matrix(rowCount: 0, columnCount: 4))
  }

  @Test("Sums, scales, Hadamard and inner products")
  func arithmetic() {
    #expect(m + m == 2 * m)
    #expect(m - m == Matrix(rowCount: 2, columnCount: 3))
    #expect(-m == -1 * m)
    #expect(m.hadamard(m) == Matrix(rows: [[1, 4, 9], [16, 25, 36]]))
    #expect(m.dot(m) == 91)
    #expect(m.map { $0 + 1 }[0, 0] == 2)
    var sum = m
    sum.add(-2, times: m)
    #expect(sum == -m)
    let square = Matrix(rows: [[1, 2], [5, 3]])
    #expect(square.trace == 4)
    #expect(square.symmetrized == Matrix(rows: [[1, 3.5], [3.5, 3]]))
    #expect(square.addingToDiagonal(10) == Matrix(rows: [[11, 2], [5, 13]]))
    #expect(Matrix.identity(2) == Matrix.diagonal([1, 1]))
  }

  @Test("Vector operations", arguments: [0, 1, 7, 8, 9, 100])
  func vectors(_ n: Int) {
    let x = Vector((0..<n).map { Double($0 + 1) })
    let y = Vector(repeating: 2, count: n)
    #expect(x.dot(y) == Double(n * (n + 1)))
    #expect((x + y).elements == (0..<n).map { Double($0 + 3) })
    #expect((x - y).elements == (0..<n).map { Double($0 - 1) })
    #expect((3 * x).dot(y) == 3 * x.dot(y))
    #expect(-x == -1 * x)
    #expect(Vector.zero(n).norm == 0)
    var z = x
    z.add(2, times: y)
    #expect(z.elements == (0..<n).map { Double($0 + 5) })
    #expect(y.norm == 2 * Double(n).squareRoot())
  }

  /// Of eight interleaved sums each takes n/8 additions, and joining them 3: |error| ≤ (n/8 + 3) u Σ|xᵢyᵢ|
  /// (Higham, Accuracy and Stability of Numerical Algorithms, 4.2). Here one running sum would lose every
  /// term but the first, n u.
  @Test("An inner product errs as eight partial sums may, not as one running sum")
  func innerProductsHaveEightPartialSums() {
    let n = 1 << 16
    let u = 0x1p-53
    let x = Vector((0..<n).map { $0 == 0 ? 1 : u })
    let exact = 1 + Double(n - 1) * u
    expectAtMost(
      (x.dot(Vector(repeating: 1, count: n)) - exact).magnitude,
      (Double(n / 8) + 3) * u * exact, "n = \(n)")
  }

  @Test("3-4-5 and friends have whole norms")
  func pythagoreanNorms() {
    #expect(Vector([3, 4]).norm == 5)
    #expect(Vector([1, 4, 8]).norm == 9)
    // Scaled by a power of two nothing rounds, also where the squares leave the range.
    for scale in [0x1p-700, 0x1p700] {
      #expect(Vector([-3 * scale, 4 * scale]).norm == 5 * scale)
    }
  }
}
