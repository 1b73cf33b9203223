import Foundation

/// A small sign at a data point.
public enum Marker: String, CaseIterable, Sendable {
  case circle, square, triangle, diamond, cross, invertedTriangle, plus

  /// The polygon of the sign; a circle is a regular 32-gon.
  func outline(center: Point, radius: Double) -> [Point] {
    let unit: [(x: Double, y: Double)] =
      switch self {
      case .circle:
        (0..<32).map {
          let angle = Double($0) * .pi / 16
          return (x: cos(angle), y: sin(angle))
        }
      case .square: [(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]
      case .triangle: [(0, -1.15), (1.05, 0.8), (-1.05, 0.8)]
      case .invertedTriangle: [(0, 1.15), (1.05, -0.8), (-1.05, -0.8)]
      case .diamond: [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)]
      case .plus: Marker.plusOutline
      case .cross:
        Marker.plusOutline.map { (x: ($0.x - $0.y) * 0.7071, y: ($0.x + $0.y) * 0.7071) }
      }
    return unit.map { Point(x: center.x + radius * $0.x, y: center.y + radius * $0.y) }
  }

  private static let plusOutline: [(x: Double, y: Double)] = [
    (-0.3, -1.3), (0.3, -1.3), (0.3, -0.3), (1.3, -0.3), (1.3, 0.3), (0.3, 0.3), (0.3, 1.3),
    (-0.3, 1.3), (-0.3, 0.3), (-1.3, 0.3), (-1.3, -0.3), (-0.3, -0.3),
  ]
}
