"""Writes one T1 case up to the blocks; its damped stages are in certified_steps.py."""

import mpmath

from case_writer import PRIME_SIZES, Case
from certified_kronecker import Eigenbasis, kl_kronecker, nearest_kronecker, tkfac
from certified_numbers import DIGITS, Certified, Likelihood
from certified_statistics import Computed, condition, roots
from certified_steps import add_damped, add_steps
from scalar_algebra import kronecker, outer_sum, pinched, plus_identity, uncvec


class Spec:
    def __init__(self, name, title, purpose, flags, network, weights, inputs, likelihood, targets,
                 wants=(), digits=DIGITS):  # fmt: skip
        self.name, self.title, self.purpose, self.flags = name, title, purpose, flags
        self.network, self.weights, self.inputs = network, weights, inputs
        self.likelihood, self.targets = likelihood, targets
        self.wants, self.digits, self.sizes = set(wants), digits, PRIME_SIZES
        self.alike = []

    def but(self, sizes):
        self.sizes = sizes
        return self

    def like_right(self, reason, *mistakes):
        """These mistakes change less than 1e-3 here."""
        self.alike.append({"mistakes": list(mistakes), "reason": reason})
        return self


def write(spec, folder):
    numbers = Certified(spec.digits)
    targets = spec.targets["labels" if "labels" in spec.targets else "targets"]
    targets = [int(y) for y in targets] if "labels" in spec.targets else targets
    likelihood = Likelihood(numbers, spec.likelihood, targets)
    computed = Computed(numbers, spec.network, spec.weights, spec.inputs, likelihood)
    case = Case(
        "T1",
        spec.name,
        spec.title,
        spec.purpose,
        spec.flags,
        {"network": spec.network, "likelihood": spec.likelihood},
        {
            "N": computed.count,
            "C": len(computed.outputs[0]),
            "sizes": spec.sizes,
            "source": "SplitMix64, multiples of 1/16",
        },
        {
            "arithmetic": f"mpmath {spec.digits} digits, rounded once",
            "versions": {"mpmath": mpmath.__version__},
            "references": ["spec 2-6", "spec 8"],
        },
        split="2, last block shorter" if "split" in spec.wants else "none",
        eigvecs="columns; none stored",
    )
    if spec.alike:
        case.description["alike"] = spec.alike
    case.floor = 10.0 ** -min(spec.digits - 10, 330)
    add_forward(case, spec, computed)
    add_factors(case, spec, computed)
    add_blocks(case, spec, computed)
    add_damped(case, spec, computed)
    add_steps(case, spec, computed)
    return case.write(folder)


def add_forward(case, spec, computed):
    numbers, layers = computed.numbers, list(enumerate(computed.layers, 1))
    size = max(len(w[0]) for w in computed.weights)
    case.stage("inputs", [], "bits")
    case.add("inputs", spec.inputs.tolist())
    for key, array in spec.targets.items():
        case.add(key, array.tolist(), integer=key == "labels")
    for index, w in enumerate(spec.weights, 1):
        case.add(f"layer{index}.weights", w.tolist())
    case.stage("forward", ["inputs"], "relative-frobenius")
    # What repeats other arrays is left out: the first input of a dense chain, and the Jacobian and
    # gradient at a last dense layer, which are the identity and output.gradient.
    nodes = spec.network["nodes"]
    for index, layer in layers[1:] if nodes[0]["operation"] == "dense" else layers:
        case.add(f"layer{index}.a", layer.block.a, n=size)
    case.add("logits", computed.outputs, n=size)
    case.add("losses", computed.losses, n=size, kappa=computed.kappa)
    case.add("loss", sum(computed.losses) / computed.count, n=size, kappa=computed.kappa)
    case.stage("loss-hessian", ["forward"], "relative-frobenius")
    case.add("output.gradient", computed.gradients, n=size, kappa=computed.kappa)
    hessians = [outer_sum(numbers, [v for _, v in c], [w for w, _ in c]) for c in computed.columns]
    case.add("hessian", hessians, n=size, kappa=computed.kappa)
    if "root" in spec.wants:
        result = [roots(numbers, c) for c in computed.columns]
        case.add("hessian.root", result, n=size, kappa=computed.kappa)
    case.stage("back-propagated", ["forward", "loss-hessian"], "relative-frobenius")
    for index, layer in layers:
        if index < len(layers) or nodes[-1]["operation"] != "dense":
            case.add(f"layer{index}.jacobian", layer.block.jacobian, n=size)
            case.add(f"layer{index}.g", layer.block.g, n=size, kappa=computed.kappa)
        case.add(
            f"layer{index}.gradient",
            uncvec(layer.gradient, layer.rows),
            n=size,
            kappa=computed.kappa,
        )


