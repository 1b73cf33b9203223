import Curvature
import DataFiles
import DenseAlgebra
import Experiments

/// The cells of chapter 04.
enum VecCells {
  static let setup = #"""
    numbers = pd.read_csv(DATA / "04-numbers.csv").set_index("name")["value"]
    layer = np.load(DATA / "04-layer.npz")
    A, G, V = layer["A"], layer["G"], layer["V"]  # layer 4: 21 x 21, 10 x 10, 10 x 21


    def cvec(M):
        """Columns stacked."""
        return M.flatten(order="F")


    def rvec(M):
        """Rows stacked."""
        return M.flatten(order="C")


    def commutation(rows, columns):
        """Pi with rvec(M) = Pi cvec(M) for a matrix of rows x columns."""
        places = cvec(np.arange(rows * columns).reshape(rows, columns))
        Pi = np.zeros((rows * columns, rows * columns))
        Pi[places, np.arange(rows * columns)] = 1
        return Pi
    """#

  static let identities = #"""
    Pi = commutation(*V.shape)
    np.testing.assert_array_equal(Pi @ cvec(V), rvec(V))
    np.testing.assert_array_equal(Pi.T @ Pi, np.eye(V.size))
    tolerance = dict(atol=1e-13 * np.abs(G @ V @ A.T).max())
    np.testing.assert_allclose(np.kron(A, G) @ cvec(V), cvec(G @ V @ A.T), **tolerance)
    np.testing.assert_allclose(np.kron(G, A) @ rvec(V), rvec(G @ V @ A.T), **tolerance)
    np.testing.assert_array_equal(Pi @ np.kron(A, G) @ Pi.T, np.kron(G, A))
    # The mixed forms run without an error and are wrong.
    right = np.linalg.norm(G @ V @ A.T)
    for mixed in (
        np.kron(A, G) @ rvec(V) - rvec(G @ V @ A.T),
        np.kron(G, A) @ cvec(V) - cvec(G @ V @ A.T),
    ):
        print("relative error of a mixed form:", np.linalg.norm(mixed) / right)
        assert np.linalg.norm(mixed) > 0.1 * right
    """#

  static let slope = #"""
    P = np.kron(A + 0.1 * np.eye(len(A)), G + 0.1 * np.eye(len(G)))
    right = np.linalg.solve(P, cvec(V)).reshape(V.shape, order="F")
    wrong = np.linalg.solve(P, rvec(V)).reshape(V.shape, order="C")
    cosine = np.sum(right * wrong) / np.linalg.norm(right) / np.linalg.norm(wrong)
    print("cosine between the steps:", cosine)
    np.testing.assert_allclose(cosine, numbers["cells-cosine"], rtol=1e-8)
    assert cosine < 0.99  # another step
    assert np.sum(wrong * V) > 0  # and still downhill
    """#
}

extension VecChapter {
  static func cells(
    _ document: inout ChapterDocument, _ findings: inout Findings, _ measured: VecMeasurement
  ) {
    let layer = measured.layers[2]
    let cosine = measured.steps.number(
      "cosine",
      where: ["layer": "layer 4", "order": VecMeasurement.Order.rowsStacked.rawValue])
    let reported = findings.report(
      "cells-cosine", cosine.value, "cosine of the mixed step with the right one, layer 4",
      .fixed(2))
    let (a, g, v) = (layer.factors.a, layer.factors.g, layer.gradient)
    let last = a.rowCount - 1
    func rows(_ matrix: Matrix) -> [Double] { matrix.transposed.storage }
    let product = g * v * a
    let turned = Matrix(rowCount: a.rowCount, columnCount: a.rowCount) { i, j in
      a[i == 0 ? last : i - 1, j == 0 ? last : j - 1]
    }
    let misread = Matrix(rowCount: v.rowCount, columnCount: v.columnCount, storage: rows(v))
    let outputs: [[Double]] = [
      (g * misread * a).storage,  // rows stacked, A ⊗ G
      product.storage,  // columns stacked, A ⊗ G
      (g * v * turned).storage,  // bias first in A only
      rows(product),  // rows stacked, G ⊗ A
    ]
    document.data(
      "layer",
      [("A", NumericArray(a)), ("G", NumericArray(g)), ("V", NumericArray(v))]
        + outputs.enumerated().map { ("output\($0 + 1)", NumericArray(Vector($1))) })
    document.heading("Try it")
    document.tryIt(
      "The identities on the trained layer 4, and what the mixed forms give.",
      code: VecCells.identities)
    document.tryIt(
      #"""
      A mixed order still goes downhill: its step has a cosine of \#(reported) with the right one.
      """#, code: VecCells.slope)
  }

  static func ending(_ document: inout ChapterDocument) {
    document.heading("Exercises")
    document.exercise(fourOutputs)
    document.exercise(memory)
    document.exercise(breakIt)
    document.mistakes([
      MistakeHint(
        "M-10",
        #"$A \otimes G$ on stacked rows: the loss falls, the step solves another system; in square layers $A$ and $G$ have changed places."#
      ),
      MistakeHint(
        "M-11",
        "An array written by rows and read by columns: the gradient has the right entries in the order of its transpose."
      ),
      MistakeHint(
        "M-12", "No bias coordinate: $A$ is one row too small, the bias step is the bare gradient."),
      MistakeHint(
        "M-13", "Bias first in $A$: the entry that is exactly 1 stands at the wrong end."),
      MistakeHint("M-14", "Weights and bias apart: the last row of $A$ is zero except for the 1."),
    ])
    document.references([
      #"""
      J. Martens, R. Grosse: Optimizing neural networks with Kronecker-factored approximate curvature, \#
      arXiv 1503.05671 (2015). Columns stacked, $\bar A \otimes G$.
      """#,
      "THOR paper: M. Chen et al., AAAI 2021, Equations 4 and 5.",
      #"""
      C. F. Van Loan: The ubiquitous Kronecker product, Journal of Computational and Applied Mathematics 123 \#
      (2000). The identities, and the permutation between the two lists.
      """#,
      #"""
      F. Dangel, B. Mucsányi, T. Weber, R. Eschenhagen: Kronecker-factored approximate curvature (KFAC) from \#
      scratch, arXiv 2507.05127 (2025). Both flattenings side by side.
      """#,
      "natgrad's specification, sections 1.2, 1.3 and 1.6; properties P-01 to P-08, P-57, P-59 and P-80.",
    ])
  }

  private static let fourOutputs = Exercise(
    .recall, "Four outputs, four conventions",
    question:
      #"""
      `layer["output1"]` to `layer["output4"]` hold four lists of 210 numbers. Each is the product of \#
      the Kronecker matrix with the gradient $V$ of layer 4 under one of these conventions: \#
      **A** columns stacked, $A \otimes G$, output by columns; **B** rows stacked, $G \otimes A$, output by rows; \#
      **C** rows stacked on input, $A \otimes G$, the output taken as it comes; **D** like A, with the bias first in \#
      $A$ only. Find the one that explains each, by computing all four.
      """#,
    starter: #"""
      answers = ["?", "?", "?", "?"]  # a letter for output1, output2, output3, output4
      """#,
    check: #"""
      Pi = np.roll(np.eye(len(A)), 1, axis=0)  # last coordinate first
      candidates = {
          "A": np.kron(A, G) @ cvec(V),
          "B": np.kron(G, A) @ rvec(V),
          "C": np.kron(A, G) @ rvec(V),
          "D": np.kron(Pi @ A @ Pi.T, G) @ cvec(V),
      }
      for number, letter in enumerate(answers, start=1):
          assert letter in candidates, "answer with letters"
          target = layer[f"output{number}"]
          gap = np.linalg.norm(candidates[letter] - target) / np.linalg.norm(target)
          assert gap < 1e-10, f"output{number} is not {letter}: relative gap {gap:.2g}"
      """#,
    solution: #"""
      Pi = np.roll(np.eye(len(A)), 1, axis=0)
      tries = {
          "A": cvec(G @ V @ A.T),
          "B": rvec(G @ V @ A.T),
          "C": cvec(G @ rvec(V).reshape(V.shape, order="F") @ A.T),
          "D": cvec(G @ V @ (Pi @ A @ Pi.T).T),
      }
      answers = []
      for number in (1, 2, 3, 4):
          gaps = {k: np.linalg.norm(u - layer[f"output{number}"]) for k, u in tries.items()}
          answers.append(min(gaps, key=gaps.get))
      """#,
    explanation:
      #"""
      The solution computes each list without a Kronecker product: for C the rows of $V$ are read as columns of \#
      the same shape before the two products. A and B hold the same 210 numbers in another order, so a \#
      sum or a norm cannot tell them apart.
      """#)

  private static let memory = Exercise(
    .changeANumber, "From which width on?",
    question:
      #"""
      A layer has $n$ inputs with the bias and $n$ outputs. What is the smallest $n$ for which $A \otimes G$ in double \#
      precision takes more than $2^{30}$ bytes (one gibibyte)?
      """#,
    starter: "n = 1000  # change this number",
    check: """
      def size_in_bytes(n):
          return 8 * (n * n) ** 2


