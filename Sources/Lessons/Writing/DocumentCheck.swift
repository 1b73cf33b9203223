import Experiments
import Verification

/// What every chapter keeps to; each broken rule is a sentence.
public enum DocumentCheck {
  public static let wordRange = 1_200...2_500
  public static let leastAlternativeText = 30
  public static let largestFile = 500_000
  public static let largestNotebook = 60_000

  /// The rules that a chapter breaks; empty where it keeps all.
  public static func problems(_ document: ChapterDocument) -> [String] {
    parts(document) + headings(document) + typedNumbers(document) + formulas(document)
      + figures(document) + provenance(document) + mistakes(document) + length(document)
      + document.contradictions.map { "the text says '\($0)', and the run does not show it" }
  }

  /// The rules on files.
  public static func problems(_ files: [(path: String, bytes: [UInt8])]) -> [String] {
    files.compactMap { path, bytes in
      let limit = path.hasSuffix(".ipynb") ? largestNotebook : largestFile
      return bytes.count <= limit
        ? nil : "\(path) has \(bytes.count) bytes, and at most \(limit) are allowed"
    }
  }

  /// Every kind of block that a chapter needs, and an exercise of each kind.
  static func parts(_ document: ChapterDocument) -> [String] {
    var counts: [String: Int] = [:]
    for block in document.blocks { counts[name(of: block), default: 0] += 1 }
    let needed = [
      "a prediction", "a figure", "a table", "an excerpt of a source", "a caveat", "a cell to try",
      "a section on mistakes", "a section of references",
    ]
    let kinds = document.blocks.compactMap { block -> Exercise.Kind? in
      if case .exercise(let exercise) = block { exercise.kind } else { nil }
    }
    let exercises = Exercise.Kind.allCases.compactMap { kind -> String? in
      let count = kinds.count { $0 == kind }
      return count == 1 ? nil : "\(count) exercises of the kind '\(kind.rawValue)', and 1 is needed"
    }
    return needed.filter { counts[$0] == nil }.map { "\($0) is missing" } + exercises
  }

  private static func name(of block: Block) -> String {
    switch block {
    case .heading: "a heading"
    case .paragraph, .list: "text"
    case .mathematics: "a formula"
    case .figure: "a figure"
    case .table: "a table"
    case .source: "an excerpt of a source"
    case .prediction: "a prediction"
    case .caveat: "a caveat"
    case .tryIt: "a cell to try"
    case .exercise: "an exercise"
    case .mistakes: "a section on mistakes"
    case .references: "a section of references"
    }
  }

  /// Levels grow by one; an exercise is a heading of level 3.
  static func headings(_ document: ChapterDocument) -> [String] {
    var level = 1
    var problems: [String] = []
    for block in document.blocks {
      let (text, next): (String, Int)
      switch block {
      case .heading(let heading, let at): (text, next) = (heading, at)
      case .exercise(let exercise): (text, next) = (exercise.title, 3)
      case .mistakes, .references: (text, next) = (name(of: block), 2)
      default: continue
      }
      if next > level + 1 || next < 2 {
        problems.append("the heading '\(text)' of level \(next) follows one of level \(level)")
      }
      level = next
    }
    return problems
  }

  /// A number with a decimal point or a percent sign may not be typed; references may have them,
  /// as numbers of sections and versions.
  static func typedNumbers(_ document: ChapterDocument) -> [String] {
    let references = document.blocks.flatMap { block -> [Prose] in
      if case .references(let sources) = block { sources } else { [] }
    }
    return document.prose.filter { !references.contains($0) }.flatMap { prose in
      typed(prose).map { "the number '\($0)' is typed in: \(prose.markdown.prefix(80))…" }
    }
  }

