import Experiments

/// The cell to try and the exercises of chapter 01, its mistakes and its sources.
extension TwoRulersChapter {
  static func exercises(_ document: inout ChapterDocument) {
    document.heading("Try it, then exercises")
    document.tryIt(
      "Measure the bend of the three paths in both planes, and the length of the layers' steps.",
      code: #"""
        def bend(points):
            chord = points[-1] - points[0]
            unit = chord / np.linalg.norm(chord)
            offset = points - points[0]
            away = offset - np.outer(offset @ unit, unit)
            return np.linalg.norm(away, axis=1).max() / np.linalg.norm(chord)

        for method, rows in paths.groupby("method"):
            in_means = bend(rows[["mean1", "mean2"]].to_numpy())
            in_parameters = bend(rows[["a", "b"]].to_numpy())
            print(f"{method:17s} means {in_means:.1e}  parameters {in_parameters:.2f}")
            assert (in_means < 1e-9) == (method == "natural gradient")
            assert in_parameters > 0.1
        np.testing.assert_allclose(layers["divergence"], layers["quadratic"], rtol=0.1)
        """#)
    document.exercise(recall)
    document.exercise(length)
    document.exercise(uphill)
    document.mistakes([
      MistakeHint(
        "M-28",
        #"""
        the gradient is multiplied by $F$ instead of solved with it: steps are long where they \#
        should be short.
        """#
      ),
      MistakeHint(
        "M-08",
        #"""
        the loss has a factor that the likelihood has not, such as 2: all directions are right, \#
        and every length in nats is wrong.
        """#
      ),
      MistakeHint(
        "M-26",
        #"""
        the sign of the gradient is lost: $F$ is right, since it is made of squares, and the loss \#
        rises.
        """#
      ),
    ])
    document.references([
      "S. Amari, Natural Gradient Works Efficiently in Learning, Neural Computation 10(2), 1998.",
      #"""
      J. Martens, New Insights and Perspectives on the Natural Gradient Method, JMLR 21(146), \#
      2020, arXiv 1412.1193: the second-order expansion, and invariance of directions against \#
      that of finite steps.
      """#,
      #"""
      MindSpore r2.2, Introduction to Second-order Optimizer THOR, section Second-order \#
      Optimizers: the update with $G^{-1}$, Figure 2, and the formula of the Fisher matrix.
      """#,
      #"""
      Properties P-18, P-28, P-38, P-72 and P-74 run in `swift test` (`Tests/NetworksTests`, \#
      `Tests/CurvatureTests`).
      """#,
    ])
  }

  private static var recall: Exercise {
    Exercise(
      .recall, "Which number survives?",
      question: #"""
        Write the deviation as $\tau = \log\sigma$. For one and the same small change of the \#
        distribution, which of these numbers is the same in both ways of writing? A: \#
        $\lVert\delta\rVert$. B: $\frac12\delta^\top F\delta$. C: $\lVert\nabla L\rVert$. D: the \#
        learning rate that halves the loss.
        """#,
      starter: #"answer = None  # "A", "B", "C" or "D""#,
      check: #"""
        sigma, change, data = 2.0, 1e-4, 1.5       # move sigma; data: mean squared deviation
        numbers = {}
        for name, step, fisher, gradient in [
            ("sigma", change, 2 / sigma**2, 1 / sigma - data / sigma**3),
            ("log sigma", change / sigma, 2.0, 1 - data / sigma**2),
        ]:
            numbers[name] = {
                "A": abs(step), "B": step * fisher * step / 2, "C": abs(gradient),
                "D": 1 / gradient**2,              # first order: rate * gradient^2 is the gain
            }
        pairs = {k: (numbers["sigma"][k], numbers["log sigma"][k]) for k in "ABCD"}
        same = [k for k, (x, y) in pairs.items() if abs(x - y) < 1e-9 * abs(x)]
        assert [answer] == same, f"these numbers of {answer} differ"
        """#,
      solution: #"answer = "B""#,
      explanation: #"""
        The step shrinks by $1/\sigma$, the Fisher entry grows by $\sigma^2$: the product of $F$ \#
        with the step twice stays. It approximates KL, which knows nothing of parameters. A, C \#
        and D change with the units of the parameter.
        """#)
  }

  private static var length: Exercise {
    Exercise(
      .changeANumber, "A step of a given size in nats",
      question: #"""
        How far may $\sigma$ move so that the divergence is about `size` nat? Write the length \#
        from the Fisher matrix, for any $\sigma$. Then make `size` smaller until the true \#
        divergence is within 1 part in 100 of it.
        """#,
      starter: #"""
        def step_in_sigma(sigma, size):
            raise NotImplementedError("one line")

        size = 0.05  # change this number
        """#,
      check: #"""
        def divergence(sigma, new):                 # KL of equal means
            return 0.5 * ((sigma / new) ** 2 - 1) - np.log(sigma / new)

        for sigma in [0.1, 1.0, 7.0]:
            tiny = divergence(sigma, sigma + step_in_sigma(sigma, 1e-8))
            np.testing.assert_allclose(tiny, 1e-8, rtol=1e-3)
            true = divergence(sigma, sigma + step_in_sigma(sigma, size))
            assert size > 0 and abs(true - size) < 0.01 * size, f"{true} is not {size}"
        """#,
      solution: #"""
        def step_in_sigma(sigma, size):
            return sigma * np.sqrt(size)            # size = step^2 (2 / sigma^2) / 2

        size = 2e-5
        """#,
      explanation: #"""
        $\frac12\delta^2 \cdot 2/\sigma^2 = \epsilon$ gives $\delta = \sigma\sqrt\epsilon$. The \#
        relative error is proportional to $\delta/\sigma = \sqrt\epsilon$, the same at every \#
        $\sigma$: so a size that is good enough at one $\sigma$ is good enough at all.
        """#)
  }

  private static var uphill: Exercise {
    Exercise(
      .breakIt, "Send Newton uphill",
      question: #"""
        A normal distribution with the right mean has the loss $\log\sigma + s/(2\sigma^2)$ with \#
        $s = 1$, least at $\sigma = 1$. Find a $\sigma$ at which Newton's step in $\sigma$, \#
        however short, *raises* the loss, while the natural step lowers it.
        """#,
      starter: #"sigma = 1.2  # change this number"#,
      check: #"""
        def loss(x):
            return np.log(x) + 0.5 / x**2

        h = 1e-4
        gradient = (loss(sigma + h) - loss(sigma - h)) / (2 * h)
        hessian = (loss(sigma + h) - 2 * loss(sigma) + loss(sigma - h)) / h**2
        newton, natural = -gradient / hessian, -gradient / (2 / sigma**2)
        assert loss(sigma + 1e-3 * natural) < loss(sigma), "the natural step does not descend"
        assert loss(sigma + 1e-3 * newton) > loss(sigma), "Newton's step still descends"
        """#,
      solution: "sigma = 3.0",
      explanation: #"""
        The second derivative is $-1/\sigma^2 + 3s/\sigma^4$, negative for $\sigma^2 > 3s$. There \#
        the quadratic model has a top instead of a bottom, and Newton's method climbs to it. The \#
        Fisher matrix $2/\sigma^2$ is positive everywhere.
        """#)
  }
}
