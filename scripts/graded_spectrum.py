#!/usr/bin/env python3
"""Prints the literals of Tests/DenseAlgebraTests/GradedSpectrumTests.swift.

X = D B with B a small-integer matrix and D powers of two in scrambled order, so that X and X X^T are
exact in binary. Eigenvalues of X X^T with mpmath 1.3.0 at 80 digits, printed to 20;
kappa(B) bounds what an accurate method may lose.

    pip install mpmath==1.3.0 && python3 scripts/graded_spectrum.py
"""

import mpmath as mp

mp.mp.dps = 80


def matrices(rows, columns):
    b = mp.matrix(rows, columns)
    x = mp.matrix(rows, columns)
    for i in range(rows):
        for j in range(columns):
            b[i, j] = (7 * i + 3 * j + i * j) % 5 - 2 + (10 if i == j else 0)
            x[i, j] = b[i, j] * mp.mpf(2) ** (-3 * (5 * i % rows))
    return b, x


for rows, columns in [(12, 12), (9, 20)]:
    b, x = matrices(rows, columns)
    eigenvalues = sorted(mp.eigsy(x * x.T, eigvals_only=True))
    squares = mp.eigsy(b * b.T, eigvals_only=True)
    print(f"// {rows} x {columns}, kappa(B) = {mp.nstr(mp.sqrt(max(squares) / min(squares)), 5)}")
    for value in eigenvalues:
        print(mp.nstr(value, 20) + ",")
