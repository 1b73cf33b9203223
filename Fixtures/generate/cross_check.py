"""Recomputes the test vectors in float64 with NumPy: the independent check of vectors.py. It shares
numpy_reference's network (forward, pullback, losses) and no code with the generator's arithmetic.

`recomputed(case, arrays)` gives a dictionary with every array of a case, from its inputs.
"""

import numpy as np

import numpy_reference as reference


class View:
    """Block statistics straight from a[n] (T x dA), jacobian[n] (C x T x dG), H[n] (C x C)."""

    def __init__(self, a, jacobian, hessians, gradients):
        self.a, self.jacobian, self.hessians = a, jacobian, hessians
        self.g = np.einsum("nc,ncti->nti", gradients, jacobian)
        self.examples, self.positions = a.shape[:2]
        vectors = np.einsum("ntj,ncti->ncji", a, jacobian)
        self.vectors = vectors.reshape(*vectors.shape[:2], -1)
        empirical = np.einsum("ntj,nti->nji", a, self.g)
        self.empirical = empirical.reshape(len(a), -1)

    def names(self):
        n, t = self.examples, self.positions
        j, h = self.jacobian, self.hessians
        jt, at = j.sum(axis=2), self.a.mean(axis=1)
        rows = self.jacobian.shape[-1]
        return {
            "a": self.a,
            "jacobian": j,
            "g": self.g,
            "gradient": self.empirical.mean(axis=0).reshape(-1, rows).T,
            "A": np.einsum("ntj,ntk->jk", self.a, self.a) / n,
            "G": np.einsum("ncti,ncd,ndtk->ik", j, h, j) / (n * t),
            "G.empirical": np.einsum("nti,ntk->ik", self.g, self.g) / (n * t),
            "A.reduce": np.einsum("nj,nk->jk", at, at) / n,
            "G.reduce": np.einsum("nci,ncd,ndk->ik", jt, h, jt) / n,
            "block": np.einsum("ncp,ncd,ndq->pq", self.vectors, h, self.vectors) / n,
            "block.empirical": np.einsum("np,nq->pq", self.empirical, self.empirical) / n,
        }


def hessian_root(likelihood, z):
    """As numpy_reference, but 1 - p is the sum of the other probabilities: where logits are 30
    apart diag(sqrt p) - p sqrt(p)' keeps ten digits only."""
    root = reference.hessian_root(likelihood, z)
    if likelihood["name"] == "categorical":
        p = reference.softmax(z)
        for c in range(len(p)):
            root[c, c] = np.sqrt(p[c]) * np.delete(p, c).sum()
    return root


def views(case, arrays):
    network, likelihood = case["model"]["network"], case["model"]["likelihood"]
    blocks = network["parameters"]
    weights, targets = [], arrays["labels"] if "labels" in arrays else arrays["targets"]
    for index, block in enumerate(blocks):
        w = arrays[f"layer{index + 1}.weights"]
        weights.append(w if block["bias"] else np.hstack([w, np.zeros((len(w), 1))]))
    outputs, a, jacobian = [], [[] for _ in blocks], [[] for _ in blocks]
    for x in arrays["inputs"]:
        values = reference.forward(network, weights, x)
        outputs.append(values[-1].ravel())
        uses = [reference.pullback(network, weights, values, e) for e in np.eye(outputs[0].size)]
        for index, block in enumerate(blocks):
            mine = [k for k, use in enumerate(uses[0]) if use[0] == index]
            keep = slice(None) if block["bias"] else slice(-1)
            a[index].append(np.vstack([uses[0][k][1] for k in mine])[:, keep])
            jacobian[index].append([np.vstack([use[k][2] for k in mine]) for use in uses])
    outputs = np.array(outputs)
    if "probabilities" in arrays:
        p = arrays["probabilities"]
        if likelihood["name"] == "categorical":
            gradients = p - np.eye(p.shape[1])[targets]
            hessians = (
                np.einsum("nc,cd->ncd", p, np.eye(p.shape[1])) - p[:, :, None] * p[:, None, :]
            )
        else:
            gradients = p - targets
            hessians = np.einsum("nc,cd->ncd", p * (1 - p), np.eye(p.shape[1]))
        roots = losses = None
    else:
        rows = list(zip(outputs, targets))
        gradients = np.array([reference.loss_gradient(likelihood, z, y) for z, y in rows])
        roots = np.array([hessian_root(likelihood, z) for z in outputs])
        hessians = roots @ roots.transpose(0, 2, 1)
        losses = np.array([reference.loss(likelihood, z, y) for z, y in rows])
    result = {"logits": outputs, "output.gradient": gradients, "hessian": hessians}
    if losses is not None:
        result |= {"losses": losses, "loss": losses.mean(), "hessian.root": roots}
    layers = [View(np.array(x), np.array(j), hessians, gradients) for x, j in zip(a, jacobian)]
    whole = np.concatenate([view.vectors for view in layers], axis=2)
    result["fisher"] = np.einsum("ncp,ncd,ndq->pq", whole, hessians, whole) / len(whole)
    return result, layers


