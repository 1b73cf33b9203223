import Curvature
import DataFiles
import DenseAlgebra
import Experiments
import Networks

/// The cells of chapter 07.
enum EKFACCells {
  /// Examples of layer 4 that the cells get.
  static let count = 64

  static let setup = #"""
    numbers = pd.read_csv(DATA / "07-numbers.csv").set_index("name")["value"]
    layer = np.load(DATA / "07-layer.npz")
    X = layer["X"]  # inputs of layer 4 with the bias, one column per example
    Y = layer["Y"]  # back-propagated vectors: class, output, example


    def exact_block(X, Y):
        """F: the mean over examples of (a kron g)(a kron g)^T, summed over classes."""
        U = np.einsum("jn,cin->jicn", X, Y).reshape(X.shape[0] * Y.shape[1], -1)
        return U @ U.T / X.shape[1]


    def factors(X, Y):
        """A and G."""
        return X @ X.T / X.shape[1], np.einsum("cin,ckn->ik", Y, Y) / X.shape[1]


    def scales(X, Y, QA, QG):
        """S: the mean squares of the gradient's coordinates in the basis QA kron QG."""
        rotated = np.einsum("ki,ckn->cin", QG, Y)
        return np.einsum("cin,jn->ij", rotated**2, (QA.T @ X) ** 2) / X.shape[1]


    def rebuilt(QA, QG, S):
        """Q diag(vec S) Q^T; vec stacks columns."""
        Q = np.kron(QA, QG)
        return (Q * S.flatten(order="F")) @ Q.T


    def error(approximation, F):
        return np.linalg.norm(approximation - F) / np.linalg.norm(F)


    def toy(degrees, rho=0.6):
        """EKFAC's and KFAC's error of the layer with two inputs and A = I."""
        a = np.array([[1.0, 1, -1, -1], [1, -1, 1, -1]])
        g = np.sqrt(1 + rho * a[0] * a[1]).reshape(1, 1, 4)
        phi = np.radians(degrees)
        QA = np.array([[np.cos(phi), -np.sin(phi)], [np.sin(phi), np.cos(phi)]])
        F = exact_block(a, g)
        ekfac = rebuilt(QA, np.eye(1), scales(a, g, QA, np.eye(1)))
        return error(ekfac, F), error(np.kron(*factors(a, g)), F)
    """#

  static let theorem = #"""
    F = exact_block(X, Y)
    A, G = factors(X, Y)
    alpha, QA = np.linalg.eigh(A)
    gamma, QG = np.linalg.eigh(G)
    S = scales(X, Y, QA, QG)
    ekfac, kfac = rebuilt(QA, QG, S), np.kron(A, G)
    print("KFAC ", error(kfac, F), " EKFAC ", error(ekfac, F))

    # The same numbers as Swift's, up to rounding and the signs of eigenvectors.
    np.testing.assert_allclose(error(kfac, F), numbers["cells-kfac"], rtol=1e-9)
    np.testing.assert_allclose(error(ekfac, F), numbers["cells-ekfac"], rtol=1e-9)
    # S is the diagonal of Q^T F Q, and the squared distances differ by |S - products|^2.
    Q = np.kron(QA, QG)
    np.testing.assert_allclose(
        S.flatten(order="F"), np.diag(Q.T @ F @ Q), atol=1e-12 * S.max()
    )
    gap = np.linalg.norm(kfac - F) ** 2 - np.linalg.norm(ekfac - F) ** 2
    np.testing.assert_allclose(gap, np.sum((S - np.outer(gamma, alpha)) ** 2), rtol=1e-9)
    np.testing.assert_allclose(np.trace(ekfac), np.trace(F), rtol=1e-12)
    """#

  static let signs = #"""
    A, G = factors(X, Y)
    QA, QG = np.linalg.eigh(A)[1], np.linalg.eigh(G)[1]
    signs = np.where(np.arange(QA.shape[1]) % 2 == 0, 1.0, -1.0)
    one = rebuilt(QA, QG, scales(X, Y, QA, QG))
    other = rebuilt(QA * signs, QG, scales(X, Y, QA * signs, QG))
    np.testing.assert_allclose(one, other, atol=1e-12 * one.max())  # signs: no difference

    errors = [toy(degrees)[0] for degrees in (0, 22.5, 45)]
    print("repeated eigenvalue, three correct bases:", errors)
    assert errors[0] > errors[1] > errors[2]
    np.testing.assert_allclose(errors[0], toy(0)[1])  # along the axes: KFAC's error
    assert errors[2] < 1e-12  # in the basis of F: none
    """#

  /// The arrays of the cells and the errors that belong to them.
  static func arrays(_ samples: LayerSamples) -> (samples: LayerSamples, [(String, NumericArray)]) {
    let x = samples.inputs.block(rows: 0..<samples.inputSize, columns: 0..<count)
    let y = samples.gradients.map {
      $0.block(rows: 0..<samples.outputSize, columns: 0..<count)
    }
    let elements = y.flatMap(\.transposed.storage)
    let stacked = NumericArray(shape: [y.count, samples.outputSize, count], elements: elements)
    let block = GradientSamples.Block(
      name: samples.name, rowCount: samples.outputSize, columnCount: samples.inputSize,
      hasBias: true, uses: [GradientSamples.Use(inputs: x, gradients: y, positions: 1)])
    let part = GradientSamples(
      exampleCount: count, columnCount: y.count, blocks: [block], chain: [])
    return (LayerSamples(part, block: 0), [("X", NumericArray(x)), ("Y", stacked)])
  }
}
