/// How a norm goes over the records of a training run: rapid changes first, then a level.
public struct NormCourse: Equatable, Sendable {
  /// How many of the first intervals count as the beginning.
  public static let firstIntervals = 5
  /// The beginning changes at least so many times as fast as the second half.
  public static let leastRatio = 2.0
  /// Between the third and the last quarter the mean changes by at most this share.
  public static let mostDrift = 0.25

  /// |nₖ − nₖ₋₁| / nₖ₋₁ of each interval.
  public let changes: [Double]
  /// The change of the first interval.
  public let first: Double
  /// The median change of the first five intervals.
  public let early: Double
  /// The median change of the intervals of the second half.
  public let late: Double
  /// How far the mean of the last quarter lies from that of the third, as a share of it.
  public let drift: Double
  /// The first record from which every mean of five records stays within 25 % of the last quarter's mean.
  public let settledAt: Int

  /// Judges norms in the order of time; at least eight records.
  public init(_ norms: [Double]) {
    precondition(norms.count >= 8, "a course of \(norms.count) norms; at least 8 were expected")
    let count = norms.count
    changes = zip(norms, norms.dropFirst()).map { abs($1 - $0) / $0 }
    first = changes[0]
    early = Quantiles.median(Array(changes.prefix(NormCourse.firstIntervals)))
    late = Quantiles.median(Array(changes.suffix(changes.count / 2)))
    let third = Quantiles.mean(Array(norms[count / 2..<3 * count / 4]))
    let last = Quantiles.mean(Array(norms[(3 * count / 4)...]))
    drift = abs(last - third) / third
    var settled = 0
    for start in 0...count - 5 {
      let mean = Quantiles.mean(Array(norms[start..<start + 5]))
      if !(abs(mean - last) <= NormCourse.mostDrift * last) { settled = start + 1 }
    }
    settledAt = settled
  }

  /// "changes rapidly in the first few iterations", read as five intervals.
  public var isRapidFirst: Bool { early >= NormCourse.leastRatio * late }
  /// The same, read as the first interval alone.
  public var isRapidAtOnce: Bool { first >= NormCourse.leastRatio * late }
  /// "then tends to be stable".
  public var isStableLater: Bool { drift <= NormCourse.mostDrift }
  /// Both, over five intervals.
  public var isAsStated: Bool { isRapidFirst && isStableLater }
  /// Both, over the first interval.
  public var isAsStatedAtOnce: Bool { isRapidAtOnce && isStableLater }
}
