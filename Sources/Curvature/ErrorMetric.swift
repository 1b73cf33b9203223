/// The measures of how far an approximation is from a reference.
///
/// Reference: the specification, section 9. Matrix metrics compare matrices and never depend on a
/// solver; step metrics compare natural-gradient steps and carry rule, λ and solver.
public enum ErrorMetric: String, CaseIterable, Codable, Sendable {
  // Undamped matrices.
  case relativeFrobenius = "relative-frobenius"
  case relativeSpectral = "relative-spectral"
  case maximumAbsolute = "maximum-absolute"
  case traceRatio = "trace-ratio"
  case leastSquaresScale = "least-squares-scale"
  // Damped matrices.
  case relativeInverseFrobenius = "relative-inverse-frobenius"
  case inverseResidual = "inverse-residual"
  case stein
  case affineInvariant = "affine-invariant"
  case spectralRatio = "spectral-ratio"
  // Steps.
  case cosine
  case fisherCosine = "f-cosine"
  case efficiency = "eta"
  case lengthRatio = "length-ratio"
  case relativeFisherNorm = "f-norm-error"
  case bestStepLength = "best-alpha"
  case decreaseAtOne = "decrease-at-1"
  case decreaseAtBest = "decrease-at-best"
  case predictedDecreaseAtBest = "predicted-decrease-at-best"
  case divergenceAtOne = "kl-at-1"
  case divergenceAtBest = "kl-at-best"

  /// What a metric depends on.
  public enum Family: String, Sendable {
    /// Undamped matrices only.
    case matrix
    /// Damped matrices: carries rule and λ.
    case dampedMatrix = "damped-matrix"
    /// Steps: carries rule, λ and solver.
    case step
  }

  public var family: Family {
    switch self {
    case .relativeFrobenius, .relativeSpectral, .maximumAbsolute, .traceRatio, .leastSquaresScale:
      .matrix
    case .relativeInverseFrobenius, .inverseResidual, .stein, .affineInvariant, .spectralRatio:
      .dampedMatrix
    case .cosine, .fisherCosine, .efficiency, .lengthRatio, .relativeFisherNorm, .bestStepLength,
      .decreaseAtOne, .decreaseAtBest, .predictedDecreaseAtBest, .divergenceAtOne,
      .divergenceAtBest:
      .step
    }
  }

  /// The formula in one line, for `natgrad list`; F is the reference, F̂ the approximation.
  public var explanation: String {
    switch self {
    case .relativeFrobenius: "‖F̂ − F‖_F / ‖F‖_F, undamped"
    case .relativeSpectral: "‖F̂ − F‖₂ / ‖F‖₂, undamped"
    case .maximumAbsolute: "the largest |F̂ − F| entry, undamped"
    case .traceRatio: "tr F̂ / tr F, undamped"
    case .leastSquaresScale: "⟨F̂, F⟩ / ‖F̂‖², the scale that makes F̂ nearest to F"
    case .relativeInverseFrobenius: "‖F̂_λ⁻¹ − F_λ⁻¹‖_F / ‖F_λ⁻¹‖_F"
    case .inverseResidual: "‖F̂_λ⁻¹ F_λ − I‖_F"
    case .stein: "Σ (w − log w − 1) over the eigenvalues w of F̂_λ⁻¹ F_λ (twice the Gaussian KL)"
    case .affineInvariant: "(Σ log² w)^½, the affine-invariant Riemannian distance"
    case .spectralRatio: "κ = w_max / w_min, scale-free"
    case .cosine: "ûᵀu / (‖û‖‖u‖) with u = F_λ⁻¹∇h, û the approximate step"
    case .fisherCosine: "ûᵀF_λu / (‖û‖_Fλ ‖u‖_Fλ)"
    case .efficiency:
      "η = F-cosine²: the share of the best model decrease kept, each at its best length"
    case .lengthRatio: "‖û‖ / ‖u‖"
    case .relativeFisherNorm: "‖û − u‖_Fλ / ‖u‖_Fλ"
    case .bestStepLength: "α* = ∇hᵀû / ûᵀF_λû, the best length along û in the model"
    case .decreaseAtOne: "h(θ) − h(θ − û), the loss decrease on the batch"
    case .decreaseAtBest: "h(θ) − h(θ − α*û)"
    case .predictedDecreaseAtBest: "½ α* ∇hᵀû, what the quadratic model predicts at α*"
    case .divergenceAtOne: "mean KL(p_θ ‖ p_θ₋û) on the batch"
    case .divergenceAtBest: "mean KL(p_θ ‖ p_θ₋α*û)"
    }
  }
}

/// One measured number.
public struct MetricValue: Equatable, Sendable {
  public let metric: ErrorMetric
  public let value: Double

  public init(_ metric: ErrorMetric, _ value: Double) {
    self.metric = metric
    self.value = value
  }
}
