"""A multilayer perceptron and what one batch says of each of its layers, in float64 with NumPy.

Written from the formulas (Fixtures/README.md, Conventions) and from no other code: one example per
row, weights [W b], the exact Fisher matrix as the expectation over the labels themselves."""

import numpy as np


def tanh_derivative(s):
    return 1 - np.tanh(s) ** 2


ACTIVATIONS = {
    "tanh": (np.tanh, tanh_derivative),
    "relu": (lambda s: np.maximum(s, 0), lambda s: (s > 0).astype(float)),
}


class Categorical:
    def probabilities(self, z):
        shifted = np.exp(z - z.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def losses(self, z, labels):
        """-log p_y = log sum_c exp(z_c) - z_y"""
        largest = z.max(axis=1)
        total = np.log(np.exp(z - largest[:, None]).sum(axis=1)) + largest
        return total - z[np.arange(len(z)), labels]

    def gradient(self, z, labels):
        """p - e_y"""
        return self.probabilities(z) - np.eye(z.shape[1])[labels]

    def expectation(self, z):
        """Every label c: its probability in each example, and the gradient p - e_c."""
        p = self.probabilities(z)
        return [(p[:, c], p - np.eye(z.shape[1])[c]) for c in range(z.shape[1])]


class Gaussian:
    def __init__(self, variance):
        self.variance = variance

    def losses(self, z, targets):
        """|y - z|^2 / (2 variance), without the constant"""
        return ((targets - z) ** 2).sum(axis=1) / (2 * self.variance)

    def gradient(self, z, targets):
        return (z - targets) / self.variance

    def expectation(self, z):
        """E (z - y)(z - y)' / variance^2 = I / variance, as the sum over its unit vectors."""
        ones, unit = np.ones(len(z)), np.eye(z.shape[1]) / np.sqrt(self.variance)
        return [(ones, np.tile(unit[k], (len(z), 1))) for k in range(z.shape[1])]


def likelihood_of(description):
    if description["name"] == "categorical":
        return Categorical()
    return Gaussian(description["variance"])


class LayerStatistics:
    """a (N x dA, the 1 last), and pairs of weights (N) and back-propagated vectors (N x dG): the
    Fisher block is 1/N sum_n sum_pairs w_n (a_n (x) g_n)(a_n (x) g_n)'."""

    def __init__(self, a, columns):
        self.a, self.columns, self.count = a, columns, len(a)

    def factors(self):
        """A = 1/N sum a a', G = 1/N sum w g g'"""
        g = sum((g * w[:, None]).T @ g for w, g in self.columns)
        return self.a.T @ self.a / self.count, g / self.count

    def second_moments(self, basis_a, basis_g):
        """S_ij = 1/N sum w (Q_G' g)_i^2 (Q_A' a)_j^2"""
        squares = (self.a @ basis_a) ** 2
        total = sum((w[:, None] * (g @ basis_g) ** 2).T @ squares for w, g in self.columns)
        return total / self.count

    def product(self, v):
        """The exact block times cvec(V): 1/N sum w g (g' V a) a'"""
        along = self.a @ v.T
        total = sum((g * (w * (g * along).sum(axis=1))[:, None]).T @ self.a for w, g in self.columns)
        return total / self.count


class Perceptron:
    def __init__(self, activation, likelihood):
        self.apply, self.derivative = ACTIVATIONS[activation]
        self.likelihood = likelihood_of(likelihood)

    def forward(self, weights, x):
        """a and the pre-activation s of every layer; the last s are the outputs."""
        inputs, sums = [], []
        for w in weights:
            inputs.append(np.hstack([x, np.ones((len(x), 1))]))
            sums.append(inputs[-1] @ w.T)
            x = self.apply(sums[-1])
        return inputs, sums

    def pull_back(self, weights, sums, v):
        """g of every layer for a vector v at the outputs of each example."""
        result = [v]
        for w, s in zip(weights[:0:-1], sums[-2::-1]):
            result.append((result[-1] @ w[:, :-1]) * self.derivative(s))
        return result[::-1]

    def evaluate(self, weights, x, y, fisher):
        """Mean loss, its gradients, and the statistics of every layer."""
        inputs, sums = self.forward(weights, x)
        at_outputs = self.likelihood.gradient(sums[-1], y)
        gs = self.pull_back(weights, sums, at_outputs)
        gradients = [g.T @ a / len(x) for g, a in zip(gs, inputs)]
        pairs = self.likelihood.expectation(sums[-1])
        if fisher == "empirical":
            pairs = [(np.ones(len(x)), at_outputs)]
        pulled = [(w, self.pull_back(weights, sums, v)) for w, v in pairs]
        layers = [
            LayerStatistics(a, [(w, g[index]) for w, g in pulled]) for index, a in enumerate(inputs)
        ]
        return self.likelihood.losses(sums[-1], y).mean(), gradients, layers, sums
