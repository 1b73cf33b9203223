import Foundation

/// How the values of an axis are spread along it.
public enum ScaleKind: Equatable, Sendable { case linear, logarithmic }

/// An interval of values, their places along an axis, and the marks that name them.
public struct AxisScale: Equatable, Sendable {
  /// A labelled mark.
  public struct Tick: Equatable, Sendable {
    public let value: Double
    public let label: String
  }

  public let kind: ScaleKind
  public let lower, upper: Double

  /// An axis over exactly these limits.
  public init(_ kind: ScaleKind, _ limits: ClosedRange<Double>) {
    precondition(
      limits.lowerBound < limits.upperBound && limits.lowerBound.isFinite
        && limits.upperBound.isFinite && (kind == .linear || limits.lowerBound > 0),
      "a \(kind) axis cannot show \(limits)")
    self.kind = kind
    lower = limits.lowerBound
    upper = limits.upperBound
  }

  /// The least axis with round limits over all values that it can show.
  ///
  /// Values that ``admits(_:_:)`` refuses are left out.
  public init(_ kind: ScaleKind, fitting values: [Double]) {
    let shown = values.filter { AxisScale.admits($0, kind) }
    guard let least = shown.min(), let greatest = shown.max() else {
      self.init(kind, kind == .linear ? 0...1 : 0.1...1)
      return
    }
    switch kind {
    case .linear:
      let isFlat = greatest - least <= max(1e-12 * max(abs(least), abs(greatest)), 1e-290)
      let padding = !isFlat ? 0 : abs(least) < 1e-280 ? 1 : abs(least) / 2
      let (low, high) = (least - padding, greatest + padding)
      let step = AxisScale.roundStep(atLeast: (high - low) / 5)
      let first = (low / step + 1e-9).rounded(.down) * step
      let last = (high / step - 1e-9).rounded(.up) * step
      self.init(kind, first...(last > first ? last : first + step))
    case .logarithmic:
      let isLong = log10(greatest / least) > 2
      let low = AxisScale.roundNumber(isLong ? [1] : [1, 2, 5], below: least)
      let high = AxisScale.roundNumber(isLong ? [1] : [1, 2, 5], above: greatest)
      self.init(kind, low < high ? low...high : low / 2...high * 2)
    }
  }

  /// The place of a value along the axis: 0 at the lower limit, 1 at the upper.
  public func position(of value: Double) -> Double {
    switch kind {
    case .linear: (value - lower) / (upper - lower)
    case .logarithmic: log(value / lower) / log(upper / lower)
    }
  }

  /// The value at a place along the axis; the inverse of ``position(of:)``.
  public func value(at position: Double) -> Double {
    switch kind {
    case .linear: lower + (upper - lower) * position
    case .logarithmic: lower * pow(upper / lower, position)
    }
  }

  /// Whether an axis can show a value at all, inside its limits or not: finite, of magnitude up to
  /// 1e300, and on a logarithmic axis at least 1e-300.
  public static func admits(_ value: Double, _ kind: ScaleKind) -> Bool {
    abs(value) <= 1e300 && (kind == .linear || value >= 1e-300)
  }

  func admits(_ value: Double) -> Bool { AxisScale.admits(value, kind) }

  /// At most so many labelled marks within the limits, at round values.
  ///
  /// Linear: multiples of 1, 2 or 5 times a power of ten. Logarithmic: powers of ten, every k-th
  /// where they are many; 1, 2 and 5 times them where there are fewer than three; as on a linear axis
  /// where that leaves less than two.
  public func ticks(atMost count: Int) -> [Tick] {
    kind == .linear ? linearTicks(atMost: max(2, count)) : logarithmicTicks(atMost: max(2, count))
  }

  /// Unlabelled marks of a logarithmic axis at 2…9 times the powers of ten, up to eight decades.
  public var minorTicks: [Double] {
    guard kind == .logarithmic, upper / lower <= 1e8 else { return [] }
    return decades(of: 1...9).map(\.value)
  }

