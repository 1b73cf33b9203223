"""What curvlinops says about a problem, in our conventions: (name, conversion in words, array)."""

import curvlinops
import numpy as np
import torch

from peer_problem import REORDER

DISTRIBUTION, RUNTIME = "curvlinops-for-pytorch", "torch"
KINDS = curvlinops.FisherType


def gap(problem):
    """Why it is not asked, or None."""
    return None


class Library:
    """Its loss is torch's mean over N, and over the C outputs too for MSE and BCE."""

    def __init__(self, problem, wanted):
        self.problem, self.wanted = problem, wanted
        data = [(problem.inputs, problem.targets)]
        self.arguments = (problem.model, problem.loss_class(), problem.parameters, data)
        self.identity = torch.eye(sum(p.numel() for p in problem.parameters))
        self.scale, categorical = problem.scale, problem.likelihood["name"] == "categorical"
        # Their empirical MSE and BCE gradients are averaged over sqrt(C), not C.
        self.empirical_scale = self.scale**2 / (1 if categorical else problem.outputs)
        self.positions = problem.positions()

    def values(self):
        yield from self.fisher()
        for flavour in ("expand", "reduce"):
            yield from self.factors(flavour)
        if max(self.problem.uses) == 1:  # a block used twice: its cached inputs are overwritten
            yield from self.ekfac()

    def operator(self, kind, **options):
        # Their check of determinism would add every factor a second time.
        return kind(*self.arguments, check_deterministic=False, **options)

    def scaled(self, by, what):
        names = {"gaussian": "MSELoss", "bernoulli": "BCEWithLogitsLoss"}
        if by == 1:
            return what
        return f"{what}; times {by:g}, the constant of {names[self.problem.likelihood['name']]}"

    def fisher(self):
        problem = self.problem
        kinds = [
            ("", curvlinops.GGNLinearOperator, self.scale),
            (".empirical", curvlinops.EFLinearOperator, self.empirical_scale),
        ]
        for suffix, kind, scale in kinds:
            matrix = problem.ours(self.operator(kind) @ self.identity) * scale
            words = self.scaled(scale, f"{kind.__name__} times the identity; {REORDER}")
            yield f"fisher{suffix}", words, matrix
            for index, block in enumerate(problem.blocks(matrix)):
                yield f"layer{index + 1}.block{suffix}", f"diagonal block of {words}", block

    def factors(self, flavour):
        """Expand: their A is a mean over N T and their G a sum over T; a block used twice has the
        sum over its uses in both. Reduce is as ours, but a block used twice is not reduced over
        its uses."""
        for kind in (KINDS.TYPE2, KINDS.EMPIRICAL):
            operator = self.operator(
                curvlinops.KFACLinearOperator,
                fisher_type=kind,
                kfac_approx=flavour,
                separate_weight_and_bias=False,
            )
            operator.compute_kronecker_factors()
            empirical = kind == KINDS.EMPIRICAL
            for index, positions in enumerate(self.positions):
                name, layer = f"layers.{index}", f"layer{index + 1}"
                a = operator._input_covariances[name].numpy()
                g = operator._gradient_covariances[name].numpy()
                scale = self.empirical_scale if empirical else self.scale
                suffix, uses = ".empirical" if empirical else "", self.problem.uses[index]
                made = f"KFACLinearOperator, {flavour}, {kind.lower()}"
                if flavour == "expand":
                    if not empirical:
                        shared = (
                            f"; a mean over N T, times T = {positions}" if positions > 1 else ""
                        )
                        shared += f"; summed over uses, over {uses}" if uses > 1 else ""
                        yield f"{layer}.A", f"A of {made}{shared}", a * positions / uses
                    shared = f"; a sum over T, over {positions}" if positions > 1 else ""
                    words = self.scaled(scale, f"G of {made}{shared}")
                    yield f"{layer}.G{suffix}", words, g * scale / positions
                elif positions > 1 and uses == 1:
                    if not empirical:
                        yield f"{layer}.A.reduce", f"A of {made}", a
                    words = self.scaled(scale, f"G of {made}")
                    yield f"{layer}.G.reduce{suffix}", words, g * scale
            if not empirical:
                yield from self.kfac_steps(operator, flavour)

    def steps(self, structure, rules):
        """(rule, damping) of the steps that the case holds."""
        found = set()
        for name in self.wanted:
            _, _, rest = name.partition(".step.")
            if rest:
                kind, rule, damping = rest.split(".", 2)
                if kind == structure and rule in rules:
                    found.add((rule, damping))
        return sorted(found)

    def kfac_steps(self, operator, flavour):
        """Their matrix is ours times `uses` over `scale` (a block used twice: the sum over its
        uses is in A and in G), so damping and result carry that number too; the rules `sqrt` and
        `factor` also see how A and G share it and 1/T."""
        problem, positions = self.problem, self.positions
        structure = "kfac" if flavour == "expand" else "kfac-reduce"
        for rule, text in self.steps(structure, ("sqrt", "factor", "pi", "exact")):
            damping = float(text)
            if rule in ("pi", "exact"):
                options = {
                    "use_heuristic_damping": rule == "pi",
                    "use_exact_damping": rule == "exact",
                    "min_damping": 0.0,
                }
                strengths = [damping / self.scale * uses for uses in problem.uses]
            else:
                options = {}
                root = np.sqrt(damping) if rule == "sqrt" else damping
                strengths = [(root, root / self.scale)] * len(positions)
                if flavour == "expand":
                    strengths = [
                        (root * uses / t, root * t / self.scale)
                        for uses, t in zip(problem.uses, positions)
                    ]
            for index, strength in enumerate(strengths):
                if flavour == "reduce" and (positions[index] == 1 or problem.uses[index] > 1):
                    continue
                inverse = curvlinops.KFACInverseLinearOperator(
                    operator, damping=strength, cache=False, **options
                )
                factor = problem.uses[index] / self.scale
                step = problem.joined(inverse @ list(problem.gradients))[index] * factor
                words = (
                    f"KFACInverseLinearOperator, {flavour}, damping {rule} in units of their matrix"
                )
                yield f"layer{index + 1}.step.{structure}.{rule}.{text}", words, step

    def ekfac(self):
        problem = self.problem
        operator = self.operator(
            curvlinops.EKFACLinearOperator,
            fisher_type=KINDS.TYPE2,
            separate_weight_and_bias=False,
        )
        matrix = problem.ours(operator @ self.identity) * self.scale
        words = self.scaled(self.scale, f"EKFACLinearOperator times the identity; {REORDER}")
        for index, block in enumerate(problem.blocks(matrix)):
            yield f"layer{index + 1}.ekfac", words, block
        for _, text in self.steps("ekfac", ("exact",)):
            inverse = curvlinops.KFACInverseLinearOperator(
                operator, damping=float(text) / self.scale, use_exact_damping=True
            )
            words = "KFACInverseLinearOperator of the EKFAC operator, use_exact_damping"
            for index, step in enumerate(problem.joined(inverse @ list(problem.gradients))):
                yield f"layer{index + 1}.step.ekfac.exact.{text}", words, step / self.scale
