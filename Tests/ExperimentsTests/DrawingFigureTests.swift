import DenseAlgebra
import Experiments
import Testing

@Suite struct DrawingFigureTests {
  private func lines(_ canvas: Canvas, _ color: Color) -> [[Point]] {
    canvas.commands.compactMap {
      if case .polyline(let points, let stroke) = $0, stroke.color == color { points } else { nil }
    }
  }

  @Test(arguments: DrawingSamples.canvases.map(\.name))
  func everyTextLiesInsideTheCanvasAndApartFromEveryOther(name: String) {
    let canvas = DrawingSamples.canvas(name)
    let whole = Rectangle(x: 0, y: 0, width: canvas.width, height: canvas.height)
    let texts = canvas.texts.map { (string: $0.string, box: $0.box) }
    for (index, text) in texts.enumerated() {
      #expect(whole.contains(text.box), "“\(text.string)” is cut")
      let met = texts[(index + 1)...].first { $0.box.overlaps(text.box) }
      #expect(met == nil, "“\(text.string)” meets “\(met?.string ?? "")”")
    }
  }

  @Test(arguments: DrawingSamples.canvases.map(\.name))
  func noTextCoversDataAndAllDataLieInsideTheCanvas(name: String) {
    let canvas = DrawingSamples.canvas(name)
    let whole = Rectangle(x: 0, y: 0, width: canvas.width, height: canvas.height)
    let texts = canvas.texts.map { (string: $0.string, box: $0.box) }
    for command in canvas.commands {
      let points: [Point]
      switch command {
      case .text: continue
      case .rectangle(let rectangle, _), .image(_, let rectangle):
        let covered = texts.first { $0.box.overlaps(rectangle) }
        #expect(covered == nil, "“\(covered?.string ?? "")” covers \(rectangle)")
        points = rectangle.corners
      case .polygon(let vertices, _, _), .polyline(let vertices, _): points = vertices
      case .marker(_, let center, _, _): points = [center]
      }
      for point in points {
        let spot = Rectangle(x: point.x, y: point.y, width: 0, height: 0)
        let covering = texts.first { $0.box.contains(spot) }
        if covering != nil || !whole.contains(spot) {
          Issue.record("\(point) is outside or under “\(covering?.string ?? "")”")
        }
      }
    }
  }

  @Test(arguments: DrawingSamples.canvases.map(\.name))
  func labelsAreReadableAndAlternativeTextSaysWhatIsShown(name: String) {
    let canvas = DrawingSamples.canvas(name)
    for text in canvas.texts {
      #expect(text.size >= 11)
      #expect(TextMetrics.unknownCharacters(in: text.string) == [], "“\(text.string)”")
    }
    #expect(canvas.alternativeText.hasPrefix(canvas.title))
    #expect(canvas.alternativeText.count > canvas.title.count)
  }

  @Test func anyTwoOfTenSeriesDifferAndOfSevenInColourAndDashes() {
    var strokes: [Stroke] = []
    for case .polyline(_, let stroke) in DrawingSamples.canvas("step-quality").commands
    where Color.series.contains(stroke.color) && !strokes.contains(stroke) {
      strokes.append(stroke)
    }
    #expect(strokes.count == 10)
    for (index, a) in strokes.prefix(7).enumerated() {
      for b in strokes.prefix(7).dropFirst(index + 1) {
        #expect(a.color != b.color && a.dashes != b.dashes)
      }
    }
  }

  @Test func seriesKeepsItsLookInAllPanelsByItsName() {
    func panel(_ names: [String]) -> LineChartGrid.Panel {
      .init(
        x: ChartAxis("x"), y: ChartAxis("y"),
        series: names.map { LineSeries(name: $0, x: [0, 1], y: [1, 2]) })
    }
    let canvas = LineChartGrid(title: "t", panels: [panel(["a", "b"]), panel(["b"])]).canvas
    // Panel 1, panel 2 and the legend.
    #expect(lines(canvas, Color.series[0]).count == 2)
    #expect(lines(canvas, Color.series[1]).count == 3)
  }

  @Test func pointsWithoutAPlaceBreakTheLineAndAreCounted() {
    let canvas = LineChart(
      title: "t", x: ChartAxis("x"), y: ChartAxis("y", .logarithmic),
      series: [LineSeries(name: "a", x: [0, 1, 2, 3, 4, 5, 6], y: [1, 2, .nan, 3, 4, 0, -1])]
    ).canvas
    let pieces = lines(canvas, Color.series[0])
    #expect(pieces.map(\.count) == [2, 2, 2])  // two pieces, and the legend's sample
    #expect(canvas.texts.contains { $0.string.hasPrefix("3 points that have no place") })
  }

