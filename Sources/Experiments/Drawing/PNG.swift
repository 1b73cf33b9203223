import DataFiles

/// Writes Portable Network Graphics files: eight bits, a palette of 256 colours, no alpha.
///
/// Source: W3C, "Portable Network Graphics (PNG) Specification", third edition.
enum PNG {
  /// One pixel per cell.
  static func encode(_ grid: ColorGrid) -> [UInt8] {
    encode(
      width: grid.columnCount, height: grid.rowCount,
      rgb: grid.colors.flatMap { [$0.red, $0.green, $0.blue] })
  }

  /// A file of the given pixels.
  static func encode(width: Int, height: Int, rgb: [UInt8], pixelsPerMetre: UInt32? = nil)
    -> [UInt8]
  {
    precondition(
      width > 0 && height > 0 && rgb.count == 3 * width * height,
      "a \(width) × \(height) image needs \(3 * width * height) bytes, got \(rgb.count)")
    let (palette, pixels) = indexed(rgb)
    // Eight bits, colour type 3 (palette), deflate, adaptive filters, not interlaced.
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += chunk("IHDR", bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 3, 0, 0, 0])
    if let density = pixelsPerMetre {
      file += chunk("pHYs", bigEndian(density) + bigEndian(density) + [1])
    }
    file += chunk(
      "PLTE", palette.flatMap { [UInt8($0 >> 16), UInt8($0 >> 8 & 255), UInt8($0 & 255)] })
    // Numbers of colours have no slope that a filter could use: filter "none" in every line.
    let lines = (0..<height).flatMap { [0] + pixels[$0 * width..<($0 + 1) * width] }
    file += chunk("IDAT", Deflate.zlib(lines))
    file += chunk("IEND", [])
    return file
  }

  /// The 256 most frequent colours as numbers 0xRRGGBB, and for each pixel the nearest of them.
  ///
  /// Only the shades of anti-aliased edges ever exceed 256, and each has a near neighbour.
  private static func indexed(_ rgb: [UInt8]) -> (palette: [UInt32], pixels: [UInt8]) {
    let colors = stride(from: 0, to: rgb.count, by: 3).map {
      UInt32(rgb[$0]) << 16 | UInt32(rgb[$0 + 1]) << 8 | UInt32(rgb[$0 + 2])
    }
    let counts = colors.reduce(into: [UInt32: Int]()) { $0[$1, default: 0] += 1 }
    let palette = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(256).map(\.key)
    func distance(_ a: UInt32, _ b: UInt32) -> Int {
      [16, 8, 0].reduce(0) { sum, shift in
        let d = Int(a >> shift & 255) - Int(b >> shift & 255)
        return sum + d * d
      }
    }
    let numbers = Dictionary(
      uniqueKeysWithValues: counts.keys.map { color in
        let nearest = palette.indices.min {
          distance(palette[$0], color) < distance(palette[$1], color)
        }
        return (color, UInt8(nearest ?? 0))
      })
    return (palette, colors.map { numbers[$0] ?? 0 })
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + checked + bigEndian(Deflate.crc32(checked))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
  }
}
