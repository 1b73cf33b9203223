"""Tier T1: smooth networks by mpmath at 50 digits, every stored number rounded once to float64.
Run again with EXTRA_DIGITS = 30 the bytes stay the same (check.py --all does)."""

import functools
import itertools
import math

import mpmath
import numpy as np

from case_writer import PRIME_SIZES, Case
from exact import EXCEPTIONS, block, node, window
from scalar_network import (
    Numbers,
    SplitMix64,
    apply,
    chain,
    combine,
    conjugate_gradients,
    cvec,
    gradient_vector,
    inverse,
    kronecker,
    kronecker_solve,
    multiply,
    outer_sum,
    pinched,
    plus_identity,
    run,
    solve,
    solve_vector,
    transposed,
    uncvec,
)

DIGITS, EXTRA_DIGITS = 50, 0
DAMPINGS = (0.1, 0.001)
RULES = ("sqrt", "factor", "pi")
CURVATURE = ["M-17", "M-18", "M-20", "M-21", "M-22", "M-23", "M-24", "M-25"]
DAMPED = ["M-27", "M-28", "M-29", "M-30", "M-31", "M-32", "M-33", "M-34", "M-35"]


class Certified(Numbers):
    """mpmath numbers of one context; a dot product is exact until its one rounding."""

    def __init__(self, digits):
        self.context = mpmath.mp.clone()
        self.context.dps = digits + EXTRA_DIGITS
        self.zero, self.one = self.context.mpf(0), self.context.mpf(1)
        self.tolerance = self.context.mpf(10) ** (8 - self.context.dps)

    def number(self, value):
        return self.context.mpf(value)

    def dot(self, xs, ys):
        return self.context.fdot(xs, ys)

    def activation(self, name):
        context, one = self.context, self.one
        if name == "tanh":
            return context.tanh, (lambda s: 1 / context.cosh(s) ** 2)
        if name == "logistic":
            return self.logistic, (lambda s: self.logistic(s) * self.logistic(-s))
        if name == "softplus":
            return self.softplus, self.logistic
        if name == "relu":
            return (lambda s: max(s, self.zero)), (lambda s: one if s > 0 else self.zero)
        return (lambda s: s), (lambda s: one)

    def logistic(self, s):
        return 1 / (1 + self.context.exp(-s))

    def softplus(self, s):
        positive = max(s, self.zero)
        return positive + self.context.log1p(self.context.exp(-abs(s)))

    def matrix(self, array):
        return [[self.number(float(x)) for x in row] for row in array]

    def eigen(self, matrix):
        """Ascending eigenvalues and the eigenvectors as columns."""
        values, vectors = self.context.eigsy(self.context.matrix(matrix))
        order = sorted(range(len(matrix)), key=lambda k: values[k])
        columns = [[vectors[i, k] for k in order] for i in range(len(matrix))]
        return [values[k] for k in order], columns

    def frobenius(self, matrix):
        return self.context.sqrt(sum(self.dot(row, row) for row in matrix))


class Likelihood:
    def __init__(self, numbers, description, targets):
        self.numbers, self.name, self.targets = numbers, description["name"], targets
        self.variance = numbers.number(description.get("variance", 1.0))

    def probabilities(self, z):
        numbers = self.numbers
        if self.name == "bernoulli":
            return [numbers.logistic(s) for s in z]
        weights = [numbers.context.exp(s - max(z)) for s in z]
        return [w / sum(weights) for w in weights]

    def loss(self, n, z):
        numbers, y = self.numbers, self.targets[n]
        if self.name == "gaussian":
            difference = [s - numbers.number(float(t)) for s, t in zip(z, y)]
            return numbers.dot(difference, difference) / (2 * self.variance)
        if self.name == "bernoulli":
            return sum(numbers.softplus(s) - s * int(t) for s, t in zip(z, y))
        rest = sum(numbers.context.exp(s - z[y]) for i, s in enumerate(z) if i != y)
        return numbers.context.log1p(rest)

    def gradient(self, n, z):
        numbers, y = self.numbers, self.targets[n]
        if self.name == "gaussian":
            return [(s - numbers.number(float(t))) / self.variance for s, t in zip(z, y)]
        p = self.probabilities(z)
        if self.name == "bernoulli":
            return [s - int(t) for s, t in zip(p, y)]
        return [s - int(i == y) for i, s in enumerate(p)]

    def columns(self, z):
        """[(weight, v)]: the Hessian in z is the sum of weight v v'."""
        numbers, size = self.numbers, len(z)
        unit = [[numbers.one if i == c else numbers.zero for i in range(size)] for c in range(size)]
        if self.name == "gaussian":
            return [(1 / self.variance, e) for e in unit]
        p = self.probabilities(z)
        if self.name == "bernoulli":
            return [(q * numbers.logistic(-s), e) for q, s, e in zip(p, z, unit)]
        return [(w, [s - t for s, t in zip(e, p)]) for w, e in zip(p, unit)]


