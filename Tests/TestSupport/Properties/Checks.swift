import DenseAlgebra

/// One comparison of a property on one case: what was measured and the limit it has.
public struct Measurement: Sendable, CustomStringConvertible {
  /// Whether the measured number must not exceed the limit, or must reach it.
  public enum Bound: Sendable { case atMost, atLeast }

  public let name: String
  public let measured: Double
  public let limit: Double
  public let bound: Bound
  /// What else a reader needs: the worst entry and both values.
  public let detail: String

  public var holds: Bool {
    switch bound {
    case .atMost: measured <= limit  // a NaN does not hold
    case .atLeast: measured >= limit
    }
  }

  /// How much of the limit was used: above 1 the claim fails, and a NaN counts as infinite.
  public var use: Double {
    if measured.isNaN { return .infinity }
    switch bound {
    case .atMost: return limit == 0 ? (measured <= 0 ? 0 : .infinity) : measured / limit
    case .atLeast: return measured == 0 ? .infinity : limit / measured
    }
  }

  public var description: String {
    let relation = bound == .atMost ? "at most" : "at least"
    return
      "\(name.isEmpty ? "" : name + ": ")\(detail)measured \(measured), limit \(relation) \(limit)"
  }
}

/// Collects the comparisons of one case; nothing is reported before the case has been made small.
public struct Checks: Sendable {
  public private(set) var measurements: [Measurement] = []

  public init() {}

  public var holds: Bool { measurements.allSatisfy(\.holds) }

  private mutating func add(
    _ name: String, _ measured: Double, _ bound: Measurement.Bound, _ limit: Double,
    _ detail: String
  ) {
    measurements.append(
      Measurement(name: name, measured: measured, limit: limit, bound: bound, detail: detail))
  }

  /// Equality to round-off: a residual ratio ‖r‖/(n‖A‖ε) within its limit.
  public mutating func ratio(_ ratio: Ratio, atMost limit: Double = 30, _ name: String = "") {
    add(name, ratio.value, .atMost, limit, "\(ratio); ")
  }

  /// actual = expected as residual ratio, relative to `scale` (‖expected‖₁ unless given).
  public mutating func equal(
    _ actual: Matrix, _ expected: Matrix, scale: Double? = nil, atMost limit: Double = 30,
    _ name: String = ""
  ) {
    let size = max(expected.rowCount, expected.columnCount)
    ratio(
      Ratio(actual, against: expected, size: size, scale: scale ?? LAPACK.norm1(expected)),
      atMost: limit, name)
  }

  /// actual = expected as residual ratio, relative to `scale` (‖expected‖₁ unless given).
  public mutating func equal(
    _ actual: Vector, _ expected: Vector, scale: Double? = nil, atMost limit: Double = 30,
    _ name: String = ""
  ) {
    equal(Matrix(column: actual), Matrix(column: expected), scale: scale, atMost: limit, name)
  }

  /// Two numbers equal to round-off: |actual − expected| / (size · scale · ε), scale = |expected|
  /// unless given, within the limit.
  public mutating func equal(
    _ actual: Double, _ expected: Double, size: Int = 1, scale: Double? = nil,
    atMost limit: Double = 30, _ name: String = ""
  ) {
    ratio(
      Ratio(
        Matrix(column: Vector([actual])), against: Matrix(column: Vector([expected])), size: size,
        scale: scale ?? expected.magnitude), atMost: limit, name)
  }

  /// smaller ≤ larger up to round-off: (smaller − larger)/(size · scale · ε) within the limit; 0 where
  /// the inequality holds outright.
  public mutating func atMost(
    _ smaller: Double, _ larger: Double, size: Int = 1, scale: Double? = nil,
    limit: Double = 30, _ name: String = ""
  ) {
    let excess = smaller - larger
    let unit = Double(max(size, 1)) * (scale ?? larger.magnitude) * .ulpOfOne
    add(name, excess <= 0 ? 0 : excess / unit, .atMost, limit, "\(smaller) ≤ \(larger); ")
  }

  /// A measured number within a limit that the theorem states (an error against its bound, an order
  /// of convergence, a z-score).
  public mutating func bounded(_ measured: Double, atMost limit: Double, _ name: String = "") {
    add(name, measured, .atMost, limit, "")
  }

  /// A measured number that must reach a limit.
  public mutating func bounded(_ measured: Double, atLeast limit: Double, _ name: String = "") {
    add(name, measured, .atLeast, limit, "")
  }

  /// The relative distance ‖a − b‖/max(‖a‖, ‖b‖) (Frobenius) is at least `relative`.
  public mutating func different(
    _ a: Matrix, _ b: Matrix, relative: Double = 1e-3, _ name: String = ""
  ) {
    let scale = max(LAPACK.dlange(a, .frobenius), LAPACK.dlange(b, .frobenius))
    let distance = LAPACK.dlange(a - b, .frobenius)
    add(name, scale == 0 ? 0 : distance / scale, .atLeast, relative, "relative distance; ")
  }

  /// The same for vectors.
  public mutating func different(
    _ a: Vector, _ b: Vector, relative: Double = 1e-3, _ name: String = ""
  ) {
    different(Matrix(column: a), Matrix(column: b), relative: relative, name)
  }

  /// A fact without a number: equal bits, a count, a refusal. Recorded as 0 (holds) or 1.
  public mutating func holds(_ fact: Bool, _ name: String) {
    add(name, fact ? 0 : 1, .atMost, 0, "")
  }
}
