import Curvature
import DenseAlgebra

/// How a second-order optimizer trains, stage by stage; as created, every stage is right.
///
/// A mistake replaces one stage; all else, and all later steps, follow from the wrong result by right
/// pieces. Every stage is of one layer. Reference: the specification, sections 4.5, 5, 7.1 to 7.3, 7.8.
public struct TrajectoryRecipe: Sendable {
  /// Whether A and G of the step's batch are computed: T_FIM divides k (7.1, line 3).
  public var refreshesFactors: @Sendable (TrajectorySetting, _ step: Int) -> Bool = {
    setting, step in step % setting.factorInterval == 0
  }

  /// ρ, the weight of the old value in m ← ρm + (1 − ρ)A_batch, m = 0 at first (4.5).
  public var weightKept: @Sendable (TrajectorySetting) -> Double = { $0.decay }

  /// The number k in the correction m/(1 − ρᵏ) after a count of batches, 1, 2, … (4.5).
  public var correctionPower: @Sendable (_ batches: Int) -> Int = { $0 }

  /// The factors that a test's are compared with: of those accepted last and those tested last (7.2).
  public var reference: @Sendable (_ accepted: KFACFactors, _ tested: KFACFactors) -> KFACFactors =
    {
      accepted, _ in accepted
    }

  /// Whose inverse KFAC's step takes, of the accepted factors of steps 0 … k (7.1, line 7).
  public var factors: @Sendable (TrajectorySetting, _ accepted: [KFACFactors]) -> KFACFactors = {
    _, accepted in accepted[accepted.count - 1]
  }

  /// Which gradient the step takes, of those of steps 0 … k (7.1, line 7).
  public var gradient: @Sendable (TrajectorySetting, _ gradients: [Matrix]) -> Matrix = {
    _, gradients in gradients[gradients.count - 1]
  }

  /// EKFAC's S from that of the step before and from the batch's, diag(Qᵀ F Q) in the present basis: in
  /// a new basis S restarts, else S ← ρS + (1 − ρ)S_batch (5).
  public var secondMoments:
    @Sendable (TrajectorySetting, _ old: Matrix, _ batch: Matrix, _ isNewBasis: Bool) -> Matrix = {
      setting, old, batch, isNewBasis in
      isNewBasis ? batch : setting.running(old, batch)
    }

  /// U from V and θ: P⁻¹(V + ηθ) or P⁻¹V + ηθ, as the setting wants it, then clipped (7.8).
  public var step:
    @Sendable (
      TrajectorySetting, _ v: Matrix, _ weights: Matrix, _ solve: (Matrix) -> Matrix
    ) -> Matrix = { setting, v, weights, solve in
      setting.clipped(
        setting.preconditionsDecay
          ? setting.decayedFirst(v, weights, solve) : setting.decayedLast(v, weights, solve))
    }

  /// The recipe without a mistake.
  public init() {}
}

extension TrajectorySetting {
  /// ρS + (1 − ρ)S_batch with ρ of the second moments.
  func running(_ old: Matrix, _ batch: Matrix) -> Matrix {
    momentDecay * old + (1 - momentDecay) * batch
  }

  /// P⁻¹(V + ηθ).
  func decayedFirst(_ v: Matrix, _ weights: Matrix, _ solve: (Matrix) -> Matrix) -> Matrix {
    solve(weightDecay == 0 ? v : v + weightDecay * weights)
  }

  /// P⁻¹V + ηθ.
  func decayedLast(_ v: Matrix, _ weights: Matrix, _ solve: (Matrix) -> Matrix) -> Matrix {
    weightDecay == 0 ? solve(v) : solve(v) + weightDecay * weights
  }

  /// M min(1, c/‖M‖).
  func clipped(_ matrix: Matrix) -> Matrix {
    min(1, clippingNorm / matrix.frobeniusNorm) * matrix
  }

  /// The element of τ steps ago, or the first.
  func late<T>(_ past: [T]) -> T { past[max(0, past.count - 1 - lag)] }
}
