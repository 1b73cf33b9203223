import Experiments
import Foundation
import Testing

@Suite struct DrawingCanvasTests {
  private func canvas(_ width: Double = 20, _ height: Double = 10) -> Canvas {
    Canvas(width: width, height: height, title: "a < b & c", alternativeText: "two > one")
  }

  @Test(arguments: [1, 2, 3]) func imageFileHasTheSizeOfTheCanvasTimesTheScale(scale: Int) throws {
    let image = try PNGPixels(canvas().png(scale: scale))
    #expect(image.width == 20 * scale && image.height == 10 * scale)
    #expect(image.inked.isEmpty)
  }

  @Test func redRectangleIsRedInsideAndWhiteOutside() throws {
    var canvas = canvas()
    canvas.rectangle(Rectangle(x: 3, y: 2, width: 5, height: 4), fill: Color(0xFF0000))
    let image = try PNGPixels(canvas.png())
    for y in 0..<20 {
      for x in 0..<40 {
        let isInside = (6..<16).contains(x) && (4..<12).contains(y)
        #expect(image[x, y] == (isInside ? Color(0xFF0000) : .white), "pixel \(x), \(y)")
      }
    }
  }

  /// Half of a pixel covered, or a whole one at half opacity, is halfway to white: 255/2 rounded.
  @Test func coverageAndOpacityMixWithTheBackground() throws {
    var canvas = canvas()
    canvas.rectangle(Rectangle(x: 2.25, y: 2, width: 4, height: 4), fill: .black)
    canvas.polygon(
      Rectangle(x: 10, y: 2.25, width: 4, height: 4).corners, fill: .black, opacity: 0.5)
    let image = try PNGPixels(canvas.png())
    #expect(
      image[4, 6] == Color(0x808080) && image[5, 6] == .black && image[12, 6] == Color(0x808080))
    #expect(image[22, 8] == Color(0x808080) && image[22, 4] == Color(0xBFBFBF))
  }

  /// A triangle of area 8 × 8 / 2 covers that many device pixels in sum.
  @Test func slantedEdgesKeepTheArea() throws {
    var canvas = canvas()
    canvas.polygon(
      [Point(x: 2, y: 1), Point(x: 6, y: 5), Point(x: 2, y: 5)], fill: .black)
    let image = try PNGPixels(canvas.png())
    let ink = image.inked.reduce(0.0) { $0 + Double(255 - image[$1.x, $1.y].red) / 255 }
    #expect(abs(ink - 32) < 32 * 0.01)
  }

  @Test func lineIsAsWideAndItsDashesAsLongAsStated() throws {
    var canvas = canvas()
    canvas.line(
      from: Point(x: 1, y: 5), to: Point(x: 19, y: 5),
      Stroke(.black, width: 2, dashes: [3, 2]))
    let image = try PNGPixels(canvas.png())
    for y in 0..<20 {
      for x in 0..<40 {
        let along = x - 2
        let isDash = along >= 0 && along < 36 && along % 10 < 6
        #expect(image[x, y] == (isDash && (8..<12).contains(y) ? .black : .white))
      }
    }
  }

  /// Where pieces of a line overlap or turn there is neither a gap nor a hole.
  @Test func jointsOfALineAreFilled() throws {
    var canvas = canvas()
    canvas.polyline(
      [Point(x: 3, y: 8), Point(x: 10, y: 3), Point(x: 17, y: 8), Point(x: 3, y: 8)],
      Stroke(.black, width: 3))
    let image = try PNGPixels(canvas.png())
    for (x, y) in [(10, 3), (17, 8), (10, 8)] { #expect(image[2 * x, 2 * y] == .black) }
    #expect(image[20, 11] == .white)
  }

  @Test func imageCellsAreEqualAndNotSmoothed() throws {
    var canvas = canvas()
    let colors = [Color(0x112233), Color(0x445566), Color(0x778899), Color(0xAABBCC)]
    canvas.image(
      ColorGrid(rowCount: 2, columnCount: 2, colors: colors),
      in: Rectangle(x: 4, y: 2, width: 6, height: 6))
    let image = try PNGPixels(canvas.png())
    #expect(image.inked.count == 144)
    for (x, y) in image.inked {
      #expect(image[x, y] == colors[(y - 4) / 6 * 2 + (x - 8) / 6])
    }
  }

  /// Every character that has an outline, read rightwards and upwards.
  @Test(arguments: [Text.Direction.rightwards, .upwards], [Text.Anchor.start, .middle, .end])
  func charactersInkOnlyTheirBox(direction: Text.Direction, anchor: Text.Anchor) throws {
    for code in UInt32(33)...0x2300 {
      guard let scalar = Unicode.Scalar(code) else { continue }
      let string = String(scalar)
      guard TextMetrics.unknownCharacters(in: string).isEmpty,
        TextMetrics.width(of: string, size: 1) > 0
      else { continue }
      var canvas = canvas(50, 50)
      let text = Text(
        string, at: Point(x: 25, y: 25), size: 20, anchor: anchor, direction: direction)
      canvas.text(text)
      let inked = try PNGPixels(canvas.png(scale: 1)).inked
      // Along the line an outline may stand out of its advance by a pixel or two, as in italics.
      let (alongX, alongY) = direction == .rightwards ? (2.0, 0.0) : (0.0, 2.0)
      let box = text.box
      let outside = inked.filter { x, y in
        Double(x + 1) <= box.x - alongX || Double(x) >= box.right + alongX
          || Double(y + 1) <= box.y - alongY || Double(y) >= box.bottom + alongY
      }
      #expect(!inked.isEmpty && outside.isEmpty, "\(string) inks \(outside), outside \(box)")
    }
  }

  @Test func upwardsTextIsTheSameTextTurned() throws {
    var flat = canvas(60, 60)
    var turned = canvas(60, 60)
    flat.text(Text("Fλ", at: Point(x: 20, y: 35), size: 20))
    turned.text(Text("Fλ", at: Point(x: 35, y: 40), size: 20, direction: .upwards))
    // (x, y) goes to (y, 60 − x): anti-aliasing differs between rows and columns, so compare sums.
    let (a, b) = (try PNGPixels(flat.png()), try PNGPixels(turned.png()))
    for x in 0..<120 {
      let column = (0..<120).reduce(0.0) { $0 + Double(255 - a[x, $1].red) / 255 }
      let row = (0..<120).reduce(0.0) { $0 + Double(255 - b[$1, 119 - x].red) / 255 }
      #expect(abs(column - row) < 1.5, "column \(x)")
    }
  }

  @Test func unknownCharacterIsABoxAndIsReported() throws {
    #expect(TextMetrics.unknownCharacters(in: "λ≤1 漢") == ["漢"])
    var canvas = canvas(60, 60)
    canvas.text("漢", at: Point(x: 20, y: 40), size: 20)
    let image = try PNGPixels(canvas.png(scale: 1))
    #expect(image[22, 33] != .white && image[26, 33] == .white)
  }

  @Test func figuresOfTheFieldHaveAllTheirCharacters() {
    let needed =
      String(String.UnicodeScalarView((32...126).map { Unicode.Scalar($0) }))
      + "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ−·±≤≥×⊗‖–≈≠∞√∂∇∑∈→…°ᵀ⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉‘’“”F̂F̃ĀāĜ"
    #expect(TextMetrics.unknownCharacters(in: needed) == [])
  }

  @Test func linesNeverExceedTheirWidthAndLoseNoWord() {
    let text = "the decrease of the quadratic model " + String(repeating: "x", count: 90) + " λ"
    for width in [40.0, 100, 333] {
      let lines = TextMetrics.lines(of: text, size: 12, width: width)
      for line in lines { #expect(TextMetrics.width(of: line, size: 12) <= width) }
      #expect(lines.joined().filter { $0 != " " } == text.filter { $0 != " " })
    }
  }

  @Test func sameFigureGivesTheSameBytes() {
    let (one, other) = (DrawingSamples.stepQuality.canvas, DrawingSamples.stepQuality.canvas)
    #expect(one.svg() == other.svg() && one.png() == other.png())
    let (map, again) = (DrawingSamples.smallHeatmap.canvas, DrawingSamples.smallHeatmap.canvas)
    #expect(map.svg() == again.svg() && map.png() == again.png())
  }

  /// 256 colours are exact; of more, each becomes one near by, however rare it is.
  @Test(arguments: [1, 2, 255, 256, 257, 600])
  func imagesKeepNearColors(count: Int) throws {
    // Shades that lie close together, and one far from all, which only one pixel has.
    let far = Color(red: 0, green: 0, blue: 255)
    let shades = (1..<count).map { Color(red: UInt8($0 % 256), green: UInt8($0 / 3), blue: 0) }
    let colors = shades + [far]
    #expect(Set(colors).count == count)
    var canvas = Canvas(
      width: Double(count), height: 2, title: "Colours", alternativeText: "A line of colours.")
    canvas.image(
      ColorGrid(rowCount: 2, columnCount: count, colors: colors + shades + [colors[0]]),
      in: Rectangle(x: 0, y: 0, width: Double(count), height: 2))
    let image = try PNGPixels(canvas.png(scale: 1))
    func distance(_ a: Color, _ b: Color) -> Int {
      let channels = [(a.red, b.red), (a.green, b.green), (a.blue, b.blue)]
      return channels.reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
    }
    // Neighbouring shades differ by a level or two; four levels of a channel are not seen.
    let limit = count <= 256 ? 0 : 16
    for x in 0..<count { #expect(distance(image[x, 0], colors[x]) <= limit) }
    #expect(image[count - 1, 0] == far)
  }
}
