"""muster listen, as a user types it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import select
import signal
import subprocess
import time
import unittest

import msgpack
import zmq

from command import MUSTER, TIMEOUT, CommandCase


class Usage(CommandCase):
    def test_says_what_to_do_when_it_does_not_understand(self):
        for args, pattern in (
                ([], "listen, send"),
                (["bogus"], "no command bogus"),
                (["--bogus"], "no command --bogus"),
                (["listen"], "endpoint"),
                (["listen", "tcp://127.0.0.1:*", "extra"], "not also extra"),
                (["listen", "tcp://127.0.0.1:*", "--bogus"], "no option --bogus"),
                (["listen", "tcp://127.0.0.1:*", "-x"], "no option -x"),
                (["listen", "tcp://127.0.0.1:*", "--insecure=1"], "takes no value"),
                (["listen", "tcp://127.0.0.1:*", "--count"], "--count needs a value"),
                (["listen", "tcp://127.0.0.1:*", "--count", "0"], "--count needs a number"),
                (["listen", "tcp://127.0.0.1:*", "--count", "-1"], "--count needs a number"),
                (["listen", "tcp://127.0.0.1:*", "--count", "1x"], "--count needs a number"),
                (["listen", "tcp://127.0.0.1:*", "--count", "18446744073709551616"], "--count needs a number"),
                (["listen", "tcp://127.0.0.1:*", "--timeout"], "--timeout needs a value"),
                (["listen", "tcp://127.0.0.1:*", "--timeout", "0"], "--timeout needs a number of seconds"),
                (["listen", "tcp://127.0.0.1:*", "--timeout", "-1"], "--timeout needs a number of seconds"),
                (["listen", "tcp://127.0.0.1:*", "--timeout", "nan"], "--timeout needs a number of seconds"),
                (["listen", "tcp://127.0.0.1:*", "--timeout", "1e9"], "--timeout needs a number of seconds"),
                (["listen", "tcp://127.0.0.1:*", "--timeout", "soon"], "--timeout needs a number of seconds"),
                (["listen", "tcp://127.0.0.1:*", "--send"], "--send needs"),
                (["listen", "tcp://127.0.0.1:*", "--send", "a", "b"], "--send needs SOURCE CMD JSON"),
                (["listen", "tcp://127.0.0.1:*", "--send", "", "b", "{}"], "SOURCE of --send needs"),
                (["listen", "tcp://127.0.0.1:*", "--send", "a", "b\n", "{}"], "CMD of --send needs"),
                (["listen", "tcp://127.0.0.1:*", "--send", "a", "b", "{"], "JSON: "),
                (["listen", "tcp://127.0.0.1:*", "--send", "a", "b", "[]"], "data must be a map"),
                (["listen", "tcp://127.0.0.1:*", "--send", "a", "b", '{"a":1,"a":2}'], "a key comes twice")):
            self.assert_usage(args, pattern)

    def test_says_in_one_line_what_was_wrong_though_that_has_lines(self):
        self.assert_usage(["a\nb"], "no command a\\?b")

    def test_help_goes_to_stdout(self):
        for args in (["--help"], ["-h"], ["listen", "--help"], ["listen", "-h"], ["listen", "tcp://x", "--help"]):
            with self.subTest(args=args):
                result = self.run_muster(*args)
                self.assert_done(result)
                self.assertIn("usage: muster", result.stdout)
                self.assertEqual(result.stderr, "")

    def test_version_goes_to_stdout(self):
        result = self.run_muster("--version")
        self.assert_done(result)
        self.assertRegex(result.stdout, r"^muster \d+\.\d+\.\d+\n$")

    def test_help_that_cannot_be_written_fails(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = self.run_muster("--help", stdout=full, stderr=subprocess.PIPE)
        self.assert_fails(result, "^muster: stdout: ")


class Listening(CommandCase):
    def test_prints_each_message_as_a_line_of_json(self):
        listener, endpoint = self.listen("--count", "2")
        self.assert_done(self.send(endpoint, '{"z":1,"a":[1.0,null]}', source="wörker", cmd="PROGRESS"))
        self.assert_done(self.send(endpoint, "--plain", source="plain"))
        self.assert_ends(listener, 0, handled=2, rejected=0, dropped=0, workers=1)
        self.assertEqual(listener.out.all(), [
            '{"source":"wörker","cmd":"PROGRESS","data":{"z":1,"a":[1.0,null]}}',
            '{"source":"plain","cmd":"CMD","data":{}}'])

    def test_logs_events_and_neither_prints_nor_counts_them(self):
        listener, endpoint = self.listen()
        self.assert_done(self.send(endpoint, source="one"))
        listener.err.wait_for("^muster: JOINED one$")
        listener.err.wait_for("^muster: LEFT one$")
        self.assert_done(self.send(endpoint, source="two"))
        listener.err.wait_for("^muster: LEFT two$")
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=2, workers=2)
        self.assertEqual([message["source"] for message in listener.messages()], ["one", "two"])

    def test_options_may_stand_before_and_after_the_endpoint(self):
        endpoint = "ipc://" + self.directory() + "/a"
        listener = self.start("listen", "--count", "1", "--send", "w", "GO", "{}", endpoint, "--timeout", str(TIMEOUT))
        listener.err.wait_for(f"listening on {endpoint}$")
        result = self.send(endpoint, source="w")
        self.assert_done(result)
        self.assertIn('"cmd":"GO"', result.stdout)
        self.assert_ends(listener, 0, handled=1)

    def test_listens_on_ipc_and_on_ipv6(self):
        for endpoint in ("ipc://" + self.directory() + "/socket", "tcp://[::1]:*"):
            with self.subTest(endpoint=endpoint):
                listener, endpoint = self.listen("--count", "1", endpoint=endpoint)
                self.assert_done(self.send(endpoint))
                self.assert_ends(listener, 0, handled=1)

    def test_refuses_an_endpoint_that_cannot_be_bound(self):
        for endpoint in ("tcp://no.such.host.invalid:*", "tcp://127.0.0.1:65535"):
            with self.subTest(endpoint=endpoint):
                result = self.run_muster("listen", endpoint)
                self.assert_fails(result, r"\Amuster: [^\n]+\n\Z")
                self.assertIn(endpoint.removesuffix(":*").removeprefix("tcp://"), result.stderr)

    def test_refuses_an_endpoint_that_is_taken_and_names_the_port(self):
        _, endpoint = self.listen()
        result = self.run_muster("listen", endpoint)
        self.assert_fails(result, endpoint.rsplit(":", 1)[1])

    def test_refuses_an_address_beyond_loopback_unless_insecure(self):
        self.assert_fails(self.run_muster("listen", "tcp://0.0.0.0:*"), "insecure")
        listener, _ = self.listen("--insecure", endpoint="tcp://0.0.0.0:*")
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=0)

    def test_stdout_that_is_gone_ends_it_with_1(self):
        reading, writing = os.pipe()
        os.close(reading)
        listener, endpoint = self.listen(stdout=writing)
        os.close(writing)
        self.send(endpoint, "--plain")
        self.assert_ends(listener, 1, dropped=0)
        listener.err.wait_for("^muster: stdout: Broken pipe$")

    def test_stdout_that_is_full_ends_it_with_1(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            listener, endpoint = self.listen(stdout=full)
        self.send(endpoint, "--plain")
        self.assert_ends(listener, 1)
        listener.err.wait_for("^muster: stdout: No space left")


class Count(CommandCase):
    def test_a_message_that_cannot_be_printed_is_not_handled_and_its_sender_knows(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            listener, endpoint = self.listen(stdout=full)
        self.assert_fails(self.send(endpoint, "{}", "--timeout", "2"), "1 not handled")
        self.assert_ends(listener, 1, handled=0)

    def test_prints_and_handles_no_more_than_count(self):
        listener, endpoint = self.listen("--count", "4")
        with zmq.Context() as context, context.socket(zmq.PUSH) as push:
            push.connect(endpoint)
            frames = b"".join(msgpack.packb(["p", "N", {"n": n}]) for n in range(10))
            push.send(frames)
            self.assert_ends(listener, 0, handled=4, dropped=6)
        self.assertEqual([message["data"]["n"] for message in listener.messages()], [0, 1, 2, 3])

    def test_a_message_after_the_last_is_not_handled_and_its_sender_knows(self):
        listener, endpoint = self.listen("--count", "2")
        result = self.send(endpoint, "-", "--timeout", "5", input='{"n":1}\n{"n":2}\n{"n":3}\n')
        self.assert_fails(result, r": 1 not handled: ")
        self.assert_ends(listener, 0, handled=2)
        self.assertEqual([message["data"]["n"] for message in listener.messages()], [1, 2])

    def test_ends_with_0_when_the_last_comes_in_time(self):
        listener, endpoint = self.listen("--count", "1", "--timeout", str(TIMEOUT))
        self.assert_done(self.send(endpoint))
        self.assert_ends(listener, 0, handled=1)


class Timeout(CommandCase):
    def test_ends_with_1_when_the_time_passes_first(self):
        listener, _ = self.listen("--timeout", "0.05")
        self.assert_ends(listener, 1, handled=0, workers=0)

    def test_ends_with_1_when_fewer_than_count_came(self):
        listener, endpoint = self.listen("--timeout", "5", "--count", "2")
        self.assert_done(self.send(endpoint))
        self.assert_ends(listener, 1, handled=1)
        self.assertEqual(len(listener.messages()), 1)


class Signals(CommandCase):
    def test_sigint_and_sigterm_end_it_with_0(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number):
                listener, endpoint = self.listen()
                self.assert_done(self.send(endpoint))
                listener.process.send_signal(number)
                self.assert_ends(listener, 0, handled=1, dropped=0)

    def test_prints_what_has_arrived_before_it_ends(self):
        listener, endpoint = self.listen()
        with zmq.Context() as context, context.socket(zmq.PUSH) as push:
            push.connect(endpoint)
            batch = b"".join(msgpack.packb(["p", "N", {"n": n}]) for n in range(50000))
            push.send(batch)
            listener.out.wait_for_count(1)
            listener.process.terminate()
            self.assert_ends(listener, 0, handled=50000, dropped=0)
        self.assertEqual([message["data"]["n"] for message in listener.messages()], list(range(50000)))

    def test_stdout_that_goes_while_it_drains_leaves_the_rest_at_once(self):
        """Nobody reads the first message to its end before the signal is there; then somebody does, and goes. No pipe holds the next."""
        reading, writing = os.pipe()
        listener, endpoint = self.listen(stdout=writing)
        os.close(writing)
        large = '{"text":"%s"}' % ("x" * (1 << 20))
        sender = self.start("send", endpoint, "--source", "a", "--cmd", "C", "-", stdin=subprocess.PIPE)
        sender.type(f"{large}\n" * 4)
        with open(reading, "rb") as out:
            out.read(1)
            listener.process.terminate()
            out.readline()
        began = time.monotonic()
        self.assertEqual(listener.wait(), 1)
        self.assertLess(time.monotonic() - began, 5)

    def pipe(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        return reading, writing

    def send_large(self, endpoint):
        """A worker with a small message and one that no pipe holds."""
        worker = self.start("send", endpoint, "--source", "w", "--cmd", "C", "-", stdin=subprocess.PIPE)
        worker.type('{"n":1}\n{"text":"%s"}\n' % ("x" * (1 << 20)))
        worker.process.stdin.close()
        return worker

    def stuck(self, *args):
        """A listener in the midst of what it prints; its endpoint, its worker, and stdout's other end, of which the first line is read."""
        reading, writing = self.pipe()
        listener, endpoint = self.listen(*args, endpoint="ipc://" + self.directory() + "/socket", stdout=writing)
        os.close(writing)
        worker = self.send_large(endpoint)
        line = b'{"source":"w","cmd":"C","data":{"n":1}}\n'
        self.assertEqual(os.read(reading, len(line)), line)
        select.select([reading], [], [])
        return listener, endpoint, worker, reading

    def test_ends_with_1_when_nobody_reads_stdout_and_what_was_not_printed_comes_to_the_next(self):
        """One whose time is over, and one that gets a signal."""
        over, _, _, _ = self.stuck("--timeout", "4")
        ended, endpoint, worker, _ = self.stuck()
        ended.process.terminate()
        for listener in (over, ended):
            self.assert_ends(listener, 1, handled=1, dropped=0)
            listener.err.wait_for("^muster: stdout: nobody reads it")
        again, _ = self.listen("--count", "1", endpoint=endpoint)
        self.assertEqual(worker.wait(), 0, worker.err.all())
        self.assert_ends(again, 0, handled=1)
        self.assertEqual(len(again.messages()[0]["data"]["text"]), 1 << 20)

    def test_ends_with_1_when_nobody_reads_what_is_stdout_and_stderr_too(self):
        reading, writing = self.pipe()
        endpoint = "ipc://" + self.directory() + "/socket"
        listener = subprocess.Popen([MUSTER, "listen", endpoint], stdout=writing, stderr=writing)
        self.addCleanup(listener.wait, TIMEOUT)
        self.addCleanup(listener.kill)
        os.close(writing)
        self.send_large(endpoint)
        seen = b""
        while b"text" not in seen:
            seen += os.read(reading, 1)
        listener.terminate()
        self.assertEqual(listener.wait(TIMEOUT), 1)

    def test_what_is_read_after_the_signal_is_handled(self):
        listener, _, worker, reading = self.stuck()
        listener.process.terminate()
        with open(os.dup(reading), "rb") as out:
            self.assertEqual(len(out.readlines()), 1)
        self.assert_ends(listener, 0, handled=2, dropped=0)
        self.assertEqual(worker.wait(), 0)

    def test_ends_while_workers_are_here(self):
        listener, endpoint = self.listen()
        worker = self.start("send", endpoint, "--source", "w", "--cmd", "C", "-", stdin=subprocess.PIPE)
        worker.type('{"n":1}\n')
        listener.out.wait_for_count(1)
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=1, dropped=0)


class Commands(CommandCase):
    def test_sends_commands_to_who_joins(self):
        listener, endpoint = self.listen(
            "--send", "one", "GO", '{"n":18446744073709551615}', "--send", "one", "THEN", "{}",
            "--send", "two", "OTHER", "{}")
        for name, cmds in (("one", ["GO", "THEN"]), ("two", ["OTHER"]), ("three", []), ("one", ["GO", "THEN"])):
            with self.subTest(name=name):
                result = self.send(endpoint, source=name)
                self.assert_done(result)
                lines = result.stdout.splitlines()
                self.assertEqual([line.split('"cmd":"')[1].split('"')[0] for line in lines], cmds)
                if name == "one":
                    self.assertIn('"data":{"n":18446744073709551615}', lines[0])
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=4, workers=4)


if __name__ == "__main__":
    unittest.main()
