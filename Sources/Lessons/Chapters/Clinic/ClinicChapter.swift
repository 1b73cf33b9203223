import DataFiles
import DenseAlgebra
import Experiments
import Verification

/// Chapter 14: fourteen wrong programs, and how to name the mistake of each.
enum ClinicChapter {
  static let chapter = Chapter(
    14, "clinic", title: "Clinic",
    goal: "Name the mistake in a wrong implementation from what it writes out.",
    minutes: 50, prerequisites: [4, 5, 6], seedItem: "none; the museum of this suite"
  ) { context in
    context.progress("fourteen wrong programs", 0, 1)
    let patients = try Patients()
    let symptoms = patients.symptoms
    let distances = patients.distances
    let numbers = Numbers(patients, symptoms, distances)
    context.progress("fourteen wrong programs", 1, 1)

    var document = ChapterDocument(
      ConventionCard([
        "Network": #"7-11-3-5, tanh, one batch of \#(given: 17) examples, five classes"#,
        "Damping": #"`pi` with $\lambda$ = \#(given: Patients.setting.lambda)"#,
        "Prime sign": #"$A'$, $G'$, $V'$, $U'$ are what a wrong program writes out"#,
      ]),
      setup: """
        patients = np.load(DATA / "14-patients.npz")
        symptoms = pd.read_csv(DATA / "14-symptoms.csv").set_index("mistake")
        distances = pd.read_csv(DATA / "14-distances.csv").set_index("mistake")
        N = 17
        """)
    ask(&document, numbers)
    answer(&document, patients, symptoms, distances, numbers)
    cards(&document)
    practise(&document)
    document.data(symptoms)
    document.data(patients.distanceTable(distances))
    document.data(numbers.findings.table)
    document.data("patients", patients.arrays)
    return document
  }

  /// The single numbers of the text.
  struct Numbers {
    var findings = Findings()
    let aligned, patientCount, scaled, nearest, nearestRight, sumDifference: ReportedNumber
    let missingTermCosine, missingTermLength: ReportedNumber
    let meanGradientCosine, meanGradientLength, multipliedCosine,
      worstScalarResidual: ReportedNumber
    let nearestPair: String

    init(_ patients: Patients, _ symptoms: ResultTable, _ distances: Matrix) {
      let rows = symptoms.rows.indices
      func value(_ column: String, _ row: Int) -> Double {
        symptoms.number(column, row: row).value
      }
      patientCount = findings.report("patients", Double(rows.count), "wrong programs")
      aligned = findings.report(
        "steps-above-0.9", Double(rows.count { value("cosine_step", $0) > 0.9 }),
        "wrong programs whose step has a cosine above 0.9 with the right step")
      let scalars = rows.filter {
        value("residual_a", $0) < 1e-10 && value("residual_g", $0) < 1e-10
      }
      .filter { abs(value("scale_a", $0) - 1) > 1e-10 || abs(value("scale_g", $0) - 1) > 1e-10 }
      scaled = findings.report(
        "pure-scale", Double(scalars.count),
        "wrong programs whose A and G are right but for a number")
      worstScalarResidual = findings.report(
        "pure-scale-residual",
        scalars.flatMap { [value("residual_a", $0), value("residual_g", $0)] }.max() ?? 0,
        "largest residual of the scalar fit among those", .significant(1))
      var best = (distance: Double.infinity, i: 0, j: 0)
      for i in rows {
        for j in rows where j > i && distances[i, j] < best.distance {
          best = (distances[i, j], i, j)
        }
      }
      nearest = findings.report(
        "nearest-pair", best.distance, "smallest distance between two wrong programs")
      nearestPair = "\(patients.mistakes[best.i].id) and \(patients.mistakes[best.j].id)"
      nearestRight = findings.report(
        "nearest-to-right", rows.map { value("distance", $0) }.min() ?? 0,
        "smallest distance between a wrong program and the right one")
      let sums = ["M-01", "M-04"].map { id in
        Patients.joined(
          patients.dumps[Patients.ids.firstIndex(of: id) ?? 0], Patients.step)
      }
      sumDifference = findings.report(
        "sum-of-either-factor", (sums[0] - sums[1]).norm / sums[0].norm,
        "relative difference between the steps of M-01 and M-04", .significant(1))
      missingTermCosine = symptoms.number("cosine_step", where: ["mistake": "M-20"], .fixed(3))
      missingTermLength = symptoms.number(
        "length_step", where: ["mistake": "M-20"], .significant(2))
      meanGradientCosine = symptoms.number("cosine_step", where: ["mistake": "M-02"], .fixed(3))
      meanGradientLength = symptoms.number(
        "length_step", where: ["mistake": "M-02"], .significant(2))
      multipliedCosine = symptoms.number("cosine_step", where: ["mistake": "M-28"], .fixed(3))
    }
  }

