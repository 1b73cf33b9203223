import DataFiles

/// Writes Portable Network Graphics files: eight bits per channel, red, green and blue, no alpha.
///
/// Source: W3C, "Portable Network Graphics (PNG) Specification", third edition.
enum PNG {
  /// One pixel per cell.
  static func encode(_ grid: ColorGrid) -> [UInt8] {
    encode(
      width: grid.columnCount, height: grid.rowCount,
      rgb: grid.colors.flatMap { [$0.red, $0.green, $0.blue] })
  }

  /// A file of the given pixels; every line is stored as its difference from the one above.
  static func encode(width: Int, height: Int, rgb: [UInt8], pixelsPerMetre: UInt32? = nil)
    -> [UInt8]
  {
    precondition(
      width > 0 && height > 0 && rgb.count == 3 * width * height,
      "a \(width) × \(height) image needs \(3 * width * height) bytes, got \(rgb.count)")
    var lines: [UInt8] = []
    lines.reserveCapacity(height * (3 * width + 1))
    for row in 0..<height {
      let start = row * 3 * width
      lines.append(row == 0 ? 0 : 2)  // filter "none" for the first line, "up" for the others
      for i in start..<start + 3 * width {
        lines.append(row == 0 ? rgb[i] : rgb[i] &- rgb[i - 3 * width])
      }
    }
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    // Eight bits, colour type 2 (RGB), deflate, adaptive filters, not interlaced.
    file += chunk("IHDR", bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 2, 0, 0, 0])
    if let density = pixelsPerMetre {
      file += chunk("pHYs", bigEndian(density) + bigEndian(density) + [1])
    }
    file += chunk("IDAT", Deflate.zlib(lines))
    file += chunk("IEND", [])
    return file
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + checked + bigEndian(Deflate.crc32(checked))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
  }
}
