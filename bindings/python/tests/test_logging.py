"""The library's log lines and handlers' failures on their way to `logging`.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import logging
import queue
import threading
from typing import Any, Callable, Iterator, List, Tuple

import children
import muster
import pytest
from children import LIMIT


class Lines(logging.Handler):
    """Keeps records, and does with each what a test wants done."""

    def __init__(self) -> None:
        super().__init__()
        self.records: "queue.Queue[logging.LogRecord]" = queue.Queue()
        self.then: Callable[[logging.LogRecord], Any] = lambda record: None

    def emit(self, record: logging.LogRecord) -> None:
        self.records.put(record)
        self.then(record)

    def find(self, text: str) -> logging.LogRecord:
        """The next record whose message has text."""
        while True:
            record = self.records.get(timeout=LIMIT)
            if text in record.getMessage():
                return record


@pytest.fixture
def lines() -> Iterator[Lines]:
    lines = Lines()
    logger = logging.getLogger("muster")
    level = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield lines
    lines.then = lambda record: None
    logger.removeHandler(lines)
    logger.setLevel(level)
    logger.propagate = True


def test_joining_and_leaving_are_logged_as_info(listener: muster.Listener, lines: Lines) -> None:
    with muster.Worker(listener.endpoint, "worker-1"):
        listener.wait_for_workers(1, timeout=LIMIT)
    for text in ("JOINED source=worker-1", "LEFT source=worker-1"):
        record = lines.find(text)
        assert (record.name, record.levelno, record.getMessage()) == ("muster", logging.INFO, text)


def test_a_message_without_a_handler_is_logged_as_a_warning(listener: muster.Listener, lines: Lines) -> None:
    listener.register_handler("other", print)
    with muster.Worker(listener.endpoint, "worker-1") as worker:
        worker.send("UNHEARD")
    record = lines.find("no handler")
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "no handler: source=worker-1 cmd=UNHEARD count=1"


def test_the_name_of_a_source_is_no_format_and_is_escaped_in_the_log(listener: muster.Listener, lines: Lines) -> None:
    with muster.Worker(listener.endpoint, "%s%n{0}\\x41"):
        listener.wait_for_workers(1, timeout=LIMIT)
    message = lines.find("JOINED").getMessage()
    assert message.startswith("JOINED source=%s%n{0}") and "\n" not in message


def test_what_a_handler_raises_is_logged_as_an_error_with_its_trace_and_the_listener_goes_on(
        listener: muster.Listener, worker: muster.Worker, lines: Lines) -> None:
    got: "queue.Queue[str]" = queue.Queue()

    def fails(message: muster.Message) -> None:
        got.put(message.cmd)
        raise ZeroDivisionError(f"at {message.cmd}")
    listener.register_handler("worker-1", fails)
    worker.send("ONE")
    worker.send("TWO")
    worker.flush(LIMIT)
    assert [got.get(timeout=LIMIT) for _ in range(2)] == ["ONE", "TWO"]
    for cmd in ("ONE", "TWO"):
        record = lines.find(f"<muster.Message '{cmd}' from 'worker-1'>")
        assert (record.name, record.levelno) == ("muster", logging.ERROR)
        assert "fails" in record.getMessage()
        assert record.exc_info
        kind, error, trace = record.exc_info
        assert kind is ZeroDivisionError and str(error) == f"at {cmd}" and trace is not None
        assert trace.tb_frame.f_code is fails.__code__
    assert listener.stats["failed"] == 2


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("base"),
                                   muster.Timeout("its own"), StopIteration(1), RecursionError("deep")])
def test_whatever_a_handler_raises_is_its_failure_and_nobody_elses(
        listener: muster.Listener, worker: muster.Worker, lines: Lines, error: BaseException) -> None:
    def fails(message: muster.Message) -> None:
        raise error
    listener.register_handler("worker-1", fails)
    worker.send("ONE")
    worker.flush(LIMIT)
    record = lines.find("failed on")
    assert record.exc_info and record.exc_info[1] is error
    assert listener.stats["failed"] == 1


def test_a_failing_handler_whose_repr_fails_hurts_nobody() -> None:
    assert printed("""
