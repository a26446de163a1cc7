"""Running the command muster, named by the environment's MUSTER.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

A running command's output is waited for line by line; nothing here waits for a
time, but each wait gives up after TIMEOUT seconds.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

MUSTER = os.environ["MUSTER"]
TIMEOUT = 120
NOBODY = 65534


class Lines:
    """The lines that come from a stream, read by a thread of their own."""

    def __init__(self, stream):
        self._lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        for line in stream:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        stream.close()

    def wait_for(self, pattern):
        """The match of the first line that pattern is found in."""
        def found():
            return next(filter(None, (re.search(pattern, line) for line in self._lines)), None)
        with self._changed:
            self._changed.wait_for(lambda: found() or self._ended, TIMEOUT)
            if not found():
                raise AssertionError(f"no line with {pattern!r} in {self._lines[-20:]}")
            return found()

    def wait_for_count(self, count):
        with self._changed:
            self._changed.wait_for(lambda: len(self._lines) >= count or self._ended, TIMEOUT)
            if len(self._lines) < count:
                raise AssertionError(f"{len(self._lines)} lines, not {count}: {self._lines[-20:]}")
            return list(self._lines)

    def all(self):
        """All lines, once the stream has ended."""
        self._thread.join(TIMEOUT)
        return list(self._lines)


class Running:
    """The command in the background; what is still running at the test's end is killed."""

    def __init__(self, case, *args, **streams):
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **streams}
        self.process = subprocess.Popen(
            [MUSTER, *args], stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="surrogateescape", **streams)
        case.addCleanup(self._end)
        self.out = Lines(self.process.stdout) if self.process.stdout else None
        self.err = Lines(self.process.stderr)

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT)
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        for lines in filter(None, (self.out, self.err)):
            lines.all()

    def type(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def wait(self):
        """The exit code."""
        return self.process.wait(TIMEOUT)

    def messages(self):
        return [json.loads(line) for line in self.out.all()]

    def last_line(self):
        return self.err.all()[-1]


class CommandCase(unittest.TestCase):
    maxDiff = 4000

    def run_muster(self, *args, **options):
        """Run the command to its end."""
        if "stdout" not in options:
            options["capture_output"] = True
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [MUSTER, *args], text=True, encoding="utf-8", errors="surrogateescape",
            timeout=TIMEOUT, check=False, **options)

    def start(self, *args, **streams):
        return Running(self, *args, **streams)

    def listen(self, *args, endpoint="tcp://127.0.0.1:*", **streams):
        """A listener that is ready, and its endpoint."""
        listener = self.start("listen", endpoint, *args, **streams)
        return listener, listener.err.wait_for(r"^muster: listening on (\S+)$").group(1)

    def directory(self):
        path = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, path)
        return path

    def as_nobody(self):
        """What makes root run the command as somebody who may nothing; a build that counts lines counts in a place of his."""
        place = self.directory()
        os.chown(place, NOBODY, NOBODY)
        return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "env": {**os.environ, "GCOV_PREFIX": place}}

    def send(self, endpoint, *args, source="worker-1", cmd="CMD", **options):
        return self.run_muster("send", endpoint, "--source", source, "--cmd", cmd, *args, **options)

    def assert_done(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)

    def assert_fails(self, result, pattern):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, pattern)

    def assert_usage(self, args, pattern):
        """It is refused as not understood, in one line on stderr and none on stdout."""
        with self.subTest(args=args):
            result = self.run_muster(*args)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertEqual(result.stdout, "")
            self.assertRegex(result.stderr, r"\Amuster: [^\n]*\n\Z")
            self.assertRegex(result.stderr, pattern)
            self.assertRegex(result.stderr, r"\(try: muster .*--help\)")

    def assert_ends(self, listener, code, **counts):
        """It ends with code, and its last line has these counts."""
        self.assertEqual(listener.wait(), code, listener.err.all())
        last = listener.last_line()
        self.assertRegex(last, r"^muster: handled=\d+ rejected=\d+ dropped=\d+ workers=\d+$")
        for name, count in counts.items():
            self.assertIn(f" {name}={count} ", last + " ")