      assert n == int(n), "a whole number"
      assert size_in_bytes(n) > 2**30, "it still fits"
      assert size_in_bytes(n - 1) <= 2**30, "a smaller one is enough"
      """,
    solution: """
      n = 1
      while 8 * n**4 <= 2**30:
          n += 1
      """,
    explanation:
      #"""
      $8 n^4 > 2^{30}$ means $n > 2^{27/4}$. The two factors of such a layer take less than \#
      $2^{18}$ bytes together.
      """#)

  private static let breakIt = Exercise(
    .breakIt, "A test that cannot see the order",
    question:
      #"""
      Find $A$, $G$ and $V$ of size 3 × 3, with symmetric $A$ and $G$ that are no multiples of the identity and $V \ne 0$, for which \#
      the mixed form $(A \otimes G)\,\mathrm{rvec}(V)$ gives the right answer. A test with such a \#
      layer passes for both orders.
      """#,
    starter: """
      def blind_layer():
          A = np.diag([1.0, 2.0, 3.0])
          G = np.diag([2.0, 5.0, 7.0])
          V = np.arange(9.0).reshape(3, 3)
          return A, G, V
      """,
    check: """
      a, g, v = blind_layer()
      for matrix in (a, g):
          np.testing.assert_array_equal(matrix, matrix.T)
          assert np.linalg.norm(matrix - np.trace(matrix) / 3 * np.eye(3)) > 0.1
      assert np.linalg.norm(v) > 0.1
      mixed = (np.kron(a, g) @ rvec(v)).reshape(3, 3)
      np.testing.assert_allclose(mixed, g @ v @ a.T, atol=1e-12)
      """,
    solution: """
      def blind_layer():
          A = np.diag([1.0, 2.0, 3.0])
          V = np.arange(9.0).reshape(3, 3)
          return A, A, V
      """,
    explanation:
      #"""
      In a square layer the mixed form computes $(G V^\top A)^\top = A V G$. With \#
      $A = G$ both are the same, for any $V$: the mistake hides. Different sizes make it visible.
      """#)
}
