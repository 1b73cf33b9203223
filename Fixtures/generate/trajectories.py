"""Tier T4: short training runs with memory (averages, stale inverses, decisions) by training_numpy.py.

The numbers are float64, not certified digits. How far another correct program may be away is measured:
the run is repeated with every gradient, factor, second moment, direction and new weight moved by 2^-30
of its Frobenius norm in a random direction, and the largest answer over 2^-30 is the condition."""

import functools

import numpy as np

from case_writer import PRIME_SIZES, VERSION, Case, two_digits_up
from certified import draw
from scalar_network import chain
from split_mix_64 import SplitMix64
from trajectory_cases import cases as specs
from training_numpy import run

DISTURBANCE = 2.0**-30
DISTURBED_RUNS = 6
MARGIN = 1e-6


class Disturbance:
    """x + d |x| u, u a random matrix of norm 1, symmetric where x is."""

    def __init__(self, seed):
        self.generator = SplitMix64(seed)

    def __call__(self, x, symmetric=False):
        u = self.generator.array(x.shape, -1024, 1024)
        if symmetric:
            u = u + u.T
        return x + DISTURBANCE * np.linalg.norm(x) * u / (np.linalg.norm(u) or 1.0)


def batches(generator, examples, size, steps):
    """For each step `size` different examples in ascending order; all of them where size is N."""
    result = []
    for _ in range(steps):
        left = list(range(examples))
        result.append(sorted(left.pop(generator.integer(0, len(left) - 1)) for _ in range(size)))
    return np.array(result)


def arrays_of(result, kept):
    """The stored arrays of a run by name."""
    arrays = {"steps.loss": result.losses, "steps.norm": result.step_norms}
    layers = range(1, len(result.weights[0]) + 1)
    for index in layers:
        changes = [
            decision["change"]
            for decision in result.decisions
            if decision["layer"] == f"layer{index}" and "change" in decision
        ]
        if changes:
            arrays[f"layer{index}.changes"] = changes
    for index in layers:
        arrays[f"layer{index}.weights.after"] = [result.weights[k][index - 1] for k in kept]
    return {name: np.array(array, float) for name, array in arrays.items()}


def rounded(decision):
    """A decision for people: three digits of the change, two of the margin and rounded down. The array
    layerI.changes has every digit."""
    if "change" not in decision:
        return decision
    unit = 10.0 ** (np.floor(np.log10(decision["margin"])) - 1)
    margin = float(f"{np.floor(decision['margin'] / unit) * unit:.1e}")
    return {**decision, "change": float(f"{decision['change']:.2e}"), "margin": margin}


def outcomes(result):
    return [(d["step"], d["layer"], d["action"]) for d in result.decisions]


def conditions(result, disturbed, kept):
    """For every array the largest |x' - x| / (d |x|) over the disturbed runs."""
    arrays = arrays_of(result, kept)
    largest = dict.fromkeys(arrays, 1.0)
    for other in disturbed:
        if outcomes(other) != outcomes(result):
            raise ValueError("a disturbed run decides otherwise")
        for name, array in arrays_of(other, kept).items():
            moved = np.linalg.norm(array - arrays[name]) / np.linalg.norm(arrays[name])
            largest[name] = max(largest[name], moved / DISTURBANCE)
    return largest


def require_clear(name, training, model, result):
    """No decision near its threshold, and no ReLU near its kink."""
    for decision in result.decisions:
        if decision.get("margin", 1) < MARGIN:
            raise ValueError(f"{name}: {decision} is nearer than {MARGIN} to a threshold")
    is_relu = any(node.get("activation") == "relu" for node in model["network"]["nodes"])
    if is_relu and result.nearest_kink < MARGIN:
        raise ValueError(f"{name}: a pre-activation of {result.nearest_kink} is too near to 0")


def write(spec, folder):
    network = chain(spec.widths, spec.activation)
    model = {"network": network, "likelihood": spec.likelihood}
    weights, inputs, targets = draw(
        spec.seed, network, spec.examples, spec.widths[-1], spec.likelihood
    )
    chosen = batches(SplitMix64(spec.seed + 1000), spec.examples, spec.batch, spec.steps)
    (key, target) = next(iter(targets.items()))
    start = (spec.training, model, weights, inputs, target, chosen)
    result = run(*start)
    require_clear(spec.name, spec.training, model, result)
    disturbed = [run(*start, Disturbance(seed)) for seed in range(DISTURBED_RUNS)]
    kappa = conditions(result, disturbed, spec.kept)
    case = Case(
        "T4",
        spec.name,
        spec.title,
        spec.purpose,
        spec.flags,
        model,
        {
            "N": spec.examples,
            "C": spec.widths[-1],
            "sizes": PRIME_SIZES,
            "source": "SplitMix64, multiples of 1/16",
        },
        {
            "version": VERSION,
            "arithmetic": "float64, NumPy; kappa measured by disturbed runs",
            "versions": {"numpy": np.__version__},
            "references": spec.references,
        },
        **spec.conventions,
    )
    case.description["training"] = {**spec.training, "keptSteps": list(spec.kept)}
    if result.decisions:
        case.description["decisions"] = [rounded(d) for d in result.decisions]
    case.stage("inputs", [], "bits")
    case.add("inputs", inputs.tolist())
    case.add(key, target.tolist(), integer=key == "labels")
    for index, w in enumerate(weights, 1):
        case.add(f"layer{index}.weights", w.tolist())
    case.add("batches", chosen.tolist(), integer=True)
    case.stage("trajectory", ["inputs"], "relative-frobenius", digits="float64")
    size = max(spec.batch, *(len(w[0]) for w in weights))
    for name, array in arrays_of(result, spec.kept).items():
        case.add(name, array.tolist(), n=size, kappa=two_digits_up(kappa[name]))
    return case.write(folder)


def cases():
    """A function per case, which writes it below a folder and returns its line of the index."""
    return [functools.partial(write, spec) for spec in specs()]
