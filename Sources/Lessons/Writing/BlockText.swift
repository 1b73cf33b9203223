import DataFiles
import Experiments

/// The text of blocks in either dialect of Markdown.
struct BlockText {
  enum Dialect {
    /// The reading copy: GitHub's mathematics, SVG figures.
    case github
    /// Cells of a notebook: plain dollar signs, PNG figures.
    case notebook
  }

  let chapter: Chapter
  let dialect: Dialect
  /// From the document to the folder with `figures` and `data`: "" or "../".
  let root: String
  let repository: String

  /// Text of the chapter; its links are relative to the folder of the chapters.
  func inline(_ prose: Prose) -> String {
    inline(prose.markdown.replacing(/\]\((?!https?:|#)/, with: "](" + root))
  }

  func inline(_ text: String) -> String {
    dialect == .github ? InlineMathematics.github(text) : text
  }

  func mathematics(_ formula: String) -> String {
    dialect == .github ? "```math\n\(formula)\n```" : "$$\n\(formula)\n$$"
  }

  /// The block as Markdown; the cells of code are the caller's.
  func text(_ block: Block) throws -> String {
    switch block {
    case .heading(let text, let level):
      return String(repeating: "#", count: level) + " " + inline(text)
    case .paragraph(let text): return inline(text)
    case .list(let items): return items.map { "- " + inline($0) }.joined(separator: "\n")
    case .mathematics(let formula): return mathematics(formula)
    case .figure(let figure): return self.figure(figure)
    case .table(let table): return self.table(table)
    case .source(let excerpt): return try source(excerpt)
    case .prediction(let prediction): return self.prediction(prediction)
    case .caveat(let text): return "> **Caveat.** " + inline(text)
    case .tryIt(let cell): return "**Try it.** " + inline(cell.text)
    case .exercise(let exercise):
      return "### Exercise (\(exercise.kind.rawValue)): \(inline(exercise.title))\n\n"
        + inline(exercise.question)
    case .mistakes(let hints):
      return "## Which mistake is this?\n\n"
        + hints.map { "- **\($0.id)**: " + inline($0.symptom) }.joined(separator: "\n")
        + "\n\nThe museum has every mistake with its fingerprint: see "
        + "[chapter 14](\(root)14-clinic.md)."
    case .references(let sources):
      return "## Sources\n\n" + sources.map { "- " + inline($0) }.joined(separator: "\n")
    }
  }

  /// What stands above the first block of the chapter.
  func head(_ conventions: ConventionCard, catalogue: [Chapter]) -> String {
    let before = chapter.prerequisites.map { number in
      let name = catalogue.first { $0.number == number }.map {
        "[\($0.prefix)](\(root)\($0.name).md)"
      }
      return name ?? "\(number)"
    }
    let needs = before.isEmpty ? "none" : "chapter " + before.joined(separator: ", ")
    let rows = conventions.rows.map { "| \($0.name) | \(inline($0.choice)) |" }
    return """
      # \(chapter.prefix). \(inline(chapter.title))

      *\(inline(chapter.goal))* About \(chapter.minutes) minutes. Builds on: \(needs). \
      Recomputes: \(inline(chapter.seedItem)).

      ## Convention card

      | what | choice |
      |---|---|
      \(rows.joined(separator: "\n"))

      Every convention is explained on the [convention sheet](\(root)conventions.md); other names for
      the same things are in the [glossary](\(root)glossary.md).
      """
  }

  private func figure(_ figure: Figure) -> String {
    let ending = dialect == .github ? "svg" : "png"
    let files = figure.tables.map { "[\($0).csv](\(root)data/\(chapter.prefix)-\($0).csv)" }
    let data = files.isEmpty ? "" : " Data: \(files.joined(separator: ", "))."
    return "![\(InlineMathematics.plain(figure.alternativeText.markdown))]"
      + "(\(root)figures/\(chapter.prefix)-\(figure.name).\(ending))\n\n"
      + "*\(inline(figure.caption))*\(data)"
  }

  private func table(_ table: DocumentTable) -> String {
    func escaped(_ text: String) -> String { inline(text).replacing("|", with: "\\|") }
    let columns = table.columns
    let isNumeric = columns.map { column in
      table.rows.contains { row in
        switch table.cell(column, row) {
        case .number, .integer: true
        case .text, .empty: false
        }
      }
    }
    let head = "| " + columns.map { inline($0.heading) }.joined(separator: " | ") + " |"
    let rule = "|" + isNumeric.map { $0 ? "---:|" : "---|" }.joined()
    let rows = table.rows.map { row in
      "| " + columns.map { escaped(table.text($0, row)) }.joined(separator: " | ") + " |"
    }
    return ([head, rule] + rows).joined(separator: "\n")
      + "\n\n*\(inline(table.caption))* Data: "
      + "[\(table.table.name).csv](\(root)data/\(chapter.prefix)-\(table.table.name).csv)."
  }

  private func source(_ excerpt: SourceExcerpt) throws -> String {
    let name = excerpt.file.split(separator: "/").last.map(String.init) ?? excerpt.file
    return "```swift\n" + (try excerpt.lines(repository: repository)).joined(separator: "\n")
      + "\n```\n\n*From [\(name)](\(root)../\(excerpt.file)), the lines that run.*"
  }

  private func prediction(_ prediction: Prediction) -> String {
    let letters = Array("ABCDE")
    let options = prediction.options.enumerated().map { "- **\(letters[$0])**: \(inline($1))" }
    return "**Predict first.** \(inline(prediction.question))\n\n"
      + options.joined(separator: "\n")
      + "\n\n<details>\n<summary>What was measured (open it after you chose)</summary>\n\n"
      + inline(prediction.answer) + "\n\n</details>"
  }
}