class Computed:
    """Everything of one case up to the blocks."""

    def __init__(self, numbers, network, weights, inputs, likelihood):
        self.numbers = numbers
        inputs = numbers.matrix(inputs)
        self.weights = [numbers.matrix(w) for w in weights]
        self.outputs, self.gradients, self.blocks = run(
            network, self.weights, numbers, inputs, likelihood.gradient
        )
        self.count = len(inputs)
        self.columns = [likelihood.columns(z) for z in self.outputs]
        self.losses = [likelihood.loss(n, z) for n, z in enumerate(self.outputs)]
        self.weights_flat = [w for columns in self.columns for w, _ in columns]
        self.layers = [LayerNumbers(self, block) for block in self.blocks]
        # Rounding z by ulp |z| changes exp(z) by |z| ulps: what every later stage inherits.
        self.kappa = max(1, max(abs(s) for z in self.outputs for s in z))

    def fisher(self):
        joined = [
            [x for part in parts for x in part]
            for parts in zip(*(layer.vectors for layer in self.layers))
        ]
        return divided(outer_sum(self.numbers, joined, self.weights_flat), self.count)


class LayerNumbers:
    def __init__(self, owner, block):
        numbers, count = owner.numbers, owner.count
        self.block, self.rows, self.positions = block, block.rows, len(block.a[0])
        self.pulled = [
            [(w, combine(numbers, jacobian, v)) for w, v in columns]
            for jacobian, columns in zip(block.jacobian, owner.columns)
        ]
        pairs = [(w, row) for one in self.pulled for w, g in one for row in g]
        weights, rows = [w for w, _ in pairs], [row for _, row in pairs]
        self.a = divided(outer_sum(numbers, [r for a in block.a for r in a]), count)
        self.g = divided(outer_sum(numbers, rows, weights), count * self.positions)
        empirical = outer_sum(numbers, [row for g in block.g for row in g])
        self.g_empirical = divided(empirical, count * self.positions)

        def add(rows):
            return [sum(column) for column in zip(*rows)]

        means = [[x / self.positions for x in add(a)] for a in block.a]
        self.a_reduce = divided(outer_sum(numbers, means), count)
        sums = [add(g) for one in self.pulled for _, g in one]
        self.g_reduce = divided(outer_sum(numbers, sums, owner.weights_flat), count)
        self.vectors = [
            gradient_vector(numbers, a, g) for a, one in zip(block.a, self.pulled) for _, g in one
        ]
        self.empirical = [gradient_vector(numbers, a, g) for a, g in zip(block.a, block.g)]
        self.gradient = [sum(column) / count for column in zip(*self.empirical)]
        self.fisher = divided(outer_sum(numbers, self.vectors, owner.weights_flat), count)
        self.fisher_empirical = divided(outer_sum(numbers, self.empirical), count)


def divided(matrix, count):
    return [[x / count for x in row] for row in matrix]


def roots(numbers, columns):
    """S with S S' = sum w v v', columns sqrt(w) v."""
    scaled = [[numbers.context.sqrt(w) * x for x in v] for w, v in columns]
    return transposed(scaled)


def condition(numbers, matrix, damping):
    """An upper bound of the condition number of matrix + damping I."""
    return (numbers.frobenius(matrix) + damping) / damping


def deltas(numbers, rule, a, g, damping):
    root = numbers.context.sqrt(damping)
    if rule == "factor":
        return numbers.number(damping), numbers.number(damping)
    if rule == "sqrt":
        return root, root
    mean_a = sum(a[i][i] for i in range(len(a))) / len(a)
    mean_g = sum(g[i][i] for i in range(len(g))) / len(g)
    pi = numbers.context.sqrt(mean_a / mean_g)
    return pi * root, root / pi


def sandwich(numbers, left, middle, right):
    """left' middle right."""
    return multiply(numbers, transposed(left), multiply(numbers, middle, right))


def inverse_gap(numbers, values):
    if values[-1] - values[0] <= values[-1] * numbers.tolerance:
        return 1  # a multiple of I: every basis gives the same matrix
    gap = min(y - x for x, y in itertools.pairwise(values)) if len(values) > 1 else values[-1]
    return values[-1] / gap


class Eigenbasis:
    """EKFAC: the basis of A and G, second moments of the samples in it (spec 5)."""

    def __init__(self, numbers, layer, weights, count):
        self.numbers = numbers
        values_a, self.q_a = numbers.eigen(layer.a)
        values_g, self.q_g = numbers.eigen(layer.g)
        self.kappa = inverse_gap(numbers, values_a) + inverse_gap(numbers, values_g)
        if self.kappa > 1e4:
            raise ValueError(f"eigenvalues too close for EKFAC: {float(self.kappa):.1e}")
        rotated = [
            cvec(sandwich(numbers, self.q_g, uncvec(u, layer.rows), self.q_a))
            for u in layer.vectors
        ]
        self.moments = [
            numbers.dot(weights, [r[k] * r[k] for r in rotated]) / count
            for k in range(len(rotated[0]))
        ]
        self.rows = layer.rows

    def matrix(self):
        q = kronecker(self.q_a, self.q_g)
        scaled = [[x * s for x, s in zip(row, self.moments)] for row in q]
        return [[self.numbers.dot(r, s) for s in q] for r in scaled]

    def solve(self, gradient, damping):
        rotated = cvec(sandwich(self.numbers, self.q_g, uncvec(gradient, self.rows), self.q_a))
        scaled = [x / (s + damping) for x, s in zip(rotated, self.moments)]
        back = uncvec(scaled, self.rows)
        return sandwich(self.numbers, transposed(self.q_g), back, transposed(self.q_a))


