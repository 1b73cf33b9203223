import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Chapter 05: what KFAC drops, and where it drops nothing.
enum KFACChapter {
  static let chapter = Chapter(
    5, "kfac", title: "KFAC",
    goal: "See what KFAC drops of the Fisher matrix, and where it drops nothing.",
    minutes: 50, prerequisites: [2, 4], seedItem: "CG-FAC note, Algorithm 1; THOR Equation 6"
  ) { context in
    var findings = Findings()
    let e = findings.report("x", 0.123456, "a try", .percent(1))
    var document = ChapterDocument(
      ConventionCard(["Layer": #"$f(x)$"#]),
      setup: #"numbers = pd.read_csv(DATA / "05-numbers.csv").set_index("name")["value"]"#)
    document.heading("What is dropped")
    document.paragraph(#"KFAC $A \otimes G$ misses \#(e), printed \#(printed: "5 %")."#)
    document.predict(
      Prediction("How?", options: ["a", "b"], answer: #"It is \#(e)."#))
    document.mathematics(#"F \approx A \otimes G"#)
    document.source(SourceExcerpt("Sources/Curvature/KroneckerBlock.swift", "kronecker-apply"))
    document.table(
      DocumentTable(
        findings.table, caption: "Numbers.",
        columns: [.init("name", "name"), .init("value", "value")]))
    document.tryIt("Read it.", code: #"assert numbers["x"] > 0"#)
    document.exercise(
      Exercise(
        .recall, "Which", question: "Which one?", starter: "answer = None",
        check: "assert answer == 1", solution: "answer = 1", explanation: "One."))
    let chart = LineChart(
      title: "t", x: ChartAxis("x"), y: ChartAxis("y"),
      series: [LineSeries(name: "a", x: [1, 2], y: [1, 2])])
    document.figure(
      Figure(
        "line", chart.canvas, caption: "A line.",
        alternativeText: #"A line that rises from one to two, \#(e)."#, tables: ["numbers"]))
    document.data(findings.table)
    return document
  }
}
