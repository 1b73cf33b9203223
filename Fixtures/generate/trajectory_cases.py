"""What the cases of tier T4 train, and how."""

import dataclasses

CATEGORICAL = {"name": "categorical"}
THOR_PAPER = "THOR, AAAI 2021, Algorithm 1, Eqs. 6 and 8-10"


@dataclasses.dataclass
class Spec:
    name: str
    title: str
    purpose: str
    flags: list
    seed: int
    widths: tuple
    activation: str
    likelihood: dict
    examples: int
    batch: int
    steps: int
    kept: tuple
    training: dict
    references: list

    @property
    def conventions(self):
        """The words of case.json that differ from the other tiers."""
        t = self.training
        words = {
            "fisher": t["fisher"],
            "damping": t.get("rule", "exact"),
            "dampingOn": "A, G, with lambda of the accepting step" if "rule" in t else "the matrix",
            "stepSign": "minus: theta - rate v, v = momentum v + inverse times gradient",
            "ema": " ".join(map(str, t["averaging"].values())) if "averaging" in t else "none",
        }
        if "split" in t:
            words["split"] = f"{t['split']}, last block shorter; A and G alike"
        if "thresholds" in t:
            words["traceOf"] = {
                "a": "tr A tr G + lambda dA dG",
                "b": "(tr A + lambda dA)(tr G + lambda dG)",
            }[t["reading"]]
            words["deltaRef"] = t["reference"]
        return words


def constant(value):
    return {"schedule": "constant", "value": value}


def training(preconditioner, rate, damping, **more):
    """Every key that all runs state, with what is usual, and `more`."""
    return {
        "preconditioner": preconditioner,
        "fisher": "exact",
        "learningRate": rate if isinstance(rate, dict) else constant(rate),
        "damping": damping if isinstance(damping, dict) else constant(damping),
        "stepsPerEpoch": 1,
        "momentum": 0.0,
        "nesterov": False,
        "weightDecay": 0.0,
        "decayOn": "gradient",
        **more,
    }


def kronecker(rate, damping, **more):
    usual = {
        "rule": "factor", "averaging": {"kind": "fresh"}, "factorInterval": 1, "inverseInterval": 1,
    }  # fmt: skip
    return training("kronecker", rate, damping, **{**usual, **more})


def thor(rate, damping, thresholds, **more):
    usual = {"reading": "a", "reference": "last-accepted"}
    return kronecker(rate, damping, thresholds=list(thresholds), **{**usual, **more})


