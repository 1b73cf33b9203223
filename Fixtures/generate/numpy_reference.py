"""Curvature of small networks in NumPy float64, straight from the formulas: the reference of
Fixtures/vectors/peers, written to be read, with one loop per sum of the formula.

Everything starts from the Jacobian of each single example. The conventions are ours:

* a network is a list of nodes; value 0 is the input, value k+1 the output of node k;
* a weight block is [W b], dG x dA, and the layer input carries a 1 as its last coordinate;
* vec stacks columns, entry (i, j) sits at j*dG + i, so a layer block is close to A kron G;
* loss, gradient, A, G and the Fisher matrices are means over the N examples;
* a block that is used at T positions (sequence, image, or several nodes) has
  u = sum_t a_t kron g_t, and its Kronecker factors are those of `expand`
  (A = 1/N sum_nt a a', G = 1/(N T) sum_ntc g g') or of `reduce`
  (A from the mean of a over t, G from the sum of g over t).
"""

import hashlib
import io
import zipfile

import numpy as np

# ---------------------------------------------------------------- the network

ACTIVATIONS = {
    "identity": (lambda s: s, lambda s: np.ones_like(s)),
    "tanh": (np.tanh, lambda s: 1 - np.tanh(s) ** 2),
    "logistic": (lambda s: 1 / (1 + np.exp(-s)), lambda s: np.exp(-s) / (1 + np.exp(-s)) ** 2),
    "relu": (lambda s: np.maximum(s, 0), lambda s: (s > 0).astype(float)),
    "softplus": (lambda s: np.logaddexp(0, s), lambda s: 1 / (1 + np.exp(-s))),
}


def multilayer_perceptron(weights, activations):
    """The description of a plain network, as case.json holds it, from [W b] of each layer."""
    nodes = []
    for index, _ in enumerate(weights):
        nodes.append({"operation": "dense", "parameters": index, "inputs": [len(nodes)]})
        if index < len(activations):
            kind = {"operation": "activation", "activation": activations[index]}
            nodes.append({**kind, "inputs": [len(nodes)]})
    return {"inputShape": {"vector": weights[0].shape[1] - 1}, "nodes": nodes}


def input_shape(network):
    """(d,), (positions, features) or (channels, height, width)."""
    shape = network["inputShape"]
    if "vector" in shape:
        return (shape["vector"],)
    if "sequence" in shape:
        return (shape["sequence"]["positions"], shape["sequence"]["features"])
    return tuple(shape["image"][key] for key in ("channels", "height", "width"))


def with_one(rows):
    """Appends the homogeneous coordinate to every row."""
    return np.hstack([rows, np.ones((len(rows), 1))])


def window_positions(shape, window):
    """Output height and width, and for each output position the indices of the entries under the
    window in the zero-padded image, in the order channel, kernel row, kernel column."""
    channels, height, width = shape
    kernel, stride, padding = window["kernel"], window["stride"], window["padding"]
    padded_height, padded_width = height + 2 * padding[0], width + 2 * padding[1]
    out_height = (padded_height - kernel[0]) // stride[0] + 1
    out_width = (padded_width - kernel[1]) // stride[1] + 1
    indices = [
        [
            (c * padded_height + row * stride[0] + i) * padded_width + column * stride[1] + j
            for c in range(channels)
            for i in range(kernel[0])
            for j in range(kernel[1])
        ]
        for row in range(out_height)
        for column in range(out_width)
    ]
    return out_height, out_width, np.array(indices)


def pad(image, window):
    rows, columns = window["padding"]
    return np.pad(image, ((0, 0), (rows, rows), (columns, columns)))


def unfold(image, window):
    """One row per output position: the patch under the window."""
    return pad(image, window).ravel()[window_positions(image.shape, window)[2]]


def fold(patches, shape, window):
    """The adjoint of `unfold`."""
    sums = np.zeros(pad(np.zeros(shape), window).shape)
    np.add.at(sums.reshape(-1), window_positions(shape, window)[2], patches)
    rows, columns = window["padding"]
    return sums[:, rows : rows + shape[1], columns : columns + shape[2]]


