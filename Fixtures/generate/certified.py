"""Tier T1: smooth networks by mpmath at 50 digits, every stored number rounded once to float64.
Run again with EXTRA_DIGITS = 30 the bytes stay the same (check.py --all does)."""

import functools
import math

import numpy as np

from certified_networks import CONVOLUTION, RESIDUAL, SEQUENCE_EXPAND, SEQUENCE_REDUCE, TIED
from certified_numbers import DIGITS
from certified_write import Spec, write
from network_parts import EXCEPTIONS
from scalar_network import chain
from split_mix_64 import SplitMix64

CURVATURE = ["M-17", "M-18", "M-20", "M-21", "M-22", "M-23", "M-24", "M-25"]
NOT_WITH = {  # no softmax, no probabilities
    "categorical": [],
    "bernoulli": ["M-20", "M-21"],
    "gaussian": ["M-18", "M-20", "M-21", "M-22"],
}
DAMPED = ["M-27", "M-28", "M-29", "M-30", "M-31", "M-32", "M-33", "M-34", "M-35"]


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
    flags = [flag for flag in flags if flag not in NOT_WITH[likelihood["name"]]]
    sizes = "-".join(map(str, widths))
    name = name or f"{activation}-{likelihood['name']}-{sizes}"
    title = title or f"Network {sizes}, {activation}, {likelihood['name']}"
    return Spec(
        name, title, purpose, flags, network, weights, inputs, likelihood, targets, wants, digits
    )


def shared(seed, name, title, purpose, flags, network, likelihood, outputs, examples, wants):
    weights, inputs, targets = draw(seed, network, examples, outputs, likelihood)
    return Spec(name, title, purpose, flags, network, weights, inputs, likelihood, targets, wants)


SMALL_G = "G is so small beside its damping that neither its shape nor pi matters"
WITH_SMALL_G = ["M-10", "M-31", "M-42", "M-43"]


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
        purpose="The first three iterates of both readings of CG-FAC.", flags=["M-65", "M-66"],
    )  # fmt: skip
    yield dense(
        117, "tanh", BERNOULLI, small, 11, ["cg"], name="cg-tanh-bernoulli",
        purpose="The first three iterates of both readings of CG-FAC.", flags=["M-65", "M-66"],
    )  # fmt: skip
    yield dense(
        118, "tanh", CATEGORICAL, small, 1, [], name="one-example",
        purpose="KFAC is the exact block for one example.", flags=["M-14", "M-15"],
    ).but(EXCEPTIONS["one example"]).like_right(
        "N = 1: a sum is a mean, and a mean over the batch is the example",
        "M-01", "M-02", "M-03", "M-04", "M-16", "M-48",
    )  # fmt: skip
    yield shared(
        121, "sequence-expand", "A dense layer shared by 5 positions, tanh, flattened, Gaussian",
        "The factors of expand and reduce on the same layer.", ["M-53", "M-54", "M-55"],
        SEQUENCE_EXPAND, gaussian(0.75), 15, 7, ["eigen", "ekfac"],
    ).like_right(
        "every output depends on one position, so that no sum over positions has two terms", "M-51",
    )  # fmt: skip
    yield shared(
        122, "sequence-reduce", "A layer shared by 11 positions, mean over them, categorical",
        "The factors of expand and reduce on the same layers.", ["M-51", "M-53", "M-54", "M-55"],
        SEQUENCE_REDUCE, CATEGORICAL, 5, 13, ["ekfac"],
    )  # fmt: skip
    yield shared(
        723, "convolution", "A 2x1 convolution, tanh, mean pooling 2x3, a dense layer, categorical",
        "Unfolding, padding, stride and pooling.", ["M-53", "M-54", "M-56", "M-57"],
        CONVOLUTION, CATEGORICAL, 5, 7, ["ekfac"],
    ).but(EXCEPTIONS["convolution"])  # fmt: skip
    yield shared(
        124, "tied", "One tanh block used twice, then a dense layer, categorical",
        "The gradient of a tied block sums over its uses before the outer product.",
        ["M-53"], TIED, CATEGORICAL, 5, 7, [],
    ).but(EXCEPTIONS["tied"])  # fmt: skip
    yield shared(
        125, "residual", "A skip connection, softplus and tanh, Bernoulli",
        "Cotangents add where paths join.", ["M-23", "M-24"], RESIDUAL, BERNOULLI, 5, 11, ["fisher"],
    ).but(EXCEPTIONS["addition"])  # fmt: skip
    for gap in (10, 20, 30):
        spec = with_last_bias(
            dense(
                130 + gap, "tanh", CATEGORICAL, small, 11, ["root"], name=f"gap-{gap}",
                title=f"Network 7-3-5, tanh, categorical, logits about {gap} apart",
                purpose="Small probabilities: p - p p' cancels, the root form does not.",
                flags=["M-20", "M-21"],
            ), [gap, 0, -0.5, 0.25, -0.25],
        )  # fmt: skip
        yield spec if gap == 10 else spec.like_right(SMALL_G, *WITH_SMALL_G)
    far = [500, 0, -500, 250, -250]
    yield with_last_bias(
        dense(
            171, "tanh", CATEGORICAL, small, 11, [], name="saturated-categorical",
            title="Network 7-3-5, tanh, categorical, logits near 500, 250, 0, -250 and -500",
            purpose="No overflow and no NaN where the exponential of a logit overflows.",
            flags=["M-20"], digits=700,
        ), far,
    ).like_right(SMALL_G, *WITH_SMALL_G)  # fmt: skip
    yield with_last_bias(
        dense(
            172, "tanh", BERNOULLI, small, 11, [], name="saturated-bernoulli",
            title="Network 7-3-5, tanh, Bernoulli, logits near 500, 250, 0, -250 and -500",
            purpose="No overflow and no NaN where the exponential of a logit overflows.",
            flags=["M-22"], digits=700,
        ), far,
    )  # fmt: skip


def cases():
    """A function per case, which writes it below a folder and returns its line of the index."""
    return [functools.partial(write, spec) for spec in specs()]
