import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// Chapter 02: the true, the Monte-Carlo and the empirical Fisher, and the Hessian of the loss.
enum ThreeFishersChapter {
  static let chapter = Chapter(
    2, "three-fishers", title: "Three Fishers and a Hessian",
    goal: "Tell four matrices apart that are all called curvature, and say when they meet.",
    minutes: 50, prerequisites: [1], seedItem: "THOR Equation 2, which does not say which labels"
  ) { context in
    let study = try FisherStudy(context)
    let small = try SmallRegression()
    var report = ThreeFishersReport(study, small)
    var document = ChapterDocument(
      ConventionCard([
        "Fisher": "named in each place: exact, Monte Carlo or empirical; that is the subject",
        "Network":
          #"784-20-20-20-10 with $\tanh$, trained by Adam on \#(given: FisherStudy.batch) images; the matrices are of layers 2 to 4, all 1050 parameters together; the Hessian is by central differences of the gradient, for which $\tanh$ is smooth enough"#,
        "Distance":
          #"$\lVert M - F \rVert / \lVert F \rVert$ in Frobenius norms, with $F$ the exact Fisher"#,
      ]),
      setup: ThreeFishersCells.setup)
    question(&document, &report)
    sampling(&document, &report)
    vanishing(&document, &report)
    paper(&document)
    exercises(&document, &report)
    for table in report.tables { document.data(table) }
    document.data("small", report.arrays)
    return document
  }

  // MARK: - Which matrix?

