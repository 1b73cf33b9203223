"""Writes Fixtures/vectors/peers: small networks whose curvature was computed twice, by the NumPy
formulas of numpy_reference.py and by curvlinops, nngeometry or torch.

    python Fixtures/generate/peers.py

Inputs, weights and targets come from numpy's generator with the first seed that is `generic`.
The same machine and the versions of requirements.txt give the same bytes.
"""

import json
import pathlib
import platform

import curvlinops
import nngeometry.metrics
import nngeometry.object
import numpy as np
import numpy_reference as reference
import torch
from nngeometry.layercollection import LayerCollection
from torch.utils.data import DataLoader, TensorDataset

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

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


# ---------------------------------------------------------------- the same network in torch


class TorchNetwork(torch.nn.Module):
    def __init__(self, network, weights):
        super().__init__()
        self.network = network
        self.layers = torch.nn.ModuleList()
        for index, block in enumerate(weights):
            block = torch.from_numpy(block)
            nodes = [node for node in network["nodes"] if node.get("parameters") == index]
            rows, columns = block.shape
            if nodes[0]["operation"] == "convolution":
                view = nodes[0]["window"]
                channels = (columns - 1) // int(np.prod(view["kernel"]))
                layer = torch.nn.Conv2d(
                    channels, rows, view["kernel"], tuple(view["stride"]), tuple(view["padding"])
                )
            else:
                layer = torch.nn.Linear(columns - 1, rows)
            layer.weight.data = block[:, :-1].reshape(layer.weight.shape).clone()
            layer.bias.data = block[:, -1].clone()
            self.layers.append(layer)

    def forward(self, x):
        values = [x.reshape(-1, *reference.input_shape(self.network))]
        functions = {"tanh": torch.tanh, "logistic": torch.sigmoid, "relu": torch.relu}
        for node in self.network["nodes"]:
            value, operation = values[node["inputs"][0]], node["operation"]
            if operation in ("dense", "convolution"):
                value = self.layers[node["parameters"]](value)
            elif operation == "activation":
                value = functions[node["activation"]](value)
            elif operation == "meanPooling":
                view = node["window"]
                value = torch.nn.functional.avg_pool2d(value, view["kernel"], view["stride"])
            elif operation == "meanOverPositions":
                value = value.mean(dim=1)
            elif operation == "flatten":
                value = value.flatten(start_dim=1)
            elif operation == "addition":
                value = sum(values[k] for k in node["inputs"])
            values.append(value)
        return values[-1]


