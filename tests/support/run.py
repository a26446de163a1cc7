"""Run ctest in each build directory named and count the tests: a suite of
Criterion or pytest counts as its tests, any other ctest test as one.
With --quick before them, those labelled thorough are left out.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from dataclasses import dataclass

SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: \d+ \| Crashing: \d+")
NOT_RUN = re.compile(r"NOT RUN: [^\n'\"]+")
PYTEST = re.compile(r"^=*\s*((?:\d+ \w+, )*\d+ \w+) in [\d.]+s\b", re.MULTILINE)
WHOLE_OUTPUT = str(64 << 20)
AT_ONCE = 2 * (os.cpu_count() or 1) + 2     # in halves, as tests say what they take; one more than there are: one waits always


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def tested_and_passing(output):
    """What a suite says of its tests; None if it is no suite."""
    synthesis = SYNTHESIS.findall(output)
    if synthesis:
        return tuple(map(int, synthesis[-1]))
    summary = PYTEST.findall(output)
    if not summary:
        return None
    counts = {word: int(number) for number, word in (part.split() for part in summary[-1].split(", "))}
    passing = counts.get("passed", 0)
    return passing + sum(counts.get(word, 0) for word in ("failed", "error", "errors")), passing


def count_case(case):
    """The tests of one ctest test. A suite that ctest calls failed (a leak, a
    time limit, an exit code) has failed at least once, whatever it says of itself."""
    if case.get("status") in ("disabled", "notrun") and case.find("skipped") is not None:
        return Count(skipped=1)
    ok = case.get("status") == "run" and case.find("failure") is None
    suite = tested_and_passing(case.findtext("system-out") or "")
    if suite is None:
        return Count(passed=1) if ok else Count(failed=1)
    tested, passing = suite
    failed = max(tested - passing, 0 if ok and tested else 1)
    return Count(passed=passing, failed=failed)


def count_report(text):
    return sum(map(count_case, xml.fromstring(text).iter("testcase")), Count())


def not_run(text):
    """What tests say that they did not run, and why."""
    return sorted({f"{case.get('name')}: {reason}" for case in xml.fromstring(text).iter("testcase")
                   for reason in NOT_RUN.findall(case.findtext("system-out") or "")})


def run(build, *options):
    """Run one build's tests; a ctest that fails beyond its tests counts as a failure."""
    print(f"== {build}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        report = os.path.join(scratch, "report.xml")
        status = subprocess.run([
            "ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", *options,
            "--parallel", str(AT_ONCE), "--output-junit", report,
            "--test-output-size-passed", WHOLE_OUTPUT, "--test-output-size-failed", WHOLE_OUTPUT]).returncode
        try:
            with open(report, encoding="utf-8", errors="replace") as file:
                text = file.read()
            count = count_report(text)
            print("".join(f"{line}\n" for line in not_run(text)), end="")
        except (OSError, xml.ParseError) as error:
            print(f"{build}: no report of the tests: {error}")
            return Count(failed=1)
    if status and not count.failed:
        count += Count(failed=1)
    return count


def main(arguments):
    quick = arguments[:1] == ["--quick"]
    options = ("--label-exclude", "^thorough$") if quick else ()
    count = sum((run(build, *options) for build in arguments[quick:]), Count())
    if count.skipped:
        print(f"{count.skipped} skipped")
    print(f"{count.passed} passed, {count.failed} failed", flush=True)
    return 0 if count.passed and not count.failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
