"""What the measurements of `run` say: ratios, floors, a table, a chart. Arithmetic and text only."""

import statistics
from html import escape

LABELS = {
    "gradus": "gradus", "torch": "PyTorch", "torch-compile": "torch.compile", "jax": "JAX", "numpy": "NumPy",
    "candle": "candle", "burn": "burn-flex",
}  # fmt: skip
# What the project aims at: ratios to PyTorch, or microseconds.
TARGET_RATIOS = {
    "softmax_784_10_b256": 0.30,
    "mlp_784_256_10_b256": 0.57,
    "mlp_784_256_10_b32": 0.32,
    "mlp_784_128_64_10_b512": 0.54,
    "two_layer_3072_1024_10_b100": 0.60,
    "cnn_b32": 0.48,
    "cnn_b256": 0.48,
    "full_batch_f32": 0.75,
    "full_batch_f64": 0.69,
}
TARGET_US = {"add_10": 0.15, "graph_10": 2.5, "add_10m": 4500, "exp_10m": 3500, "sum_10m": 1600}
# Below this many operations and bytes other costs count, not arithmetic or memory.
WORTH_A_FLOOR = 1e4


def median(values):
    """
    >>> median([3, None, 1]), median([None])
    (2.0, None)
    """
    values = [value for value in values if value is not None]
    return float(statistics.median(values)) if values else None


def floor_us(flop, size, dtype, peak_gflops, gigabytes):
    """The least microseconds for this arithmetic and memory traffic; f64 has half the peak of f32.

    >>> floor_us(250e6, 0, "float32", 250, 31), floor_us(250e6, 0, "float64", 250, 31)
    (1000.0, 2000.0)
    >>> floor_us(250e6, 62e6, "float32", 250, 31), floor_us(0, 40, "float32", 250, 31)
    (2000.0, None)
    """
    if flop + size < WORTH_A_FLOOR:
        return None
    peak = peak_gflops / (2 if dtype == "float64" else 1)
    return max(flop / peak, size / gigabytes) / 1e3


class Row:
    """A workload on a number of threads: what each peer said in each round.

    >>> said = lambda *us: [{"median_us": x, "peak_gflops": 200, "gigabytes_per_second": 30} for x in us]
    >>> work = {"name": "cnn_b32", "flop": 1e8, "bytes": 0, "dtype": "float32"}
    >>> row = Row(work, 2, {"gradus": said(1000, 2000, 3000), "torch": said(4000, 4000, 5000), "jax": [{}] * 3})
    >>> row.time("gradus"), row.ratio("gradus"), row.ratio("jax"), row.floor()
    (2000.0, 0.5, None, 500.0)
    """

    def __init__(self, workload, threads, found):
        self.name, self.workload, self.threads, self.found = workload["name"], workload, threads, found

    def each(self, peer, figure):
        return [result.get(figure) for result in self.found.get(peer, [])]

    def time(self, peer):
        return median(self.each(peer, "median_us"))

    def ratio(self, peer):
        """The median of the rounds' ratios to PyTorch."""
        pairs = zip(self.each(peer, "median_us"), self.each("torch", "median_us"))
        return median([ours / theirs for ours, theirs in pairs if ours and theirs])

    def floor(self):
        limits = [self.each("gradus", "peak_gflops"), self.each("gradus", "gigabytes_per_second")]
        limits = [max(filter(None, values), default=None) for values in limits]
        w = self.workload
        return floor_us(w["flop"], w["bytes"], w["dtype"], *limits) if all(limits) else None

    def target(self):
        if self.name in TARGET_RATIOS:
            return f"≤ {TARGET_RATIOS[self.name]:.2f}"
        return f"≤ {microseconds(TARGET_US[self.name])} µs" if self.name in TARGET_US else ""


def microseconds(us):
    """Three digits or more.

    >>> [microseconds(x) for x in (0.1234, 12.34, 123456.7, None)]
    ['0.123', '12.3', '123,457', '']
    """
    return "" if us is None else f"{us:,.{sum(us < limit for limit in (100, 10, 1))}f}"


def share(part, whole):
    return f"{part / whole:.0%}".replace("%", " %") if part and whole else ""


