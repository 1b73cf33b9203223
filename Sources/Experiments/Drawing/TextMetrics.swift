/// The one measure of text that layout, SVG and PNG share.
///
/// Widths come from the outlines of `glyphOutlineRecords`, whose proportions are those of
/// Helvetica and Arial to within a few hundredths; the SVG writer states each width, so that a
/// viewer with another typeface keeps the layout.
public enum TextMetrics {
  /// The part of the type size above the baseline that a text reaches: at least 0.8, and more only
  /// where a capital has an accent.
  public static func ascent(of string: String) -> Double {
    string.unicodeScalars.reduce(0.8) { max($0, glyph($1).top) }
  }

  /// The part of the type size below the baseline that characters may reach.
  public static let descent = 0.24

  /// The advance of a text at a type size, in pixels.
  public static func width(of string: String, size: Double) -> Double {
    string.unicodeScalars.reduce(0) { $0 + glyph($1).advance } * size
  }

  /// The characters of a text that have no outline here and would be drawn as a box.
  public static func unknownCharacters(in string: String) -> [Unicode.Scalar] {
    string.unicodeScalars.filter { Glyph.all[$0] == nil }
  }

  /// Breaks a text into lines no wider than a limit, at spaces where that is possible.
  ///
  /// A line break in the text stays one; a word wider than the limit is divided.
  public static func lines(of string: String, size: Double, width limit: Double) -> [String] {
    var result: [String] = []
    for paragraph in string.split(separator: "\n") {
      var line = ""
      for word in paragraph.split(separator: " ") {
        let joined = line.isEmpty ? String(word) : line + " " + word
        if width(of: joined, size: size) <= limit {
          line = joined
          continue
        }
        if !line.isEmpty { result.append(line) }
        line = ""
        for character in word {
          if !line.isEmpty && width(of: line + String(character), size: size) > limit {
            result.append(line)
            line = ""
          }
          line.append(character)
        }
      }
      if !line.isEmpty { result.append(line) }
    }
    return result
  }

  static func glyph(_ scalar: Unicode.Scalar) -> Glyph { Glyph.all[scalar] ?? .unknown }
}

/// The filled contours of one character in units of the type size, y upwards from the baseline.
struct Glyph: Sendable {
  let advance: Double
  let contours: [[Point]]
  /// The height of the highest point above the baseline.
  let top: Double

  /// An empty box, for characters without an outline.
  static let unknown = Glyph(
    advance: 0.6,
    contours: [
      Rectangle(x: 0.06, y: 0, width: 0.48, height: 0.7).corners,
      Rectangle(x: 0.11, y: 0.05, width: 0.38, height: 0.6).corners.reversed(),
    ])

  static let all: [Unicode.Scalar: Glyph] = {
    var glyphs: [Unicode.Scalar: Glyph] = [:]
    var record: [Substring] = []
    func finish() {
      guard let name = record.first else { return }
      guard let code = UInt32(name.dropFirst(2), radix: 16), let scalar = Unicode.Scalar(code)
      else {
        preconditionFailure("\(name) is no character")
      }
      glyphs[scalar] = Glyph(record: record.dropFirst())
    }
    for token in glyphOutlineRecords.split(whereSeparator: \.isWhitespace) {
      if token.hasPrefix("U+") {
        finish()
        record = []
      }
      record.append(token)
    }
    finish()
    return glyphs
  }()

  private init(advance: Double, contours: [[Point]]) {
    self.advance = advance
    self.contours = contours
    top = contours.joined().map(\.y).max() ?? 0
  }

  private init(record: ArraySlice<Substring>) {
    let unit = 1.0 / 512
    self.init(
      advance: Double(record.first!)! * unit,
      contours: record.dropFirst().split(separator: "/").map { tokens in
        Glyph.flattened(
          tokens.map { token in
            let numbers = token.split { $0 == "," || $0 == ";" }
            return (
              Point(x: Double(numbers[0])! * unit, y: Double(numbers[1])! * unit),
              token.contains(",")
            )
          })
      })
  }

  /// Replaces the quadratic arcs of a closed contour by four chords each.
  private static func flattened(_ points: [(point: Point, isOnCurve: Bool)]) -> [Point] {
    func middle(_ a: Point, _ b: Point) -> Point { Point(x: (a.x + b.x) / 2, y: (a.y + b.y) / 2) }
    var result: [Point] = []
    for (index, (control, isOnCurve)) in points.enumerated() {
      if isOnCurve {
        result.append(control)
        continue
      }
      let previous = points[(index + points.count - 1) % points.count]
      let next = points[(index + 1) % points.count]
      let start = previous.isOnCurve ? previous.point : middle(previous.point, control)
      let end = next.isOnCurve ? next.point : middle(control, next.point)
      for step in 1...(next.isOnCurve ? 3 : 4) {
        let t = Double(step) / 4
        let (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
        result.append(
          Point(
            x: a * start.x + b * control.x + c * end.x, y: a * start.y + b * control.y + c * end.y))
      }
    }
    return result
  }
}
