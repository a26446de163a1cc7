"""What the tests of the Python package share.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import concurrent.futures
import faulthandler
import logging
import os
import queue
import sys
import threading
from typing import Any, Callable, Iterable, Iterator, Tuple

import muster
import pytest
from shares import pytest_addoption, pytest_collection_modifyitems  # noqa: F401  (hooks, which pytest finds here)

#   Long enough for a loaded machine; a test that is right never waits so long.
PATIENCE = 60

#   A test that hangs ends with the trace of each thread.
faulthandler.enable()

#   What multiprocessing spawns imports the main module of its parent first: here all of pytest, of which nothing is used.
sys.modules["__main__"].__dict__.update(__spec__=None, __file__=None)


def seeds(count: int) -> Iterable[int]:
    """For a test of random data; a quarter of them under sanitizers, where each takes ten times as long."""
    return range(count // 4 if "libasan" in os.environ.get("LD_PRELOAD", "") else count)


@pytest.fixture(autouse=True)
def _end_a_test_that_hangs() -> Iterator[None]:
    faulthandler.dump_traceback_later(4 * PATIENCE, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def listener() -> Iterator[muster.Listener]:
    """A listener on a free tcp port of the loopback, started."""
    with muster.Listener("tcp://127.0.0.1:*") as listener:
        yield listener


@pytest.fixture
def worker(listener: muster.Listener) -> Iterator[muster.Worker]:
    """A worker of the listener, "worker-1", which is here."""
    worker = muster.Worker(listener.endpoint, source="worker-1")
    listener.wait_for_workers(["worker-1"], timeout=PATIENCE)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def pair() -> Iterator[Tuple[muster.Listener, muster.Worker]]:
    """A listener and its "worker-1" for all tests of a module that only send and take what they sent."""
    with muster.Listener("tcp://127.0.0.1:*") as listener:
        with muster.Worker(listener.endpoint, source="worker-1") as worker:
            listener.wait_for_workers(["worker-1"], timeout=PATIENCE)
            yield listener, worker


class Collector:
    """A handler that remembers what it got, and waiting for that."""

    def __init__(self) -> None:
        self._got: "queue.Queue[muster.Message]" = queue.Queue()

    def __call__(self, message: muster.Message) -> None:
        self._got.put(message)

    def next(self) -> muster.Message:
        return self._got.get(timeout=PATIENCE)


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def round_trip(listener: muster.Listener, worker: muster.Worker, collector: Collector) -> Callable[[Any], Any]:
    """Send data from the worker and give what the handler got."""
    listener.register_handler("worker-1", collector)

    def send(data: Any) -> Any:
        worker.send("DATA", data)
        return collector.next().data
    return send


@pytest.fixture
def make_listener() -> Iterator[Callable[..., muster.Listener]]:
    """Makes listeners, not started, that are stopped at the end."""
    made = []

    def make(endpoint: str = "tcp://127.0.0.1:*", **options: Any) -> muster.Listener:
        listener = muster.Listener(endpoint, **options)
        made.append(listener)
        return listener
    yield make
    for listener in made:
        listener.stop()


@pytest.fixture
def make_worker() -> Iterator[Callable[..., muster.Worker]]:
    """Makes workers of a listener that are here, and closes them at the end."""
    made = []

    def make(listener: muster.Listener, source: str, **options: Any) -> muster.Worker:
        worker = muster.Worker(listener.endpoint, source, **options)
        made.append(worker)
        listener.wait_for_workers([source], timeout=PATIENCE)
        return worker
    yield make
    for worker in made:
        worker.close()


class Gate:
    """A handler that says it was entered, and waits until it is opened."""

    def __init__(self) -> None:
        self.entered, self._open = threading.Event(), threading.Event()

    def __call__(self, message: muster.Message) -> None:
        self.entered.set()
        assert self._open.wait(PATIENCE)

    def wait_entered(self) -> None:
        assert self.entered.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def in_thread() -> Iterator[Callable[..., "concurrent.futures.Future[Any]"]]:
    """Calls a function in a thread of its own; gives the future of its result."""
    threads = []

    def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> "concurrent.futures.Future[Any]":
        future: "concurrent.futures.Future[Any]" = concurrent.futures.Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments, **named))
            except BaseException as error:
                future.set_exception(error)
        thread = threading.Thread(target=run, daemon=True)
        threads.append(thread)
        thread.start()
        return future
    yield call
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Log(logging.Handler):
    """The records of the logger muster, and waiting for one."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: "queue.Queue[logging.LogRecord]" = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.put(record)

    def wait(self, text: str) -> logging.LogRecord:
        """The next record that has text in it."""
        while True:
            record = self.records.get(timeout=PATIENCE)
            if text in record.getMessage():
                return record


@pytest.fixture
def log() -> Iterator[Log]:
    log, logger = Log(), logging.getLogger("muster")
    level = logger.level
    logger.addHandler(log)
    logger.setLevel(logging.DEBUG)
    yield log
    logger.removeHandler(log)
    logger.setLevel(level)
