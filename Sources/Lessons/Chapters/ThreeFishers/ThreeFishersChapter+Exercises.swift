import Experiments

extension ThreeFishersChapter {
  // MARK: - Exercises

  static func exercises(
    _ document: inout ChapterDocument, _ report: ThreeFishersReport
  ) {
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "Name the matrix",
        question:
          #"""
          Four functions, four matrices of the small classifier ($N = 11$ inputs, $C = 3$ \#
          classes, $P = 39$ parameters). Write for each of A, B, C, D one of the names `exact`, \#
          `monte carlo`, `empirical`, `hessian` (`C_` is C; the name `C` is taken). The check \#
          finds out by itself which is which, and does not tell which letter is wrong.
          """#,
        starter: ThreeFishersCells.nameStarter, check: ThreeFishersCells.nameCheck,
        solution: ThreeFishersCells.nameSolution,
        explanation:
          #"""
          Look at the label in each. A differentiates the mean loss twice with the labels of the \#
          data: the Hessian. B takes labels from `rng`, weighted by the model: Monte Carlo. C has \#
          $\mathrm{diag}(p) - p p^\top$ and no label: the exact Fisher in its GGN form. D has the \#
          labels of the data inside an outer product: empirical.
          """#
      ))
    document.exercise(
      Exercise(
        .changeANumber, "Sample until the error is below one in a hundred",
        question:
          #"""
          Set `samples` to the smallest power of two for which the root-mean-square error of the \#
          Monte-Carlo Fisher of the small classifier, divided by the norm of $F$, is below \#
          $0.01$. Find it by running the experiment, or from the error at one label and the law \#
          $1/\sqrt{M}$.
          """#,
        starter: ThreeFishersCells.sampleStarter, check: ThreeFishersCells.sampleCheck,
        solution: ThreeFishersCells.sampleSolution,
        explanation:
          #"""
          The error at one label for each input, divided by $0.01$ and squared, is the number \#
          needed; the next power of two is the answer. Eleven inputs are few, so the number is \#
          large.
          """#
      ))
    document.exercise(
      Exercise(
        .breakIt, "Make the empirical Fisher vanish",
        question:
          #"""
          Give regression targets for the small network, $N \times C$, so that its empirical \#
          Fisher has exactly one ten-thousandth of the norm that it has with the given targets \#
          `Y`, and the Hessian is a hundred times nearer to $F$ than with `Y`. You may use \#
          `outputs(theta)`.
          """#,
        starter: ThreeFishersCells.vanishStarter, check: ThreeFishersCells.vanishCheck,
        solution: ThreeFishersCells.vanishSolution,
        explanation:
          #"""
          Shrink the residuals by $t = 1/100$: the targets are $z + t (y - z)$. The empirical \#
          Fisher falls by $t^2$, the distance of the Hessian by $t$, and $F$ stays.
          """#
      ))
    document.mistakes([
      MistakeHint(
        "M-17",
        #"""
        The empirical Fisher in the place of the true one: $G$ changes when the labels are \#
        exchanged, and vanishes with the loss.
        """#
      ),
      MistakeHint(
        "M-18",
        #"""
        The most probable label instead of a drawn one: $G$ equals the empirical one for labels \#
        $\arg\max p$.
        """#
      ),
      MistakeHint(
        "M-19", #"Labels drawn once and kept: two calls with different seeds give the same $G$."#),
      MistakeHint(
        "M-07",
        #"The sum over $M$ samples without $1/M$: $G$ is about $M$ times too large, with noise."#),
      MistakeHint(
        "M-20",
        #"""
        $\mathrm{diag}(p)$ without $-p p^\top$: for the last layer $G \mathbf{1}$ is no longer \#
        zero.
        """#
      ),
    ])
    document.references([
      #"Chen et al., THOR, AAAI 2021, Equations 1 to 3."#,
      #"""
      Kunstner, Balles, Hennig 2019, "Limitations of the empirical Fisher approximation for \#
      natural gradient descent", arXiv 1905.12558: the case against the empirical Fisher.
      """#,
      #"""
      Martens 2020, "New insights and perspectives on the natural gradient method", arXiv \#
      1412.1193: Fisher and GGN.
      """#,
      #"""
      Dangel et al. 2025, KFAC from scratch, arXiv 2507.05127: type-1, type-2, Monte-Carlo and \#
      empirical Fisher with code.
      """#,
      #"Properties P-20 to P-31 of the suite's list; `swift test` runs them."#,
    ])
  }
}
