"""Measure several ways to do the same, in turns, and print a table.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass
class Way:
    """One way to do it; run gives what it achieved."""

    name: str
    run: Callable[[], float]


def measure(ways: Sequence[Way], rounds: int) -> list[list[float]]:
    """The results of each way, taken in turns so that all meet the same machine."""
    results: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, taken in zip(ways, results):
            taken.append(way.run())
    return results


def table(title: str, unit: str, ways: Sequence[Way], results: Sequence[Sequence[float]]) -> str:
    """Medians, and the first way's as a multiple of each: the median of the rounds' ratios."""
    lines = [title, f"{'':38}{unit:>14}{'muster is':>12}"]
    for way, taken in zip(ways, results):
        ratio = statistics.median(ours / theirs for ours, theirs in zip(results[0], taken))
        times = f"{ratio:.2f} times" if taken is not results[0] else ""
        lines.append(f"{way.name:38}{statistics.median(taken):14,.0f}{times:>12}")
    return "\n".join(lines)
