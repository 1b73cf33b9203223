"""Tier T0: networks over the rationals. Up to the block every number is an integer or a dyadic
rational and is stored exactly; sums over examples are stored as sums with their divisor, so that
no division is needed. Damped matrices, inverses and steps are rationals, rounded once."""

import functools
import math
from fractions import Fraction

import numpy as np

from case_writer import PRIME_SIZES, Case
from scalar_network import (
    Numbers,
    SplitMix64,
    apply,
    chain,
    combine,
    conjugate_gradients,
    gradient_vector,
    inverse,
    kronecker,
    kronecker_solve,
    outer_sum,
    pinched,
    plus_identity,
    run,
    solve_vector,
    uncvec,
)

DAMPING = Fraction(1, 4)
LAYOUT = ["M-10", "M-11", "M-12", "M-13", "M-14", "M-45"]
SCALE = ["M-01", "M-02", "M-03", "M-04", "M-08", "M-16"]
HIDDEN = ["M-23", "M-24", "M-48"]
SHARING = ["M-53", "M-54", "M-55"]


class Rationals(Numbers):
    zero, one = Fraction(0), Fraction(1)

    def number(self, value):
        return Fraction(value)

    def activation(self, name):
        if name == "relu":
            return (lambda s: max(s, self.zero)), (lambda s: self.one if s > 0 else self.zero)
        if name == "identity":
            return (lambda s: s), (lambda s: self.one)
        raise ValueError(f"{name} is not rational")


class Bound:
    """A bound of |x| and of every partial sum on the way to x, and the number of binary places:
    x is exact in any order of summation when magnitude * 2^places is below 2^24 (or 2^53)."""

    def __init__(self, magnitude, places=0):
        self.magnitude, self.places = magnitude, places

    def __add__(self, other):
        return Bound(self.magnitude + other.magnitude, max(self.places, other.places))

    __sub__ = __add__

    def __mul__(self, other):
        return Bound(self.magnitude * other.magnitude, self.places + other.places)

    def __truediv__(self, other):
        """By a power of two, which is all that pooling does here."""
        size = other.magnitude.numerator
        if size & (size - 1):
            raise ValueError(f"a mean over {size} entries is not dyadic")
        return Bound(self.magnitude / size, self.places + size.bit_length() - 1)

    def bits(self):
        return math.ceil(math.log2(self.magnitude * 2**self.places + 1))


class Bounds(Numbers):
    zero, one = Bound(Fraction(0)), Bound(Fraction(1))

    def number(self, value):
        value = Fraction(value)
        if value.denominator & (value.denominator - 1):
            raise ValueError(f"{value} is not dyadic")
        return Bound(abs(value), value.denominator.bit_length() - 1)

    def activation(self, name):
        return (lambda s: s), (lambda s: self.one)


class Likelihood:
    """Gradient in z and the weighted columns whose outer products sum to the Hessian. The
    probabilities of categorical and Bernoulli models are given, not computed from z."""

    def __init__(self, numbers, name, targets, variance=1, probabilities=None):
        self.numbers, self.name = numbers, name
        self.targets, self.probabilities = targets, probabilities
        self.precision = 1 / Fraction(variance)

    def values(self, row):
        return [self.numbers.number(Fraction(x)) for x in row]

    def gradient(self, n, z):
        numbers = self.numbers
        if self.name == "gaussian":
            precision = numbers.number(self.precision)
            return [(s - y) * precision for s, y in zip(z, self.values(self.targets[n]))]
        p = self.values(self.probabilities[n])
        if self.name == "categorical":
            y = [1 if i == self.targets[n] else 0 for i in range(len(p))]
        else:
            y = self.targets[n]
        return [s - t for s, t in zip(p, self.values(y))]

    def columns(self, n, size):
        """[(weight, column)]"""
        numbers = self.numbers
        unit = [[numbers.number(int(i == c)) for i in range(size)] for c in range(size)]
        if self.name == "gaussian":
            return [(numbers.number(self.precision), e) for e in unit]
        p = self.values(self.probabilities[n])
        if self.name == "categorical":
            return [(w, [s - t for s, t in zip(p, e)]) for w, e in zip(p, unit)]
        return [(q * (numbers.one - q), e) for q, e in zip(p, unit)]

    def loss(self, n, z):
        total = self.numbers.zero
        for s, y in zip(z, self.values(self.targets[n])):
            total = total + (s - y) * (s - y)
        return total * self.numbers.number(self.precision / 2)


