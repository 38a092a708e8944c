"""NumPy's side of the workloads: forward and backward by hand, as in courses that build nets from scratch."""

import measure
import numpy as np

rng = np.random.default_rng(0)


def uniform(shape, inputs, dtype=np.float32):
    k = measure.bound(inputs)
    return rng.uniform(-k, k, shape).astype(dtype)


def relu(x):
    return np.maximum(x, 0, out=x)


def relu_backward(y, gradient):
    gradient *= y > 0
    return gradient


def sigmoid(x):
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    return np.reciprocal(x, out=x)


def sigmoid_backward(y, gradient):
    gradient *= y
    gradient *= 1 - y
    return gradient


ACTIVATIONS = {"relu": (relu, relu_backward), "sigmoid": (sigmoid, sigmoid_backward)}


def cross_entropy_gradient(scores, y):
    """The gradient of the mean cross-entropy, in place of the scores."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    total = scores.sum(axis=1, keepdims=True)
    scores /= total
    probability = scores[np.arange(len(y)), y]
    loss = -np.log(probability).mean()
    scores[np.arange(len(y)), y] -= 1
    scores /= len(y)
    return loss, scores


def dense_step(w):
    dtype = np.dtype(w["dtype"])
    weights = [uniform((i, o), i, dtype) for i, o in zip(w["sizes"], w["sizes"][1:])]
    biases = [uniform(v.shape[1], v.shape[0], dtype) for v in weights]
    batches = batches_of(rng.random((w["samples"] or w["batch"], w["sizes"][0]), dtype), w["batch"])
    activate, activate_backward = ACTIVATIONS[w["activation"]]

    def step():
        x, y = next(batches)
        outputs = [x]
        for v, b in zip(weights, biases):
            out = outputs[-1] @ v
            out += b
            outputs.append(activate(out) if len(outputs) < len(weights) else out)
        _, gradient = cross_entropy_gradient(outputs.pop(), y)
        for i in reversed(range(len(weights))):
            x = outputs.pop()
            dw, db = x.T @ gradient, gradient.sum(axis=0)
            if i > 0:
                gradient = activate_backward(x, gradient @ weights[i].T)
            if w["l2"]:
                dw += w["l2"] * weights[i]
            dw *= measure.RATE
            weights[i] -= dw
            biases[i] -= measure.RATE * db

    return step


def batches_of(x, batch):
    """The one batch for ever, or batches of a shuffled set, epoch after epoch."""
    y = rng.integers(measure.CLASSES, size=len(x))
    while True:
        if len(x) == batch:
            yield x, y
            continue
        order = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            indices = order[start : start + batch]
            yield x[indices], y[indices]


def patches(x):
    """Every 3×3 patch of images [n, h, w, c] as a row (ky, kx, c)."""
    n, h, w, c = x.shape
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * (h - 2) * (w - 2), 9 * c)


def patches_backward(gradient, shape):
    n, h, w, c = shape
    gradient = gradient.reshape(n, h - 2, w - 2, 3, 3, c)
    out = np.zeros(shape, gradient.dtype)
    for ky in range(3):
        for kx in range(3):
            out[:, ky : ky + h - 2, kx : kx + w - 2] += gradient[:, :, :, ky, kx]
    return out


def corners(x):
    """The four numbers of each 2×2 window, as views."""
    h, w = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    return [x[:, i:h:2, j:w:2] for i in (0, 1) for j in (0, 1)]


def pool(x):
    a, b, c, d = corners(x)
    return np.maximum(np.maximum(a, b), np.maximum(c, d))


def pool_backward(x, pooled, gradient):
    """Ties, which are zeros behind a relu, all get the gradient; the relu takes it away again."""
    out = np.zeros_like(x)
    for value, place in zip(corners(x), corners(out)):
        np.multiply(gradient, value == pooled, out=place)
    return out


def cnn_step(w):
    convolutions = [(uniform((9, 32), 9), uniform(32, 9)), (uniform((288, 64), 288), uniform(64, 288))]
    weights = [uniform((1600, 128), 1600), uniform((128, measure.CLASSES), 128)]
    bias = uniform(128, 1600)
    batches = batches_of(rng.random((w["batch"], 28, 28, 1), np.float32), w["batch"])

    def step():
        x, y = next(batches)
        saved = []
        for v, b in convolutions:
            n, height, width, _ = x.shape
            columns = patches(x)
            out = columns @ v
            out += b
            out = relu(out).reshape(n, height - 2, width - 2, -1)
            pooled = pool(out)
            saved.append((x.shape, columns, out, pooled))
            x = pooled
        flat = x.reshape(len(x), -1)
        hidden = flat @ weights[0]
        hidden += bias
        hidden = relu(hidden)
        _, gradient = cross_entropy_gradient(hidden @ weights[1], y)
        gradients = [hidden.T @ gradient]
        gradient = relu_backward(hidden, gradient @ weights[1].T)
        gradients.append(flat.T @ gradient)
        bias_gradient = gradient.sum(axis=0)
        gradient = (gradient @ weights[0].T).reshape(x.shape)
        for v, b in reversed(convolutions):
            shape, columns, out, pooled = saved.pop()
            gradient = relu_backward(out, pool_backward(out, pooled, gradient)).reshape(-1, v.shape[1])
            dv, db = columns.T @ gradient, gradient.sum(axis=0)
            if saved:
                gradient = patches_backward(gradient @ v.T, shape)
            v -= measure.RATE * dv
            b -= measure.RATE * db
        np.subtract(bias, measure.RATE * bias_gradient, out=bias)
        for v, dv in zip(reversed(weights), gradients):
            dv *= measure.RATE
            v -= dv

    return step


def prepare(w):
    kind, size = w["kind"], w.get("size")
    if kind == "dense":
        return dense_step(w)
    if kind == "cnn":
        return cnn_step(w)
    a, b = (rng.random(size, np.float32) for _ in range(2))
    return {"add": lambda: a + b, "exp": lambda: np.exp(a), "sum": lambda: a.sum()}.get(kind)


measure.main("numpy", prepare)
