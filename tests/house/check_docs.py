"""Check that what README.md, CONTRIBUTING.md and docs/*.md show is true.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: check_docs.py ROOT BUILD [NEED]

The build is installed into a scratch directory; the text is tried against that,
as its reader would. CONTRIBUTING.md, "How the text is tested", has the rules.
With NEED those sessions are tried that need that, and no others; where it cannot be
had the reason is printed, and the exit code is 77.
"""
import ast
import concurrent.futures
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from namespaces import PATH, namespaces

SECONDS = 60    # for one block
NOT_RUN = 77    # the exit code
#   What a session may need of its machine: how to find the words that come before its shell, or why there are none.
NEEDS = {"namespaces": namespaces}
FENCE = re.compile(r"^( *)(`{3,}|~{3,})[ \t]*(\S*)([^\n]*)\n(.*?)^ *\2`*[ \t]*$", re.MULTILINE | re.DOTALL)
WARNINGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
#   An excerpt may name things that it does not use.
EXCERPT_WARNINGS = ["-Wno-unused", "-Wno-unused-parameter"]

EXCERPT_HEAD = """\
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <muster/muster.h>
"""
STATEMENTS_HEAD = EXCERPT_HEAD + """\
int excerpt (muster_listener_t *listener, muster_worker_t *worker, muster_ask_t *ask,
    muster_message_t *message, const char *endpoint, void *arg, muster_error_t error);
int excerpt (muster_listener_t *listener, muster_worker_t *worker, muster_ask_t *ask,
    muster_message_t *message, const char *endpoint, void *arg, muster_error_t error)
{{
"""
STATEMENTS_TAIL = "}\nreturn 0;\n}\n"


@dataclass
class Block:
    place: str
    line: int
    kind: str
    text: str
    file: str = ""      # the name under which sessions below it find it
    files: dict[str, str] = field(default_factory=dict)     # what has a name above it
    needs: str = ""     # what a session needs of its machine
    in_tree: bool = False   # does a session begin where the build is?


def blocks_of(root, file):
    text = file.read_text(encoding="utf-8")
    files = {}
    for match in FENCE.finditer(text):
        indent, _, kind, info, body = match.groups()
        body = "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))
        line = text.count("\n", 0, match.start(5)) + 1
        name = re.search(r"\bfile=([\w.]+)", info)
        needs = re.search(r"\bneeds=(\w+)", info)
        yield Block(file.relative_to(root).as_posix(), line, kind, body, name[1] if name else "", dict(files),
                    needs[1] if needs else "", "tree" in info.split())
        if name:
            files[name[1]] = body


def all_blocks(root):
    for file in [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]:
        if file.is_file():
            yield from blocks_of(root, file)


class Installation:
    """What the build installs, in a directory that will go."""

    def __init__(self, root, build, prefix, before=()):
        self.before = before    # words before a session's shell
        self.build = Path(build).resolve()
        subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        libraries = next(Path(prefix).rglob("libmuster.so")).parent
        self.environment = {
            **os.environ,
            "PATH": f"{prefix}/bin:{PATH}",
            "PKG_CONFIG_PATH": f"{libraries}/pkgconfig",
            "LD_LIBRARY_PATH": str(libraries),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(Path(build, "python").resolve()),
        }
        self.examples = examples_in_python(root)
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "muster"],
                               env=self.environment, check=True, capture_output=True, text=True)
        self.flags = shlex.split(flags.stdout)


#   C


def c_program(block):
    """The block as a file, the flags for it, and whether it is a whole program."""
    directive = f'#line {block.line} "{block.place}"\n'
    if re.search(r"^(int )?main ?\(", block.text, re.MULTILINE):
        return directive + block.text, WARNINGS, True
    if re.search(r"^#include", block.text, re.MULTILINE):
        return directive + block.text, WARNINGS + EXCERPT_WARNINGS, False
    if re.search(r"^{", block.text, re.MULTILINE):
        return EXCERPT_HEAD + directive + block.text, WARNINGS + EXCERPT_WARNINGS, False
    return (STATEMENTS_HEAD + directive + block.text + STATEMENTS_TAIL, WARNINGS + EXCERPT_WARNINGS, False)


def try_c(block, installation, scratch):
    text, flags, whole = c_program(block)
    source = Path(scratch, "block.c")
    source.write_text(text, encoding="utf-8")
    output = ["-o", "block"] if whole else ["-c", "-o", "block.o"]
    run = subprocess.run(["cc", *flags, *output, source, *installation.flags],
                         cwd=scratch, env=installation.environment, capture_output=True, text=True)
    return run.stderr if run.returncode else None


#   A console


def commands_of(text):
    """Pairs of a command and the output shown below it."""
    pairs = []
    more = False
    for line in text.splitlines():
        if line.startswith("$ "):
            pairs.append([line[2:], []])
        elif more and line.startswith("> "):
            pairs[-1][0] += "\n" + line[2:]
        elif pairs:
            pairs[-1][1].append(line.rstrip())
        elif line.strip():
            raise ValueError("output before the first command")
        more = bool(pairs) and not pairs[-1][1] and pairs[-1][0].endswith("\\")
    return pairs


