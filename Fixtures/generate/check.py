"""Checks the fixtures with NumPy alone, and natgrad with the fixtures; scripts/check-python runs it.

    python Fixtures/generate/check.py [--natgrad BINARY] [--all]

(a) recomputes every NumPy array of Fixtures/vectors/peers and compares it with the stored one,
    to 1e-13 times the condition number that case.json states for it;
(b) compares every stored array of another library with ours, 1e-12 for matrices, 1e-9 for solves;
(c) checks every sha256 in the case.json and provenance.json files;
(d) checks the test vectors of Fixtures/vectors/cases (vector_checks.py): index, schema, hashes,
    the README's loader, agreement with NumPy, and regeneration to the same bytes; with --all
    also that 30 more digits give the same doubles;
(e) with a binary, runs `natgrad compare` on one case and compares what it writes.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import numpy_reference as reference
from vector_checks import check_vectors

FIXTURES = pathlib.Path(__file__).resolve().parent.parent
COMMAND_CASE = "dense-tanh-categorical"

# Names that `natgrad compare --arrays` writes, and ours. {layer} runs over the layers, {damping}
# over the dampings. Matrices agree to 1e-12 and solves to 1e-9.
COMMAND_ARRAYS = {
    name: name
    for name in [
        "loss",
        "losses",
        "logits",
        "fisher",
        "fisher.empirical",
        "{layer}.gradient",
        "{layer}.A",
        "{layer}.G",
        "{layer}.G.empirical",
        "{layer}.A.eigenvalues",
        "{layer}.G.eigenvalues",
        "{layer}.block",
        "{layer}.block.empirical",
        "{layer}.second-moments",
        "{layer}.step.exact.exact.{damping}",
        "{layer}.step.block-diagonal.exact.{damping}",
        "{layer}.step.diagonal.exact.{damping}",
        "{layer}.step.unit-wise.exact.{damping}",
        "{layer}.step.kfac.sqrt.{damping}",
        "{layer}.step.kfac.factor.{damping}",
        "{layer}.step.kfac.pi.{damping}",
        "{layer}.step.kfac.exact.{damping}",
        "{layer}.step.ekfac.exact.{damping}",
    ]
}


class Report:
    passed = failed = 0

    def check(self, holds, sentence):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED", sentence)

    def close(self, name, value, expected, tolerance):
        if np.shape(value) != np.shape(expected):
            self.check(False, f"{name}: shape {np.shape(value)}, expected {np.shape(expected)}")
            return
        difference = reference.relative_difference(value, expected)
        # Written so that a NaN fails.
        self.check(
            difference <= tolerance,
            f"{name}: relative difference {difference:.2e}, allowed {tolerance:.2e}",
        )


def tolerance(name):
    return 1e-9 if ".step." in name else 1e-12


def load(folder):
    case = json.loads((folder / "case.json").read_text())
    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        return case, {name: file[name] for name in file.files}


def problem(case, arrays):
    """Network, weights, likelihood, inputs and targets of a case."""
    weights = [arrays[f"{block['name']}.weights"] for block in case["network"]["parameters"]]
    targets = arrays["labels"] if "labels" in arrays else arrays["targets"]
    return case["network"], weights, case["likelihood"], arrays["inputs"], targets


def check_case(report, folder):
    case, arrays = load(folder)
    entries = {entry["name"]: entry for entry in case["arrays"]}
    report.check(entries.keys() == arrays.keys(), f"{folder.name}: case.json lists other arrays")
    for name, array in arrays.items():
        digest = reference.sha256(reference.npy_bytes(array))
        report.check(digest == entries[name]["sha256"], f"{folder.name} {name}: sha256 differs")

    ours = reference.quantities(*problem(case, arrays), case["dampings"], case["split"])
    stored = {name for name, entry in entries.items() if entry["source"] == "numpy"}
    report.check(stored == ours.keys(), f"{folder.name}: stored and recomputed names differ")
    for name in sorted(stored & ours.keys()):
        allowed = 1e-13 * entries[name]["condition"]
        report.close(f"{folder.name} {name}", ours[name], arrays[name], allowed)
    for comparison in case["comparisons"]:
        if comparison["stored"]:
            name = comparison["array"]
            peer = f"peer.{comparison['peer']}.{name}"
            report.close(f"{folder.name} {peer}", arrays[peer], arrays[name], tolerance(name))


def check_files(report, description):
    folder = description.parent
    for entry in json.loads(description.read_text())["files"]:
        data = (folder / entry["name"]).read_bytes()
        path = (folder / entry["name"]).relative_to(FIXTURES.parent)
        report.check(reference.sha256(data) == entry["sha256"], f"{path}: sha256 differs")


def check_command(report, binary):
    """The files are written with numpy's habits: column-major, big-endian, int64 labels."""
    case, arrays = load(FIXTURES / "vectors" / "peers" / COMMAND_CASE)
    dampings = case["dampings"]
    layers = [block["name"] for block in case["network"]["parameters"]]
    weights = {f"{layer}.weights": arrays[f"{layer}.weights"] for layer in layers}
    first = f"{layers[0]}.weights"
    weights[first] = np.asfortranarray(weights[first])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        np.savez(folder / "weights.npz", **weights)
        inputs = arrays["inputs"].astype(">f8")
        np.savez_compressed(folder / "data.npz", inputs=inputs, labels=arrays["labels"])
        command = [
            binary, "compare", "--weights", folder / "weights.npz", "--data", folder / "data.npz",
            "--activations", "tanh", "--likelihood", "categorical", "--fisher", "exact",
            "--damping", ",".join(map(str, dampings)), "--arrays", folder / "out.npz",
            "--output", folder / "results",
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        ended = f"natgrad compare ended with {run.returncode}:\n{run.stderr}"
        report.check(run.returncode == 0, ended)
        if run.returncode != 0:
            return
        with np.load(folder / "out.npz", allow_pickle=False) as file:
            written = {key: file[key] for key in file.files}
    ours = reference.quantities(*problem(case, arrays), dampings)
    for theirs, name in COMMAND_ARRAYS.items():
        keys = {
            (theirs.format(**values), name.format(**values))
            for layer in layers
            for damping in dampings
            for values in [{"layer": layer, "damping": damping}]
        }
        for key, expected in sorted(keys):
            if key in written:
                report.close(f"natgrad {key}", written[key], ours[expected], tolerance(expected))
            else:
                report.check(False, f"natgrad wrote no array {key}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--natgrad", type=pathlib.Path)
    parser.add_argument("--all", action="store_true", help="also with 30 more digits")
    arguments = parser.parse_args()
    binary = arguments.natgrad
    report = Report()
    folders = sorted(path.parent for path in FIXTURES.glob("vectors/peers/*/case.json"))
    report.check(len(folders) > 0, "no case under Fixtures/vectors/peers")
    for folder in folders:
        check_case(report, folder)
    for pattern in ("vectors/**/case.json", "datasets/*/provenance.json"):
        for description in sorted(FIXTURES.glob(pattern)):
            check_files(report, description)
    check_vectors(report, arguments.all)
    if binary is None:
        print("no natgrad binary given: its arrays are not compared")
    else:
        check_command(report, binary.resolve())
    print(f"{report.passed} passed, {report.failed} failed")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
