import Curvature
import DenseAlgebra
import Networks
import Optimization
import RealModule

/// Cases built so that a rule of THOR is blind, with closed forms where there are any.
public enum ConstructedBlindSpots {
  /// A curvature that turns while all its traces stay: what Δ sees, and what the step loses.
  public struct Rotation: Sendable {
    /// The angle between the old and the new eigenbases.
    public let degrees: Double
    /// The largest Δ of all readings of Eq. 8.
    public let change: Double
    /// What THOR and THOR_stop decide.
    public let thor: TraceRule.Outcome
    public let thorStop: TraceRule.Outcome
    /// ‖F' − F‖ / ‖F'‖ with F = A ⊗ G before and F' after.
    public let matrixChange: Double
    /// The mean of η of the stale step over gradients drawn from N(0, F').
    public let efficiency: Double
  }

  /// Turns 10 × 10 factors with eigenvalues 1 … 10⁻³ so that the large ones take the small ones' place.
  ///
  /// A' = R A Rᵀ with R a rotation by the angle in each plane (eᵢ, e₁₁₋ᵢ), and G' likewise; both damped
  /// by F + λI. At 90° the order of the eigenvalues is reversed. Reference: the specification, 7.2.
  public static func rotation(degrees: Double, lambda: Double, draws: Int, seed: UInt64) throws
    -> Rotation
  {
    let size = 10
    let values = (0..<size).map { Double.pow(10, -3 * Double($0) / Double(size - 1)) }
    let old = Matrix.diagonal(values)
    // In degrees so that the quarter turn is exact: cos 90° is 6e-17 in radians.
    let (cosine, sine) =
      degrees == 90
      ? (0.0, 1.0) : (Double.cos(degrees * .pi / 180), Double.sin(degrees * .pi / 180))
    let turn = Matrix(rowCount: size, columnCount: size) { i, j in
      i == j ? cosine : i + j == size - 1 ? (i < j ? -sine : sine) : 0
    }
    let new = (turn * old).timesTransposed(turn).symmetrized
    let layout = ParameterLayout(
      blocks: [.init(name: "block", rowCount: size, columnCount: size, hasBias: false)])
    func block(_ factor: Matrix) -> KroneckerBlock {
      KroneckerBlock(
        kind: .kfac, layout: layout, a: KroneckerFactor(factor), g: KroneckerFactor(factor))
    }
    // The trace of the exact block is that of A ⊗ G here, so reading d sees the same.
    func traces(_ factor: Matrix) -> LayerTraces {
      LayerTraces(
        a: factor.trace, g: factor.trace, block: factor.trace * factor.trace, sizeA: size,
        sizeG: size)
    }
    let change =
      TraceRule.Reading.allCases.map {
        TraceRule.change(from: traces(old), to: traces(new), lambda: lambda, reading: $0)
      }.max() ?? 0
    let fresh = try block(new).damped(.exact, lambda)
    let stale = try block(old).damped(.exact, lambda)
    let root = turn * Matrix.diagonal(values.map { $0.squareRoot() })
    var generator = SplitMix64(seed: seed)
    let efficiencies = (0..<draws).map { _ in
      // cvec(R^½ Z R^½ᵀ) has the covariance F' = A' ⊗ G' for Z of independent normal entries.
      let normal = Matrix(rowCount: size, columnCount: size) { _, _ in generator.normal() }
      let gradient = ParameterVector(blocks: [(root * normal).timesTransposed(root)])
      let values = DampedReference(fresh, gradient: gradient).metrics(ofStep: stale.solve(gradient))
      return StepStudy.value(.efficiency, in: values) ?? .nan
    }
    let difference = MatrixComparison(
      of: Matrix.kronecker(old, old), with: Matrix.kronecker(new, new))
    return Rotation(
      degrees: degrees, change: change, thor: TraceRule.thor.outcome(change),
      thorStop: TraceRule.thorStop.outcome(change),
      matrixChange: (difference.squaredDifference / difference.squaredReference).squareRoot(),
      efficiency: SampleSummary(efficiencies)?.mean ?? .nan)
  }

  /// Eq. 11 beside the error of the inverse, for one factor and a split size.
  public struct Loss: Sendable {
    /// 1 − λmax(Â) / λmax(A).
    public let spectral: Double
    /// ‖(Â + δI)⁻¹ − (A + δI)⁻¹‖_F / ‖(A + δI)⁻¹‖_F.
    public let inverse: Double
    /// ‖Â − A‖_F / ‖A‖_F.
    public let matrix: Double
  }

  /// Measures a factor's split. Reference: the specification, sections 7.4 and 7.5.
  public static func loss(_ factor: Matrix, split: Int, shift: Double) throws -> Loss {
    let whole = KroneckerFactor(factor)
    let pinched = KroneckerFactor(factor, blockSize: split)
    let largest = try whole.eigendecomposition().values.max() ?? 0
    let kept = try pinched.eigendecomposition().values.max() ?? 0
    let inverse = try DampedFactor(whole, shift: shift, name: "the factor").denseInverse
    let other = try DampedFactor(pinched, shift: shift, name: "the split factor").denseInverse
    return Loss(
      spectral: largest > 0 ? 1 - kept / largest : 0,
      inverse: (other - inverse).frobeniusNorm / inverse.frobeniusNorm,
      matrix: (pinched.dense - factor).frobeniusNorm / factor.frobeniusNorm)
  }

  /// A factor with Eq. 11 = 0 whose split inverse is wrong by the share ρ, or nearly so.
  ///
  /// A = diag(c, pairs) with c large and alone in its split block's top direction, and `pairs` couples
  /// coordinate i of the first block with coordinate i of the second by ρ. A pair's inverse has the
  /// eigenvalues 1/(1 ± ρ), the split's 1, so the relative error of the pairs is exactly ρ.
  public static func blindFactor(half: Int, top: Double, coupling ρ: Double) -> Matrix {
    // The top coordinate is index 0; the pairs are (i, half + i − 1) for i = 1 ….
    Matrix(rowCount: 2 * half, columnCount: 2 * half) { i, j in
      if i == j { return i == 0 || i == half ? top : 1 }
      return abs(i - j) == half && min(i, j) > 0 ? ρ : 0
    }
  }

  /// A trace that grows by a fixed share per test, under one of the two references.
  public struct Drift: Sendable {
    public let rate: Double
    public let reference: TraceRule.Reference
    public let tests: Int
    public let updates: Int
    /// The largest relative distance of the current trace from the accepted one.
    public let largestLag: Double
  }

  /// Follows the rule (ω₁, 0) over some tests; the first, which has nothing to compare with, not counted.
  ///
  /// Reference: the specification, section 7.2, "Which Fᵏ⁻¹?".
  public static func drift(rate: Double, tests: Int, reference: TraceRule.Reference) throws -> Drift
  {
    let rule = try TraceRule(
      updateAbove: 0.01, stopBelow: 0, reading: .undamped, reference: reference)
    var state = TraceState()
    var (trace, accepted, updates, lag) = (1.0, 1.0, 0, 0.0)
    for test in 0...tests {
      if test > 0 { trace *= 1 + rate }
      let traces = LayerTraces(a: trace, g: 1, sizeA: 1, sizeG: 1)
      let result = state.test(traces, rule, lambda: 0)
      if result?.outcome == .update {
        accepted = trace
        if test > 0 { updates += 1 }
      }
      lag = max(lag, trace / accepted - 1)
    }
    return Drift(
      rate: rate, reference: reference, tests: tests, updates: updates, largestLag: lag)
  }
}
