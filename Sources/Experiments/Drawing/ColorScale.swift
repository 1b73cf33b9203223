import DenseAlgebra
import Foundation

/// The rule that gives each entry of a matrix its colour.
///
/// Entries that are not finite are magenta in every scale.
public struct ColorScale: Equatable, Sendable {
  /// What the colours mean.
  public enum Kind: Equatable, Sendable {
    /// |entry| from 0 upwards, evenly.
    case magnitude
    /// |entry| by its logarithm, over so many powers of ten below the largest; below them, grey.
    case logarithmicMagnitude(decades: Int)
    /// Entries with their sign, from −m to m, evenly.
    case signed
  }

  public let kind: Kind
  /// The interval of values (of magnitudes where the kind says so) that the colours span.
  public let axis: AxisScale

  /// A scale up to a given largest magnitude, at most 1e300; below 1e-280 it is taken as 1, so that a
  /// zero matrix has colours.
  public init(_ kind: Kind, largestMagnitude: Double) {
    precondition(
      largestMagnitude >= 0 && largestMagnitude.isFinite,
      "colours up to \(largestMagnitude) make no scale")
    let top = largestMagnitude < 1e-280 ? 1 : min(largestMagnitude, 1e300)
    self.kind = kind
    switch kind {
    case .magnitude: axis = AxisScale(.linear, 0...top)
    case .signed: axis = AxisScale(.linear, -top...top)
    case .logarithmicMagnitude(let decades):
      precondition(decades >= 1, "a logarithmic scale of \(decades) powers of ten")
      let exponent = (log10(top) - 1e-9).rounded(.up)
      axis = AxisScale(.logarithmic, pow(10, exponent - Double(decades))...pow(10, exponent))
    }
  }

  /// The scale that just holds all finite entries of some matrices.
  public init(_ kind: Kind, fitting matrices: [Matrix]) {
    let largest = matrices.lazy.flatMap(\.storage).reduce(0.0) {
      $1.isFinite ? max($0, abs($1)) : $0
    }
    self.init(kind, largestMagnitude: largest)
  }

  /// The colours of the scale without its exceptions.
  public var map: ColorMap { kind == .signed ? .diverging : .sequential }

  /// The colour of one entry.
  public func color(of entry: Double) -> Color {
    guard entry.isFinite else { return .notFinite }
    switch kind {
    case .magnitude: return map.color(at: axis.position(of: abs(entry)))
    case .signed: return map.color(at: axis.position(of: entry))
    case .logarithmicMagnitude:
      return abs(entry) < axis.lower ? .absent : map.color(at: axis.position(of: abs(entry)))
    }
  }

  /// The meaning of grey, where grey can occur.
  var absentLabel: String? {
    guard case .logarithmicMagnitude = kind else { return nil }
    return "< " + NumberText.powerOfTen(Int(log10(axis.lower).rounded()))
  }
}
