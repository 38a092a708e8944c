#!/usr/bin/env python3
"""Measures DBSCAN beside its peers: the same points, in turns, on the same machine, in the same run.

    benches/compare/dbscan.py                     the four rows, five rounds
    benches/compare/dbscan.py --only 10k --rounds 9

Points are scikit-learn's `make_blobs` with eps such that each has about twenty neighbours;
min_samples is 10. Each figure is the least of the rounds' seconds of `fit` alone, in a process of its
own for each; memory is the peak of that process less what it held before `fit` (for gradus: less the
data). Whether labels agree is told against scikit-learn's: all of them, or all but border points.
The peers (scikit-learn, `dbscan` 1.0.0) live in the folder peers of the target directory.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
PACKAGES = ["scikit-learn==1.9.1", "numpy==2.4.6", "dbscan==1.0.0"]
ROWS = {
    "2-D 10k": (10_000, 2, 0.5909),
    "2-D 100k": (100_000, 2, 0.1902),
    "2-D 1M": (1_000_000, 2, 0.0595),
    "8-D 100k": (100_000, 8, 1.7935),
}
MIN_SAMPLES = 10
MAKE = """
import sys, numpy as np
from sklearn.datasets import make_blobs
path, n, d, dtype = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
np.save(path, make_blobs(n, d, centers=10, cluster_std=2.0 if d == 2 else 1.0, random_state=0)[0].astype(dtype))
"""
# Peak memory is read from the kernel's count for the process, which is reset before the work.
RUN = """
import json, sys, time, numpy as np
peer, path, eps, least, threads, labels = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), sys.argv[6]
x = np.load(path)
if peer == "sklearn":
    from sklearn.cluster import DBSCAN
    work = lambda x: DBSCAN(eps=eps, min_samples=least, n_jobs=threads).fit(x)
else:
    import dbscan
    work = lambda x: dbscan.DBSCAN(np.ascontiguousarray(x, dtype=np.float64), eps, least)
work(x[:100])
def status(name):
    return int(next(l for l in open("/proc/self/status") if l.startswith(name)).split()[1]) / 1024
try:
    open("/proc/self/clear_refs", "w").write("5")
except OSError:
    pass
before, begun = status("VmRSS"), time.perf_counter()
found = work(x)
seconds = time.perf_counter() - begun
peak = status("VmHWM") - before
core = np.zeros(len(x), bool)
if peer == "sklearn":
    core[found.core_sample_indices_] = True
    found = found.labels_
else:
    found, core = found
np.save(labels, found)
np.save(labels + ".core.npy", core)
print(json.dumps({"seconds": seconds, "memory": peak}))
"""
AGREE = """
import sys, numpy as np
ours, theirs, core = (np.load(p) for p in sys.argv[1:])
core = core.astype(bool)
def renamed(labels):  # clusters by their first core point
    names = {l: i for i, l in enumerate(dict.fromkeys(labels[core].tolist()))}
    return np.array([names.get(l, -1) for l in labels.tolist()])
differ = np.count_nonzero(renamed(ours) != renamed(theirs))
apart = np.count_nonzero((renamed(ours) != renamed(theirs)) & core)
print("yes" if not differ else f"{differ} differ" + ("" if apart else ", all border points"))
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, threads):
    counts = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "MKL", "OPENBLAS", "PARLAY")}
    env = os.environ | counts | {"GRADUS_THREADS": str(threads)}
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True, env=env)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(status, command)
    return text, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME", help=f"rows with this in their names, of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=5, help="[default: 5]")
    parser.add_argument("--threads", type=int, default=2, help="[default: 2]")
    parser.add_argument("--dtype", default="float64", choices=["float32", "float64"])
    parser.add_argument("--python", metavar="FILE", help="a Python that has the packages already")
    options = parser.parse_args()

    python = options.python
    if not python:
        python = TARGET / "peers" / "python" / "bin" / "python"
        if not python.exists():
            venv.create(TARGET / "peers" / "python", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    build = ["cargo", "build", "--release", "--locked", "-p", "gradus", "--example", "a2_dbscan", "--manifest-path", ROOT / "Cargo.toml"]
    subprocess.run(build, check=True)
    gradus = TARGET / "release" / "examples" / "a2_dbscan"

    folder = TARGET / "compare" / "dbscan"
    folder.mkdir(parents=True, exist_ok=True)
    print("| points | who | seconds | of dbscan's | of scikit-learn's | peak MiB | labels as scikit-learn's |\n|---|---|---|---|---|---|---|")
    for name, (n, dims, eps) in ROWS.items():
        if options.only not in name:
            continue
        data = folder / f"{n}x{dims}-{options.dtype}.npy"
        if not data.exists():
            subprocess.run([python, "-c", MAKE, data, str(n), str(dims), options.dtype], check=True)
        size = data.stat().st_size / 2**20
        found = {}
        labels = {peer: folder / f"{peer}.npy" for peer in ("gradus", "dbscan", "sklearn")}
        for number in range(options.rounds):
            for peer in labels if number % 2 == 0 else reversed(labels):
                say(f"{name}, round {number + 1} of {options.rounds}: {peer}")
                if peer == "gradus":
                    command = [gradus, "--file", data, "--eps", eps, "--min-samples", MIN_SAMPLES, "--labels", labels[peer]]
                    text, peak = run(command, options.threads)
                    result = json.loads(text) | {"memory": peak - size}
                else:
                    command = [python, "-c", RUN, peer, data, eps, MIN_SAMPLES, options.threads, labels[peer]]
                    text, _ = run(command, options.threads)
                    result = json.loads(text.splitlines()[-1])
                found.setdefault(peer, []).append(result)
        least = {peer: min(r["seconds"] for r in results) for peer, results in found.items()}
        for peer, results in found.items():
            agree = [python, "-c", AGREE, labels[peer], labels["sklearn"], f"{labels['sklearn']}.core.npy"]
            agree = subprocess.run([str(c) for c in agree], check=True, capture_output=True, text=True).stdout.strip()
            ratios = " | ".join(f"{least[peer] / least[other]:.2f}" for other in ("dbscan", "sklearn"))
            memory = max(r["memory"] for r in results)
            print(f"| {name} | {peer} | {least[peer]:.4f} | {ratios} | {memory:.0f} | {agree} |", flush=True)


if __name__ == "__main__":
    main()
