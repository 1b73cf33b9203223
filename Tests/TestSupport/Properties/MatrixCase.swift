import DenseAlgebra

/// A matrix with a chosen spectrum, made from its kind, size and seed.
public struct MatrixCase: Sendable, CustomStringConvertible {
  public var kind: MatrixKind
  public var size: Int
  public var seed: UInt64

  public init(_ kind: MatrixKind, size: Int, seed: UInt64) {
    self.kind = kind
    self.size = size
    self.seed = seed
  }

  public var matrix: Matrix { kind.matrix(size: size, seed: seed) }
  public var description: String { "\(kind), n = \(size), seed \(seed)" }

  /// Symmetric matrices of every kind, sizes 1 to 10.
  public static let symmetric = cases(MatrixKind.allCases)

  /// Those that are positive semi-definite.
  public static let semidefinite = cases(
    MatrixKind.allCases.filter {
      switch $0 {
      case .indefinite, .wilkinson, .gluedWilkinson: false
      default: true
      }
    })

  /// Those on which a Cholesky factorization must succeed.
  public static let positiveDefinite = cases(MatrixKind.positiveDefinite)

  /// The positive definite ones of condition at most about 1e6, scaled by 1 or 1e±150.
  public static let wellConditioned = cases([
    .identity, .geometric, .clustered, .repeated, .toeplitz, .huge, .tiny,
  ])

  private static func cases(_ kinds: [MatrixKind]) -> Cases<MatrixCase> {
    Cases(
      edges: kinds.flatMap {
        [MatrixCase($0, size: 1, seed: 1), MatrixCase($0, size: 6, seed: 2)]
      },
      smaller: { value in
        (1..<max(value.size, 1)).map { MatrixCase(value.kind, size: $0, seed: value.seed) }
          + (value.kind == kinds[0]
            ? [] : [MatrixCase(kinds[0], size: value.size, seed: value.seed)])
      },
      draw: { random in
        MatrixCase(
          kinds[random.below(kinds.count)], size: 1 + random.below(10),
          seed: random.next() % 100_000)
      })
  }
}
