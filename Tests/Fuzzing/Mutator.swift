// Lets libFuzzer change what lies under a checksum: changing packed bytes at random is nearly always
// answered by "damaged", and the code behind that check would never be reached.

import DataFiles

/// libFuzzer's own mutations; answers the new size.
@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int) -> Int

@_cdecl("LLVMFuzzerCustomMutator")
public func customMutator(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int, _ seed: CUnsignedInt
) -> Int {
  // A quarter of the time the bytes of the file themselves are changed.
  if seed % 4 == 0 { return mutate(data, size, most) }
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  let changed: [UInt8]?
  switch reader {
  case .gzip where Deflate.isGzip(bytes), .idx where Deflate.isGzip(bytes):
    changed = (try? Deflate.gunzip(bytes, name: "f", limit: 1 << 16)).map {
      Deflate.gzip(mutated($0, most: most))
    }
  case .npz: changed = mutatedArchive(bytes, most: most, seed: Int(seed))
  default: changed = nil
  }
  guard let changed, changed.count <= most else { return mutate(data, size, most) }
  for (index, byte) in changed.enumerated() { data[index] = byte }
  return changed.count
}

private func mutated(_ bytes: [UInt8], most: Int) -> [UInt8] {
  var buffer = bytes + [UInt8](repeating: 0, count: max(most - bytes.count, 1))
  let size = buffer.withUnsafeMutableBufferPointer {
    mutate($0.baseAddress!, bytes.count, $0.count)
  }
  return Array(buffer.prefix(size))
}

/// Changes the contents of one file of a ZIP archive and writes the archive anew, with checksums
/// that are right; nil where no file is found.
private func mutatedArchive(_ bytes: [UInt8], most: Int, seed: Int) -> [UInt8]? {
  var files: [(name: [UInt8], contents: [UInt8])] = []
  var position = 0
  while position + 30 <= bytes.count, Array(bytes[position..<position + 4]) == [0x50, 0x4B, 3, 4] {
    func number(_ offset: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(bytes[position + offset + $1]) << (8 * $1) }
    }
    let start = position + 30 + number(26, 2) + number(28, 2)
    let end = start + number(18, 4)
    guard end <= bytes.count else { break }
    var contents = Array(bytes[start..<end])
    if number(8, 2) == 8, number(22, 4) < 1 << 16,
      let plain = try? Deflate.inflateRaw(contents, expectedSize: number(22, 4), name: "f")
    {
      contents = plain
    }
    files.append((Array(bytes[position + 30..<position + 30 + number(26, 2)]), contents))
    position = end
  }
  guard !files.isEmpty else { return nil }
  let chosen = seed / 4 % files.count
  files[chosen].contents = mutated(files[chosen].contents, most: most / 2)
  return archive(files, isPacked: seed / 64 % 2 == 0)
}

private func archive(
  _ files: [(name: [UInt8], contents: [UInt8])], isPacked: Bool
) -> [UInt8] {
  func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  var bytes: [UInt8] = []
  var directory: [UInt8] = []
  for file in files {
    let data =
      isPacked ? Array(Deflate.zlib(file.contents).dropFirst(2).dropLast(4)) : file.contents
    let shared =
      number(20, 2) + number(0, 2) + number(isPacked ? 8 : 0, 2) + number(0x21_0000, 4)
      + number(Int(Deflate.crc32(file.contents)), 4) + number(data.count, 4)
      + number(file.contents.count, 4) + number(file.name.count, 2) + number(0, 2)
    directory += number(0x0201_4B50, 4) + number(20, 2) + shared
    directory += [UInt8](repeating: 0, count: 10) + number(bytes.count, 4) + file.name
    bytes += number(0x0403_4B50, 4) + shared + file.name + data
  }
  let start = bytes.count
  bytes += directory + number(0x0605_4B50, 4) + number(0, 4) + number(files.count, 2)
  return bytes + number(files.count, 2) + number(directory.count, 4) + number(start, 4)
    + number(0, 2)
}
