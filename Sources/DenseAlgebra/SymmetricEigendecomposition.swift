/// The eigendecomposition A = Q·Λ·Qᵀ of a symmetric matrix.
///
/// Only the lower triangle is read. Householder tridiagonalisation, then implicit QL: backward
/// stable, so every eigenvalue is right to a small multiple of n·ε·‖A‖. About 8n³ flops with
/// vectors, 4n³/3 without. For eigenvalues far smaller than ‖A‖ use `JacobiEigendecomposition`.
public struct SymmetricEigendecomposition: Sendable {
  /// The eigenvalues, ascending.
  public let values: Vector
  /// The orthonormal eigenvectors as columns, in the order of the values.
  public let vectors: Matrix

  /// Decomposes A, whose entries must be finite; throws if 30·n QL steps were not enough.
  public init(_ matrix: Matrix) throws(IterationLimitReached) {
    let (scaled, exponent) = Self.prepared(matrix)
    let n = matrix.rowCount
    let reduced = Tridiagonalization(scaled)
    var ql = TridiagonalQL(diagonal: reduced.diagonal, offDiagonal: reduced.subdiagonal)
    var rotated = RotatedColumns(reduced.orthogonal)
    try ql.solve { rotated.apply($0) }
    let order = (0..<n).sorted { (ql.diagonal[$0], $0) < (ql.diagonal[$1], $1) }
    values = Vector(
      order.map { Double(sign: .plus, exponent: -exponent, significand: ql.diagonal[$0]) })
    vectors = rotated.matrix(order: order)
  }

  /// The eigenvalues alone, ascending: 4n³/3 flops. The entries of the lower triangle must be
  /// finite; throws if 30·n QL steps were not enough.
  public static func values(of matrix: Matrix) throws(IterationLimitReached) -> Vector {
    let (scaled, exponent) = prepared(matrix)
    let reduced = Tridiagonalization(scaled)
    var ql = TridiagonalQL(diagonal: reduced.diagonal, offDiagonal: reduced.subdiagonal)
    try ql.solve { _ in }
    return Vector(
      ql.diagonal.sorted().map { Double(sign: .plus, exponent: -exponent, significand: $0) })
  }

  /// Q·f(Λ)·Qᵀ, exactly symmetric: f(A) for a function of the eigenvalues. 2n³ flops.
  public func reconstruct(_ f: (Double) -> Double) -> Matrix {
    let n = values.count
    var scaledVectors = vectors
    for j in 0..<n {
      let factor = f(values[j])
      for i in 0..<n { scaledVectors.storage[j * n + i] *= factor }
    }
    var product = Matrix(rowCount: n, columnCount: n)
    var target = product.storage.mutableSpan
    addProduct(
      1, rows: n, columns: n, inner: n, scaledVectors.storage.span, scaledVectors.layout(),
      vectors.storage.span, vectors.layout().transposed, into: &target, at: 0, stride: n,
      region: .lowerTriangle)
    product.mirrorLowerTriangle()
    return product
  }

  /// The lower triangle, scaled by a power of two when its squares could leave the range.
  private static func prepared(_ matrix: Matrix) -> (Matrix, exponent: Int) {
    precondition(
      matrix.isSquare, "eigenvalues of a \(matrix.rowCount) × \(matrix.columnCount) matrix")
    var lower = matrix
    for j in 0..<matrix.columnCount { for i in 0..<j { lower[i, j] = 0 } }
    lower.requireFinite("SymmetricEigendecomposition")
    let largest = lower.maximumMagnitude
    // Above, LAPACK's √(ε · largest number). Below, the iteration takes e² ≤ smallest normal number as
    // zero, so that |e| ≤ 2⁻⁵¹¹ must be beneath ε² of the matrix (dsteqr: √safmin/ε²).
    guard largest > 0, largest < 0x1p-405 || largest > 0x1p485 else { return (lower, 0) }
    let exponent = -Int(largest.exponent)
    return (lower.scaled(byPowerOfTwo: exponent), exponent)
  }
}
