import DataFiles
import Testing

@Suite struct NPZTests {
  static let weights = NumericArray(shape: [2, 2], elements: [1, 2, 3, 4])
  static let labels = NumericArray(shape: [2], elements: [0, 1], kind: .integer)

  @Test(arguments: [NumpyFiles.stored, NumpyFiles.deflated])
  func readsWhatNumpyWrote(file: [UInt8]) throws {
    let arrays = try NPZ.decode(file, name: "w.npz")
    #expect(arrays.map(\.name) == ["W", "y"])
    #expect(arrays.map(\.array) == [Self.weights, Self.labels])
  }

  @Test func readsWhatItWritesAndWritesTheSameBytesAgain() throws {
    let arrays = [("W", Self.weights), ("größe/1", NumericArray(0.1)), ("y", Self.labels)]
    let file = NPZ.encode(arrays)
    let read = try NPZ.decode(file, name: "w.npz")
    #expect(read.map(\.name) == arrays.map(\.0))
    #expect(read.map(\.array) == arrays.map(\.1))
    #expect(NPZ.encode(read) == file)
    // 1980-01-01 00:00, and stored.
    #expect(Array(file[8..<14]) == [0, 0, 0, 0, 0x21, 0])
    #expect(try NPZ.decode(NPZ.encode([]), name: "w.npz").isEmpty)
  }

  @Test func storesTheSameMembersAsNumpy() {
    let file = NPZ.encode([("W", Self.weights), ("y", Self.labels)])
    // In numpy's file the members lie at 55 and 270, after headers of 55 bytes with a ZIP64 field;
    // in ours at 35 and 230.
    #expect(file[35..<195] == NumpyFiles.stored[55..<215])
    #expect(file[230..<374] == NumpyFiles.stored[270..<414])
  }

