"""What a running listener counts, live in a terminal.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import unittest

from command import MUSTER, TIMEOUT, CommandCase

#   What a picture begins and ends with, and what takes the terminal and gives it back.
HOME, BOTTOM = "\x1b[H", "\x1b[J"
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
LOOKS = re.compile(r"\x1b\[(?:\d*m|K)")


class Terminal:
    """A terminal that controls the process it is given to, and all that was written to it."""

    def __init__(self, case, command, columns=80, lines=24):
        self._text = ""
        self._changed = threading.Condition()
        self._ended = False
        self.descriptor, self._side = pty.openpty()
        self.resize(columns, lines)
        self.before = self.modes()
        self.process = subprocess.Popen(
            command, stdin=self._side, stdout=self._side, stderr=self._side, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**os.environ, "TERM": "xterm"})
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        case.addCleanup(self._end)

    def _read(self):
        try:
            while piece := os.read(self.descriptor, 4096):
                with self._changed:
                    self._text += piece.decode(errors="replace")
                    self._changed.notify_all()
        except OSError:
            pass
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT)
        if self._side is not None:
            os.close(self._side)
        self._thread.join(TIMEOUT)
        os.close(self.descriptor)

    def modes(self):
        return termios.tcgetattr(self._side)

    def resize(self, columns, lines):
        """Whoever it controls gets SIGWINCH."""
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def written(self):
        return self._text

    def pictures(self):
        whole = [part for part in self._text.split(HOME)[1:] if BOTTOM in part]
        return [re.split("\r+\n", LOOKS.sub("", part[:part.index(BOTTOM)])) for part in whole]

    def wait_for(self, found):
        """What found makes of this, once it is something."""
        with self._changed:
            self._changed.wait_for(lambda: found(self) or self._ended, TIMEOUT)
            if not found(self):
                raise AssertionError(f"it is not on the terminal: {self._text[-2000:]!r}")
            return found(self)

    def wait_for_picture(self, *patterns, after=0):
        """The lines of the first picture behind so many that has all patterns."""
        def found(_):
            return next((lines for lines in self.pictures()[after:]
                         if all(re.search(pattern, "\n".join(lines)) for pattern in patterns)), None)
        return self.wait_for(found)

    def wait_for_text(self, text):
        return self.wait_for(lambda _: text in self._text)

    def count(self):
        with self._changed:
            return len(self.pictures())

    def wait(self):
        """The exit code, and all that was written."""
        code = self.process.wait(TIMEOUT)
        modes = self.modes()
        os.close(self._side)
        self._side = None
        self._thread.join(TIMEOUT)
        return code, self._text, modes


class TopCase(CommandCase):
    def top(self, *args, **options):
        return Terminal(self, [MUSTER, "top", "--interval", "0.2", *args], **options)

    def worker(self, listener, endpoint, source):
        """One that is here until the test ends."""
        worker = self.start("send", endpoint, "--source", source, "--cmd", "C", "-", stdin=subprocess.PIPE)
        listener.err.wait_for(f"JOINED {re.escape(source)}")
        return worker

    def assert_given_back(self, terminal, code=0):
        """It ended so, and left the terminal as it was."""
        ended, text, modes = terminal.wait()
        self.assertEqual(ended, code, text)
        self.assertEqual(modes, terminal.before)
        self.assertEqual(text.count(ENTER), text.count(LEAVE), text)
        self.assertGreater(text.rindex("\x1b[?25h"), text.rindex("\x1b[?25l"))
        return text[text.rindex(LEAVE) + len(LEAVE):]


class Live(TopCase):
    def test_it_shows_the_listener_and_each_worker(self):
        listener, endpoint = self.listen()
        self.worker(listener, endpoint, "worker-1")
        terminal = self.top(endpoint)
        lines = terminal.wait_for_picture("worker-1 .* here", r"messages/s +\d")
        self.assertTrue(lines[0].startswith(endpoint), lines)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertLessEqual(len(lines), 24)
        terminal.type("q")
        self.assertEqual(self.assert_given_back(terminal), "")

    def test_the_rate_of_a_worker_that_sends_is_shown(self):
        listener, endpoint = self.listen(stdout=subprocess.DEVNULL)
        worker = self.worker(listener, endpoint, "worker-1")
        terminal = self.top(endpoint)
        terminal.wait_for_picture(r"messages/s +0\.0")
        worker.type("{}\n" * 100)
        terminal.wait_for_picture(r"messages/s +[1-9]\d+", r"worker-1 .* here +[1-9]\d+ ")

    def test_a_message_that_is_coming_shows_how_far_it_is(self):
        """Its worker is stopped when its own bar says that some of the message is sent, until that was before the end."""
        _, endpoint = self.listen(stdout=subprocess.DEVNULL)
        terminal = self.top(endpoint)
        path = os.path.join(self.directory(), "line")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"text": "' + "x" * (32 << 20) + '"}\n')
        script = 'while cat "$0"; do :; done | exec "$@"'
        worker = Terminal(self, ["bash", "--norc", "-c", script, path, MUSTER, "send", endpoint, "--source", "a", "--cmd", "C", "-"])
        under_way, lines = False, 0
        while not under_way:
            lines = worker.wait_for(lambda _: max(0, worker.written().count(" %") - lines)) + lines
            os.killpg(worker.process.pid, signal.SIGSTOP)
            count = terminal.count()
            terminal.wait_for(lambda _: len(terminal.pictures()) > count + 2)
            under_way = any(re.search(r"a .* here .* 3\d\.\dM +\d+% ", "\n".join(shown)) for shown in terminal.pictures())
            os.killpg(worker.process.pid, signal.SIGCONT)

    def test_it_follows_the_size_of_the_terminal(self):
        listener, endpoint = self.listen()
        self.worker(listener, endpoint, "worker-1")
        terminal = self.top(endpoint)
        terminal.wait_for_picture("ADDRESS", "worker-1")
        count = terminal.count()
        terminal.resize(40, 10)
        lines = terminal.wait_for_picture("SOURCE +STATE", "worker-1", after=count)
        self.assertLessEqual(max(map(len, lines)), 40)
        self.assertLessEqual(len(lines), 10)
        terminal.resize(200, 50)
        terminal.wait_for_picture("SOURCE +ADDRESS", after=terminal.count())

    def test_the_key_s_goes_through_the_orders_and_back_to_the_first(self):
        _, endpoint = self.listen()
        terminal = self.top(endpoint, "--sort", "source")
        terminal.wait_for_picture("by source")
        for order in ("seen", "rate", "queue", "source"):
            count = terminal.count()
            terminal.type("s")
            terminal.wait_for_picture(f"by {order}", after=count)

    def test_arrows_go_through_the_workers(self):
        listener, endpoint = self.listen()
        for number in range(3):
            self.worker(listener, endpoint, f"worker-{number}")
        terminal = self.top(endpoint, "--sort", "source", columns=80, lines=7)
        terminal.wait_for_picture("workers 1 to 2 of 3", "worker-0", "worker-1")
        count = terminal.count()
        terminal.type("\x1b[B")
        terminal.wait_for_picture("workers 2 to 3 of 3", "worker-1", "worker-2", after=count)

    def test_controls_in_names_do_not_reach_the_terminal(self):
        listener, endpoint = self.listen()
        self.start("send", endpoint, "--source", "a\u202eb", "--cmd", "C", "-", stdin=subprocess.PIPE)
        listener.err.wait_for(r"JOINED a\?b$")
        terminal = self.top(endpoint)
        terminal.wait_for_picture(r"a\?b .* here")

    def test_a_listener_that_goes_and_comes_back_is_waited_for(self):
        path = os.path.join(self.directory(), "socket")
        listener, endpoint = self.listen(endpoint="ipc://" + path)
        worker = self.worker(listener, endpoint, "worker-1")
        terminal = self.top(endpoint, "--timeout", "0.5")
        terminal.wait_for_picture("worker-1 .* here")
        listener.process.kill()
        listener.wait()
        terminal.wait_for_picture(r"\ds old: nobody listens there", "worker-1")
        count = terminal.count()
        again, _ = self.listen(endpoint="ipc://" + path)
        again.err.wait_for("worker-1")
        lines = terminal.wait_for_picture(r"messages/s +\d", "1 worker, by rate", after=count)
        for picture in terminal.pictures():
            self.assertNotRegex("\n".join(picture), r"-\d+\.\d")
        self.assertFalse(any("old:" in line for line in lines))
        worker.process.stdin.close()
        self.assertEqual(worker.wait(), 0)

    def test_a_listener_that_is_not_there_yet_is_waited_for(self):
        endpoint = "ipc://" + os.path.join(self.directory(), "socket")
        terminal = self.top(endpoint, "--timeout", "0.3")
        terminal.wait_for_picture("nobody listens there")
        self.listen(endpoint=endpoint)
        terminal.wait_for_picture("0 workers, by rate")

    def test_what_is_wrong_from_the_beginning_ends_it_and_is_said(self):
        terminal = self.top("tcp://127.0.0.1:1", "--key", "nobody.key", "--server", "nobody.pub")
        self.assertRegex(self.assert_given_back(terminal, 1), r"\Amuster: [^\n]*nobody[^\n]*\r\n\Z")

    def test_keys_are_heeded_while_it_waits_for_an_answer(self):
        terminal = self.top("ipc://" + os.path.join(self.directory(), "nobody"), "--timeout", "1000")
        terminal.wait_for_picture("asking")
        terminal.type("q")
        self.assert_given_back(terminal)


class GivenBack(TopCase):
    def running(self):
        _, endpoint = self.listen()
        terminal = self.top(endpoint)
        terminal.wait_for_picture("by rate")
        self.assertNotEqual(terminal.modes(), terminal.before)
        return terminal

    def test_after_ctrl_c(self):
        terminal = self.running()
        terminal.type("\x03")
        self.assert_given_back(terminal)

    def test_after_signals_that_end_it(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            with self.subTest(number):
                terminal = self.running()
                terminal.process.send_signal(number)
                self.assert_given_back(terminal)

    def test_after_a_signal_while_the_terminal_stands_still(self):
        terminal = self.running()
        terminal.type("\x13")       # Ctrl-S
        terminal.process.send_signal(signal.SIGTERM)
        self.assert_given_back(terminal)

    def test_while_it_is_stopped_and_taken_again_when_it_goes_on(self):
        _, endpoint = self.listen()
        script = 'set -m; "$@"; echo STOPPED; read -r _; fg; echo "ENDED $?"'
        terminal = Terminal(self, ["bash", "--norc", "-c", script, "bash", MUSTER, "top", endpoint, "--interval", "0.2"])
        terminal.wait_for_picture("by rate")
        terminal.type("\x1a")       # Ctrl-Z
        terminal.wait_for_text("STOPPED")
        self.assertEqual(terminal.modes()[3], terminal.before[3])
        count = terminal.count()
        terminal.type("\n")
        terminal.wait_for_picture("by rate", after=count)
        terminal.type("q")
        terminal.wait_for_text("ENDED 0")
        self.assert_given_back(terminal)


class Once(TopCase):
    def once(self, endpoint, *args, **options):
        done = self.run_muster("top", endpoint, "--interval", "0.2", *args, **options)
        self.assert_done(done)
        self.assertEqual(done.stderr, "")
        self.assertNotIn("\x1b", done.stdout)
        return done.stdout

    def test_it_prints_one_picture_with_rates_and_ends(self):
        listener, endpoint = self.listen()
        self.worker(listener, endpoint, "worker-1")
        text = self.once(endpoint, "--once")
        self.assertRegex(text, r"messages/s +\d+\.\d")
        self.assertRegex(text, r"(?m)^worker-1 +127\.0\.0\.1 +here +\d")
        self.assertEqual(text.count("SOURCE"), 1)

    def test_where_stdout_is_no_terminal_it_does_the_same(self):
        _, endpoint = self.listen()
        self.assertIn("0 workers, by queue, over 0.2 s", self.once(endpoint, "--sort", "queue"))

    def test_in_a_dumb_terminal_it_does_the_same(self):
        _, endpoint = self.listen()
        terminal = Terminal(self, ["env", "TERM=dumb", MUSTER, "top", endpoint, "--interval", "0.2"])
        code, text, _ = terminal.wait()
        self.assertEqual(code, 0)
        self.assertIn("over 0.2 s", text)
        self.assertNotIn("\x1b", text)

    def test_it_is_as_wide_as_columns_says(self):
        listener, endpoint = self.listen()
        self.worker(listener, endpoint, "x" * 255)
        for columns in (40, 120):
            text = self.once(endpoint, env={**os.environ, "COLUMNS": str(columns)})
            self.assertLessEqual(max(map(len, text.splitlines())), columns)
            self.assertGreater(max(map(len, text.splitlines())), columns - 10)

    def test_where_nobody_listens_it_fails_after_the_timeout(self):
        done = self.run_muster("top", "ipc://" + os.path.join(self.directory(), "nobody"), "--once", "--timeout", "0.2")
        self.assertEqual(done.stdout, "")
        self.assert_fails(done, "nobody listens there")

    def test_a_picture_that_cannot_be_written_is_an_error(self):
        _, endpoint = self.listen()
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.run_muster("top", endpoint, "--interval", "0.2", stdout=full, stderr=subprocess.PIPE)
        self.assert_fails(done, "stdout")


class Usage(TopCase):
    def test_what_is_not_understood_ends_with_2(self):
        there = "tcp://127.0.0.1:1"
        for args, pattern in (([], "endpoint"), ([there, "more"], "not also more"), ([there, "--key", "k"], "--server is missing"),
                              ([there, "--sort", "rates"], "--sort"), ([there, "--interval", "0.05"], "--interval"),
                              ([there, "--interval", "x"], "--interval"), ([there, "--timeout", "0"], "--timeout"),
                              ([there, "--twice"], "--twice"), ([there, "--once=1"], "--once")):
            self.assert_usage(["top", *args], pattern)

    def test_help_says_how(self):
        self.assertIn("--once", self.run_muster("top", "--help").stdout)
        self.assertIn("muster top", self.run_muster("--help").stdout)


if __name__ == "__main__":
    unittest.main()
