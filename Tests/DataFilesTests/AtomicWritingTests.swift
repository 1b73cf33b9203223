import DataFiles
import Foundation
import Testing

@Suite struct AtomicWritingTests {
  @Test func replacesAFileAndLeavesNothingElse() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write([1, 2], to: "\(folder)/a.bin")
      try AtomicFile.write([3], to: "\(folder)/a.bin")
      #expect(try InputFile.read(path: "\(folder)/a.bin") == [3])
      #expect(try names(in: folder) == ["a.bin"])
    }
  }

  @Test func saysWhyAFileCannotBeWritten() throws {
    try withTemporaryFolder { folder in
      expectMessage("\(folder)/none", "no such folder") {
        try AtomicFile.write([1], to: "\(folder)/none/a.bin")
      }
      expectMessage(folder, "this is a folder") {
        try AtomicFile.write([1], to: folder)
      }
      try AtomicFile.write([1], to: "\(folder)/file")
      expectMessage("\(folder)/file", "this is a file") {
        try AtomicFile.write([1], to: "\(folder)/file/a.bin")
      }
      #expect(try names(in: folder) == ["file"])
    }
    #if os(Linux)
      // /proc refuses new files even to root.
      expectMessage("/proc", "writ") {
        try AtomicFile.write([1], to: "/proc/natgrad.bin")
      }
      expectMessage("/proc/natgrad", "writ") {
        try AtomicFolder(path: "/proc/natgrad").write([("a", [1])])
      }
    #endif
  }

  @Test func makesAFolderWholeAndKeepsWhatElseIsInIt() throws {
    try withTemporaryFolder { folder in
      let results = try AtomicFolder(path: "\(folder)/results")
      #expect(try names(in: folder).isEmpty)
      try results.write([("a.csv", [1]), ("b.csv", [2])])
      #expect(try names(in: folder) == ["results"])
      try AtomicFile.write([9], to: "\(folder)/results/notes.txt")
      try results.write([("b.csv", [3]), ("c.csv", [4])])
      #expect(try names(in: "\(folder)/results") == ["a.csv", "b.csv", "c.csv", "notes.txt"])
      #expect(try InputFile.read(path: "\(folder)/results/b.csv") == [3])
    }
  }

  @Test func writesNoFileOfAFolderWhenOneFails() throws {
    try withTemporaryFolder { folder in
      let long = String(repeating: "x", count: 300)  // longer than a name may be
      expectMessage("\(folder)/results", "writing failed") {
        try AtomicFolder(path: "\(folder)/results").write([("a.csv", [1]), (long, [2])])
      }
      let afterNewFolder = try names(in: folder)
      #expect(afterNewFolder.isEmpty)
      expectMessage(folder, "writing failed") {
        try AtomicFolder(path: folder).write([("a.csv", [1]), (long, [2])])
      }
      let afterOldFolder = try names(in: folder)
      #expect(afterOldFolder.isEmpty)
    }
  }

  @Test func saysBeforehandThatAFolderCannotBeWritten() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write([1], to: "\(folder)/file")
      expectMessage("\(folder)/file", "this is a file") {
        try AtomicFolder(path: "\(folder)/file")
      }
      expectMessage("\(folder)/none", "no such folder") {
        try AtomicFolder(path: "\(folder)/none/results")
      }
    }
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }
}
