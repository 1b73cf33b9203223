#!/usr/bin/env python3
"""Writes Fixtures/matrices: classical test matrices with certified answers.

Each file holds one matrix of doubles, exactly as stored, and for exactly that matrix its eigenvalues,
singular values, inverse, log |determinant| and the solution of one linear system: computed with
mpmath at 50 digits and again at 80, each number rounded once to the nearest double, and written only
if both give the same doubles. Matrices of 50 rows have no inverse, to keep the files small.

    python3 Fixtures/generate/matrices.py            # write the files
    python3 Fixtures/generate/matrices.py --check    # exit code 1 if a file would change
"""

import argparse
import json
import pathlib
import sys

import mpmath

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "matrices"


def by_entry(n, entry):
    return [[float(entry(i, j)) for j in range(n)] for i in range(n)]


def binomial(n, k):
    return int(mpmath.binomial(n, k))


def graded_factor(n, bits):
    """X = D B: powers of two 1 ... 2^-bits in scrambled order, whole B of condition below 5."""
    exponents = [round(bits * (3 * i % n) / (n - 1)) for i in range(n)]

    def entry(i, j):
        whole = (7 * i + 3 * j + i * j) % 5 - 2 + (10 if i == j else 0)
        return whole * 2.0 ** -exponents[i]

    return by_entry(n, entry)


def times_transpose(x):
    """X Xᵀ, which is exact here: whole numbers times powers of two."""
    with mpmath.workdps(80):
        m = mpmath.matrix(x)
        product = m * m.T
        entries = [[float(product[i, j]) for j in range(len(x))] for i in range(len(x))]
        assert all(product[i, j] == entries[i][j] for i in range(len(x)) for j in range(len(x)))
    return entries


def kahan(n):
    """Upper triangular, rows sⁱ(0 … 0 1 −c … −c) with s = sin 1.2 and c = cos 1.2."""
    s, c = mpmath.sin("1.2"), mpmath.cos("1.2")
    return by_entry(n, lambda i, j: 0 if i > j else s**i * (1 if i == j else -c))


def rosser():
    return [
        [float(x) for x in row]
        for row in [
            [611, 196, -192, 407, -8, -52, -49, 29],
            [196, 899, 113, -192, -71, -43, -8, -44],
            [-192, 113, 899, 196, 61, 49, 8, 52],
            [407, -192, 196, 611, 8, 44, 59, -23],
            [-8, -71, 61, 8, 411, -599, 208, 208],
            [-52, -43, 49, 44, -599, 411, 208, 208],
            [-49, -8, 8, 59, 208, 208, 99, -911],
            [29, -44, 52, -23, 208, 208, -911, 99],
        ]
    ]


def lehmer(n):
    return by_entry(n, lambda i, j: (min(i, j) + 1) / (max(i, j) + 1))


