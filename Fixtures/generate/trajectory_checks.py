"""Checks of tier T4, run by vector_checks.py: the runs again from the stored inputs, every decision,
and that the mistakes a case names lead elsewhere.

The numbers come from float64 matrix products, which another BLAS sums in another order: values are
compared within the limits, decisions exactly, and only what SplitMix64 draws to the byte."""

import json

import numpy as np

from trajectories import MARGIN, arrays_of, outcomes
from training_numpy import run

TOLD_APART = 1e-3
FEWEST_CASES, LONG_RUN = 6, 15
# What depends on the measured condition or on packing, not on the case.
MEASURED = {"kappa", "limit", "sha256"}


def other(key, first, second):
    return lambda t: {**t, key: second if t[key] == first else first}


def other_start(training):
    kinds = {"martens-grosse": "identity-start", "identity-start": "martens-grosse"}
    averaging = training["averaging"]
    return {**training, "averaging": {**averaging, "kind": kinds[averaging["kind"]]}}


def exchanged_weights(training):
    averaging = training["averaging"]
    return {**training, "averaging": {**averaging, "decay": 1 - averaging["decay"]}}


def fresh_inverse(training):
    return {**training, **{k: 1 for k in ("inverseInterval", "basisInterval") if k in training}}


# The training that makes a mistake of the catalogue, or that the mistake of the case would hide.
MISTAKES = {
    "M-17": other("fisher", "exact", "empirical"),
    "M-29": lambda t: {**t, "rule": "factor" if t["rule"] == "sqrt" else "sqrt"},
    "M-36": fresh_inverse,
    "M-38": other_start,
    "M-40": exchanged_weights,
    "M-52": lambda t: {**t, "restart": "not at all"},
    "M-58": other("decayOn", "gradient", "direction"),
    "M-60": lambda t: {**t, "split": t["split"] - 1},
    "M-62": other("reference", "last-accepted", "last-computed"),
    "M-63": lambda t: {**t, "factorInterval": 2 * t["inverseInterval"]},
    "M-66": other("operator", "kronecker", "exact-block"),
}


def repeated(case, arrays, training=None):
    """The run of a case again, from what is stored."""
    layers = [block["name"] for block in case["model"]["network"]["parameters"]]
    weights = [arrays[f"{layer}.weights"] for layer in layers]
    targets = arrays["labels"] if "labels" in arrays else arrays["targets"]
    start = (case["model"], weights, arrays["inputs"], targets, arrays["batches"])
    return run(training or case["training"], *start)


def check_trajectory(report, case, arrays, limits, agrees):
    name, result = case["id"], repeated(case, arrays)
    found = arrays_of(result, case["training"]["keptSteps"])
    stored = {e["name"] for s in case["stages"] if s["name"] == "trajectory" for e in s["arrays"]}
    report.check(found.keys() == stored, f"{name}: other arrays than those of the run are stored")
    for key in sorted(found.keys() & stored):
        report.check(
            agrees(found[key], arrays[key], limits[key]),
            f"{name} {key}: NumPy differs by more than {limits[key]:.1e}",
        )
    decisions = case.get("decisions", [])
    taken = [(d["step"], d["layer"], d["action"]) for d in decisions]
    report.check(taken == outcomes(result), f"{name}: other decisions are taken")
    for layer in {d["layer"] for d in decisions}:
        changes = [d["change"] for d in decisions if d["layer"] == layer and "change" in d]
        same = changes == [float(f"{x:.2e}") for x in arrays[f"{layer}.changes"]]
        report.check(same, f"{name} {layer}: changes of the decisions and of the array differ")
    near = [d for d in decisions if d.get("margin", 1) < MARGIN]
    report.check(not near, f"{name}: {near} are near a threshold")
    for flag in case["flags"]:
        there = repeated(case, arrays, MISTAKES[flag](case["training"]))
        moved = np.concatenate([(w - v).ravel() for w, v in zip(result.weights[-1], result.weights[0])])
        apart = [(w - v).ravel() for w, v in zip(there.weights[-1], result.weights[-1])]
        distance = np.linalg.norm(np.concatenate(apart)) / np.linalg.norm(moved)
        report.check(distance >= TOLD_APART, f"{name}: {flag} ends {distance:.0e} away")


def check_coverage(report, cases):
    """What the tier promises as a whole."""
    runs = [case for case in cases if case["tier"] == "T4"]
    report.check(len(runs) >= FEWEST_CASES, f"{len(runs)} cases of T4")
    actions = [{d["action"] for d in case.get("decisions", [])} for case in runs]
    every = {"update", "keep", "stop"}
    report.check(every in actions, "no case of T4 updates, keeps and stops")
    long = [c for c in runs if "thresholds" in c["training"] and steps(c) >= LONG_RUN]
    report.check(len(long) > 0, f"no THOR run of T4 has {LONG_RUN} steps")


def steps(case):
    shapes = {e["name"]: e["shape"] for stage in case["stages"] for e in stage["arrays"]}
    return shapes["batches"][0]


def without_measured(value):
    """A description without what float64 of another machine may change."""
    if isinstance(value, list):
        return [without_measured(item) for item in value]
    if isinstance(value, dict):
        gone = MEASURED | {"change", "margin"}
        return {k: without_measured(v) for k, v in value.items() if k not in gone}
    return value


def check_regenerated(report, stored, fresh, agrees):
    """One folder of T4 against the one written again: words and decisions alike, what SplitMix64
    drew to the byte, conditions within a factor of two, and values within the limits."""
    old, new = (json.loads((f / "case.json").read_text()) for f in (stored, fresh))
    name = old["id"]
    same = without_measured({**old, "files": None}) == without_measured({**new, "files": None})
    report.check(same, f"{name}: regenerated case.json differs")
    with np.load(stored / "arrays.npz") as one, np.load(fresh / "arrays.npz") as two:
        for before, after in zip(old["stages"], new["stages"]):
            for was, now in zip(before["arrays"], after["arrays"]):
                key = was["name"]
                limit = was.get("limit", 0.0)
                equal = agrees(two[key], one[key], limit)
                report.check(equal, f"{name} {key}: regenerated values differ by more than {limit}")
                ratio = now.get("kappa", 1) / was.get("kappa", 1)
                report.check(0.5 <= ratio <= 2, f"{name} {key}: kappa is {ratio} times the stored")
