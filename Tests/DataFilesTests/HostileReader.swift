import DataFiles

/// A reader of files that strangers wrote, and what it owes for any bytes: a value that is finite
/// and fits its shape, or a `DataFileError` with a sentence.
///
/// `scripts/fuzz` compiles this file too, so the fuzzer and the replayed corpus ask for the same.
enum HostileReader: String, CaseIterable, Sendable {
  case npy, npz, idx, gzip, json, csv

  /// What a reader made of bytes.
  enum Answer {
    case arrays([NumericArray])
    case bytes(shape: [Int], [UInt8])
    case document(JSON)
    case table(LabelledCSV)
  }

  /// The limit that readers of arrays are given: 512 KiB, so that a size that is believed before it
  /// is checked shows, and a packed file of under 1 KB can pass it.
  static let limit = 1 << 19

  /// Reads bytes; files are called "f".
  func answer(to bytes: [UInt8]) -> Result<Answer, any Error> {
    Result {
      switch self {
      case .npy: return .arrays([try NPY.decode(bytes, name: "f", limit: Self.limit)])
      case .npz:
        return .arrays(try NPZ.decode(bytes, name: "f", limit: Self.limit).map(\.array))
      case .idx:
        let (shape, bytes) = try IDX.decode(bytes, name: "f", limit: Self.limit)
        return .bytes(shape: shape, bytes)
      case .gzip:
        let plain = try Deflate.gunzip(bytes, name: "f", limit: Self.limit)
        return .bytes(shape: [plain.count], plain)
      case .json: return .document(try JSON.decode(bytes, name: "f"))
      case .csv:
        return .table(try LabelledCSV.decode(bytes, name: "f", labelColumn: "y"))
      }
    }
  }

  /// How many bytes may be allocated at once while `size` bytes are read.
  ///
  /// A raw array: its file's size, or the 8 bytes of each `Double` where the file's elements are
  /// narrower; so a refusal costs no more than the file. Packed formats: the limit, and the file
  /// for copies of parts. Text: 32 bytes for each byte.
  func mostAllocated(size: Int, answer: Result<Answer, any Error>) -> Int {
    // A message, a header, zlib's state and window, and one part of 64 KiB.
    let slack = 1 << 18
    switch self {
    case .npy:
      guard case .success(.arrays(let arrays)) = answer else { return size + slack }
      return max(size, 8 * arrays[0].elements.count) + slack
    case .npz, .idx, .gzip: return 2 * size + Self.limit + slack
    case .json, .csv: return 32 * size + slack
    }
  }

  /// What is wrong with an answer; nil where nothing is.
  static func complaint(about answer: Result<Answer, any Error>) -> String? {
    do {
      switch try answer.get() {
      case .arrays(let arrays):
        let count = arrays.reduce(0) { $0 + $1.elements.count }
        guard 8 * count <= limit else { return "\(count) numbers pass the limit" }
        for array in arrays {
          if let complaint = try complaint(about: array) { return complaint }
        }
      case .bytes(let shape, let bytes):
        guard shape.reduce(1, *) == bytes.count, bytes.count <= limit else {
          return "the shape \(shape) with \(bytes.count) bytes"
        }
        let again = try Deflate.gunzip(Deflate.gzip(bytes), name: "f")
        guard again == bytes else { return "\(bytes.count) bytes do not survive packing" }
      case .document(let value):
        guard isFinite(value) else { return "a number that is not finite" }
      case .table(let table): return try complaint(about: table)
      }
      return nil
    } catch let error as DataFileError {
      return complaint(aboutMessage: error.message)
    } catch {
      return "another error than DataFileError: \(error)"
    }
  }

  private static func complaint(about array: NumericArray) throws -> String? {
    guard array.shape.reduce(1, *) == array.elements.count else {
      return "the shape \(array.shape) with \(array.elements.count) elements"
    }
    // Bits, as NaN is not equal to itself.
    let again = try NPY.decode(NPY.encode(array), name: "f")
    guard again.shape == array.shape, again.kind == array.kind,
      again.elements.map(\.bitPattern) == array.elements.map(\.bitPattern)
    else { return "an array of shape \(array.shape) does not survive writing" }
    for use in [{ _ = try array.matrix("f") }, { _ = try array.labels("f") }] as [() throws -> Void]
    {
      do { try use() } catch let error as DataFileError {
        if let complaint = complaint(aboutMessage: error.message) { return complaint }
      }
    }
    try array.requireFinite("f")
    return nil
  }

  private static func complaint(about table: LabelledCSV) throws -> String? {
    let count = table.lines.count
    guard table.inputs.shape == [count, table.inputNames.count], count > 0,
      zip(table.lines, table.lines.dropFirst()).allSatisfy({ $0 < $1 })
    else { return "the shape \(table.inputs.shape) from lines \(table.lines)" }
    try table.inputs.requireFinite("f")
    let labels = try table.labels("f")
    return labels.count == count ? nil : "\(labels.count) labels for \(count) lines"
  }

  private static func isFinite(_ value: JSON) -> Bool {
    switch value {
    case .null, .boolean, .string: true
    case .number(let number): number.isFinite
    case .array(let elements): elements.allSatisfy(isFinite)
    case .object(let members): members.values.allSatisfy(isFinite)
    }
  }

  /// A message names the file first, is one line of characters that a terminal shows, ends its
  /// sentence, and stays short whatever the file holds.
  private static func complaint(aboutMessage message: String) -> String? {
    let isShown = message.unicodeScalars.allSatisfy {
      switch $0.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: false
      default: true
      }
    }
    let isFine =
      (message.hasPrefix("f:") || message.hasPrefix("f,")) && message.hasSuffix(".")
      && message.utf8.count <= 4096 && isShown
    return isFine ? nil : "the message is not one sentence on one line: \(message)"
  }
}
