/// How a Tikhonov strength λ enters a curvature matrix before it is inverted.
///
/// Reference: the specification, section 4.6 (D0 to D4).
public enum DampingRule: String, CaseIterable, Codable, Sendable {
  /// D0: no damping; the pseudo-inverse with cut-off d·ε·λmax takes the inverse's place.
  case none
  /// D1: (A + √λ I) ⊗ (G + √λ I), as MindSpore's source computes.
  case sqrt
  /// D2: (A + λ I) ⊗ (G + λ I), the THOR paper's Eq. 6.
  case factor
  /// D3: (A + π√λ I) ⊗ (G + √λ/π I), π² = (tr A / d_A) / (tr G / d_G); Martens and Grosse 2015.
  case pi
  /// D4: the matrix itself plus λ I.
  case exact

  /// One sentence for `natgrad list`.
  public var explanation: String {
    switch self {
    case .none: "D0: no damping; pseudo-inverse with cut-off d·ε·λmax, the rank is reported"
    case .sqrt: "D1: (A + √λ I) ⊗ (G + √λ I), as MindSpore's source computes"
    case .factor: "D2: (A + λ I) ⊗ (G + λ I), Eq. 6 of the THOR paper"
    case .pi: "D3: (A + π√λ I) ⊗ (G + √λ/π I), factored Tikhonov of Martens and Grosse (2015)"
    case .exact: "D4: the matrix itself plus λ I"
    }
  }

  /// The two shifts (δ_A, δ_G) that a factored rule adds to A and G; nil for rules that do not factor.
  ///
  /// For `pi`, a zero trace on either side makes π meaningless; √λ goes to both, as in kfac-jax.
  public func shifts(a: KroneckerFactor, g: KroneckerFactor, lambda: Double) -> (
    a: Double, g: Double
  )? {
    let root = lambda.squareRoot()
    switch self {
    case .none, .exact: return nil
    // lesson: damping-shifts
    case .sqrt: return (root, root)
    case .factor: return (lambda, lambda)
    case .pi:
      let meanA = a.trace / Double(a.size)
      let meanG = g.trace / Double(g.size)
      guard meanA > 0, meanG > 0 else { return (root, root) }
      // The ratio overflows where saturated outputs leave a G of 1e-310.
      let ratio = meanA / meanG
      let π =
        ratio.isFinite ? ratio.squareRoot() : meanA.squareRoot() / meanG.squareRoot()
      return (π * root, root / π)
    // end lesson
    }
  }
}
