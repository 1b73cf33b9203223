import DenseAlgebra

/// Seeded random matrices with a known structure.
public struct Generator {
  public var random: SplitMix64

  public init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// Independent standard normal entries.
  public mutating func normal(_ rowCount: Int, _ columnCount: Int) -> Matrix {
    Matrix(
      rowCount: rowCount, columnCount: columnCount,
      storage: (0..<rowCount * columnCount).map { _ in random.normal() })
  }

  /// Independent standard normal entries.
  public mutating func vector(_ count: Int) -> Vector {
    Vector((0..<count).map { _ in random.normal() })
  }

  /// A random orthogonal matrix: the Q of the Householder QR factorization of a normal matrix,
  /// each column multiplied by the sign that makes the distribution uniform (Stewart 1980).
  public mutating func orthogonal(_ size: Int) -> Matrix {
    var r = normal(size, size)
    var q = Matrix.identity(size)
    for k in 0..<size {
      var v = Vector((k..<size).map { r[$0, k] })
      let sign = v[0] < 0 ? -1.0 : 1.0
      v[0] += sign * v.norm
      let square = v.dot(v)
      for j in 0..<size {
        reflect(&r, column: j, by: v, square, from: k)
        reflect(&q, column: j, by: v, square, from: k)
      }
    }
    // The rows of q are now the columns of Q: q = H … H.
    let signs = r.diagonal.map { $0 < 0 ? -1.0 : 1.0 }
    return Matrix(rowCount: size, columnCount: size) { q[$1, $0] * signs[$1] }
  }

  /// A symmetric matrix QΛQᵀ with the given eigenvalues and random Q.
  public mutating func symmetric(eigenvalues: [Double]) -> Matrix {
    let q = orthogonal(eigenvalues.count)
    let scaled = Matrix(rowCount: q.rowCount, columnCount: q.columnCount) {
      q[$0, $1] * eigenvalues[$1]
    }
    return scaled.timesTransposed(q).symmetrized
  }

  /// A symmetric positive definite matrix with eigenvalues from 1 down to 1/condition.
  public mutating func positiveDefinite(_ size: Int, condition: Double = 100) -> Matrix {
    symmetric(eigenvalues: geometric(size, from: 1, to: 1 / condition))
  }

  /// An m × n matrix UΣVᵀ with the given min(m, n) singular values.
  public mutating func matrix(
    _ rowCount: Int, _ columnCount: Int, singularValues: [Double]
  ) -> Matrix {
    let rank = min(rowCount, columnCount)
    precondition(singularValues.count == rank, "\(rank) singular values wanted")
    let u = orthogonal(rowCount).block(rows: 0..<rowCount, columns: 0..<rank)
    let v = orthogonal(columnCount).block(rows: 0..<columnCount, columns: 0..<rank)
    let scaled = Matrix(rowCount: rowCount, columnCount: rank) { u[$0, $1] * singularValues[$1] }
    return scaled.timesTransposed(v)
  }

  private func reflect(
    _ m: inout Matrix, column j: Int, by v: Vector, _ square: Double, from k: Int
  ) {
    guard square > 0 else { return }
    var product = 0.0
    for i in 0..<v.count { product += v[i] * m[k + i, j] }
    let factor = 2 * product / square
    for i in 0..<v.count { m[k + i, j] -= factor * v[i] }
  }
}

/// `count` numbers in geometric progression; one number is `first`.
public func geometric(_ count: Int, from first: Double, to last: Double) -> [Double] {
  guard count > 1 else { return Array(repeating: first, count: count) }
  let exponents = (0..<count).map { Double($0) / Double(count - 1) }
  return exponents.map { power(first, 1 - $0) * power(last, $0) }
}
