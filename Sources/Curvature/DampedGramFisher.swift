import DenseAlgebra
import Networks
import RealModule

/// F + λI = U Uᵀ + λI solved through the N·K × N·K Gram matrix 𝒦 = UᵀU; U is never formed.
///
/// (F + λI)⁻¹ b = (b − U (𝒦 + λI)⁻¹ Uᵀ b)/λ, and log det = (P − NK) log λ + log det(𝒦 + λI).
/// The difference loses log₁₀(λmax/λ) digits, which two steps of iterative refinement with the
/// matrix-free product restore. Rule `none` is the pseudo-inverse U 𝒦⁺² Uᵀ.
/// Reference: the specification, section 3.2.
public struct DampedGramFisher: DampedStructure {
  public var layout: ParameterLayout { fisher.layout }
  public let logDeterminant: Double
  public let rank: Int
  private let fisher: ExactFisher
  private let lambda: Double
  private let solver: Solver

  private enum Solver: Sendable {
    case cholesky(CholeskyFactorization)
    /// 𝒦⁺², the square of the Gram matrix's pseudo-inverse.
    case squaredPseudoInverse(Matrix)
  }

  init(_ fisher: ExactFisher, rule: DampingRule, lambda: Double) throws(CurvatureError) {
    self.fisher = fisher
    self.lambda = lambda
    let gram = try fisher.gram()
    if rule == .exact {
      guard lambda > 0 else {
        throw CurvatureError.notPositiveDefinite(
          block: "the Fisher of rank at most \(gram.rowCount)", size: fisher.layout.count,
          pivot: gram.rowCount, value: 0)
      }
      do {
        let factorization = try CholeskyFactorization(gram.addingToDiagonal(lambda))
        solver = .cholesky(factorization)
        rank = fisher.layout.count
        logDeterminant =
          Double(fisher.layout.count - gram.rowCount) * .log(lambda) + factorization.logDeterminant
      } catch {
        throw CurvatureError.notPositiveDefinite(
          block: "the Gram matrix", size: error.size, pivot: error.pivot, value: error.value)
      }
    } else {
      do {
        let decomposition = try SymmetricEigendecomposition(gram)
        // The cut-off counts the P eigenvalues of F, not the NK of its Gram matrix.
        let largest = decomposition.values.elements.last ?? 0
        let cutOff = Double(fisher.layout.count) * .ulpOfOne * max(largest, 0)
        solver = .squaredPseudoInverse(
          decomposition.reconstruct { $0 > cutOff ? 1 / ($0 * $0) : 0 })
        let kept = decomposition.values.elements.filter { $0 > cutOff }
        rank = kept.count
        logDeterminant = logSum(kept)
      } catch {
        throw CurvatureError.iterationLimit(
          what: "the eigendecomposition of the Gram matrix", limit: error.limit)
      }
    }
  }

  public func apply(_ vector: ParameterVector) -> ParameterVector {
    var image = fisher.apply(vector)
    image.add(lambda, times: vector)
    return image
  }

  public func solve(_ vector: ParameterVector) -> ParameterVector {
    switch solver {
    case .squaredPseudoInverse(let inverse):
      return fisher.combine(inverse * fisher.project(vector))
    case .cholesky(let factorization):
      var solution = ParameterVector.zero(layout)
      var residual = vector
      for _ in 0..<3 {
        var correction = residual
        correction.add(-1, times: fisher.combine(factorization.solve(fisher.project(residual))))
        solution.add(1 / lambda, times: correction)
        residual = vector - apply(solution)
      }
      return solution
    }
  }

  /// (F + λI)⁻¹ U w = U (𝒦 + λI)⁻¹ w for a right side known as U w: no cancellation.
  public func solve(imageOf weights: Vector) -> ParameterVector {
    switch solver {
    case .cholesky(let factorization): fisher.combine(factorization.solve(weights))
    case .squaredPseudoInverse(let inverse):
      fisher.combine(inverse * fisher.project(fisher.combine(weights)))
    }
  }
}
