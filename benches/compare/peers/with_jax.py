"""JAX's side of the workloads: a whole training step is one compiled function."""

import jax
import jax.numpy as jnp
import measure
from jax import lax

jax.config.update("jax_enable_x64", True)  # The dtype is said everywhere.


def dense(sizes, dtype, keys):
    """Weights [in, out] and biases, and the net that they belong to."""
    def uniform(shape, inputs):
        k = measure.bound(inputs)
        return jax.random.uniform(next(keys), shape, dtype, -k, k)

    return [(uniform((i, o), i), uniform((o,), i)) for i, o in zip(sizes, sizes[1:])]


def apply_dense(activation):
    def forward(parameters, x):
        *hidden, (w, b) = parameters
        for v, c in hidden:
            x = activation(x @ v + c)
        return x @ w + b

    return forward


def cnn(keys):
    def uniform(*shape, inputs):
        k = measure.bound(inputs)
        return jax.random.uniform(next(keys), shape, jnp.float32, -k, k)

    return {
        "conv1": (uniform(3, 3, 1, 32, inputs=9), uniform(32, inputs=9)),
        "conv2": (uniform(3, 3, 32, 64, inputs=288), uniform(64, inputs=288)),
        "dense1": (uniform(1600, 128, inputs=1600), uniform(128, inputs=1600)),
        "dense2": uniform(128, measure.CLASSES, inputs=128),
    }


def apply_cnn(parameters, x):
    # Images [n, h, w, c], the layout of JAX's libraries.
    for name in ("conv1", "conv2"):
        w, b = parameters[name]
        x = lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + b)
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = x.reshape(len(x), -1)
    w, b = parameters["dense1"]
    return jax.nn.relu(x @ w + b) @ parameters["dense2"]


def training(forward, parameters, x, key, l2=0.0, gather=None):
    y = jax.random.randint(key, (len(x),), 0, measure.CLASSES)

    def loss(parameters, x, y):
        scores = jax.nn.log_softmax(forward(parameters, x))
        mean = -jnp.take_along_axis(scores, y[:, None], 1).mean()
        penalty = sum((p * p).sum() for p in jax.tree.leaves(parameters) if p.ndim > 1) if l2 else 0
        return mean + l2 / 2 * penalty

    def update(parameters, x, y):
        value, gradients = jax.value_and_grad(loss)(parameters, x, y)
        return value, jax.tree.map(lambda p, g: p - measure.RATE * g, parameters, gradients)

    update = jax.jit(update, donate_argnums=0)
    take = jax.jit(lambda x, y, indices: (x[indices], y[indices]))
    state = {"parameters": parameters, "indices": iter(()), "key": key}

    def batch():
        if not gather:
            return x, y
        indices = next(state["indices"], None)
        if indices is None:
            state["key"], key = jax.random.split(state["key"])
            order = jax.random.permutation(key, len(x))
            state["indices"] = iter(order[: len(x) // gather * gather].reshape(-1, gather))
            indices = next(state["indices"])
        return take(x, y, indices)

    def step():
        value, state["parameters"] = update(state["parameters"], *batch())
        jax.block_until_ready((value, state["parameters"]))

    return step


def graph(x, a, b):
    def value(x, a, b):
        for _ in range(3):
            x = jax.nn.relu(x * a + b)
        return x.sum()

    both = jax.jit(jax.value_and_grad(value, argnums=(0, 1, 2)))
    return lambda: jax.block_until_ready(both(x, a, b))


def prepare(w):
    keys = iter(jax.random.split(jax.random.key(0), 32))
    dtype = jnp.dtype(w["dtype"])
    kind, size = w["kind"], w.get("size")
    if kind == "dense":
        parameters = dense(w["sizes"], dtype, keys)
        forward = apply_dense({"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}[w["activation"]])
        x = jax.random.uniform(next(keys), (w["samples"] or w["batch"], w["sizes"][0]), dtype)
        return training(forward, parameters, x, next(keys), w["l2"], w["batch"] if w["samples"] else None)
    if kind == "cnn":
        x = jax.random.uniform(next(keys), (w["batch"], 28, 28, 1), dtype)
        return training(apply_cnn, cnn(keys), x, next(keys))
    x, a, b = (jax.random.uniform(next(keys), (size,), dtype) for _ in range(3))
    if kind == "graph":
        return graph(x, a, b)
    call = {"add": lambda: jnp.add(x, a), "exp": lambda: jnp.exp(x), "sum": lambda: jnp.sum(x)}.get(kind)
    return call and (lambda: call().block_until_ready())


measure.main("jax", prepare)
