"""Writes one T0 case: exact stages, then damped matrices, inverses and steps as rationals that are
rounded once."""

from fractions import Fraction

from case_writer import PRIME_SIZES, Case
from exact_numbers import Bounds, Likelihood, Rationals
from exact_statistics import condition, leaves, mean, statistics
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

DAMPING = Fraction(1, 4)


class Spec:
    """One T0 case before anything is computed."""

    def __init__(self, name, title, purpose, flags, network, weights, inputs, likelihood, targets):
        self.name, self.title, self.purpose, self.flags = name, title, purpose, flags
        self.network, self.weights, self.inputs = network, weights, inputs
        self.likelihood, self.targets = likelihood, targets
        self.fisher = self.whole_step = self.product = False
        self.split, self.steps, self.inverses, self.empirical = None, True, False, False
        self.sizes = PRIME_SIZES

    def but(self, **changes):
        for key, value in changes.items():
            if not hasattr(self, key):
                raise AttributeError(key)
            setattr(self, key, value)
        return self


def write(spec, folder):
    numbers = Rationals()
    given = spec.likelihood.get("probabilities") == "given"
    targets = spec.targets["labels" if "labels" in spec.targets else "targets"]
    options = {
        "variance": Fraction(spec.likelihood.get("variance", 1)),
        "probabilities": spec.targets.get("probabilities"),
    }
    name = spec.likelihood["name"]
    rational = Likelihood(numbers, name, targets, **options)
    values = statistics(numbers, spec.network, spec.weights, rational, spec.inputs)
    bounds = Bounds()
    limits = statistics(
        bounds,
        spec.network,
        spec.weights,
        Likelihood(bounds, name, targets, **options),
        spec.inputs,
    )
    bits = max(x.bits() for value, _ in limits.values() for x in leaves(value))
    if bits > 53:
        raise ValueError(f"{spec.name} needs {bits} bits")
    case = Case(
        "T0",
        spec.name,
        spec.title,
        spec.purpose,
        spec.flags,
        {"network": spec.network, "likelihood": spec.likelihood},
        {
            "N": len(spec.inputs),
            "C": len(values["logits"][0][0]),
            "sizes": spec.sizes,
            "source": "SplitMix64, integers",
            "exactBits": bits,
            "exactInFloat32": bits <= 24,
        },
        {
            "arithmetic": "exact rationals (Python fractions); damped, inverse and step rounded once",
            "versions": {"python": ">=3.11"},
            "references": ["spec 2.1-2.3", "spec 4.1", "spec 4.6", "spec 4.9"],
        },
        split="none" if spec.split is None else f"{spec.split}, last block shorter",
        bias="last" if spec.network["parameters"][0].get("bias", True) else "none",
    )
    layers = [block["name"] for block in spec.network["parameters"]]

    def exact(stage_name, derived, names):
        case.stage(stage_name, derived, "bits")
        for name in names:
            if name in values:
                case.add(name, values[name][0], divisor=values[name][1])

    case.stage("inputs", [], "bits")
    case.add("inputs", spec.inputs.tolist())
    for key, array in spec.targets.items():
        case.add(key, array.tolist(), integer=key == "labels")
    for layer, w in zip(layers, spec.weights):
        case.add(f"{layer}.weights", w.tolist())
    # What repeats other arrays is left out: the first input of a dense chain, and the Jacobian and
    # gradient at a last dense layer, which are the identity and output.gradient.
    seen = layers[1:] if spec.network["nodes"][0]["operation"] == "dense" else layers
    last = spec.network["nodes"][-1]["operation"]
    behind = layers[:-1] if last == "dense" else layers
    exact("forward", ["inputs"], [f"{x}.a" for x in seen] + ["logits", "losses", "loss.sum"])
    exact("loss-hessian", ["inputs" if given else "forward"], ["output.gradient", "hessian"])
    pulled = [f"{x}.{y}" for x in behind for y in ("jacobian", "g")]
    pulled += [f"{x}.gradient.sum" for x in layers]
    exact("back-propagated", ["forward", "loss-hessian"], pulled)
    kinds = ["A.sum", "G.sum", "G.empirical.sum", "A.reduce.sum", "G.reduce.sum"]
    exact("factors", ["forward", "back-propagated"], [f"{x}.{y}" for x in layers for y in kinds])
    names = [f"{x}.{y}" for x in layers for y in ("block.sum", "block.empirical.sum")]
    names = [x for x in names if spec.empirical or "empirical" not in x]
    for layer in layers:
        (a, a_divisor), (g, g_divisor) = values[f"{layer}.A.sum"], values[f"{layer}.G.sum"]
        if spec.product:
            values[f"{layer}.kfac.sum"] = kronecker(a, g), a_divisor * g_divisor
            names.append(f"{layer}.kfac.sum")
        if spec.split:
            cut = kronecker(pinched(numbers, a, spec.split), pinched(numbers, g, spec.split))
            values[f"{layer}.kfac-split-{spec.split}.sum"] = cut, a_divisor * g_divisor
            names.append(f"{layer}.kfac-split-{spec.split}.sum")
    exact("block", ["back-propagated"], names + (["fisher.sum"] if spec.fisher else []))
    if spec.steps:
        add_steps(case, spec, numbers, values, layers)
    return case.write(folder)