def layer_input(node, value):
    """What a weight block multiplies: one row per position, the 1 last."""
    if node["operation"] == "convolution":
        return with_one(unfold(value, node["window"]))
    return with_one(np.atleast_2d(value))


def forward(network, weights, x):
    """All values of the network for one example x."""
    values = [np.asarray(x, float).reshape(input_shape(network))]
    for node in network["nodes"]:
        value = values[node["inputs"][0]]
        operation = node["operation"]
        if operation in ("dense", "convolution"):
            s = layer_input(node, value) @ weights[node["parameters"]].T
            if operation == "convolution":
                height, width, _ = window_positions(value.shape, node["window"])
                s = s.T.reshape(-1, height, width)
            elif value.ndim == 1:
                s = s[0]
            values.append(s)
        elif operation == "activation":
            values.append(ACTIVATIONS[node["activation"]][0](value))
        elif operation == "meanPooling":
            height, width, _ = window_positions((1, *value.shape[1:]), node["window"])
            means = [unfold(channel[None], node["window"]).mean(axis=1) for channel in value]
            values.append(np.array(means).reshape(-1, height, width))
        elif operation == "meanOverPositions":
            values.append(value.mean(axis=0) if value.ndim == 2 else value.mean(axis=(1, 2)))
        elif operation == "flatten":
            values.append(value.ravel())
        elif operation == "addition":
            values.append(sum(values[k] for k in node["inputs"]))
        else:
            raise ValueError(f"unknown operation {operation}")
    return values


def pullback(network, weights, values, cotangent):
    """For one example: (block, a, g) of every use of a weight block, a: T x dA, g: T x dG."""
    cotangents = [np.zeros_like(value) for value in values]
    cotangents[-1] = np.asarray(cotangent, float).reshape(values[-1].shape)
    uses = []
    for index, node in reversed(list(enumerate(network["nodes"]))):
        k = node["inputs"][0]
        value, down, operation = values[k], cotangents[index + 1], node["operation"]
        if operation in ("dense", "convolution"):
            g = down.reshape(len(down), -1).T if operation == "convolution" else np.atleast_2d(down)
            uses.append((node["parameters"], layer_input(node, value), g))
            back = g @ weights[node["parameters"]][:, :-1]
            if operation == "convolution":
                cotangents[k] += fold(back, value.shape, node["window"])
            else:
                cotangents[k] += back.reshape(value.shape)
        elif operation == "activation":
            cotangents[k] += down * ACTIVATIONS[node["activation"]][1](value)
        elif operation == "meanPooling":
            size = np.prod(node["window"]["kernel"])
            for c, channel in enumerate(down):
                patches = np.tile(channel.reshape(-1, 1) / size, (1, size))
                cotangents[k][c] += fold(patches, (1, *value.shape[1:]), node["window"])[0]
        elif operation == "meanOverPositions":
            if value.ndim == 2:
                cotangents[k] += down[None, :] / value.shape[0]
            else:
                cotangents[k] += down[:, None, None] / value[0].size
        elif operation == "flatten":
            cotangents[k] += down.reshape(value.shape)
        elif operation == "addition":
            for k in node["inputs"]:
                cotangents[k] += down
    return uses[::-1]


# ---------------------------------------------------------------- the likelihood


def loss(likelihood, z, y):
    """-log p(y | z) of one example (Gaussian: without the constant)."""
    if likelihood["name"] == "categorical":
        return np.log(np.exp(z - z.max()).sum()) + z.max() - z[y]
    if likelihood["name"] == "gaussian":
        return ((y - z) ** 2).sum() / (2 * likelihood["variance"])
    return (np.logaddexp(0, z) - y * z).sum()


def loss_gradient(likelihood, z, y):
    if likelihood["name"] == "categorical":
        return softmax(z) - np.eye(len(z))[y]
    if likelihood["name"] == "gaussian":
        return (z - y) / likelihood["variance"]
    return ACTIVATIONS["logistic"][0](z) - y


