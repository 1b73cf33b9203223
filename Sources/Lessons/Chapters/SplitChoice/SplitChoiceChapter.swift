import Experiments

/// Chapter 10: how THOR chooses the size of the split, and what its measure cannot see.
enum SplitChoiceChapter {
  static let chapter = Chapter(
    10, "choosing-the-split", title: "THOR II: choosing the split",
    goal: "Recompute Table 1 and its crossing, and find matrices that fool the measure behind it.",
    minutes: 50, prerequisites: [9],
    seedItem: "THOR Table 1, Figure 5 and Equations 11 and 12; MindSpore introduction, Figure 3"
  ) { context in
    let results = try SplitChoiceResults(context)
    var document = ChapterDocument(conventions, setup: setup)
    opening(&document)
    replay(&document, results)
    cost(&document, results)
    blind(&document, results)
    trained(&document, results)
    exercises(&document)
    ending(&document)
    for table in results.tables { document.data(table) }
    return document
  }

  private static let setup = #"""
    table = pd.read_csv(DATA / "10-table-1.csv")
    costs = pd.read_csv(DATA / "10-costs.csv")
    trained = pd.read_csv(DATA / "10-trained.csv")

    def split(M, d):
        """Keep the diagonal blocks of size d, zero the rest (Equation 10)."""
        group = np.arange(len(M)) // d
        return np.where(group[:, None] == group[None, :], M, 0.0)

