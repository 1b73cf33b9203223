"""What BackPACK says about a problem, in our conventions: (name, conversion in words, array)."""

import numpy as np
import torch
from backpack import backpack, extend
from backpack.extensions import KFLR, BatchGrad, SqrtGGNExact

from numpy_reference import input_shape
from peer_problem import ACTIVATIONS, torch_layer

DISTRIBUTION, RUNTIME = "backpack-for-pytorch", "torch"


def gap(problem):
    """Why it is not asked, or None."""
    nodes = problem.network["nodes"]
    if any(node.get("activation") == "softplus" for node in nodes):
        return "it has no second-order rule for Softplus"
    if not problem.is_chain():
        return "it takes a sequence of modules here, each used once"
    if "sequence" in problem.network["inputShape"]:
        return "its Kronecker factors are for Linear layers on vectors"
    return None


class Library:
    """With reduction "sum" every quantity is a sum over N of torch's loss, which for MSELoss is
    2 variance times ours."""

    def __init__(self, problem, wanted):
        self.problem, self.count = problem, len(problem.inputs)
        modules, self.layers = [], []
        for node in problem.network["nodes"]:
            operation = node["operation"]
            if operation in ("dense", "convolution"):
                index = node["parameters"]
                modules.append(torch_layer(node, problem.weights[index], problem.biases[index]))
                self.layers.append(modules[-1])
            elif operation == "activation":
                modules.append(ACTIVATIONS[node["activation"]]())
            elif operation == "meanPooling":
                view = node["window"]
                modules.append(torch.nn.AvgPool2d(tuple(view["kernel"]), tuple(view["stride"])))
            else:
                modules.append(torch.nn.Flatten())
        self.model = extend(torch.nn.Sequential(*modules))
        self.loss = extend(problem.loss_class(reduction="sum"))
        self.scale, self.constant = 1.0, ""
        if problem.likelihood["name"] == "gaussian":
            self.scale = 1 / (2 * problem.likelihood["variance"])
            self.constant = ", over 2 variance"

    def backward(self, *extensions):
        shaped = self.problem.inputs.reshape(-1, *input_shape(self.problem.network))
        with backpack(*extensions):
            self.loss(self.model(shaped), self.problem.targets).backward()

    def columns(self, field):
        """Of every layer the saved vectors as rows, entries in the order of [W b] by columns."""
        for layer in self.layers:
            parts = [p for p in (layer.weight, layer.bias) if p is not None]
            rows = len(layer.weight)
            saved = [getattr(p, field).reshape(-1, rows, p[0].numel()) for p in parts]
            joined = torch.cat(saved, dim=2).numpy()
            yield joined.transpose(0, 2, 1).reshape(len(joined), -1)

    def values(self):
        reorder = "as columns of [W b]"
        self.backward(BatchGrad())
        words = f"sum of outer products of BatchGrad {reorder}, over N{self.constant} squared"
        for index, u in enumerate(self.columns("grad_batch")):
            empirical = u.T @ u * self.scale**2 / self.count
            yield f"layer{index + 1}.block.empirical", words, empirical
        if self.problem.likelihood["name"] == "bernoulli":
            return  # its BCEWithLogitsLoss takes one output
        self.backward(SqrtGGNExact(), KFLR())
        words = f"V V' of SqrtGGNExact, V {reorder}, over N{self.constant}"
        roots = list(self.columns("sqrt_ggn_exact"))
        whole = np.hstack(roots)
        yield "fisher", words, whole.T @ whole * self.scale / self.count
        for index, v in enumerate(roots):
            yield f"layer{index + 1}.block", words, v.T @ v * self.scale / self.count
        yield from self.factors()

    def factors(self):
        """KFLR keeps the bias apart. For a convolution it pairs A of expand with G of reduce."""
        for index, layer in enumerate(self.layers):
            name, (g, a) = f"layer{index + 1}", layer.weight.kflr
            flavour = ".reduce" if layer.weight.dim() == 4 else ""
            words = f"first factor of KFLR of the weight, over N{self.constant}"
            yield f"{name}.G{flavour}", words, g.numpy() * self.scale / self.count
            yield f"{name}.A", "second factor of KFLR of the weight, without the bias", a.numpy()
