import DataFiles
import Foundation
import Lessons
import Testing

/// The committed copies in notebooks-export, as a reader gets them.
@Suite("Committed chapters")
struct CommittedChaptersTests {
  static let folder = SourceExcerpt.repository + "/notebooks-export"
  let manifest: ExportManifest

  init() throws { manifest = try ExportManifest.read(folder: CommittedChaptersTests.folder) }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: "\(CommittedChaptersTests.folder)/\(path)", encoding: .utf8)
  }

  private var documents: [String] {
    manifest.chapters.values.map { "\($0.name).md" }.sorted() + manifest.pages.map(\.name)
  }

  @Test("All fourteen chapters are there, of this version, with the hashes that the manifest says")
  func hashes() throws {
    #expect(manifest.chapters.keys.sorted() == Chapter.all.map(\.prefix))
    #expect(manifest.chapters.values.map(\.name).sorted() == Chapter.all.map(\.name))
    for file in manifest.chapters.values.flatMap(\.files) + manifest.pages {
      let bytes = try InputFile.read(path: "\(CommittedChaptersTests.folder)/\(file.name)")
      #expect(SHA256.hexDigest(bytes) == file.sha256, "\(file.name)")
    }
  }

  @Test("At most 6 MB, and no file over 500 KB")
  func sizes() throws {
    var total = 0
    for file in manifest.chapters.values.flatMap(\.files) + manifest.pages {
      let bytes = try InputFile.read(path: "\(CommittedChaptersTests.folder)/\(file.name)")
      #expect(bytes.count <= 500_000, "\(file.name) has \(bytes.count) bytes")
      total += bytes.count
    }
    #expect(total <= 6_000_000)
  }

  @Test("Every printed number is its cell of the CSV file, and stands in the text")
  func numbers() throws {
    var tables: [String: (header: [String], rows: [[String]])] = [:]
    for chapter in manifest.chapters.values {
      #expect(chapter.numbers.count >= 5, "\(chapter.name)")
      let markdown = try text("\(chapter.name).md")
      let solved = try text("solutions/\(chapter.name).ipynb")
      for number in chapter.numbers {
        if tables[number.file] == nil {
          tables[number.file] = try CSV.decode(Array(try text(number.file).utf8), name: number.file)
        }
        let table = try #require(tables[number.file])
        let column = try #require(table.header.firstIndex(of: number.column))
        let value = try #require(Double(table.rows[number.row][column]))
        let format = try #require(NumberFormat(name: number.format))
        #expect(format.text(value) == number.text, "\(number)")
        #expect(
          markdown.contains(number.text) || solved.contains(number.text), "\(number)")
      }
    }
  }

  @Test("Every quoted line is a line of the sources")
  func excerpts() throws {
    for chapter in manifest.chapters.values {
      let markdown = try text("\(chapter.name).md")
      #expect(!chapter.excerpts.isEmpty, "\(chapter.name)")
      for excerpt in chapter.excerpts {
        let lines = try SourceExcerpt(excerpt.file, excerpt.marker).lines()
        #expect(
          markdown.contains("```swift\n" + lines.joined(separator: "\n") + "\n```"),
          "\(chapter.name): \(excerpt.file), \(excerpt.marker)")
      }
    }
  }

  @Test("Every image has alternative text of at least 30 characters that is not its title")
  func alternativeTexts() throws {
    for document in documents {
      let images = try text(document).matches(of: /!\[([^\]]*)\]\(([^)]*)\)/)
      for image in images {
        let alternative = String(image.output.1)
        #expect(alternative.count >= 30, "\(document): \(alternative)")
        let drawing = try text(String(image.output.2))
        let title = drawing.firstMatch(of: /<title id="title">([^<]*)/)
        #expect(title.map { String($0.output.1) } != alternative, "\(document): \(alternative)")
      }
      if document.first?.isNumber == true { #expect(!images.isEmpty, "\(document)") }
    }
  }

  @Test("Headings begin with one of level 1 and step by one")
  func headings() throws {
    for document in documents {
      var level = 0
      var isCode = false
      for line in try text(document).split(separator: "\n") {
        if line.hasPrefix("```") { isCode.toggle() }
        guard !isCode, line.hasPrefix("#") else { continue }
        let next = line.prefix { $0 == "#" }.count
        #expect(next <= level + 1 && (next > 1 || level == 0), "\(document): \(line)")
        level = next
      }
      #expect(level > 0, "\(document)")
    }
  }

  @Test("Every link leads to a file, and every heading that is linked to is there")
  func links() throws {
    for document in documents {
      for target in try links(in: text(document)) { try check(target, from: document, folder: "") }
    }
  }

  @Test("Every link of a notebook and of its solution leads to a file, from where it lies")
  func linksOfNotebooks() throws {
    for chapter in manifest.chapters.values {
      for (path, folder) in [
        ("\(chapter.name).ipynb", ""), ("solutions/\(chapter.name).ipynb", "solutions/"),
      ] {
        let found = try links(in: try markdown(ofNotebook: path))
        #expect(!found.isEmpty)
        for target in found { try check(target, from: path, folder: folder) }
      }
    }
  }

  private func markdown(ofNotebook path: String) throws -> String {
    struct Notebook: Decodable {
      struct Cell: Decodable {
        let cell_type: String
        let source: [String]
      }
      let cells: [Cell]
    }
    let notebook = try JSONDecoder().decode(Notebook.self, from: Data(try text(path).utf8))
    return notebook.cells.filter { $0.cell_type == "markdown" }.flatMap(\.source).joined()
  }

  private func links(in text: String) -> [String] {
    text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) }.filter {
      !$0.hasPrefix("http")
    }
  }

  private func check(_ target: String, from document: String, folder: String) throws {
    let parts = target.split(separator: "#", omittingEmptySubsequences: false)
    let path = parts[0].isEmpty ? document : folder + parts[0]
    #expect(
      FileManager.default.fileExists(atPath: "\(CommittedChaptersTests.folder)/\(path)"),
      "\(document): \(target)")
    guard parts.count > 1 else { return }
    let anchors = try text(path).split(separator: "\n").filter { $0.hasPrefix("#") }.map(anchor)
    #expect(anchors.contains(String(parts[1])), "\(document): \(target)")
  }

  /// GitHub's name of a heading: lower case, spaces as hyphens, other signs dropped.
  private func anchor(_ heading: Substring) -> String {
    heading.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
      .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" }
      .replacing(" ", with: "-")
  }

  @Test("Formulas are portable, and none is left with a plain dollar sign")
  func formulas() throws {
    for document in documents {
      let all = try text(document)
      for formula in all.matches(of: /\$`([^`]*)`\$/) {
        let problem = MathematicsCheck.problem(in: String(formula.output.1), isDisplayed: false)
        #expect(problem == nil, "\(document): \(formula.output.1): \(problem ?? "")")
      }
      for formula in all.matches(of: /```math\n((?:[^`])*)\n```/) {
        let problem = MathematicsCheck.problem(in: String(formula.output.1), isDisplayed: true)
        #expect(problem == nil, "\(document): \(formula.output.1): \(problem ?? "")")
      }
      let words = all.replacing(/```[\s\S]*?```/, with: "").replacing(/\$`[^`]*`\$/, with: "")
        .replacing(/`[^`]*`/, with: "")
      #expect(!words.contains("$"), "\(document)")
    }
  }

  @Test("The two-lecture path is linked from the index, and a chapter builds on earlier ones only")
  func index() throws {
    let index = try text("README.md")
    for chapter in Chapter.all {
      #expect(index.contains("(\(chapter.name).md)") && index.contains("(\(chapter.name).ipynb)"))
      #expect(chapter.prerequisites.allSatisfy { $0 < chapter.number })
      #expect((10...120).contains(chapter.minutes))
    }
  }
}