def statistics(numbers, network, weights, likelihood, inputs):
    """Every dyadic quantity before the damped stage, by name; (value, divisor)."""
    weights = [[[numbers.number(Fraction(x)) for x in row] for row in w] for w in weights]
    inputs = [[numbers.number(Fraction(x)) for x in row] for row in inputs]
    outputs, gradients, blocks = run(network, weights, numbers, inputs, likelihood.gradient)
    examples, size = len(inputs), len(outputs[0])
    columns = [likelihood.columns(n, size) for n in range(examples)]
    result = {"logits": (outputs, None), "output.gradient": (gradients, None)}
    if likelihood.name == "gaussian":
        losses = [likelihood.loss(n, z) for n, z in enumerate(outputs)]
        total = numbers.zero
        for loss in losses:
            total = total + loss
        result["losses"], result["loss.sum"] = (losses, None), (total, examples)
    hessians = [outer_sum(numbers, [c for _, c in cs], [w for w, _ in cs]) for cs in columns]
    result["hessian"] = (hessians, None)
    whole = []
    for index, block in enumerate(blocks):
        layer, positions = f"layer{index + 1}", len(block.a[0])
        result[f"{layer}.a"] = (block.a, None)
        result[f"{layer}.jacobian"] = (block.jacobian, None)
        result[f"{layer}.g"] = (block.g, None)
        rows = [row for a in block.a for row in a]
        pulled = [
            [(w, combine(numbers, block.jacobian[n], v)) for w, v in columns[n]]
            for n in range(examples)
        ]
        flat = [w for one in pulled for w, _ in one]
        result[f"{layer}.A.sum"] = (outer_sum(numbers, rows), examples)
        pairs = [(w, row) for one in pulled for w, g in one for row in g]
        g_sum = outer_sum(numbers, [row for _, row in pairs], [w for w, _ in pairs])
        result[f"{layer}.G.sum"] = (g_sum, examples * positions)
        g_sum = outer_sum(numbers, [row for g in block.g for row in g])
        result[f"{layer}.G.empirical.sum"] = (g_sum, examples * positions)
        if positions > 1:

            def add(rows):
                return [numbers.dot(c, [numbers.one] * len(c)) for c in zip(*rows)]

            a_sum = outer_sum(numbers, [add(a) for a in block.a])
            result[f"{layer}.A.reduce.sum"] = (a_sum, examples * positions**2)
            g_sum = outer_sum(numbers, [add(g) for one in pulled for _, g in one], flat)
            result[f"{layer}.G.reduce.sum"] = (g_sum, examples)
        vectors = [
            gradient_vector(numbers, a, g) for a, one in zip(block.a, pulled) for _, g in one
        ]
        empirical = [gradient_vector(numbers, a, g) for a, g in zip(block.a, block.g)]
        total = [numbers.dot(c, [numbers.one] * len(c)) for c in zip(*empirical)]
        result[f"{layer}.gradient.sum"] = (uncvec(total, block.rows), examples)
        result[f"{layer}.block.sum"] = (outer_sum(numbers, vectors, flat), examples)
        result[f"{layer}.block.empirical.sum"] = (outer_sum(numbers, empirical), examples)
        whole.append(vectors)
    joined = [[x for part in parts for x in part] for parts in zip(*whole)]
    weights_flat = [w for cs in columns for w, _ in cs]
    result["fisher.sum"] = (outer_sum(numbers, joined, weights_flat), examples)
    return result


def leaves(value):
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def mean(entry):
    value, divisor = entry

    def divide(x):
        return [divide(y) for y in x] if isinstance(x, list) else x / divisor

    return divide(value)


def frobenius(matrix):
    return math.sqrt(sum(x * x for x in leaves(matrix)))


