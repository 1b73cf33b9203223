/// The reading copy of a chapter, for GitHub.
enum MarkdownWriter {
  static func text(
    _ chapter: Chapter, _ document: ChapterDocument, catalogue: [Chapter], repository: String
  ) throws -> String {
    let writer = BlockText(chapter: chapter, dialect: .github, root: "", repository: repository)
    var parts = [
      writer.head(document.conventions, catalogue: catalogue),
      "*This chapter is also a notebook with the cells below: [\(chapter.name).ipynb]"
        + "(\(chapter.name).ipynb); solved: [solutions/\(chapter.name).ipynb]"
        + "(solutions/\(chapter.name).ipynb).*",
      "<details>\n<summary>The first cell: what all others may use</summary>\n\n```python\n"
        + NotebookWriter.setup(document) + "\n```\n\n</details>",
    ]
    for block in document.blocks {
      parts.append(try writer.text(block))
      switch block {
      case .tryIt(let cell): parts.append("```python\n\(cell.code)\n```")
      case .exercise(let exercise): parts.append("```python\n\(exercise.starter)\n```")
      default: break
      }
    }
    return parts.joined(separator: "\n\n") + "\n"
  }
}
