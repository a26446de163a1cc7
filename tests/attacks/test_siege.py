"""What attacks must not do, whatever time they take: lose or make messages, grow, keep descriptors.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Each attack is short here. What it costs the honest worker is for run.py to measure.
"""
import time
import unittest

from siege import DESCRIPTORS, Siege

MESSAGES = 10000
SIZE = 100
SMALL_LIMIT = 2 << 20
SECONDS = 1.0       # of each attack, at least


class SiegeCase(unittest.TestCase):
    def under(self, name, listener=(), most=64, connections=100, others=0, **options):
        """The honest worker beside an attack; the listener grows by `most` MB. Returns its last counts."""
        with Siege(*listener) as siege:
            siege.send(MESSAGES, SIZE)
            before = siege.memory()
            siege.attack(name, connections=connections, **options)
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                siege.send(MESSAGES, SIZE)
            siege.send(10, 1000000)
            grown = siege.memory("VmHWM") - before
            siege.stop_attacks()
            siege.send(MESSAGES, SIZE)
            siege.wait_for_descriptors()
            sent, stats = siege.sent, siege.finish()
        print("%s: grown by %.0f MB" % (name, grown), flush=True)
        self.assertEqual((stats["honest"], stats["wrong"], stats["disturbed"]), (sent, 0, 0))
        if others is not None:
            self.assertEqual(stats["others"], others)
        self.assertLess(grown, most)
        return stats


class Connections(SiegeCase):
    """They say nothing, or not all."""

    def test_half_open_handshakes(self):
        connections = min(10000, DESCRIPTORS - 200)
        print("%d half-open connections" % connections, flush=True)
        self.under("half_open", connections=connections, steady=False, most=150)

    def test_a_thousand_silent_connections_a_second(self):
        self.under("silent_flood", most=150)

    def test_connections_that_are_reset_at_once(self):
        self.under("reset_flood")

    def test_slow_greetings(self):
        self.under("slow_greeting")

    def test_slow_hellos(self):
        self.under("slow_hello")

    def test_slow_initiates(self):
        self.under("slow_initiate")

    def test_slow_frames(self):
        self.under("slow_frame")

    def test_a_piece_without_the_rest(self):
        self.under("stopped_piece")

    def test_dealers_that_never_say_hello(self):
        self.under("silent_dealer")


class Sizes(SiegeCase):
    """They are declared, and do not come."""

    def test_commands_of_4_gb(self):
        self.under("declared_command")

    def test_frames_of_4_gb(self):
        self.under("declared_frame")

    def test_frames_at_the_limit_that_do_not_come(self):
        self.under("declared_limit")

    def test_messages_of_4_gb(self):
        stats = self.under("declared_message")
        self.assertGreater(stats["CREDIT"], 0)


class Sessions(SiegeCase):
    """What fills the connections, and who says that he joins."""

    def test_refused_frames(self):
        stats = self.under("refused_small")
        for reason in ("EMPTY", "TRUNCATED", "RESERVED", "SHAPE", "SOURCE", "CMD", "DATA", "UTF8", "KEY", "DUPLICATE",
                       "DEPTH", "HEADER", "ACCESS", "MULTIPART"):
            self.assertGreater(stats[reason], 0, reason)

    def test_large_refused_frames(self):
        self.under("refused_large", most=600)

    def test_handshakes_with_keys_that_nobody_enrolled(self):
        self.under("garbage_keys")

    def test_replayed_handshakes(self):
        self.under("replayed")

    def test_millions_of_properties_in_a_handshake(self):
        self.under("endless_metadata", limit=SMALL_LIMIT, listener=("--frame-limit", str(SMALL_LIMIT)), most=128)

    def test_a_worker_that_joins_and_leaves(self):
        self.under("join_and_leave", listener=("--event-us", "1000"))

    def test_one_fresh_hello_after_the_other(self):
        self.under("fresh_hellos", listener=("--event-us", "1000"))

    def test_fresh_hellos_with_chosen_sessions(self):
        self.under("colliding_hellos")

    def test_a_routing_id_that_is_taken(self):
        self.under("taken_route")


if __name__ == "__main__":
    unittest.main()
