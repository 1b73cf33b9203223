import DenseAlgebra
import TestSupport

/// A number carried as the unevaluated sum of two doubles, about 32 digits.
///
/// Source: Dekker (1971); Ogita, Rump and Oishi (2005) for sums of products.
struct DoubleDouble {
  var high: Double
  var low: Double = 0

  var magnitude: DoubleDouble { high < 0 ? DoubleDouble(high: -high, low: -low) : self }

  /// Adds x·y, whose rounding error the fused multiply-add returns exactly.
  mutating func add(_ x: Double, times y: Double) {
    let product = x * y
    let error = (-product).addingProduct(x, y)
    let sum = high + product
    let part = sum - high
    low += (high - (sum - part)) + (product - part) + error
    high = sum
  }

  /// The same number with |low| at most half a unit in the last place of `high`.
  var normalized: DoubleDouble {
    let sum = high + low
    return DoubleDouble(high: sum, low: low - (sum - high))
  }

  static func - (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    var sum = a
    sum.add(b.high, times: -1)
    sum.low -= b.low
    return sum.normalized
  }

  static func * (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let product = a.high * b.high
    let error = (-product).addingProduct(a.high, b.high) + (a.high * b.low + a.low * b.high)
    return DoubleDouble(high: product, low: error).normalized
  }

  static func / (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let quotient = a.high / b.high
    let rest = a - b * DoubleDouble(high: quotient)
    return DoubleDouble(high: quotient, low: rest.high / b.high).normalized
  }
}

/// Judges results in twice the working precision, so that what is measured is the error of the routine
/// and not that of the measurement.
enum Referee {
  /// A·X − B, each entry summed in twice the precision and rounded once.
  static func residual(_ a: Matrix, _ x: Matrix, minus b: Matrix) -> Matrix {
    let inner = a.columnCount
    // Rows of A lie together: entry (k, i) of the transpose is at i·inner + k.
    let rows = a.transposed.storage
    return Matrix(rowCount: a.rowCount, columnCount: x.columnCount) { i, j in
      var sum = DoubleDouble(high: -b[i, j])
      for k in 0..<inner { sum.add(rows[i * inner + k], times: x.storage[j * inner + k]) }
      return sum.high + sum.low
    }
  }

  /// A·X, each entry rounded once from twice the precision.
  static func product(_ a: Matrix, _ x: Matrix) -> Matrix {
    residual(a, x, minus: Matrix(rowCount: a.rowCount, columnCount: x.columnCount))
  }

  /// The square root of the sum of squares, without overflow, rounded from twice the precision.
  static func frobenius(_ m: Matrix) -> Double {
    let largest = LAPACK.dlange(m, .maximum)
    guard largest > 0, largest.isFinite else { return largest }
    let scale = Double(sign: .plus, exponent: -largest.exponent, significand: 1)
    var sum = DoubleDouble(high: 0)
    for entry in m.storage { sum.add(scale * entry, times: scale * entry) }
    return (sum.high + sum.low).squareRoot() / scale
  }

  /// log |det A| by elimination with row exchanges in twice the precision; nil when a pivot is zero.
  static func logAbsoluteDeterminant(_ a: Matrix) -> Double? {
    let n = a.rowCount
    var work = a.storage.map { DoubleDouble(high: $0) }
    var total = DoubleDouble(high: 0)
    for k in 0..<n {
      var pivotRow = k
      for i in k..<n where work[k * n + i].magnitude.high > work[k * n + pivotRow].magnitude.high {
        pivotRow = i
      }
      for j in 0..<n where pivotRow != k { work.swapAt(j * n + k, j * n + pivotRow) }
      let pivot = work[k * n + k].magnitude
      guard pivot.high > 0 else { return nil }
      total.add(logarithm(pivot.high), times: 1)
      total.low += pivot.low / pivot.high
      for i in k + 1..<max(k + 1, n) {
        let factor = work[k * n + i] / work[k * n + k]
        for j in k + 1..<n { work[j * n + i] = work[j * n + i] - factor * work[j * n + k] }
      }
    }
    return total.high + total.low
  }
}
