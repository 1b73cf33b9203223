import DataFiles
import Experiments
import Testing

/// The pixels of an eight-bit image file, RGB or with a palette, read as the PNG specification says.
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
    let isIndexed = header.content[9] == 3
    try #require(Array(header.content[8...]) == [8, isIndexed ? 3 : 2, 0, 0, 0])
    let palette = chunks.first { $0.name == "PLTE" }?.content ?? []
    try #require(isIndexed == !palette.isEmpty && palette.count <= 768)
    let stream = chunks.filter { $0.name == "IDAT" }.flatMap(\.content)
    let length = isIndexed ? width : 3 * width
    let lineSize = length + 1
    let lines = try Deflate.inflateRaw(
      Array(stream.dropFirst(2).dropLast(4)), expectedSize: lineSize * height, name: "IDAT")
    var bytes: [UInt8] = []
    for row in 0..<height {
      let filter = lines[row * lineSize]
      try #require(filter == 0 || filter == 2)
      for i in 0..<length {
        let above = filter == 2 && row > 0 ? bytes[(row - 1) * length + i] : 0
        bytes.append(lines[row * lineSize + 1 + i] &+ above)
      }
    }
    pixels = isIndexed ? bytes.flatMap { palette[3 * Int($0)..<3 * Int($0) + 3] } : bytes
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
