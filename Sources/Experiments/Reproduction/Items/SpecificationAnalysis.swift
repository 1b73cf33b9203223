import Foundation

/// What the readings of the specification curve say together.
public enum SpecificationAnalysis {
  /// Shares of readings.
  public struct Shares: Equatable, Sendable {
    public let count: Int
    /// 3–7 % after 10 iterations; 0.5–2 % after 50; both; halved or less.
    public let five, one, both, halved: Double

    public init(_ readings: [SpecificationReading]) {
      count = readings.count
      let total = Double(max(count, 1))
      five = Double(readings.count(where: \.isFive)) / total
      one = Double(readings.count(where: \.isOne)) / total
      both = Double(readings.count(where: \.isBoth)) / total
      halved = Double(readings.count(where: \.isHalved)) / total
    }
  }

  /// What is explained.
  public enum Outcome: String, CaseIterable, Sendable {
    case at10 = "log error after 10"
    case at50 = "log error after 50"
    case ratio = "log of 50 over 10"

    /// The number of a reading; nil where an error is zero.
    public func value(_ reading: SpecificationReading) -> Double? {
      switch self {
      case .at10: reading.at10 > 0 ? log(reading.at10) : nil
      case .at50: reading.at50 > 0 ? log(reading.at50) : nil
      case .ratio:
        reading.at10 > 0 && reading.at50 > 0 ? log(reading.at50 / reading.at10) : nil
      }
    }
  }

  /// η² of one choice: the share of the variance that lies between the means of its levels.
  ///
  /// η² = Σ_g n_g (m_g − m)² / Σ (x − m)², one-way. Zero where nothing varies. The shares of different
  /// choices add up to at most 1 in a balanced crossing; what is missing is their interplay.
  public static func explained(
    _ readings: [SpecificationReading], by choice: SpecificationChoices.Choice, _ outcome: Outcome
  ) -> Double {
    var groups: [Int: (sum: Double, count: Int)] = [:]
    var values: [Double] = []
    for reading in readings {
      guard let value = outcome.value(reading) else { continue }
      values.append(value)
      let old = groups[reading.level(of: choice)] ?? (0, 0)
      groups[reading.level(of: choice)] = (old.sum + value, old.count + 1)
    }
    guard !values.isEmpty else { return 0 }
    let mean = Quantiles.mean(values)
    let total = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    // In the order of levels: dictionaries have none, and sums depend on it.
    let between = groups.keys.sorted().reduce(0.0) { sum, key in
      guard let group = groups[key] else { return sum }
      let difference = group.sum / Double(group.count) - mean
      return sum + Double(group.count) * difference * difference
    }
    return total > 0 ? between / total : 0
  }

  /// Readings that agree in everything but the seed and the norm, for one line of a table.
  static func cells(_ readings: [SpecificationReading]) -> [(
    levels: [UInt8], byNorm: [Int: [SpecificationReading]]
  )] {
    var order: [[UInt8]] = []
    var cells: [[UInt8]: [Int: [SpecificationReading]]] = [:]
    let norm = SpecificationChoices.Choice.norm.rawValue
    for reading in readings {
      let key = Array(reading.levels.prefix(norm))
      if cells[key] == nil { order.append(key) }
      cells[key, default: [:]][reading.level(of: .norm), default: []].append(reading)
    }
    return order.sorted { $0.lexicographicallyPrecedes($1) }.map { ($0, cells[$0] ?? [:]) }
  }
}
