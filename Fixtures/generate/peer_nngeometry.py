"""What NNGeometry says about a problem, in our conventions: (name, conversion in words, array)."""

import nngeometry.metrics
import nngeometry.object
import numpy as np
import torch
from nngeometry.layercollection import LayerCollection
from torch.utils.data import DataLoader, TensorDataset

from peer_problem import REORDER

DISTRIBUTION, RUNTIME = "nngeometry", "torch"


def gap(problem):
    """Why it is not asked, or None."""
    if max(problem.uses) > 1:
        return "its Jacobians cover modules that are used once"
    if "sequence" in problem.network["inputShape"]:
        return "its Jacobians cover Linear layers on vectors"
    if not all(problem.biases):
        return "its parameter order is converted here for layers with a bias"
    return None


class Library:
    """Its Fisher matrix is a mean over N; a regression has unit variance."""

    def __init__(self, problem, wanted):
        self.problem, self.wanted = problem, wanted
        self.variant, self.scale = {
            "categorical": ("classif_logits", 1.0),
            "gaussian": ("regression", 1 / problem.likelihood.get("variance", 1.0)),
            "bernoulli": ("classif_binary_logits", 1.0),
        }[problem.likelihood["name"]]
        data = TensorDataset(problem.inputs, problem.targets)
        self.loader = DataLoader(data, batch_size=len(problem.inputs))
        self.collection = LayerCollection.from_model(problem.model)
        self.gradient = nngeometry.object.PVector(
            self.collection, vector_repr=torch.cat([g.flatten() for g in problem.gradients])
        )
        self.variance = "" if self.scale == 1 else ", over the variance"

    def matrix(self, representation):
        return nngeometry.metrics.FIM(
            self.problem.model,
            self.loader,
            representation,
            variant=self.variant,
            layer_collection=self.collection,
        )

    def values(self):
        whole = self.matrix(nngeometry.object.PMatDense)
        words = f"PMatDense{self.variance}; {REORDER}"
        yield "fisher", words, self.problem.ours(whole.to_torch()) * self.scale
        yield from self.steps(whole, "exact.exact", "PMatDense.solve")
        blocks = self.matrix(nngeometry.object.PMatBlockDiag)
        yield from self.blocks(blocks, "block", "PMatBlockDiag")
        yield from self.steps(blocks, "block-diagonal.exact", "PMatBlockDiag.solve")
        if any(".step.diagonal.exact." in name for name in self.wanted):
            diagonal = self.matrix(nngeometry.object.PMatDiag)
            yield from self.steps(diagonal, "diagonal.exact", "PMatDiag.solve")
        if any(name.endswith(".ekfac") for name in self.wanted):
            ekfac = self.matrix(nngeometry.object.PMatEKFAC)
            ekfac.update_diag(self.loader)
            yield from self.blocks(ekfac, "ekfac", "PMatEKFAC after update_diag")
            yield from self.steps(ekfac, "ekfac.exact", "PMatEKFAC.solve after update_diag")
        yield from self.kfac()

    def blocks(self, matrix, name, made):
        found = self.problem.ours(matrix.to_torch()) * self.scale
        for index, block in enumerate(self.problem.blocks(found)):
            yield f"layer{index + 1}.{name}", f"{made}{self.variance}; {REORDER}", block

    def kfac(self):
        """A and G share sqrt(K), K the number of columns that they pull back."""
        kfac = self.matrix(nngeometry.object.PMatKFAC)
        categorical = self.problem.likelihood["name"] == "categorical"
        root = np.sqrt(self.problem.outputs - categorical)
        k = "K = C - 1" if categorical else "K = C"
        for index, (a, g) in enumerate(kfac.data.values()):
            layer = f"layer{index + 1}"
            yield f"{layer}.A", f"first factor of PMatKFAC, over sqrt(K), {k}", a.numpy() / root
            words = f"second factor of PMatKFAC, times sqrt(K), {k}{self.variance}"
            yield f"{layer}.G", words, g.numpy() * root * self.scale
        yield from self.steps(kfac, "kfac.pi", "PMatKFAC.solve, use_pi")

    def steps(self, matrix, name, made):
        """The damping is in units of their matrix, and so is the result."""
        dampings = {n.split(f".step.{name}.")[1] for n in self.wanted if f".step.{name}." in n}
        for text in sorted(dampings):
            solution = matrix.solve(self.gradient, regul=float(text) / self.scale).to_dict()
            tensors = [t for layer in solution.values() for t in layer]
            words = f"{made}, regul the damping"
            if self.variance:
                words += " times the variance; times the variance"
            for index, step in enumerate(self.problem.joined(tensors)):
                yield f"layer{index + 1}.step.{name}.{text}", words, step / self.scale
