"""Check that the shared library shows what its headers declare, that both are
what symbols.txt lists, so that a change of the interface is seen, and that the library's
SONAME has the number of version.h, by which programs ask for it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: check_symbols.py ROOT BUILD
       check_symbols.py --update ROOT      write the list from the headers
"""
import re
import subprocess
import sys
from pathlib import Path

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
DIRECTIVE = re.compile(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
EXPORTED = re.compile(r"\bMUSTER_EXPORT\b[^;(]*?\b(\w+)\s*[(;\[]")
DECLARED = re.compile(r"^[^\n;{}()]*?\b(muster_\w+)\s*\([^;{}]*\)[^;{}]*;", re.MULTILINE)

LIST = "tests/house/symbols.txt"


def header_texts(root):
    for header in sorted(Path(root, "include/muster").glob("*.h")):
        yield header.name, DIRECTIVE.sub("", COMMENT.sub("", header.read_text(encoding="utf-8")))


def declared_symbols(root):
    return {name for _, text in header_texts(root) for name in EXPORTED.findall(text)}


def hidden_declarations(root):
    """Functions that a header declares and does not export."""
    for header, text in header_texts(root):
        for match in DECLARED.finditer(text):
            line = match.group()
            if "MUSTER_EXPORT" not in line and "typedef" not in line:
                yield f"{header}: {match.group(1)} is declared without MUSTER_EXPORT"


def shown_symbols(library):
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", library],
        check=True, capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in listing.splitlines()}


def listed_symbols(root):
    return Path(root, LIST).read_text(encoding="utf-8").split()


def soname_of(library):
    dynamic = subprocess.run(["readelf", "--dynamic", library], check=True, capture_output=True, text=True).stdout
    return "".join(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic))


def abi(root):
    header = Path(root, "include/muster/version.h").read_text(encoding="utf-8")
    return re.search(r"#define MUSTER_ABI (\d+)", header).group(1)


def complain_about_soname(root, library):
    wanted, found = f"libmuster.so.{abi(root)}", soname_of(library)
    if found != wanted:
        yield f"the library's SONAME is {found or 'missing'}, not {wanted}"


def compare(left, left_name, right, right_name):
    for name in sorted(left - right):
        yield f"{name}: in {left_name}, not in {right_name}"
    for name in sorted(right - left):
        yield f"{name}: in {right_name}, not in {left_name}"


def problems(root, library):
    declared = declared_symbols(root)
    listed = listed_symbols(root)
    found = list(hidden_declarations(root))
    if not declared:
        found.append("the headers export nothing")
    if listed != sorted(set(listed)):
        found.append(f"{LIST} is not sorted, or has a name twice")
    found += compare(declared, "the headers", set(listed), LIST)
    found += compare(declared, "the headers", shown_symbols(library), "the library")
    found += complain_about_soname(root, library)
    return found


def update(root):
    names = sorted(declared_symbols(root))
    Path(root, LIST).write_text("".join(name + "\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--update":
        update(sys.argv[2])
        sys.exit(0)
    lines = problems(sys.argv[1], Path(sys.argv[2], "libmuster.so"))
    print("\n".join(lines) or "the library shows what the headers declare")
    sys.exit(1 if lines else 0)
