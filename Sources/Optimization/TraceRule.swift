import Curvature
import DenseAlgebra

/// THOR's rule for refreshing a layer: the relative change Δ of a trace, and two thresholds.
///
/// Δ = |tr(Fᵏ + λI) − tr(Fᵏ⁻¹ + λI)| / |tr(Fᵏ⁻¹ + λI)|; update above ω₁, keep from ω₂ to ω₁, stop below
/// ω₂. λI cancels above the line and adds λ d_A d_G below it, so the thresholds are not scale-free, and
/// lowering λ in fact raises Δ while a large λ stops every layer. Reference: THOR paper, Eqs. 8 and 9;
/// the specification, sections 7.2 and 7.3.
public struct TraceRule: Equatable, Sendable {
  /// Which trace Eq. 8 means.
  public enum Reading: String, CaseIterable, Codable, Sendable {
    /// a, the literal one: tr A tr G + λ d_A d_G.
    case product = "a"
    /// b: (tr A + λ d_A)(tr G + λ d_G), as Eq. 6 damps.
    case dampedFactors = "b"
    /// c: A and G each by itself, the larger change of the two.
    case eachFactor = "c"
    /// d: the trace of the exact block, E‖ā‖²‖g‖².
    case exactBlock = "d"
    /// e: a without λ.
    case undamped = "e"
  }

  /// What Fᵏ⁻¹ is.
  public enum Reference: String, CaseIterable, Codable, Sendable {
    /// The last accepted statistics, since "do not update" sets Fᵏ = Fᵏ⁻¹.
    case lastAccepted = "last-accepted"
    /// The last computed ones, accepted or not: blind to slow drift (mistake M-62).
    case lastComputed = "last-computed"
  }

  /// What happens to a layer at a test.
  public enum Outcome: String, CaseIterable, Codable, Sendable {
    /// The new statistics are accepted, split and inverted.
    case update
    /// The new statistics are discarded; the layer is tested again.
    case keep
    /// The new statistics are discarded, and the layer is never tested again.
    case stop
  }

  /// ω₁: a larger Δ updates.
  public let updateAbove: Double
  /// ω₂: a smaller Δ stops.
  public let stopBelow: Double
  public let reading: Reading
  public let reference: Reference

  /// Throws one sentence unless 0 ≤ ω₂ ≤ ω₁.
  public init(
    updateAbove ω1: Double, stopBelow ω2: Double, reading: Reading = .product,
    reference: Reference = .lastAccepted
  ) throws(OptimizationError) {
    for (name, value) in [("ω₁", ω1), ("ω₂", ω2)] where !(value >= 0 && value.isFinite) {
      throw OptimizationError(
        "\(name) is \(value); a finite threshold of at least 0 was expected: change it.")
    }
    guard ω2 <= ω1 else {
      throw OptimizationError(
        "ω₁ is \(ω1) and ω₂ is \(ω2); ω₂ must not exceed ω₁, since a layer updates above ω₁ and stops "
          + "below ω₂: swap them? Give the larger one as ω₁.")
    }
    self.init(unchecked: ω1, ω2, reading, reference)
  }

  private init(
    unchecked ω1: Double, _ ω2: Double, _ reading: Reading = .product,
    _ reference: Reference = .lastAccepted
  ) {
    self.updateAbove = ω1
    self.stopBelow = ω2
    self.reading = reading
    self.reference = reference
  }

  /// (0.01, 0): updates or keeps, never stops.
  public static let thor = TraceRule(unchecked: 0.01, 0)
  /// (0.01, 0.001): may freeze layers.
  public static let thorStop = TraceRule(unchecked: 0.01, 0.001)
  /// (0, 0): updates unless the traces are exactly equal.
  public static let thorNT = TraceRule(unchecked: 0, 0)

  /// The decision for a change Δ; a Δ that is not a number updates.
  public func outcome(_ change: Double) -> Outcome {
    if change.isNaN || change > updateAbove { return .update }
    return change < stopBelow ? .stop : .keep
  }

  /// Δ from one set of traces to the next, both with the current λ.
  public func change(from old: LayerTraces, to new: LayerTraces, lambda: Double) -> Double {
    TraceRule.change(from: old, to: new, lambda: lambda, reading: reading)
  }

