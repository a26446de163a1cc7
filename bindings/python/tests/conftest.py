"""What the tests of the Python package share.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import faulthandler
import queue
from typing import Any, Callable, Iterator

import muster
import pytest

#   Long enough for a loaded machine; a test that is right never waits so long.
PATIENCE = 30

#   A test that hangs ends with the trace of each thread.
faulthandler.enable()


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
