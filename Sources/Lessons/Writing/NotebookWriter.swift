import Foundation

/// A chapter as a Jupyter notebook without stored outputs, nbformat 4.5.
///
/// Code cells are tagged: `setup` the first, `try-it`, and `self-check` for an exercise, which fails
/// until it is solved. Every cell runs alone after the first.
enum NotebookWriter {
  /// The chapter's notebook, or with `solved` the same with the exercises done and explained.
  static func bytes(
    _ chapter: Chapter, _ document: ChapterDocument, catalogue: [Chapter], repository: String,
    solved: Bool
  ) throws -> [UInt8] {
    let writer = BlockText(
      chapter: chapter, dialect: .notebook, root: solved ? "../" : "", repository: repository)
    var cells = [
      Cell(markdown: writer.head(document.conventions, catalogue: catalogue), id: "head"),
      Cell(code: setup(document), tag: "setup", id: "setup"),
    ]
    var text: [String] = []
    var counts: [String: Int] = [:]
    func id(_ kind: String) -> String {
      counts[kind, default: 0] += 1
      return "\(kind)-\(counts[kind]!)"
    }
    func flush() {
      if text.isEmpty { return }
      cells.append(Cell(markdown: text.joined(separator: "\n\n"), id: id("text")))
      text = []
    }
    for block in document.blocks {
      if case .heading = block { flush() }
      text.append(try writer.text(block))
      switch block {
      case .tryIt(let cell):
        flush()
        cells.append(Cell(code: cell.code, tag: "try-it", id: id("try")))
      case .exercise(let exercise):
        flush()
        let answer = solved ? exercise.solution : exercise.starter
        cells.append(
          Cell(
            code: answer + "\n\n" + checkLine + "\n" + exercise.check, tag: "self-check",
            id: id("exercise")))
        if solved {
          cells.append(
            Cell(
              markdown: "**Worked answer.** " + writer.inline(exercise.explanation),
              id: id("answer")))
        }
      default: break
      }
    }
    flush()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(Notebook(cells: cells))) + [10]
  }

  static let checkLine = "# Self-check: the lines below stay as they are."

  /// The first cell: the same imports everywhere, then what the chapter loads.
  static func setup(_ document: ChapterDocument) -> String {
    """
    from pathlib import Path

    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd

    DATA = Path("data") if Path("data").is_dir() else Path("../data")
    \(document.setup)
    """
  }

  private struct Notebook: Encodable {
    let cells: [Cell]
    let metadata = Metadata()
    let nbformat = 4
    let nbformat_minor = 5

    struct Metadata: Encodable {
      let kernelspec = Kernel()
      let language_info = Language()
    }
    struct Kernel: Encodable {
      let display_name = "Python 3"
      let language = "python"
      let name = "python3"
    }
    struct Language: Encodable {
      let name = "python"
    }
  }

  private struct Cell: Encodable {
    let id, type: String
    let source: [String]
    let tags: [String]?

    init(markdown: String, id: String) {
      (self.id, type, source, tags) = (id, "markdown", Cell.lines(markdown), nil)
    }

    init(code: String, tag: String, id: String) {
      (self.id, type, source, tags) = (id, "code", Cell.lines(code), [tag])
    }

    /// Lines that keep their line ends, but the last.
    private static func lines(_ text: String) -> [String] {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      return lines.dropLast().map { $0 + "\n" } + lines.suffix(1).map(String.init)
    }

    enum CodingKeys: String, CodingKey {
      case id, source, metadata, outputs
      case type = "cell_type"
      case count = "execution_count"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(id, forKey: .id)
      try container.encode(type, forKey: .type)
      try container.encode(source, forKey: .source)
      try container.encode(tags.map { ["tags": $0] } ?? [:], forKey: .metadata)
      if type == "code" {
        try container.encodeNil(forKey: .count)
        try container.encode([String](), forKey: .outputs)
      }
    }
  }
}
