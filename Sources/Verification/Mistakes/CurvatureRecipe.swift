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

  /// U = G_δ⁻¹ V A_δ⁻¹; nil where the sizes do not fit (4.3).
  public var step: @Sendable (_ v: Matrix, DampedFactors) -> Matrix? = { v, factors in
    guard v.rowCount == factors.g.rowCount, v.columnCount == factors.a.rowCount else { return nil }
    return factors.inverseG * v * factors.inverseA
  }

  /// The damped eigenvalue of A ⊗ G from α of A and γ of G under the rule `exact`: αγ + λ (4.6).
  public var dampedEigenvalue: @Sendable (_ α: Double, _ γ: Double, _ λ: Double) -> Double = {
    α, γ, λ in α * γ + λ
  }

  /// EKFAC's S = diag(Qᵀ F Q) as a d_G × d_A matrix, from the basis (Q_A, Q_G) (5.2).
  public var secondMoments:
    @Sendable (LayerSamples, _ v: Matrix, _ qA: Matrix, _ qG: Matrix) -> Matrix = {
      samples, _, qA, qG in samples.secondMoments(inputBasis: qA, outputBasis: qG)
    }

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
