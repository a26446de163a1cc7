"""Check which file includes which, by the rules of the house.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: check_includes.py ROOT

An upper floor of src/ includes a lower one, never the reverse; wire and net do
not know each other. The command, the bindings, the examples and the tests of
the whole use the public headers alone. A library that we build on is met on
its own floor, and the time is read in actor and passed down.
"""
import re
import sys
from pathlib import Path

#   The floors of src/, each with those it stands on. The public headers are
#   everybody's, but for the command nothing else is.
FLOORS = {
    "base": set(),
    "model": {"base"},
    "wire": {"base", "model"},
    "net": {"base", "model"},
    "actor": {"base", "model", "wire", "net"},
    "cli": set(),
}

#   Who may include the headers of a library, as regular expressions on paths.
LIBRARIES = [
    (r"msgpack(\.h|/.*)", r"src/wire/|tests/(unit|fuzz|support/private)/|examples/c/plain_\w+\.c$"),
    (r"(zmq|zmq_utils|czmq|zactor|zsock|zmsg|zframe|zpoller|zsys|zclock)\.h",
     r"src/(net|actor)/|tests/|benchmarks/|examples/c/plain_\w+\.c$"),
    (r"json-c/.*|json\.h", r"src/cli/|tests/"),
    (r"ut(hash|list|array|string|stack|ringbuffer)\.h", r"src/(base|model|wire|net|actor)/"),
    (r"zlib\.h", r"examples/"),
    (r"nng/.*", r"benchmarks/"),
    (r"criterion/.*", r"tests/(unit|integration|support)/"),
]

#   Places that see the public headers and their own folder, nothing else.
PUBLIC_ONLY = ("include", "bindings", "examples", "benchmarks", "tests/integration", "tests/threads", "tests/chaos", "tests/cli",
               "tests/consumer")

TIME_IS_READ = re.compile(
    r"\b(clock_gettime|clock_getres|gettimeofday|timespec_get|ftime|time|clock|zclock_\w+|zsys_time\w*)\s*\(")
TIME_MAY_BE_READ = re.compile(r"src/(actor|cli)/|src/base/log\.c$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def without_comments(text):
    """Blank comments and strings, but keep the lines and the includes' names."""
    def blank(match):
        found = match.group()
        if found.startswith('"'):
            return found if is_include_at(text, match.start()) else '""'
        return "\n" * found.count("\n")
    return COMMENT_OR_TEXT.sub(blank, text)


def is_include_at(text, position):
    line = text[text.rfind("\n", 0, position) + 1:position]
    return re.fullmatch(r"\s*#\s*include\s*", line) is not None


def floor_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def is_public(name, root):
    return name.startswith("muster/") and (root / "include" / name).is_file()


def complain_about_floor(path, floor, bracket, name, root):
    if floor not in FLOORS:
        return f"src/{floor} is no floor of the house"
    if is_public(name, root):
        return None
    if bracket == "<":
        if name.startswith("muster/"):
            return f"includes <{name}>, which is no public header"
        return None
    if floor == "cli" and (root / path).parent.joinpath(name).is_file():
        return None
    target = name.split("/")[0]
    if target not in FLOORS or "/" not in name:
        return f'includes "{name}": name its floor ("base/alloc.h")'
    if target != floor and target not in FLOORS[floor]:
        return f'includes "{name}": {floor} does not stand on {target}'
    if not (root / "src" / name).is_file():
        return f'includes "{name}", which is not there'
    return None


def complain_about_public_only(path, bracket, name, root):
    if is_public(name, root):
        return None
    if bracket == "<":
        return f"includes <{name}>, which is no public header" if name.startswith("muster/") else None
    if ".." not in name and (root / path).parent.joinpath(name).is_file():
        return None
    if path.startswith("tests/") and (root / "tests/support" / name).is_file() and not name.startswith("private/"):
        return None
    return f'includes "{name}": only public headers and neighbours'


def complain_about_library(path, name):
    for library, places in LIBRARIES:
        if re.fullmatch(library, name) and not re.match(places, path):
            return f"includes <{name}>, which does not belong here"
    return None


def complaints_of(path, text, root):
    text = without_comments(text)
    floor = floor_of(path)
    public_only = path.startswith(PUBLIC_ONLY) and not path.startswith("tests/threads/private/")
    public_only = public_only or re.fullmatch(r"tests/support/[^/]+", path)
    for match in INCLUDE.finditer(text):
        bracket, name = match.groups()
        if ".." in name.split("/"):
            yield f'includes "{name}": no way up'
        elif floor:
            yield complain_about_floor(path, floor, bracket, name, root)
        elif public_only:
            yield complain_about_public_only(path, bracket, name, root)
        if bracket == "<":
            yield complain_about_library(path, name)
    if floor and not TIME_MAY_BE_READ.match(path):
        for match in TIME_IS_READ.finditer(text):
            yield f"reads the time: {match.group(1)}"


def problems(root):
    """A line for each breach under root."""
    root = Path(root)
    found = []
    count = 0
    for place in ("include", "src", "bindings", "examples", "benchmarks", "tests"):
        for file in sorted((root / place).rglob("*.[ch]")):
            count += 1
            path = file.relative_to(root).as_posix()
            text = file.read_text(encoding="utf-8")
            found += [f"{path}: {complaint}" for complaint in complaints_of(path, text, root) if complaint]
    if not count:
        found.append(f"{root}: no sources")
    return found


if __name__ == "__main__":
    lines = problems(sys.argv[1])
    print("\n".join(lines) or "the includes are as the house wants them")
    sys.exit(1 if lines else 0)
