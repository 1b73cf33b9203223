"""Networks over any numbers: the same code runs on fractions (exact.py) and on mpmath's numbers
(certified.py), in plain Python lists. It shares the description of a network with
numpy_reference.py (nodes; value 0 is the input, value k+1 the output of node k) and no arithmetic.

A dense layer or a convolution reads, at each of its positions, a list of input indices (None is
padding); pooling and means average lists of indices. That is all there is to a network here.
"""

import itertools

from scalar_algebra import combine


class Layer:
    """Where a node reads and writes: `gather[t]` input indices, `scatter[t][i]` output indices."""

    def __init__(self, shape, gather, scatter=None):
        self.shape, self.gather, self.scatter = shape, gather, scatter


def input_shape(network):
    shape = network["inputShape"]
    if "vector" in shape:
        return (shape["vector"],)
    if "sequence" in shape:
        return (shape["sequence"]["positions"], shape["sequence"]["features"])
    return tuple(shape["image"][key] for key in ("channels", "height", "width"))


def window_indices(shape, window, channels):
    """For each output position the indices under the window, in the order channel, kernel row,
    kernel column; None in the padding."""
    _, height, width = shape
    kernel, stride, padding = window["kernel"], window["stride"], window["padding"]
    out_height = (height + 2 * padding[0] - kernel[0]) // stride[0] + 1
    out_width = (width + 2 * padding[1] - kernel[1]) // stride[1] + 1
    lists = []
    for row in range(out_height):
        for column in range(out_width):
            indices = []
            for c in channels:
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        y, x = row * stride[0] + i - padding[0], column * stride[1] + j - padding[1]
                        inside = 0 <= y < height and 0 <= x < width
                        indices.append((c * height + y) * width + x if inside else None)
            lists.append(indices)
    return out_height, out_width, lists


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def plan(network):
    """A Layer for every node."""
    shapes, layers = [input_shape(network)], []
    for node in network["nodes"]:
        shape, operation = shapes[node["inputs"][0]], node["operation"]
        if operation == "dense":
            rows = network["parameters"][node["parameters"]]["rows"]
            positions = shape[0] if len(shape) == 2 else 1
            features = shape[-1]
            layer = Layer(
                (positions, rows) if len(shape) == 2 else (rows,),
                [[t * features + j for j in range(features)] for t in range(positions)],
                [[t * rows + i for i in range(rows)] for t in range(positions)],
            )
        elif operation == "convolution":
            rows = network["parameters"][node["parameters"]]["rows"]
            height, width, lists = window_indices(shape, node["window"], range(shape[0]))
            area = height * width
            scatter = [[i * area + t for i in range(rows)] for t in range(area)]
            layer = Layer((rows, height, width), lists, scatter)
        elif operation == "meanPooling":
            gather = []
            for c in range(shape[0]):
                height, width, lists = window_indices(shape, node["window"], [c])
                gather += lists
            layer = Layer((shape[0], height, width), gather)
        elif operation == "meanOverPositions":
            if len(shape) == 2:
                gather = [[t * shape[1] + i for t in range(shape[0])] for i in range(shape[1])]
            else:
                area = shape[1] * shape[2]
                gather = [[c * area + t for t in range(area)] for c in range(shape[0])]
            layer = Layer((len(gather),), gather)
        elif operation == "flatten":
            layer = Layer((count(shape),), None)
        else:  # activation, addition
            layer = Layer(shape, None)
        shapes.append(layer.shape)
        layers.append(layer)
    return layers


class Numbers:
    """What a number type must offer beside + - * /."""

    zero, one = 0, 1

    def number(self, value):
        raise NotImplementedError

    def dot(self, xs, ys):
        total = self.zero
        for x, y in zip(xs, ys):
            if x != 0 and y != 0:
                total = total + x * y
        return total

    def activation(self, name):
        """The function and its derivative."""
        raise NotImplementedError


