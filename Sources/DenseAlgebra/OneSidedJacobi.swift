import RealModule

/// Rotates the columns of a matrix until they are mutually orthogonal (Hestenes 1958).
///
/// Columns i, j count as orthogonal when |xᵢᵀxⱼ| ≤ √m·ε·‖xᵢ‖·‖xⱼ‖. The test is relative, so small
/// columns are made orthogonal as accurately as large ones: Demmel and Veselić (1992).
struct OneSidedJacobi {
  /// X·V, with orthogonal columns.
  private(set) var columns: Matrix
  /// The orthogonal V.
  private(set) var rotation: Matrix
  /// ‖xⱼ‖² of each column, computed anew whenever the column changes.
  private var squares: [Double]

  init(_ matrix: Matrix, routine: String) throws(IterationLimitReached) {
    columns = matrix
    let n = matrix.columnCount
    rotation = .identity(n)
    squares = (0..<n).map { matrix.column($0).dot(matrix.column($0)) }
    let sweepLimit = 30
    var worst = 0
    for _ in 0..<sweepLimit {
      var rotated = false
      for i in 0..<n {
        for j in i + 1..<max(i + 1, n) where rotate(i, j) {
          rotated = true
          worst = i
        }
      }
      if !rotated { return }
    }
    throw IterationLimitReached(routine: routine, size: n, index: worst, limit: sweepLimit)
  }

  /// Makes columns i and j orthogonal; false if they already are.
  private mutating func rotate(_ i: Int, _ j: Int) -> Bool {
    let m = columns.rowCount
    let (xx, yy) = (squares[i], squares[j])
    let xy = innerProduct(i, j)
    let tolerance = 0x1p-52 * Double(m).squareRoot()
    // A column whose squares underflow is zero beside the others and stays as it is.
    guard min(xx, yy) > 1e-300 else { return false }
    guard xy.magnitude > tolerance * (xx.squareRoot() * yy.squareRoot()) else { return false }
    let zeta = (yy - xx) / (2 * xy)
    // Columns that differ by 155 orders of magnitude have a zeta whose square overflows.
    let magnitude = 1 / (zeta.magnitude + Double.hypot(1, zeta))
    let tangent = zeta < 0 ? -magnitude : magnitude
    let cosine = 1 / (1 + tangent * tangent).squareRoot()
    let sine = tangent * cosine
    columns.rotateColumns(i, j, cosine, sine)
    rotation.rotateColumns(i, j, cosine, sine)
    squares[i] = innerProduct(i, i)
    squares[j] = innerProduct(j, j)
    return true
  }

  private func innerProduct(_ i: Int, _ j: Int) -> Double {
    let m = columns.rowCount
    let span = columns.storage.span
    return dot(span.extracting(i * m..<(i + 1) * m), span.extracting(j * m..<(j + 1) * m))
  }
}

extension Matrix {
  /// Column i becomes c·xᵢ − s·xⱼ and column j becomes s·xᵢ + c·xⱼ.
  ///
  /// Rutishauser's form with τ = s/(1 + c): the error is in proportion to s, so the many small
  /// rotations of the last sweeps do not wear the orthogonality down.
  fileprivate mutating func rotateColumns(
    _ i: Int, _ j: Int, _ cosine: Double, _ sine: Double
  ) {
    let m = rowCount
    let first = i * m
    let second = j * m
    let tau = sine / (1 + cosine)
    var span = storage.mutableSpan
    precondition(first >= 0 && second >= 0 && max(first, second) <= span.count - m)
    for row in 0..<m {
      let x = span[first &+ row]
      let y = span[second &+ row]
      span[first &+ row] = x - sine * (y + tau * x)
      span[second &+ row] = y + sine * (x - tau * y)
    }
  }
}