  private func linearTicks(atMost count: Int) -> [Tick] {
    func multiples(_ step: Double) -> (first: Double, last: Double) {
      ((lower / step - 1e-9).rounded(.up), (upper / step + 1e-9).rounded(.down))
    }
    var step = AxisScale.roundStep(atLeast: (upper - lower) / Double(count))
    var (first, last) = multiples(step)
    if Int(last - first) >= count {
      step = AxisScale.roundStep(atLeast: step * 1.5)
      (first, last) = multiples(step)
    }
    if last < first { return [] }
    let values = (0...Int(last - first)).map { (first + Double($0)) * step }
    let largest = max(step, values.map(abs).max() ?? 0)
    let stepExponent = Int(log10(step * 1.0000001).rounded(.down))
    if largest < 1e5 && stepExponent >= -3 {
      return values.map {
        Tick(value: $0, label: NumberText.fixed($0, decimals: max(0, -stepExponent)))
      }
    }
    let exponent = Int(log10(largest * 1.0000001).rounded(.down))
    return values.map {
      if abs($0) < step / 2 { return Tick(value: 0, label: "0") }
      let mantissa = NumberText.fixed(
        $0 / pow(10, Double(exponent)), decimals: max(0, exponent - stepExponent))
      return Tick(value: $0, label: mantissa + "×" + NumberText.powerOfTen(exponent))
    }
  }

  private func logarithmicTicks(atMost count: Int) -> [Tick] {
    let powers = decades(of: 1...1)
    let chosen: [(value: Double, digit: Int, exponent: Int)]
    if powers.count >= 3 {
      let stride = (powers.count + count - 1) / count
      chosen = powers.filter { $0.exponent.isMultiple(of: stride) }
    } else {
      let fine = decades(of: 1...9).filter { [1, 2, 5].contains($0.digit) }
      chosen = fine.count <= count || powers.isEmpty ? fine : powers
    }
    if chosen.count < 2 { return linearTicks(atMost: count) }
    let arePlain = chosen.allSatisfy { (-3...3).contains($0.exponent) }
    return chosen.map { value, digit, exponent in
      let label =
        if arePlain {
          NumberText.fixed(value, decimals: max(0, -exponent))
        } else {
          (digit == 1 ? "" : "\(digit)×") + NumberText.powerOfTen(exponent)
        }
      return Tick(value: value, label: label)
    }
  }

  /// The given digits times all powers of ten within the limits, ascending.
  private func decades(of digits: ClosedRange<Int>) -> [(value: Double, digit: Int, exponent: Int)]
  {
    let first = Int(log10(lower).rounded(.down)) - 1
    let last = Int(log10(upper).rounded(.up)) + 1
    var result: [(value: Double, digit: Int, exponent: Int)] = []
    for exponent in first...last {
      for digit in digits {
        let value = Double(digit) * pow(10, Double(exponent))
        if value >= lower * (1 - 1e-9) && value <= upper * (1 + 1e-9) {
          result.append((value, digit, exponent))
        }
      }
    }
    return result
  }

  /// The least of 1, 2 and 5 times a power of ten that is not below a positive bound.
  private static func roundStep(atLeast bound: Double) -> Double {
    roundNumber([1, 2, 5], above: bound)
  }

  private static func roundNumber(_ digits: [Double], above bound: Double) -> Double {
    let exponent = Int(log10(bound).rounded(.down))
    let candidates = (exponent - 1...exponent + 1).flatMap { e in
      digits.map { $0 * pow(10, Double(e)) }
    }
    return candidates.first { $0 >= bound * (1 - 1e-9) } ?? bound
  }

  private static func roundNumber(_ digits: [Double], below bound: Double) -> Double {
    let exponent = Int(log10(bound).rounded(.down))
    let candidates = (exponent - 1...exponent + 1).flatMap { e in
      digits.map { $0 * pow(10, Double(e)) }
    }
    return candidates.last { $0 <= bound * (1 + 1e-9) } ?? bound
  }
}