import muster
class Bad:
    def __call__(self, message):
        raise ValueError
    def __repr__(self):
        raise KeyError("on purpose")
with muster.Listener("tcp://127.0.0.1:*") as listener:
    listener.register_default_handler(Bad())
    with muster.Worker(listener.endpoint) as worker:
        worker.send("ONE")
        worker.send("TWO")
    print(listener.stats["handled"], listener.stats["failed"])
""")[0] == ["2 2"]


def test_a_system_handler_that_raises_is_logged(listener: muster.Listener, lines: Lines) -> None:
    def fails(message: muster.Message) -> None:
        raise ZeroDivisionError
    listener.register_system_handler(fails)
    with muster.Worker(listener.endpoint, "worker-1"):
        listener.wait_for_workers(1, timeout=LIMIT)
        record = lines.find("fails")
    assert record.levelno == logging.ERROR and record.exc_info and record.exc_info[0] is ZeroDivisionError


def test_a_with_block_that_is_left_by_an_exception_logs_what_close_and_stop_find(lines: Lines) -> None:
    with pytest.raises(KeyError):
        with muster.Worker("inproc://nobody", "worker-1", drain=0) as worker:
            worker.send("X")
            raise KeyError
    record = lines.find("worker-1: closed after KeyError: 1 not confirmed")
    assert record.levelno == logging.WARNING


#   ---------------------------------------------------------------------------
#   Logging handlers that misbehave


def busy(listener: muster.Listener, count: int = 200) -> List[int]:
    """Have messages handled, of a worker that comes and goes: that logs too."""
    numbers: List[int] = []
    listener.register_handler("busy", lambda message: numbers.append(message.data["number"]), overwrite=True)
    with muster.Worker(listener.endpoint, "busy") as worker:
        for number in range(count):
            worker.send("NUMBER", {"number": number})
    return numbers


def test_a_logging_handler_that_blocks_stops_no_message(listener: muster.Listener, lines: Lines) -> None:
    entered, released = threading.Event(), threading.Event()
    lines.then = lambda record: (entered.set(), released.wait(2 * LIMIT))
    try:
        assert busy(listener) == list(range(200))
        assert entered.wait(LIMIT)
        assert busy(listener) == list(range(200))
        assert listener.workers == []
    finally:
        released.set()
    lines.find("LEFT source=busy")


def test_a_logging_handler_that_raises_stops_neither_messages_nor_later_lines(
        listener: muster.Listener, lines: Lines) -> None:
    def fails(record: logging.LogRecord) -> None:
        raise ZeroDivisionError
    lines.then = fails
    assert busy(listener) == list(range(200))
    lines.find("JOINED")
    lines.find("LEFT")
    assert busy(listener) == list(range(200))
    lines.find("JOINED")
    lines.find("LEFT")


def test_a_logging_handler_that_raises_system_exit_stops_neither_messages_nor_later_lines(
        listener: muster.Listener, lines: Lines) -> None:
    def fails(record: logging.LogRecord) -> None:
        raise SystemExit
    lines.then = fails
    for _ in range(3):
        assert busy(listener) == list(range(200))
        lines.find("JOINED")


def test_a_logging_handler_that_raises_while_a_handler_fails_stops_no_message(
        listener: muster.Listener, worker: muster.Worker, lines: Lines) -> None:
    def fails(*unused: Any) -> None:
        raise ZeroDivisionError
    lines.then = fails
    listener.register_handler("worker-1", fails)
    for _ in range(10):
        worker.send("X")
    worker.flush(LIMIT)
    assert listener.stats["failed"] == 10
    listener.register_handler("worker-1", lambda message: None, overwrite=True)


def test_a_logging_handler_may_use_the_listener(listener: muster.Listener, lines: Lines) -> None:
    """A handler that sends its lines by muster, say."""
    sink: "queue.Queue[Any]" = queue.Queue()
    listener.register_handler("log", lambda message: sink.put(message.data["line"]))
    with muster.Worker(listener.endpoint, "log") as log:
        def forward(record: logging.LogRecord) -> None:
            assert listener.stats["received"] >= 0 and isinstance(listener.workers, list)
            listener.broadcast("LINE")
            if "source=busy" in record.getMessage():
                log.send("LINE", {"line": record.getMessage()})
        lines.then = forward
        assert busy(listener) == list(range(200))
        assert sink.get(timeout=LIMIT) == "JOINED source=busy"
        assert sink.get(timeout=LIMIT) == "LEFT source=busy"
        lines.then = lambda record: None


def test_a_logging_handler_may_stop_the_listener(lines: Lines) -> None:
    results: "queue.Queue[Any]" = queue.Queue()
    listener = muster.Listener("tcp://127.0.0.1:*")
    lines.then = lambda record: results.put(children.outcome(listener.stop)) if "JOINED" in record.getMessage() else None
    listener.start()
    worker = muster.Worker(listener.endpoint, drain=1)
    assert results.get(timeout=LIMIT) == ""
    worker.close()
    assert listener.stop() == 0


def test_a_logging_handler_may_use_the_listener_while_a_handler_fails(
        listener: muster.Listener, worker: muster.Worker, lines: Lines) -> None:
    results: "queue.Queue[Any]" = queue.Queue()

    def fails(message: muster.Message) -> None:
        raise ValueError
    lines.then = lambda record: results.put(
        (listener.stats["received"], listener.send("worker-1", "FAILED"))) if "failed on" in record.getMessage() else None
    listener.register_handler("worker-1", fails)
    worker.send("X")
    worker.flush(LIMIT)
    assert results.get(timeout=LIMIT) == (1, "worker-1")
    assert worker.recv(LIMIT).cmd == "FAILED"


def test_a_flood_of_lines_is_bounded_counted_and_stops_nobody(lines: Lines) -> None:
    """1,024 lines wait at most: what is more is counted."""
    entered, released = threading.Event(), threading.Event()
    lines.then = lambda record: (entered.set(), released.wait(4 * LIMIT))
    visits = 530
    with muster.Listener("inproc://flood") as listener:
        listener.register_default_handler(lambda message: None)

        def visit() -> None:
            with muster.Worker(listener.endpoint, "visitor") as worker:
                worker.send("X")
        try:
            visit()
            assert entered.wait(LIMIT)
            for _ in range(visits):
                visit()
            assert listener.stats["joined"] == visits + 1
        finally:
            released.set()
        children.eventually(lambda: listener.workers == [])
        logged = dropped = 0
        while logged + dropped < 2 * (visits + 1):
            message = lines.records.get(timeout=LIMIT).getMessage()
            if "log lines were dropped" in message:
                dropped += int(message.split()[0])
            elif "source=visitor" in message:      # others may come late from the test before
                logged += 1
    assert logged + dropped == 2 * (visits + 1)
    assert dropped > 0 and logged <= 1024 + 5


def test_a_flood_of_unheard_messages_is_few_lines(listener: muster.Listener, lines: Lines) -> None:
    listener.register_handler("other", print)
    with muster.Worker(listener.endpoint, "worker-1") as worker:
        for _ in range(10_000):
            worker.send("UNHEARD")
    assert listener.stats["unhandled"] == 10_000
    lines.find("LEFT")
    assert lines.records.qsize() < 20


def test_three_thousand_failures_are_three_thousand_errors(
        listener: muster.Listener, worker: muster.Worker, lines: Lines) -> None:
    def fails(message: muster.Message) -> None:
        raise ValueError
    listener.register_handler("worker-1", fails)
    for _ in range(3000):
        worker.send("X")
    worker.flush(2 * LIMIT)
    assert listener.stats["failed"] == 3000
    for _ in range(3000):
        assert lines.find("failed on").levelno == logging.ERROR


#   ---------------------------------------------------------------------------
#   What a process prints


EVERYTHING = """
import sys, threading, muster
from children import *
listener = muster.Listener("tcp://127.0.0.1:*")
listener.register_handler("failing", lambda message: 1 / 0)
listener.start()
with muster.Worker(listener.endpoint, "unheard") as worker:
    worker.send("X")
