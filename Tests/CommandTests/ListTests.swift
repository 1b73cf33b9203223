import Curvature
import DataFiles
import Fixtures
import Foundation
import Testing
import Verification

@Suite("natgrad list, help and version")
struct ListTests {
  private func run(_ arguments: String...) throws -> Program {
    try withTemporaryFolder { try Program.run(arguments, directory: $0) }
  }

  /// The first words of the indented lines.
  private func entries(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("  ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  @Test func theWholeListNamesEverything() throws {
    let program = try run("list")
    #expect(program.status == 0 && program.stderr.isEmpty)
    let named = Set(entries(program.stdout))
    let expected =
      StructureKind.allCases.map(\.rawValue) + DampingRule.allCases.map(\.rawValue)
      + ErrorMetric.allCases.map(\.rawValue) + Reference.allCases.map(\.rawValue)
      + ["direct", "cg-kfac", "cg-exact-block"]
      + ["fashion-mnist", "fashion-mnist-full", "digits", "teacher"]
    for name in expected { #expect(named.contains(name), "\(name)") }
    // The mission's methods by the names that issue and paper use.
    for name in ["exact", "kfac", "ekfac", "kfac-split", "nearest-kronecker", "tkfac"] {
      #expect(named.contains(name))
    }
  }

  @Test func everyEntryIsExplained() throws {
    for line in try run("list").stdout.split(separator: "\n") where line.hasPrefix("  ") {
      #expect(line.split(separator: " ").count >= 3, "\(line)")
    }
  }

  @Test func aTopicStandsAlone() throws {
    let program = try run("list", "structures")
    #expect(program.status == 0)
    #expect(entries(program.stdout) == StructureKind.allCases.map(\.rawValue))
    #expect(try run("list").stdout.contains(program.stdout))
  }

  @Test func theListedColumnsAreThoseOfTheFiles() throws {
    let long = try SmallJob.table.get()
    let summary = try SmallJob.quiet.get().summary
    let lines = try run("list", "columns").stdout.split(separator: "\n").map {
      $0.split(separator: " ").prefix(2).map(String.init)
    }
    for (file, table) in [("comparison.csv", long), ("summary.csv", summary)] {
      #expect(lines.filter { $0.first == file }.map { $0[1] } == table.header)
    }
  }

  @Test func anUnknownTopicIsAnsweredWithTheNearest() throws {
    let program = try run("list", "metric")
    #expect(program.status == 2 && program.stdout.isEmpty)
    #expect(program.complaints.count == 1)
    #expect(program.stderr.hasPrefix("natgrad: topic metric: unknown name; did you mean metrics?"))
  }

  @Test(arguments: [["compare"], ["list"]])
  func everyCommandsHelpHasExamples(command: [String]) throws {
    let program = try withTemporaryFolder {
      try Program.run(command + ["--help"], directory: $0)
    }
    #expect(program.status == 0 && program.stderr.isEmpty)
    let example = "natgrad \(command[0])"
    let parts = program.stdout.components(separatedBy: "EXAMPLES")
    #expect(parts.count == 2 && parts[1].contains(example))
  }

  @Test func theFirstHelpNamesTheCommands() throws {
    let program = try run("--help")
    #expect(program.status == 0)
    #expect(program.stdout.contains("compare") && program.stdout.contains("list"))
  }

  @Test func theVersionIsThatOfTheManifest() throws {
    struct Manifest: Decodable { let version: String }
    let program = try run("--version")
    let bytes = try #require(try SmallJob.quiet.get().files["manifest.json"])
    let manifest = try JSONDecoder().decode(Manifest.self, from: Data(bytes))
    #expect(program.status == 0 && program.stdout == manifest.version + "\n")
  }

  /// EX_USAGE of sysexits.h, which the argument parser keeps for lines that it cannot take apart.
  @Test(arguments: [
    ["compare", "--bogus"], ["compare", "--batch", "many"], ["cmpare"], ["compare", "stray"],
  ])
  func aMalformedCommandLineKeepsTheParsersExitCode(arguments: [String]) throws {
    try withTemporaryFolder { folder in
      let program = try Program.run(arguments, directory: folder)
      #expect(program.status == 64 && program.stdout.isEmpty && !program.stderr.isEmpty)
      #expect(try names(in: folder).isEmpty)
    }
  }
}

@Suite("natgrad list mistakes")
struct ListMistakesTests {
  @Test func everyMistakeHasItsMarkAndItsTests() throws {
    let program = try withTemporaryFolder {
      try Program.run(["list", "mistakes"], directory: $0)
    }
    #expect(program.status == 0 && program.stderr.isEmpty)
    let lines = program.stdout.split(separator: "\n").dropFirst()
    #expect(lines.count == MistakeCatalogue.all.count)
    for (line, mistake) in zip(lines, MistakeCatalogue.all) {
      #expect(line.hasPrefix("  \(mistake.id) ") && line.contains(mistake.name), "\(line)")
      #expect(line.contains(" Mark: \(mistake.mark). Caught by: "), "\(line)")
    }
  }

  @Test(arguments: [
    ("--distances", "mistakes.csv"), ("--trajectory-distances", "trajectory-mistakes.csv"),
  ])
  func theDistancesAreThoseOfTheSource(option: String, file: String) throws {
    try withTemporaryFolder { folder in
      let program = try Program.run(["list", "mistakes", option, file], directory: folder)
      #expect(program.status == 0 && program.stderr.isEmpty)
      let written = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
      let committed = try String(contentsOfFile: Fixtures.path("reports/\(file)"), encoding: .utf8)
      #expect(written == committed, "write Fixtures/reports/\(file) anew, and build")
    }
  }

  @Test func distancesOfAnotherTopicAreRefused() throws {
    try withTemporaryFolder { folder in
      for option in ["--distances", "--trajectory-distances"] {
        for topic in [["list"], ["list", "rules"]] {
          let program = try Program.run(topic + [option, "d.csv"], directory: folder)
          #expect(program.status == 2 && program.stdout.isEmpty && program.complaints.count == 1)
          #expect(program.stderr.contains("write natgrad list mistakes \(option) d.csv"))
        }
      }
      #expect(try names(in: folder).isEmpty)
    }
  }
}
