import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// The second step of KFAC: what its error depends on, where it is zero, and which scale it needs.
extension KFACChapter {
  // MARK: Data and dependence

  static func onWhatItDepends(
    _ measured: KFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) {
    let table = measured.growthTable
    document.data(table)
    func median(_ layer: Int, _ count: Int) -> ReportedNumber {
      table.number("median", where: ["layer": "\(layer)", "examples": "\(count)"], .percent(0))
    }
    document.heading("More data do not help")
    document.predict(
      Prediction(
        #"""
        Now only the second step, in one layer. Compute $F_\ell$ and $A \otimes G$ from the same \#
        $N$ examples, chosen at random. How does the relative error change as $N$ grows from 1 to \#
        \#(given: KFACMeasurement.Growth.counts.last!)?
        """#,
        options: [
          #"it falls like $1/\sqrt N$, as errors of averages do"#,
          "it is zero at first, grows, and stays",
          "it is about the same for every N",
          "it grows without a limit",
        ],
        answer: #"""
          B. In layer 3 the median is \#(median(3, 1)) with one example, \#(median(3, 2)) with \#
          two, \#(median(3, 16)) with 16, and \#(median(3, 1024)) with 1024. One example has \#
          nothing to average, so the mean of the products is the product of the means.
          """#))
    document.figure(
      Figure(
        "growth", measured.growthFigure,
        caption: #"""
          The error of $A \otimes G$ against the number of examples that both matrices are made of.
          """#,
        alternativeText: #"""
          Three curves over the number of examples from 1 to 1024, one for each layer. All start \#
          at zero error with one example, jump with two, and level off: layer 3 at \#
          \#(median(3, 1024)), layer 4 at \#(median(4, 1024)). None of them falls towards zero.
          """#,
        tables: ["growth"]))
    document.tryIt(
      "Draw the medians yourself. These bands go from the least to the greatest of 20 choices.",
      code: #"""
        for layer, rows in growth.groupby("layer"):
            plt.fill_between(rows["examples"], rows["least"], rows["greatest"], alpha=0.15)
            plt.plot(rows["examples"], rows["median"], label=f"layer {layer}")
            assert rows["median"].iloc[0] == 0 and rows["median"].iloc[-1] > 0.1
        plt.xscale("log")
        plt.xlabel("examples")
        plt.ylabel("relative error of KFAC")
        plt.legend()
        plt.show()
        """#)
    document.paragraph(
      #"""
      So KFAC's error is not noise that more data remove. It is a property of the network and the \#
      data distribution. The exact formula says which property. Subtract the product of the means \#
      from the mean of the products (multiply out: three of the four sums are $\pm A \otimes G$; \#
      P-55, tested in `swift test`):
      """#)
    document.mathematics(
      #"F_\ell - A \otimes G = \frac1N \sum_n \left(\bar a_n \bar a_n^\top - A\right) \otimes \left(\Gamma_n - G\right) ."#
    )
    document.paragraph(
      #"""
      This is a covariance over the examples, between the matrix $\bar a \bar a^\top$ and the \#
      matrix $\Gamma$. KFAC is exact when one of the two is the same for all examples, and it is \#
      good when they vary independently of each other. With two examples the sum has a closed \#
      form, $\frac14 (\bar a_1 \bar a_1^\top - \bar a_2 \bar a_2^\top) \otimes (\Gamma_1 - \#
      \Gamma_2)$: a difference of inputs times a difference of gradients. Taking traces gives the \#
      error of the total size (P-56):
      """#)
    document.mathematics(
      #"\mathrm{tr}\, F_\ell - \mathrm{tr}\, A \; \mathrm{tr}\, G = \mathrm{Cov}_n\left(\lVert \bar a_n \rVert^2, \; \mathrm{tr}\, \Gamma_n\right) ."#
    )
    pairs(measured, &document, &findings)
  }

  private static func pairs(
    _ measured: KFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) {
    let table = measured.pairingTable
    document.data(table)
    let largest = findings.report(
      "largest correlation", measured.largestCorrelation,
      "largest correlation of an input entry with a gradient entry, model's labels; 0 is round-off")
    func real(_ column: String, _ layer: Int, _ format: NumberFormat) -> ReportedNumber {
      table.number(column, where: ["layer": "\(layer)", "setting": ""], format)
    }
    let chance = findings.report(
      "shuffled error layer 2", measured.shuffledErrors[0],
      "median error of A ⊗ G in layer 2 over 20 random pairings of inputs and gradients",
      .percent(0))
    let inClass = findings.report(
      "shuffled within classes, layer 2", measured.withinClassErrors[0],
      "the same over 20 random pairings within the predicted classes", .percent(0))
    document.heading("It is the pairs that matter")
    document.paragraph(
      #"""
      The product of means is often motivated by inputs $\bar a$ and gradients $g$ that are \#
      independent, or at least uncorrelated. Under the exact Fisher they are always uncorrelated: \#
      the gradient of an example averages to zero over the model's own labels (chapter 02), \#
      whatever its input is. Measured on our \#
      network, the largest correlation of any entry of $\bar a$ with any entry of $g$ is \#
      \#(largest), to round-off. The error is there all the same. What counts is how the \#
      *products* vary together: those of inputs in $\bar a \bar a^\top$ with those of gradients \#
      in $\Gamma$.
      """#)
    document.paragraph(
      #"""
      An experiment shows it. $A$ and $G$ do not know which input came with which gradient. So \#
      give the inputs of a layer to the gradients of other examples: $A \otimes G$ stays the \#
      same, and $F_\ell$ becomes that of other data. We can choose the pairs so that large inputs \#
      meet large gradients, or small ones, or draw them by chance.
      """#)
    document.figure(
      Figure(
        "pairings", measured.pairingFigure,
        caption: #"""
          Errors of the same $A \otimes G$ against the blocks $F_\ell$ of re-paired data, seed 1. \#
          Square marker: the pairs as they are.
          """#,
        alternativeText: #"""
          Three panels, one for each layer, over the correlation of squared input length and \#
          gradient size. With pairs sorted by size the error is smallest near correlation zero \#
          and grows to both sides. The real pairs lie well above these curves: in layer 2 at a \#
          correlation of \#(real("correlation", 2, .fixed(2))) the error is \#
          \#(real("error", 2, .percent(0))).
          """#,
        tables: ["pairings"]))
    document.paragraph(
      #"""
      Look at layer 2. Pairs by chance leave an error of \#(chance) (median of 20): that much \#
      dependence remains in \#(given: 256) examples. The real pairs have \#
      \#(real("error", 2, .percent(0))), although the correlation of the sizes is only \#
      \#(real("correlation", 2, .fixed(2))) and the trace of KFAC is \#
      \#(real("trace", 2, .fixed(2))) times the right one. Size is one number; the error has many \#
      more directions. Is it the classes, whose examples have similar inputs and similar \#
      gradients? Only in small part: if we shuffle only among examples of the same predicted \#
      class, which keeps what is due to the class, the error falls to \#(inClass), near to that \#
      of chance. Most of the dependence is between the input and the \#
      gradient of the single example. In layers 3 and 4 the sizes do matter: their correlations \#
      are \#(real("correlation", 3, .fixed(2))) and \#(real("correlation", 4, .fixed(2))). \#
      Examples with large inputs have small $\Gamma$ there, so the trace of KFAC is too large \#
      (\#(real("trace", 4, .fixed(2))) times in layer 4).
      """#)
    document.tryIt(
      #"""
      The last layer's block can be made from its inputs and the predicted probabilities, since \#
      $\Gamma_n = \mathrm{diag}(p_n) - p_n p_n^\top$ there. The mean of $F_\ell$ over all cyclic \#
      shifts of the pairs is exactly $A \otimes G$: KFAC is the average over data whose pairs \#
      were forgotten.
      """#,
      code: #"""
        a, p = layer4["inputs"], layer4["probabilities"]
        n = a.shape[1]
        outer = np.einsum("in,jn->nij", a, a).reshape(n, -1)
        gamma = np.array([np.diag(q) - np.outer(q, q) for q in p.T]).reshape(n, -1)

        # Row (j, j'), column (i, i') of these matrices: entry ((j, i), (j', i')) of the block.
        exact = outer.T @ gamma / n
        kfac = np.outer(outer.mean(axis=0), gamma.mean(axis=0))
        error = np.linalg.norm(kfac - exact) / np.linalg.norm(exact)
        np.testing.assert_allclose(error, dropped["layer4"][0], rtol=1e-9)

        shifted = sum(outer.T @ np.roll(gamma, s, axis=0) / n for s in range(n)) / n
        np.testing.assert_allclose(shifted, kfac, atol=1e-12)
        print(f"error of KFAC {error:.4f}; the mean over all shifts is KFAC")
        """#)
  }

  // MARK: Exactness

  static func whereItIsExact(
    _ measured: KFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) throws {
    let table = try KFACExactness.table()
    document.data(table)
    document.heading("Where KFAC is exact")
    document.paragraph(
      #"""
      The covariance formula tells when nothing is lost. We try them on networks with 7, 5, 3 and \#
      3 units, small enough to compare all entries. An error of 0 means less than \#
      \#(given: KFACMeasurement.roundOff), which is round-off.
      """#)
    document.table(
      DocumentTable(
        table,
        caption: #"""
          Relative errors of $A \otimes G$: the worst hidden layer, the last layer, and the whole \#
          matrix when the blocks between layers are replaced by Kronecker products too. A dash: \#
          the block is zero.
          """#,
        columns: [
          .init("setting", "setting"), .init("examples", "N"), .init("activation", "activation"),
          .init("loss", "loss"), .init("fisher", "Fisher"), .init("hidden", "hidden layers"),
          .init("last", "last layer"), .init("whole", "whole matrix"),
        ]))
    let sampled = table.number("hidden", row: 7, .percent(0))
    let linear = table.number("hidden", row: 8, .percent(0))
    let softmax = table.number("hidden", row: 9, .percent(0))
    document.list([
      #"""
      **One example** (P-48): nothing varies over the examples. Any network, any loss, any of the \#
      three Fishers, and the blocks between layers too. The empirical Fisher of one example is \#
      the plainest case: a single column $\bar a \otimes g$.
      """#,
      #"""
      **Copies of one example** (P-49): the number $N$ is not what matters, variation is.
      """#,
      #"""
      **Deep linear network, Gaussian loss, exact Fisher** (P-50): $\Gamma_n$ is a product of \#
      weight matrices and depends on no example, so all blocks are exact, also those between \#
      layers. All three conditions are needed. With the empirical Fisher the hidden layers are \#
      off by \#(linear) (P-51), and with sampled labels by \#(sampled), since $\Gamma_n$ then \#
      holds the residual or the sample of the example; with a softmax by \#(softmax), since it \#
      then holds the probabilities.
      """#,
      #"""
      **Last layer, Gaussian loss, any network** (P-52): $\Gamma_n$ is the identity over the \#
      variance.
      """#,
      #"""
      **Last layer zero, softmax** (P-53): all predictions are uniform, so $\Gamma_n$ is \#
      constant. A network that starts with a zero last layer starts with an exact last block.
      """#,
    ])
    document.paragraph(
      #"""
      The table is also a test plan for your own code, with one warning. The two tests that are \#
      easiest to write, one example and the deep linear network, cannot see every mistake. With \#
      $N = 1$ a sum and a mean are the same, so every mistake of sum against mean passes. With \#
      identity activations a forgotten derivative passes.
      """#)
  }

  // MARK: Scale

  static func sumOrMean(
    _ measured: KFACMeasurement, _ document: inout ChapterDocument, _ findings: inout Findings
  ) throws {
    let state = measured.states[0]
    func layer3(_ indices: [Int]) -> GradientSamples {
      GradientSamples(
        state.network, state.batch.subset(indices), likelihood: .categorical, kind: .exact,
        blocks: [2])
    }
    let table = try KFACScales.table(
      one: layer3([0]), two: layer3([0, 1]), all: layer3(Array(0..<state.batch.count)),
      gradient: LossGradient(state.network, state.batch, .categorical).gradient.blocks[2])
    document.data(table)
    let cosine = table.number("cosine", row: 3, .fixed(2))
    document.heading("Sum or mean")
    document.paragraph(
      #"""
      $F$, $A$ and $G$ are means over the examples here, and $g$ is the gradient of one example's \#
      own loss. Programs often have something else at hand: sums, or gradients of the mean loss, \#
      which carry a factor $1/N$ already. Then the product is wrong by a power of $N$. The table \#
      shows what this does to the matrix, and to the step with a damping $\lambda$ added before \#
      the inversion ([chapter 06](06-damping.md)). The numbers M-… are mistakes of the list at \#
      the end. On layer 3 with $N =$ \#(given: 256):
      """#)
    document.table(
      DocumentTable(
        table,
        caption: #"""
          Wrong powers of $N$: relative error against the exact block with 1, 2 and \#
          \#(given: 256) examples; angle and length of the step with the damping \#
          $\lambda =$ \#(given: KFACScales.lambda), shared by the factors (factored Tikhonov), \#
          against the step with means.
          """#,
        columns: [
          .init("variant", "computed"), .init("mistake", "mistake"),
          .init("power", "power of N"), .init("error1", "error, N = 1"),
          .init("error2", "error, N = 2"), .init("errorAll", "error, all"),
          .init("cosine", "cosine of steps"), .init("length", "length ratio"),
        ]))
    document.paragraph(
      #"""
      One example sees none of these mistakes; two examples see all of them. In a step a wrong \#
      scale $c$ does two things: $(c\,A \otimes G + \lambda I)^{-1} = \frac1c (A \otimes G + \#
      \frac{\lambda}{c} I)^{-1}$, so the step is divided by $c$ and so is the damping. The same \#
      holds for factored Tikhonov, which sees only the product of the two scales (P-65): the \#
      second and third row are equal. A large $c$ removes the damping, a small one leaves the \#
      plain gradient. With both sums the step's cosine with the right one is \#(cosine), though \#
      $A \otimes G$ is right but for one number. This is why a scale mistake can pass for a badly \#
      tuned $\lambda$.
      """#)
  }
}
