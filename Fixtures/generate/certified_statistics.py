"""Everything of a T1 case up to the blocks, and the damping rules."""

from scalar_algebra import combine, gradient_vector, outer_sum, transposed
from scalar_network import run


class Computed:
    """Everything of one case up to the blocks."""

    def __init__(self, numbers, network, weights, inputs, likelihood):
        self.numbers = numbers
        inputs = numbers.matrix(inputs)
        self.weights = [numbers.matrix(w) for w in weights]
        self.outputs, self.gradients, self.blocks = run(
            network, self.weights, numbers, inputs, likelihood.gradient
        )
        self.count = len(inputs)
        self.columns = [likelihood.columns(z) for z in self.outputs]
        self.losses = [likelihood.loss(n, z) for n, z in enumerate(self.outputs)]
        self.weights_flat = [w for columns in self.columns for w, _ in columns]
        self.layers = [LayerNumbers(self, block) for block in self.blocks]
        # Rounding z by ulp |z| changes exp(z) by |z| ulps: what every later stage inherits.
        self.kappa = max(1, max(abs(s) for z in self.outputs for s in z))

    def fisher(self):
        joined = [
            [x for part in parts for x in part]
            for parts in zip(*(layer.vectors for layer in self.layers))
        ]
        return divided(outer_sum(self.numbers, joined, self.weights_flat), self.count)


class LayerNumbers:
    def __init__(self, owner, block):
        numbers, count = owner.numbers, owner.count
        self.block, self.rows, self.positions = block, block.rows, len(block.a[0])
        self.pulled = [
            [(w, combine(numbers, jacobian, v)) for w, v in columns]
            for jacobian, columns in zip(block.jacobian, owner.columns)
        ]
        pairs = [(w, row) for one in self.pulled for w, g in one for row in g]
        weights, rows = [w for w, _ in pairs], [row for _, row in pairs]
        self.a = divided(outer_sum(numbers, [r for a in block.a for r in a]), count)
        self.g = divided(outer_sum(numbers, rows, weights), count * self.positions)
        empirical = outer_sum(numbers, [row for g in block.g for row in g])
        self.g_empirical = divided(empirical, count * self.positions)

        def add(rows):
            return [sum(column) for column in zip(*rows)]

        means = [[x / self.positions for x in add(a)] for a in block.a]
        self.a_reduce = divided(outer_sum(numbers, means), count)
        sums = [add(g) for one in self.pulled for _, g in one]
        self.g_reduce = divided(outer_sum(numbers, sums, owner.weights_flat), count)
        self.vectors = [
            gradient_vector(numbers, a, g) for a, one in zip(block.a, self.pulled) for _, g in one
        ]
        self.empirical = [gradient_vector(numbers, a, g) for a, g in zip(block.a, block.g)]
        self.gradient = [sum(column) / count for column in zip(*self.empirical)]
        self.fisher = divided(outer_sum(numbers, self.vectors, owner.weights_flat), count)
        self.fisher_empirical = divided(outer_sum(numbers, self.empirical), count)


def divided(matrix, count):
    return [[x / count for x in row] for row in matrix]


def roots(numbers, columns):
    """S with S S' = sum w v v', columns sqrt(w) v."""
    scaled = [[numbers.context.sqrt(w) * x for x in v] for w, v in columns]
    return transposed(scaled)


def condition(numbers, matrix, damping):
    """An upper bound of the condition number of matrix + damping I."""
    return (numbers.frobenius(matrix) + damping) / damping


def deltas(numbers, rule, a, g, damping):
    root = numbers.context.sqrt(damping)
    if rule == "factor":
        return numbers.number(damping), numbers.number(damping)
    if rule == "sqrt":
        return root, root
    mean_a = sum(a[i][i] for i in range(len(a))) / len(a)
    mean_g = sum(g[i][i] for i in range(len(g))) / len(g)
    pi = numbers.context.sqrt(mean_a / mean_g)
    return pi * root, root / pi