class ScalarNetwork:
    def __init__(self, network, weights, numbers):
        self.network, self.weights, self.numbers = network, weights, numbers
        self.layers = plan(network)

    def has_bias(self, block):
        return self.network["parameters"][block].get("bias", True)

    def forward(self, x):
        """All values, and for every use of a weight block (node, block, inputs by position)."""
        numbers, values, uses = self.numbers, [list(x)], []
        for index, (node, layer) in enumerate(zip(self.network["nodes"], self.layers)):
            value, operation = values[node["inputs"][0]], node["operation"]
            if operation in ("dense", "convolution"):
                block = node["parameters"]
                tail = [numbers.one] if self.has_bias(block) else []
                inputs = [
                    [numbers.zero if k is None else value[k] for k in indices] + tail
                    for indices in layer.gather
                ]
                out = [numbers.zero] * count(layer.shape)
                for a, targets in zip(inputs, layer.scatter):
                    for row, k in zip(self.weights[block], targets):
                        out[k] = numbers.dot(row, a)
                uses.append((index, block, inputs))
            elif operation == "activation":
                function = numbers.activation(node["activation"])[0]
                out = [function(s) for s in value]
            elif operation in ("meanPooling", "meanOverPositions"):
                out = []
                for indices in layer.gather:
                    total = numbers.zero
                    for k in indices:
                        total = total + (numbers.zero if k is None else value[k])
                    out.append(total / numbers.number(len(indices)))
            elif operation == "addition":
                out = list(value)
                for k in node["inputs"][1:]:
                    out = [s + t for s, t in zip(out, values[k])]
            else:
                out = list(value)
            values.append(out)
        return values, uses

    def pullback(self, values, cotangent):
        """The cotangent at the output of every weight node: {node: [T][dG]}."""
        numbers = self.numbers
        cotangents = [[numbers.zero] * len(value) for value in values]
        cotangents[-1] = list(cotangent)
        result = {}

        def add(k, i, value):
            cotangents[k][i] = cotangents[k][i] + value

        for index, node in reversed(list(enumerate(self.network["nodes"]))):
            layer, down, k = self.layers[index], cotangents[index + 1], node["inputs"][0]
            operation = node["operation"]
            if operation in ("dense", "convolution"):
                weights = self.weights[node["parameters"]]
                g = [[down[i] for i in targets] for targets in layer.scatter]
                result[index] = g
                for row, indices in zip(g, layer.gather):
                    for j, i in enumerate(indices):
                        if i is not None:
                            add(k, i, numbers.dot([w[j] for w in weights], row))
            elif operation == "activation":
                derivative = numbers.activation(node["activation"])[1]
                for i, (d, s) in enumerate(zip(down, values[k])):
                    add(k, i, d * derivative(s))
            elif operation in ("meanPooling", "meanOverPositions"):
                for d, indices in zip(down, layer.gather):
                    share = d / numbers.number(len(indices))
                    for i in indices:
                        if i is not None:
                            add(k, i, share)
            elif operation == "addition":
                for source in node["inputs"]:
                    for i, d in enumerate(down):
                        add(source, i, d)
            else:
                for i, d in enumerate(down):
                    add(k, i, d)
        return result


class Block:
    """Of one weight block: a[n][t] (dA), jacobian[n][c][t] (dG): the unit cotangent of output c
    pulled back, and g[n][t] (dG): the gradient of -log p pulled back."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.a, self.jacobian, self.g = [], [], []


def run(network, weights, numbers, inputs, output_gradient):
    """Outputs z[n] and a Block per weight block. `output_gradient(n, z)` is the gradient in z."""
    scalar = ScalarNetwork(network, weights, numbers)
    blocks = [Block(len(w), len(w[0])) for w in weights]
    outputs, gradients = [], []
    for n, x in enumerate(inputs):
        values, uses = scalar.forward(x)
        z = values[-1]
        outputs.append(z)
        gradients.append(output_gradient(n, z))
        unit = [
            [numbers.one if i == c else numbers.zero for i in range(len(z))] for c in range(len(z))
        ]
        pulled = [scalar.pullback(values, e) for e in unit]
        for index, block in enumerate(blocks):
            mine = [(node, a) for node, use, a in uses if use == index]
            block.a.append([row for _, a in mine for row in a])
            jacobian = [[row for node, _ in mine for row in one[node]] for one in pulled]
            block.jacobian.append(jacobian)
            block.g.append(combine(numbers, jacobian, gradients[-1]))
    return outputs, gradients, blocks


def chain(widths, activation, bias=True):
    """A multilayer perceptron's description."""
    nodes, parameters = [], []
    for index, (columns, rows) in enumerate(itertools.pairwise(widths)):
        nodes.append({"operation": "dense", "parameters": index, "inputs": [len(nodes)]})
        block = {"name": f"layer{index + 1}", "rows": rows, "columns": columns + bias, "bias": bias}
        parameters.append(block)
        if index < len(widths) - 2 and activation != "identity":
            node = {"operation": "activation", "activation": activation, "inputs": [len(nodes)]}
            nodes.append(node)
    return {"inputShape": {"vector": widths[0]}, "nodes": nodes, "parameters": parameters}
