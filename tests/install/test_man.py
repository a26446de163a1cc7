"""The man pages are well-formed, and have the options that --help has.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import re
import subprocess
import unittest

from installed import ROOT, InstalledCase, version

PAGES = sorted((ROOT / "docs/man").glob("*.[1-9]"))


class Man(InstalledCase):
    def test_groff_has_no_complaint(self):
        for page in PAGES:
            with self.subTest(page.name):
                done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-z", page],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_each_page_has_its_name_section_and_version(self):
        for page in PAGES:
            with self.subTest(page.name):
                text = page.read_text(encoding="utf-8")
                name = page.stem.upper().replace("-", r"\-")
                self.assertRegex(text, rf'(?m)^\.TH {re.escape(name)} {page.suffix[1:]} \S+ "muster {version()}" ')
                self.assertIn(".SH NAME\n" + page.stem.replace("-", r"\-") + r" \- ", text)

    def test_a_page_has_the_options_of_help_and_no_others(self):
        for command in (None, *self.commands()):
            with self.subTest(command):
                self.assertEqual(options_of_page(command), self.options_of_help(command))

    def options_of_help(self, command):
        if command:
            return set(re.findall(r"^  (--[a-z-]+)", self.help_of(command), re.MULTILINE)) | {"--help"}
        return set(re.findall(r"^  muster (?:COMMAND )?(--[a-z]+)", self.help_of(), re.MULTILINE))

    def test_the_overview_names_all_headers(self):
        text = (ROOT / "docs/man/muster.3").read_text(encoding="utf-8")
        headers = {each.name for each in (ROOT / "include/muster").glob("*.h")}
        self.assertEqual(set(re.findall(r"<muster/(\w+\.h)>", text)), headers - {"export.h"})

    def test_the_overview_names_what_the_headers_declare(self):
        text = (ROOT / "docs/man/muster.3").read_text(encoding="utf-8")
        listed = set((ROOT / "tests/house/symbols.txt").read_text(encoding="utf-8").split())
        self.assertLessEqual(set(re.findall(r"(muster_\w+) ?\(", text)), listed)


def options_of_page(command):
    """Those that the page explains, and its synopsis has no others."""
    page = ROOT / "docs/man" / ("-".join(filter(None, ["muster", command])) + ".1")
    text = page.read_text(encoding="utf-8").replace(r"\-", "-")
    explained = set(re.findall(r"^\.TP\n\.BI? (--[a-z][a-z-]*)", text, re.MULTILINE))
    named = set(re.findall(r"--[a-z][a-z-]*", text[text.index(".SH SYNOPSIS"):text.index(".SH DESCRIPTION")]))
    if named - explained:
        raise AssertionError(f"{page.name} has options in its synopsis that it does not explain: {sorted(named - explained)}")
    return explained


if __name__ == "__main__":
    unittest.main()
