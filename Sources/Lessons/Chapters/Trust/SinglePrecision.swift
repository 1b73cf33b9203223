import DenseAlgebra

/// A solve in which every operation is rounded to single precision, for chapter 13.
enum SinglePrecision {
  /// The solution of Ax = b by Cholesky in single precision; nil where a pivot is not positive.
  static func solve(_ matrix: Matrix, _ b: Vector) -> Vector? {
    let n = matrix.rowCount
    var l = matrix.storage.map { Float($0) }
    var x = b.elements.map { Float($0) }
    for j in 0..<n {
      for k in 0..<j {
        let weight = l[k * n + j]
        for i in j..<n { l[j * n + i] -= weight * l[k * n + i] }
      }
      let pivot = l[j * n + j]
      guard pivot > 0, pivot.isFinite else { return nil }
      let root = pivot.squareRoot()
      for i in j..<n { l[j * n + i] /= root }
    }
    for j in 0..<n {
      x[j] /= l[j * n + j]
      for i in j + 1..<max(j + 1, n) { x[i] -= l[j * n + i] * x[j] }
    }
    for j in (0..<n).reversed() {
      for i in j + 1..<max(j + 1, n) { x[j] -= l[j * n + i] * x[i] }
      x[j] /= l[j * n + j]
    }
    return Vector(x.map { Double($0) })
  }
}
