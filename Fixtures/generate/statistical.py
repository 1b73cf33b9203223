"""Tier T3: the Monte-Carlo Fisher matrix as an estimator. Its mean and its covariance by
enumeration of the labels (categorical, Bernoulli) or by Isserlis' theorem (Gaussian), at 50 digits.

With M labels per example the estimator is 1/(N M) sum_nm u u', u the gradient at a label drawn from
the model. Stored is the covariance for M = 1; divide by M."""

import functools
import itertools

import mpmath

from case_writer import Case
from certified import BERNOULLI, CATEGORICAL, dense, gaussian
from certified_numbers import DIGITS, Certified, Likelihood
from certified_statistics import divided
from scalar_algebra import combine, gradient_vector, outer_sum
from scalar_network import run


def labels(numbers, likelihood, z):
    """[(probability, gradient in z)] over every label."""
    p = likelihood.probabilities(z)
    if likelihood.name == "categorical":
        return [(w, [s - int(i == y) for i, s in enumerate(p)]) for y, w in enumerate(p)]
    result = []
    for y in itertools.product((0, 1), repeat=len(z)):
        w = numbers.one
        for bit, s in zip(y, z):
            w = w * numbers.logistic(s if bit else -s)
        result.append((w, [q - bit for q, bit in zip(p, y)]))
    return result


def pairs(size):
    """The entries of a symmetric matrix once: the lower triangle, column by column."""
    return [(i, j) for j in range(size) for i in range(j, size)]


def covariance(numbers, examples, size, gaussian_model):
    """Covariance of 1/N sum_n x x' over the lower triangle. `examples` holds for each n the list of
    (probability, x), or for a Gaussian (weight, x) with covariance sum weight x x'."""
    entries = pairs(size)
    total = [[numbers.zero] * len(entries) for _ in entries]
    for one in examples:
        weights, vectors = [w for w, _ in one], [x for _, x in one]
        second = outer_sum(numbers, vectors, weights)
        if not gaussian_model:
            products = [[x[i] * x[j] for i, j in entries] for x in vectors]
            fourth = outer_sum(numbers, products, weights)
        for p, (i, j) in enumerate(entries):
            for q, (k, m) in enumerate(entries):
                if gaussian_model:
                    value = second[i][k] * second[j][m] + second[i][m] * second[j][k]
                else:
                    value = fourth[p][q] - second[i][j] * second[k][m]
                total[p][q] = total[p][q] + value
    return divided(total, len(examples) ** 2)


def write(spec, folder):
    numbers = Certified(spec.digits)
    targets = spec.targets["labels" if "labels" in spec.targets else "targets"]
    likelihood = Likelihood(numbers, spec.likelihood, targets)
    weights = [numbers.matrix(w) for w in spec.weights]
    outputs, _, blocks = run(
        spec.network, weights, numbers, numbers.matrix(spec.inputs), likelihood.gradient
    )
    case = Case(
        "T3",
        spec.name,
        spec.title,
        spec.purpose,
        spec.flags,
        {"network": spec.network, "likelihood": spec.likelihood},
        {
            "N": len(outputs),
            "C": len(outputs[0]),
            "samples": 1,
            "sizes": "2-2-3: the covariance of P weights has (P (P + 1) / 2)^2 entries",
            "source": "SplitMix64, multiples of 1/16",
        },
        {
            "arithmetic": f"mpmath {spec.digits} digits, rounded once; labels enumerated or Isserlis",
            "versions": {"mpmath": mpmath.__version__},
            "references": ["spec 2.3", "Isserlis 1918"],
        },
        fisher="mc(M): mean and covariance of the estimator for M = 1; divide the covariance by M",
    )
    case.stage("inputs", [], "bits")
    case.add("inputs", spec.inputs.tolist())
    for index, w in enumerate(spec.weights, 1):
        case.add(f"layer{index}.weights", w.tolist())
    case.stage("forward", ["inputs"], "relative-frobenius")
    case.add("logits", outputs, n=7)
    is_gaussian = likelihood.name == "gaussian"
    case.stage("factors", ["forward"], "standard-errors")
    gs, us = [], []
    block = blocks[0]
    for n, z in enumerate(outputs):
        found = likelihood.columns(z) if is_gaussian else labels(numbers, likelihood, z)
        pulled = [(w, combine(numbers, block.jacobian[n], v)) for w, v in found]
        gs.append([(w, g[0]) for w, g in pulled])
        us.append([(w, gradient_vector(numbers, block.a[n], g)) for w, g in pulled])
    for name, samples in (("layer1.G", gs), ("layer1.block", us)):
        if name == "layer1.block":
            case.stage("block", ["forward"], "standard-errors")
        flat = [pair for one in samples for pair in one]
        size = len(flat[0][1])
        mean = outer_sum(numbers, [x for _, x in flat], [w for w, _ in flat])
        case.add(name, divided(mean, len(samples)), n=size)
        result = covariance(numbers, samples, size, is_gaussian)
        case.add(f"{name}.covariance", result, n=size)
    return case.write(folder)


def specs():
    purpose = (
        "A Monte-Carlo estimator is right when its mean and its spread are; one draw shows neither."
    )
    flags = ["M-07", "M-18", "M-19"]
    for seed, activation, likelihood in (
        (501, "tanh", CATEGORICAL),
        (502, "logistic", gaussian(0.75)),
        (503, "softplus", BERNOULLI),
    ):
        name = f"monte-carlo-{likelihood['name']}"
        yield dense(
            seed, activation, likelihood, (2, 2, 3), 7, [], name=name,
            title=f"Monte-Carlo Fisher matrix of a network 2-2-3, {activation}, {likelihood['name']}",
            purpose=purpose, flags=flags, digits=DIGITS,
        )  # fmt: skip


def cases():
    """A function per case, which writes it below a folder and returns its line of the index."""
    return [functools.partial(write, spec) for spec in specs()]
