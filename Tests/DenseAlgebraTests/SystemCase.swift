import DenseAlgebra
import TestSupport

/// A symmetric positive definite system: A = QΛQᵀ with eigenvalues from `scale` down to
/// `scale`/`condition`, b standard normal.
struct SystemCase: Sendable, CustomStringConvertible {
  var size: Int
  /// How many eigenvalues differ.
  var distinct: Int
  /// λmax/λmin where at least two eigenvalues differ.
  var spread: Double
  var scale = 1.0
  var seed: UInt64

  var description: String {
    "n = \(size), \(distinct) distinct eigenvalues, λmax/λmin = \(spread), scale \(scale), seed \(seed)"
  }

  /// κ(A).
  var condition: Double { distinct == 1 ? 1 : spread }

  private var generator: Generator { Generator(seed: seed) }

  var a: Matrix {
    var generator = generator
    let values = geometric(distinct, from: scale, to: scale / spread)
    return generator.symmetric(eigenvalues: (0..<size).map { values[$0 % distinct] })
  }

  var b: Vector {
    var generator = Generator(seed: seed &+ 1_000_003)
    return generator.vector(size)
  }

  /// Sizes 1 to 40, as many distinct eigenvalues as there are unless `distinct` says otherwise,
  /// conditions from 1 to the limit, scales 1 and 1e±150.
  static func cases(
    sizes: Int = 40, conditions limit: Double, distinct most: Int = .max
  ) -> Cases<SystemCase> {
    let edges = [1, 2, 3, sizes].flatMap { size in
      [1, limit].map { condition in
        SystemCase(
          size: size, distinct: min(size, most), spread: condition, seed: UInt64(size))
      }
    }
    let scaled = [1e150, 1e-150].map {
      SystemCase(
        size: min(6, sizes), distinct: min(6, sizes, most), spread: min(limit, 100), scale: $0,
        seed: 7)
    }
    return Cases(
      edges: edges + scaled,
      smaller: { value in
        var candidates: [SystemCase] = []
        func add(_ change: (inout SystemCase) -> Void) {
          candidates.append(value)
          change(&candidates[candidates.count - 1])
        }
        for size in 1..<max(1, value.size) {
          add { ($0.size, $0.distinct) = (size, min(size, value.distinct)) }
        }
        for count in 1..<max(1, value.distinct) { add { $0.distinct = count } }
        if value.scale != 1 { add { $0.scale = 1 } }
        return candidates
      },
      draw: { random in
        let size = 1 + random.below(sizes)
        let conditions = [1, 10, 1e2, 1e3, 1e4, 1e6].filter { $0 <= limit }
        return SystemCase(
          size: size, distinct: min(most, random.below(3) == 0 ? 1 + random.below(size) : size),
          spread: conditions[random.below(conditions.count)],
          scale: [1, 1, 1, 1e150, 1e-150][random.below(5)], seed: random.next() % 100_000)
      })
  }
}

/// The iterate after exactly k steps: no rule can be met with a tolerance of 0.
func conjugateGradientIterate(
  _ k: Int, _ a: Matrix, _ b: Vector, start: Vector? = nil, preconditioner: Matrix? = nil
) -> Vector {
  ConjugateGradient(stoppingRule: .rightHandSide(tolerance: 0), maximumIterations: k)
    .solve(a, b, start: start, preconditioner: preconditioner).value
}

/// b − Ax by dgemm.
func trueResidual(_ a: Matrix, _ x: Vector, _ b: Vector) -> Vector { b - LAPACK.dgemm(a, x) }
