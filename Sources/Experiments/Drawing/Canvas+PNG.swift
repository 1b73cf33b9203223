extension Canvas {
  /// The drawing as an eight-bit RGB image file, enlarged by a whole factor.
  ///
  /// Everything but images is drawn as filled outlines with anti-aliased edges.
  public func png(scale: Int = 2) -> [UInt8] {
    precondition(scale >= 1, "an image is enlarged by at least 1, got \(scale)")
    var raster = Raster(width: Int(width) * scale, height: Int(height) * scale)
    let factor = Double(scale)
    for command in commands {
      switch command {
      case .image(let grid, let r):
        raster.draw(
          grid,
          in: Rectangle(
            x: r.x * factor, y: r.y * factor, width: r.width * factor, height: r.height * factor))
      case .rectangle(let rectangle, let fill):
        raster.fill([rectangle.corners], fill, enlarged: factor)
      case .polygon(let points, let fill, let opacity):
        raster.fill([points], fill, enlarged: factor, opacity: opacity)
      case .polyline(let points, let stroke):
        raster.fill(stroke.outlines(along: points), stroke.color, enlarged: factor)
      case .marker(let marker, let center, let radius, let fill):
        raster.fill(
          [marker.outline(center: center, radius: radius)], fill, enlarged: factor)
      case .text(let text):
        raster.fill(text.outlines, text.color, enlarged: factor)
      }
    }
    return PNG.encode(
      width: raster.width, height: raster.height, rgb: raster.pixels,
      pixelsPerMetre: UInt32((96 * factor / 0.0254).rounded()))
  }
}

extension Raster {
  fileprivate mutating func fill(
    _ contours: [[Point]], _ color: Color, enlarged factor: Double, opacity: Double = 1
  ) {
    let device = contours.map { $0.map { Point(x: $0.x * factor, y: $0.y * factor) } }
    fill(device, color: color, opacity: opacity)
  }
}

extension Text {
  /// The contours of all characters on the canvas.
  fileprivate var outlines: [[Point]] {
    let box = box
    var pen = direction == .rightwards ? box.x : box.bottom
    var result: [[Point]] = []
    for scalar in string.unicodeScalars {
      let glyph = TextMetrics.glyph(scalar)
      for contour in glyph.contours {
        result.append(
          contour.map {
            switch direction {
            case .rightwards: Point(x: pen + $0.x * size, y: position.y - $0.y * size)
            case .upwards: Point(x: position.x - $0.y * size, y: pen - $0.x * size)
            }
          })
      }
      pen += (direction == .rightwards ? 1 : -1) * glyph.advance * size
    }
    return result
  }
}

extension Stroke {
  /// A rectangle for each piece of the line and a dodecagon at each joint, all of one orientation,
  /// so that their union is the line.
  fileprivate func outlines(along points: [Point]) -> [[Point]] {
    var result: [[Point]] = []
    for piece in pieces(of: points) {
      for (index, (a, b)) in zip(piece, piece.dropFirst()).enumerated() {
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let length = (dx * dx + dy * dy).squareRoot()
        if length == 0 { continue }
        let (nx, ny) = (-dy / length * width / 2, dx / length * width / 2)
        result.append([
          Point(x: a.x - nx, y: a.y - ny), Point(x: b.x - nx, y: b.y - ny),
          Point(x: b.x + nx, y: b.y + ny), Point(x: a.x + nx, y: a.y + ny),
        ])
        if index > 0 { result.append(Marker.circle.outline(center: a, radius: width / 2)) }
      }
    }
    return result
  }

  /// The line cut into its dashes.
  private func pieces(of points: [Point]) -> [[Point]] {
    if dashes.isEmpty { return [points] }
    var result: [[Point]] = []
    var (phase, left, current) = (0, dashes[0], [points[0]])
    for (start, end) in zip(points, points.dropFirst()) {
      let (dx, dy) = (end.x - start.x, end.y - start.y)
      let length = (dx * dx + dy * dy).squareRoot()
      var done = 0.0
      while length - done > left {
        done += left
        let cut = Point(x: start.x + dx * done / length, y: start.y + dy * done / length)
        if phase.isMultiple(of: 2) { result.append(current + [cut]) }
        phase = (phase + 1) % dashes.count
        left = dashes[phase]
        current = [cut]
      }
      left -= length - done
      current.append(end)
    }
    if phase.isMultiple(of: 2) && current.count > 1 { result.append(current) }
    return result
  }
}
