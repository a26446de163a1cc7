"""muster send of a large message, at a terminal.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import json
import os
import pty
import re
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

from command import MUSTER, TIMEOUT, CommandCase

COLUMNS = 80
MIB = 1 << 20
BAR = r" *(\d+\.\d) of +(\d+\.\d) MiB ([#.]+) +(\d+) %"


def read_terminal(descriptor):
    """All that is written to it until nobody has it any more, which is an error when a terminal is read."""
    with open(descriptor, "rb", buffering=0) as file:
        pieces = []
        try:
            while piece := file.read(4096):
                pieces.append(piece)
        except OSError:
            pass
        return b"".join(pieces).decode()


class Bar(CommandCase):
    def send_at_a_terminal(self, endpoint, *lines):
        """The exit code, and what stood on the terminal, one item for each time its line was begun."""
        terminal, stderr = pty.openpty()
        process = subprocess.Popen(
            [MUSTER, "send", endpoint, "--source", "worker-1", "--cmd", "LARGE", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr, text=True)
        os.close(stderr)
        with ThreadPoolExecutor() as readers:
            shown = readers.submit(read_terminal, terminal)
            process.communicate("".join(f"{line}\n" for line in lines), timeout=TIMEOUT)
            return process.returncode, [text for text in re.split("[\r\n]+", shown.result(TIMEOUT)) if text]

    def text(self, size):
        return json.dumps({"text": "x" * size})

    def test_a_large_message_has_a_bar_that_ends_full(self):
        listener, endpoint = self.listen("--count", "1", stdout=subprocess.DEVNULL)
        code, shown = self.send_at_a_terminal(endpoint, self.text(20 * MIB))
        self.assertEqual(code, 0, shown)
        self.assert_ends(listener, 0, handled=1)
        for text in shown:
            self.assertRegex(text, rf"^{BAR}$")
            self.assertEqual(len(text), COLUMNS - 1)
        self.assertRegex(shown[-1], r"^ +20\.0 of +20\.0 MiB #+ 100 %$")

    def test_each_of_two_large_messages_comes_to_its_end(self):
        listener, endpoint = self.listen("--count", "2", stdout=subprocess.DEVNULL)
        code, shown = self.send_at_a_terminal(endpoint, self.text(2 * MIB), self.text(3 * MIB))
        self.assertEqual(code, 0, shown)
        self.assert_ends(listener, 0, handled=2)
        self.assertRegex(shown[-1], r"^ +3\.0 of +3\.0 MiB #+ 100 %$")

    def test_a_small_message_has_none(self):
        listener, endpoint = self.listen("--count", "1", stdout=subprocess.DEVNULL)
        self.assertEqual(self.send_at_a_terminal(endpoint, self.text(MIB - 100)), (0, []))
        self.assert_ends(listener, 0, handled=1)

    def test_what_is_no_terminal_has_none(self):
        listener, endpoint = self.listen("--count", "1", stdout=subprocess.DEVNULL)
        result = self.send(endpoint, "-", input=self.text(4 * MIB))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assert_ends(listener, 0, handled=1)


if __name__ == "__main__":
    unittest.main()
