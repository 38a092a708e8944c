"""scikit-learn and `dbscan`, for benches/compare/clustering: one request as JSON, one line of JSON back."""

import gzip
import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")


def make(name, sizes, images):
    """The points of a name; blobs and their like as in scikit-learn's demonstration of K-means."""
    from sklearn.datasets import make_blobs, make_moons

    n, d, k = sizes
    blobs, labels = make_blobs(n_samples=1500, random_state=170)
    if name.startswith("mnist"):
        with (gzip.open if images.endswith(".gz") else open)(images, "rb") as f:
            return np.frombuffer(f.read()[16:], np.uint8).reshape(-1, 784).astype(np.float64 if "64" in name else np.float32)
    if name.startswith("kmeans"):
        rng = np.random.RandomState(0)
        middles = rng.uniform(-10, 10, (k, d))
        return (middles[rng.randint(k, size=n)] + 2.0 * rng.standard_normal((n, d))).astype(np.float32)
    return {
        "blobs": lambda: blobs,
        "anisotropic": lambda: blobs @ [[0.60834549, -0.63667341], [-0.40887718, 0.85253229]],
        "varied": lambda: make_blobs(n_samples=1500, cluster_std=[1.0, 2.5, 0.5], random_state=170)[0],
        "uneven": lambda: np.vstack([blobs[labels == 0][:500], blobs[labels == 1][:100], blobs[labels == 2][:10]]),
        "moons": lambda: make_moons(2000, noise=0.1, random_state=0)[0],
        "duplicates": lambda: np.repeat(np.random.RandomState(0).uniform(0, 40, (600, 2)), 50, axis=0),
        "grid": lambda: np.stack(np.meshgrid(np.arange(120.0), np.arange(90.0)), -1).reshape(-1, 2)[::3],
        "same": lambda: np.ones((n, d)),
    }.get(name, lambda: make_blobs(n, d, centers=k, cluster_std=2.0 if d == 2 else 1.0, random_state=0)[0])()


def status(name):
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1]) / 1024


def measured(work):
    """What `work` returns, its seconds, and MiB at its peak beside what was there before."""
    try:
        open("/proc/self/clear_refs", "w").write("5")
    except OSError:
        pass
    before, begun = status("VmRSS"), time.perf_counter()
    found = work()
    return found, time.perf_counter() - begun, status("VmHWM") - before


def renamed(labels, core):
    """The labels with clusters called by the order of their first core points, and noise −1."""
    names = {label: number for number, label in enumerate(dict.fromkeys(labels[core].tolist()))}
    return np.array([names.get(label, -1) for label in labels.tolist()])


def differ(ours, theirs, core=None):
    """In words, how many of our labels, a CSV file, are others; with core points up to clusters' names."""
    ours = np.loadtxt(ours, skiprows=1, dtype=int)
    if core is not None:
        ours, theirs = renamed(ours, core), renamed(theirs, core)
    other = ours != theirs
    if not other.any():
        return f"yes, all {len(ours):,}"
    border = core is not None and not other[core].any()
    return f"{other.sum():,} of {len(ours):,} differ" + (", border points all" if border else "")


def kmeans(x, start, algorithm, max_iter, repeat, compare=None):
    from sklearn.cluster import KMeans

    model = KMeans(len(start), init=start, n_init=1, max_iter=max_iter, tol=0, algorithm=algorithm)
    seconds = min(measured(lambda: model.fit(x))[1] for _ in range(repeat))
    result = {"seconds": seconds, "iterations": int(model.n_iter_), "inertia": float(model.inertia_)}
    return result | ({"differ": differ(compare, model.labels_)} if compare else {})


def dbscan(x, peer, eps, min_samples, threads, compare=None):
    if peer == "sklearn":
        from sklearn.cluster import DBSCAN

        work = lambda x: DBSCAN(eps=eps, min_samples=min_samples, n_jobs=threads).fit(x)
    else:
        from dbscan import DBSCAN

        work = lambda x: DBSCAN(np.ascontiguousarray(x, np.float64), eps, min_samples)
    work(x[:100])
    found, seconds, memory = measured(lambda: work(x))
    result = {"seconds": seconds, "memory": memory}
    if compare:
        core = np.zeros(len(x), bool)
        core[found.core_sample_indices_] = True
        result["differ"] = differ(compare, found.labels_, core)
    return result


def main():
    wanted = json.loads(sys.argv[1])
    folder, threads = wanted.pop("folder"), wanted.pop("threads")
    load = lambda name: np.load(f"{folder}/{name}.npy")
    if "make" in wanted:
        x = make(wanted["make"], wanted["sizes"], wanted["images"])
        np.save(f"{folder}/{wanted['make']}.npy", x)
        k = wanted["sizes"][2]
        if k:
            np.save(f"{folder}/{wanted['make']}-start.npy", x[np.random.RandomState(1).choice(len(x), k, replace=False)])
        result = {}
    elif "start" in wanted:
        x = load(wanted["start"])
        chosen = np.random.RandomState(wanted["state"]).choice(len(x), wanted["k"], replace=False)
        np.save(f"{folder}/{wanted['start']}-start.npy", x[chosen])
        result = {}
    elif "kmeans" in wanted:
        name = wanted.pop("kmeans")
        result = kmeans(load(name), load(f"{name}-start"), **wanted)
    elif "dbscan" in wanted:
        result = dbscan(load(wanted.pop("dbscan")), threads=threads, **wanted)
    else:
        from sklearn.cluster import KMeans

        x = load(wanted["inertia"])
        fits = (KMeans(wanted["k"], n_init=1, random_state=seed).fit(x) for seed in range(wanted["seeds"]))
        result = {"inertias": [float(model.inertia_) for model in fits]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
