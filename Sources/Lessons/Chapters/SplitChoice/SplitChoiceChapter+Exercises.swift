extension SplitChoiceChapter {
  static func exercises(_ document: inout ChapterDocument) {
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "what one means",
        question: #"""
          The last row of Table 1 has the "normalized loss" 48/54. What does it say about $d = 2048$: (a) most factors lose almost everything, (b) most factors keep at least 99 of 100 parts of their largest eigenvalue, (c) the split takes most of the time? Set `answer` to the letter.
          """#,
        starter: #"answer = None"#,
        check: #"""
          # Three factors of 8 rows; d = 8 does not split them at all.
          rng = np.random.default_rng(0)
          some = [B @ B.T for B in rng.normal(size=(3, 8, 8))]
          kept = {d: np.mean([loss(M, d) < 0.01 for M in some]) for d in (1, 8)}
          rises = kept[8] > kept[1] and (np.diff(table["retained_printed"]) >= 0).all()
          meaning = {"a": not rises, "b": rises, "c": False}
          assert answer in meaning, "one of the letters a, b, c"
          assert meaning[answer], f"kept at d = 1: {kept[1]:.2f}, at d = 8: {kept[8]:.2f}"
          """#,
        solution: #"answer = "b""#,
        explanation: #"""
          The row counts factors whose loss is below the tolerance, so it is large where little is lost. The caption of Figure 5 has it the other way round.
          """#))
    document.exercise(
      Exercise(
        .changeANumber, "where two lines cross",
        question: #"""
          Write `crossing(sizes, kept, speed)`: the $d$ at which the straight lines through `kept` (rising) and `speed` (falling) meet for the first time. The check uses the printed rows, and then a chip on which every time but the first is halved.
          """#,
        starter: #"""
          def crossing(sizes, kept, speed):
              raise NotImplementedError
          """#,
        check: #"""
          sizes = table["size"].to_numpy(float)
          kept = table["retained_printed"].to_numpy()
          speed = table["performance_printed"].to_numpy()
          for fast in (speed, np.r_[1.0, np.minimum(1.0, 2 * speed[1:])]):
              d = crossing(sizes, kept, fast)
              gap = np.interp(d, sizes, kept) - np.interp(d, sizes, fast)
              assert abs(gap) < 1e-9, f"at d = {d} the lines are {gap:.4f} apart"
              before = np.linspace(1, d, 50)[:-1]
              assert (np.interp(before, sizes, kept) < np.interp(before, sizes, fast)).all()
          """#,
        solution: #"""
          def crossing(sizes, kept, speed):
              gap = kept - speed
              i = np.flatnonzero(gap >= 0)[0] - 1
              t = -gap[i] / (gap[i + 1] - gap[i])
              return sizes[i] + t * (sizes[i + 1] - sizes[i])
          """#,
        explanation: #"""
          Between two neighbouring sizes the difference of two straight lines is a straight line; its zero is where the share $t$ of the way is the negative gap at the start over the change of the gap. With larger blocks made quicker the crossing moves to a larger $d$.
          """#))
    document.exercise(
      Exercise(
        .breakIt, "fool Equation 11",
        question: #"""
          Build a symmetric positive definite $6 \times 6$ matrix `A` whose loss at $d = 3$ is below a thousandth, while the inverse of its split is more than 90 hundredths wrong in relative Frobenius norm, without damping. No entry may exceed 10 in magnitude.
          """#,
        starter: #"A = np.diag([10.0, 1, 1, 1, 1, 1])"#,
        check: #"""
          assert A.shape == (6, 6) and np.allclose(A, A.T) and np.abs(A).max() <= 10
          assert np.linalg.eigvalsh(A).min() > 1e-9, "not positive definite"
          inverse = np.linalg.inv(A)
          error = np.linalg.norm(np.linalg.inv(split(A, 3)) - inverse) / np.linalg.norm(inverse)
          assert loss(A, 3) < 1e-3, f"Equation 11 sees it: {loss(A, 3):.4f}"
          assert error > 0.9, f"the inverse is wrong by {error:.3f} only"
          """#,
        solution: #"""
          A = np.diag([10.0, 1, 1, 1, 1, 1])
          A[2, 3] = A[3, 2] = 0.99
          """#,
        explanation: #"""
          One large eigenvalue stands alone in its group and keeps the loss at zero. A pair across the two groups with the coupling $\rho$ has the eigenvalues $1 \pm \rho$; the split replaces both by 1. Its inverse should have $1/(1-\rho)$ and does not, and near $\rho = 1$ this is the largest part of the inverse.
          """#))
  }

  static func ending(_ document: inout ChapterDocument) {
    document.mistakes([
      MistakeHint(
        "M-60",
        #"Only one factor is split, or with another size, or the last block is dropped: entries stand outside the blocks of size $d$, or the last rows are zero."#
      ),
      MistakeHint(
        "M-61",
        #"The inverse is computed whole and then split. Its blocks are never smaller than the inverse of the blocks, and nothing was saved."#
      ),
      MistakeHint(
        "M-15",
        #"The loss is measured on a centred covariance. The mean direction is gone, and a split that is bad for $A$ looks good."#
      ),
    ])
    document.references([
      #"Chen et al., *THOR*, AAAI 2021: section “Hardware-driven Matrix Split”, Equations 11 and 12, Table 1, Figure 5 with its caption, and the paragraph below it."#,
      #"MindSpore, introduction to THOR (documentation page of the seeds), Figure 3: the same trade-off. It says that the largest dimension is 2048; the factors $A$ of ResNet-50 go up to 4608 = 512 · 9 rows."#,
      #"Golub and Van Loan, *Matrix Computations*, 4th edition, section 4.2: the cubic count of a Cholesky factorization and inverse."#,
      #"The suite's specification, sections 7.5 and 7.6; properties P-120 to P-123 and P-132 run in `swift test`. The full item: [reproduction/figure-5](reproduction/figure-5/CLAIM.md), with times of one machine."#,
    ])
  }
}
