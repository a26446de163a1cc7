"""An example is a page: sixty lines below its licence at most. The federated ones are programs of several files.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import re
import unittest
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PAGE = 60
#   The comment or docstring that a file begins with.
HEAD = re.compile(r'\A(?:/\*.*?\*/|""".*?""")\n*', re.DOTALL)


class Examples(unittest.TestCase):
    def test_each_is_a_page_at_most(self):
        files = [file for file in EXAMPLES.glob("*/*") if file.suffix in (".c", ".py", ".mjs")]
        self.assertGreater(len(files), 8)
        for file in files:
            with self.subTest(file.name):
                text = file.read_text(encoding="utf-8")
                self.assertLessEqual(HEAD.sub("", text).count("\n"), PAGE)

    def test_each_is_in_the_list(self):
        listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
        for file in EXAMPLES.glob("*/*"):
            if file.suffix in (".c", ".py", ".mjs"):
                self.assertIn(f"`{file.relative_to(EXAMPLES)}`", listed)


if __name__ == "__main__":
    unittest.main()
