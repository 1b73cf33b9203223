import Experiments

/// Chapter 12: what a comparison of optimizers has to fix before it means anything.
enum FairRaceChapter {
  static let chapter = Chapter(
    12, "fair-race", title: "A fair race",
    goal:
      "Compare optimizers so that the answer means something, and see that nearness to the Fisher is not a better optimizer.",
    minutes: 60, prerequisites: [5, 6, 11],
    seedItem: "the form of THOR's Figures 7 and 10 and of its Tables 2 and 4"
  ) { context in
    let results = FairRaceResults(try FairRaceMeasurement(context.progress))
    var document = ChapterDocument(conventions, setup: setup)
    results.claims(&document)
    question(&document, results)
    race(&document, results)
    nearness(&document, results)
    axes(&document, results)
    seeds(&document, results)
    budget(&document, results)
    damping(&document, results)
    paper(&document, results)
    exercises(&document)
    for table in results.tables { document.data(table) }
    document.data(results.findings.table)
    return document
  }

  private static let setup = #"""
    from itertools import combinations
    from math import comb, log

    tuning = pd.read_csv(DATA / "12-tuning.csv")
    runs = pd.read_csv(DATA / "12-runs.csv")
    damping = pd.read_csv(DATA / "12-damping.csv")
    printed = pd.read_csv(DATA / "12-printed.csv")
    numbers = pd.read_csv(DATA / "12-numbers.csv").set_index("name")["value"]
    tuning["loss"] = tuning["training_loss"].fillna(np.inf).clip(upper=log(10))
    """#

  private static let conventions = ConventionCard([
    "Network and data":
      #"\#(given: "64-20-20-20-10"), ReLU, He start, on the UCI digits (8 × 8 pixels); every sixth image is a test image"#,
    "Run":
      #"\#(given: FairRaceMeasurement.epochs) epochs with batches of \#(given: FairRaceMeasurement.batch); constant rate and damping; seeds 1 to 5"#,
    "Damping":
      #"each method's own rule (chapter 06): exact for natural-gradient, ekfac and cg-kfac, $\pi$ for kfac, $\lambda$ on each factor for THOR"#,
    "Loss of a run": "of all training images, after the last step",
    "Cost":
      "floating-point operations by formula; a multiplication and an addition count as one each",
  ])

  private static func question(_ document: inout ChapterDocument, _ results: FairRaceResults) {
    let steps = results.measured.steps
    let grid = FairRaceMeasurement.grid
    let trials = grid.rates.count * grid.dampings.count
    document.heading("The question")
    document.paragraph(
      #"""
      Earlier chapters measured how near approximations are to the Fisher matrix $F$. Now we train with them. Every method here takes the step
      """#)
    document.mathematics(
      #"v \leftarrow \mu v + \hat F_\lambda^{-1} \nabla h, \qquad \theta \leftarrow \theta - \alpha v ,"#
    )
    document.paragraph(
      #"""
      with the parameters $\theta$, the mean loss $h$ of the batch, the learning rate $\alpha$, the momentum $\mu$, and a damped curvature matrix $\hat F_\lambda$ with damping $\lambda$. They differ in $\hat F_\lambda$:
      """#)
    let interval = FairRaceMeasurement.interval
    document.list([
      "**momentum**: none. The direction is the gradient.",
      #"**natural-gradient**: the exact $F$ of the step's own batch, plus $\lambda I$."#,
      #"**kfac**: for each layer $A \otimes G$, the second moment of the inputs times that of the back-propagated gradients (chapter 05), averaged over batches, new every \#(given: interval) steps."#,
      #"**ekfac**: KFAC's eigenvectors with the variances that the gradients have along them ([chapter 07](07-ekfac.md)), at the same interval."#,
      #"**cg-kfac**: solves with $A \otimes G + \lambda I$ of the step's own batch by at most 10 steps of conjugate gradients, without forming it ([chapter 08](08-cg-fac.md))."#,
      #"**thor**, **thor-stop**, **thor-nt**: factors of one batch, cut into blocks of 10 ([chapter 09](09-thor-split.md)), at intervals that grow from \#(given: interval) to \#(given: FairRaceMeasurement.longestInterval) steps. The trace rule ([chapter 11](11-trace-rule.md)) may skip a refresh (thor), or end them (thor-stop); thor-nt has no trace rule."#,
    ])
    document.paragraph(
      "Which one is best? Four choices have to be fixed before the question has an answer. Ours are:"
    )
    document.list([
      #"**Budget.** Every method is tuned on \#(given: trials) runs: three rates times four values of $\lambda$ (at $\mu$ = \#(given: FairRaceMeasurement.momentum)), or of $\mu$ for momentum. Momentum's rates are about three times as large as the others'. The tuning runs are as long as the race, \#(given: steps) steps, and start from a seed that the race does not use."#,
      "**Seeds.** The race has five. With one seed all methods have the same first weights and the same batches, so differences can be taken seed by seed.",
      #"**Cost axis.** Steps, and operations by formula (`OperationCount`, tested in `OperationCountTests`). Never seconds: on so small a network they measure the program."#,
      #"**Damping.** Each method has its own best $\lambda$; a later section changes it."#,
    ])
    document.source(
      SourceExcerpt(
        "Sources/Experiments/Reproduction/Items/TunedTraining.swift", "one-budget"))
    document.table(
      DocumentTable(
        results.settings,
        caption: #"""
          What the tuning chose, and how many of the \#(given: trials) trials of a method failed: diverged, or ended above $\log 10$, the loss of a network that finds all ten classes equally likely.
          """#,
        columns: [
          .init("method", "method"), .init("learning_rate", #"rate $\alpha$"#),
          .init("damping", #"$\lambda$"#), .init("momentum", #"$\mu$"#),
          .init("failed_trials", "failed trials"),
        ]))
    document.caveat(
      #"""
      The grid is a choice too. We placed it after looking at wider grids with seeds 101 and 102, and the best setting of \#(results.edges) of the 8 methods lies on its edge, so a larger grid could lower these losses. And we tuned for one goal, the training loss after \#(given: steps) steps; another goal may choose other settings. Choi et al. (2019) suggest that the search space may be the most important single factor behind published rankings.
      """#)
  }

  private static func race(_ document: inout ChapterDocument, _ results: FairRaceResults) {
    document.heading("The race")
    document.predict(
      Prediction(
        "All are tuned alike. After the last step, which method has the lowest mean training loss?",
        options: [
          "natural-gradient: it is the only one that uses the true $F$.",
          "ekfac: it is nearer to each layer's block than kfac (P-82).",
          "kfac, a product of two averages.",
          "momentum: tuning makes up for the missing curvature.",
        ],
        answer: #"""
          C. kfac ends at \#(results.loss(.kfac)), ekfac at \#(results.loss(.ekfac)), natural-gradient at \#(results.loss(.naturalGradient)), momentum at \#(results.loss(.momentum)).
          """#))
    document.figure(
      Figure(
        "race", results.measured.raceFigure,
        caption: #"""
          The same runs over steps and over operations.
          """#,
        alternativeText: #"""
          Two charts of falling training loss with bands over five seeds. Over steps natural-gradient falls fastest at first; then kfac is lowest and ends at \#(results.loss(.kfac)), and momentum is highest at \#(results.loss(.momentum)). Over operations momentum, thor and kfac lie close together; a natural-gradient step costs \#(results.costRatio) times one of momentum, so its curve lies far to the right.
          """#, tables: ["curves"]))
    document.paragraph(
      #"""
      Over steps every method with a curvature ends below tuned momentum. natural-gradient leads at first; from step \#(results.crossing) on kfac stays below it. At the end the exact matrix is in the mean behind kfac and cg-kfac, which use approximations of it, and level with ekfac.
      """#)
    document.figure(
      Figure(
        "variants", results.measured.variantsFigure,
        caption: "THOR with the trace rule, with stopping, and without the rule.",
        alternativeText: #"""
          Two charts of falling training loss. The three curves of THOR nearly coincide and end at \#(results.loss(.thor)), \#(results.loss(.thorStop)) and \#(results.loss(.thorNT)), between kfac below and momentum above.
          """#, tables: ["curves"]))
    document.paragraph(
      #"""
      With short intervals and few epochs the trace rule updates in \#(results.updated) of its tests, so the three variants hardly differ. They differ from kfac in four things at once: split, interval, damping rule, and no average over batches. The item [figure-7](reproduction/figure-7/CLAIM.md) takes the parts one by one.
      """#)
  }
}
