"""What a running listener counts, as a user types it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import json
import os
import re
import subprocess
import unittest

from command import CommandCase
from other import REPORT, Other, frame

SAMPLE = re.compile(r'^[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"\})? [0-9.e+-]+$')
COMMENT = re.compile(r"^# (HELP [a-z_]+ \S.*|TYPE [a-z_]+ (counter|gauge|histogram))$")


class StatsCase(CommandCase):
    def stats(self, endpoint, *args):
        done = self.run_muster("stats", endpoint, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def counted(self, endpoint, *args):
        return json.loads(self.stats(endpoint, *args))

    def send(self, endpoint, source, *args):
        done = self.run_muster("send", endpoint, "--source", source, "--cmd", "C", *args)
        self.assertEqual(done.returncode, 0, done.stderr)


class WithoutKeys(StatsCase):
    def test_a_listener_that_nobody_sent_to_has_counted_nothing(self):
        _, endpoint = self.listen()
        counted = self.counted(endpoint)
        self.assertEqual((counted["received"], counted["workers"], counted["roster"]), (0, 0, []))
        self.assertGreater(counted["budget"], 0)

    def test_what_was_handled_is_counted(self):
        for endpoint in ("tcp://127.0.0.1:*", "ipc://" + os.path.join(self.directory(), "socket")):
            _, endpoint = self.listen(endpoint=endpoint)
            self.send(endpoint, "a")
            counted = self.counted(endpoint)
            self.assertEqual((counted["received"], counted["handled"], counted["queued"]), (1, 1, 0))

    def test_a_worker_that_is_here_is_in_the_roster(self):
        listener, endpoint = self.listen()
        self.start("send", endpoint, "--source", "a", "--cmd", "C", "-", stdin=subprocess.PIPE)
        listener.err.wait_for("JOINED a")
        worker, = self.counted(endpoint)["roster"]
        self.assertEqual((worker["source"], worker["present"], worker["address"]), ("a", True, "127.0.0.1"))

    def test_a_worker_s_round_trip_is_told(self):
        listener, endpoint = self.listen()
        self.start("send", endpoint, "--source", "a", "--cmd", "C", "-", stdin=subprocess.PIPE)
        listener.err.wait_for("JOINED a")
        round_trips = (self.counted(endpoint)["roster"][0]["round_trip_us"] for _ in range(200))
        self.assertTrue(0 < next(filter(None, round_trips)) < 5000000)
        self.assertRegex(self.stats(endpoint, "--prometheus"),
                         r'\nmuster_worker_round_trip_microseconds\{source="a"\} [1-9][0-9]*\n')

    def test_prometheus_gets_lines_that_it_can_read(self):
        listener, endpoint = self.listen()
        self.start("send", endpoint, "--source", 'a "b" \\', "--cmd", "C", "-", stdin=subprocess.PIPE)
        listener.err.wait_for("JOINED")
        text = self.stats(endpoint, "--prometheus")
        for line in text.splitlines():
            self.assertRegex(line, COMMENT if line.startswith("#") else SAMPLE)
        self.assertIn('muster_worker_present{source="a \\"b\\" \\\\"} 1\n', text)
        self.assertIn('muster_handler_seconds_bucket{le="+Inf"} 0\n', text)

    def test_where_nobody_listens_it_fails_after_the_timeout(self):
        done = self.run_muster("stats", "ipc://" + os.path.join(self.directory(), "nobody"), "--timeout", "0.2")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("nobody listens there", done.stderr)

    def test_what_is_not_understood_ends_with_2(self):
        for args in ([], ["tcp://127.0.0.1:1", "more"], ["tcp://127.0.0.1:1", "--key", "k"], ["--timeout", "0", "tcp://a:1"]):
            self.assertEqual(self.run_muster("stats", *args).returncode, 2, args)

    def test_help_says_how(self):
        self.assertIn("--prometheus", self.stats("--help"))
        self.assertIn("muster stats", self.run_muster("--help").stdout)


class OtherListeners(StatsCase):
    """Answers as other listeners give them."""

    def setUp(self):
        listener, endpoint = self.listen()
        self.start("send", endpoint, "--source", "a", "--cmd", "C", "-", stdin=subprocess.PIPE)
        listener.err.wait_for("JOINED a")
        self.report = self.counted(endpoint)
        self.worker, = self.report["roster"]

    def other(self):
        """The endpoint of one that answers with the report as it is then."""
        return Other(self, lambda question: frame(REPORT, question, [self.report])).endpoint

    def test_one_that_is_older_and_tells_no_round_trip_is_watched(self):
        del self.worker["round_trip_us"]
        endpoint = self.other()
        self.assertNotIn("round_trip_us", self.counted(endpoint)["roster"][0])
        text = self.stats(endpoint, "--prometheus")
        self.assertIn('muster_worker_present{source="a"} 1\n', text)
        self.assertNotIn("muster_worker_round_trip_microseconds{", text)
        top = self.run_muster("top", endpoint, "--once", "--interval", "0.1")
        self.assert_done(top)
        self.assertRegex(top.stdout, r"(?m)^a +127\.0\.0\.1 +here .* - +\S+$")

    def test_for_prometheus_nothing_is_printed_of_an_answer_with_a_fault(self):
        endpoint = self.other()
        for where, name, value in ((self.report, "committed", None), (self.report, "times", 1), (self.report, "refused", {"\x1b": 1}),
                                   (self.worker, "source", "a\x1b[2J"), (self.worker, "silent_ms", "long"),
                                   (self.worker, "round_trip_us", -1), (self.report, "roster", None)):
            with self.subTest(name=name):
                before = where.pop(name)
                if value is not None:
                    where[name] = value
                done = self.run_muster("stats", endpoint, "--prometheus")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertEqual(done.stderr, f"muster: {endpoint}: the answer is none that this version understands\n")
                where[name] = before
        self.assertIn("muster_workers 1\n", self.stats(endpoint, "--prometheus"))


class WithKeys(StatsCase):
    def setUp(self):
        self.place = self.directory()
        for name in ("listener", "a", "observer"):
            self.assertEqual(self.run_muster("keygen", self.path(name)).returncode, 0)
        self.enrol("a", "--source", "a")
        self.enrol("observer", "--observer")
        _, self.endpoint = self.listen("--key", self.path("listener.key"), "--allow", self.path("allow"))

    def path(self, name):
        return os.path.join(self.place, name)

    def enrol(self, name, *args):
        done = self.run_muster("enrol", self.path("allow"), self.path(name + ".pub"), *args)
        self.assertEqual(done.returncode, 0, done.stderr)

    def keys(self, name):
        return "--key", self.path(name + ".key"), "--server", self.path("listener.pub")

    def test_an_observer_is_answered(self):
        self.send(self.endpoint, "a", *self.keys("a"))
        self.assertEqual(self.counted(self.endpoint, *self.keys("observer"))["handled"], 1)

    def test_a_worker_s_key_is_refused_and_counted_and_told_why(self):
        done = self.run_muster("stats", self.endpoint, *self.keys("a"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the key is no observer's", done.stderr)
        self.assertEqual(self.counted(self.endpoint, *self.keys("observer"))["refused"]["ACCESS"], 1)

    def test_without_a_key_it_is_refused_and_told_why(self):
        done = self.run_muster("stats", self.endpoint)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the listener asks for keys", done.stderr)

    def test_an_observer_s_key_may_send_nothing(self):
        done = self.run_muster("send", self.endpoint, "--source", "a", "--cmd", "C", *self.keys("observer"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("the key may not use this source", done.stderr)

    def test_a_key_may_have_sources_and_observe(self):
        self.enrol("a", "--observer")
        self.enrol("observer", "--source", "b")
        with open(self.path("allow"), encoding="utf-8") as file:
            kinds = [line.split()[::2] for line in file]
        self.assertEqual(kinds, [["curve-observer", "a"], ["curve-observer", "b"]])


if __name__ == "__main__":
    unittest.main()
