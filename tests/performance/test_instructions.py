"""A small message takes as many instructions as it did when they were recorded.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Instructions are counted, not timed: other processes do not change them. What makes a
message dearer fails here; so does what makes it cheaper, until that is recorded and
docs/performance.md says it.
"""
import json
import os
import shutil
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).resolve().parent / "instructions.json"
BUILD = Path(os.environ.get("MUSTER_BUILD", ROOT / "build"))
WITHIN = 0.1
AGAIN = "if that is as it should be: benchmarks/instructions.py BUILD --record tests/performance/instructions.json"

sys.path.insert(0, str(ROOT / "benchmarks"))
import instructions     # noqa: E402  (found once the path is there)


@unittest.skipUnless(shutil.which("valgrind"), "NOT RUN: valgrind is not installed")
class Instructions(unittest.TestCase):
    def test_a_message_takes_what_was_recorded(self):
        recorded = json.loads(RECORDED.read_text())["muster"]
        counted = instructions.per_message(BUILD, "muster")
        for side, before in recorded.items():
            with self.subTest(side=side):
                self.assertLessEqual(abs(counted[side] / before - 1), WITHIN,
                                     f"{counted[side]} instructions, recorded {before}; {AGAIN}")


if __name__ == "__main__":
    unittest.main()