with muster.Worker(listener.endpoint, "failing") as worker:
    worker.send("X")
listener.stop()
with muster.Worker("inproc://nobody", "alone", drain=0) as worker:
    pass
worker = muster.Worker("inproc://nobody", "alone", drain=0)
worker.send("X")
worker.close()
"""


def printed(text: str) -> Tuple[List[str], str]:
    code, out, errors = children.run(text)
    assert code == 0, errors
    return out, errors


def test_without_a_configuration_only_warnings_and_errors_are_printed_to_stderr() -> None:
    out, errors = printed(EVERYTHING)
    assert out == []
    assert "no handler: source=unheard cmd=X" in errors
    assert "ZeroDivisionError" in errors
    assert "alone: 1 messages not confirmed" in errors
    assert "JOINED" not in errors and "LEFT" not in errors


def test_with_a_configuration_all_lines_go_where_it_says() -> None:
    out, errors = printed("""
import logging
logging.basicConfig(level=logging.DEBUG, format="%(levelname)s:%(name)s:%(message)s")
""" + EVERYTHING)
    assert out == []
    for line in ("INFO:muster:JOINED source=unheard", "INFO:muster:LEFT source=failing",
                 "WARNING:muster:no handler: source=unheard cmd=X count=1"):
        assert line in errors.splitlines(), errors
    assert "ERROR:muster:handler <function <lambda> at" in errors


def test_a_configuration_that_silences_muster_leaves_nothing_printed() -> None:
    assert printed("import logging\nlogging.getLogger('muster').setLevel(logging.CRITICAL)\n" + EVERYTHING) == ([], "")


def test_each_failure_of_a_handler_is_reported_once() -> None:
    """With its trace; a second line that says less would be noise."""
    _, errors = printed(EVERYTHING)
    assert sum("source=failing" in line or "failed on" in line for line in errors.splitlines()) == 1, errors


def test_lines_written_just_before_the_exit_are_still_printed() -> None:
    _, errors = printed("""
