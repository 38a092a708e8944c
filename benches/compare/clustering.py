#!/usr/bin/env python3
"""Measures K-means beside scikit-learn: the same points and first centres, in turns, in the same run.

    benches/compare/clustering.py                     all three rows, 5 rounds, 2 threads
    benches/compare/clustering.py --only 100k --rounds 9
    benches/compare/clustering.py --python FILE --gradus FILE --data-dir DIR

Each figure is milliseconds an iteration: the shortest of several fits of 50 iterations without
tolerance, in f32, and of that the median over the rounds. A ratio is the median of the rounds' ratios to
scikit-learn's faster algorithm. The third row is MNIST's 60,000 training images and needs them.
scikit-learn lives in the peers' environment in the target directory, made by pip when it is missing.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
PACKAGES = ["scikit-learn==1.9.1", "numpy==2.4.6"]
ROWS = {"100k×2, k=8": (100_000, 2, 8, 10), "1M×16, k=64": (1_000_000, 16, 64, 1), "MNIST 60k×784, k=10": (60_000, 784, 10, 1)}
LIMITS = {"100k×2, k=8": 0.2, "1M×16, k=64": 0.27, "MNIST 60k×784, k=10": 0.55}

PREPARE = """
import numpy as np, sys, json, gzip
kind, n, d, k, folder, images = json.loads(sys.argv[1])
if d == 784:
    with (gzip.open if images.endswith(".gz") else open)(images, "rb") as f:
        x = np.frombuffer(f.read()[16:], np.uint8).reshape(-1, d).astype(np.float32)
else:
    rng = np.random.RandomState(0)
    middles = rng.uniform(-10, 10, (k, d))
    x = (middles[rng.randint(k, size=n)] + 2.0 * rng.standard_normal((n, d))).astype(np.float32)
np.save(folder + "/x.npy", x)
np.save(folder + "/start.npy", x[np.random.RandomState(1).choice(len(x), k, replace=False)])
"""

SKLEARN = """
import json, sys, time, warnings
import numpy as np
from sklearn.cluster import KMeans
warnings.simplefilter("ignore")
folder, algorithm, repeat, most = json.loads(sys.argv[1])
x, start = np.load(folder + "/x.npy"), np.load(folder + "/start.npy")
best = None
for _ in range(repeat + 1):
    model = KMeans(len(start), init=start, n_init=1, max_iter=most, tol=0, algorithm=algorithm)
    begun = time.perf_counter()
    model.fit(x)
    took = time.perf_counter() - begun
    best = min(best or took, took)
print(json.dumps({"seconds": best, "iterations": int(model.n_iter_), "inertia": float(model.inertia_)}))
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def python_with_sklearn(python):
    if python:
        return python
    python = TARGET / "peers" / "python" / "bin" / "python"
    if not python.exists():
        venv.create(python.parent.parent, with_pip=True)
    if subprocess.run([python, "-c", "import sklearn"], capture_output=True).returncode:
        say("installing scikit-learn")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return str(python)


def measure(command, threads):
    names = ("OMP", "MKL", "OPENBLAS")
    env = os.environ | {f"{name}_NUM_THREADS": str(threads) for name in names}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD", help="rows with this in their names")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--algorithm", default="lloyd", help="of gradus")
    parser.add_argument("--iterations", type=int, default=50)
    parser.add_argument("--python", metavar="FILE", help="a Python that has scikit-learn already")
    parser.add_argument("--gradus", metavar="FILE", help="the program, if it is built already")
    parser.add_argument("--data-dir", default=os.environ.get("GRADUS_DATA", ROOT.parent / "shared" / "data"), type=pathlib.Path)
    options = parser.parse_args()
    python = python_with_sklearn(options.python)
    gradus = options.gradus
    if not gradus:
        subprocess.run(["cargo", "build", "--release", "--locked", "--manifest-path", str(ROOT / "Cargo.toml")], check=True)
        gradus = str(TARGET / "release" / "gradus")
    folder = TARGET / "compare" / "clustering"
    folder.mkdir(parents=True, exist_ok=True)
    print(f"| {options.threads} threads, ms an iteration | gradus | lloyd | elkan | ratio to the faster | asked for |\n|---|---|---|---|---|---|")
    for name, (n, d, k, repeat) in ROWS.items():
        if options.only not in name:
            continue
        found = [options.data_dir / "mnist" / f"train-images-idx3-ubyte{end}" for end in ("", ".gz")]
        images = next((path for path in found if path.exists()), None)
        if d == 784 and not images:
            say(f"{name} is left out: there is no {found[0]}")
            continue
        subprocess.run([python, "-c", PREPARE, json.dumps([name, n, d, k, str(folder), str(images)])], check=True)
        commands = {
            "gradus": [gradus, "cluster", "kmeans", f"{folder}/x.npy", "--k", str(k), "--init", f"{folder}/start.npy",
                       "--max-iter", str(options.iterations), "--tol", "0", "--algorithm", options.algorithm,
                       "--threads", str(options.threads), "--repeat", str(repeat + 1), "--json"],
        }  # fmt: skip
        for algorithm in ("lloyd", "elkan"):
            settings = json.dumps([str(folder), algorithm, repeat, options.iterations])
            commands[algorithm] = [python, "-c", SKLEARN, settings]
        times = {peer: [] for peer in commands}
        inertias = {}
        for number in range(options.rounds):
            for peer in list(commands) if number % 2 == 0 else list(reversed(commands)):
                say(f"{name}, round {number + 1} of {options.rounds}: {peer}")
                result = measure(commands[peer], options.threads)
                times[peer].append(1000 * result["seconds"] / result["iterations"])
                inertias[peer] = result["inertia"]
        ratios = [ours / min(a, b) for ours, a, b in zip(times["gradus"], times["lloyd"], times["elkan"])]
        cells = [f"{statistics.median(times[peer]):.3g}" for peer in commands]
        print(f"| {name} | {' | '.join(cells)} | {statistics.median(ratios):.2f} | {LIMITS[name]} |", flush=True)
        if max(inertias.values()) > 1.001 * min(inertias.values()):
            say(f"{name}: the inertias differ: {inertias}")


if __name__ == "__main__":
    main()
