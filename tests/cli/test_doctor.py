"""Why a worker cannot reach a listener, as a user asks.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from command import MUSTER, CommandCase
from other import END, Other, frame


def accept_all(listening, answer):
    """Answer each who comes, and hang up, until the socket is shut down."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.recv(64)
            connection.sendall(answer)


class DoctorCase(CommandCase):
    def doctor(self, endpoint, *args, **options):
        return self.run_muster("doctor", endpoint, *args, **options)

    def assert_well(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "all is well")

    def assert_ill(self, done, step, pattern):
        """The steps before it are well, this one is not; stderr has one line that says what to do."""
        self.assertEqual(done.returncode, 1, done.stdout)
        *before, last = done.stdout.splitlines()
        self.assertEqual([line for line in before if not re.match("ok ", line)], [])
        self.assertRegex(last, rf"^failed +{step} +\S")
        self.assertRegex(done.stderr, rf"\Amuster: [^\n]*{pattern}[^\n]*\n\Z")

    def bind(self, family=socket.AF_INET, address=("127.0.0.1", 0), listen=True):
        bound = socket.socket(family)
        self.addCleanup(bound.close)
        bound.bind(address)
        if listen:
            bound.listen()
        return bound

    def bind_pair(self, **options):
        """Two sockets, the second at the port after the first one's."""
        while True:
            first = self.bind(**options)
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                return first, self.bind(address=("127.0.0.1", port + 1), **options), f"tcp://127.0.0.1:{port}"
            first.close()

    def ipc(self):
        return "ipc://" + os.path.join(self.directory(), "socket")


class Well(DoctorCase):
    def test_each_step_has_a_line_and_the_last_one_is_the_verdict(self):
        for endpoint, where in (("tcp://127.0.0.1:*", ["name", "port", "return port"]),
                                (self.ipc(), ["path", "return path", "socket", "return socket"])):
            with self.subTest(endpoint=endpoint):
                _, endpoint = self.listen(endpoint=endpoint)
                done = self.doctor(endpoint)
                self.assert_well(done)
                steps = [re.match(r"ok +(\w+(?: \w+)?)  ", line) for line in done.stdout.splitlines()[:-1]]
                self.assertEqual([step and step.group(1) for step in steps],
                                 [*where, "handshake", "protocol", "round trip", "throughput", "clock"])
                self.assertRegex(done.stdout, r"(?m)^ok +handshake +without keys$")
                self.assertRegex(done.stdout, r"(?m)^ok +protocol +version 1$")
                self.assertRegex(done.stdout, r"(?m)^ok +round trip +\d+(\.\d+)? ms \(median of 10\)$")
                self.assertRegex(done.stdout, r"(?m)^ok +throughput +\d+(\.\d+)? MB/s ")
                self.assertRegex(done.stdout, r"(?m)^ok +clock +the listener's clock ")

    def test_as_json_it_is_one_object(self):
        _, endpoint = self.listen()
        done = self.doctor(endpoint, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertEqual((found["ok"], found["verdict"]), (True, "all is well"))
        values = {step["name"]: step["value"] for step in found["steps"] if "value" in step}
        self.assertEqual(sorted(values), ["clock", "protocol", "round trip", "throughput"])
        self.assertEqual(values["protocol"], 1)
        self.assertGreater(values["throughput"], 16000)
        self.assertTrue(all(step["ok"] for step in found["steps"]))

    def test_a_name_is_shown_with_its_address(self):
        _, endpoint = self.listen()
        done = self.doctor(endpoint.replace("127.0.0.1", "localhost"))
        self.assert_well(done)
        self.assertRegex(done.stdout, r"(?m)^ok +name +localhost -> 127\.0\.0\.1")

    def test_the_listener_sees_nothing_of_it(self):
        listener, endpoint = self.listen()
        for _ in range(3):
            self.assert_well(self.doctor(endpoint))
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=0, rejected=0, dropped=0, workers=0)
        self.assertEqual(listener.out.all(), [])
        self.assertEqual(len(listener.err.all()), 2, listener.err.all())

    def test_ipv6_is_reached_too(self):
        try:
            self.bind(family=socket.AF_INET6, address=("::1", 0)).close()
        except OSError as error:
            self.skipTest(f"NOT RUN: no IPv6 here: {error}")
        _, endpoint = self.listen(endpoint="tcp://[::1]:*")
        self.assert_well(self.doctor(endpoint))