  private static func question(
    _ document: inout ChapterDocument, _ report: inout ThreeFishersReport
  ) {
    document.heading("Which matrix is F?")
    document.paragraph(
      #"A network with parameters $\theta$ turns an input $x$ into outputs $z$, and these into a distribution $p(y \mid x, \theta)$ over labels $y$. The loss of one example is $-\log p(y \mid x, \theta)$; its gradient in $\theta$ is $u(x, y)$. The Fisher information matrix is the mean of $u u^\top$. One word is missing in that sentence: the mean over *which labels*?"#
    )
    document.mathematics(
      #"F = \frac{1}{N} \sum_{n=1}^{N} \sum_{c=1}^{C} p(c \mid x_n, \theta) \, u(x_n, c) \, u(x_n, c)^\top"#
    )
    document.paragraph(
      #"This is the **exact** (or true) Fisher of $N$ inputs and $C$ classes: every class counts with the probability that the *model* gives it. No label of the data occurs in it. It is the matrix of [chapter 01](01-two-rulers.md): a small step $\delta$ changes the model by $\frac{1}{2} \delta^\top F \delta$, measured in KL divergence (property P-28, tested). Three other matrices are often used in its place:"#
    )
    document.list([
      #"the **Monte-Carlo** Fisher: for each input draw labels $\hat y$ from the model, and take the mean of $u(x_n, \hat y) \, u(x_n, \hat y)^\top$;"#,
      #"the **empirical** Fisher: take the label $y_n$ of the data, $\frac{1}{N} \sum_n u(x_n, y_n) \, u(x_n, y_n)^\top$;"#,
      #"the **Hessian** of the mean loss $h$, which is not a mean of outer products at all."#,
    ])
    document.paragraph(
      #"The first two cost the same if one label is drawn: one label and one backward pass for each input. Only the label differs. The data's label is the right one; the drawn label is made up, and at the start it is mostly wrong."#
    )
    let (first, shown, last) = (report.first, report.shown, report.last)
    document.predict(
      Prediction(
        #"A classifier of clothes is trained on \#(given: FisherStudy.batch) images until it knows all their labels. You may use one label for each image to estimate $F$. Whose estimate is nearer to $F$, before the training and after it?"#,
        options: [
          "The labels of the data, both times: they are correct.",
          "Drawn labels, both times: the definition asks for them.",
          "Drawn labels before, the labels of the data after.",
          "The labels of the data before, drawn labels after.",
        ],
        answer:
          #"**C.** Before: the error is \#(first.expected) with drawn labels and \#(first.empirical) with those of the data. After: \#(last.expected) with drawn labels and \#(last.empirical) with those of the data. But look at the last number twice. The zero matrix has an error of one hundred percent, and the empirical Fisher is hardly better: it is nearly zero. Drawn labels fail in the other way. They are right on average, with a huge scatter. After training neither is an estimate of $F$."#
      ))
    document.figure(report.raceFigure)
    document.paragraph(
      #"Why does drawing become so bad? The surer the model, the rarer the label that tells something. Take two classes, and let the wrong one have the small probability $\epsilon$. The weight of the image in $F$ is $\epsilon (1 - \epsilon)$. A drawn label gives $\epsilon^2$ nearly always, and $(1 - \epsilon)^2$ with probability $\epsilon$: next to nothing, or far too much. The relative scatter of one draw is $(1 - 2\epsilon) / \sqrt{\epsilon (1 - \epsilon)}$, which grows without bound as $\epsilon$ goes to zero. The data's label gives $\epsilon^2$ always: no scatter, but too little by the factor $\epsilon / (1 - \epsilon)$. One estimate has variance, the other bias, and only variance can be averaged away."#
    )
    document.subheading("The four matrices")
    document.figure(report.heatmaps)
    document.paragraph(
      #"The four panels have the same network, the same images and the same colours. The Monte-Carlo panel has the bright and dark places of $F$, under coarse noise. The empirical Fisher has lost most of its strength: its norm is \#(shown.ratio) of that of $F$. The Hessian is stronger than $F$ and has other stripes; its distance from $F$ is \#(shown.hessian), and \#(shown.negative) of its \#(given: report.study.states[0].exact.rowCount) eigenvalues are negative, where a Fisher matrix has none (property P-30, tested). In the corner of layer 4 the Hessian *is* $F$: the outputs are linear in the last layer's weights, and what makes the difference is the second derivative of the outputs, as a later section shows."#
    )
    document.paragraph(
      #"The program needs one `switch` for all three Fishers. They differ in the vectors that are sent backward through the network, and in nothing else:"#
    )
    document.source(SourceExcerpt("Sources/Networks/FisherKind.swift", "fisher-kinds"))
    document.paragraph(
      #"The exact Fisher sends back the $C$ columns of a square root of the Hessian in the *outputs*, which for the softmax is $\mathrm{diag}(p) - p p^\top$. That costs $C$ backward passes and gives the sum over all classes without any drawing (properties P-20 and P-21, tested; [chapter 03](03-exact-fisher.md) does it by hand). For the losses here it is also the generalized Gauss-Newton matrix, GGN."#
    )
    document.caveat(
      #"The names are not used alike everywhere. Some texts say "Fisher" and mean the empirical one, and some say "empirical Fisher" and mean a mean over a finite set of inputs, which all matrices here are. When you read code, look for the labels."#
    )
    document.table(report.statesTable)
    document.paragraph(
      #"The last row is a warning. All labels are learned, and the empirical Fisher keeps \#(last.ratio) of the norm of $F$, while the directions agree rather well, with a cosine of \#(last.cosine). A damping that suits one matrix is then far too strong for the other."#
    )
  }

  // MARK: - Sampling

  private static func sampling(
    _ document: inout ChapterDocument, _ report: inout ThreeFishersReport
  ) {
    document.heading("How many labels are enough?")
    document.paragraph(
      #"Draw $M$ labels for each image instead of one. The errors of different draws are independent, so the mean square error falls like $1/M$ and the error itself like $1/\sqrt{M}$. The constant can be computed without any drawing. With $F_n$ the exact Fisher of image $n$ alone,"#
    )
    document.mathematics(
      #"\mathbb{E} \lVert F_M - F \rVert^2 = \frac{1}{M N^2} \sum_{n=1}^{N} \Bigl( \sum_{c=1}^{C} p(c \mid x_n) \, \lVert u(x_n, c) \rVert^4 - \lVert F_n \rVert^2 \Bigr)"#
    )
    document.figure(report.samplingFigure)
    document.paragraph(
      #"The points are \#(given: FisherStudy.repetitions) repetitions for each $M$, at step \#(given: FisherStudy.shownStep). The line that fits them best has the slope \#(report.slope), and the theory says $-1/2$. Measured and computed errors differ by at most \#(report.largestDeviation) (property P-29 is the test). Ten times more accuracy costs a hundred times more labels. Here ten labels leave an error of \#(report.errorAtTen), where the exact sum over the ten classes has none for the same price. After the training an error of one in a hundred would take about \#(report.neededSamples) thousand labels for each image. Sampling pays where there are many more classes than labels to draw, and where the model is not sure."#
    )
    document.paragraph(
      #"Note $N^2$ below a sum of $N$ terms: the error depends on the product $M N$, the number of all drawn labels. A large batch needs fewer draws for each image, and one can be enough. The dashed line does not obey this law: it lies at \#(report.shown.empirical), and more images do not mend the labels of the data."#
    )
    document.tryIt(
      #"Fit the slope yourself, and compare the measured errors with the computed ones."#,
      code: ThreeFishersCells.slope)
  }

