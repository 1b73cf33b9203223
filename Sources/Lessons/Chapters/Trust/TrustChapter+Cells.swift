import DataFiles
import DenseAlgebra
import Experiments

/// The cells of chapter 13.
enum TrustCells {
  /// The certified systems that the cells get.
  static let names = [
    "hilbert-3", "hilbert-5", "hilbert-8", "hilbert-12", "graded-1e8-10", "graded-1e20-20",
  ]

  static let setup = #"""
    table = pd.read_csv(DATA / "13-digits.csv").set_index("matrix")
    systems = np.load(DATA / "13-systems.npz")
    EPS = 2.0**-52


    def system(name):
        """A, b and the certified solution x of A x = b."""
        return tuple(systems[f"{name}-{part}"] for part in ("A", "b", "x"))


    def residual_ratio(A, x, b):
        size = len(b) * np.linalg.norm(A, 1) * np.linalg.norm(x, 1) * EPS
        return np.linalg.norm(A @ x - b, 1) / size


    def digits(x, exact):
        error = np.linalg.norm(x - exact, 1) / np.linalg.norm(exact, 1)
        return min(max(-np.log10(max(error, 1e-16)), 0), 16)


    def hilbert(n):
        i = np.arange(n)
        return 1.0 / (i[:, None] + i[None, :] + 1)
    """#

  static let residuals = #"""
    for name in ("hilbert-3", "hilbert-5", "hilbert-8", "hilbert-12"):
        A, b, x = system(name)
        mine = np.linalg.solve(A, b)
        ratio, right = residual_ratio(A, mine, b), digits(mine, x)
        print(f"{name}: ratio {ratio:.2g}, digits {right:.1f}")
        assert ratio < 30  # numpy's LAPACK is backward stable on all of them
        assert right >= table.loc[name, "rule"] - 1  # the rule, with a digit of margin
    assert right < 6  # and the last answer is nearly worthless
    """#

  static let units = #"""
    A, b, x = system("graded-1e20-20")
    D = np.diag(1 / np.sqrt(np.diag(A)))
    print("condition number:", table.loc["graded-1e20-20", "condition"])
    print("after scaling:   ", np.linalg.cond(D @ A @ D))
    assert np.linalg.cond(D @ A @ D) < 100
    L = np.linalg.cholesky(A)
    mine = np.linalg.solve(L.T, np.linalg.solve(L, b))
    assert digits(mine, x) > 13  # the rule says minus five
    # Powers of two as units change no rounding of Cholesky: the factor is the same, scaled.
    units = 2.0 ** np.arange(len(b))
    scaled = np.linalg.cholesky(A * np.outer(units, units))
    np.testing.assert_allclose(scaled, L * units[:, None], rtol=1e-13, atol=0)
    """#
}

extension TrustChapter {
  static func cells(_ document: inout ChapterDocument) throws {
    var arrays: [(name: String, array: NumericArray)] = []
    for name in TrustCells.names {
      let file = try CertifiedMatrix.read(name)
      arrays.append(("\(name)-A", NumericArray(file.matrix)))
      arrays.append(("\(name)-b", NumericArray(Vector(file.rightHandSide ?? []))))
      arrays.append(("\(name)-x", NumericArray(Vector(file.solution ?? []))))
    }
    document.data("systems", arrays)
    document.heading("Try it")
    document.tryIt(
      "numpy's own solver on the Hilbert matrices: all residuals are small.",
      code: TrustCells.residuals)
    document.tryIt(
      "A condition number that is only a matter of units.", code: TrustCells.units)
  }

  static func ending(_ document: inout ChapterDocument) {
    document.heading("Exercises")
    document.exercise(recall)
    document.exercise(size)
    document.exercise(breakIt)
    document.mistakes([
      MistakeHint(
        "M-67",
        "A factor inverted in single precision without enough damping: the error grows like the condition number."
      ),
      MistakeHint(
        "M-42",
        #"$L^{-1}L^{-1}$ for $L^{-\top}L^{-1}$: the determinant is right, the inverse is not symmetric."#
      ),
      MistakeHint(
        "M-43",
        #"$L^{-1}L^{-\top}$: symmetric, with the right spectrum, and another matrix. A test of eigenvalues passes."#
      ),
      MistakeHint(
        "M-45",
        "Only one triangle is filled: LAPACK returns one, and the other is zero or old."),
    ])
    document.references([
      #"""
      N. J. Higham: Accuracy and Stability of Numerical Algorithms, 2nd edition, SIAM 2002; sections 7.1 (condition and \#
      residual), 10.1 (Cholesky and scaling) and 28.1 (Hilbert matrices).
      """#,
      #"""
      J. Demmel, K. Veselić: Jacobi's method is more accurate than QR, SIAM Journal on Matrix Analysis and \#
      Applications 13 (1992). Tiny eigenvalues.
      """#,
      #"""
      S. Blackford, J. Dongarra: Installation guide for LAPACK (LAPACK Working Note 41). Test ratios and the \#
      threshold 30.
      """#,
      #"""
      `Fixtures/README.md`: the certified matrices and the reports; `Fixtures/reports`: the committed \#
      measurements that this chapter reads.
      """#,
    ])
  }

  private static let recall = Exercise(
    .recall, "What a small residual says",
    question:
      #"""
      A solver returns $\hat x$ with a residual ratio below 1. Which statement follows \#
      for **every** system? **A**: at least 13 digits of $\hat x$ are right. **B**: $\hat x$ solves exactly a system whose \#
      matrix is within a few roundings of $A$. **C**: $\kappa$ is small. **D**: the true solution is near \#
      $\hat x$ in single precision.
      """#,
    starter: #"answer = "?"  # a letter"#,
    check: #"""
      def nearby(A, x, b):
          r = b - A @ x
          E = np.outer(r, x) / (x @ x)  # by construction (A + E) x = b
          return np.linalg.norm(E) <= 10 * len(b) * EPS * np.linalg.norm(A)


