"""Writes Fixtures/vectors/peers: small networks whose curvature was computed twice, by the NumPy
formulas of numpy_reference.py and by curvlinops, nngeometry or torch.

    python Fixtures/generate/peers.py

Inputs, weights and targets come from numpy's generator with the first seed that is `generic`.
The same machine and the versions of requirements.txt give the same bytes.
"""

import json
import pathlib
import platform

import numpy as np
import torch

import numpy_reference as reference
import peer_curvlinops
import peer_nngeometry
import peer_torch
from peer_problem import Problem

LIBRARIES = {
    "torch": peer_torch,
    "curvlinops": peer_curvlinops,
    "nngeometry": peer_nngeometry,
}

PEERS = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "peers"
DAMPINGS = [0.1, 0.001]
CONVENTIONS = {
    "vec": "column: entry (i, j) of a dG x dA block sits at j*dG + i",
    "kronecker": "A kron G",
    "weights": "[W b], dG x dA",
    "bias": "last, homogeneous coordinate",
    "reduction": "mean over the N examples",
    "fisher": "exact expectation over labels (type 2)",
    "sharedFactors": "expand: A = 1/N sum_nt a a', G = 1/(N T) sum_ntc g g'; T counts every "
    "position of every use of the block; .reduce: mean of a and sum of g over the T positions",
    "loss": "-log p; Gaussian |y - z|^2 / (2 variance), without the constant",
    "dampingRules": {
        "sqrt": "A + sqrt(L) I, G + sqrt(L) I",
        "factor": "A + L I, G + L I",
        "pi": "A + pi sqrt(L) I, G + sqrt(L)/pi I, pi^2 = (tr A / dA) / (tr G / dG)",
        "exact": "matrix + L I",
    },
    "step": "damped matrix inverse times the mean gradient, in the shape of [W b]",
    "eigenvalues": "ascending; second-moments: rows follow G's, columns A's",
}

# ---------------------------------------------------------------- the cases


def dense(parameters, *inputs):
    return {"operation": "dense", "parameters": parameters, "inputs": list(inputs)}


def activation(kind, *inputs):
    return {"operation": "activation", "activation": kind, "inputs": list(inputs)}


def plain(widths, kind):
    """A multilayer perceptron and the shapes of its [W b]."""
    shapes = [(out, size + 1) for size, out in zip(widths, widths[1:])]
    weights = [np.empty(shape) for shape in shapes]
    return reference.multilayer_perceptron(weights, [kind] * (len(shapes) - 1)), shapes


def window(kernel, stride, padding=(0, 0)):
    return {"kernel": list(kernel), "stride": list(stride), "padding": list(padding)}


def cases():
    categorical, bernoulli = {"name": "categorical"}, {"name": "bernoulli"}

    def gaussian(variance):
        return {"name": "gaussian", "variance": variance}

    def case(title, network, shapes, likelihood, examples):
        return dict(
            title=title, network=network, shapes=shapes, likelihood=likelihood, examples=examples
        )

    sequence = {"sequence": {"positions": 3, "features": 5}}
    return {
        "dense-tanh-categorical": case(
            "dense 7-5-3, tanh, categorical", *plain([7, 5, 3], "tanh"), categorical, 11
        ),
        "dense-relu-gaussian": case(
            "dense 5-7-4-2, ReLU, Gaussian", *plain([5, 7, 4, 2], "relu"), gaussian(0.7), 13
        ),
        "dense-logistic-bernoulli": case(
            "dense 4-5-3, logistic, Bernoulli", *plain([4, 5, 3], "logistic"), bernoulli, 7
        ),
        "shared-sequence": case(
            "dense 5-4 shared by 3 positions, tanh, mean over positions, dense 4-3, categorical",
            {
                "inputShape": sequence,
                "nodes": [
                    dense(0, 0),
                    activation("tanh", 1),
                    {"operation": "meanOverPositions", "inputs": [2]},
                    dense(1, 3),
                ],
            },
            [(4, 6), (3, 5)],
            categorical,
            11,
        ),
        "shared-sequence-expand": case(
            "dense 5-4 and 4-2 shared by 3 positions, tanh between, flatten, Gaussian on 3*2",
            {
                "inputShape": sequence,
                "nodes": [
                    dense(0, 0),
                    activation("tanh", 1),
                    dense(1, 2),
                    {"operation": "flatten", "inputs": [3]},
                ],
            },
            [(4, 6), (2, 5)],
            gaussian(1.3),
            11,
        ),
        "convolution": case(
            "2x5x6 image, convolution 3x2 stride (2, 1) padding (1, 0) to 3 channels, tanh, "
            "mean pooling 2x2 stride (1, 2), flatten, dense 12-3, categorical",
            {
                "inputShape": {"image": {"channels": 2, "height": 5, "width": 6}},
                "nodes": [
                    {
                        "operation": "convolution",
                        "parameters": 0,
                        "window": window((3, 2), (2, 1), (1, 0)),
                        "inputs": [0],
                    },
                    activation("tanh", 1),
                    {
                        "operation": "meanPooling",
                        "window": window((2, 2), (1, 2)),
                        "inputs": [2],
                    },
                    {"operation": "flatten", "inputs": [3]},
                    dense(1, 4),
                ],
            },
            [(3, 13), (3, 13)],
            categorical,
            17,  # more than 13, so that the dense layer's A has full rank
        ),
        "residual": case(
            "dense 4-5, tanh, then tanh of dense 5-5 added to it, dense 5-3, Bernoulli",
            {
                "inputShape": {"vector": 4},
                "nodes": [
                    dense(0, 0),
                    activation("tanh", 1),
                    dense(1, 2),
                    activation("tanh", 3),
                    {"operation": "addition", "inputs": [2, 4]},
                    dense(2, 5),
                ],
            },
            [(5, 5), (5, 6), (3, 6)],
            bernoulli,
            13,
        ),
        "tied": case(
            "one dense 5-5 block used twice with tanh after it, dense 5-3, categorical",
            {
                "inputShape": {"vector": 5},
                "nodes": [
                    dense(0, 0),
                    activation("tanh", 1),
                    dense(0, 2),
                    activation("tanh", 3),
                    dense(1, 4),
                ],
            },
            [(5, 6), (3, 6)],
            categorical,
            11,
        ),
    }


