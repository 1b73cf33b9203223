import DenseAlgebra
import TestSupport

/// A matrix UΣVᵀ with `rank` singular values in geometric progression from `scale` down to
/// `scale`/`condition`, the others 0.
struct GeneralCase: Sendable, CustomStringConvertible {
  var rowCount: Int
  var columnCount: Int
  var rank: Int
  var condition = 1.0
  var scale = 1.0
  var seed: UInt64 = 1

  var matrix: Matrix {
    var generator = Generator(seed: seed)
    let values = geometric(rank, from: scale, to: scale / condition)
    return generator.matrix(
      rowCount, columnCount,
      singularValues: (0..<min(rowCount, columnCount)).map { $0 < rank ? values[$0] : 0 })
  }

  var description: String {
    "\(rowCount) × \(columnCount), rank \(rank), κ = \(condition), scale \(scale), seed \(seed)"
  }

  /// The same of at most the given size.
  func limited(_ size: Int) -> GeneralCase {
    var copy = self
    copy.rowCount = min(size, rowCount)
    copy.columnCount = min(size, columnCount)
    copy.rank = min(rank, copy.rowCount, copy.columnCount)
    return copy
  }

  /// Up to 6 × 6 and condition 1e4, sometimes scaled by 1e±150.
  static func draw(_ random: inout SplitMix64, isSquare: Bool) -> GeneralCase {
    let rows = 1 + random.below(6)
    let columns = isSquare ? rows : 1 + random.below(6)
    return GeneralCase(
      rowCount: rows, columnCount: columns,
      rank: isSquare ? rows : random.below(min(rows, columns) + 1),
      condition: [1, 10, 1e2, 1e4][random.below(4)],
      scale: [1, 1, 1, 1e150, 1e-150][random.below(5)],
      seed: random.next() % 100_000)
  }
}

/// A (left, activations), G (right, gradients) and a V (columns of G × columns of A).
struct KroneckerCase: Sendable, CustomStringConvertible {
  var left: GeneralCase
  var right: GeneralCase
  /// The entries of V and of whatever else a test draws.
  var seed: UInt64 = 1

  var a: Matrix { left.matrix }
  var g: Matrix { right.matrix }
  var generator: Generator { Generator(seed: seed) }
  var v: Matrix {
    var generator = generator
    return generator.normal(right.columnCount, left.columnCount)
  }
  /// κ(A ⊗ G).
  var condition: Double { left.condition * right.condition }
  var description: String { "A: \(left); G: \(right); seed \(seed)" }

  /// A ⊗ G entry by entry, which shares no code with `Matrix.kronecker`.
  var definition: Matrix { Self.definition(a, g) }

  static func definition(_ a: Matrix, _ g: Matrix) -> Matrix {
    Matrix(rowCount: a.rowCount * g.rowCount, columnCount: a.columnCount * g.columnCount) {
      a[$0 / g.rowCount, $1 / g.columnCount] * g[$0 % g.rowCount, $1 % g.columnCount]
    }
  }

  /// Rectangular factors of any rank, empty ones among the edges.
  static let any = cases(
    edges: [
      (0, 0, 2, 2), (1, 1, 1, 1), (1, 4, 3, 1), (2, 3, 4, 5), (5, 5, 5, 5), (6, 2, 1, 7),
      (3, 0, 2, 2),
    ], isSquare: false)

  /// Square non-singular factors.
  static let nonsingular = cases(
    edges: [(1, 1, 1, 1), (1, 1, 6, 6), (6, 6, 1, 1), (2, 2, 3, 3), (4, 4, 4, 4), (5, 5, 7, 7)],
    isSquare: true)

  private static func cases(
    edges shapes: [(Int, Int, Int, Int)], isSquare: Bool
  ) -> Cases<KroneckerCase> {
    var edges = shapes.map {
      KroneckerCase(
        left: GeneralCase(rowCount: $0.0, columnCount: $0.1, rank: min($0.0, $0.1)),
        right: GeneralCase(rowCount: $0.2, columnCount: $0.3, rank: min($0.2, $0.3), seed: 2))
    }
    for (first, second) in [(1e150, 1e150), (1e-150, 1e150), (1e-150, 1e-150)] {
      edges.append(
        KroneckerCase(
          left: GeneralCase(rowCount: 3, columnCount: 3, rank: 3, condition: 10, scale: first),
          right: GeneralCase(rowCount: 2, columnCount: 2, rank: 2, scale: second, seed: 2)))
    }
    return Cases(
      edges: edges,
      smaller: { value in
        var candidates: [KroneckerCase] = []
        for factor in [\KroneckerCase.left, \KroneckerCase.right] {
          let matrix = value[keyPath: factor]
          for size in 1..<max(1, matrix.rowCount, matrix.columnCount) {
            candidates.append(value)
            candidates[candidates.count - 1][keyPath: factor] = matrix.limited(size)
          }
          if matrix.scale != 1 || matrix.condition != 1 {
            candidates.append(value)
            candidates[candidates.count - 1][keyPath: factor].scale = 1
            candidates[candidates.count - 1][keyPath: factor].condition = 1
          }
        }
        return candidates
      },
      draw: { random in
        KroneckerCase(
          left: .draw(&random, isSquare: isSquare), right: .draw(&random, isSquare: isSquare),
          seed: random.next() % 100_000)
      })
  }
}

/// Two symmetric matrices of chosen kinds as the factors of a Kronecker product.
struct SymmetricPair: Sendable, CustomStringConvertible {
  var a: MatrixCase
  var g: MatrixCase

  var description: String { "A: \(a); G: \(g)" }
  /// A ⊗ G entry by entry.
  var definition: Matrix { KroneckerCase.definition(a.matrix, g.matrix) }

  /// Every kind beside another one, sizes to 6.
  static func cases(_ factors: Cases<MatrixCase>) -> Cases<SymmetricPair> {
    let small = factors.filter { $0.size <= 6 }
    return Cases(
      edges: small.edges.indices.map {
        SymmetricPair(a: small.edges[$0], g: small.edges[(3 * $0 + 1) % small.edges.count])
      },
      smaller: { value in
        small.smaller(value.a).map { SymmetricPair(a: $0, g: value.g) }
          + small.smaller(value.g).map { SymmetricPair(a: value.a, g: $0) }
      },
      draw: { SymmetricPair(a: small.draw(&$0), g: small.draw(&$0)) })
  }
}

extension Checks {
  /// A ratio that also has a row in the table of comparisons with LAPACK.
  mutating func lapack(
    _ ratio: Ratio, atMost limit: Double = 30, algorithm: String, oracle: String
  ) {
    self.ratio(ratio, atMost: limit, algorithm)
    LapackComparison.record(
      algorithm: algorithm, oracle: oracle, ratio: ratio.value, limit: limit)
  }
}
