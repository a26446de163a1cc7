"""What the tests of real faults share: programs at work, and what became of each message.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

The environment's MUSTER_CHAOS names the directory of chaos_listener and
chaos_worker, MUSTER_CHAOS_PLAIN that of the same programs built without
sanitizers, for what these forbid. Times are of CLOCK_MONOTONIC, the programs' as Python's.
"""
import collections
import ctypes
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from proxy import Proxy

BINARIES = os.environ["MUSTER_CHAOS"]
PLAIN = os.environ.get("MUSTER_CHAOS_PLAIN", BINARIES)
SANITIZERS = os.environ.get("CHAOS_SANITIZERS", "")     # as -fsanitize takes them; "" for none
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1     # of prctl (2)
TIMEOUT = 60
SMALL = 200
RECORD = struct.Struct("=QQQQ")

# One handled message: its worker, its number, its position, and when in seconds.
Record = collections.namedtuple("Record", "number n position at")


def die_with_the_test():
    """In a program before it begins: it is killed when the test's process is gone, however that ended."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def alone(test):
    """A test that needs the whole machine: run.py runs nothing beside it."""
    test.alone = True
    return test


def figure(name, value, unit):
    """Print what was measured, for whoever writes it down."""
    print(("figure: %s %s %s" % (name, value, unit)).rstrip(), file=sys.stderr, flush=True)


class Program:
    """A running program that reads commands and prints JSON, both line by line."""

    def __init__(self, prefix, name, words, directory=BINARIES):
        self.lines = []
        self._rest = b""
        self.process = subprocess.Popen([*prefix, os.path.join(directory, name), *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        preexec_fn=die_with_the_test)
        os.set_blocking(self.process.stdout.fileno(), False)

    def poll(self):
        """Take what it has printed by now into lines."""
        if self.process.stdout.closed:
            return
        while chunk := self.process.stdout.read(1 << 20):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self.lines += map(json.loads, lines)

    def say(self, text):
        self.process.stdin.write(text.encode() + b"\n")

    def kill(self):
        """End it, however it is. Once more is harmless."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class FaultCase(unittest.TestCase):
    """A listener and workers, known by number; what was sent, and the ledger of what was handled."""

    listener = None
    workers = {}

    # Programs

    def start_listener(self, *options, endpoint=None, prefix=(), directory=BINARIES):
        """Start a listener, on a loopback address of this process unless told otherwise."""
        pid = os.getpid()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self._path = os.path.join(folder.name, "ledger")
        with open(self._path, "wb"):
            self._read_to = 0
        self._records = collections.defaultdict(list)
        self.workers, self.sent, self.sent_bytes = {}, {}, {}
        endpoint = endpoint or "tcp://127.%d.%d.1:*" % (1 + pid // 250 % 250, 1 + pid % 250)
        self.listener = Program(prefix, "chaos_listener", [endpoint, "--ledger", self._path, *options], directory)
        self.addCleanup(self.listener.kill)
        self.listener.endpoint = self.answer(self.listener, "ready")["ready"]

    def start_worker(self, number, endpoint, *options, prefix=()):
        """Start a worker, "worker-NUMBER", which sends what send() says."""
        worker = Program(prefix, "chaos_worker", [
            endpoint, "--source", "worker-%d" % number, "--number", str(number), "--wait-stdin", *options])
        self.addCleanup(worker.kill)
        self.workers[number] = worker
        self.sent[number] = self.sent_bytes[number] = 0
        self.answer(worker, "ready")

    def make_proxy(self):
        """A proxy before the listener, on its address."""
        host, port = self.listener.endpoint.rsplit("/", 1)[-1].split(":")
        proxy = Proxy(host, int(port), address=host)
        self.addCleanup(proxy.close)
        return proxy

    def wait_until(self, condition, what, timeout=TIMEOUT):
        """Wait for condition () to be true, and return what it returns. What programs print is taken meanwhile."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            result = condition()
            if result:
                return result
            time.sleep(0.001)
            for program in self.programs():
                program.poll()
        said = [(program.process.args[0], program.process.poll(), program.lines[-9:]) for program in self.programs()]
        self.fail("not in %d s: %s; last said: %s" % (timeout, what, said))

    def programs(self):
        return [self.listener, *self.workers.values()] if self.listener else list(self.workers.values())

    def answer(self, program, key, seen=0):
        """Wait for a line with this key, after so many that were seen."""
        def found():
            program.poll()
            hits = [line for line in program.lines if key in line]
            return hits[seen] if len(hits) > seen else None
        return self.wait_until(found, key)

    def ask(self, program, command, key):
        """Say a command and wait for its answer."""
        program.poll()
        seen = sum(key in line for line in program.lines)
        program.say(command)
        return self.answer(program, key, seen)[key]

    def stats(self):
        return self.ask(self.listener, "stats", "stats")

    def events(self, number):
        """What the listener told of a worker, in order."""
        self.listener.poll()
        return [line["event"] for line in self.listener.lines if line.get("source") == "worker-%d" % number]

    def told_at(self, number, event):
        """When the listener told of this for the last time, in seconds."""
        return max(line["ms"] for line in self.listener.lines
                   if line.get("source") == "worker-%d" % number and line["event"] == event) / 1000

    def commands(self, worker):
        """The numbers of the commands that a worker got, in order."""
        worker.poll()
        return [line["n"] for line in worker.lines if "command" in line]

    # Messages

    def send(self, number, count, size):
        self.workers[number].say("send %d %d" % (count, size))
        self.sent[number] += count
        self.sent_bytes[number] += count * size

    def flush(self, number):
        """Flush a worker; returns how long it took, in seconds."""
        at = time.monotonic()
        self.assertEqual(self.ask(self.workers[number], "flush", "flushed"), "OK")
        return time.monotonic() - at

    def flush_all(self):
        for number in self.workers:
            self.flush(number)

    def records(self, number):
        """What was handled of a worker, in order."""
        with open(self._path, "rb") as ledger:
            ledger.seek(self._read_to)
            block = ledger.read()
        whole = len(block) // RECORD.size * RECORD.size
        self._read_to += whole
        for worker, n, position, microseconds in RECORD.iter_unpack(block[:whole]):
            self._records[worker].append(Record(worker, n, position, microseconds / 1e6))
        return self._records[number]

    def backlog(self, number):
        return self.sent[number] - len(self.records(number))

    def first_handled_after(self, number, at):
        """When the first message after that moment was handled; None if none was."""
        first = None
        for record in reversed(self.records(number)):
            if record.at < at:
                break
            first = record.at
        return first

    def wait_until_each_handled(self):
        self.wait_until(lambda: all(self.records(number) for number in self.workers), "a message of each")

    # The end

    def close_all(self):
        """Close all workers: all is confirmed, and no call has failed."""
        for worker in self.workers.values():
            worker.say("close")
        for worker in self.workers.values():
            closed = self.answer(worker, "closed")
            self.assertEqual((closed["closed"], closed["unconfirmed"]), ("OK", 0))
            self.assertEqual(worker.process.wait(TIMEOUT), 0)
            worker.poll()
            self.assertEqual([line for line in worker.lines if "error" in line], [])

    def finish(self):
        """Close all: each message was handled once and in order. Returns the listener's last stats."""
        self.flush_all()
        self.close_all()
        stats = self.stats()
        for number in self.workers:
            numbers = list(range(1, self.sent[number] + 1))
            self.assertEqual([record.n for record in self.records(number)], numbers)
            self.assertEqual([record.position for record in self.records(number)], numbers)
        self.listener.say("quit")
        self.assertEqual(self.listener.process.wait(TIMEOUT), 0)
        self.listener.poll()
        self.assertEqual([line for line in self.listener.lines if "wrong" in line], [])
        return stats

    def assert_events(self, expected, *numbers):
        """The events of these workers, of all unless named: these and no more."""
        for number in numbers or self.workers:
            self.wait_until(lambda: len(self.events(number)) >= len(expected), expected)
            self.assertEqual(self.events(number), expected)
