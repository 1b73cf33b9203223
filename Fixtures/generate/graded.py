"""Tier T2: given positive semidefinite matrices of graded difficulty, by mpmath at 120 digits,
every stored number rounded once. The matrices themselves are doubles: what is certified belongs to the
rounded matrix, not to the spectrum it was built from."""

import functools

import mpmath

from case_writer import PRIME_SIZES, Case, to_double
from certified_kronecker import nearest_kronecker
from certified_numbers import Certified
from certified_statistics import condition, deltas
from scalar_algebra import (
    inverse,
    kronecker,
    kronecker_solve,
    multiply,
    plus_identity,
    solve_vector,
    transposed,
    uncvec,
)
from split_mix_64 import SplitMix64

DIGITS = 120
FLAGS = ["M-42", "M-43", "M-44", "M-67"]


class Spec:
    def __init__(self, name, title, purpose, a, g, dampings, matrix=None, undamped=True):
        self.name, self.title, self.purpose = name, title, purpose
        self.a, self.g, self.dampings = a, g, dampings
        self.matrix, self.undamped = matrix, undamped


def orthogonal(numbers, generator, size):
    """A product of two reflections with random directions."""
    q = plus_identity([[numbers.zero] * size for _ in range(size)], numbers.one)
    for _ in range(2):
        v = [numbers.number(generator.integer(-9, 9) or 1) for _ in range(size)]
        norm = numbers.dot(v, v)
        reflection = [
            [
                (numbers.one if i == j else numbers.zero) - 2 * v[i] * v[j] / norm
                for j in range(size)
            ]
            for i in range(size)
        ]
        q = multiply(numbers, q, reflection)
    return q


def rounded(matrix):
    """The nearest doubles, symmetric because the lower triangle is used twice."""
    return [
        [to_double(matrix[max(i, j)][min(i, j)]) for j in range(len(matrix))]
        for i in range(len(matrix))
    ]


def with_spectrum(numbers, seed, values):
    q = orthogonal(numbers, SplitMix64(seed), len(values))
    scaled = [[x * numbers.number(v) for x, v in zip(row, values)] for row in q]
    return rounded(multiply(numbers, scaled, transposed(q)))


def geometric(numbers, size, kappa):
    """1, ..., 1/kappa in equal ratios."""
    ratio = numbers.context.root(numbers.number(kappa), size - 1)
    return [1 / ratio**k for k in range(size)]


def logarithm_of_determinant(numbers, matrix):
    rows, total = [list(row) for row in matrix], numbers.zero
    for k in range(len(rows)):
        total = total + numbers.context.log(rows[k][k])
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k])]
    return total


def write(spec, folder):
    numbers = Certified(DIGITS)
    a, g = numbers.matrix(spec.a), numbers.matrix(spec.g)
    size_a, size_g = len(a), len(g)
    generator = SplitMix64(7 + size_a)
    v = generator.array((size_g, size_a), -15, 16, 8)
    case = Case(
        "T2",
        spec.name,
        spec.title,
        spec.purpose,
        FLAGS,
        {"kind": "factors" if spec.matrix is None else "matrix", "dA": size_a, "dG": size_g},
        {"sizes": PRIME_SIZES, "source": "SplitMix64, rounded to doubles"},
        {
            "arithmetic": f"mpmath {DIGITS} digits, rounded once",
            "versions": {"mpmath": mpmath.__version__},
            "references": ["spec 4.3", "spec 4.6", "spec 8.3"],
        },
        fisher="none",
        reduction="none",
    )
    case.floor = 1e-100
    case.stage("inputs", [], "bits")
    case.add("layer1.gradient", v.tolist())
    vector = [numbers.number(x) for x in v.T.ravel().tolist()]
    if spec.matrix is not None:
        write_matrix(case, numbers, spec, size_a, size_g, vector)
        return case.write(folder)
    case.add("layer1.A", spec.a)
    case.add("layer1.G", spec.g)
    case.stage("factors", ["inputs"], "relative-frobenius")
    spectra = {}
    for name, matrix in (("A", a), ("G", g)):
        values = spectra[name] = numbers.eigen(matrix)[0]
        case.add(f"layer1.{name}.eigenvalues", values, n=len(values))
    if spec.undamped:
        for name, matrix in (("A", a), ("G", g)):
            value = logarithm_of_determinant(numbers, matrix)
            kappa = spectra[name][-1] / spectra[name][0] / max(abs(value), 1)
            case.add(f"layer1.{name}.log-determinant", value, n=len(matrix), kappa=max(kappa, 1))
    case.stage("inverse", ["inputs"], "relative-frobenius")
    damping = spec.dampings[0]
    added = deltas(numbers, "pi", a, g, damping)
    for name, matrix, delta in (("A", a, added[0]), ("G", g, added[1])):
        case.add(
            f"layer1.{name}.inverse.pi.{damping}",
            inverse(numbers, plus_identity(matrix, delta)),
            n=len(matrix),
            kappa=(spectra[name][-1] + delta) / (abs(spectra[name][0]) + delta),
        )
    case.stage("step", ["inputs"], "relative-frobenius")
    product, n = kronecker(a, g), size_a * size_g
    for damping in spec.dampings:
        in_a, in_g = deltas(numbers, "pi", a, g, damping)
        x = kronecker_solve(
            numbers, plus_identity(a, in_a), plus_identity(g, in_g), uncvec(vector, size_g)
        )
        kappa = condition(numbers, a, in_a) * condition(numbers, g, in_g)
        case.add(f"layer1.step.kfac.pi.{damping}", x, n=n, kappa=kappa)
        x = solve_vector(numbers, plus_identity(product, damping), vector)
        kappa = condition(numbers, product, damping)
        case.add(f"layer1.step.kfac.exact.{damping}", uncvec(x, size_g), n=n, kappa=kappa)
    return case.write(folder)


