"""Numbers of tier T0: rationals, and bounds of the bits that any order of summation needs."""

import math
from fractions import Fraction

from scalar_network import Numbers


class Rationals(Numbers):
    zero, one = Fraction(0), Fraction(1)

    def number(self, value):
        return Fraction(value)

    def activation(self, name):
        if name == "relu":
            return (lambda s: max(s, self.zero)), (lambda s: self.one if s > 0 else self.zero)
        if name == "identity":
            return (lambda s: s), (lambda s: self.one)
        raise ValueError(f"{name} is not rational")


class Bound:
    """A bound of |x| and of every partial sum on the way to x, and the number of binary places:
    x is exact in any order of summation when magnitude * 2^places is below 2^24 (or 2^53)."""

    def __init__(self, magnitude, places=0):
        self.magnitude, self.places = magnitude, places

    def __add__(self, other):
        return Bound(self.magnitude + other.magnitude, max(self.places, other.places))

    __sub__ = __add__

    def __mul__(self, other):
        return Bound(self.magnitude * other.magnitude, self.places + other.places)

    def __truediv__(self, other):
        """By a power of two, which is all that pooling does here."""
        size = other.magnitude.numerator
        if size & (size - 1):
            raise ValueError(f"a mean over {size} entries is not dyadic")
        return Bound(self.magnitude / size, self.places + size.bit_length() - 1)

    def bits(self):
        return math.ceil(math.log2(self.magnitude * 2**self.places + 1))


class Bounds(Numbers):
    zero, one = Bound(Fraction(0)), Bound(Fraction(1))

    def number(self, value):
        value = Fraction(value)
        if value.denominator & (value.denominator - 1):
            raise ValueError(f"{value} is not dyadic")
        return Bound(abs(value), value.denominator.bit_length() - 1)

    def activation(self, name):
        return (lambda s: s), (lambda s: self.one)


class Likelihood:
    """Gradient in z and the weighted columns whose outer products sum to the Hessian. The
    probabilities of categorical and Bernoulli models are given, not computed from z."""

    def __init__(self, numbers, name, targets, variance=1, probabilities=None):
        self.numbers, self.name = numbers, name
        self.targets, self.probabilities = targets, probabilities
        self.precision = 1 / Fraction(variance)

    def values(self, row):
        return [self.numbers.number(Fraction(x)) for x in row]

    def gradient(self, n, z):
        numbers = self.numbers
        if self.name == "gaussian":
            precision = numbers.number(self.precision)
            return [(s - y) * precision for s, y in zip(z, self.values(self.targets[n]))]
        p = self.values(self.probabilities[n])
        if self.name == "categorical":
            y = [1 if i == self.targets[n] else 0 for i in range(len(p))]
        else:
            y = self.targets[n]
        return [s - t for s, t in zip(p, self.values(y))]

    def columns(self, n, size):
        """[(weight, column)]"""
        numbers = self.numbers
        unit = [[numbers.number(int(i == c)) for i in range(size)] for c in range(size)]
        if self.name == "gaussian":
            return [(numbers.number(self.precision), e) for e in unit]
        p = self.values(self.probabilities[n])
        if self.name == "categorical":
            return [(w, [s - t for s, t in zip(p, e)]) for w, e in zip(p, unit)]
        return [(q * (numbers.one - q), e) for q, e in zip(p, unit)]

    def loss(self, n, z):
        total = self.numbers.zero
        for s, y in zip(z, self.values(self.targets[n])):
            total = total + (s - y) * (s - y)
        return total * self.numbers.number(self.precision / 2)
