import ArgumentParser
import Experiments
import Foundation
import Lessons

/// Writes the teaching material, and checks that what is written is what its source gives.
struct Notebooks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the fourteen chapters with their figures and data, or check them.",
    discussion: """
      A chapter is computed anew: its text (.md), notebook (.ipynb, and solved in solutions/), figures
      and data files come from one run, and no number is typed.

      EXAMPLES
        natgrad notebooks list
        natgrad notebooks export --output my-course
        natgrad notebooks check --chapter 05
      """,
    subcommands: [ListChapters.self, Export.self, Check.self])
}

/// Which chapters, on the command line.
struct ChapterArguments: ParsableArguments {
  @Option(help: "Chapters by number, such as 05 or 2,5,6,9. Default: all.")
  var chapter: String?
  @Flag(help: "No progress on stderr.")
  var quiet = false

  func chosen() throws -> [Chapter] {
    guard let chapter else { return Chapter.all }
    let numbers = try UserInput.integers(chapter, option: "--chapter", least: 1)
    return try numbers.map { number in
      guard let found = Chapter.all.first(where: { $0.number == number }) else {
        throw UserInputError(
          description:
            "--chapter \(chapter): there is no chapter \(number); give numbers from 1 to "
            + "\(Chapter.all.count), as 'natgrad notebooks list' shows them.")
      }
      return found
    }
  }

  /// The chosen chapters, computed one after the other.
  func compute() throws -> (LessonsExport, [ChapterFiles]) {
    let chosen = try chosen()
    let progress = Progress(isQuiet: quiet)
    let context = ChapterContext(
      fashionMNIST: try DatasetSource.fashionMNIST.load(widths: []), progress: progress.report)
    let export = LessonsExport(context: context)
    let files = try chosen.map { chapter in
      progress.say("chapter \(chapter.prefix): \(chapter.title)")
      let start = ContinuousClock.now
      let files = try export.files(of: chapter)
      for problem in files.problems { progress.say("chapter \(chapter.prefix): \(problem)") }
      progress.say("chapter \(chapter.prefix) took \((ContinuousClock.now - start).formatted())")
      return files
    }
    return (export, files)
  }
}

extension Notebooks {
  struct ListChapters: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "The chapters with their time and prerequisites.")

    func run() {
      for chapter in Chapter.all {
        let needs = chapter.prerequisites.map { "\($0)" }.joined(separator: ", ")
        print(
          "\(chapter.name): \(chapter.title) (\(chapter.minutes) min"
            + (needs.isEmpty ? ")" : ", builds on \(needs))"))
        print("  \(chapter.goal)")
      }
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compute chapters and write all their files.")

    @OptionGroup var chapters: ChapterArguments
    @Option(help: "The folder to write to.")
    var output = "notebooks-export"

    func run() throws {
      _ = try chapters.chosen()
      _ = try UserInput.output(output, example: "notebooks-export")
      try LessonsExport.check(folder: output)
      let (export, files) = try chapters.compute()
      try export.write(files, to: output)
      print("Chapters written to \(output): \(files.count). Start with \(output)/README.md.")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compute chapters again and compare with the files of a folder.",
      discussion: """
        On the platform that wrote the files every byte counts; elsewhere numbers may differ in their
        last place. Exit code 1 where a file has drifted, or a chapter breaks a rule (alternative text,
        headings, portable mathematics, length, typed numbers, sizes of files).
        """)

    @OptionGroup var chapters: ChapterArguments
    @Option(help: "The folder to check.")
    var folder = "notebooks-export"

    func run() throws {
      _ = try chapters.chosen()
      _ = try ExportManifest.read(folder: folder)
      let (export, files) = try chapters.compute()
      let problems = files.flatMap { file in file.problems.map { "\(file.record.name): \($0)" } }
      let drifts = try export.drift(of: files, withPages: true, in: folder)
      for line in problems + drifts.map(\.description) { print(line) }
      if !drifts.isEmpty {
        print("Drifted: \(drifts.count). 'natgrad notebooks export' writes them anew.")
      }
      if !problems.isEmpty { print("Broken rules of a chapter: \(problems.count).") }
      guard drifts.isEmpty && problems.isEmpty else { throw ExitCode(1) }
      print("Nothing has drifted; chapters checked: \(files.count).")
    }
  }
}
