/// The names and looks of all series, in lines below the plots.
struct ChartLegend {
  /// One entry: a sample of the line, with a marker unless it is a reference line, and its name.
  struct Entry: Equatable {
    let name: String
    let stroke: Stroke
    let marker: Marker?
  }

  static let lineHeight = 20.0
  private static let sampleWidth = 36.0
  private static let gap = 22.0
  private let rows: [[(entry: Entry, left: Double, lines: [String])]]
  private let columnHeights: [Double]

  /// Fills lines of at most the given width.
  init(_ entries: [Entry], width: Double) {
    let textRoom = width - ChartLegend.sampleWidth - 7
    var rows: [[(entry: Entry, left: Double, lines: [String])]] = []
    var left = width + 1
    for entry in entries {
      let lines = TextMetrics.lines(of: entry.name, size: FigureText.labelSize, width: textRoom)
      let textWidth =
        lines.map { TextMetrics.width(of: $0, size: FigureText.labelSize) }.max() ?? 0
      let entryWidth = ChartLegend.sampleWidth + 7 + textWidth
      if left + entryWidth > width {
        rows.append([])
        left = 0
      }
      rows[rows.count - 1].append((entry, left, lines))
      left += entryWidth + ChartLegend.gap
    }
    self.rows = rows
    columnHeights = rows.map { row in
      Double(row.map(\.lines.count).max() ?? 1) * ChartLegend.lineHeight
    }
  }

  var height: Double { columnHeights.reduce(0, +) }

  func draw(on canvas: inout Canvas, left: Double, top: Double) {
    var top = top
    for (row, height) in zip(rows, columnHeights) {
      for (entry, offset, lines) in row {
        let y = top + ChartLegend.lineHeight / 2
        let start = left + offset
        canvas.line(
          from: Point(x: start, y: y),
          to: Point(x: start + ChartLegend.sampleWidth, y: y), entry.stroke)
        if let marker = entry.marker {
          canvas.marker(
            marker, at: Point(x: start + ChartLegend.sampleWidth / 2, y: y), radius: 3.2,
            fill: entry.stroke.color)
        }
        for (index, line) in lines.enumerated() {
          canvas.text(
            line,
            at: Point(
              x: start + ChartLegend.sampleWidth + 7,
              y: y + 4 + Double(index) * ChartLegend.lineHeight), size: FigureText.labelSize)
        }
      }
      top += height
    }
  }
}