def condition(matrix, damping):
    """An upper bound of the condition number of matrix + damping I."""
    return (frobenius(matrix) + damping) / damping


class Spec:
    """One T0 case before anything is computed."""

    def __init__(self, name, title, purpose, flags, network, weights, inputs, likelihood, targets):
        self.name, self.title, self.purpose, self.flags = name, title, purpose, flags
        self.network, self.weights, self.inputs = network, weights, inputs
        self.likelihood, self.targets = likelihood, targets
        self.fisher = self.whole_step = self.product = False
        self.split, self.steps, self.inverses, self.empirical = None, True, False, False
        self.sizes = PRIME_SIZES

    def but(self, **changes):
        for key, value in changes.items():
            if not hasattr(self, key):
                raise AttributeError(key)
            setattr(self, key, value)
        return self


def write(spec, folder):
    numbers = Rationals()
    given = spec.likelihood.get("probabilities") == "given"
    targets = spec.targets["labels" if "labels" in spec.targets else "targets"]
    options = {
        "variance": Fraction(spec.likelihood.get("variance", 1)),
        "probabilities": spec.targets.get("probabilities"),
    }
    name = spec.likelihood["name"]
    rational = Likelihood(numbers, name, targets, **options)
    values = statistics(numbers, spec.network, spec.weights, rational, spec.inputs)
    bounds = Bounds()
    limits = statistics(
        bounds,
        spec.network,
        spec.weights,
        Likelihood(bounds, name, targets, **options),
        spec.inputs,
    )
    bits = max(x.bits() for value, _ in limits.values() for x in leaves(value))
    if bits > 53:
        raise ValueError(f"{spec.name} needs {bits} bits")
    case = Case(
        "T0",
        spec.name,
        spec.title,
        spec.purpose,
        spec.flags,
        {"network": spec.network, "likelihood": spec.likelihood},
        {
            "N": len(spec.inputs),
            "C": len(values["logits"][0][0]),
            "sizes": spec.sizes,
            "source": "SplitMix64, integers",
            "exactBits": bits,
            "exactInFloat32": bits <= 24,
        },
        {
            "arithmetic": "exact rationals (Python fractions); damped, inverse and step rounded once",
            "versions": {"python": ">=3.11"},
            "references": ["spec 2.1-2.3", "spec 4.1", "spec 4.6", "spec 4.9"],
        },
        split="none" if spec.split is None else f"{spec.split}, last block shorter",
        bias="last" if spec.network["parameters"][0].get("bias", True) else "none",
    )
    layers = [block["name"] for block in spec.network["parameters"]]

    def exact(stage_name, derived, names):
        case.stage(stage_name, derived, "bits")
        for name in names:
            if name in values:
                case.add(name, values[name][0], divisor=values[name][1])

    case.stage("inputs", [], "bits")
    case.add("inputs", spec.inputs.tolist())
    for key, array in spec.targets.items():
        case.add(key, array.tolist(), integer=key == "labels")
    for layer, w in zip(layers, spec.weights):
        case.add(f"{layer}.weights", w.tolist())
    # What repeats other arrays is left out: the first input of a dense chain, and the Jacobian and
    # gradient at a last dense layer, which are the identity and output.gradient.
    seen = layers[1:] if spec.network["nodes"][0]["operation"] == "dense" else layers
    last = spec.network["nodes"][-1]["operation"]
    behind = layers[:-1] if last == "dense" else layers
    exact("forward", ["inputs"], [f"{x}.a" for x in seen] + ["logits", "losses", "loss.sum"])
    exact("loss-hessian", ["inputs" if given else "forward"], ["output.gradient", "hessian"])
    pulled = [f"{x}.{y}" for x in behind for y in ("jacobian", "g")]
    pulled += [f"{x}.gradient.sum" for x in layers]
    exact("back-propagated", ["forward", "loss-hessian"], pulled)
    kinds = ["A.sum", "G.sum", "G.empirical.sum", "A.reduce.sum", "G.reduce.sum"]
    exact("factors", ["forward", "back-propagated"], [f"{x}.{y}" for x in layers for y in kinds])
    names = [f"{x}.{y}" for x in layers for y in ("block.sum", "block.empirical.sum")]
    names = [x for x in names if spec.empirical or "empirical" not in x]
    for layer in layers:
        (a, a_divisor), (g, g_divisor) = values[f"{layer}.A.sum"], values[f"{layer}.G.sum"]
        if spec.product:
            values[f"{layer}.kfac.sum"] = kronecker(a, g), a_divisor * g_divisor
            names.append(f"{layer}.kfac.sum")
        if spec.split:
            cut = kronecker(pinched(numbers, a, spec.split), pinched(numbers, g, spec.split))
            values[f"{layer}.kfac-split-{spec.split}.sum"] = cut, a_divisor * g_divisor
            names.append(f"{layer}.kfac-split-{spec.split}.sum")
    exact("block", ["back-propagated"], names + (["fisher.sum"] if spec.fisher else []))
    if spec.steps:
        add_steps(case, spec, numbers, values, layers)
    return case.write(folder)


