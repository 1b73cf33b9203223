import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Chapter 07: the right basis with the right second moments.
enum EKFACChapter {
  static let chapter = Chapter(
    7, "ekfac", title: "EKFAC: the right second moments",
    goal: "Correct KFAC's eigenvalues, know what that guarantees, and what it costs.",
    minutes: 50, prerequisites: [4, 5, 6],
    seedItem: "THOR's remarks on EKFAC's cost: Cholesky against eigendecomposition"
  ) { context in
    let measured = try EKFACMeasurement(context.fashionMNIST.dataset, progress: context.progress)
    let gauge = try EKFACToy.table()
    let costs = EKFACToy.costs()
    var findings = Findings()
    var document = ChapterDocument(
      ConventionCard([
        "Eigenbasis": #"columns of $Q_A$, $Q_G$ are eigenvectors, values ascending"#,
        "Second moments": #"$S$ has the shape of the gradient, outputs × inputs"#,
        "Damping": #"exact Tikhonov, $\lambda$ added to every entry of $S$"#,
      ]), setup: EKFACCells.setup)
    question(&document)
    theorem(&document)
    comparison(&document, &findings, measured)
    spread(&document, &findings, measured)
    order(&document, measured)
    gauges(&document, gauge)
    ageing(&document, measured)
    cost(&document, costs)
    try cells(&document, &findings, measured)
    ending(&document)
    for table in [measured.errors, measured.moments, measured.permuted, gauge, measured.stale] {
      document.data(table)
    }
    document.data(costs)
    document.data(findings.table)
    return document
  }

