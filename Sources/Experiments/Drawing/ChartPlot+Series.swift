/// The curves and bands of a plot, kept within its area.
extension ChartPlot {
  func drawBand(
    of series: LineSeries, on canvas: inout Canvas, _ area: Rectangle, _ color: Color
  ) {
    var upper: [Point] = []
    var lower: [Point] = []
    func finish() {
      if upper.count > 1 {
        canvas.polygon(upper + lower.reversed(), fill: color, opacity: bandOpacity)
      }
      upper = []
      lower = []
    }
    for ((x, least), greatest) in zip(zip(series.x, series.least), series.greatest) {
      guard xScale.admits(x), yScale.admits(greatest), least.isFinite else {
        finish()
        continue
      }
      let horizontal = xScale.position(of: x)
      guard (-1e-9...1 + 1e-9).contains(horizontal) else { continue }
      // A lower edge that a logarithmic axis cannot show lies below everything it can.
      let low = yScale.admits(least) ? yScale.position(of: least) : 0
      upper.append(place(horizontal, clamped(yScale.position(of: greatest)), area))
      lower.append(place(horizontal, clamped(low), area))
    }
    finish()
  }

  func drawLine(
    of series: LineSeries, on canvas: inout Canvas, _ area: Rectangle, _ style: SeriesStyle,
    rank: Int
  ) {
    var runs: [[Point]] = [[]]
    for (x, y) in zip(series.x, series.y) {
      if xScale.admits(x) && yScale.admits(y) {
        runs[runs.count - 1].append(Point(x: xScale.position(of: x), y: yScale.position(of: y)))
      } else if !runs[runs.count - 1].isEmpty {
        runs.append([])
      }
    }
    for run in runs {
      for piece in ChartPlot.clipped(run) {
        canvas.polyline(piece.map { place($0.x, $0.y, area) }, style.stroke)
      }
    }
    let unit = -1e-9...1 + 1e-9
    let inside = runs.joined().filter { unit.contains($0.x) && unit.contains($0.y) }
    for point in marked(inside, rank: rank) {
      canvas.marker(
        style.marker, at: place(point.x, point.y, area), radius: 3.2, fill: style.stroke.color)
    }
  }

  /// All points of a short series; of a long one about eight at equal distances along x, staggered
  /// from series to series so that markers do not pile up.
  private func marked(_ points: [Point], rank: Int) -> [Point] {
    if points.count <= 16 { return points }
    let pieces = 8
    let shift = (Double(rank % 5) + 0.5) / 5
    var next = 0
    return points.filter { point in
      guard (point.x * Double(pieces)) >= Double(next) + shift else { return false }
      next = Int(point.x * Double(pieces) - shift) + 1
      return true
    }
  }

  /// Fainter where many bands lie over each other.
  private var bandOpacity: Double { panel.series.count(where: \.hasBand) > 4 ? 0.1 : 0.18 }

  private func clamped(_ position: Double) -> Double { max(0, min(1, position)) }

  private func place(_ x: Double, _ y: Double, _ area: Rectangle) -> Point {
    Point(x: area.x + x * area.width, y: area.bottom - y * area.height)
  }

  /// The parts of a curve within the unit square (Liang and Barsky, 1984).
  static func clipped(_ points: [Point]) -> [[Point]] {
    var result: [[Point]] = []
    for (a, b) in zip(points, points.dropFirst()) {
      var (enter, leave) = (0.0, 1.0)
      for (start, change) in [(a.x, b.x - a.x), (a.y, b.y - a.y)] {
        for (distance, slope) in [(start, -change), (1 - start, change)] {
          if slope == 0 {
            if distance < 0 { leave = -1 }
          } else if slope < 0 {
            enter = max(enter, distance / slope)
          } else {
            leave = min(leave, distance / slope)
          }
        }
      }
      if enter >= leave { continue }  // outside, or touching in a point
      func point(_ t: Double) -> Point {
        t == 0 ? a : t == 1 ? b : Point(x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y))
      }
      if enter == 0, result.last?.last == a {
        result[result.count - 1].append(point(leave))
      } else {
        result.append([point(enter), point(leave)])
      }
    }
    return result
  }
}
