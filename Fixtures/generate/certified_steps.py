"""Damped matrices, inverses, steps and conjugate-gradient iterates of a T1 case."""

import functools

from certified_kronecker import Eigenbasis
from certified_statistics import condition, deltas
from certified_tridiagonal import block_tridiagonal
from scalar_algebra import (
    apply,
    conjugate_gradients,
    inverse,
    kronecker,
    kronecker_solve,
    pinched,
    plus_identity,
    solve_vector,
    uncvec,
)

DAMPINGS = (0.1, 0.001)
RULES = ("sqrt", "factor", "pi")


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
