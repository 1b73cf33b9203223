import Curvature
import DataFiles
import DenseAlgebra
import Experiments

extension EKFACChapter {
  static func cells(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ measured: EKFACMeasurement
  ) throws {
    let state = measured.states.first { $0.iteration == EKFACMeasurement.iteration }!
    let (samples, arrays) = EKFACCells.arrays(state.layers[2])
    document.data("layer", arrays.map { (name: $0.0, array: $0.1) })
    let exact = try EKFACMeasurement.exactBlock(samples)
    let structures = try EKFACMeasurement.structures(samples)
    func error(_ index: Int) throws -> Double {
      try structures[index].dense(within: .standard).relativeError(to: exact)
    }
    let kfac = findings.report(
      "cells-kfac", try error(1), "KFAC's relative Frobenius error, layer 4, 64 examples",
      .percent(1))
    let ekfac = findings.report(
      "cells-ekfac", try error(2), "EKFAC's relative Frobenius error, layer 4, 64 examples",
      .percent(1))
    document.heading("Try it")
    document.tryIt(
      #"""
      The theorem in numpy, on layer 4 and \#(given: EKFACCells.count) examples of the batch. There \#
      KFAC is at \#(kfac) and EKFAC at \#(ekfac).
      """#, code: EKFACCells.theorem)
    document.tryIt(
      "Signs make no difference; a rotation in the eigenspace of a repeated eigenvalue does.",
      code: EKFACCells.signs)
  }

  static func ending(_ document: inout ChapterDocument) {
    document.heading("Exercises")
    document.exercise(recall)
    document.exercise(angle)
    document.exercise(breakIt)
    document.mistakes([
      MistakeHint(
        "M-50",
        "The moments are squares of the batch gradient: their sum is far below the trace of F."),
      MistakeHint(
        "M-44",
        "Eigenvectors read as rows: the trace of $F_{\\mathrm{EK}}$ is right, its moments are those of another basis."
      ),
      MistakeHint(
        "M-52",
        "Old moments in a new basis: right until the first refresh of the basis, then too far from F."
      ),
      MistakeHint(
        "M-35",
        #"The eigenvalues of both factors are damped and multiplied, where $S + \lambda$ was meant."#
      ),
      MistakeHint(
        "M-51",
        "With shared weights, squares are taken before the sum over positions: the trace is wrong."),
    ])
    document.references([
      #"""
      T. George, C. Laurent, X. Bouthillier, N. Ballas, P. Vincent: Fast approximate natural gradient \#
      descent in a Kronecker-factored eigenbasis, arXiv 1806.03884 (2018). EKFAC and its optimality.
      """#,
      #"""
      THOR paper: M. Chen et al., THOR, trace-based hardware-driven layer-oriented natural gradient descent \#
      computation, AAAI 2021; Introduction and Results on CIFAR-10, for the remarks on EKFAC.
      """#,
      #"""
      C. F. Van Loan, N. Pitsianis: Approximation with Kronecker products (1993). The nearest Kronecker \#
      product.
      """#,
      "G. H. Golub, C. F. Van Loan: Matrix Computations, 4th edition, sections 4.2 and 8.3. Operation counts.",
      "natgrad's specification, sections 5 and 8; properties P-81 to P-90 and P-96.",
    ])
  }

  private static let recall = Exercise(
    .recall, "Which diagonal?",
    question:
      #"""
      In the basis $Q_A \otimes Q_G$, which diagonal is nearest to $F$ in the Frobenius norm? \#
      **A**: the eigenvalues of $F$, the largest where the largest product stands. **B**: the \#
      products $\gamma_i\alpha_j$. **C**: the squares of the coordinates of the mean gradient. \#
      **D**: the means of the squared coordinates of single gradients.
      """#,
    starter: #"answer = "?"  # a letter"#,
    check: #"""
      F = exact_block(X, Y)
      A, G = factors(X, Y)
      alpha, QA = np.linalg.eigh(A)
      gamma, QG = np.linalg.eigh(G)
      products = np.outer(gamma, alpha)
      order = np.argsort(np.argsort(products, axis=None))
      mean = np.einsum("cin,jn->ij", Y, X) / X.shape[1]
      diagonals = {
          "A": np.sort(np.linalg.eigvalsh(F))[order].reshape(products.shape),
          "B": products,
          "C": (QG.T @ mean @ QA) ** 2,
          "D": scales(X, Y, QA, QG),
      }
      distance = {name: error(rebuilt(QA, QG, D), F) for name, D in diagonals.items()}
      assert answer in distance, "answer with a letter"
      assert answer == min(distance, key=distance.get), distance[answer]
      """#,
    solution: #"answer = "D""#,
    explanation:
      #"""
      D is the diagonal of $Q^\top F Q$, the only part of the squared distance that a diagonal can make \#
      zero. A has the right spectrum in the wrong basis, C squares after the mean instead of before.
      """#)

  private static let angle = Exercise(
    .changeANumber, "Half of KFAC's error",
    question:
      #"""
      In the toy layer with $A = I$, at which angle between 0 and 45 degrees is EKFAC's error exactly half of \#
      KFAC's? Use the formula; does the answer depend on $\rho$?
      """#,
    starter: "degrees = 0.0  # change this number",
    check: #"""
      assert 0 <= degrees <= 45
      for rho in (0.6, 0.1, 0.9):
          ekfac, kfac = toy(degrees, rho)
          np.testing.assert_allclose(ekfac, kfac / 2, rtol=1e-9)
      """#,
    solution: "degrees = np.degrees(np.arccos(0.5)) / 2",
    explanation:
      #"""
      EKFAC's error over KFAC's is $\lvert\cos 2\varphi\rvert$, so $\cos 2\varphi = 1/2$ and \#
      $\varphi = 30$ degrees for every $\rho$.
      """#)

  private static let breakIt = Exercise(
    .breakIt, "A mistake that trace and determinant cannot see",
    question:
      #"""
      Write `broken(S)`: it returns a matrix with the same entries as $S$ (so that trace, determinant and \#
      spectrum of $F_{\mathrm{EK}}$ stay right) for which EKFAC is further from $F$ than KFAC.
      """#,
    starter: """
      def broken(S):
          return S  # the same entries, elsewhere
      """,
    check: #"""
      F = exact_block(X, Y)
      A, G = factors(X, Y)
      QA, QG = np.linalg.eigh(A)[1], np.linalg.eigh(G)[1]
      S = scales(X, Y, QA, QG)
      wrong = broken(S.copy())
      np.testing.assert_allclose(np.sort(wrong, axis=None), np.sort(S, axis=None))
      matrix = rebuilt(QA, QG, wrong)
      np.testing.assert_allclose(np.trace(matrix), np.trace(F), rtol=1e-9)
      assert error(matrix, F) > error(np.kron(A, G), F), "still nearer than KFAC"
      """#,
    solution: """
      def broken(S):
          return S[::-1, ::-1]
      """,
    explanation:
      #"""
      Eigenvalues in ascending order paired with eigenvectors in descending order: a common slip, for some \#
      libraries sort one way and some the other. The largest moment then stands at the direction \#
      with the least.
      """#)
}