def balanced(numbers, a, g):
    """The gauge of stored pairs: both factors have the same mean diagonal, positive."""
    trace_a = sum(a[i][i] for i in range(len(a))) / len(a)
    trace_g = sum(g[i][i] for i in range(len(g))) / len(g)
    scale = numbers.context.sqrt(abs(trace_g / trace_a)) * (1 if trace_a > 0 else -1)
    return [[x * scale for x in row] for row in a], [[x / scale for x in row] for row in g]


def rearranged(matrix, size_a, size_g):
    """Van Loan and Pitsianis: row k * dA + j holds cvec of the dG x dG block (j, k)."""
    return [
        [matrix[j * size_g + i][k * size_g + m] for m in range(size_g) for i in range(size_g)]
        for k in range(size_a)
        for j in range(size_a)
    ]


def nearest_kronecker(numbers, matrix, size_a, size_g):
    """The pair by power iteration to working precision, and sigma1 / (sigma1 - sigma2)."""
    r = rearranged(matrix, size_a, size_g)
    columns = transposed(r)
    v = [numbers.one if k % (size_g + 1) == 0 else numbers.zero for k in range(size_g**2)]
    for step in range(20000):
        u = apply(numbers, r, v)
        w = apply(numbers, columns, u)
        norm = numbers.context.sqrt(numbers.dot(w, w))
        w = [x / norm for x in w]
        change = max(abs(x - y) for x, y in zip(v, w))
        v = w
        if change < numbers.tolerance:
            break
    else:
        raise ValueError("power iteration did not converge")
    u = apply(numbers, r, v)
    sigma = numbers.context.sqrt(numbers.dot(u, u))
    # The second singular value to a few digits, from the remaining matrix.
    rest = [[x - s * t for x, t in zip(row, v)] for row, s in zip(r, u)]
    second, x = numbers.zero, [numbers.number(1 + k) for k in range(size_g**2)]
    for _ in range(60):
        x = apply(numbers, transposed(rest), apply(numbers, rest, x))
        norm = numbers.context.sqrt(numbers.dot(x, x))
        if norm == 0:
            break
        second, x = numbers.context.sqrt(norm), [y / norm for y in x]
    kappa = sigma / (sigma - second)
    return *balanced(numbers, uncvec(u, size_a), uncvec(v, size_g)), kappa


def partial_traces(numbers, matrix, size_a, size_g, over_g, over_a):
    """sum_il M[(j,i),(k,l)] over_g[l][i], dA x dA, and sum_jk M[(j,i),(k,l)] over_a[k][j], dG x dG."""
    flat_g, flat_a = cvec(over_g), cvec(over_a)
    r = rearranged(matrix, size_a, size_g)
    left = uncvec([numbers.dot(row, flat_g) for row in r], size_a)
    right = uncvec([numbers.dot(column, flat_a) for column in transposed(r)], size_g)
    return left, right


def identity(numbers, size):
    return plus_identity([[numbers.zero] * size for _ in range(size)], numbers.one)


def tkfac(numbers, matrix, size_a, size_g):
    left, right = partial_traces(
        numbers, matrix, size_a, size_g, identity(numbers, size_g), identity(numbers, size_a)
    )
    trace = sum(matrix[k][k] for k in range(len(matrix)))
    return balanced(numbers, left, divided(right, trace))


def kl_kronecker(numbers, damped, size_a, size_g):
    """The flip-flop of spec 8.5 to working precision."""
    a, g = identity(numbers, size_a), identity(numbers, size_g)
    for _ in range(5000):
        left, _ = partial_traces(numbers, damped, size_a, size_g, inverse(numbers, g), a)
        next_a = divided(left, size_g)
        _, right = partial_traces(numbers, damped, size_a, size_g, g, inverse(numbers, next_a))
        next_a, next_g = balanced(numbers, next_a, divided(right, size_a))
        change = max(
            abs(x - y)
            for old, new in ((a, next_a), (g, next_g))
            for p, q in zip(old, new)
            for x, y in zip(p, q)
        )
        a, g = next_a, next_g
        if change < numbers.tolerance:
            return a, g
    raise ValueError("the flip-flop did not converge")


