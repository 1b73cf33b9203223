import DenseAlgebra

/// A residual in units of its round-off budget n‖A‖ε (ε = 2⁻⁵², LAPACK's "precision"), with the
/// entry where it is worst. LAPACK's own acceptance limit is 30.
public struct Ratio: Sendable, CustomStringConvertible {
  public let value: Double
  public let row: Int
  public let column: Int
  /// The entry at (row, column) as the definition or the oracle wants it.
  public let expected: Double
  /// The same entry as computed.
  public let actual: Double

  public var description: String {
    "ratio \(value), worst at (\(row), \(column)): expected \(expected), got \(actual), "
      + "difference \(actual - expected)"
  }

  /// ‖actual − expected‖₁ / (n · scale · ε); exact agreement is 0 whatever the scale.
  public init(_ actual: Matrix, against expected: Matrix, size: Int, scale: Double) {
    precondition(
      actual.rowCount == expected.rowCount && actual.columnCount == expected.columnCount,
      "\(actual.rowCount) × \(actual.columnCount) against \(expected.rowCount) × \(expected.columnCount)"
    )
    let difference = actual - expected
    let worst =
      difference.storage.indices.max {
        let first = difference.storage[$0].magnitude
        let second = difference.storage[$1].magnitude
        return second.isNaN ? !first.isNaN : first < second
      } ?? 0
    row = actual.rowCount == 0 ? 0 : worst % actual.rowCount
    column = actual.rowCount == 0 ? 0 : worst / actual.rowCount
    self.expected = expected.storage.isEmpty ? 0 : expected.storage[worst]
    self.actual = actual.storage.isEmpty ? 0 : actual.storage[worst]
    let residual = LAPACK.norm1(difference)
    value = residual == 0 ? 0 : residual / scale / (Double(max(size, 1)) * .ulpOfOne)
  }
}

extension Ratio {
  /// ‖actual − expected‖₁ / (n‖expected‖₁ε), n the larger dimension.
  public static func difference(_ actual: Matrix, _ expected: Matrix) -> Ratio {
    Ratio(
      actual, against: expected, size: max(expected.rowCount, expected.columnCount),
      scale: LAPACK.norm1(expected))
  }

  /// The same for vectors.
  public static func difference(_ actual: Vector, _ expected: Vector) -> Ratio {
    difference(Matrix(column: actual), Matrix(column: expected))
  }

  /// ‖product − A‖₁ / (n‖A‖₁ε): a factorization multiplied out again.
  public static func reconstruction(_ product: Matrix, of a: Matrix) -> Ratio {
    difference(product, a)
  }

  /// ‖QᵀQ − I‖₁ / (nε), n the number of rows.
  public static func orthogonality(_ q: Matrix) -> Ratio {
    Ratio(
      LAPACK.dgemm(q, q, transposeA: true), against: .identity(q.columnCount), size: q.rowCount,
      scale: 1)
  }

  /// ‖AX − B‖₁ / (n‖A‖₁‖X‖₁ε).
  public static func solve(_ a: Matrix, _ x: Matrix, _ b: Matrix) -> Ratio {
    // lesson: solve-ratio
    let product = LAPACK.dgemm(a, x)
    // Divided in two steps: ‖A‖‖X‖ may overflow where the ratio does not.
    let inner = Ratio(product, against: b, size: a.rowCount, scale: LAPACK.norm1(a))
    return inner.divided(by: LAPACK.norm1(x))
    // end lesson
  }

  /// ‖Ax − b‖₁ / (n‖A‖₁‖x‖₁ε).
  public static func solve(_ a: Matrix, _ x: Vector, _ b: Vector) -> Ratio {
    solve(a, Matrix(column: x), Matrix(column: b))
  }

  /// ‖A·A⁻¹ − I‖₁ / (n‖A‖₁‖A⁻¹‖₁ε).
  public static func inverse(_ a: Matrix, _ inverse: Matrix) -> Ratio {
    solve(a, inverse, .identity(a.rowCount))
  }

  /// ‖A − QΛQᵀ‖₁ / (n‖A‖₁ε).
  public static func eigen(_ a: Matrix, values: Vector, vectors: Matrix) -> Ratio {
    let scaled = Matrix(rowCount: vectors.rowCount, columnCount: vectors.columnCount) {
      vectors[$0, $1] * values[$1]
    }
    return reconstruction(LAPACK.dgemm(scaled, vectors, transposeB: true), of: a)
  }

  /// ‖M − Mᵀ‖₁ / (n‖M‖₁ε).
  public static func symmetry(_ m: Matrix) -> Ratio { difference(m, m.transposed) }

  /// The ratio divided by a condition number: forward errors may be that much larger.
  public func over(condition: Double) -> Ratio { divided(by: condition) }

  private func divided(by scale: Double) -> Ratio {
    Ratio(
      value: value == 0 ? 0 : value / scale, row: row, column: column, expected: expected,
      actual: actual)
  }

  private init(value: Double, row: Int, column: Int, expected: Double, actual: Double) {
    self.value = value
    self.row = row
    self.column = column
    self.expected = expected
    self.actual = actual
  }
}
