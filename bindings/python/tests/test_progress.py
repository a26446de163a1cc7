"""progress=: how far large messages have come.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import ctypes
import gc
import os
import queue
import threading
import types
import warnings
import weakref
from typing import Any, Callable, Dict, List, Tuple, Union

import muster
import numpy as np
import pytest
from children import outcome
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
    in_thread(ctypes.PyDLL(None).usleep, 500_000)       # through PyDLL a function keeps the GIL
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


WORKER_CALLS: Dict[str, Callable[[muster.Worker], object]] = {
    "send": lambda it: it.send("SENT", {"b": bytes(2 * MIB)}),
    "flush": lambda it: it.flush(timeout=PATIENCE),
    "recv": lambda it: it.recv(timeout=PATIENCE),
    "next": lambda it: next(it),
    "close": lambda it: it.close(),
    "end of with": lambda it: it.__exit__(None, None, None),
}


@pytest.mark.parametrize("call", WORKER_CALLS)
def test_a_callback_may_make_any_call_of_its_worker_and_the_worker_closes(serving: muster.Listener, call: str) -> None:
    results: "queue.Queue[str]" = queue.Queue()

    def tell(position: int, sent: int, size: int) -> None:
        if position == 1:
            results.put(outcome(lambda: WORKER_CALLS[call](worker)))

    with muster.Worker(serving.endpoint, "worker-1", drain=PATIENCE, progress=tell) as worker:
        serving.wait_for_workers(1, PATIENCE)
        serving.broadcast("COMMAND")
        worker.send("LARGE", {"b": bytes(4 * MIB)})
        assert results.get(timeout=PATIENCE) == ""
    assert worker.close() == 0


def test_a_callback_may_close_a_worker_whose_close_waits_for_it(
        serving: muster.Listener, in_thread: Callable[..., Any], gate: Gate) -> None:
    results: "queue.Queue[int]" = queue.Queue()

    def tell(position: int, sent: int, size: int) -> None:
        gate(None)  # type: ignore[arg-type]
        results.put(worker.close())

    worker = muster.Worker(serving.endpoint, "worker-1", progress=tell)
    worker.send("LARGE", {"b": bytes(4 * MIB)})
    gate.wait_entered()
    closing = in_thread(worker.close)
    while serving.workers:
        os.sched_yield()
    gate.open()
    assert closing.result(PATIENCE) == 0
    assert results.get(timeout=PATIENCE) == 0


class NamedCalls:
    """A listener's callback that remembers, and says when all of a command has arrived."""

    def __init__(self) -> None:
        self.calls: List[Tuple[str, int, int, int]] = []
        self.threads: List[str] = []
        self.complete: "queue.Queue[Tuple[str, int]]" = queue.Queue()

    def __call__(self, source: str, position: int, sent: int, size: int) -> None:
        self.calls.append((source, position, sent, size))
        self.threads.append(threading.current_thread().name)
        if sent == size:
            self.complete.put((source, position))


def test_a_listener_is_told_of_its_large_commands_and_whom_they_are_for() -> None:
    calls = NamedCalls()
    names = ["worker-1", "wörker €", "x" * 255]
    with muster.Listener("tcp://127.0.0.1:*", progress=calls) as listener:
        workers = [muster.Worker(listener.endpoint, name) for name in names]
        listener.wait_for_workers(names, PATIENCE)
        for worker in workers:
            listener.send(worker.source, "SMALL", {"n": 1})
            listener.send(worker.source, "LARGE", {"w": np.zeros(4 * MIB, np.uint8)})
        for worker in workers:
            assert [worker.recv(PATIENCE).cmd for _ in range(2)] == ["SMALL", "LARGE"]
        assert {calls.complete.get(timeout=PATIENCE) for _ in workers} == {(name, 2) for name in names}
        for worker in workers:
            worker.close()
    assert all(position == 2 and sent <= size and size > 4 * MIB for _, position, sent, size in calls.calls)
    assert set(calls.threads) == {"muster-progress"}


def test_a_listener_that_starts_again_goes_on_telling() -> None:
    calls = NamedCalls()
    listener = muster.Listener("tcp://127.0.0.1:*", progress=calls)
    for source in ("a", "b"):
        with listener, muster.Worker(listener.endpoint, source) as worker:
            listener.wait_for_workers([source], PATIENCE)
            listener.send(source, "LARGE", {"b": bytes(2 * MIB)})
            assert worker.recv(PATIENCE).cmd == "LARGE"
            assert calls.complete.get(timeout=PATIENCE) == (source, 1)


LISTENER_CALLS: Dict[str, Tuple[Callable[[muster.Listener], object], str]] = {
    "send": (lambda it: it.send("worker-1", "SENT"), ""),
    "ask": (lambda it: it.ask("ASKED", timeout=0).next(), ""),
    "stats": (lambda it: it.stats, ""),
    "register": (lambda it: it.register_default_handler(print), ""),
    "wait": (lambda it: it.wait_for_workers(1, PATIENCE), ""),
    "start": (lambda it: it.start(), "Busy"),
    "stop": (lambda it: it.stop(), ""),
    "end of with": (lambda it: it.__exit__(None, None, None), ""),
}


@pytest.mark.parametrize("call", LISTENER_CALLS)
def test_a_listener_s_callback_may_make_any_call_of_it_and_it_stops(call: str) -> None:
    results: "queue.Queue[str]" = queue.Queue()

    def tell(source: str, position: int, sent: int, size: int) -> None:
        if sent == size:
            results.put(outcome(lambda: LISTENER_CALLS[call][0](listener)))

    with muster.Listener("tcp://127.0.0.1:*", progress=tell) as listener, \
            muster.Worker(listener.endpoint, "worker-1") as worker:
        listener.wait_for_workers(1, PATIENCE)
        listener.send("worker-1", "LARGE", {"b": bytes(2 * MIB)})
        assert worker.recv(PATIENCE).cmd == "LARGE"
        assert results.get(timeout=PATIENCE) == LISTENER_CALLS[call][1]
    assert listener.stop() == 0


