"""The check of the texts finds what it is there to find.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import tempfile
import unittest
from pathlib import Path

from check_text import WIDEST, complaints_of, problems

HEAD = "/*  License, v. 2.0 */\n"


class CheckText(unittest.TestCase):
    def assert_allowed(self, path, text):
        self.assertEqual(list(complaints_of(path, text)), [])

    def assert_refused(self, path, text, why):
        found = list(complaints_of(path, text))
        self.assertEqual(len(found), 1, found)
        self.assertIn(why, found[0])

    def test_a_source_with_the_licence_is_allowed(self):
        self.assert_allowed("src/a.c", HEAD + "int a;\n")

    def test_an_empty_file_is_allowed(self):
        self.assert_allowed("bindings/python/muster/py.typed", "")

    def test_a_source_without_the_licence_is_refused(self):
        self.assert_refused("src/a.c", "int a;\n", "licence")

    def test_a_licence_far_below_is_no_head(self):
        self.assert_refused("src/a.c", "\n" * 20 + HEAD, "licence")

    def test_a_text_that_is_no_source_needs_no_licence(self):
        self.assert_allowed("docs/a.md", "text\n")

    def test_a_space_at_the_end_of_a_line_is_refused(self):
        self.assert_refused("docs/a.md", "text \nmore\n", "docs/a.md:1: a space")

    def test_a_tab_is_refused_but_in_the_makefile(self):
        self.assert_refused("src/a.c", HEAD + "int\ta;\n", "a tab")
        self.assert_allowed("Makefile", "all:\n\ttrue\n")

    def test_a_last_line_without_its_newline_is_refused(self):
        self.assert_refused("docs/a.md", "text", "one newline")

    def test_blank_lines_at_the_end_are_refused(self):
        self.assert_refused("docs/a.md", "text\n\n", "one newline")

    def test_the_widest_line_of_a_source_is_allowed_and_one_wider_is_refused(self):
        self.assert_allowed("src/a.c", HEAD + "x" * WIDEST + "\n")
        self.assert_refused("src/a.c", HEAD + "x" * (WIDEST + 1) + "\n", "wider")

    def test_a_wide_line_of_a_page_is_allowed(self):
        self.assert_allowed("docs/a.md", "x" * 1000 + "\n")

    def test_a_directory_without_texts_is_refused(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertIn("no texts", problems(empty)[0])

    def test_sources_are_found_where_git_is_not(self):
        with tempfile.TemporaryDirectory() as place:
            Path(place, "src").mkdir()
            Path(place, "src/a.c").write_text("int a;\n", encoding="utf-8")
            self.assertIn("licence", problems(place)[0])


if __name__ == "__main__":
    unittest.main()