  static func typed(_ prose: Prose) -> [String] {
    // A mark in place of what was interpolated keeps formulas and code spans whole.
    let text = prose.parts.map { part in
      if case .literal(let text) = part { text } else { "#" }
    }.joined()
    let words = InlineMathematics.pieces(of: text).filter { !$0.isMathematics }.map(\.text)
      .joined(separator: " ").replacing(/`[^`]*`|\]\([^)]*\)/, with: "")
    return words.matches(of: /[0-9]+\.[0-9]+|[0-9]+\s?%/).map { String($0.output) }
  }

  static func formulas(_ document: ChapterDocument) -> [String] {
    let displayed = document.blocks.compactMap { block -> String? in
      if case .mathematics(let formula) = block { formula } else { nil }
    }
    let headings = document.blocks.compactMap { block -> String? in
      if case .heading(let text, _) = block { text } else { nil }
    }
    let inline = (document.prose.map(\.markdown) + headings).flatMap { text in
      InlineMathematics.pieces(of: text).filter(\.isMathematics).map(\.text)
    }
    return displayed.compactMap { formula in
      MathematicsCheck.problem(in: formula, isDisplayed: true).map { "\(formula): \($0)" }
    }
      + inline.compactMap { formula in
        MathematicsCheck.problem(in: formula, isDisplayed: false).map { "$\(formula)$: \($0)" }
      }
  }

  static func figures(_ document: ChapterDocument) -> [String] {
    document.blocks.flatMap { block -> [String] in
      guard case .figure(let figure) = block else { return [] }
      let text = figure.alternativeText.markdown
      var problems: [String] = []
      if text.count < leastAlternativeText || text == figure.canvas.title {
        problems.append(
          "figure \(figure.name): '\(text)' does not say in \(leastAlternativeText) characters what "
            + "is seen")
      }
      if figure.alternativeText.numbers.isEmpty {
        problems.append("figure \(figure.name): the alternative text has no measured number")
      }
      if figure.tables.isEmpty { problems.append("figure \(figure.name) names no table") }
      problems += texts(of: figure.canvas).map { "figure \(figure.name): \($0)" }
      for table in figure.tables where !document.tables.contains(where: { $0.name == table }) {
        problems.append("figure \(figure.name): there is no table \(table)")
      }
      return problems
    }
  }

  /// Texts of a drawing that are cut, too small, or cover another.
  static func texts(of canvas: Canvas) -> [String] {
    let whole = Rectangle(x: 0, y: 0, width: canvas.width, height: canvas.height)
    let texts = canvas.texts
    return texts.indices.flatMap { index -> [String] in
      let text = texts[index]
      var problems: [String] = []
      if !whole.contains(text.box) { problems.append("'\(text.string)' is cut") }
      if text.size < 11 { problems.append("'\(text.string)' is smaller than 11 pixels") }
      if let other = texts[(index + 1)...].first(where: { $0.box.overlaps(text.box) }) {
        problems.append("'\(text.string)' and '\(other.string)' cover each other")
      }
      return problems
    }
  }

  /// Every printed number is in a table that is written.
  static func provenance(_ document: ChapterDocument) -> [String] {
    Set(
      document.numbers.compactMap { number in
        let table = document.tables.first { $0.name == number.table }
        guard let table else { return "the table \(number.table) is printed and not written" }
        return table.number(number.column, row: number.row, number.format) == number
          ? nil : "the table \(number.table) was changed after '\(number.text)' was read"
      }
    ).sorted()
  }

  static func mistakes(_ document: ChapterDocument) -> [String] {
    document.blocks.flatMap { block -> [String] in
      guard case .mistakes(let hints) = block else { return [] }
      return hints.filter { !known.contains($0.id) }.map { "there is no mistake \($0.id)" }
    }
  }

  /// Numbers with and without the letter of a form.
  private static let known: Set<String> = Set(
    MistakeCatalogue.all.flatMap { [$0.id, String($0.id.prefix(4))] })

  static func length(_ document: ChapterDocument) -> [String] {
    let words = WordCount.words(document)
    return wordRange.contains(words)
      ? [] : ["\(words) words, and \(wordRange.lowerBound) to \(wordRange.upperBound) are allowed"]
  }
}
