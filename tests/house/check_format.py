"""Check that all C is as clang-format writes it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: check_format.py ROOT
       check_format.py --update ROOT       write it so

.clang-format is our style, but for what clang-format has no option for. So what it is given, and
what it gives back, is translated:

- Where a statement is broken, and how far in it goes on, is for the author to say. clang-format is
  told of a line that ends nowhere, so it breaks only between statements, where we break too; what
  it has in one line gets the author's breaks back. A condition goes on further in than it began.
  A macro in one line stays in one.
- An "if" stands on the line below its "else". clang-format joins the two: they are joined before,
  and parted again after.
- A line below a directive stands where the author put it: clang-format takes the names that a macro
  lists for a statement that goes on.
- There is a space before the parenthesis of a keyword that stands for a function, too, and where the
  last part of a "for" is empty.
- Comments behind code stand in columns, which the author chooses. clang-format aligns them with
  the longest line or not at all: it sees them one space behind the code, and each gets its
  column back.

All else is its word. Versions differ in what they write; this is version 14's.
"""
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict, deque
from pathlib import Path

from check_text import files

VERSION = 14
NOT_RUN = 77
SHOWN_MOST = 200

ELSE_ABOVE_IF = re.compile(r"^( *)else( \\)?\n\1if ", re.MULTILINE)
ELSE_BEFORE_IF = re.compile(r"^( *)else if (.*?)( \\)?$", re.MULTILINE)
COLUMN_LIMIT = re.compile(r"^ColumnLimit:.*$", re.MULTILINE)
KEYWORD = re.compile(r"\b(_Static_assert|_Alignof|offsetof|defined|__has_feature)\(")
EMPTY_LAST = re.compile(r"(\bfor \(.*[^;];)\)")
CHUNK = re.compile(r"((?:\s|\\\n)*)((?:[^\s\\]|\\(?!\n))+)")
COMMENT_BEHIND = re.compile(r"^(?! */\*)(.*[^ ])( +)(/\*(?:(?!\*/).)*\*/)$", re.MULTILINE)


def program():
    """The clang-format whose style this is; None if it is not here."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path and f"version {VERSION}." in subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout:
            return path
    return None


def join_chains(text):
    return ELSE_ABOVE_IF.sub(r"\1else if ", text)


def part_chains(text):
    return ELSE_BEFORE_IF.sub(lambda found: f"{found[1]}else{found[3] or ''}\n{found[1]}if {found[2]}{found[3] or ''}", text)


def space_out(text):
    return EMPTY_LAST.sub(r"\1 )", KEYWORD.sub(r"\1 (", text))


def columns_of(text):
    """By the text of a comment the columns it has, from the top; 0: a space behind the code."""
    columns = defaultdict(deque)
    for code, gap, comment in COMMENT_BEHIND.findall(text):
        columns[comment].append(len(code) + len(gap) if len(gap) > 1 else 0)
    return columns


def put_into_columns(text, columns):
    def put(found):
        code, _, comment = found.groups()
        column = columns[comment].popleft() if columns[comment] else 0
        return code.ljust(max(column, len(code) + 1)) + comment
    return COMMENT_BEHIND.sub(put, text)


def simplified(text):
    return join_chains(COMMENT_BEHIND.sub(r"\1 \3", text))


def chunks(text):
    """What stands between blanks, and the blanks before it. A backslash at the end of a line is one."""
    return [(found[2], found[1]) for found in CHUNK.finditer(text)]


def indent_of(blanks):
    return len(blanks) - blanks.rfind("\n") - 1


class Breaks:
    """Puts the author's breaks into what has a line for each statement. Both are the same but for blanks."""

    def __init__(self):
        self.indent = 0         # of the statement
        self.before = ""        # the last byte that is none of a comment
        self.last = ""          # chunk
        self.first = ""         # chunk of the line
        self.in_comment = False

    def blanks(self, author, other, chunk):
        """The blanks before a chunk, of those of the author and those of clang-format."""
        is_list = self.before == ","
        if self.last == "else" and chunk.startswith("if"):
            return other
        if "\n" in other and "\n" in author and self.first.startswith("#"):
            return author
        if "\\\n" in other and "\n" not in author:
            return author
        if "\n" in other and not is_list and not (self.before == '"' and chunk[0] == '"'):
            self.indent = indent_of(other)
            return other
        if "\n" not in author:
            return author if "\n" in other else other
        if "\n" in other and is_list and chunk[0] != '"':
            return other
        least = self.indent + 4
        if chunk[:2] not in ("&&", "||") or indent_of(author) >= least:
            return author
        return author[:author.rfind("\n") + 1] + " " * least

    def pass_by(self, blanks, chunk):
        self.last = chunk
        if "\n" in blanks or not self.first:
            self.first = chunk
        self.in_comment = self.in_comment or chunk.startswith("/*")
        if not self.in_comment:
            self.before = chunk[-1]
        self.in_comment = self.in_comment and not chunk.endswith("*/")


