"""Listeners and workers that are killed, stopped and continued under load.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import signal
import statistics
import tempfile
import time
import unittest

from faults import RECORD, FaultCase, Program, Record, figure

KILLS = 20
WORKERS = 3
# Handled is reported within 10 ms; this leaves room for a machine that is busy.
REPORTED = 0.5


class TestKilledListener(FaultCase):

    def life(self, endpoint):
        """A listener with a ledger of its own."""
        path = os.path.join(self.folder, "ledger-%d" % len(self.lives))
        open(path, "w").close()
        self.listener = Program((), "chaos_listener", [endpoint, "--ledger", path])
        self.addCleanup(self.listener.kill)
        self.lives.append(path)
        answer = self.answer(self.listener, "ready")
        self.ready_at = answer["ms"]
        return answer["ready"]

    def ledger(self, life):
        """By worker, the records of a life in the order they were handled; reads what is new of it."""
        records, read_to = self.read.setdefault(life, ({number: [] for number in self.workers}, 0))
        with open(self.lives[life], "rb") as ledger:
            ledger.seek(read_to)
            block = ledger.read()
        whole = len(block) // RECORD.size * RECORD.size
        for w, n, position, us in RECORD.iter_unpack(block[:whole]):
            records[w].append(Record(w, n, position, us / 1e6))
        self.read[life] = records, read_to + whole
        return records

    def confirmed(self, number):
        """What the worker was told to be handled by now, at least."""
        self.workers[number].poll()
        return max((line["confirmed"] for line in self.workers[number].lines if "confirmed" in line), default=0)

    def wait_for_each(self, count):
        life = len(self.lives) - 1
        return self.wait_until(lambda: all(len(records) >= count for records in self.ledger(life).values()),
                               "%d messages of each" % count)

    def resumed(self):
        """How long after the listener was ready each worker was back, in ms."""
        def joined():
            return [line["ms"] for line in self.listener.lines if line.get("event") == "JOINED"]
        self.wait_until(lambda: len(joined()) >= WORKERS, "each to join")
        return [ms - self.ready_at for ms in joined()]

    def check(self, life, handled, confirmed):
        """One life: a range of each worker's messages in order, that begins where nothing is lost.

        What it repeats was handled right before the listener before it was killed.
        """
        repeated = 0
        for number, records in self.ledger(life).items():
            numbers = [record.n for record in records]
            self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "worker %d" % number)
            self.assertLessEqual(numbers[0], handled[number] + 1, "lost")
            self.assertGreater(numbers[0], confirmed[number], "handled again though confirmed")
            self.assertEqual([record.position for record in records], numbers)
            for record in self.ledger(life - 1)[number] if life else []:
                if record.n >= numbers[0]:
                    self.assertGreater(record.at, self.killed_at[life - 1] - REPORTED, "reported and handled again")
            repeated += handled[number] + 1 - numbers[0]
            handled[number] = max(handled[number], numbers[-1])
        return repeated

    def test_a_listener_killed_twenty_times_under_load_loses_nothing_and_repeats_only_what_it_had_not_reported(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.lives, self.read, self.workers = folder.name, [], {}, {}
        self.killed_at = []
        pid = os.getpid()
        endpoint = self.life("tcp://127.%d.%d.9:*" % (1 + pid // 250 % 250, 1 + pid % 250))
        for number in range(1, WORKERS + 1):
            self.workers[number] = Program((), "chaos_worker", [
                endpoint, "--source", "worker-%d" % number, "--number", str(number), "--size", "100",
                "--count", "100000000", "--flush-every", str(5000 + 1000 * number), "--send-buffer", "1000000"])
            self.addCleanup(self.workers[number].kill)
        handled = dict.fromkeys(self.workers, 0)
        resumes, repeated, confirmed = [], 0, dict.fromkeys(self.workers, 0)
        for life in range(KILLS):
            self.wait_for_each(2000)
            before = {number: self.confirmed(number) for number in self.workers}
            self.killed_at.append(time.monotonic())
            self.listener.process.send_signal(signal.SIGKILL)
            self.listener.process.wait()
            repeated += self.check(life, handled, confirmed)
            confirmed = before
            self.life(endpoint)
            self.wait_for_each(1)
            resumes += self.resumed()
        self.wait_for_each(2000)
        for worker in self.workers.values():
            worker.process.send_signal(signal.SIGKILL)
            worker.process.wait()
        repeated += self.check(KILLS, handled, confirmed)
        figure("killed_listener.messages", sum(handled.values()), "")
        figure("killed_listener.repeated", repeated, "")
        figure("killed_listener.resume_median", round(statistics.median(resumes)), "ms")
        figure("killed_listener.resume_most", round(max(resumes)), "ms")
        self.assertLess(statistics.median(resumes), 200)


class TestStopped(FaultCase):

    def begin(self, liveness):
        self.start_listener("--liveness", liveness)
        self.start_worker(1, self.listener.endpoint, "--liveness", liveness, "--rate", "2000")
        self.send(1, 4000, 100)
        self.wait_until_each_handled()

    def signal(self, program, number):
        program.process.send_signal(number)
        self.addCleanup(program.process.send_signal, signal.SIGCONT)

    def test_a_worker_stopped_for_longer_than_liveness_is_lost_returns_and_loses_nothing(self):
        self.begin("1")
        self.signal(self.workers[1], signal.SIGSTOP)
        self.wait_until(lambda: "LOST" in self.events(1), "LOST")
        self.signal(self.workers[1], signal.SIGCONT)
        self.wait_until(lambda: "RETURNED" in self.events(1), "RETURNED")
        self.finish()
        self.assert_events(["JOINED", "LOST", "RETURNED", "LEFT"])

    def test_a_listener_stopped_for_longer_than_liveness_loses_nothing_and_handles_nothing_twice(self):
        self.begin("1")
        self.signal(self.listener, signal.SIGSTOP)
        at = time.monotonic()
        self.wait_until(lambda: time.monotonic() > at + 2.5, "longer than liveness")
        self.signal(self.listener, signal.SIGCONT)
        continued = time.monotonic()
        known = len(self.records(1))
        self.wait_until(lambda: len(self.records(1)) > known, "the next message")
        figure("stopped_listener.resume", round((time.monotonic() - continued) * 1000), "ms")
        self.finish()
        # Whether it finds the worker silent first or hears it first is open.
        self.assertIn(self.events(1), (["JOINED", "LEFT"], ["JOINED", "LOST", "RETURNED", "LEFT"]))

    def test_a_worker_killed_and_started_anew_takes_its_source_over_and_loses_nothing(self):
        self.begin("5")
        self.workers[1].process.send_signal(signal.SIGKILL)
        self.workers[1].process.wait()
        handled = self.wait_until(lambda: len(self.records(1)), "what came before")
        self.start_worker(1, self.listener.endpoint, "--first", "100001")
        self.send(1, 2000, 100)
        self.flush(1)
        self.wait_until(lambda: len(self.events(1)) >= 3, "JOINED again")
        self.assertEqual(self.events(1)[0], "JOINED")
        self.assertIn(self.events(1)[1], ("REPLACED", "LOST"))
        self.assertEqual(self.events(1)[2], "JOINED")
        numbers = [record.n for record in self.records(1)]
        first = [n for n in numbers if n < 100000]
        self.assertGreaterEqual(len(first), handled)
        self.assertEqual(numbers, [*range(1, len(first) + 1), *range(100001, 102001)])
        self.close_all()


if __name__ == "__main__":
    unittest.main()
