import DenseAlgebra

/// One matrix as coloured cells with a colour bar.
///
/// ```swift
/// let figure = Heatmap(
///   title: "Fisher matrix of layer 2", matrix: fisher, kind: .logarithmicMagnitude(decades: 6),
///   label: "|entry|", caption: "Fashion-MNIST, iteration 10.")
/// let canvas = figure.canvas   // canvas.svg(), canvas.png(), canvas.alternativeText
/// ```
/// A ``HeatmapGrid`` of one panel.
public struct Heatmap: Sendable {
  public var title, subtitle: String
  public var matrix: Matrix
  public var scale: ColorScale
  /// What the colour bar measures.
  public var label: String
  public var caption: String
  /// The first index of each layer but the first; dashed lines run before it.
  public var layerBoundaries: [Int] = []
  /// Names written along the layers, one more than boundaries, or none.
  public var layerNames: [String] = []
  /// The largest side of the panel in pixels.
  public var side: Double = 420

  /// A scale that just holds the matrix's entries.
  public init(
    title: String, subtitle: String = "", matrix: Matrix, kind: ColorScale.Kind, label: String,
    caption: String = ""
  ) {
    self.title = title
    self.subtitle = subtitle
    self.matrix = matrix
    scale = ColorScale(kind, fitting: [matrix])
    self.label = label
    self.caption = caption
  }

  /// The finished drawing.
  public var canvas: Canvas {
    let panel = HeatmapGrid.Panel(
      title: "", matrix: matrix, layerBoundaries: layerBoundaries, layerNames: layerNames)
    let group = HeatmapGrid.Group([panel], scale: scale, label: label)
    return HeatmapGrid(
      title: title, subtitle: subtitle, rows: [HeatmapGrid.Row(groups: [group])], caption: caption,
      panelSide: side
    ).canvas
  }
}