  private static func ask(_ document: inout ChapterDocument, _ numbers: Numbers) {
    document.heading("The question")
    document.paragraph(
      #"A program computes the factors $A$ and $G$ of each layer, the gradient $V$, and the KFAC step $U = (G + \delta_G I)^{-1} V (A + \delta_A I)^{-1}$ with the shifts $\delta_A = \pi\sqrt\lambda$ and $\delta_G = \sqrt\lambda/\pi$ of [chapter 06](06-damping.md). It runs, the loss may even fall, and still something is wrong with it. Which line? This chapter has \#(numbers.patientCount) such programs. Each differs from the right one in a single place, and each place is in the catalogue of this suite, whose classes come from public threads and from code that was read."#
    )
    document.paragraph(
      #"You are given what a program writes out for one batch: $A'$, $G'$, $V'$ and $U'$ (the prime marks what may be wrong). You can compute the right $A$, $G$, $V$, $U$ from the same weights and the same batch. The sizes of the network are different primes on purpose. A ratio of \#(given: 17) can then only mean the number of examples, and a ratio of \#(given: 11) only a width."#
    )
    document.paragraph(
      "Before you look at any number, think about the usual way to test an optimizer: train with it, and see whether the loss falls. A step that points roughly the right way will pass that test."
    )
    document.predict(
      Prediction(
        #"For how many of the \#(numbers.patientCount) wrong programs is the cosine between the wrong step $U'$ and the right step $U$ (all layers together) above \#(given: 0.9)?"#,
        options: [
          "none: a wrong curvature gives a wrong direction", "one or two", "three to five",
          "more than five",
        ],
        answer:
          #"D. It is \#(numbers.aligned) of \#(numbers.patientCount). A run of training may not show those mistakes: the direction is almost right, and a learning rate tuned for the wrong program hides the wrong length. For example, a program without the term $-pp^\top$ of the softmax (M-20) has a cosine of \#(numbers.missingTermCosine) and \#(numbers.missingTermLength) times the length."#
      ))
  }

