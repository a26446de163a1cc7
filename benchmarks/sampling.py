"""Run the benchmarks' programs, one sample at a time, in turns.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SECONDS = 240   # for one sample

Sample = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """One way to do it. program is in the build, or a file .py here."""

    name: str
    label: str
    program: str
    options: Sequence[str] = ()
    lacks: str = ""                     # what it does not do, that muster does
    modules: Sequence[str] = ()         # of Python, that it needs
    rounds: int = 1000                  # at most; fewer than the group's for what takes long
    figures: dict[str, float] = field(default_factory=dict)     # what is known of it beforehand: x of a plot

    def missing(self, build: Path) -> str | None:
        """What has to be installed for it, or None."""
        for module in self.modules:
            if importlib.util.find_spec(module) is None:
                return f"Python's {module}"
        if not self.program.endswith(".py") and not (build / "benchmarks" / self.program).exists():
            return "its library"
        return None

    def command(self, build: Path) -> list[str]:
        if self.program.endswith(".py"):
            return [sys.executable, str(HERE / "python" / self.program), *self.options]
        return [str(build / "benchmarks" / self.program), *self.options]


@dataclass(frozen=True)
class Group:
    """Contestants that are measured in turns. split: of a program that measures several
    at once, its sample taken apart into one for each."""

    name: str
    title: str
    contestants: Sequence[Contestant]
    rounds: int = 7
    split: Callable[[Sample], dict[str, Sample]] | None = None


@dataclass
class Results:
    """Samples of each contestant of a group by its name, one for each round; what was left out, and what failed."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def values(self, name: str, what: str) -> list[float]:
        return [sample[what] for sample in self.samples.get(name, []) if what in sample]

    def median(self, name: str, what: str = "rate") -> float | None:
        values = self.values(name, what)
        return statistics.median(values) if values else None

    def ratio(self, ours: str, theirs: str, what: str = "rate") -> float | None:
        """The median of the rounds' ratios: what a round took from both cancels."""
        pairs = list(zip(self.values(ours, what), self.values(theirs, what)))
        return statistics.median(our / their for our, their in pairs) if pairs else None


def take_sample(contestant: Contestant, build: Path) -> Sample:
    environment = {**os.environ, "PYTHONPATH": str(build / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(contestant.command(build), env=environment, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    sample: Sample = json.loads(done.stdout.splitlines()[-1])
    return sample


def measure(group: Group, build: Path, rounds: int | None, tell: Callable[[str], None]) -> Results:
    """All rounds of a group, its contestants in turns so that all meet the same machine."""
    results = Results()
    contestants = []
    for contestant in group.contestants:
        missing = contestant.missing(build)
        if missing:
            results.left_out[contestant.name] = missing
        else:
            contestants.append(contestant)
    for number in range(rounds or group.rounds):
        tell(f"{group.title}: round {number + 1} of {rounds or group.rounds}")
        for contestant in contestants:
            if number >= contestant.rounds:
                continue
            try:
                sample = take_sample(contestant, build)
            except (RuntimeError, subprocess.TimeoutExpired, json.JSONDecodeError, IndexError) as error:
                results.failures.append(f"{group.name}, {contestant.label}: {error}")
                continue
            parts = group.split(sample) if group.split else {contestant.name: sample}
            for name, part in parts.items():
                results.samples.setdefault(name, []).append(part)
    return results
