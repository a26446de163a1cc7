"""Descriptors and memory that run out, and come back.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import unittest

import faults
from faults import figure
from test_memory import MEGABYTE, MemoryCase

DESCRIPTORS = 64


class TestLimits(MemoryCase):

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.listener.process.pid))

    def test_where_descriptors_run_out_workers_wait_and_each_is_served_when_there_is_room(self):
        self.start_listener("--handle-ms", "5", prefix=("prlimit", "--nofile=%d:%d" % (DESCRIPTORS, DESCRIPTORS)))
        free = DESCRIPTORS - self.descriptors()
        self.assertLess(free, 2 * 60, "all would find room")
        self.start_crowd(1, 60, "--count", "20", "--size", "100", "--drain", "120", "--no-progress", "120")
        most = 0
        while not self.have_ended():
            most = max(most, self.descriptors())
            self.assertIsNone(self.listener.process.poll(), "the listener ended")
            self.stats()
        figure("limits.descriptors", most, "")
        self.assertGreaterEqual(most, DESCRIPTORS - 2, "they never ran out")
        self.assert_all_closed(60)
        self.assert_handled(60, 20)


class TestMemoryLimit(MemoryCase):
    """Large allocations fail, which are muster's own: a large message is one.

    ZeroMQ's small ones end the process by its design, so there is room for them.
    A sanitizer needs all addresses: then the plain programs are tried."""

    def setUp(self):
        super().setUp()
        before = faults.BINARIES
        self.addCleanup(setattr, faults, "BINARIES", before)
        if "CHAOS_SANITIZED" in os.environ:
            faults.BINARIES = os.environ["MUSTER_CHAOS_PLAIN"]

    def address_space(self):
        with open("/proc/%d/status" % self.listener.process.pid, encoding="ascii") as status:
            return [int(line.split()[1]) * 1024 for line in status if line.startswith("VmSize")][0]

    def test_where_memory_runs_out_large_messages_are_sent_again_until_there_is_room(self):
        options = ("--budget", "2000000000", "--message-limit", "200000000", "--handle-ms", "200")
        few_arenas = ("env", "MALLOC_ARENA_MAX=1")
        self.start_listener(*options, prefix=few_arenas)
        limit = self.address_space() + 250 * MEGABYTE
        self.start_listener(*options, prefix=(*few_arenas, "prlimit", "--as=%d" % limit))
        self.start_crowd(1, 4, "--count", "3", "--size", str(100 * MEGABYTE), "--send-buffer", "400000000",
                         "--drain", "120", "--no-progress", "120")
        self.assert_all_closed(4)
        self.assert_handled(4, 3)
        stats = self.stats()
        figure("limits.refused_for_memory", stats["memory"] + stats["gaps"], "")
        self.assertGreater(stats["memory"] + stats["gaps"], 0, "memory never ran out")


if __name__ == "__main__":
    unittest.main()
