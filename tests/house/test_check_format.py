"""The check of the format finds what it is there to find, and leaves alone what is ours.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import check_format

HERE = Path(__file__).parent
STYLE = HERE.parent.parent / ".clang-format"

CHAIN = """\
int
f (int a)
{
    if (a == 1)
        return 2;
    else
    if (a == 2) {
        a = 3;
    }
    else
    if (a == 3
        || a == 4)
        return 5;
    else
        return 6;
    return a;
}
"""

COLUMNS = """\
struct f {
    int a;          /* one */
    int *number;    /* the same */
    int b;          /* the same */
    int c; /* close */
    int longer_than_its_neighbours; /* three */
};
"""

LIST = """\
enum {
#define XX(name) F_##name,
    F_MAP (XX)
#undef XX
    F_COUNT
};
"""

MACRO = """\
#define F(a) \\
    do { \\
        if (a) \\
            g (); \\
        else \\
        if (b) \\
            h (); \\
    } while (0)
"""


@unittest.skipUnless(check_format.program(), "NOT RUN: there is no clang-format of this version here")
class CheckFormat(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        shutil.copy(STYLE, self.root)
        (self.root / "src").mkdir()
        self.file = self.root / "src/a.c"

    def problems(self, text):
        self.file.write_text(text)
        return check_format.problems(self.root, check_format.program())

    def assert_allowed(self, text):
        self.assertEqual(self.problems(text), [])

    def assert_updated(self, text, should):
        self.file.write_text(text)
        done = subprocess.run([sys.executable, HERE / "check_format.py", "--update", self.root],
                              check=True, capture_output=True, text=True)
        self.assertEqual(done.stdout, "src/a.c\n")
        self.assertEqual(self.file.read_text(), should)

    def test_a_tree_without_sources_is_refused(self):
        self.assertEqual(len(check_format.problems(self.root, check_format.program())), 1)

    def test_a_wrong_indent_is_refused_and_its_line_shown(self):
        found = self.problems("int\nf (void)\n{\n  return 1;\n}\n")
        self.assertIn("src/a.c", found[0])
        self.assertIn("-  return 1;", found)
        self.assertIn("+    return 1;", found)

    def test_an_if_below_its_else_is_allowed(self):
        self.assert_allowed(CHAIN)

    def test_an_if_behind_its_else_is_refused(self):
        self.assertIn("-    else if (a == 2) {", self.problems(CHAIN.replace("else\n    if (a == 2)", "else if (a == 2)")))

    def test_an_if_that_its_else_does_not_stand_above_is_refused(self):
        self.assertNotEqual(self.problems(CHAIN.replace("else\n    if (a == 2)", "else\n        if (a == 2)")), [])

    def test_an_if_below_its_else_in_a_macro_is_allowed(self):
        self.assert_allowed(MACRO)

    def test_a_name_below_a_directive_stands_where_it_does(self):
        self.assert_allowed(LIST)

    def test_an_empty_last_part_of_a_for_has_its_space(self):
        self.assert_updated("int\nf (int a)\n{\n    for (;;)\n        for (int i = 0; i < a;)\n            i++;\n}\n",
                            "int\nf (int a)\n{\n    for (;;)\n        for (int i = 0; i < a; )\n            i++;\n}\n")

    def test_comments_in_columns_are_allowed(self):
        self.assert_allowed(COLUMNS)

    def test_an_update_mends_all_and_leaves_chains_and_columns(self):
        self.assert_updated(CHAIN.replace("return 2", "return  2") + COLUMNS.replace("int a;  ", "int  a; "), CHAIN + COLUMNS)

    def test_an_update_writes_nothing_that_is_as_it_should_be(self):
        self.file.write_text(CHAIN)
        os.utime(self.file, (0, 0))
        check_format.update(self.root, check_format.program())
        self.assertEqual(self.file.stat().st_mtime, 0)

    def test_what_it_refuses_ends_it_with_1_and_says_what_mends_it(self):
        self.file.write_text("int  a;\n")
        done = subprocess.run([sys.executable, HERE / "check_format.py", self.root], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stdout.endswith("make format writes them so\n"), done.stdout)


class AnotherVersion(unittest.TestCase):
    def test_it_says_that_it_is_not_run(self):
        with tempfile.TemporaryDirectory() as scratch:
            other = Path(scratch, "clang-format")
            other.write_text("#!/bin/sh\necho 'clang-format version 19.1.7'\n")
            other.chmod(0o755)
            with mock.patch.dict(os.environ, {"PATH": scratch + ":/bin"}):
                with mock.patch("check_format.VERSION", 3):
                    self.assertIsNone(check_format.program())
            done = subprocess.run([sys.executable, HERE / "check_format.py", scratch], env={"PATH": scratch},
                                  capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (77, "NOT RUN: there is no clang-format 14 here\n"))


if __name__ == "__main__":
    unittest.main()
