import Foundation

/// Named arrays in one file, as numpy's `savez` and `savez_compressed` write them: a ZIP archive of
/// `.npy` files.
public enum NPZ {
  /// Reads every array of a file, in the order of its directory.
  ///
  /// A plain `.npy` file is taken as one array named after the file. Throws `DataFileError` where
  /// the file is missing, cut, damaged, of another format or a Python pickle (PyTorch's `.pt` files
  /// are recognised), where two arrays have one name, and where the arrays, and the unpacked bytes
  /// of one that is deflated, need more than `limit` bytes together.
  public static func read(
    path: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> [(name: String, array: NumericArray)] {
    try decode(InputFile.read(path: path, limit: limit), name: path, limit: limit)
  }

  /// Reads the arrays from memory; `name` is what messages call the file.
  public static func decode(
    _ bytes: [UInt8], name: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> [(name: String, array: NumericArray)] {
    if bytes.starts(with: NPY.magic) {
      let array = try NPY.decode(bytes, name: name, limit: limit)
      let stem = URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
      return [(stem, array)]
    }
    let begins = bytes.prefix(4)
    // An archive without entries begins with its end record.
    guard begins == [0x50, 0x4B, 3, 4] || begins == [0x50, 0x4B, 5, 6] else {
      throw ForeignFormat.error(bytes, name: name)
    }
    let archive = try ZipArchive(bytes, name: name)
    try checkNames(archive.entries, name: name)
    var arrays: [(name: String, array: NumericArray)] = []
    var taken = 0
    for entry in archive.entries {
      // A stored entry takes no more than the file does.
      let unpacked = entry.isPacked ? entry.size : 0
      guard unpacked <= limit - taken else {
        throw DataFileError(
          "\(name): the arrays up to '\(Excerpt(entry.name))' need more than the limit of \(limit) bytes. "
            + "Give fewer or smaller arrays, or raise the memory limit.")
      }
      let arrayName = String(entry.name.dropLast(suffix.count))
      let array = try NPY.decode(
        archive.contents(of: entry), name: "\(name), array '\(Excerpt(arrayName))'",
        limit: limit, taken: taken + unpacked)
      taken += 8 * array.elements.count
      arrays.append((arrayName, array))
    }
    return arrays
  }

  /// The bytes of an `.npz` file that numpy reads: stored, dated 1980-01-01, the same bytes for the
  /// same arrays.
  ///
  /// Names must differ and the whole must stay under 4 GiB; `write` checks both with a sentence.
  public static func encode(_ arrays: [(name: String, array: NumericArray)]) -> [UInt8] {
    precondition(duplicate(in: arrays.map(\.name)) == nil, "two arrays have one name")
    precondition(arrays.count < 0xFFFF, "\(arrays.count) arrays; an archive holds 65,534")
    let bytes = ZipWriter.archive(arrays.map { ($0.name + suffix, NPY.encode($0.array)) })
    precondition(bytes.count <= ZipWriter.largestArchive, "the archive has \(bytes.count) bytes")
    return bytes
  }

  /// Writes the arrays to a file, which appears whole or not at all.
  ///
  /// Throws `DataFileError` where two arrays have one name, the arrays need 4 GiB or more, or the
  /// file cannot be written.
  public static func write(
    _ arrays: [(name: String, array: NumericArray)], to path: String
  ) throws(DataFileError) {
    if let name = duplicate(in: arrays.map(\.name)) {
      throw DataFileError("\(path): two arrays are named '\(name)'. Give them different names.")
    }
    let size = arrays.reduce(0) { $0 + 8 * $1.array.elements.count + 1024 }
    guard size <= ZipWriter.largestArchive, arrays.count < 0xFFFF else {
      throw DataFileError(
        "\(path): \(arrays.count) arrays need about \(size) bytes, and an .npz file of this kind "
          + "holds 65,534 arrays and 4 GiB. Write fewer arrays.")
    }
    try AtomicFile.write(encode(arrays), to: path)
  }

  private static let suffix = ".npy"

  private static func checkNames(
    _ entries: [ZipArchive.Entry], name: String
  ) throws(DataFileError) {
    let names = entries.map(\.name)
    if names.contains(where: { $0.hasSuffix("data.pkl") }) {
      throw DataFileError(
        "\(name): this is a PyTorch file, which holds a Python pickle. "
          + ForeignFormat.pickleAdvice)
    }
    if let other = names.first(where: { !$0.hasSuffix(suffix) }) {
      throw DataFileError(
        "\(name): the entry '\(Excerpt(other))' is no .npy array, so this is not an .npz file. "
          + "Save the arrays with numpy.savez(path, name=array).")
    }
    if let twice = duplicate(in: names) {
      throw DataFileError(
        "\(name): two arrays are named '\(Excerpt(twice.dropLast(suffix.count)))'. "
          + "Save the file again with different names.")
    }
  }

  private static func duplicate(in names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}