def add_inverses(case, numbers, values, layers, root):
    case.stage("damped", ["factors"], "relative-frobenius")
    for layer in layers:
        for factor in "AG":
            damped = plus_identity(mean(values[f"{layer}.{factor}.sum"]), root)
            case.add(f"{layer}.{factor}.damped.sqrt.0.25", damped, n=len(damped))
    case.stage("inverse", ["damped"], "relative-frobenius")
    for layer in layers:
        for factor in "AG":
            matrix = mean(values[f"{layer}.{factor}.sum"])
            result = inverse(numbers, plus_identity(matrix, root))
            kappa = condition(matrix, 0.5)
            case.add(f"{layer}.{factor}.inverse.sqrt.0.25", result, n=len(matrix), kappa=kappa)


def add_steps(case, spec, numbers, values, layers):
    root, step = Fraction(1, 2), []
    if spec.inverses:
        add_inverses(case, numbers, values, layers, root)
    flat = []
    for layer in layers:
        a, g = mean(values[f"{layer}.A.sum"]), mean(values[f"{layer}.G.sum"])
        block, v = mean(values[f"{layer}.block.sum"]), mean(values[f"{layer}.gradient.sum"])
        size, rows = len(block), len(g)
        vector = [v[i][j] for j in range(len(a)) for i in range(rows)]
        flat += vector
        pairs = {"kfac": (a, g)}
        if spec.split:
            cut = (pinched(numbers, a, spec.split), pinched(numbers, g, spec.split))
            pairs[f"kfac-split-{spec.split}"] = cut
        if f"{layer}.A.reduce.sum" in values:
            names = (f"{layer}.A.reduce.sum", f"{layer}.G.reduce.sum")
            pairs["kfac-reduce"] = tuple(mean(values[name]) for name in names)
        for structure, (left, right) in pairs.items():
            for rule, delta in (("sqrt", root), ("factor", DAMPING))[: 2 if spec.inverses else 1]:
                result = kronecker_solve(
                    numbers, plus_identity(left, delta), plus_identity(right, delta), v
                )
                kappa = condition(left, float(delta)) * condition(right, float(delta))
                step.append((f"{layer}.step.{structure}.{rule}.0.25", result, size, kappa))
            product = kronecker(left, right)
            step.append(matrix_step(numbers, f"{layer}.step.{structure}", product, vector, rows))
        step.append(matrix_step(numbers, f"{layer}.step.block-diagonal", block, vector, rows))
        if spec.inverses and size <= 24:
            damped = plus_identity(block, DAMPING)
            iterates = conjugate_gradients(
                numbers, lambda x, m=damped: apply(numbers, m, x), vector, 2
            )
            shaped = [uncvec(x, rows) for x in iterates]
            kappa = condition(block, 0.25)
            step.append((f"{layer}.cg.exact-block.0.25", shaped, size, kappa))
    case.stage("step", ["factors", "block", "back-propagated"], "relative-frobenius")
    for name, value, n, kappa in step:
        case.add(name, value, n=n, kappa=kappa)
    if spec.whole_step:
        fisher = mean(values["fisher.sum"])
        x = solve_vector(numbers, plus_identity(fisher, DAMPING), flat)
        start = 0
        for layer in layers:
            v = values[f"{layer}.gradient.sum"][0]
            end = start + len(v) * len(v[0])
            part = uncvec(x[start:end], len(v))
            kappa = condition(fisher, 0.25)
            case.add(f"{layer}.step.exact.exact.0.25", part, n=len(fisher), kappa=kappa)
            start = end


