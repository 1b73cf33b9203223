import Experiments

/// Chapter 03: the exact Fisher by enumerating classes, and four other routes to the same matrix.
enum ExactFisherChapter {
  static let chapter = Chapter(
    3, "exact-fisher", title: "The exact FIM, by hand",
    goal: "Compute the Fisher information matrix of a small network in five ways that agree.",
    minutes: 50, prerequisites: [2], seedItem: "THOR Equations 1 to 3"
  ) { context in
    let report = ExactFisherReport(try FiveRoutes(), try SquareOfMean(context))
    var document = ChapterDocument(
      ConventionCard([
        "Network":
          #"""
        5-4-3 with $\tanh$ and softmax, \#(given: FiveRoutes.inputCount) inputs, 39 parameters \#
        with biases; for the last section 784-20-20-20-10 on Fashion-MNIST
        """#,
        "Digits":
          #"$-\log_{10}$ of $\lVert M - F \rVert / \lVert F \rVert$, whole digits, at most 15"#,
      ]),
      setup: ExactFisherCells.setup)
    report.claims(&document)
    byHand(&document, report)
    routes(&document, report)
    differences(&document, report)
    means(&document, report)
    exercises(&document, report)
    for table in report.tables { document.data(table) }
    document.data("small", report.arrays)
    return document
  }

  // MARK: - By hand

  private static func byHand(_ document: inout ChapterDocument, _ report: ExactFisherReport) {
    document.heading("Enumerate classes, add outer products")
    document.paragraph(
      #"""
      Can you trust a Fisher matrix that a program gives you? For a small network you can compute \#
      it yourself, and then once more in a different way. This chapter does it five times.
      """#
    )
    document.paragraph(
      #"""
      A network with parameters $\theta$ gives outputs $z$ for an input $x$, and the softmax $p = \#
      \mathrm{softmax}(z)$ is its distribution over $C$ classes. THOR's Equations 1 to 3 start \#
      from the loss $-\log p(y \mid x, \theta)$ and its gradient. We write $u_{n,c}$ for the \#
      gradient at input $n$ with the label $c$; it needs one backward pass. For the last layer it \#
      is simple: the derivative of $-\log p_c$ in the outputs is $p - e_c$, with $e_c$ the unit \#
      vector of class $c$. The exact Fisher of $N$ inputs takes every class with the model's own \#
      probability ([chapter 02](02-three-fishers.md) has the other choices):
      """#
    )
    document.mathematics(
      #"F = \frac{1}{N} \sum_{n=1}^{N} \sum_{c=1}^{C} p_{n,c} \; u_{n,c} \, u_{n,c}^\top"#)
    document.paragraph("In the program of this chapter the sum for one class is")
    document.source(
      SourceExcerpt(
        "Sources/Lessons/Chapters/ExactFisher/ExactFisherChapter+Measurement.swift",
        "enumerate-labels"))
    document.figure(report.assembly)
    document.paragraph(
      #"""
      Every part is a sum of squares, so it is symmetric and positive semi-definite (property \#
      P-30, tested), and so is the sum. Equation 3 of the THOR paper keeps the two diagonal \#
      blocks only, one for each layer. What lies between the layers has \#(report.layerShare) of \#
      the norm of $F$ here; [chapter 05](05-kfac.md) comes back to it.
      """#
    )
    document.tryIt(
      #"""
      The same in Python. The function `gradient` of the setup cell is a backward pass written \#
      out by hand.
      """#,
      code: ExactFisherCells.byHand)
  }

  // MARK: - Five routes

  private static func routes(_ document: inout ChapterDocument, _ report: ExactFisherReport) {
    document.heading("Five routes to one matrix")
    document.list([
      #"**Route 1, labels.** As above: $N C$ backward passes."#,
      #"""
      **Route 2, a square root.** Find vectors $s_{n,c}$ with $\sum_c s_{n,c} s_{n,c}^\top = \#
      \mathrm{diag}(p) - p p^\top = H_n$, the Hessian of the loss in the outputs, and send *them* \#
      backward. For the softmax $s_{n,c} = \sqrt{p_{n,c}} \, (e_c - p)$: the vectors of route 1 \#
      with the root of the weight, so that none is lost when it is small (properties P-18 and \#
      P-21, tested). This is what the suite does.
      """#,
      #"""
      **Route 3, Jacobians.** $F = \frac{1}{N} \sum_n J_n^\top H_n J_n$, with $J_n$ the $C \times \#
      P$ matrix of derivatives of the outputs. It is the generalized Gauss-Newton matrix \#
      (property P-20, tested).
      """#,
      #"""
      **Route 4, all label vectors.** Draw one label for each input. The mean gradient $\bar g$ \#
      is then random, with mean zero and covariance $F/N$. So $F$ is the sum of $N \, \bar g \, \#
      \bar g^\top$ over all \#(report.vectors) label vectors, weighted by their probability \#
      (property P-23, tested).
      """#,
      #"""
      **Route 5, KL.** $F$ is the second derivative at zero of the mean KL divergence $K(\delta)$ \#
      from $\theta$ to $\theta + \delta$ (property P-28, tested). Take second differences of $K$. \#
      This route never looks at a gradient.
      """#,
    ])
    document.source(SourceExcerpt("Sources/Networks/Likelihood+Hessian.swift", "softmax-root"))
    document.table(report.routesTable)
    document.paragraph(
      #"""
      Routes 1 to 4 agree to rounding: they are the same sums in four orders. \#
      Route 5 has fewer digits, and that is no mistake in it: the next section shows why a second \#
      difference cannot have them all. The number of passes is another matter: route 4 is cheap \#
      only because its gradients can be reused, and with ten classes and a batch of 256 it would \#
      have $10^{256}$ terms. It is a way to *think*: the noise of the mini-batch gradient has the \#
      covariance $F/N$, as long as the labels are the model's own.
      """#
    )
    document.caveat(
      #"""
      Routes 1 and 3 are often called type-1 and type-2. They agree for every model if route 3 \#
      takes the mean of $H_n$ over the model's labels. Here no mean is needed, as $H_n$ does not \#
      contain the label. For a loss whose $H_n$ does, route 3 with the labels of the data is the \#
      Gauss-Newton matrix, and another one than $F$.
      """#
    )
    document.tryIt(#"Route 4 in Python."#, code: ExactFisherCells.allVectors)
  }

  // MARK: - Second differences

  private static func differences(_ document: inout ChapterDocument, _ report: ExactFisherReport) {
    document.heading("The value is zero, the second derivative is not")
    document.paragraph(
      #"""
      At $\delta = 0$ the divergence is zero, and its gradient is zero too: it has its minimum \#
      there. Newcomers to trust-region methods meet this as a puzzle, as the program \#
      prints zero for the very thing it differentiates twice. Nothing is wrong. Only the second \#
      derivative is not zero, and it is $F$:
      """#
    )
    document.mathematics(
      #"""
      F_{ij} \approx \frac{K(h e_i + h e_j) - K(h e_i - h e_j) - K(h e_j - h e_i) + K(-h e_i - h \#
      e_j)}{4 h^2}
      """#
    )
    document.source(
      SourceExcerpt(
        "Sources/Lessons/Chapters/ExactFisher/ExactFisherChapter+Measurement.swift",
        "second-difference"))
    document.predict(
      Prediction(
        #"""
        You compute $K$ as the textbook writes it, $\sum_c p_c (\log p_c - \log q_c)$, in double \#
        precision with its sixteen digits, and take $h = 10^{-8}$. How many digits of $F$ are \#
        right?
        """#,
        options: ["About fifteen", "About eight", "None"],
        answer:
          #"""
          **C**: \#(report.plainAtSmall) digits. $K$ is about $h^2$, that is $10^{-16}$, and the \#
          terms of the sum are about one, each with a rounding error of $10^{-16}$. The signal is \#
          as small as the noise.
          """#
      ))
    document.figure(report.stepsFigure)
    document.paragraph(
      #"""
      Each curve rises while $h$ shrinks, as the error of the difference formula is about $h^2$: \#
      two digits for each power of ten. Then rounding takes over. The textbook sum has a rounding \#
      error of $\varepsilon = 10^{-16}$ whatever $h$ is, and the quotient by $h^2$ makes it \#
      $\varepsilon / h^2$. Both errors are equal near $h = \varepsilon^{1/4} = 10^{-4}$, and the \#
      best is \#(report.bestPlain) digits. The suite computes $K$ as $\sum_c p_c (e^{d_c} - 1 - \#
      d_c)$ with $d_c = \log q_c - \log p_c$, in which no term is negative and nothing cancels. \#
      What is left is the rounding of $d$ itself, about $\varepsilon / h$ relative to it, and the \#
      best becomes \#(report.bestCareful) digits at a smaller step. The difference of two \#
      *gradients* divides by $h$ only once, with \#(report.bestGradient) digits at its best.
      """#
    )
    document.tryIt(
      #"Where is the best step of each curve?"#, code: ExactFisherCells.curve)
    document.paragraph(
      #"""
      The lesson for tests: a check by second differences that passes "to six digits" is a good \#
      check. One that is asked for twelve will fail with correct code. One with $h$ too small \#
      tests the rounding of your machine.
      """#
    )
  }

  // MARK: - Mean of squares

  private static func means(_ document: inout ChapterDocument, _ report: ExactFisherReport) {
    document.heading("Mean of squares, or square of the mean?")
    document.paragraph(
      #"""
      Often only the diagonal of $F$ is wanted, as a weight for each parameter. Then the square \#
      of the batch gradient is tempting: it is one line, as the framework has the batch gradient \#
      at hand. But it is the square of a mean, where the mean of squares is meant (mistake M-49). \#
      The smallest example has two inputs and one weight $w = 0$, a model with two classes, both \#
      inputs equal to one, and the labels one and zero. The two gradients are $-1/2$ and $+1/2$. \#
      The mean of squares is $1/4$, and so is $F$. The square of the mean is zero: the two \#
      examples cancel.
      """#
    )
    document.paragraph(
      #"""
      In general, with labels drawn from the model, route 4 says what remains: the mean of $\bar \#
      g \, \bar g^\top$ is $F/N$. The square of the mean gradient of a batch of $B$ is too small \#
      by $B$ on average, and its outer product has rank one in each draw.
      """#
    )
    document.figure(report.meansFigure)
    document.paragraph(
      #"""
      For \#(given: 256) images and drawn labels the quotient is \#(report.drawnAtLargest), near \#
      to $1/256$. With the labels of the data before the training it falls ever more slowly, to \#
      \#(report.startAtLargest): the gradients have a common direction, which does not average \#
      out. After the training on these images it is \#(report.trainedAtLargest). So the wrong \#
      diagonal is not wrong by one constant that a learning rate could absorb: it depends on the \#
      batch size, and on how far the training is.
      """#
    )
  }

  // MARK: - Exercises

  private static func exercises(_ document: inout ChapterDocument, _ report: ExactFisherReport) {
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "Which diagonal is it?",
        question:
          #"""
          The cell computes four vectors A, B, D and E. Which one is the diagonal of the exact \#
          Fisher, and which that of the empirical Fisher of the given labels?
          """#,
        starter: ExactFisherCells.recallStarter, check: ExactFisherCells.recallCheck,
        solution: ExactFisherCells.recallSolution,
        explanation:
          #"""
          The square comes first, then the mean. D squares the gradient of every class and weighs \#
          with the model: exact. A squares the gradients of the given labels: empirical. B is the \#
          square of the mean. E squares the mean over everything, and the mean of the gradient \#
          under the model's labels is zero.
          """#
      ))
    document.exercise(
      Exercise(
        .changeANumber, "Choose the step",
        question:
          #"""
          Choose $h$ so that the second difference of the textbook KL agrees with $F$ to six \#
          digits.
          """#,
        starter: ExactFisherCells.stepStarter, check: ExactFisherCells.stepCheck,
        solution: ExactFisherCells.stepSolution,
        explanation:
          #"""
          Between $\varepsilon / h^2$ and $h^2$ the balance is at $h = 10^{-4}$. One power of ten \#
          in either direction costs two digits.
          """#
      ))
    document.exercise(
      Exercise(
        .breakIt, "Make the square of the mean vanish",
        question:
          #"""
          Change labels or inputs of the two examples so that the square of the mean gradient is \#
          zero while the mean of squares is equal to the exact Fisher and larger than a tenth.
          """#,
        starter: ExactFisherCells.cancelStarter, check: ExactFisherCells.cancelCheck,
        solution: ExactFisherCells.cancelSolution,
        explanation:
          #"""
          Opposite labels at equal inputs, or equal labels at opposite inputs: the gradients $(p \#
          - y) x$ have opposite signs. Whoever takes the square of the batch gradient concludes \#
          that the weight does not matter.
          """#
      ))
    document.mistakes([
      MistakeHint(
        "M-49",
        #"""
        The diagonal from the squared batch gradient: about $1/N$ of the right size with labels \#
        of the model, and of no fixed size with labels of the data.
        """#
      ),
      MistakeHint(
        "M-48",
        #"""
        Outer products of batch means: the matrix has rank one (with a mean for each of several \#
        columns: at most their number).
        """#
      ),
      MistakeHint(
        "M-21",
        #"""
        The transposed root of $\mathrm{diag}(p) - p p^\top$: route 2 with the rows of the root \#
        in the place of its columns $s_{n,c}$; the rows of $\sum_c s_{n,c} s_{n,c}^\top$ no longer \#
        sum to zero.
        """#
      ),
      MistakeHint(
        "M-22",
        #"""
        The gradient with respect to the probabilities instead of the outputs: its entries grow \#
        as $1/p$.
        """#
      ),
    ])
    document.references([
      #"Chen et al., THOR, AAAI 2021, Equations 1 to 3."#,
      #"""
      Martens 2020, arXiv 1412.1193: when the Fisher matrix is the generalized Gauss-Newton \#
      matrix.
      """#,
      #"Dangel et al. 2025, arXiv 2507.05127: type-1 and type-2, with code."#,
      #"""
      van de Ven 2025, arXiv 2502.11756: five ways of computing the Fisher diagonal in public \#
      code for continual learning.
      """#,
      #"Properties P-17 to P-31 of the suite's list; `swift test` runs them."#,
    ])
  }
}