def hessian_root(likelihood, z):
    """S with S S' = the Hessian of -log p in z; its columns are pulled back."""
    if likelihood["name"] == "categorical":
        p = softmax(z)
        return np.diag(np.sqrt(p)) - np.outer(p, np.sqrt(p))
    if likelihood["name"] == "gaussian":
        return np.eye(len(z)) / np.sqrt(likelihood["variance"])
    q = ACTIVATIONS["logistic"][0](z)
    return np.diag(np.sqrt(q * (1 - q)))


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


# ---------------------------------------------------------------- samples and factors


def cvec(matrix):
    return matrix.reshape(-1, order="F")


def uncvec(vector, shape):
    return vector.reshape(shape, order="F")


class Samples:
    """Of one weight block: for every example n the inputs a[n] (T x dA) at its T positions, and
    for every pulled-back column c the gradients g[n][c] (T x dG) there, not divided by N."""

    def __init__(self, example_count, shape):
        self.a = [None] * example_count
        self.g = [None] * example_count
        self.shape = shape

    def vectors(self):
        """u_nc = cvec(sum_t g_t a_t'), one column per example and pulled-back column."""
        return np.array([cvec(g.T @ a) for a, gs in zip(self.a, self.g) for g in gs]).T

    def fisher(self):
        u = self.vectors()
        return u @ u.T / len(self.a)

    def expand(self):
        a = np.vstack(self.a)
        g = np.vstack([g for gs in self.g for g in gs])
        example_count, positions = len(self.a), len(self.a[0])
        return a.T @ a / example_count, g.T @ g / (example_count * positions)

    def reduce(self):
        a = np.array([a.mean(axis=0) for a in self.a])
        g = np.array([g.sum(axis=0) for gs in self.g for g in gs])
        return a.T @ a / len(self.a), g.T @ g / len(self.a)


def samples(network, weights, likelihood, inputs, targets, kind):
    """The samples of every block, of the exact Fisher matrix or of the empirical one."""
    blocks = [Samples(len(inputs), w.shape) for w in weights]
    for n, (x, y) in enumerate(zip(inputs, targets)):
        values = forward(network, weights, x)
        z = values[-1].ravel()
        # The Jacobian: row c of dz/ds for every use of a block, s being the block's output.
        jacobian = [pullback(network, weights, values, e) for e in np.eye(len(z))]
        if kind == "exact":
            columns = hessian_root(likelihood, z).T
        else:
            columns = [loss_gradient(likelihood, z, y)]
        for index, block in enumerate(blocks):
            uses = [k for k, use in enumerate(jacobian[0]) if use[0] == index]
            block.a[n] = np.vstack([jacobian[0][k][1] for k in uses])
            rows = [np.vstack([row[k][2] for k in uses]) for row in jacobian]
            block.g[n] = [sum(v * row for v, row in zip(column, rows)) for column in columns]
    return blocks


# ---------------------------------------------------------------- approximations of one block


def pinched(matrix, size):
    """Diagonal blocks of the given size kept, the last one smaller; zero elsewhere."""
    group = np.arange(len(matrix)) // size
    return np.where(group[:, None] == group[None, :], matrix, 0)


def ekfac(fisher, a, g):
    """Q diag(Q'FQ) Q' in the eigenbasis Q = QA kron QG, and diag(Q'FQ) as a dG x dA matrix."""
    q = np.kron(np.linalg.eigh(a)[1], np.linalg.eigh(g)[1])
    moments = np.diag(q.T @ fisher @ q)
    return (q * moments) @ q.T, uncvec(moments, (len(g), len(a)))


def rearranged(fisher, size_a, size_g):
    """Van Loan and Pitsianis: row j' * dA + j holds cvec of the dG x dG block (j, j')."""
    blocks = fisher.reshape(size_a, size_g, size_a, size_g)
    return np.array([cvec(blocks[j, :, k, :]) for k in range(size_a) for j in range(size_a)])


