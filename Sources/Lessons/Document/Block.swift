import Experiments

/// A piece of a chapter.
public enum Block: Sendable {
  /// A heading of level 2 or 3.
  case heading(String, level: Int)
  case paragraph(Prose)
  case list([Prose])
  /// A displayed formula without dollar signs; see ``MathematicsCheck`` for what may stand in it.
  case mathematics(String)
  case figure(Figure)
  case table(DocumentTable)
  case source(SourceExcerpt)
  case prediction(Prediction)
  case caveat(Prose)
  case tryIt(TryIt)
  case exercise(Exercise)
  /// Which mistakes look like this: catalogue numbers with a sentence each.
  case mistakes([MistakeHint])
  case references([Prose])
}

/// A drawing with its caption and a sentence for those who cannot see it.
public struct Figure: Sendable {
  /// The file's name without chapter and ending.
  public let name: String
  public let canvas: Canvas
  public let caption: Prose
  /// What is seen, with the trend and a number; at least 30 characters, and not the title.
  public let alternativeText: Prose
  /// The tables that it draws.
  public let tables: [String]

  public init(
    _ name: String, _ canvas: Canvas, caption: Prose, alternativeText: Prose, tables: [String]
  ) {
    self.name = name
    self.canvas = canvas
    self.caption = caption
    self.alternativeText = alternativeText
    self.tables = tables
  }
}

/// Some columns and rows of a table of results, printed.
public struct DocumentTable: Sendable {
  public let caption: Prose
  public let table: ResultTable
  public let columns: [Column]
  /// The rows shown, counted from 0.
  public let rows: [Int]

  public struct Column: Sendable {
    public let name, heading: String
    /// For columns of numbers.
    public let format: NumberFormat

    public init(_ name: String, _ heading: String, _ format: NumberFormat = .significant(3)) {
      self.name = name
      self.heading = heading
      self.format = format
    }
  }

  public init(_ table: ResultTable, caption: Prose, columns: [Column], rows: [Int]? = nil) {
    self.table = table
    self.caption = caption
    self.columns = columns
    self.rows = rows ?? Array(table.rows.indices)
  }
}

/// A question to answer before the figure below it is looked at.
public struct Prediction: Sendable {
  public let question: Prose
  /// Lettered A, B, C … in order.
  public let options: [Prose]
  /// What was measured and why; hidden until it is opened.
  public let answer: Prose

  public init(_ question: Prose, options: [Prose], answer: Prose) {
    precondition((2...5).contains(options.count), "\(options.count) options to choose from")
    self.question = question
    self.options = options
    self.answer = answer
  }
}

/// A cell of Python that reads the chapter's files and asserts what the text says.
public struct TryIt: Sendable {
  public let text: Prose
  public let code: String

  public init(_ text: Prose, code: String) {
    self.text = text
    self.code = code
  }
}

/// A question to the reader with a cell that checks the answer.
public struct Exercise: Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case recall
    case changeANumber = "change a number"
    case breakIt = "break it"
  }

  public let kind: Kind
  public let title: String
  public let question: Prose
  /// Python above the check that the reader completes; with it the check fails.
  public let starter: String
  /// Python that asserts; never edited by the reader.
  public let check: String
  /// Python in place of the starter; with it the check passes.
  public let solution: String
  /// The worked answer.
  public let explanation: Prose

  public init(
    _ kind: Kind, _ title: String, question: Prose, starter: String, check: String,
    solution: String, explanation: Prose
  ) {
    self.kind = kind
    self.title = title
    self.question = question
    self.starter = starter
    self.check = check
    self.solution = solution
    self.explanation = explanation
  }
}

/// A mistake of the museum that this chapter's readers meet, and how it shows.
public struct MistakeHint: Sendable {
  /// The catalogue's number, such as M-12.
  public let id: String
  public let symptom: Prose

  public init(_ id: String, _ symptom: Prose) {
    self.id = id
    self.symptom = symptom
  }
}
