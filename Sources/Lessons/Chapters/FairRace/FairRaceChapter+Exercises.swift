import Experiments

/// The exercises of chapter 12, its mistakes and its sources.
extension FairRaceChapter {
  static func exercises(_ document: inout ChapterDocument) {
    document.heading("Exercises")
    document.exercise(recall)
    document.exercise(fewerRuns)
    document.exercise(unfair)
    document.mistakes([
      MistakeHint(
        "M-03",
        #"$G$ is $N$ times too small. Then $A \otimes G/N + \lambda I = (A \otimes G + N \lambda I)/N$: another $\lambda$ and another $\alpha$. A wide grid hides it completely; the best $\lambda$ is $N$ times too small."#
      ),
      MistakeHint(
        "M-29",
        #"$\lambda$ where $\sqrt\lambda$ is meant. Tuning hides it too; a $\lambda$ copied from elsewhere then is another damping."#
      ),
      MistakeHint(
        "M-36",
        "A stale inverse. With an interval above 1 it is intended; with interval 1 it is a mistake, and a curve alone does not tell it from bad tuning."
      ),
    ])
    document.references([
      #"""
      Chen et al., THOR, Trace-based Hardware-driven Layer-Oriented Natural Gradient Descent Computation, AAAI 2021: section Experiments, Equations 13 to 16, Tables 2 to 5, Figures 6 to 10.
      """#,
      #"""
      D. Choi et al., On Empirical Comparisons of Optimizers for Deep Learning, arXiv 1910.05446 (2019).
      """#,
      #"""
      P. T. Sivaprasad et al., Optimizer Benchmarking Needs to Account for Hyperparameter Tuning, ICML 2020, arXiv 1910.11758.
      """#,
      #"""
      R. M. Schmidt, F. Schneider and P. Hennig, Descending through a Crowded Valley, ICML 2021, arXiv 2007.01547.
      """#,
      #"""
      E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998), CC BY 4.0; the 1797 images that scikit-learn carries.
      """#,
      "Properties P-31, P-82 and P-139 run in `swift test` (`Tests/CurvatureTests`); the counts of operations in `OperationCountTests`.",
    ])
  }

  private static let recall = Exercise(
    .recall, "Which protocol is fair?",
    question: #"""
      Two methods are the same, but the second needs a rate ten times smaller for the same step. A fair protocol lets each win half of the races. Which one does?

      - **A**: both run at the best rate of the first, with five seeds; the lower mean wins.
      - **B**: each is tuned on 12 runs; the first reports its best tuning run, the second the mean of five fresh seeds.
      - **C**: each is tuned on 12 runs; the lower mean of five fresh seeds wins.
      - **D**: the first is tuned on 12 runs and the second on 3; then as in C.
      """#,
    starter: #"answer = None  # "A", "B", "C" or "D""#,
    check: #"""
      rng = np.random.default_rng(12)

      def loss(log_rate, best):  # the best rate is 10**best; every run has its own noise
          return (log_rate - best) ** 2 + 0.3 * rng.normal(size=np.shape(log_rate))

      def tuned(best, tries):
          rates = rng.uniform(-4, 1, tries)
          losses = loss(rates, best)
          return rates[losses.argmin()], losses.min()

      def fresh(log_rate, best):
          return loss(np.full(5, log_rate), best).mean()

      def first_wins(protocol):
          if protocol == "A":
              return fresh(-1, -1) < fresh(-1, -2)
          (a, best_of_a), (b, _) = tuned(-1, 12), tuned(-2, 3 if protocol == "D" else 12)
          return (best_of_a if protocol == "B" else fresh(a, -1)) < fresh(b, -2)

      share = {p: np.mean([first_wins(p) for _ in range(800)]) for p in "ABCD"}
      fairest = min(share, key=lambda p: abs(share[p] - 0.5))
      assert answer == fairest, f"the first method wins {share.get(answer)} of the races"
      """#,
    solution: #"answer = "C""#,
    explanation: #"""
      C. In A the shared rate is the best rate of one method only. In B the luckiest of twelve runs is compared with a mean. In D one method had four chances where the other had one.
      """#)

  private static let fewerRuns = Exercise(
    .changeANumber, "Fewer tuning runs",
    question: #"""
      Write the expected lowest loss of $k$ settings drawn from the given ones without replacement (the formula of the section on budgets; `comb(n, k)` is loaded). Then change $k$ from 12 to 3 and see which methods change places. The check compares with all subsets.
      """#,
    starter: #"""
      def expected_best(losses, k):
          raise NotImplementedError("sort, then sum the losses times their probabilities")
      """#,
    check: #"""
      for k in (1, 3, 11, 12):
          for method, own in tuning.groupby("method")["loss"]:
              losses = own.to_numpy().clip(max=log(10))
              truth = np.mean([min(s) for s in combinations(losses, k)])
              np.testing.assert_allclose(expected_best(losses, k), truth, rtol=1e-9)

      by_budget = {
          k: tuning.groupby("method")["loss"].apply(lambda own: expected_best(own, k))
          for k in (12, 3)
      }
      print(pd.DataFrame(by_budget).sort_values(12).round(3))
      """#,
    solution: #"""
      def expected_best(losses, k):
          ordered, n = np.sort(losses), len(losses)
          chance = [comb(n - i - 1, k - 1) / comb(n, k) for i in range(n)]
          return float(ordered @ chance)
      """#,
    explanation: #"""
      The setting of rank $i$ is the best of the draw if it is drawn and the other $k-1$ come from the $n-i$ worse ones: $C(n-i, k-1)$ of $C(n, k)$ draws. For $k = n$ this is the minimum, for $k = 1$ the mean.
      """#)

  private static let unfair = Exercise(
    .breakIt, "Let any method win",
    question: #"""
      Hold an unfair race. For a given winner, return a dictionary from each method to the row numbers of `tuning` that count as "tried": all of the winner's own rows, and three rows of every other method, chosen so that the winner has the lowest loss. Every number stays a real run.
      """#,
    starter: #"""
      def tried(winner):
          raise NotImplementedError("choose three rows for each of the others")
      """#,
    check: #"""
      methods = list(tuning["method"].unique())
      for winner in methods:
          rows = tried(winner)
          assert sorted(rows) == sorted(methods)
          for method, chosen in rows.items():
              chosen = list(chosen)
              assert len(set(chosen)) == (12 if method == winner else 3)
              assert (tuning.loc[chosen, "method"] == method).all()
          best = {m: tuning.loc[list(rows[m]), "loss"].min() for m in methods}
          others = [best[m] for m in methods if m != winner]
          assert best[winner] < min(others), f"{winner} does not win: {best}"
      """#,
    solution: #"""
      def tried(winner):
          return {
              m: own.index if m == winner else own["loss"].nlargest(3).index
              for m, own in tuning.groupby("method")
          }
      """#,
    explanation: #"""
      Take the three worst rows of all others. Three settings copied from a paper on another network may be no better chosen, and the result looks the same: a table without a false number.
      """#)
}
