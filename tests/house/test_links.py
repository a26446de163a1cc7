"""What README.md, CONTRIBUTING.md and docs/ link to is there.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^( *)```.*?^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text):
    """What a heading is called in a link."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(FENCED.sub("", text))}


def missing(file):
    """The links of a page that lead nowhere."""
    text = file.read_text(encoding="utf-8")
    for path, anchor in LINK.findall(FENCED.sub("", text)):
        target = (file.parent / path).resolve() if path else file
        if not target.exists():
            yield path
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{path}#{anchor}"


class Links(unittest.TestCase):
    def test_each_link_leads_somewhere(self):
        pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
        self.assertEqual({page.name: list(missing(page)) for page in pages if list(missing(page))}, {})

    def test_the_readme_leads_to_each_page(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        pages = {page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").glob("*.md")}
        self.assertEqual(pages - {path for path, _ in LINK.findall(text)}, set())


if __name__ == "__main__":
    unittest.main()
