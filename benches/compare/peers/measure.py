"""What the peers in Python share: the workload to do, how it is timed, what is printed.

A peer is called with a workload as JSON (`gradus bench --list --json`) and prints one line of JSON.
"""

import argparse
import json
import math
import statistics
import time

CLASSES = 10
RATE = 0.01
# The samples of one measurement last at least this long, for the sake of the clock.
SAMPLE_SECONDS = 20e-6


def memory(name):
    """A figure of /proc/self/status in MiB, where there is such a thing."""
    try:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines[name].split()[0]) / 1024
    except (OSError, KeyError):
        return None


def times(step, seconds):
    """Microseconds of one call in each sample: a fifth of the time to warm up, the rest counts."""
    clock, calls, begin = time.perf_counter, 1, time.perf_counter()

    def sample():
        before = clock()
        for _ in range(calls):
            step()
        return (clock() - before) / calls

    while True:
        elapsed = sample() * calls
        if elapsed < SAMPLE_SECONDS:
            calls *= 2
        elif clock() - begin > seconds / 5:
            break
    found = []
    while not found or clock() - begin < seconds:
        found.append(sample() * 1e6)
    return found


def main(peer, prepare):
    """`prepare(workload)` returns the work to be repeated, or None where the peer has no such work."""
    parser = argparse.ArgumentParser(description=f"Measures {peer} on one workload.")
    parser.add_argument("workload", type=json.loads, help="an object as `gradus bench --list --json` prints them")
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    base, step = memory("VmRSS"), prepare(options.workload)
    result = {"name": options.workload["name"], "peer": peer}
    if step:
        step()  # Compiles, where that is the peer's way; not part of the time.
        found = times(step, options.seconds)
        result |= {"median_us": statistics.median(found), "min_us": min(found), "samples": len(found)}
        result |= {"peak_mib": memory("VmHWM"), "base_mib": base}
    print(json.dumps(result))


def bound(inputs):
    """The layers of all peers begin uniform in ± this."""
    return 1 / math.sqrt(inputs)