  @Test func curvesAreClippedAtFixedLimits() throws {
    let canvas = LineChart(
      title: "t", x: ChartAxis("x", limits: 0...10), y: ChartAxis("y", limits: 0...1),
      series: [
        LineSeries(
          name: "a", x: [-10, 0, 10, 20], y: [-1, 0.5, 1.5, 0.5], least: [-2, 0.2, 0.7, 0],
          greatest: [0, 0.9, 3, 1])
      ]
    ).canvas
    let curve = try #require(lines(canvas, Color.series[0]).first)
    let frame = try #require(lines(canvas, .ink).first { $0.count == 3 })
    // The frame runs from the top left by the origin to the bottom right.
    let (left, top, right, bottom) = (frame[0].x, frame[0].y, frame[2].x, frame[2].y)
    #expect(curve.count == 2)
    #expect(abs(curve[0].x - left) < 1e-9 && abs(curve[0].y - (top + bottom) / 2) < 1e-9)
    #expect(abs(curve[1].x - (left + right) / 2) < 1e-9 && abs(curve[1].y - top) < 1e-9)
    for case .polygon(let points, _, _) in canvas.commands {
      for point in points {
        #expect(point.x >= left && point.x <= right && point.y >= top && point.y <= bottom)
      }
    }
  }

  @Test func singleEntryOfALargeMatrixStaysVisible() throws {
    var matrix = Matrix(rowCount: 1050, columnCount: 1050)
    matrix[777, 333] = -2
    let figure = Heatmap(title: "t", matrix: matrix, kind: .signed, label: "entry")
    let cells = try #require(
      figure.canvas.commands.compactMap {
        if case .image(let grid, _) = $0 { grid } else { nil }
      }.first)
    // 420 pixels at most: blocks of 3 × 3, 350 cells on a side.
    #expect(cells.rowCount == 350 && cells.columnCount == 350)
    let dark = cells.colors.indices.filter { cells.colors[$0] == ColorMap.diverging.color(at: 0) }
    #expect(dark == [777 / 3 * 350 + 333 / 3])
    #expect(figure.canvas.texts.contains { $0.string.contains("block of 3 × 3 entries") })
  }

  @Test func rowsOfAMatrixRunDownwards() throws {
    let matrix = Matrix(rows: [[0, 1, 0], [0, 0, 0]])
    let figure = Heatmap(title: "t", matrix: matrix, kind: .magnitude, label: "entry")
    let cells = try #require(
      figure.canvas.commands.compactMap {
        if case .image(let grid, _) = $0 { grid } else { nil }
      }.first)
    let (low, high) = (ColorMap.sequential.color(at: 0), ColorMap.sequential.color(at: 1))
    #expect(
      cells == ColorGrid(rowCount: 2, columnCount: 3, colors: [low, high, low, low, low, low]))
  }

  @Test func dashedLinesLieBetweenLayers() throws {
    let canvas = DrawingSamples.canvas("small-heatmap")
    let place = try #require(
      canvas.commands.compactMap { if case .image(_, let place) = $0 { place } else { nil } }.first)
    let dashed = canvas.commands.compactMap {
      if case .polyline(let points, let stroke) = $0, !stroke.dashes.isEmpty { points } else { nil }
    }
    let offset = place.width * 8 / 12
    #expect(
      dashed == [
        [
          Point(x: place.x, y: place.y + offset), Point(x: place.right, y: place.y + offset),
        ],
        [
          Point(x: place.x + offset, y: place.y), Point(x: place.x + offset, y: place.bottom),
        ],
      ])
  }

  @Test func entriesThatAreNotFiniteAreMagentaAndSaid() throws {
    let figure = Heatmap(
      title: "t", matrix: Matrix(rows: [[1, .nan], [.infinity, 0]]), kind: .magnitude, label: "e")
    let cells = try #require(
      figure.canvas.commands.compactMap {
        if case .image(let grid, _) = $0 { grid } else { nil }
      }.first)
    #expect(cells.colors[1] == .notFinite && cells.colors[2] == .notFinite)
    #expect(cells.colors[0] == ColorMap.sequential.color(at: 1))
    #expect(figure.canvas.texts.contains { $0.string.contains("Magenta") })
  }

  /// The plot's line and the legend's sample of each reference share dashes that the other has not.
  @Test func referenceLinesDifferInTheirDashes() {
    let chart = LineChart(
      title: "Two limits", x: ChartAxis("step"), y: ChartAxis("error"),
      series: [LineSeries(name: "error", x: [0, 1], y: [0, 1])],
      references: [
        ReferenceLine(0.25, name: "quarter"), ReferenceLine(0.75, name: "three quarters"),
      ])
    let dashes = chart.canvas.commands.compactMap { command -> [Double]? in
      guard case .polyline(_, let stroke) = command, stroke.color == Color(0x777777) else {
        return nil
      }
      return stroke.dashes
    }
    #expect(dashes.count == 4 && Set(dashes).count == 2)
    #expect(dashes[0] == dashes[2] && dashes[1] == dashes[3])
  }
}
