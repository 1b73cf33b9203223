import DataFiles
import Experiments
import Optimization

/// Chapter 11: THOR's trace rule as a state machine, and how often it is wrong.
enum TraceRuleChapter {
  static let chapter = Chapter(
    11, "trace-rule", title: "THOR III: the trace rule",
    goal: "Run the rule that decides which layers are refreshed, and measure what it cannot see.",
    minutes: 55, prerequisites: [5, 9],
    seedItem: "THOR Figures 1 to 3 and Equations 7 to 9"
  ) { context in
    let results = try TraceRuleResults(context)
    var document = ChapterDocument(conventions, setup: setup)
    opening(&document)
    course(&document, results)
    states(&document, results)
    damping(&document, results)
    rotation(&document, results)
    wrong(&document, results)
    exercises(&document)
    ending(&document)
    for table in results.tables { document.data(table) }
    return document
  }

  private static let setup = #"""
    course = pd.read_csv(DATA / "11-course.csv")
    decisions = pd.read_csv(DATA / "11-decisions.csv")
    rotation = pd.read_csv(DATA / "11-rotation.csv")
    SIZES = {1: (785, 20), 2: (21, 20), 3: (21, 20), 4: (21, 10)}  # rows of A and of G
    """#

  private static var conventions: ConventionCard {
    let settings = TraceRuleResults.settings
    let training = TraceRuleRuns.training
    return ConventionCard([
      "Equation 8":
        #"reading a: $\mathrm{tr}(F + \lambda I) = \mathrm{tr} A \, \mathrm{tr} G + \lambda d_A d_G$ with $d_A$, $d_G$ the rows of $A$, $G$"#,
      "Compared with": "the last accepted statistics, not the last computed ones",
      "Trajectories":
        #"KFAC, rate \#(given: settings.learningRate), batch \#(given: settings.batch), a record every \#(given: settings.interval) steps, \#(given: TraceRuleRuns.seeds.count) seeds"#,
      "THOR runs":
        #"\#(given: training.steps) steps, a test every \#(given: training.interval), batch \#(given: training.batch), rate \#(given: TraceRuleRuns.learningRate), momentum \#(given: training.momentum), $\lambda$ = \#(given: TraceRuleRuns.lambda) on each factor, split \#(given: training.split)"#,
    ])
  }

  private static func opening(_ document: inout ChapterDocument) {
    document.heading("The question")
    document.paragraph(
      #"""
      The Fisher block of a layer, $F \approx A \otimes G$, changes while the network learns ([chapter 05](05-kfac.md) defines the factors $A$ and $G$). Its inverse need not be computed anew at every step. Usual practice refreshes all layers every so many steps. THOR asks each layer: did your curvature change? The answer is read from a trace, the sum of the diagonal. With $F^k$ the block at the $k$-th test (Equation 8),
      """#)
    document.mathematics(
      #"\Delta^k = \frac{\lvert \mathrm{tr}(F^k + \lambda I) - \mathrm{tr}(F^{k-1} + \lambda I) \rvert}{\lvert \mathrm{tr}(F^{k-1} + \lambda I) \rvert} ."#
    )
    document.paragraph(
      #"""
      Two thresholds $\omega_1 \geq \omega_2$ decide (Equation 9): above $\omega_1$ the new statistics are accepted and inverted (*update*), from $\omega_2$ to $\omega_1$ they are thrown away (*keep*), and below $\omega_2$ they are thrown away and the layer is never tested again (*stop*). The paper has three variants: THOR with $(\omega_1, \omega_2) = (0.01, 0)$, THOR_stop with $(0.01, 0.001)$, and THOR_NT with $(0, 0)$, which always updates.
      """#)
    document.source(SourceExcerpt("Sources/Optimization/TraceRule.swift", "trace-state"))
    document.paragraph(
      #"""
      The boundaries are exact: $\Delta = \omega_1$ keeps, $\Delta = \omega_2$ keeps, and with $\omega_2 = 0$ no layer can stop (property P-128). "Do not update" sets $F^k = F^{k-1}$, so the next test compares with the last *accepted* matrix. That matters, as we shall see.
      """#)
  }

  private static func course(_ document: inout ChapterDocument, _ results: TraceRuleResults) {
    document.heading("Norm and change rate over training")
    document.figure(
      Figure(
        "course", results.courseFigure,
        caption: #"""
          The counterpart of the paper's Figures 1 and 2. (a) The norm of the exact block of each layer. (b) $\Delta$ from one record to the next, with the paper's two thresholds.
          """#,
        alternativeText: #"""
          Two charts against the training step, with logarithmic vertical axes. The norms of four layers rise in the first steps, by a median of \#(results.firstChange) over the first 20, and then wander and slowly fall. The change rates jump up and down around \#(results.medianDelta); \#(results.belowBand) of them lie below both thresholds.
          """#, tables: ["course"]))
    document.paragraph(
      #"""
      The paper reports on ResNet-18 that the norm \#(printed: "“changes rapidly in the first few iterations and then tends to be stable”"), and that for most layers $\Delta$ lies in $(0.001, 0.01)$. Our small network shows the rapid start in (a): over the first 20 steps the norm changes by a median of \#(results.firstChange), later by \#(results.lateChange) per 20 steps. But it does not come to rest: from the third to the last quarter its mean still changes by a median of \#(results.normDrift). Of $\Delta$ we find part. In the band lie \#(results.inBand) of the tests, below it \#(results.belowBand), and above it \#(results.aboveBand). Every record is of one batch, so a part of each change is sampling, which we do not separate here.
      """#)
  }

  private static func states(_ document: inout ChapterDocument, _ results: TraceRuleResults) {
    func saving(_ column: String, _ variant: Int, _ format: NumberFormat) -> ReportedNumber {
      results.savings.number(column, row: variant, format)
    }
    document.claim(
      "with the split THOR saves next to nothing, without it a part",
      holds: saving("split_operations", 0, .percent(2)).value > 0.99
        && saving("whole_operations", 0, .percent(0)).value < 0.99)
    let stops = results.decisions.rows.filter { $0[4] == .text("stop") }
    document.claim(
      "THOR_stop saves more, since it stopped layer 1",
      holds: saving("split_operations", 1, .percent(0)).value < 0.9
        && stops.contains { $0[2] == .integer(1) })
    document.heading("Update, keep, stop")
    document.predict(
      Prediction(
        #"""
        THOR skips an update whenever $\Delta$ is at most a hundredth. In our run with split 10 it skips \#(saving("skipped", 0, .percent(0))) of the updates. Which share of the operations spent on curvature (statistics, factorizations, solves) does it save?
        """#,
        options: [
          "About the same share.", "About half of that share.", "Next to nothing.",
        ],
        answer: #"""
          C. THOR's curvature operations are \#(saving("split_operations", 0, .percent(2))) of those of THOR_NT. To compute $\Delta$ one needs the new $A$ and $G$, and after the split their factorization is the cheap part. Without a split the same rule costs \#(saving("whole_operations", 0, .percent(0))). A stop saves more, because a stopped layer is not even measured: THOR_stop costs \#(saving("split_operations", 1, .percent(0))) with the split, since it stopped layer 1, whose $A$ has 785 rows.
          """#))
    document.figure(
      Figure(
        "strips", results.stripFigure,
        caption: #"""
          Every test of every layer for the three variants. The variants share the start and the batches and part ways with their first different decision.
          """#,
        alternativeText: #"""
          Three groups of four strips of twenty cells. THOR shows updates mixed with \#(saving("keep", 0, .fixed(0))) kept tests, THOR_stop shows the same and stops, \#(saving("stop", 1, .fixed(0))) in number, after which the cells are empty, and THOR_NT is filled with updates.
          """#, tables: ["decisions"]))
    document.table(
      DocumentTable(
        results.savings,
        caption: #"""
          Decisions of the first seed, and floating-point operations on curvature as shares of THOR_NT. Counts, not times: on other hardware, in other networks and across many machines the balance is another.
          """#,
        columns: [
          .init("variant", "variant"), .init("update", "update"), .init("keep", "keep"),
          .init("stop", "stop"), .init("skipped", "skipped", .percent(0)),
          .init("split_operations", "operations, split 10", .percent(1)),
          .init("whole_operations", "operations, no split", .percent(1)),
        ]))
    document.paragraph(
      #"""
      The trace rule and the split save on the same item, the factorizations. Without the split the rule saves a part of them; after the split there is next to nothing left to save in our network. In a large network on many processors the picture differs: inverses are also sent around, and the first layer here (785 rows in $A$) is untypical. The paper's ablation reports how much each part alone accelerated KFAC.
      """#)
  }

  private static func damping(_ document: inout ChapterDocument, _ results: TraceRuleResults) {
    document.heading("How much of the change rate is damping")
    document.paragraph(
      #"""
      In the numerator of Equation 8 $\lambda I$ cancels. In the denominator it adds $\lambda d_A d_G$, one $\lambda$ for every parameter. That is a large number: with $\lambda$ = \#(given: TraceRuleRuns.lambda), $\mathrm{tr} A \, \mathrm{tr} G$ is only \#(results.traceShare) of the denominator (median over records). So $\Delta$ measures the change of the trace in units of the damping, and the thresholds mean something else for every $\lambda$ and every layer size (property P-130).
      """#)
    document.table(
      DocumentTable(
        results.sweep,
        caption: #"""
          The same records, tested with different $\lambda$. Reading a is the literal one. Reading b damps each factor, $(\mathrm{tr} A + \lambda d_A)(\mathrm{tr} G + \lambda d_G)$, as Equation 6 does.
          """#,
        columns: [
          .init("lambda", "$\\lambda$"), .init("a_median", "median $\\Delta$, a", .significant(2)),
          .init("a_above", "update, a", .percent(0)), .init("a_inside", "keep, a", .percent(0)),
          .init("a_below", "stop, a", .percent(0)),
          .init("b_median", "median $\\Delta$, b", .significant(2)),
          .init("b_below", "stop, b", .percent(0)),
        ]))
    document.paragraph(
      #"""
      Without damping the median change is \#(results.undampedDelta), with $\lambda$ = \#(given: TraceRuleRuns.lambda) it is \#(results.medianDelta). Nothing about the network differs between the rows. A schedule that lowers $\lambda$ during training, as the paper's Equations 13 and 16 do, raises $\Delta$, and makes the rule update more often, without any change in the network.
      """#)
    document.tryIt(
      #"Compute $\Delta$ of a layer from its traces, and see it fall as $\lambda$ grows."#,
      code: #"""
        def delta(layer, lam):
            """Equation 8, reading a, between neighbouring records of the first seed."""
            rows = course[course["layer"] == layer]
            trace = (rows["trace_a"] * rows["trace_g"]).to_numpy()
            dA, dG = SIZES[layer]
            return np.abs(np.diff(trace)) / (trace[:-1] + lam * dA * dG)

        for layer in SIZES:
            medians = [np.median(delta(layer, lam)) for lam in (0.0, 0.03, 0.3, 1.0)]
            print(layer, np.round(medians, 4))
            assert (np.diff(medians) < 0).all()
        """#)
  }
}
