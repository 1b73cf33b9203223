/// The cubic spline through values at 0, 1, 2, … with the not-a-knot condition at both ends.
///
/// Four values give their cubic, three their parabola, two their line. Outside the values the first or
/// the last piece goes on. Source: de Boor, A Practical Guide to Splines, chapter IV.
public struct IndexSpline: Equatable, Sendable {
  public let values: [Double]
  /// The second derivatives at the places of the values.
  public let curvatures: [Double]

  /// The spline through at least one value.
  public init(_ values: [Double]) {
    precondition(!values.isEmpty, "a spline needs at least one value")
    self.values = values
    curvatures = Self.curvatures(values)
  }

  /// The value at a place x; at whole x it is the value given there.
  public func value(at x: Double) -> Double {
    guard values.count > 1 else { return values[0] }
    let i = min(max(0, Int(x.rounded(.down))), values.count - 2)
    let b = x - Double(i)
    let a = 1 - b
    // S(x) = a y₀ + b y₁ + ((a³ − a) M₀ + (b³ − b) M₁)/6.
    let line: Double = a * values[i] + b * values[i + 1]
    let left: Double = a * (a * a - 1) * curvatures[i]
    let right: Double = b * (b * b - 1) * curvatures[i + 1]
    return line + (left + right) / 6
  }

  private static func curvatures(_ y: [Double]) -> [Double] {
    let n = y.count
    guard n > 2 else { return Array(repeating: 0, count: n) }
    // Mᵢ₋₁ + 4Mᵢ + Mᵢ₊₁ = 6 δ²yᵢ inside. Not-a-knot, M₀ − 2M₁ + M₂ = 0, turns the first of them into
    // M₁ = δ²y₁, and the last likewise.
    let second = (1..<n - 1).map { (i: Int) -> Double in y[i - 1] - 2 * y[i] + y[i + 1] }
    var m = Array(repeating: 0.0, count: n)
    m[1] = second[0]
    m[n - 2] = second[n - 3]
    // The rest by elimination without pivoting: the matrix is diagonally dominant.
    var upper = Array(repeating: 0.0, count: n)
    for i in 2..<max(2, n - 2) {
      let pivot = 4 - upper[i - 1]
      upper[i] = 1 / pivot
      m[i] = (6 * second[i - 1] - m[i - 1]) / pivot
    }
    for i in stride(from: n - 3, to: 1, by: -1) { m[i] -= upper[i] * m[i + 1] }
    m[0] = n == 3 ? m[1] : 2 * m[1] - m[2]
    m[n - 1] = n == 3 ? m[1] : 2 * m[n - 2] - m[n - 3]
    return m
  }
}