def block_tridiagonal(numbers, computed, damping):
    """Spec 4.4 by its dense Kronecker products, factors damped by the rule pi."""
    layers, count = computed.layers, computed.count
    damped = []
    for layer in layers:
        in_a, in_g = deltas(numbers, "pi", layer.a, layer.g, damping)
        damped.append((plus_identity(layer.a, in_a), plus_identity(layer.g, in_g)))
    weights = computed.weights_flat
    psi, schur = [], []
    for k, (a, g) in enumerate(damped):
        sigma = kronecker(a, g)
        if k + 1 < len(layers):
            cross_a = cross(numbers, layers[k].block.a, layers[k + 1].block.a, None, count)
            cross_g = cross(
                numbers,
                [g for one in layers[k].pulled for _, g in one],
                [g for one in layers[k + 1].pulled for _, g in one],
                weights,
                count,
            )
            next_a, next_g = damped[k + 1]
            psi_a = transposed(solve(numbers, next_a, transposed(cross_a)))
            psi_g = transposed(solve(numbers, next_g, transposed(cross_g)))
            psi.append(kronecker(psi_a, psi_g))
            taken = kronecker(
                multiply(numbers, multiply(numbers, psi_a, next_a), transposed(psi_a)),
                multiply(numbers, multiply(numbers, psi_g, next_g), transposed(psi_g)),
            )
            sigma = [[x - y for x, y in zip(p, q)] for p, q in zip(sigma, taken)]
        schur.append(sigma)
    v = [layer.gradient for layer in layers]
    u = []
    for k, x in enumerate(v):
        if k < len(psi):
            x = [s - t for s, t in zip(x, apply(numbers, psi[k], v[k + 1]))]
        u.append(solve_vector(numbers, schur[k], x))
    for k in reversed(range(1, len(u))):
        back = apply(numbers, transposed(psi[k - 1]), u[k - 1])
        u[k] = [s - t for s, t in zip(u[k], back)]
    return u


def cross(numbers, left, right, weights, count):
    """1/N sum w x y' of one-position samples."""
    left, right = [rows[0] for rows in left], [rows[0] for rows in right]
    if weights is not None:
        left = [[w * x for x in row] for w, row in zip(weights, left)]
    columns = transposed(right)
    return [[numbers.dot(c, d) / count for d in columns] for c in transposed(left)]


# ---------------------------------------------------------------- one case


class Spec:
    def __init__(self, name, title, purpose, flags, network, weights, inputs, likelihood, targets,
                 wants=(), digits=DIGITS):  # fmt: skip
        self.name, self.title, self.purpose, self.flags = name, title, purpose, flags
        self.network, self.weights, self.inputs = network, weights, inputs
        self.likelihood, self.targets = likelihood, targets
        self.wants, self.digits, self.sizes = set(wants), digits, PRIME_SIZES

    def but(self, sizes):
        self.sizes = sizes
        return self


def write(spec, folder):
    numbers = Certified(spec.digits)
    targets = spec.targets["labels" if "labels" in spec.targets else "targets"]
    targets = [int(y) for y in targets] if "labels" in spec.targets else targets
    likelihood = Likelihood(numbers, spec.likelihood, targets)
    computed = Computed(numbers, spec.network, spec.weights, spec.inputs, likelihood)
    case = Case(
        "T1",
        spec.name,
        spec.title,
        spec.purpose,
        spec.flags,
        {"network": spec.network, "likelihood": spec.likelihood},
        {
            "N": computed.count,
            "C": len(computed.outputs[0]),
            "sizes": spec.sizes,
            "source": "SplitMix64, multiples of 1/16",
        },
        {
            "arithmetic": f"mpmath {spec.digits} digits, rounded once",
            "versions": {"mpmath": mpmath.__version__},
            "references": ["spec 2-6", "spec 8"],
        },
        split="2, last block shorter" if "split" in spec.wants else "none",
        eigvecs="columns; none stored",
    )
    case.floor = 10.0 ** -min(spec.digits - 10, 330)
    add_forward(case, spec, computed)
    add_factors(case, spec, computed)
    add_blocks(case, spec, computed)
    add_damped(case, spec, computed)
    add_steps(case, spec, computed)
    return case.write(folder)


def add_forward(case, spec, computed):
    numbers, layers = computed.numbers, list(enumerate(computed.layers, 1))
    size = max(len(w[0]) for w in computed.weights)
    case.stage("inputs", [], "bits")
    case.add("inputs", spec.inputs.tolist())
    for key, array in spec.targets.items():
        case.add(key, array.tolist(), integer=key == "labels")
    for index, w in enumerate(spec.weights, 1):
        case.add(f"layer{index}.weights", w.tolist())
    case.stage("forward", ["inputs"], "relative-frobenius")
    # What repeats other arrays is left out: the first input of a dense chain, and the Jacobian and
    # gradient at a last dense layer, which are the identity and output.gradient.
    nodes = spec.network["nodes"]
    for index, layer in layers[1:] if nodes[0]["operation"] == "dense" else layers:
        case.add(f"layer{index}.a", layer.block.a, n=size)
    case.add("logits", computed.outputs, n=size)
    case.add("losses", computed.losses, n=size, kappa=computed.kappa)
    case.add("loss", sum(computed.losses) / computed.count, n=size, kappa=computed.kappa)
    case.stage("loss-hessian", ["forward"], "relative-frobenius")
    case.add("output.gradient", computed.gradients, n=size, kappa=computed.kappa)
    hessians = [outer_sum(numbers, [v for _, v in c], [w for w, _ in c]) for c in computed.columns]
    case.add("hessian", hessians, n=size, kappa=computed.kappa)
    if "root" in spec.wants:
        result = [roots(numbers, c) for c in computed.columns]
        case.add("hessian.root", result, n=size, kappa=computed.kappa)
    case.stage("back-propagated", ["forward", "loss-hessian"], "relative-frobenius")
    for index, layer in layers:
        if index < len(layers) or nodes[-1]["operation"] != "dense":
            case.add(f"layer{index}.jacobian", layer.block.jacobian, n=size)
            case.add(f"layer{index}.g", layer.block.g, n=size, kappa=computed.kappa)
        case.add(
            f"layer{index}.gradient",
            uncvec(layer.gradient, layer.rows),
            n=size,
            kappa=computed.kappa,
        )