def matrix_step(numbers, name, matrix, vector, rows):
    x = solve_vector(numbers, plus_identity(matrix, DAMPING), vector)
    return f"{name}.exact.0.25", uncvec(x, rows), len(matrix), condition(matrix, 0.25)


# ---------------------------------------------------------------- the cases


def gaussian(variance="1"):
    return {"name": "gaussian", "variance": float(Fraction(variance))}


GIVEN_CATEGORICAL = {"name": "categorical", "probabilities": "given"}
GIVEN_BERNOULLI = {"name": "bernoulli", "probabilities": "given"}


def draw(seed, network, examples, outputs=None, weight=2, value=3):
    """Integer weights, inputs and (with `outputs`) targets. Biases are not zero, and inputs lean to
    positive values so that their mean is not zero."""
    generator = SplitMix64(seed)
    weights = [
        generator.array((block["rows"], block["columns"]), -weight, weight)
        for block in network["parameters"]
    ]
    for w, block in zip(weights, network["parameters"]):
        if block["bias"]:
            w[:, -1] = generator.array((len(w),), 1, weight)
    shape = network["inputShape"]
    kind, size = next(iter(shape.items()))
    dimension = size if kind == "vector" else math.prod(size.values())
    inputs = generator.array((examples, dimension), -value + 2, value)
    targets = {} if outputs is None else {"targets": generator.array((examples, outputs), -4, 5)}
    return generator, weights, inputs, targets


def dense(seed, name, title, purpose, flags, widths, examples, activation="relu", variance="1",
          bias=True):  # fmt: skip
    network = chain(widths, activation, bias)
    _, weights, inputs, targets = draw(seed, network, examples, widths[-1])
    return Spec(name, title, purpose, flags, network, weights, inputs, gaussian(variance), targets)


DYADIC = {
    5: [(4, 1, 1, 1, 1), (1, 2, 3, 1, 1), (1, 1, 1, 1, 4), (2, 1, 1, 3, 1)],
    7: [(2, 1, 1, 1, 1, 1, 1), (1, 1, 1, 1, 2, 1, 1), (1, 1, 2, 1, 1, 1, 1)],
}


def given_probabilities(seed, name, title, purpose, flags, widths, examples, likelihood):
    network = chain(widths, "relu")
    generator, weights, inputs, _ = draw(seed, network, examples)
    if likelihood is GIVEN_CATEGORICAL:
        choices = DYADIC[widths[-1]]
        rows = [choices[generator.integer(0, len(choices) - 1)] for _ in range(examples)]
        probabilities = np.array(rows, float) / 8
        labels = np.array([generator.integer(0, widths[-1] - 1) for _ in range(examples)])
        targets = {"labels": labels, "probabilities": probabilities}
    else:
        probabilities = generator.array((examples, widths[-1]), 1, 7, 8)
        targets = {
            "targets": generator.array((examples, widths[-1]), 0, 1),
            "probabilities": probabilities,
        }
    return Spec(name, title, purpose, flags, network, weights, inputs, likelihood, targets)


def shared(seed, name, title, purpose, flags, network, examples, outputs):
    _, weights, inputs, targets = draw(seed, network, examples, outputs, weight=2, value=3)
    return Spec(name, title, purpose, flags, network, weights, inputs, gaussian(), targets)


def block(index, rows, columns):
    return {"name": f"layer{index}", "rows": rows, "columns": columns, "bias": True}


def node(operation, *inputs, **more):
    return {"operation": operation, **more, "inputs": list(inputs)}


def window(kernel, stride=(1, 1), padding=(0, 0)):
    return {"kernel": list(kernel), "stride": list(stride), "padding": list(padding)}


