/// Line charts side by side that share one legend.
///
/// ```swift
/// let figure = LineChartGrid(
///   title: "Errors of the approximations",
///   panels: [
///     .init(title: "(a) against KFAC", x: ChartAxis("iteration"),
///           y: ChartAxis("relative Frobenius error", .logarithmic),
///           series: [LineSeries(name: "split 10", x: xs, y: medians, least: low, greatest: high)],
///           references: [ReferenceLine(0.05, name: "the paper, iteration 10")]),
///   ],
///   columnCount: 2, caption: "Bands: five seeds.")
/// let canvas = figure.canvas   // canvas.svg(), canvas.png(), canvas.alternativeText
/// ```
/// A series keeps its colour, dashes and marker in all panels by its name. Points that an axis
/// cannot show (not finite, or not above zero on a logarithmic axis) break the line, and a note
/// counts them.
public struct LineChartGrid: Sendable {
  /// One chart.
  public struct Panel: Sendable {
    public var title: String
    public var x, y: ChartAxis
    public var series: [LineSeries]
    public var references: [ReferenceLine]

    public init(
      title: String = "", x: ChartAxis, y: ChartAxis, series: [LineSeries],
      references: [ReferenceLine] = []
    ) {
      self.title = title
      self.x = x
      self.y = y
      self.series = series
      self.references = references
    }
  }

  public var title, subtitle: String
  public var panels: [Panel]
  public var columnCount: Int
  public var caption: String
  /// The size of each plotting area in pixels.
  public var plotWidth = 330.0
  public var plotHeight = 220.0

  public init(
    title: String, subtitle: String = "", panels: [Panel], columnCount: Int = 2,
    caption: String = ""
  ) {
    precondition(columnCount >= 1, "charts in \(columnCount) columns")
    self.title = title
    self.subtitle = subtitle
    self.panels = panels
    self.columnCount = columnCount
    self.caption = caption
  }

  /// What the figure shows, in sentences.
  public var alternativeText: String {
    let head = [title, subtitle].filter { !$0.isEmpty }.joined(separator: ". ")
    let body = panels.map { panel in
      let series = panel.series.map { series in
        guard let x0 = series.x.first, let x1 = series.x.last, let y0 = series.y.first,
          let y1 = series.y.last
        else { return "\(series.name) is empty" }
        return "\(series.name) goes from \(NumberText.short(y0)) at \(NumberText.short(x0)) "
          + "to \(NumberText.short(y1)) at \(NumberText.short(x1))"
      }
      let references = panel.references.map { "\($0.name) is \(NumberText.short($0.value))" }
      let name = panel.title.isEmpty ? "" : panel.title + ": "
      return name + "\(panel.y.label) against \(panel.x.label): "
        + (series + references).joined(separator: "; ")
    }
    return ([head] + body).joined(separator: ". ") + "."
  }

  /// The finished drawing.
  public var canvas: Canvas {
    let plots = panels.map { ChartPlot($0, width: plotWidth, height: plotHeight) }
    let columns = max(1, min(columnCount, plots.count))
    let rows = (plots.count + columns - 1) / columns
    let left = (plots.map(\.leftRoom).max() ?? 0).rounded(.up)
    let top = (plots.map(\.topRoom).max() ?? 0).rounded(.up)
    let pitchX = left + plotWidth + (plots.map(\.rightRoom).max() ?? 0).rounded(.up) + 14
    let pitchY = top + plotHeight + (plots.map(\.bottomRoom).max() ?? 0).rounded(.up) + 12
    let inner = pitchX * Double(columns) - 14
    let names = panels.flatMap(\.series).map(\.name).withoutRepetition
    let styles = Dictionary(
      uniqueKeysWithValues: names.enumerated().map { ($1, SeriesStyle(index: $0)) })
    let references = Dictionary(
      uniqueKeysWithValues: panels.flatMap(\.references).map(\.name).withoutRepetition.enumerated()
        .map { ($1, SeriesStyle.reference(index: $0)) })
    let legend = ChartLegend(legendEntries(styles, names, references), width: inner)
    let frame = FigureFrame(
      title: title, subtitle: subtitle, notes: notes(plots), caption: caption, width: inner)
    let plotsTop = (FigureText.margin + frame.headHeight).rounded()
    let legendTop = plotsTop + pitchY * Double(rows)
    var canvas = Canvas(
      width: inner + 2 * FigureText.margin,
      height: legendTop + legend.height + frame.footHeight + FigureText.margin,
      title: title, alternativeText: alternativeText)
    for (index, plot) in plots.enumerated() {
      plot.draw(
        on: &canvas, left: FigureText.margin + Double(index % columns) * pitchX + left,
        top: plotsTop + Double(index / columns) * pitchY + top, styles: styles,
        references: references)
    }
    legend.draw(on: &canvas, left: FigureText.margin, top: legendTop)
    frame.draw(on: &canvas)
    return canvas
  }

  private func legendEntries(
    _ styles: [String: SeriesStyle], _ names: [String], _ references: [String: Stroke]
  ) -> [ChartLegend.Entry] {
    let series = names.map {
      ChartLegend.Entry(name: $0, stroke: styles[$0]!.stroke, marker: styles[$0]!.marker)
    }
    let lines = panels.flatMap(\.references).map(\.name).withoutRepetition.map {
      ChartLegend.Entry(name: $0, stroke: references[$0]!, marker: nil)
    }
    return series + lines
  }

  private func notes(_ plots: [ChartPlot]) -> [String] {
    let hidden = plots.reduce(0) { $0 + $1.hiddenPointCount }
    if hidden == 0 { return [] }
    return [
      "\(hidden) \(hidden == 1 ? "point that has" : "points that have") no place on an axis (not "
        + "finite, or not above zero on a logarithmic axis) \(hidden == 1 ? "is" : "are") left out."
    ]
  }
}

extension Array where Element: Hashable {
  /// The first occurrence of each element, in order.
  fileprivate var withoutRepetition: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
