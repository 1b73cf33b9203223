/// Pixels that filled outlines are painted on, with anti-aliased edges.
struct Raster {
  let width, height: Int
  /// Red, green and blue of every pixel, row after row from the top; white at first.
  private(set) var pixels: [UInt8]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    pixels = Array(repeating: 255, count: 3 * width * height)
  }

  /// Fills closed contours by the nonzero winding rule.
  ///
  /// Coverage of a pixel is exact along x and sampled on eight lines along y.
  mutating func fill(_ contours: [[Point]], color: Color, opacity: Double = 1) {
    let samples = 8
    let edges = Raster.edges(of: contours)
    guard let first = edges.first, let lowest = edges.map(\.bottom).max() else { return }
    let firstRow = max(0, Int(first.top.rounded(.down)))
    let lastRow = min(height - 1, Int(lowest.rounded(.down)))
    var (active, next) = ([Edge](), 0)
    var coverage = [Double](repeating: 0, count: width + 1)
    var crossings: [(x: Double, winding: Int)] = []
    for row in stride(from: firstRow, through: lastRow, by: 1) {
      while next < edges.count && edges[next].top < Double(row + 1) {
        active.append(edges[next])
        next += 1
      }
      active.removeAll { $0.bottom <= Double(row) }
      var touched = (low: width, high: -1)
      for sample in 0..<samples {
        let y = Double(row) + (Double(sample) + 0.5) / Double(samples)
        crossings.removeAll(keepingCapacity: true)
        for edge in active where edge.top <= y && y < edge.bottom {
          crossings.append((edge.x + (y - edge.top) * edge.slope, edge.winding))
        }
        crossings.sort { $0.x < $1.x }
        var winding = 0
        for (index, crossing) in crossings.enumerated() {
          winding += crossing.winding
          if winding == 0 || index + 1 == crossings.count { continue }
          let from = max(0, crossing.x)
          let to = min(Double(width), crossings[index + 1].x)
          if to <= from { continue }
          let (low, high) = (Int(from), min(width - 1, Int(to)))
          touched = (min(touched.low, low), max(touched.high, high))
          if low == high {
            coverage[low] += to - from
          } else {
            coverage[low] += Double(low + 1) - from
            for x in stride(from: low + 1, to: high, by: 1) { coverage[x] += 1 }
            coverage[high] += to - Double(high)
          }
        }
      }
      if touched.high < 0 { continue }
      for x in touched.low...touched.high where coverage[x] > 0 {
        blend(color, at: row * width + x, weight: opacity * min(1, coverage[x] / Double(samples)))
        coverage[x] = 0
      }
    }
  }

  /// Paints equal cells over a rectangle; a pixel takes the cell of its centre.
  mutating func draw(_ grid: ColorGrid, in rectangle: Rectangle) {
    let rows = max(0, Int(rectangle.y.rounded()))..<min(height, Int(rectangle.bottom.rounded()))
    let columns = max(0, Int(rectangle.x.rounded()))..<min(width, Int(rectangle.right.rounded()))
    func cell(_ pixel: Int, _ start: Double, _ length: Double, _ count: Int) -> Int {
      max(0, min(count - 1, Int((Double(pixel) + 0.5 - start) / length * Double(count))))
    }
    let cellColumns = columns.map { cell($0, rectangle.x, rectangle.width, grid.columnCount) }
    for row in rows {
      let start = cell(row, rectangle.y, rectangle.height, grid.rowCount) * grid.columnCount
      for (x, column) in zip(columns, cellColumns) {
        blend(grid.colors[start + column], at: row * width + x, weight: 1)
      }
    }
  }

  private mutating func blend(_ color: Color, at pixel: Int, weight: Double) {
    func mixed(_ old: UInt8, _ new: UInt8) -> UInt8 {
      UInt8((Double(old) + (Double(new) - Double(old)) * weight).rounded())
    }
    pixels[3 * pixel] = mixed(pixels[3 * pixel], color.red)
    pixels[3 * pixel + 1] = mixed(pixels[3 * pixel + 1], color.green)
    pixels[3 * pixel + 2] = mixed(pixels[3 * pixel + 2], color.blue)
  }

  private struct Edge {
    let top, bottom, x, slope: Double
    let winding: Int
  }

  private static func edges(of contours: [[Point]]) -> [Edge] {
    var edges: [Edge] = []
    for contour in contours {
      for (index, a) in contour.enumerated() {
        let b = contour[(index + 1) % contour.count]
        if a.y == b.y { continue }
        let (upper, lower) = a.y < b.y ? (a, b) : (b, a)
        edges.append(
          Edge(
            top: upper.y, bottom: lower.y, x: upper.x,
            slope: (lower.x - upper.x) / (lower.y - upper.y), winding: a.y < b.y ? 1 : -1))
      }
    }
    return edges.sorted { $0.top < $1.top }
  }
}
