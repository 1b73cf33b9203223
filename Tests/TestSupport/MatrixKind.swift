import DenseAlgebra
import Foundation

/// The symmetric matrices on which eigensolvers and factorizations are known to go wrong.
///
/// Random matrices alone accept a broken solver; each of these has caught one.
public enum MatrixKind: String, CaseIterable, CustomStringConvertible, Sendable {
  case identity, zero, rankOne, geometric, indefinite, clustered, repeated, rankDeficient
  case graded, wilkinson, gluedWilkinson, toeplitz, hilbert, huge, tiny

  /// The sizes at which every routine is tried.
  public static let sizes = [0, 1, 2, 3, 5, 10, 50]

  public var description: String { rawValue }

  /// Whether a Cholesky factorization in floating point must succeed at this size.
  public func isPositiveDefinite(size: Int) -> Bool {
    switch self {
    case .identity, .geometric, .clustered, .repeated, .graded, .toeplitz, .huge, .tiny: true
    case .hilbert: size <= 10
    case .zero, .rankOne, .indefinite, .rankDeficient, .wilkinson, .gluedWilkinson: size == 0
    }
  }

  /// The positive definite kinds at the sizes where they are so.
  public static let positiveDefinite = allCases.filter { $0.isPositiveDefinite(size: 10) }

  /// The condition numbers at which this kind is tried; none where the kind itself decides.
  public var conditions: [Double] {
    switch self {
    case .geometric, .indefinite, .clustered, .huge, .tiny: [1, 1e4, 1e8, 1e12, 1e16]
    case .graded: [1, 1e4, 1e8, 1e12, 1e14]
    default: []
    }
  }

  /// The matrix of this kind; the seed matters to the kinds built from a random orthogonal matrix,
  /// the condition number to those that have `conditions`.
  public func matrix(size n: Int, seed: UInt64 = 1, condition: Double? = nil) -> Matrix {
    var generator = Generator(seed: seed &* 1000 &+ UInt64(n))
    switch self {
    case .identity: return .identity(n)
    case .zero: return Matrix(rowCount: n, columnCount: n)
    case .rankOne:
      let v = generator.vector(n)
      return Matrix(rowCount: n, columnCount: n) { v[$0] * v[$1] }
    case .geometric:
      return generator.symmetric(
        eigenvalues: TestSupport.geometric(n, from: 1, to: 1 / (condition ?? 1e6)))
    case .indefinite:
      let values = TestSupport.geometric(n, from: 1, to: 1 / (condition ?? 1e3)).enumerated()
      return generator.symmetric(eigenvalues: values.map { $0 % 2 == 0 ? $1 : -$1 })
    case .clustered:
      let low = 1 / (condition ?? 1e4)
      return generator.symmetric(
        eigenvalues: (0..<n).map { ($0 < n / 2 ? 1 : low) * (1 + Double($0) * 1e-13) })
    case .repeated: return generator.symmetric(eigenvalues: (0..<n).map { Double(1 + $0 % 3) })
    case .rankDeficient:
      return generator.symmetric(eigenvalues: (0..<n).map { $0 < (n + 1) / 2 ? 0 : Double($0) })
    case .graded:
      // D C D with scales from 1 to 1e-8: condition 1e16, yet every pivot is well determined.
      let smallest = 1 / (condition ?? 1e16).squareRoot()
      let scales = TestSupport.geometric(n, from: 1, to: smallest)
      let core = generator.positiveDefinite(n, condition: 10)
      return Matrix(rowCount: n, columnCount: n) { scales[$0] * core[$0, $1] * scales[$1] }
    case .wilkinson: return Self.wilkinson(n)
    case .gluedWilkinson:
      var glued = Matrix(rowCount: n, columnCount: n)
      for start in stride(from: 0, to: n, by: 11) {
        glued.setBlock(row: start, column: start, to: Self.wilkinson(min(11, n - start)))
        if start > 0 {
          glued[start, start - 1] = 1e-8
          glued[start - 1, start] = 1e-8
        }
      }
      return glued
    case .toeplitz:
      return Matrix(rowCount: n, columnCount: n) { abs($0 - $1) == 1 ? -1 : $0 == $1 ? 2 : 0 }
    case .hilbert: return Matrix(rowCount: n, columnCount: n) { 1 / Double($0 + $1 + 1) }
    case .huge: return 1e150 * Self.geometric.matrix(size: n, seed: seed, condition: condition)
    case .tiny: return 1e-150 * Self.geometric.matrix(size: n, seed: seed, condition: condition)
    }
  }

  /// W⁺ₙ: diagonal |i − (n−1)/2|, ones beside it; pairs of eigenvalues that agree to many digits.
  private static func wilkinson(_ n: Int) -> Matrix {
    Matrix(rowCount: n, columnCount: n) {
      $0 == $1 ? abs(Double($0) - Double(n - 1) / 2) : abs($0 - $1) == 1 ? 1 : 0
    }
  }
}

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
