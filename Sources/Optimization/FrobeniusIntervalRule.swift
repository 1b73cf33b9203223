import DenseAlgebra

/// SP-NGD's rule for the age of a statistic: the interval to its next refresh from its last changes.
///
/// X is similar to X′ when ‖X − X′‖_F/‖X′‖_F < α. With Δ₋₁ and Δ₋₂ the last two intervals the next is
/// max(1, ⌊Δ₋₁/2⌋) if X is not similar to X₋₁, Δ₋₁ if it is similar to X₋₁ but not to X₋₂, and Δ₋₁ + Δ₋₂
/// if to both. Unlike a trace, the norm sees rotations. Stated from memory of Osawa et al. 2020 in the
/// specification, section 8.8, and not checked against the paper.
public struct FrobeniusIntervalRule: Equatable, Sendable {
  /// α.
  public let threshold: Double

  /// Throws one sentence unless the threshold is positive.
  public init(threshold: Double = 0.1) throws(OptimizationError) {
    guard threshold > 0, threshold.isFinite else {
      throw OptimizationError(
        "the similarity threshold is \(threshold); a positive number was expected: try 0.1.")
    }
    self.threshold = threshold
  }

  /// Whether a statistic changed by less than the threshold, relative to the old one.
  public func isSimilar(_ new: Matrix, _ old: Matrix) -> Bool {
    (new - old).frobeniusNorm < threshold * old.frobeniusNorm
  }
}

/// One statistic under a `FrobeniusIntervalRule`: its last two values and intervals.
public struct AgedStatistic: Equatable, Sendable {
  /// X₋₁, the value in use.
  public internal(set) var value: Matrix?
  /// X₋₂.
  public internal(set) var previous: Matrix?
  /// Δ₋₁, the steps until the next refresh.
  public internal(set) var interval = 1
  /// Δ₋₂.
  public internal(set) var previousInterval = 1
  /// The step at which it is refreshed next.
  public internal(set) var due = 0

  public init() {}

  /// Takes a fresh value at a step and sets when the next one is due.
  public mutating func refresh(_ new: Matrix, atStep step: Int, _ rule: FrobeniusIntervalRule) {
    var next = 1
    if let value {
      if !rule.isSimilar(new, value) {
        next = max(1, interval / 2)
      } else if let previous, rule.isSimilar(new, previous) {
        next = interval + previousInterval
      } else {
        next = interval
      }
    }
    previous = value
    value = new
    previousInterval = interval
    interval = next
    due = step + next
  }

  mutating func exchange(_ archive: inout Archive, _ name: String, size: Int)
    throws(OptimizationError)
  {
    try archive.matrix("\(name).value", &value, rows: size, columns: size)
    try archive.matrix("\(name).previous", &previous, rows: size, columns: size)
    try archive.count("\(name).interval", &interval)
    try archive.count("\(name).previous-interval", &previousInterval)
    try archive.count("\(name).due", &due)
  }
}