def conjugate_gradients(matrix, b, steps):
    x, r, p, iterates = np.zeros_like(b), b.copy(), b.copy(), []
    for _ in range(steps):
        rho = r @ r
        if rho > 0:
            q = matrix @ p
            alpha = rho / (p @ q)
            x, r = x + alpha * p, r - alpha * q
            p = r + (r @ r / rho) * p
        iterates.append(x)
    return np.array(iterates)


def kl_kronecker(damped, size_a, size_g):
    blocks = damped.reshape(size_a, size_g, size_a, size_g)
    a, g = np.eye(size_a), np.eye(size_g)
    for _ in range(20000):
        before = np.kron(a, g)
        a = np.einsum("jikl,li->jk", blocks, np.linalg.inv(g)) / size_g
        g = np.einsum("jikl,kj->il", blocks, np.linalg.inv(a)) / size_a
        if np.linalg.norm(np.kron(a, g) - before) <= 1e-15 * np.linalg.norm(before):
            break
    return balanced(a, g)


def balanced(a, g):
    """The gauge of stored pairs: equal mean diagonal, positive."""
    scale = np.sqrt(abs((np.trace(g) / len(g)) / (np.trace(a) / len(a)))) * np.sign(np.trace(a))
    return a * scale, g / scale


def nearest_pair(matrix, size_a, size_g):
    left, values, right = np.linalg.svd(
        reference.rearranged(matrix, size_a, size_g), full_matrices=False
    )
    a = reference.uncvec(left[:, 0], (size_a, size_a))
    return balanced(a, values[0] * reference.uncvec(right[0], (size_g, size_g)))


def block_tridiagonal(layers, hessians, damping):
    """The matrix whose inverse is block-tridiagonal (spec 4.4), factors damped by the rule pi."""
    n = len(hessians)
    a = [view.a[:, 0] for view in layers]
    j = [view.jacobian[:, :, 0] for view in layers]

    def factor(x, y):
        return x.T @ y / n

    def moment(x, y):
        return np.einsum("nci,ncd,ndk->ik", x, hessians, y) / n

    damped = []
    for x, y in zip(a, j):
        left, right = factor(x, x), moment(y, y)
        in_a, in_g = reference.factor_dampings("pi", left, right, damping)
        damped.append((left + in_a * np.eye(len(left)), right + in_g * np.eye(len(right))))
    psi, schur = [], []
    for k, (left, right) in enumerate(damped):
        sigma = np.kron(left, right)
        if k + 1 < len(damped):
            next_left, next_right = damped[k + 1]
            psi_a = factor(a[k], a[k + 1]) @ np.linalg.inv(next_left)
            psi_g = moment(j[k], j[k + 1]) @ np.linalg.inv(next_right)
            psi.append(np.kron(psi_a, psi_g))
            sigma = sigma - psi[-1] @ np.kron(next_left, next_right) @ psi[-1].T
        schur.append(sigma)
    return psi, schur


