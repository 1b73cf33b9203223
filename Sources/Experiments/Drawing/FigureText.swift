/// Type sizes and the lines of text above and below the panels of a figure.
enum FigureText {
  static let margin = 16.0
  static let titleSize = 16.0
  static let subtitleSize = 12.0
  static let rowTitleSize = 13.5
  static let panelTitleSize = 12.5
  static let labelSize = 12.0
  static let tickSize = 11.0
  static let captionSize = 11.5

  /// The height of lines of a size.
  static func height(_ lineCount: Int, size: Double) -> Double { Double(lineCount) * size * 1.3 }

  /// Draws lines under each other from a top edge and returns the bottom edge.
  @discardableResult
  static func draw(
    _ lines: [String], on canvas: inout Canvas, left: Double, top: Double, size: Double,
    color: Color = .ink
  ) -> Double {
    for (index, line) in lines.enumerated() {
      canvas.text(
        line, at: Point(x: left, y: top + height(index, size: size) + size), size: size,
        color: color)
    }
    return top + height(lines.count, size: size)
  }
}

/// The title and subtitle above a figure's panels, and the notes and caption below them.
struct FigureFrame {
  let titleLines, subtitleLines, captionLines: [String]

  init(title: String, subtitle: String, notes: [String], caption: String, width: Double) {
    titleLines = TextMetrics.lines(of: title, size: FigureText.titleSize, width: width)
    subtitleLines = TextMetrics.lines(of: subtitle, size: FigureText.subtitleSize, width: width)
    captionLines = (notes + [caption]).flatMap {
      TextMetrics.lines(of: $0, size: FigureText.captionSize, width: width)
    }
  }

  /// The height of title and subtitle with the space below them.
  var headHeight: Double {
    if titleLines.isEmpty && subtitleLines.isEmpty { return 0 }
    return FigureText.height(titleLines.count, size: FigureText.titleSize)
      + FigureText.height(subtitleLines.count, size: FigureText.subtitleSize) + 14
  }

  /// The height of notes and caption with the space above them.
  var footHeight: Double {
    captionLines.isEmpty
      ? 0 : 10 + FigureText.height(captionLines.count, size: FigureText.captionSize)
  }

  func draw(on canvas: inout Canvas) {
    let left = FigureText.margin
    let top = FigureText.draw(
      titleLines, on: &canvas, left: left, top: FigureText.margin, size: FigureText.titleSize)
    FigureText.draw(
      subtitleLines, on: &canvas, left: left, top: top + 2, size: FigureText.subtitleSize,
      color: .secondaryInk)
    FigureText.draw(
      captionLines, on: &canvas, left: left,
      top: canvas.height - FigureText.margin
        - FigureText.height(captionLines.count, size: FigureText.captionSize),
      size: FigureText.captionSize, color: .secondaryInk)
  }
}
