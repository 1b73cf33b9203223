import Experiments

extension ThreeFishersChapter {
  // MARK: - Vanishing residuals

  static func vanishing(
    _ document: inout ChapterDocument, _ report: ThreeFishersReport
  ) {
    document.heading("When the residuals vanish")
    document.paragraph(
      #"""
      Take a regression: the model is a Gaussian with mean $z$ and variance one, and the loss is \#
      $\frac{1}{2} \lVert y - z \rVert^2$, so that $H_n$ is the identity. Let $r_n = z_n - y_n$ \#
      be the residual. Then
      """#
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
      #"""
      Now shrink all residuals by a factor $t$, as if the fit became better while the network \#
      stayed as it is. $F$ does not contain $r$ and does not change. The empirical Fisher falls \#
      like $t^2$. The Hessian goes to $F$, and the distance falls like $t$. Perfect fit is where \#
      the Hessian and $F$ are equal (property P-27, tested) and where the empirical Fisher is \#
      zero (property P-26, tested).
      """#
    )
    document.figure(report.vanishingFigure)
    document.paragraph(
      #"""
      Left, a small regression network: at $t = 1$ the empirical Fisher has \#
      \#(report.regressionFirst) of the norm of $F$, at the smallest $t$ only \#
      \#(report.regressionLast). Right, the classifier. There $F$ itself goes to zero, as the \#
      softmax becomes sure: to \#(report.exactFall) of its norm at the start. But the empirical \#
      Fisher falls faster, to \#(report.empiricalFall) of its own. This is the $\epsilon^2$ \#
      against $\epsilon (1 - \epsilon)$ of above: it forgets the images that are learned, and \#
      listens to those that are still wrong.
      """#
    )
    document.paragraph(
      #"""
      One thing does *not* carry over. In the regression the Hessian ends at $F$. In the \#
      classifier the residual $p - e_y$ ($e_y$ is one at the label and zero elsewhere) and $F$ \#
      both shrink like $\epsilon$, so their quotient has no reason to vanish: at the last step \#
      the Hessian is still \#(report.last.hessian) away from $F$. "Near the minimum the Hessian \#
      is the Fisher matrix" needs care.
      """#
    )
    document.caveat(
      #"""
      With the empirical Fisher in the place of $F$ the undamped step becomes *longer* as the \#
      regression fits better: the gradient falls like $t$, the matrix like $t^2$. Whether \#
      training suffers depends on damping and learning rate, and is not measured here. A matrix \#
      that is near to $F$ is not by itself a better optimizer.
      """#
    )
    document.tryIt(
      #"""
      On the small network: the exact Fisher by summing over classes equals the mean of $J_n^\top \#
      H_n J_n$; exchanging the labels changes the empirical Fisher and leaves the exact one \#
      alone.
      """#,
      code: ThreeFishersCells.labels)
  }

  // MARK: - The paper

  static func paper(_ document: inout ChapterDocument) {
    document.heading("What the THOR paper says")
    document.paragraph(
      #"""
      The THOR paper (AAAI 2021) introduces the loss as $J(\theta) = \mathbb{E}[-\log p(y \mid x, \#
      \theta)]$, "\#(printed: "where x, y are the training input and label")" (Equation 1), and \#
      then the Fisher matrix: "\#(printed: "With the predictive distribution defined as") \#
      $\mathbb{P}_{y \mid x}$, \#(printed: "FIM is formulated as")"
      """#
    )
    document.mathematics(
      #"""
      F = \mathbb{E} \left[ \nabla_\theta \log p(y \mid x, \theta) \, \nabla_\theta \log p(y \mid \#
      x, \theta)^\top \right] \qquad (2)
      """#
    )
    document.paragraph(
      #"""
      The text does not say over which $y$ the mean is taken. Read with the mean of Equation 1, \#
      it is the empirical Fisher; read with the predictive distribution of the same sentence, it \#
      is the exact one. The paper's experiments do not settle it. The source of MindSpore's \#
      `nn.thor`, as we read it (`nn/optim/thor.py`, commit 005dc05c; read, not run), takes the \#
      gradients of the training loss, hence the labels of the data. This suite computes the exact \#
      Fisher unless a text says otherwise, and [chapter 09](09-thor-split.md) looks at what the \#
      choice does to the paper's Figure 4.
      """#
    )
  }
}
