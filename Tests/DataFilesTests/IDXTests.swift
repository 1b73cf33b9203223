import DataFiles
import Foundation
import Testing

@Suite struct IDXTests {
  /// Three dimensions 2 × 2 × 3 and the bytes 0 to 11, after the format's definition.
  static let file =
    bytes(hexadecimal: "00000803 00000002 00000002 00000003") + Array(0..<12)

  @Test func readsPlainAndGzipWhateverTheName() throws {
    try withTemporaryFolder { folder in
      for (name, content) in [("images.gz", Self.file), ("images", Deflate.gzip(Self.file))] {
        let path = "\(folder)/\(name)"
        try AtomicFile.write(content, to: path)
        let array = try IDX.read(path: path)
        #expect(array.shape == [2, 2, 3])
        #expect(array.bytes == Array(0..<12))
      }
    }
  }

  @Test func saysWhatIsMissingWhereverTheFileIsCut() {
    for count in 4..<Self.file.count {
      expectMessage("t10k", "again", advice(after: count)) {
        try IDX.decode(Array(Self.file.prefix(count)), name: "t10k")
      }
    }
    expectMessage("t10k", "begins with nothing") { try IDX.decode([], name: "t10k") }
    expectMessage("t10k", "begins with 00 00 08.") { try IDX.decode([0, 0, 8], name: "t10k") }
    expectMessage("t10k", "(2, 2, 3)", "12", "13 follow") {
      try IDX.decode(Self.file + [0], name: "t10k")
    }
  }

  private func advice(after count: Int) -> String {
    count < 16 ? "\(count) bytes in all" : "\(count - 16) follow"
  }

  @Test func saysWhatIsNoIDXFile() {
    expectMessage("w.png", "not an IDX file", "89 50 4e 47") {
      try IDX.decode([0x89, 0x50, 0x4E, 0x47, 0x0D], name: "w.png")
    }
    expectMessage("labels", "0d", "unsigned") {
      try IDX.decode([0, 0, 0x0D, 1, 0, 0, 0, 1, 0, 0, 0, 0], name: "labels")
    }
    expectMessage("labels", "0 dimensions") {
      try IDX.decode([0, 0, 8, 0], name: "labels")
    }
  }

  @Test func doesNotTrustHugeDimensions() {
    let header = bytes(hexadecimal: "00000803 ffffffff ffffffff ffffffff")
    expectMessage("(4294967295, 4294967295, 4294967295)") {
      try IDX.decode(header, name: "t10k")
    }
    let empty = bytes(hexadecimal: "00000802 00000000 ffffffff")
    expectMessage("(0, 4294967295)") {
      try IDX.decode(empty, name: "t10k")
    }
  }

  @Test func passesOnACutGzip() {
    expectMessage("t10k.gz", "cut") {
      try IDX.decode(Array(Deflate.gzip(Self.file).dropLast(3)), name: "t10k.gz")
    }
  }

  @Test func saysWhatIsWrongWithAPath() throws {
    expectMessage("/nowhere/t10k", "no such file") {
      try IDX.read(path: "/nowhere/t10k")
    }
    try withTemporaryFolder { folder in
      expectMessage(folder, "folder") { try IDX.read(path: folder) }
      let path = "\(folder)/t10k"
      #expect(!InputFile.exists(path) && !InputFile.exists(folder))
      try AtomicFile.write(Self.file, to: path)
      #expect(InputFile.exists(path))
      #expect(try IDX.read(path: path, limit: 28).bytes.count == 12)
      expectMessage(path, "28 bytes", "limit is 27") {
        try IDX.read(path: path, limit: 27)
      }
    }
  }
}