class Peer:
    """What the libraries say about one case, converted to our conventions."""

    def __init__(self, case, inputs, weights, targets):
        self.network, self.likelihood = case["network"], case["likelihood"]
        self.shapes = [w.shape for w in weights]
        self.model = TorchNetwork(self.network, weights)
        self.parameters = [p for layer in self.model.layers for p in (layer.weight, layer.bias)]
        self.inputs, self.targets = torch.from_numpy(inputs), torch.from_numpy(targets)
        self.uses = [
            sum(node.get("parameters") == index for node in self.network["nodes"])
            for index in range(len(weights))
        ]
        self.values = {}
        outputs = self.model(self.inputs).shape[1]
        # torch's losses: ours is `scale` times theirs, because MSELoss and BCEWithLogitsLoss also
        # average over the outputs and MSELoss has no variance.
        name = self.likelihood["name"]
        if name == "categorical":
            self.loss, self.scale = torch.nn.CrossEntropyLoss(), 1.0
        elif name == "gaussian":
            self.loss = torch.nn.MSELoss()
            self.scale = outputs / (2 * self.likelihood["variance"])
        else:
            self.loss, self.scale = torch.nn.BCEWithLogitsLoss(), float(outputs)
        # Their empirical MSE and BCE gradients are averaged over sqrt(outputs), not outputs.
        self.empirical_scale = self.scale**2 / (1 if name == "categorical" else outputs)

    def add(self, library, name, value):
        self.values[f"peer.{library}.{name}"] = np.asarray(value, float)

    # Parameter order: torch's is W row by row, then b, layer by layer.

    def order(self):
        """ours[k] = theirs[order[k]]."""
        parts, start = [], 0
        for rows, columns in self.shapes:
            i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
            theirs = np.where(j < columns - 1, i * (columns - 1) + j, rows * (columns - 1) + i)
            parts.append(start + reference.cvec(theirs))
            start += rows * columns
        return np.concatenate(parts)

    def ours(self, matrix):
        order = self.order()
        return np.asarray(matrix)[np.ix_(order, order)]

    def blocks(self, matrix):
        ends = np.cumsum([rows * columns for rows, columns in self.shapes])
        for start, end in zip([0, *ends], ends):
            yield matrix[start:end, start:end]

    def joined(self, tensors):
        """[W b] of every layer from torch's list W1, b1, W2, b2, ..."""
        pairs = zip(tensors[::2], tensors[1::2])
        return [
            np.hstack([w.detach().numpy().reshape(len(b), -1), b.detach().numpy()[:, None]])
            for w, b in pairs
        ]

    # The libraries.

    def torch(self):
        logits = self.model(self.inputs)
        if self.likelihood["name"] == "categorical":
            losses = torch.nn.functional.cross_entropy(logits, self.targets, reduction="none")
        elif self.likelihood["name"] == "gaussian":
            losses = ((logits - self.targets) ** 2).sum(1) / (2 * self.likelihood["variance"])
        else:
            losses = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, self.targets, reduction="none"
            ).sum(1)
        self.gradients = torch.autograd.grad(losses.mean(), self.parameters)
        self.add("torch", "logits", logits.detach())
        self.add("torch", "losses", losses.detach())
        self.add("torch", "loss", losses.mean().detach())
        for index, gradient in enumerate(self.joined(self.gradients)):
            self.add("torch", f"layer{index + 1}.gradient", gradient)

    def curvlinops(self):
        data = [(self.inputs, self.targets)]
        arguments = (self.model, self.loss, self.parameters, data)
        once = {"check_deterministic": False}  # the check would add every factor a second time
        identity = torch.eye(sum(p.numel() for p in self.parameters))
        ggn = curvlinops.GGNLinearOperator(*arguments, **once) @ identity
        self.add("curvlinops", "fisher", self.ours(ggn.detach()) * self.scale)
        empirical = curvlinops.EFLinearOperator(*arguments, **once) @ identity
        empirical = self.ours(empirical.detach()) * self.empirical_scale
        self.add("curvlinops", "fisher.empirical", empirical)

        kinds = curvlinops.FisherType
        for flavour in ("expand", "reduce"):
            for kind in (kinds.TYPE2, kinds.EMPIRICAL):
                operator = curvlinops.KFACLinearOperator(
                    *arguments,
                    fisher_type=kind,
                    kfac_approx=flavour,
                    separate_weight_and_bias=False,
                    **once,
                )
                operator.compute_kronecker_factors()
                self.factors(operator, flavour, kind == kinds.EMPIRICAL)
                if kind == kinds.TYPE2:
                    self.kfac_steps(operator, flavour)

        if max(self.uses) == 1:  # a block used twice: its cached inputs are overwritten
            operator = curvlinops.EKFACLinearOperator(
                *arguments, fisher_type=kinds.TYPE2, separate_weight_and_bias=False, **once
            )
            matrix = self.ours((operator @ identity).detach()) * self.scale
            for index, block in enumerate(self.blocks(matrix)):
                self.add("curvlinops", f"layer{index + 1}.ekfac", block)
            for damping in DAMPINGS:
                inverse = curvlinops.KFACInverseLinearOperator(
                    operator, damping=damping / self.scale, use_exact_damping=True
                )
                self.steps("ekfac.exact", damping, inverse @ list(self.gradients))

    def positions(self):
        """T of every block, uses counted, from the shapes that reach its layer."""
        counts = [0] * len(self.shapes)
        values = reference.forward(self.network, self.joined(self.parameters), self.inputs[0])
        for node in self.network["nodes"]:
            if "parameters" in node:
                rows = reference.layer_input(node, values[node["inputs"][0]])
                counts[node["parameters"]] += len(rows)
        return counts

    def factors(self, operator, flavour, empirical):
        """Expand: their A is a mean over N T and their G a sum over T; a block used twice has the
        sum over its uses in both. Reduce is as ours, but a block used twice is not reduced over
        its uses."""
        for index, positions in enumerate(self.positions()):
            name, layer = f"layers.{index}", f"layer{index + 1}"
            a = operator._input_covariances[name].numpy()
            g = operator._gradient_covariances[name].numpy()
            scale = self.empirical_scale if empirical else self.scale
            suffix = ".empirical" if empirical else ""
            if flavour == "expand":
                if not empirical:
                    self.add("curvlinops", f"{layer}.A", a * positions / self.uses[index])
                self.add("curvlinops", f"{layer}.G{suffix}", g * scale / positions)
            elif positions > 1 and self.uses[index] == 1:
                if not empirical:
                    self.add("curvlinops", f"{layer}.A.reduce", a)
                self.add("curvlinops", f"{layer}.G.reduce{suffix}", g * scale)

    def kfac_steps(self, operator, flavour):
        """Their matrix is ours times `uses` over `scale` (a block used twice: the sum over its
        uses is in A and in G), so damping and result carry that number too; the rules `sqrt` and
        `factor` also see how A and G share it and 1/T."""
        positions = self.positions()
        for rule in ("sqrt", "factor", "pi", "exact"):
            for damping in DAMPINGS:
                if rule in ("pi", "exact"):
                    rules = {
                        "use_heuristic_damping": rule == "pi",
                        "use_exact_damping": rule == "exact",
                        "min_damping": 0.0,
                    }
                    strengths = [damping / self.scale * uses for uses in self.uses]
                else:
                    rules = {}
                    root = np.sqrt(damping) if rule == "sqrt" else damping
                    if flavour == "expand":
                        strengths = [
                            (root * uses / t, root * t / self.scale)
                            for uses, t in zip(self.uses, positions)
                        ]
                    else:
                        strengths = [(root, root / self.scale)] * len(positions)
                for index, strength in enumerate(strengths):
                    if flavour == "reduce" and (positions[index] == 1 or self.uses[index] > 1):
                        continue
                    inverse = curvlinops.KFACInverseLinearOperator(
                        operator, damping=strength, cache=False, **rules
                    )
                    factor = self.uses[index] / self.scale
                    steps = self.joined(inverse @ list(self.gradients))
                    structure = "kfac" if flavour == "expand" else "kfac-reduce"
                    name = f"layer{index + 1}.step.{structure}.{rule}.{damping}"
                    self.add("curvlinops", name, steps[index] * factor)

    def steps(self, name, damping, tensors, library="curvlinops", scale=None):
        for index, step in enumerate(self.joined(tensors)):
            factor = 1 / (scale or self.scale)
            self.add(library, f"layer{index + 1}.step.{name}.{damping}", step * factor)

    def nngeometry(self):
        """Full, block-diagonal and diagonal Fisher matrix and their damped solves."""
        if max(self.uses) > 1 or "sequence" in self.network["inputShape"]:
            return  # its Jacobians cover modules used once, and Linear layers on vectors
        variants = {
            "categorical": ("classif_logits", 1.0),
            "gaussian": ("regression", 1 / self.likelihood.get("variance", 1.0)),
            "bernoulli": ("classif_binary_logits", 1.0),
        }
        variant, scale = variants[self.likelihood["name"]]
        loader = DataLoader(TensorDataset(self.inputs, self.targets), batch_size=len(self.inputs))
        collection = LayerCollection.from_model(self.model)
        gradient = nngeometry.object.PVector(
            collection, vector_repr=torch.cat([g.flatten() for g in self.gradients])
        )
        for name, representation in [
            ("exact.exact", nngeometry.object.PMatDense),
            ("block-diagonal.exact", nngeometry.object.PMatBlockDiag),
            ("diagonal.exact", nngeometry.object.PMatDiag),
        ]:
            matrix = nngeometry.metrics.FIM(
                self.model, loader, representation, variant=variant, layer_collection=collection
            )
            if name == "block-diagonal.exact":
                dense_matrix = self.ours(matrix.to_torch().detach()) * scale
                for index, block in enumerate(self.blocks(dense_matrix)):
                    self.add("nngeometry", f"layer{index + 1}.block", block)
            for damping in DAMPINGS:
                solution = matrix.solve(gradient, regul=damping / scale).to_dict()
                tensors = [t for layer in solution.values() for t in layer]
                self.steps(name, damping, tensors, "nngeometry", scale)


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
    peer = Peer(case, inputs, weights, targets)
    peer.torch()
    peer.curvlinops()
    peer.nngeometry()

    comparisons = compare(ours, peer.values)
    given = set(arrays)
    arrays |= ours
    arrays |= {key: value for key, value in peer.values.items() if stored(key)}
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
        "network": {
            **case["network"],
            "parameters": [
                {"name": f"layer{index + 1}", "rows": w.shape[0], "columns": w.shape[1]}
                for index, w in enumerate(weights)
            ],
        },
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
        "files": [
            {"name": "arrays.npz", "bytes": len(packed), "sha256": reference.sha256(packed)}
        ],
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
