"""Run the tests of real faults, several at once, and show the figures they measured.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: run.py BUILD [--times N] [--parallel N] [PATTERN]

BUILD is a build directory. PATTERN is a part of the names of the tests to run.
"""
import argparse
import collections
import concurrent.futures
import os
import re
import statistics
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURE = re.compile(r"^figure: (\S+) ([-\d.]+) ?(\S*)$", re.MULTILINE)
BROKEN = re.compile(r"ERROR: (Leak|Address)Sanitizer|WARNING: ThreadSanitizer|runtime error:")
SECONDS = 600   # for one test


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def is_alone(test):
    return getattr(getattr(test, test.id().rsplit(".", 1)[1]), "alone", False)


def environment(build):
    """A build with sanitizers is told so; what they forbid is tried with the plain one."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        sanitized = re.search(r"^MUSTER_SANITIZE:\w+=(.+)$", cache.read(), re.MULTILINE)
    programs = os.path.join(os.path.abspath(build), "tests", "chaos")
    result = dict(os.environ, MUSTER_CHAOS=programs, PYTHONDONTWRITEBYTECODE="1")
    if sanitized:
        result["CHAOS_SANITIZERS"] = sanitized[1]
        result["TSAN_OPTIONS"] = "suppressions=" + os.path.join(os.path.dirname(HERE), "threads", "tsan.supp")
        result.setdefault("MUSTER_CHAOS_PLAIN", os.path.join(os.path.dirname(os.path.abspath(build)), "tests", "chaos"))
    return result


def run_one(name, env):
    """Whether it passed, its seconds, and what it wrote."""
    began = time.monotonic()
    try:
        done = subprocess.run([sys.executable, "-m", "unittest", name], cwd=HERE, env=env, timeout=SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        passed, text = done.returncode == 0 and not BROKEN.search(done.stdout), done.stdout
    except subprocess.TimeoutExpired as late:
        passed, text = False, "not done in %d s\n%s" % (SECONDS, late.stdout or "")
    return passed, time.monotonic() - began, text


def run_some(names, env, parallel, figures):
    """How many of these failed."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        futures = {pool.submit(run_one, name, env): name for name in names}
        for future in concurrent.futures.as_completed(futures):
            passed, seconds, text = future.result()
            failed += not passed
            print("%s %6.1f s  %s" % ("ok    " if passed else "FAILED", seconds, futures[future]), flush=True)
            if not passed:
                print(text, flush=True)
            for name, value, unit in FIGURE.findall(text):
                if name.endswith(".seed"):
                    continue
                figures[name, unit].append(float(value))
    return failed


def run_all(tests, env, parallel, figures):
    """One pass over all tests; how many failed."""
    return (run_some([test.id() for test in tests if is_alone(test)], env, 1, figures)
            + run_some([test.id() for test in tests if not is_alone(test)], env, parallel, figures))


def show(figures):
    if figures:
        print("%-48s %12s %12s %12s" % ("", "least", "median", "most"))
    for (name, unit), values in sorted(figures.items()):
        row = (min(values), statistics.median(values), max(values))
        print("%-48s %12g %12g %12g %s" % (name, *row, unit))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=2)
    options = parser.parse_intermixed_args()
    env = environment(options.build)
    os.environ.update(env)
    sys.path.insert(0, HERE)
    tests = [test for test in tests_of(unittest.defaultTestLoader.discover(HERE)) if options.pattern in test.id()]
    figures, failed = collections.defaultdict(list), 0
    for turn in range(1, options.times + 1):
        print("-- %d of %d" % (turn, options.times), flush=True)
        failed += run_all(tests, env, options.parallel, figures)
    show(figures)
    print("%d passed, %d failed" % (options.times * len(tests) - failed, failed))
    return 0 if tests and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
