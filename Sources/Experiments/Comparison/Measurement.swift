import Curvature

/// One measured number with everything that it depends on, inside one run.
public struct Measurement: Equatable, Sendable {
  /// Where: one layer (counted from 1) or the compared layers together.
  public enum Place: Hashable, Sendable, CustomStringConvertible {
    case layer(Int)
    case network

    public var description: String {
      switch self {
      case .layer(let number): String(number)
      case .network: "network"
      }
    }
  }

  public let place: Place
  /// The number of parameters of the place.
  public let parameters: Int
  /// Which Fisher the approximation was built from: exact, monte-carlo(M), empirical, or an average.
  public let fisher: String
  public let structure: StructureKind
  /// The block size, for `kfac-split` only.
  public let split: Int?
  /// Nil for undamped matrices.
  public let rule: DampingRule?
  /// The strength on the approximation and on the reference; nil for undamped matrices.
  public let lambda: Double?
  /// Nil for matrix metrics, which no solver touches.
  public let solver: String?
  /// The conjugate-gradient steps, where the solver takes them.
  public let iterations: Int?
  public let reference: Reference
  public let metric: ErrorMetric
  public let value: Double
}

/// The part of a measurement that a loop over metrics keeps fixed.
struct MeasurementContext {
  var place = Measurement.Place.network
  var parameters = 0
  var fisher = ""
  var structure = StructureKind.exact
  var split: Int?
  var rule: DampingRule?
  var lambda: Double?
  var solver: String?
  var iterations: Int?

  func measurements(_ values: [MetricValue], against reference: Reference) -> [Measurement] {
    values.map {
      Measurement(
        place: place, parameters: parameters, fisher: fisher, structure: structure, split: split,
        rule: rule, lambda: lambda, solver: solver, iterations: iterations, reference: reference,
        metric: $0.metric, value: $0.value)
    }
  }
}
