import Foundation
import Testing

@Suite("natgrad notebooks: list, export, check")
struct NotebooksTests {
  @Test("The list has all fourteen chapters in order, with time and goal")
  func list() throws {
    try withTemporaryFolder { folder in
      let result = try Program.run(["notebooks", "list"], directory: folder)
      #expect(result.status == 0 && result.stderr.isEmpty)
      let heads = result.stdout.split(separator: "\n").filter { !$0.hasPrefix(" ") }
      #expect(heads.map { $0.prefix(2) } == (1...14).map { $0 < 10 ? "0\($0)" : "\($0)" })
      #expect(heads.allSatisfy { $0.contains(" min") })
    }
  }

  @Test("A chapter is exported, checked, and found changed with its line and exit code 1")
  func exportAndCheck() throws {
    try withTemporaryFolder { folder in
      let export = ["notebooks", "export", "--chapter", "14", "--output", "course"]
      #expect(try Program.run(export, directory: folder).status == 0)
      let check = ["notebooks", "check", "--chapter", "14", "--folder", "course", "--quiet"]
      let same = try Program.run(check, directory: folder)
      #expect(same.status == 0 && same.stderr.isEmpty, "\(same.stdout)\(same.stderr)")
      let path = "\(folder)/course/14-clinic.md"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      try text.replacing("## The question", with: "## A question")
        .write(toFile: path, atomically: true, encoding: .utf8)
      let changed = try Program.run(check, directory: folder)
      #expect(changed.status == 1 && changed.stderr.isEmpty)
      #expect(changed.stdout.contains("14-clinic.md: line"))
      #expect(changed.stdout.contains("## A question") && changed.stdout.contains("export"))
    }
  }

  @Test("Progress goes to stderr and --quiet silences it")
  func progress() throws {
    try withTemporaryFolder { folder in
      let export = ["notebooks", "export", "--chapter", "14", "--output", "course"]
      let loud = try Program.run(export, directory: folder)
      let quiet = try Program.run(export + ["--quiet"], directory: folder)
      #expect(loud.stderr.contains("chapter 14") && quiet.stderr.isEmpty)
    }
  }

  @Test(
    "Bad input gets one sentence, exit code 2 and no files",
    arguments: [
      (["export", "--chapter", "15"], ["--chapter 15", "no chapter 15", "1 to 14"]),
      (["export", "--chapter", "kfac"], ["--chapter kfac", "not a whole number"]),
      (["export", "--output", ""], ["--output is empty", "notebooks-export"]),
      (["export", "--output", "no/such"], ["there is no such folder"]),
      (["check", "--folder", "nowhere"], ["nowhere/manifest.json", "no such file"]),
      (["check", "--chapter", "0"], ["--chapter 0", "at least 1"]),
    ] as [([String], [String])])
  func refusals(options: [String], parts: [String]) throws {
    try withTemporaryFolder { folder in
      try expectRefusal(["notebooks"] + options, parts, in: folder)
    }
  }

  @Test("A folder with somebody's README.md is left alone")
  func foreignFolder() throws {
    try withTemporaryFolder { folder in
      try "mine".write(toFile: "\(folder)/README.md", atomically: true, encoding: .utf8)
      try expectRefusal(
        ["notebooks", "export", "--chapter", "14", "--output", "."],
        ["README.md", "would be replaced"],
        in: folder)
      #expect(try String(contentsOfFile: "\(folder)/README.md", encoding: .utf8) == "mine")
    }
  }
}
