"""The check of the symbols finds what it is there to find.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import subprocess
import tempfile
import unittest
from pathlib import Path

from check_symbols import problems, update

HEADER = """
/*  MUSTER_EXPORT void muster_in_a_comment (void); */
#define MUSTER_EXPORT __attribute__ ((visibility ("default")))
typedef void (muster_fn) (int value);
MUSTER_EXPORT int muster_one (muster_fn *fn, void *arg);
MUSTER_EXPORT const char *muster_two (
    void) __attribute__ ((warn_unused_result));
"""
SOURCE = """
#define SHOWN __attribute__ ((visibility ("default")))
SHOWN int muster_one (void) { return 1; }
SHOWN int muster_two (void) { return 2; }
int hidden (void) { return 3; }
"""


class CheckSymbols(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.header = self.root / "include/muster/api.h"
        self.list = self.root / "tests/house/symbols.txt"
        for file in (self.header, self.list):
            file.parent.mkdir(parents=True)
        self.header.write_text(HEADER)
        self.list.write_text("muster_one\nmuster_two\n")
        (self.root / "include/muster/version.h").write_text("#define MUSTER_ABI 3\n")

    def found(self, source=SOURCE, soname="-Wl,-soname,libmuster.so.3"):
        library = self.root / "libmuster.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-x", "c", "-", "-o", library, soname],
                        input=source, text=True, check=True)
        return problems(self.root, library)

    def test_nothing_is_found_where_all_agree(self):
        self.assertEqual(self.found(), [])

    def test_a_symbol_that_the_library_does_not_have_is_found(self):
        self.assertEqual(self.found(SOURCE.replace("SHOWN int muster_two", "int muster_two")),
                          ["muster_two: in the headers, not in the library"])

    def test_a_symbol_that_no_header_declares_is_found(self):
        self.assertEqual(self.found(SOURCE.replace("int hidden", "SHOWN int hidden")),
                          ["hidden: in the library, not in the headers"])

    def test_a_new_declaration_is_found(self):
        self.header.write_text(HEADER + "MUSTER_EXPORT void muster_three (void);\n")
        self.assertIn("muster_three: in the headers, not in tests/house/symbols.txt", self.found())

    def test_a_declaration_that_went_is_found(self):
        self.list.write_text("muster_one\nmuster_three\nmuster_two\n")
        self.assertEqual(self.found(), ["muster_three: in tests/house/symbols.txt, not in the headers"])

    def test_a_declaration_without_export_is_found(self):
        self.header.write_text(HEADER + "int muster_three (void *arg);\n")
        self.assertEqual(self.found(), ["api.h: muster_three is declared without MUSTER_EXPORT"])

    def test_a_list_out_of_order_is_found(self):
        self.list.write_text("muster_two\nmuster_one\n")
        self.assertIn("not sorted", " ".join(self.found()))

    def test_headers_that_export_nothing_are_found(self):
        self.header.write_text("")
        self.assertIn("the headers export nothing", self.found())

    def test_a_soname_of_another_number_is_found(self):
        self.assertEqual(self.found(soname="-Wl,-soname,libmuster.so.2"),
                          ["the library's SONAME is libmuster.so.2, not libmuster.so.3"])

    def test_a_library_without_a_soname_is_found(self):
        self.assertEqual(self.found(soname="-g"), ["the library's SONAME is missing, not libmuster.so.3"])

    def test_update_writes_the_list(self):
        self.list.write_text("")
        update(self.root)
        self.assertEqual(self.found(), [])


if __name__ == "__main__":
    unittest.main()
