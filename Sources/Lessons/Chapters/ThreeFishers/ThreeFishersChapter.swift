import DenseAlgebra
import Experiments

/// Chapter 02: the true, the Monte-Carlo and the empirical Fisher, and the Hessian of the loss.
enum ThreeFishersChapter {
  static let chapter = Chapter(
    2, "three-fishers", title: "Three Fishers and a Hessian",
    goal: "Tell four matrices apart that are all called curvature, and say when they meet.",
    minutes: 65, prerequisites: [1], seedItem: "THOR Equation 2, which does not say which labels"
  ) { context in
    let study = try FisherStudy(context)
    let small = try SmallRegression()
    let report = ThreeFishersReport(study, small)
    var document = ChapterDocument(
      ConventionCard([
        "Fisher": "named in each place: exact, Monte Carlo or empirical; that is the subject",
        "Network":
          #"""
        784-20-20-20-10 with $\tanh$, trained by the optimizer Adam on \#
        \#(given: FisherStudy.batch) images; the matrices are of layers 2 to 4, all 1050 \#
        parameters together; the Hessian is by central differences of the gradient, for which \#
        $\tanh$ is smooth enough
        """#,
        "Distance":
          #"$\lVert M - F \rVert / \lVert F \rVert$ in Frobenius norms (root of the sum of squared entries), with $F$ the exact Fisher"#,
      ]),
      setup: ThreeFishersCells.setup)
    question(&document, report)
    sampling(&document, report)
    vanishing(&document, report)
    paper(&document)
    exercises(&document, report)
    for table in report.tables { document.data(table) }
    document.data("small", report.arrays)
    return document
  }

  // MARK: - Which matrix?

  private static func question(
    _ document: inout ChapterDocument, _ report: ThreeFishersReport
  ) {
    document.heading("Which matrix is F?")
    document.paragraph(
      #"""
      A network with parameters $\theta$ turns an input $x$ into outputs $z$, and these into a \#
      distribution $p(y \mid x, \theta)$ over labels $y$. The loss of one example is $-\log p(y \#
      \mid x, \theta)$; its gradient in $\theta$ is $u(x, y)$. The Fisher information matrix is \#
      the mean of $u u^\top$. One word is missing in that sentence: the mean over *which labels*?
      """#
    )
    document.mathematics(
      #"""
      F = \frac{1}{N} \sum_{n=1}^{N} \sum_{c=1}^{C} p(c \mid x_n, \theta) \, u(x_n, c) \, u(x_n, \#
      c)^\top
      """#
    )
    document.paragraph(
      #"""
      This is the **exact** (or true) Fisher of $N$ inputs and $C$ classes: every class counts \#
      with the probability that the *model* gives it. No label of the data occurs in it. It is \#
      the matrix of [chapter 01](01-two-rulers.md): a small step $\delta$ changes the model by \#
      $\frac{1}{2} \delta^\top F \delta$, measured in KL divergence, the model's mean of the \#
      logarithm of old over new probability (P-28 of the suite's list of tested properties). With \#
      $h$ the mean loss, the natural-gradient step solves $F s = \nabla h$ and goes along $-s$: \#
      this is what $F$ is for, and why it matters which matrix stands there.
      """#
    )
    document.paragraph(
      #"""
      One fact is needed again in later chapters. Over the *model's* labels the gradients of an \#
      example have mean zero, because probabilities add up to one: $\sum_c p(c) \, u(x, c) = \#
      -\sum_c \nabla p(c) = 0$. Over the labels of the data they need not.
      """#
    )
    document.paragraph(
      #"""
      Three other matrices are often used in the place of $F$:
      """#
    )
    document.list([
      #"""
      the **Monte-Carlo** Fisher: for each input draw labels $\hat y$ from the model, and take \#
      the mean of $u(x_n, \hat y) \, u(x_n, \hat y)^\top$ over all of them;
      """#,
      #"""
      the **empirical** Fisher: take the label $y_n$ of the data, $\frac{1}{N} \sum_n u(x_n, y_n) \#
      \, u(x_n, y_n)^\top$;
      """#,
      #"the **Hessian** of the mean loss $h$, which is not a mean of outer products at all."#,
    ])
    document.paragraph(
      #"""
      The first two cost the same if one label is drawn: one label and one backward pass for each \#
      input. Only the label differs. The data's label is the right one; the drawn label is made \#
      up, and at the start it is mostly wrong.
      """#
    )
    let (first, shown, last) = (report.first, report.shown, report.last)
    document.predict(
      Prediction(
        #"""
        A classifier of clothes is trained on \#(given: FisherStudy.batch) images until it knows \#
        all their labels. You may use one label for each image to estimate $F$. Whose estimate is \#
        nearer to $F$, before the training and after it?
        """#,
        options: [
          "The labels of the data, both times: they are correct.",
          "Drawn labels, both times: the definition asks for them.",
          "Drawn labels before, the labels of the data after.",
          "The labels of the data before, drawn labels after.",
        ],
        answer:
          #"""
          **C.** Before: the error is \#(first.expected) with drawn labels and \#
          \#(first.empirical) with those of the data. After: \#(last.expected) with drawn labels \#
          and \#(last.empirical) with those of the data. But look at the last number twice. The \#
          zero matrix has an error of one hundred percent, and the empirical Fisher is hardly \#
          better: it is nearly zero. Drawn labels fail in the other way. They are right on \#
          average, with a huge scatter. After training neither is an estimate of $F$.
          """#
      ))
    document.figure(report.raceFigure)
    document.paragraph(
      #"""
      Why does drawing become so bad? The surer the model, the rarer the label that tells \#
      something. Take two classes, and let the wrong one have the small probability $\epsilon$. \#
      At the outputs the gradient has the size $\epsilon$ if the label is the right one, and $1 - \#
      \epsilon$ if it is the wrong one; an outer product has the square of it as weight. A drawn \#
      label gives $\epsilon^2$ nearly always, and $(1 - \epsilon)^2$ with probability $\epsilon$: \#
      next to nothing, or far too much. The mean of both is the weight of the image in $F$, $(1 - \#
      \epsilon) \, \epsilon^2 + \epsilon \, (1 - \epsilon)^2 = \epsilon (1 - \epsilon)$. The \#
      relative scatter of one draw is $(1 - 2\epsilon) / \sqrt{\epsilon (1 - \epsilon)}$, which \#
      grows without bound as $\epsilon$ goes to zero. The data's label gives $\epsilon^2$ always: \#
      no scatter, but too little by the factor $\epsilon / (1 - \epsilon)$. One estimate has \#
      variance, the other bias, and only variance can be averaged away.
      """#
    )
    document.subheading("The four matrices")
    document.figure(report.heatmaps)
    document.paragraph(
      #"""
      The four panels have the same network, the same images and the same colours. The \#
      Monte-Carlo panel has the bright and dark places of $F$, under coarse noise. The empirical \#
      Fisher has lost most of its strength: its norm is \#(shown.ratio) of that of $F$. The \#
      Hessian is stronger than $F$ and has other stripes; its distance from $F$ is \#
      \#(shown.hessian), and \#(shown.negative) of its \#
      \#(given: report.study.states[0].exact.rowCount) eigenvalues are negative, where a Fisher \#
      matrix has none (property P-30, tested). In the corner of layer 4 the Hessian *is* $F$: the \#
      outputs are linear in the last layer's weights, and what makes the difference is the second \#
      derivative of the outputs, as a later section shows.
      """#
    )
    document.paragraph(
      #"""
      The program needs one `switch` for all three Fishers. They differ in the vectors that are \#
      sent backward through the network, and in nothing else:
      """#
    )
    document.source(SourceExcerpt("Sources/Networks/FisherKind.swift", "fisher-kinds"))
    document.paragraph(
      #"""
      What does `hessianRoots` mean? Let $J_n$ be the derivative of the outputs of example $n$ in \#
      $\theta$, and $H_n$ the second derivative of its loss in the *outputs*, which for the \#
      softmax is $\mathrm{diag}(p_n) - p_n p_n^\top$. Then $F = \frac{1}{N} \sum_n J_n^\top H_n \#
      J_n$, and for the losses here this is also the generalized Gauss-Newton matrix, GGN. Write \#
      $H_n = S_n S_n^\top$ and send the $C$ columns of $S_n$ backward: that costs $C$ backward \#
      passes and gives the sum over all classes without any drawing (P-20 and P-21, tested; \#
      [chapter 03](03-exact-fisher.md) does it by hand).
      """#
    )
    document.caveat(
      #"""
      The names are not used alike everywhere. Some texts say "Fisher" and mean the empirical \#
      one, and some say "empirical Fisher" and mean a mean over a finite set of inputs, which all \#
      matrices here are. When you read code, look for the labels.
      """#
    )
    document.table(report.statesTable)
    document.paragraph(
      #"""
      The last row is a warning. All labels are learned, and the empirical Fisher keeps \#
      \#(last.ratio) of the norm of $F$, while the directions agree rather well, with a cosine of \#
      \#(last.cosine). A damping, a multiple of the identity added before the matrix is \#
      inverted ([chapter 06](06-damping.md)), that suits $F$ is then far too strong for the other.
      """#
    )
  }

  // MARK: - Sampling

  private static func sampling(
    _ document: inout ChapterDocument, _ report: ThreeFishersReport
  ) {
    document.heading("How many labels are enough?")
    document.paragraph(
      #"""
      Draw $M$ labels for each image instead of one. The errors of different draws are \#
      independent, so the mean square error falls like $1/M$ and the error itself like \#
      $1/\sqrt{M}$. The constant can be computed without any drawing. With $\tilde F_M$ the \#
      Monte-Carlo Fisher of $M$ labels for each image, and $F^{(n)}$ the exact Fisher of image \#
      $n$ alone,
      """#
    )
    document.mathematics(
      #"""
      \mathbb{E} \lVert \tilde F_M - F \rVert^2 = \frac{1}{M N^2} \sum_{n=1}^{N} \Bigl( \#
      \sum_{c=1}^{C} p(c \mid x_n) \, \lVert u(x_n, c) \rVert^4 - \lVert F^{(n)} \rVert^2 \Bigr)
      """#
    )
    document.figure(report.samplingFigure)
    document.paragraph(
      #"""
      The points are \#(given: FisherStudy.repetitions) repetitions for each $M$, at step \#
      \#(given: FisherStudy.shownStep). The line that fits them best has the slope \#
      \#(report.slope), and the theory says $-1/2$. Measured and computed errors differ by at \#
      most \#(report.largestDeviation) (property P-29 is the test). Ten times more accuracy costs \#
      a hundred times more labels. Here ten labels leave an error of \#(report.errorAtTen), where \#
      the exact sum over the ten classes has none for the same price. After the training an error \#
      of one in a hundred would take about \#(report.neededSamples) thousand labels for each \#
      image. Sampling pays where there are many more classes than labels to draw, and where the \#
      model is not sure.
      """#
    )
    document.paragraph(
      #"""
      Note $N^2$ below a sum of $N$ terms: the error depends on the product $M N$, the number of \#
      all drawn labels. A large batch needs fewer draws for each image, and one can be enough. \#
      The dashed line does not obey this law: it lies at \#(report.shown.empirical), and more \#
      images do not mend the labels of the data.
      """#
    )
    document.tryIt(
      #"Fit the slope yourself, and compare the measured errors with the computed ones."#,
      code: ThreeFishersCells.slope)
  }
}
