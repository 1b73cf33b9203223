/// The Python of chapter 02.
enum ThreeFishersCells {
  static let setup = #"""
    errors = pd.read_csv(DATA / "02-monte-carlo.csv")
    small = np.load(DATA / "02-small.npz")
    X, W1, W2, Y = (small[name] for name in ("X", "W1", "W2", "Y"))
    labels = small["labels"].astype(int)
    N, C, P = 11, 3, 39
    theta = np.r_[W1.ravel(order="F"), W2.ravel(order="F")]


    def outputs(theta):
        """The outputs z, N x C; theta stacks the columns of [W1 b1], then of [W2 b2]."""
        V1, V2 = theta[:24].reshape(4, 6, order="F"), theta[24:].reshape(3, 5, order="F")
        a = np.tanh(np.c_[X, np.ones(N)] @ V1.T)
        return np.c_[a, np.ones(N)] @ V2.T


    def jacobian(theta):
        """dz/dtheta, N x C x P."""
        V1, V2 = theta[:24].reshape(4, 6, order="F"), theta[24:].reshape(3, 5, order="F")
        a0 = np.c_[X, np.ones(N)]
        a = np.tanh(a0 @ V1.T)
        J = np.zeros((N, C, P))
        for c in range(C):
            g = V2[c, :4] * (1 - a**2)
            J[:, c, :24] = np.einsum("nj,ni->nji", a0, g).reshape(N, 24)
            J[:, c, 24 + c :: 3] = np.c_[a, np.ones(N)]
        return J


    def softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


    J, p = jacobian(theta), softmax(outputs(theta))
    """#

  static let slope = #"""
    rms = errors.groupby("samples")["error"].apply(lambda e: np.sqrt(np.mean(e**2)))
    expected = errors.groupby("samples")["expected"].first()
    slope, _ = np.polyfit(np.log(rms.index), np.log(rms), 1)
    print("slope", slope)
    print("measured / computed", (rms / expected).round(3).to_dict())
    assert abs(slope + 0.5) < 0.05
    # Twelve repetitions of a norm of a million entries: a few percent of scatter.
    np.testing.assert_allclose(rms, expected, rtol=0.1)
    """#

  static let labels = #"""
    def empirical(labels):
        u = np.einsum("ncp,nc->np", J, p - np.eye(C)[labels])
        return u.T @ u / N


    exact = sum(
        p[n, c] * np.outer(J[n].T @ (p[n] - np.eye(C)[c]), J[n].T @ (p[n] - np.eye(C)[c]))
        for n in range(N)
        for c in range(C)
    ) / N
    H = np.stack([np.diag(q) - np.outer(q, q) for q in p])
    np.testing.assert_allclose(exact, np.einsum("ncp,ncd,ndq->pq", J, H, J) / N, atol=1e-13)

    given, shifted = empirical(labels), empirical(np.roll(labels, 1))
    change = np.linalg.norm(shifted - given) / np.linalg.norm(given)
    print("other labels change the empirical Fisher by", change)
    assert change > 0.1
    ranks = [np.linalg.matrix_rank(matrix) for matrix in (exact, given)]
    print("rank of the exact and of the empirical Fisher:", ranks)
    assert ranks[0] <= N * (C - 1) and ranks[1] <= N
    """#

  private static let snippets = #"""
    rng = np.random.default_rng(1)


    def loss_gradient(theta):
        r = softmax(outputs(theta)) - np.eye(C)[labels]
        return np.einsum("ncp,nc->p", jacobian(theta), r) / N


    def A():
        steps = 1e-5 * np.eye(P)
        changes = [loss_gradient(theta + d) - loss_gradient(theta - d) for d in steps]
        return np.array(changes) / 2e-5


    def B():
        drawn = np.array([rng.choice(C, size=4000, p=q) for q in p])
        r = p[:, None, :] - np.eye(C)[drawn]
        return np.einsum("ncp,nmc,nmd,ndq->pq", J, r, r, J, optimize=True) / (N * 4000)


    def C_():
        H = np.stack([np.diag(q) - np.outer(q, q) for q in p])
        return np.einsum("ncp,ncd,ndq->pq", J, H, J) / N


