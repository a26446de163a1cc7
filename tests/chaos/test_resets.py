"""Connections that are reset, stall, vanish and are slow, between workers and a listener.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

CHAOS_SEED repeats a run's choices, as far as processes can be repeated.
"""
import os
import random
import statistics
import time
import unittest

from faults import SMALL, FaultCase, figure
from proxy import KINDS

WORKERS = 3
RESETS = 200
LARGE = 3000000
MEGABYTE = 1000000


class ResetCase(FaultCase):
    """Failures at random moments, of random kinds, by a proxy before a listener."""

    def setUp(self):
        self.seed = int(os.environ.get("CHAOS_SEED", random.randrange(1 << 32)))
        figure(self.id().rsplit(".", 1)[-1] + ".seed", self.seed, "")
        self.random = random.Random(self.seed)

    def begin(self, *worker_options, listener_options=(), workers=WORKERS):
        """A listener, a proxy before it and workers that connect to the proxy."""
        self.start_listener("--liveness", "60", *listener_options)
        self.proxy = self.make_proxy()
        for number in range(1, workers + 1):
            self.start_worker(number, self.proxy.endpoint, "--liveness", "60", *worker_options)

    def fail_once(self):
        """One failure of random kind; returns when connections may work again."""
        which = self.random.choice(KINDS + (None,))
        failure = self.random.choice((self.cut, self.cut, self.cut_in_a_frame, self.cut_in_a_handshake,
                                      self.cut_after_a_stall, self.cut_and_refuse))
        return failure(which)

    def cut(self, which):
        self.pause(0.03)
        at = time.monotonic()
        self.proxy.cut(which)
        return at

    def cut_in_a_frame(self, which):
        which = which or "data"
        most = {"data": 2 * LARGE, "return": 400}[which]
        self.proxy.truncate(int(most ** self.random.random()), which)
        self.wait_until(lambda: self.feed() or self.proxy.has_failed(which), "the proxy to cut")
        return self.proxy.failed_at

    def cut_in_a_handshake(self, which):
        which = which or "return"
        self.proxy.truncate(self.random.randrange(1, 500), which)
        self.proxy.cut()
        self.wait_until(lambda: self.feed() or self.proxy.has_failed(which), "the proxy to cut")
        return self.proxy.failed_at

    def cut_after_a_stall(self, which):
        self.proxy.stall(which, future=False)
        self.pause(0.1)
        return self.cut(which)

    def cut_and_refuse(self, which):
        self.proxy.refuse()
        self.proxy.cut(which)
        self.pause(0.3)
        at = time.monotonic()
        self.proxy.accept()
        return at

    def pause(self, most):
        """Failures come at random moments."""
        time.sleep(self.random.random() * most)

    def resume_times(self, at):
        """Seconds from at until each worker's first message over a new connection is handled.

        What arrived before the failure is handled in any case: a message counts
        from the moment that the proxy saw a new data connection.
        """
        def measured():
            self.feed()
            again = next((when for when in self.proxy.accepted["data"] if when >= at), None)
            if again is None:
                return None
            first = [self.first_handled_after(number, again) for number in self.workers]
            return [when - at for when in first] if None not in first else None
        return self.wait_until(measured, "each worker's next message")

    def feed(self):
        """Keep every worker at its work: small messages, and a large one now and then."""
        for number in self.workers:
            if self.backlog(number) < 150:
                self.send(number, 300, SMALL)
                if self.random.random() < 0.3:
                    self.send(number, 1, LARGE)


