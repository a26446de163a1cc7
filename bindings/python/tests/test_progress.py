"""progress=: how far large messages have come.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import gc
import threading
import warnings
from typing import Any, Callable, List, Tuple

import muster
import numpy as np
import pytest
from conftest import PATIENCE, Collector, Gate, Log
from muster import _core

MIB = 1 << 20


class Calls:
    """A callback that remembers."""

    def __init__(self) -> None:
        self.calls: List[Tuple[int, int, int]] = []
        self.threads: List[str] = []

    def __call__(self, position: int, sent: int, size: int) -> None:
        self.calls.append((position, sent, size))
        self.threads.append(threading.current_thread().name)

    @property
    def complete(self) -> List[int]:
        return [position for position, sent, size in self.calls if sent == size]


@pytest.fixture
def serving(listener: muster.Listener) -> muster.Listener:
    listener.register_default_handler(lambda message: None)
    return listener


def test_a_large_message_is_told_of_to_its_last_byte_when_its_worker_is_closed(serving: muster.Listener) -> None:
    calls = Calls()
    with muster.Worker(serving.endpoint, "worker-1", progress=calls) as worker:
        worker.send("SMALL", {"n": 1})
        worker.send("LARGE", {"w": np.zeros(30 * MIB, np.uint8)})
    assert calls.complete == [2]
    position, sent, size = calls.calls[-1]
    assert position == 2 and sent == size and 30 * MIB <= size < 30 * MIB + 200
    assert set(calls.threads) == {"muster-progress"}
    assert all(before < after for (_, before, _), (_, after, _) in zip(calls.calls, calls.calls[1:]))


def test_messages_of_a_mebibyte_are_not_told_of(serving: muster.Listener) -> None:
    calls = Calls()
    with muster.Worker(serving.endpoint, "worker-1", progress=calls) as worker:
        worker.send("SMALL", {"b": bytes(MIB - 200)})
    assert calls.calls == []


def test_a_callback_that_fails_is_logged_and_called_again(serving: muster.Listener, log: Log) -> None:
    seen: List[int] = []

    def fail(position: int, sent: int, size: int) -> None:
        if sent == size:
            seen.append(position)
        raise ValueError("no bar")

    with muster.Worker(serving.endpoint, "worker-1", progress=fail) as worker:
        for _ in range(3):
            worker.send("LARGE", {"b": bytes(2 * MIB)})
    assert seen == [1, 2, 3]
    record = log.wait("progress")
    assert record.exc_info is not None and "no bar" in str(record.exc_info[1])


def test_a_callback_that_stands_still_holds_up_no_message(serving: muster.Listener, gate: Gate) -> None:
    worker = muster.Worker(serving.endpoint, "worker-1", progress=lambda *_: gate(None))  # type: ignore[arg-type]
    for _ in range(10):
        worker.send("LARGE", {"b": bytes(2 * MIB)})
    worker.flush(timeout=PATIENCE)
    gate.wait_entered()
    gate.open()
    assert worker.close() == 0


def test_a_thread_that_keeps_the_gil_holds_up_no_message(
        serving: muster.Listener, in_thread: Callable[..., Any]) -> None:
    calls = Calls()
    worker = muster.Worker(serving.endpoint, "worker-1", progress=calls)
    in_thread(sum, range(20_000_000))
    worker.send("LARGE", {"b": bytes(20 * MIB)})
    worker.flush(timeout=PATIENCE)
    assert worker.close() == 0
    assert calls.complete == [1]


def test_a_callback_may_use_its_worker(listener: muster.Listener, collector: Collector) -> None:
    def tell(position: int, sent: int, size: int) -> None:
        if sent == size:
            worker.send("SENT", {"position": position})

    listener.register_default_handler(collector)
    with muster.Worker(listener.endpoint, "worker-1", progress=tell) as worker:
        worker.send("LARGE", {"b": bytes(4 * MIB)})
        assert collector.next().cmd == "LARGE"
        assert collector.next().data == {"position": 1}


def threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "muster-progress"]


def test_a_worker_that_is_dropped_or_never_made_leaves_no_thread(serving: muster.Listener) -> None:
    before = set(threads())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        muster.Worker(serving.endpoint, "worker-1", progress=Calls())
        gc.collect()
    with pytest.raises(muster.Endpoint):
        muster.Worker("nowhere", progress=Calls())
    with pytest.raises(TypeError):
        muster.Worker(serving.endpoint, liveness="x", progress=Calls())  # type: ignore[arg-type]
    gc.collect()
    for thread in set(threads()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_only_a_callable_is_taken(serving: muster.Listener) -> None:
    with pytest.raises(TypeError, match="progress"):
        muster.Worker(serving.endpoint, progress=3)  # type: ignore[arg-type]


def test_the_module_takes_no_descriptor_that_is_none(serving: muster.Listener) -> None:
    with pytest.raises(OSError):
        _core.Worker(serving.endpoint, "worker-1", {}, False, 1 << 20)