def add_factors(case, spec, computed):
    case.stage("factors", ["forward", "back-propagated"], "relative-frobenius")
    for index, layer in enumerate(computed.layers, 1):
        for name, matrix in (("A", layer.a), ("G", layer.g), ("G.empirical", layer.g_empirical)):
            case.add(f"layer{index}.{name}", matrix, n=len(matrix), kappa=computed.kappa)
        if layer.positions > 1:
            case.add(f"layer{index}.A.reduce", layer.a_reduce, n=len(layer.a))
            g_reduce = layer.g_reduce
            case.add(f"layer{index}.G.reduce", g_reduce, n=len(g_reduce), kappa=computed.kappa)
        if "eigen" in spec.wants:
            for name, matrix in (("A", layer.a), ("G", layer.g)):
                values = computed.numbers.eigen(matrix)[0]
                kappa = computed.kappa
                case.add(f"layer{index}.{name}.eigenvalues", values, n=len(values), kappa=kappa)


def add_blocks(case, spec, computed):
    numbers = computed.numbers
    case.stage("block", ["forward", "back-propagated"], "relative-frobenius")
    for index, layer in enumerate(computed.layers, 1):
        name, sizes, n = f"layer{index}", (len(layer.a), len(layer.g)), len(layer.fisher)
        case.add(f"{name}.block", layer.fisher, n=n, kappa=computed.kappa)
        if "empirical" in spec.wants:
            empirical = layer.fisher_empirical
            case.add(f"{name}.block.empirical", empirical, n=n, kappa=computed.kappa)
        if "ekfac" in spec.wants:
            basis = Eigenbasis(numbers, layer, computed.weights_flat, computed.count)
            case.add(f"{name}.ekfac", basis.matrix(), n=n, kappa=basis.kappa)
            moments = uncvec(basis.moments, layer.rows)
            case.add(f"{name}.second-moments", moments, n=n, kappa=basis.kappa)
        if "split" in spec.wants:
            cut = kronecker(pinched(numbers, layer.a, 2), pinched(numbers, layer.g, 2))
            case.add(f"{name}.kfac-split-2", cut, n=n)
    if "fisher" in spec.wants:
        fisher = computed.fisher()
        case.add("fisher", fisher, n=len(fisher), kappa=computed.kappa)
    case.stage("block", ["block"], "relative-frobenius", gauge="kron-scale")
    for index, layer in enumerate(computed.layers, 1):
        name, sizes, n = f"layer{index}", (len(layer.a), len(layer.g)), len(layer.fisher)
        if "nearest" in spec.wants:
            a, g, kappa = nearest_kronecker(numbers, layer.fisher, *sizes)
            case.add(f"{name}.nearest-kronecker.A", a, n=n, kappa=kappa)
            case.add(f"{name}.nearest-kronecker.G", g, n=n, kappa=kappa)
            a, g = tkfac(numbers, layer.fisher, *sizes)
            case.add(f"{name}.tkfac.A", a, n=n)
            case.add(f"{name}.tkfac.G", g, n=n)
        if "kl" in spec.wants:
            a, g = kl_kronecker(numbers, plus_identity(layer.fisher, 0.1), *sizes)
            kappa = condition(numbers, layer.fisher, 0.1)
            case.add(f"{name}.kl-kronecker.A.0.1", a, n=n, kappa=kappa)
            case.add(f"{name}.kl-kronecker.G.0.1", g, n=n, kappa=kappa)


def add_damped(case, spec, computed):
    numbers = computed.numbers
    if "damped" not in spec.wants:
        return
    case.stage("damped", ["factors"], "relative-frobenius")
    for index, layer in enumerate(computed.layers, 1):
        for damping in DAMPINGS:
            added = deltas(numbers, "pi", layer.a, layer.g, damping)
            case.add(f"layer{index}.damping.pi.{damping}", added, n=len(layer.a))
    case.stage("inverse", ["damped"], "relative-frobenius")
    for index, layer in enumerate(computed.layers, 1):
        added = deltas(numbers, "pi", layer.a, layer.g, 0.001)
        for factor, matrix, delta in zip("AG", (layer.a, layer.g), added):
            result = inverse(numbers, plus_identity(matrix, delta))
            kappa = condition(numbers, matrix, delta)
            name = f"layer{index}.{factor}.inverse.pi.0.001"
            case.add(name, result, n=len(matrix), kappa=kappa)


