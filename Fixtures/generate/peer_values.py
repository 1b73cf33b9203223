"""Writes peers.json and peers.npz beside the test vectors: what torch, curvlinops, NNGeometry,
BackPACK and kfac-jax compute for the same inputs in float64, converted to our conventions.

    python Fixtures/generate/peer_values.py [--cases t1/convolution,...]

It needs requirements-peers.txt and runs when the vectors change, never in CI: there
peer_checks.py proves with NumPy that the stored values differ by what is stated. A difference above
the limit of the case stops it, unless FINDINGS explains it.
"""

import argparse
import importlib
import importlib.metadata
import pathlib
import re
import warnings

import numpy as np

import peer_checks
from case_writer import json_text
from numpy_reference import sha256, write_npz
from peer_problem import Problem

CASES = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "cases"
LIBRARIES = {
    "torch": "peer_torch",
    "curvlinops": "peer_curvlinops",
    "nngeometry": "peer_nngeometry",
    "backpack": "peer_backpack",
    "kfac-jax": "peer_kfac_jax",
}
FAR_LOGITS = {"t1/gap-10", "t1/gap-20", "t1/gap-30", "t1/saturated-categorical"}
FINDINGS = {  # libraries, cases, what was found
    "product-form": (
        {"curvlinops", "kfac-jax"},
        FAR_LOGITS,
        "The softmax Hessian is applied as p v - p (p'v). Where one p is near 1 that is a difference "
        "of nearly equal numbers, with a relative error of about 2^-52 e^d for logits d apart. The "
        "Kronecker factors of both libraries start from a root of the Hessian and agree.",
    ),
    "cumulative-sums": (
        {"nngeometry"},
        FAR_LOGITS,
        "The root of the softmax Hessian is its Cholesky factor, from 1 minus cumulative sums of p, "
        "with an eps added to a divisor. Where one p is near 1 the difference keeps the rounding "
        "error of the sum, about 2^-52 e^d for logits d apart, and the eps outweighs what is left.",
    ),
}


def problem(case, arrays):
    """None where a library has no such thing: given matrices, given probabilities, no targets."""
    model = case["model"]
    if case["tier"] not in ("T0", "T1") or "probabilities" in model["likelihood"]:
        return None
    weights = [arrays[f"{block['name']}.weights"] for block in model["network"]["parameters"]]
    targets = arrays["labels" if "labels" in arrays else "targets"]
    return Problem(model["network"], model["likelihood"], weights, arrays["inputs"], targets)


def finding(library, case, name):
    for key, (libraries, cases, _) in FINDINGS.items():
        if library in libraries and case in cases:
            return key
    return None


def exact_difference(value, right):
    """d with right + d = value to the bit; None where they are too far apart for that."""
    delta = value - right
    for _ in range(3):
        wrong = right + delta != value
        if not wrong.any():
            return delta
        toward = np.where(right + delta < value, np.inf, -np.inf)
        delta = np.where(wrong, np.nextafter(delta, toward), delta)
    return None


class Written:
    """One library on one case."""

    def __init__(self, label, module, case, arrays, limits):
        self.label, self.case, self.arrays, self.limits = label, case, arrays, limits
        version = importlib.metadata.version
        self.entry = {"library": label, "version": version(module.DISTRIBUTION)}
        if module.RUNTIME != label:
            self.entry["runtime"] = f"{module.RUNTIME} {version(module.RUNTIME)}"
        self.groups, self.deltas, self.findings, self.infinite = {}, {}, set(), []

    def add(self, name, words, value):
        right, value = self.arrays[name], np.asarray(value, float)
        if not np.isfinite(value).all():
            self.infinite.append(name)
            return
        section = "without bias" if value.shape != right.shape else None
        right = peer_checks.part(right, section)
        distance = peer_checks.difference(value, right)
        entry = {"name": name, "difference": float(f"{distance:.1e}")}
        if not distance <= self.limits[name]:
            key = finding(self.label, self.case["id"], name)
            if key is None:
                raise SystemExit(
                    f"{self.case['id']}: {self.label} {name} differs by {distance:.1e}, "
                    f"allowed is {self.limits[name]:.1e}. Find out whose convention it is."
                )
            entry["finding"] = key
            self.findings.add(key)
        delta = exact_difference(value, right)
        if delta is None:
            entry["stored"], delta = "value", value
        if delta.any():
            self.deltas[f"{self.label}.{name}"] = delta
        self.groups.setdefault((words, section), []).append(entry)

    def description(self):
        groups = []
        for (words, section), entries in self.groups.items():
            group = {"conversion": words} | ({"part": section} if section else {})
            groups.append({**group, "values": entries})
        return {**self.entry, "quantities": groups}


def write(folder):
    case, arrays, limits = peer_checks.certified(folder)
    asked = problem(case, arrays)
    if asked is None:
        return None
    peers, missing, deltas, findings = [], [], {}, set()
    # T0 is about what is exact, and that ends with the block; T1 has the same steps.
    wanted = {name for name in arrays if case["tier"] == "T1" or ".step." not in name}
    for label, name in LIBRARIES.items():
        module = importlib.import_module(name)
        reason = module.gap(asked)
        if reason:
            missing.append({"library": label, "reason": reason})
            continue
        written = Written(label, module, case, arrays, limits)
        try:
            for quantity in module.Library(asked, wanted).values():
                if quantity[0] in wanted:
                    written.add(*quantity)
        except (RuntimeError, NotImplementedError) as error:
            # torch's internal assertions begin with a path of the machine that built it.
            sentence = re.sub(r' at ".*?to PyTorch\.', ":", str(error).splitlines()[0])
            sentence = f"{type(error).__name__}: {sentence.split('. ')[0]}"
            missing.append({"library": label, "reason": f"what would follow ends in {sentence}"})
        if written.infinite:
            reason = f"not finite: {', '.join(written.infinite)}"
            missing.append({"library": label, "reason": reason})
        peers.append(written.description())
        deltas |= written.deltas
        findings |= written.findings
    write_npz(folder / "peers.npz", deltas)
    data = (folder / "peers.npz").read_bytes()
    text = json_text(
        {
            "id": case["id"],
            "arithmetic": "float64, one thread",
            "value": "certified value + array LIBRARY.NAME of peers.npz, zero where that is missing; "
            "the array alone where 'stored' is 'value'",
            "difference": "|value - certified| / |certified| in the Frobenius norm",
            "files": [{"name": "peers.npz", "bytes": len(data), "sha256": sha256(data)}],
            "findings": {key: FINDINGS[key][2] for key in sorted(findings)},
            "without": missing,
            "peers": peers,
        }
    )
    (folder / "peers.json").write_text(text)
    differences = [
        (entry["difference"], peer["library"], entry["name"])
        for peer in peers
        for group in peer["quantities"]
        for entry in group["values"]
    ]
    return len(differences), len(data) + len(text.encode()), max(differences)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", help="ids, separated by commas; else all of them")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    folders = sorted(path.parent for path in CASES.glob("*/*/case.json"))
    if arguments.cases:
        folders = [CASES / name for name in arguments.cases.split(",")]
    for folder in folders:
        written = write(folder)
        if written:
            count, size, largest = written
            name = folder.relative_to(CASES)
            print(
                f"{name}: {count} values, {size:,} bytes, largest difference {largest}", flush=True
            )


if __name__ == "__main__":
    main()
