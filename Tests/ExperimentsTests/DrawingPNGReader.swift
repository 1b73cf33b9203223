import DataFiles
import Experiments
import Testing

/// The pixels of an eight-bit image file with a palette, read as the PNG specification says.
struct PNGPixels {
  let width, height: Int
  let pixels: [UInt8]

  /// Checks signature, chunk order, lengths and checksums on the way.
  init(_ file: [UInt8]) throws {
    try #require(Array(file.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
    var chunks: [(name: String, content: [UInt8])] = []
    var position = 8
    while position < file.count {
      let length = number(file[position..<position + 4])
      let named = Array(file[position + 4..<position + 8 + length])
      let sum = number(file[position + 8 + length..<position + 12 + length])
      try #require(Int(Deflate.crc32(named)) == sum)
      chunks.append((String(decoding: named.prefix(4), as: UTF8.self), Array(named.dropFirst(4))))
      position += 12 + length
    }
    let header = try #require(chunks.first)
    try #require(header.name == "IHDR" && chunks.last?.name == "IEND")
    // The specification's own example of a checksum: an empty IEND chunk.
    try #require(Array(file.suffix(4)) == [0xAE, 0x42, 0x60, 0x82])
    width = number(header.content[0..<4])
    height = number(header.content[4..<8])
    try #require(Array(header.content[8...]) == [8, 3, 0, 0, 0])
    let palette = try #require(chunks.first { $0.name == "PLTE" }).content
    try #require(palette.count <= 768)
    let stream = chunks.filter { $0.name == "IDAT" }.flatMap(\.content)
    let lineSize = width + 1
    let lines = try Deflate.inflateRaw(
      Array(stream.dropFirst(2).dropLast(4)), expectedSize: lineSize * height, name: "IDAT")
    pixels = (0..<height).flatMap { row in
      lines[row * lineSize + 1..<(row + 1) * lineSize].flatMap {
        palette[3 * Int($0)..<3 * Int($0) + 3]
      }
    }
    for row in 0..<height { try #require(lines[row * lineSize] == 0) }
  }

  subscript(x: Int, y: Int) -> Color {
    let i = 3 * (y * width + x)
    return Color(red: pixels[i], green: pixels[i + 1], blue: pixels[i + 2])
  }

  /// The places of all pixels that are not white.
  var inked: [(x: Int, y: Int)] {
    var places: [(x: Int, y: Int)] = []
    for y in 0..<height {
      for x in 0..<width where self[x, y] != .white { places.append((x, y)) }
    }
    return places
  }
}
