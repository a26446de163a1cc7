"""Check what every text of the house has in common, whatever language it is in.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: check_text.py ROOT

No space ends a line, a newline ends a file, tabs are for make, sources begin
with the licence and have no line that is wider than a screen.
"""
import subprocess
import sys
from pathlib import Path

SOURCES = (".c", ".h", ".py", ".txt")
WIDEST = 140
LICENCE = "License, v. 2.0"
LICENCE_LINES = 8

#   What programs wrote, and what is bytes.
NOT_OURS = ("tests/fuzz/corpus/", "LICENSE")
NOT_TEXT = (".svg", ".png", ".gz", ".json", ".bin")
WITHOUT_LICENCE = ("tests/house/symbols.txt",)


def complaints_of_lines(path, lines):
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield f"{path}:{number}: a space ends the line"
        if "\t" in line and path != "Makefile":
            yield f"{path}:{number}: a tab"
        if len(line) > WIDEST and path.endswith(SOURCES):
            yield f"{path}:{number}: wider than {WIDEST}"


def complaints_of(path, text):
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield f"{path}: does not end with one newline"
    head = text.split("\n")[:LICENCE_LINES]
    if path.endswith(SOURCES) and path not in WITHOUT_LICENCE and not any(LICENCE in line for line in head):
        yield f"{path}: does not begin with the licence"
    yield from complaints_of_lines(path, text.split("\n"))


def files(root):
    """What git knows and would add; without git, the sources."""
    done = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode == 0:
        return sorted(filter(None, done.stdout.decode().split("\0")))
    return sorted(file.relative_to(root).as_posix() for place in ("include", "src", "tests", "bindings", "examples", "benchmarks")
                  for file in (root / place).rglob("*.[ch]"))


def problems(root):
    """A line for each breach under root."""
    root = Path(root)
    paths = [path for path in files(root) if not path.startswith(NOT_OURS) and not path.endswith(NOT_TEXT) and (root / path).is_file()]
    if not paths:
        return [f"{root}: no texts"]
    return [complaint for path in paths for complaint in complaints_of(path, (root / path).read_text(encoding="utf-8"))]


if __name__ == "__main__":
    lines = problems(sys.argv[1])
    print("\n".join(lines) or "the texts are as the house wants them")
    sys.exit(1 if lines else 0)
