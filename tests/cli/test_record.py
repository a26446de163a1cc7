"""muster listen --record and muster replay, as a user types them.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import resource
import time
import unittest

import msgpack
import zmq

from command import CommandCase

HEADER = b"\x92\xd9\x10muster-recording\x01"


def record(microseconds, source, cmd, data):
    """The bytes of one message of a recording."""
    packed = msgpack.packb(data)
    return (b"\x94\xcf" + microseconds.to_bytes(8, "big")
            + b"".join(b"\xd9" + bytes([len(name)]) + name.encode() for name in (source, cmd))
            + b"\xc6" + len(packed).to_bytes(4, "big") + packed)


class RecordCase(CommandCase):
    def file(self, content=None):
        path = self.directory() + "/recording"
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()


class Recording(RecordCase):
    def test_has_each_message_with_its_bytes_and_a_time_that_grows(self):
        path = self.file()
        listener, endpoint = self.listen("--count", "2", "--record", path)
        with zmq.Context() as context, context.socket(zmq.PUSH) as push:
            push.connect(endpoint)
            push.send(b"\x93\xa5plain\xa1P\x81\xa1n\xcd\x00\x01")   # 1 in two bytes
            listener.out.wait_for_count(1)
            self.assert_done(self.send(endpoint, '{"a":[1.5,null]}', source="wörker", cmd="PROGRESS"))
            self.assert_ends(listener, 0, handled=2)
        unpacker = msgpack.Unpacker()
        unpacker.feed(self.read(path))
        header, first, second = unpacker
        self.assertEqual(header, ["muster-recording", 1])
        self.assertEqual(first[1:], ["plain", "P", b"\x81\xa1n\xcd\x00\x01"])
        self.assertEqual(second[1:], ["wörker", "PROGRESS", msgpack.packb({"a": [1.5, None]})])
        self.assertLessEqual(first[0], second[0])

    def test_is_its_owners_alone_and_never_takes_the_place_of_a_file(self):
        path = self.file()
        listener, _ = self.listen("--record", path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assert_fails(self.run_muster("listen", "tcp://127.0.0.1:*", "--record", path), "recording: File exists")
        listener.process.terminate()
        self.assert_ends(listener, 0)
        self.assertEqual(self.read(path), HEADER)

    def test_has_what_was_handled_when_the_listener_is_killed(self):
        path = self.file()
        listener, endpoint = self.listen("--record", path)
        self.assert_done(self.send(endpoint, '{"n":1}', source="w", cmd="C"))
        listener.process.kill()
        listener.wait()
        self.assertTrue(self.read(path).endswith(record(0, "w", "C", {"n": 1})[10:]))

    def test_a_disk_that_is_full_ends_the_command_and_the_message_is_not_handled(self):
        path = self.file()
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
        listener, endpoint = self.listen("--record", path, preexec_fn=limit)
        self.assert_done(self.send(endpoint, '{"n":1}'))
        result = self.send(endpoint, '{"text":"%s"}' % ("x" * 200), "--timeout", "5")
        self.assert_fails(result, "1 not handled")
        self.assert_ends(listener, 1, handled=1)
        listener.err.wait_for("^muster: .*/recording: File too large$")
        self.assertEqual(self.read(path)[30:], record(0, "worker-1", "CMD", {"n": 1})[10:])

    def test_without_stdin_and_stdout_it_has_messages_alone(self):
        """What is closed must not be the next file that is opened."""
        def close():
            os.close(0)
            os.close(1)
        path = self.file()
        listener, endpoint = self.listen("--record", path, preexec_fn=close)
        self.assert_fails(self.send(endpoint, '{"n":1}', "--timeout", "2"), "1 not handled")
        self.assert_ends(listener, 1, handled=0)
        listener.err.wait_for("stdout: Bad file descriptor")
        self.assertEqual(self.read(path)[30:], record(0, "worker-1", "CMD", {"n": 1})[10:])

    def test_a_listener_that_does_not_start_leaves_no_file(self):
        path = self.file()
        _, endpoint = self.listen()
        for _ in range(2):
            self.assert_fails(self.run_muster("listen", endpoint, "--record", path), endpoint.rsplit(":", 1)[1])
            self.assertFalse(os.path.exists(path))

    def test_a_file_that_cannot_be_made_is_said(self):
        path = self.directory() + "/no/such"
        self.assert_fails(self.run_muster("listen", "tcp://127.0.0.1:*", "--record", path), "No such file")


class Replaying(RecordCase):
    def replay(self, content, *args, count=None):
        """Play to a listener; the result, and what the listener prints if count messages are to come."""
        listener, endpoint = self.listen(*(("--count", str(count)) if count else ()))
        result = self.run_muster("replay", self.file(content), endpoint, *args)
        if not count:
            listener.process.terminate()
        listener.wait()
        return result, listener.messages()

    def test_sends_what_was_recorded_from_its_sources_in_order(self):
        path = self.file()
        listener, endpoint = self.listen("--count", "20", "--record", path)
        for source in ("one", "two"):
            self.assert_done(self.send(endpoint, "-", source=source, input="".join(f'{{"n":{n}}}\n' for n in range(10))))
        self.assert_ends(listener, 0, handled=20)
        again, endpoint = self.listen("--count", "20")
        result = self.run_muster("replay", path, endpoint, "--speed", "0")
        self.assert_done(result)
        self.assertRegex(result.stderr, "handled=20 workers=2\n$")
        self.assert_ends(again, 0, handled=20, workers=2)
        for source in ("one", "two"):
            self.assertEqual(*([m for m in of.messages() if m["source"] == source] for of in (listener, again)))

    def test_keeps_the_pace_times_speed(self):
        content = HEADER + record(5_000_000, "w", "C", {}) + record(5_600_000, "w", "C", {})
        for speed, least in (("1", 0.6), ("2", 0.3)):
            with self.subTest(speed=speed):
                began = time.monotonic()
                result, _ = self.replay(content, "--speed", speed, count=2)
                self.assert_done(result)
                self.assertGreaterEqual(time.monotonic() - began, least)

    def test_speed_0_waits_for_nothing(self):
        result, messages = self.replay(HEADER + record(0, "w", "C", {}) + record(2**64 - 1, "w", "C", {}), "--speed", "0", count=2)
        self.assert_done(result)
        self.assertEqual(len(messages), 2)

    def test_a_tail_that_is_cut_off_is_passed_over_and_told(self):
        whole = HEADER + record(0, "w", "C", {"n": 1})
        for cut in (1, 12, 20):
            with self.subTest(cut=cut):
                result, messages = self.replay(whole + record(1, "w", "C", {"n": 2})[:cut])
                self.assert_done(result)
                self.assertIn("cut off after 1 messages", result.stderr)
                self.assertEqual([message["data"] for message in messages], [{"n": 1}])

    def test_nothing_is_sent_of_a_file_with_a_fault(self):
        good = HEADER + record(5, "w", "C", {})
        for content, said in (
                (b"", "no recording"), (b"\x89PNG", "no recording"), (HEADER[:-1] + b"\x02", "no recording"),
                (good + b"x", f"byte {len(good)}: no message"),
                (good + record(4, "w", "C", {}), f"byte {len(good)}: no message"),
                (good + record(6, "", "C", {}), f"byte {len(good)}: no message"),
                (good + record(6, "w", "C\n", {}), f"byte {len(good)}: no message"),
                (good + record(6, "w", "C", []), f"byte {len(good)}: no message")):
            with self.subTest(content=content):
                result, messages = self.replay(content)
                self.assert_fails(result, said)
                self.assertEqual(messages, [])

    def test_a_file_that_becomes_shorter_is_said(self):
        path = self.file(HEADER + record(0, "w", "C", {"n": 1}) + record(2_000_000, "w", "C", {"n": 2}))
        listener, endpoint = self.listen()
        replay = self.start("replay", path, endpoint)
        listener.out.wait_for_count(1)
        os.truncate(path, 0)
        self.assertEqual(replay.wait(), 1)
        replay.err.wait_for("^muster: the recording became shorter while it was played$")

    def test_what_is_no_regular_file_is_refused_and_not_waited_for(self):
        pipe = self.file()
        os.mkfifo(pipe)
        for path in (pipe, os.path.dirname(pipe)):
            self.assert_fails(self.run_muster("replay", path, "tcp://127.0.0.1:1"), f"{path}: no regular file")

    def test_refuses_more_sources_than_it_has_workers_for(self):
        content = HEADER + b"".join(record(0, f"w{n}", "C", {}) for n in range(1001))
        self.assert_fails(self.run_muster("replay", self.file(content), "tcp://127.0.0.1:1"), "more than 1000 sources")

    def test_waits_until_a_listener_has_handled_all(self):
        listener, endpoint = self.listen("--record", self.file(), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30, 30)))
        running = self.start("replay", self.file(HEADER + record(0, "w", "C", {"n": 1})), endpoint)
        self.assertEqual(listener.wait(), 1)
        listener.err.wait_for("File too large")
        self.assertIsNone(running.process.poll())       # it waits for a listener that takes it
        again, _ = self.listen("--count", "1", endpoint=endpoint)
        self.assertEqual(running.wait(), 0, running.err.all())
        self.assert_ends(again, 0, handled=1)

    def test_a_message_that_breaks_a_rule_of_data_is_said(self):
        twice = HEADER + record(0, "w", "C", {"a": 1, "b": 2}).replace(b"\xa1b", b"\xa1a")
        result, _ = self.replay(twice)
        self.assert_fails(result, "not sent")

    def test_uses_keys(self):
        home = self.directory()
        for name in ("l", "w"):
            self.assert_done(self.run_muster("keygen", f"{home}/{name}"))
        self.assert_done(self.run_muster("enrol", f"{home}/allow", f"{home}/w.pub", "--source", "one"))
        _, endpoint = self.listen("--count", "1", "--key", f"{home}/l.key", "--allow", f"{home}/allow")
        keys = ("--key", f"{home}/w.key", "--server", f"{home}/l.pub")
        other = self.file(HEADER + record(0, "two", "C", {}))
        self.assert_fails(self.run_muster("replay", other, endpoint, *keys), "two: ")
        self.assert_done(self.run_muster("replay", self.file(HEADER + record(0, "one", "C", {})), endpoint, *keys))

    def test_says_what_to_do_when_it_does_not_understand(self):
        both = ["f", "tcp://127.0.0.1:1"]
        for args, pattern in (
                ([], "FILE is missing"), (["f"], "endpoint"), ([*both, "g"], "not also g"),
                ([*both, "--speed", "-1"], "--speed needs a number"), ([*both, "--speed", ""], "--speed needs"),
                ([*both, "--speed", "nan"], "--speed needs"), ([*both, "--key", "k"], "--server is missing"),
                ([*both, "--bogus"], "no option --bogus")):
            self.assert_usage(["replay", *args], pattern)

    def test_help_goes_to_stdout(self):
        result = self.run_muster("replay", "--help")
        self.assert_done(result)
        self.assertIn("usage: muster replay", result.stdout)


if __name__ == "__main__":
    unittest.main()
