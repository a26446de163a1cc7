"""Processes that the tests start: scripts, forks, and what these share.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

A module of its own, because scripts and spawned processes import it. Nothing sleeps for an event: scripts
say on stdout what they have come to, and whoever waits for that has a limit.
"""
import contextlib
import json
import os
import pickle
import queue
import select
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import muster

LIMIT = 60
"""Seconds for what takes no time on an idle machine."""

HERE = Path(__file__).resolve().parent


def environment() -> Dict[str, str]:
    """For scripts: they import the same muster, and this module."""
    package = Path(muster.__file__).resolve().parent.parent
    return {**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{HERE}", "PYTHONUNBUFFERED": "1"}


#   ---------------------------------------------------------------------------
#   Scripts: the test's side


class Script:
    """A running script, whose lines on stdout are read as they come."""

    def __init__(self, text: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", textwrap.dedent(text), *arguments], env=environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._lines: "queue.Queue[str]" = queue.Queue()
        self._errors: List[str] = []
        self._readers = [threading.Thread(target=target, daemon=True) for target in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()
        self.pid = self._process.pid

    def __enter__(self) -> "Script":
        return self

    def __exit__(self, *unused: Any) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(LIMIT)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        for reader in self._readers:
            reader.join(1)      # a child of the script may have the other end still
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            if not any(reader.is_alive() for reader in self._readers):
                stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line)

    @property
    def errors(self) -> str:
        """What it has written to stderr so far."""
        return "".join(self._errors)

    def line(self, timeout: float = LIMIT) -> str:
        """Its next line."""
        until = time.monotonic() + timeout
        while True:
            try:
                return self._lines.get(timeout=0.05)
            except queue.Empty:
                pass
            if self._process.poll() is not None and not self._readers[0].is_alive() and self._lines.empty():
                raise AssertionError(f"the script ended with {self._process.returncode}: {self.errors}")
            if time.monotonic() > until:
                raise AssertionError(f"no line in {timeout} s; on stderr: {self.errors}\n{self._where()}")

    def expect(self, line: str, timeout: float = LIMIT) -> None:
        got = self.line(timeout)
        assert got == line, f"{got!r}, not {line!r}; on stderr: {self.errors}"

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close_stdin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float = LIMIT) -> int:
        """Its exit code."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the script hangs; on stderr: {self.errors}\n{self._where()}") from None
        for reader in self._readers:
            reader.join(1)
        return code

    def _where(self) -> str:
        """Where it hangs: what each thread waits for, and its own dump on SIGABRT, which -X dev gives."""
        threads = _threads(self._process.pid)
        self._process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        return threads + self.errors


def _threads(process: int) -> str:
    """For each thread its name, state and system call, and what on its stack points into code, the innermost first."""
    lines = []
    with contextlib.suppress(OSError):
        here = Path(f"/proc/{process}")
        code = [line.split(maxsplit=5) for line in (here / "maps").read_text().splitlines() if " r-xp " in line]
        for task in sorted((here / "task").iterdir()):
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            call = (task / "syscall").read_text().split()
            lines.append(" ".join([(task / "comm").read_text().strip(), state, *call]))
            if len(call) > 2:
                lines += _pointers(here, int(call[-2], 16), code)
    return "\n".join(lines) + "\n"


def _pointers(here: Path, stack: int, code: List[List[str]]) -> List[str]:
    with open(here / "mem", "rb") as memory:
        memory.seek(stack)
        words = [word for word, in struct.iter_unpack("<Q", memory.read(4096))]
    found = []
    for word in words:
        for bounds, _, offset, _, _, *file in code:
            first, end = (int(bound, 16) for bound in bounds.split("-"))
            if first <= word < end:
                found.append(f"    {''.join(file).rpartition('/')[2]}+{word - first + int(offset, 16):#x}")
    return found[:40]


def patient() -> None:
    """For a coroutine of a script: -X dev tells of steps over a tenth of a second, and on a busy machine any is one."""
    import asyncio
    asyncio.get_running_loop().slow_callback_duration = LIMIT


def run(text: str, *arguments: str, timeout: float = LIMIT, entered: str = "") -> Tuple[int, List[str], str]:
    """Run a script to its end, with what it is to read on stdin: exit code, lines on stdout, stderr."""
    with Script(text, *arguments) as script:
        if entered:
            script.say(entered)
        script.close_stdin()
        code = script.wait(timeout)
        lines = []
        with contextlib.suppress(queue.Empty):
            while True:
                lines.append(script._lines.get_nowait())
        return code, lines, script.errors


def check(text: str, *arguments: str, timeout: float = LIMIT, entered: str = "") -> List[str]:
    """Run a script that is to end well and leave stderr alone; gives its lines."""
    code, lines, errors = run(text, *arguments, timeout=timeout, entered=entered)
    assert (code, errors) == (0, ""), f"exit code {code}, stderr: {errors}, stdout: {lines}"
    return lines


FORK_ALL = """
import json, os, select, sys, tempfile, time
import muster
from children import *
running = []
for text in json.loads(sys.stdin.read()):
    files = [tempfile.TemporaryFile() for _ in range(2)]
    pid = os.fork()
    if not pid:
        for number, file in enumerate(files, 1):
            os.dup2(file.fileno(), number)
        break
    running.append((pid, files))
else:
    text = "say(json.dumps([end_of(*each, time.monotonic() + float(sys.argv[1])) for each in running]))"
if not pid:
    for file in sum((each for _, each in running), files):
        file.close()
    del running, files, file, pid
exec(compile(text, "<string>", "exec"))
"""

Outcome = Tuple[Optional[int], List[str], str]


def run_all(texts: List[str], timeout: float = LIMIT) -> List[Outcome]:
    """Run scripts to their ends, all at once, each in a fork of one process that has imported muster and this module. Of
    each the exit code (None: it hangs), lines on stdout, stderr."""
    results: List[Outcome] = json.loads(check(FORK_ALL, str(timeout), timeout=timeout * 2, entered=json.dumps(texts))[0])
    return [(code, lines, errors) for code, lines, errors in results]


#   ---------------------------------------------------------------------------
#   Scripts: their side


def end_of(pid: int, files: List[Any], until: float) -> Outcome:
    """Of a child whose stdout and stderr are files: its end, or that it has not come to it."""
    descriptor = os.pidfd_open(pid)
    if not select.select([descriptor], [], [], max(0, until - time.monotonic()))[0]:
        os.kill(pid, signal.SIGKILL)
    hung, code = time.monotonic() >= until, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(descriptor)
    texts = []
    for file in files:
        file.seek(0)
        texts.append(file.read().decode())
        file.close()
    return None if hung else code, texts[0].splitlines(), texts[1]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")      # at once: several processes may say something
    sys.stdout.flush()


def _say_when_blocked(progress: Callable[[], Any], ended: threading.Event) -> None:
    """Say "blocked" when the main thread has stood at one instruction for 0.3 s."""
    main = threading.main_thread().ident
    assert main is not None
    before, since = None, time.monotonic()
    while not ended.wait(0.02):
        frame = sys._current_frames()[main]
        now = (id(frame.f_code), frame.f_lasti, progress())
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > 0.3:
            say("blocked")
            return


@contextlib.contextmanager
def blocks(progress: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """Say "blocked" when the block waits; progress tells it from one that loops."""
    ended = threading.Event()
    thread = threading.Thread(target=_say_when_blocked, args=(progress, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


@contextlib.contextmanager
def interrupted(progress: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """The block is to wait, and to be ended by KeyboardInterrupt."""
    try:
        with blocks(progress):
            yield
    except KeyboardInterrupt:
        say("interrupted")
    else:
        raise AssertionError("not interrupted")


class Blocker:
    """A handler that blocks until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()
        self.cmds: List[str] = []
        self.data: List[Any] = []

    def __call__(self, message: muster.Message) -> None:
        self.cmds.append(message.cmd)
        self.data.append(message.data)
        self.entered.set()
        self.released.wait(2 * LIMIT)

    def wait(self) -> None:
        assert self.entered.wait(LIMIT)


def blocked_pair(endpoint: str = "tcp://127.0.0.1:*", **options: Any) -> Tuple[muster.Listener, muster.Worker, Blocker]:
    """A listener whose handler of worker-1 is blocked in the first message, and that worker."""
    listener = muster.Listener(endpoint, drain=LIMIT)
    blocker = Blocker()
    listener.register_handler("worker-1", blocker)
    listener.start()
    worker = muster.Worker(listener.endpoint, "worker-1", **{"drain": LIMIT, **options})
    worker.send("FIRST")
    blocker.wait()
    return listener, worker, blocker


def eventually(condition: Callable[[], Any], timeout: float = LIMIT) -> Any:
    """Poll for what has no event to wait for."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError("it did not come to pass")


#   ---------------------------------------------------------------------------
#   Forks


def fork(function: Callable[[], Any], end: Callable[[int], Any] = os._exit) -> "Fork":
    """Call function in a forked child, which then ends by end."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return Fork(pid, reader)
    os.close(reader)
    try:
        outcome = (True, function())
    except BaseException:
        outcome = (False, traceback.format_exc())
    data = pickle.dumps(outcome)
    while data:
        data = data[os.write(writer, data):]
    os.close(writer)
    end(0)
    os._exit(77)


class Fork:
    """A forked child, seen from its parent."""

    def __init__(self, pid: int, reader: int) -> None:
        self.pid = pid
        self._reader = reader

    def result(self, timeout: float = LIMIT) -> Any:
        """What the function returned, when the child has ended, with exit code 0."""
        data = b""
        until = time.monotonic() + timeout
        try:
            while select.select([self._reader], [], [], max(0, until - time.monotonic()))[0]:
                piece = os.read(self._reader, 65536)
                if not piece:
                    break
                data += piece
            else:
                raise AssertionError("the forked child hangs in its function")
            status = self._end(until)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            raise
        finally:
            os.close(self._reader)
        assert status == 0, f"the forked child ended with {status}"
        good, value = pickle.loads(data)
        assert good, value
        return value

    def _end(self, until: float) -> int:
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        raise AssertionError("the forked child hangs at its end")


def forked(function: Callable[[], Any], end: Callable[[int], Any] = os._exit, timeout: float = LIMIT) -> Any:
    """The result of function in a forked child."""
    return fork(function, end).result(timeout)


def outcome(function: Callable[[], Any]) -> str:
    """The name of what function raises, "" if nothing."""
    try:
        function()
    except BaseException as error:
        return type(error).__name__
    return ""


#   ---------------------------------------------------------------------------
#   What children of multiprocessing do


def work(endpoint: str, source: str, count: int = 3) -> None:
    """Be a worker, and send count messages."""
    with muster.Worker(endpoint, source) as worker:
        for number in range(count):
            worker.send("NUMBER", {"number": number})


def send_with_key(endpoint: str, source: str, key: str, server: str) -> None:
    """Be a worker with a key, and send a message."""
    with muster.Worker(endpoint, source, key=key, server=server) as worker:
        worker.send("CHILD")


def answer(endpoint: str, source: str) -> None:
    """Be a worker, and answer commands until QUIT."""
    with muster.Worker(endpoint, source) as worker:
        for command in worker:
            command.reply("ANSWER", {"pid": os.getpid()})
            if command.cmd == "QUIT":
                return


def listen(pipe: Any) -> None:
    """Be a listener for one message, and tell its endpoint and the message."""
    with muster.Listener("tcp://127.0.0.1:*") as listener:
        pipe.send(listener.endpoint)
        message = next(listener.messages(LIMIT))
        pipe.send((message.source, message.cmd, message.data))
        del message     # it counts as handled then


def work_in_pool(task: Tuple[str, int]) -> int:
    """A task of a pool: be a worker for one message."""
    endpoint, number = task
    with muster.Worker(endpoint) as worker:
        worker.send("TASK", {"number": number, "pid": os.getpid()})
    return number


pool_worker: Optional[muster.Worker] = None


def begin_pool(endpoint: str) -> None:
    """A pool's initializer: one worker for each of its processes."""
    global pool_worker
    pool_worker = muster.Worker(endpoint)


def send_from_pool(number: int) -> int:
    assert pool_worker is not None
    pool_worker.send("TASK", {"number": number, "pid": os.getpid()})
    pool_worker.flush(LIMIT)
    return number


def use_inherited(objects: List[Any], pipe: Any) -> None:
    """Tell what use of the parent's objects raises."""
    pipe.send([outcome(function) for function in objects])


def grandchild(endpoint: str, method: str) -> None:
    """A child that has a child: both are workers."""
    import multiprocessing
    with muster.Worker(endpoint, "child") as worker:
        worker.send("BEFORE")
        process = multiprocessing.get_context(method).Process(target=work, args=(endpoint, "grandchild"))
        process.start()
        process.join(LIMIT)
        assert process.exitcode == 0
        worker.send("AFTER")


#   What a child leaves open lives as long as its process.
left_open: List[Any] = []


def work_and_leave(endpoint: str, source: str) -> None:
    """A worker that sends a hundred messages and is not closed."""
    left_open.append(muster.Worker(endpoint, source))
    for number in range(100):
        left_open[0].send("X", {"number": number})


def flood(endpoint: str) -> None:
    """A worker that sends until it is killed."""
    worker = muster.Worker(endpoint)
    while True:
        worker.send("X")


def work_patiently(endpoint: str, source: str) -> None:
    """A worker that takes its listener for lost after a second of silence, and waits for a slow handler."""
    with muster.Worker(endpoint, source, liveness=1, drain=LIMIT) as worker:
        for number in range(50):
            worker.send("X", {"number": number})
