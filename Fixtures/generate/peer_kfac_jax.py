"""What kfac-jax says about a problem, in our conventions: (name, conversion in words, array)."""

import functools

import jax
import jax.flatten_util
import jax.numpy as jnp
import kfac_jax
import numpy as np

from numpy_reference import cvec, input_shape

jax.config.update("jax_enable_x64", True)

DISTRIBUTION, RUNTIME = "kfac-jax", "jax"
ACTIVATIONS = {
    "identity": lambda x: x,
    "tanh": jnp.tanh,
    "logistic": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
}
LAYOUT = ("NHWC", "HWIO", "NHWC")


def gap(problem):
    """Why it is not asked, or None."""
    return None


def network(description, parameters, x):
    """`parameters["layerI"]` holds w (in x out, or height x width x in x out) and b."""
    value = x.reshape(-1, *input_shape(description))
    values = [value.transpose(0, 2, 3, 1) if value.ndim == 4 else value]
    for node in description["nodes"]:
        value, operation = values[node["inputs"][0]], node["operation"]
        if operation in ("dense", "convolution"):
            block = parameters[f"layer{node['parameters'] + 1}"]
            if operation == "dense":
                value = value @ block["w"]
            else:
                stride, padding = (node["window"][key] for key in ("stride", "padding"))
                pairs = [(p, p) for p in padding]
                value = jax.lax.conv_general_dilated(
                    value, block["w"], stride, pairs, dimension_numbers=LAYOUT
                )
            value = value + block["b"] if "b" in block else value
        elif operation == "activation":
            value = ACTIVATIONS[node["activation"]](value)
        elif operation == "meanPooling":
            kernel, stride = ((1, *node["window"][key], 1) for key in ("kernel", "stride"))
            value = jax.lax.reduce_window(value, 0.0, jax.lax.add, kernel, stride, "VALID")
            value = value / np.prod(kernel)
        elif operation == "meanOverPositions":
            value = value.mean(axis=1)
        elif operation == "flatten":
            value = value.transpose(0, 3, 1, 2) if value.ndim == 4 else value
            value = value.reshape(len(value), -1)
        else:
            value = sum(values[k] for k in node["inputs"])
        values.append(value)
    return values[-1]


