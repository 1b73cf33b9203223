import DataFiles
import Experiments

/// All files of a chapter, by their path in the export folder.
public struct ChapterFiles: Sendable {
  public let files: [(path: String, bytes: [UInt8])]
  /// The rules of ``DocumentCheck`` that the chapter breaks.
  public let problems: [String]
  /// What the manifest says of the chapter.
  public let record: ExportManifest.Chapter

  public init(
    _ chapter: Chapter, _ document: ChapterDocument, catalogue: [Chapter],
    repository: String = SourceExcerpt.repository
  ) throws {
    var files: [(path: String, bytes: [UInt8])] = []
    let markdown = try MarkdownWriter.text(
      chapter, document, catalogue: catalogue, repository: repository)
    files.append(("\(chapter.name).md", Array(markdown.utf8)))
    for (path, solved) in [
      ("\(chapter.name).ipynb", false), ("solutions/\(chapter.name).ipynb", true),
    ] {
      files.append(
        (
          path,
          try NotebookWriter.bytes(
            chapter, document, catalogue: catalogue, repository: repository, solved: solved)
        ))
    }
    for case .figure(let figure) in document.blocks {
      let path = "figures/\(chapter.prefix)-\(figure.name)"
      files.append(("\(path).svg", Array(figure.canvas.svg().utf8)))
      files.append(("\(path).png", figure.canvas.png()))
    }
    for table in document.tables {
      files.append(("data/\(chapter.prefix)-\(table.name).csv", table.csv))
    }
    for (name, arrays) in document.arrays {
      files.append(("data/\(chapter.prefix)-\(name).npz", NPZ.encode(arrays)))
    }
    self.files = files
    problems = DocumentCheck.problems(document) + DocumentCheck.problems(files)
    record = ExportManifest.Chapter(
      name: chapter.name, words: WordCount.words(document),
      files: files.map { ExportManifest.File(name: $0.path, sha256: SHA256.hexDigest($0.bytes)) },
      numbers: document.numbers.map { number in
        ExportManifest.Number(
          text: number.text, format: number.format.name,
          file: "data/\(chapter.prefix)-\(number.table).csv", column: number.column,
          row: number.row)
      },
      excerpts: document.excerpts.map { ExportManifest.Excerpt(file: $0.file, marker: $0.marker) })
  }
}

/// The length of a chapter in plain words: sentences only, without formulas, code and tables.
enum WordCount {
  static func words(_ document: ChapterDocument) -> Int {
    document.prose.reduce(0) { sum, prose in
      let plain = InlineMathematics.pieces(of: prose.markdown).filter { !$0.isMathematics }
      return sum + plain.reduce(0) { $0 + words($1.text) }
    }
  }

  private static func words(_ text: String) -> Int {
    text.split(whereSeparator: \.isWhitespace).count { $0.contains(where: \.isLetter) }
  }
}