def write_matrix(case, numbers, spec, size_a, size_g, vector):
    matrix = numbers.matrix(spec.matrix)
    n = len(matrix)
    case.add("layer1.block", spec.matrix)
    case.stage("block", ["inputs"], "relative-frobenius")
    case.add("layer1.eigenvalues", numbers.eigen(matrix)[0], n=n)
    case.stage("block", ["inputs"], "relative-frobenius", gauge="kron-scale")
    a, g, kappa = nearest_kronecker(numbers, matrix, size_a, size_g)
    case.add("layer1.nearest-kronecker.A", a, n=n, kappa=kappa)
    case.add("layer1.nearest-kronecker.G", g, n=n, kappa=kappa)
    case.stage("step", ["inputs"], "relative-frobenius")
    for damping in spec.dampings:
        x = solve_vector(numbers, plus_identity(matrix, damping), vector)
        kappa = condition(numbers, matrix, damping)
        name = f"layer1.step.block-diagonal.exact.{damping}"
        case.add(name, uncvec(x, size_g), n=n, kappa=kappa)


def specs():
    numbers = Certified(DIGITS)
    for exponent in (2, 4, 6, 8, 10, 12, 14):
        yield Spec(
            f"spd-1e{exponent}",
            f"Factors 7 and 3 with condition number 1e{exponent}, eigenvalues in equal ratios",
            "Cholesky, eigenvalues and damped solves at a known condition.",
            with_spectrum(numbers, 200 + exponent, geometric(numbers, 7, 10**exponent)),
            with_spectrum(numbers, 300 + exponent, geometric(numbers, 3, 10**exponent)),
            (1e-3, 1e-9),
        )
    ones = [[1.0 + (i == j) for j in range(7)] for i in range(7)]
    yield Spec(
        "repeated-eigenvalues",
        "I + 11' of size 7 and 2 I + 3 * 11' of size 3",
        "Eigenvalue 1 six times: no eigenvector is determined, every function of the matrix is.",
        ones,
        [[3.0 + 2 * (i == j) for j in range(3)] for i in range(3)],
        (1e-1, 1e-3),
    )
    base = with_spectrum(numbers, 401, geometric(numbers, 7, 100))
    holes = [
        [0.0 if i in (2, 5) or j in (2, 5) else x for j, x in enumerate(r)]
        for i, r in enumerate(base)
    ]
    yield Spec(
        "zero-rows",
        "A factor with rows and columns 2 and 5 zero",
        "Dead inputs: the factor is singular, the damped one is not.",
        holes,
        with_spectrum(numbers, 402, geometric(numbers, 3, 100)),
        (1e-1, 1e-3),
        undamped=False,
    )
    base = numbers.matrix(with_spectrum(numbers, 403, geometric(numbers, 5, 10)))
    root = [numbers.number(10) ** (-2 * k) for k in range(5)]
    graded = rounded([[x * r * s for x, s in zip(row, root)] for row, r in zip(base, root)])
    yield Spec(
        "graded-1e-16",
        "A factor of size 5 with rows graded from 1 to 1e-8, eigenvalues from 1 to about 1e-16",
        "Each eigenvalue is determined to full relative accuracy; LAPACK's dsyev finds the large ones.",
        graded,
        with_spectrum(numbers, 404, geometric(numbers, 3, 10)),
        (1e-3, 1e-12),
    )
    for name, scale, dampings in (
        ("scale-1e-150", "1e-150", (1e-153, 1e-156)),
        ("scale-1e150", "1e150", (1e147, 1e144)),
    ):
        values = geometric(numbers, 5, 100)
        yield Spec(
            name,
            f"A factor of size 5 times {scale}",
            "Squares of the entries leave the range of doubles, results do not.",
            with_spectrum(numbers, 405, [x * numbers.number(scale) for x in values]),
            with_spectrum(numbers, 406, geometric(numbers, 3, 10)),
            dampings,
        )
    for share in (2, 6):
        parts = []
        for k in range(2):
            left = numbers.matrix(with_spectrum(numbers, 410 + 2 * k, geometric(numbers, 5, 10)))
            right = numbers.matrix(with_spectrum(numbers, 411 + 2 * k, geometric(numbers, 3, 10)))
            parts.append(kronecker(left, right))
        weight = numbers.number(10) ** -share
        mixed = rounded([[x + weight * y for x, y in zip(p, q)] for p, q in zip(*parts)])
        empty = [[0.0] * 5 for _ in range(5)], [[0.0] * 3 for _ in range(3)]
        yield Spec(
            f"nearest-kronecker-1e-{share}",
            f"A Kronecker product plus 1e-{share} of another, 15 x 15",
            "The nearest Kronecker product of a given matrix.",
            *empty,
            (1e-3,),
            matrix=mixed,
        )


def cases():
    """A function per case, which writes it below a folder and returns its line of the index."""
    return [functools.partial(write, spec) for spec in specs()]