  /// Eq. 8 under a reading; NaN where it is 0/0.
  public static func change(
    from old: LayerTraces, to new: LayerTraces, lambda λ: Double, reading: Reading
  ) -> Double {
    func relative(_ new: Double, _ old: Double) -> Double { abs(new - old) / abs(old) }
    let (dA, dG) = (Double(old.sizeA), Double(old.sizeG))
    switch reading {
    case .product, .undamped, .exactBlock:
      let shift = reading == .undamped ? 0 : λ * dA * dG
      let (before, after) =
        reading == .exactBlock ? (old.block, new.block) : (old.a * old.g, new.a * new.g)
      // λI cancels in the numerator.
      return abs(after - before) / abs(before + shift)
    case .dampedFactors:
      return relative(
        (new.a + λ * dA) * (new.g + λ * dG), (old.a + λ * dA) * (old.g + λ * dG))
    case .eachFactor:
      let ofA = relative(new.a + λ * dA, old.a + λ * dA)
      let ofG = relative(new.g + λ * dG, old.g + λ * dG)
      return ofA.isNaN || ofG.isNaN ? .nan : max(ofA, ofG)
    }
  }
}

/// The traces of one layer's curvature, all that Eq. 8 looks at.
public struct LayerTraces: Equatable, Sendable {
  /// tr A.
  public let a: Double
  /// tr G.
  public let g: Double
  /// tr F of the exact block; NaN where it was not computed.
  public let block: Double
  /// d_A.
  public let sizeA: Int
  /// d_G.
  public let sizeG: Int

  public init(a: Double, g: Double, block: Double = .nan, sizeA: Int, sizeG: Int) {
    self.a = a
    self.g = g
    self.block = block
    self.sizeA = sizeA
    self.sizeG = sizeG
  }

  /// The traces of factors; the exact block's too where its samples are given.
  public init(_ factors: KFACFactors, block samples: LayerSamples? = nil) {
    self.init(
      a: factors.a.trace, g: factors.g.trace,
      block: samples.map {
        $0.secondMoments(inputBasis: nil, outputBasis: nil).storage.reduce(0, +)
      } ?? .nan,
      sizeA: factors.a.rowCount, sizeG: factors.g.rowCount)
  }
}

/// One test of one layer: what was seen, what was decided, and why.
public struct RefreshDecision: Equatable, Sendable {
  public let step: Int
  public let layer: String
  /// Δ; NaN where there was nothing to compare with.
  public let change: Double
  public let outcome: TraceRule.Outcome
  public let reason: String

  /// The reasons there are.
  public static let reasons = ["first test", "Δ is 0/0", "Δ > ω₁", "ω₂ ≤ Δ ≤ ω₁", "Δ < ω₂"]

  public init(
    step: Int, layer: String, change: Double, outcome: TraceRule.Outcome, reason: String
  ) {
    self.step = step
    self.layer = layer
    self.change = change
    self.outcome = outcome
    self.reason = reason
  }
}

/// Eq. 9 as a state machine of one layer.
///
/// `active` → update (accept, new reference), keep (discard, still active) or stop (discard, never
/// tested again). Reference: the specification, section 7.3.
public struct TraceState: Equatable, Sendable {
  /// The traces that the next ones are compared with.
  public internal(set) var reference: LayerTraces?
  /// Whether the layer was stopped, for good.
  public internal(set) var isStopped = false

  public init() {}

  /// Decides on new traces at a test; a stopped layer answers nothing.
  public mutating func test(_ new: LayerTraces, _ rule: TraceRule, lambda: Double) -> (
    change: Double, outcome: TraceRule.Outcome, reason: String
  )? {
    if isStopped { return nil }
    guard let old = reference else {
      reference = new
      return (.nan, .update, RefreshDecision.reasons[0])
    }
    // lesson: trace-state
    let change = rule.change(from: old, to: new, lambda: lambda)
    let outcome = rule.outcome(change)
    if outcome == .update || rule.reference == .lastComputed { reference = new }
    isStopped = outcome == .stop
    // end lesson
    let reason =
      switch outcome {
      case .update: RefreshDecision.reasons[change.isNaN ? 1 : 2]
      case .keep: RefreshDecision.reasons[3]
      case .stop: RefreshDecision.reasons[4]
      }
    return (change, outcome, reason)
  }
}
