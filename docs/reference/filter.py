#!/usr/bin/python3
"""Show a public header to Doxygen: its comments as documentation, its lists of names as enums.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: filter.py HEADER

The headers are written for those who read them. What Doxygen wants otherwise is done here:
- the head of the file documents the file, without the licence, and so does a comment that stands alone;
- a comment above a declaration documents it, and those below that have none of their own;
- a comment behind a name documents that name;
- an enum made of a list, XX (NAME, "text"), has a line for each name.
"""
import re
import sys
from pathlib import Path

HEAD = re.compile(r"\A/\*  (\S+) - (.*?)\*/\n", re.DOTALL)
LICENCE = re.compile(r"\n *This Source Code Form.*?MPL/2\.0/\.\n", re.DOTALL)
COMMENT = re.compile(r"^/\*  (.*?)\*/$", re.DOTALL | re.MULTILINE)
BEHIND = re.compile(r"(?<=\S) +/\* +(.*?) *\*/$")
LIST = re.compile(r'^ *XX \((\w+), "(.*?)"\)', re.MULTILINE)
ENUM = re.compile(r"^#define XX\(name, text\) (\w+)##name,\n.*?^#undef XX\n", re.DOTALL | re.MULTILINE)
SPECIAL = re.compile(r"[\\@<>#%*&]")
INDENT = " " * 4


def escaped(line):
    """A line in which nothing is for Doxygen; what is set in by four more is code and stays."""
    return line if line.startswith(INDENT) else SPECIAL.sub(r"\\\g<0>", line)


def text_of(comment):
    return "\n".join(escaped(line.removeprefix(INDENT)) for line in comment.rstrip().split("\n"))


def with_enums(header):
    lines = [f"{name}, /**< {escaped(text)} */\n" for name, text in LIST.findall(header)]
    return ENUM.sub(lambda found: "".join(f"    {found[1]}{line}" for line in lines), header)


def pieces(header):
    """Comments and lines of code in turn: (text, None) and (None, line)."""
    at = 0
    for found in COMMENT.finditer(header):
        yield from ((None, line) for line in header[at:found.start()].splitlines())
        yield text_of(found[1]), None
        at = found.end() + 1
    yield from ((None, line) for line in header[at:].splitlines())


def documented(header):
    head = HEAD.match(header)
    about = [text_of(LICENCE.sub("\n", head[2]))]
    lines = []
    comment = None      # the last one, for the declarations below it
    fresh = False       # it has just been read
    for text, line in pieces(with_enums(header[head.end():])):
        if text is not None:
            comment, fresh = text, True
            continue
        if fresh and not line:
            about.append(comment)
            comment = None
        elif fresh or (comment and line.startswith(("MUSTER_EXPORT", "#define")) and not BEHIND.search(line)):
            lines.append(f"/** {comment} */")
        elif not line:
            comment = None
        fresh = False
        lines.append(line if "/**<" in line else
                     BEHIND.sub(lambda found: f" /**< {escaped(found[1])} */", line))
    return "\n".join([f"/** @file {head[1]}", "\n\n".join(about) + " */", *lines, ""])


if __name__ == "__main__":
    sys.stdout.write(documented(Path(sys.argv[1]).read_text(encoding="utf-8")))
