"""docs/troubleshooting.md has all that can go wrong: each error, each reason to refuse a frame or somebody.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([^|]+?) \|", re.MULTILINE)
NAME = re.compile(r"^ *XX \((\w+), \"(.*?)\"\)", re.MULTILINE)
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
#   Calls that refuse somebody, their reason among the arguments; functions and texts that give one.
REFUSES = re.compile(r"\b(?:listener_note_refused|binding_note_refused|refuse_hello|refused) \([^;{]*;", re.DOTALL)
GIVES = re.compile(r"^(?:why_\w+|refusal_text) \([^;]*?\n\{\n.*?^\}", re.DOTALL | re.MULTILINE)
VERSION = re.compile(r'snprintf \(reason, [^;]*;', re.DOTALL)
CONSTANT = re.compile(r'^(?:static const char \w+ \[\] =\s*|#define REPLACED_TEXT )("[^\n]*")', re.MULTILINE)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def sections():
    """The first cells of all rows below each heading."""
    parts = re.split(r"^## (.+)\n", read("docs/troubleshooting.md"), flags=re.MULTILINE)
    return {title: [cell.strip("`") for cell in ROW.findall(text)] for title, text in zip(parts[1::2], parts[2::2])}


def reasons():
    """What a listener gives as reason in REFUSED, as its sources have it, and a worker by itself."""
    found = set()
    for directory in ("src/actor", "src/net"):
        for file in sorted((ROOT / directory).glob("*.c")):
            text = file.read_text(encoding="utf-8")
            if file.name in ("binding.c", "arrivals.c", "gate.c", "presence.c"):
                for place in [*REFUSES.findall(text), *GIVES.findall(text)]:
                    found.update(TEXT.findall(place))
            if file.name == "presence.c":
                found.update(TEXT.findall(place)[0] for place in VERSION.findall(text))
    found.update(TEXT.findall(text)[0] for text in CONSTANT.findall(read("src/net/admission.c")))
    return {re.sub(r"%\w", "...", text) for text in found}


class Troubleshooting(unittest.TestCase):
    def test_each_error_is_there_in_the_order_of_the_header(self):
        names = [name for name, _ in NAME.findall(read("include/muster/error.h"))]
        self.assertGreater(len(names), 20)
        self.assertEqual([cell for cell in sections()["Errors"] if cell.isupper()], names)

    def test_each_reason_to_refuse_a_frame_is_there_in_the_order_of_the_header(self):
        names = [name for name, _ in NAME.findall(read("include/muster/stats.h"))]
        self.assertGreater(len(names), 15)
        self.assertEqual([cell for cell in sections()["Frames that are refused"] if cell.isupper()], names)

    def test_each_reason_to_refuse_somebody_is_there(self):
        self.assertGreater(len(reasons()), 12, reasons())
        self.assertEqual(reasons() - set(sections()["REFUSED"]), set())

    def test_the_errors_that_refuse_a_hello_are_there_in_their_words(self):
        words = dict(NAME.findall(read("include/muster/error.h")))
        given = {words[name] for name in ("NOMEM", "FULL", "REJECTED", "REPLACED", "REVOKED")}
        self.assertEqual(given - set(sections()["REFUSED"]), set())
        self.assertIn(dict(NAME.findall(read("include/muster/stats.h")))["ACCESS"], sections()["REFUSED"])


if __name__ == "__main__":
    unittest.main()
