import Experiments
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The elements of an XML document, in order.
private final class ElementCollector: NSObject, XMLParserDelegate {
  struct Element {
    let name: String
    let attributes: [String: String]
    var text = ""
  }
  var elements: [Element] = []
  private var open: [Int] = []

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    open.append(elements.count)
    elements.append(Element(name: name, attributes: attributes))
  }
  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) { open.removeLast() }
  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if let last = open.last { elements[last].text += string }
  }
}

@Suite struct DrawingSVGTests {
  private func elements(_ canvas: Canvas) throws -> [ElementCollector.Element] {
    let parser = XMLParser(data: Data(canvas.svg().utf8))
    let collector = ElementCollector()
    parser.delegate = collector
    try #require(parser.parse(), "\(String(describing: parser.parserError))")
    return collector.elements
  }

  @Test(arguments: DrawingSamples.canvases.map(\.name))
  func documentIsWellFormedAndKeepsTitleDescriptionAndTexts(name: String) throws {
    let canvas = DrawingSamples.canvas(name)
    let elements = try elements(canvas)
    #expect(elements[0].name == "svg" && elements[0].attributes["role"] == "img")
    #expect(elements.first { $0.name == "title" }?.text == canvas.title)
    #expect(elements.first { $0.name == "desc" }?.text == canvas.alternativeText)
    let texts = elements.filter { $0.name == "text" }
    #expect(texts.map(\.text) == canvas.texts.map(\.string))
    for (element, text) in zip(texts, canvas.texts) {
      let length = try #require(Double(element.attributes["textLength"] ?? ""))
      #expect(abs(length - TextMetrics.width(of: text.string, size: text.size)) <= 0.005 + 1e-9)
    }
  }

  @Test func charactersOfXMLSurvive() throws {
    var canvas = Canvas(
      width: 90, height: 20, title: "a < b & c > d", alternativeText: "\"x\" < 'y' & z")
    canvas.text("p < 0.05 & q", at: Point(x: 1, y: 15), size: 12)
    let elements = try elements(canvas)
    #expect(elements.first { $0.name == "title" }?.text == "a < b & c > d")
    #expect(elements.first { $0.name == "desc" }?.text == "\"x\" < 'y' & z")
    #expect(elements.first { $0.name == "text" }?.text == "p < 0.05 & q")
  }

  @Test(arguments: [
    (0.0, "0"), (-0.001, "0"), (1.005, "1"), (2.5, "2.5"), (-3.14159, "-3.14"), (10.049, "10.05"),
    (1234567.0, "1234567"), (0.07, "0.07"),
  ]) func numbersHaveAtMostTwoDecimals(value: Double, expected: String) throws {
    var canvas = Canvas(width: 9, height: 9, title: "t", alternativeText: "a")
    canvas.marker(.circle, at: Point(x: value, y: 0), radius: 1, fill: .black)
    let circle = try #require(try elements(canvas).first { $0.name == "circle" })
    #expect(circle.attributes["cx"] == expected)
  }

  @Test(arguments: DrawingSamples.canvases.map(\.name))
  func noNumberOfAFigureHasThreeDecimals(name: String) throws {
    let geometric = ["x", "y", "width", "height", "cx", "cy", "r", "points", "stroke-width"]
    for element in try elements(DrawingSamples.canvas(name)) {
      for key in geometric {
        for number in (element.attributes[key] ?? "").split(whereSeparator: { " ,".contains($0) }) {
          let decimals = number.split(separator: ".").dropFirst().first?.count ?? 0
          let isPlain = number.allSatisfy { $0.isNumber || $0 == "." || $0 == "-" }
          if decimals > 2 || !isPlain { Issue.record("\(key) has \(number)") }
        }
      }
    }
  }

  @Test func heatmapIsOneEmbeddedImageOfItsCells() throws {
    let images = try elements(DrawingSamples.canvas("small-heatmap")).filter { $0.name == "image" }
    #expect(images.count == 2)  // the cells and the colour bar
    let link = try #require(images[0].attributes["xlink:href"])
    #expect(link.hasPrefix("data:image/png;base64,"))
    let data = try #require(Data(base64Encoded: String(link.dropFirst(22))))
    let image = try PNGPixels([UInt8](data))
    #expect(image.width == 12 && image.height == 12)
    #expect(images[0].attributes["style"] == "image-rendering:pixelated")
  }
}
