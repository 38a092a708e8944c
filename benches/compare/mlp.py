"""Training steps of small nets: gradus beside PyTorch, in turns, on the same machine.

    python -m venv peers && peers/bin/pip install torch numpy
    peers/bin/python benches/compare/mlp.py [--rounds 5] [--threads 2] [--only NAME]

Each round runs one after the other for each workload; the table has the medians over the rounds and
the ratio, which is what counts: machines differ, and shared ones drift.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Ratios to PyTorch that the project aims at.
TARGETS = {
    "softmax_784_10_b256": 0.30,
    "mlp_784_256_10_b256": 0.57,
    "mlp_784_256_10_b32": 0.32,
    "mlp_784_128_64_10_b512": 0.54,
    "two_layer_3072_1024_10_b100": 0.60,
}


def torch_us(name, threads, seconds):
    command = [sys.executable, str(HERE / "mlp_torch.py"), "--only", name, "--threads", str(threads)]
    output = subprocess.run(command + ["--seconds", str(seconds)], check=True, capture_output=True, text=True).stdout
    return json.loads(output)["median_us"]


def gradus_us(name, threads, seconds):
    command = ["cargo", "bench", "--quiet", "-p", "gradus", "--bench", "mlp", "--", "--exact", name]
    command += ["--warm-up-time", "0.5", "--measurement-time", str(seconds), "--noplot"]
    environment = dict(os.environ, GRADUS_THREADS=str(threads))
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment)
    estimates = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "criterion" / name / "new" / "estimates.json"
    return json.loads(estimates.read_text())["median"]["point_estimate"] / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--only", choices=TARGETS, help="one workload")
    options = parser.parse_args()
    print("| workload | gradus µs | PyTorch µs | ratio | target |\n|---|---|---|---|---|")
    for name in [options.only] if options.only else TARGETS:
        rounds = [
            (gradus_us(name, options.threads, options.seconds), torch_us(name, options.threads, options.seconds))
            for _ in range(options.rounds)
        ]
        ours, torch = (statistics.median(column) for column in zip(*rounds))
        ratio = statistics.median(ours / torch for ours, torch in rounds)
        print(f"| {name} | {ours:.0f} | {torch:.0f} | {ratio:.2f} | ≤ {TARGETS[name]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
