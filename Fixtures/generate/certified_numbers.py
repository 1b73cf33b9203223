"""Numbers and likelihoods of tiers T1 to T3: mpmath at 50 digits and more."""

import mpmath

from scalar_network import Numbers

DIGITS, EXTRA_DIGITS = 50, 0


class Certified(Numbers):
    """mpmath numbers of one context; a dot product is exact until its one rounding."""

    def __init__(self, digits):
        self.context = mpmath.mp.clone()
        self.context.dps = digits + EXTRA_DIGITS
        self.zero, self.one = self.context.mpf(0), self.context.mpf(1)
        self.tolerance = self.context.mpf(10) ** (8 - self.context.dps)

    def number(self, value):
        return self.context.mpf(value)

    def dot(self, xs, ys):
        return self.context.fdot(xs, ys)

    def activation(self, name):
        context, one = self.context, self.one
        if name == "tanh":
            return context.tanh, (lambda s: 1 / context.cosh(s) ** 2)
        if name == "logistic":
            return self.logistic, (lambda s: self.logistic(s) * self.logistic(-s))
        if name == "softplus":
            return self.softplus, self.logistic
        if name == "relu":
            return (lambda s: max(s, self.zero)), (lambda s: one if s > 0 else self.zero)
        return (lambda s: s), (lambda s: one)

    def logistic(self, s):
        return 1 / (1 + self.context.exp(-s))

    def softplus(self, s):
        positive = max(s, self.zero)
        return positive + self.context.log1p(self.context.exp(-abs(s)))

    def matrix(self, array):
        return [[self.number(float(x)) for x in row] for row in array]

    def eigen(self, matrix):
        """Ascending eigenvalues and the eigenvectors as columns."""
        values, vectors = self.context.eigsy(self.context.matrix(matrix))
        order = sorted(range(len(matrix)), key=lambda k: values[k])
        columns = [[vectors[i, k] for k in order] for i in range(len(matrix))]
        return [values[k] for k in order], columns

    def frobenius(self, matrix):
        return self.context.sqrt(sum(self.dot(row, row) for row in matrix))


class Likelihood:
    def __init__(self, numbers, description, targets):
        self.numbers, self.name, self.targets = numbers, description["name"], targets
        self.variance = numbers.number(description.get("variance", 1.0))

    def probabilities(self, z):
        numbers = self.numbers
        if self.name == "bernoulli":
            return [numbers.logistic(s) for s in z]
        weights = [numbers.context.exp(s - max(z)) for s in z]
        return [w / sum(weights) for w in weights]

    def loss(self, n, z):
        numbers, y = self.numbers, self.targets[n]
        if self.name == "gaussian":
            difference = [s - numbers.number(float(t)) for s, t in zip(z, y)]
            return numbers.dot(difference, difference) / (2 * self.variance)
        if self.name == "bernoulli":
            return sum(numbers.softplus(s) - s * int(t) for s, t in zip(z, y))
        rest = sum(numbers.context.exp(s - z[y]) for i, s in enumerate(z) if i != y)
        return numbers.context.log1p(rest)

    def gradient(self, n, z):
        numbers, y = self.numbers, self.targets[n]
        if self.name == "gaussian":
            return [(s - numbers.number(float(t))) / self.variance for s, t in zip(z, y)]
        p = self.probabilities(z)
        if self.name == "bernoulli":
            return [s - int(t) for s, t in zip(p, y)]
        return [s - int(i == y) for i, s in enumerate(p)]

    def columns(self, z):
        """[(weight, v)]: the Hessian in z is the sum of weight v v'."""
        numbers, size = self.numbers, len(z)
        unit = [[numbers.one if i == c else numbers.zero for i in range(size)] for c in range(size)]
        if self.name == "gaussian":
            return [(1 / self.variance, e) for e in unit]
        p = self.probabilities(z)
        if self.name == "bernoulli":
            return [(q * numbers.logistic(-s), e) for q, s, e in zip(p, z, unit)]
        return [(w, [s - t for s, t in zip(e, p)]) for w, e in zip(p, unit)]
