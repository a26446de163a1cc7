"""MUSTER_LOG, as a user sets it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import re
import socket
import unittest

from command import CommandCase

STAMP = r"^muster: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=debug component="


def with_log(text):
    return {**os.environ, "MUSTER_LOG": text}


class Debugging(CommandCase):
    def test_a_worker_tells_how_it_connects_and_is_welcomed(self):
        _, endpoint = self.listen("--count", "1")
        result = self.send(endpoint, env=with_log("debug"))
        self.assert_done(result)
        last = -1
        for line in (f"net connecting: source=worker-1 endpoint={endpoint}$", f"net connected: source=worker-1 endpoint={endpoint}$",
                     "session hello sent: source=worker-1 epoch=1 fresh=1 handled=0$",
                     "session welcome received: source=worker-1 epoch=1 sent_after=0 handled=0 credit="):
            found = re.compile(STAMP + line, re.MULTILINE).search(result.stderr, last + 1)
            self.assertTrue(found, f"{line} after {last} in {result.stderr}")
            last = found.start()

    def test_a_worker_tells_that_nobody_is_there(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
            result = self.send(endpoint, "--timeout", "1", env=with_log("net=debug"))
        self.assert_fails(result, "not connected any more, or nobody is there: source=worker-1 endpoint=")
        self.assertNotIn("component=session", result.stderr)

    def test_a_listener_tells_who_says_hello(self):
        listener, endpoint = self.listen("--count", "1", env=with_log("session=debug"))
        self.assert_done(self.send(endpoint))
        self.assert_ends(listener, 0)
        listener.err.wait_for(STAMP + "session hello received: source=worker-1 epoch=1 fresh=1 handled=0$")
        listener.err.wait_for(STAMP + "session welcome sent: source=worker-1 epoch=1 ")

    def test_without_it_nothing_of_that_is_told(self):
        _, endpoint = self.listen("--count", "1")
        result = self.send(endpoint)
        self.assert_done(result)
        self.assertEqual(result.stderr, "")


if __name__ == "__main__":
    unittest.main()
