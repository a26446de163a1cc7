"""A worker and a listener on two networks that part, meet again and lose packets.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Needs root, for network namespaces.
"""
import time
import unittest

from faults import SMALL, FaultCase, figure
from network import Network

LARGE = 300000
MEGABYTE = 1000000
# Handled is reported within 10 ms; this leaves room for a machine that is busy.
REPORTED = 0.5
LOSSY_SECONDS = 20


class TestPartition(FaultCase):

    def setUp(self):
        self.network = Network()
        self.addCleanup(self.network.close)
        address = self.network.address("right")
        self.listen = ("tcp://%s:*" % address, "--insecure", "--advertise", address)

    def begin(self, liveness, *worker_options, listener_options=()):
        self.start_listener("--liveness", str(liveness), *self.listen[1:], *listener_options,
                            endpoint=self.listen[0], prefix=self.network.prefix("right"))
        self.start_worker(1, self.listener.endpoint, "--liveness", str(liveness), *worker_options,
                          prefix=self.network.prefix("left"))
        self.feed()
        self.wait_until_each_handled()

    def feed(self):
        if self.backlog(1) < 500:
            self.send(1, 1000, SMALL)

    def heal(self, name):
        """Heal, and measure how long it takes until something new is handled."""
        known = len(self.records(1))
        self.network.heal()
        at = time.monotonic()
        self.wait_until(lambda: self.feed() or len(self.records(1)) > known, "the next message")
        figure(name + ".resume", max(0, round((self.records(1)[known].at - at) * 1000)), "ms")

    def test_a_partition_shorter_than_liveness_is_not_noticed(self):
        self.begin(5, "--rate", "2000")
        self.network.partition()
        at = time.monotonic()
        self.wait_until(lambda: self.feed() or time.monotonic() > at + 1, "a second")
        self.assertLess(self.records(1)[-1].at, at + REPORTED, "the networks had not parted")
        self.heal("short_partition")
        self.finish()
        self.assert_events(["JOINED", "LEFT"])

    def test_a_partition_longer_than_liveness_is_lost_and_returned(self):
        self.begin(1, "--rate", "2000")
        self.network.partition()
        self.wait_until(lambda: self.feed() or "LOST" in self.events(1), "LOST")
        self.heal("long_partition")
        self.assertIn("RETURNED", self.events(1))
        self.finish()
        self.assert_events(["JOINED", "LOST", "RETURNED", "LEFT"])

    def test_a_partition_longer_than_retention_repeats_only_what_was_not_confirmed(self):
        self.begin(1, "--rate", "2000", listener_options=("--retention", "3"))
        self.flush(1)
        confirmed = self.sent[1]
        self.wait_until(lambda: self.feed() or len(self.records(1)) > confirmed + 2000, "a second of traffic")
        parted = time.monotonic()
        self.network.partition()
        self.wait_until(lambda: "LOST" in self.events(1), "LOST")
        self.wait_until(lambda: self.stats()["sessions"] == 0, "the session to be forgotten")
        before = list(self.records(1))
        self.heal("forgotten")
        self.wait_until(lambda: self.events(1).count("JOINED") == 2, "JOINED again")
        self.close_all()
        after = self.records(1)[len(before):]
        first = after[0].n
        self.assertEqual([record.n for record in before], list(range(1, len(before) + 1)))
        self.assertEqual([record.n for record in after], list(range(first, self.sent[1] + 1)))
        self.assertLessEqual(first, len(before) + 1)
        self.assertGreater(first, confirmed)
        repeats = before[first - 1:]
        for record in repeats:
            self.assertGreater(record.at, parted - REPORTED, "confirmed and yet repeated")
        self.assert_events(["JOINED", "LOST", "JOINED", "LEFT"])
        figure("forgotten.repeats", len(repeats), "messages")

    def test_five_percent_of_packets_lost_cost_time_and_nothing_else(self):
        self.begin(5)
        self.network.loss(5)
        start = time.monotonic()
        sent, size = self.sent[1], self.sent_bytes[1]

        def enough():
            if self.backlog(1) < 3000:
                self.send(1, 3000, SMALL)
                self.send(1, 3, LARGE)
            return time.monotonic() > start + LOSSY_SECONDS
        self.wait_until(enough, "the traffic")
        self.flush(1)
        taken = time.monotonic() - start
        dropped = self.network.dropped()
        self.assertGreater(dropped, 100)
        figure("loss.packets", dropped, "packets")
        self.finish()
        self.assert_events(["JOINED", "LEFT"])
        figure("loss.throughput", round((self.sent[1] - sent) / taken), "messages/s")
        figure("loss.bytes", round((self.sent_bytes[1] - size) / taken / MEGABYTE, 1), "MB/s")


if __name__ == "__main__":
    unittest.main()