def tridiagonal_step(layers, hessians, gradients, damping):
    psi, schur = block_tridiagonal(layers, hessians, damping)
    v = list(gradients)
    u = [v[k] - (psi[k] @ v[k + 1] if k < len(psi) else 0) for k in range(len(v))]
    u = [np.linalg.solve(s, x) for s, x in zip(schur, u)]
    return [u[k] - (psi[k - 1].T @ u[k - 1] if k else 0) for k in range(len(u))]


def graded(arrays):
    """Tier T2: functions of the matrices given."""
    v, result = arrays["layer1.gradient"], {}
    values = {key: arrays.get(f"layer1.{key}") for key in ("A", "G", "block")}
    values |= {"gradient": v}
    for name in arrays:
        rest = name.removeprefix("layer1.")
        key = rest[0]
        if rest == "eigenvalues":
            result[name] = np.linalg.eigvalsh(values["block"])
        elif rest.endswith(".log-determinant"):
            result[name] = np.linalg.slogdet(values[key])[1]
        elif values["A"] is not None:
            result[name] = derived(rest, {**values, "block": np.kron(values["A"], values["G"])})
        elif rest != "block":
            empty = {"A": np.zeros((v.shape[1],) * 2), "G": np.zeros((v.shape[0],) * 2)}
            result[name] = derived(rest, {**values, **empty})
    return result


def labels(likelihood, z):
    """[(probability, gradient in z)] for every label."""
    if likelihood["name"] == "categorical":
        p = reference.softmax(z)
        return [(p[y], reference.loss_gradient(likelihood, z, y)) for y in range(len(z))]
    q = reference.ACTIVATIONS["logistic"][0](z)
    ys = [np.array(bits) for bits in np.ndindex(*[2] * len(z))]
    return [(np.prod(np.where(y, q, 1 - q)), reference.loss_gradient(likelihood, z, y)) for y in ys]


def spread(likelihood, outputs, vectors):
    """Covariance over the lower triangle, column by column, of 1/N sum x x'."""
    size = vectors.shape[-1]
    lower = [(i, j) for j in range(size) for i in range(j, size)]
    i, j = np.array(lower).T
    total = 0
    for z, rows in zip(outputs, vectors):
        if likelihood["name"] == "gaussian":
            s = rows.T @ rows / likelihood["variance"]
            total = total + s[np.ix_(i, i)] * s[np.ix_(j, j)] + s[np.ix_(i, j)] * s[np.ix_(j, i)]
            continue
        found = labels(likelihood, z)
        products = [np.outer(v @ rows, v @ rows)[i, j] for _, v in found]
        weights = np.array([w for w, _ in found])
        mean = weights @ np.array(products)
        total = total + (np.array(products).T * weights) @ np.array(products) - np.outer(mean, mean)
    return total / len(outputs) ** 2


def statistical(case, arrays):
    """Tier T3: the exact matrices and the covariance of their Monte-Carlo estimators."""
    likelihood = case["model"]["likelihood"]
    empty = np.zeros(arrays["logits"].shape[0], int)
    if likelihood["name"] != "categorical":
        empty = np.zeros(arrays["logits"].shape)
    result, layers = views(case, {**arrays, "targets": empty})
    for key, value in layers[0].names().items():
        result[f"layer1.{key}"] = value
    outputs = result["logits"]
    gradients = layers[0].jacobian[:, :, 0]
    result["layer1.G.covariance"] = spread(likelihood, outputs, gradients)
    result["layer1.block.covariance"] = spread(likelihood, outputs, layers[0].vectors)
    return result


def recomputed(case, arrays):
    if case["tier"] == "T2":
        return graded(arrays)
    if case["tier"] == "T3":
        return statistical(case, arrays)
    result, layers = views(case, arrays)
    names = [name for name in arrays if name.split(".")[0].startswith("layer")]
    flat = np.concatenate([view.empirical.mean(axis=0) for view in layers])
    for index, view in enumerate(layers):
        layer = f"layer{index + 1}"
        values = view.names()
        for key, value in values.items():
            result[f"{layer}.{key}"] = value
        for name in names:
            if name.startswith(layer + ".") and name.removesuffix(".sum") not in result:
                rest = name.removeprefix(layer + ".").removesuffix(".sum")
                value = derived(rest, values)
                if value is None:
                    value = whole_derived(rest, index, result, layers, flat)
                if value is not None:
                    result[name.removesuffix(".sum")] = value
    return result


