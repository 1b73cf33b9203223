import Experiments
import Lessons
import Testing

@Suite("Rules of a chapter")
struct DocumentCheckTests {
  @Test("The sample keeps every rule")
  func sampleIsGood() throws {
    #expect(DocumentCheck.problems(SampleChapter().document) == [])
    #expect(try SampleChapter().files().problems == [])
  }

  static let breaks:
    [(name: String, words: String, change: @Sendable (inout SampleChapter) -> Void)] = [
      ("a typed decimal", "'0.73' is typed", { $0.paragraph = "KFAC misses 0.73 of it." }),
      ("a typed percentage", "'43 %' is typed", { $0.paragraph = "KFAC misses 43 % of it." }),
      ("an unportable formula", "operatorname", { $0.formula = #"\operatorname{tr} A"# }),
      (
        "an unportable inline formula", "operatorname",
        { $0.paragraph = #"So $\operatorname{tr} A$."# }
      ),
      ("short alternative text", "does not say", { $0.alternativeText = "A line." }),
      (
        "the title as alternative text", "no measured number",
        {
          $0.alternativeText = "A line that rises from left to right all the way."
        }
      ),
      ("a figure of no table", "there is no table others", { $0.figureTable = "others" }),
      ("a table that is not written", "printed and not written", { $0.writesTable = false }),
      ("an unknown mistake", "there is no mistake M-68", { $0.mistake = "M-68" }),
      ("an exercise too few", "'break it'", { $0.kinds = [.recall, .changeANumber] }),
      ("an exercise twice", "2 exercises", { $0.kinds += [.recall] }),
      (
        "a heading that skips a level", "of level 3 follows one of level 1",
        { $0.headingLevels = [3] }
      ),
      ("too few words", "words, and", { $0.wordCount = 1_000 }),
      ("too many words", "words, and", { $0.wordCount = 2_600 }),
      ("no sources", "references is missing", { $0.withReferences = false }),
    ]

  @Test("Each broken rule is told, and only it", arguments: 0..<15)
  func brokenRules(index: Int) {
    let (name, words, change) = DocumentCheckTests.breaks[index]
    var sample = SampleChapter()
    change(&sample)
    let problems = DocumentCheck.problems(sample.document)
    #expect(problems.contains { $0.contains(words) }, "\(name): \(problems)")
    #expect(problems.count <= 2, "\(name): \(problems)")
  }

  @Test("Every break is tried")
  func allBreaks() { #expect(DocumentCheckTests.breaks.count == 15) }

  @Test("Words that the run does not show are told")
  func contradictions() {
    var document = SampleChapter().document
    document.claim("KFAC is nearer in all layers", holds: true)
    #expect(DocumentCheck.problems(document) == [])
    document.claim("KFAC is nearer in all layers", holds: false)
    #expect(
      DocumentCheck.problems(document) == [
        "the text says 'KFAC is nearer in all layers', and the run does not show it"
      ])
  }

  @Test("Numbers in formulas, code, links, quotations and references may have decimals")
  func allowedDecimals() {
    var sample = SampleChapter()
    sample.paragraph =
      #"With $\lambda = 0.1$, `x = 0.2`, [a link](v1.2.md) and \#(printed: "4.7 %") of \#(given: 0.25)."#
    #expect(DocumentCheck.problems(sample.document) == [])
  }

  @Test("A file or notebook that is too large is told")
  func largeFiles() {
    func problems(_ path: String, _ count: Int) -> [String] {
      DocumentCheck.problems([(path: path, bytes: [UInt8](repeating: 0, count: count))])
    }
    #expect(problems("a.svg", 500_000) == [] && problems("a.svg", 500_001).count == 1)
    #expect(problems("a.ipynb", 60_000) == [] && problems("a.ipynb", 60_001).count == 1)
  }
}
