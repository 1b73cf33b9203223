"""The block-tridiagonal step of a T1 case."""

from certified_statistics import deltas
from scalar_algebra import (
    apply,
    kronecker,
    multiply,
    plus_identity,
    solve,
    solve_vector,
    transposed,
)


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
