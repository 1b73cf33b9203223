import DataFiles

/// Writes Portable Network Graphics files: eight bits, a palette where 256 colours are enough, no alpha.
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
    let indexed = indexed(rgb)
    // Eight bits, colour type 3 (palette) or 2 (RGB), deflate, adaptive filters, not interlaced.
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += chunk(
      "IHDR",
      bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, indexed == nil ? 2 : 3, 0, 0, 0])
    if let density = pixelsPerMetre {
      file += chunk("pHYs", bigEndian(density) + bigEndian(density) + [1])
    }
    if let indexed { file += chunk("PLTE", indexed.palette) }
    file += chunk("IDAT", Deflate.zlib(lines(of: indexed?.pixels ?? rgb, height: height)))
    file += chunk("IEND", [])
    return file
  }

  /// Every line as its difference from the one above.
  private static func lines(of bytes: [UInt8], height: Int) -> [UInt8] {
    let length = bytes.count / height
    var lines: [UInt8] = []
    lines.reserveCapacity(height * (length + 1))
    for row in 0..<height {
      lines.append(row == 0 ? 0 : 2)  // filter "none" for the first line, "up" for the others
      for i in row * length..<(row + 1) * length {
        lines.append(row == 0 ? bytes[i] : bytes[i] &- bytes[i - length])
      }
    }
    return lines
  }

  /// The colours in the order of their first use, and a byte for each pixel; nil for more than 256.
  private static func indexed(_ rgb: [UInt8]) -> (palette: [UInt8], pixels: [UInt8])? {
    var numbers: [UInt32: UInt8] = [:]
    var (palette, pixels): ([UInt8], [UInt8]) = ([], [])
    pixels.reserveCapacity(rgb.count / 3)
    for i in stride(from: 0, to: rgb.count, by: 3) {
      let color = UInt32(rgb[i]) << 16 | UInt32(rgb[i + 1]) << 8 | UInt32(rgb[i + 2])
      if let number = numbers[color] {
        pixels.append(number)
        continue
      }
      guard numbers.count < 256 else { return nil }
      numbers[color] = UInt8(numbers.count)
      pixels.append(UInt8(numbers.count - 1))
      palette += rgb[i..<i + 3]
    }
    return (palette, pixels)
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + checked + bigEndian(Deflate.crc32(checked))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
  }
}
