"""Keys, from muster keygen to a sender that is revoked, as a user types it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import functools
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import unittest

from command import MUSTER, CommandCase

NOT_ADMITTED = "the listener does not admit this key: .* enrolled"
OTHER_KEY = r"the listener has another key than the one that --server gives: .*\.pub"
ASKS_FOR_KEYS = "the listener asks for keys: give --key and --server"
HAS_NO_KEYS = "the listener has no keys, .* give the listener keys, or no key here"


KEYS = tempfile.TemporaryDirectory()
"""Keys for a listener, for a, who is enrolled, and for a stranger: made once, and copied for each test."""


def setUpModule():
    unittest.addModuleCleanup(KEYS.cleanup)
    path = functools.partial(os.path.join, KEYS.name)
    for name in ("listener", "a", "stranger"):
        subprocess.run([MUSTER, "keygen", path(name)], check=True)
    subprocess.run([MUSTER, "enrol", path("allow"), path("a.pub"), "--source", "a"], check=True)


class SecureCase(CommandCase):
    """A directory with keys of its own."""

    def setUp(self):
        self.place = self.directory()
        shutil.copytree(KEYS.name, self.place, dirs_exist_ok=True)

    def path(self, name):
        return os.path.join(self.place, name)

    def enrol(self, name, *sources, allow="allow"):
        self.assert_done(self.run_muster("enrol", self.path(allow), self.path(name + ".pub"), "--source", *sources))

    def revoke(self, name):
        self.assert_done(self.run_muster("revoke", self.path("allow"), self.path(name + ".pub")))

    def endpoints(self):
        return "tcp://127.0.0.1:*", "ipc://" + os.path.join(self.directory(), "socket")

    def listener_keys(self, name="listener", allow="allow"):
        return "--key", self.path(name + ".key"), "--allow", self.path(allow)

    def sender_keys(self, name="a", server="listener"):
        return "--key", self.path(name + ".key"), "--server", self.path(server + ".pub")

    def listen_with_keys(self, *args, **options):
        return self.listen(*self.listener_keys(), *args, **options)

    def start_sender(self, endpoint, *args, source="a"):
        return self.start("send", endpoint, "--source", source, "--cmd", "C", *args, "-", stdin=subprocess.PIPE)

    def hang_up(self, listener):
        listener.process.send_signal(signal.SIGHUP)

    def assert_refused(self, result, pattern):
        """By the refusal, not a limit of time, and in one line that says what to do."""
        self.assert_fails(result, r"\Amuster: [^\n]*" + pattern + r"[^\n]*\n\Z")
        self.assertEqual(result.stdout, "")


class Usage(SecureCase):
    def test_says_what_to_do_when_it_does_not_understand(self):
        listen = ["listen", "tcp://127.0.0.1:*"]
        send = ["send", "tcp://127.0.0.1:1", "--source", "s", "--cmd", "c"]
        for args, pattern in (
                ([*listen, "--key", "k"], "--allow is missing"),
                ([*listen, "--allow", "f"], "--key is missing"),
                ([*listen, "--key"], "--key needs a value"),
                ([*listen, "--allow"], "--allow needs a value"),
                ([*send, "--key", "k"], "--server is missing"),
                ([*send, "--server", "p"], "--key is missing"),
                ([*send, "--plain", "--server", "p"], "--key is missing"),
                ([*send, "--server"], "--server needs a value")):
            self.assert_usage(args, pattern)

    def test_help_has_the_options(self):
        for command, options in (("listen", ("--key", "--allow", "--insecure")), ("send", ("--key", "--server"))):
            result = self.run_muster(command, "--help")
            self.assert_done(result)
            for option in options:
                self.assertIn(option, result.stdout)


class In(SecureCase):
    def test_who_is_enrolled_gets_in_and_commands_go_back(self):
        for endpoint in self.endpoints():
            with self.subTest(endpoint=endpoint):
                listener, endpoint = self.listen_with_keys("--send", "a", "GO", '{"n":1}', endpoint=endpoint)
                result = self.send(endpoint, *self.sender_keys(), '{"n":2}', source="a", cmd="C")
                self.assert_done(result)
                self.assertIn('"cmd":"GO","data":{"n":1}', result.stdout)
                self.assertEqual(result.stderr, "")
                listener.err.wait_for("^muster: LEFT a$")
                listener.process.terminate()
                self.assert_ends(listener, 0, handled=1, rejected=0, workers=1)
                self.assertEqual(listener.out.all(), ['{"source":"a","cmd":"C","data":{"n":2}}'])

    def test_a_plain_producer_too(self):
        for endpoint in self.endpoints():
            with self.subTest(endpoint=endpoint):
                listener, endpoint = self.listen_with_keys("--count", "5000", endpoint=endpoint)
                self.assert_done(self.send(
                    endpoint, "--plain", *self.sender_keys(), "-", source="a",
                    input="".join(f'{{"n":{n}}}\n' for n in range(5000))))
                self.assert_ends(listener, 0, handled=5000, rejected=0, workers=0)
                self.assertEqual([message["data"]["n"] for message in listener.messages()], list(range(5000)))

    def test_what_is_sent_before_the_listener_is_there_waits_for_it(self):
        for plain in ([], ["--plain"]):
            with self.subTest(plain=plain):
                endpoint = "ipc://" + os.path.join(self.directory(), "late")
                sender = self.start("send", endpoint, *plain, *self.sender_keys(), "--source", "a", "--cmd", "c")
                listener, _ = self.listen_with_keys("--count", "1", endpoint=endpoint)
                self.assertEqual(sender.wait(), 0)
                self.assert_ends(listener, 0, handled=1)

    def test_two_listeners_admit_their_own(self):
        self.assert_done(self.run_muster("keygen", self.path("other")))
        self.assert_done(self.run_muster("keygen", self.path("b")))
        self.enrol("b", "b", allow="allow-other")
        first, first_endpoint = self.listen_with_keys()
        second, second_endpoint = self.listen(*self.listener_keys("other", "allow-other"))
        self.assert_done(self.send(first_endpoint, *self.sender_keys("a"), source="a"))
        self.assert_done(self.send(second_endpoint, *self.sender_keys("b", "other"), source="b"))
        result = self.send(second_endpoint, *self.sender_keys("a", "other"), source="a")
        self.assert_refused(result, NOT_ADMITTED)
        for listener in (first, second):
            listener.process.terminate()
            self.assert_ends(listener, 0, handled=1)


class NotIn(SecureCase):
    def assert_all_refused(self, plain):
        for bound in self.endpoints():
            listener, endpoint = self.listen_with_keys(endpoint=bound)
            for keys, pattern in (
                    (self.sender_keys("stranger"), NOT_ADMITTED),
                    (self.sender_keys("a", "stranger"), OTHER_KEY),
                    ((), ASKS_FOR_KEYS)):
                with self.subTest(endpoint=bound, pattern=pattern):
                    self.assert_refused(self.send(endpoint, *plain, *keys, source="a"), pattern)
            listener.err.wait_for("^muster: REFUSED( from 127.0.0.1)?: ")
            listener.process.terminate()
            self.assert_ends(listener, 0, handled=0, workers=0)

    def assert_does_not_talk_to_one_without_keys(self, plain):
        for bound in self.endpoints():
            with self.subTest(endpoint=bound):
                listener, endpoint = self.listen(endpoint=bound)
                self.assert_refused(self.send(endpoint, *plain, *self.sender_keys(), source="a"), HAS_NO_KEYS)
                listener.process.terminate()
                self.assert_ends(listener, 0, handled=0, workers=0)

    def test_a_sender_learns_why(self):
        self.assert_all_refused([])

    def test_a_plain_producer_learns_why(self):
        self.assert_all_refused(["--plain"])

    def test_a_sender_with_a_key_does_not_talk_to_a_listener_without(self):
        self.assert_does_not_talk_to_one_without_keys([])

    def test_a_plain_producer_with_a_key_does_not_either(self):
        self.assert_does_not_talk_to_one_without_keys(["--plain"])

    def test_a_sender_that_waits_for_lines_ends_at_once(self):
        _, endpoint = self.listen_with_keys()
        for plain in ([], ["--plain"]):
            for keys, pattern in ((self.sender_keys("stranger"), NOT_ADMITTED), ((), ASKS_FOR_KEYS)):
                with self.subTest(plain=plain, pattern=pattern):
                    sender = self.start_sender(endpoint, *plain, *keys)
                    self.assertEqual(sender.wait(), 1)
                    line, = sender.err.all()
                    self.assertRegex(line, pattern)

    def test_a_source_that_the_key_may_not_use_is_refused_and_both_say_so(self):
        listener, endpoint = self.listen_with_keys()
        result = self.send(endpoint, *self.sender_keys(), source="hospital-b")
        self.assert_refused(result, "1 not handled: access refused, the key may not use this source: .*muster enrol")
        listener.err.wait_for("^muster: REFUSED hospital-b from 127.0.0.1: the key may not use this source$")
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=0, workers=0)

    def test_who_is_refused_before_it_reads_a_line_is_told_so_in_one(self):
        _, endpoint = self.listen_with_keys()
        result = self.send(endpoint, *self.sender_keys(), "-", source="hospital-b", input="{}\n{}\n")
        self.assert_refused(result, "access refused, the key may not use this source: .*muster enrol")

    def test_a_plain_producer_does_not_learn_that_its_source_was_dropped(self):
        listener, endpoint = self.listen_with_keys()
        self.assert_done(self.send(endpoint, "--plain", *self.sender_keys(), source="hospital-b"))
        listener.err.wait_for("^muster: REFUSED( hospital-b)? from 127.0.0.1: .* key may not ")
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=0, rejected=1)

    def test_refusals_in_a_row_are_summed_up(self):
        listener, endpoint = self.listen_with_keys()
        self.assert_fails(self.send(endpoint, *self.sender_keys("a", "stranger"), source="a"), OTHER_KEY)
        listener.err.wait_for(r"^muster: REFUSED( from 127.0.0.1)?: .* \(\d+ times(, others among them)?\)$")

    def test_refusals_of_several_sources_are_told_under_one_and_that_there_were_others(self):
        listener, endpoint = self.listen_with_keys()
        senders = [self.start_sender(endpoint, *self.sender_keys(), source=f"stranger-{n}") for n in range(6)]
        for sender in senders:
            self.assertEqual(sender.wait(), 1)
        listener.err.wait_for(r"^muster: REFUSED stranger-\d from 127.0.0.1: .* \(\d+ times, others among them\)$")


class Binding(SecureCase):
    def test_without_keys_an_address_beyond_loopback_is_refused_with_both_ways_out(self):
        result = self.run_muster("listen", "tcp://0.0.0.0:*")
        self.assert_fails(result, r"\Amuster: tcp://0.0.0.0:\*: [^\n]*give --key and --allow, or allow it with --insecure\n\Z")

    def test_with_keys_it_is_bound(self):
        listener, endpoint = self.listen_with_keys("--count", "1", endpoint="tcp://0.0.0.0:*")
        port = endpoint.rsplit(":", 1)[1]
        self.assert_done(self.send(f"tcp://127.0.0.1:{port}", *self.sender_keys(), source="a"))
        self.assert_ends(listener, 0, handled=1)

    def test_and_if_told_insecure(self):
        listener, endpoint = self.listen("--count", "1", "--insecure", endpoint="tcp://0.0.0.0:*")
        port = endpoint.rsplit(":", 1)[1]
        self.assert_done(self.send(f"tcp://127.0.0.1:{port}"))
        self.assert_ends(listener, 0, handled=1)


class Hangup(SecureCase):
    def test_the_allow_file_is_read_again(self):
        listener, endpoint = self.listen_with_keys()
        self.assert_fails(self.send(endpoint, *self.sender_keys("stranger"), source="b"), NOT_ADMITTED)
        self.enrol("stranger", "b")
        self.hang_up(listener)
        listener.err.wait_for(f"^muster: {self.path('allow')}: read again$")
        self.assert_done(self.send(endpoint, *self.sender_keys("stranger"), source="b"))
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=1)

    def test_a_file_with_a_fault_changes_nothing_and_its_line_is_named(self):
        listener, endpoint = self.listen_with_keys()
        with open(self.path("allow"), "a", encoding="utf-8") as allow:
            allow.write("curve nonsense b\n")
        self.hang_up(listener)
        listener.err.wait_for(f"^muster: the list stays as it was: {self.path('allow')}: line 2: ")
        os.remove(self.path("allow"))
        self.hang_up(listener)
        listener.err.wait_for(f"^muster: the list stays as it was: {self.path('allow')}: (?!line)")
        self.assert_done(self.send(endpoint, *self.sender_keys(), source="a"))
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=1)

    def test_is_heeded_under_nohup_too(self):
        listener, _ = self.listen_with_keys(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.hang_up(listener)
        listener.err.wait_for("read again$")

    def test_ends_a_listener_without_an_allow_file(self):
        listener, _ = self.listen()
        self.hang_up(listener)
        self.assertEqual(listener.wait(), -signal.SIGHUP)


class Revoked(SecureCase):
    def test_a_live_sender_ends_with_1(self):
        listener, endpoint = self.listen_with_keys()
        sender = self.start_sender(endpoint, *self.sender_keys())
        sender.type('{"n":1}\n')
        listener.out.wait_for_count(1)
        self.revoke("a")
        self.hang_up(listener)
        listener.err.wait_for("^muster: REVOKED a")
        self.assertEqual(sender.wait(), 1)
        line, = sender.err.all()
        self.assertRegex(line, f"^muster: {endpoint}: (1 not handled: )?the worker's key was revoked")
        self.assert_fails(self.send(endpoint, *self.sender_keys(), source="a"), NOT_ADMITTED)
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=1, workers=1)

    def test_a_plain_producer_is_heard_no_more(self):
        listener, endpoint = self.listen_with_keys()
        sender = self.start_sender(endpoint, "--plain", *self.sender_keys())
        sender.type('{"n":1}\n')
        listener.out.wait_for_count(1)
        self.revoke("a")
        self.hang_up(listener)
        listener.err.wait_for("read again$")
        sender.type('{"n":2}\n')
        listener.err.wait_for("^muster: REFUSED( a)? from 127.0.0.1: ")
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=1, rejected=1)


class Replaced(SecureCase):
    def test_a_sender_whose_source_another_takes_ends_though_it_waits_for_lines(self):
        listener, endpoint = self.listen_with_keys()
        sender = self.start_sender(endpoint, *self.sender_keys())
        listener.err.wait_for("^muster: JOINED a$")
        self.assert_done(self.send(endpoint, *self.sender_keys(), source="a"))
        self.assertEqual(sender.wait(), 1)
        line, = sender.err.all()
        self.assertRegex(line, "another worker took the source")


class Files(SecureCase):
    def mend_as_told(self, result):
        """Run the command that a refusal ends with."""
        command = result.stderr.rstrip("\n").rsplit(": ", 1)[1]
        self.assertEqual(shlex.split(command)[0], "chmod")
        subprocess.run(["sh", "-c", command], check=True)

    def test_a_senders_key_that_others_can_read_is_refused_with_the_command_that_mends_it(self):
        _, endpoint = self.listen_with_keys()
        for plain in ([], ["--plain"]):
            with self.subTest(plain=plain):
                os.chmod(self.path("a.key"), 0o644)
                args = [endpoint, *plain, *self.sender_keys()]
                result = self.send(*args, source="a")
                self.assert_fails(result, r"\Amuster: [^\n]*a\.key: others can read it: chmod 600 [^\n]*\n\Z")
                self.mend_as_told(result)
                self.assert_done(self.send(*args, source="a"))

    def test_a_listeners_too_and_an_allow_file_that_others_can_write(self):
        for name, mode, pattern in (
                ("listener.key", 0o640, "others can read it: chmod 600 "),
                ("allow", 0o666, "others can write it: chmod go-w ")):
            with self.subTest(name=name):
                os.chmod(self.path(name), mode)
                result = self.run_muster("listen", "tcp://127.0.0.1:*", *self.listener_keys())
                self.assert_fails(result, r"\Amuster: [^\n]*" + pattern + r"[^\n]*\n\Z")
                self.mend_as_told(result)
                self.listen_with_keys()

    def test_a_line_of_the_allow_file_that_is_wrong_is_named(self):
        with open(self.path("allow"), "a", encoding="utf-8") as allow:
            allow.write("# hospitals\ncurve\n")
        result = self.run_muster("listen", "tcp://127.0.0.1:*", *self.listener_keys())
        self.assert_fails(result, r"\Amuster: [^\n]*allow: line 3: [^\n]+\n\Z")

    def test_a_file_that_is_another_is_refused(self):
        endpoint = "tcp://127.0.0.1:1"
        for plain in ([], ["--plain"]):
            for key, server, pattern in (
                    ("a.pub", "listener.pub", r"a\.pub: has no secret key: give the \.key file"),
                    ("a.key", "listener.key", r"listener\.key: is a secret key file: give .*listener\.pub"),
                    ("none.key", "listener.pub", r"none\.key: No such file"),
                    ("a.key", "none.pub", r"none\.pub: No such file"),
                    ("a.key", "allow", r"allow: ")):
                with self.subTest(plain=plain, key=key, server=server):
                    keys = "--key", self.path(key), "--server", self.path(server)
                    self.assert_fails(self.send(endpoint, *plain, *keys), r"\Amuster: [^\n]*" + pattern)


if __name__ == "__main__":
    unittest.main()
