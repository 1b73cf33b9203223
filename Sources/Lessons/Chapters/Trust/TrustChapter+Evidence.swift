import DataFiles
import DenseAlgebra
import Experiments

extension TrustChapter {
  static func lapack(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ reports: LapackReports,
    _ routines: ResultTable
  ) {
    let counts = reports.counts(&findings)
    let quantiles = reports.quantiles
    func worst(_ column: String, _ routine: String) -> ReportedNumber {
      routines.number(column, where: ["routine": "\"\(routine)\""], .significant(2))
    }
    let tiny = LapackReports.families[7].name
    let chart = TrustFigures.quantiles(quantiles)
    document.heading("Against LAPACK")
    document.paragraph(
      #"""
      The suite's linear algebra is written in Swift. LAPACK is the measure: each routine was run beside LAPACK's on \#
      the same matrices (clustered, graded, singular, huge, tiny), against the reference library \#
      (\#(printed: "3.11.0")) and against OpenBLAS (\#(printed: "0.3.21")). The numbers of this section are read from the committed reports \#
      `lapack-openblas.csv` and `lapack-reference.csv` in `Fixtures/reports`, which `scripts/compare-lapack` \#
      writes; they are not measured anew for this chapter.
      """#)
    document.figure(
      Figure(
        "quantiles", chart.canvas,
        caption:
          #"""
          All residual ratios in ascending order. Ratios below a ten-thousandth, among them exact zeros, are drawn \#
          at the lower edge.
          """#,
        alternativeText:
          #"""
          Three nearly equal rising curves on a logarithmic axis. Half of the ratios of this suite are below \#
          \#(quantiles.number("natgrad", row: 20, .significant(2))), and the largest is \#
          \#(quantiles.number("natgrad", row: 40, .significant(3))); LAPACK's curves lie beside it.
          """#, tables: ["quantiles"]))
    document.paragraph(
      #"""
      Of \#(counts.all) residual ratios the largest of this suite is \#(counts.worst); LAPACK's is above 30 in \#
      \#(counts.lapackOver), and \#(counts.dsyevr) of these are eigenvectors of `dsyevr`, a faster method whose vectors are \#
      less exactly orthogonal. In \#(counts.smaller) of the comparisons the \#
      suite's ratio is not larger than LAPACK's. This does not make one library better: ratios below 1 are round-off and \#
      their order is chance.
      """#)
    document.table(
      DocumentTable(
        routines,
        caption:
          "Worst ratios by routine, both comparisons together; LAPACK's are the worst of all its routines for the task.",
        columns: [
          .init("routine", "routine"), .init("count", "comparisons"),
          .init("natgrad", "this suite", .significant(2)),
          .init("openblas", "OpenBLAS", .significant(2)),
          .init("reference", "reference LAPACK", .significant(2)),
        ]))
    document.paragraph(
      #"""
      The last row is the exception. There the unit is the eigenvalue itself, not the norm of the matrix. A \#
      tridiagonal reduction promises errors of the size of $\varepsilon\lVert A\rVert$, and an eigenvalue of $10^{-20}\lVert A\rVert$ \#
      is then noise; the worst of LAPACK's general routines is at \#(worst("reference", tiny)). One-sided Jacobi on a \#
      factor of the matrix, which the suite uses as referee, stays at \#(worst("natgrad", tiny)), and LAPACK's own, `dgesvj`, at \#(counts.jacobi). Both kinds of routine \#
      keep what they promise.
      """#)
  }

  static func tests(_ document: inout ChapterDocument, _ evidence: ResultTable) {
    func count(_ what: String) -> ReportedNumber {
      evidence.number("count", where: ["what": what], .fixed(0))
    }
    document.heading("Who tests the tests?")
    document.paragraph(
      #"""
      A test that cannot fail looks like a test that passes. Two reports of this suite are about that, \#
      and the numbers below are read from them. The *property table* (`properties.csv`) lists \#
      \#(count("tested statements")) statements with the oracle they are tested against, the number of cases (\#
      \#(count("cases they were tested on")) in all), the worst measured ratio and its limit. \#
      \#(count("statements of the kind counter-property")) of them are counter-properties: statements that \#
      something must *not* hold, such as P-03, that a wrong Kronecker order gives another vector. They fail when a test has \#
      become blind.
      """#)
    document.paragraph(
      #"""
      The *mutation report* (`mutations.csv`) turns the question around. One place of the source is changed on purpose: a sign, an \#
      index, a missing division by $N$, a transpose. Then all tests run. If none fails, the mutation has survived, and either a test \#
      is missing or the change makes no difference. Of \#(count("mutations measured")) mutations that were drawn at \#
      random and that compile, \#(count("caught at the first measurement")) were caught at the first measurement. New tests \#
      were written; now \#(count("caught at the last measurement")) are caught, and \#
      \#(count("survivors at the last measurement")) survive, each with a recorded reason (in `Tests/Mutations`) why no test can see it.
      """#)
    document.table(
      DocumentTable(
        evidence, caption: "What the committed reports on the tests count.",
        columns: [
          .init("what", "what"), .init("count", "count", .fixed(0)), .init("report", "report"),
        ]))
    document.paragraph(
      #"""
      Neither number proves that a program is right. They say how hard somebody has tried to show that \#
      it is wrong. The clinic ([chapter 14](14-clinic.md)) applies the same idea to programs that \#
      are wrong in known ways.
      """#)
  }
}

/// The figures of chapter 13.
enum TrustFigures {
  private static func points(_ table: ResultTable, _ x: String, _ family: String) -> [(
    x: Double, y: Double
  )] {
    let places = [x, "digits", "family"].map { name in
      table.columns.firstIndex { $0.name == name } ?? 0
    }
    return table.rows.compactMap { row in
      guard row[places[2]] == .text(family), case .number(let x) = row[places[0]],
        case .number(let y) = row[places[1]]
      else { return nil }
      return (x, y)
    }
  }

  private static let families = ["Hilbert", "graded", "integers", "others"]

  static func condition(_ table: ResultTable) -> ScatterChart {
    ScatterChart(
      title: "Right digits against the condition number",
      subtitle: "certified linear systems, double precision, this suite's Cholesky or LU",
      x: ChartAxis("condition number κ (no unit)", .logarithmic, limits: 1...1e20),
      y: ChartAxis("right decimal digits", limits: 0...17),
      series: families.map { .init(name: $0, points: points(table, "condition", $0)) },
      lines: [.init(name: "15 − log₁₀ κ", from: (1, 15), to: (1e15, 0))], radius: 4.2)
  }

  static func scaled(_ table: ResultTable) -> ScatterChart {
    ScatterChart(
      title: "Right digits against the scaled condition number",
      subtitle: "certified positive definite systems, double precision, this suite's Cholesky",
      x: ChartAxis("κ after scaling to a unit diagonal (no unit)", .logarithmic, limits: 1...1e20),
      y: ChartAxis("right decimal digits", limits: 0...17),
      series: families.map { .init(name: $0, points: points(table, "scaledCondition", $0)) },
      lines: [.init(name: "15 − log₁₀ κ", from: (1, 15), to: (1e15, 0))], radius: 4.2)
  }

  static func damping(_ table: ResultTable) -> LineChart {
    let all = table.rows.indices
    let solved = all.filter { table.rows[$0][2] != .empty }
    func column(_ name: String, _ rows: [Int]) -> [Double] {
      rows.map { table.number(name, row: $0).value }
    }
    return LineChart(
      title: "Damping buys digits",
      subtitle: "A + λI of the first layer, 785 rows, 256 images of Fashion-MNIST",
      x: ChartAxis("damping λ", .logarithmic), y: ChartAxis("right decimal digits", limits: 0...7),
      series: [
        LineSeries(
          name: "single precision", x: column("lambda", solved), y: column("digits", solved)),
        LineSeries(
          name: "7 − log₁₀ κ", x: column("lambda", Array(all)), y: column("rule", Array(all))),
      ])
  }

  static func quantiles(_ table: ResultTable) -> LineChart {
    let rows = Array(table.rows.indices)
    func column(_ name: String) -> [Double] {
      rows.map { max(table.number(name, row: $0).value, name == "share" ? 0 : 1e-4) }
    }
    return LineChart(
      title: "Residual ratios of three libraries, sorted",
      subtitle: "from the committed comparisons in Fixtures/reports",
      x: ChartAxis("share of the comparisons"),
      y: ChartAxis("residual ratio (no unit)", .logarithmic, limits: 1e-4...1e3),
      series: [
        LineSeries(name: "this suite", x: column("share"), y: column("natgrad")),
        LineSeries(name: "OpenBLAS", x: column("share"), y: column("openblas")),
        LineSeries(name: "reference LAPACK", x: column("share"), y: column("reference")),
      ], references: [ReferenceLine(30, name: "30, LAPACK's limit")])
  }
}
