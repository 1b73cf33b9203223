"""Tier T0: networks over the rationals. Up to the block every number is an integer or a dyadic
rational and is stored exactly; sums over examples are stored as sums with their divisor, so that
no division is needed. Damped matrices, inverses and steps are rationals, rounded once."""

import functools
import math
from fractions import Fraction

import numpy as np

from exact_networks import (
    CONVOLUTION,
    POOLED_CONVOLUTION,
    RESIDUAL,
    SEQUENCE_FLATTEN,
    SEQUENCE_LINEAR,
    SEQUENCE_MEAN,
    SEQUENCE_MEAN_LINEAR,
    TIED,
)
from exact_numbers import Rationals
from exact_write import Spec, write
from network_parts import EXCEPTIONS
from scalar_network import chain, run
from split_mix_64 import SplitMix64

LAYOUT = ["M-10", "M-11", "M-12", "M-13", "M-14", "M-45"]
SCALE = ["M-01", "M-02", "M-03", "M-04", "M-08", "M-16"]
HIDDEN = ["M-23", "M-24", "M-48"]
SHARING = ["M-53", "M-54", "M-55"]


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
