import DataFiles
import DenseAlgebra
import Experiments

extension EKFACChapter {
  static func gauges(_ document: inout ChapterDocument, _ gauge: ResultTable) {
    func error(_ degrees: Double, _ column: String = "ekfac") -> ReportedNumber {
      gauge.number(column, row: Int((degrees / 2.5).rounded()), .percent(1))
    }
    document.heading("Which eigenvectors? Signs and repeated eigenvalues")
    document.paragraph(
      #"""
      Eigenvectors are not unique. If $q$ is one, so is $-q$, and two libraries often disagree about \#
      the sign. EKFAC does not notice: $S$ contains squares, and $Q\,\mathrm{diag}(\cdot)\,Q^\top$ \#
      contains each eigenvector twice. So compare $F_{\mathrm{EK}}$, never $Q$.
      """#)
    document.paragraph(
      #"""
      A repeated eigenvalue is different. Then every rotation inside its eigenspace gives eigenvectors, \#
      $A \otimes G$ is the same for all of them, and $F_{\mathrm{EK}}$ is not. The smallest example: \#
      two inputs, one output, no bias, four examples $\bar a = (\pm 1, \pm 1)$ with \#
      $g^2 = 1 + \rho$ where the signs agree and $1 - \rho$ where they do not. Then $A$ is the \#
      identity, $G = 1$, and
      """#)
    document.mathematics(
      #"F = \mathbb{E}[g^2\, \bar a \bar a^\top] = \begin{pmatrix} 1 & \rho \\ \rho & 1 \end{pmatrix}, \qquad \frac{\lVert F_{\mathrm{EK}} - F \rVert}{\lVert F \rVert} = \frac{\rho \lvert \cos 2\varphi \rvert}{\sqrt{1 + \rho^2}}"#
    )
    document.paragraph(
      #"""
      for a basis that is turned by the angle $\varphi$ against the axes. Every $\varphi$ is a correct \#
      eigendecomposition of $A$.
      """#)
    document.predict(
      Prediction(
        #"""
        With $\rho =$ \#(given: EKFACToy.correlation), two correct libraries return eigenvectors of \#
        the same $A = I$ with different $\varphi$. What do you expect of EKFAC's error?
        """#,
        options: [
          "It is the same for both: the matrix A is the same.",
          "It differs, from no error at all up to KFAC's error.",
          "It differs, and for an unlucky angle it exceeds KFAC's error.",
        ],
        answer:
          #"""
          B. It runs from \#(error(45)) at 45 degrees, where the basis is that of $F$ itself, to \#
          \#(error(0)) along the axes, which is KFAC's error. The theorem forbids more.
          """#))
    let degrees = gauge.rows.indices.map { gauge.number("degrees", row: $0).value }
    let chart = LineChart(
      title: "The same A, G and data: EKFAC's error depends on the basis that is returned",
      subtitle: "two inputs, one output, A = I, ρ = \(EKFACToy.correlation)",
      x: ChartAxis("angle of the eigenvectors, degrees", limits: 0...90),
      y: ChartAxis("relative Frobenius error (no unit)"),
      series: [
        LineSeries(
          name: "EKFAC", x: degrees,
          y: gauge.rows.indices.map { gauge.number("ekfac", row: $0).value }),
        LineSeries(
          name: "KFAC", x: degrees,
          y: gauge.rows.indices.map { gauge.number("kfac", row: $0).value }),
      ])
    document.figure(
      Figure(
        "gauge", chart.canvas,
        caption: "EKFAC's error in every eigenbasis of a matrix with a repeated eigenvalue.",
        alternativeText:
          #"""
          Line chart over the angle from 0 to 90 degrees. KFAC is a level line at \#(error(0, "kfac")). EKFAC \#
          starts on it, falls to \#(error(45)) at 45 degrees and rises back to it at 90 degrees.
          """#, tables: ["gauge"]))
    document.paragraph(
      #"""
      When does this matter? Units that are always zero give $A$ a repeated eigenvalue 0, but then \#
      every $S_{ij}$ of that eigenspace is 0 as well, in every basis. Where $F = A \otimes G$ exactly, \#
      as for a last layer with zero weights, all bases are right (P-87). Nearly equal \#
      eigenvalues are the practical case: a change of rounding turns their eigenvectors by large \#
      angles, and two correct programs differ.
      """#)
  }

  static func ageing(_ document: inout ChapterDocument, _ measured: EKFACMeasurement) {
    let table = measured.stale
    let last = table.rows.count - 1
    func error(_ column: String, _ row: Int) -> ReportedNumber {
      table.number(column, row: row, .percent(1))
    }
    let names = [
      ("kfacOld", "KFAC, old factors"), ("ekfacOld", "EKFAC, old basis, old moments"),
      ("ekfacRenewed", "EKFAC, old basis, new moments"),
      ("ekfacNew", "EKFAC, new basis, new moments"),
    ]
    let steps = table.rows.indices.map { table.number("steps", row: $0).value }
    let chart = LineChart(
      title: "A basis that grows old, with moments that are renewed or not",
      subtitle: "layer \(EKFACMeasurement.layer), one fixed batch, parameters move",
      x: ChartAxis("training steps since the basis was made"),
      y: ChartAxis("relative Frobenius error (no unit)"),
      series: names.map { column, name in
        LineSeries(
          name: name, x: steps,
          y: table.rows.indices.map { table.number(column, row: $0).value })
      })
    let (old, renewed, new) = (
      error("ekfacOld", last).value, error("ekfacRenewed", last).value,
      error("ekfacNew", last).value
    )
    document.claim(
      "most of what is lost with age is lost by the directions",
      holds: old >= renewed && old - renewed < renewed - new)
    document.heading("A basis that grows old")
    document.paragraph(
      #"""
      Eigenvectors are expensive and second moments are cheap. So EKFAC keeps a basis for many steps \#
      and renews only $S$. The theorem holds for any orthogonal $Q$, an old one too (P-83): with \#
      moments of today the squared error is always $\lVert F \rVert^2 - \lVert S \rVert^2$.
      """#)
    document.figure(
      Figure(
        "stale", chart.canvas,
        caption:
          #"""
          Error against the exact block of today, for parts made \#(given: 0) to \#
          \#(table.number("steps", row: last)) steps ago.
          """#,
        alternativeText:
          #"""
          Line chart over the age of the basis. At \#(table.number("steps", row: last)) steps the old KFAC factors are \#
          at \#(error("kfacOld", last)), EKFAC with old moments at \#(error("ekfacOld", last)), with renewed \#
          moments in the old basis at \#(error("ekfacRenewed", last)), with everything new at \#
          \#(error("ekfacNew", last)).
          """#, tables: ["stale"]))
    document.paragraph(
      #"""
      After \#(table.number("steps", row: last)) steps the old factors of KFAC are at \#
      \#(error("kfacOld", last)), and EKFAC with old basis and old moments at \#(error("ekfacOld", last)). \#
      Renewed moments in the old basis give \#(error("ekfacRenewed", last)); a new basis as well gives \#
      \#(error("ekfacNew", last)). KFAC with factors of today is at \#
      \#(error("kfacNew", last)). By the theorem, renewed moments are never worse than the old moments or \#
      the old KFAC, whose eigenvectors are the same. But on this network most of what is lost with age is lost \#
      by the directions, and only a new eigendecomposition brings it back.
      """#)
  }

  static func cost(_ document: inout ChapterDocument, _ costs: ResultTable) {
    let first = EKFACToy.shapes[0].name
    let large = EKFACToy.shapes[3].name
    func ratio(_ shape: String, _ interval: Int) -> ReportedNumber {
      costs.number("ratio", where: ["shape": shape, "interval": "\(interval)"], .significant(2))
    }
    let chart = LineChart(
      title: "Operations of EKFAC over KFAC, per step",
      subtitle:
        "curvature work by formula, \(EKFACToy.countedBatch) examples, one vector per example",
      x: ChartAxis("steps between two refreshes", .logarithmic),
      y: ChartAxis("operations of EKFAC / KFAC (no unit)", .logarithmic),
      series: EKFACToy.shapes.map { shape in
        LineSeries(
          name: shape.name, x: EKFACToy.intervals.map(Double.init),
          y: EKFACToy.intervals.map { ratio(shape.name, $0).value })
      }, references: [ReferenceLine(2, name: "2: rotations against triangular solves")])
    document.heading("What it costs")
    document.paragraph(
      #"""
      The THOR paper (AAAI 2021, Results on CIFAR-10) writes of EKFAC: \#
      "\#(printed: "its inversion is based on eigendecomposition, while THOR and KFAC are based on Cholesky factorization which is faster than eigendecomposition")". \#
      It also prints that THOR_stop is \#(printed: "3809s") faster than EKFAC to \#
      \#(printed: "93%") test accuracy. That time needs the paper's machine and settings and is \#
      not recomputed here. Operations can be counted.
      """#)
    document.paragraph(
      #"""
      For an $n \times n$ factor a Cholesky factorization takes about $n^3/3$ operations, with the \#
      explicit inverse $n^3$, and a symmetric eigendecomposition with vectors about $9n^3$ (Golub and Van Loan, \#
      4th edition, sections \#(printed: "4.2") and \#(printed: "8.3")): 27 times the Cholesky factor, 9 times factor and \#
      inverse. So by operations the remark is right. It is about the refresh. In every step, \#
      KFAC solves four triangular systems with the gradient and EKFAC rotates it into the basis and back, \#
      which is twice as much. How the two mix depends on the interval between refreshes:
      """#)
    document.figure(
      Figure(
        "cost", chart.canvas,
        caption:
          #"""
          Mean operations per step of EKFAC over those of KFAC, when factors, inverses, bases and moments are \#
          refreshed every so many steps. The pass through the network is not counted.
          """#,
        alternativeText:
          #"""
          Line chart on logarithmic axes, four layer shapes. The ratio falls from \#(ratio(large, 1)) at a \#
          refresh in every step for the largest layer to \#(ratio(large, 1000)) at a thousand steps, near the \#
          level line at 2.
          """#, tables: ["costs"]))
    document.table(
      DocumentTable(
        costs,
        caption:
          #"Operations by formula; the last two columns for a refresh every \#(given: 20) steps."#,
        columns: [
          .init("shape", "layer"), .init("cholesky", "Cholesky, refresh"),
          .init("eigen", "eigenvectors, refresh"), .init("moments", "moments, refresh"),
          .init("solve", "KFAC solves, step"), .init("rotations", "EKFAC rotations, step"),
          .init("ratio", "EKFAC / KFAC", .significant(2)),
        ],
        rows: costs.rows.indices.filter { costs.rows[$0][1] == .integer(20) }))
    document.paragraph(
      #"""
      For the 3 × 3 convolution the ratio is \#(ratio(large, 1)) when everything is refreshed in every \#
      step and \#(ratio(large, 20)) at \#(given: 20) steps; for the small layers here it goes from \#
      \#(ratio(first, 1)) to \#(ratio(first, 20)). Counts are no times: an eigendecomposition uses a \#
      processor less well than a matrix product. The reproduction item `ekfac-cost` has both.
      """#)
  }
}