def add_steps(case, spec, computed):
    numbers = computed.numbers
    case.stage("step", ["factors", "block", "back-propagated"], "relative-frobenius")
    dampings = DAMPINGS if spec.wants & {"rules", "cg"} else DAMPINGS[:1]
    for index, layer in enumerate(computed.layers, 1):
        pairs = {"kfac": (layer.a, layer.g)}
        if layer.positions > 1:
            pairs["kfac-reduce"] = layer.a_reduce, layer.g_reduce
        if "split" in spec.wants:
            cut = pinched(numbers, layer.a, 2), pinched(numbers, layer.g, 2)
            pairs["kfac-split-2"] = cut
        for damping in dampings:
            for structure, pair in pairs.items():
                add_kronecker_steps(case, spec, numbers, index, layer, structure, pair, damping)
            n, kappa = len(layer.fisher), condition(numbers, layer.fisher, damping)
            x = solve_vector(numbers, plus_identity(layer.fisher, damping), layer.gradient)
            name = f"layer{index}.step.block-diagonal.exact.{damping}"
            case.add(name, uncvec(x, layer.rows), n=n, kappa=kappa)
            if "ekfac" in spec.wants:
                basis = Eigenbasis(numbers, layer, computed.weights_flat, computed.count)
                x = basis.solve(layer.gradient, damping)
                name = f"layer{index}.step.ekfac.exact.{damping}"
                case.add(name, x, n=n, kappa=kappa * basis.kappa)
            if "cg" in spec.wants:
                add_iterates(case, numbers, index, layer, damping)
    if "fisher" in spec.wants:
        fisher = computed.fisher()
        flat = [x for layer in computed.layers for x in layer.gradient]
        for damping in dampings:
            step = solve_vector(numbers, plus_identity(fisher, damping), flat)
            kappa = condition(numbers, fisher, damping)
            add_parts(case, computed, step, f"exact.exact.{damping}", len(fisher), kappa)
    if "tridiagonal" in spec.wants:
        for damping in DAMPINGS:
            parts = block_tridiagonal(numbers, computed, damping)
            flat = [x for part in parts for x in part]
            kappa = 1
            for layer in computed.layers:
                added = deltas(numbers, "pi", layer.a, layer.g, damping)
                here = condition(numbers, layer.a, added[0]) * condition(numbers, layer.g, added[1])
                kappa = max(kappa, here)
            name = f"block-tridiagonal.pi.{damping}"
            add_parts(case, computed, flat, name, len(flat), kappa)


def add_parts(case, computed, flat, name, n, kappa):
    start = 0
    for index, layer in enumerate(computed.layers, 1):
        part = flat[start : start + len(layer.gradient)]
        start += len(part)
        case.add(f"layer{index}.step.{name}", uncvec(part, layer.rows), n=n, kappa=kappa)


def add_kronecker_steps(case, spec, numbers, index, layer, structure, pair, damping):
    a, g = pair
    v, n = uncvec(layer.gradient, layer.rows), len(layer.fisher)
    for rule in RULES if "rules" in spec.wants and structure == "kfac" else ("pi",):
        in_a, in_g = deltas(numbers, rule, a, g, damping)
        x = kronecker_solve(numbers, plus_identity(a, in_a), plus_identity(g, in_g), v)
        kappa = condition(numbers, a, in_a) * condition(numbers, g, in_g)
        case.add(f"layer{index}.step.{structure}.{rule}.{damping}", x, n=n, kappa=kappa)
    product = kronecker(a, g)
    x = solve_vector(numbers, plus_identity(product, damping), layer.gradient)
    kappa = condition(numbers, product, damping)
    name = f"layer{index}.step.{structure}.exact.{damping}"
    case.add(name, uncvec(x, layer.rows), n=n, kappa=kappa)


def add_iterates(case, numbers, index, layer, damping):
    """Iterates 1...3 for both readings of CG-FAC, A kron G and the exact block (spec 6.1)."""
    matrices = {"kronecker": kronecker(layer.a, layer.g), "exact-block": layer.fisher}
    for name, matrix in matrices.items():
        damped = plus_identity(matrix, damping)
        iterates = conjugate_gradients(
            numbers, functools.partial(apply, numbers, damped), layer.gradient, 3
        )
        shaped = [uncvec(x, layer.rows) for x in iterates]
        kappa = condition(numbers, matrix, damping)
        case.add(f"layer{index}.cg.{name}.{damping}", shaped, n=len(matrix), kappa=kappa)


# ---------------------------------------------------------------- the cases


