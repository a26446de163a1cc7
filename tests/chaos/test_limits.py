"""Listeners that the system gives too little: descriptors, memory.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

prlimit --as forbids what sanitizers do: the listener there is a plain one.
"""
import os
import re
import time
import unittest

from faults import PLAIN, FaultCase, Program, figure

MEGABYTE = 1000000
DESCRIPTORS = 64
STARVED = 8     # seconds: longer than a connection's handshake may take
CROWDS = 4
CROWD = 15
LATE = 1000


class TestDescriptors(FaultCase):

    def start_crowd(self, first):
        """A process of workers that keep sending: they stay until it is killed."""
        crowd = Program((), "chaos_worker", [
            self.listener.endpoint, "--source", "worker-", "--number", str(first), "--workers", str(CROWD),
            "--count", "1000000", "--rate", "10", "--size", "100"])
        self.addCleanup(crowd.kill)
        return crowd

    def served(self, numbers):
        """Which of these had something handled."""
        return [number for number in numbers if self.records(number)]

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.listener.process.pid))

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.listener.process.pid, encoding="ascii") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def starve(self):
        """It lives and answers for as long as it takes connections to be given up and tried again."""
        began, cpu, longest = time.monotonic(), self.cpu_seconds(), 0
        while time.monotonic() < began + STARVED:
            asked = time.monotonic()
            self.stats()
            longest = max(longest, time.monotonic() - asked)
            time.sleep(0.05)
        figure("limits.answer_without_descriptors_max", round(longest * 1000, 1), "ms")
        figure("limits.cpu_without_descriptors", round((self.cpu_seconds() - cpu) / STARVED * 100), "percent")

    def test_a_listener_without_descriptors_serves_those_that_fit_and_others_when_these_leave(self):
        self.start_listener("--liveness", "3", prefix=("prlimit", "--nofile=%d" % DESCRIPTORS))
        everyone = range(1, CROWDS * CROWD + 1)
        crowds = [self.start_crowd(first) for first in everyone[::CROWD]]
        self.wait_until(lambda: self.descriptors() == DESCRIPTORS, "the last descriptor to be taken")
        self.wait_until(lambda: len(self.served(everyone)) >= 5, "some to be served")
        self.starve()
        served = len(self.served(everyone))
        figure("limits.served_of_60", served, "workers")
        self.assertLess(served, len(everyone))
        for crowd in crowds[1:]:
            crowd.kill()
        left = time.monotonic()
        self.start_worker(LATE, self.listener.endpoint)
        self.send(LATE, 100, 100)
        self.flush(LATE)
        figure("limits.served_again_after", round(time.monotonic() - left, 1), "s")
        self.wait_until(lambda: len(self.served(everyone[:CROWD])) == CROWD, "those that stayed to be served")
        self.assertIsNone(self.listener.process.poll())
        for number in self.served(everyone):
            numbers = [record.n for record in self.records(number)]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        crowds[0].kill()
        self.finish()


class TestAddressSpace(FaultCase):

    OPTIONS = ("--budget", "1000000000", "--message-limit", "200000000", "--handle-ms", "500")
    ROOM = 190 * MEGABYTE   # for one message of 100 MB, not for two; libzmq's own pieces fit beside it

    def size_at_ready(self):
        """The address space of a listener that has nothing to do, in bytes."""
        self.start_listener(*self.OPTIONS, prefix=("env", "MALLOC_ARENA_MAX=1"), directory=PLAIN)
        with open("/proc/%d/status" % self.listener.process.pid, encoding="ascii") as status:
            size = int(re.search(r"VmSize:\s+(\d+) kB", status.read()).group(1)) * 1024
        self.listener.kill()
        return size

    def test_large_messages_that_find_no_memory_arrive_once_there_is_some(self):
        limit = self.size_at_ready() + self.ROOM
        self.start_listener(*self.OPTIONS, prefix=("env", "MALLOC_ARENA_MAX=1", "prlimit", "--as=%d" % limit),
                            directory=PLAIN)
        for number in (1, 2, 3):
            self.start_worker(number, self.listener.endpoint, "--no-progress", "120", "--drain", "120")
        began = time.monotonic()
        for number in self.workers:
            self.send(number, 3, 100 * MEGABYTE)
        stats = self.finish()
        figure("limits.refused_for_memory", stats["memory"], "frames")
        figure("limits.nine_large_in_little_memory", round(time.monotonic() - began, 1), "s")
        self.assertGreater(stats["memory"], 0, "it never ran out of memory")
        self.assert_events(["JOINED", "LEFT"])


if __name__ == "__main__":
    unittest.main()
