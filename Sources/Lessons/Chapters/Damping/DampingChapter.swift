import Curvature
import Experiments

/// Chapter 06: one λ, and the three matrices that it can mean.
enum DampingChapter {
  static let chapter = Chapter(
    6, "damping", title: "Damping",
    goal: "Say which matrix a damping λ makes, and what it leaves of the curvature.",
    minutes: 65, prerequisites: [2, 5],
    seedItem: "THOR Equations 6, 13 and 16, Table 3; the argument damping of nn.thor"
  ) { context in
    let report = DampingReport(try DampingStudy(context))
    var document = ChapterDocument(
      ConventionCard([
        "Network":
          #"""
        784-20-20-20-10 with ReLU, ten steps of KFAC with $\lambda = 0.3$ on each factor; a \#
        batch of \#(given: DampingStudy.batch) images; layers 2 to 4, each with its own factors
        """#,
        "Damping": "named in each place, as that is the subject",
      ]),
      setup: DampingCells.setup)
    question(&document, report)
    laboratory(&document, report)
    vanishing(&document, report)
    best(&document, report)
    schedules(&document, report)
    exercises(&document, report)
    for table in report.tables { document.data(table) }
    document.data("factors", report.arrays)
    return document
  }

  // MARK: - One letter, three matrices

  private static func question(_ document: inout ChapterDocument, _ report: DampingReport) {
    document.heading("One letter, three matrices")
    document.paragraph(
      #"""
      A natural-gradient step solves $F u = \nabla h$, where $h$ is the loss and $F$ the Fisher \#
      matrix of [chapter 02](02-three-fishers.md). On a batch, $F$ is singular or nearly so, and \#
      its inverse multiplies the noise of the gradient by huge numbers. So something is added to \#
      $F$ before it is inverted. This is the damping, and its strength is called $\lambda$ \#
      everywhere. But the same letter stands for different matrices.
      """#
    )
    document.paragraph(
      #"""
      To recall [chapter 05](05-kfac.md): KFAC replaces the block of one layer by a Kronecker \#
      product $A \otimes G$. $A$ is the mean of $a a^\top$ over the layer's inputs $a$ (with a \#
      one for the bias), and $G$ the mean of $g g^\top$ over the back-propagated vectors $g$. The \#
      product need not be formed: $(A \otimes G) \, \mathrm{vec}(V) = \mathrm{vec}(G V A)$ for a \#
      gradient matrix $V$, and the inverse is $A^{-1} \otimes G^{-1}$. The eigenvalues of $A \#
      \otimes G$ are the products $\alpha \gamma$ of an eigenvalue $\alpha$ of $A$ and $\gamma$ \#
      of $G$, and its eigenvectors the Kronecker products of theirs. Three ways to damp it:
      """#
    )
    document.list([
      #"""
      **exact damping**: $A \otimes G + \lambda I$. It is what adding $\lambda$ to $F$ means, but \#
      it is no Kronecker product, and its inverse needs the eigenvectors of $A$ and $G$;
      """#,
      #"""
      **factored damping** (Martens and Grosse 2015): $(A + \pi \sqrt{\lambda} I) \otimes (G + \#
      \frac{1}{\pi} \sqrt{\lambda} I)$, where $\pi^2$ is the mean eigenvalue of $A$ over that of \#
      $G$. With $\pi = 1$ it is what MindSpore's source computes, as we read it;
      """#,
      #"""
      **THOR's Equation 6**: $(A + \lambda I) \otimes (G + \lambda I)$, the same $\lambda$ on \#
      each factor, without a root.
      """#,
    ])
    document.paragraph(
      #"""
      The THOR paper says that KFAC \#
      "\#(printed: "uses a damping technique in [Martens and Grosse 2015] by adding λI to the Kronecker factors")" \#
      (before Equation 6). The cited paper adds $\pi \sqrt{\lambda}$ and $\sqrt{\lambda}/\pi$. \#
      The documentation of `nn.thor` has the formula of Equation 6 for its argument `damping`. \#
      Multiply out, and the difference is plain:
      """#
    )
    document.mathematics(
      #"""
      (A + \lambda I) \otimes (G + \lambda I) = A \otimes G + \lambda \, (A \otimes I + I \otimes \#
      G) + \lambda^2 I
      """#
    )
    document.paragraph(
      #"""
      (P-66 of the suite's list of tested properties). The multiple of the identity is \#
      $\lambda^2$, not $\lambda$, and two cross terms appear that exact damping does not have. In \#
      each, one of the factors is missing.
      """#
    )
    document.predict(
      Prediction(
        #"""
        The paper starts with $\lambda = 0.3$ (Equation 13). Split the trace of $(A + \lambda I) \#
        \otimes (G + \lambda I)$ into its three terms. What share has $A \otimes G$, the \#
        curvature itself? As $\mathrm{tr}(X \otimes Y) = \mathrm{tr} X \, \mathrm{tr} Y$, guess \#
        the mean eigenvalues of $A$ and of $G$ first, and hold them against $\lambda$.
        """#,
        options: [
          "Most of it: damping is a small correction.",
          "About a third: the three terms are alike.",
          "About a twentieth.",
        ],
        answer:
          #"""
          **C.** $A \otimes G$ has \#(report.productShare) of the trace of layers 2 to 4. The \#
          reason is in the figure below: of the \#(report.countG) eigenvalues of the three \#
          factors $G$ only \#(report.aboveG) is larger than this $\lambda$, and of the \#
          \#(report.countA) of the factors $A$ only \#(report.aboveA). To the matrix $G + \lambda \#
          I$ the factor $G$ is the correction.
          """#
      ))
    document.figure(report.spectra)
  }

  // MARK: - The laboratory

  private static func laboratory(_ document: inout ChapterDocument, _ report: DampingReport) {
    document.heading("The damping laboratory")
    document.paragraph(
      #"""
      All rules use the same $A$ and $G$, so they have the same eigenvectors, and everything can \#
      be compared exactly. In the direction of $\alpha$ and $\gamma$, exact damping divides the \#
      gradient by $\alpha \gamma + \lambda$; the factored rules divide it by $(\alpha + \#
      \delta_A)(\gamma + \delta_G)$, where $\delta_A$ and $\delta_G$ are what they add to each \#
      factor:
      """#
    )
    document.source(SourceExcerpt("Sources/Curvature/DampingRule.swift", "damping-shifts"))
    document.figure(report.laboratory)
    let small = report.number(.factor, "inverse_error", near: 1e-4, .significant(2))
    let large = report.number(.factor, "length_ratio", near: 10, .significant(2))
    let piSmall = report.number(.pi, "inverse_error", near: 1e-4, .percent(0))
    document.paragraph(
      #"""
      The first panel has a sharp dip at $\lambda = 1$. The inverses are dominated by the \#
      directions in which $\alpha$ and $\gamma$ are near zero. There exact damping divides by \#
      $\lambda$ and THOR's rule by $\lambda^2$, and the two are equal at one. Below one THOR's \#
      rule damps too little: at $\lambda = 10^{-4}$ the distance of its inverse is \#(small) \#
      times the norm of the right one, while the $\pi$ rule is \#(piSmall) away. Above one it \#
      damps too much: at $\lambda = 10$ its step has \#(large) of the exact length, and it goes \#
      on falling like $1/\lambda$ (property P-67 is the limit). In the last panel the reference \#
      is the exact Fisher block instead of $A \otimes G$. The picture hardly changes: for this \#
      network the choice of the rule costs more than KFAC's approximation itself.
      """#
    )
    document.paragraph(
      #"""
      A length can be repaired by the learning rate; a direction cannot. The angle between THOR's \#
      step and the exactly damped one is largest near $\lambda$ = \#(report.worstLambda), with \#
      \#(report.worstAngle) degrees. With more damping it goes to zero, as both steps become the \#
      gradient. With less damping it falls too, as both become the undamped step, but what the \#
      figure shows of that is only the beginning.
      """#
    )
    document.paragraph(
      #"""
      What does an angle cost? With $M = A \otimes G + \lambda I$ and $v = \mathrm{vec}(V)$, the \#
      exactly damped model says that a step $-s$ changes the loss by $-v^\top s + \frac{1}{2} \#
      s^\top M s$. The best step is $M^{-1} v$, with the decrease $\frac{1}{2} v^\top M^{-1} v$. \#
      Another step $u$, scaled to its own best length, reaches of that the share
      """#
    )
    document.mathematics(
      #"\eta = \frac{(v^\top u)^2}{(u^\top M u) \, (v^\top M^{-1} v)} ."#)
    document.paragraph(
      #"""
      Where the angle is largest, THOR's step keeps \#(report.worstEfficiency).
      """#
    )
    document.tryIt(
      #"""
      Compute the steps, and check that the rule that adds a root to each factor, given \#
      $\lambda^2$, is THOR's rule given $\lambda$: one family under two names.
      """#,
      code: DampingCells.square)
    document.caveat(
      #"""
      So "which rule is best at $\lambda = 0.01$" is not a good question: equal letters are not \#
      equal damping. Compare rules at the best $\lambda$ of each, as a later section does.
      """#
    )
  }

  // MARK: - What Equation 6 leaves

  private static func vanishing(_ document: inout ChapterDocument, _ report: DampingReport) {
    document.heading("What is left of G")
    document.table(report.printedTable)
    document.paragraph(
      #"""
      The last column compares Equation 6 with the same rule without $G$: $(A + \lambda I) \#
      \otimes \lambda I$, which looks at the inputs of a layer only. At $\lambda = 0.3$ the angle \#
      between these two is \#(report.angleWithoutG) degrees, and the angle between Equation 6 and \#
      exact damping is \#(report.angleAtPrinted). In this network, at the paper's first \#
      $\lambda$, Equation 6 is nearer to a method that knows nothing of $G$ than to damped KFAC. \#
      As Equation 13 lowers $\lambda$, the factor $G$ comes in: at the last row it turns the step \#
      by \#(report.lastAngleWithoutG) degrees. But the step does not come nearer to exact damping \#
      meanwhile; read the two columns of angles side by side.
      """#
    )
    document.paragraph(
      #"""
      This depends on scale, and another network has other scales. If the outputs are more \#
      certain, $G$ is smaller still. If outer products are summed over the batch and not \#
      averaged, $G$ is larger by the batch size. The product cannot tell: $cA$ and $G/c$ have the \#
      same one. Exact damping and the $\pi$ rule do not change with $c$; Equation 6 and the root \#
      rule do (property P-65, tested). That is the reason for $\pi$.
      """#
    )
    document.tryIt(
      #"The expansion, term by term, for the last layer."#, code: DampingCells.expansion)
  }

  // MARK: - Each at its best

  private static func best(_ document: inout ChapterDocument, _ report: DampingReport) {
    document.heading("Each rule at its best λ")
    document.paragraph(
      #"""
      Which rule is nearest to the real thing? Take the exact Fisher blocks of the layers, not \#
      Kronecker products, with a fixed damping of \#(given: DampingStudy.fixedLambda), and let \#
      each rule choose its own $\lambda$ for the same factors. The measure is $\eta$ of above, \#
      now with the exact blocks and that fixed damping as $M$; one is perfect.
      """#
    )
    document.table(report.bestTable)
    let factor = report.bestNumber(.factor, "eta", .percent(1))
    let exact = report.bestNumber(.exact, "eta", .percent(1))
    let pi = report.bestNumber(.pi, "eta", .percent(1))
    let same = report.bestNumber(.factor, "eta_same", .percent(1))
    document.paragraph(
      #"""
      At the same letter Equation 6 keeps \#(same), about half of the others. At its own best \#
      $\lambda$ it keeps \#(factor), the same as the root rule, as it must: the best $\lambda$ of \#
      the one is the square of the other's. The $\pi$ rule reaches \#(pi), exact damping \#
      \#(exact). Most of the difference between the rules was one of units. The five-seed version \#
      of this table is the item `damping-laboratory` of `natgrad reproduce`. It also asks the \#
      loss itself, after \#(given: 0), \#(given: 10) and \#(given: 50) iterations. By $\eta$ \#
      exact damping leads in all three; by the decrease of the loss on the batch it is behind the \#
      other rules in two of them.
      """#
    )
    document.caveat(
      #"""
      A step that is near to the exact one in a quadratic model is not yet a better optimizer. \#
      The loss is not quadratic, and a run has thousands of steps.
      """#
    )
  }

  // MARK: - Schedules

  private static func schedules(_ document: inout ChapterDocument, _ report: DampingReport) {
    document.heading("The schedules of Equations 13 and 16")
    document.mathematics(
      #"""
      \lambda^{(e)} = 0.3 \times 10^{-\lfloor e/30 \rfloor} \quad (13), \qquad \lambda^{(e)} = \#
      \lambda_0 \, \rho^{e/10} \quad (16)
      """#
    )
    document.figure(report.scheduleFigure)
    let names = DampingReport.presets.map(\.name)
    let (small, large) = (
      report.schedule(names[1], 70), report.schedule(names[2], 55)
    )
    document.paragraph(
      #"""
      The paper lowers $\lambda$ over the epochs $e$; Table 3 gives $\lambda_0$ and $\rho$. With \#
      batch 256 the end value is \#(small), with batch 4096 it is \#(large). In the words of this \#
      chapter: a schedule of $\lambda$ in Equation 6 is also a schedule of how much $G$ takes \#
      part, and for small $\lambda$ of how much the directions are stretched where $\alpha$ and \#
      $\gamma$ are near zero, as $\lambda^2$ falls twice as fast as $\lambda$. Under the root \#
      rule the same schedule would fall half as fast on each factor. Whoever copies a schedule \#
      has to copy the rule with it.
      """#
    )
  }
}
