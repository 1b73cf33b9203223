/// The Python of chapter 06.
enum DampingCells {
  static let setup = #"""
    rules = pd.read_csv(DATA / "06-rules.csv")
    arrays = np.load(DATA / "06-factors.npz")
    LAYERS = [tuple(arrays[f"{name}{layer}"] for name in "AGV") for layer in (2, 3, 4)]


    def shifts(rule, A, G, lam):
        """What a factored rule adds to the diagonals of A and of G."""
        root = np.sqrt(lam)
        if rule == "factor":
            return lam, lam
        if rule == "sqrt":
            return root, root
        pi = np.sqrt((np.trace(A) / len(A)) / (np.trace(G) / len(G)))
        return pi * root, root / pi


    def layer_step(rule, A, G, V, lam):
        """One layer's step: the damped inverse times the gradient V."""
        if rule == "exact":
            a, Qa = np.linalg.eigh(A)
            g, Qg = np.linalg.eigh(G)
            return Qg @ ((Qg.T @ V @ Qa) / (np.outer(g, a) + lam)) @ Qa.T
        to_a, to_g = shifts(rule, A, G, lam)
        half = np.linalg.solve(G + to_g * np.eye(len(G)), V)
        return np.linalg.solve(A + to_a * np.eye(len(A)), half.T).T


    def step(rule, lam, layers=LAYERS):
        """The step of all three layers as one vector."""
        return np.concatenate([layer_step(rule, A, G, V, lam).ravel() for A, G, V in layers])


    def angle(u, v):
        cosine = u @ v / (np.linalg.norm(u) * np.linalg.norm(v))
        return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    """#

  static let expansion = #"""
    A, G, V = LAYERS[2]
    I, J = np.eye(len(A)), np.eye(len(G))
    for lam in (0.3, 0.03, 0.003):
        product, cross = np.kron(A, G), lam * (np.kron(A, J) + np.kron(I, G))
        whole = np.kron(A + lam * I, G + lam * J)
        rest = whole - product - cross - lam**2 * np.eye(len(whole))
        np.testing.assert_allclose(rest, 0, atol=1e-12 * np.abs(whole).max())
        print(lam, "share of A x G in the trace:", np.trace(product) / np.trace(whole))
    """#

  static let square = #"""
    # Square roots turn one rule into the other: the same matrices at other lambdas.
    np.testing.assert_allclose(step("sqrt", 0.3**2), step("factor", 0.3), rtol=1e-10)

    # The chapter's table again, from the factors.
    for lam in (1e-4, 1e-2, 1.0):
        row = rules[(rules["rule"] == "factor") & np.isclose(rules["lambda"], lam)].iloc[0]
        u, exact = step("factor", lam), step("exact", lam)
        ratio = np.linalg.norm(u) / np.linalg.norm(exact)
        assert np.isclose(row["length_ratio"], ratio, rtol=1e-6)
        assert np.isclose(row["angle"], angle(u, exact), atol=1e-4)
    print(rules[rules["rule"] == "factor"].iloc[::4].to_string(index=False))
    """#

  static let recallStarter = #"""
    # Write "changes" or "stays" for each rule.
    answers = {"factor": "?", "sqrt": "?", "pi": "?", "exact": "?"}
    """#

  static let recallSolution = #"""
    answers = {"factor": "changes", "sqrt": "changes", "pi": "stays", "exact": "stays"}
    """#

  static let recallCheck = #"""
    scaled = [(10 * A, G / 10, V) for A, G, V in LAYERS]
    for rule, answer in answers.items():
        moved = angle(step(rule, 0.01), step(rule, 0.01, scaled))
        # arccos near 1 keeps half the digits: angles below 1e-5 degrees are zero.
        assert answer == ("changes" if moved > 1e-4 else "stays"), f"not so for {rule}"
        print(rule, "turns by", moved, "degrees")
    assert set(answers) == {"factor", "sqrt", "pi", "exact"}, "a rule is missing"
    """#

  static let worstStarter = #"""
    lam = 0.3  # change this number
    last = LAYERS[2:]
    print(angle(step("factor", lam, last), step("exact", lam, last)))
    """#

  static let worstSolution = #"""
    last = LAYERS[2:]
    grid = np.logspace(-6, 2, 161)
    angles = [angle(step("factor", x, last), step("exact", x, last)) for x in grid]
    lam = grid[np.argmax(angles)]
    print(lam, max(angles))
    """#

  static let worstCheck = #"""
    def between(x):
        return angle(step("factor", x, LAYERS[2:]), step("exact", x, LAYERS[2:]))

    angles = [between(x) for x in np.logspace(-6, 2, 81)]
    here = between(lam)
    assert here > max(angles) - 0.5, f"{here:.1f} degrees here, {max(angles):.1f} elsewhere"
    """#

  static let breakStarter = #"""
    c = 1.0  # change this number
    """#

  static let breakSolution = #"""
    c = 1e3  # A shrinks below lambda and G grows above it
    """#

  static let breakCheck = #"""
    scaled = [(A / c, G * c, V) for A, G, V in LAYERS]
    for (A, G, _), (B, H, _) in zip(LAYERS, scaled):
        np.testing.assert_allclose(np.kron(A, G), np.kron(B, H), rtol=1e-9, atol=0)
    turned = step("factor", 0.3, scaled)
    thor = angle(step("factor", 0.3), turned)
    without = [np.linalg.solve(G + 0.3 * np.eye(len(G)), V) / 0.3 for _, G, V in scaled]
    rest = angle(turned, np.concatenate([u.ravel() for u in without]))
    pi = angle(step("pi", 0.3), step("pi", 0.3, scaled))
    assert pi < 1e-4, f"the pi rule turned by {pi} degrees"
    assert thor > 30, f"Equation 6's step turned by {thor:.1f} degrees only"
    assert rest < 1, f"{rest:.1f} degrees from the step without A"
    """#
}