RELU = {"activation": "relu"}
SEQUENCE_FLATTEN = {
    "inputShape": {"sequence": {"positions": 5, "features": 11}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("flatten", 2),
    ],
    "parameters": [block(1, 3, 12)],
}
SEQUENCE_LINEAR = {
    "inputShape": {"sequence": {"positions": 5, "features": 11}},
    "nodes": [node("dense", 0, parameters=0), node("flatten", 1)],
    "parameters": [block(1, 3, 12)],
}
SEQUENCE_MEAN = {
    "inputShape": {"sequence": {"positions": 4, "features": 5}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("meanOverPositions", 2),
        node("dense", 3, parameters=1),
    ],
    "parameters": [block(1, 3, 6), block(2, 7, 4)],
}
SEQUENCE_MEAN_LINEAR = {
    "inputShape": {"sequence": {"positions": 4, "features": 5}},
    "nodes": [node("dense", 0, parameters=0), node("meanOverPositions", 1)],
    "parameters": [block(1, 3, 6)],
}
TIED = {
    "inputShape": {"vector": 3},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("dense", 2, parameters=0),
        node("activation", 3, **RELU),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 4), block(2, 5, 4)],
}
RESIDUAL = {
    "inputShape": {"vector": 7},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("dense", 2, parameters=1),
        node("addition", 2, 3),
        node("dense", 4, parameters=2),
    ],
    "parameters": [block(1, 3, 8), block(2, 3, 4), block(3, 5, 4)],
}
CONVOLUTION = {
    "inputShape": {"image": {"channels": 2, "height": 3, "width": 5}},
    "nodes": [
        node("convolution", 0, parameters=0, window=window((2, 3), (1, 2), (1, 0))),
        node("activation", 1, **RELU),
        node("flatten", 2),
    ],
    "parameters": [block(1, 1, 13)],
}
POOLED_CONVOLUTION = {
    "inputShape": {"image": {"channels": 1, "height": 5, "width": 3}},
    "nodes": [
        node("convolution", 0, parameters=0, window=window((2, 2))),
        node("activation", 1, **RELU),
        node("meanPooling", 2, window=window((2, 2), (2, 1))),
        node("flatten", 3),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 5), block(2, 5, 7)],
}


EXCEPTIONS = {
    "three layers": "three small layers, so that the whole Fisher matrix stays small",
    "one example": "N = 1 on purpose; widths are distinct primes",
    "one": "every width is 1 on purpose",
    "duplicated": "N = 22 on purpose, 11 examples twice; widths are distinct primes",
    "dyadic": "T = 4, because a mean over a prime number of positions is not dyadic",
    "tied": "a block used twice has equal widths",
    "addition": "an addition has equal widths; the other sizes are distinct primes",
    "convolution": "a small image: channels, kernel, padding and stride are as small as they can be",
    "pooling": "a small image, and means over 4 entries, which are dyadic",
}


