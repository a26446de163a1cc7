"""muster send --plain, as a user types it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import unittest

from command import CommandCase


class Plain(CommandCase):
    def test_sends_without_a_session(self):
        listener, endpoint = self.listen("--count", "2")
        self.assert_done(self.send(endpoint, "--plain", source="p", cmd="c"))
        self.assert_done(self.send(endpoint, '{"n":18446744073709551615}', "--plain", source="p", cmd="c"))
        self.assert_ends(listener, 0, handled=2, rejected=0, workers=0)
        self.assertEqual(listener.out.all(), [
            '{"source":"p","cmd":"c","data":{}}', '{"source":"p","cmd":"c","data":{"n":18446744073709551615}}'])
        self.assertNotIn("JOINED", "".join(listener.err.all()))

    def test_a_hundred_thousand_lines_arrive_in_order(self):
        listener, endpoint = self.listen("--count", "100000")
        self.assert_done(self.send(endpoint, "--plain", "-", input="".join(f'{{"n":{n}}}\n' for n in range(100000))))
        self.assert_ends(listener, 0, handled=100000, rejected=0)
        self.assertEqual([message["data"]["n"] for message in listener.messages()], list(range(100000)))

    def test_sends_a_large_message(self):
        listener, endpoint = self.listen("--count", "1")
        self.assert_done(self.send(endpoint, "--plain", "-", input='{"x":"' + "v" * 10_000_000 + '"}'))
        self.assert_ends(listener, 0, handled=1)
        self.assertEqual(len(listener.messages()[0]["data"]["x"]), 10_000_000)

    def test_goes_by_ipc(self):
        listener, endpoint = self.listen("--count", "1", endpoint="ipc://" + self.directory() + "/a")
        self.assert_done(self.send(endpoint, "--plain"))
        self.assert_ends(listener, 0, handled=1)

    def test_waits_for_a_listener_that_comes_later(self):
        endpoint = "ipc://" + self.directory() + "/late"
        sender = self.start("send", "--plain", endpoint, "--source", "s", "--cmd", "c")
        listener, _ = self.listen("--count", "1", endpoint=endpoint)
        self.assertEqual(sender.wait(), 0)
        self.assert_ends(listener, 0, handled=1)

    def test_fails_when_nobody_is_there_in_time(self):
        endpoint = "ipc://" + self.directory() + "/nobody"
        result = self.send(endpoint, "--plain", "--timeout", "0.1")
        self.assert_fails(result, "no listener took all within 0.1 seconds")
        result = self.send(endpoint, "--plain", "--timeout", "0.1", "-", input="{}\n" * 5000)
        self.assert_fails(result, "line .*: not sent: time limit")

    def test_refuses_an_endpoint_that_has_no_listener(self):
        result = self.send("tcp://127.0.0.1:*", "--plain")
        self.assert_fails(result, r"\Amuster: [^\n]+\n\Z")
        self.assertIn("tcp://127.0.0.1:*", result.stderr)

    def test_a_bad_line_is_named_and_those_before_it_arrive(self):
        listener, endpoint = self.listen("--count", "1")
        self.assert_fails(self.send(endpoint, "--plain", "-", input='{"n":1}\n{"n":\n'), "line 2: unexpected")
        self.assert_ends(listener, 0, handled=1)


if __name__ == "__main__":
    unittest.main()