def factors(structure, values):
    if structure == "kfac-reduce":
        return values["A.reduce"], values["G.reduce"]
    a, g = values["A"], values["G"]
    if structure.startswith("kfac-split-"):
        size = int(structure.rsplit("-", 1)[1])
        return reference.pinched(a, size), reference.pinched(g, size)
    return a, g


def derived(rest, values):
    """One array of a layer, from the layer's own statistics; None when it is not one of those."""
    a, g, block, v = (values[key] for key in ("A", "G", "block", "gradient"))
    key, _, tail = rest.partition(".")
    vector, sizes = reference.cvec(v), (len(a), len(g))
    if rest in ("A.eigenvalues", "G.eigenvalues"):
        return np.linalg.eigvalsh(values[key])
    if key == "kfac" or key.startswith("kfac-split-"):
        return np.kron(*factors(key, values))
    if rest == "ekfac":
        return reference.ekfac(block, a, g)[0]
    if rest == "second-moments":
        return reference.ekfac(block, a, g)[1]
    if key == "nearest-kronecker":
        return nearest_pair(block, *sizes)["AG".index(tail)]
    if key == "tkfac":
        blocks = block.reshape(*sizes, *sizes)
        pair = np.trace(blocks, axis1=1, axis2=3), np.trace(blocks, axis1=0, axis2=2)
        return balanced(pair[0], pair[1] / np.trace(block))["AG".index(tail)]
    if key == "kl-kronecker":
        factor, _, damping = tail.partition(".")
        damped = block + float(damping) * np.eye(len(block))
        return kl_kronecker(damped, *sizes)["AG".index(factor)]
    if key == "damping":
        rule, _, damping = tail.partition(".")
        return np.array(reference.factor_dampings(rule, a, g, float(damping)))
    if key in "AG" and tail.split(".")[0] in ("damped", "inverse"):
        what, rule, damping = tail.split(".", 2)
        delta = reference.factor_dampings(rule, a, g, float(damping))["AG".index(key)]
        damped = values[key] + delta * np.eye(len(values[key]))
        return damped if what == "damped" else np.linalg.inv(damped)
    if key == "cg":
        operator, _, damping = tail.partition(".")
        matrix = block if operator == "exact-block" else np.kron(a, g)
        steps = 3 if float(damping) < 0.25 else 2
        iterates = conjugate_gradients(matrix + float(damping) * np.eye(len(block)), vector, steps)
        return np.array([reference.uncvec(x, v.shape) for x in iterates])
    if key != "step":
        return None
    structure, rule, damping = tail.split(".", 2)
    damping, identity = float(damping), np.eye(len(block))
    if structure == "block-diagonal":
        matrix = block + damping * identity
    elif structure == "ekfac":
        matrix = reference.ekfac(block, a, g)[0] + damping * identity
    elif structure.startswith("kfac"):
        matrix = reference.damped_kronecker(rule, *factors(structure, values), damping)
    else:
        return None
    return reference.uncvec(np.linalg.solve(matrix, vector), v.shape)


def whole_derived(rest, index, result, layers, flat):
    key, _, tail = rest.partition(".")
    if key != "step":
        return None
    structure, _, damping = tail.split(".", 2)
    ends = np.cumsum([view.empirical.shape[1] for view in layers])
    rows = layers[index].jacobian.shape[-1]
    if structure == "exact":
        step = np.linalg.solve(result["fisher"] + float(damping) * np.eye(len(flat)), flat)
        return np.split(step, ends[:-1])[index].reshape(-1, rows).T
    if structure == "block-tridiagonal":
        parts = tridiagonal_step(
            layers, result["hessian"], np.split(flat, ends[:-1]), float(damping)
        )
        return parts[index].reshape(-1, rows).T
    return None