def draw(seed, network, examples, outputs, likelihood):
    """Weights in -1...1, inputs in -0.5...1, multiples of 1/16; every bias is at least 1/16."""
    generator = SplitMix64(seed)
    weights = []
    for parameters in network["parameters"]:
        w = generator.array((parameters["rows"], parameters["columns"]), -16, 16, 16)
        w[:, -1] = generator.array((len(w),), 1, 12, 16)
        weights.append(w)
    kind, size = next(iter(network["inputShape"].items()))
    dimension = size if kind == "vector" else math.prod(size.values())
    inputs = generator.array((examples, dimension), -8, 16, 16)
    if likelihood["name"] == "categorical":
        labels = [generator.integer(0, outputs - 1) for _ in range(examples)]
        return weights, inputs, {"labels": np.array(labels)}
    if likelihood["name"] == "bernoulli":
        return weights, inputs, {"targets": generator.array((examples, outputs), 0, 1)}
    return weights, inputs, {"targets": generator.array((examples, outputs), -12, 20, 16)}


CATEGORICAL, BERNOULLI = {"name": "categorical"}, {"name": "bernoulli"}


def gaussian(variance):
    return {"name": "gaussian", "variance": variance}


def dense(seed, activation, likelihood, widths, examples, wants, name=None, title=None,
          purpose="All stages of a smooth network.", flags=CURVATURE, digits=DIGITS):  # fmt: skip
    network = chain(widths, activation)
    weights, inputs, targets = draw(seed, network, examples, widths[-1], likelihood)
    sizes = "-".join(map(str, widths))
    name = name or f"{activation}-{likelihood['name']}-{sizes}"
    title = title or f"Network {sizes}, {activation}, {likelihood['name']}"
    return Spec(
        name, title, purpose, flags, network, weights, inputs, likelihood, targets, wants, digits
    )


def shared(seed, name, title, purpose, flags, network, likelihood, outputs, examples, wants):
    weights, inputs, targets = draw(seed, network, examples, outputs, likelihood)
    return Spec(name, title, purpose, flags, network, weights, inputs, likelihood, targets, wants)


SEQUENCE_EXPAND = {
    "inputShape": {"sequence": {"positions": 5, "features": 11}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="tanh"),
        node("flatten", 2),
    ],
    "parameters": [block(1, 3, 12)],
}
SEQUENCE_REDUCE = {
    "inputShape": {"sequence": {"positions": 11, "features": 7}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="logistic"),
        node("meanOverPositions", 2),
        node("dense", 3, parameters=1),
    ],
    "parameters": [block(1, 3, 8), block(2, 5, 4)],
}
CONVOLUTION = {
    "inputShape": {"image": {"channels": 2, "height": 3, "width": 5}},
    "nodes": [
        node("convolution", 0, parameters=0, window=window((2, 1), (1, 2), (1, 0))),
        node("activation", 1, activation="tanh"),
        node("meanPooling", 2, window=window((2, 3), (2, 1))),
        node("flatten", 3),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 5), block(2, 5, 7)],
}
TIED = {
    "inputShape": {"vector": 3},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="tanh"),
        node("dense", 2, parameters=0),
        node("activation", 3, activation="tanh"),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 4), block(2, 5, 4)],
}
RESIDUAL = {
    "inputShape": {"vector": 7},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="softplus"),
        node("dense", 2, parameters=1),
        node("activation", 3, activation="tanh"),
        node("addition", 2, 4),
        node("dense", 5, parameters=2),
    ],
    "parameters": [block(1, 3, 8), block(2, 3, 4), block(3, 5, 4)],
}


def with_last_bias(spec, bias):
    spec.weights[-1][:, -1] = bias
    return spec


