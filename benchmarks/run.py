"""Measure muster beside its peers, print tables, and write docs/performance.md.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: run.py BUILD [--only GROUP,GROUP] [--rounds N]

docs/performance.md and its plots are written when all groups were measured, in all of
their rounds, and nothing failed. Exit code: 1 if something failed.
"""
import argparse
import os
import sys
import time
from pathlib import Path

import measures
import report
from sampling import Results, measure


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    names = [group.name for group in measures.GROUPS]
    parser = argparse.ArgumentParser(description="Measure muster beside its peers.")
    parser.add_argument("build", type=Path)
    parser.add_argument("--only", default="", help="of these groups: " + ", ".join(names))
    parser.add_argument("--rounds", type=int, help="instead of as many as each group has")
    chosen = parser.parse_args()
    chosen.only = [name for name in chosen.only.split(",") if name]
    for name in chosen.only:
        if name not in names:
            parser.error(f"no group {name}; there are {', '.join(names)}")
    return chosen


def with_memory_beyond(results: Results) -> None:
    for samples in results.samples.values():
        for sample in samples:
            sample["beyond"] = sample["peak"] - measures.LARGE


def main() -> int:
    chosen = arguments()
    begun, since = report.start(), time.monotonic()
    load = begun.load
    if load[0] > 0.5:
        tell(f"load {load[0]:.1f}: the machine has other work, which will show in the figures")
    results = {}
    for group in measures.GROUPS:
        if not chosen.only or group.name in chosen.only:
            results[group.name] = measure(group, chosen.build.resolve(), chosen.rounds, tell)
    if "large" in results:
        with_memory_beyond(results["large"])
    for _, title, columns, rows in report.tables(results):
        print(report.plain_table(title, columns, rows), end="\n\n")
    failures = [failure for result in results.values() for failure in result.failures]
    for failure in failures:
        tell(f"FAILED: {failure}")
    if not chosen.only and not chosen.rounds and not failures:
        import plots
        docs = report.ROOT / "docs"
        plots.write(results, docs / "performance")
        tell(f"written: {report.write(results, begun, docs).relative_to(report.ROOT)}")
    tell(f"measured in {time.monotonic() - since:.0f} s, load {load[0]:.1f} before and {os.getloadavg()[0]:.1f} after")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
