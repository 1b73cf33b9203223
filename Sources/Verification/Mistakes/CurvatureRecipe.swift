import Curvature
import DenseAlgebra
import Networks

/// How a damped step is computed, stage by stage; as created, every stage is right.
///
/// A mistake replaces one stage; what follows is computed by the right pieces from the wrong result.
/// The stages are in the order in which they run. Reference: the specification, sections 2 to 6.
public struct CurvatureRecipe: Sendable {
  /// The likelihood whose loss is minimised and whose Fisher matrix is meant.
  public var likelihood: @Sendable (CurvatureSetting) -> Likelihood = { $0.likelihood }

  /// The K matrices C × N that are pulled back: Σ_c v vᵀ = H for the exact Fisher (2.2).
  public var columns: @Sendable (CurvatureSetting, Likelihood, _ outputs: Matrix) -> [Matrix] = {
    _, likelihood, outputs in likelihood.hessianRoots(outputs)
  }

  /// g at every use of a parameter block for one cotangent per example (2.1).
  public var pullback: @Sendable (CurvatureSetting, _ cotangent: Matrix, Tape) -> [Matrix] = {
    setting, cotangent, tape in setting.network.pullback(cotangent, through: tape)
  }

  /// What the hooks of the layers record for the statistics: X and Y of each layer (1.1).
  public var records: @Sendable (CurvatureSetting, Tape, [LayerSamples]) -> [LayerSamples] = {
    _, _, layers in layers
  }

  /// A, d_A × d_A (4.1).
  public var a: @Sendable (CurvatureSetting, LayerSamples) -> Matrix = { setting, samples in
    KFACFactors(samples, sharing: setting.sharing).a
  }

  /// G, d_G × d_G (4.1).
  public var g: @Sendable (CurvatureSetting, LayerSamples) -> Matrix = { setting, samples in
    KFACFactors(samples, sharing: setting.sharing).g
  }

  /// A or G after k refreshes on one batch: the first is taken whole, ε_k = min(1 − 1/k, ρ) (4.5).
  public var average: @Sendable (CurvatureSetting, _ factor: Matrix) -> Matrix = {
    setting, factor in
    (1...setting.averagedRefreshes).dropFirst().reduce(factor) { old, k in
      let keeping = min(1 - 1 / Double(k), setting.decay)
      return keeping * old + (1 - keeping) * factor
    }
  }

  /// V = (1/N) Σ g āᵀ from the gradients at the targets, d_G × d_A (1.1).
  public var gradient: @Sendable (CurvatureSetting, LayerSamples) -> Matrix = { _, samples in
    (1 / Double(samples.exampleCount)) * samples.gradients[0].timesTransposed(samples.inputs)
  }

  /// (δ_A, δ_G) under the setting's rule; nil where it adds λ to the product (4.6).
  public var shifts: @Sendable (CurvatureSetting, KFACFactors) -> (a: Double, g: Double)? = {
    setting, factors in
    setting.rule.shifts(
      a: KroneckerFactor(factors.a), g: KroneckerFactor(factors.g), lambda: setting.lambda)
  }

  /// The inverse of one damped factor (4.3).
  public var inverse: @Sendable (_ damped: Matrix) throws -> Matrix = { damped in
    try CholeskyFactorization(damped).inverse
  }

  /// The damped inverses of both factors; the batch of all workers together (4.3).
  public var inverses:
    @Sendable (CurvatureRecipe, CurvatureSetting, LayerSamples, KFACFactors, (a: Double, g: Double))
      throws -> (a: Matrix, g: Matrix) = { recipe, _, _, factors, shifts in
        (
          try recipe.inverse(factors.a.addingToDiagonal(shifts.a)),
          try recipe.inverse(factors.g.addingToDiagonal(shifts.g))
        )
      }

  /// U = G_δ⁻¹ V A_δ⁻¹; nil where the sizes do not fit (4.3).
  public var step: @Sendable (_ v: Matrix, DampedFactors) -> Matrix? = { v, factors in
    guard v.rowCount == factors.g.rowCount, v.columnCount == factors.a.rowCount else { return nil }
    return factors.inverseG * v * factors.inverseA
  }

  /// The damped eigenvalue of A ⊗ G from α of A and γ of G under the rule `exact`: αγ + λ (4.6).
  public var dampedEigenvalue: @Sendable (_ α: Double, _ γ: Double, _ λ: Double) -> Double = {
    α, γ, λ in α * γ + λ
  }

  /// EKFAC's S = diag(Qᵀ F Q) as a d_G × d_A matrix, from the basis (Q_A, Q_G) (5.2); nil where the
  /// sizes do not fit.
  public var secondMoments:
    @Sendable (LayerSamples, _ v: Matrix, _ qA: Matrix, _ qG: Matrix) -> Matrix? = {
      samples, _, qA, qG in samples.secondMoments(inputBasis: qA, outputBasis: qG)
    }

  /// U = Q_G [(Q_Gᵀ V Q_A) ⊘ eigenvalues] Q_Aᵀ (4.6, 5).
  public var basisSolve:
    @Sendable (_ v: Matrix, _ qA: Matrix, _ qG: Matrix, _ eigenvalues: Matrix) -> Matrix = {
      v, qA, qG, eigenvalues in
      let rotated = qG.transposedTimes(v) * qA
      return (qG * rotated.hadamard(eigenvalues.map { 1 / $0 })).timesTransposed(qA)
    }

  /// The diagonal of the exact block, d_G × d_A (8.1).
  public var diagonal: @Sendable (LayerSamples, _ v: Matrix) -> Matrix = { samples, _ in
    samples.secondMoments(inputBasis: nil, outputBasis: nil)
  }

  /// The split of A and that of G, the same block size d on both (7.4).
  public var splitA: @Sendable (CurvatureSetting, _ a: Matrix) -> Matrix = { setting, a in
    a.pinched(blockSize: setting.split)
  }
  public var splitG: @Sendable (CurvatureSetting, _ g: Matrix) -> Matrix = { setting, g in
    g.pinched(blockSize: setting.split)
  }

  /// The damped inverse of a factor's split (7.4).
  public var splitInverse:
    @Sendable (CurvatureRecipe, CurvatureSetting, _ factor: Matrix, _ split: Matrix, Double) throws
      -> Matrix = { recipe, _, _, split, shift in
        try recipe.inverse(split.addingToDiagonal(shift))
      }

  /// CG-FAC's operator V ↦ G V A + λV on cvec of d_G × d_A matrices, A and G not formed (6.1).
  public var product: @Sendable (CurvatureSetting, LayerSamples) -> any LinearOperator = {
    setting, samples in
    ImplicitKroneckerOperator(samples, lambda: setting.lambda)
  }

  /// When conjugate gradients stop; they start from the step of the refresh before (6.3).
  public var stoppingRule = ConjugateGradient.StoppingRule.rightHandSide(tolerance: 1e-2)

  /// The recipe without a mistake.
  public init() {}
}

/// The factors of one layer with their shifts and damped inverses.
public struct DampedFactors: Sendable {
  /// A and G before damping.
  public let a: Matrix
  public let g: Matrix
  /// δ_A and δ_G.
  public let shifts: (a: Double, g: Double)
  /// What stands for (A + δ_A I)⁻¹ and (G + δ_G I)⁻¹.
  public let inverseA: Matrix
  public let inverseG: Matrix

  /// A + δ_A I.
  public var dampedA: Matrix { a.addingToDiagonal(shifts.a) }
  /// G + δ_G I.
  public var dampedG: Matrix { g.addingToDiagonal(shifts.g) }
}
