"""PyTorch's side of the workloads, run eagerly or, with PEER=torch-compile, compiled."""

import os

import measure
import torch
from torch import nn

PEER = os.environ.get("PEER", "torch")
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def dense(sizes, activation):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[activation]()]
    return nn.Sequential(*layers[:-1])


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, measure.CLASSES, bias=False),
    )  # fmt: skip


def gathered(x, y, batch):
    """Batches of a shuffled set, epoch after epoch."""
    while True:
        for indices in torch.randperm(len(x))[: len(x) // batch * batch].split(batch):
            yield x[indices], y[indices]


def training(model, x, l2=0.0, gather=None):
    y = torch.randint(measure.CLASSES, (len(x),))
    # The penalty as weight decay, PyTorch's own and cheapest way; biases are not penalised.
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": l2},
        {"params": [p for p in model.parameters() if p.dim() == 1]},
    ]
    optimizer = torch.optim.SGD([g for g in groups if g["params"]], lr=measure.RATE)
    cross_entropy = nn.CrossEntropyLoss()

    def loss_of(x, y):
        return cross_entropy(model(x), y)

    if PEER == "torch-compile":
        loss_of = torch.compile(loss_of)
    batches = gathered(x, y, gather) if gather else None

    def step():
        loss = loss_of(*(next(batches) if batches else (x, y)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def graph(size):
    leaves = x, a, b = [torch.rand(size, requires_grad=True) for _ in range(3)]

    def step():
        y = x
        for _ in range(3):
            y = (y * a + b).relu()
        for leaf in leaves:
            leaf.grad = None
        y.sum().backward()

    return step


def prepare(w):
    torch.manual_seed(0)
    torch.set_default_dtype(getattr(torch, w["dtype"]))
    kind, size = w["kind"], w.get("size")
    if kind == "dense":
        model = dense(w["sizes"], w["activation"])
        x = torch.rand(w["samples"] or w["batch"], w["sizes"][0])
        return training(model, x, w["l2"], w["batch"] if w["samples"] else None)
    if kind == "cnn":
        return training(cnn(), torch.rand(w["batch"], 1, 28, 28))
    if PEER == "torch-compile":
        return None  # It is for whole models.
    if kind == "graph":
        return graph(size)
    a, b = torch.rand(size), torch.rand(size)
    return {"add": lambda: a + b, "exp": lambda: a.exp(), "sum": lambda: a.sum()}.get(kind)


measure.main(PEER, prepare)
