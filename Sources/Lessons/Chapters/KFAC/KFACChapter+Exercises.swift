import Experiments

/// The exercises of chapter 05, its mistakes and its sources.
extension KFACChapter {
  static func exercises(_ document: inout ChapterDocument, _ findings: inout Findings) {
    document.heading("Exercises")
    document.exercise(recall)
    document.exercise(twoExamples)
    document.exercise(brokenPairs)
    document.mistakes([
      MistakeHint(
        "M-01",
        "$A$ is a sum: it is $N$ times too large, and the last entry of $A$ is $N$ and not 1."),
      MistakeHint(
        "M-02",
        #"""
        $G$ is made of gradients of the mean loss: $1/N^2$ too small, steps like plain gradients.
        """#),
      MistakeHint(
        "M-48",
        "$A$ is the outer product of the mean input: rank one, right with one example only."),
      MistakeHint(
        "M-17",
        "$G$ is made of the training labels: it changes when the labels are shuffled."),
    ])
    document.references([
      "Chen et al., THOR, AAAI 2021, section KFAC, Equations 3 to 6.",
      #"""
      Y. Chen, An iterative K-FAC algorithm for Deep Learning (CG-FAC), arXiv 2101.00218, section \#
      2 (Algorithm 1) and Equation 8; the note writes the factors for a single example.
      """#,
      #"""
      J. Martens and R. Grosse, Optimizing Neural Networks with Kronecker-factored Approximate \#
      Curvature, ICML 2015, arXiv 1503.05671: the method and its factors.
      """#,
      #"""
      F. Dangel et al., Kronecker-factored Approximate Curvature (KFAC) From Scratch, arXiv \#
      2507.05127: the exact cases as tests of programs.
      """#,
      #"""
      A. Bernacchia, M. Lengyel and G. Hennequin, Exact natural gradient in deep linear networks, \#
      NeurIPS 2018: the deep linear case (here after 2507.05127).
      """#,
      "Properties P-48 to P-57 run in `swift test` (`Tests/CurvatureTests`).",
    ])
  }

  private static var recall: Exercise {
    Exercise(
      .recall, "Which batch makes KFAC exact?",
      question: #"""
        In one of these batches the hidden layer's $F_\ell$ equals $A \otimes G$. Which one? A: \#
        very many examples, inputs and gradients drawn independently. B: eight examples with the \#
        same input and different $\Gamma_n$. C: eight examples whose gradients average to zero \#
        over the model's labels. D: eight examples with inputs of equal length. The check tries \#
        all four.
        """#,
      starter: #"answer = None  # "A", "B", "C" or "D""#,
      check: #"""
        rng = np.random.default_rng(5)

        def relative_error(a, g):  # a: N x 3; g: N x classes x 2
            gamma = np.einsum("nci,ncj->nij", g, g)
            outer = np.einsum("ni,nj->nij", a, a)
            exact = np.mean([np.kron(s, t) for s, t in zip(outer, gamma)], axis=0)
            kfac = np.kron(outer.mean(axis=0), gamma.mean(axis=0))
            return np.linalg.norm(kfac - exact) / np.linalg.norm(exact)

        a, g = rng.normal(size=(8, 3)), rng.normal(size=(8, 4, 2))
        batches = {
            "A": (rng.normal(size=(2000, 3)), rng.normal(size=(2000, 4, 2))),
            "B": (np.tile(a[:1], (8, 1)), g),
            "C": (a, g - g.mean(axis=1, keepdims=True)),
            "D": (a / np.linalg.norm(a, axis=1, keepdims=True), g),
        }
        exact = [name for name, batch in batches.items() if relative_error(*batch) < 1e-12]
        assert [answer] == exact, f"{answer} is not exact"
        """#,
      solution: #"answer = "B""#,
      explanation: #"""
        B: if $\bar a_n \bar a_n^\top$ does not vary, every term of the covariance is zero, \#
        whatever $\Gamma_n$ does. A is close for large $N$ and never exact. C is true of every \#
        exact Fisher and says nothing about squares. D makes the trace right (P-56), and not the \#
        other entries.
        """#)
  }

  private static var twoExamples: Exercise {
    Exercise(
      .changeANumber, "From one example to two",
      question: #"""
        Write the Frobenius norm of $F_\ell - A \otimes G$ for two examples with inputs `a1`, \#
        `a2` and matrices `gamma1`, `gamma2`, without forming any Kronecker product: the check \#
        does not let you call `np.kron`. The closed form is in the section on more data; what do \#
        you know of the norm of a Kronecker product?
        """#,
      starter: #"""
        def error_of_two(a1, a2, gamma1, gamma2):
            raise NotImplementedError("one line of numpy")
        """#,
      check: #"""
        from unittest import mock

        a, p = layer4["inputs"].T, layer4["probabilities"].T
        gamma = [np.diag(q) - np.outer(q, q) for q in p]
        for i, j in [(0, 1), (2, 9), (7, 7)]:
            outer = [np.outer(a[i], a[i]), np.outer(a[j], a[j])]
            exact = (np.kron(outer[0], gamma[i]) + np.kron(outer[1], gamma[j])) / 2
            kfac = np.kron((outer[0] + outer[1]) / 2, (gamma[i] + gamma[j]) / 2)
            truth = np.linalg.norm(exact - kfac)
            with mock.patch.object(np, "kron", side_effect=AssertionError("without np.kron")):
                found = error_of_two(a[i], a[j], gamma[i], gamma[j])
            np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-14)
        """#,
      solution: #"""
        def error_of_two(a1, a2, gamma1, gamma2):
            inputs = np.outer(a1, a1) - np.outer(a2, a2)
            return np.linalg.norm(inputs) * np.linalg.norm(gamma1 - gamma2) / 4
        """#,
      explanation: #"""
        Write the means as $\frac12(x_1 + x_2)$. The deviations from them are $\pm\frac12(x_1 - \#
        x_2)$ for both factors, with the same sign in each example, so the two terms of the \#
        covariance are equal: $2 \cdot \frac12 \cdot \frac14$. The third pair of the check is one \#
        example twice: no error.
        """#)
  }

  private static var brokenPairs: Exercise {
    Exercise(
      .breakIt, "Make KFAC too small without touching its factors",
      question: #"""
        Give the probabilities of example `n` the input of example `order[n]`. Find an order for \#
        which $\mathrm{tr}(A \otimes G)$ is smaller than $\mathrm{tr}\,F_\ell$, and their \#
        quotient smaller than for any of 200 random orders. The factors do not change, only the \#
        pairs do. Say first, by the trace formula, which inputs must meet which probabilities.
        """#,
      starter: #"""
        a, p = layer4["inputs"], layer4["probabilities"]
        sizes = (a ** 2).sum(axis=0)          # squared lengths of the inputs
        traces = 1 - (p ** 2).sum(axis=0)     # traces of diag(p) - p p^T
        order = np.arange(a.shape[1])         # change this line
        """#,
      check: #"""
        inputs, probabilities = layer4["inputs"], layer4["probabilities"]
        n = inputs.shape[1]
        assert sorted(order) == list(range(n)), "an order uses each example once"

        def trace_ratio(order):
            size = (inputs[:, order] ** 2).sum(axis=0)
            trace = 1 - (probabilities ** 2).sum(axis=0)
            return size.mean() * trace.mean() / (size * trace).mean()

        rng = np.random.default_rng(6)
        best = min(trace_ratio(rng.permutation(n)) for _ in range(200))
        ratio = trace_ratio(np.asarray(order))
        assert ratio < best < 1, f"ratio {ratio:.3f}, random orders reach {best:.3f}"
        """#,
      solution: #"""
        a, p = layer4["inputs"], layer4["probabilities"]
        sizes = (a ** 2).sum(axis=0)
        traces = 1 - (p ** 2).sum(axis=0)
        order = np.empty(a.shape[1], dtype=int)
        order[np.argsort(traces)] = np.argsort(sizes)
        """#,
      explanation: #"""
        Large inputs must meet large $\Gamma_n$: that makes the covariance of $\lVert\bar \#
        a\rVert^2$ and $\mathrm{tr}\,\Gamma$, and with it $\mathrm{tr}\,F_\ell$, as large as it \#
        can be (P-56; the rearrangement inequality). The real pairs of this layer do the reverse. \#
        $A$ and $G$ are means over the same columns in another order, so they stay.
        """#)
  }
}
