/// One curve of a line chart, with a band from least to greatest where it has one.
public struct LineSeries: Sendable {
  /// What the legend calls it; series of one name look alike in all panels of a figure.
  public var name: String
  public var x, y: [Double]
  /// The lower and upper edge of the band, as long as x; empty for no band.
  public var least, greatest: [Double]

  public init(
    name: String, x: [Double], y: [Double], least: [Double] = [], greatest: [Double] = []
  ) {
    precondition(
      x.count == y.count && least.count == greatest.count
        && (least.isEmpty || least.count == x.count),
      "series \(name): \(x.count) x, \(y.count) y, \(least.count) least, \(greatest.count) greatest"
    )
    self.name = name
    self.x = x
    self.y = y
    self.least = least
    self.greatest = greatest
  }

  var hasBand: Bool { !least.isEmpty }
}

/// A value that a chart compares with, drawn as a thin grey line over the whole width.
public struct ReferenceLine: Sendable {
  public var value: Double
  /// What the legend calls it.
  public var name: String

  public init(_ value: Double, name: String) {
    self.value = value
    self.name = name
  }
}

/// What an axis measures and how.
public struct ChartAxis: Sendable {
  /// Quantity and unit.
  public var label: String
  public var kind: ScaleKind
  /// Fixed limits; otherwise round limits around the data.
  public var limits: ClosedRange<Double>?

  public init(_ label: String, _ kind: ScaleKind = .linear, limits: ClosedRange<Double>? = nil) {
    self.label = label
    self.kind = kind
    self.limits = limits
  }

  func scale(fitting values: [Double]) -> AxisScale {
    limits.map { AxisScale(kind, $0) } ?? AxisScale(kind, fitting: values)
  }
}

/// The look of the n-th series: colour, dashes and marker all differ between any two of the first
/// seven, and the combination between any two of the first 49.
struct SeriesStyle: Equatable, Sendable {
  let stroke: Stroke
  let marker: Marker

  init(index: Int) {
    let dashes: [[Double]] = [
      [], [7, 3], [2, 2], [8, 3, 2, 3], [4, 2], [10, 3, 2, 3, 2, 3], [12, 4],
    ]
    let count = Color.series.count
    let turn = index / count
    stroke = Stroke(
      Color.series[index % count], width: 1.7, dashes: dashes[(index + turn) % dashes.count])
    marker = Marker.allCases[(index + 2 * turn) % Marker.allCases.count]
  }

  /// The look of the n-th reference line: grey, with dashes that differ among the first three.
  static func reference(index: Int) -> Stroke {
    let dashes: [[Double]] = [[5, 4], [2, 3], [10, 4]]
    return Stroke(Color(0x777777), width: 1.2, dashes: dashes[index % dashes.count])
  }
}
