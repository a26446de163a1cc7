"""The examples in C, each as a user starts it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

MUSTER is the command, EXAMPLES where the programs are.
"""
import json
import os
import subprocess
import unittest

MUSTER = os.environ["MUSTER"]
EXAMPLES = os.environ["EXAMPLES"]
ANY_PORT = "tcp://127.0.0.1:*"
TIMEOUT = 60


class ExampleCase(unittest.TestCase):
    def start(self, *command, **streams):
        """A program in the background; what is still running at the test's end is killed."""
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        process = subprocess.Popen(command, text=True, **streams)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.communicate(timeout=TIMEOUT)

    def example(self, name, *args):
        return self.start(f"{EXAMPLES}/{name}", *args)

    def run_example(self, name, *args):
        result = subprocess.run([f"{EXAMPLES}/{name}", *args], capture_output=True, text=True,
                                timeout=TIMEOUT, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def finish(self, process, text=None):
        """What it prints from now on, to its end, which is a good one."""
        out, err = process.communicate(text, timeout=TIMEOUT)
        self.assertEqual((process.returncode, err), (0, ""))
        return out

    def endpoint(self, process):
        """What it says it listens on."""
        first = process.stdout.readline()
        self.assertTrue(first.startswith("listening on "), first)
        return first.split()[2].rstrip(";")


class Examples(ExampleCase):
    def test_a_listener_prints_what_a_worker_reports(self):
        listener = self.example("listener", ANY_PORT)
        self.run_example("worker", self.endpoint(listener))
        self.assertEqual(self.finish(listener, "\n"), "".join(
            f"worker-1: epoch {epoch}, loss {1 / epoch:.3f}\n" for epoch in (1, 2, 3)))

    def test_an_event_loop_prints_what_a_worker_sends(self):
        loop = self.example("event_loop", ANY_PORT)
        self.run_example("worker", self.endpoint(loop))
        self.assertEqual(self.finish(loop, "\n"), 3 * "worker-1: PROGRESS\n")

    def test_a_coordinator_has_a_reply_of_each_trainer_in_each_round(self):
        coordinator = self.example("coordinator", "2", ANY_PORT)
        endpoint = self.endpoint(coordinator)
        trainers = [self.example("trainer", f"worker-{number}", endpoint) for number in (1, 2)]
        self.assertEqual(self.finish(coordinator), "".join(
            f"round {number}: 2 replies, mean loss {0.5 ** number:.3f}\n" for number in (1, 2, 3)))
        for trainer in trainers:
            self.assertEqual(self.finish(trainer), "")

    def test_a_plain_producer_is_heard(self):
        listener = self.start(MUSTER, "listen", ANY_PORT, "--count", "3")
        endpoint = listener.stderr.readline().split()[-1]
        self.run_example("plain_producer", endpoint, "3")
        out, _ = listener.communicate(timeout=TIMEOUT)
        self.assertEqual(listener.returncode, 0)
        self.assertEqual([json.loads(line) for line in out.splitlines()], [
            {"source": "producer-c", "cmd": "PROGRESS", "data": {"step": step, "loss": 0.5 / (step + 1)}}
            for step in range(3)])


if __name__ == "__main__":
    unittest.main()
