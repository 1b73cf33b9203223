import Foundation
import Testing

/// The inputs that the fuzzer found to reach code of their own, and those that once broke a reader,
/// read again by every reader. `scripts/fuzz --keep` renews them.
@Suite struct CorpusTests {
  private static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Corpus"

  @Test(
    "Every input that the fuzzer kept gives a sound value or a sentence",
    arguments: HostileReader.allCases)
  func replays(reader: HostileReader) throws {
    let folder = "\(Self.folder)/\(reader)"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    var readCount = 0
    for name in names {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
      let answer = reader.answer(to: bytes)
      if case .success = answer { readCount += 1 }
      let complaint = HostileReader.complaint(about: answer)
      #expect(complaint == nil, "\(reader)/\(name)")
    }
    // Both ways out of the reader are taken.
    #expect(readCount >= 5 && names.count - readCount >= 5, "\(readCount) of \(names.count)")
  }

  @Test("A reader is safe with the files of every other kind")
  func readsTheFilesOfOthers() throws {
    for kind in HostileReader.allCases {
      let folder = "\(Self.folder)/\(kind)"
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        for reader in HostileReader.allCases where reader != kind {
          let complaint = HostileReader.complaint(about: reader.answer(to: bytes))
          #expect(complaint == nil, "\(reader) on \(kind)/\(name)")
        }
      }
    }
  }
}
