"""The count of the tests counts what it is there to count.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import contextlib
import io
import subprocess
import tempfile
import unittest
from pathlib import Path

from run import Count, count_report, main, not_run


def case(output="", status="run", inside=""):
    return f'<testcase name="a" status="{status}">{inside}<system-out>{output}</system-out></testcase>'


def synthesis(tested, passing, failing=0, crashing=0):
    return (f"[====] Synthesis: Tested: {tested} | Passing: {passing} | "
            f"Failing: {failing} | Crashing: {crashing} \n")


FAILURE = '<failure message="it failed"/>'


class CountReport(unittest.TestCase):
    def assert_count(self, cases, **expected):
        self.assertEqual(count_report(f"<testsuite>{''.join(cases)}</testsuite>"), Count(**expected))

    def test_any_test_counts_as_one(self):
        self.assert_count([case(), case()], passed=2)

    def test_what_was_not_run_is_told_once_with_its_reason(self):
        cases = [case("test_one ... skipped 'NOT RUN: no node'\ntest_two ... skipped 'NOT RUN: no node'\n"),
                 case("NOT RUN: no root\n", "notrun", "<skipped/>"), case("all of it\n")]
        self.assertEqual(not_run(f"<testsuite>{''.join(cases)}</testsuite>"), ["a: NOT RUN: no node", "a: NOT RUN: no root"])

    def test_a_failed_test_counts_as_one(self):
        self.assert_count([case(status="fail", inside=FAILURE)], failed=1)

    def test_a_suite_counts_as_its_tests(self):
        self.assert_count([case(synthesis(12, 12)), case(synthesis(3, 3))], passed=15)

    def test_failing_and_crashing_tests_of_a_suite_are_failed(self):
        self.assert_count([case(synthesis(12, 9, 2, 1), "fail", FAILURE)], passed=9, failed=3)

    def test_a_suite_that_passes_and_leaks_has_failed_once(self):
        self.assert_count([case(synthesis(12, 12), "fail", FAILURE)], passed=12, failed=1)

    def test_a_suite_of_pytest_counts_as_its_tests(self):
        self.assert_count([case("....\n31 passed, 2 warnings in 12.34s\n")], passed=31)

    def test_failures_and_errors_of_pytest_are_failed(self):
        self.assert_count([case("..F\n2 failed, 30 passed, 1 error in 75.12s (0:01:15)\n", "fail", FAILURE)],
                          passed=30, failed=3)

    def test_pytest_that_found_no_test_has_failed(self):
        self.assert_count([case("no tests ran in 0.01s\n", "fail", FAILURE)], failed=1)

    def test_a_suite_that_was_cut_off_has_failed_once(self):
        self.assert_count([case("[----] ", "fail", FAILURE)], failed=1)

    def test_a_suite_without_tests_has_failed(self):
        self.assert_count([case(synthesis(0, 0))], failed=1)

    def test_a_skipped_test_is_neither(self):
        self.assert_count([case(status="notrun", inside='<skipped message="SKIP_RETURN_CODE"/>')], skipped=1)


class Main(unittest.TestCase):
    """Whole runs, of projects that ctest makes a report about."""

    def run_tests(self, *commands, thorough=(), options=()):
        with tempfile.TemporaryDirectory() as build:
            lines = [f'add_test(t{number} "/bin/sh" "-c" "{command}")' for number, command in enumerate(commands)]
            lines += [f"set_tests_properties(t{number} PROPERTIES LABELS thorough)" for number in thorough]
            Path(build, "CTestTestfile.cmake").write_text("\n".join(lines) + "\n")
            output = subprocess.run(["/usr/bin/python3", Path(__file__).with_name("run.py"), *options, build],
                                    capture_output=True, text=True)
        return output.returncode, output.stdout.splitlines()[-1]

    def test_all_passed(self):
        self.assertEqual(self.run_tests("true", "true"), (0, "2 passed, 0 failed"))

    def test_one_failed(self):
        self.assertEqual(self.run_tests("true", "false"), (1, "1 passed, 1 failed"))

    def test_thorough_ones_run_unless_it_is_to_be_quick(self):
        self.assertEqual(self.run_tests("true", "false", thorough=[1]), (1, "1 passed, 1 failed"))
        self.assertEqual(self.run_tests("true", "false", thorough=[1], options=["--quick"]), (0, "1 passed, 0 failed"))

    def test_the_line_of_a_suite_is_found_after_much_output(self):
        suite = "yes | head -c 200000; echo 'Synthesis: Tested: 7 | Passing: 7 | Failing: 0 | Crashing: 0'"
        self.assertEqual(self.run_tests(suite), (0, "7 passed, 0 failed"))

    def test_a_run_without_tests_has_failed(self):
        self.assertEqual(self.run_tests(), (1, "0 passed, 1 failed"))

    def test_no_build_at_all_has_failed(self):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.assertEqual(main([]), 1)
        self.assertEqual(output.getvalue(), "0 passed, 0 failed\n")


if __name__ == "__main__":
    unittest.main()
