/// The two curves of the split selection, and the size at which they meet.
///
/// The retained fraction of the factors rises with the split size d, the normalized performance p₁/p_d
/// falls; the listed size closest to their crossing is chosen.
/// Reference: THOR paper, Eq. 12 and Figure 5; the specification, section 7.6.
public struct SplitTradeOff: Equatable, Sendable {
  /// How the curves run between the listed sizes.
  public enum Interpolation: String, CaseIterable, Sendable {
    /// Straight lines over d.
    case lines
    /// Cubic splines (not-a-knot) over the place in the list, mapped back to d by straight lines.
    case indexSpline = "index-spline"
  }

  /// Where the curves cross, and the listed size that is chosen there.
  public struct Choice: Equatable, Sendable {
    /// d at the crossing.
    public let position: Double
    /// The common value of both curves.
    public let height: Double
    /// The listed size with the least |d − position|, the larger one of two.
    public let size: Int
  }

  /// The split sizes d, ascending.
  public let sizes: [Int]
  public let retainedFraction: [Double]
  public let performance: [Double]

  /// Three lists of one length, sizes ascending.
  public init(sizes: [Int], retainedFraction: [Double], performance: [Double]) {
    precondition(
      sizes.count == retainedFraction.count && sizes.count == performance.count,
      "\(sizes.count) sizes, \(retainedFraction.count) fractions, \(performance.count) performances"
    )
    precondition(
      zip(sizes, sizes.dropFirst()).allSatisfy { $0 < $1 }, "sizes must ascend, got \(sizes)")
    self.sizes = sizes
    self.retainedFraction = retainedFraction
    self.performance = performance
  }

  /// The curves at the sizes that were both tried and timed; p₁ is the time of the first of the list.
  public init(_ retention: SplitRetention, _ times: InversionTimes) {
    let fractions = Dictionary(uniqueKeysWithValues: zip(retention.sizes, retention.fractions))
    let both = times.sizes.indices.filter { fractions[times.sizes[$0]] != nil }
    let performance = Self.performance(times.seconds)
    self.init(
      sizes: both.map { times.sizes[$0] },
      retainedFraction: both.compactMap { fractions[times.sizes[$0]] },
      performance: both.map { performance[$0] })
  }

  /// Eq. 12: p₁/p_d for the times p_d of inverting one d × d matrix, the first of them p₁.
  public static func performance(_ times: [Double]) -> [Double] {
    precondition(times.allSatisfy { $0 > 0 }, "times must be positive, got \(times)")
    return times.map { times[0] / $0 }
  }

  /// The first place where the retained fraction reaches the performance, and the size chosen there.
  ///
  /// Nil where it stays below: then no listed size is fast enough for what it keeps.
  public func choice(_ interpolation: Interpolation = .lines) -> Choice? {
    let gap = zip(retainedFraction, performance).map { $0 - $1 }
    guard let end = gap.firstIndex(where: { $0 >= 0 }) else { return nil }
    if end == 0 { return choice(at: 0, height: retainedFraction[0]) }
    let start = end - 1
    let t: Double
    let height: Double
    switch interpolation {
    case .lines:
      t = -gap[start] / (gap[end] - gap[start])
      height = (1 - t) * retainedFraction[start] + t * retainedFraction[end]
    case .indexSpline:
      // A spline is linear in its data: the difference of two is the spline of the differences.
      let spline = IndexSpline(gap)
      t = bisect { spline.value(at: Double(start) + $0) }
      height = IndexSpline(retainedFraction).value(at: Double(start) + t)
    }
    return choice(at: Double(start) + t, height: height)
  }

  /// The choice at a place in the list: 2.5 is halfway between the third size and the fourth.
  private func choice(at place: Double, height: Double) -> Choice {
    let start = min(Int(place), max(0, sizes.count - 2))
    let (low, high) = (Double(sizes[start]), Double(sizes[min(start + 1, sizes.count - 1)]))
    let position = low + (place - Double(start)) * (high - low)
    return Choice(
      position: position, height: height, size: Self.closest(to: position, among: sizes))
  }

  /// The size with the least |d − x|; of two equally close ones the larger. `sizes` must ascend.
  public static func closest(to x: Double, among sizes: [Int]) -> Int {
    precondition(!sizes.isEmpty, "closest: there is no size")
    return sizes.reversed().min { abs(Double($0) - x) < abs(Double($1) - x) } ?? sizes[0]
  }

  /// The zero in 0 … 1 of a continuous function that is negative at 0 and not negative at 1.
  private func bisect(_ f: (Double) -> Double) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if f(middle) < 0 { low = middle } else { high = middle }
    }
    return high
  }
}