import muster, threading
listener = muster.Listener("tcp://127.0.0.1:*")
listener.register_handler("other", print)
listener.start()
with muster.Worker(listener.endpoint, "unheard") as worker:
    worker.send("LAST")
""")
    assert "no handler: source=unheard cmd=LAST" in errors


def test_an_exit_while_another_thread_makes_the_first_object_ends_without_an_error() -> None:
    out, errors = printed("""
import muster, threading
entered, go = threading.Event(), threading.Event()
start = threading.Thread.start
def start_late(self):
    if self.name == "muster-log":
        entered.set()
        go.wait()
    start(self)
threading.Thread.start = start_late
other = threading.Thread(target=muster._log.start, daemon=True)
other.start()
entered.wait()
muster._log.end()
print("ended")
go.set()
other.join()
""")
    assert (out, errors) == (["ended"], "")


def test_a_signal_s_handler_may_make_an_object_while_its_thread_makes_the_first() -> None:
    out, errors = printed("""
import muster, os, signal, threading
def make(*_):
    muster.Listener("tcp://127.0.0.1:*")
    print("made")
signal.signal(signal.SIGUSR1, make)
start = threading.Thread.start
def start_with_signal(self):
    if self.name == "muster-log":
        os.kill(os.getpid(), signal.SIGUSR1)
    start(self)
threading.Thread.start = start_with_signal
make()
print([thread.name for thread in threading.enumerate()].count("muster-log"))
""")
    assert (out, errors) == (["made", "made", "1"], "")


def test_nothing_is_printed_in_a_forked_child_that_uses_muster() -> None:
    out, errors = printed("""
import muster
from children import *
def both():
    with muster.Listener("tcp://127.0.0.1:*") as listener:
        listener.register_default_handler(lambda message: None)
        with muster.Worker(listener.endpoint) as worker:
            worker.send("X")
both()
forked(both)
forked(lambda: forked(both))
""")
    assert (out, errors) == ([], "")
