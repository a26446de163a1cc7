"""The listener from Python: handlers, taking messages, start and stop, options.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import gc
import logging
import os
import queue
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
import weakref

import children
import muster
import numpy as np
import pytest
from conftest import PATIENCE, Collector


def drop(message):
    """A handler."""


#   --------------------------------------------------------------------------
#   Registering

def test_a_message_goes_to_the_handler_of_its_source(listener, make_worker):
    one, other, default = Collector(), Collector(), Collector()
    listener.register_handler("a", one)
    listener.register_handler("b", other)
    listener.register_default_handler(default)
    workers = {source: make_worker(listener, source) for source in "abc"}
    for source, worker in workers.items():
        worker.send("FROM", {"source": source})
    for collector, source in ((one, "a"), (other, "b"), (default, "c")):
        message = collector.next()
        assert (message.source, message.cmd, message.data) == (source, "FROM", {"source": source})


def test_what_a_message_says_of_itself(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    worker.send("A", {"x": 1})
    worker.send("B")
    first, second = collector.next(), collector.next()
    assert (first.source, first.cmd, first.data) == ("worker-1", "A", {"x": 1})
    assert re.fullmatch("[0-9a-f]{32}", first.session) and second.session == first.session
    assert (first.position, second.position) == (1, 2)
    assert first.answers == 0 and first.late is False
    assert first.data is first.data
    assert "A" in repr(first) and "worker-1" in repr(first)
    for name in ("source", "cmd", "data", "session", "position", "answers", "late", "other"):
        with pytest.raises(AttributeError):
            setattr(first, name, 1)
    with pytest.raises(TypeError):
        muster.Message()


def test_a_second_handler_of_a_source_is_refused_and_the_first_stays(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    with pytest.raises(muster.Exists) as caught:
        listener.register_handler("worker-1", drop)
    assert "worker-1" in str(caught.value)
    with pytest.raises(muster.Exists):
        listener.register_handler("worker-1", drop, overwrite=False)
    worker.send("A")
    assert collector.next().cmd == "A"


def test_overwriting_replaces_the_handler(listener, worker):
    first, second = Collector(), Collector()
    listener.register_handler("worker-1", first)
    worker.send("A")
    assert first.next().cmd == "A"
    listener.register_handler("worker-1", second, overwrite=True)
    worker.send("B")
    assert second.next().cmd == "B"
    assert first._got.empty()


def test_a_handler_for_the_listeners_own_source_is_reserved(listener):
    for overwrite in (False, True):
        with pytest.raises(muster.Reserved):
            listener.register_handler(listener.source, drop, overwrite)


def test_none_is_no_handler_and_changes_nothing(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    for call in (lambda: listener.register_handler("worker-1", None), lambda: listener.register_handler("worker-1", None, True),
                 lambda: listener.register_default_handler(None), lambda: listener.register_system_handler(None)):
        with pytest.raises(muster.Invalid):
            call()
    worker.send("A")
    assert collector.next().cmd == "A"


def test_what_cannot_be_called_is_no_handler(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    for wrong in (7, "handler", [drop]):
        for call in (lambda: listener.register_handler("worker-1", wrong, True), lambda: listener.register_default_handler(wrong),
                     lambda: listener.register_system_handler(wrong)):
            with pytest.raises(TypeError, match="callable"):
                call()
    worker.send("A")
    assert collector.next().cmd == "A"


def test_the_arguments_of_registering_have_names(listener, worker, collector):
    listener.register_handler(source="worker-1", handler=drop)
    listener.register_handler(handler=collector, overwrite=True, source="worker-1")
    worker.send("A")
    assert collector.next().cmd == "A"
    for call in (lambda: listener.register_handler("x"), lambda: listener.register_handler("x", drop, False, 1),
                 lambda: listener.register_handler("x", drop, again=True), lambda: listener.register_handler("x", drop, source="y"),
                 lambda: listener.register_handler()):
        with pytest.raises(TypeError, match="register_handler"):
            call()


def test_any_callable_is_a_handler(listener, make_worker):
    class Owner:
        def __init__(self):
            self.got = Collector()

        def method(self, message):
            self.got(message)

        def __call__(self, message):
            self.got(message)
    owner, got = Owner(), Collector()
    handlers = [owner.method, owner, lambda message: got(message), got._got.put]
    for number, handler in enumerate(handlers):
        listener.register_handler(str(number), handler)
        make_worker(listener, str(number)).send("A", {"n": number})
    assert {owner.got.next().data["n"], owner.got.next().data["n"]} == {0, 1}
    assert {got.next().data["n"], got.next().data["n"]} == {2, 3}


def test_a_source_may_be_of_a_class_of_str_that_does_not_hash(listener, worker, collector):
    class Name(str):
        __hash__ = None

    for _ in range(2):
        listener.register_handler(Name("worker-1"), collector)
        gc.collect()
        worker.send("ONE")
        assert collector.next().cmd == "ONE"
        listener.unregister_handler(Name("worker-1"))


def test_an_unregistered_source_has_the_default_handler(listener, worker):
    own, default = Collector(), Collector()
    listener.register_handler("worker-1", own)
    listener.register_default_handler(default)
    listener.unregister_handler("worker-1")
    worker.send("A")
    assert default.next().cmd == "A"
    with pytest.raises(muster.NotFound) as caught:
        listener.unregister_handler("worker-1")
    assert "worker-1" in str(caught.value)
    listener.register_handler("worker-1", own)
    worker.send("B")
    assert own.next().cmd == "B"


def test_a_message_without_a_handler_is_logged_and_counted(listener, worker, log):
    listener.register_handler("another", drop)
    worker.send("A")
    worker.flush(PATIENCE)
    record = log.wait("no handler")
    assert record.levelno == logging.WARNING and "worker-1" in record.getMessage()
    assert listener.stats["unhandled"] == 1 and listener.stats["handled"] == 1


def test_the_default_handler_can_be_replaced(listener, worker):
    first, second = Collector(), Collector()
    listener.register_default_handler(first)
    listener.register_default_handler(second)
    worker.send("A")
    assert second.next().cmd == "A" and first._got.empty()


def test_on_registers_as_a_decorator(listener, make_worker):
    got = Collector()

    @listener.on("a")
    def on_a(message):
        got(("a", message.cmd))

    @listener.on()
    def on_others(message):
        got(("others", message.cmd))
    make_worker(listener, "a").send("A")
    assert got.next() == ("a", "A")
    make_worker(listener, "b").send("B")
    assert got.next() == ("others", "B")
    assert on_a.__name__ == "on_a" and on_others.__name__ == "on_others"
    with pytest.raises(muster.Exists):
        listener.on("a")(drop)
    with pytest.raises(muster.Reserved):
        listener.on(listener.source)(drop)

    @listener.on("a", overwrite=True)
    def on_a_again(message):
        got(("again", message.cmd))
    listener.send("a", "X")


def test_a_listener_lets_go_of_its_handlers(make_listener):
    class Handler:
        def __call__(self, message):
            pass
    handlers = [Handler() for _ in range(5)]
    dead = [weakref.ref(handler) for handler in handlers]
    listener = make_listener()
    listener.register_handler("a", handlers[0])
    listener.register_handler("a", handlers[1], True)
    listener.register_handler("b", handlers[2])
    listener.unregister_handler("b")
    listener.register_default_handler(handlers[3])
    listener.register_system_handler(handlers[4])
    handlers.clear()
    gc.collect()
    assert [ref() is None for ref in dead] == [True, False, True, False, False]
    listener.register_default_handler(drop)
    listener.register_system_handler(drop)
    listener.unregister_handler("a")
    gc.collect()
    assert [ref() is None for ref in dead] == [True] * 5


def test_a_running_listener_lets_go_of_a_handler_that_has_run(listener, worker):
    class Handler:
        def __call__(self, message):
            pass
    handler = Handler()
    dead = weakref.ref(handler)
    listener.register_handler("worker-1", handler)
    worker.send("A")
    worker.flush(PATIENCE)
    listener.register_handler("worker-1", drop, True)
    del handler
    gc.collect()
    assert dead() is None


def test_a_handler_that_refers_to_its_listener_is_collected_with_it():
    class Marker:
        pass
    listener = muster.Listener("tcp://127.0.0.1:*")
    marker = Marker()
    dead = weakref.ref(marker)
    listener.register_handler("a", lambda message: (listener, marker))
    listener.start()
    listener.stop()
    del listener, marker
    gc.collect()
    assert dead() is None


#   --------------------------------------------------------------------------
#   Registering while it runs, and inside a handler

def test_overwriting_waits_for_the_old_handler(listener, worker, in_thread, collector):
    entered, go, returned = threading.Event(), threading.Event(), []

    def handler(message):
        entered.set()
        go.wait(PATIENCE)
        returned.append(True)

    def overwrite():
        listener.register_handler("worker-1", collector, True)
        return list(returned)
    listener.register_handler("worker-1", handler)
    worker.send("A")
    assert entered.wait(PATIENCE)
    change = in_thread(overwrite)
    go.set()
    assert change.result(PATIENCE) == [True]
    worker.send("B")
    assert collector.next().cmd == "B"


def test_unregistering_waits_for_the_old_handler(listener, worker, in_thread):
    entered, go, returned = threading.Event(), threading.Event(), []

    def handler(message):
        entered.set()
        go.wait(PATIENCE)
        returned.append(True)

    def unregister():
        listener.unregister_handler("worker-1")
        return list(returned)
    listener.register_handler("worker-1", handler)
    worker.send("A")
    assert entered.wait(PATIENCE)
    change = in_thread(unregister)
    go.set()
    assert change.result(PATIENCE) == [True]


def test_a_handler_may_overwrite_itself(listener, worker, collector):
    def first(message):
        listener.register_handler("worker-1", collector, overwrite=True)
    listener.register_handler("worker-1", first)
    worker.send("A")
    worker.send("B")
    assert collector.next().cmd == "B"


def test_a_handler_may_unregister_itself_and_register_another(listener, worker, collector):
    def first(message):
        listener.unregister_handler("worker-1")
        with pytest.raises(muster.NotFound):
            listener.unregister_handler("worker-1")
        listener.register_handler("worker-1", collector)
        with pytest.raises(muster.Exists):
            listener.register_handler("worker-1", drop)
    listener.register_handler("worker-1", first)
    worker.send("A")
    worker.send("B")
    assert collector.next().cmd == "B"
    assert listener.stats["failed"] == 0


def test_a_handler_that_overwrites_itself_runs_on_with_what_it_refers_to(listener, worker, collector):
    def make(number):
        kept = np.full(1000, number)

        def handler(message):
            if number < 50:
                listener.register_handler("worker-1", make(number + 1), overwrite=True)
            gc.collect()
            assert (kept == number).all()
            collector(number)
        return handler
    listener.register_handler("worker-1", make(0))
    for _ in range(51):
        worker.send("NEXT")
    assert [collector.next() for _ in range(51)] == list(range(51))
    assert listener.stats["failed"] == 0


def test_a_handler_may_change_the_default_and_the_system_handler(listener, make_worker):
    default, events = Collector(), Collector()

    def first(message):
        listener.register_default_handler(default)
        listener.register_system_handler(events)
    listener.register_default_handler(first)
    worker = make_worker(listener, "a")
    worker.send("A")
    worker.send("B")
    assert default.next().cmd == "B"
    make_worker(listener, "b")
    assert events.next().data["source"] == "b"


def test_many_threads_may_overwrite_one_handler_while_messages_flow(listener, make_worker, in_thread):
    stop, calls = threading.Event(), []
    listener.register_handler("a", calls.append)
    listener.register_default_handler(drop)
    worker = make_worker(listener, "a")

    def change(seed):
        chance, changes = random.Random(seed), 0
        while not stop.is_set():
            kept = [seed] * 100
            listener.register_handler("a", lambda message: calls.append(len(kept)), overwrite=True)
            changes += 1
            if chance.random() < 0.1:
                listener.register_default_handler(lambda message: calls.append(kept[0]))
                try:
                    listener.unregister_handler("a")
                except muster.NotFound:
                    pass
        return changes
    changing = [in_thread(change, seed) for seed in range(8)]
    try:
        for _ in range(20):
            for number in range(200):
                worker.send("A", {"n": number})
            worker.flush(PATIENCE)
    finally:
        stop.set()
    assert all(future.result(PATIENCE) > 0 for future in changing)
    assert len(calls) == 4000
    stats = listener.stats
    assert (stats["handled"], stats["failed"]) == (4000, 0)


def sleeps(thread, line):
    """Is a thread of this process at a line of a function of Python's, and waits there?"""
    function, number = line
    frame = sys._current_frames().get(thread.ident)
    if frame is None or frame.f_code is not function.__code__ or frame.f_lineno != function.__code__.co_firstlineno + number:
        return False
    with open(f"/proc/self/task/{thread.native_id}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] == "S"


def test_a_handler_that_came_before_another_change_was_through_is_there_after_a_restart(make_listener, make_worker, in_thread, gate):
    """The first change waits for the handler that runs; the second need not, and is through before it."""
    class Handler:
        def __call__(self, message):
            got.put(message.cmd)

    def change():
        threads.append(threading.current_thread())
        listener.register_handler("w", drop, overwrite=True)

    got, threads, listener = queue.Queue(), [], make_listener()
    listener.register_handler("w", gate)
    listener.start()
    worker = make_worker(listener, "w")
    worker.send("FIRST")
    gate.wait_entered()
    first = in_thread(change)
    children.eventually(lambda: threads and sleeps(threads[0], (change, 2)))
    handler = Handler()
    there = weakref.ref(handler)
    listener.register_handler("w", handler, overwrite=True)
    del handler
    gate.open()
    first.result(PATIENCE)
    worker.flush(PATIENCE)
    listener.stop()
    gc.collect()
    assert there() is not None
    listener.start()
    worker.send("SECOND")
    assert got.get(timeout=PATIENCE) == "SECOND"


def test_many_threads_may_register_at_once_and_one_wins(listener, worker, in_thread):
    together, got = threading.Barrier(16), Collector()

    def register(number):
        together.wait(PATIENCE)
        try:
            listener.register_handler("worker-1", lambda message: got(number))
        except muster.Exists:
            return None
        return number
    futures = [in_thread(register, number) for number in range(16)]
    winners = [future.result(PATIENCE) for future in futures if future.result(PATIENCE) is not None]
    worker.send("A")
    assert winners == [got.next()]


#   --------------------------------------------------------------------------
#   Handlers that fail

class Own(Exception):
    pass


@pytest.mark.parametrize("error", [Own, SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError, RecursionError, StopIteration])
def test_what_a_handler_raises_is_logged_and_counted_and_the_next_message_is_handled(listener, worker, collector, caplog, error):
    def failing_one(message):
        if message.cmd == "FAIL":
            raise error("told you so")
        collector(message)
    listener.register_handler("worker-1", failing_one)
    worker.send("FAIL")
    worker.send("AFTER")
    assert collector.next().cmd == "AFTER"
    worker.flush(PATIENCE)
    record, = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "muster"
    assert record.exc_info[0] is error and record.exc_info[2] is not None
    assert "failing_one" in caplog.text and "told you so" in caplog.text and "in failing_one" in caplog.text
    stats = listener.stats
    assert (stats["handled"], stats["failed"], stats["unhandled"]) == (2, 1, 0)


def run_script(script):
    """In a process of its own, with nothing of pytest's around logging."""
    done = subprocess.run([sys.executable, "-X", "dev", "-c", textwrap.dedent(script)], capture_output=True, text=True,
                          timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stderr
    return done


def test_a_handler_whose_repr_fails_still_fails_alone():
    done = run_script("""
        import muster
        handled = []
        class Handler:
            def __call__(self, message):
                handled.append(message.cmd)
                raise ArithmeticError("handler")
            def __repr__(self):
                raise LookupError("repr")
        with muster.Listener("tcp://127.0.0.1:*") as listener:
            listener.register_handler("w", Handler())
            with muster.Worker(listener.endpoint, "w") as worker:
                worker.send("A")
                worker.send("B")
                worker.flush(60)
            print(handled, listener.stats["failed"])
        """)
    assert done.stdout == "['A', 'B'] 2\n"


def test_a_logging_handler_that_raises_hurts_no_message_and_no_later_line():
    done = run_script("""
        import logging, queue, muster
        class Raising(logging.Handler):
            def emit(self, record):
                raised.put(record)
                raise ArithmeticError("logging")
        class Keeping(logging.Handler):
            def emit(self, record):
                lines.put(record.getMessage())
        raised, lines, raising = queue.Queue(), queue.Queue(), Raising()
        logger = logging.getLogger("muster")
        logger.addHandler(raising)
        with muster.Listener("tcp://127.0.0.1:*") as listener:
            def failing(message):
                raise LookupError("handler")
            listener.register_handler("w", failing)
            with muster.Worker(listener.endpoint, "w") as worker:
                worker.send("A")
                worker.send("B")
                worker.flush(60)
            print(listener.stats["failed"])
            raised.get(timeout=60)
            with muster.Worker(listener.endpoint, "nobody") as worker:
                worker.send("A")
                worker.flush(60)
            raised.get(timeout=60)
            logger.removeHandler(raising)
            logger.addHandler(Keeping())
            listener.register_system_handler(failing)
            with muster.Worker(listener.endpoint, "another") as worker:
                worker.send("A")
                worker.flush(60)
            while "failed on <muster.Message 'LEFT'" not in lines.get(timeout=60):
                pass
            print("logged")
        """)
    assert done.stdout == "2\nlogged\n"


def test_a_handler_that_takes_no_argument_fails(listener, worker):
    listener.register_handler("worker-1", lambda: None)
    worker.send("A")
    worker.flush(PATIENCE)
    assert listener.stats["failed"] == 1


def test_what_a_handler_returns_is_ignored(listener, worker):
    for result in (None, 0, 1, False, "text", object()):
        listener.register_handler("worker-1", lambda message: result, overwrite=True)
        worker.send("A")
        worker.flush(PATIENCE)
    stats = listener.stats
    assert (stats["handled"], stats["failed"]) == (6, 0)


def test_a_default_and_a_system_handler_that_fail_are_logged(listener, make_worker, caplog):
    def failing(message):
        raise Own(message.cmd)
    listener.register_default_handler(failing)
    listener.register_system_handler(failing)
    worker = make_worker(listener, "a")
    worker.send("DEFAULT")
    worker.flush(PATIENCE)
    text = "".join(str(record.exc_info[1]) for record in caplog.records if record.exc_info)
    assert "JOINED" in text and "DEFAULT" in text


def test_what_a_handler_left_in_threading_local_stays(listener, worker, collector):
    local = threading.local()

    def count(message):
        local.count = getattr(local, "count", 0) + 1
        collector((local.count, threading.current_thread()))
    listener.register_handler("worker-1", count)
    seen = []
    for _ in range(5):
        worker.send("A")
        seen.append(collector.next())
        worker.flush(PATIENCE)
    assert [number for number, _ in seen] == [1, 2, 3, 4, 5]
    assert len({thread for _, thread in seen}) == 1


#   --------------------------------------------------------------------------
#   What a handler may do

def test_a_handler_may_send_and_reply_to_its_worker(listener, worker):
    def handler(message):
        assert listener.send(message.source, "COMMAND", {"n": message.data["n"]}) == "worker-1"
        assert listener.broadcast("ALL") == ["worker-1"]
        message.reply("REPLY", {"n": message.data["n"]})
    listener.register_handler("worker-1", handler)
    worker.send("A", {"n": 5})
    got = [worker.recv(PATIENCE) for _ in range(3)]
    assert [(command.cmd, command.data, command.answers) for command in got] == [
        ("COMMAND", {"n": 5}, 0), ("ALL", {}, 0), ("REPLY", {"n": 5}, 1)]
    worker.flush(PATIENCE)
    assert listener.stats["failed"] == 0


def test_sending_in_a_handler_never_waits(make_listener, make_worker, collector):
    def handler(message):
        count = 0
        try:
            while count < 10000:
                listener.send(message.source, "COMMAND", {"b": bytes(10000)})
                count += 1
        except muster.Error as error:
            collector((count, error))
    listener = make_listener(command_buffer=100000)
    listener.register_handler("w", handler)
    listener.start()
    worker = make_worker(listener, "w", command_buffer=10000)
    worker.send("A")
    count, error = collector.next()
    assert isinstance(error, muster.Again)
    for _ in range(count):
        assert worker.recv(PATIENCE).cmd == "COMMAND"


def test_a_handler_may_stop_its_listener(make_listener, make_worker, collector):
    listener = make_listener()

    def handler(message):
        collector(listener.stop())
    listener.register_handler("w", handler)
    listener.start()
    worker = make_worker(listener, "w")
    worker.send("STOP")
    assert collector.next() == 0
    assert listener.stop() == 0
    with pytest.raises(muster.Error):
        listener.send("w", "A")
    listener.start()
    listener.wait_for_workers(["w"], PATIENCE)
    worker.flush(PATIENCE)


def test_a_list_of_sources_that_changes_while_it_is_waited_for_is_as_it_was(listener, make_worker, in_thread):
    """Without turns another thread goes on only when the call waits, without Python's lock."""
    names = ["".join(["worker-", str(number)]) for number in range(20)]
    began, interval = threading.Event(), sys.getswitchinterval()

    def wait():
        began.set()
        listener.wait_for_workers(names, PATIENCE)

    sys.setswitchinterval(1000)
    try:
        waiting = in_thread(wait)
        assert began.wait(PATIENCE)
    finally:
        sys.setswitchinterval(interval)
    names.clear()
    others = ["".join(["nobody-", str(number)]) for number in range(10_000)]
    for number in range(20):
        make_worker(listener, f"worker-{number}")
    waiting.result(PATIENCE)
    assert len(others) == 10_000


def calls_that_wait(listener, worker):
    yield "start", listener.start, (muster.Deadlock, muster.Busy)
    yield "wait for a worker", lambda: listener.wait_for_workers(["nobody"]), (muster.Deadlock,)
    yield "wait for many workers", lambda: listener.wait_for_workers(99, PATIENCE), (muster.Deadlock,)
    yield "messages", lambda: next(iter(listener.messages(timeout=PATIENCE))), (muster.Deadlock, muster.Busy)
    yield "flush", lambda: worker.flush(1), (muster.Deadlock, muster.Timeout)
    yield "ask without a reply", lambda: list(listener.ask("A", timeout=1)), (muster.Deadlock, muster.Timeout, type(None))


@pytest.mark.parametrize("index", range(6))
def test_a_call_that_would_wait_for_itself_in_a_handler_does_not_hang(listener, worker, collector, index):
    name, call, errors = list(calls_that_wait(listener, worker))[index]

    def handler(message):
        try:
            call()
            collector(None)
        except muster.Error as error:
            collector(error)
    listener.register_handler("worker-1", handler)
    worker.send("A")
    assert isinstance(collector.next(), errors), name


def test_a_handler_may_ask_and_get_the_replies(listener, make_worker, collector, in_thread):
    def handler(message):
        try:
            collector([reply.data for reply in listener.ask("Q", workers=["b"], timeout=2)])
        except muster.Error as error:
            collector(error)
    listener.register_handler("a", handler)
    one, other = make_worker(listener, "a"), make_worker(listener, "b")

    def answer():
        try:
            other.recv(PATIENCE).reply("A", {"n": 1})
        except muster.Closed:
            pass
    in_thread(answer)
    one.send("GO")
    got = collector.next()
    other.close()
    #   Either way is sound: the replies, or a refusal to wait.
    assert got == [{"n": 1}] or isinstance(got, muster.Deadlock)


def test_waiting_in_a_handler_for_workers_that_are_here_returns(listener, worker, collector):
    def handler(message):
        listener.wait_for_workers(1)
        listener.wait_for_workers(["worker-1"])
        collector(message)
    listener.register_handler("worker-1", handler)
    worker.send("A")
    assert collector.next().cmd == "A"


def test_a_handler_may_look_at_its_listener(listener, worker, collector):
    listener.register_handler("worker-1", lambda message: collector(
        (listener.workers, listener.stats["received"], listener.endpoint, listener.source, repr(listener))))
    worker.send("A")
    workers, received, endpoint, source, text = collector.next()
    assert workers == ["worker-1"] and received == 1 and endpoint == listener.endpoint and endpoint in text
    assert source == listener.source


#   --------------------------------------------------------------------------
#   Messages that are kept

def test_messages_kept_beyond_their_handler_stay_readable(listener, worker):
    kept = []
    listener.register_handler("worker-1", kept.append)
    for number in range(100):
        worker.send("A", {"n": number, "b": bytes(1000)})
    worker.send("LARGE", {"w": np.full(3 << 20, 7, "u1")})
    worker.flush(PATIENCE)
    for number, message in enumerate(kept[:100]):
        assert message.data == {"n": number, "b": bytes(1000)}
        assert (message.source, message.cmd, message.position) == ("worker-1", "A", number + 1)
    assert (kept[100].data["w"] == 7).all()


def test_a_message_kept_can_be_replied_to_later(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    worker.send("A")
    message = collector.next()
    worker.flush(PATIENCE)
    message.reply("LATER", {"n": 1})
    message.reply("AGAIN")
    got = worker.recv(PATIENCE)
    assert (got.cmd, got.data, got.answers) == ("LATER", {"n": 1}, message.position)
    assert worker.recv(PATIENCE).cmd == "AGAIN"


def test_a_reply_to_a_worker_that_is_gone_is_not_found(listener, collector):
    listener.register_handler("w", collector)
    with muster.Worker(listener.endpoint, "w") as worker:
        worker.send("A")
        message = collector.next()
    with pytest.raises(muster.NotFound):
        message.reply("LATER")


def test_a_message_kept_outlives_its_listener(collector):
    listener = muster.Listener("tcp://127.0.0.1:*")
    listener.register_handler("w", collector)
    with listener:
        with muster.Worker(listener.endpoint, "w") as worker:
            worker.send("A", {"n": 1})
            message = collector.next()
    del listener, worker, collector
    gc.collect()
    assert (message.source, message.cmd, message.data) == ("w", "A", {"n": 1})
    with pytest.raises(muster.Error):
        message.reply("LATER")


def test_a_kept_message_that_refers_to_itself_is_collected(listener, worker, collector):
    class Marker:
        pass
    marker = Marker()
    dead = weakref.ref(marker)
    listener.register_handler("worker-1", collector)
    worker.send("A")
    message = collector.next()
    message.data["self"] = message
    message.data["marker"] = marker
    worker.flush(PATIENCE)
    del message, marker
    gc.collect()
    assert dead() is None


def test_the_messages_of_one_source_come_in_order(listener, make_worker, in_thread):
    got = {"a": [], "b": [], "c": []}
    listener.register_default_handler(lambda message: got[message.source].append(message.data["n"]))
    workers = [make_worker(listener, source) for source in got]

    def send(worker):
        for number in range(3000):
            worker.send("A", {"n": number, "b": bytes(number % 50 * 100)})
        worker.flush(PATIENCE)
    for future in [in_thread(send, worker) for worker in workers]:
        future.result(PATIENCE)
    assert got == {source: list(range(3000)) for source in got}


def test_handlers_run_one_at_a_time(listener, make_worker, in_thread):
    inside, most, lock = [], [], threading.Lock()

    def handler(message):
        inside.append(1)
        most.append(len(inside))
        with lock:
            pass
        inside.pop()
    listener.register_default_handler(handler)
    workers = [make_worker(listener, str(number)) for number in range(4)]

    def send(worker):
        for _ in range(500):
            worker.send("A")
        worker.flush(PATIENCE)
    for future in [in_thread(send, worker) for worker in workers]:
        future.result(PATIENCE)
    assert len(most) == 2000 and set(most) == {1}


#   --------------------------------------------------------------------------
#   Events

def test_events_reach_the_system_handler(make_listener):
    events = Collector()
    listener = make_listener(liveness=0.5)
    listener.register_system_handler(events)
    listener.register_default_handler(drop)
    listener.start()
    first = muster.Worker(listener.endpoint, "w")
    joined = events.next()
    assert (joined.cmd, joined.source, joined.data["source"]) == ("JOINED", listener.source, "w")
    assert (joined.session, joined.position, joined.answers, joined.late) == ("", 0, 0, False)
    assert re.fullmatch("[0-9a-f]{32}", joined.data["session"])
    second = muster.Worker(listener.endpoint, "w")
    assert [events.next().cmd, events.next().cmd] == ["REPLACED", "JOINED"]
    with pytest.raises(muster.Replaced):
        first.recv(PATIENCE)
    with pytest.raises(muster.Replaced):
        first.send("A")
    first.close()
    second.close()
    left = events.next()
    assert (left.cmd, left.data["source"]) == ("LEFT", "w")


def test_a_reply_to_an_event_is_refused(listener, make_worker):
    events = Collector()
    listener.register_system_handler(events)
    make_worker(listener, "w")
    with pytest.raises(muster.Error):
        events.next().reply("A")


def test_a_worker_that_falls_silent_is_lost_and_one_that_comes_back_has_returned(make_listener):
    events = Collector()
    listener = make_listener(liveness=0.5)
    listener.register_system_handler(events)
    listener.start()
    script = "import sys, muster\nworker = muster.Worker(sys.argv[1], 'w', liveness=0.5)\nsys.stdin.read()\nworker.close()\n"
    child = subprocess.Popen([sys.executable, "-c", script, listener.endpoint], stdin=subprocess.PIPE)
    try:
        assert events.next().cmd == "JOINED"
        os.kill(child.pid, signal.SIGSTOP)
        lost = events.next()
        assert (lost.cmd, lost.data["source"]) == ("LOST", "w")
        assert listener.workers == []
        os.kill(child.pid, signal.SIGCONT)
        returned = events.next()
        assert (returned.cmd, returned.data["source"]) == ("RETURNED", "w")
        child.stdin.close()
        assert events.next().cmd == "LEFT"
        assert child.wait(PATIENCE) == 0
    finally:
        child.kill()
        child.wait()


#   --------------------------------------------------------------------------
#   Start and stop

def test_stop_handles_what_has_arrived_and_says_how_many_were_dropped(make_listener, make_worker):
    handled = []
    listener = make_listener()
    listener.register_default_handler(handled.append)
    listener.start()
    worker = make_worker(listener, "w")
    for _ in range(1000):
        worker.send("A")
    worker.flush(PATIENCE)
    assert listener.stop() == 0
    assert len(handled) == 1000


def test_stop_says_how_many_messages_were_left_unhandled(make_listener, gate, in_thread):
    listener = make_listener(drain=0.1)
    listener.register_default_handler(gate)
    listener.start()
    with muster.Worker(listener.endpoint, "w", drain=0.1) as worker:
        for _ in range(5):
            worker.send("A")
        gate.wait_entered()
        with pytest.raises(muster.Timeout):
            listener.stop()
        gate.open()
        dropped = listener.stop()
        listener.start()
        worker.flush(PATIENCE)
    assert 0 <= dropped <= 5
    assert listener.stats["dropped"] >= dropped


def test_stop_is_harmless_before_start_and_twice(make_listener):
    listener = make_listener()
    assert listener.stop() == 0
    assert listener.endpoint == ""
    listener.start()
    assert listener.stop() == 0
    assert listener.stop() == 0


def test_start_twice_is_busy(listener):
    endpoint = listener.endpoint
    with pytest.raises(muster.Busy):
        listener.start()
    assert listener.endpoint == endpoint


def test_start_after_stop_has_the_same_endpoint_handlers_and_sessions(make_listener, make_worker, collector):
    listener = make_listener()
    listener.register_handler("w", collector)
    listener.start()
    endpoint, source = listener.endpoint, listener.source
    worker = make_worker(listener, "w")
    worker.send("A")
    first = collector.next()
    listener.stop()
    worker.send("MEANWHILE")
    listener.start()
    assert (listener.endpoint, listener.source) == (endpoint, source)
    message = collector.next()
    assert (message.cmd, message.session, message.position) == ("MEANWHILE", first.session, 2)


def test_calls_before_start_and_after_stop_are_closed(make_listener):
    listener = make_listener()

    def check():
        for call in (lambda: listener.send("w", "A"), lambda: listener.broadcast("A"), lambda: list(listener.ask("A")),
                     lambda: listener.wait_for_workers(1, 1)):
            with pytest.raises(muster.Closed):
                call()
        assert listener.workers == []
        assert listener.stats["workers"] == 0
        assert list(listener.messages(timeout=1)) == []
    check()
    listener.start()
    listener.stop()
    check()


def test_with_raises_what_its_body_raises_and_stops(make_listener):
    listener = make_listener()
    with pytest.raises(Own):
        with listener as entered:
            assert entered is listener
            raise Own
    with pytest.raises(muster.Closed):
        listener.broadcast("A")
    with listener:
        assert listener.broadcast("A") == []


def test_an_endpoint_is_said_after_start_and_shown_by_repr(make_listener):
    listener = make_listener()
    assert listener.endpoint == "" and "not started" in repr(listener)
    listener.start()
    assert re.fullmatch(r"tcp://127\.0\.0\.1:\d+", listener.endpoint)
    assert listener.endpoint in repr(listener)
    assert str(uuid.UUID(listener.source)) == listener.source.lower()
    for name in ("endpoint", "source", "workers", "stats"):
        with pytest.raises(AttributeError):
            setattr(listener, name, 1)


@pytest.mark.parametrize("endpoint", ["inproc://handlers-test", "ipc://{}/socket"])
def test_other_transports_work(make_listener, make_worker, collector, tmp_path, endpoint):
    listener = make_listener(endpoint.format(tmp_path))
    listener.register_handler("w", collector)
    listener.start()
    worker = make_worker(listener, "w")
    worker.send("A", {"n": 1})
    collector.next().reply("B")
    assert worker.recv(PATIENCE).cmd == "B"


def test_a_listener_nobody_refers_to_runs_on_until_stop(make_worker, collector):
    def start():
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(collector)
        listener.start()
        listener.register_handler("stop", lambda message: listener.stop())
        return listener.endpoint
    endpoint = start()
    gc.collect()
    with muster.Worker(endpoint, "w") as worker:
        worker.send("A")
        assert collector.next().cmd == "A"
        worker.flush(PATIENCE)
    with muster.Worker(endpoint, "stop") as worker:
        worker.send("A")
        worker.flush(PATIENCE)


def test_a_listener_that_another_thread_starts_before_stop_has_returned_runs_on(in_thread):
    """The last that stop does is to let go of handlers, which may run code: here it waits until the other has started."""
    class Replaced:
        def __call__(self, message):
            there().register_system_handler(lambda message: events.put((message.cmd, message.data["source"])))

        def __del__(self):
            in_thread(there().start).result(PATIENCE)

    events, listener = queue.Queue(), muster.Listener("tcp://127.0.0.1:*")
    there = weakref.ref(listener)
    listener.register_system_handler(Replaced())
    with listener, muster.Worker(listener.endpoint, "a"):
        listener.wait_for_workers(1, PATIENCE)
    assert events.get(timeout=PATIENCE) == ("LEFT", "a")
    assert listener._running
    endpoint = listener.endpoint
    del listener
    gc.collect()
    with muster.Worker(endpoint, "b"):
        assert events.get(timeout=PATIENCE) == ("JOINED", "b")
    there().stop()
    gc.collect()
    assert there() is None


def test_a_listener_that_was_not_initialised_says_so():
    for kind in (muster.Listener, muster.Worker):
        object = kind.__new__(kind)
        with pytest.raises(muster.Closed):
            object.source
        del object
    listener = muster.Listener("tcp://127.0.0.1:*")
    with pytest.raises(muster.Busy):
        listener.__init__("tcp://127.0.0.1:*")


#   --------------------------------------------------------------------------
#   Taking messages instead

def test_messages_gives_them_one_by_one_and_ends_at_the_timeout(listener, worker):
    for number in range(50):
        worker.send("A", {"n": number})
    assert [message.data["n"] for message in listener.messages(timeout=2)] == list(range(50))
    worker.flush(PATIENCE)
    assert listener.stats["handled"] == 50


def test_messages_with_a_timeout_of_0_gives_what_is_there(listener, worker):
    assert list(listener.messages(timeout=0)) == []


def test_leaving_the_loop_and_going_on_loses_nothing(listener, worker):
    for number in range(10):
        worker.send("A", {"n": number})
    got = []
    for message in listener.messages(PATIENCE):
        got.append(message.data["n"])
        if len(got) == 4:
            break
    for message in listener.messages(PATIENCE):
        got.append(message.data["n"])
        if len(got) == 10:
            break
    assert got == list(range(10))


def test_a_message_is_handled_when_the_loop_moves_on(listener, worker):
    worker.send("A")
    worker.send("B")
    loop = iter(listener.messages(PATIENCE))
    first = next(loop)
    assert listener.stats["handled"] == 0
    second = next(loop)
    assert listener.stats["handled"] == 1
    assert (first.cmd, second.cmd) == ("A", "B")
    with pytest.raises(muster.Timeout):
        worker.flush(0.05)
    del loop
    worker.flush(PATIENCE)


def test_messages_kept_in_a_list_stay_readable_and_can_be_replied_to(listener, worker):
    for number in range(5):
        worker.send("A", {"n": number, "w": np.full(2 << 20, number, "u1")})
    kept = []
    for message in listener.messages(PATIENCE):
        kept.append(message)
        if len(kept) == 5:
            break
    list(listener.messages(0))
    worker.flush(PATIENCE)
    for number, message in enumerate(kept):
        assert message.data["n"] == number and (message.data["w"] == number).all()
        message.reply("R", {"n": number})
    assert [worker.recv(PATIENCE).data["n"] for _ in range(5)] == list(range(5))


def test_stop_in_another_thread_ends_messages(make_listener, in_thread):
    listener = make_listener()
    listener.start()
    taking = threading.Event()

    def take():
        taking.set()
        return list(listener.messages())
    future = in_thread(take)
    assert taking.wait(PATIENCE)
    listener.stop()
    assert future.result(PATIENCE) == []


def test_stop_in_the_loop_ends_it(make_listener, make_worker):
    listener = make_listener()
    listener.start()
    worker = make_worker(listener, "w")
    worker.send("A")
    got = []
    for message in listener.messages(PATIENCE):
        got.append(message.cmd)
        del message
        listener.stop()
    assert got == ["A"]


def test_handlers_after_messages_and_messages_after_handlers_are_busy(make_listener):
    with make_listener() as listener:
        assert list(listener.messages(0)) == []
        for call in (lambda: listener.register_handler("w", drop), lambda: listener.register_default_handler(drop)):
            with pytest.raises(muster.Busy):
                call()
        listener.register_system_handler(drop)
    with make_listener() as listener:
        listener.register_handler("w", drop)
        with pytest.raises(muster.Busy):
            list(listener.messages(0))


def test_a_system_handler_is_called_by_the_loop_over_messages(listener, make_worker):
    events = Collector()
    listener.register_system_handler(events)
    worker = make_worker(listener, "w")
    worker.send("A")
    for message in listener.messages(PATIENCE):
        assert message.cmd == "A"
        break
    assert events.next().cmd == "JOINED"


def test_two_threads_may_take_messages(listener, worker, in_thread):
    def take():
        return [message.data["n"] for message in listener.messages(timeout=3)]
    futures = [in_thread(take) for _ in range(2)]
    for number in range(500):
        worker.send("A", {"n": number})
    got = [future.result(PATIENCE) for future in futures]
    assert sorted(got[0] + got[1]) == list(range(500))


def test_bad_timeouts_of_messages_are_refused(listener):
    with pytest.raises(ValueError, match="timeout"):
        next(iter(listener.messages(-1)))
    with pytest.raises(ValueError, match="timeout"):
        next(iter(listener.messages(float("nan"))))
    with pytest.raises(TypeError):
        next(iter(listener.messages("1")))


#   --------------------------------------------------------------------------
#   Workers and commands

def test_wait_for_workers_takes_a_number_or_sources(listener, make_worker, in_thread):
    listener.wait_for_workers(0)
    listener.wait_for_workers([])
    waiting = [in_thread(listener.wait_for_workers, workers, PATIENCE) for workers in (2, ["a", "b"], ("b",), {"a"}, iter(["a"]))]
    make_worker(listener, "a")
    make_worker(listener, "b")
    for future in waiting:
        assert future.result(PATIENCE) is None
    listener.wait_for_workers(np.int64(2), timeout=0)
    listener.wait_for_workers(workers=["a"], timeout=0.5)
    assert sorted(listener.workers) == ["a", "b"]


def test_wait_for_workers_that_do_not_come_is_a_timeout(listener, worker):
    for workers in (2, ["worker-1", "nobody"], ["nobody"]):
        with pytest.raises(muster.Timeout) as caught:
            listener.wait_for_workers(workers, timeout=0.01)
        assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("workers, error", [
    (-1, ValueError), ("worker-1", TypeError), (None, TypeError), (1.5, TypeError), ([1], TypeError), (["a", None], TypeError),
    (["lone\ud800"], ValueError), (10**30, OverflowError),
], ids=ascii)
def test_wait_for_workers_refuses_what_is_neither(listener, worker, workers, error):
    with pytest.raises(error):
        listener.wait_for_workers(workers, timeout=0)


def test_stop_ends_waiting_for_workers(make_listener, in_thread):
    listener = make_listener()
    listener.start()
    started = threading.Event()

    def wait():
        started.set()
        listener.wait_for_workers(1)
    future = in_thread(wait)
    assert started.wait(PATIENCE)
    listener.stop()
    with pytest.raises(muster.Closed):
        future.result(PATIENCE)


def test_send_and_broadcast_return_who_it_went_to(listener, make_worker):
    workers = {source: make_worker(listener, source) for source in "abc"}
    assert listener.send("a", "ONE", {"n": 1}) == "a"
    assert sorted(listener.broadcast("ALL")) == ["a", "b", "c"]
    assert listener.send(source="b", cmd="TWO", data=None) == "b"
    assert [workers["a"].recv(PATIENCE).cmd for _ in range(2)] == ["ONE", "ALL"]
    assert [workers["b"].recv(PATIENCE).cmd for _ in range(2)] == ["ALL", "TWO"]
    assert workers["c"].recv(PATIENCE).cmd == "ALL"


def test_broadcast_names_only_those_it_went_to(make_listener, make_worker, gate):
    listener = make_listener(command_buffer=100000)
    listener.start()
    full, free = make_worker(listener, "full", command_buffer=10000), make_worker(listener, "free")
    listener.register_handler("go", drop)
    for _ in range(1000):
        sent = listener.broadcast("A", {"b": bytes(20000)})
        assert free.recv(PATIENCE).cmd == "A"
        if "full" not in sent:
            break
    assert sent == ["free"]
    del full


def test_send_to_nobody_is_not_found(listener):
    with pytest.raises(muster.NotFound) as caught:
        listener.send("nobody", "A")
    assert "nobody" in str(caught.value) and isinstance(caught.value, LookupError)
    assert listener.broadcast("A") == []


def test_a_worker_that_left_is_not_found(listener):
    with muster.Worker(listener.endpoint, "w"):
        listener.wait_for_workers(1, PATIENCE)
    assert listener.workers == []
    with pytest.raises(muster.NotFound):
        listener.send("w", "A")


def test_a_command_over_the_limit_is_too_big(make_listener, make_worker):
    listener = make_listener(message_limit=100000)
    listener.start()
    make_worker(listener, "w")
    with pytest.raises(muster.TooBig):
        listener.send("w", "A", {"b": bytes(200000)})


def test_stats_have_the_names_of_the_type(listener, worker):
    stats = listener.stats
    assert set(stats) == set(muster.Stats.__annotations__)
    assert all(type(value) is int for name, value in stats.items() if name not in ("refused", "times", "roster"))
    assert stats["refused"] == {}
    assert (stats["workers"], stats["sessions"], stats["joined"]) == (1, 1, 1)
    here, = stats["roster"]
    assert set(here) == set(muster.WorkerStats.__annotations__)
    assert (here["source"], here["present"]) == ("worker-1", True)


def test_a_worker_s_round_trip_is_in_the_roster_soon(listener, worker):
    end = time.monotonic() + PATIENCE
    while not listener.stats["roster"][0]["round_trip_us"] and time.monotonic() < end:
        time.sleep(0.005)
    assert 0 < listener.stats["roster"][0]["round_trip_us"] < 5_000_000


def test_stats_count_refused_frames_by_reason(listener):
    zmq = pytest.importorskip("zmq")
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.linger = 0
        push.connect(listener.endpoint)
        got = Collector()
        listener.register_handler("plain", got)
        push.send(b"\x93\xa1a\xa1b\x01")
        push.send(b"\x93\xa5plain\xa1b\x80")
        message = got.next()
        assert (message.session, message.position) == ("", 0)
        with pytest.raises(muster.NotFound):
            message.reply("A")
    stats = listener.stats
    assert stats["rejected"] == 1 and stats["refused"] == {"DATA": 1}


def test_a_plain_producer_cannot_forge_the_listeners_source(listener):
    zmq = pytest.importorskip("zmq")
    import msgpack
    events, got = Collector(), Collector()
    listener.register_system_handler(events)
    listener.register_default_handler(got)
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.connect(listener.endpoint)
        push.send(msgpack.packb([listener.source, "STOP", {}]))
        push.send(msgpack.packb(["plain", "A", {}]))
        assert got.next().cmd == "A"
    assert events._got.empty()
    assert listener.stats["refused"] == {"FORGED": 1}


#   --------------------------------------------------------------------------
#   Options and endpoints

GOOD_OPTIONS = {
    "advertise": "localhost", "insecure": True, "message_limit": 1 << 20, "frame_limit": 1 << 20,
    "receive_budget": 1 << 30, "plain_share": 1 << 24, "credit_floor": 1 << 16, "command_buffer": 1 << 20, "liveness": 5,
    "drain": 1.5, "no_progress": 3, "retention": 60, "retained_sessions": 10,
}


@pytest.mark.parametrize("name", list(GOOD_OPTIONS))
def test_each_option_is_accepted(make_listener, make_worker, collector, name):
    listener = make_listener(**{name: GOOD_OPTIONS[name]})
    listener.register_handler("w", collector)
    listener.start()
    make_worker(listener, "w").send("A")
    assert collector.next().cmd == "A"


def test_all_options_together_and_none_for_each_are_accepted(make_listener):
    with make_listener(**GOOD_OPTIONS) as listener:
        assert listener.endpoint.startswith("tcp://localhost:")
    with make_listener(return_endpoint=None, **{name: None for name in GOOD_OPTIONS}):
        pass


def test_a_number_of_numpy_is_a_number_for_options(make_listener):
    with make_listener(message_limit=np.int64(1 << 20), liveness=np.float32(5)):
        pass


def test_the_return_endpoint_can_be_given(make_listener, make_worker, tmp_path):
    back = f"ipc://{tmp_path}/back"
    listener = make_listener(f"ipc://{tmp_path}/in", return_endpoint=back)
    listener.start()
    make_worker(listener, "w", return_endpoint=back)
    assert listener.workers == ["w"]


NUMBERS = ["message_limit", "frame_limit", "receive_budget", "plain_share", "credit_floor", "command_buffer", "retained_sessions"]
SECONDS = ["liveness", "drain", "no_progress", "retention"]


@pytest.mark.parametrize("name, value, error", [
    *[(name, "big", TypeError) for name in NUMBERS], *[(name, 1.5, TypeError) for name in NUMBERS],
    *[(name, -1, ValueError) for name in NUMBERS], *[(name, 2**64, ValueError) for name in NUMBERS],
    *[(name, "long", TypeError) for name in SECONDS], *[(name, [], TypeError) for name in SECONDS],
    *[(name, float("nan"), ValueError) for name in SECONDS], *[(name, -1, ValueError) for name in SECONDS],
    ("advertise", 7, TypeError), ("advertise", b"host", TypeError), ("return_endpoint", 7, TypeError),
    ("advertise", "lone\ud800", ValueError), ("return_endpoint", "nul\0", ValueError),
])
def test_a_bad_option_is_refused_by_name(make_listener, name, value, error):
    with pytest.raises(error, match=name):
        make_listener(**{name: value}).start()


def test_an_option_nobody_knows_is_refused_by_name(make_listener):
    with pytest.raises(TypeError, match="colour"):
        make_listener(colour="red")


def test_options_that_do_not_fit_together_are_invalid(make_listener):
    with pytest.raises(muster.Invalid) as caught:
        make_listener(message_limit=1 << 30, receive_budget=1 << 20).start()
    assert "message" in str(caught.value) or "budget" in str(caught.value)


@pytest.mark.parametrize("endpoint", ["", "tcp", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:port", "tcp://127.0.0.1:70000",
                                      "udp://127.0.0.1:5", "nonsense", "ipc://", "inproc://", "tcp://127.0.0.1:65535",
                                      "ipc:///nonexistent/directory/socket"])
def test_a_bad_endpoint_is_refused_by_start_which_names_it(make_listener, endpoint):
    listener = make_listener(endpoint)
    with pytest.raises(muster.Endpoint) as caught:
        listener.start()
    assert not endpoint or endpoint.split("://")[-1] in str(caught.value)
    assert listener.stop() == 0


@pytest.mark.parametrize("endpoint, error", [(None, TypeError), (7, TypeError), (b"tcp://127.0.0.1:*", TypeError), ("a\0b", ValueError)])
def test_an_endpoint_that_is_no_text_is_refused_at_once(endpoint, error):
    with pytest.raises(error, match="endpoint"):
        muster.Listener(endpoint)


def test_a_taken_port_is_in_use_and_named(make_listener):
    address = f"tcp://127.{os.getpid() >> 16 & 127}.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"     # nobody else's
    listener = make_listener(f"{address}:*")
    listener.start()
    port = listener.endpoint.rsplit(":", 1)[1]
    other = make_listener(f"{address}:{port}")
    with pytest.raises(muster.InUse, match=port):
        other.start()
    before = make_listener(f"{address}:{int(port) - 1}")      # its way back is taken
    with pytest.raises(muster.InUse, match=port):
        before.start()
    listener.stop()
    other.start()


def test_an_ipc_path_that_is_taken_is_in_use(make_listener, tmp_path):
    with make_listener(f"ipc://{tmp_path}/socket"):
        with pytest.raises(muster.InUse):
            make_listener(f"ipc://{tmp_path}/socket").start()


def test_an_address_beyond_loopback_needs_keys_or_insecure(make_listener):
    with pytest.raises(muster.Access) as caught:
        make_listener("tcp://0.0.0.0:*").start()
    assert isinstance(caught.value, PermissionError) and "insecure" in str(caught.value)
    with make_listener("tcp://0.0.0.0:*", insecure=True) as listener:
        assert listener.endpoint.startswith("tcp://") and "0.0.0.0" not in listener.endpoint
