import DenseAlgebra

/// Rows of heatmaps, in which neighbouring panels may share one colour scale.
///
/// ```swift
/// let panels = [
///   HeatmapGrid.Panel(title: "KFAC", matrix: kfac, layerBoundaries: [420, 840],
///                     layerNames: ["layer 2", "layer 3", "layer 4"]),
///   HeatmapGrid.Panel(title: "split 10", matrix: split, layerBoundaries: [420, 840]),
/// ]
/// let figure = HeatmapGrid(
///   title: "Figure 4",
///   rows: [
///     .init(title: "1  Linear colour", groups: [.init(panels, kind: .magnitude, label: "|entry|")]),
///     .init(title: "2  Logarithmic colour",
///           groups: [.init(panels, kind: .logarithmicMagnitude(decades: 6), label: "|entry|")]),
///   ],
///   caption: "Dashed lines separate layers.")
/// let canvas = figure.canvas   // canvas.svg(), canvas.png(), canvas.alternativeText
/// ```
/// Large matrices are reduced by taking the entry of largest magnitude of each block, and a note
/// below the panels says so.
public struct HeatmapGrid: Sendable {
  /// One matrix with its title.
  public struct Panel: Sendable {
    public var title, subtitle: String
    public var matrix: Matrix
    /// The first index of each layer but the first; dashed lines run before it.
    public var layerBoundaries: [Int]
    /// Names written along the layers, one more than boundaries, or none.
    public var layerNames: [String]

    public init(
      title: String, subtitle: String = "", matrix: Matrix, layerBoundaries: [Int] = [],
      layerNames: [String] = []
    ) {
      precondition(
        layerNames.isEmpty || layerNames.count == layerBoundaries.count + 1,
        "\(layerBoundaries.count) boundaries part \(layerBoundaries.count + 1) layers, "
          + "got \(layerNames.count) names")
      self.title = title
      self.subtitle = subtitle
      self.matrix = matrix
      self.layerBoundaries = layerBoundaries
      self.layerNames = layerNames
    }
  }

  /// Neighbouring panels with one colour scale and one colour bar.
  public struct Group: Sendable {
    public var panels: [Panel]
    public var scale: ColorScale
    /// What the colour bar measures.
    public var label: String

    /// A scale that just holds the panels' entries.
    public init(_ panels: [Panel], kind: ColorScale.Kind, label: String) {
      self.init(panels, scale: ColorScale(kind, fitting: panels.map(\.matrix)), label: label)
    }

    /// A given scale, as when groups of several rows share one.
    public init(_ panels: [Panel], scale: ColorScale, label: String) {
      self.panels = panels
      self.scale = scale
      self.label = label
    }
  }

  /// Groups beside each other under a title.
  public struct Row: Sendable {
    public var title: String
    public var groups: [Group]

    public init(title: String = "", groups: [Group]) {
      self.title = title
      self.groups = groups
    }
  }

  public var title, subtitle: String
  public var rows: [Row]
  public var caption: String
  /// The largest side of a panel in pixels; panels are a little smaller where cells must be whole.
  public var panelSide: Double

  public init(
    title: String, subtitle: String = "", rows: [Row], caption: String = "", panelSide: Double = 264
  ) {
    precondition(panelSide >= 60 && panelSide <= 1000, "panels of side \(panelSide)")
    self.title = title
    self.subtitle = subtitle
    self.rows = rows
    self.caption = caption
    self.panelSide = panelSide.rounded()
  }

  /// What the figure shows, in sentences.
  public var alternativeText: String {
    let head = [title, subtitle].filter { !$0.isEmpty }.joined(separator: ". ")
    let body = rows.map { row in
      let panels = row.groups.flatMap { group in
        group.panels.map { panel in
          let entries = panel.matrix.storage
          let title = panel.title.isEmpty ? "matrix" : panel.title
          return "\(title), \(panel.matrix.rowCount) × \(panel.matrix.columnCount), entries from "
            + "\(NumberText.short(entries.min() ?? 0)) to \(NumberText.short(entries.max() ?? 0))"
        }
      }
      return (row.title.isEmpty ? "Heatmaps: " : row.title + ": ") + panels.joined(separator: "; ")
    }
    return ([head] + body).joined(separator: ". ") + "."
  }

  /// The finished drawing.
  public var canvas: Canvas {
    let layouts = rows.map { HeatmapRowLayout($0, panelSide: panelSide) }
    let inner = max(layouts.map(\.width).max() ?? 0, 240)
    let frame = FigureFrame(
      title: title, subtitle: subtitle, notes: notes(layouts.flatMap(\.blockSizes)),
      caption: caption,
      width: inner)
    let gap = 18.0
    let height =
      2 * FigureText.margin + frame.headHeight + frame.footHeight
      + layouts.reduce(0) { $0 + $1.height } + gap * Double(max(0, layouts.count - 1))
    var canvas = Canvas(
      width: inner + 2 * FigureText.margin, height: height, title: title,
      alternativeText: alternativeText)
    var top = FigureText.margin + frame.headHeight
    for layout in layouts {
      layout.draw(on: &canvas, top: top.rounded())
      top += layout.height + gap
    }
    frame.draw(on: &canvas)
    return canvas
  }

  private func notes(_ blockSizes: [Int]) -> [String] {
    var notes: [String] = []
    let reduced = Set(blockSizes).filter { $0 > 1 }.sorted().map { "\($0) × \($0)" }
    if !reduced.isEmpty {
      let sizes = reduced.joined(separator: " or ")
      notes.append("Each cell shows the entry of largest magnitude in a block of \(sizes) entries.")
    }
    let matrices = rows.flatMap(\.groups).flatMap(\.panels).map(\.matrix)
    if matrices.contains(where: { $0.storage.contains { !$0.isFinite } }) {
      notes.append("Magenta: entries that are not finite.")
    }
    return notes
  }
}
