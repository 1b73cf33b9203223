/// A heatmap with its cells and the size they take.
struct SizedPanel {
  let panel: HeatmapGrid.Panel
  let cells: MatrixCells
  /// Half a pixel or a multiple of it, so that all cells of a doubled image are equal.
  let cellSide: Double

  init(_ panel: HeatmapGrid.Panel, side: Double) {
    self.panel = panel
    cells = MatrixCells(panel.matrix, atMost: Int(side))
    let count = max(1, cells.rowCount, cells.columnCount)
    cellSide = (2 * side / Double(count)).rounded(.down) / 2
  }

  var width: Double { cellSide * Double(cells.columnCount) }
  var height: Double { cellSide * Double(cells.rowCount) }

  /// Draws the cells, the lines between layers and the frame.
  func draw(on canvas: inout Canvas, left: Double, top: Double, scale: ColorScale) {
    let place = Rectangle(x: left, y: top, width: width, height: height)
    canvas.image(cells.colors(scale), in: place)
    // A thin dark line under white dashes shows on dark and on light cells alike.
    let strokes = [
      Stroke(Color(0x444444), width: 0.8), Stroke(.white, width: 0.8, dashes: [4, 3]),
    ]
    for boundary in panel.layerBoundaries {
      let offset = Double(boundary) / Double(cells.blockSize) * cellSide
      for stroke in strokes where offset > 0 {
        if offset < height {
          canvas.line(
            from: Point(x: left, y: top + offset), to: Point(x: place.right, y: top + offset),
            stroke)
        }
        if offset < width {
          canvas.line(
            from: Point(x: left + offset, y: top), to: Point(x: left + offset, y: place.bottom),
            stroke)
        }
      }
    }
    canvas.frame(place, Stroke(.secondaryInk, width: 0.8))
  }

  /// Writes the names of layers below the columns or, upwards, left of the rows; a name longer than
  /// its layer is left out.
  func drawNames(on canvas: inout Canvas, left: Double, top: Double, direction: Text.Direction) {
    let length = direction == .rightwards ? width : height
    let edges =
      [0]
      + panel.layerBoundaries.map {
        min(length, Double($0) / Double(cells.blockSize) * cellSide)
      } + [length]
    for (name, (start, end)) in zip(panel.layerNames, zip(edges, edges.dropFirst())) {
      if TextMetrics.width(of: name, size: FigureText.tickSize) > end - start - 2 { continue }
      let middle = (start + end) / 2
      canvas.text(
        Text(
          name,
          at: direction == .rightwards
            ? Point(x: left + middle, y: top + height + 13)
            : Point(x: left - 5, y: top + middle),
          size: FigureText.tickSize, anchor: .middle, direction: direction, color: .secondaryInk))
    }
  }
}

/// The places of the title, panels, layer names and colour bars of one row of heatmaps.
struct HeatmapRowLayout {
  /// One group: its panels, its colour bar, and the room left of its first panel.
  private struct SizedGroup {
    let panels: [SizedPanel]
    let scale: ColorScale
    let bar: ColorBar
    let leftRoom: Double
  }

  private static let panelGap = 18.0
  private static let barGap = 9.0
  private static let groupGap = 30.0
  private static let nameRoom = 18.0

  let width, height: Double
  private let title: String
  private let groups: [SizedGroup]
  private let columnWidth, titleHeight, headHeight: Double

  /// The sides of the blocks of entries that the cells of the row's panels stand for.
  var blockSizes: [Int] { groups.flatMap(\.panels).map(\.cells.blockSize) }

  /// Lays out a row in columns of one width, which is at least that of every panel.
  init(_ row: HeatmapGrid.Row, panelSide: Double) {
    title = row.title
    groups = row.groups.map { group in
      let panels = group.panels.map { SizedPanel($0, side: panelSide) }
      return SizedGroup(
        panels: panels, scale: group.scale,
        bar: ColorBar(
          scale: group.scale, label: group.label,
          height: max(110, panels.map(\.height).max() ?? 0)),
        leftRoom: group.panels.first?.layerNames.isEmpty == false ? HeatmapRowLayout.nameRoom : 0)
    }
    let panels = groups.flatMap(\.panels)
    let columnWidth = max(110, panels.map(\.width).max() ?? 0)
    self.columnWidth = columnWidth
    width =
      groups.reduce(0) { total, group in
        let count = Double(group.panels.count)
        return total + group.leftRoom + count * columnWidth
          + max(0, count - 1) * HeatmapRowLayout.panelGap + HeatmapRowLayout.barGap
          + group.bar.width
      } + HeatmapRowLayout.groupGap * Double(max(0, groups.count - 1))
    titleHeight =
      title.isEmpty
      ? 0
      : FigureText.height(
        TextMetrics.lines(of: title, size: FigureText.rowTitleSize, width: width).count,
        size: FigureText.rowTitleSize) + 6
    let heads = panels.map { sized in
      FigureText.height(
        TextMetrics.lines(
          of: sized.panel.title, size: FigureText.panelTitleSize, width: columnWidth
        ).count, size: FigureText.panelTitleSize)
        + FigureText.height(
          TextMetrics.lines(of: sized.panel.subtitle, size: FigureText.tickSize, width: columnWidth)
            .count, size: FigureText.tickSize)
    }
    let head = heads.max() ?? 0
    headHeight = (titleHeight + (head > 0 ? head + 5 : 0)).rounded(.up)
    let hasNames = panels.contains { !$0.panel.layerNames.isEmpty }
    height =
      headHeight + (groups.map(\.bar.height).max() ?? 0)
      + (hasNames ? HeatmapRowLayout.nameRoom : 2)
  }

  func draw(on canvas: inout Canvas, top: Double) {
    FigureText.draw(
      TextMetrics.lines(of: title, size: FigureText.rowTitleSize, width: width), on: &canvas,
      left: FigureText.margin, top: top, size: FigureText.rowTitleSize)
    var left = FigureText.margin
    let panelTop = top + headHeight
    for group in groups {
      left += group.leftRoom
      for (index, sized) in group.panels.enumerated() {
        if index > 0 { left += HeatmapRowLayout.panelGap }
        drawHead(of: sized.panel, on: &canvas, left: left, top: top + titleHeight)
        sized.draw(on: &canvas, left: left, top: panelTop, scale: group.scale)
        sized.drawNames(on: &canvas, left: left, top: panelTop, direction: .rightwards)
        if index == 0 {
          sized.drawNames(on: &canvas, left: left, top: panelTop, direction: .upwards)
        }
        left += columnWidth
      }
      left += HeatmapRowLayout.barGap
      group.bar.draw(on: &canvas, left: left, top: panelTop)
      left += group.bar.width + HeatmapRowLayout.groupGap
    }
  }

  private func drawHead(
    of panel: HeatmapGrid.Panel, on canvas: inout Canvas, left: Double, top: Double
  ) {
    let bottom = FigureText.draw(
      TextMetrics.lines(of: panel.title, size: FigureText.panelTitleSize, width: columnWidth),
      on: &canvas, left: left, top: top, size: FigureText.panelTitleSize)
    FigureText.draw(
      TextMetrics.lines(of: panel.subtitle, size: FigureText.tickSize, width: columnWidth),
      on: &canvas, left: left, top: bottom, size: FigureText.tickSize, color: .secondaryInk)
  }
}