    def loss(M, d):
        """Equation 11 for a symmetric positive semi-definite M."""
        return 1 - np.linalg.norm(split(M, d), 2) / np.linalg.norm(M, 2)
    """#

  private static var conventions: ConventionCard {
    let options = ComparisonOptions()
    return ConventionCard([
      "Printed numbers":
        "Table 1 and Figure 5 of the THOR paper: ResNet-50, the 54 factors $A$, Ascend 910. No time is measured here",
      "Trained factors":
        #"the network of [chapter 09](09-thor-split.md), layers 2 to 4, \#(given: options.seeds.count) seeds, after 0, 10 and 50 iterations, split 10"#,
      "Damping": #"$\lambda$ on the diagonal of one factor, stated at each number"#,
    ])
  }

  private static func opening(_ document: inout ChapterDocument) {
    document.heading("The question")
    document.paragraph(
      #"""
      THOR cuts a Kronecker factor $A$ into diagonal blocks of $d$ rows and inverts the blocks ([chapter 09](09-thor-split.md)); $\hat A$ is $A$ with everything outside the blocks set to zero. Small blocks are quick to invert and lose much. Large blocks are slow and lose little. Which $d$?
      """#)
    document.paragraph(
      #"""
      The paper answers with two curves. The first measures what is kept. With $\lVert A \rVert_2$ the largest eigenvalue of a positive semi-definite $A$, the information loss of a factor is (Equation 11)
      """#)
    document.mathematics(
      #"L_d(A) = 1 - \sqrt{\frac{\lambda_{\max}(\hat A \hat A^\top)}{\lambda_{\max}(A A^\top)}} = 1 - \frac{\lVert \hat A \rVert_2}{\lVert A \rVert_2} ."#
    )
    document.paragraph(
      #"""
      A factor counts as kept if $L_d$ is below \#(printed: "1 %"). The curve is the number of kept factors over the number of all. The paper prints it as \#(printed: "“normalized loss of matrix”"), and the caption of Figure 5 says that \#(printed: "“1 represents the maximum loss”"). But the row rises with $d$, and a coarser split loses less. So 1 means that every factor is kept. We call it the *retained fraction*.
      """#)
    document.paragraph(
      #"""
      The second curve measures speed. With $p_d$ the time to invert one $d \times d$ matrix, the performance is $p_1 / p_d$ (Equation 12). It falls with $d$. The listed size closest to the crossing of the two curves is chosen.
      """#)
    document.source(SourceExcerpt("Sources/Optimization/SplitLoss.swift", "split-loss"))
  }

  private static func replay(_ document: inout ChapterDocument, _ results: SplitChoiceResults) {
    document.claim(
      "lines over the sizes choose 128, with the layer shapes alone too",
      holds: results.crossings.rows.indices.allSatisfy {
        results.crossings.number("size", row: $0).value == 128
      })
    document.heading("Table 1, computed again")
    document.table(
      DocumentTable(
        results.printed,
        caption: #"""
          Table 1 as printed, with three rows of ours: the count over 54, the printed first time over each printed time, and the number of factors that have at most $d$ rows.
          """#,
        columns: [
          .init("size", "$d$"), .init("count", "kept (printed)"),
          .init("microseconds", "µs (printed)"),
          .init("retained_printed", "retained (printed)", .fixed(4)),
          .init("retained", "count/54", .fixed(4)),
          .init("performance_printed", "performance (printed)", .fixed(4)),
          .init("performance", "35/µs", .fixed(4)),
          .init("structural", "at most $d$ rows"),
        ]))
    document.paragraph(
      #"""
      The counts give the retained row to every printed digit. The performance row is not 35 over the printed time: only \#(results.plainMatches) of nine entries agree. An unrounded first time between \#(results.firstTimeLow) and \#(results.firstTimeHigh) µs, which prints as 35, explains all of them, if the other times were rounded in print too (property P-132). So the row was probably computed before rounding. This is what a healthy table looks like when it is computed again.
      """#)
    document.predict(
      Prediction(
        #"""
        The paper reads the crossing as \#(printed: "(106, 0.21)") and chooses \#(printed: "128"). Join the printed rows by straight lines. Where do the lines cross?
        """#,
        options: [
          "At the printed place, up to rounding.",
          "Near it; the choice of 128 stands.",
          "So far away that 64 is closer, and the choice changes.",
        ],
        answer: #"""
          B. They cross at $d$ = \#(results.crossing), at the height \#(results.crossingHeight). The height rounds to the printed one, the place misses by one and a half, which is within what one can read off a plot with an axis of 2048. The closest listed size is 128.
          """#))
    document.figure(
      Figure(
        "crossing", results.crossingFigure,
        caption: #"""
          The two curves of Figure 5 near their crossing, and below them the factors that are no larger than $d$ and are therefore not split at all.
          """#,
        alternativeText: #"""
          Line chart. The performance falls from one at size 1 steeply, the retained fraction rises slowly; they cross at size \#(results.crossing) and height \#(results.crossingHeight). The curve of factors no larger than the size runs just below the retained fraction.
          """#, tables: ["table-1", "crossings"]))
    document.paragraph(
      #"""
      A cubic spline through equally spaced places of the list, with the recomputed rows, crosses at (\#(results.spline), \#(results.splineHeight)), which does round to the printed pair. Of the more than a hundred ways of joining the points that were tried for the specification of this suite, only a quadratic spline over the same places and a least-squares polynomial of degree five do so too. So this match may be chance. How the authors joined them is not stated.
      """#)
    document.paragraph(
      #"""
      The lowest curve deserves a thought. A factor with at most $d$ rows is one block: it is kept whatever its entries. That is a fact of the architecture, not of training. At the largest size, 45 of the 48 kept factors are of this kind. From the shapes alone, without any spectrum, the lines cross at $d$ = \#(results.structuralCrossing), and the choice is 128 again.
      """#)
    document.table(
      DocumentTable(
        results.crossings,
        caption:
          "Where the curves cross: straight lines over the sizes, and a cubic spline over the place in the list (index-spline).",
        columns: [
          .init("rows", "rows"), .init("interpolation", "interpolation"),
          .init("position", "$d$", .fixed(2)), .init("height", "height", .fixed(4)),
          .init("size", "chosen"),
        ]))
  }

  private static func cost(_ document: inout ChapterDocument, _ results: SplitChoiceResults) {
    func total(_ size: Int) -> ReportedNumber {
      results.costs.number("milliseconds", where: ["size": "\(size)"], .significant(3))
    }
    func operations(_ size: Int) -> ReportedNumber {
      results.costs.number("operations_share", where: ["size": "\(size)"], .significant(2))
    }
    document.claim(
      "128 has the least total time",
      holds: results.costs.rows.indices.allSatisfy {
        results.costs.number("milliseconds", row: $0).value >= total(128).value
      })
    document.heading("One block is not all blocks")
    document.paragraph(
      #"""
      Equation 12 times *one* $d \times d$ matrix. But a factor of $n$ rows has $n/d$ of them. Counted in operations, one block costs about $d^3$ and the whole factor about
      """#)
    document.mathematics(#"\frac{n}{d} \cdot d^3 = n d^2 ,"#)
    document.paragraph(
      #"""
      which falls as $d$ falls, down to $d = 1$. Printed times tell another story, because a block of one row takes 35 µs and not almost nothing: each call has a fixed cost.
      """#)
    document.predict(
      Prediction(
        #"""
        Take the printed time of one block and invert the blocks of all 54 factors one after the other. Which listed size is the quickest?
        """#,
        options: [
          "1, as the performance row says.", "128, the chosen one.",
          "2048: fewer calls always win.",
        ],
        answer: #"""
          B. With 128 it takes \#(total(128)) ms. Its neighbours take more: 64 takes \#(total(64)) ms and 256 takes \#(total(256)) ms. At the ends of the list, 1 takes \#(total(1)) ms and 2048 takes \#(total(2048)) ms.
          """#))
    document.figure(
      Figure(
        "costs", results.costFigure,
        caption: #"""
          (a) The printed time of one block, and the sum over all blocks of the 54 factors, one after the other; a smaller last block is read off straight lines between the printed sizes. (b) The cubic count of operations, over that of the whole factors.
          """#,
        alternativeText: #"""
          Two charts with logarithmic axes. In the first the time of one block rises with the size, and the time of all blocks falls from \#(total(1)) ms at size 1 to a minimum of \#(total(128)) ms at 128 and rises again. In the second the number of operations rises steadily from \#(operations(1)) of the whole at size 1 to \#(operations(2048)) at 2048.
          """#, tables: ["costs"]))
    document.paragraph(
      #"""
      So the printed times support the choice of 128 by a simpler argument than the crossing: it is the listed size with the least total time. The paper does not make this argument, and it has a gap too: a processor may invert many blocks at once. But it compares times with times, while the crossing of two curves with different units depends on how each is scaled to the interval from 0 to 1.
      """#)
  }

  private static func blind(_ document: inout ChapterDocument, _ results: SplitChoiceResults) {
    document.heading("What Equation 11 cannot see")
    document.paragraph(
      #"""
      $L_d$ compares two numbers: the largest eigenvalue before and after the split. It is zero as soon as one top eigenvector lies in one block. All other eigenvalues are free. Four rows are enough to show it, with $d = 2$:
      """#)
    document.mathematics(
      #"A = \begin{pmatrix} 10 & 0 & 0 & 0 \\ 0 & 4 & 3.9 & 0 \\ 0 & 3.9 & 4 & 0 \\ 0 & 0 & 0 & 1 \end{pmatrix}, \qquad \hat A = \begin{pmatrix} 10 & 0 & 0 & 0 \\ 0 & 4 & 0 & 0 \\ 0 & 0 & 4 & 0 \\ 0 & 0 & 0 & 1 \end{pmatrix}"#
    )
    document.predict(
      Prediction(
        #"""
        What does Equation 11 report for this matrix, and how wrong is the inverse of $\hat A + \lambda I$ with $\lambda$ = \#(given: SplitChoiceResults.exampleLambda), in relative Frobenius norm?
        """#,
        options: [
          "A large loss and a large error.", "No loss and a small error.",
          "No loss and an error of nearly the whole inverse.",
        ],
        answer: #"""
          C. The loss is \#(results.exampleLoss). The split is \#(results.exampleMatrix) wrong in Frobenius norm, and its damped inverse \#(results.exampleInverse).
          """#))
    document.paragraph(
      #"""
      The reason: the two fours with the coupling have the eigenvalues $4 + 3.9$ and $4 - 3.9$. The inverse is ruled by the smallest eigenvalue, and the split moves it to 4. The top eigenvalue 10 does not move, and only that one is looked at. The next table brings the error as near to the whole inverse as one likes: in a pair with the diagonal 1 and the coupling $\rho$, the relative error of the inverse is exactly $\rho$.
      """#)
    document.table(
      DocumentTable(
        results.coupled,
        caption:
          "Twenty coordinates in two groups, each with one large eigenvalue, and nine pairs that are coupled across the groups. No damping.",
        columns: [
          .init("coupling", "coupling"), .init("loss", "Equation 11"),
          .init("matrix", "error of the matrix"), .init("inverse", "error of the inverse"),
        ]))
    document.tryIt(
      "Compute the three numbers of the example yourself.",
      code: #"""
        A = np.diag([10.0, 4, 4, 1])
        A[1, 2] = A[2, 1] = 3.9
        cut = split(A, 2)
        inverse = np.linalg.inv(A + 0.1 * np.eye(4))
        wrong = np.linalg.inv(cut + 0.1 * np.eye(4))
        matrix_error = np.linalg.norm(cut - A) / np.linalg.norm(A)
        inverse_error = np.linalg.norm(wrong - inverse) / np.linalg.norm(inverse)
        print(f"loss {loss(A, 2):.3f}, matrix {matrix_error:.3f}, inverse {inverse_error:.3f}")
        numbers = pd.read_csv(DATA / "10-numbers.csv").set_index("name")["value"]
        np.testing.assert_allclose(loss(A, 2), 0, atol=1e-12)
        np.testing.assert_allclose(matrix_error, numbers["example_matrix"], rtol=1e-10)
        np.testing.assert_allclose(inverse_error, numbers["example_inverse"], rtol=1e-10)
        """#)
    document.caveat(
      #"""
      These matrices are built to fool the measure. They prove that a small $L_d$ does not bound the error of the inverse. They do not show that real factors behave like this; the next section looks.
      """#)
  }

  private static func trained(_ document: inout ChapterDocument, _ results: SplitChoiceResults) {
    document.claim(
      "the losses and the inverse's errors of the trained factors are in loose relation",
      holds: abs(results.correlation.value) < 0.7)
    document.claim(
      "no trained factor passes the tolerance", holds: results.belowTolerance.value == 0)
    document.heading("Factors of a trained network")
    document.figure(
      Figure(
        "blind", results.blindFigure,
        caption: #"""
          Equation 11 and the error of the damped inverse for \#(results.trainedCount) factors of the small network ($\lambda$ = \#(given: SplitChoiceResults.trainedLambda)), and for the constructed matrices (the four rows with their own damping, the others without). To the left of the dashed line a factor counts as kept.
          """#,
        alternativeText: #"""
          Scatter plot. Circles of the trained factors lie between losses of \#(results.leastLoss) and \#(results.greatestLoss), with errors of the inverse from \#(results.leastInverse) to \#(results.greatestInverse) in a loose cloud. Diamonds of the constructed matrices stand at zero loss with errors up to almost one.
          """#, tables: ["trained", "coupled"]))
    document.paragraph(
      #"""
      No constructed point is needed to see that the two numbers measure different things. Over the trained factors the rank correlation of Equation 11 with the error of the inverse is \#(results.correlation), where 1 would mean the same order and 0 no relation. On the other hand \#(results.belowTolerance) of the \#(results.trainedCount) factors pass the tolerance of \#(printed: "1 %") at split 10, so here the rule would reject this split. Whether the factors of a large network that pass it have good inverses, the paper does not report, and we have not measured.
      """#)
    document.paragraph(
      #"""
      Why are the losses so large? Activations are not centred, so the top eigenvector of $A$ is close to the mean of the inputs, and that vector touches every group (chapter 09). For the matrix of all ones the loss is as large as a loss can be: with $d$ dividing $n$ it is $1 - d/n$ (property P-120).
      """#)
  }
}
