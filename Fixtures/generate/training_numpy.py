"""Training with Kronecker-factored preconditioners in float64 with NumPy: the independent
implementation behind tier T4, written from the published algorithms and not from natgrad.

THOR: Algorithm 1 and Eqs. 6, 8 to 10, 16 of the AAAI 2021 paper, reference the last accepted matrix.
KFAC: Martens and Grosse 2015. EKFAC: George et al. 2018, arXiv 1806.03884. CG-FAC: arXiv 2101.00218.

`run(training, model, weights, inputs, targets, batches)` takes the words of a case's case.json; which
examples each step sees is given, so no generator has to be shared. Fixtures/README.md explains every
key of `training`."""

import numpy as np

from training_network import Perceptron


def schedule(description, epoch):
    """Constant; target (1 - e/end)^power, 0 past the end (Eq. 14); initial rate^(e/10) (Eq. 16)."""
    kind = description["schedule"]
    if kind == "constant":
        return description["value"]
    if kind == "polynomial":
        remaining = max(0.0, 1 - epoch / description["end"])
        return description["target"] * remaining ** description["power"]
    return description["initial"] * description["rate"] ** (epoch / 10)


class Average:
    """A running average of matrices: fresh, martens-grosse, weight-normalized or identity-start."""

    def __init__(self, description):
        self.kind = description["kind"]
        self.decay = description.get("decay", 0.0)
        self.value, self.count, self.weight = None, 0, 0.0

    def add(self, batch):
        self.count += 1
        if self.kind == "martens-grosse":  # the first batch is taken whole
            kept = min(1 - 1 / self.count, self.decay)
        elif self.kind == "weight-normalized":  # w <- decay w + 1, value += (batch - value) / w
            self.weight = self.decay * self.weight + 1
            kept = 1 - 1 / self.weight
        elif self.kind == "identity-start":
            kept = self.decay
            if self.value is None:
                self.value = np.eye(len(batch))
        else:
            kept = 0.0
        self.value = batch if self.value is None else kept * self.value + (1 - kept) * batch


def shifts(rule, a, g, damping):
    """What is added to A and to G: D1 sqrt, D2 factor, D3 pi."""
    if rule == "factor":
        return damping, damping
    root = np.sqrt(damping)
    if rule == "sqrt":
        return root, root
    pi = np.sqrt(np.trace(a) / len(a) / (np.trace(g) / len(g)))
    return pi * root, root / pi


def split_inverse(matrix, shift, size):
    """(P_d(M) + shift I)^-1, P_d keeping the diagonal blocks of `size`, the last one smaller."""
    result = np.zeros_like(matrix)
    for start in range(0, len(matrix), size):
        part = slice(start, start + size)
        block = matrix[part, part]
        result[part, part] = np.linalg.inv(block + shift * np.eye(len(block)))
    return result


def trace(a, g, damping, reading):
    """Eq. 8: tr(F + lambda I), and what its reading a subtracts again above the line."""
    if reading == "a":
        return np.trace(a) * np.trace(g), damping * len(a) * len(g)
    return (np.trace(a) + damping * len(a)) * (np.trace(g) + damping * len(g)), 0.0


class Kronecker:
    """KFAC and THOR. Without `thresholds` every inverse interval accepts the newest factors."""

    def __init__(self, training, layers, disturb):
        self.training, self.disturb, self.decisions = training, disturb, []
        averages = [[Average(training["averaging"]) for _ in "AG"] for _ in range(layers)]
        self.averages, self.inverses = averages, [None] * layers
        self.references, self.stopped = [None] * layers, [False] * layers

    def direction(self, step, damping, gradients, layers):
        result = []
        for index, (gradient, layer) in enumerate(zip(gradients, layers)):
            if not self.stopped[index]:
                if step % self.training["factorInterval"] == 0:
                    for average, factor in zip(self.averages[index], layer.factors()):
                        average.add(self.disturb(factor, symmetric=True))
                if step % self.training["inverseInterval"] == 0:
                    self.test(step, index, damping)
            a, g = self.inverses[index]
            result.append(g @ gradient @ a)
        return result

    def test(self, step, index, damping):
        """Algorithm 1, lines 4 to 6: accept the new factors, or leave the inverse as it is."""
        a, g = (average.value for average in self.averages[index])
        if "thresholds" in self.training and not self.accepts(step, index, a, g, damping):
            return
        shift_a, shift_g = shifts(self.training["rule"], a, g, damping)
        size = self.training.get("split", max(len(a), len(g)))
        inverses = split_inverse(a, shift_a, size), split_inverse(g, shift_g, size)
        self.inverses[index] = inverses

    def accepts(self, step, index, a, g, damping):
        """Eqs. 8 and 9, with the damping of this step in both traces."""
        decision = {"step": step, "layer": f"layer{index + 1}", "action": "update"}
        self.decisions.append(decision)
        reading = self.training["reading"]
        if self.references[index] is not None:
            old, shift = trace(*self.references[index], damping, reading)
            change = abs(trace(a, g, damping, reading)[0] - old) / abs(old + shift)
            upper, lower = self.training["thresholds"]
            if change <= upper:
                decision["action"] = "keep" if change >= lower else "stop"
            decision["change"] = float(change)
            # No change is below 0, so a threshold of 0 decides nothing.
            decision["margin"] = float(min(abs(change - w) for w in (upper, lower) if w > 0))
        self.stopped[index] = decision["action"] == "stop"
        if decision["action"] == "update" or self.training["reference"] == "last-computed":
            self.references[index] = a, g
        return decision["action"] == "update"