def add_inverses(case, numbers, values, layers, root):
    case.stage("damped", ["factors"], "relative-frobenius")
    for layer in layers:
        for factor in "AG":
            damped = plus_identity(mean(values[f"{layer}.{factor}.sum"]), root)
            case.add(f"{layer}.{factor}.damped.sqrt.0.25", damped, n=len(damped))
    case.stage("inverse", ["damped"], "relative-frobenius")
    for layer in layers:
        for factor in "AG":
            matrix = mean(values[f"{layer}.{factor}.sum"])
            result = inverse(numbers, plus_identity(matrix, root))
            kappa = condition(matrix, 0.5)
            case.add(f"{layer}.{factor}.inverse.sqrt.0.25", result, n=len(matrix), kappa=kappa)


def add_steps(case, spec, numbers, values, layers):
    root, step = Fraction(1, 2), []
    if spec.inverses:
        add_inverses(case, numbers, values, layers, root)
    flat = []
    for layer in layers:
        a, g = mean(values[f"{layer}.A.sum"]), mean(values[f"{layer}.G.sum"])
        block, v = mean(values[f"{layer}.block.sum"]), mean(values[f"{layer}.gradient.sum"])
        size, rows = len(block), len(g)
        vector = [v[i][j] for j in range(len(a)) for i in range(rows)]
        flat += vector
        pairs = {"kfac": (a, g)}
        if spec.split:
            cut = (pinched(numbers, a, spec.split), pinched(numbers, g, spec.split))
            pairs[f"kfac-split-{spec.split}"] = cut
        if f"{layer}.A.reduce.sum" in values:
            names = (f"{layer}.A.reduce.sum", f"{layer}.G.reduce.sum")
            pairs["kfac-reduce"] = tuple(mean(values[name]) for name in names)
        for structure, (left, right) in pairs.items():
            for rule, delta in (("sqrt", root), ("factor", DAMPING))[: 2 if spec.inverses else 1]:
                result = kronecker_solve(
                    numbers, plus_identity(left, delta), plus_identity(right, delta), v
                )
                kappa = condition(left, float(delta)) * condition(right, float(delta))
                step.append((f"{layer}.step.{structure}.{rule}.0.25", result, size, kappa))
            product = kronecker(left, right)
            step.append(matrix_step(numbers, f"{layer}.step.{structure}", product, vector, rows))
        step.append(matrix_step(numbers, f"{layer}.step.block-diagonal", block, vector, rows))
        if spec.inverses and size <= 24:
            damped = plus_identity(block, DAMPING)
            iterates = conjugate_gradients(
                numbers, lambda x, m=damped: apply(numbers, m, x), vector, 2
            )
            shaped = [uncvec(x, rows) for x in iterates]
            kappa = condition(block, 0.25)
            step.append((f"{layer}.cg.exact-block.0.25", shaped, size, kappa))
    case.stage("step", ["factors", "block", "back-propagated"], "relative-frobenius")
    for name, value, n, kappa in step:
        case.add(name, value, n=n, kappa=kappa)
    if spec.whole_step:
        fisher = mean(values["fisher.sum"])
        x = solve_vector(numbers, plus_identity(fisher, DAMPING), flat)
        start = 0
        for layer in layers:
            v = values[f"{layer}.gradient.sum"][0]
            end = start + len(v) * len(v[0])
            part = uncvec(x[start:end], len(v))
            kappa = condition(fisher, 0.25)
            case.add(f"{layer}.step.exact.exact.0.25", part, n=len(fisher), kappa=kappa)
            start = end


def matrix_step(numbers, name, matrix, vector, rows):
    x = solve_vector(numbers, plus_identity(matrix, DAMPING), vector)
    return f"{name}.exact.0.25", uncvec(x, rows), len(matrix), condition(matrix, 0.25)
