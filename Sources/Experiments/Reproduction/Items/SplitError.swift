import DenseAlgebra

/// The error of the split against KFAC, A ⊗ G − Â ⊗ Ĝ over one or several layers, in every norm.
public struct SplitError: Sendable {
  /// What "error" may mean in the text on Figure 4.
  public enum Norm: String, CaseIterable, Sendable {
    case frobenius = "relative Frobenius"
    case spectral = "relative spectral"
    case spectralLoss = "Eq. 11"
    case largest = "largest entry"
    case relativeLargest = "relative largest entry"
    case inverse = "damped inverse"

    /// The formula.
    public var explanation: String {
      switch self {
      case .frobenius: "‖F̃ − F̂‖_F / ‖F̃‖_F"
      case .spectral: "‖F̃ − F̂‖₂ / ‖F̃‖₂"
      case .spectralLoss: "1 − ‖F̂‖₂ / ‖F̃‖₂, Eq. 11 of the product"
      case .largest: "max |F̃ − F̂|, absolute: what panel (c) draws"
      case .relativeLargest: "max |F̃ − F̂| / max |F̃|"
      case .inverse: "‖F̃_λ⁻¹ − F̂_λ⁻¹‖_F / ‖F̃_λ⁻¹‖_F, λ on each factor"
      }
    }
  }

  /// Whether the compared matrices hold λ.
  public enum Damping: String, CaseIterable, Sendable {
    case out
    /// (A + λI) ⊗ (G + λI), Eq. 6.
    case factors = "on each factor"
    /// A ⊗ G + λI, as in Eq. 8.
    case block = "on the block"
  }

  /// One layer.
  public struct Layer: Sendable {
    public let a: SplitFactor
    public let g: SplitFactor
    /// ‖A ⊗ G − Â ⊗ Ĝ‖₂ without λ and with λ on each factor; nil where it was not computed.
    public let spectral: (out: Double, factors: Double)?

    public init(a: SplitFactor, g: SplitFactor, spectral: (out: Double, factors: Double)? = nil) {
      self.a = a
      self.g = g
      self.spectral = spectral
    }
  }

  public let layers: [Layer]
  /// λ of the damped matrices, that the factors' inverses were made with too.
  public let lambda: Double

  public init(_ layers: [Layer], lambda: Double) {
    self.layers = layers
    self.lambda = lambda
  }

  /// The error; nil where it was not computed or is 0/0.
  ///
  /// The inverse needs λ on each factor. Over several layers the blocks stand in one block-diagonal
  /// matrix: squares add up, largest values are taken over all layers.
  public func value(_ norm: Norm, _ damping: Damping) -> Double? {
    let value: Double
    switch norm {
    case .frobenius:
      let sums = layers.map { squares($0, damping) }
      value = ratio(
        sums.reduce(0) { $0 + $1.difference }, sums.reduce(0) { $0 + $1.whole }
      ).squareRoot()
    case .spectral:
      guard layers.allSatisfy({ $0.spectral != nil }) else { return nil }
      let differences = layers.compactMap {
        damping == .factors ? $0.spectral?.factors : $0.spectral?.out
      }
      value = ratio(differences.max() ?? .nan, greatest { eigenvalues($0, damping).whole })
    case .spectralLoss:
      value =
        1
        - ratio(
          greatest { eigenvalues($0, damping).inside }, greatest { eigenvalues($0, damping).whole })
    case .largest: value = greatest { entries($0, damping).difference }
    case .relativeLargest:
      value = ratio(
        greatest { entries($0, damping).difference }, greatest { entries($0, damping).whole })
    case .inverse:
      guard damping == .factors else { return nil }
      // ‖P − Q‖² = ‖P‖² − 2⟨P, Q⟩ + ‖Q‖², each a product over the two factors.
      let whole = layers.reduce(0) { $0 + $1.a.inverse * $1.g.inverse }
      let difference = layers.reduce(0) {
        $0 + $1.a.inverse * $1.g.inverse - 2 * $1.a.inverseInner * $1.g.inverseInner
          + $1.a.inverseInside * $1.g.inverseInside
      }
      value = max(0, difference / whole).squareRoot()
    }
    return value.isFinite ? value : nil
  }

  /// The share of Σ|entries| of A ⊗ G, undamped, that lies inside the split's blocks.
  public var shareInside: Double {
    layers.reduce(0) { $0 + $1.a.sumInside * $1.g.sumInside }
      / layers.reduce(0) { $0 + $1.a.sum * $1.g.sum }
  }

  private func ratio(_ above: Double, _ below: Double) -> Double { above / below }

  private func greatest(_ value: (Layer) -> Double) -> Double {
    layers.map(value).reduce(-.infinity) { max($0, $1) }
  }

  /// ‖A ⊗ G − Â ⊗ Ĝ‖² = ‖A‖²‖G − Ĝ‖² + ‖A − Â‖²‖Ĝ‖², since pinching is an orthogonal projection, and
  /// the square of the damped whole.
  private func squares(_ layer: Layer, _ damping: Damping) -> (difference: Double, whole: Double) {
    // lesson: split-squares
    let (a, g) = (layer.a, layer.g)
    let δ = damping == .factors ? lambda : 0
    let (a2, g2) = (a.squared(shiftedBy: δ), g.squared(shiftedBy: δ))
    let difference = a2 * g.squaredOutside + a.squaredOutside * (g2 - g.squaredOutside)
    // end lesson
    var whole = a2 * g2
    if damping == .block {
      whole += 2 * lambda * a.trace * g.trace + lambda * lambda * Double(a.size * g.size)
    }
    return (difference, whole)
  }

  /// λ_max of the product and of the product of the pinched factors.
  private func eigenvalues(_ layer: Layer, _ damping: Damping) -> (whole: Double, inside: Double) {
    let δ = damping == .factors ? lambda : 0
    let shift = damping == .block ? lambda : 0
    return (
      (layer.a.eigenvalue + δ) * (layer.g.eigenvalue + δ) + shift,
      (layer.a.eigenvalueInside + δ) * (layer.g.eigenvalueInside + δ) + shift
    )
  }

  /// The largest entries: a dropped one has a dropped entry of A or of G as a factor.
  private func entries(_ layer: Layer, _ damping: Damping) -> (difference: Double, whole: Double) {
    let δ = damping == .factors ? lambda : 0
    let (a, g) = (layer.a.largest + δ, layer.g.largest + δ)
    return (
      max(layer.a.largestOutside * g, a * layer.g.largestOutside),
      a * g + (damping == .block ? lambda : 0)
    )
  }
}

/// The split's error after 10 and after 50 iterations of one run.
public struct SplitCourse: Sendable {
  public let at10, at50: SplitError

  public init(at10: SplitError, at50: SplitError) {
    self.at10 = at10
    self.at50 = at50
  }

  /// Both errors in one norm; nil where one of them does not exist.
  public func values(_ norm: SplitError.Norm, _ damping: SplitError.Damping)
    -> (at10: Double, at50: Double)?
  {
    guard let ten = at10.value(norm, damping), let fifty = at50.value(norm, damping) else {
      return nil
    }
    return (ten, fifty)
  }
}