def specs():
    small, wide = (7, 3, 5), (5, 3, 7)
    yield dense(101, "tanh", CATEGORICAL, small, 11, ["fisher", "eigen", "damped"])
    yield dense(102, "tanh", gaussian(0.75), wide, 11, ["eigen", "ekfac", "damped", "root"])
    yield dense(103, "tanh", BERNOULLI, small, 11, ["rules", "damped", "root"], flags=DAMPED)
    yield dense(104, "logistic", CATEGORICAL, wide, 11, ["empirical", "ekfac", "root"])
    yield dense(
        105, "logistic", gaussian(1.5), small, 11, ["rules"], flags=DAMPED + ["M-08", "M-09"]
    )
    yield dense(106, "logistic", BERNOULLI, wide, 11, ["eigen", "empirical"])
    yield dense(107, "softplus", CATEGORICAL, wide, 11, ["nearest"])
    yield dense(108, "softplus", gaussian(0.75), small, 11, ["nearest", "eigen"])
    yield dense(109, "softplus", BERNOULLI, small, 11, ["eigen"])
    yield dense(
        110, "tanh", CATEGORICAL, (11, 3, 5, 7), 13, ["tridiagonal"],
        purpose="Three layers: cross-layer blocks and the block-tridiagonal inverse.",
        flags=["M-23", "M-24"],
    )  # fmt: skip
    yield dense(
        111, "logistic", gaussian(1.5), (11, 3, 5, 7), 13, ["tridiagonal"],
        purpose="Three layers: cross-layer blocks and the block-tridiagonal inverse.",
        flags=["M-23", "M-24"],
    )  # fmt: skip
    yield dense(
        112, "tanh", CATEGORICAL, small, 11, ["kl", "nearest"], name="kl-tanh-categorical",
        purpose="The Kronecker product nearest in the Stein divergence at damping 0.1.",
    )  # fmt: skip
    yield dense(
        113, "softplus", BERNOULLI, wide, 11, ["kl"], name="kl-softplus-bernoulli",
        purpose="The Kronecker product nearest in the Stein divergence at damping 0.1.",
    )  # fmt: skip
    yield dense(
        114, "tanh", CATEGORICAL, small, 11, ["ekfac", "nearest", "eigen"],
        name="ekfac-tanh-categorical", purpose="EKFAC's matrix beside the nearest Kronecker product.",
        flags=["M-44", "M-49", "M-50"],
    )  # fmt: skip
    yield dense(
        115, "softplus", gaussian(0.75), small, 11, ["ekfac", "split"],
        name="split-softplus-gaussian", purpose="Factors cut to blocks of 2, then damped.",
        flags=["M-60", "M-61", "M-50"],
    )  # fmt: skip
    yield dense(
        116, "logistic", CATEGORICAL, wide, 11, ["cg"], name="cg-logistic-categorical",
        purpose="The first three iterates of both readings of CG-FAC.", flags=["M-64", "M-65", "M-66"],
    )  # fmt: skip
    yield dense(
        117, "tanh", BERNOULLI, small, 11, ["cg"], name="cg-tanh-bernoulli",
        purpose="The first three iterates of both readings of CG-FAC.", flags=["M-64", "M-65", "M-66"],
    )  # fmt: skip
    yield dense(
        118, "tanh", CATEGORICAL, small, 1, [], name="one-example",
        purpose="KFAC is the exact block for one example.", flags=["M-14", "M-15"],
    ).but(EXCEPTIONS["one example"])  # fmt: skip
    yield shared(
        121, "sequence-expand", "A dense layer shared by 5 positions, tanh, flattened, Gaussian",
        "The factors of expand and reduce on the same layers.", ["M-51", "M-53", "M-54", "M-55"],
        SEQUENCE_EXPAND, gaussian(0.75), 15, 7, ["eigen", "ekfac"],
    )  # fmt: skip
    yield shared(
        122, "sequence-reduce", "A layer shared by 11 positions, mean over them, categorical",
        "The factors of expand and reduce on the same layers.", ["M-51", "M-53", "M-54", "M-55"],
        SEQUENCE_REDUCE, CATEGORICAL, 5, 13, [],
    )  # fmt: skip
    yield shared(
        723, "convolution", "A 2x1 convolution, tanh, mean pooling 2x3, a dense layer, categorical",
        "Unfolding, padding, stride and pooling.", ["M-53", "M-54", "M-56", "M-57"],
        CONVOLUTION, CATEGORICAL, 5, 7, ["ekfac"],
    ).but(EXCEPTIONS["convolution"])  # fmt: skip
    yield shared(
        124, "tied", "One tanh block used twice, then a dense layer, categorical",
        "The gradient of a tied block sums over its uses before the outer product.",
        ["M-51", "M-53"], TIED, CATEGORICAL, 5, 7, [],
    ).but(EXCEPTIONS["tied"])  # fmt: skip
    yield shared(
        125, "residual", "A skip connection, softplus and tanh, Bernoulli",
        "Cotangents add where paths join.", ["M-23", "M-24"], RESIDUAL, BERNOULLI, 5, 11, ["fisher"],
    ).but(EXCEPTIONS["addition"])  # fmt: skip
    for gap in (10, 20, 30):
        yield with_last_bias(
            dense(
                130 + gap, "tanh", CATEGORICAL, small, 11, ["root"], name=f"gap-{gap}",
                title=f"Network 7-3-5, tanh, categorical, logits about {gap} apart",
                purpose="Small probabilities: p - p p' cancels, the root form does not.",
                flags=["M-20", "M-21", "M-67"],
            ), [gap, 0, -0.5, 0.25, -0.25],
        )  # fmt: skip
    far = [500, 0, -500, 250, -250]
    yield with_last_bias(
        dense(
            171, "tanh", CATEGORICAL, small, 11, [], name="saturated-categorical",
            title="Network 7-3-5, tanh, categorical, logits near 500, 250, 0, -250 and -500",
            purpose="No overflow and no NaN where the exponential of a logit overflows.",
            flags=["M-20"], digits=700,
        ), far,
    )  # fmt: skip
    yield with_last_bias(
        dense(
            172, "tanh", BERNOULLI, small, 11, [], name="saturated-bernoulli",
            title="Network 7-3-5, tanh, Bernoulli, logits near 500, 250, 0, -250 and -500",
            purpose="No overflow and no NaN where the exponential of a logit overflows.",
            flags=["M-20"], digits=700,
        ), far,
    )  # fmt: skip


def cases():
    """A function per case, which writes it below a folder and returns its line of the index."""
    return [functools.partial(write, spec) for spec in specs()]
