"""Times PyTorch on the CPU on training steps of small dense networks.

A step is forward, cross-entropy, backward and a plain SGD update on one fixed batch that already
lies in memory. One JSON line a workload, times in microseconds. It needs PyTorch alone:

    pip install torch
    python mlp_torch.py [--only NAME] [--threads N] [--seconds S]
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

# name: (sizes of the layers, batch, L2 penalty on the weights)
WORKLOADS = {
    "softmax_784_10_b256": ([784, 10], 256, 0.0),
    "mlp_784_256_10_b256": ([784, 256, 10], 256, 0.0),
    "mlp_784_256_10_b32": ([784, 256, 10], 32, 0.0),
    "mlp_784_128_64_10_b512": ([784, 128, 64, 10], 512, 0.0),
    "two_layer_3072_1024_10_b100": ([3072, 1024, 10], 100, 1e-4),
}


def training_step(sizes, batch, l2):
    """A closure that trains a ReLU network of these sizes by one step."""
    torch.manual_seed(0)
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    x, y = torch.rand(batch, sizes[0]), torch.randint(sizes[-1], (batch,))
    # The penalty as weight decay, PyTorch's own and cheapest way; biases are not penalised.
    weights = [p for p in model.parameters() if p.dim() > 1]
    biases = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": weights, "weight_decay": l2}, {"params": biases}]
    optimizer, cross_entropy = torch.optim.SGD(groups, lr=0.01), nn.CrossEntropyLoss()

    def step():
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def measure(step, seconds):
    """The time of each round in microseconds: a warm-up of a fifth of `seconds`, then the rest."""
    start, times = time.perf_counter(), []
    warm, end = start + seconds / 5, start + seconds
    while not times or time.perf_counter() < end:
        before = time.perf_counter()
        step()
        after = time.perf_counter()
        if before >= warm:
            times.append((after - before) * 1e6)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=WORKLOADS, metavar="NAME", help=", ".join(WORKLOADS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each workload")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in [options.only] if options.only else WORKLOADS:
        times = measure(training_step(*WORKLOADS[name]), options.seconds)
        figures = {
            "min_us": round(min(times), 1),
            "median_us": round(statistics.median(times), 1),
            "rounds": len(times),
        }
        print(json.dumps({"name": name, "peer": "torch"} | figures), flush=True)


if __name__ == "__main__":
    main()