  private static func answer(
    _ document: inout ChapterDocument, _ patients: Patients, _ symptoms: ResultTable,
    _ distances: Matrix, _ numbers: Numbers
  ) {
    document.claim(
      "more than five of the steps have a cosine above nine tenths",
      holds: numbers.aligned.value > 5)
    document.claim(
      "the gradient is right in all rows but that of the wrong sign",
      holds: symptoms.rows.indices.allSatisfy {
        (symptoms.number("cosine_gradient", row: $0).value > 0.999)
          == (patients.mistakes[$0].id != "M-26")
      })
    document.claim("no two patients write out the same numbers", holds: numbers.nearest.value > 0.1)
    document.heading("The loss does not tell, the factors do")
    let order = symptoms.rows.indices
    func column(_ name: String) -> [Double] {
      order.map { symptoms.number(name, row: $0).value }
    }
    let chart = DotPanels(
      title: "How a wrong step compares with the right one",
      subtitle: "KFAC step of all layers; each row is one mistake in an otherwise right program",
      rows: patients.mistakes.map(\.id),
      panels: [
        DotPanels.Panel(
          title: "cosine with the right quantity",
          series: [("step", column("cosine_step")), ("gradient", column("cosine_gradient"))])
      ], x: ChartAxis("(no unit)", limits: -1...1.0001), panelWidth: 480, rowHeight: 24)
    let alternative: Prose =
      #"A row of dots for each of fourteen mistakes. The cosine of the gradient is 1 in all rows but that of the wrong sign; that of the step is above nine tenths in \#(numbers.aligned) rows and reaches minus one in that row."#
    document.figure(
      Figure(
        "steps", chart.canvas(alternativeText: alternative.markdown),
        caption:
          "For most mistakes the gradient is exactly right, and the step is not far off: its direction alone does not give the mistake away.",
        alternativeText: alternative,
        tables: ["symptoms"]))
    document.paragraph(
      #"The surprise is how little the step shows. Averaging $G$ over gradients of the mean loss (M-02) makes $G'$ too small by $N^2$, a few hundred times, and the cosine is still \#(numbers.meanGradientCosine), with \#(numbers.meanGradientLength) times the length: the damping then does the work of $G$, and the step moves towards the plain gradient. Summing $A$ over the batch (M-01) and summing $G$ (M-04) even give the same step, to a relative difference of \#(numbers.sumDifference): with the damping `pi` only the product of both scales counts, and no step can tell which factor was summed. Multiplying by the damped factors where the program should solve (M-28) gives \#(numbers.multipliedCosine). Only the wrong sign (M-26) is obvious."#
    )
    document.paragraph(
      #"The factors are a better witness. Take the best scalar $c$ in $A' \approx c A$ and look at what is left:"#
    )
    document.mathematics(
      #"c_A = \frac{\langle A', A \rangle}{\langle A, A \rangle}, \qquad r_A = \frac{\lVert A' - c_A A \rVert_F}{\lVert A' \rVert_F}"#
    )
    document.paragraph(
      #"Here $\langle X, Y \rangle$ is the sum of all products of entries and $\lVert X \rVert_F$ its root at $Y = X$. If $r_A$ is at the level of rounding, the program has the right matrix under another scale, and $c_A$ names it: $N$ for a sum, $1/N$ or $1/N^2$ for a mean taken twice, $N/d_A$ for a division by the number $d_A$ of the rows of $A$. Among the patients, \#(numbers.scaled) are of this kind, with residuals of at most \#(numbers.worstScalarResidual). If $r_A$ is large, the matrix itself is another one."#
    )
    document.source(
      SourceExcerpt("Sources/Verification/Mistakes/CurvatureDump.swift", "dump-distance"))
    document.paragraph(
      #"The lines above give the distance between two programs: the largest relative difference over all quantities that both write out. The museum applies it to every pair of its wrong programs, each on the network where its mistake shows best (`natgrad list mistakes --distances FILE`). Two mistakes that are close to each other cannot be told apart by any tool, so the suite measures that first."#
    )
    let ids = patients.mistakes.map { $0.id.replacing("M-", with: "") }
    let grid = Heatmap(
      title: "Are two mistakes ever the same?",
      subtitle: "Largest relative difference between what two wrong programs write out",
      matrix: distances, kind: .magnitude,
      label: "relative Frobenius difference", caption: "Numbers along the sides: M-01, M-02, …")
    var heatmap = grid
    heatmap.layerBoundaries = Array(1..<ids.count)
    heatmap.layerNames = ids
    document.figure(
      Figure(
        "distances", heatmap.canvas,
        caption:
          #"No two of the \#(numbers.patientCount) patients write out the same numbers. Dark on the diagonal: a program has no distance to itself."#,
        alternativeText:
          #"A fourteen by fourteen grid of colours for the distance between any two mistakes. Off the diagonal no cell is near zero: the smallest distance is \#(numbers.nearest)."#,
        tables: ["distances"]))
    document.paragraph(
      #"The nearest two are \#(given: numbers.nearestPair), at \#(numbers.nearest). No patient is nearer to the right program than \#(numbers.nearestRight). On this network every mistake can therefore be named; `swift test` asserts it for the whole museum, with a distance of at least a thousandth or a stated reason. The choice of the sizes matters here: with two examples and layers of two units, several different mistakes become the same matrices."#
    )
    document.table(
      DocumentTable(
        symptoms,
        caption:
          "Three quick tests on each patient: the scalar test on both factors of the first layer, and the step.",
        columns: [
          .init("mistake", "mistake"), .init("scale_a", "scale of A"),
          .init("residual_a", "residual of A", .significant(2)), .init("scale_g", "scale of G"),
          .init("residual_g", "residual of G", .significant(2)),
          .init("cosine_step", "cosine of step", .fixed(3)),
          .init("length_step", "length of step", .significant(2)),
        ]))
    document.caveat(
      #"A scalar that fits is a strong hint and no proof: two mistakes together can look like a third. If $c$ is a product of two plausible factors, change the batch size and fit again. And a sampled Fisher never fits exactly; its residual falls as more labels are drawn ([chapter 02](02-three-fishers.md))."#
    )
  }