def cases():
    """Pairs of a name and the rows of the matrix, and for graded ones the factor X of A = X Xᵀ."""
    for n in [3, 5, 8, 12]:
        yield f"hilbert-{n}", by_entry(n, lambda i, j: 1 / (i + j + 1)), None
    for n in [5, 10, 15]:
        yield f"pascal-{n}", by_entry(n, lambda i, j: binomial(i + j, i)), None
    for n in [5, 20, 50]:
        yield f"minij-{n}", by_entry(n, lambda i, j: min(i, j) + 1), None
        yield (
            f"toeplitz-{n}",
            by_entry(n, lambda i, j: 2 if i == j else -1 if abs(i - j) == 1 else 0),
            None,
        )
    for n in [5, 20]:
        yield f"lehmer-{n}", lehmer(n), None
    for name, factor in [("huge", 2.0**500), ("tiny", 2.0**-500)]:
        yield f"lehmer-10-{name}", [[factor * x for x in row] for row in lehmer(10)], None
    for n in [5, 10, 15]:
        yield f"moler-{n}", by_entry(n, lambda i, j: i + 1 if i == j else min(i, j) - 1), None
    for n in [7, 21]:
        yield (
            f"wilkinson-{n}",
            by_entry(n, lambda i, j: abs(i - n // 2) if i == j else 1 if abs(i - j) == 1 else 0),
            None,
        )
    for n in [5, 10, 20]:
        for digits in [4, 8, 14, 20]:
            x = graded_factor(n, round(digits / 2 * 3.3219))
            yield f"graded-1e{digits}-{n}", times_transpose(x), x
    yield "rosser-8", rosser(), None
    for n in [5, 10, 20]:
        yield f"kahan-{n}", kahan(n), None
    for n in [5, 12]:
        yield (
            f"frank-{n}",
            by_entry(n, lambda i, j: n - max(i, j) if j >= i - 1 else 0),
            None,
        )
    # Elimination must exchange rows here; with growth-20 the exchanges do not help, pivots reach 2^19.
    for n in [2, 8]:
        yield (
            f"tinypivot-{n}",
            by_entry(n, lambda i, j: 2.0**-60 if i == j else 1 / (1 + abs(i - j))),
            None,
        )
    yield (
        "growth-20",
        by_entry(20, lambda i, j: 1 if i == j or j == 19 else -1 if i > j else 0),
        None,
    )
    for n in [5, 10]:
        yield f"vandermonde-{n}", by_entry(n, lambda i, j: ((i + 1) / 8) ** j), None


def answers(rows, digits):
    """The certified numbers, rounded once."""
    with mpmath.workdps(digits):
        n = len(rows)
        a = mpmath.matrix(rows)
        found = {}
        if a == a.T:
            eigenvalues = sorted(mpmath.eigsy(a, eigvals_only=True))
            largest = max(abs(x) for x in eigenvalues)
            # What is zero up to the working precision is zero: only the Rosser matrix has one.
            zero = largest * mpmath.mpf(10) ** (10 - digits)
            found["eigenvalues"] = [0.0 if abs(x) < zero else float(x) for x in eigenvalues]
        singular = sorted(mpmath.svd_r(a, compute_uv=False), reverse=True)
        isSingular = singular[-1] < singular[0] * mpmath.mpf(10) ** (10 - digits)
        found["singularValues"] = [float(x) for x in singular[:-1]] + [
            0.0 if isSingular else float(singular[-1])
        ]
        if isSingular:
            return found
        found["condition"] = float(singular[0] / singular[-1])
        found["logAbsoluteDeterminant"] = float(mpmath.log(abs(mpmath.det(a))))
        if abs(found["logAbsoluteDeterminant"]) < 1e-20:
            found["logAbsoluteDeterminant"] = 0.0
        right = [float((7 * i + 3) % 11 - 4) for i in range(n)]
        found["rightHandSide"] = right
        found["solution"] = [float(x) for x in mpmath.lu_solve(a, mpmath.matrix(right))]
        if n < 50:
            inverse = a**-1
            zero = max(abs(x) for x in inverse) * mpmath.mpf(10) ** -30
            # Zeros of the inverse (of a triangle, of a banded inverse) come out at round-off.
            found["inverse"] = [
                0.0 if abs(inverse[i, j]) < zero else float(inverse[i, j])
                for j in range(n)
                for i in range(n)
            ]
            scale = max(abs(x) for x in found["solution"])
            found["solution"] = [0.0 if abs(x) < scale * 1e-30 else x for x in found["solution"]]
        return found


def document(name, rows, factor):
    n = len(rows)
    found = answers(rows, 50)
    if found != answers(rows, 80):
        raise SystemExit(f"{name}: 50 and 80 digits give different doubles")
    content = {
        "schema": "natgrad-matrix-1",
        "name": name,
        "size": n,
        "order": "column-major; eigenvalues ascending, singular values descending",
        "provenance": f"mpmath {mpmath.__version__}, 50 digits rounded once, the same at 80",
        "entries": [rows[i][j] for j in range(n) for i in range(n)],
    }
    if factor:
        content["factor"] = [factor[i][j] for j in range(n) for i in range(n)]
    return json.dumps(content | found, ensure_ascii=False, indent=0).replace(",\n", ", ") + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare with the files, write nothing")
    check = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    changed, count = [], 0
    for name, rows, factor in cases():
        path = FOLDER / f"{name}.json"
        text = document(name, rows, factor)
        count += 1
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                changed.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    if changed:
        print(f"{len(changed)} of {count} files differ: {', '.join(changed)}", file=sys.stderr)
        sys.exit(1)
    print(f"{count} matrices {'are what mpmath gives' if check else 'written'}")


if __name__ == "__main__":
    main()
