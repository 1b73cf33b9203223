import DataFiles
import DenseAlgebra
import Experiments

/// Chapter 13: what a printed number is worth.
enum TrustChapter {
  static let chapter = Chapter(
    13, "trusting-the-numbers", title: "Trusting the numbers",
    goal: "Tell a small residual from a right answer, and predict how many digits are right.",
    minutes: 50, prerequisites: [6], seedItem: "none; the evidence of this suite"
  ) { context in
    let reports = try LapackReports()
    context.progress("certified systems and a damped factor", 0, 1)
    let measured = try TrustMeasurement(context.fashionMNIST.dataset, reports)
    context.progress("certified systems and a damped factor", 1, 1)
    let (quantiles, routines) = (reports.quantiles, reports.routines)
    let evidence = try TestReports().table
    var findings = Findings()
    var document = ChapterDocument(
      ConventionCard([
        "Norm": #"$\lVert x \rVert_1$, the sum of magnitudes; for a matrix the largest column sum"#,
        "Unit of rounding": #"$\varepsilon = 2^{-52}$ in double, $2^{-23}$ in single precision"#,
        "Condition": #"$\kappa$, largest over smallest singular value"#,
      ]), setup: TrustCells.setup)
    residual(&document, measured)
    condition(&document, &findings, measured)
    scaling(&document, &findings, measured)
    damping(&document, measured)
    lapack(&document, &findings, reports, routines)
    tests(&document, evidence)
    try cells(&document)
    ending(&document)
    for table in [
      measured.digits, measured.damping, quantiles, routines, evidence, findings.table,
    ] {
      document.data(table)
    }
    return document
  }