  private static func cards(_ document: inout ChapterDocument) {
    document.heading("A way to the diagnosis")
    document.paragraph(
      "Work from the cheap tests to the dear ones, and stop at the first that speaks.")
    document.list([
      #"**Shapes.** A missing bias coordinate makes $A'$ one row smaller (M-12); a transposed dump exchanges rows and columns (M-11)."#,
      #"**Symmetry and sign.** $A'$ and $G'$ must be symmetric with no negative eigenvalue; $\langle V', V \rangle$ must be positive (M-26)."#,
      #"**Scale.** Fit $c_A$ and $c_G$. Exact fits name the reduction (M-01 to M-06)."#,
      #"**Known sub-blocks.** The last diagonal entry of $A$ is exactly 1. If the last row is zero, the input was centred (M-15); if it is zero but for its end, weight and bias were treated apart (M-14)."#,
      #"**Softmax.** The rows of the last $G$ sum to zero, because probabilities sum to one. If they do not, the term $-pp^\top$ is missing (M-20)."#,
      #"**Labels.** Shuffle the labels of the data: the true Fisher does not move, the empirical one does (M-17)."#,
      #"**The solve.** Take the program's own $A'$ and $G'$, and test $(G' + \delta_G I)\, U' (A' + \delta_A I) = V'$. One side missing is M-27, a product for a solve is M-28. Read the shifts back to find the damping (M-29 to M-34)."#,
      "**Time.** If all of this is right on one batch, compare with statistics of earlier steps: stale inverses (M-36), averages with the wrong start (M-38, M-39).",
    ])
    document.subheading("What this class of mistake looks like in public")
    document.paragraph(
      "Examples of the classes in public threads, read and not run, named for what they teach: a gradient that already carries the batch mean, so that G is too small by its square (M-02: wiseodd/natural-gradients, issue 2); the mean gradient squared in place of the mean of squared gradients (M-49: kuc2477/pytorch-ewc, issue 1, mended in 2019). Not every question is a mistake. A reader of Thrandis/EKFAC-pytorch suspected a wrong ratio pi (compare M-30, M-32: pull request 3 and issue 4, both of 2019). The threads settle it: the variable holds the square of pi, and the reader withdrew. And weight and bias treated apart (M-14) are a choice: f-dangel/curvlinops, issue 53, asks for the joint block as an addition. A measured comparison settles such questions in both directions."
    )
  }

