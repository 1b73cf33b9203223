import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Chapter 08: natural-gradient steps by conjugate gradients, and what the CG-FAC note says of them.
enum CGFACChapter {
  static let chapter = Chapter(
    8, "cg-fac", title: "CG-FAC: solving without forming",
    goal: "Solve for a damped step with products alone, know which of two operators you have, and "
      + "predict how many steps it takes.",
    minutes: 60, prerequisites: [5, 6],
    seedItem: "CG-FAC note, Equations 9 and 10, Algorithm 2 and its 10-20 steps"
  ) { context in
    var document = ChapterDocument(
      ConventionCard([
        "Layer":
          #"inputs $X$ ($d_A \times N$, last row 1), gradients $Y$ ($d_G \times N$ for each of $K$ back-propagated vectors)"#,
        "Right side": #"$V$, the gradient of the batch's mean loss, as a $d_G \times d_A$ matrix"#,
        "Stopping": #"$\lVert r \rVert \le \tau \lVert V \rVert$, where $r$ is the residual"#,
      ]),
      setup: """
        layer3 = np.load(DATA / "08-layer3.npz")
        X, Y = layer3["inputs"], layer3["gradients"]
        V = Y @ X.T / X.shape[1]
        warm = pd.read_csv(DATA / "08-warm.csv")
        """)
    var findings = Findings()
    let measured = try CGFACMeasurement(context)
    twoOperators(measured, &document, &findings)
    howManySteps(measured, &document, &findings)
    try stoppedEarly(measured, &document, &findings)
    warmStarts(measured, &document, &findings)
    operations(&document, &findings)
    exercises(&document)
    let problem = measured.empirical[0][CGFACMeasurement.followedLayer]
    document.data(
      "layer3",
      [
        ("inputs", NumericArray(problem.samples.inputs)),
        ("gradients", NumericArray(problem.samples.gradients[0])),
      ])
    document.data(findings.table)
    return document
  }

  // MARK: The operators

