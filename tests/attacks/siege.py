"""What the attacks share: a listener with keys, an honest worker, attackers, and what became of them.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

The environment's MUSTER_ATTACKS names the directory of attacks_listener and
attacks_worker.
"""
import ctypes
import json
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import zmtp

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.environ.get("MUSTER_ATTACKS", "")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1    # of prctl (2)
TIMEOUT = 60
HANDSHAKE = 5           # seconds that the listener gives a connection
NICE = 10               # the machine is the listener's and the honest worker's first

_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
DESCRIPTORS = _hard     # for this process's children too


class Late(Exception):
    """Nobody answered in time."""


def begin(nice):
    """In a program before it begins: it does not outlive this process."""
    def run():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.nice(nice)
    return run


class Program:
    """A running program that is told lines and answers with lines."""

    def __init__(self, words, nice=0):
        self._rest = b""
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        preexec_fn=begin(nice))

    def say(self, text):
        self.process.stdin.write(text.encode() + b"\n")

    def line(self, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Late("%s in %d s" % (self.process.args[0], timeout))
            block = os.read(self.process.stdout.fileno(), 1 << 16)
            if not block:
                raise EOFError("%s ended: %s" % (self.process.args[0], self.process.wait()))
            self._rest += block
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def answer(self, timeout=TIMEOUT):
        return json.loads(self.line(timeout))

    def ask(self, text, timeout=TIMEOUT):
        self.say(text)
        return self.answer(timeout)

    def kill(self):
        """End it, however it is. Once more is harmless."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Siege:
    """A listener with the keys of "honest" and "thief" in its allow list, and the honest worker."""

    def __init__(self, *options):
        self._folder = tempfile.mkdtemp()
        self._attackers = []
        self.programs = []
        self.sent = 0
        self._write_keys()
        pid = os.getpid()
        address = "tcp://127.%d.%d.1:*" % (1 + pid // 250 % 250, 1 + pid % 250)
        self.listener = self._run("listener", address, "--key", self._path("listener.key"),
                                  "--allow", self._path("allow"), *options)
        self.endpoint = self.listener.answer()["ready"]
        self.worker = self._run("worker", self.endpoint, "--key", self._path("honest.key"),
                                "--server", self._path("listener.pub"))
        assert self.worker.answer()["error"] == "OK"
        self.send(1, 0)     # it is connected then
        self.descriptors = self.count_descriptors()

    def _path(self, name):
        return os.path.join(self._folder, name)

    def _write_keys(self):
        self._keys = {name: zmtp.new_keys() for name in ("listener", "honest", "thief")}
        for name, keys in self._keys.items():
            zmtp.write_keys(self._path(name), keys)
        with open(os.open(self._path("allow"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as allow:
            for name in ("honest", "thief"):
                allow.write("curve %s %s\n" % (zmtp.z85_encode(self._keys[name][0]), name))

    def _run(self, name, *words):
        program = Program([os.path.join(PROGRAMS, "attacks_" + name), *words])
        self.programs.append(program)
        return program

    def close(self):
        for program in [*self._attackers, *self.programs]:
            program.kill()
        shutil.rmtree(self._folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # The attack

    def target(self, **options):
        host, port = self.endpoint.rsplit("/", 1)[-1].split(":")
        return json.dumps({"pull": [host, int(port)], "router": [host, int(port) + 1],
                           "server": self._keys["listener"][0].hex(),
                           "keys": [key.hex() for key in self._keys["thief"]], **options})

    def attack(self, name, **options):
        """Begin an attack; returns once it is in full swing."""
        attacker = Program([sys.executable, os.path.join(HERE, "attackers.py"), name, self.target(**options)], NICE)
        self._attackers.append(attacker)
        attacker.line()
        return attacker

    def stop_attacks(self):
        """Attackers go as they are: nothing is said to the listener."""
        for attacker in self._attackers:
            attacker.kill()
        self._attackers = []

    # The listener

    def stats(self):
        return self.listener.ask("stats")

    def memory(self, field="VmRSS"):
        """Of the listener, in MB: VmRSS, or the most that it was, VmHWM."""
        with open("/proc/%d/status" % self.listener.process.pid, encoding="ascii") as status:
            return int(re.search(field + r":\s+(\d+) kB", status.read())[1]) / 1000

    def count_descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.listener.process.pid))

    def wait_until(self, condition, what, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise Late("%s: not in %d s: %s" % (what, timeout, self.stats()))
            time.sleep(0.01)

    def wait_for_descriptors(self):
        """All that was taken for connections is free again, in the time of a handshake."""
        self.wait_until(lambda: self.count_descriptors() <= self.descriptors, "the descriptors", HANDSHAKE + TIMEOUT)

    # The honest worker

    def send(self, count, size, timeout=TIMEOUT):
        """Let it send so many; returns the seconds until all were handled."""
        answer = self.worker.ask("send %d %d" % (count, size), timeout)
        assert answer["error"] == "OK", answer
        self.sent += count
        return answer["number"] / 1e6

    def finish(self):
        """Both end as they should; returns the listener's last counts."""
        closed = self.worker.ask("close")
        assert (closed["error"], closed["number"]) == ("OK", 0), closed
        stats = self.stats()
        self.listener.say("quit")
        assert self.listener.process.wait(TIMEOUT) == 0
        return stats
