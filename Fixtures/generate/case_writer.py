"""Writes a test vector: case.json with every convention stated, and arrays.npz."""

import json
from fractions import Fraction

import numpy as np

from numpy_reference import npy_bytes, sha256, write_npz

SCHEMA_VERSION = "1.0"
VERSION = "2026.11.2"
# The version that the cases of T0 to T3 came with; a case keeps its own while it does not change.
CERTIFIED_VERSION = "2026.11.1"
RATIO = 30

# What `data.sizes` says where it is so; elsewhere the reason why it is not.
PRIME_SIZES = "distinct primes, at least 3"

STAGES = [
    "inputs",
    "forward",
    "loss-hessian",
    "back-propagated",
    "factors",
    "block",
    "damped",
    "inverse",
    "step",
    "trajectory",
]

# Every key is stated in every case, in these words; Fixtures/README.md says what each means.
# "none" means that the matter does not arise.
CONVENTIONS = {
    "fisher": "exact; NAME.empirical: empirical",
    "reduction": "mean-N; NAME.sum: sum, divisor beside it",
    "lossScale": "nll, Gaussian without its constant",
    "factorNorm": "A 1/N, G 1/(N T); NAME.reduce: mean of a, sum of g",
    "vec": "column",
    "kron": "A(x)G",
    "weightLayout": "out*in, [W b]",
    "bias": "last",
    "sequenceLayout": "position-major",
    "imageLayout": "channel, row, column",
    "activationAtZero": "relu'(0) = 0",
    "damping": "sqrt, factor, pi or exact, by the array's name",
    "pi": "trace-ratio",
    "dampingOn": "A, G for sqrt, factor, pi; the matrix for exact",
    "ema": "none",
    "eigOrder": "ascending",
    "eigvecs": "none stored",
    "split": "none",
    "inverseOf": "the damped matrix; split first, then damped",
    "traceOf": "none",
    "deltaRef": "none",
    "stepSign": "plus: inverse times gradient",
    "dtype": "float64",
    "sumOrder": "none",
}


def to_double(x):
    """The nearest double, ties to even, subnormals included."""
    if isinstance(x, (int, float)):
        return float(x)
    if isinstance(x, Fraction):
        return x.numerator / x.denominator
    sign, mantissa, exponent, _ = x._mpf_
    if not mantissa and exponent:
        raise ValueError(f"not finite: {x}")
    scale = Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)
    value = Fraction(int(mantissa)) * scale
    # The quotient of two Python integers is correctly rounded.
    value = value.numerator / value.denominator
    return -value if sign else value


def to_array(values, floor=0.0):
    """Nested lists as a float64 array. Entries below `floor` times the largest are zeros that
    finite working precision did not make exact."""
    array = np.array(values, object)
    doubles = np.array([to_double(x) for x in array.ravel()], float).reshape(array.shape)
    if floor and doubles.size:
        doubles[np.abs(doubles) < floor * np.abs(doubles).max()] = 0.0
    return doubles + 0.0  # no negative zeros


def two_digits_up(x):
    """A condition number for people: two digits, rounded up."""
    if x <= 1:
        return 1.0
    text = f"{float(x):.1e}"
    return float(text) if float(text) >= x else float(f"{float(x) * 1.05:.1e}")


class Case:
    def __init__(self, tier, name, title, purpose, flags, model, data, provenance, **conventions):
        self.id = f"{tier.lower()}/{name}"
        self.floor = 0.0
        self.description = {
            "$schema": "../../../schema/vector-1.schema.json",
            "schemaVersion": SCHEMA_VERSION,
            "id": self.id,
            "tier": tier,
            "status": "active",
            "title": title,
            "purpose": purpose,
            "flags": flags,
            "model": model,
            "data": data,
            "conventions": {**CONVENTIONS, **conventions},
            "provenance": {
                "generator": "Fixtures/generate/vectors.py",
                "version": CERTIFIED_VERSION,
                "license": "Apache-2.0",
                **provenance,
            },
        }
        self.arrays, self.stages = {}, []

    def stage(self, name, derived_from, metric, gauge="none", digits=17):
        """Begins a stage; the arrays added next belong to it. Bits are asked only of exact values;
        everything else is the 17 digits of a number rounded once, or `digits`."""
        compare = {"metric": metric, "threshold": RATIO, "ulp": "2^-52", "scaleBy": "kappa*n"}
        if metric == "bits":
            compare = {"metric": "bits", "threshold": 0, "ulp": "2^-52", "scaleBy": "none"}
        self.stages.append(
            {
                "name": name,
                "derivedFrom": derived_from,
                "gauge": gauge,
                "compare": compare,
                "certifiedDigits": "exact" if metric == "bits" else digits,
                "arrays": [],
            }
        )

    def add(self, name, values, n=1, kappa=1, divisor=None, integer=False):
        """An array of the current stage. It agrees if |x - r|_F <= limit |r|_F; no limit: bits."""
        if name in self.arrays:
            raise ValueError(f"{self.id}: {name} twice")
        array = np.array(values, np.int64) if integer else to_array(values, self.floor)
        stage = self.stages[-1]
        entry = {"name": name, "shape": list(array.shape)}
        if integer:
            entry["dtype"] = "i8"
        if divisor is not None:
            entry["divisor"] = divisor
        if stage["compare"]["metric"] != "bits":
            kappa = two_digits_up(kappa)
            entry["n"], entry["kappa"] = n, kappa
            entry["limit"] = float(f"{RATIO * n * kappa * 2**-52:.1e}")
        entry["sha256"] = sha256(npy_bytes(array))
        self.arrays[name] = array
        stage["arrays"].append(entry)

    def write(self, folder):
        target = folder / "cases" / self.id
        target.mkdir(parents=True, exist_ok=True)
        write_npz(target / "arrays.npz", self.arrays)
        data = (target / "arrays.npz").read_bytes()
        self.stages.sort(key=lambda stage: STAGES.index(stage["name"]))
        description = {
            **self.description,
            "files": [{"name": "arrays.npz", "bytes": len(data), "sha256": sha256(data)}],
            "stages": [stage for stage in self.stages if stage["arrays"]],
        }
        text = json_text(description)
        (target / "case.json").write_text(text)
        return {
            "id": self.id,
            "tier": self.description["tier"],
            "status": "active",
            "title": self.description["title"],
            "bytes": len(data) + len(text.encode()),
            "sha256": sha256(text.encode()),
        }


def json_text(value, depth=0):
    """JSON with one line for everything that fits in 100 characters, and for every array."""
    flat = isinstance(value, dict) and "sha256" in value and "name" in value
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":") if flat else None)
    if not isinstance(value, (dict, list)) or len(line) + depth < 100 or flat:
        return line + ("\n" if depth == 0 else "")
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(k)}: {json_text(v, depth + 1)}" for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        items = [json_text(v, depth + 1) for v in value]
        opening, closing = "[", "]"
    body = ",\n".join(pad + item for item in items)
    return f"{opening}\n{body}\n{' ' * depth}{closing}" + ("\n" if depth == 0 else "")
