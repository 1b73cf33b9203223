import DenseAlgebra
import RealModule

/// Seeded factors of any dimension, for a split selection without a network's own factors.
///
/// A = D Q Λ Qᵀ D: Λ = diag(k^−decay), k = 1 … min(n, rank); Q an n × min(n, rank) matrix with orthonormal
/// columns, uniformly distributed; D = diag(exp(spread · z)), z standard normal. With `spread` 0 the
/// eigenvalues are exactly Λ (the rest 0), the top eigenvector is spread over all coordinates, and a
/// split retains hardly more than the factors no larger than d. A larger `spread` lets single
/// coordinates dominate, as they do where some channels are much stronger than others. Neither was
/// fitted to a trained network: what is chosen with it holds for these matrices.
public struct SimulatedSpectrum: Equatable, Sendable {
  /// The exponent of the power law of the eigenvalues.
  public var decay: Double
  /// The number of eigenvalues that are not zero, where the factor is large enough.
  public var rank: Int
  /// The standard deviation of the logarithm of the coordinates' scales.
  public var spread: Double
  public var seed: UInt64

  public init(decay: Double = 1, rank: Int = 64, spread: Double = 0, seed: UInt64 = 1) {
    self.decay = decay
    self.rank = rank
    self.spread = spread
    self.seed = seed
  }

  /// Throws one sentence where a field is not usable.
  public func check() throws(OptimizationError) {
    for (name, value) in [("decay", decay), ("spread", spread)]
    where !(value >= 0 && value <= 10) {
      throw OptimizationError(
        "the \(name) of the simulated factors is \(value); a number from 0 to 10 was expected.")
    }
    guard rank >= 1 else {
      throw OptimizationError(
        "the rank of the simulated factors is \(rank); at least 1 was expected: 64 is usual.")
    }
  }

  /// One seed for each factor, so that a factor does not depend on the sizes of those before it.
  public func seeds(count: Int) -> [UInt64] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in random.next() }
  }

  /// The root B = D Q Λ^½ (n × min(n, rank)) of a factor A = B Bᵀ.
  public func root(dimension n: Int, seed: UInt64) throws(IterationLimitReached) -> Matrix {
    precondition(n > 0 && rank > 0, "a factor of dimension \(n) and rank \(rank)")
    var random = SplitMix64(seed: seed)
    let r = min(n, rank)
    let normal = Matrix(
      rowCount: n, columnCount: r, storage: (0..<n * r).map { _ in random.normal() })
    // Q = Z (Zᵀ Z)^−½, the orthogonal polar factor of a normal Z.
    let root = try SymmetricEigendecomposition(normal.gram).reconstruct { 1 / $0.squareRoot() }
    let q = normal * root
    let scales = (0..<n).map { _ in Double.exp(spread * random.normal()) }
    let roots = (1...r).map { Double.pow(Double($0), -decay / 2) }
    return Matrix(rowCount: n, columnCount: r) { scales[$0] * q[$0, $1] * roots[$1] }
  }
}

extension SimulatedSpectrum: CustomStringConvertible {
  public var description: String {
    "eigenvalues k^-\(decay) up to rank \(rank), uniformly random eigenvectors, coordinate scales "
      + "exp(\(spread) z) with z standard normal, seed \(seed)"
  }
}
