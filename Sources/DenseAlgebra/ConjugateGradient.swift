/// The conjugate-gradient method for A·x = b with a symmetric positive definite operator A.
///
/// One product with A, one with the preconditioner and five vector operations a step; in exact
/// arithmetic it ends after as many steps as A has distinct eigenvalues. Spec 6.1, 6.3, 6.4.
public struct ConjugateGradient: Equatable, Sendable {
  /// When the iterate is good enough. Spec 6.3.
  public enum StoppingRule: Equatable, Sendable {
    /// ‖rₖ‖ ≤ tolerance·‖b‖: a warm start shortens the iteration.
    case rightHandSide(tolerance: Double)
    /// ‖rₖ‖ ≤ tolerance·‖r₀‖: the better the start, the harder the target.
    case firstResidual(tolerance: Double)
    /// Martens (2010): with q(x) = ½xᵀAx − bᵀx and m = max(10, ⌈k/10⌉), stop at k > m when
    /// qₖ < 0 and (qₖ − qₖ₋ₘ)/qₖ < m·tolerance.
    case quadraticProgress(tolerance: Double)
  }

  /// When to stop.
  public var stoppingRule: StoppingRule
  /// The largest number of steps.
  public var maximumIterations: Int

  /// A solver; the default asks for two digits, which is what an optimiser's step needs.
  public init(
    stoppingRule: StoppingRule = .rightHandSide(tolerance: 1e-2), maximumIterations: Int = 100
  ) {
    precondition(
      maximumIterations >= 0, "conjugate gradient: \(maximumIterations) iterations allowed")
    self.stoppingRule = stoppingRule
    self.maximumIterations = maximumIterations
  }

  /// Solves A·x = b from a start (zero unless given); the preconditioner applies M⁻¹.
  ///
  /// The stopping rule is asked before the first step too, so a start that is good enough takes
  /// none. Nothing is thrown: the status says how the iteration ended, and the value is the
  /// last finite iterate (or the start, if that or b is not finite).
  public func solve(
    _ op: some LinearOperator, _ b: Vector, start: Vector? = nil,
    preconditioner: (any LinearOperator)? = nil
  ) -> IterativeSolution {
    let n = b.count
    precondition(
      op.rowCount == n && op.columnCount == n,
      "conjugate gradient: operator \(op.rowCount) × \(op.columnCount), right-hand side \(n)")
    precondition(
      start == nil || start?.count == n,
      "conjugate gradient: start of \(start?.count ?? 0) entries, right-hand side \(n)")
    precondition(
      preconditioner == nil || (preconditioner?.rowCount == n && preconditioner?.columnCount == n),
      "conjugate gradient: the preconditioner is not \(n) × \(n)")
    let target = b.norm
    if target == 0 {
      return IterativeSolution(
        value: .zero(n), status: .zeroRightHandSide, iterations: 0, residualNorms: [0])
    }

    var x = start ?? .zero(n)
    var r = start == nil ? b : b - op.apply(x)
    var residualNorms = [r.norm]
    func finish(_ status: IterativeSolution.Status) -> IterativeSolution {
      IterativeSolution(
        value: x, status: status, iterations: residualNorms.count - 1,
        residualNorms: residualNorms)
    }
    guard target.isFinite, residualNorms[0].isFinite else { return finish(.notFinite) }
    if residualNorms[0] == 0 { return finish(.converged) }

    // The residual is carried divided by a power of two near its first norm, which changes no bit
    // of the result but keeps its squares in range for right-hand sides such as 1e-200.
    let scale = Double(
      sign: .plus, exponent: max(-1000, min(1000, residualNorms[0].exponent)), significand: 1)
    r = (1 / scale) * r
    var p = r
    var rho = 0.0
    // q(xₖ) = −½ xₖᵀ(b + rₖ), also divided by the scale; only its ratios matter.
    var progress: [Double] = []
    while true {
      let step = residualNorms.count - 1
      let residual = residualNorms[step]
      let isGoodEnough: Bool
      switch stoppingRule {
      case .rightHandSide(let tolerance): isGoodEnough = residual <= tolerance * target
      case .firstResidual(let tolerance): isGoodEnough = residual <= tolerance * residualNorms[0]
      case .quadraticProgress(let tolerance):
        progress.append(-0.5 * (x.dot(r) + x.dot((1 / scale) * b)))
        isGoodEnough = hasStalled(progress, tolerance)
      }
      if isGoodEnough || residual == 0 { return finish(.converged) }
      if step == maximumIterations { return finish(.iterationLimit) }

      let z = preconditioner?.apply(r) ?? r
      let nextRho = r.dot(z)
      guard nextRho.isFinite else { return finish(.notFinite) }
      guard nextRho > 0 else { return finish(.nonpositiveCurvature) }
      p = step == 0 ? z : z + (nextRho / rho) * p
      rho = nextRho
      let q = op.apply(p)
      let curvature = p.dot(q)
      guard curvature.isFinite else { return finish(.notFinite) }
      guard curvature > 0 else { return finish(.nonpositiveCurvature) }
      let alpha = rho / curvature
      var next = x
      next.add(alpha * scale, times: p)
      r.add(-alpha, times: q)
      let norm = scale * r.norm
      guard norm.isFinite, next.norm.isFinite else { return finish(.notFinite) }
      x = next
      residualNorms.append(norm)
    }
  }

  private func hasStalled(_ progress: [Double], _ tolerance: Double) -> Bool {
    let step = progress.count - 1
    let gap = max(10, (step + 9) / 10)
    guard step > gap, progress[step] < 0 else { return false }
    return (progress[step] - progress[step - gap]) / progress[step] < Double(gap) * tolerance
  }
}
