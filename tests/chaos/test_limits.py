"""Listeners that the system gives too little: descriptors, memory.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

prlimit --as forbids what sanitizers do: then the listener is the one in the
directory that the environment's MUSTER_CHAOS_PLAIN names.
"""
import os
import time
import unittest

import faults
from faults import FaultCase, Program, figure

DESCRIPTORS = 64
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

    def test_a_listener_without_descriptors_serves_those_that_fit_and_others_when_these_leave(self):
        self.start_listener("--liveness", "3", prefix=("prlimit", "--nofile=%d" % DESCRIPTORS))
        everyone = range(1, CROWDS * CROWD + 1)
        crowds = [self.start_crowd(first) for first in everyone[::CROWD]]
        self.wait_until(lambda: self.descriptors() == DESCRIPTORS, "the last descriptor to be taken")
        self.wait_until(lambda: len(self.served(everyone)) >= 5, "some to be served")
        began = time.monotonic()
        self.stats()
        figure("limits.answer_without_descriptors", round((time.monotonic() - began) * 1000, 1), "ms")
        figure("limits.served_of_60", len(self.served(everyone)), "workers")
        self.assertLess(len(self.served(everyone)), len(everyone))
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


if __name__ == "__main__":
    unittest.main()