class EKFAC:
    """The second moments follow the batches in a basis that is made anew at its interval only."""

    def __init__(self, training, layers, disturb):
        self.training, self.disturb, self.decisions = training, disturb, []
        self.averages = [[Average(training["averaging"]) for _ in "AG"] for _ in range(layers)]
        self.bases, self.moments = [None] * layers, [None] * layers

    def direction(self, step, damping, gradients, layers):
        result = []
        for index, (gradient, layer) in enumerate(zip(gradients, layers)):
            is_new = step % self.training["basisInterval"] == 0
            if is_new or step % self.training["factorInterval"] == 0:
                self.refresh(index, layer, is_new)
            basis_a, basis_g = self.bases[index]
            rotated = basis_g.T @ gradient @ basis_a
            result.append(basis_g @ (rotated / (self.moments[index] + damping)) @ basis_a.T)
        return result

    def refresh(self, index, layer, is_new):
        for average, factor in zip(self.averages[index], layer.factors()):
            average.add(self.disturb(factor, symmetric=True))
        if is_new:
            spectra = [np.linalg.eigh(average.value) for average in self.averages[index]]
            self.bases[index] = [vectors for _, vectors in spectra]
        batch = self.disturb(layer.second_moments(*self.bases[index]))
        restart = self.training["restart"]
        if is_new and restart == "kfac":
            self.moments[index] = np.outer(spectra[1][0], spectra[0][0])
        elif self.moments[index] is None or (is_new and restart == "batch"):
            self.moments[index] = batch
        else:
            decay = self.training["momentDecay"]
            self.moments[index] = decay * self.moments[index] + (1 - decay) * batch


class ConjugateGradients:
    """CG-FAC: a fixed number of steps on A (x) G + lambda I or on the exact block + lambda I of the
    batch, from the last solution; from zero where <U, V> <= 0."""

    def __init__(self, training, layers, disturb):
        self.training, self.disturb, self.decisions = training, disturb, []
        self.last = [None] * layers

    def direction(self, step, damping, gradients, layers):
        result = []
        for index, (gradient, layer) in enumerate(zip(gradients, layers)):
            a, g = (self.disturb(factor, symmetric=True) for factor in layer.factors())
            if self.training["operator"] == "kronecker":
                operator = lambda v, a=a, g=g: g @ v @ a + damping * v  # noqa: E731
            else:
                operator = lambda v, layer=layer: layer.product(v) + damping * v  # noqa: E731
            start = self.last[index] if self.training["start"] == "warm" else None
            solution = self.solve(operator, gradient, start)
            if start is not None and (solution * gradient).sum() <= 0:
                solution = self.solve(operator, gradient, None)
            self.last[index] = solution
            result.append(solution)
        return result

    def solve(self, operator, right, start):
        x = np.zeros_like(right) if start is None else start
        r = right - operator(x)
        p, rho = r, (r * r).sum()
        for _ in range(self.training["iterations"]):
            q = self.disturb(operator(p))
            alpha = rho / (p * q).sum()
            x, r = x + alpha * p, r - alpha * q
            rho, old = (r * r).sum(), rho
            p = r + rho / old * p
        return x


PRECONDITIONERS = {
    "kronecker": Kronecker,
    "ekfac": EKFAC,
    "conjugate-gradients": ConjugateGradients,
}


class Run:
    """losses[k] of step k's batch before the step, step_norms[k] of the whole step, weights[k] after k
    steps, decisions, and how near a pre-activation of a hidden layer came to 0."""

    def __init__(self):
        self.losses, self.step_norms, self.weights, self.decisions = [], [], [], []
        self.nearest_kink = np.inf


def run(training, model, weights, inputs, targets, batches, disturb=None):
    disturb = disturb or (lambda x, symmetric=False: x)
    nodes = [node for node in model["network"]["nodes"] if node["operation"] == "activation"]
    network = Perceptron(nodes[0]["activation"], model["likelihood"])
    curvature = PRECONDITIONERS[training["preconditioner"]](training, len(weights), disturb)
    decay, on_gradient = training["weightDecay"], training["decayOn"] == "gradient"
    velocity = [np.zeros_like(w) for w in weights]
    result = Run()
    result.weights.append(weights)
    for step, batch in enumerate(batches):
        epoch = step / training["stepsPerEpoch"]
        rate = schedule(training["learningRate"], epoch)
        damping = schedule(training["damping"], epoch)
        loss, gradients, layers, sums = network.evaluate(
            weights, inputs[batch], targets[batch], training["fisher"]
        )
        if on_gradient:
            gradients = [v + decay * w for v, w in zip(gradients, weights)]
        gradients = [disturb(v) for v in gradients]
        directions = curvature.direction(step, damping, gradients, layers)
        if not on_gradient:
            directions = [u + decay * w for u, w in zip(directions, weights)]
        velocity = [training["momentum"] * v + disturb(u) for v, u in zip(velocity, directions)]
        moves = velocity
        if training["nesterov"]:
            moves = [u + training["momentum"] * v for u, v in zip(directions, velocity)]
        following = [disturb(w - rate * v) for w, v in zip(weights, moves)]
        total = sum(((w - old) ** 2).sum() for w, old in zip(following, weights))
        weights = following
        result.losses.append(loss)
        result.step_norms.append(np.sqrt(total))
        result.weights.append(weights)
        near = min(np.abs(s).min() for s in sums[:-1])
        result.nearest_kink = min(result.nearest_kink, float(near))
    result.decisions = curvature.decisions
    return result