  private static func question(_ document: inout ChapterDocument) {
    document.heading("What is left to correct")
    document.paragraph(
      #"""
      Recall KFAC ([chapter 05](05-kfac.md)). A layer multiplies its input by a weight matrix. We \#
      write $\bar a$ for the input with a last entry 1 for the bias, $g$ for the gradient of the \#
      loss with respect to the layer's output before the nonlinearity. One example's gradient for \#
      the weights is $g\bar a^\top$; stacked by columns it is the vector $\bar a \otimes g$. The \#
      layer's block of the Fisher matrix is the mean of the outer products of these vectors, \#
      $F = \mathbb{E}[(\bar a \otimes g)(\bar a \otimes g)^\top]$. KFAC replaces it by $A \otimes G$ \#
      with $A = \mathbb{E}[\bar a \bar a^\top]$ and $G = \mathbb{E}[g g^\top]$.
      """#)
    document.paragraph(
      #"""
      A symmetric matrix is a set of directions (eigenvectors) and a set of sizes (eigenvalues). \#
      KFAC takes both from $A$ and $G$. EKFAC (George et al., 2018) keeps KFAC's directions and \#
      measures the sizes again. How much better is that, and is there a reason to expect it?
      """#)
  }

  private static func theorem(_ document: inout ChapterDocument) {
    document.heading("Basis and second moments")
    document.paragraph(
      #"""
      Write $A = Q_A\,\mathrm{diag}(\alpha)\,Q_A^\top$ and $G = Q_G\,\mathrm{diag}(\gamma)\,Q_G^\top$ \#
      with orthogonal $Q_A$, $Q_G$. Then $Q = Q_A \otimes Q_G$ has the eigenvectors of \#
      $A \otimes G$ as columns, and the eigenvalue that belongs to column $j$ of $Q_A$ and column \#
      $i$ of $Q_G$ is the product $\gamma_i \alpha_j$. EKFAC replaces it by the mean square of the \#
      gradient's coordinate in that direction:
      """#)
    document.mathematics(
      #"S_{ij} = \mathbb{E}\Bigl[ \bigl( (Q_G^\top g)_i \, (Q_A^\top \bar a)_j \bigr)^2 \Bigr], \qquad F_{\mathrm{EK}} = Q \, \mathrm{diag}(\mathrm{vec}\, S) \, Q^\top ."#
    )
    document.paragraph(
      #"""
      KFAC's product is $\mathbb{E}[(Q_G^\top g)_i^2] \cdot \mathbb{E}[(Q_A^\top \bar a)_j^2]$: a \#
      product of two means. $S_{ij}$ is the mean of the product. They differ where large inputs and \#
      large gradients come together. With the exact Fisher, the expectation also runs over the \#
      model's own labels; per example this is a sum over one back-propagated vector per class.
      """#)
    document.source(
      SourceExcerpt("Sources/Curvature/DiagonalBlock.swift", "ekfac-second-moments"))
    document.paragraph(
      #"""
      **Theorem.** For a fixed orthogonal $Q$, no diagonal matrix $D$ makes $Q D Q^\top$ nearer to \#
      $F$ in the Frobenius norm $\lVert M \rVert = \sqrt{\sum_{kl} M_{kl}^2}$ than the diagonal of \#
      $Q^\top F Q$, which is $\mathrm{vec}\,S$.
      """#)
    document.paragraph(
      #"""
      *Proof.* Rotations do not change the Frobenius norm, so
      """#)
    document.mathematics(
      #"\lVert F - Q D Q^\top \rVert^2 = \lVert Q^\top F Q - D \rVert^2 = \sum_{k \ne l} (Q^\top F Q)_{kl}^2 + \sum_k \bigl( (Q^\top F Q)_{kk} - D_{kk} \bigr)^2 ."#
    )
    document.paragraph(
      #"""
      Only the last sum depends on $D$, and it is zero for the diagonal of $Q^\top F Q$. KFAC is one \#
      particular $D$, so EKFAC is never further from $F$ than KFAC, and the two squared distances \#
      differ by exactly $\sum_{ij} (S_{ij} - \gamma_i \alpha_j)^2$. Properties P-81 to P-86 test \#
      these statements in `swift test`.
      """#)
  }

  private static func comparison(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ measured: EKFACMeasurement
  ) {
    let errors = measured.errors
    let count = EKFACFindings(errors, &findings)
    count.claims(&document)
    let (iteration, layer) = (EKFACMeasurement.iteration, EKFACMeasurement.layer)
    func error(_ method: String, _ column: String = "frobenius") -> ReportedNumber {
      errors.number(
        column, where: ["iteration": "\(iteration)", "layer": "\(layer)", "method": method],
        column == "efficiency" ? .fixed(3) : .percent(1))
    }
    document.heading("Five approximations against the exact block")
    document.paragraph(
      #"""
      We train the network 784-20-20-20-10 with KFAC on the shipped Fashion-MNIST images (λ = \#
      \#(given: EKFACMeasurement.trainingLambda) on each factor, rate \#
      \#(given: EKFACMeasurement.learningRate), batches of \#(given: EKFACMeasurement.batch)). At \#
      four moments we form the exact block of layers 2, 3 and 4 on one fixed batch, and compare. \#
      The diagonal keeps only the diagonal of $F$. The *best Kronecker* product is the \#
      $A' \otimes G'$ nearest to $F$ of all Kronecker products (Van Loan and Pitsianis, 1993). The last one has \#
      EKFAC's second moments in the eigenbasis of that best product.
      """#)
    document.predict(
      Prediction(
        #"""
        The theorem says that EKFAC's second moments are optimal. Among the diagonal, KFAC, EKFAC and \#
        the best single Kronecker product, which is nearest to $F$ in the Frobenius norm?
        """#,
        options: [
          "EKFAC in all blocks: it is the optimal one.",
          "EKFAC in most blocks, the best Kronecker product in a few.",
          "The best Kronecker product in most blocks, although its eigenvalues are products again.",
          "The diagonal in some blocks: early in training nothing is correlated.",
        ],
        answer: count.answer))
    let alternative: Prose =
      #"""
      Dot chart with three panels for layers 2, 3 and 4, one row per approximation. In layer \#
      \#(given: layer) after \#(given: iteration) steps the dots stand at \#(error("diagonal")) for \#
      the diagonal, \#(error("KFAC")) for KFAC, \#(error("EKFAC")) for EKFAC and \#
      \#(error("best Kronecker")) for the best Kronecker product.
      """#
    document.figure(
      Figure(
        "errors", dots(errors).canvas(alternativeText: alternative.markdown),
        caption:
          #"""
          Relative Frobenius error of five approximations of the exact block, for three layers and \#
          four moments of training. Smaller is nearer.
          """#,
        alternativeText: alternative, tables: ["errors"]))
    document.paragraph(count.reading)
    document.caveat(
      #"""
      The Frobenius norm of the undamped matrix is one measure. An optimizer uses a damped inverse, \#
      and there the theorem promises nothing. The table has, for layer \#(given: layer) after \#
      \#(given: iteration) steps, the error of $(\hat F + \lambda I)^{-1}$ and the efficiency $\eta$ of \#
      the step: the share of the best decrease of the damped quadratic model that a step in that \#
      direction reaches, with $\lambda =$ \#(given: EKFACMeasurement.lambda). Each approximation is \#
      damped by adding $\lambda I$ to it. Over all blocks EKFAC's damped inverse is nearer than KFAC's in \#
      \#(count.inverseWins) of \#(count.blocks), and its step is more efficient in \#(count.efficiencyWins). The \#
      best Kronecker product, always nearer in the Frobenius norm, has a more efficient step than EKFAC in \#
      only \#(count.nearestEfficiencyWins). The Frobenius norm looks at the largest entries, the \#
      inverse at the small eigenvalues.
      """#)
    let rows = errors.rows.indices.filter {
      errors.rows[$0][0] == .integer(iteration) && errors.rows[$0][1] == .integer(layer)
    }
    document.table(
      DocumentTable(
        errors,
        caption:
          #"Three measures for layer \#(given: layer) after \#(given: iteration) steps."#,
        columns: [
          .init("method", "approximation"), .init("frobenius", "Frobenius error", .percent(1)),
          .init("inverse", "error of the damped inverse", .percent(1)),
          .init("efficiency", "η of the damped step", .fixed(3)),
        ], rows: rows))
  }

  static func dots(_ errors: ResultTable) -> DotPanels {
    func value(_ iteration: Int, _ layer: Int, _ method: String) -> Double {
      errors.number(
        "frobenius", where: ["iteration": "\(iteration)", "layer": "\(layer)", "method": method]
      ).value
    }
    return DotPanels(
      title: "How far five approximations are from the exact Fisher block",
      subtitle: "784-20-20-20-10, Fashion-MNIST, exact Fisher of one batch, trained with KFAC",
      rows: EKFACMeasurement.methods,
      panels: [2, 3, 4].map { layer in
        DotPanels.Panel(
          title: "layer \(layer)",
          series: EKFACMeasurement.iterations.map { iteration in
            (
              "after \(iteration) steps",
              EKFACMeasurement.methods.map { value(iteration, layer, $0) }
            )
          })
      },
      x: ChartAxis("relative Frobenius error (no unit)", .linear))
  }

  private static func spread(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ measured: EKFACMeasurement
  ) {
    let table = measured.moments
    let numbers = MomentFindings(table, &findings)
    document.heading("Second moments against products")
    document.paragraph(
      #"""
      The next figure shows what EKFAC corrects: for each of the \#(numbers.count) directions of \#
      layer \#(given: EKFACMeasurement.layer), the measured second moment against KFAC's product. On \#
      the line they agree.
      """#)
    let alternative: Prose =
      #"""
      Scatter plot on logarithmic axes. Most points follow the diagonal line from lower left to \#
      upper right; the largest product has a second moment of \#(numbers.top) times the product, \#
      and the middle eighty of a hundred points lie between \#(numbers.low) and \#(numbers.high) \#
      times.
      """#
    document.figure(
      Figure(
        "moments", numbers.chart.canvas(alternativeText: alternative.markdown),
        caption:
          #"""
          Second moments $S_{ij}$ against products $\gamma_i\alpha_j$, both on logarithmic axes; directions \#
          whose product is below a hundred-millionth of the largest are left out.
          """#,
        alternativeText: alternative, tables: ["moments"]))
    document.paragraph(
      #"""
      In the direction with the largest product the measured moment is \#(numbers.top) times that \#
      product; the median ratio over the directions drawn is \#(numbers.median), and eight of ten lie \#
      between \#(numbers.low) and \#(numbers.high). The sum of all products is \#(numbers.trace) times \#
      the trace of $F$; the sum of all $S_{ij}$ is the trace exactly (P-85). The correction is made of such \#
      factors. It cannot help where the directions themselves are wrong: in the eigenbasis of KFAC \#
      the exact block still has off-diagonal entries, and they make all of EKFAC's error.
      """#)
  }

  private static func order(_ document: inout ChapterDocument, _ measured: EKFACMeasurement) {
    let table = measured.permuted
    func number(_ column: String, _ variant: String, _ format: NumberFormat) -> ReportedNumber {
      table.number(column, where: ["variant": variant], format)
    }
    let right = "S with each moment at its place"
    let rows = "S read by rows instead of columns"
    let kfac = "KFAC: products instead of moments"
    document.claim(
      "moments at wrong places are further from F than KFAC",
      holds: number("frobenius", rows, .percent(1)).value
        > number("frobenius", kfac, .percent(1)).value)
    document.heading("The right numbers at the wrong places")
    document.predict(
      Prediction(
        #"""
        A program computes $S$ correctly and then reads its memory by rows where it was written by \#
        columns. The trace, the determinant and the whole spectrum of $F_{\mathrm{EK}}$ stay \#
        right. What happens to the Frobenius error?
        """#,
        options: [
          "It stays nearly the same: the sizes are right, and large moments are rare.",
          "It rises, but stays below KFAC's, whose sizes are all wrong.",
          "It rises above KFAC's.",
        ],
        answer:
          #"""
          C. It rises from \#(number("frobenius", right, .percent(1))) to \#
          \#(number("frobenius", rows, .percent(1))); KFAC is at \#
          \#(number("frobenius", kfac, .percent(1))). A size is worth something only together with its \#
          direction.
          """#))
    document.table(
      DocumentTable(
        table,
        caption:
          #"""
          EKFAC of layer \#(given: EKFACMeasurement.layer) after \#(given: EKFACMeasurement.iteration) steps, \#
          with its moments at other places.
          """#,
        columns: [
          .init("variant", "on the diagonal"), .init("trace", "trace over tr F", .fixed(3)),
          .init("frobenius", "Frobenius error", .percent(1)),
          .init("efficiency", "η of the damped step", .fixed(3)),
        ]))
    document.paragraph(
      #"""
      So a test of EKFAC that looks at trace, determinant or spectrum cannot see this mistake. A \#
      test of the matrix, or of the step, can. The moments have to be paired with eigenvectors in \#
      the order in which the eigenvectors came.
      """#)
  }
}
