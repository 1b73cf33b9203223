/// glossary.md: a heading for each concept, which a bug report can link to, with its other names.
enum Glossary {
  struct Entry {
    let name: String
    let otherNames: String
    let meaning: String
    let chapters: [Int]
  }

  static func text(_ catalogue: [Chapter]) -> String {
    let head = """
      # Glossary

      One concept, one heading, all its names. "Also called" lists names that mean the same thing
      under the [conventions](conventions.md); near relatives are in the text.
      """
    let sections = entries.map { entry in
      let links = entry.chapters.compactMap { number in
        catalogue.first { $0.number == number }.map { "[chapter \($0.prefix)](\($0.name).md)" }
      }
      let also = entry.otherNames.isEmpty ? "" : "*Also called:* \(entry.otherNames).\n\n"
      let see = links.isEmpty ? "" : "\n\nSee \(links.joined(separator: ", "))."
      return "## \(entry.name)\n\n" + also + entry.meaning + see
    }
    return InlineMathematics.github(([head] + sections).joined(separator: "\n\n")) + "\n"
  }

  static let entries: [Entry] = [
    Entry(
      name: "Fisher information matrix",
      otherNames:
        "true Fisher, exact Fisher, type-1 Fisher, type-2 Fisher; for the losses here also generalised Gauss-Newton matrix (GGN)",
      meaning:
        #"$F = \frac1N \sum_n \sum_c u_{n,c} u_{n,c}^\top$, the mean over examples of the expected outer product of the score, with labels drawn from the model. $u_{n,c}$ is the gradient of $-\log p$ for the label $c$ times the root of that label's probability, or a column of a root of the output Hessian sent backward. Type-1 is this expectation; type-2 is the expected Hessian of $-\log p$ in the output, pulled back through the Jacobian. Both are the same matrix for every model. For the Gaussian, categorical and Bernoulli losses of this suite the Hessian in the output does not depend on the label, so the GGN is the same matrix too. KFLR is not: it is KFAC's approximation of this matrix."#,
      chapters: [1, 2, 3]),
    Entry(
      name: "Empirical Fisher", otherNames: "gradient second moment at the data's labels",
      meaning:
        "The same outer products with the labels of the data in place of labels of the model. Another matrix: where a model with Gaussian output fits its data exactly it is zero, and the true Fisher is not. It needs no backward pass beyond that of training, but the gradients of single examples, not of the batch.",
      chapters: [2]),
    Entry(
      name: "Monte Carlo Fisher", otherNames: "sampled Fisher, MC Fisher",
      meaning:
        #"Labels are drawn from the model, $M$ for each example, and the outer products averaged. Unbiased for $F$, with an error that falls as $M^{-1/2}$."#,
      chapters: [2]),
    Entry(
      name: "Generalised Gauss-Newton matrix",
      otherNames: "GGN, Gauss-Newton matrix (for squared error)",
      meaning:
        #"$\frac1N \sum_n J_n^\top H_n J_n$ with the Jacobian $J_n$ of the network output and the Hessian $H_n$ of the loss in it. Equals $F$ here. The Hessian of the loss has a second term, which vanishes with the residuals."#,
      chapters: [2, 3]),
    Entry(
      name: "Natural gradient", otherNames: "Fisher-preconditioned gradient",
      meaning:
        #"$F^{-1} \nabla h$: the direction of steepest descent when lengths are measured by the Kullback-Leibler divergence. Damped: $(F + \lambda I)^{-1} \nabla h$."#,
      chapters: [1]),
    Entry(
      name: "Score", otherNames: "gradient of the log-likelihood",
      meaning:
        #"$\nabla_\theta \log p(y \mid x, \theta)$; its mean over the model's labels is zero."#,
      chapters: [1, 3]),
    Entry(
      name: "Kronecker factors",
      otherNames:
        "$A$: input covariance, activation factor, input statistic; $G$: output covariance, gradient factor, sensitivity statistic",
      meaning:
        #"$A_{\ell-1} = \mathbb E[\bar a \bar a^\top]$ and $G_\ell = \mathbb E[g g^\top]$ of a layer. Second moments, not covariances in the strict sense: nothing is centred."#,
      chapters: [4, 5]),
    Entry(
      name: "KFAC",
      otherNames:
        "K-FAC, Kronecker-factored approximate curvature; with the exact output Hessian, as by default here, KFLR",
      meaning:
        #"Keeps the diagonal blocks of $F$ and replaces $\mathbb E[\bar a \bar a^\top \otimes g g^\top]$ by $\mathbb E[\bar a \bar a^\top] \otimes \mathbb E[g g^\top]$. The kind of the vectors $g$ is a second choice: all columns of a root of the output Hessian (KFLR), labels drawn from the model (Martens and Grosse 2015), or labels of the data (empirical). KFRA is a relative that averages the recursion for $G$ over the examples at each layer."#,
      chapters: [5]),
    Entry(
      name: "EKFAC", otherNames: "eigenvalue-corrected KFAC, George et al. 2018",
      meaning:
        "KFAC's eigenvectors with the second moments that the gradients really have along them: the nearest matrix to the block in the Frobenius norm among all with these eigenvectors.",
      chapters: [7]),
    Entry(
      name: "CG-FAC",
      otherNames: "matrix-free KFAC solve, conjugate gradients on a Kronecker operator",
      meaning:
        "Solves the damped system by conjugate gradients from products with layer inputs and back-propagated vectors, without a matrix. The note can be read as two operators: KFAC's product (`cg-kfac`), and the exact block's (`cg-exact-block`).",
      chapters: [8]),
    Entry(
      name: "THOR",
      otherNames: "trace-based hardware-driven layer-oriented natural gradient descent",
      meaning:
        "KFAC with three additions: factors are cut to diagonal blocks before inversion (the split), each layer decides by the change of its trace whether new statistics are accepted and inverted (the trace rule), and the interval between updates grows.",
      chapters: [9, 10, 11]),
    Entry(
      name: "Split", otherNames: "matrix split, pinching, block-diagonal part",
      meaning:
        "Keeps only the diagonal blocks of a factor. Pinching is its name in matrix analysis.",
      chapters: [9, 10]),
    Entry(
      name: "Information loss", otherNames: "THOR Equation 11",
      meaning:
        #"$1 - \lVert \hat A \rVert_2 / \lVert A \rVert_2$ of a factor $A$ and its split $\hat A$: what the largest eigenvalue loses. The THOR paper calls the share of the factors whose loss is below its tolerance "normalized loss"; it rises as less is lost, and is called retained fraction here."#,
      chapters: [10]),
    Entry(
      name: "Trace rule", otherNames: "trace-based updating rule, THOR Equations 7 to 9",
      meaning:
        #"Compares $\mathrm{tr}(F + \lambda I)$ of a layer's new statistics with the trace of those last accepted. A relative change above $\omega_1$: the new ones are accepted and inverted (update). From $\omega_2$ to $\omega_1$: they are dropped (keep). Below $\omega_2$: they are dropped, and the layer is never tested again (stop)."#,
      chapters: [11]),
    Entry(
      name: "Damping", otherNames: "Tikhonov regularisation, Levenberg-Marquardt term, ridge",
      meaning:
        #"What is added before inversion. $\lambda$ on $F$, $\sqrt\lambda$ on the factors, and $\lambda$ on the factors are different matrices."#,
      chapters: [6]),
    Entry(
      name: "Factored Tikhonov damping", otherNames: "pi damping, heuristic damping",
      meaning:
        #"$(A + \pi\sqrt\lambda I) \otimes (G + \frac1\pi\sqrt\lambda I)$ with $\pi$ from the mean eigenvalues of the factors."#,
      chapters: [6]),
    Entry(
      name: "vec order",
      otherNames: "cvec (column-major, Fortran order), rvec (row-major, C order), flattening",
      meaning:
        #"Whether the columns or the rows of $[W\ b]$ are put under each other. It decides between $A \otimes G$ and $G \otimes A$."#,
      chapters: [4]),
    Entry(
      name: "Homogeneous coordinate", otherNames: "appended one, bias trick",
      meaning: #"The 1 appended to a layer's input so that $[W\ b]$ is one matrix."#,
      chapters: [4]),
    Entry(
      name: "Block-diagonal Fisher", otherNames: "layer-wise Fisher",
      meaning: "The blocks of $F$ of each layer with itself; what joins two layers is dropped.",
      chapters: [5]),
    Entry(
      name: "Nearest Kronecker product",
      otherNames: "Van Loan-Pitsianis approximation, optimal Kronecker",
      meaning:
        "The pair of factors whose Kronecker product is nearest to a block in the Frobenius norm: the leading singular pair of the rearranged block.",
      chapters: [7]),
    Entry(
      name: "Relative Frobenius error", otherNames: "",
      meaning:
        #"$\lVert M - F \rVert_F / \lVert F \rVert_F$. Small errors in it do not promise a good inverse."#,
      chapters: [5, 9]),
    Entry(
      name: "F-cosine", otherNames: "cosine in the Fisher metric",
      meaning:
        #"The cosine between two steps $u$, $v$ with the inner product $u^\top (F + \lambda I) v$."#,
      chapters: [6, 11, 12]),
    Entry(
      name: "Eta",
      otherNames: "share of the best model decrease",
      meaning:
        #"The decrease of the damped quadratic model along an approximate step at its best length, over the decrease of the exact step. It equals the squared F-cosine."#,
      chapters: [6, 7, 11, 12]),
    Entry(
      name: "Residual ratio", otherNames: "scaled residual, LAPACK test ratio",
      meaning:
        #"$\lVert A \hat x - b \rVert / (n \lVert A \rVert \lVert \hat x \rVert \varepsilon)$ for a solution $\hat x$, and $\lVert \mathrm{residual} \rVert / (n \lVert A \rVert \varepsilon)$ for a factorization of $A$: how many units of unavoidable rounding a result is away. LAPACK's own tests accept 30."#,
      chapters: [13]),
    Entry(
      name: "Condition number", otherNames: "κ",
      meaning:
        #"$\lVert A \rVert \lVert A^{-1} \rVert$. A solution loses about $\log_{10}\kappa$ of the digits that the arithmetic has."#,
      chapters: [13]),
    Entry(
      name: "Staleness", otherNames: "",
      meaning:
        "Statistics or inverses of an earlier step used at a later one. How old they become is set by the update interval: T_FIM and T_INV in the THOR paper, `frequency` in MindSpore. A choice of schedule, separate from the structure.",
      chapters: [11, 12]),
    Entry(
      name: "Museum", otherNames: "mistake catalogue",
      meaning:
        "Wrong variants of every computation here, each with the test that catches it and its distance to all others.",
      chapters: [14]),
  ]
}
