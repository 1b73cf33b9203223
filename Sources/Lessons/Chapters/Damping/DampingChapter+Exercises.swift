import Experiments

extension DampingChapter {
  // MARK: - Exercises

  static func exercises(_ document: inout ChapterDocument, _ report: DampingReport) {
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "Which rules see the scale of a factor?",
        question:
          #"""
          Multiply $A$ by ten and divide $G$ by ten. The product $A \otimes G$ stays. For each \#
          rule: does the direction of the damped step change or stay?
          """#,
        starter: DampingCells.recallStarter, check: DampingCells.recallCheck,
        solution: DampingCells.recallSolution,
        explanation:
          #"""
          Exact damping sees only the product. In the $\pi$ rule $\pi$ is multiplied by ten too, \#
          so that both shifts move with their factors. The other two add the same number to \#
          factors of another size.
          """#
      ))
    document.exercise(
      Exercise(
        .changeANumber, "Where do they differ most?",
        question:
          #"""
          The text gives the $\lambda$ of the largest angle for layers 2 to 4 together. Take \#
          layer 4 alone: find a $\lambda$ for which the angle between THOR's step and the exactly \#
          damped one is within half a degree of the largest there. Guess from the figure of the \#
          eigenvalues to which side the place moves, then compute.
          """#,
        starter: DampingCells.worstStarter, check: DampingCells.worstCheck,
        solution: DampingCells.worstSolution,
        explanation:
          #"""
          Scan $\lambda$ on a logarithmic grid and take the largest. The angle is a smooth \#
          function with a flat top, so a grid of twenty points per power of ten is fine. It lies \#
          at a larger $\lambda$ than in the text: the $G$ of layer 4 has one eigenvalue zero, and \#
          all the others are well above the small ones of layers 2 and 3.
          """#
      ))
    document.exercise(
      Exercise(
        .breakIt, "Turn Equation 6 without touching the curvature",
        question:
          #"""
          Put $A/c$ and $cG$ in the place of $A$ and $G$; the product stays. Choose $c$ so that \#
          the step of Equation 6 at $\lambda = 0.3$ forgets $A$: it must be within one degree of \#
          the step with $\lambda I \otimes (cG + \lambda I)$, and more than thirty degrees away \#
          from what it was. The $\pi$ rule must not turn at all. Say first whether $c$ has to be \#
          large or small.
          """#,
        starter: DampingCells.breakStarter, check: DampingCells.breakCheck,
        solution: DampingCells.breakSolution,
        explanation:
          #"""
          A large $c$ lifts $G$ above $\lambda$ and sinks $A$ below it: the method of $A$ becomes \#
          a method of $G$. Summing outer products over a batch instead of averaging does this to \#
          $G$ in practice (mistake M-04).
          """#
      ))
    document.mistakes([
      MistakeHint(
        "M-29",
        #"""
        $\lambda$ where $\sqrt{\lambda}$ is meant, or the reverse. Invert the dumped inverse and \#
        subtract the factor: the diagonal left over is $\delta$.
        """#
      ),
      MistakeHint(
        "M-30", #"$\pi$ inverted: the product of the two shifts is right, their quotient is not."#),
      MistakeHint(
        "M-32", #"$\pi^2$ used for $\pi$: the quotient of the shifts is $\pi^4$."#),
      MistakeHint(
        "M-33",
        #"""
        Only one factor is damped, or the damping is added again at every call: the shift is \#
        zero, or grows.
        """#
      ),
      MistakeHint(
        "M-34",
        #"""
        $G$ is damped before it is rescaled: the shift of $G$ is multiplied with the rescaling.
        """#),
    ])
    document.references([
      #"Chen et al., THOR, AAAI 2021, Equations 5, 6, 13, 16 and Table 3."#,
      #"Martens and Grosse 2015, arXiv 1503.05671: factored Tikhonov damping and $\pi$."#,
      #"""
      MindSpore, API page of `mindspore.nn.thor`: the formula for `damping`; `nn/optim/thor.py`, \#
      commit 005dc05c, read and not run: $\sqrt{\lambda}$ on each factor.
      """#,
      #"Properties P-62 to P-68 of the suite's list; `swift test` runs them."#,
    ])
  }
}
