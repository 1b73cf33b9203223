import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Warm starts and operations: the other claims of the CG-FAC note.
extension CGFACChapter {
  static func warmStarts(
    _ measured: CGFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) {
    let table = measured.warmTable()
    let changes = measured.changeTable()
    document.data(table)
    document.data(changes)
    let fresh = CGFACMeasurement.name(of: .fresh)
    let slow = CGFACMeasurement.name(of: .slow)
    let one = CGFACMeasurement.name(of: .oneBatch)
    func value(
      _ column: String, _ course: String, _ lambda: String = "0.001", rule: String = "‖V‖",
      _ format: NumberFormat = .significant(3)
    ) -> ReportedNumber {
      table.number(
        column,
        where: ["course": course, "rule": rule, "operator": "cg-kfac", "lambda": lambda], format)
    }
    func ratio(_ course: String, _ lambda: String = "0.001", rule: String = "‖V‖")
      -> ReportedNumber
    {
      value("ratio", course, lambda, rule: rule, .fixed(2))
    }
    func change(_ course: String) -> ReportedNumber {
      changes.number("change", where: ["course": course], .fixed(2))
    }
    document.claim(
      "with fresh batches a warm start saves nothing, and its guess is worse than none",
      holds: ratio(fresh).value > 0.95 && value("start", fresh).value > 1)
    document.claim("on one batch a warm start saves steps", holds: ratio(one).value < 0.8)
    document.claim(
      "relative to the first residual the saving is gone",
      holds: ratio(one, "0.1", rule: "first residual").value > 0.9
        && ratio(one, "0.1").value < 0.8)
    document.heading("Warm starts")
    document.paragraph(
      #"""
      The note's reason for few steps is a warm start: \#
      "\#(printed: "in the training process from batch to batch, the difference between gradients is small")", \#
      so the last step's solution is a good first guess (section 3). We train the network, solve \#
      at every step from zero and from the last solution, and count.
      """#)
    document.predict(
      Prediction(
        #"""
        Every training step has a fresh batch of \#(given: 128) examples, the learning rate is a \#
        tenth, and $\lambda = 10^{-3}$. What does the warm start do to the number of steps?
        """#,
        options: [
          "it halves it", "it saves about a fifth", "nothing, or it costs steps",
        ],
        answer: #"""
          C. All warm solves together take \#(ratio(fresh)) times the steps of the cold ones \#
          (cg-kfac). The first residual of the warm start is \#(value("start", fresh)) times \#
          $\lVert V\rVert$ in the median; starting from zero, it is exactly $\lVert V\rVert$. By \#
          its residual the old solution is a worse guess than none.
          """#))
    document.figure(
      Figure(
        "warm", measured.warmFigure(),
        caption: #"""
          Steps of a solve along the training run, from zero and from the last solution, for two \#
          strengths of damping.
          """#,
        alternativeText: #"""
          Two panels over 12 training steps. With a fresh batch at every step the warm and cold \#
          curves lie on each other, at a ratio of \#(ratio(fresh)). With one batch used again and \#
          again the warm curves lie lower: the ratio is \#(ratio(one)).
          """#,
        tables: ["warm"]))
    document.paragraph(
      #"""
      The reason is the gradient. From one fresh batch to the next it changes by \#
      \#(change(fresh)) times its own length. At a tenth of the learning rate the change is \#
      \#(change(slow)) with fresh batches and \#(change(one)) with one batch used again: most of \#
      what changes is the sample. On one batch the warm start does save: \#(ratio(one)) of the \#
      steps remain, and the figure shows the saving grow. (These are the first 12 steps of \#
      training with two seeds; the reproduction item has 40 steps, three seeds, and the same \#
      picture.)
      """#)
    let chosen = table.rows.indices.filter {
      table.rows[$0][1] == .text("‖V‖") && table.rows[$0][2] == .text("cg-kfac")
    }
    document.table(
      DocumentTable(
        table, caption: "Cold and warm starts of cg-kfac, stopped relative to the right side.",
        columns: [
          .init("course", "run"), .init("lambda", "damping", .significant(1)),
          .init("cold", "steps from zero"), .init("warm", "steps warm"),
          .init("ratio", "warm over cold", .fixed(2)),
          .init("start", "first residual, warm", .significant(2)),
          .init("within", "warm: at most 20 steps", .percent(0)),
        ], rows: chosen))
    document.paragraph(
      #"""
      One more trap: a program that stops relative to its *first* residual takes back what a good \#
      guess gains, because a better guess sets a harder target. On one batch under the author's \#
      rule the ratio is \#(ratio(one, "0.1", rule: "first residual")) at $\lambda = 10^{-1}$, \#
      against \#(ratio(one, "0.1")) when the target is relative to $\lVert V \rVert$ (P-112).
      """#)
  }

  static func operations(_ document: inout ChapterDocument, _ findings: inout Findings) {
    let products = CGFACCost.productTable()
    let crossing = CGFACCost.crossingTable()
    document.data(products)
    document.data(crossing)
    document.heading("When are products cheaper?")
    document.paragraph(
      #"""
      Let $n = d_A d_G$ be the parameters of the layer. A product with formed factors, $G V A$, \#
      takes $2n(d_A + d_G)$ operations. Without them the exact block takes $4nN + 4 d_G N K$: two \#
      products with $X$ and a small term. cg-kfac takes $4nN + 4 d_G N^2 K$, because it \#
      computes all of $M$. The note's count per step (restored: our copy lacks it) is the one for \#
      a single example, $4n$. Leaving the small terms away, a product of the exact block is \#
      cheaper than one with formed factors only while
      """#)
    document.mathematics(#"N < \frac{d_A + d_G}{2} ,"#)
    document.paragraph("and one of cg-kfac for still smaller batches:")
    func crossed(_ column: String, _ layer: String) -> ReportedNumber {
      crossing.number(column, where: ["layer": layer], .significant(3))
    }
    document.figure(
      Figure(
        "operations", CGFACCost.figure(products),
        caption: #"""
          Operations of one product against the batch. The flat line is the product with formed \#
          factors; where a rising line crosses it, forming the factors begins to pay.
          """#,
        alternativeText: #"""
          Two panels with logarithmic axes. The cost of products without factors rises with the \#
          batch, for cg-kfac ever steeper; with formed factors it is flat. For the layer 21 to 20 \#
          the lines cross at \#(crossed("kfac", "21 to 20")) examples, for 785 to 20 at \#
          \#(crossed("kfac", "785 to 20")).
          """#,
        tables: ["products", "crossing"]))
    document.table(
      DocumentTable(
        crossing,
        caption: #"""
          The batch from which products without factors take more operations than with formed \#
          ones; and 20 steps of cg-kfac at $N = 128$, $K = 1$, over a direct step with \#
          eigendecompositions and with Cholesky factorisations.
          """#,
        columns: [
          .init("layer", "layer"), .init("half", "half of the sum of sizes", .fixed(1)),
          .init("exact", "cg-exact-block, K = 1"), .init("kfac", "cg-kfac, K = 1"),
          .init("kfac10", "cg-kfac, K = 10"),
          .init("stepsOverEigen", "20 steps over eigen", .significant(2)),
          .init("stepsOverCholesky", "20 steps over Cholesky", .significant(2)),
        ]))
    document.paragraph(
      #"""
      So "\#(printed: "much less")" (section 3) holds against eigendecompositions where the layer \#
      is wide compared with the batch. It does not hold in the narrow layer, and hardly against \#
      two Cholesky factorisations, which KFAC can keep for many steps. What products buy is the \#
      other operator: per product the exact block costs less than cg-kfac, and it has no small \#
      factors to form. The price is that nothing is left over for the next step.
      """#)
    document.caveat(
      #"""
      Counts of operations are not times. Memory traffic and the shape of the products decide how \#
      far they apply; measured times stand in the reproduction report for this note. And an exact \#
      solve of the exact block is still not a promise of faster training.
      """#)
  }
}
