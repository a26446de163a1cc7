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


class TestProcesses(FaultCase):

    def another_listener(self, endpoint, *options):
        """On the same ledger as the first."""
        program = Program((), "chaos_listener", [endpoint, "--ledger", self._path, *options])
        self.addCleanup(program.kill)
        return program

    def kill_listener(self):
        self.listener.process.send_signal(signal.SIGKILL)
        self.listener.process.wait()

    def assert_each_handled(self, number, count):
        """Nothing lost; twice at most what the dead listener had not reported."""
        self.assertEqual(sorted({record.n for record in self.records(number)}), list(range(1, count + 1)))

    def test_a_forked_child_that_outlives_its_coordinator_does_not_keep_the_port(self):
        self.start_listener("--fork-child")
        endpoint = self.listener.endpoint
        child = self.answer(self.listener, "child")["child"]
        self.addCleanup(os.kill, child, signal.SIGKILL)
        self.start_worker(1, endpoint)
        self.send(1, 1000, 100)
        self.flush(1)
        self.kill_listener()
        os.kill(child, 0)
        self.send(1, 1000, 100)
        self.listener = self.another_listener(endpoint)
        self.assertEqual(self.answer(self.listener, "ready")["ready"], endpoint)
        self.flush(1)
        self.close_all()
        self.assert_each_handled(1, 2000)

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
        self.assert_each_handled(1, 3000)

    def test_of_workers_that_fight_for_a_source_one_has_it_at_a_time_and_the_loser_stays_out(self):
        self.start_listener()
        ends = 0
        for fight in range(1, FIGHTS + 1):
            worker = Program((), "chaos_worker", [
                self.listener.endpoint, "--source", "worker-1", "--number", str(fight), "--wait-stdin", "--commands"])
            self.addCleanup(worker.kill)
            self.answer(worker, "ready")
            self.sent[fight] = self.sent_bytes[fight] = 0
            if self.workers:
                number, loser = self.workers.popitem()
                self.workers[fight] = worker
                self.wait_until(lambda: self.events(1).count("REPLACED") == fight - 1, "REPLACED")
                self.assertEqual(self.answer(loser, "recv")["recv"], "REPLACED")
                loser.say("send 1")
                self.assertEqual(self.answer(loser, "error")["error"], "REPLACED")
                self.assertEqual([record.n for record in self.records(number)], list(range(1, 1001)))
                ends += 1
            self.workers[fight] = worker
            self.send(fight, 1000, 100)
            self.flush(fight)
        self.close_all()
        self.wait_until(lambda: "LEFT" in self.events(1), "LEFT")
        self.assertEqual(ends, FIGHTS - 1)
        self.assertEqual(self.events(1), ["JOINED", "REPLACED"] * (FIGHTS - 1) + ["JOINED", "LEFT"])


if __name__ == "__main__":
    unittest.main()