def specs():
    yield dense(
        11, "relu-7-5-3", "ReLU network 7-5-3, square loss",
        "Every scale and layout convention without rounding: nothing here may differ by one bit.",
        SCALE + LAYOUT + HIDDEN + ["M-17", "M-26"], (7, 5, 3), 11,
    )  # fmt: skip
    yield dense(
        12, "relu-nobias-7-3-5", "ReLU network 7-3-5 without biases",
        "A and the block without the homogeneous coordinate.",
        SCALE + ["M-10", "M-11", "M-12"] + HIDDEN, (7, 3, 5), 11, bias=False,
    ).but(empirical=True, inverses=True)  # fmt: skip
    yield dense(
        13, "deep-linear-7-3-5", "Two linear layers 7-3-5",
        "KFAC is exact for deep linear networks and square loss: block.sum * N = A.sum kron G.sum.",
        SCALE + ["M-10", "M-17"], (7, 3, 5), 11, activation="identity",
    ).but(product=True)  # fmt: skip
    yield dense(
        14, "deep-linear-3-3-2-2", "Three linear layers 3-3-2-2 with the full Fisher matrix",
        "Off-diagonal layer blocks: the whole step is not the block-diagonal one.",
        ["M-10"], (3, 3, 2, 2), 7, activation="identity",
    ).but(fisher=True, whole_step=True, sizes=EXCEPTIONS["three layers"])  # fmt: skip
    yield dense(
        15, "full-against-block-diagonal", "ReLU network 7-3-5, whole and block-diagonal steps",
        "The two damped solves on the same gradient.",
        LAYOUT + ["M-27", "M-28", "M-29", "M-33", "M-66"], (7, 3, 5), 11,
    ).but(fisher=True, whole_step=True, inverses=True)  # fmt: skip
    yield dense(
        16, "one-example", "ReLU network 7-3-5 on one example",
        "KFAC is exact for N = 1, and the two readings of CG-FAC agree up to the K columns.",
        ["M-10", "M-14", "M-15"], (7, 3, 5), 1,
    ).but(
        product=True, empirical=True, inverses=True, sizes=EXCEPTIONS["one example"]
    )  # fmt: skip
    yield dense(
        17, "linear-regression", "One layer 7-3",
        "The smallest case: G is the identity over the variance.",
        ["M-01", "M-08", "M-12", "M-13"], (7, 3), 11,
    ).but(product=True)  # fmt: skip
    yield dense(
        18, "variance-quarter", "ReLU network 7-3-5, variance 1/4",
        "The variance enters the gradient once and the Fisher matrix once.",
        ["M-08", "M-09", "M-05"], (7, 3, 5), 11, variance="1/4",
    )  # fmt: skip
    yield dense(
        20, "split-remainder-3", "Linear layer 3-5, factors cut to blocks of 3",
        "dA = 4 leaves the bias alone, dG = 5 a block of 2: a dropped or padded remainder shows.",
        ["M-60", "M-61"], (3, 5), 11,
    ).but(split=3)  # fmt: skip
    yield dense(
        21, "split-remainder-2", "ReLU network 7-3-5, factors cut to blocks of 2",
        "The bias coordinate shares a block with its neighbour; dG = 3 and 5 leave a block of 1.",
        ["M-60", "M-61"], (7, 3, 5), 11,
    ).but(split=2)  # fmt: skip
    yield dense(
        22, "width-one", "ReLU network 1-1-1",
        "Vectors of one entry keep their shapes.",
        ["M-12", "M-13"], (1, 1, 1), 3,
    ).but(fisher=True, whole_step=True, sizes=EXCEPTIONS["one"])  # fmt: skip
    zero = dense(
        23, "zero-inputs", "ReLU network 7-3-5 on inputs that are all zero",
        "Rows and columns of A and of the block are zero but for the bias.",
        ["M-12", "M-13"], (7, 3, 5), 11,
    )  # fmt: skip
    zero.inputs = zero.inputs * 0 + 0.0
    yield zero
    dead = dense(
        24, "dead-relu", "ReLU network 7-3-5 with a unit that is never active",
        "A zero row and column in G of its layer, a zero row of A of the next.",
        ["M-23", "M-24"], (7, 3, 5), 11,
    )  # fmt: skip
    dead.weights[0][1, :-1], dead.weights[0][1, -1] = 0, -3
    yield dead
    single = dense(
        25, "duplicated-data", "ReLU network 7-3-5 on eleven examples, each twice",
        "Means do not change when data are repeated: sums double, divisors double.",
        ["M-01", "M-04", "M-16"], (7, 3, 5), 11,
    ).but(sizes=EXCEPTIONS["duplicated"])  # fmt: skip
    single.inputs = np.concatenate([single.inputs] * 2)
    single.targets["targets"] = np.concatenate([single.targets["targets"]] * 2)
    yield single
    fitted = dense(
        26, "interpolation", "ReLU network 7-3-5 whose targets are its outputs",
        "The empirical Fisher matrix vanishes, the exact one does not.",
        ["M-17", "M-18"], (7, 3, 5), 11,
    )  # fmt: skip
    rational = Rationals()
    exact_weights = [[[Fraction(x) for x in row] for row in w] for w in fitted.weights]
    outputs = run(
        fitted.network, exact_weights, rational,
        [[Fraction(x) for x in row] for row in fitted.inputs], lambda n, z: z,
    )[0]  # fmt: skip
    fitted.targets["targets"][:] = [[float(x) for x in row] for row in outputs]
    yield fitted.but(steps=False)
    yield given_probabilities(
        31, "softmax-7-3-5", "ReLU network 7-3-5, given dyadic probabilities of 5 classes",
        "diag(p) - pp' and the label enumeration sum_c p_c g_c g_c' without a square root.",
        ["M-17", "M-18", "M-20", "M-21", "M-22"] + SCALE, (7, 3, 5), 11, GIVEN_CATEGORICAL,
    )  # fmt: skip
    yield given_probabilities(
        32, "softmax-5-3-7", "ReLU network 5-3-7, given dyadic probabilities of 7 classes",
        "As softmax-7-3-5 with more classes than inputs.",
        ["M-17", "M-20", "M-21", "M-22"], (5, 3, 7), 11, GIVEN_CATEGORICAL,
    )  # fmt: skip
    yield given_probabilities(
        33, "bernoulli-7-3-5", "ReLU network 7-3-5, given dyadic probabilities of 5 bits",
        "q (1 - q) on the diagonal, nothing beside it.",
        ["M-17", "M-20", "M-22"], (7, 3, 5), 11, GIVEN_BERNOULLI,
    )  # fmt: skip
    yield shared(
        41, "sequence-expand", "One ReLU layer shared by 5 positions, every position an output",
        "The factor T of expand, and sums over positions inside one example.",
        SHARING + ["M-57"], SEQUENCE_FLATTEN, 7, 15,
    )  # fmt: skip
    yield shared(
        42, "sequence-expand-linear", "One linear layer shared by 5 positions",
        "Expand is exact here: block.sum * N * T = A.sum kron G.sum.",
        SHARING, SEQUENCE_LINEAR, 7, 15,
    ).but(product=True)  # fmt: skip
    yield shared(
        43, "sequence-reduce", "A ReLU layer shared by 4 positions, mean over them, a dense layer",
        "Reduce and expand differ. T = 4 so that the mean is dyadic.",
        SHARING + ["M-51"], SEQUENCE_MEAN, 11, 7,
    ).but(sizes=EXCEPTIONS["dyadic"])  # fmt: skip
    yield shared(
        44, "sequence-reduce-linear", "A linear layer shared by 4 positions, then the mean",
        "Reduce is exact here: A.reduce kron G.reduce is the block.",
        SHARING, SEQUENCE_MEAN_LINEAR, 7, 3,
    ).but(sizes=EXCEPTIONS["dyadic"])  # fmt: skip
    yield shared(
        45, "tied", "One ReLU block used twice, then a dense layer",
        "The gradient of a tied block sums over its uses before the outer product.",
        ["M-51", "M-53"], TIED, 7, 5,
    ).but(sizes=EXCEPTIONS["tied"])  # fmt: skip
    yield shared(
        46, "residual", "A skip connection over one dense layer",
        "Cotangents add where paths join.",
        ["M-23", "M-24"], RESIDUAL, 11, 5,
    ).but(sizes=EXCEPTIONS["addition"])  # fmt: skip
    yield shared(
        47, "convolution", "A 2x3 convolution of 2 channels, stride (1, 2), padding (1, 0)",
        "Order of the unfolded patch, padding, and one output channel at several positions.",
        SHARING + ["M-56", "M-57"], CONVOLUTION, 5, 8,
    ).but(sizes=EXCEPTIONS["convolution"])  # fmt: skip
    yield shared(
        48, "pooled-convolution", "A 2x2 convolution, mean pooling 2x2, a dense layer",
        "Mean pooling divides by 4 exactly.",
        SHARING + ["M-56"], POOLED_CONVOLUTION, 7, 5,
    ).but(sizes=EXCEPTIONS["pooling"])  # fmt: skip


def cases():
    """A function per case, which writes it below a folder and returns its line of the index."""
    return [functools.partial(write, spec) for spec in specs()]