  private static func residual(_ document: inout ChapterDocument, _ measured: TrustMeasurement) {
    let table = measured.digits
    func number(_ column: String, _ name: String, _ format: NumberFormat) -> ReportedNumber {
      table.number(column, where: ["matrix": name], format)
    }
    document.claim(
      "one or two digits of the solution with the Hilbert matrix of size 12 are right",
      holds: number("digits", "hilbert-12", .fixed(1)).value < 2.5)
    document.heading("A small residual")
    document.paragraph(
      #"""
      KFAC, EKFAC and THOR end with the solution of a linear system $A x = b$. A program returns an \#
      $\hat x$. Is it right? The easy test puts it back: the residual $A\hat x - b$ should be small. How \#
      small, is said by the residual ratio
      """#)
    document.mathematics(
      #"\frac{\lVert A \hat x - b \rVert_1}{n\, \lVert A \rVert_1 \lVert \hat x \rVert_1\, \varepsilon}, \qquad \varepsilon = 2^{-52},"#
    )
    document.paragraph(
      #"""
      with $n$ the number of rows. Its unit is the round-off that a good method may make. LAPACK's own \#
      test programs accept ratios up to 30. A small ratio says: $\hat x$ is the *exact* solution of a \#
      system whose matrix differs from $A$ by a few roundings. This is called backward stability, and it is \#
      a statement about the method.
      """#)
    document.source(SourceExcerpt("Tests/TestSupport/Ratio.swift", "solve-ratio"))
    document.paragraph(
      #"""
      The other question is how many digits of $\hat x$ are right: $-\log_{10}$ of the relative error \#
      $\lVert \hat x - x \rVert_1 / \lVert x \rVert_1$. For that the true $x$ must be known. The suite ships \#
      matrices whose solutions were computed with 50 digits and rounded once. We call them certified.
      """#)
    document.predict(
      Prediction(
        #"""
        The Hilbert matrix of size $n$ has the entries $1/(i + j - 1)$. Cholesky solves the system of \#
        size 12 with a residual ratio of \#(number("ratio", "hilbert-12", .significant(1))), far \#
        below the limit. How many digits of the solution are right?
        """#,
        options: ["About 13, as the ratio is so small.", "About 8, half of them.", "One or two."],
        answer:
          #"""
          C. \#(number("digits", "hilbert-12", .fixed(1))) digits with this suite's Cholesky, \#
          \#(number("lapackDigits", "hilbert-12", .fixed(1))) with LAPACK's. Of such an \#
          answer one digit is known.
          """#))
    let names = ["hilbert-3", "hilbert-5", "hilbert-8", "hilbert-12"]
    document.table(
      DocumentTable(
        table,
        caption:
          "Hilbert matrices: the residuals are all small, the digits are not all right. LAPACK's digits are those of the committed report. No number: the factorization stopped.",
        columns: [
          .init("matrix", "matrix"), .init("condition", "κ", .significant(2)),
          .init("ratio", "residual ratio", .significant(2)),
          .init("digits", "digits", .fixed(1)),
          .init("lapackDigits", "digits of LAPACK", .fixed(1)),
          .init("singleDigits", "digits, single precision", .fixed(1)),
        ],
        rows: names.compactMap { name in table.rows.firstIndex { $0[0] == .text(name) } }))
  }

  private static func condition(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ measured: TrustMeasurement
  ) {
    let table = measured.digits
    let rows = table.rows.indices
    func value(_ column: String, _ row: Int) -> Double { table.number(column, row: row).value }
    let below = findings.report(
      "below-rule", Double(rows.count { value("digits", $0) < value("rule", $0) }),
      "certified systems with fewer digits than 15 − log₁₀ κ", .fixed(0))
    let all = findings.report(
      "systems", Double(table.rows.count), "certified systems solved", .fixed(0))
    let more = findings.report(
      "far-above-rule", Double(rows.count { value("digits", $0) > value("rule", $0) + 6 }),
      "certified systems with at least six digits more than 15 − log₁₀ κ", .fixed(0))
    func number(_ column: String, _ name: String, _ format: NumberFormat) -> ReportedNumber {
      table.number(column, where: ["matrix": name], format)
    }
    let chart = TrustFigures.condition(table)
    let alternative: Prose =
      #"""
      Scatter plot of digits against the condition number. Of \#(all) points \#(below) lie below the \#
      falling line; the Hilbert matrices follow it from \#(number("digits", "hilbert-3", .fixed(1))) to \#
      \#(number("digits", "hilbert-12", .fixed(1))) digits, the graded matrices stay at the top for condition \#
      numbers up to \#(number("condition", "graded-1e20-20", .significant(1))).
      """#
    document.claim("as a promise the rule holds here", holds: below.value == 0)
    document.heading("The condition number")
    document.paragraph(
      #"""
      The condition number $\kappa$ says how much the solution moves when the matrix moves: a relative change \#
      $\delta$ of $A$ changes $x$ by at most about $\kappa\,\delta$ (Higham, 2002, section \#(printed: "7.1")). A backward stable method changes $A$ \#
      by a few roundings, so about $\kappa \cdot 10^{-16}$ of $x$ is lost, and we predict
      """#)
    document.mathematics(#"\text{digits} \approx 15 - \log_{10} \kappa ."#)
    document.paragraph(
      #"""
      The 15 instead of 16 is a margin for the sum of roundings. The figure shows all \#(all) certified \#
      systems against this rule.
      """#)
    document.figure(
      Figure(
        "condition", chart.canvas(alternativeText: alternative.markdown),
        caption:
          #"""
          Digits of the solution in double precision against the condition number, and the rule. Solutions \#
          without any error are drawn at 16.
          """#,
        alternativeText: alternative, tables: ["digits"]))
    document.paragraph(
      #"""
      Of \#(all) points \#(below) lie below the line: as a promise the rule holds here. As a prediction it is often wrong, \#
      in one direction: \#(more) solutions have at least six digits more than it says. Two reasons are harmless. \#
      Some matrices have small integer entries, and Cholesky meets no rounding at all. And \#
      a bound speaks of the worst right-hand side. But the graded matrices, with $\kappa$ up to \#
      \#(number("condition", "graded-1e20-20", .significant(1))) and \#
      \#(number("digits", "graded-1e20-20", .fixed(1))) digits, need another reason.
      """#)
  }

  private static func scaling(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ measured: TrustMeasurement
  ) {
    let table = measured.digits
    func number(_ column: String, _ name: String, _ format: NumberFormat) -> ReportedNumber {
      table.number(column, where: ["matrix": name], format)
    }
    let chart = TrustFigures.scaled(table)
    let alternative: Prose =
      #"""
      Scatter plot of digits against the scaled condition number. The graded matrices have moved to the left end, at most \#
      \#(number("scaledCondition", "graded-1e20-20", .significant(2))), with about 15 digits; the Hilbert \#
      matrices stay, down to \#(number("digits", "hilbert-12", .fixed(1))) digits.
      """#
    document.heading("Which condition number?")
    document.paragraph(
      #"""
      A graded matrix has rows of very different size, as a layer's input factor has when one feature is counted \#
      in thousands and another in thousandths. Change the units: with the diagonal matrix \#
      $D = \mathrm{diag}(A)^{-1/2}$ the matrix $D A D$ has ones on its diagonal. Cholesky does not care about units: if \#
      the scales are powers of two, every rounding in it stays the same. So the condition number of \#
      $D A D$ decides (Higham, 2002, section \#(printed: "10.1")), and it is within a factor $n$ of the smallest that any diagonal scaling can reach.
      """#)
    document.figure(
      Figure(
        "scaled", chart.canvas(alternativeText: alternative.markdown),
        caption:
          #"""
          The positive definite matrices again, against the condition number after scaling to a unit \#
          diagonal.
          """#,
        alternativeText: alternative, tables: ["digits"]))
    document.paragraph(
      #"""
      The matrix graded-1e20-20 has $\kappa =$ \#(number("condition", "graded-1e20-20", .significant(2))) and a scaled condition \#
      number of \#(number("scaledCondition", "graded-1e20-20", .significant(2))). A Hilbert matrix is not badly \#
      scaled, it is nearly singular: hilbert-8 keeps \#
      \#(number("scaledCondition", "hilbert-8", .significant(2))) of its \#
      \#(number("condition", "hilbert-8", .significant(2))). So a large $\kappa$ is a warning, not a verdict.
      """#)
    document.caveat(
      #"""
      Not every routine forgives units. Eigenvalue routines that first reduce to tridiagonal form \#
      mix the rows, and a tiny eigenvalue of a graded matrix can lose all its digits; the table on LAPACK below has a row \#
      for this. EKFAC and damping by $\lambda I$ depend on units too.
      """#)
  }

  private static func damping(_ document: inout ChapterDocument, _ measured: TrustMeasurement) {
    let table = measured.damping
    func value(_ column: String, _ row: Int) -> ReportedNumber {
      table.number(column, row: row, column == "digits" ? .fixed(1) : .significant(1))
    }
    let solved = table.rows.indices.filter { table.rows[$0][2] != .empty }
    let (first, last) = (solved.first ?? 0, table.rows.count - 1)
    let chart = TrustFigures.damping(table)
    document.heading("Single precision, and what damping does for it")
    document.paragraph(
      #"""
      Graphics processors often compute in single precision, with $\varepsilon = 2^{-23}$: the rule becomes \#
      $7 - \log_{10}\kappa$. We take the input factor $A$ of the first layer, 785 × 785 from 256 images. It \#
      is singular: 256 images cannot fill 785 dimensions. With $\lambda I$ added, \#
      $\kappa = (\alpha_{\max} + \lambda)/\lambda$ with the largest eigenvalue $\alpha_{\max}$ of $A$. We solve with one \#
      image as right-hand side, once with every operation rounded to single precision and once in double.
      """#)
    document.paragraph(
      #"""
      A Cholesky factorization notices the worst case itself: a pivot, whose root is taken, is then not positive. In the suite:
      """#)
    document.source(
      SourceExcerpt("Sources/DenseAlgebra/CholeskyFactorization.swift", "cholesky-pivot"))
    document.figure(
      Figure(
        "damping", chart.canvas,
        caption:
          #"""
          Right digits of a single-precision solve with $A + \lambda I$, first layer, and the rule. Where no \#
          point is drawn the factorization stopped at a pivot that was not positive.
          """#,
        alternativeText:
          #"""
          Line chart on a logarithmic axis of damping. The measured digits rise from \#(value("digits", first)) at \#
          \#(value("lambda", first)) to \#(value("digits", last)) at \#(value("lambda", last)), above the rule \#
          and parallel to it.
          """#, tables: ["damping"]))
    document.paragraph(
      #"""
      Single precision gives \#(value("digits", last)) digits at $\lambda =$ \#(value("lambda", last)) and \#
      \#(value("digits", first)) at \#(value("lambda", first)), the smallest damping of the list for which \#
      the factorization did not stop. So damping is not only a matter of \#
      optimization ([chapter 06](06-damping.md)): it decides whether the arithmetic has anything left to say. A stopped \#
      factorization is the friendly case. A factor with two right digits gives no sign.
      """#)
  }
}
