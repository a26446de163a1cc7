"""What the command says while no listener answers, as a user sees it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import subprocess
import time
import unittest

from command import CommandCase

WAITING = r"^muster: (ipc://\S+): no listener answers yet; waiting \((.*)muster doctor looks why\)$"
SILENCE = 2         # seconds; WELCOME_SILENCE_MS
NAMED = ("--source", "worker-1", "--cmd", "CMD")


class Waiting(CommandCase):
    def endpoint(self):
        return "ipc://" + self.directory() + "/late"

    def recording(self):
        """Of one message."""
        path = self.directory() + "/recording"
        listener, endpoint = self.listen("--count", "1", "--record", path)
        self.assert_done(self.send(endpoint))
        self.assert_ends(listener, 0, handled=1)
        return path

    def assert_says_so_and_goes_on(self, waiting, endpoint, limit):
        said = waiting.err.wait_for(WAITING)
        self.assertEqual(said.groups(), (endpoint, limit))
        listener, _ = self.listen("--count", "1", endpoint=endpoint)
        self.assertEqual(waiting.wait(), 0, waiting.err.all())
        self.assert_ends(listener, 0, handled=1)
        self.assertEqual(len([line for line in waiting.err.all() if "waiting" in line]), 1)

    def test_says_once_that_no_listener_answers_and_sends_when_one_does(self):
        limit = "--timeout S sets a limit, "
        commands = [(["send", self.endpoint(), *NAMED], limit),
                    (["send", self.endpoint(), *NAMED, "--plain"], limit),
                    (["send", self.endpoint(), *NAMED, "--timeout", "120"], ""),
                    (["replay", self.recording(), self.endpoint()], "")]
        waiting = [(self.start(*args), next(arg for arg in args if arg.startswith("ipc:")), said) for args, said in commands]
        for command in waiting:
            self.assert_says_so_and_goes_on(*command)

    def answered_sender(self, listener, endpoint, plain, count):
        """One whose message, the listener's count-th, is handled; and the seconds since before it began."""
        began = time.monotonic()
        sender = self.start("send", endpoint, *NAMED, *plain, "-", stdin=subprocess.PIPE)
        sender.type("{}\n")
        listener.out.wait_for_count(count)
        return sender, time.monotonic() - began

    def test_says_nothing_where_a_listener_answers(self):
        """However long it waits for lines: who began later and has no listener has said so meanwhile. A machine
        that was slow to begin with may have made it speak."""
        listener, endpoint = self.listen()
        count = 0
        for plain in ([], ["--plain"]):
            seconds = SILENCE
            while seconds >= SILENCE:
                count += 1
                sender, seconds = self.answered_sender(listener, endpoint, plain, count)
                self.start("send", self.endpoint(), *NAMED).err.wait_for(WAITING)
                sender.process.stdin.close()
                self.assertEqual(sender.wait(), 0)
            self.assertEqual(sender.err.all(), [])

    def test_a_limit_that_passes_first_is_said_alone(self):
        for plain in ([], ["--plain"]):
            with self.subTest(plain=plain):
                result = self.send(self.endpoint(), *plain, "--timeout", "0.1")
                self.assert_fails(result, r"\Amuster: [^\n]*: [^\n]*(time limit passed, no listener answers|within 0.1 seconds)\n\Z")


if __name__ == "__main__":
    unittest.main()
