import DataFiles
import DenseAlgebra
import Experiments

/// Chapter 01: the length of a step in parameters and in distributions, and what follows from each.
enum TwoRulersChapter {
  static let chapter = Chapter(
    1, "two-rulers", title: "Two rulers: how long is a step?",
    goal: "Measure a step in parameters and in distributions, derive the natural gradient from the "
      + "second, and say what it is invariant to.",
    minutes: 45, prerequisites: [],
    seedItem: "MindSpore's introduction to THOR: Figure 2 (descent paths) and its formula of F"
  ) { context in
    var document = ChapterDocument(
      ConventionCard([
        "Divergence": #"$\mathrm{KL}(p, q)$ from the old distribution $p$ to the new $q$"#,
        "Step": #"$\delta$ is added to the parameters $\theta$"#,
      ]),
      setup: """
        paths = pd.read_csv(DATA / "01-paths.csv")
        layers = pd.read_csv(DATA / "01-layers.csv")
        """)
    var findings = Findings()
    balls(&document, &findings)
    try realNetwork(context, &document, &findings)
    try paths(&document)
    try invariance(&document)
    exercises(&document)
    document.data(findings.table)
    return document
  }

  // MARK: The rulers

  private static func balls(_ document: inout ChapterDocument, _ findings: inout Findings) {
    let table = TwoRulersMeasurement.rulerTable()
    let quadratic = TwoRulersMeasurement.quadraticTable()
    document.data(table)
    document.data(quadratic)
    let narrow = table.number("mean", where: ["deviation": "0.25"])
    let wide = table.number("mean", where: ["deviation": "2.0"])
    let ratio = findings.report(
      "ratio of divergences", narrow.value / wide.value,
      "KL of the same step in μ at σ = 0.25 over that at σ = 2")
    document.heading("The question")
    document.paragraph(
      #"""
      Training moves parameters $\theta$ by small steps $\delta$. A learning rate limits their \#
      length, and length usually means the Euclidean length $\lVert\delta\rVert$. But nobody \#
      looks at the parameters. What we use is the distribution $p_\theta$ that the model \#
      predicts. How long is a step in distributions, and does it matter which ruler we use?
      """#)
    document.paragraph(
      #"""
      The second ruler is the Kullback-Leibler divergence. It is the mean, over outcomes drawn \#
      from the old distribution, of the log of the ratio of old to new probability:
      """#)
    document.mathematics(
      #"\mathrm{KL}(p_\theta, \, p_{\theta+\delta}) = \mathrm{E}_{y \sim p_\theta}\left[\log p_\theta(y) - \log p_{\theta+\delta}(y)\right] ."#
    )
    document.paragraph(
      #"""
      It is zero for equal distributions and positive otherwise. Natural logarithms give the unit \#
      nat: at a hundredth of a nat, two distributions are hard to tell apart by one outcome.
      """#)
    document.predict(
      Prediction(
        #"""
        A normal distribution has the parameters $(\mu, \sigma)$, mean and standard deviation. \#
        Move $\mu$ by \#(given: TwoRulersMeasurement.stretch), once with $\sigma = \frac14$ and \#
        once with $\sigma = 2$. By which factor do the two KL divergences differ?
        """#,
        options: ["they are equal, since the steps are", "8", "64"],
        answer: #"""
          C: \#(narrow) nat against \#(wide) nat, a factor of \#(ratio). A step of the mean \#
          counts in units of $\sigma$, and it counts squared.
          """#))
    let alternative: Prose =
      #"""
      Two panels. In (a), mean and deviation of a normal distribution, the divergence contours \#
      grow with the deviation, while the dotted circles stay the same: for one step in the mean \#
      the divergence differs by a factor of \#(ratio). In (b), two logits of a softmax, the \#
      contours are long and tilted where the prediction is confident. Dashed ellipses follow the \#
      solid contours.
      """#
    document.figure(
      Figure(
        "balls", TwoRulersFigures.balls(alternativeText: alternative.markdown),
        caption: #"""
          Around each point: all parameters at a divergence of \#
          \#(given: TwoRulersMeasurement.ballSize) nat (solid), the ellipse that the Fisher \#
          matrix gives for the same size (dashed), and a circle of Euclidean radius \#
          \#(given: TwoRulersMeasurement.circleRadius) (dotted).
          """#,
        alternativeText: alternative,
        tables: ["rulers", "quadratic"]))
    document.heading("The Fisher matrix is the second ruler, close up")
    document.paragraph(
      #"""
      For small steps the divergence is half of a quadratic form (P-28), and its matrix is the \#
      Fisher matrix:
      """#)
    document.mathematics(
      #"\mathrm{KL}(p_\theta, \, p_{\theta+\delta}) \approx \frac12 \delta^\top F \delta , \qquad F = \mathrm{E}_{y \sim p_\theta}\left[\nabla_\theta \log p_\theta(y) \; \nabla_\theta \log p_\theta(y)^\top\right] ."#
    )
    document.paragraph(
      #"""
      This is the formula of MindSpore's introduction too. For the normal distribution $F = \#
      \mathrm{diag}(1/\sigma^2, \; 2/\sigma^2)$, and for the logits of a softmax with \#
      probabilities $p$ it is $F = \mathrm{diag}(p) - p p^\top$. No labels appear: $F$ belongs to \#
      the model, and the outcomes $y$ are drawn from it. The suite computes the softmax's matrix \#
      like this:
      """#)
    document.source(SourceExcerpt("Sources/Networks/Likelihood+Hessian.swift", "softmax-fisher"))
    document.table(
      DocumentTable(
        quadratic,
        caption: #"""
          Relative error of $\frac12\delta^\top F\delta$ against KL. With a tenth of the length \#
          the error is about a tenth.
          """#,
        columns: [
          .init("length", "length of the step", .significant(1)),
          .init("normal", "normal distribution", .significant(2)),
          .init("softmax", "softmax", .significant(2)),
        ], rows: [0, 2, 4, 6]))
    document.caveat(
      #"""
      KL is no distance: it is not symmetric, and its contours are skewed. The Fisher matrix is \#
      the common limit for small steps. At a length of \#(quadratic.number("length", row: 0)) it \#
      is off by \#(quadratic.number("normal", row: 0, .percent(0))) for the normal distribution \#
      of the table.
      """#)
  }

  // MARK: A real network

  private static func realNetwork(
    _ context: ChapterContext, _ document: inout ChapterDocument, _ findings: inout Findings
  ) throws {
    let table = try TwoRulersMeasurement.layerTable(context)
    document.data(table)
    let values = table.rows.indices.map { table.number("divergence", row: $0).value }
    let ratio = findings.report(
      "ratio of layers", (values.max() ?? 0) / (values.min() ?? 1),
      "largest over smallest KL of the steps in the four layers", .significant(2))
    document.claim(
      "layer 1 changes most by far, layer 3 least, and the factor is about 100",
      holds: values.max() == values[0] && values.min() == values[2]
        && values.dropFirst().allSatisfy { values[0] > 10 * $0 }
        && (50...200).contains(ratio.value))
    document.heading("The same on a real network")
    document.predict(
      Prediction(
        #"""
        Take 784-20-20-20-10 on Fashion-MNIST after ten iterations. Move the weights of one layer \#
        down their gradient, by the same Euclidean length \#
        \#(given: TwoRulersMeasurement.layerStep) in each layer, and measure the KL divergence of \#
        the predictions, as a mean over the examples of the batch. By which factor do the layers \#
        differ?
        """#,
        options: ["less than 2", "about 10", "about 100"],
        answer: #"""
          C: by a factor of \#(ratio). The step costs \#(table.number("divergence", row: 0)) nat \#
          in layer 1 and \#(table.number("divergence", row: 2)) nat in layer 3.
          """#))
    document.table(
      DocumentTable(
        table,
        caption: #"""
          A step of the same Euclidean length in one layer at a time: mean KL over the batch, and \#
          its estimate $\frac12\delta^\top F\delta$.
          """#,
        columns: [
          .init("layer", "layer"), .init("parameters", "parameters"),
          .init("inputs", "mean squared length of inputs"),
          .init("divergence", "KL (nat)"), .init("quadratic", "estimate (nat)"),
        ]))
    document.paragraph(
      #"""
      One learning rate for all layers is one Euclidean ruler for all layers. Here it allows the \#
      first layer a far larger change of the predictions than the others. One reason stands in \#
      the table: the entries of $F$ grow with the squared inputs of the layer, and 784 pixels \#
      make a long input. The estimate with $F$ knows this without trying the step.
      """#)
  }
}
