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
    file += chunk("PLTE", palette.flatMap { bigEndian($0).dropFirst() })
    // Numbers of colours have no slope that a filter could use: filter "none" in every line.
    var lines: [UInt8] = []
    for row in 0..<height { lines += [0] + pixels[row * width..<(row + 1) * width] }
    file += chunk("IDAT", Deflate.zlib(lines))
    file += chunk("IEND", [])
    return file
  }

  /// At most 256 colours as numbers 0xRRGGBB, and for each pixel the nearest of them.
  ///
  /// Where there are more, half of the palette goes to the most frequent, so that flat areas keep
  /// their colour exactly. Each further place goes to the colour that is farthest from all before it:
  /// the rare ends of a colour scale are kept, and what is merged are neighbouring shades.
  private static func indexed(_ rgb: [UInt8]) -> (palette: [UInt32], pixels: [UInt8]) {
    var colors: [UInt32] = []
    colors.reserveCapacity(rgb.count / 3)
    for i in stride(from: 0, to: rgb.count, by: 3) {
      colors.append(UInt32(rgb[i]) << 16 | UInt32(rgb[i + 1]) << 8 | UInt32(rgb[i + 2]))
    }
    var counts: [UInt32: Int] = [:]
    for color in colors { counts[color, default: 0] += 1 }
    let byFrequency = counts.keys.sorted { a, b in
      let (countA, countB) = (counts[a, default: 0], counts[b, default: 0])
      return countA != countB ? countA > countB : a < b
    }
    var palette: [UInt32] = []
    var nearest = [UInt8](repeating: 0, count: byFrequency.count)
    var distances = [Int](repeating: .max, count: byFrequency.count)
    while palette.count < min(256, byFrequency.count) {
      var place = palette.count
      if byFrequency.count > 256 && palette.count >= 128 {
        place = 0
        for index in distances.indices where distances[index] > distances[place] { place = index }
      }
      let chosen = byFrequency[place]
      for (index, color) in byFrequency.enumerated() {
        let distance = distance(chosen, color)
        if distance < distances[index] {
          (distances[index], nearest[index]) = (distance, UInt8(palette.count))
        }
      }
      palette.append(chosen)
    }
    let numbers = Dictionary(uniqueKeysWithValues: zip(byFrequency, nearest))
    return (palette, colors.map { numbers[$0, default: 0] })
  }

  /// The squared Euclidean distance between two colours 0xRRGGBB.
  private static func distance(_ a: UInt32, _ b: UInt32) -> Int {
    var sum = 0
    for shift in [16, 8, 0] as [UInt32] {
      let difference = Int(a >> shift & 255) - Int(b >> shift & 255)
      sum += difference * difference
    }
    return sum
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + checked + bigEndian(Deflate.crc32(checked))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
  }
}
