/// The Python of chapter 03.
enum ExactFisherCells {
  static let setup = #"""
    steps = pd.read_csv(DATA / "03-steps.csv")
    small = np.load(DATA / "03-small.npz")
    X, W1, W2, F = (small[name] for name in ("X", "W1", "W2", "F"))
    N, C, P = 7, 3, 39
    theta = np.r_[W1.ravel(order="F"), W2.ravel(order="F")]


    def weights(theta):
        return theta[:24].reshape(4, 6, order="F"), theta[24:].reshape(3, 5, order="F")


    def probabilities(theta):
        """p(c | x) for all inputs, N x C."""
        V1, V2 = weights(theta)
        a = np.tanh(np.c_[X, np.ones(N)] @ V1.T)
        z = np.c_[a, np.ones(N)] @ V2.T
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


    def gradient(n, label):
        """The gradient of -log p(label | x_n) in theta, by hand."""
        V1, V2 = weights(theta)
        a0 = np.r_[X[n], 1]
        a1 = np.r_[np.tanh(V1 @ a0), 1]
        g2 = probabilities(theta)[n] - np.eye(C)[label]
        g1 = (V2[:, :4].T @ g2) * (1 - a1[:4] ** 2)
        return np.r_[np.outer(g1, a0).ravel(order="F"), np.outer(g2, a1).ravel(order="F")]


    def difference(A, B):
        return np.linalg.norm(A - B) / np.linalg.norm(B)
    """#

  static let byHand = #"""
    p = probabilities(theta)
    by_hand = np.zeros((P, P))
    for n in range(N):
        for c in range(C):
            u = gradient(n, c)
            by_hand += p[n, c] * np.outer(u, u) / N
    print("distance from the suite's F:", difference(by_hand, F))
    assert difference(by_hand, F) < 1e-13  # 39 x 39 sums of 21 terms each
    """#

  static let allVectors = #"""
    from itertools import product

    p = probabilities(theta)
    u = np.array([[gradient(n, c) for c in range(C)] for n in range(N)])
    total, count = np.zeros((P, P)), 0
    for y in product(range(C), repeat=N):
        probability = np.prod(p[np.arange(N), y])
        mean = u[np.arange(N), y].mean(axis=0)
        total += probability * N * np.outer(mean, mean)
        count += 1
    print(count, "label vectors, distance", difference(total, F))
    assert count == C**N and difference(total, F) < 1e-12
    """#

  static let curve = #"""
    columns = ["digits_plain", "digits_careful", "digits_gradient"]
    for column in columns:
        best = steps.loc[steps[column].idxmax()]
        print(column, "best at h =", best["step"], "with", best[column], "digits")
    # The fourth root of the rounding error, within a factor of ten.
    eps = np.finfo(float).eps
    best = steps.loc[steps["digits_plain"].idxmax(), "step"]
    assert eps**0.25 / 10 < best < eps**0.25 * 10
    assert steps["digits_careful"].max() > steps["digits_plain"].max()
    """#

  private static let diagonals = #"""
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    p = probabilities(theta)
    u = np.array([[gradient(n, c) for c in range(C)] for n in range(N)])
    data = u[np.arange(N), labels]

    A = (data**2).mean(axis=0)
    B = data.mean(axis=0) ** 2
    D = np.einsum("nc,ncp->p", p, u**2) / N
    E = np.einsum("nc,ncp->p", p, u).ravel() ** 2 / N


    """#

  static let recallStarter =
    diagonals
      + #"""
      exact, empirical = "?", "?"  # a letter each
      """#

  static let recallSolution =
    diagonals
      + #"""
      exact, empirical = "D", "A"
      """#

  static let recallCheck = #"""
    candidates = {"A": A, "B": B, "D": D, "E": E}
    assert exact in candidates and empirical in candidates, "choose among A, B, D and E"
    assert np.allclose(candidates[exact], np.diag(F), rtol=1e-10), "not the diagonal of F"
    outer = sum(np.outer(v, v) for v in data) / N
    assert np.allclose(candidates[empirical], np.diag(outer)), "not the empirical diagonal"
    """#

  private static let plain = #"""
    def divergence(delta):
        p, q = probabilities(theta), probabilities(theta + delta)
        return np.sum(p * (np.log(p) - np.log(q))) / N


    def second_difference(h):
        result = np.zeros((P, P))
        I = h * np.eye(P)
        for i in range(P):
            for j in range(i + 1):
                along = divergence(I[i] + I[j]) + divergence(-I[i] - I[j])
                across = divergence(I[i] - I[j]) + divergence(I[j] - I[i])
                result[i, j] = result[j, i] = (along - across) / (4 * h**2)
        return result


    """#

  static let stepStarter =
    plain
      + #"""
      h = 1e-7
      print("relative error", difference(second_difference(h), F))
      """#

  static let stepSolution =
    plain
      + #"""
      h = 1e-4  # about the fourth root of the rounding error
      print("relative error", difference(second_difference(h), F))
      """#

  static let stepCheck = #"""
    assert 0 < h < 1
    error = difference(second_difference(h), F)
    assert error < 1e-6, f"the relative error is {error:.1e}: try another power of ten"
    """#

  static let cancelStarter = #"""
    # Two examples of a model with one weight: p = 1 / (1 + exp(-w x)), loss -log p(y).
    w = 0.0
    x = np.array([1.0, 1.0])
    y = np.array([1, 1])  # change the labels, or the inputs
    """#

  static let cancelSolution = #"""
    w = 0.0
    x = np.array([1.0, 1.0])
    y = np.array([1, 0])
    """#

  static let cancelCheck = #"""
    prob = 1 / (1 + np.exp(-w * x))
    u = (prob - y) * x
    assert len(x) == 2 and set(y) <= {0, 1}
    true = np.mean(prob * (1 - prob) * x**2)
    assert np.isclose(np.mean(u**2), true) and true > 0.1, "mean of squares is not F here"
    square = np.mean(u) ** 2
    assert square < 1e-15, f"the square of the mean is {square:.3g}, not zero"
    """#
}
