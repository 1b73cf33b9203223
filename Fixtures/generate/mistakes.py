"""The mistakes of the catalogue (M-01 ... M-67) on a test vector, in NumPy: each changes one choice of
one recipe for the factors, the damping and the step, and everything after it follows.

`signatures(case, arrays)` gives for every mistake that means something on the case the arrays of the
case that it changes, by name."""

import numpy as np

import cross_check
import numpy_reference as reference

RIGHT = "right"
DAMPING = 0.1
ALWAYS = [
    *["M-01", "M-02", "M-03", "M-04", "M-10", "M-11", "M-12", "M-13", "M-14", "M-15", "M-16"],
    *["M-17", "M-25", "M-26", "M-27", "M-28", "M-29", "M-30", "M-31", "M-32", "M-33", "M-34"],
    *["M-35", "M-42", "M-43", "M-45", "M-48"],
]
BY_ARRAY = {  # what only one kind of array can show
    "layer1.ekfac": ["M-44", "M-49", "M-50"],
    "layer1.step.kfac-split-2.pi.0.1": ["M-60", "M-61"],
    "layer1.cg.exact-block.0.1": ["M-65", "M-66"],
}


def applicable(case, arrays, layers):
    """The mistakes that mean something: no softmax mistakes without a softmax, and so on."""
    name = case["model"]["likelihood"]["name"]
    operations = {node["operation"] for node in case["model"]["network"]["nodes"]}
    found = [*ALWAYS, *(m for key in BY_ARRAY.keys() & arrays.keys() for m in BY_ARRAY[key])]
    found += {
        "categorical": ["M-18", "M-20", "M-21", "M-22"],
        "bernoulli": ["M-18", "M-22"],
        "gaussian": ["M-08", "M-09"],
    }[name]
    if any(view.positions > 1 for view in layers):
        found += ["M-53", "M-54", "M-55", "M-57"]
        found += ["M-51"] if "layer1.ekfac" in arrays else []
    if "convolution" in operations:
        found.append("M-56")
    if "activation" in operations:
        found += ["M-23", "M-24"]
    return sorted(found)


class Batch:
    """What the recipe starts from, of every example."""

    def __init__(self, case, arrays):
        self.network, self.likelihood = case["model"]["network"], case["model"]["likelihood"]
        result, self.layers = cross_check.views(case, arrays)
        self.z, self.hessian = result["logits"], result["hessian"]
        self.targets = arrays["labels"] if "labels" in arrays else arrays["targets"]
        self.outputs = result["output.gradient"]

    def probabilities(self):
        if self.likelihood["name"] == "categorical":
            return np.array([reference.softmax(z) for z in self.z])
        return reference.ACTIVATIONS["logistic"][0](self.z)

    def hessians(self, mistake):
        """What stands between the Jacobians in G and in the block."""
        if mistake in ("M-17", "M-18"):
            v = self.outputs if mistake == "M-17" else self.likely()
            return v[:, :, None] * v[:, None, :]
        if mistake == "M-20":
            return np.einsum("nc,cd->ncd", self.probabilities(), np.eye(self.z.shape[1]))
        if mistake == "M-21":
            roots = np.array([reference.hessian_root(self.likelihood, z) for z in self.z])
            return roots.transpose(0, 2, 1) @ roots
        if mistake == "M-22":
            p = np.maximum(self.probabilities(), 1e-300)
            weight = (
                1 / p
                if self.likelihood["name"] == "categorical"
                else 1 / (p * np.maximum(1 - p, 1e-300))
            )
            return np.einsum("nc,cd->ncd", weight, np.eye(self.z.shape[1]))
        if mistake == "M-08":
            return 2 * self.hessian
        if mistake == "M-09":
            return self.hessian * self.likelihood["variance"] / 0.5
        return self.hessian

    def likely(self):
        """The gradient in z at the most probable label."""
        p = self.probabilities()
        if self.likelihood["name"] == "categorical":
            return p - np.eye(p.shape[1])[p.argmax(axis=1)]
        return p - (p > 0.5)

    def jacobian(self, index, mistake):
        """M-23: taken behind the nonlinearity, so that its derivative is missing."""
        view = self.layers[index]
        if mistake != "M-23":
            return view.jacobian
        kind = behind(self.network, index)
        if kind is None:
            return view.jacobian
        s = np.einsum("ntj,ij->nti", view.a, view.weights)
        derivative = reference.ACTIVATIONS[kind][1](s)[:, None]
        safe = np.where(derivative == 0, 1, derivative)
        return view.jacobian / safe


