import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Chapter 09: what THOR's hardware split removes, and how Figure 4 can be read.
enum SplitChapter {
  static let chapter = Chapter(
    9, "thor-split", title: "THOR I: splitting (Figure 4)",
    goal: "Measure what the split removes from KFAC, and see how much of the answer is a choice.",
    minutes: 80, prerequisites: [5, 6], seedItem: "THOR Equation 10 and Figure 4"
  ) { context in
    let results = try SplitResults(context)
    var document = ChapterDocument(conventions(results), setup: setup)
    opening(&document, results)
    mean(&document, results)
    measures(&document, results)
    sizes(&document, results)
    bases(&document, results)
    curve(&document, results)
    exercises(&document)
    ending(&document)
    for table in results.tables { document.data(table) }
    document.data("factors", results.arrays)
    return document
  }

  private static let setup = #"""
    errors = pd.read_csv(DATA / "09-errors.csv")
    sizes = pd.read_csv(DATA / "09-sizes.csv")
    numbers = pd.read_csv(DATA / "09-numbers.csv").set_index("name")["value"]
    factors = np.load(DATA / "09-factors.npz")  # A2_10, G2_10, ..., G4_50: first seed

    def split(M, d):
        """Keep the diagonal blocks of size d, zero the rest (Equation 10)."""
        group = np.arange(len(M)) // d
        return np.where(group[:, None] == group[None, :], M, 0.0)
    """#

  private static func conventions(_ results: SplitResults) -> ConventionCard {
    let options = results.measurement.options
    return ConventionCard([
      "Network":
        #"\#(given: "784-20-20-20-10"), ReLU, He start (normal weights of variance 2 over the number of inputs), on Fashion-MNIST, batches of \#(given: options.batch)"#,
      "Compared layers":
        #"weight layers 2, 3 and 4 (the reading the text calls i): $20 \to 20$, $20 \to 20$, $20 \to 10$"#,
      "Training":
        #"KFAC on these layers with $\lambda$ = \#(given: options.trainingLambda) on each factor, gradient descent on layer 1; rate \#(given: options.learningRate); \#(given: options.seeds.count) seeds"#,
      "Split": #"both factors into consecutive groups of $d = 10$; the last group is what remains"#,
    ])
  }

  private static func opening(_ document: inout ChapterDocument, _ results: SplitResults) {
    document.heading("The question")
    document.paragraph(
      #"""
      KFAC ([chapter 05](05-kfac.md)) replaces the Fisher block of a layer by a Kronecker product $\tilde F = A \otimes G$. Here $\bar a$ is the layer's input with a 1 appended for the bias, $g$ is the gradient of the loss with respect to the layer's output before the activation, $A$ is the mean of $\bar a \bar a^\top$ and $G$ is the mean of $g g^\top$. The inverse is $A^{-1} \otimes G^{-1}$, so only two small matrices are inverted.
      """#)
    document.paragraph(
      #"""
      THOR makes the small matrices smaller. It cuts the coordinates into groups of $d$ and keeps only the diagonal blocks (THOR, Equation 10). We write $P_d(M)$ for a matrix with everything outside these blocks set to zero, and
      """#)
    document.mathematics(
      #"\hat A = P_d(A), \qquad \hat G = P_d(G), \qquad \hat F = \hat A \otimes \hat G ."#)
    document.paragraph(
      #"""
      An $n \times n$ inverse costs about $n^3$ operations; the split one costs about $n d^2$, for $n/d$ blocks of $d^3$. That is the gain. This chapter measures the price. The paper shows it in Figure 4: KFAC's matrix, the split one, and their absolute difference, for a small network with $d = 10$. The text beside the figure says that the errors \#(printed: "“are around 5% after 10 iterations”") and that the difference \#(printed: "“reduces to 1% after 50 iterations”").
      """#)
    document.source(SourceExcerpt("Sources/DenseAlgebra/Pinching.swift", "pinching"))
    document.predict(
      Prediction(
        #"""
        The split keeps two blocks of 10 of the 20 hidden units in each factor, and the bias alone. How much of $\tilde F$ does it remove after 10 iterations, measured as $\lVert \tilde F - \hat F \rVert_F / \lVert \tilde F \rVert_F$, where $\lVert \cdot \rVert_F$ is the root of the sum of squared entries?
        """#,
        options: [
          #"\#(printed: "Around 5 %"), as the paper prints."#,
          "About a fifth: hidden units are only weakly correlated.",
          "More than half.",
        ],
        answer: #"""
          C. It is \#(results.frobenius10), the mean over the seeds, and \#(results.frobenius50) after 50 iterations. The next section says why.
          """#))
    document.figure(
      Figure(
        "panels", results.measurement.panels,
        caption: #"""
          Panels of the paper's Figure 4 on our network: $\tilde F$, $\hat F$ and the difference. What (c) shows is not faint: its largest entry is \#(results.relativeLargest10) of the largest entry of (a) after 10 iterations. In the paper the entries of panel (c) cannot be read as numbers, so the two figures cannot be compared entry by entry.
          """#,
        alternativeText: #"""
          Six heat maps of 1050 by 1050 entries with dashed lines between three layers, after 10 and 50 iterations. KFAC fills three square blocks on the diagonal; the split keeps a finer pattern of small blocks in them; the difference fills the rest, and holds \#(results.frobenius10) of the Frobenius norm after 10 iterations.
          """#, tables: ["errors"]))
  }

  private static func mean(_ document: inout ChapterDocument, _ results: SplitResults) {
    document.heading("Why so much: the mean of the inputs")
    document.paragraph(
      #"""
      The paper argues from independence: different groups of inputs are assumed independent. For $A$ that is not enough. $A$ is a second moment, not a covariance. With $\mu$ the mean of $\bar a$ and $C$ its covariance,
      """#)
    document.mathematics(
      #"A = C + \mu \mu^\top, \qquad \mathbb{E}[a_s a_t^\top] = \mathbb{E}[a_s] \, \mathbb{E}[a_t]^\top \ \text{ for independent groups } s, t ."#
    )
    document.paragraph(
      #"""
      Outputs of ReLU are never negative, so $\mu$ is far from zero, and $\mu \mu^\top$ fills the off-diagonal blocks even if the groups are independent. In our layers $\lVert \mu \mu^\top \rVert_F / \lVert A \rVert_F$ is \#(results.meanShare) after 10 iterations, and $A$ is close to a matrix of rank one, as the cell below shows. The last column of $A$ is $\mu$ itself, because the last coordinate of $\bar a$ is always 1. So you can read the mean off a factor that somebody else computed.
      """#)
    document.paragraph(
      #"""
      For $G$ it is different. With the exact Fisher the mean of $g$ over the model's own labels is zero for every example (chapter 02), so independent groups would have zero blocks. They are not independent either: the split removes \#(results.outputShare) of $G$ and \#(results.inputShare) of $A$ in Frobenius norm. The units are correlated too: from the covariance $C$ alone it would remove \#(results.centredShare). Two errors combine in a closed form (property P-119): with $\epsilon_A = \lVert A - \hat A \rVert_F / \lVert A \rVert_F$, and $\epsilon_G$ in the same way, each layer of one run has
      """#)
    document.mathematics(
      #"\frac{\lVert A \otimes G - \hat A \otimes \hat G \rVert_F}{\lVert A \otimes G \rVert_F} = \sqrt{1 - (1 - \epsilon_A^2)(1 - \epsilon_G^2)} ."#
    )
    document.paragraph(
      #"""
      The reason is that $P_d$ is an orthogonal projection: $\hat A$ and $A - \hat A$ share no entry, so their squares add up. (The percentages above are means over layers and seeds, and need not fit it.) No large matrix is needed. The suite computes every Frobenius error of this chapter in this way, including $\lambda$ on the diagonal.
      """#)
    document.source(
      SourceExcerpt(
        "Sources/Experiments/Reproduction/Items/SplitError.swift", "split-squares"))
    document.tryIt(
      #"Read $\mu$ off the last column of $A$, and check the closed form against a full Kronecker product."#,
      code: #"""
        A, G = factors["A3_10"], factors["G3_10"]
        mu = A[:, -1]
        share = np.linalg.norm(np.outer(mu, mu)) / np.linalg.norm(A)
        print(f"share of the mean in A: {share:.3f}")
        rank_one = np.linalg.eigvalsh(A)[-1] / np.linalg.norm(A)
        print(f"largest eigenvalue of A over its norm: {rank_one:.3f}")
        assert rank_one > 0.9 and abs(A[-1, -1] - 1) < 1e-12
        assert np.linalg.eigvalsh(A - np.outer(mu, mu)).min() > -1e-10  # a covariance

