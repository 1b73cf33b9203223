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
    /// The Gram matrix's eigenvalues over the cut-off, with their eigenvectors as columns.
    case eigen(vectors: Matrix, values: [Double])
  }

  init(_ fisher: ExactFisher, rule: DampingRule, lambda: Double) throws(CurvatureError) {
    self.fisher = fisher
    // Rule `none` is F itself, whatever λ the caller goes through.
    self.lambda = rule == .none ? 0 : lambda
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
        let kept = decomposition.values.elements.filter { $0 > cutOff }
        let dropped = decomposition.values.count - kept.count
        solver = .eigen(
          vectors: decomposition.vectors.block(
            rows: 0..<gram.rowCount, columns: dropped..<gram.rowCount), values: kept)
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
    // A pseudo-inverse refined like an inverse: its first error grows with κ^1.5 where a dense one's
    // grows with κ, because U maps the small directions to differences of large numbers.
    var solution = ParameterVector.zero(layout)
    var residual = vector
    for pass in 0..<3 {
      if pass > 0 { residual = vector - apply(solution) }
      switch solver {
      case .eigen(let vectors, let values):
        solution.add(
          1, times: fisher.combine(divide(fisher.project(residual), twiceBy: values, in: vectors)))
      case .cholesky(let factorization):
        var correction = residual
        correction.add(-1, times: fisher.combine(factorization.solve(fisher.project(residual))))
        solution.add(1 / lambda, times: correction)
      }
    }
    return solution
  }

  /// (F + λI)⁻¹ U w = U (𝒦 + λI)⁻¹ w for a right side known as U w: no cancellation.
  ///
  /// Rule `none`: F⁺ U w.
  public func solve(imageOf weights: Vector) -> ParameterVector {
    switch solver {
    case .cholesky(let factorization): fisher.combine(factorization.solve(weights))
    case .eigen: solve(fisher.combine(weights))
    }
  }

  /// Q diag(values)⁻² Qᵀ w. The matrix itself is not formed: its entries would drown in the largest.
  private func divide(_ weights: Vector, twiceBy values: [Double], in vectors: Matrix) -> Vector {
    var coordinates = vectors.transposedTimes(weights)
    for (index, value) in values.enumerated() {
      coordinates[index] = coordinates[index] / value / value
    }
    return vectors * coordinates
  }
}
