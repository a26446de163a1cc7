"""Instructions that a small message takes, on each side: the steadiest of all measures.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: instructions.py BUILD [--record FILE]

Sender and receiver run under callgrind, once with FEW messages and once with MANY;
the difference is that of the messages alone, without start and end.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FEW, MANY = 100_000, 300_000
SECONDS = 100
WAYS = {"muster": "stream_muster", "zmq": "stream_zmq"}


def count(build: Path, program: str, messages: int) -> dict[str, int]:
    """Instructions of both processes, all threads."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes",
             f"--callgrind-out-file={directory}/%p", str(build / "benchmarks" / program), f"count={messages}"],
            check=True, stdout=subprocess.DEVNULL, timeout=SECONDS)
        counts = {}
        for file in Path(directory).iterdir():
            text = file.read_text()
            side = "sender" if re.search(r"^cmd: .* endpoint=", text, re.MULTILINE) else "receiver"
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
            assert total, f"no total in what callgrind says of the {side}"
            counts[side] = int(total.group(1))
        return counts


def per_message(build: Path, way: str) -> dict[str, int]:
    """Instructions for each message: {"sender": …, "receiver": …}."""
    with ThreadPoolExecutor() as both:
        few, many = both.map(lambda messages: count(build, WAYS[way], messages), (FEW, MANY))
    return {side: round((many[side] - few[side]) / (MANY - FEW)) for side in ("sender", "receiver")}


def main() -> None:
    build = Path(sys.argv[1])
    figures = {way: per_message(build, way) for way in WAYS}
    text = json.dumps(figures, indent=4) + "\n"
    if sys.argv[2:3] == ["--record"]:
        Path(sys.argv[3]).write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