def behind(network, index):
    """The activation right behind block `index`, or None."""
    for position, node in enumerate(network["nodes"]):
        if node.get("parameters") == index:
            for other in network["nodes"]:
                if other["operation"] == "activation" and position + 1 in other["inputs"]:
                    return other["activation"]
    return None


def inputs(batch, index, mistake):
    """a of one block, its last coordinate 1."""
    a = batch.layers[index].a
    if mistake == "M-24" and (kind := behind(batch.network, index)):
        s = np.einsum("ntj,ij->nti", a, batch.layers[index].weights)
        s = reference.ACTIVATIONS[kind][0](s)
        return np.concatenate([s, np.ones((*s.shape[:2], 1))], axis=2)
    if mistake == "M-25":
        kinds = [n["activation"] for n in batch.network["nodes"] if "activation" in n]
        changed = reference.ACTIVATIONS[kinds[0] if kinds else "tanh"][0](a)
        changed[..., -1] = 1
        return changed
    return a


def input_factor(batch, index, a, mistake):
    n, t = a.shape[:2]
    factor = np.einsum("ntj,ntk->jk", a, a) / n
    if mistake == "M-01":
        return factor * n
    if mistake == "M-12":
        return np.pad(factor[:-1, :-1], (0, 1))
    if mistake == "M-13":
        order = np.roll(np.arange(len(factor)), 1)
        return factor[np.ix_(order, order)]
    if mistake == "M-14":
        separate = np.pad(factor[:-1, :-1], (0, 1))
        separate[-1, -1] = factor[-1, -1]
        return separate
    if mistake == "M-15":
        mean = a.mean(axis=(0, 1))
        return factor - t * np.outer(mean, mean)
    if mistake == "M-48":
        mean = a.mean(axis=0)
        return mean.T @ mean
    if mistake == "M-45":
        return np.triu(factor)
    if mistake == "M-55":
        total = a.sum(axis=1)
        return total.T @ total / n
    if mistake == "M-56" and (kernel := kernel_size(batch.network, index)):
        order = np.arange(len(factor) - 1).reshape(-1, kernel).T.ravel()
        order = np.append(order, len(factor) - 1)
        return factor[np.ix_(order, order)]
    if mistake == "M-57" and t > 1:
        return factor * t / (t + 1)
    return factor


def kernel_size(network, index):
    for node in network["nodes"]:
        if node.get("parameters") == index and node["operation"] == "convolution":
            return int(np.prod(node["window"]["kernel"]))
    return None


def output_factor(batch, index, mistake):
    j, h = batch.jacobian(index, mistake), batch.hessians(mistake)
    n, t = len(j), j.shape[2]
    factor = np.einsum("ncti,ncd,ndtk->ik", j, h, j) / (n * t)
    if mistake == "M-55" and t > 1:
        total = j.sum(axis=2)
        return np.einsum("nci,ncd,ndk->ik", total, h, total) / n
    if mistake == "M-16" and n > 1:
        return factor * n / (n - 1)
    scales = {"M-02": n**-2, "M-03": 1 / n, "M-04": n, "M-53": t, "M-54": 1 / t}
    return factor * scales.get(mistake, 1)


def dampings(rule, a, g, mistake):
    """What is added to A and to G."""
    in_a, in_g = reference.factor_dampings(rule, a, g, DAMPING)
    trace_a, trace_g = np.trace(a), np.trace(g)
    pi = np.sqrt((trace_a / len(a)) / (trace_g / len(g)))
    root = np.sqrt(DAMPING)
    if mistake == "M-29":
        return (in_a * root, in_g * root) if rule == "pi" else (DAMPING, DAMPING)
    if rule == "pi" and mistake == "M-30":
        return root / pi, root * pi
    if rule == "pi" and mistake == "M-31":
        pi = np.sqrt(trace_a / trace_g)
        return root * pi, root / pi
    if rule == "pi" and mistake == "M-32":
        return root * pi**2, root / pi**2
    if mistake == "M-33":
        return in_a, 2 * in_g
    if mistake == "M-34":
        return in_a, in_g * 121
    return in_a, in_g


def inverse(matrix, mistake):
    if not np.isfinite(matrix).all() or np.linalg.matrix_rank(matrix) < len(matrix):
        return np.full_like(matrix, np.nan)
    if mistake in ("M-42", "M-43"):
        half = np.linalg.inv(np.linalg.cholesky(matrix))
        return half @ half if mistake == "M-42" else half @ half.T
    return np.linalg.inv(matrix)


