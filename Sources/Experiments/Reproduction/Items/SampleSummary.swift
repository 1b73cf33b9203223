/// The mean, the quantiles and the range of repeated measurements.
public struct SampleSummary: Equatable, Sendable {
  private let ascending: [Double]

  /// Nil where there is no finite value; values that are not finite are left out.
  public init?(_ values: [Double]) {
    ascending = values.filter(\.isFinite).sorted()
    if ascending.isEmpty { return nil }
  }

  public var count: Int { ascending.count }
  public var mean: Double { ascending.reduce(0, +) / Double(ascending.count) }
  public var median: Double { quantile(0.5) }
  public var least: Double { ascending[0] }
  public var greatest: Double { ascending[ascending.count - 1] }

  /// The value below which a share of the sample lies, straight lines between the order statistics.
  public func quantile(_ share: Double) -> Double {
    Quantiles.quantile(share, ofSorted: ascending)
  }
}