    def D():
        u = np.einsum("ncp,nc->np", J, p - np.eye(C)[labels])
        return u.T @ u / N


    """#

  static let nameStarter =
    snippets + #"names = {"A": "?", "B": "?", "C": "?", "D": "?"}"#

  static let nameSolution =
    snippets
    + #"names = {"A": "hessian", "B": "monte carlo", "C": "exact", "D": "empirical"}"#

  static let nameCheck = #"""
    scores = {(n, c): J[n].T @ (p[n] - np.eye(C)[c]) for n in range(N) for c in range(C)}
    true = sum(p[n, c] * np.outer(u, u) for (n, c), u in scores.items()) / N
    of_data = sum(np.outer(scores[n, labels[n]], scores[n, labels[n]]) for n in range(N)) / N


    def name(matrix):
        first, second = matrix(), matrix()
        if not np.array_equal(first, second):
            return "monte carlo"
        if np.allclose(first, true, atol=1e-12):
            return "exact"
        return "empirical" if np.allclose(first, of_data, atol=1e-12) else "hessian"


    right = {letter: name(f) for letter, f in zip("ABCD", (A, B, C_, D))}
    correct = sum(names[letter] == right[letter] for letter in "ABCD")
    assert correct == 4, f"{correct} of 4 are right: look for the label in each function"
    """#

  private static let sampling = #"""
    u = np.einsum("ncp,ndc->ndp", J, p[:, None, :] - np.eye(C))  # u[n, d]: score of label d
    exact = np.einsum("nd,ndp,ndq->pq", p, u, u) / N
    rng = np.random.default_rng(2)


    def error(samples, repetitions=50):
        squares = []
        for _ in range(repetitions):
            shares = np.array([rng.multinomial(samples, q) for q in p]) / samples
            drawn = np.einsum("nd,ndp,ndq->pq", shares, u, u, optimize=True) / N
            squares.append(np.sum((drawn - exact) ** 2) / np.sum(exact**2))
        return np.sqrt(np.mean(squares))


    """#

  static let sampleStarter =
    sampling
      + #"""
      samples = 64
      print("error", error(samples))
      """#

  static let sampleSolution =
    sampling
      + #"""
      samples = 2 ** int(np.ceil(np.log2((error(1, 2000) / 0.01) ** 2)))
      print("samples", samples, "error", error(samples))
      """#

  static let sampleCheck = #"""
    norms = np.einsum("ndp,ndp->nd", u, u)
    each = np.einsum("nd,ndp,ndq->npq", p, u, u)
    one = np.sqrt((np.sum(p * norms**2) - np.sum(each**2)) / N**2) / np.linalg.norm(exact)
    assert samples >= 1 and np.log2(samples) == int(np.log2(samples)), "a power of two"
    assert one / np.sqrt(samples) < 0.01, "the error is still one in a hundred or more"
    assert one / np.sqrt(samples / 2) >= 0.01, "half as many would do"
    """#

  static let vanishStarter = #"""
    targets = Y  # change this line
    """#

  static let vanishSolution = #"""
    targets = outputs(theta) + (Y - outputs(theta)) / 100
    """#

  static let vanishCheck = #"""
    def empirical(y):
        u = np.einsum("ncp,nc->np", J, outputs(theta) - y)
        return u.T @ u / N


    def hessian(y):
        def gradient(t):
            return np.einsum("ncp,nc->p", jacobian(t), outputs(t) - y) / N

        steps = 1e-5 * np.eye(P)
        return np.array([gradient(theta + d) - gradient(theta - d) for d in steps]) / 2e-5


    F = np.einsum("ncp,ncq->pq", J, J) / N
    norm = np.linalg.norm(empirical(targets)) / np.linalg.norm(empirical(Y))
    near = np.linalg.norm(hessian(targets) - F) / np.linalg.norm(hessian(Y) - F)
    assert np.isclose(norm, 1e-4, rtol=1e-6), f"the empirical norm fell to {norm:.3g}"
    # The differences' own error, about 1e-9, is not small against the distance.
    assert np.isclose(near, 1e-2, rtol=1e-3), f"the Hessian's distance fell to {near:.3g}"
    """#
}
