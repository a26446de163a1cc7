"""Processes that share what only one may have: a port, a path, a source.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import signal
import tempfile
import unittest

from faults import FaultCase, Program

FIGHTS = 10
FIGHT_MESSAGES = 50000
FIGHT_RATE = 10000      # a second: each has more to say when the next one comes


class TestProcesses(FaultCase):

    def another_listener(self, endpoint, *options):
        """On the same ledger as the first."""
        program = Program((), "chaos_listener", [endpoint, "--ledger", self._path, *options])
        self.addCleanup(program.kill)
        return program

    def kill_listener(self):
        self.listener.process.send_signal(signal.SIGKILL)
        self.listener.process.wait()

    def assert_each_handled_once(self, number, count):
        """All of them: what a dead listener had handled was confirmed before it was killed."""
        self.assertEqual([record.n for record in self.records(number)], list(range(1, count + 1)))

    def state_of(self, pid):
        with open("/proc/%d/stat" % pid, encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]

    def test_a_forked_child_that_outlives_its_coordinator_does_not_keep_the_port(self):
        self.start_listener()
        endpoint = self.listener.endpoint
        self.start_worker(1, endpoint)
        self.send(1, 1000, 100)
        self.flush(1)
        # It inherits the worker's connections too.
        child = self.ask(self.listener, "fork", "child")
        self.addCleanup(os.kill, child, signal.SIGKILL)
        self.kill_listener()
        self.send(1, 1000, 100)
        self.listener = self.another_listener(endpoint)
        self.assertEqual(self.answer(self.listener, "ready")["ready"], endpoint)
        self.assertLess(self.flush(1), 5, "the worker had to wait for silence")
        self.assertEqual(self.state_of(child), "S", "the child does not live")
        self.close_all()
        self.assert_each_handled_once(1, 2000)

    def test_a_second_listener_on_a_live_path_is_refused_and_takes_over_when_the_first_is_dead(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        endpoint = "ipc://%s/socket" % folder.name
        self.start_listener(endpoint=endpoint)
        self.start_worker(1, endpoint)
        self.send(1, 1000, 100)
        self.flush(1)
        second = self.another_listener(endpoint)
        self.assertEqual(self.answer(second, "error")["error"], "INUSE")
        self.assertEqual(second.process.wait(), 1)
        self.send(1, 1000, 100)
        self.flush(1)
        self.kill_listener()
        self.send(1, 1000, 100)
        self.listener = self.another_listener(endpoint)
        self.assertEqual(self.answer(self.listener, "ready")["ready"], endpoint)
        self.flush(1)
        self.close_all()
        self.assert_each_handled_once(1, 3000)

    def test_of_workers_that_fight_for_a_source_one_has_it_at_a_time_and_the_loser_stays_out(self):
        self.start_listener()
        for fight in range(1, FIGHTS + 1):
            losers = list(self.workers)
            worker = Program((), "chaos_worker", [
                self.listener.endpoint, "--source", "worker-1", "--number", str(fight), "--wait-stdin", "--commands",
                "--rate", str(FIGHT_RATE)])
            self.addCleanup(worker.kill)
            self.workers[fight], self.sent[fight], self.sent_bytes[fight] = worker, 0, 0
            self.answer(worker, "ready")
            self.send(fight, FIGHT_MESSAGES, 100)
            self.wait_until(lambda: len(self.records(fight)) > 500, "messages of each")
            for number in losers:
                self.assert_replaced_by(fight, number)
        self.flush(FIGHTS)
        self.close_all()
        self.assert_each_handled_once(FIGHTS, FIGHT_MESSAGES)
        self.wait_until(lambda: "LEFT" in self.events(1), "LEFT")
        self.assertEqual(self.events(1), ["JOINED", "REPLACED"] * (FIGHTS - 1) + ["JOINED", "LEFT"])

    def assert_replaced_by(self, winner, number):
        """It was cut off at its work; what it had sent by then came first, in order."""
        loser = self.workers.pop(number)
        self.assertEqual(self.answer(loser, "recv")["recv"], "REPLACED")
        loser.say("send 1")
        self.assertEqual(self.answer(loser, "error")["error"], "REPLACED")
        handled = self.records(number)
        self.assertLess(len(handled), FIGHT_MESSAGES, "it had nothing under way")
        self.assert_each_handled_once(number, len(handled))
        self.assertLessEqual(handled[-1].at, self.records(winner)[0].at)


if __name__ == "__main__":
    unittest.main()
