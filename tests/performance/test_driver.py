"""What benchmarks/run.py makes of what the programs print.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

The programs are replaced by scripts that print samples made up here.
"""
import contextlib
import io
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import measures     # noqa: E402  (found once the path is there)
import plots        # noqa: E402
import report       # noqa: E402
import run          # noqa: E402
from sampling import Contestant, Group, Results, measure    # noqa: E402


def goal(**changes):
    return measures.Goal(**{"text": "", "group": measures.SMALL, "ours": "a", "theirs": "b", "must": 4, "aim": 8, **changes})


def sample(numbers):
    """With all that any program prints."""
    names = ("rate", "p50", "p99", "beyond", "join", "memory", "idle", "work", "fairness")
    return {**{name: numbers.uniform(1, 2) for name in names}, "times": [numbers.uniform(10, 20) for _ in range(50)]}


def figures():
    """Of all groups."""
    numbers = random.Random(1)
    return {group.name: Results({contestant.name: [sample(numbers) for _ in range(3)] for contestant in group.contestants})
            for group in measures.GROUPS}


def git(directory, *args):
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")
    done = subprocess.run(["git", *who, *args], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Driver(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.build = Path(scratch.name)
        (self.build / "benchmarks").mkdir()
        self.told = self.build / "told"

    def program(self, name, script):
        file = self.build / "benchmarks" / name
        file.write_text(f"#!/bin/sh\necho {name} $* >> {self.told}\n{script}\n")
        file.chmod(0o755)

    def measure(self, *contestants, rounds=2, **more):
        group = Group("group", "a group", contestants, rounds, **more)
        return group, measure(group, self.build, None, lambda line: None)

    def test_contestants_take_turns(self):
        self.program("a", """echo '{"rate": 6}'""")
        self.program("b", """echo '{"rate": 3}'""")
        _, results = self.measure(Contestant("a", "", "a", ["n=1"]), Contestant("b", "", "b"))
        self.assertEqual(self.told.read_text().split("\n")[:4], ["a n=1", "b", "a n=1", "b"])
        self.assertEqual(results.ratio("a", "b"), 2)

    def test_a_ratio_is_the_median_of_the_rounds_own(self):
        results = Results({"a": [{"rate": 10}, {"rate": 2}, {"rate": 9}], "b": [{"rate": 5}, {"rate": 1}, {"rate": 9}]})
        self.assertEqual(results.ratio("a", "b"), 2)
        self.assertEqual(results.median("a"), 9)

    def test_who_is_not_installed_is_left_out_with_a_note(self):
        group, results = self.measure(Contestant("a", "a", "not_built"), Contestant("b", "b", "b.py", modules=["not_there"]))
        self.assertEqual(results.failures, [])
        self.assertEqual([row[1:] for row in report.rate_rows(group, results, "a")],
                         [["left out", "", "not installed: its library"],
                          ["left out", "", "not installed: Python's not_there"]])

    def test_what_fails_is_told_and_the_others_go_on(self):
        self.program("a", "echo 'no such luck' >&2; exit 1")
        self.program("b", """echo '{"rate": 3}'""")
        _, results = self.measure(Contestant("a", "first", "a"), Contestant("b", "second", "b"), rounds=1)
        self.assertEqual(results.failures, ["group, first: no such luck"])
        self.assertEqual(results.median("b"), 3)
        self.assertIsNone(results.ratio("a", "b"))

    def test_a_program_that_measures_several_is_split(self):
        self.program("a", """echo '{"worker": [3, 1, 2], "zmq": [2, 1, 1]}'""")
        _, results = self.measure(Contestant("worker", "", "a"), Contestant("zmq", "", "a", rounds=0), rounds=1,
                                  split=measures.split_latency)
        self.assertEqual(results.ratio("worker", "zmq", "p50"), 2)
        self.assertEqual(results.median("worker", "p99"), 3)

    def test_verdicts(self):
        self.assertEqual([report.verdict(goal(), value) for value in (3.9, 4, 8)], ["MISSED", "must", "aim"])
        small = goal(must=1.4, aim=1.15, small_is_good=True)
        self.assertEqual([report.verdict(small, value) for value in (1.5, 1.4, 1.15)], ["MISSED", "must", "aim"])
        self.assertEqual(report.verdict(goal(aim=None), 100), "must")

    def test_a_missed_goal_says_how_far_its_bound_came_and_a_reached_one_does_not(self):
        bounded = goal(bound="c")
        results = Results({"a": [{"rate": 2}], "b": [{"rate": 1}], "c": [{"rate": 3}]})
        self.assertEqual(report.reached(bounded, results, 2), "MISSED; libzmq alone 3.00")
        self.assertEqual(report.reached(bounded, results, 4), "must")
        self.assertEqual(report.reached(goal(), results, 2), "MISSED")

    def test_figures_are_short(self):
        for value, unit, text in ((3_288_845, "/s", "3.29 M/s"), (54_976, "B", "55 kB"), (0.0312, "%", "3.1 %"),
                                  (227.4, "us", "227 us"), (0.284, "s", "0.284 s"), (12, "B", "12 B")):
            self.assertEqual(report.short(value, unit), text)

    def test_each_goal_is_about_contestants_there_are(self):
        for each in measures.GOALS:
            names = [contestant.name for contestant in each.group.contestants]
            self.assertIn(each.ours, names)
            self.assertIn(each.theirs, [None, *names])
            self.assertIn(each.bound, [None, *names])

    def test_the_page_and_its_plots_are_the_same_for_the_same_figures(self):
        made_up = figures()
        made_up["small"].samples.pop("grpc")
        made_up["small"].left_out["grpc"] = "Python's grpc"
        folders = [self.build / name for name in ("one", "other")]
        for docs in folders:
            docs.mkdir()
            plots.write(made_up, docs / "performance")
            report.write(made_up, report.Start((1, 2, 3), "0123abc"), docs)
        page = (folders[0] / "performance.md").read_text()
        self.assertIn("not installed: Python's grpc", page)
        self.assertNotRegex(page, "(?m)^@")
        files = [file.relative_to(folders[0]) for file in folders[0].rglob("*.svg")]
        self.assertEqual(len(files), 4)
        for file in files:
            self.assertIn(f"]({file})", page)
            self.assertEqual((folders[0] / file).read_bytes(), (folders[1] / file).read_bytes())

    @unittest.skipUnless(shutil.which("git"), "there is no git")
    def test_the_page_names_the_commit_that_was_measured_and_not_what_it_writes_itself(self):
        made_up = figures()
        page = self.build / "docs" / "performance.md"
        page.parent.mkdir()
        plots.write(made_up, page.parent / "performance")
        page.write_text("before\n")
        for drawn in page.parent.rglob("*.svg"):
            drawn.write_text("before\n")
        git(self.build, "init", "--quiet")
        git(self.build, "add", "docs")
        git(self.build, "commit", "--quiet", "--message", "before")
        with (mock.patch.object(report, "ROOT", self.build), mock.patch.object(sys, "argv", ["run.py", str(self.build)]),
              mock.patch.object(run, "measure", lambda group, *_: made_up[group.name]),
              mock.patch.object(run, "with_memory_beyond"), contextlib.redirect_stdout(io.StringIO()),
              contextlib.redirect_stderr(io.StringIO())):
            self.assertEqual(run.main(), 0)
        self.assertIn(f", muster {git(self.build, 'describe', '--always')}\n", page.read_text())
        self.assertTrue(git(self.build, "status", "--porcelain"))


if __name__ == "__main__":
    unittest.main()