def add_factors(case, spec, computed):
    case.stage("factors", ["forward", "back-propagated"], "relative-frobenius")
    for index, layer in enumerate(computed.layers, 1):
        for name, matrix in (("A", layer.a), ("G", layer.g), ("G.empirical", layer.g_empirical)):
            case.add(f"layer{index}.{name}", matrix, n=len(matrix), kappa=computed.kappa)
        if layer.positions > 1:
            case.add(f"layer{index}.A.reduce", layer.a_reduce, n=len(layer.a))
            g_reduce = layer.g_reduce
            case.add(f"layer{index}.G.reduce", g_reduce, n=len(g_reduce), kappa=computed.kappa)
        if "eigen" in spec.wants:
            for name, matrix in (("A", layer.a), ("G", layer.g)):
                values = computed.numbers.eigen(matrix)[0]
                kappa = computed.kappa
                case.add(f"layer{index}.{name}.eigenvalues", values, n=len(values), kappa=kappa)


def add_blocks(case, spec, computed):
    numbers = computed.numbers
    case.stage("block", ["forward", "back-propagated"], "relative-frobenius")
    for index, layer in enumerate(computed.layers, 1):
        name, sizes, n = f"layer{index}", (len(layer.a), len(layer.g)), len(layer.fisher)
        case.add(f"{name}.block", layer.fisher, n=n, kappa=computed.kappa)
        if "empirical" in spec.wants:
            empirical = layer.fisher_empirical
            case.add(f"{name}.block.empirical", empirical, n=n, kappa=computed.kappa)
        if "ekfac" in spec.wants:
            basis = Eigenbasis(numbers, layer, computed.weights_flat, computed.count)
            case.add(f"{name}.ekfac", basis.matrix(), n=n, kappa=basis.kappa)
            moments = uncvec(basis.moments, layer.rows)
            case.add(f"{name}.second-moments", moments, n=n, kappa=basis.kappa)
        if "split" in spec.wants:
            cut = kronecker(pinched(numbers, layer.a, 2), pinched(numbers, layer.g, 2))
            case.add(f"{name}.kfac-split-2", cut, n=n)
    if "fisher" in spec.wants:
        fisher = computed.fisher()
        case.add("fisher", fisher, n=len(fisher), kappa=computed.kappa)
    case.stage("block", ["block"], "relative-frobenius", gauge="kron-scale")
    for index, layer in enumerate(computed.layers, 1):
        name, sizes, n = f"layer{index}", (len(layer.a), len(layer.g)), len(layer.fisher)
        if "nearest" in spec.wants:
            a, g, kappa = nearest_kronecker(numbers, layer.fisher, *sizes)
            case.add(f"{name}.nearest-kronecker.A", a, n=n, kappa=kappa)
            case.add(f"{name}.nearest-kronecker.G", g, n=n, kappa=kappa)
            a, g = tkfac(numbers, layer.fisher, *sizes)
            case.add(f"{name}.tkfac.A", a, n=n)
            case.add(f"{name}.tkfac.G", g, n=n)
        if "kl" in spec.wants:
            a, g = kl_kronecker(numbers, plus_identity(layer.fisher, 0.1), *sizes)
            kappa = condition(numbers, layer.fisher, 0.1)
            case.add(f"{name}.kl-kronecker.A.0.1", a, n=n, kappa=kappa)
            case.add(f"{name}.kl-kronecker.G.0.1", g, n=n, kappa=kappa)
