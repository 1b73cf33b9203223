/// Spearman's rank correlation: Pearson's correlation of the ranks, ties sharing their mean rank.
///
/// ρ = Σ (rᵢ − r̄)(sᵢ − s̄) / (Σ (rᵢ − r̄)² Σ (sᵢ − s̄)²)^½. Without ties this is 1 − 6 Σ d² / (n³ − n).
/// Reference: Spearman 1904, doi 10.2307/1412159; ties as in Kendall, Rank Correlation Methods, ch. 3.
public enum RankCorrelation {
  /// The ranks 1…n in ascending order; equal values share the mean of their places.
  public static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      // The places start + 1 … end have the mean (start + 1 + end) / 2.
      for place in start..<end { ranks[order[place]] = Double(start + 1 + end) / 2 }
      start = end
    }
    return ranks
  }

  /// ρ of two lists of finite numbers; nil where there are fewer than two, or one side is constant.
  public static func spearman(_ x: [Double], _ y: [Double]) -> Double? {
    precondition(x.count == y.count, "a correlation of \(x.count) with \(y.count) values")
    guard x.count >= 2 else { return nil }
    let mean = Double(x.count + 1) / 2
    let (r, s) = (ranks(x).map { $0 - mean }, ranks(y).map { $0 - mean })
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let (rr, ss) = (dot(r, r), dot(s, s))
    guard rr > 0, ss > 0 else { return nil }
    return dot(r, s) / (rr * ss).squareRoot()
  }
}