        whole, cut = np.kron(A, G), np.kron(split(A, 10), split(G, 10))
        direct = np.linalg.norm(whole - cut) / np.linalg.norm(whole)
        eA = np.linalg.norm(A - split(A, 10)) / np.linalg.norm(A)
        eG = np.linalg.norm(G - split(G, 10)) / np.linalg.norm(G)
        np.testing.assert_allclose(
            direct, np.sqrt(1 - (1 - eA**2) * (1 - eG**2)), rtol=1e-10)
        print(f"layer 3, split 10: {direct:.3f}")
        """#)
  }

  private static func measures(_ document: inout ChapterDocument, _ results: SplitResults) {
    document.heading("Four measures, and what the paper leaves open")
    document.paragraph(
      #"""
      "Error" needs a norm, and the paper names none. The text leaves open more than that:
      """#)
    document.list([
      #"**The input.** The caption prints \#(printed: "768-20-20-20-10"), but an MNIST image has $28 \times 28 = 784$ pixels. We use 784."#,
      #"**The layers.** \#(printed: "“The middle three layers”") of a network with four weight layers. Reading i: layers 2 to 4, which do not touch the pixels; with bias their blocks are 420, 420 and 210 wide, 1050 together. Reading ii: one hidden layer is missing in print, and the three layers $20 \to 20$ are meant. Reading iii: layers 1 to 3."#,
      #"**The bias.** With it $A$ is 21 wide, so $d = 10$ leaves blocks of 10, 10 and 1: the bias is cut from all units."#,
      #"**The labels** of the Fisher: the model's own (our choice) or those of the data."#,
      "**Which error**: of each approximation against the exact Fisher, or of one against the other.",
      #"Activation, start, optimizer, rate, $\lambda$, batch and data beyond the name MNIST. We use Fashion-MNIST, which ships with the suite."#,
    ])
    document.table(
      DocumentTable(
        results.errors,
        caption: #"""
          Four measures under the readings i, ii and iii, means over the seeds. The largest entry of the difference is absolute; the others are relative. The spectral norm is the largest singular value; the damped inverse is that of $(A + \lambda I) \otimes (G + \lambda I)$. The seeds differ: in the first row they lie between \#(results.leastFrobenius10) and \#(results.greatestFrobenius10) after 10 iterations. The spectral norm is not computed for reading iii, whose first factor is 785 wide.
          """#,
        columns: [
          .init("layers", "layers"), .init("measure", "measure"),
          .init("mean_10", "10 iterations", .fixed(3)),
          .init("mean_50", "50 iterations", .fixed(3)),
        ]))
    document.paragraph(
      #"""
      In no row do we find \#(printed: "5 %") after 10 iterations, and in no row \#(printed: "1 %") after 50. Two things are worth a second look. First, the measures disagree on the direction. The Frobenius error falls from \#(results.frobenius10) to \#(results.frobenius50). The error of the damped inverse, the matrix that the optimizer applies, grows from \#(results.inverse10) to \#(results.inverse50). Second, the largest entry is not a relative number. It moves with the size of $A$ and $G$: here it goes from \#(results.largest10) to \#(results.largest50) as the trace of $A$ grows from \#(results.traceA10) to \#(results.traceA50) (mean over layers) while the trace of $G$ goes from \#(results.traceG10) to \#(results.traceG50). In a run where the loss and with it $G$ shrink quickly, the same picture would fade without any better approximation. Panel (c) of the paper shows an absolute difference.
      """#)
    document.table(
      DocumentTable(
        results.exact,
        caption:
          #"Relative Frobenius errors of layers 2 to 4. The exact blocks are the true layer blocks of the Fisher; the coupling between layers is left out for all. (Chapter 05 divides by the norm of all of $F$, so its numbers are smaller.)"#,
        columns: [
          .init("approximation", "approximation"), .init("mean_10", "10 iterations", .percent(1)),
          .init("mean_50", "50 iterations", .percent(1)),
        ]))
    document.caveat(
      #"""
      A small distance to $F$ is fidelity. It does not by itself make an optimizer better, nor a large one make it worse. [Chapter 12](12-fair-race.md) compares training.
      """#)
  }
}