def table(head, lines):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown(rows):
    """Tables of times, of speed and floor, and of memory, for each number of threads."""
    parts = []
    for threads in sorted({row.threads for row in rows}):
        some = [row for row in rows if row.threads == threads]
        peers = [peer for peer in LABELS if any(row.time(peer) for row in some)]
        others = [peer for peer in peers if peer != "gradus"]
        peak = max(filter(None, (g for row in some for g in row.each("gradus", "peak_gflops"))), default=0)
        bandwidth = max(filter(None, (g for row in some for g in row.each("gradus", "gigabytes_per_second"))), default=0)
        parts.append(
            f"## {threads} thread{'s' if threads > 1 else ''}\n\n"
            f"Microseconds, medians. This machine reached {peak:.0f} GFLOP/s (f32) and {bandwidth:.0f} GB/s.\n"
        )
        lines = [
            [row.name, *(microseconds(row.time(peer)) for peer in peers), f"{row.ratio('gradus') or 0:.2f}" if row.ratio("gradus") else "", row.target()]
            for row in some
        ]
        parts.append(table(["workload", *(LABELS[p] for p in peers), "gradus : PyTorch", "target"], lines) + "\n")
        lines = []
        for row in some:
            time, torch, floor = row.time("gradus"), row.time("torch"), row.floor()
            speed = lambda us: f"{row.workload['flop'] / us / 1e3:.0f}" if us and row.workload["flop"] else ""  # noqa: E731
            lines.append([row.name, microseconds(floor), share(floor, time), share(floor, torch), speed(time), speed(torch)])
        parts.append("The floor is what arithmetic at the peak or memory at full speed would take.\n")
        parts.append(table(["workload", "floor µs", "gradus reaches", "PyTorch reaches", "gradus GFLOP/s", "PyTorch GFLOP/s"], lines) + "\n")
        lines = []
        for row in some:
            cells = []
            for peer in peers:
                peak, base = median(row.each(peer, "peak_mib")), median(row.each(peer, "base_mib"))
                cells.append(f"{peak:.0f} ({peak - base:.0f})" if peak and base else "")
            lines.append([row.name, *cells])
        parts.append("Peak memory of the process in MiB, in brackets what the workload added.\n")
        parts.append(table(["workload", *(LABELS[p] for p in peers)], lines) + "\n")
    return "\n".join(parts)


# Okabe and Ito's colours, ours the strongest.
COLOURS = {
    "gradus": "#0072b2", "torch": "#d55e00", "torch-compile": "#f0a878", "jax": "#009e73", "numpy": "#999999",
    "candle": "#e69f00", "burn": "#cc79a7",
}  # fmt: skip
NAMES, WIDTH, BAR, THIN, GAP, TOP = 220, 460, 11, 4, 12, 62
# Bars end here, with their figure, however long they would be.
LONGEST = 3.0


def chart(rows):
    """Bars of time relative to PyTorch, shorter is better, as SVG."""
    rows = [row for row in rows if row.ratio("gradus")]
    peers = [p for p in LABELS if p != "torch" and any(row.ratio(p) for row in rows)]
    height = BAR + THIN * (len(peers) - 1) + GAP
    bottom = TOP + height * len(rows)
    x = lambda ratio: NAMES + WIDTH * min(ratio, LONGEST) / LONGEST  # noqa: E731
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{NAMES + WIDTH + 60}" height="{bottom + 30}" '
        f'font-family="sans-serif" font-size="12" fill="#333333">',
        '<rect width="100%" height="100%" rx="8" fill="#ffffff"/>',
        f'<text x="16" y="22" font-size="15">Time relative to PyTorch: shorter is better ({rows[0].threads if rows else 0} threads)</text>',
    ]
    left = 16
    for peer in peers:
        out.append(f'<rect x="{left}" y="34" width="12" height="8" fill="{COLOURS[peer]}"/>')
        out.append(f'<text x="{left + 17}" y="42">{escape(LABELS[peer])}</text>')
        left += 40 + 7 * len(LABELS[peer])
    for i, row in enumerate(rows):
        y = TOP + i * height
        out.append(f'<text x="{NAMES - 8}" y="{y + BAR - 1}" text-anchor="end">{escape(row.name)}</text>')
        for peer in peers:
            ratio, thick = row.ratio(peer), BAR if peer == "gradus" else THIN
            if ratio:
                out.append(f'<rect x="{NAMES}" y="{y}" width="{x(ratio) - NAMES:.1f}" height="{thick - 1}" fill="{COLOURS[peer]}"/>')
            if ratio and (peer == "gradus" or ratio > LONGEST):
                out.append(f'<text x="{x(ratio) + 4:.1f}" y="{y + thick - 1}" font-size="{11 if peer == "gradus" else 6}">{ratio:.2f}</text>')
            y += thick
    out.append(f'<path d="M{x(1):.1f} {TOP - 6}V{bottom}" stroke="{COLOURS["torch"]}" stroke-dasharray="4 3"/>')
    out.append(f'<text x="{x(1):.1f}" y="{bottom + 16}" text-anchor="middle">PyTorch = 1</text>')
    return "\n".join([*out, "</svg>", ""])