def put_breaks(author, other):
    breaks = Breaks()
    done = []
    ours, theirs = iter(chunks(author)), iter(chunks(other))
    our, their = next(ours, None), next(theirs, None)
    while our and their:
        size = min(len(our[0]), len(their[0]))
        if our[0][:size] != their[0][:size]:
            raise ValueError(f"clang-format changed {our[0]} to {their[0]}")
        blanks = breaks.blanks(our[1], their[1], our[0])
        done += [blanks, our[0][:size]]
        breaks.pass_by(blanks, our[0][:size])
        our = (our[0][size:], "") if size < len(our[0]) else next(ours, None)
        their = (their[0][size:], "") if size < len(their[0]) else next(theirs, None)
    return "".join(done) + "\n"


def restored(text, other):
    """What clang-format made of simplified (text), with what is ours."""
    return put_into_columns(space_out(part_chains(put_breaks(simplified(text), other))), columns_of(text))


def run(clang_format, root, paths):
    """Share the files out among as many processes as there are processors."""
    shares = [paths[i::os.cpu_count() or 1] for i in range(os.cpu_count() or 1)]
    running = [subprocess.Popen([clang_format, "-i", "--style=file", *share], cwd=root) for share in shares if share]
    if any([process.wait() for process in running]):
        raise SystemExit("clang-format failed")


def formatted(clang_format, style, texts):
    """The texts, by their paths, as they should be. clang-format sees their names: they say which include comes first."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, ".clang-format").write_text(COLUMN_LIMIT.sub("ColumnLimit: 1000000", style.read_text()))
        for path, text in texts.items():
            copy = Path(scratch, path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(simplified(text), encoding="utf-8")
        run(clang_format, scratch, list(texts))
        return {path: restored(text, Path(scratch, path).read_text(encoding="utf-8")) for path, text in texts.items()}


def sources(root):
    root = Path(root)
    return {path: (root / path).read_text(encoding="utf-8")
            for path in files(root) if path.endswith((".c", ".h")) and (root / path).is_file()}


def differences(root, clang_format):
    """By their paths, the sources that are not as they should be: as they are, and as they should be."""
    are = sources(root)
    should = formatted(clang_format, Path(root, ".clang-format"), are)
    return {path: (text, should[path]) for path, text in are.items() if should[path] != text}


def diff(path, is_so, should):
    return difflib.unified_diff(is_so.splitlines(), should.splitlines(), path, f"{path} as it should be", lineterm="", n=1)


def problems(root, clang_format):
    """The lines of a diff for each source that differs."""
    if not sources(root):
        return [f"{root}: no sources"]
    return [line for path, (is_so, should) in differences(root, clang_format).items() for line in diff(path, is_so, should)]


def update(root, clang_format):
    for path, (_, should) in differences(root, clang_format).items():
        Path(root, path).write_text(should, encoding="utf-8")
        print(path)


def main(arguments):
    clang_format = program()
    if not clang_format:
        print(f"NOT RUN: there is no clang-format {VERSION} here")
        return NOT_RUN
    if arguments[0] == "--update":
        update(arguments[1], clang_format)
        return 0
    lines = problems(arguments[0], clang_format)
    print("\n".join(lines[:SHOWN_MOST]) or "the sources are as clang-format has them")
    if lines:
        print("make format writes them so" + (f" ({len(lines) - SHOWN_MOST} more lines)" if len(lines) > SHOWN_MOST else ""))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