class Unreached(DoctorCase):
    def test_a_name_that_is_unknown(self):
        done = self.doctor("tcp://name.invalid:5555")
        self.assert_ill(done, "name", "the host name.invalid does not resolve: .*: look for a typing error")
        self.assertEqual(done.stderr.count("tcp://name.invalid:5555"), 1)

    def test_nobody_listens(self):
        _, _, endpoint = self.bind_pair(listen=False)
        self.assert_ill(self.doctor(endpoint), "port", "nobody listens on port .*: start the listener")

    def test_only_the_first_port_is_open(self):
        first, second, endpoint = self.bind_pair(listen=False)
        first.listen()
        self.assert_ill(self.doctor(endpoint), "return port", f"nobody listens on port {second.getsockname()[1]} .*: open this port, too")

    def test_a_port_that_does_not_answer(self):
        first, _, endpoint = self.bind_pair(listen=False)
        first.listen(0)
        for _ in range(4):      # in line, so that nobody else is answered
            waiting = socket.socket()
            self.addCleanup(waiting.close)
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(first.getsockname())
        self.assert_ill(self.doctor(endpoint, "--timeout", "0.2"), "port", "does not answer within 0.2 s: a firewall")

    def test_what_listens_says_nothing(self):
        _, _, endpoint = self.bind_pair()
        self.assert_ill(self.doctor(endpoint, "--timeout", "1"), "handshake", "says nothing that is ZeroMQ's within 1 s: ")

    def test_what_listens_is_no_zeromq(self):
        first, second, endpoint = self.bind_pair()
        for each in (first, second):
            thread = threading.Thread(target=accept_all, args=(each, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(each.shutdown, socket.SHUT_RDWR)
        self.assert_ill(self.doctor(endpoint, "--timeout", "5"), "handshake", "hangs up in the handshake: is that a muster listener")

    def test_a_listener_that_hangs(self):
        listener, endpoint = self.listen()
        listener.process.send_signal(signal.SIGSTOP)
        self.addCleanup(listener.process.send_signal, signal.SIGCONT)
        self.assert_ill(self.doctor(endpoint, "--timeout", "1"), "handshake", "or the listener hangs")

    def test_a_name_with_another_address_that_is_open(self):
        addresses = {found[4][0] for found in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
        if addresses < {"127.0.0.1", "::1"}:
            self.skipTest(f"NOT RUN: localhost is {' '.join(sorted(addresses))} alone")
        _, endpoint = self.listen(endpoint="tcp://[::1]:*")
        self.assert_ill(self.doctor(endpoint.replace("[::1]", "localhost")), "port", "it is open at ::1")

    def test_as_json_it_is_one_object_too(self):
        _, _, endpoint = self.bind_pair(listen=False)
        done = self.doctor(endpoint, "--json")
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)
        self.assertFalse(found["ok"])
        self.assertEqual(done.stderr, f"muster: {endpoint}: {found['verdict']}\n")
        last = found["steps"][-1]
        self.assertEqual((last["name"], last["ok"], last["text"] + ": " + last["advice"]), ("port", False, found["verdict"]))


class Hostile(DoctorCase):
    def test_what_the_listener_says_turns_no_writing(self):
        other = Other(self, lambda question: frame(END, question, [16, "no\u202eway\u2028"]))
        done = self.doctor(other.endpoint)
        self.assert_ill(done, "protocol", r"the listener says: no\?way\?")
        self.assertTrue(done.stdout.endswith("the listener says: no?way?\n"), done.stdout)


class Ipc(DoctorCase):
    def test_a_path_that_is_not_there(self):
        self.assert_ill(self.doctor(self.ipc()), "path", "No such file or directory: start the listener")

    def test_a_path_that_is_no_socket(self):
        endpoint = self.ipc()
        with open(endpoint[6:], "w", encoding="utf-8"):
            self.assert_ill(self.doctor(endpoint), "path", "is no socket: ")

    def test_a_socket_that_was_left_behind(self):
        listener, endpoint = self.listen(endpoint=self.ipc())
        listener.process.kill()
        listener.wait()
        self.assert_ill(self.doctor(endpoint), "socket", "nobody listens on .*: start the listener: one that was killed leaves")

    def test_a_socket_that_this_user_may_not_open(self):
        directory = self.directory()
        os.chmod(directory, 0o755)
        _, endpoint = self.listen(endpoint=f"ipc://{directory}/socket")
        os.chmod(f"{directory}/socket", 0o600 if os.geteuid() == 0 else 0)
        options = {**self.as_nobody(), "cwd": "/"} if os.geteuid() == 0 else {}
        try:
            subprocess.run([MUSTER, "--version"], check=True, capture_output=True, **options)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"NOT RUN: another user cannot run the command: {error}")
        self.assert_ill(self.doctor(endpoint, **options), "socket", "Permission denied: .*chmod")


class Keys(DoctorCase):
    @classmethod
    def setUpClass(cls):
        """Keys that no test changes."""
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.place = place.name
        for name in ("listener", "a", "stranger"):
            subprocess.run([MUSTER, "keygen", cls.path(name)], check=True, capture_output=True)
        subprocess.run([MUSTER, "enrol", cls.path("allow"), cls.path("a.pub"), "--source", "a"], check=True, capture_output=True)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.place, name)

    def keys(self, name="a", server="listener"):
        return "--key", self.path(name + ".key"), "--server", self.path(server + ".pub")

    def listen_with_keys(self, **options):
        return self.listen("--key", self.path("listener.key"), "--allow", self.path("allow"), **options)

    def test_a_key_that_is_enrolled_is_well_and_the_listener_sees_nothing(self):
        for endpoint in ("tcp://127.0.0.1:*", self.ipc()):
            with self.subTest(endpoint=endpoint):
                listener, endpoint = self.listen_with_keys(endpoint=endpoint)
                done = self.doctor(endpoint, *self.keys())
                self.assert_well(done)
                self.assertRegex(done.stdout, r"(?m)^ok +handshake +CURVE, the key is enrolled$")
                listener.process.terminate()
                self.assert_ends(listener, 0, handled=0, rejected=0, workers=0)
                self.assertEqual(len(listener.err.all()), 2, listener.err.all())

    def test_keys_that_do_not_fit_are_told_apart(self):
        _, endpoint = self.listen_with_keys()
        for keys, pattern in ((self.keys("stranger"), "the listener does not admit this key: its .pub file has to be enrolled"),
                              (self.keys("a", "stranger"), "the listener has another key than the one that --server gives: "),
                              ((), "the listener asks for keys: give --key and --server")):
            with self.subTest(pattern=pattern):
                self.assert_ill(self.doctor(endpoint, *keys), "handshake", pattern)

    def test_a_key_where_the_listener_has_none(self):
        _, endpoint = self.listen()
        done = self.doctor(endpoint, *self.keys())
        self.assert_ill(done, "handshake", "the listener has no keys, .*: give the listener keys, or no key here")

    def test_a_key_file_that_is_none(self):
        done = self.doctor("tcp://127.0.0.1:1", "--key", self.path("none.key"), "--server", self.path("listener.pub"))
        self.assert_ill(done, "keys", r"none\.key: No such file")


class Endpoints(DoctorCase):
    def test_an_endpoint_that_leads_nowhere_says_why(self):
        for endpoint, pattern in (
                ("tcp://*:5555", "not what a worker connects to: name the listener's host"),
                ("tcp://0.0.0.0:5555", "not what a worker connects to"),
                ("tcp://127.0.0.1:*", "not what a worker connects to"),
                ("tcp://127.0.0.1:65535", "no port after it for the way back")):
            with self.subTest(endpoint=endpoint):
                self.assert_ill(self.doctor(endpoint), "endpoint", pattern)

    def test_a_return_endpoint_may_be_given(self):
        _, endpoint = self.listen()
        host, port = endpoint.rsplit(":", 1)
        self.assert_well(self.doctor(endpoint, "--return", f"{host}:{int(port) + 1}"))
        self.assert_ill(self.doctor(endpoint, "--return", f"{host}:*"), "endpoint", "not what a worker connects to")

    def test_help_says_what_the_throughput_is(self):
        self.assertIn("connection for control", self.doctor("--help").stdout)
        self.assertIn("muster doctor", self.run_muster("--help").stdout)


if __name__ == "__main__":
    unittest.main()