class Library:
    """Its Fisher matrix is a mean over N, of the loss that is registered."""

    def __init__(self, problem, wanted):
        self.problem, self.wanted = problem, wanted
        self.kernels = {
            node["parameters"]: tuple(node["window"]["kernel"])
            for node in problem.network["nodes"]
            if node["operation"] == "convolution"
        }
        self.parameters = {
            f"layer{index + 1}": self.theirs(index, w) for index, w in enumerate(problem.weights)
        }
        self.batch = jnp.asarray(problem.inputs.numpy()), jnp.asarray(problem.targets.numpy())

    def theirs(self, index, block):
        bias = self.problem.biases[index]
        w = block[:, :-1] if bias else block
        if index in self.kernels:
            w = w.reshape(len(w), -1, *self.kernels[index]).transpose(2, 3, 1, 0)
        else:
            w = w.T
        return {"w": jnp.asarray(w)} | ({"b": jnp.asarray(block[:, -1])} if bias else {})

    def ours(self, tree):
        """[W b] of every layer."""
        result = []
        for index, bias in enumerate(self.problem.biases):
            block = tree[f"layer{index + 1}"]
            w = np.asarray(block["w"])
            w = w.transpose(3, 2, 0, 1).reshape(w.shape[3], -1) if w.ndim == 4 else w.T
            result.append(np.hstack([w, np.asarray(block["b"])[:, None]]) if bias else w)
        return result

    def vector(self, tree):
        return np.concatenate([cvec(block) for block in self.ours(tree)])

    def loss(self, parameters, batch):
        x, y = batch
        z = network(self.problem.network, parameters, x)
        likelihood = self.problem.likelihood
        if likelihood["name"] == "categorical":
            kfac_jax.register_softmax_cross_entropy_loss(z, y)
            return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()
        if likelihood["name"] == "gaussian":
            weight = 1 / (2 * likelihood["variance"])
            kfac_jax.register_squared_error_loss(z, y, weight=weight)
            return weight * ((z - y) ** 2).sum(axis=1).mean()
        kfac_jax.register_sigmoid_cross_entropy_loss(z, y)
        return (jnp.logaddexp(0, z) - y * z).sum(axis=1).mean()

    def values(self):
        yield from self.fisher()
        if max(self.problem.uses) == 1:  # a block used twice gets a diagonal block
            yield from self.kfac()

    def fisher(self):
        exact = kfac_jax.ImplicitExactCurvature(
            self.loss, batch_size_extractor=lambda batch: len(batch[0])
        )
        flat, tree = jax.flatten_util.ravel_pytree(self.parameters)
        product = jax.jit(lambda v: exact.multiply_fisher((self.parameters, self.batch), tree(v)))
        columns = [self.vector(product(e)) for e in jnp.eye(len(flat))]
        order = self.vector(tree(jnp.arange(len(flat)))).astype(int)
        matrix = np.array(columns).T[:, order]
        words = "ImplicitExactCurvature.multiply_fisher of unit vectors; w transposed, b last"
        yield "fisher", words, matrix
        for index, block in enumerate(self.problem.blocks(matrix)):
            yield f"layer{index + 1}.block", f"diagonal block of {words}", block

    def estimate(self):
        # With use_masking a position whose pulled-back column is zero is taken for a masked one.
        repeated = functools.partial(kfac_jax.RepeatedDenseKroneckerFactored, use_masking=False)
        estimator = kfac_jax.BlockDiagonalCurvature(
            self.loss,
            default_estimation_mode="fisher_exact",
            layer_tag_to_block_ctor={"repeated_dense": repeated},
        )
        key = jax.random.PRNGKey(0)
        state = estimator.init(
            key,
            (self.parameters, self.batch),
            exact_powers_to_cache=(),
            approx_powers_to_cache=(),
            cache_eigenvalues=False,
        )
        return estimator, estimator.update_curvature_matrix_estimate(
            state,
            ema_old=0.0,
            ema_new=1.0,
            identity_weight=0.0,
            batch_size=len(self.batch[0]),
            rng=key,
            func_args=(self.parameters, self.batch),
        )

    def kfac(self):
        estimator, state = self.estimate()
        positions = self.problem.positions()
        for index, t in enumerate(positions):
            layer = f"layer{index + 1}"
            position = estimator.params_block_index[layer]["w"]
            a, g = (np.asarray(f.value) for f in state.blocks_states[position].factors)
            words = "first factor of BlockDiagonalCurvature"
            if index in self.kernels:
                a = self.channels_first(index, a) * t
                words += (
                    f", a mean over T, times T = {t}; rows from kernel, channel to channel, kernel"
                )
            yield f"{layer}.A", words, a
            words = "second factor of BlockDiagonalCurvature"
            if t > 1 and index not in self.kernels:
                g, words = g / t, f"{words} (use_masking=False), a sum over T, over T = {t}"
            yield f"{layer}.G", words, g
        yield from self.steps(estimator, state)

    def channels_first(self, index, a):
        kernel = self.kernels[index]
        count = len(a) - self.problem.biases[index]
        order = np.arange(count).reshape(*kernel, -1).transpose(2, 0, 1).ravel()
        order = np.append(order, np.arange(count, len(a)))
        return a[np.ix_(order, order)]

    def steps(self, estimator, state):
        gradient = jax.grad(self.loss)(self.parameters, self.batch)
        for rule in ("pi", "exact"):
            key = f".step.kfac.{rule}."
            for text in sorted({name.split(key)[1] for name in self.wanted if key in name}):
                step = estimator.multiply_matpower(
                    state,
                    gradient,
                    identity_weight=float(text),
                    power=-1,
                    exact_power=rule == "exact",
                    use_cached=False,
                    pmap_axis_name=None,
                )
                words = f"multiply_matpower, power -1, exact_power={rule == 'exact'}; w transposed"
                for index, block in enumerate(self.ours(step)):
                    yield f"layer{index + 1}{key}{text}", words, block
