"""The shares of a file's tests are together the file's tests.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings/python/tests"))
from shares import split    # noqa: E402  (found once the path is there)


class Shares(unittest.TestCase):
    def test_each_test_is_in_one_share(self):
        for size in range(9):
            for count in range(1, 5):
                shares = [split(range(size), f"{number}/{count}")[0] for number in range(1, count + 1)]
                self.assertEqual(sorted(sum(shares, [])), list(range(size)))

    def test_what_is_not_in_a_share_is_the_rest(self):
        self.assertEqual(split("abcdefg", "2/3"), (["b", "e"], ["a", "c", "d", "f", "g"]))

    def test_what_is_no_share_is_refused(self):
        for share in ("0/2", "3/2", "1/0", "1", "x/y", ""):
            with self.subTest(share=share), self.assertRaises(ValueError):
                split("abc", share)


if __name__ == "__main__":
    unittest.main()