def nearest_kronecker(fisher, size_a, size_g):
    left, values, right = np.linalg.svd(rearranged(fisher, size_a, size_g), full_matrices=False)
    a = uncvec(left[:, 0], (size_a, size_a))
    return values[0] * np.kron(a, uncvec(right[0], (size_g, size_g)))


def tkfac(fisher, size_a, size_g):
    """Tr_G(F) kron Tr_A(F) / tr(F)."""
    blocks = fisher.reshape(size_a, size_g, size_a, size_g)
    return np.kron(np.trace(blocks, axis1=1, axis2=3), np.trace(blocks, axis1=0, axis2=2)) / (
        np.trace(fisher)
    )


def unit_wise(fisher, size_g):
    """The entries that couple weights of the same output unit."""
    unit = np.arange(len(fisher)) % size_g
    return np.where(unit[:, None] == unit[None, :], fisher, 0)


def factor_dampings(rule, a, g, damping):
    """What the rule adds to the diagonals of A and G."""
    if rule == "factor":
        return damping, damping
    if rule == "sqrt":
        return np.sqrt(damping), np.sqrt(damping)
    pi = np.sqrt((np.trace(a) / len(a)) / (np.trace(g) / len(g)))
    return pi * np.sqrt(damping), np.sqrt(damping) / pi


def damped_kronecker(rule, a, g, damping):
    if rule == "exact":
        return np.kron(a, g) + damping * np.eye(len(a) * len(g))
    in_a, in_g = factor_dampings(rule, a, g, damping)
    return np.kron(a + in_a * np.eye(len(a)), g + in_g * np.eye(len(g)))


# ---------------------------------------------------------------- everything under its name


class Quantities(dict):
    """Arrays by name. `condition[name]` bounds how much the result of another correct program may
    differ, in units of rounding errors: 1 for sums of products, the condition number of what is
    solved, norm/gap where eigenvectors enter."""

    def __init__(self):
        super().__init__()
        self.condition = {}

    def add(self, name, value, condition=1.0):
        self[name] = np.asarray(value, float)
        self.condition[name] = float(condition)


def condition_number(matrix):
    values = np.linalg.eigvalsh(matrix)
    return values[-1] / values[0]


def relative_gap(matrix):
    """Smallest distance of two eigenvalues over the largest eigenvalue; 1 for multiples of I,
    where every basis gives the same result."""
    values = np.linalg.eigvalsh(matrix)
    if values[-1] - values[0] < 1e-12 * values[-1]:
        return 1.0
    return np.diff(values).min() / values[-1]


def quantities(network, weights, likelihood, inputs, targets, dampings, split=2):
    """Every quantity of a case, under the names of Fixtures/README.md."""
    result = Quantities()
    values = [forward(network, weights, x)[-1].ravel() for x in inputs]
    losses = [loss(likelihood, z, y) for z, y in zip(values, targets)]
    result.add("logits", values)
    result.add("losses", losses)
    result.add("loss", np.mean(losses))

    exact = samples(network, weights, likelihood, inputs, targets, "exact")
    empirical = samples(network, weights, likelihood, inputs, targets, "empirical")
    for name, blocks in [("fisher", exact), ("fisher.empirical", empirical)]:
        u = np.vstack([block.vectors() for block in blocks])
        result.add(name, u @ u.T / len(inputs))

    gradients = [
        sum(g.T @ a for a, gs in zip(block.a, block.g) for g in gs) / len(inputs)
        for block in empirical
    ]
    add_whole_steps(result, gradients, dampings)
    for index, gradient in enumerate(gradients):
        add_layer(result, f"layer{index + 1}", exact[index], empirical[index], gradient, split)
        add_layer_steps(result, f"layer{index + 1}", gradient, dampings, split)
    return result


