"""The plots of docs/performance.md, as SVG that is the same for the same figures.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.hashsalt": "muster", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
    "axes.grid": True, "grid.color": "#dddddd", "axes.axisbelow": True, "axes.spines.top": False,
    "axes.spines.right": False, "figure.facecolor": "white", "savefig.facecolor": "white",
})

from matplotlib import pyplot, ticker     # noqa: E402  (once the backend is chosen)

import measures     # noqa: E402
from sampling import Results    # noqa: E402

COLOURS = {"muster": "#0b5fa5", "worker": "#0b5fa5", "plain": "#6aaed6", "python": "#6aaed6", "zmq": "#d1495b",
           "pyzmq": "#e8909b", "nng": "#8c6bb1", "tcp": "#555555"}
LABELS = {"muster": "muster", "worker": "muster", "plain": "muster, plain producer", "zmq": "raw libzmq", "nng": "nng",
          "tcp": "plain TCP"}


def save(figure: Any, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)


def in_bytes(value: float, _position: int) -> str:
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            return f"{value / limit:g} {unit}"
    return f"{value:g} B"


def by_size(results: Results, file: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name in ("tcp", "muster", "zmq", "nng"):
        points = [(size, rate * size) for size, *_ in measures.SIZES
                  if (rate := results.median(f"{name}-{size}")) is not None]
        if points:
            axes.plot(*zip(*points), "o-", color=COLOURS[name], label=LABELS[name])
    axes.set(xscale="log", yscale="log", xlabel="message size", ylabel="throughput, bytes a second")
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(in_bytes))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(in_bytes))
    axes.legend(frameon=False)
    save(figure, file)


def latency(results: Results, file: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name in ("tcp", "zmq", "nng", "worker", "plain"):
        times = sorted(time for sample in results.samples.get(name, []) for time in sample["times"])
        if times:
            #   200 steps tell as much as all of them, in a file of a readable size.
            shares = [i / 200 for i in range(200)]
            axes.plot([times[int(share * len(times))] for share in shares], shares, color=COLOURS[name], label=LABELS[name])
    axes.set(xscale="log", xlabel="time from send to receiver, us", ylabel="share of messages that took no longer")
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_major_formatter(ticker.PercentFormatter(1))
    axes.legend(frameon=False)
    save(figure, file)


def workers(results: Results, file: Path) -> None:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.6))
    counts = [contestant.figures["workers"] for contestant in measures.WORKERS.contestants
              if "workers" in contestant.figures and results.median(contestant.name) is not None]
    rates = [results.median(f"{count}") / 1e6 for count in counts]      # type: ignore[operator]
    left.plot(counts, rates, "o-", color=COLOURS["muster"])
    left.set(xscale="log", ylim=(0, None), xlabel="workers", ylabel="million messages a second")
    #   One worker's is the listener's own.
    many = [count for count in counts if count > 1]
    right.plot(many, [results.median(f"{count}", "memory") / 1e3 for count in many], "o-",     # type: ignore[operator]
               color=COLOURS["muster"])
    right.axhline(50, color=COLOURS["zmq"], linestyle="--")
    right.annotate("libzmq's two connections", (max(many), 50), (0, -4), textcoords="offset points", ha="right", va="top",
                   color=COLOURS["zmq"])
    right.margins(y=0.1)
    right.set(xscale="log", ylim=(0, None), xlabel="workers", ylabel="memory at the listener for each, kB")
    for axes in (left, right):
        axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%d"))
    save(figure, file)


def large(results: Results, file: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(7, 2.8))
    shown = [contestant for contestant in reversed(measures.LARGE_MESSAGES.contestants)
             if results.median(contestant.name) is not None]
    rates = [results.median(contestant.name) * measures.LARGE / 1e9 for contestant in shown]     # type: ignore[operator]
    axes.barh([contestant.label for contestant in shown], rates, color=[COLOURS[contestant.name] for contestant in shown])
    axes.set(xlabel="GB a second, messages of 100 MB")
    axes.grid(axis="y", visible=False)
    save(figure, file)


def write(all_results: dict[str, Results], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    by_size(all_results["sizes"], folder / "sizes.svg")
    latency(all_results["latency"], folder / "latency.svg")
    workers(all_results["workers"], folder / "workers.svg")
    large(all_results["large"], folder / "large.svg")
