import DataFiles
import Experiments
import Optimization

extension TraceRuleChapter {
  static func rotation(_ document: inout ChapterDocument, _ results: TraceRuleResults) {
    func at(_ degrees: Int, _ column: String, _ format: NumberFormat = .percent(0))
      -> ReportedNumber
    {
      results.rotation.number(column, where: ["degrees": "\(degrees)"], format)
    }
    document.claim(
      "a turn by 15 degrees leaves a quarter or less, with every trace kept",
      holds: at(15, "efficiency").value < 0.3
        && results.rotation.rows.indices.allSatisfy {
          results.rotation.number("delta", row: $0).value < 1e-12
        })
    document.heading("A change that no trace can see")
    document.paragraph(
      #"""
      The paper goes from norms to the trace by two facts. For any matrix $X$ of rank $r$ (Equation 7), with $\lVert X \rVert_*$ the sum of the singular values,
      """#)
    document.mathematics(
      #"\lVert X \rVert_F \leq \lVert X \rVert_* \leq \sqrt r \, \lVert X \rVert_F, \qquad \lvert \mathrm{tr} X \rvert \leq \lVert X \rVert_* ,"#
    )
    document.paragraph(
      #"""
      with equality in the last of them if $X$ is positive semi-definite (property P-125). $F$ is semi-definite, but the rule needs the norm of a *change*, and the difference of two semi-definite matrices in general is not. There the trace is only a lower bound: $\Delta$ never exceeds the relative change in the nuclear norm (property P-126), and it may be zero whatever the change. Turn $\mathrm{diag}(10, 0.1)$ by 90 degrees and it becomes $\mathrm{diag}(0.1, 10)$. The trace is the same, and the relative change in Frobenius norm is \#(results.twoByTwo) (property P-127).
      """#)
    document.predict(
      Prediction(
        #"""
        A curvature of 100 parameters turns by 15 degrees; its eigenvalues stay. How good is a step from the old inverse? We measure $\eta$: the decrease of the quadratic model that the stale step reaches at its best length, over the decrease of the fresh step. 1 is perfect.
        """#,
        options: [
          "Above nine tenths: 15 degrees is little.", "About a half.", "About a quarter or less.",
        ],
        answer: #"""
          C. $\eta$ is \#(at(15, "efficiency")), while $F$ has changed by \#(at(15, "matrix_change")), and $\Delta$ is zero up to rounding. A rotation mixes a little of the large eigenvalues into directions where the old inverse believes the curvature to be a thousandth as large, and divides by it.
          """#))
    document.figure(
      Figure(
        "rotation", results.rotationFigure,
        caption: #"""
          A constructed curvature $A \otimes G$ turns while all traces stay; steps are damped by $F + \lambda I$ with $\lambda$ = \#(given: TraceRuleResults.rotationLambda). Under THOR the rule keeps, under THOR_stop it stops, at every angle.
          """#,
        alternativeText: #"""
          Line chart against the angle of rotation. The relative change of the curvature rises from zero to \#(at(90, "matrix_change")) at 90 degrees, the efficiency of the stale step falls from one to \#(at(15, "efficiency")) at 15 degrees and stays low, and the change rate lies on the zero line throughout.
          """#, tables: ["rotation"]))
    document.subheading("Slow drift and the reference")
    document.paragraph(
      #"""
      A second case is a trace that grows by a fixed small share per test. Compared with the last accepted trace, the growth adds up until it passes $\omega_1$. Compared with the last computed one it never does, and the inverse falls behind without limit (property P-129). An implementation can make this mistake in one line.
      """#)
    document.table(
      DocumentTable(
        results.drift, caption: "Twenty tests of a steadily growing trace under both references.",
        columns: [
          .init("rate", "growth per test", .percent(1)), .init("reference", "compared with"),
          .init("updates", "updates"), .init("lag", "largest lag", .percent(1)),
        ]))
  }

  static func wrong(_ document: inout ChapterDocument, _ results: TraceRuleResults) {
    func stale(_ occasion: String, _ column: String, _ format: NumberFormat = .percent(0))
      -> ReportedNumber
    {
      results.stale.number(column, where: ["occasion": occasion], format)
    }
    let stoppedRow = results.stale.rows.firstIndex {
      if case .text(let name) = $0[0] { name == "end, stopped" } else { false }
    }
    let endStopped = results.stale.number("wrong_count", row: stoppedRow ?? 0, .fixed(0))
    document.claim(
      "the rule updates where it matters more",
      holds: stale("update", "wrong").value > stale("keep", "wrong").value
        && stale("keep", "wrong").value > stale("keep", "other_batch").value)
    document.heading("How often is the rule wrong?")
    document.paragraph(
      #"""
      Constructed cases show what can happen. What does happen? At every decision of our THOR_stop runs we compare two steps for the same gradient: one with the old, accepted factors and one with fresh factors. A stale step counts as wrong if its cosine with the fresh one, in the geometry of the fresh damped curvature, is below \#(given: StaleDecisions.leastCosine), or if it loses more than \#(given: "a tenth") of $\eta$ against the exact layer block. Under *update* we ask what keeping would have cost. And because every batch gives other factors, the last column asks the same of fresh factors from *another batch*: that much is sampling, not age.
      """#)
    document.table(
      DocumentTable(
        results.stale,
        caption: #"""
          Decisions of THOR_stop over \#(given: TraceRuleRuns.staleSeeds.count) seeds and all layers. The rows “end” are of the last step, for layers that were still tested and for stopped ones. The bound on $\eta$ is checked for layers 2 to 4.
          """#,
        columns: [
          .init("occasion", "decision"), .init("count", "count"),
          .init("cosine_below", "cosine low", .percent(0)),
          .init("loss_above", "$\\eta$ lost", .percent(0)),
          .init("wrong", "wrong", .percent(0)),
          .init("other_batch", "other batch", .percent(0)),
        ]))
    document.paragraph(
      #"""
      Of the kept decisions \#(stale("keep", "wrong")) are wrong by these bounds, against \#(stale("keep", "other_batch")) for another batch. Had the updates not been made, \#(stale("update", "wrong")) would have been wrong. So the rule tells something: it updates where it matters more. It is far from a guarantee. A stop weighs more than a keep, for it is never taken back. At the end of the runs \#(results.stopped) of the \#(results.stopCount) layers had been stopped. Of the \#(stale("stop", "count", .fixed(0))) stops, the number that were wrong when they were made is \#(stale("stop", "wrong_count", .fixed(0))), and the number of stopped layers with a wrong step at the end of the run is \#(endStopped).
      """#)
    document.caveat(stopCaveat)
  }

  private static let stopCaveat: Prose = #"""
    A few stops in a run of this length are thin evidence: they cannot tell a rare failure from none. And by chance alone the test will stop a layer some day, since $\Delta$ of a noisy trace is small now and then. The longer runs of [reproduction/blind-spots](reproduction/blind-spots/CLAIM.md), on more images and with more values of $\lambda$, have stops too, and some of these layers are beyond a bound at the end.
    """#

  static func exercises(_ document: inout ChapterDocument) {
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "the rule at its boundaries",
        question: #"""
          Write `decide(delta, omega1, omega2)`, which returns "update", "keep" or "stop" as Equation 9 does, with the boundaries in the right place. The check replays every decision of the Swift runs.
          """#,
        starter: #"""
          def decide(delta, omega1, omega2):
              raise NotImplementedError
          """#,
        check: #"""
          for variant, rows in decisions.dropna(subset=["delta"]).groupby("variant"):
              omega1, omega2 = eval(variant[variant.index("("):])
              for delta_k, outcome in zip(rows["delta"], rows["outcome"]):
                  assert decide(delta_k, omega1, omega2) == outcome, (variant, delta_k, outcome)
          assert decide(0.01, 0.01, 0.001) == "keep" and decide(0.001, 0.01, 0.001) == "keep"
          assert decide(0.0, 0.0, 0.0) == "keep" and decide(0.0, 0.01, 0.001) == "stop"
          """#,
        solution: #"""
          def decide(delta, omega1, omega2):
              if delta > omega1:
                  return "update"
              return "stop" if delta < omega2 else "keep"
          """#,
        explanation: #"""
          The three intervals are $(\omega_1, \infty)$, $[\omega_2, \omega_1]$ and $[0, \omega_2)$. Both boundaries belong to the middle one, so with $\omega_2 = 0$ a layer cannot stop.
          """#))
    document.exercise(
      Exercise(
        .changeANumber, "updates saved by a threshold",
        question: #"""
          Write `updates(trace, omega1, shift)`: the number of updates in a list of traces, the first one included, where every trace is compared with the last *accepted* one and `shift` is $\lambda d_A d_G$. The check varies $\omega_1$.
          """#,
        starter: #"""
          def updates(trace, omega1, shift):
              raise NotImplementedError
          """#,
        check: #"""
          grows = 1.004 ** np.arange(21)  # 0.4 % per test: six updates after the first
          assert updates(grows, 0.01, 0.0) == 7, updates(grows, 0.01, 0.0)
          assert updates(np.ones(9), 0.01, 1.0) == 1
          rows = course[course["layer"] == 2]
          trace = (rows["trace_a"] * rows["trace_g"]).to_numpy()
          counts = [updates(trace, w, 0.3 * 21 * 20) for w in (0.0, 0.001, 0.01, 0.1, 1e9)]
          print("updates of layer 2:", counts)
          assert counts[0] == len(trace) and counts[-1] == 1
          assert all(a >= b for a, b in zip(counts, counts[1:]))
          """#,
        solution: #"""
          def updates(trace, omega1, shift):
              count, accepted = 1, trace[0]
              for new in trace[1:]:
                  if abs(new - accepted) / (accepted + shift) > omega1:
                      count, accepted = count + 1, new
              return count
          """#,
        explanation: #"""
          The reference moves only at an update. With `accepted = new` outside the condition the slow growth would give one update in all: mistake M-62.
          """#))
    document.exercise(
      Exercise(
        .breakIt, "make it stop wrongly",
        question: #"""
          Give two symmetric positive definite $3 \times 3$ matrices `old` and `new` for which THOR_stop stops ($\lambda = 0$), although the relative change in Frobenius norm is above 1 and a natural-gradient step with `old` is more than five times as long as one with `new` for some gradient `v`.
          """#,
        starter: #"""
          old = np.diag([2.0, 1.0, 1.0])
          new = np.diag([2.0, 1.0, 1.0])
          v = np.array([1.0, 0.0, 0.0])
          """#,
        check: #"""
          for M in (old, new):
              assert M.shape == (3, 3) and np.allclose(M, M.T)
              assert np.linalg.eigvalsh(M).min() > 0, "not positive definite"
          change = abs(np.trace(new) - np.trace(old)) / abs(np.trace(old))
          assert change < 0.001, f"the rule sees it: {change:.4f}"
          frobenius = np.linalg.norm(new - old) / np.linalg.norm(old)
          assert frobenius > 1, f"the change is only {frobenius:.3f}"
          length = np.linalg.norm(np.linalg.solve(old, v))
          right = np.linalg.norm(np.linalg.solve(new, v))
          assert length > 5 * right, f"the stale step is {length / right:.2f} times as long"
          """#,
        solution: #"""
          old = np.diag([10.0, 1.0, 0.1])
          new = np.diag([0.1, 1.0, 10.0])
          v = np.array([0.0, 0.0, 1.0])
          """#,
        explanation: #"""
          Exchange a large and a small eigenvalue. The trace cannot see it, and a gradient in the direction that was flat and is now steep makes a step that is a hundred times too long.
          """#))
  }

  static func ending(_ document: inout ChapterDocument) {
    document.mistakes([
      MistakeHint(
        "M-62",
        #"The new trace is compared with the last computed one: under slow drift the log shows small $\Delta$ for ever and no update."#
      ),
      MistakeHint(
        "M-63",
        #"A test without fresh statistics: $\Delta$ is exactly zero, and with $\omega_2 > 0$ the layer stops at once. It happens when inverses are tested more often than factors are computed."#
      ),
      MistakeHint(
        "M-36",
        #"An old inverse. Expected here; the test is that the residual is smallest against the factors of an earlier step."#
      ),
      MistakeHint(
        "M-37",
        #"An old *gradient*: the paper's formula for a stopped layer has an index slip that reads like this. A frozen inverse goes with the current gradient (property P-134)."#
      ),
    ])
    document.references([
      #"Chen et al., *THOR*, AAAI 2021: section “Update with Trace Constraint”, Equations 7 to 9, Figures 1 to 3, and the thresholds in section “Experiments”."#,
      #"Osawa et al., *Large-Scale Distributed Second-Order Optimization Using Kronecker-Factored Approximate Curvature*, CVPR 2019: intervals from the change of the Frobenius norm, which the THOR paper cites for comparison."#,
      #"MindSpore, API page of `nn.thor` (seeds): the library's optimizer has a constant `frequency` of at least 2 and no trace rule."#,
      #"The suite's specification, sections 7.2 and 7.3; properties P-124 to P-130 and P-134 run in `swift test`. The full items: [figure-1](reproduction/figure-1/CLAIM.md), [figure-2](reproduction/figure-2/CLAIM.md), [blind-spots](reproduction/blind-spots/CLAIM.md)."#,
    ])
  }
}