      tests = {
          "A": lambda A, mine, b, x: digits(mine, x) >= 13,
          "B": lambda A, mine, b, x: nearby(A, mine, b),
          "C": lambda A, mine, b, x: np.linalg.cond(A) < 1e3,
          "D": lambda A, mine, b, x: digits(mine, x) >= 7,
      }
      assert answer in tests, "answer with a letter"
      for name in ("hilbert-3", "hilbert-8", "hilbert-12", "graded-1e8-10"):
          A, b, x = system(name)
          mine = np.linalg.solve(A, b)
          assert residual_ratio(A, mine, b) < 1
          assert tests[answer](A, mine, b, x), f"not so for {name}"
      """#,
    solution: #"answer = "B""#,
    explanation:
      #"""
      The check builds the nearby system: with the residual $r = b - A\hat x$, the matrix \#
      $A + r\hat x^\top/(\hat x^\top \hat x)$ has $\hat x$ as its exact solution. How near the true \#
      solution is, depends on $\kappa$ as well.
      """#)

  private static let size = Exercise(
    .changeANumber, "The last useful Hilbert matrix",
    question:
      #"""
      What is the smallest size $n$ of a Hilbert matrix for which the rule $15 - \log_{10}\kappa$ promises less than one digit?
      """#,
    starter: "n = 5  # change this number",
    check: """
      def promised(n):
          return 15 - np.log10(np.linalg.cond(hilbert(n)))


      assert promised(n) < 1, "one digit or more is promised"
      assert promised(n - 1) >= 1, "a smaller one is enough"
      """,
    solution: """
      n = 1
      while 15 - np.log10(np.linalg.cond(hilbert(n))) >= 1:
          n += 1
      """,
    explanation:
      #"""
      The condition number of the Hilbert matrix grows about like $e^{3.5 n}$, that is by three digits for every \#
      two rows. With 16 digits at the start, few rows are enough.
      """#)

  private static let breakIt = Exercise(
    .breakIt, "A perfect residual and a wrong answer",
    question:
      #"""
      Find a symmetric positive definite $A$ of size 2 × 2 and an $\hat x$ for which the right-hand side \#
      $b = A\,(1, 1)^\top$ is met with a residual ratio below 1, although $\hat x$ is wrong by more than a tenth in each entry.
      """#,
    starter: """
      def wrong_answer():
          A = np.array([[2.0, 1.0], [1.0, 2.0]])
          x = np.array([1.0, 1.0])
          return A, x
      """,
    check: """
      A, x = wrong_answer()
      np.testing.assert_array_equal(A, A.T)
      np.linalg.cholesky(A)  # positive definite
      b = A @ np.ones(2)
      assert residual_ratio(A, x, b) < 1, "the residual shows it"
      assert np.all(np.abs(x - 1) > 0.1), "the answer is not wrong enough"
      """,
    solution: """
      def wrong_answer():
          A = np.array([[1.0, 1.0], [1.0, 1.0 + 4 * EPS]])
          x = np.array([1.5, 0.5])
          return A, x
      """,
    explanation:
      #"""
      The direction $(1, -1)$ is nearly lost by $A$: moving $\hat x$ along it changes $A \hat x$ by less than a rounding. Such an \#
      $A$ has $\kappa \approx 1/\varepsilon$, and no residual can see the error.
      """#)
}
