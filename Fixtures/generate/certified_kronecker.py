"""Approximations of one block: EKFAC, the nearest Kronecker product, TKFAC, KL-Kronecker."""

import itertools

from certified_statistics import divided
from scalar_algebra import (
    apply,
    cvec,
    inverse,
    kronecker,
    multiply,
    plus_identity,
    transposed,
    uncvec,
)


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
