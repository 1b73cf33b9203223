import DenseAlgebra

/// What a program writes out for one batch: matrices under the names of `Quantities`.
///
/// `layer1.A`, `layer1.G`, `layer1.gradient`, `layer1.A.inverse.pi.0.03`, `layer1.step.kfac.pi.0.03`,
/// `layer1.second-moments`, `layer1.step.ekfac.exact.0.03` and so on; what could not be computed, for
/// instance the inverse of a singular factor, is missing.
public struct CurvatureDump: Equatable, Sendable {
  /// The matrices by name.
  public var values: [String: Matrix] = [:]

  public init() {}

  public subscript(_ name: String) -> Matrix? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// How far two dumps are apart.
  public enum Distance: Equatable, Sendable {
    /// max over the common names of ‖X − Y‖_F / max(‖X‖_F, ‖Y‖_F), and the name where it is largest.
    case difference(Double, name: String)
    /// A common name whose matrices have different sizes.
    case shapes(name: String)
  }

  /// The distance to another dump over the names that both have.
  public func distance(to other: CurvatureDump) -> Distance {
    // lesson: dump-distance
    var largest = (value: 0.0, name: "")
    for name in values.keys.sorted() {
      guard let x = values[name], let y = other.values[name] else { continue }
      guard x.rowCount == y.rowCount, x.columnCount == y.columnCount else {
        return .shapes(name: name)
      }
      let scale = max(x.frobeniusNorm, y.frobeniusNorm)
      let difference = scale == 0 ? 0 : (x - y).frobeniusNorm / scale
      if difference > largest.value { largest = (difference, name) }
    }
    return .difference(largest.value, name: largest.name)
    // end lesson
  }
}
