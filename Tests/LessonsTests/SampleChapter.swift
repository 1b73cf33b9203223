import DataFiles
import Experiments
import Lessons
import Networks

/// A chapter that keeps every rule, with places to break each.
struct SampleChapter {
  var value = 0.123456
  var paragraph: Prose = "Some words."
  var formula = #"F \approx A \otimes G"#
  var alternativeText: Prose?
  var figureTable = "numbers"
  var writesTable = true
  var mistake = "M-01"
  var kinds = Exercise.Kind.allCases
  var headingLevels = [2, 3]
  var wordCount = 1_300
  var withReferences = true
  var excerpt = SourceExcerpt("Sources/Curvature/KroneckerBlock.swift", "kronecker-apply")

  var chapter: Chapter {
    Chapter(
      5, "sample", title: "A sample", goal: "Show every block.", minutes: 10, prerequisites: [],
      seedItem: "nothing"
    ) { _ in document }
  }

  var document: ChapterDocument {
    var findings = Findings()
    let number = findings.report("value", value, "a made-up number", .percent(1))
    var document = ChapterDocument(
      setup: #"numbers = pd.read_csv(DATA / "05-numbers.csv").set_index("name")["value"]"#)
    for level in headingLevels {
      if level == 2 { document.heading("A heading") } else { document.subheading("A smaller one") }
    }
    document.paragraph(paragraph)
    document.paragraph(
      Prose(parts: [.literal(String(repeating: "word ", count: wordCount))]))
    document.paragraph(#"With $A \otimes G$ it is \#(number), printed \#(printed: "5 %")."#)
    document.mathematics(formula)
    document.predict(Prediction("How much?", options: ["a", "b"], answer: #"It is \#(number)."#))
    let chart = LineChart(
      title: "A line", x: ChartAxis("x"), y: ChartAxis("y"),
      series: [LineSeries(name: "a", x: [1, 2], y: [1, 2])])
    document.figure(
      Figure(
        "line", chart.canvas, caption: "A line.",
        alternativeText: alternativeText ?? #"A line that rises steadily, up to \#(number)."#,
        tables: [figureTable]))
    document.source(excerpt)
    document.caveat("Only a sample.")
    document.table(
      DocumentTable(
        findings.table, caption: "The numbers.",
        columns: [.init("name", "name"), .init("value", "value", .significant(4))]))
    document.tryIt("Read it.", code: #"assert numbers["value"] > 0"#)
    document.heading("Exercises")
    for kind in kinds {
      document.exercise(
        Exercise(
          kind, "An answer", question: "Which?", starter: "answer = None",
          check: "assert answer == 1", solution: "answer = 1", explanation: "One."))
    }
    document.mistakes([MistakeHint(mistake, "It is seen.")])
    if withReferences { document.references(["A paper, Section 2.1."]) }
    if writesTable { document.data(findings.table) }
    document.data("arrays", [(name: "a", array: NumericArray(value))])
    return document
  }

  static let context: ChapterContext = {
    guard let data = try? DatasetSource.fashionMNIST.load(widths: []) else {
      fatalError("the shipped Fashion-MNIST cannot be read")
    }
    return ChapterContext(fashionMNIST: data) { _, _, _ in }
  }()

  var export: LessonsExport {
    LessonsExport(catalogue: [chapter], context: SampleChapter.context)
  }

  func files() throws -> ChapterFiles { try export.files(of: chapter) }
}
