"""Memory that stays bounded: large messages cut short, many at once, slow handlers, small budgets.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import time
import unittest

from faults import BINARIES, PLAIN, SANITIZERS, TIMEOUT, FaultCase, Program, alone, figure

MEGABYTE = 1000000
MEBIBYTE = 1 << 20
PATIENCE = 300 if SANITIZERS else 120


class MemoryCase(FaultCase):
    """A listener whose memory is watched, and crowds: processes of many workers each."""

    def setUp(self):
        self.crowds = []

    def memory(self):
        """The listener's RSS, its peak, and its counts."""
        self.stats()
        return [line for line in self.listener.lines if "stats" in line][-1]

    def start_crowd(self, first, count, *options, directory=BINARIES):
        """A process of so many workers, that send at once what the options say, and close."""
        crowd = Program((), "chaos_worker", [
            self.listener.endpoint, "--source", "worker-", "--number", str(first), "--workers", str(count), *options],
            directory)
        self.addCleanup(crowd.kill)
        self.crowds.append(crowd)

    def programs(self):
        return super().programs() + self.crowds

    def have_ended(self):
        return all(crowd.process.poll() is not None for crowd in self.crowds)

    def assert_all_closed(self, workers):
        """Each worker of all crowds said goodbye with all confirmed."""
        self.wait_until(self.have_ended, "the end of all workers", PATIENCE)
        lines = []
        for crowd in self.crowds:
            crowd.poll()
            lines += crowd.lines
            self.assertEqual(crowd.process.returncode, 0)
        self.assertEqual([line for line in lines if "error" in line], [])
        self.assertEqual(sum(line.get("closed") == "OK" for line in lines), workers)

    def assert_handled(self, workers, count):
        """Each worker's messages: all, once, in order."""
        for number in range(1, workers + 1):
            self.assertEqual([record.n for record in self.records(number)], list(range(1, count + 1)))
            self.assertEqual([record.position for record in self.records(number)], list(range(1, count + 1)))
        self.assertEqual([line for line in self.listener.lines if "wrong" in line], [])

    def end_listener(self, result):
        """The listener ends as it should; what was measured is handed on."""
        self.listener.say("quit")
        self.assertEqual(self.listener.process.wait(TIMEOUT), 0)
        return result


class TestMemory(MemoryCase):

    def test_a_worker_killed_in_the_middle_of_a_large_message_leaves_no_memory_behind(self):
        self.start_listener("--liveness", "2", "--budget", "300000000", "--message-limit", "220000000",
                            "--plain-share", "1000000")
        before = self.answer(self.listener, "ready")["rss_kb"]
        self.start_worker(1, self.listener.endpoint)
        self.send(1, 1, 200 * MEGABYTE)
        self.wait_until(lambda: self.memory()["rss_kb"] > before + 50000, "the message's first 50 MB")
        self.workers.pop(1).kill()
        self.wait_until(lambda: "LOST" in self.events(1), "LOST")
        self.assertEqual(self.records(1), [], "it was killed too late to cut the message")
        room = 250000 if SANITIZERS else 16000   # a sanitizer keeps what is freed in quarantine
        self.wait_until(lambda: self.memory()["rss_kb"] < before + room, "the memory to come back")
        figure("memory.left_by_killed", self.memory()["rss_kb"] - before, "kB")
        at = time.monotonic()
        self.start_worker(1, self.listener.endpoint)
        self.wait_until(lambda: self.events(1).count("JOINED") == 2, "JOINED again")
        joined = time.monotonic() - at
        figure("memory.joined_again", round(joined * 1000), "ms")
        self.assertLess(joined, 2)
        # There is room for one such message: the other's grant is free again.
        self.send(1, 1, 200 * MEGABYTE)
        self.finish()
        self.assert_events(["JOINED", "LOST", "JOINED", "LEFT"])

    @alone
    def test_two_hundred_large_messages_at_once_arrive_in_bounded_memory(self):
        budget = 64 * MEBIBYTE
        # AddressSanitizer is not to keep what is freed.
        self.start_listener("--budget", str(budget), "--message-limit", "24000000", "--floor", "65536",
                            "--plain-share", "1000000", "--handle-ms", "100",
                            prefix=("env", "ASAN_OPTIONS=quarantine_size_mb=0:thread_local_quarantine_size_kb=0"))
        # The shadow of so many workers would not fit into a machine.
        for first in range(1, 201, 50):
            self.start_crowd(first, 50, "--count", "1", "--size", "20000000", "--drain", "300", directory=PLAIN)
        self.assert_all_closed(200)
        self.assert_handled(200, 1)
        peak = self.end_listener(self.memory()["peak_rss_kb"])
        figure("memory.peak_of_200_large", peak, "kB")
        # ThreadSanitizer has four bytes of its own for each.
        times = 5 if "thread" in SANITIZERS else 1
        self.assertLess(peak * 1024, times * (budget + 64 * MEBIBYTE))

    def test_a_handler_that_takes_a_minute_loses_nobody(self):
        self.start_listener("--liveness", "5", "--handle-first-ms", "60000")
        for number in (1, 2):
            self.start_worker(number, self.listener.endpoint, "--liveness", "5", "--no-progress", "5")
        self.send(1, 100, 1000)
        self.send(2, 100, 1000)
        began = time.monotonic()
        self.workers[1].say("flush")
        flushed = self.wait_until(
            lambda: [line["flushed"] for line in self.workers[1].lines if "flushed" in line], "flush", 90)
        took = time.monotonic() - began
        figure("memory.flush_past_slow_handler", round(took, 1), "s")
        self.assertEqual(flushed, ["OK"])
        self.assertGreater(took, 50)
        self.assertEqual(self.stats()["disconnects"], 0)
        self.assertEqual(self.finish()["duplicates"], 0)
        self.assert_events(["JOINED", "LEFT"])

    def test_many_small_senders_never_exceed_the_budget(self):
        most, grown = self.most_of_small_senders(8000000, 100, 2000, 1000)
        figure("memory.most_queued", most, "bytes")
        figure("memory.peak_of_100_small", grown, "kB")
        self.assertGreater(most, 6000000, "the budget was never put to the test")

    def test_small_messages_that_come_one_by_one_take_memory_of_their_size(self):
        most, grown = self.most_of_small_senders(8000000, 10, 3000, 100, "--rate", "1000")
        figure("memory.most_trickled", most, "bytes")
        figure("memory.peak_of_trickled", grown, "kB")
        self.assertGreater(most, 2000000, "they were handled as they came")
        self.assertLess(grown, 400000 if SANITIZERS else 48000)

    def most_of_small_senders(self, budget, workers, count, size, *options):
        """The most bytes ever queued, and the kB that the listener grew, with a first handler that takes long."""
        self.start_listener("--budget", str(budget), "--message-limit", "1000000", "--plain-share", "100000",
                            "--floor", "65536", "--handle-first-ms", "6000")
        before = self.answer(self.listener, "ready")["rss_kb"]
        self.start_crowd(1, workers, "--count", str(count), "--size", str(size), "--drain", "120", *options)
        most = 0
        while not self.have_ended():
            queued = self.stats()["queued_bytes"]
            self.assertLessEqual(queued, budget)
            most = max(most, queued)
            time.sleep(0.02)
        self.assert_all_closed(workers)
        self.assert_handled(workers, count)
        return most, self.end_listener(self.memory()["peak_rss_kb"] - before)


if __name__ == "__main__":
    unittest.main()