def matches(shown, got):
    """... stands for anything: in a line for part of it, alone for any number of lines."""
    pattern = ""
    for line in shown:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split("...")) + r"[ \t]*\n"
    got = "\n".join(line.rstrip() for line in got.splitlines())
    return re.fullmatch(pattern, got + "\n" if got else "") is not None


MARK = "end-of-command-"


def console_script(pairs):
    lines = []
    for number, (command, _) in enumerate(pairs):
        lines.append(command)
        lines.append(f'printf "\\n{MARK}%d %d\\n" {number} $?')
    return "\n".join(lines) + "\n"


def run_console(script, installation, scratch):
    """Run a session and everything that it leaves in the background, up to its last command."""
    with open(Path(scratch, ".output"), "w+b") as output:
        shell = subprocess.Popen([*installation.before, "bash", "--noprofile", "--norc", "-c", script], cwd=scratch,
                                 env={**installation.environment, "HOME": scratch}, stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            shell.wait(SECONDS)
        except subprocess.TimeoutExpired:
            return None
        finally:
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            shell.wait()
        output.seek(0)
        return output.read().decode(errors="replace")


def try_console(block, installation, scratch):
    try:
        pairs = commands_of(block.text)
    except ValueError as error:
        return str(error)
    if not pairs:
        return "no line begins with $"
    for name, text in block.files.items():
        Path(scratch, name).write_text(text, encoding="utf-8")
    if block.in_tree:
        Path(scratch, "build").symlink_to(installation.build)
    output = run_console(console_script(pairs), installation, scratch)
    if output is None:
        return f"not done in {SECONDS} seconds"
    ends = re.split(rf"\n{MARK}\d+ (\d+)\n", output)
    for number, (command, shown) in enumerate(pairs):
        if 2 * number + 1 >= len(ends):
            return f"$ {command}\nended the session:\n{ends[-1]}"
        got, status = ends[2 * number], ends[2 * number + 1]
        if status != "0":
            return f"$ {command}\nended with {status}:\n{got}"
        if not matches(shown, got):
            return f"$ {command}\nprinted:\n{got}"
    return None


#   Python


def is_program(text):
    return any(isinstance(statement, (ast.Import, ast.ImportFrom)) for statement in ast.parse(text).body)


def examples_in_python(root):
    return [file.read_text(encoding="utf-8") for file in sorted(Path(root, "examples/python").rglob("*.py"))]


def contains(text, excerpt):
    """Do the excerpt's lines stand in the text one after the other, all of them deeper by as much?"""
    lines, wanted = text.splitlines(), excerpt.splitlines()
    return any(textwrap.dedent("\n".join(lines[start:start + len(wanted)])) == "\n".join(wanted)
               for start in range(len(lines) - len(wanted) + 1))


def try_python(block, installation, scratch):
    if block.file:
        return None     # for a session below it
    try:
        program = is_program(block.text)
    except SyntaxError as error:
        return str(error)
    if not program:
        found = any(contains(text, block.text.rstrip()) for text in installation.examples)
        return None if found else "an excerpt that stands in no example"
    source = Path(scratch, "block.py")
    source.write_text(block.text, encoding="utf-8")
    try:
        run = subprocess.run(["/usr/bin/python3", "-W", "error", source], cwd=scratch, timeout=SECONDS,
                             env=installation.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return f"not done in {SECONDS} seconds"
    return run.stdout + run.stderr if run.returncode or run.stderr else None


TRIALS = {"c": try_c, "console": try_console, "python": try_python}


def try_block(block, installation):
    with tempfile.TemporaryDirectory() as scratch:
        trouble = TRIALS[block.kind](block, installation, scratch)
    return f"{block.place}:{block.line}: {trouble}" if trouble else None


def without_trial(block):
    """What is wrong with a block that needs something, but is none of those that can be tried with it."""
    if block.needs and (block.kind != "console" or block.needs not in NEEDS):
        return f"{block.place}:{block.line}: no test runs a block of {block.kind} that needs {block.needs}"
    return None


def problems(root, build, need="", before=()):
    """A text for each block that does not do what it shows, and the number of blocks tried."""
    every = list(all_blocks(Path(root)))
    blocks = [block for block in every if block.kind in TRIALS and block.needs == need]
    with tempfile.TemporaryDirectory() as prefix, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        installation = Installation(root, build, prefix, before)
        #   Sessions have the machine, and the ports that the text names, for themselves.
        trials = [None if block.kind == "console" else pool.submit(try_block, block, installation) for block in blocks]
        concurrent.futures.wait(list(filter(None, trials)))
        found = [trial.result() if trial else try_block(block, installation) for block, trial in zip(blocks, trials)]
    return list(filter(None, map(without_trial, every))) + list(filter(None, found)), len(blocks)


def main(root, build, need=""):
    before, why = NEEDS[need]() if need else ([], None)
    if why:
        print(f"NOT RUN: what docs/ shows with {need}: {why}")
        return NOT_RUN
    lines, count = problems(root, build, need, before)
    print("\n".join(lines) or f"{count} blocks do what they show")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
