import DataFiles
import Foundation
import Lessons
import Testing

@Suite("Writing a chapter and checking what was written")
struct ExportTests {
  /// A folder of its own with the sample in it.
  private func exported(_ sample: SampleChapter = SampleChapter()) throws -> String {
    let folder = NSTemporaryDirectory() + "natgrad-lessons-\(UUID().uuidString)"
    try sample.export.write([try sample.files()], to: folder)
    return folder
  }

  private func drift(_ folder: String, _ sample: SampleChapter = SampleChapter()) throws -> [Drift]
  {
    try sample.export.drift(of: [try sample.files()], withPages: true, in: folder)
  }

  private func replace(_ path: String, _ old: String, _ new: String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(old), "\(path) has no \(old)")
    try text.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test("The same source gives the same bytes, and nothing else drifts")
  func sameBytes() throws {
    let folder = try exported()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let files = try SampleChapter().files()
    #expect(
      files.files.map(\.path).sorted() == [
        "05-sample.ipynb", "05-sample.md", "data/05-arrays.npz", "data/05-numbers.csv",
        "figures/05-line.png", "figures/05-line.svg", "solutions/05-sample.ipynb",
      ])
    #expect(try drift(folder) == [])
  }

  @Test(
    "What was changed by hand is named with its line",
    arguments: [
      "05-sample.md", "05-sample.ipynb", "data/05-numbers.csv", "figures/05-line.svg",
      "glossary.md",
    ])
  func changedFiles(path: String) throws {
    let folder = try exported()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = "\(folder)/\(path)"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try (text + "\n ").write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try drift(folder).map(\.path) == [path])
    try FileManager.default.removeItem(atPath: file)
    #expect(try drift(folder) == [Drift(path: path, detail: "the file is missing")])
  }

  @Test("A number that changed drifts in every file that prints it")
  func changedNumber() throws {
    let folder = try exported()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var other = SampleChapter()
    other.value = 0.2
    let paths = try drift(folder, other).map(\.path)
    #expect(
      Set(paths) == [
        "05-sample.md", "05-sample.ipynb", "solutions/05-sample.ipynb", "data/05-numbers.csv",
        "data/05-arrays.npz", "manifest.json",
      ])
  }

  @Test("On another platform last places may differ, and no more")
  func tolerance() throws {
    let folder = try exported()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try replace(
      "\(folder)/manifest.json", "\"instructionSet\" : \"", "\"instructionSet\" : \"other ")
    var near = SampleChapter()
    near.value *= 1 + 1e-9
    #expect(try drift(folder, near) == [])
    // The last printed place of 12.3 %.
    try replace("\(folder)/05-sample.md", "12.3 %", "12.4 %")
    #expect(try drift(folder) == [])
    try replace("\(folder)/05-sample.md", "12.4 %", "12.6 %")
    #expect(try drift(folder).map(\.path) == ["05-sample.md"])
    var far = SampleChapter()
    far.value *= 1 + 1e-4
    #expect(try drift(folder, far).map(\.path).contains("data/05-numbers.csv"))
    #expect(try drift(folder, far).map(\.path).contains("data/05-arrays.npz"))
  }

  @Test("On another platform an error of rounding may be any other; here it may not")
  func rounding() throws {
    var small = SampleChapter()
    small.value = 1.03e-15
    small.paragraph = #"It is 10⁻¹⁵."#
    let folder = try exported(small)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var other = small
    other.value = 8.25e-9
    other.paragraph = #"It is 8.25×10⁻⁹."#
    #expect(try drift(folder, other).map(\.path).contains("05-sample.md"))
    try replace(
      "\(folder)/manifest.json", "\"instructionSet\" : \"", "\"instructionSet\" : \"other ")
    #expect(try drift(folder, other).filter { !$0.path.hasSuffix(".npz") } == [])
    other.paragraph = #"It is 8.25×10⁻⁷."#
    #expect(try drift(folder, other).map(\.path).contains("05-sample.md"))
  }

  @Test("Words may not differ on any platform")
  func wordsOnOtherPlatform() throws {
    let folder = try exported()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try replace(
      "\(folder)/manifest.json", "\"instructionSet\" : \"", "\"instructionSet\" : \"other ")
    try replace("\(folder)/05-sample.md", "Some words.", "Some deeds.")
    #expect(try drift(folder).map(\.path) == ["05-sample.md"])
  }

  @Test("Files that a chapter no longer has are removed; other chapters stay")
  func staleFiles() throws {
    let folder = try exported()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let sample = SampleChapter()
    let other = Chapter(
      6, "other", title: "Another", goal: "Stay.", minutes: 1, prerequisites: [5], seedItem: "none"
    ) { _ in sample.document }
    let both = LessonsExport(catalogue: [sample.chapter, other], context: SampleChapter.context)
    try both.write([try both.files(of: other)], to: folder)
    #expect(FileManager.default.fileExists(atPath: "\(folder)/05-sample.md"))
    let renamed = Chapter(
      5, "renamed", title: "Renamed", goal: "Go.", minutes: 1, prerequisites: [], seedItem: "none"
    ) { _ in sample.document }
    let third = LessonsExport(catalogue: [renamed, other], context: SampleChapter.context)
    try third.write([try third.files(of: renamed)], to: folder)
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/05-sample.md"))
    #expect(FileManager.default.fileExists(atPath: "\(folder)/06-other.md"))
    #expect(try ExportManifest.read(folder: folder).chapters.keys.sorted() == ["05", "06"])
  }

  @Test("A folder without a manifest, or with another, is refused with a sentence")
  func noManifest() throws {
    let folder = NSTemporaryDirectory() + "natgrad-lessons-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(throws: DataFileError.self) { try ExportManifest.read(folder: folder) }
    try "{}".write(toFile: "\(folder)/manifest.json", atomically: true, encoding: .utf8)
    let error = #expect(throws: DataFileError.self) { try ExportManifest.read(folder: folder) }
    #expect(error?.message.contains("no manifest") == true)
  }

  @Test("Lines are quoted from between their markers, without indentation")
  func excerpts() throws {
    let lines = try SampleChapter().excerpt.lines()
    #expect(lines.first?.hasPrefix("// (A ⊗ G)") == true)
    #expect(!lines.contains { $0.contains("lesson") })
    let error = #expect(throws: DataFileError.self) {
      try SourceExcerpt("Sources/Curvature/KroneckerBlock.swift", "no-such-marker").lines()
    }
    #expect(error?.message.contains("0 times") == true)
  }

  @Test("The notebook is nbformat 4.5 without outputs; the solution differs in exercises only")
  func notebooks() throws {
    struct Notebook: Decodable {
      struct Cell: Decodable {
        let id, cell_type: String
        let source: [String]
        let metadata: [String: [String]]
        let outputs: [String]?
      }
      let cells: [Cell]
      let nbformat, nbformat_minor: Int
    }
    func notebook(_ path: String) throws -> Notebook {
      let file = try #require(try SampleChapter().files().files.first { $0.path == path })
      return try JSONDecoder().decode(Notebook.self, from: Data(file.bytes))
    }
    let open = try notebook("05-sample.ipynb")
    let solved = try notebook("solutions/05-sample.ipynb")
    for notebook in [open, solved] {
      #expect(notebook.nbformat == 4 && notebook.nbformat_minor == 5)
      #expect(Set(notebook.cells.map(\.id)).count == notebook.cells.count)
      #expect(notebook.cells.allSatisfy { $0.outputs?.isEmpty ?? true })
    }
    let code = open.cells.filter { $0.cell_type == "code" }
    #expect(
      code.map { $0.metadata["tags"] } == [
        ["setup"], ["try-it"], ["self-check"], ["self-check"], ["self-check"],
      ])
    let bySolution = Dictionary(uniqueKeysWithValues: solved.cells.map { ($0.id, $0.source) })
    for cell in open.cells where cell.cell_type == "code" {
      let same = bySolution[cell.id] == cell.source
      #expect(same == (cell.metadata["tags"] != ["self-check"]))
    }
  }
}