def thor_cases():
    yield Spec(
        "thor-tanh-categorical",
        "THOR (0.01, 0) on 5-7-3, tanh, categorical, 19 steps, split 3",
        "Algorithm 1 with T_FIM 1 and T_INV 2: updates and keeps, cached inverses, lambda by Eq. 16.",
        ["M-17", "M-29", "M-60", "M-62"],
        401, (5, 7, 3), "tanh", CATEGORICAL, 29, 23, 19, (5, 19),
        thor(
            0.25, {"schedule": "exponential", "initial": 0.3, "rate": 0.5}, (0.01, 0),
            stepsPerEpoch=2, inverseInterval=2, split=3, momentum=0.5,
        ),
        [THOR_PAPER, "Eq. 16"],
    )  # fmt: skip
    yield Spec(
        "thor-stop-relu-gaussian",
        "THOR_stop (0.01, 0.001) on 7-5-3, ReLU, Gaussian, 23 steps, split 3",
        "All three outcomes of Eq. 9: updates, keeps, and a layer that stops for good. Rate by Eq. 14.",
        ["M-29", "M-60", "M-63"],
        402, (7, 5, 3), "relu", {"name": "gaussian", "variance": 0.75}, 31, 29, 23, (11, 23),
        thor(
            {"schedule": "polynomial", "target": 0.05, "end": 23.0, "power": 2.0}, 0.5,
            (0.01, 0.001), inverseInterval=2, split=3,
        ),
        [THOR_PAPER, "Eq. 14"],
    )  # fmt: skip
    yield Spec(
        "thor-empirical-decay",
        "THOR with the parts of nn.thor on 3-7-5, tanh, categorical, 17 steps",
        "Empirical Fisher, sqrt damping, reading b of Eq. 8, Nesterov, decay after preconditioning.",
        ["M-17", "M-29", "M-58"],
        403, (3, 7, 5), "tanh", CATEGORICAL, 23, 11, 17, (4, 17),
        thor(
            {"schedule": "polynomial", "target": 0.2, "end": 9.0, "power": 2.0}, 0.05, (0.01, 0),
            fisher="empirical", rule="sqrt", reading="b", stepsPerEpoch=2, factorInterval=2,
            inverseInterval=4, momentum=0.75, nesterov=True, weightDecay=0.03125,
            decayOn="direction",
        ),
        ["spec 7.2, 7.8", "MindSpore nn.thor, API page"],
    )  # fmt: skip
    for reference in ("last-accepted", "last-computed"):
        yield Spec(
            f"thor-drift-{reference}",
            f"Slow drift under THOR (0.01, 0), reference {reference}, 16 steps",
            "Every test sees less than 1 %: only the last accepted reference adds the changes up.",
            ["M-62"],
            404, (3, 7, 5), "tanh", CATEGORICAL, 11, 11, 16, (4, 16),
            thor(0.0078125, 0.0625, (0.01, 0), inverseInterval=2, reference=reference),
            ["spec 7.2"],
        )  # fmt: skip


def average_cases():
    for name, averaging, words in (
        ("martens-grosse", {"kind": "martens-grosse", "decay": 0.75}, "the first batch whole"),
        ("identity-start", {"kind": "identity-start", "decay": 0.75}, "from the identity, biased"),
    ):
        yield Spec(
            f"kfac-{name}",
            f"KFAC with running averages, {words}, on 5-7-3, tanh, categorical, 13 steps",
            "Averages at every step, inverses at every third, pi damping, momentum, weight decay.",
            ["M-29", "M-36", "M-38", "M-40", "M-58"],
            405, (5, 7, 3), "tanh", CATEGORICAL, 29, 11, 13, (4, 13),
            kronecker(
                0.125, 0.0625, rule="pi", averaging=averaging, inverseInterval=3, momentum=0.5,
                weightDecay=0.015625,
            ),
            ["Martens and Grosse 2015", "spec 4.5, 4.6"],
        )  # fmt: skip


def solver_cases():
    yield Spec(
        "ekfac-stale-basis",
        "EKFAC with running second moments in a stale basis on 5-7-3, tanh, categorical, 13 steps",
        "The basis is made anew every fifth step; in between the second moments follow in it.",
        ["M-17", "M-36", "M-52"],
        407, (5, 7, 3), "tanh", CATEGORICAL, 29, 13, 13, (7, 13),
        training(
            "ekfac", 0.125, 0.0625, averaging={"kind": "weight-normalized", "decay": 0.875},
            factorInterval=1, basisInterval=5, momentDecay=0.75, restart="batch", momentum=0.5,
        ),
        ["George et al. 2018, arXiv 1806.03884", "spec 5"],
    )  # fmt: skip
    yield Spec(
        "cg-fac-warm",
        "CG-FAC on A (x) G + lambda I, 4 steps from the last solution, on 5-3-7, tanh, 11 steps",
        "Warm starts: a truncated solution depends on every one before it.",
        ["M-17", "M-66"],
        409, (5, 3, 7), "tanh", CATEGORICAL, 29, 11, 11, (2, 11),
        training(
            "conjugate-gradients", 0.125, 0.0625, operator="kronecker", iterations=4, start="warm"
        ),
        ["arXiv 2101.00218", "spec 6.1, 6.3"],
    )  # fmt: skip


def cases():
    return [*thor_cases(), *average_cases(), *solver_cases()]