  private static func practise(_ document: inout ChapterDocument) {
    document.heading("Try it")
    document.tryIt(
      "The scalar test on the patient M-01: the residual is rounding, and the scalar is the number of examples.",
      code: """
        A, A_wrong = patients["right_A"], patients["M01_A"]
        c = (A_wrong * A).sum() / (A * A).sum()
        residual = np.linalg.norm(A_wrong - c * A) / np.linalg.norm(A_wrong)
        print(c, residual)
        assert residual < 1e-12 and round(c) == N
        """)
    document.tryIt(
      "Read the damping back from the right step: solve for what must have been added to both factors.",
      code: """
        A, G, V, U = (patients["right_" + letter] for letter in "AGVU")
        pi = np.sqrt((np.trace(A) / len(A)) / (np.trace(G) / len(G)))
        shift = np.sqrt(0.03)
        left = (G + shift / pi * np.eye(len(G))) @ U @ (A + shift * pi * np.eye(len(A)))
        print(np.linalg.norm(left - V) / np.linalg.norm(V))
        np.testing.assert_allclose(left, V, atol=1e-12 * np.abs(V).max())
        """)
    document.heading("Exercises")
    document.exercise(
      Exercise(
        .recall, "A test with one example",
        question:
          #"A popular test uses a batch of one example, where KFAC is exact. Which of these mistakes can it see? Fill in `seen` with the numbers of those that it can: M-01 ($A' = NA$), M-02 ($G' = G/N^2$), M-26 ($V' = -V$), M-06 ($A' = \frac{N}{d_A} A$)."#,
        starter: "seen = set()  # for example {\"M-01\", \"M-02\"}",
        check: """
          n, d_A = 1, 8
          factor = {"M-01": n, "M-02": n ** -2, "M-26": -1, "M-06": n / d_A}
          assert seen == {name for name, value in factor.items() if value != 1}, seen
          """,
        solution: "seen = {\"M-26\", \"M-06\"}",
        explanation:
          "With one example every power of N is 1, so sums and means agree and M-01 and M-02 are invisible. The sign stays visible, and so does a division by a layer's width."
      ))
    document.exercise(
      Exercise(
        .changeANumber, "Which power of N?",
        question:
          #"A program writes out `patients["M02_G"]`. Its $G'$ is right but for a power of $N$. Find the exponent $k$ in $G' = N^k G$, and the factor that repairs it."#,
        starter: """
          k = None
          repair = lambda G_wrong: G_wrong
          """,
        check: """
          G, G_wrong = patients["right_G"], patients["M02_G"]
          assert k is not None and isinstance(k, int), k
          np.testing.assert_allclose(float(N) ** k * G, G_wrong, rtol=1e-10)
          np.testing.assert_allclose(repair(G_wrong), G, rtol=1e-10)
          """,
        solution: """
          k = -2
          repair = lambda G_wrong: N ** 2 * G_wrong
          """,
        explanation:
          #"Each back-propagated vector carries $1/N$ from the mean loss, and $G$ is quadratic in it: $k = -2$. Averaging over the examples was right already."#
      ))
    document.exercise(
      Exercise(
        .breakIt, "Make the mistake yourself",
        question:
          #"Turn the right $A$ into what a program with `np.cov` in place of the second moment would write out (M-15). You need nothing but $A$ itself: its last column is the mean of $\bar a$."#,
        starter: """
          def centred(A):
              raise NotImplementedError("A minus the outer product of the mean")
          """,
        check: """
          np.testing.assert_allclose(centred(patients["right_A"]), patients["M15_A"], atol=1e-12)
          assert np.abs(centred(patients["right_A"])[-1]).max() < 1e-12
          """,
        solution: """
          def centred(A):
              mean = A[:, -1]
              return A - np.outer(mean, mean)
          """,
        explanation:
          #"$\mathbb E[\bar a \bar a^\top] - \mathbb E[\bar a]\mathbb E[\bar a]^\top$. The mean of the homogeneous coordinate is 1, so the last row of the result is exactly zero: the fingerprint of this mistake."#
      ))
    document.mistakes([
      MistakeHint(
        "M-01",
        #"$c_A = N$ with a residual at rounding, and it grows when the data are duplicated."#),
      MistakeHint("M-20", "The rows of the last layer's G do not sum to zero."),
      MistakeHint(
        "M-28", #"$U' = G_\delta V A_\delta$: the step is long where it should be short."#),
      MistakeHint(
        "M-30",
        #"The shifts read back from the inverses have the ratio $\pi^{-2}$ where $\pi^2$ is right; their product is right."#
      ),
    ])
    document.references([
      "The specification of this suite, section 11: the 67 mistakes with their signatures; `natgrad list mistakes` prints them, `Fixtures/reports/mistakes.csv` has all distances, and the tests of the museum (`VerificationTests`) assert them.",
      "KFAC from scratch (arXiv 2507.05127), whose authors describe limit cases such as one data point and deep linear networks as tests, as read.",
      "Public threads as named above, read in the state of 2026, not run.",
    ])
  }
}