def add_whole_steps(result, gradients, dampings):
    """(F + damping I)^-1 of the mean gradient, for the whole network, cut into layers."""
    flat = np.concatenate([cvec(gradient) for gradient in gradients])
    ends = np.cumsum([gradient.size for gradient in gradients])
    for damping in dampings:
        damped = result["fisher"] + damping * np.eye(len(flat))
        step = np.linalg.solve(damped, flat)
        for index, part in enumerate(np.split(step, ends[:-1])):
            result.add(
                f"layer{index + 1}.step.exact.exact.{damping}",
                uncvec(part, gradients[index].shape),
                condition_number(damped),
            )


def add_layer(result, layer, exact, empirical, gradient, split):
    block = exact.fisher()
    a, g = exact.expand()
    result.add(f"{layer}.gradient", gradient)
    result.add(f"{layer}.A", a)
    result.add(f"{layer}.G", g)
    if len(exact.a[0]) > 1:
        a_reduce, g_reduce = exact.reduce()
        result.add(f"{layer}.A.reduce", a_reduce)
        result.add(f"{layer}.G.reduce", g_reduce)
        result.add(f"{layer}.G.reduce.empirical", empirical.reduce()[1])
    result.add(f"{layer}.G.empirical", empirical.expand()[1])
    result.add(f"{layer}.block", block)
    result.add(f"{layer}.block.empirical", empirical.fisher())

    matrix, moments = ekfac(block, a, g)
    sensitivity = 1 / relative_gap(a) + 1 / relative_gap(g)
    result.add(f"{layer}.A.eigenvalues", np.linalg.eigvalsh(a))
    result.add(f"{layer}.G.eigenvalues", np.linalg.eigvalsh(g))
    result.add(f"{layer}.ekfac", matrix, sensitivity)
    result.add(f"{layer}.second-moments", moments, sensitivity)

    singular = np.linalg.svd(rearranged(block, len(a), len(g)), compute_uv=False)
    gap = singular[0] - singular[1]
    nearest = nearest_kronecker(block, len(a), len(g))
    result.add(f"{layer}.nearest-kronecker", nearest, singular[0] / gap)
    result.add(f"{layer}.tkfac", tkfac(block, len(a), len(g)))
    result.add(f"{layer}.kfac-split-{split}", np.kron(pinched(a, split), pinched(g, split)))


def add_layer_steps(result, layer, gradient, dampings, split):
    a, g, block = (result[f"{layer}.{name}"] for name in ("A", "G", "block"))
    identity = np.eye(len(block))
    factors = {"kfac": (a, g), f"kfac-split-{split}": (pinched(a, split), pinched(g, split))}
    if f"{layer}.A.reduce" in result:
        factors["kfac-reduce"] = (result[f"{layer}.A.reduce"], result[f"{layer}.G.reduce"])
    for damping in dampings:
        damped = {
            "block-diagonal.exact": block + damping * identity,
            "ekfac.exact": result[f"{layer}.ekfac"] + damping * identity,
            "diagonal.exact": np.diag(np.diag(block)) + damping * identity,
            "unit-wise.exact": unit_wise(block, len(g)) + damping * identity,
        }
        for structure, pair in factors.items():
            for rule in ("sqrt", "factor", "pi", "exact"):
                damped[f"{structure}.{rule}"] = damped_kronecker(rule, *pair, damping)
        for name, matrix in damped.items():
            step = uncvec(np.linalg.solve(matrix, cvec(gradient)), gradient.shape)
            condition = condition_number(matrix)
            if name == "ekfac.exact":
                condition *= result.condition[f"{layer}.ekfac"]
            result.add(f"{layer}.step.{name}.{damping}", step, condition)


# ---------------------------------------------------------------- files


def npy_bytes(array):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array, order="C"), version=(1, 0))
    return stream.getvalue()


def write_npz(path, arrays):
    """An .npz of the arrays in the given order, deflated, time 1980-01-01. Its bytes depend on the
    arrays and on the zlib in use, which packs as it likes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, npy_bytes(array))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def relative_difference(x, y):
    """Frobenius norm of x - y over that of y."""
    scale = np.linalg.norm(y)
    difference = np.linalg.norm(np.asarray(x) - np.asarray(y))
    return float(difference / scale if scale > 0 else difference)
