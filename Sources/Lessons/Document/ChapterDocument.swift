import DataFiles
import Experiments

/// A chapter as it was computed: its blocks, and the data behind every number.
public struct ChapterDocument: Sendable {
  public let conventions: ConventionCard
  /// Python of the first cell after the common imports: what all other cells may use.
  public let setup: String
  public private(set) var blocks: [Block] = []
  public private(set) var tables: [ResultTable] = []
  /// Files of arrays for the cells, `data/NN-name.npz`.
  public private(set) var arrays: [(name: String, arrays: [(name: String, array: NumericArray)])] =
    []
  /// Words that fix a measured outcome and that this run does not show.
  public private(set) var contradictions: [String] = []

  public init(_ conventions: ConventionCard = ConventionCard(), setup: String) {
    self.conventions = conventions
    self.setup = setup
  }

  public mutating func heading(_ text: String) { blocks.append(.heading(text, level: 2)) }
  public mutating func subheading(_ text: String) { blocks.append(.heading(text, level: 3)) }
  public mutating func paragraph(_ text: Prose) { blocks.append(.paragraph(text)) }
  public mutating func list(_ items: [Prose]) { blocks.append(.list(items)) }
  public mutating func mathematics(_ formula: String) { blocks.append(.mathematics(formula)) }
  public mutating func figure(_ figure: Figure) { blocks.append(.figure(figure)) }
  public mutating func table(_ table: DocumentTable) { blocks.append(.table(table)) }
  public mutating func source(_ excerpt: SourceExcerpt) { blocks.append(.source(excerpt)) }
  public mutating func predict(_ prediction: Prediction) { blocks.append(.prediction(prediction)) }
  public mutating func caveat(_ text: Prose) { blocks.append(.caveat(text)) }
  public mutating func tryIt(_ text: Prose, code: String) {
    blocks.append(.tryIt(TryIt(text, code: code)))
  }
  public mutating func exercise(_ exercise: Exercise) { blocks.append(.exercise(exercise)) }
  public mutating func mistakes(_ hints: [MistakeHint]) { blocks.append(.mistakes(hints)) }
  public mutating func references(_ sources: [Prose]) { blocks.append(.references(sources)) }

  /// Writes a table beside the chapter; every table that the text reports a number from is needed.
  public mutating func data(_ table: ResultTable) {
    precondition(!tables.contains { $0.name == table.name }, "two tables are named \(table.name)")
    precondition(!table.isTiming, "table \(table.name) holds times, which no run repeats")
    tables.append(table)
  }

  /// States that the run shows what some words say ("only", "all", "first"), as no number of the
  /// text would tell it; where it does not, the words are a broken rule of the chapter.
  public mutating func claim(_ words: String, holds isShown: Bool) {
    if !isShown { contradictions.append(words) }
  }

  /// Writes arrays beside the chapter for the cells.
  public mutating func data(_ name: String, _ arrays: [(name: String, array: NumericArray)]) {
    self.arrays.append((name, arrays))
  }

  /// All text that is read as sentences, in order.
  public var prose: [Prose] {
    conventions.rows.map(\.choice)
      + blocks.flatMap { block -> [Prose] in
        switch block {
        case .paragraph(let text), .caveat(let text): [text]
        case .list(let items), .references(let items): items
        case .figure(let figure): [figure.caption, figure.alternativeText]
        case .table(let table): [table.caption]
        case .prediction(let prediction):
          [prediction.question] + prediction.options + [prediction.answer]
        case .tryIt(let cell): [cell.text]
        case .exercise(let exercise): [exercise.question, exercise.explanation]
        case .mistakes(let hints): hints.map(\.symptom)
        case .heading, .mathematics, .source: []
        }
      }
  }

  /// Every measured number that is printed, in prose and in tables.
  public var numbers: [ReportedNumber] {
    prose.flatMap(\.numbers)
      + blocks.flatMap { block -> [ReportedNumber] in
        if case .table(let table) = block { table.numbers } else { [] }
      }
  }

  /// The excerpts of the suite's own sources.
  public var excerpts: [SourceExcerpt] {
    blocks.compactMap { if case .source(let excerpt) = $0 { excerpt } else { nil } }
  }
}

extension DocumentTable {
  /// The numbers shown, row by row.
  var numbers: [ReportedNumber] {
    rows.flatMap { row in
      columns.compactMap { column in
        switch cell(column, row) {
        case .number, .integer: table.number(column.name, row: row, column.format)
        case .text, .empty: nil
        }
      }
    }
  }

  func cell(_ column: Column, _ row: Int) -> CSV.Cell {
    guard let place = table.columns.firstIndex(where: { $0.name == column.name }) else {
      preconditionFailure("table \(table.name) has no column \(column.name)")
    }
    return table.rows[row][place]
  }

  func text(_ column: Column, _ row: Int) -> String {
    switch cell(column, row) {
    case .text(let text): text
    case .empty: "–"
    case .number, .integer: table.number(column.name, row: row, column.format).text
    }
  }
}
