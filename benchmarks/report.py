"""What was measured, as a table for the terminal and as docs/performance.md.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import datetime
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import measures
from measures import Goal
from sampling import HERE, Contestant, Group, Results

ROOT = HERE.parent
RECORDED = ROOT / "tests/performance/instructions.json"


def short(value: float, unit: str) -> str:
    """Three digits or so: 3.29 M/s, 55 kB, 1.2 %."""
    if unit == "%":
        return f"{100 * value:.1f} %"
    if unit == "s/msg":
        return f"{1e6 * value:.2f} us"
    if unit in ("us", "s"):
        return f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"
    for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}".rstrip()


def verdict(goal: Goal, value: float) -> str:
    def holds(limit: float) -> bool:
        return value <= limit if goal.small_is_good else value >= limit
    if goal.aim is not None and holds(goal.aim):
        return "aim"
    return "must" if holds(goal.must) else "MISSED"


def goal_figure(goal: Goal, results: Results) -> float | None:
    if goal.theirs is None:
        return results.median(goal.ours, goal.what)
    return results.ratio(goal.ours, goal.theirs, goal.what)


def reached(goal: Goal, results: Results, figure: float) -> str:
    """The verdict; where a goal is missed, also how far its bound came."""
    bound = results.ratio(goal.bound, goal.theirs, goal.what) if goal.bound and goal.theirs else None
    word = verdict(goal, figure)
    return f"{word}; libzmq alone {bound:.2f}" if word == "MISSED" and bound else word


def goal_rows(all_results: dict[str, Results]) -> list[list[str]]:
    rows = []
    for goal in measures.GOALS:
        results = all_results.get(goal.group.name)
        figure = goal_figure(goal, results) if results else None
        if not results or figure is None:
            continue
        one = goal.theirs is None

        def text(value: float) -> str:
            return short(value, goal.unit) if one else f"{value:.2f}"
        relation = "at most " if goal.small_is_good else "at least "
        rows.append([goal.text, text(figure), relation + text(goal.must), text(goal.aim) if goal.aim is not None else "",
                     reached(goal, results, figure)])
    return rows


def rate_rows(group: Group, results: Results, ours: str, size: int | None = None) -> list[list[str]]:
    """Contestant, rate, how many times theirs ours is, what it does not do."""
    rows = []
    for contestant in group.contestants:
        rate = results.median(contestant.name)
        if rate is None:
            why = results.left_out.get(contestant.name)
            rows.append([contestant.label, "left out", "", f"not installed: {why}" if why else "failed"])
            continue
        ratio = results.ratio(ours, contestant.name)
        text = short(rate * size, "B/s") if size else short(rate, "/s")
        rows.append([contestant.label, text, f"{ratio:.2f}" if ratio and contestant.name != ours else "", contestant.lacks])
    return rows


def latency_rows(results: Results) -> list[list[str]]:
    rows = []
    for contestant in measures.LATENCY.contestants:
        if not results.values(contestant.name, "p50"):
            continue
        row = [contestant.label]
        for what in ("p50", "p99"):
            value = results.median(contestant.name, what)
            ratio = results.ratio(contestant.name, "zmq", what)
            assert value is not None
            row += [short(value, "us"), f"{ratio:.2f}" if ratio else ""]
        rows.append([*row, contestant.lacks])
    return rows


def memory_rows(results: Results) -> list[list[str]]:
    rows = []
    for contestant in measures.LARGE_MESSAGES.contestants:
        beyond = results.median(contestant.name, "beyond")
        if beyond is not None:
            rows.append([contestant.label, short(beyond, "B")])
    return rows


def worker_rows(results: Results) -> list[list[str]]:
    rows = []
    for contestant in measures.WORKERS.contestants:
        def text(what: str, unit: str) -> str:
            value = results.median(contestant.name, what)
            return "" if value is None else short(value, unit)
        one = "1" if contestant.name.isdigit() else "zmq-1"
        ratio = results.ratio(contestant.name, one)
        fairness = results.median(contestant.name, "fairness")
        single = contestant.name == one
        rows.append([contestant.label, text("rate", "/s"), f"{ratio:.2f}" if ratio and not single else "",
                     f"{fairness:.2f}" if fairness is not None and not single else "",
                     text("work", "s/msg"),
                     "" if single else text("memory", "B"), text("join", "s"),
                     text("idle", "%") if any(option.startswith("idle") for option in contestant.options) else ""])
    return rows


#   Title, columns, and rows of each table.
def tables(all_results: dict[str, Results]) -> Iterable[tuple[str, str, Sequence[str], list[list[str]]]]:
    rates = ["", "median", "muster is", "what it does not do"]
    for group, size in ((measures.SMALL, None), (measures.IPC, None), (measures.SIXTEEN, None),
                        (measures.LARGE_MESSAGES, measures.LARGE), (measures.KEYS, 64000)):
        if group.name in all_results:
            yield group.name, group.title, rates, rate_rows(group, all_results[group.name], "muster", size)
    if "latency" in all_results:
        yield ("latency", "idle latency", ["", "p50", "/ raw", "p99", "/ raw", "what it does not do"],
               latency_rows(all_results["latency"]))
    if "large" in all_results:
        yield "memory", "the receiver's peak beyond 100 MB", ["", "median"], memory_rows(all_results["large"])
    if "workers" in all_results:
        yield ("workers", "many workers",
               ["", "messages", "/ one", "fairness", "listener's work", "idle worker", "all join in", "idle CPU"],
               worker_rows(all_results["workers"]))
    yield ("goals", "goals", ["", "measured", "must be", "aim", "reached"], goal_rows(all_results))


def plain_table(title: str, columns: Sequence[str], rows: list[list[str]]) -> str:
    lines = [list(columns), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]

    def row(line: Sequence[str]) -> str:
        cells = [cell.ljust(width) if i in (0, len(columns) - 1) and i != 1 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(line, widths))]
        return "  ".join(cells).rstrip()
    return "\n".join([title, *map(row, lines)])


def markdown_table(columns: Sequence[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.partition("\n")[0].strip()


def processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def versions() -> list[str]:
    named = [f"{name} {first_line('pkg-config', '--modversion', module)}"
             for name, module in (("libzmq", "libzmq"), ("czmq", "libczmq"), ("msgpack-c", "msgpack"))]
    for name, package in (("nng", "libnng-dev"), ("gRPC", "python3-grpcio"), ("pyzmq", "python3-zmq"),
                          ("msgpack-python", "python3-msgpack")):
        version = first_line("dpkg-query", "--show", "--showformat", "${Version}", package)
        if version:
            named.append(f"{name} {version}")
    return [*named, f"Python {platform.python_version()}", first_line("cc", "--version")]


@dataclass(frozen=True)
class Start:
    """How it was before anything was measured, or written into the repository."""

    load: tuple[float, float, float]
    version: str


def start() -> Start:
    return Start(os.getloadavg(), first_line("git", "describe", "--always", "--dirty"))


def machine(begun: Start) -> str:
    load = begun.load[0]
    busy = ": it had other work, which these figures show" if load > 0.5 else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return "\n".join([
        f"- {datetime.date.today().isoformat()}, muster {begun.version}",
        f"- {os.cpu_count()} cores ({processor()}), {memory / 2**30:.0f} GiB, Linux {platform.release()};"
        f" load when it began {load:.1f}{busy}",
        f"- {', '.join(versions())}"])


def instructions() -> str:
    recorded = json.loads(RECORDED.read_text())
    rows = [[label, f"{recorded[way]['sender']:,}", f"{recorded[way]['receiver']:,}"]
            for way, label in (("muster", measures.MUSTER), ("zmq", measures.RAW)) if way in recorded]
    return markdown_table(["", "sender", "receiver"], rows)


def write(all_results: dict[str, Results], begun: Start, docs: Path) -> Path:
    """performance.md in docs, from its template here."""
    text = (HERE / "performance.md.in").read_text()
    parts = {name: markdown_table(columns, rows) for name, _, columns, rows in tables(all_results)}
    parts |= {"machine": machine(begun), "instructions": instructions()}
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    left = re.findall(r"^@\w+@$", text, re.MULTILINE)
    if left:
        raise ValueError(f"the template names what was not measured: {left}")
    file = docs / "performance.md"
    file.write_text(text)
    return file
