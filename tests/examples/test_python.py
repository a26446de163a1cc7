"""The examples in Python, each as a user starts it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import subprocess
import sys
import unittest
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "python"
TIMEOUT = 120


class Examples(unittest.TestCase):
    def run_example(self, name, *args):
        """What it prints. It must leave stderr alone, its warnings being errors."""
        result = subprocess.run([sys.executable, "-W", "error", EXAMPLES / name, *args],
                                capture_output=True, text=True, timeout=TIMEOUT, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_rounds_in_asyncio_bring_the_weights_to_the_workers_mean(self):
        self.assertEqual(self.run_example("rounds_asyncio.py"),
                         "round 1: 2 replies, weights [3. 3.]\n"
                         "round 2: 2 replies, weights [4.5 4.5]\n"
                         "round 3: 2 replies, weights [5.25 5.25]\n")

    def test_processes_add_up_their_shares_under_fork_and_spawn(self):
        total = 2 * sum(sum(range(number * 1000)) for number in (1, 2, 3))
        for method in ("fork", "spawn"):
            with self.subTest(method=method):
                self.assertEqual(self.run_example("processes.py", method), f"6000 numbers, sum {total}\n")

    def test_a_coordinator_that_resumes_has_counted_each_message_once(self):
        self.assertEqual(self.run_example("resume.py"),
                         f"killed with {sum(range(401))} of {sum(range(1001))}\n"
                         f"resumed: sum {sum(range(1001))}\n")


if __name__ == "__main__":
    unittest.main()