def step(rule, a, g, v, mistake, split=None):
    in_a, in_g = dampings(rule, a, g, mistake)
    if split:
        left = reference.pinched(a, split) if mistake != "M-61" else a
        right = reference.pinched(g, split) if mistake not in ("M-60", "M-61") else g
    else:
        left, right = a, g
    left = inverse(left + in_a * np.eye(len(a)), mistake)
    right = inverse(right + in_g * np.eye(len(g)), mistake)
    if split and mistake == "M-61":
        left, right = reference.pinched(left, split), reference.pinched(right, split)
    if mistake == "M-27":
        left = np.linalg.inv(left)
    if mistake == "M-28":
        left, right = np.linalg.inv(left), np.linalg.inv(right)
    if mistake == "M-10":
        return reference.uncvec(np.kron(right, left) @ reference.cvec(v), v.shape)
    return right @ v @ left


def second_moments(batch, index, a, g, block, v, mistake):
    """Q, as the columns of a Kronecker product, and the diagonal in it."""
    q_a, q_g = np.linalg.eigh((a + a.T) / 2)[1], np.linalg.eigh(g)[1]
    q = np.kron(q_a, q_g)
    moments = np.diag(q.T @ block @ q)
    if mistake == "M-49":
        moments = (q.T @ reference.cvec(v)) ** 2 / len(batch.z)
    if mistake == "M-50":
        moments = (q.T @ reference.cvec(v)) ** 2
    if mistake == "M-51":
        view, h = batch.layers[index], batch.hessians(RIGHT)
        x = np.einsum("ntj,jk->ntk", view.a, q_a) ** 2
        y = np.einsum("ncti,im->nctm", view.jacobian, q_g)
        z = np.einsum("nctm,ncd,ndtm->ntm", y, h, y)
        moments = reference.cvec(np.einsum("ntk,ntm->mk", x, z)) / len(x)
    return (q.T if mistake == "M-44" else q), moments


def layer_signature(batch, index, mistake):
    view = batch.layers[index]
    a = input_factor(batch, index, inputs(batch, index, mistake), mistake)
    g = output_factor(batch, index, mistake)
    v = view.empirical.mean(axis=0).reshape(-1, len(g)).T
    if mistake == "M-11":
        v = v.ravel().reshape(v.shape, order="F")
    if mistake == "M-26":
        v = -v
    result = {"A": a, "G": g, "gradient": v}
    if a.shape[0] == v.shape[1] and np.isfinite(g).all():
        with np.errstate(all="ignore"):
            result |= derived(batch, index, a, g, v, mistake)
    # What is not finite is missing, and a missing array is a difference.
    return {name: value for name, value in result.items() if np.isfinite(value).all()}


def derived(batch, index, a, g, v, mistake):
    """Steps, EKFAC and conjugate gradients from A, G and the gradient."""
    view, h = batch.layers[index], batch.hessians(mistake)
    block = np.einsum("ncp,ncd,ndq->pq", view.vectors, h, view.vectors) / len(h)
    product = np.kron(g, a) if mistake == "M-10" else np.kron(a, g)
    identity, result = np.eye(len(product)), {}
    for rule in ("sqrt", "pi"):
        result[f"step.kfac.{rule}.0.1"] = step(rule, a, g, v, mistake)
    result["step.kfac-split-2.pi.0.1"] = step("pi", a, g, v, mistake, split=2)
    damped = product + DAMPING * identity
    if mistake == "M-35":
        q = np.kron(np.linalg.eigh(a)[1], np.linalg.eigh(g)[1])
        values = np.kron(np.linalg.eigvalsh(a) + DAMPING, np.linalg.eigvalsh(g) + DAMPING)
        damped = (q * values) @ q.T
    result["step.kfac.exact.0.1"] = np.linalg.solve(damped, reference.cvec(v))
    q, moments = second_moments(batch, index, a, g, block, v, mistake)
    result["ekfac"] = (q * moments) @ q.T
    operator = product if mistake == "M-66" else block
    if mistake == "M-65":
        operator = np.kron(np.triu(a), g)
    damped = operator + DAMPING * identity
    iterates = cross_check.conjugate_gradients(damped, reference.cvec(v), 3)
    return result | {"cg.exact-block.0.1": iterates[-1]}


def signatures(case, arrays):
    batch = Batch(case, arrays)
    for index, view in enumerate(batch.layers):
        view.weights = arrays[f"layer{index + 1}.weights"]
    found = {}
    for mistake in [RIGHT, *applicable(case, arrays, batch.layers)]:
        found[mistake] = {
            f"layer{index + 1}.{name}": value
            for index in range(len(batch.layers))
            for name, value in layer_signature(batch, index, mistake).items()
            if f"layer{index + 1}.{name}" in arrays
        }
    return found