class TestResets(ResetCase):

    def test_two_hundred_resets_under_load_lose_repeat_and_reorder_nothing(self):
        self.begin("--rate", "4000")
        times = []
        self.feed()
        self.wait_until_each_handled()
        for _ in range(RESETS):
            times += self.resume_times(self.fail_once())
        stats = self.finish()
        self.assert_events(["JOINED", "LEFT"])
        self.assertEqual(stats["rejected"], 0)
        figure("resets.connections", sum(self.proxy.resets.values()), "")
        figure("resets.messages", stats["handled"], "")
        figure("resets.sent_again", stats["duplicates"], "messages")
        figure("resets.resume_median", round(statistics.median(times) * 1000, 1), "ms")
        figure("resets.resume_max", round(max(times) * 1000, 1), "ms")
        self.assertLess(statistics.median(times), 0.2)

    def test_each_command_arrives_once_and_in_order_in_spite_of_resets(self):
        self.begin("--rate", "4000", "--commands", listener_options=("--echo",))
        self.feed()
        self.wait_until_each_handled()
        for _ in range(RESETS // 4):
            self.resume_times(self.fail_once())
        self.flush_all()
        for number, worker in self.workers.items():
            self.wait_until(lambda: len(self.commands(worker)) >= self.sent[number], "every echo")
            self.assertEqual(self.commands(worker), list(range(1, self.sent[number] + 1)))
        self.finish()
        self.assert_events(["JOINED", "LEFT"])
        figure("commands.echoes", sum(self.sent.values()), "")


class TestSilence(ResetCase):

    def begin_one(self, listener_options, worker_options):
        self.start_listener(*listener_options)
        self.proxy = self.make_proxy()
        self.start_worker(1, self.proxy.endpoint, *worker_options)

    def test_a_black_hole_of_the_data_connection_is_found_by_the_worker(self):
        self.begin_one(("--liveness", "2"), ("--liveness", "2", "--no-progress", "3", "--rate", "1000"))
        self.feed()
        self.wait_until_each_handled()
        at = time.monotonic()
        self.proxy.blackhole("data")
        found = self.resume_times(at)[0]
        self.finish()
        self.assert_events(["JOINED", "LEFT"])
        figure("black_hole.found", round(found * 1000), "ms")
        self.assertLess(found, 6)

    def test_a_flush_outlives_a_black_hole_of_the_data_connection(self):
        self.begin_one(("--liveness", "10"), ("--liveness", "2", "--no-progress", "6"))
        self.send(1, 10, SMALL)
        self.flush(1)
        self.proxy.blackhole("data")
        self.send(1, 10, SMALL)
        figure("black_hole.flush", round(self.flush(1) * 1000), "ms")
        self.finish()
        self.assert_events(["JOINED", "LEFT"])

    def begin_large(self, future):
        """Worker 1 stalls in the middle of a large message; returns when.

        The budget has room for one such message, and each worker has a floor.
        """
        self.begin_one(("--liveness", "2", "--no-progress", "3", "--budget", "64000000", "--message-limit", "52000000",
                        "--plain-share", "1000000"), ("--liveness", "2", "--no-progress", "30"))
        for number in (2, 3):
            self.start_worker(number, self.listener.endpoint, "--liveness", "2")
        self.proxy.stall_after(20 * MEGABYTE, "data", future)
        self.send(1, 1, 50 * MEGABYTE)
        self.wait_until(self.proxy.has_failed, "the stall")
        return self.proxy.failed_at

    def test_a_large_message_that_stalls_keeps_others_waiting_no_longer_than_no_progress(self):
        at = self.begin_large(future=True)
        self.send(2, 1, 50 * MEGABYTE)
        self.send(3, 100, SMALL)
        self.wait_until(lambda: self.backlog(3) == 0, "small messages of another worker")
        self.assertEqual(self.backlog(2), 1)
        self.wait_until(lambda: self.backlog(2) == 0, "the large message of another worker")
        freed = self.first_handled_after(2, at)
        self.wait_until(lambda: "LOST" in self.events(1), "LOST")
        self.assertLess(freed, self.told_at(1, "LOST"))
        self.assertLess(freed - at, 6)
        self.assertEqual(self.backlog(1), 1)
        self.proxy.resume()
        self.wait_until(lambda: self.backlog(1) == 0, "the message that stalled")
        self.finish()
        for number, between in ((1, ["LOST", "RETURNED"]), (2, []), (3, [])):
            self.assert_events(["JOINED", *between, "LEFT"], number)
        figure("stalled_message.others_go_on", round((freed - at) * 1000), "ms")

    def test_a_large_message_whose_connection_stalls_goes_over_another_one(self):
        at = self.begin_large(future=False)
        self.wait_until(lambda: self.backlog(1) == 0, "the message that stalled")
        figure("stalled_message.handled", round((self.first_handled_after(1, at) - at) * 1000), "ms")
        self.finish()
        self.assert_events(["JOINED", "LEFT"])

    def test_a_stall_of_the_return_connection_longer_than_liveness_is_lost_and_returned(self):
        self.begin_one(("--liveness", "1"), ("--liveness", "1", "--rate", "1000"))
        self.feed()
        self.wait_until_each_handled()
        at = time.monotonic()
        self.proxy.stall("return")
        self.wait_until(lambda: self.feed() or "LOST" in self.events(1), "LOST")
        figure("return_stall.lost", round((time.monotonic() - at) * 1000), "ms")
        at = time.monotonic()
        self.proxy.resume()
        self.wait_until(lambda: "RETURNED" in self.events(1), "RETURNED")
        figure("return_stall.returned", round((time.monotonic() - at) * 1000), "ms")
        self.finish()
        self.assert_events(["JOINED", "LOST", "RETURNED", "LEFT"])


class TestDelay(ResetCase):

    def connections(self):
        """How many there have been. An attempt that took longer than liveness to open counts too."""
        return [len(self.proxy.accepted[kind]) for kind in KINDS]

    def test_a_delay_of_200_ms_each_way_costs_time_and_nothing_else(self):
        self.start_listener("--liveness", "5")
        self.proxy = self.make_proxy()
        self.proxy.delay(200)
        for number in range(1, WORKERS + 1):
            self.start_worker(number, self.proxy.endpoint, "--liveness", "5")
        for number in self.workers:
            self.send(number, 1, SMALL)
            self.flush(number)
        connected, sent = self.connections(), sum(self.sent.values())
        at = time.monotonic()
        for number in self.workers:
            for _ in range(10):
                self.send(number, 5000, SMALL)
                self.send(number, 1, LARGE)
        self.flush_all()
        taken = time.monotonic() - at
        size, count = sum(self.sent_bytes.values()), sum(self.sent.values())
        self.send(1, 1, SMALL)
        flushed = self.flush(1)
        self.finish()
        self.assertEqual(self.connections(), connected, "a connection that worked was given up")
        self.assertGreaterEqual(flushed, 0.4)
        self.assert_events(["JOINED", "LEFT"])
        figure("delay.throughput", round((count - sent) / taken), "messages/s")
        figure("delay.bytes", round(size / taken / MEGABYTE, 1), "MB/s")
        figure("delay.flush_of_one", round(flushed * 1000), "ms")


if __name__ == "__main__":
    unittest.main()
