import DenseAlgebra

/// Two symmetric matrices A (d_A × d_A) and G (d_G × d_G) with a right-hand side V (d_G × d_A) and a
/// damping λ: what a Kronecker-factored block is made of.
public struct FactorCase: Sendable, CustomStringConvertible {
  public var a: MatrixCase
  public var g: MatrixCase
  /// The entries of V and of whatever else a test draws.
  public var seed: UInt64
  public var damping: Double

  public init(a: MatrixCase, g: MatrixCase, seed: UInt64, damping: Double) {
    self.a = a
    self.g = g
    self.seed = seed
    self.damping = damping
  }

  public var description: String { "A: \(a); G: \(g); λ = \(damping), seed \(seed)" }

  /// V, standard normal.
  public var rightHandSide: Matrix {
    var generator = Generator(seed: seed)
    return generator.normal(g.size, a.size)
  }

  /// Symmetric factors of every kind but those scaled by 1e±150, whose product overflows.
  public static let symmetric = cases(
    MatrixKind.allCases.filter { $0 != .huge && $0 != .tiny })

  /// Positive semi-definite factors, singular ones among them.
  public static let semidefinite = cases([
    .identity, .geometric, .zero, .rankOne, .rankDeficient, .repeated, .clustered, .toeplitz,
    .hilbert, .graded,
  ])

  /// Positive definite factors of condition at most 1e6.
  public static let positiveDefinite = cases([
    .identity, .geometric, .clustered, .repeated, .toeplitz,
  ])

  private static func cases(_ kinds: [MatrixKind]) -> Cases<FactorCase> {
    var edges = kinds.indices.map { index in
      FactorCase(
        a: MatrixCase(kinds[index], size: 2 + index % 4, seed: UInt64(index)),
        g: MatrixCase(kinds[(3 * index + 1) % kinds.count], size: 1 + index % 5, seed: 40),
        seed: UInt64(index), damping: 0.3)
    }
    let first = MatrixCase(kinds[0], size: 1, seed: 50)
    edges.append(FactorCase(a: first, g: first, seed: 51, damping: 0.3))
    edges.append(
      FactorCase(a: first, g: MatrixCase(kinds[1], size: 4, seed: 52), seed: 53, damping: 0.3))
    @Sendable func matrix(_ random: inout SplitMix64) -> MatrixCase {
      let kind = kinds[random.below(kinds.count)]
      return MatrixCase(kind, size: 1 + random.below(6), seed: random.next() % 100_000)
    }
    return Cases(
      edges: edges, smaller: { smaller($0, simplest: kinds[0]) },
      draw: { random in
        let a = matrix(&random)
        let g = matrix(&random)
        let damping = power(10, -4 + 5 * random.uniform())
        return FactorCase(a: a, g: g, seed: random.next() % 100_000, damping: damping)
      })
  }

  private static func smaller(_ value: FactorCase, simplest: MatrixKind) -> [FactorCase] {
    var candidates: [FactorCase] = []
    for factor in [\FactorCase.a, \FactorCase.g] {
      let matrix = value[keyPath: factor]
      for size in 1..<max(matrix.size, 1) {
        var copy = value
        copy[keyPath: factor].size = size
        candidates.append(copy)
      }
      if matrix.kind != simplest {
        var copy = value
        copy[keyPath: factor].kind = simplest
        candidates.append(copy)
      }
    }
    return candidates
  }
}
