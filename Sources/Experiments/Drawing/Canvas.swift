/// A finished drawing: a list of commands that two writers turn into SVG and PNG.
///
/// Pixels are counted at the nominal scale from the top left corner; the PNG writer doubles them.
/// The same commands give the same bytes.
///
/// ```swift
/// var canvas = Canvas(width: 200, height: 100, title: "One line", alternativeText: "A black line.")
/// canvas.line(from: Point(x: 10, y: 50), to: Point(x: 190, y: 50), Stroke(.ink))
/// canvas.text("λ = 10⁻⁴", at: Point(x: 10, y: 40), size: 12)
/// let svg: String = canvas.svg()
/// let png: [UInt8] = canvas.png()
/// ```
public struct Canvas: Equatable, Sendable {
  /// One command; later ones cover earlier ones.
  public enum Command: Equatable, Sendable {
    case rectangle(Rectangle, fill: Color)
    case polygon([Point], fill: Color, opacity: Double)
    case polyline([Point], Stroke)
    case marker(Marker, center: Point, radius: Double, fill: Color)
    case text(Text)
    /// Equal cells filling a rectangle, never smoothed.
    case image(ColorGrid, Rectangle)
  }

  public let width, height: Double
  /// What the drawing is called; the `<title>` of the SVG.
  public let title: String
  /// What the drawing shows, for who cannot see it; the `<desc>` of the SVG.
  public let alternativeText: String
  public private(set) var commands: [Command] = []

  /// An empty white canvas.
  public init(width: Double, height: Double, title: String, alternativeText: String) {
    precondition(width >= 1 && height >= 1, "a canvas of \(width) × \(height) pixels")
    self.width = width.rounded(.up)
    self.height = height.rounded(.up)
    self.title = title
    self.alternativeText = alternativeText
  }

  public mutating func rectangle(_ rectangle: Rectangle, fill: Color) {
    commands.append(.rectangle(rectangle, fill: fill))
  }

  public mutating func polygon(_ points: [Point], fill: Color, opacity: Double = 1) {
    commands.append(.polygon(points, fill: fill, opacity: opacity))
  }

  public mutating func polyline(_ points: [Point], _ stroke: Stroke) {
    if points.count > 1 { commands.append(.polyline(points, stroke)) }
  }

  public mutating func line(from start: Point, to end: Point, _ stroke: Stroke) {
    polyline([start, end], stroke)
  }

  /// The outline of a rectangle.
  public mutating func frame(_ rectangle: Rectangle, _ stroke: Stroke) {
    let corners = rectangle.corners
    polyline(corners + [corners[0], corners[1]], stroke)
  }

  public mutating func marker(_ marker: Marker, at center: Point, radius: Double, fill: Color) {
    commands.append(.marker(marker, center: center, radius: radius, fill: fill))
  }

  public mutating func text(_ text: Text) {
    if !text.string.isEmpty { commands.append(.text(text)) }
  }

  public mutating func text(
    _ string: String, at position: Point, size: Double, anchor: Text.Anchor = .start,
    color: Color = .ink
  ) {
    text(Text(string, at: position, size: size, anchor: anchor, color: color))
  }

  public mutating func image(_ grid: ColorGrid, in rectangle: Rectangle) {
    if !grid.colors.isEmpty { commands.append(.image(grid, rectangle)) }
  }

  /// Every text on the canvas.
  public var texts: [Text] {
    commands.compactMap { if case .text(let text) = $0 { text } else { nil } }
  }
}

/// How a line is drawn.
public struct Stroke: Equatable, Sendable {
  public var color: Color
  public var width: Double
  /// Lengths of dashes and gaps in turn; empty for a solid line.
  public var dashes: [Double]

  public init(_ color: Color, width: Double = 1, dashes: [Double] = []) {
    precondition(
      dashes.allSatisfy { $0 > 0 } && dashes.count.isMultiple(of: 2),
      "dashes are pairs of positive lengths, got \(dashes)")
    self.color = color
    self.width = width
    self.dashes = dashes
  }
}

/// A line of text, placed by one point of its baseline.
public struct Text: Equatable, Sendable {
  /// Which end of the text lies at its position.
  public enum Anchor: String, Sendable { case start, middle, end }
  /// The direction of reading: to the right, or upwards.
  public enum Direction: Sendable { case rightwards, upwards }

  public let string: String
  public let position: Point
  /// The type size in pixels.
  public let size: Double
  public let anchor: Anchor
  public let direction: Direction
  public let color: Color

  public init(
    _ string: String, at position: Point, size: Double, anchor: Anchor = .start,
    direction: Direction = .rightwards, color: Color = .ink
  ) {
    self.string = string
    self.position = position
    self.size = size
    self.anchor = anchor
    self.direction = direction
    self.color = color
  }

  /// The rectangle that the text may ink.
  public var box: Rectangle {
    let width = TextMetrics.width(of: string, size: size)
    let (ascent, descent) = (
      TextMetrics.ascent(of: string) * size, TextMetrics.descent * size
    )
    let before =
      switch anchor {
      case .start: 0.0
      case .middle: width / 2
      case .end: width
      }
    return switch direction {
    case .rightwards:
      Rectangle(
        x: position.x - before, y: position.y - ascent, width: width, height: ascent + descent)
    case .upwards:
      Rectangle(
        x: position.x - ascent, y: position.y - (width - before), width: ascent + descent,
        height: width)
    }
  }
}

/// A rectangle of coloured cells, row after row from the top.
public struct ColorGrid: Equatable, Sendable {
  public let rowCount, columnCount: Int
  public let colors: [Color]

  public init(rowCount: Int, columnCount: Int, colors: [Color]) {
    precondition(
      colors.count == rowCount * columnCount,
      "\(rowCount) × \(columnCount) cells need as many colours, got \(colors.count)")
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.colors = colors
  }
}
