/// Order statistics of measured numbers.
public enum Quantiles {
  /// The p-quantile by linear interpolation between the order statistics; NaN of nothing.
  ///
  /// At position p (n − 1), as NumPy's default; p = 0.5 is the median.
  public static func quantile(_ p: Double, of values: [Double]) -> Double {
    precondition(p >= 0 && p <= 1, "a quantile of order \(p); a number from 0 to 1 was expected")
    return quantile(p, ofSorted: values.sorted())
  }

  /// The same of values that are ascending already.
  public static func quantile(_ p: Double, ofSorted sorted: [Double]) -> Double {
    guard let last = sorted.last else { return .nan }
    let position = p * Double(sorted.count - 1)
    let index = Int(position.rounded(.down))
    guard index + 1 < sorted.count else { return last }
    let weight = position - Double(index)
    return weight == 0
      ? sorted[index] : sorted[index] + weight * (sorted[index + 1] - sorted[index])
  }

  /// The middle value; NaN of nothing.
  public static func median(_ values: [Double]) -> Double { quantile(0.5, of: values) }

  /// The mean; NaN of nothing.
  public static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }
}