def draw(case, seed):
    """Inputs (not centred), [W b] of every block and targets, all generic."""
    random = np.random.default_rng(seed)
    size = int(np.prod(reference.input_shape(case["network"])))
    inputs = random.normal(random.normal(0.3, 0.5, size), 1.0, (case["examples"], size))
    weights = [
        np.hstack(
            [
                random.normal(0, 1.3 / np.sqrt(columns - 1), (rows, columns - 1)),
                random.normal(0.1, 0.5, (rows, 1)),
            ]
        )
        for rows, columns in case["shapes"]
    ]
    outputs = len(reference.forward(case["network"], weights, inputs[0])[-1].ravel())
    if case["likelihood"]["name"] == "categorical":
        targets = random.integers(0, outputs, case["examples"])
    elif case["likelihood"]["name"] == "gaussian":
        targets = random.normal(0.2, 1.0, (case["examples"], outputs))
    else:
        targets = random.integers(0, 2, (case["examples"], outputs)).astype(float)
    return inputs, weights, targets


def generic(case, inputs, weights, targets):
    """Eigenvalues of A and G are at least 1e-4 apart, and 1/1000 of the largest one, so that the
    eigenbasis of EKFAC is determined; no ReLU argument is near its kink."""
    arguments = (case["network"], weights, case["likelihood"], inputs, targets)
    for block in reference.samples(*arguments, "exact"):
        for factor in block.expand():
            values = np.linalg.eigvalsh(factor)
            if values[-1] - values[0] < 1e-12:
                continue  # a multiple of I: every basis gives the same EKFAC
            if np.diff(values).min() < max(1e-4, values[-1] / 1000):
                return False
    for x in inputs:
        values = reference.forward(case["network"], weights, x)
        for node in case["network"]["nodes"]:
            if node.get("activation") == "relu":
                if np.abs(values[node["inputs"][0]]).min() < 1e-3:
                    return False
    return True


# ---------------------------------------------------------------- the libraries


def described(network, weights):
    """The network with the names and shapes of its blocks."""
    blocks = [
        {"name": f"layer{index + 1}", "rows": len(w), "columns": w.shape[1]}
        for index, w in enumerate(weights)
    ]
    return {**network, "parameters": blocks}


def has_peer(library, name):
    """The Fisher matrix of curvlinops, whose blocks lie in it, and the solves of NNGeometry."""
    if library == "curvlinops":
        return ".block" not in name
    if library == "nngeometry":
        kinds = ("exact.exact", "block-diagonal.exact", "diagonal.exact")
        return name.endswith(".block") or any(f".step.{kind}." in name for kind in kinds)
    return True