  private static func twoOperators(
    _ measured: CGFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) {
    let table = measured.readingTable()
    document.data(table)
    func layer3(_ column: String, _ format: NumberFormat) -> ReportedNumber {
      table.number(column, where: ["seed": "1", "layer": "3"], format)
    }
    let differences = table.rows.indices.map { table.number("difference", row: $0).value }
    let meaning = "difference of the two products with the gradient, over seeds and layers"
    let least = findings.report(
      "least difference", differences.min() ?? 0, "least " + meaning, .percent(0))
    let greatest = findings.report(
      "greatest difference", differences.max() ?? 0, "greatest " + meaning, .percent(0))
    document.claim(
      "KFAC's product differs from the exact block's by a third or more",
      holds: layer3("difference", .percent(0)).value > 1.0 / 3)
    document.heading("The question")
    document.paragraph(
      #"""
      KFAC forms two factors, factorises them and solves ([chapter 05](05-kfac.md)). The CG-FAC \#
      note (\#(printed: "arXiv 2101.00218")) proposes to form nothing: the method of conjugate \#
      gradients needs only products of the matrix with a vector. The note says that this is \#
      matrix-free, that with the last step as a first guess it \#
      "\#(printed: "only needs 10-20 internal steps")", and that it takes much less work. The \#
      note reports no experiment. Here are some, on 784-20-20-20-10 with tanh, Fashion-MNIST, \#
      batches of \#(given: 128), after ten iterations of KFAC.
      """#)
    document.heading("One system, two operators")
    document.paragraph(
      #"""
      For one layer with gradient $V$ the damped step $U$ solves a linear system with the block \#
      of the Fisher matrix and the damping $\lambda$ ([chapter 06](06-damping.md)). Conjugate \#
      gradients ask for one function, FV: it takes a matrix $V$ and returns the system matrix \#
      times $V$. Let $X$ hold the layer inputs of the $N$ examples in its columns, and $Y$ the \#
      back-propagated gradients; think of one for each example first ($K = 1$). One small matrix \#
      decides everything:
      """#)
    document.mathematics(#"M = Y^\top V X , \qquad M_{mn} = g_m^\top V \, \bar a_n ."#)
    document.paragraph(
      #"""
      Its rows and columns are examples. Put the factors $A = \frac1N X X^\top$ and $G = \frac1N \#
      Y Y^\top$ into KFAC's product $G V A$, and write the exact block's product, here $F_\ell \#
      \cdot V$, from its definition:
      """#)
    document.mathematics(
      #"""
      \begin{aligned}
      G V A &= \frac{1}{N^2} \, Y M X^\top && \text{(cg-kfac)} \\
      F_\ell \cdot V = \frac1N \sum_n g_n (g_n^\top V \bar a_n) \bar a_n^\top &= \frac{1}{N} \, Y \, \mathrm{diag}(M) \, X^\top && \text{(cg-exact-block)}
      \end{aligned}
      """#)
    document.predict(
      Prediction(
        #"""
        Both are one line of code and look alike. KFAC pairs every gradient with every input; the \#
        exact block pairs each example with itself. For layer 3 of our network and $V$ its \#
        gradient, how far is KFAC's product from the exact one, $\lVert G V A - F_\ell \cdot \#
        V\rVert / \lVert F_\ell \cdot V \rVert$?
        """#,
        options: [
          "below a hundredth: averages over many examples are close",
          "about a tenth",
          "a third or more",
        ],
        answer: #"""
          C. It is \#(layer3("difference", .percent(0))) (seed 1, exact Fisher, $N = 128$), and \#
          from \#(least) to \#(greatest) over three layers and five seeds. The entries that the \#
          exact block keeps are \#(layer3("entries", .percent(2))) of all entries of $M$, and \#
          hold \#(layer3("kept", .percent(1))) of its squared norm.
          """#))
    document.figure(
      Figure(
        "pairs", measured.pairFigure(),
        caption: #"""
          $M$ for 32 examples of the batch. KFAC keeps all pairs, the exact block the diagonal. \#
          With $K$ vectors for each example, $M$ has $K$ such squares below each other, and the \#
          exact block keeps the diagonal of each.
          """#,
        alternativeText: #"""
          Two heat maps of 32 by 32 entries, rows and columns are examples. The left one is \#
          filled with positive and negative entries in stripes. The right one is the same \#
          diagonal and zero elsewhere. In the whole batch, with the exact Fisher, the diagonal \#
          holds \#(layer3("kept", .percent(1))) of the squared norm.
          """#,
        tables: ["readings"]))
    document.paragraph(
      #"""
      So the whole Kronecker approximation is one decision: keep the pairs of different examples, \#
      or not. The scale differs too, $1/N^2$ against $1/N$, because KFAC averages over all $N^2$ \#
      pairs. Both operators were compared with the formed matrices, and agree to round-off \#
      (P-100).
      """#)
    document.source(
      SourceExcerpt("Sources/Curvature/FisherOperator.swift", "implicit-kronecker-apply"))
    document.source(SourceExcerpt("Sources/Curvature/FisherOperator.swift", "exact-block-apply"))
    document.caveat(
      #"""
      The formulas of the note are missing in the copy used here. We read FV from the sentences \#
      and from the author's public code (DeepFormer, February 2021), where the product with all \#
      of $M$ stands as a comment beside formed factors. The title and the abstract speak of \#
      Kronecker factors, which is cg-kfac; the note's own equation is for a single example, where \#
      both are the same. So we name both and run both.
      """#)
  }

  // MARK: Steps

  private static func howManySteps(
    _ measured: CGFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) {
    let residuals = measured.residualTable()
    let steps = measured.stepTable()
    document.data(residuals)
    document.data(steps)
    func median(_ layerOperator: String, _ lambda: String) -> ReportedNumber {
      steps.number(
        "median", where: ["operator": layerOperator, "fisher": "exact", "lambda": lambda],
        .significant(3))
    }
    let empirical = steps.number(
      "median",
      where: ["operator": "cg-exact-block", "fisher": "empirical", "lambda": "0.001"],
      .significant(3))
    document.claim(
      "10-20 steps is true at 0.01, more than needed at 0.1 and not enough at 0.001",
      holds: (10...20).contains(median("cg-kfac", "0.01").value)
        && median("cg-kfac", "0.1").value < 10 && median("cg-kfac", "0.001").value > 20
        && empirical.value <= 20)
    document.heading("How many steps?")
    document.paragraph(
      #"""
      In exact arithmetic conjugate gradients end after as many steps as the matrix has distinct \#
      eigenvalues (P-105). Long before that, the error, in the norm of the system matrix, falls \#
      at least like $2\left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^k$ after $k$ steps \#
      (P-107), with the condition number $\kappa = \frac{\mu_{\max} + \lambda}{\mu_{\min} + \#
      \lambda}$ for the largest and smallest eigenvalue $\mu$ of the undamped block. The smallest \#
      is close to zero here, so $\kappa \approx \mu_{\max}/\lambda$: the damping sets the number \#
      of steps.
      """#)
    document.figure(
      Figure(
        "residuals", CGFACMeasurement.residualFigure(residuals),
        caption: #"""
          Residual against step for five strengths of damping, both operators, logarithmic axis.
          """#,
        alternativeText: #"""
          Two panels with five falling curves each, one for each damping. At the strongest \#
          damping the tolerance is crossed after a few steps. The weaker the damping, the flatter \#
          the curve, and the more it goes up and down; at the weakest the median over layers and \#
          seeds is \#(median("cg-kfac", "0.0001")) steps for cg-kfac.
          """#,
        tables: ["residuals"]))
    document.table(
      DocumentTable(
        steps,
        caption: #"""
          Steps from zero until $\lVert r \rVert$ is below \#(given: CGFACMeasurement.tolerance) \#
          times $\lVert V \rVert$; exact Fisher, layers 2 to 4, five seeds. The last two columns: \#
          the rule of the author's code, at most ten steps or a tenth of the first residual, and \#
          the cosine of its result with the exact solution.
          """#,
        columns: [
          .init("operator", "operator"), .init("lambda", "damping", .significant(1)),
          .init("median", "median steps"), .init("least", "fewest"), .init("most", "most"),
          .init("within", "at most 20 steps", .percent(0)),
          .init("authorSteps", "author's rule: steps"),
          .init("authorCosine", "author's rule: cosine", .fixed(3)),
        ],
        rows: steps.rows.indices.filter { steps.rows[$0][1] == .text("exact") }))
    document.paragraph(
      #"""
      A tenth of the damping costs about twice the steps. "10-20 steps" is true at a damping of \#
      one hundredth, more than needed at one tenth and not enough at one thousandth. It is a \#
      statement about $\lambda$, which the note does not give. One case is kinder: cg-exact-block \#
      with the *empirical* Fisher needs \#(empirical) steps at one thousandth. Its block has rank \#
      at most $N$, and the gradient lies in its range; but these two facts alone would allow $N$ \#
      steps. The residual need not fall at every step \#
      (P-109); what falls is the error in the norm of the system matrix (P-108).
      """#)
  }

  private static func stoppedEarly(
    _ measured: CGFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) throws {
    let table = try measured.earlyTable()
    document.data(table)
    document.heading("Stopped too early")
    document.paragraph(
      #"""
      A program with a cap of ten steps returns something at every $\lambda$. The residual tells \#
      how wrong the equation is, not how wrong the step is:
      """#)
    document.table(
      DocumentTable(
        table,
        caption: #"""
          Layer 3 solved with a fixed number of steps: residual, relative error of the step, and \#
          cosine with the exact solution $x^*$ of the same system.
          """#,
        columns: [
          .init("operator", "operator"), .init("lambda", "damping", .significant(1)),
          .init("steps", "steps"), .init("residual", "residual", .significant(2)),
          .init("error", "error of the step", .significant(2)),
          .init("cosine", "cosine", .fixed(3)),
        ],
        rows: table.rows.indices.filter { table.rows[$0][2] != .integer(2) }))
    let ten = table.number(
      "error", where: ["operator": "cg-kfac", "lambda": "0.001", "steps": "10"], .percent(0))
    let cosine = table.number(
      "cosine", where: ["operator": "cg-kfac", "lambda": "0.001", "steps": "10"], .fixed(2))
    document.paragraph(
      #"""
      After ten steps at $\lambda = 10^{-3}$ the step of cg-kfac is off by \#(ten), with cosine \#
      \#(cosine). Conjugate gradients from zero find the directions with large eigenvalues first. \#
      So stopping early leaves the step shorter along flat directions, which acts like more \#
      damping. That can be welcome; but then the cap is a hidden hyper-parameter, and two \#
      programs with the same $\lambda$ take different steps.
      """#)
  }
}
