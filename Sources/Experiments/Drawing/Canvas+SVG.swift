import Foundation

extension Canvas {
  /// The drawing as a complete SVG 1.1 document.
  ///
  /// Text stays text, with its width stated; images are embedded PNGs that are not smoothed;
  /// numbers have at most two decimals.
  public func svg() -> String {
    let (w, h) = (Canvas.decimal(width), Canvas.decimal(height))
    var lines = [
      #"<?xml version="1.0" encoding="UTF-8"?>"#,
      #"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" "#
        + #"width="\#(w)" height="\#(h)" viewBox="0 0 \#(w) \#(h)" role="img" "#
        + #"aria-labelledby="title desc" font-family="Helvetica, Arial, Liberation Sans, sans-serif">"#,
      #"<title id="title">\#(Canvas.escaped(title))</title>"#,
      #"<desc id="desc">\#(Canvas.escaped(alternativeText))</desc>"#,
      "<rect width=\"\(w)\" height=\"\(h)\" fill=\"\(Color.white.hexadecimal)\"/>",
    ]
    lines += commands.map(Canvas.element)
    return lines.joined(separator: "\n") + "\n</svg>\n"
  }

  private static func element(_ command: Command) -> String {
    switch command {
    case .rectangle(let rectangle, let fill):
      return "<rect \(place(rectangle)) fill=\"\(fill.hexadecimal)\"/>"
    case .polygon(let points, let fill, let opacity):
      let transparency = opacity < 1 ? " fill-opacity=\"\(decimal(opacity))\"" : ""
      return "<polygon points=\"\(list(points))\" fill=\"\(fill.hexadecimal)\"\(transparency)/>"
    case .polyline(let points, let stroke):
      let dashes =
        stroke.dashes.isEmpty
        ? "" : " stroke-dasharray=\"\(stroke.dashes.map(decimal).joined(separator: " "))\""
      return
        "<polyline points=\"\(list(points))\" fill=\"none\" stroke=\"\(stroke.color.hexadecimal)\" "
        + "stroke-width=\"\(decimal(stroke.width))\" stroke-linejoin=\"round\"\(dashes)/>"
    case .marker(.circle, let center, let radius, let fill):
      return "<circle cx=\"\(decimal(center.x))\" cy=\"\(decimal(center.y))\" "
        + "r=\"\(decimal(radius))\" fill=\"\(fill.hexadecimal)\"/>"
    case .marker(let marker, let center, let radius, let fill):
      return element(
        .polygon(marker.outline(center: center, radius: radius), fill: fill, opacity: 1))
    case .text(let text):
      let (x, y) = (decimal(text.position.x), decimal(text.position.y))
      let turn = text.direction == .upwards ? " transform=\"rotate(-90 \(x) \(y))\"" : ""
      let length = decimal(TextMetrics.width(of: text.string, size: text.size))
      return "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(decimal(text.size))\" "
        + "text-anchor=\"\(text.anchor.rawValue)\" textLength=\"\(length)\" "
        + "lengthAdjust=\"spacingAndGlyphs\" fill=\"\(text.color.hexadecimal)\"\(turn)>"
        + "\(escaped(text.string))</text>"
    case .image(let grid, let rectangle):
      let bytes = Data(PNG.encode(grid)).base64EncodedString()
      return "<image \(place(rectangle)) preserveAspectRatio=\"none\" "
        + "image-rendering=\"optimizeSpeed\" style=\"image-rendering:pixelated\" "
        + "xlink:href=\"data:image/png;base64,\(bytes)\"/>"
    }
  }

  private static func place(_ r: Rectangle) -> String {
    "x=\"\(decimal(r.x))\" y=\"\(decimal(r.y))\" "
      + "width=\"\(decimal(r.width))\" height=\"\(decimal(r.height))\""
  }

  private static func list(_ points: [Point]) -> String {
    points.map { "\(decimal($0.x)),\(decimal($0.y))" }.joined(separator: " ")
  }

  /// A number with at most two decimals and no trailing zero, the same in every locale.
  private static func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
    var text = (hundredths < 0 ? "-" : "") + String(whole)
    if rest > 0 {
      text += rest < 10 ? ".0\(rest)" : rest % 10 == 0 ? ".\(rest / 10)" : ".\(rest)"
    }
    return text
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      default: result.append(character)
      }
    }
  }
}