def peer_values(case, inputs, weights, targets, wanted):
    """What the libraries say, converted to our conventions, under peer.LIBRARY.NAME."""
    network = described(case["network"], weights)
    problem = Problem(network, case["likelihood"], weights, inputs, targets)
    found = {}
    for library, module in LIBRARIES.items():
        if module.gap(problem) is None:
            for name, _, value in module.Library(problem, wanted).values():
                if name in wanted and has_peer(library, name):
                    found[f"peer.{library}.{name}"] = np.asarray(value, float)
    return found


# ---------------------------------------------------------------- files


def lines(value, depth=1):
    """JSON with one line per entry of a list, so that a change shows as the lines it touches."""
    if not isinstance(value, (dict, list)) or depth > 3 or not value:
        return json.dumps(value)
    indent = "\n" + " " * depth
    if isinstance(value, list):
        return "[" + ",".join(indent + json.dumps(entry) for entry in value) + indent[:-1] + "]"
    entries = (f"{indent}{json.dumps(key)}: {lines(v, depth + 1)}" for key, v in value.items())
    return "{" + ",".join(entries) + indent[:-1] + "}"


def stored(peer_array):
    """What is a part of the peers' Fisher matrix, or as large, is compared but not stored."""
    return not peer_array.endswith((".block", ".fisher.empirical"))


def compare(ours, peers):
    """Every peer's array against ours. A generator that writes fixtures must stop when the two
    computations disagree: 1e-12 for matrices, 1e-9 for solves."""
    comparisons = []
    for key, array in peers.items():
        _, library, name = key.split(".", 2)
        difference = reference.relative_difference(array, ours[name])
        if not difference < (1e-9 if ".step." in name else 1e-12):
            raise SystemExit(f"{key} differs from ours by {difference:.2e}")
        comparisons.append(
            {
                "array": name,
                "peer": library,
                "relativeFrobeniusDifference": float(f"{difference:.1e}"),
                "stored": stored(key),
            }
        )
    return comparisons


def write_case(name, case):
    seed, drawn = 0, draw(case, 0)
    while not generic(case, *drawn):
        seed += 1
        drawn = draw(case, seed)
    inputs, weights, targets = drawn
    arrays = {"inputs": inputs}
    arrays["labels" if case["likelihood"]["name"] == "categorical" else "targets"] = targets
    arrays |= {f"layer{index + 1}.weights": w for index, w in enumerate(weights)}
    ours = reference.quantities(
        case["network"], weights, case["likelihood"], inputs, targets, DAMPINGS
    )
    peers = peer_values(case, inputs, weights, targets, set(ours))
    comparisons = compare(ours, peers)
    given = set(arrays)
    arrays |= ours
    arrays |= {key: value for key, value in peers.items() if stored(key)}
    entries = []
    for key, array in arrays.items():
        entry = {"name": key, "shape": list(array.shape), "dtype": str(array.dtype)}
        entry["sha256"] = reference.sha256(reference.npy_bytes(array))
        if key in given:
            entry["source"] = "drawn"
        elif key in ours:
            entry["source"] = "numpy"
            entry["condition"] = float(f"{ours.condition[key]:.3g}")
        else:
            entry["source"] = key.split(".")[1]
        entries.append(entry)
    folder = PEERS / name
    folder.mkdir(parents=True, exist_ok=True)
    reference.write_npz(folder / "arrays.npz", arrays)
    packed = (folder / "arrays.npz").read_bytes()
    description = {
        "id": f"peers/{name}",
        "title": case["title"],
        "network": described(case["network"], weights),
        "likelihood": case["likelihood"],
        "examples": case["examples"],
        "dampings": DAMPINGS,
        "split": 2,
        "conventions": CONVENTIONS,
        "provenance": {
            "generator": "Fixtures/generate/peers.py",
            "license": "Apache-2.0",
            "seed": seed,
            "arithmetic": "float64",
            "versions": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "torch": torch.__version__,
                "curvlinops": "3.0.1",
                "nngeometry": "0.4",
            },
        },
        "files": [{"name": "arrays.npz", "bytes": len(packed), "sha256": reference.sha256(packed)}],
        "arrays": entries,
        "comparisons": comparisons,
    }
    (folder / "case.json").write_text(lines(description) + "\n")
    return description


def main():
    for name, case in cases().items():
        description = write_case(name, case)
        differences = [
            (entry["relativeFrobeniusDifference"], entry["peer"], entry["array"])
            for entry in description["comparisons"]
        ]
        print(
            f"{name}: seed {description['provenance']['seed']}, "
            f"{description['files'][0]['bytes']} bytes, {len(description['arrays'])} arrays, "
            f"{len(differences)} of peers, largest difference {max(differences)}"
        )


if __name__ == "__main__":
    main()
