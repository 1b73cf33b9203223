"""Every dyadic quantity of a T0 case before the damped stage."""

import math
from fractions import Fraction

from scalar_algebra import combine, gradient_vector, outer_sum, uncvec
from scalar_network import run


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
