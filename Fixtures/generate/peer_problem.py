"""A network of the fixtures in torch, and the way from torch's parameters to our conventions."""

import numpy as np
import torch

import numpy_reference as reference

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

REORDER = "entries from W by rows, then b, to columns of [W b]"
ACTIVATIONS = {
    "identity": torch.nn.Identity,
    "tanh": torch.nn.Tanh,
    "logistic": torch.nn.Sigmoid,
    "relu": torch.nn.ReLU,
    "softplus": torch.nn.Softplus,
}


def torch_layer(node, weights, has_bias):
    """Linear or Conv2d with the weights of a block, `[W b]` or W."""
    block = torch.from_numpy(np.array(weights))
    w = block[:, :-1] if has_bias else block
    if node["operation"] == "convolution":
        view = node["window"]
        channels = w.shape[1] // int(np.prod(view["kernel"]))
        kernel, stride, padding = (tuple(view[k]) for k in ("kernel", "stride", "padding"))
        layer = torch.nn.Conv2d(channels, len(w), kernel, stride, padding, bias=has_bias)
    else:
        layer = torch.nn.Linear(w.shape[1], len(w), bias=has_bias)
    layer.weight.data = w.reshape(layer.weight.shape).clone()
    if has_bias:
        layer.bias.data = block[:, -1].clone()
    return layer


class TorchNetwork(torch.nn.Module):
    """The nodes in their order; the blocks are modules `layers.0`, `layers.1`, ..."""

    def __init__(self, network, weights):
        super().__init__()
        self.network = network
        self.layers = torch.nn.ModuleList()
        for index, (block, w) in enumerate(zip(network["parameters"], weights)):
            node = next(n for n in network["nodes"] if n.get("parameters") == index)
            self.layers.append(torch_layer(node, w, block.get("bias", True)))

    def forward(self, x):
        values = [x.reshape(-1, *reference.input_shape(self.network))]
        for node in self.network["nodes"]:
            value, operation = values[node["inputs"][0]], node["operation"]
            if operation in ("dense", "convolution"):
                value = self.layers[node["parameters"]](value)
            elif operation == "activation":
                value = ACTIVATIONS[node["activation"]]()(value)
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


class Problem:
    """One case as a torch model with data, and the conversions of what a library returns.

    `scale` times torch's mean-reduced loss is ours: MSELoss and BCEWithLogitsLoss also average over
    the outputs, and MSELoss has neither the factor 1/2 nor a variance."""

    def __init__(self, network, likelihood, weights, inputs, targets):
        self.network, self.likelihood, self.weights = network, likelihood, weights
        self.biases = [block.get("bias", True) for block in network["parameters"]]
        self.shapes = [w.shape for w in weights]
        self.model = TorchNetwork(network, weights)
        self.parameters = list(self.model.parameters())
        self.inputs, self.targets = torch.from_numpy(inputs), torch.from_numpy(targets)
        self.outputs = self.model(self.inputs).shape[1]
        self.uses = [
            sum(node.get("parameters") == index for node in network["nodes"])
            for index in range(len(weights))
        ]
        name = likelihood["name"]
        if name == "categorical":
            self.loss_class, self.scale = torch.nn.CrossEntropyLoss, 1.0
        elif name == "gaussian":
            self.loss_class = torch.nn.MSELoss
            self.scale = self.outputs / (2 * likelihood["variance"])
        else:
            self.loss_class, self.scale = torch.nn.BCEWithLogitsLoss, float(self.outputs)
        self.gradients = torch.autograd.grad(self.losses().mean(), self.parameters)

    def losses(self):
        logits = self.model(self.inputs)
        values = self.loss_class(reduction="none")(logits, self.targets)
        if self.likelihood["name"] == "categorical":
            return values
        return values.sum(1) * (self.scale / self.outputs)

    def is_chain(self):
        """Every node reads the one before, and every block is used once."""
        nodes = self.network["nodes"]
        return max(self.uses) == 1 and all(n["inputs"] == [k] for k, n in enumerate(nodes))

    def positions(self):
        """T of every block, uses counted, from the shapes that reach its layer."""
        counts = [0] * len(self.shapes)
        padded = [
            w if bias else np.hstack([w, np.zeros((len(w), 1))])
            for w, bias in zip(self.weights, self.biases)
        ]
        values = reference.forward(self.network, padded, self.inputs[0].numpy())
        for node in self.network["nodes"]:
            if "parameters" in node:
                rows = reference.layer_input(node, values[node["inputs"][0]])
                counts[node["parameters"]] += len(rows)
        return counts

    # torch's parameter order is W row by row, then b, layer by layer.

    def order(self):
        """ours[k] = theirs[order[k]]."""
        parts, start = [], 0
        for (rows, columns), bias in zip(self.shapes, self.biases):
            inner = columns - bias
            i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
            theirs = np.where(j < inner, i * inner + j, rows * inner + i)
            parts.append(start + reference.cvec(theirs))
            start += rows * columns
        return np.concatenate(parts)

    def ours(self, matrix):
        order = self.order()
        return np.asarray(matrix.detach())[np.ix_(order, order)]

    def blocks(self, matrix):
        ends = np.cumsum([rows * columns for rows, columns in self.shapes])
        for start, end in zip([0, *ends], ends):
            yield matrix[start:end, start:end]

    def joined(self, tensors):
        """[W b] of every layer from torch's list W1, b1, W2, b2, ..."""
        tensors, result = [t.detach().numpy() for t in tensors], []
        for bias in self.biases:
            w = tensors.pop(0)
            w = w.reshape(len(w), -1)
            result.append(np.hstack([w, tensors.pop(0)[:, None]]) if bias else w)
        return result