  @Test func takesAPlainNpyFileAsOneArray() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(NumpyFiles.matrix, to: "\(folder)/inputs.npy")
      let arrays = try NPZ.read(path: "\(folder)/inputs.npy")
      #expect(arrays.map(\.name) == ["inputs"])
      #expect(arrays[0].array.shape == [2, 3])
    }
  }

  @Test func readsZIP64Directories() throws {
    let arrays = try NPZ.decode(zip64(NumpyFiles.stored), name: "w.npz")
    #expect(arrays.map(\.array) == [Self.weights, Self.labels])
    #expect(try NPZ.decode(withComment(NumpyFiles.stored), name: "w.npz").count == 2)
  }

  @Test func refusesACutFileWhereverItIsCut() {
    for count in 4..<NumpyFiles.stored.count {
      expectMessage("w.npz", "cut") {
        try NPZ.decode(Array(NumpyFiles.stored.prefix(count)), name: "w.npz")
      }
    }
  }

  @Test func namesTheArrayThatIsDamaged() {
    var file = NumpyFiles.stored
    file[214] ^= 1  // the last byte of W
    expectMessage("w.npz", "'W.npy'", "CRC-32") {
      try NPZ.decode(file, name: "w.npz")
    }
    expectMessage("w.npz", "array 'o'", "|O", "np.savez") {
      try NPZ.decode(archive([("o.npy", NumpyFiles.objects)]), name: "w.npz")
    }
  }

  @Test func refusesTwoArraysOfOneName() {
    let file = archive([("W.npy", NumpyFiles.number), ("W.npy", NumpyFiles.matrix)])
    expectMessage("w.npz", "two arrays", "'W'") {
      try NPZ.decode(file, name: "w.npz")
    }
    expectMessage("out.npz", "two arrays", "'W'") {
      try NPZ.write([("W", Self.weights), ("W", Self.weights)], to: "out.npz")
    }
  }

  @Test func recognisesOtherArchivesAndPickles() {
    expectMessage("net.pt", "PyTorch", "np.savez") {
      try NPZ.decode(archive([("net/data.pkl", [0x80, 2]), ("net/data/0", [1])]), name: "net.pt")
    }
    expectMessage("net.pkl", "pickle", "np.savez") {
      try NPZ.decode([0x80, 4, 0x95, 0, 0], name: "net.pkl")
    }
    expectMessage("table.xlsx", "'xl/workbook.xml'", "savez") {
      try NPZ.decode(archive([("xl/workbook.xml", [])]), name: "table.xlsx")
    }
    expectMessage("w.npz", "gzip") {
      try NPZ.decode(Deflate.gzip([1]), name: "w.npz")
    }
  }

  @Test func refusesOffsetsOutsideTheFileAndOverlappingEntries() {
    // The central directory of numpy's file begins at 414; its two records are 51 bytes long, and
    // the offset of an entry lies 42 bytes into its record.
    for offset: [UInt8] in [[0xFF, 0, 0, 0], [0xF0, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF]] {
      var file = NumpyFiles.stored
      file.replaceSubrange(414 + 51 + 42..<414 + 51 + 46, with: offset)
      expectMessage("w.npz", "directory is damaged") {
        try NPZ.decode(file, name: "w.npz")
      }
    }
    // Both records point at the first entry.
    let first = NPZ.encode([("W", Self.weights)])
    let end = first.count - 22
    let record = first[end - 51..<end]
    var bomb = Array(first[..<end]) + record
    bomb += first[end...]
    let count = bomb.count - 22
    bomb.replaceSubrange(count + 8..<count + 16, with: [2, 0, 2, 0, 102, 0, 0, 0])
    expectMessage("w.npz", "directory is damaged") {
      try NPZ.decode(bomb, name: "w.npz")
    }
  }

  @Test func stopsAtTheLimitForAllArraysTogether() throws {
    // Two arrays of 4 numbers, 32 bytes each.
    let file = NPZ.encode([("a", Self.weights), ("b", Self.weights)])
    #expect(try NPZ.decode(file, name: "w.npz", limit: 64).count == 2)
    expectMessage("w.npz", "array 'b'", "before", "63") {
      try NPZ.decode(file, name: "w.npz", limit: 63)
    }
    // numpy's W unpacks to 160 bytes, which make 32; beside these y unpacks to 144, which make 16.
    #expect(try NPZ.decode(NumpyFiles.deflated, name: "w.npz", limit: 192).count == 2)
    expectMessage("w.npz", "array 'W'", "before", "191") {
      try NPZ.decode(NumpyFiles.deflated, name: "w.npz", limit: 191)
    }
    expectMessage("w.npz", "'W.npy'", "159") {
      try NPZ.decode(NumpyFiles.deflated, name: "w.npz", limit: 159)
    }
  }

  @Test func showsOnlyTheBeginningOfANameAndNoCharactersThatSteerATerminal() {
    let name = "\u{1B}[2J\n\u{202E}" + String(repeating: "e\u{301}", count: 60)
    expectMessage("'\\u{1b}[2J\\u{a}\\u{202e}é", "…' is no .npy") {
      try NPZ.decode(archive([(name, [])]), name: "w.npz")
    }
  }

  @Test func refusesEncryptedAndOtherwisePackedEntries() {
    var encrypted = NumpyFiles.stored
    encrypted[414 + 8] |= 1
    expectMessage("'W.npy'", "encrypted") {
      try NPZ.decode(encrypted, name: "w.npz")
    }
    var packed = NumpyFiles.stored
    packed[414 + 10] = 14
    expectMessage("'W.npy'", "method is 14") {
      try NPZ.decode(packed, name: "w.npz")
    }
  }

  /// An archive of the given files, made from our own by exchanging names and contents.
  private func archive(_ files: [(name: String, contents: [UInt8])]) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for file in files {
      let shared =
        number(20, 2) + number(0, 2) + number(0, 2) + number(0x21_0000, 4)
        + number(Int(Deflate.crc32(file.contents)), 4) + number(file.contents.count, 4)
        + number(file.contents.count, 4) + number(file.name.utf8.count, 2) + number(0, 2)
      directory += number(0x0201_4B50, 4) + number(20, 2) + shared + number(0, 10)
      directory += number(bytes.count, 4) + Array(file.name.utf8)
      bytes += number(0x0403_4B50, 4) + shared + Array(file.name.utf8) + file.contents
    }
    let start = bytes.count
    bytes += directory + number(0x0605_4B50, 4) + number(0, 4)
    bytes += number(files.count, 2) + number(files.count, 2)
    return bytes + number(directory.count, 4) + number(start, 4) + number(0, 2)
  }

  /// numpy's file with the records an archive over 4 GiB has: sizes and offset of the first entry
  /// in a ZIP64 field, the directory in a ZIP64 end record. Source: APPNOTE.TXT 4.3.14, 4.5.3.
  private func zip64(_ file: [UInt8]) -> [UInt8] {
    let start = 414
    var first = Array(file[start..<start + 51])
    first.replaceSubrange(20..<28, with: Array(repeating: 0xFF, count: 8))
    first.replaceSubrange(30..<32, with: [32, 0])
    first.replaceSubrange(42..<46, with: Array(repeating: 0xFF, count: 4))
    // A field of another kind (0x5455) before it, which must be passed over.
    first += number(0x5455, 2) + number(0, 2) + number(1, 2) + number(24, 2)
    first += number(160, 8) + number(160, 8) + number(0, 8)
    let directory = first + Array(file[start + 51..<start + 102])
    var bytes = Array(file[..<start]) + directory
    let record = bytes.count
    bytes += number(0x0606_4B50, 4) + number(44, 8) + number(45, 2) + number(45, 2)
    bytes += number(0, 8) + number(2, 8) + number(2, 8) + number(directory.count, 8)
    bytes += number(start, 8) + number(0x0706_4B50, 4) + number(0, 4) + number(record, 8)
    bytes += number(1, 4) + number(0x0605_4B50, 4) + number(0, 4)
    return bytes + Array(repeating: 0xFF, count: 12) + number(0, 2)
  }

  private func withComment(_ file: [UInt8]) -> [UInt8] {
    Array(file.dropLast(2)) + [5, 0] + Array("PK\u{5}\u{6}!".utf8)
  }

  private func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }
}
