/// The printed measurements behind a published choice of the split size.
///
/// Reference: THOR paper, Table 1; the specification, section 7.6.
public struct PublishedSplitTable: Equatable, Sendable {
  /// Which numbers a curve is drawn from.
  public enum Rows: String, CaseIterable, Sendable {
    /// The printed normalized rows.
    case printed
    /// Counts over the number of factors, and the printed times through Eq. 12.
    case recomputed
  }

  /// The split sizes d.
  public let sizes: [Int]
  /// How many factors have L_d < 1 %.
  public let counts: [Int]
  /// The number of factors.
  public let factorCount: Int
  /// The time to invert one d × d matrix, printed in whole microseconds.
  public let microseconds: [Int]
  /// "normalized loss of matrix", which is the retained fraction, printed to four digits.
  public let retainedFraction: [Double]
  /// "normalized performance", printed to four digits.
  public let performance: [Double]

  /// A table of lists of one length; the first time is p₁.
  public init(
    sizes: [Int], counts: [Int], factorCount: Int, microseconds: [Int], retainedFraction: [Double],
    performance: [Double]
  ) {
    let lengths = [counts.count, microseconds.count, retainedFraction.count, performance.count]
    precondition(
      !sizes.isEmpty && lengths.allSatisfy { $0 == sizes.count },
      "\(sizes.count) sizes, rows of \(lengths)")
    self.sizes = sizes
    self.counts = counts
    self.factorCount = factorCount
    self.microseconds = microseconds
    self.retainedFraction = retainedFraction
    self.performance = performance
  }

  /// Table 1: the 54 factors A of ResNet-50, on Ascend 910.
  public static let resNet50OnAscend910 = PublishedSplitTable(
    sizes: SplitSizes.powersOfTwo,
    counts: [4, 4, 5, 9, 13, 23, 32, 46, 48], factorCount: 54,
    microseconds: [35, 59, 83, 121, 212, 534, 1418, 3738, 9824],
    retainedFraction: [
      0.0741, 0.0741, 0.0926, 0.1667, 0.2407, 0.4259, 0.5926, 0.8519, 0.8889,
    ],
    performance: [1, 0.6014, 0.4276, 0.2939, 0.1669, 0.0664, 0.0250, 0.0095, 0.0036])

  /// The crossing that the paper states for Table 1, and the size that it chooses.
  public static let statedChoice = (position: 106.0, height: 0.21, size: 128)

  /// The two curves of the table.
  public func tradeOff(_ rows: Rows = .printed) -> SplitTradeOff {
    switch rows {
    case .printed:
      SplitTradeOff(sizes: sizes, retainedFraction: retainedFraction, performance: performance)
    case .recomputed:
      SplitTradeOff(
        sizes: sizes, retainedFraction: counts.map { Double($0) / Double(factorCount) },
        performance: SplitTradeOff.performance(microseconds.map(Double.init)))
    }
  }

  /// The times p₁, in microseconds, that reproduce every printed p₁/p_d, given that times were rounded to
  /// whole microseconds and ratios to four digits; nil where none does.
  ///
  /// The intersection over d of [(q − ½·10⁻⁴)(t − ½), (q + ½·10⁻⁴)(t + ½)], and of t₁ ± ½.
  public var firstTimeInterval: ClosedRange<Double>? {
    var low = Double(microseconds[0]) - 0.5
    var high = Double(microseconds[0]) + 0.5
    for (time, ratio) in zip(microseconds, performance).dropFirst() {
      low = max(low, (ratio - 0.5e-4) * (Double(time) - 0.5))
      high = min(high, (ratio + 0.5e-4) * (Double(time) + 0.5))
    }
    return low <= high ? low...high : nil
  }
}