def test_a_listener_s_callback_that_fails_is_logged_and_called_again(log: Log) -> None:
    seen: "queue.Queue[int]" = queue.Queue()

    def fail(source: str, position: int, sent: int, size: int) -> None:
        if sent == size:
            seen.put(position)
        raise ValueError("no bar")

    with muster.Listener("tcp://127.0.0.1:*", progress=fail) as listener, \
            muster.Worker(listener.endpoint, "worker-1") as worker:
        listener.wait_for_workers(1, PATIENCE)
        for position in (1, 2):
            listener.send("worker-1", "LARGE", {"b": bytes(2 * MIB)})
            worker.recv(PATIENCE)
            assert seen.get(timeout=PATIENCE) == position
    record = log.wait("progress")
    assert record.exc_info is not None and "no bar" in str(record.exc_info[1])


def test_a_listener_that_is_dropped_or_never_made_leaves_no_thread() -> None:
    before = set(threads())
    listener = muster.Listener("tcp://127.0.0.1:*", progress=NamedCalls())
    with listener:
        pass
    del listener
    with pytest.raises(muster.Endpoint):
        muster.Listener("tcp://127.0.0.1:x", progress=NamedCalls()).start()
    with pytest.raises(TypeError):
        muster.Listener("tcp://127.0.0.1:*", liveness="x", progress=NamedCalls())  # type: ignore[arg-type]
    gc.collect()
    assert_all_end(before)


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
    assert_all_end(before)


def test_a_listener_that_its_callback_refers_to_is_freed_and_leaves_no_thread() -> None:
    before = set(threads())
    freed = drop_after_a_large_command()
    gc.collect()
    assert freed() is None
    assert_all_end(before)


def drop_after_a_large_command() -> "weakref.ref[muster.Listener]":
    """A listener that ran, told of a command, and stopped; only its own callback refers to it."""
    told: "queue.Queue[str]" = queue.Queue()

    def tell(source: str, position: int, sent: int, size: int) -> None:
        if sent == size:
            told.put(listener.endpoint)

    listener = muster.Listener("tcp://127.0.0.1:*", progress=tell)
    with listener, muster.Worker(listener.endpoint, "worker-1") as worker:
        listener.wait_for_workers(1, PATIENCE)
        listener.send("worker-1", "LARGE", {"b": bytes(2 * MIB)})
        worker.recv(PATIENCE)
        assert told.get(timeout=PATIENCE) == listener.endpoint
    return weakref.ref(listener)


def test_a_worker_that_its_callback_refers_to_is_freed_and_leaves_no_thread(serving: muster.Listener) -> None:
    def drop() -> "weakref.ref[muster.Worker]":
        worker = muster.Worker(serving.endpoint, "worker-1", progress=lambda *_: worker.source)
        return weakref.ref(worker)

    before = set(threads())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        freed = drop()
        gc.collect()
    assert freed() is None
    assert_all_end(before)


def test_what_a_listener_had_to_tell_when_it_was_dropped_is_told() -> None:
    """Its thread is held up by the first call until the listener has gone."""
    calls, entered, go = NamedCalls(), threading.Event(), threading.Event()

    def tell(source: str, position: int, sent: int, size: int) -> None:
        entered.set()
        assert go.wait(PATIENCE)
        calls(source, position, sent, size)

    listener = muster.Listener("tcp://127.0.0.1:*", progress=tell)
    with listener, muster.Worker(listener.endpoint, "worker-1") as worker:
        listener.wait_for_workers(1, PATIENCE)
        for _ in range(2):
            listener.send("worker-1", "LARGE", {"b": bytes(2 * MIB)})
        for _ in range(2):
            worker.recv(PATIENCE)
        with pytest.raises(muster.Timeout):
            worker.recv(0)
        assert entered.wait(PATIENCE)
        while listener.stats["roster"][0]["commands"] > 0:
            os.sched_yield()
    del listener, tell
    go.set()
    assert [calls.complete.get(timeout=PATIENCE) for _ in range(2)] == [("worker-1", 1), ("worker-1", 2)]


def assert_all_end(before: "set[threading.Thread]") -> None:
    for thread in set(threads()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.parametrize("make", [lambda: muster.Listener("tcp://127.0.0.1:*", progress=NamedCalls()),
                                  lambda: muster.Worker("inproc://nobody", progress=Calls())])
def test_without_a_thread_to_be_had_no_descriptor_is_left(
        monkeypatch: pytest.MonkeyPatch, make: Callable[[], Union[muster.Listener, muster.Worker]]) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    open_before = os.listdir("/proc/self/fd")
    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError, match="thread"):
        make()
    assert os.listdir("/proc/self/fd") == open_before


def test_only_a_callable_is_taken(serving: muster.Listener) -> None:
    with pytest.raises(TypeError, match="progress"):
        muster.Worker(serving.endpoint, progress=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="progress"):
        muster.Listener("tcp://127.0.0.1:*", progress=3)  # type: ignore[arg-type]


def test_the_module_takes_no_descriptor_that_is_none(serving: muster.Listener) -> None:
    with pytest.raises(OSError):
        _core.Worker(serving.endpoint, "worker-1", {}, False, 1 << 20)
    with pytest.raises(OSError):
        _core.Listener("tcp://127.0.0.1:*", {}, types.SimpleNamespace(descriptor=1 << 20))  # type: ignore[arg-type]
