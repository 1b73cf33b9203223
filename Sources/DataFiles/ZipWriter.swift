/// Writes a ZIP archive of stored files whose bytes depend on the names and contents alone.
///
/// Every entry carries the earliest time ZIP can state, 1980-01-01 00:00. Source: PKWARE,
/// APPNOTE.TXT 6.3.10, section 4.3.
enum ZipWriter {
  /// The most bytes that an archive without ZIP64 records can hold.
  static let largestArchive = 0xFFFF_FFFE

  /// The archive of the given files, in the given order.
  static func archive(_ files: [(name: String, contents: [UInt8])]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(
      files.reduce(22) { $0 + 76 + 2 * $1.name.utf8.count + $1.contents.count })
    var directory: [UInt8] = []
    for file in files {
      let start = bytes.count
      // What the two headers share, from "version needed" to the length of the extra field.
      var shared: [UInt8] = []
      shared.append(20, count: 2)
      shared.append(0x0800, count: 2)  // names are UTF-8
      shared.append(0, count: 2)  // stored
      shared.append(0, count: 2)  // 00:00
      shared.append(0x0021, count: 2)  // 1980-01-01
      shared.append(Int(Deflate.crc32(file.contents)), count: 4)
      shared.append(file.contents.count, count: 4)
      shared.append(file.contents.count, count: 4)
      shared.append(file.name.utf8.count, count: 2)
      shared.append(0, count: 2)

      bytes.append(0x0403_4B50, count: 4)
      bytes += shared
      bytes += file.name.utf8
      bytes += file.contents

      directory.append(0x0201_4B50, count: 4)
      directory.append(20, count: 2)
      directory += shared
      directory.append(0, count: 2)  // no comment
      directory.append(0, count: 2)  // first disk
      directory.append(0, count: 2)  // no internal attributes
      directory.append(0, count: 4)  // no external attributes
      directory.append(start, count: 4)
      directory += file.name.utf8
    }
    let directoryStart = bytes.count
    bytes += directory
    bytes.append(0x0605_4B50, count: 4)
    bytes.append(0, count: 4)  // one disk
    bytes.append(files.count, count: 2)
    bytes.append(files.count, count: 2)
    bytes.append(directory.count, count: 4)
    bytes.append(directoryStart, count: 4)
    bytes.append(0, count: 2)  // no comment
    return bytes
  }
}