  // MARK: - Vanishing residuals

  private static func vanishing(
    _ document: inout ChapterDocument, _ report: inout ThreeFishersReport
  ) {
    document.heading("When the residuals vanish")
    document.paragraph(
      #"Take a regression: the model is a Gaussian with mean $z$ and variance one, and the loss is $\frac{1}{2} \lVert y - z \rVert^2$. Let $J_n$ be the derivative of the outputs $z_n$ in $\theta$, and $r_n = z_n - y_n$ the residual. Then"#
    )
    document.mathematics(
      #"""
      \begin{aligned}
      F &= \frac{1}{N} \sum_n J_n^\top J_n, \\
      \text{empirical} &= \frac{1}{N} \sum_n J_n^\top r_n r_n^\top J_n, \\
      \nabla^2 h &= F + \frac{1}{N} \sum_n \sum_c r_{n,c} \, \nabla^2 z_{n,c}.
      \end{aligned}
      """#)
    document.paragraph(
      #"Now shrink all residuals by a factor $t$, as if the fit became better while the network stayed as it is. $F$ does not contain $r$ and does not change. The empirical Fisher falls like $t^2$. The Hessian goes to $F$, and the distance falls like $t$. Perfect fit is where the Hessian and $F$ are equal (property P-27, tested) and where the empirical Fisher is zero (property P-26, tested)."#
    )
    document.figure(report.vanishingFigure)
    document.paragraph(
      #"Left, a small regression network: at $t = 1$ the empirical Fisher has \#(report.regressionFirst) of the norm of $F$, at the smallest $t$ only \#(report.regressionLast). Right, the classifier. There $F$ itself goes to zero, as the softmax becomes sure: to \#(report.exactFall) of its norm at the start. But the empirical Fisher falls faster, to \#(report.empiricalFall) of its own. This is the $\epsilon^2$ against $\epsilon (1 - \epsilon)$ of above: it forgets the images that are learned, and listens to those that are still wrong."#
    )
    document.paragraph(
      #"One thing does *not* carry over. In the regression the Hessian ends at $F$. In the classifier the residual $p - e_y$ and $F$ both shrink like $\epsilon$, so their quotient has no reason to vanish: at the last step the Hessian is still \#(report.last.hessian) away from $F$. "Near the minimum the Hessian is the Fisher matrix" needs care."#
    )
    document.caveat(
      #"With the empirical Fisher in the place of $F$ the undamped step becomes *longer* as the regression fits better: the gradient falls like $t$, the matrix like $t^2$. Whether training suffers depends on damping and learning rate, and is not measured here. A matrix that is near to $F$ is not by itself a better optimizer."#
    )
    document.tryIt(
      #"On the small network: the exact Fisher by summing over classes equals $J^\top H J$; exchanging the labels changes the empirical Fisher and leaves the exact one alone."#,
      code: ThreeFishersCells.labels)
  }

  // MARK: - The paper

  private static func paper(_ document: inout ChapterDocument) {
    document.heading("What the THOR paper says")
    document.paragraph(
      #"The THOR paper (AAAI 2021) introduces the loss as $J(\theta) = \mathbb{E}[-\log p(y \mid x, \theta)]$, "\#(printed: "where x, y are the training input and label")" (Equation 1), and then the Fisher matrix: "\#(printed: "With the predictive distribution defined as") $\mathbb{P}_{y \mid x}$, \#(printed: "FIM is formulated as")""#
    )
    document.mathematics(
      #"F = \mathbb{E} \left[ \nabla_\theta \log p(y \mid x, \theta) \, \nabla_\theta \log p(y \mid x, \theta)^\top \right] \qquad (2)"#
    )
    document.paragraph(
      #"The text does not say over which $y$ the mean is taken. Read with the mean of Equation 1, it is the empirical Fisher; read with the predictive distribution of the same sentence, it is the exact one. The paper's experiments do not settle it. The source of MindSpore's `nn.thor`, as we read it (`nn/optim/thor.py`, commit 005dc05c; read, not run), takes the gradients of the training loss, hence the labels of the data. This suite computes the exact Fisher unless a text says otherwise, and [chapter 09](09-thor-split.md) looks at what the choice does to the paper's Figure 4."#
    )
  }

  // MARK: - Exercises

  private static func exercises(
    _ document: inout ChapterDocument, _ report: inout ThreeFishersReport
  ) {
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "Name the matrix",
        question:
          #"Four functions, four matrices of the small classifier ($N = 11$ inputs, $C = 3$ classes, $P = 39$ parameters). Write for each of A, B, C, D one of the names `exact`, `monte carlo`, `empirical`, `hessian`. The check finds out by itself which is which."#,
        starter: ThreeFishersCells.nameStarter, check: ThreeFishersCells.nameCheck,
        solution: ThreeFishersCells.nameSolution,
        explanation:
          #"Look at the label in each. A differentiates the mean loss twice with the labels of the data: the Hessian. B takes labels from `rng`, weighted by the model: Monte Carlo. C has $\mathrm{diag}(p) - p p^\top$ and no label: the exact Fisher in its GGN form. D has the labels of the data inside an outer product: empirical."#
      ))
    document.exercise(
      Exercise(
        .changeANumber, "Sample until the error is below one in a hundred",
        question:
          #"Set `samples` to the smallest power of two for which the root-mean-square error of the Monte-Carlo Fisher of the small classifier is below $0.01$. Find it by running the experiment, or by the formula above from a single number."#,
        starter: ThreeFishersCells.sampleStarter, check: ThreeFishersCells.sampleCheck,
        solution: ThreeFishersCells.sampleSolution,
        explanation:
          #"The error at one label for each input, divided by $0.01$ and squared, is the number needed; the next power of two is the answer. Eleven inputs are few, so the number is large."#
      ))
    document.exercise(
      Exercise(
        .breakIt, "Make the empirical Fisher vanish",
        question:
          #"Give regression targets for the small network, $N \times C$, so that its empirical Fisher has exactly one ten-thousandth of the norm that it has with the given targets `Y`, and the Hessian is a hundred times nearer to $F$ than with `Y`. You may use `outputs(theta)`."#,
        starter: ThreeFishersCells.vanishStarter, check: ThreeFishersCells.vanishCheck,
        solution: ThreeFishersCells.vanishSolution,
        explanation:
          #"Shrink the residuals by $t = 1/100$: the targets are $z + t (y - z)$. The empirical Fisher falls by $t^2$, the distance of the Hessian by $t$, and $F$ stays."#
      ))
    document.mistakes([
      MistakeHint(
        "M-17",
        #"The empirical Fisher in the place of the true one: $G$ changes when the labels are exchanged, and vanishes with the loss."#
      ),
      MistakeHint(
        "M-18",
        #"The most probable label instead of a drawn one: $G$ equals the empirical one for labels $\arg\max p$."#
      ),
      MistakeHint(
        "M-19", #"Labels drawn once and kept: two calls with different seeds give the same $G$."#),
      MistakeHint(
        "M-07",
        #"The sum over $M$ samples without $1/M$: $G$ is about $M$ times too large, with noise."#),
      MistakeHint(
        "M-20",
        #"$\mathrm{diag}(p)$ without $-p p^\top$: for the last layer $G \mathbf{1}$ is no longer zero."#
      ),
    ])
    document.references([
      #"Chen et al., THOR, AAAI 2021, Equations 1 to 3."#,
      #"Kunstner, Balles, Hennig 2019, "Limitations of the empirical Fisher approximation for natural gradient descent", arXiv 1905.12558: the case against the empirical Fisher."#,
      #"Martens 2020, "New insights and perspectives on the natural gradient method", arXiv 1412.1193: Fisher and GGN."#,
      #"Dangel et al. 2025, KFAC from scratch, arXiv 2507.05127: type-1, type-2, Monte-Carlo and empirical Fisher with code."#,
      #"Properties P-20 to P-31 of the suite's list; `swift test` runs them."#,
    ])
  }
}
