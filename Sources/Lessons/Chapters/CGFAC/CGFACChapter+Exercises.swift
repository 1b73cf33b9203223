import Experiments

/// The cell to try and the exercises of chapter 08, its mistakes and its sources.
extension CGFACChapter {
  static func exercises(_ document: inout ChapterDocument) {
    document.heading("Try it, then exercises")
    document.tryIt(
      #"""
      The matrix $M$ of layer 3 (empirical Fisher, $K = 1$), both products, and KFAC's from its \#
      formed factors.
      """#,
      code: #"""
        N = X.shape[1]
        M = Y.T @ V @ X
        kfac = Y @ M @ X.T / N**2
        exact = Y @ np.diag(np.diag(M)) @ X.T / N
        A, G = X @ X.T / N, Y @ Y.T / N
        np.testing.assert_allclose(kfac, G @ V @ A, rtol=1e-9, atol=1e-15)

        definition = np.zeros_like(V)
        for a, g in zip(X.T, Y.T):
            definition += g[:, None] * (g @ V @ a) * a[None, :] / N
        np.testing.assert_allclose(exact, definition, rtol=1e-9, atol=1e-15)
        kept = (np.diag(M) ** 2).sum() / (M ** 2).sum()
        print(f"diag(M) has {kept:.3f} of the squared norm of M")
        assert np.linalg.norm(kfac - exact) > 0.1 * np.linalg.norm(exact)
        """#)
    document.exercise(recall)
    document.exercise(implement)
    document.exercise(tooEarly)
    document.mistakes([
      MistakeHint(
        "M-64",
        #"""
        the solve stops relative to its first residual: a good guess saves no steps, as it sets \#
        itself a harder target.
        """#
      ),
      MistakeHint(
        "M-65",
        #"""
        FV is not symmetric, as with two different $Y$: conjugate gradients wander or break down.
        """#),
      MistakeHint(
        "M-66",
        #"""
        the other operator: all of $M$ where its diagonal is meant, or the reverse; right for one \#
        example.
        """#
      ),
    ])
    document.references([
      #"""
      Y. Chen, An iterative K-FAC algorithm for Deep Learning, arXiv 2101.00218: abstract, \#
      section 3 with Equations 9 and 10 and Algorithm 2, conclusion.
      """#,
      #"""
      The author's code, github.com/closest-git/DeepFormer, `kfac/CG_KFAC.py` (February 2021, \#
      read and not run): formed factors, at most 10 steps, stop at a hundredth of the first \#
      squared residual, raw gradient as a fallback.
      """#,
      #"""
      M. R. Hestenes and E. Stiefel, Methods of Conjugate Gradients for Solving Linear Systems, \#
      1952.
      """#,
      #"""
      Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd edition, SIAM 2003, section 6.11: \#
      the Chebyshev bound.
      """#,
      #"""
      Reproduction item `cg-fac` (`notebooks-export/reproduction/cg-fac/CLAIM.md`): the same \#
      questions with more seeds, layers and times.
      """#,
      #"""
      Properties P-100 to P-115 run in `swift test` (`Tests/CurvatureTests`, \#
      `Tests/DenseAlgebraTests`).
      """#,
    ])
  }

  private static var recall: Exercise {
    Exercise(
      .recall, "When do the two operators agree?",
      question: #"""
        For which of these layers are cg-kfac and cg-exact-block the same map, for every $V$? A: \#
        $M$ is diagonal for the batch's own gradient. B: all examples have the same $\bar a$. C: \#
        $N = K$. D: the columns of $Y$ are orthogonal.
        """#,
      starter: #"answer = None  # "A", "B", "C" or "D""#,
      check: #"""
        rng = np.random.default_rng(8)

        def difference(x, y):  # x: dA x N; y: K x dG x N
            n = x.shape[1]
            kfac = sum(np.kron(x @ x.T, g @ g.T) for g in y) / n**2
            columns = [np.kron(x[:, i], g[:, i]) for g in y for i in range(n)]
            exact = sum(np.outer(u, u) for u in columns) / n
            return np.linalg.norm(kfac - exact) / np.linalg.norm(exact)

        x, y = rng.normal(size=(4, 3)), rng.normal(size=(1, 5, 3))
        orthogonal = np.linalg.qr(y[0])[0] * [1, 2, 3]
        cases = {
            "A": (np.eye(3), orthogonal[None]),  # V = Y X' / N: then M = Y' V X is diagonal
            "B": (np.tile(x[:, :1], (1, 3)), y),
            "C": (x, rng.normal(size=(3, 5, 3))),
            "D": (x, orthogonal[None]),
        }
        own = orthogonal.T @ (orthogonal @ np.eye(3) / 3) @ np.eye(3)
        assert np.allclose(own, np.diag(np.diag(own))), "case A is what it says"
        same = [name for name, case in cases.items() if difference(*case) < 1e-12]
        assert [answer] == same, f"the operators of {answer} differ"
        """#,
      solution: #"answer = "B""#,
      explanation: #"""
        They agree when $F_\ell = A \otimes G$ (P-102), for instance when $\bar a \bar a^\top$ \#
        does not vary (chapter 05). A concerns one $V$: another $V$ fills $M$, and the factors \#
        $1/N$ and $1/N^2$ differ. C and D say nothing about the pairing.
        """#)
  }

  private static var implement: Exercise {
    Exercise(
      .changeANumber, "FV in three lines, then another damping",
      question: #"""
        Write FV for the exact block with damping (no loop over examples, no $M$ at all) and find \#
        by how much the number of conjugate-gradient steps grows when `damping` goes from `1e-2` \#
        to `1e-4`: complete `FV` and set `growth` to the ratio, to one decimal.
        """#,
      starter: #"""
        def FV(W, damping):
            raise NotImplementedError("three lines of numpy")

        def steps(damping, tolerance=1e-2):
            x, r = np.zeros_like(V), V.copy()
            p, count = r.copy(), 0
            while np.linalg.norm(r) > tolerance * np.linalg.norm(V):
                q = FV(p, damping)
                alpha = (r * r).sum() / (p * q).sum()
                x, new = x + alpha * p, r - alpha * q
                p = new + (new * new).sum() / (r * r).sum() * p
                r, count = new, count + 1
            return count

        growth = 1.0  # steps(1e-4) / steps(1e-2)
        """#,
      check: #"""
        rng = np.random.default_rng(3)
        W, W2 = rng.normal(size=V.shape), rng.normal(size=V.shape)
        truth = 0.5 * W
        for a, g in zip(X.T, Y.T):
            truth = truth + np.outer(g, a) * (g @ W @ a) / X.shape[1]
        np.testing.assert_allclose(FV(W, 0.5), truth, rtol=1e-9)
        np.testing.assert_allclose((W2 * FV(W, 0)).sum(), (W * FV(W2, 0)).sum(), rtol=1e-9)
        assert abs(growth - steps(1e-4) / steps(1e-2)) < 0.06, "the ratio is another"
        """#,
      solution: #"""
        def FV(W, damping):
            Z = W @ X                        # one column for each example
            weights = (Y * Z).sum(axis=0)    # the diagonal of M
            return (Y * weights) @ X.T / X.shape[1] + damping * W

        def steps(damping, tolerance=1e-2):
            x, r = np.zeros_like(V), V.copy()
            p, count = r.copy(), 0
            while np.linalg.norm(r) > tolerance * np.linalg.norm(V):
                q = FV(p, damping)
                alpha = (r * r).sum() / (p * q).sum()
                x, new = x + alpha * p, r - alpha * q
                p = new + (new * new).sum() / (r * r).sum() * p
                r, count = new, count + 1
            return count

        growth = steps(1e-4) / steps(1e-2)
        """#,
      explanation: #"""
        The diagonal of $M$ is the sum over rows of $Y \odot (VX)$, so $M$ is not needed. The \#
        check tests the definition and symmetry (P-101), which conjugate gradients rely on. The \#
        steps grow, and less than $\sqrt\kappa$ (a factor of ten) says: the bound is for the \#
        worst spectrum, and here a few large eigenvalues are dealt with first.
        """#)
  }

  private static var tooEarly: Exercise {
    Exercise(
      .breakIt, "Small residual, wrong step",
      question: #"""
        A residual of one hundredth sounds like a step that is right to one hundredth. Find a \#
        damping for which the solve reaches $\lVert r\rVert \le 0.01 \lVert V\rVert$ and its step \#
        is still off by more than a tenth of its length.
        """#,
      starter: #"damping = 1.0  # change this number"#,
      check: #"""
        U = np.array([np.kron(a, g) for a, g in zip(X.T, Y.T)]).T / np.sqrt(X.shape[1])
        F = U @ U.T
        b = V.T.ravel()                      # columns stacked

        def solve(matrix, tolerance):
            x, r = np.zeros_like(b), b.copy()
            p = r.copy()
            for _ in range(2000):
                if np.linalg.norm(r) <= tolerance * np.linalg.norm(b):
                    return x
                q = matrix @ p
                alpha = r @ r / (p @ q)
                x, new = x + alpha * p, r - alpha * q
                p, r = new + (new @ new) / (r @ r) * p, new
            raise AssertionError("no convergence in 2000 steps")

        assert damping > 0
        matrix = F + damping * np.eye(len(b))
        truth = np.linalg.solve(matrix, b)
        error = np.linalg.norm(solve(matrix, 0.01) - truth) / np.linalg.norm(truth)
        assert error > 0.1, f"the step is right to {error:.3f}"
        """#,
      solution: "damping = 1e-5",
      explanation: #"""
        The error is $(F_\ell + \lambda I)^{-1} r$. Along flat directions the inverse multiplies \#
        $r$ by up to $1/\lambda$, so a small residual there is a large error of the step. At \#
        worst the relative error is $\kappa$ times the relative residual. The smaller the \#
        damping, the tighter the tolerance has to be.
        """#)
  }
}
