"""The generator of every input, so that inputs are exact on every machine."""

import numpy as np

from scalar_network import count


class SplitMix64:
    """Vigna's generator; the only source of inputs, so that they are exact on every machine."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    def integer(self, low, high):
        """In low...high (the bias of the remainder is below 2^-50)."""
        return low + self.next() % (high - low + 1)

    def array(self, shape, low, high, denominator=1):
        values = [self.integer(low, high) / denominator for _ in range(count(shape))]
        return np.array(values, float).reshape(shape)
