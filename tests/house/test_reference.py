"""The C reference is whole: each public declaration says what it is, and Doxygen finds no fault.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOXYFILE = ROOT / "docs/reference/Doxyfile"

sys.path.insert(0, str(ROOT / "docs/reference"))
from filter import documented

HEAD = """\
/*  a.h - what it is

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
"""


class Filter(unittest.TestCase):
    def shown(self, header):
        return documented(HEAD + header)

    def test_a_comment_above_a_declaration_documents_it(self):
        self.assertIn("/** Says it. Twice:\nonce more. */\nint a (void);\n",
                      self.shown("/*  Says it. Twice:\n    once more. */\nint a (void);\n"))

    def test_a_comment_documents_those_below_that_have_none(self):
        self.assertIn("/** Both. */\nMUSTER_EXPORT int a (void);\n/** Both. */\nMUSTER_EXPORT int b (void);\n",
                      self.shown("/*  Both. */\nMUSTER_EXPORT int a (void);\nMUSTER_EXPORT int b (void);\n"))

    def test_a_comment_does_not_reach_beyond_an_empty_line(self):
        self.assertIn("int a (void);\n\nMUSTER_EXPORT int b (void);\n",
                      self.shown("/*  One. */\nMUSTER_EXPORT int a (void);\n\nMUSTER_EXPORT int b (void);\n"))

    def test_a_comment_that_stands_alone_is_the_files(self):
        self.assertIn("what it is\n\nAll of these. */\n", self.shown("/*  All of these. */\n\nint a;\n"))

    def test_a_comment_behind_a_name_documents_it(self):
        self.assertIn("    A, /**< the first */\n", self.shown("typedef enum {\n    A,      /* the first */\n} a_t;\n"))

    def test_a_list_becomes_an_enum(self):
        shown = self.shown('#define A_MAP(XX) \\\n    XX (ONE, "less than two")\n\ntypedef enum {\n    A_NONE,\n'
                           "#define XX(name, text) A_##name,\n    A_MAP (XX)\n#undef XX\n} a_t;\n")
        self.assertIn("    A_NONE,\n    A_ONE, /**< less than two */\n} a_t;\n", shown)

    def test_nothing_in_a_comment_is_doxygens(self):
        self.assertIn("/** \\#include \\<a.h\\> is 5 \\% of \\*p */\n", self.shown("/*  #include <a.h> is 5 % of *p */\nint a;\n"))

    def test_the_licence_is_left_out(self):
        self.assertNotIn("Mozilla", self.shown("int a;\n"))


@unittest.skipUnless(shutil.which("doxygen"), "NOT RUN: doxygen is not installed (.ci/dependencies reference)")
class Reference(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)

    def run_doxygen(self, *settings):
        settings = [f"OUTPUT_DIRECTORY = {self.directory}", *settings]
        return subprocess.run(["doxygen", "-"], cwd=ROOT, input=DOXYFILE.read_text() + "\n".join(settings) + "\n",
                              capture_output=True, text=True)

    def test_the_headers_are_documented_without_a_warning(self):
        run = self.run_doxygen()
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("muster_ask_next_within", Path(self.directory, "html/ask_8h.html").read_text())

    def test_a_declaration_without_a_comment_is_found(self):
        header = Path(self.directory, "a.h")
        header.write_text(HEAD + "int documented_by_nobody (void);\n")
        run = self.run_doxygen(f"INPUT = {header}")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("documented_by_nobody", run.stderr)


if __name__ == "__main__":
    unittest.main()
