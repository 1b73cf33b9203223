import DataFiles
import Experiments

extension SplitChapter {
  static func sizes(_ document: inout ChapterDocument, _ results: SplitResults) {
    func matrix(_ size: Int, _ column: String = "matrix_10_mean") -> ReportedNumber {
      results.sizes.number(column, where: ["size": "\(size)"], .percent(1))
    }
    document.heading("Split sizes: where the groups fall")
    document.predict(
      Prediction(
        #"""
        $A$ is 21 wide and $G$ is 20 wide. With $d = 20$ only the bias is cut off, and $G$ stays whole. Compare what the splits 10 and 20 remove from $A \otimes G$ after 10 iterations.
        """#,
        options: [
          "Split 20 removes almost nothing: one coordinate of 21 does not matter.",
          "Split 20 removes about half of what split 10 removes.",
          "Both remove about the same.",
        ],
        answer: #"""
          **B.** Split 10 removes \#(matrix(10)), split 20 removes \#(matrix(20)). The row and column of the bias are $\mu$: they are the large mean direction once more. Split 11, which is 1 larger than split 10, puts the bias into a group, and removes \#(matrix(11)).
          """#))
    document.figure(
      Figure(
        "sizes", results.measurement.sizesFigure(results.sizes),
        caption: #"""
          The split's error by its size $d$, for layers 2 to 4 together. (a) $A \otimes G$. (b) The inverse of $(A + \lambda I) \otimes (G + \lambda I)$ with the same $\lambda$ as in training.
          """#,
        alternativeText: #"""
          Two line charts of the relative Frobenius error against the split size. In both the error falls as the size grows and is zero at size 21. For the matrix it is \#(matrix(1)) at size 1, \#(matrix(10)) at size 10 and \#(matrix(20)) at size 20 after 10 iterations; for the inverse the curve after 50 iterations lies above the one after 10.
          """#, tables: ["sizes"]))
    document.paragraph(
      #"""
      A group size is not only a number of operations. It decides which neighbours stay together, and neighbours in a hidden layer are an accident of the start. The next section moves them.
      """#)
  }

  static func bases(_ document: inout ChapterDocument, _ results: SplitResults) {
    func error(_ basis: String, _ format: NumberFormat = .percent(1)) -> ReportedNumber {
      results.bases.number("matrix", where: ["basis": basis], format)
    }
    document.heading("Order and basis")
    document.paragraph(
      #"""
      Hidden units have no natural order. Exchange two of them, with their incoming and outgoing weights, and the network computes the same function; here no output changes by more than \#(results.outputChange). KFAC does not notice either: if the inputs of a layer are changed by an orthogonal matrix, even its damped step changes by the same matrix (property P-73), and an exchange is one. The split notices (property P-131), because other pairs of units share a group.
      """#)
    document.table(
      DocumentTable(
        results.bases,
        caption: #"""
          The split of size 10 on the first seed after 10 iterations, in other coordinates. Orders act on the units; the last two rows change the basis of each factor.
          """#,
        columns: [
          .init("basis", "coordinates"), .init("matrix", "error of the matrix", .significant(3)),
          .init("inverse", "error of the damped inverse", .significant(3)),
        ]))
    document.paragraph(
      #"""
      Random orders of one network lie between \#(error("best of 500 random orders")) and \#(error("worst of 500 random orders")). A search that exchanges two units whenever that helps reaches \#(error("order found by exchanging units")). So order matters, and a better one costs nothing at run time. But none that we found makes the split's error small: the mean direction touches every group whatever the order.
      """#)
    document.paragraph(
      #"""
      One basis makes it vanish. In the eigenvectors of $A$ and of $G$ both factors are diagonal, and a diagonal matrix loses nothing to any split, even $d = 1$. What the table shows there is rounding. But to find the eigenvectors costs more than the inverse that the split wanted to avoid. EKFAC ([chapter 07](07-ekfac.md)) pays for that basis and uses it for more. A random rotation is hardly better than the units. "Diagonal blocks" mean nothing without a basis.
      """#)
  }

  static func curve(_ document: inout ChapterDocument, _ results: SplitResults) {
    document.heading("All readings at once: a specification curve")
    document.paragraph(
      #"""
      Our setting is one of many that fit the paper's words. A *specification curve* runs all of them and shows every result, so that no choice can be made to please. We cross: three readings of the layers, seven starts (He; Glorot, with variance 2 over inputs plus outputs; normal starts of five widths, as the paper says of its experiments that starts are normal), two activations, four ways of training, two kinds of labels, bias in $A$ or not, $\lambda$ outside the compared matrices, on each factor as above, or on the block, $A \otimes G + \lambda I$, and six norms: the four of the table, the largest entry relative to that of $\tilde F$, and $1 - \lVert \hat F \rVert_2 / \lVert \tilde F \rVert_2$ (Equation 11). Not all exist together (the damped inverse needs $\lambda$ on each factor, and a run may diverge); \#(results.readings) readings of one seed remain.
      """#)
    document.predict(
      Prediction(
        #"""
        Count a reading as a hit if its error lies between \#(given: "3 % and 7 %") after 10 iterations and between \#(given: "0.5 % and 2 %") after 50. Which share of the readings are hits?
        """#,
        options: [
          "About a tenth: the sentence holds for the right reading.",
          "About one in a hundred.",
          "Fewer than one in a thousand.",
        ],
        answer: #"""
          **C.** \#(results.both) of the readings are hits. \#(results.five) have the first number and \#(results.one) have the second, but they are nearly always different readings. \#(results.halved) fall by a factor of two or more, and the paper's sentence needs a factor of five.
          """#))
    document.figure(
      Figure(
        "density", results.curve.densityFigure,
        caption: #"""
          Every reading as a point in the plane of its two errors. On the dashed line nothing changes between 10 and 50 iterations. Readings with an error outside the plane are not drawn.
          """#,
        alternativeText: #"""
          A density plot with logarithmic axes from ten to the minus five to ten. Readings crowd along the diagonal and above it, from small errors to errors near one. The small box of the paper's sentence lies below the diagonal, and only \#(results.both) of the readings are in it.
          """#, tables: ["curve-density"]))
    document.figure(
      Figure(
        "curve", results.curve.curveFigure,
        caption: #"""
          The same errors sorted, each iteration by itself. Half of the readings are below \#(results.median10) after 10 iterations and below \#(results.median50) after 50.
          """#,
        alternativeText: #"""
          Two rising curves of sorted errors on a logarithmic axis. The curve after 50 iterations lies near the curve after 10, with medians \#(results.median50) and \#(results.median10); both cross the printed lines at small shares.
          """#, tables: ["curve-quantiles"]))
    document.paragraph(
      #"""
      So each printed number occurs, and almost never both in one run. What decides the error? The table gives for each choice the share of the variance of the logarithm of the error that lies between the means of its levels.
      """#)
    let shown = results.curve.variance.rows.indices.filter { row in
      guard case .text(let scope) = results.curve.variance.rows[row][0],
        case .text(let choice) = results.curve.variance.rows[row][1]
      else { return false }
      return scope == "all norms" && choice != "seed"
    }
    document.table(
      DocumentTable(
        results.curve.variance,
        caption:
          #"Share of variance, one choice at a time; what is missing from 1 is their interplay."#,
        columns: [
          .init("choice", "choice"), .init("after_10", "10 iterations", .percent(1)),
          .init("after_50", "50 iterations", .percent(1)),
        ], rows: shown))
    document.paragraph(
      #"""
      Whether $\lambda$ is part of the compared matrices matters most. On the block it is also the cheapest way to a small error: $\lambda I$ is diagonal, no split touches it, and it enlarges the denominator. The start matters too. With a normal start of standard deviation \#(given: SplitMeasurement.SmallStart.deviation) the error after 10 iterations is only \#(results.smallError), and it is no merit of the split: hardly any gradient reaches layers 2 and 3, so these two hold \#(results.smallLayer) of the squared norm and layer 4 the rest. Its $G$ is 10 wide and not split, and the bias entry alone holds \#(results.smallBias) of the squared norm of its $A$. A small error can mean that the network has not begun to learn.
      """#)
    document.caveat(
      #"""
      This does not show that the paper's numbers are wrong. It shows that its text does not determine them, and that on our data the readings we could think of rarely give both. MNIST itself, another batch, or a choice that nobody wrote down may. The full crossing, with more trainings, activations and five seeds, is in [reproduction/specification-curve](reproduction/specification-curve/CLAIM.md), and says the same.
      """#)
    document.tryIt(
      #"Change the windows of a hit, and see how fast the count moves. These are the readings in relative Frobenius norm."#,
      code: #"""
        curve = pd.read_csv(DATA / "09-curve-frobenius.csv")
        five = curve["at_10"].between(0.03, 0.07)
        one = curve["at_50"].between(0.005, 0.02)
        print(f"{len(curve)} readings: {five.sum()} near 5 %, {one.sum()} near 1 %, "
              f"{(five & one).sum()} both")
        print(curve.groupby("λ in the matrices")[["at_10", "at_50"]].median())
        assert (five & one).sum() <= min(five.sum(), one.sum())
        # λ on the block is diagonal: it only enlarges the denominator.
        by = curve.pivot_table(index=["layers", "start", "activation", "training"],
                               columns="λ in the matrices", values="at_10")
        assert (by["on the block"] <= by["out"] + 1e-12).all()
        """#)
  }

  static func exercises(_ document: inout ChapterDocument) {
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "what the split can see",
        question: #"""
          Which change of a hidden layer leaves $\lVert A - \hat A \rVert_F$ as it is: (a) exchange two units of different groups, (b) flip the sign of one unit, so that its row and column of $A$ change sign, (c) rotate two units of different groups by 45 degrees? Set `answer` to the letter.
          """#,
        starter: #"answer = None"#,
        check: #"""
          A = factors["A3_10"]
          lost = lambda M: np.linalg.norm(M - split(M, 10))
          exchange = np.eye(21)
          exchange[[3, 14]] = exchange[[14, 3]]
          flip = np.diag([-1.0 if i == 3 else 1.0 for i in range(21)])
          turn = np.eye(21)
          turn[np.ix_([3, 14], [3, 14])] = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
          changes = {"a": exchange, "b": flip, "c": turn}
          assert answer in changes, "one of the letters a, b, c"
          Q = changes[answer]
          assert abs(lost(Q @ A @ Q.T) - lost(A)) < 1e-10, "this one changes what is lost"
          """#,
        solution: #"answer = "b""#,
        explanation: #"""
          A flipped sign changes no magnitude, so no square changes (property P-131). An exchange moves entries in or out of the blocks, and a rotation mixes coordinates of different groups.
          """#))
    document.exercise(
      Exercise(
        .changeANumber, "three splits without a large matrix",
        question: #"""
          Write `split_error(A, G, d)`, the relative Frobenius error of the split of $A \otimes G$, from $A$ and $G$ alone. The check compares with the full product for $d$ = 5, 10 and 20, and does not let you call `np.kron`.
          """#,
        starter: #"""
          def split_error(A, G, d):
              raise NotImplementedError
          """#,
        check: #"""
          from unittest import mock

          A, G = factors["A2_50"], factors["G2_50"]
          for d in (5, 10, 20):
              whole = np.kron(A, G)
              cut = np.kron(split(A, d), split(G, d))
              truth = np.linalg.norm(whole - cut) / np.linalg.norm(whole)
              with mock.patch.object(np, "kron", side_effect=AssertionError("without np.kron")):
                  found = split_error(A, G, d)
              assert abs(found - truth) < 1e-9, f"d = {d}: {found:.4f} is not the error"
          assert split_error(A, G, 21) < 1e-7
          """#,
        solution: #"""
          def split_error(A, G, d):
              kept = [np.sum(split(M, d) ** 2) / np.sum(M ** 2) for M in (A, G)]
              return np.sqrt(max(0.0, 1 - kept[0] * kept[1]))
          """#,
        explanation: #"""
          The kept share of the squares of $A \otimes G$ is the product of the kept shares of $A$ and of $G$, because $\lVert A \otimes G \rVert_F = \lVert A \rVert_F \lVert G \rVert_F$. What is lost is 1 minus that, and the error is its root.
          """#))
    document.exercise(
      Exercise(
        .breakIt, "make the split as bad as it can be",
        question: #"""
          Build a symmetric positive semi-definite $20 \times 20$ matrix `A` for which the split of size 10 removes as much as possible: $\epsilon_A^2$ must come within a thousandth of one half. Which mean and which covariance of the inputs would do that? (For two groups it cannot be more: each off-diagonal block of such a matrix has a squared norm of at most the product of the norms of the two diagonal blocks.)
          """#,
        starter: #"A = np.eye(20)"#,
        check: #"""
          assert A.shape == (20, 20) and np.abs(A - A.T).max() <= 1e-9 * np.abs(A).max()
          values = np.linalg.eigvalsh(A)
          assert values.min() > -1e-9 * values.max(), "not positive semi-definite"
          lost = np.sum((A - split(A, 10)) ** 2) / np.sum(A ** 2)
          assert lost <= 0.5 + 1e-9
          assert lost > 0.499, f"the split removes only {lost:.3f} of the squares"
          """#,
        solution: #"A = np.ones((20, 20))"#,
        explanation: #"""
          All entries equal: this is $\mu \mu^\top$ for twenty units with the same mean, the extreme case of the second section. Any rank-one matrix whose two halves have equal norm does the same.
          """#))
  }

  static func ending(_ document: inout ChapterDocument) {
    document.mistakes([
      MistakeHint(
        "M-60",
        #"The split is applied to $A$ only, with two different sizes, or the last, smaller block is dropped: some off-block entries are not zero, or trailing rows are."#
      ),
      MistakeHint(
        "M-61",
        #"The inverse is split instead of the matrix: $P_d(A^{-1})$ is never smaller than $P_d(A)^{-1}$, and equal only if nothing is lost."#
      ),
      MistakeHint(
        "M-12",
        #"The bias coordinate is missing: $A$ is 20 wide, the groups fit, and the error for $d = 20$ is zero."#
      ),
      MistakeHint(
        "M-15",
        #"$A$ is centred: its last row and column are zero, and the split looks much better than it is."#
      ),
    ])
    document.references([
      #"Chen et al., *THOR, Trace-Based Hardware-Driven Layer-Oriented Natural Gradient Descent Computation*, AAAI 2021: section “Hardware-driven Matrix Split”, Equation 10, Figure 4 with its caption, and the paragraph beside it."#,
      #"Martens and Grosse, *Optimizing Neural Networks with Kronecker-factored Approximate Curvature*, 2015, section 3: the factors and the exact layer blocks."#,
      #"Simonsohn, Simmons and Nelson, *Specification curve analysis*, Nature Human Behaviour 4, 2020: the method of the last section."#,
      #"The suite's specification, sections 7.4 and 7.10; properties P-119 and P-131 run in `swift test`."#,
    ])
  }
}
