"""The worker from Python.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import gc
import itertools
import re
import threading
import time
import uuid
import weakref

import muster
import numpy as np
import pytest
from conftest import PATIENCE


@pytest.fixture
def nowhere():
    """Nobody listens there: a port of the loopback that was free a moment ago."""
    with muster.Listener("tcp://127.0.0.1:*") as listener:
        return listener.endpoint


def drop(message):
    """A handler."""


#   --------------------------------------------------------------------------
#   Sending

def test_send_returns_nothing_and_flush_waits_until_all_is_handled(listener, worker):
    handled = []
    listener.register_handler("worker-1", handled.append)
    assert [worker.send("A", {"n": number}) for number in range(500)] == [None] * 500
    assert worker.flush(PATIENCE) is None
    assert [message.data["n"] for message in handled] == list(range(500))
    worker.flush()
    worker.flush(timeout=0)


def test_flush_waits_for_the_handler_to_return(listener, worker, gate, in_thread):
    listener.register_handler("worker-1", gate)
    worker.send("A")
    gate.wait_entered()
    with pytest.raises(muster.Timeout) as caught:
        worker.flush(0.05)
    assert isinstance(caught.value, TimeoutError)
    future = in_thread(worker.flush, PATIENCE)
    assert not future.done()
    gate.open()
    future.result(PATIENCE)


def flush_until_it_says(worker, pattern):
    """What the listener has it says within some milliseconds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with pytest.raises(muster.Timeout) as caught:
            worker.flush(0.05)
        if re.search(pattern, str(caught.value)):
            return
        assert time.monotonic() < deadline, caught.value


def test_flush_says_how_many_are_not_handled_where_no_listener_answers(nowhere):
    worker = muster.Worker(nowhere, "w", drain=0.05)
    worker.send("A")
    with pytest.raises(muster.Timeout, match="^time limit passed: 1 message is not handled: no listener answers$"):
        worker.flush(0.05)
    worker.send("A")
    with pytest.raises(muster.Timeout, match=": 2 messages are not handled: no listener answers$"):
        worker.flush(0)
    assert worker.close() == 2


def test_flush_says_that_a_handler_is_at_work_or_none_is_registered_where_the_listener_has_all(listener, worker, gate):
    worker.send("A")
    worker.send("A")
    flush_until_it_says(worker, ": 2 messages are not handled: the listener has all, and .* none is registered yet$")
    listener.register_handler("worker-1", gate)
    gate.wait_entered()
    flush_until_it_says(worker, ": 2 messages are not handled: the listener has all, and a handler is at work there or ")
    gate.open()
    worker.flush(PATIENCE)


def test_messages_are_accepted_before_the_listener_is_there(nowhere, make_listener, collector):
    with muster.Worker(nowhere, "w") as worker:
        for number in range(10):
            worker.send("A", {"n": number})
        listener = make_listener(nowhere)
        listener.register_handler("w", collector)
        listener.start()
        assert [collector.next().data["n"] for _ in range(10)] == list(range(10))
        worker.flush(PATIENCE)


def test_the_arguments_of_send_have_names(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    worker.send(cmd="A", data={"n": 1})
    worker.send("B", data=None)
    assert [collector.next().data, collector.next().data] == [{"n": 1}, {}]
    for call in (lambda: worker.send(), lambda: worker.send("A", {}, 1), lambda: worker.send("A", date={}),
                 lambda: worker.send(data={}), lambda: worker.flush(1, 2), lambda: worker.recv(wait=1)):
        with pytest.raises(TypeError):
            call()


def test_many_threads_may_send_at_once(listener, worker, in_thread):
    got = []
    listener.register_handler("worker-1", lambda message: got.append((message.data["thread"], message.data["n"])))
    together = threading.Barrier(8)

    def send(thread):
        together.wait(PATIENCE)
        for number in range(500):
            worker.send("A", {"thread": thread, "n": number, "b": bytes(number)})
    for future in [in_thread(send, thread) for thread in range(8)]:
        future.result(PATIENCE)
    worker.flush(PATIENCE)
    assert len(got) == 4000
    for thread in range(8):
        assert [number for one, number in got if one == thread] == list(range(500))


def test_send_waits_while_the_send_buffer_is_full(listener, in_thread, gate):
    handled = []

    def handler(message):
        gate(message)
        handled.append(message.data["n"])
    listener.register_handler("w", handler)
    with muster.Worker(listener.endpoint, "w", send_buffer=100000) as worker:
        sent = []

        def send():
            for number in range(20):
                worker.send("A", {"n": number, "b": bytes(30000)})
                sent.append(number)
        future = in_thread(send)
        gate.wait_entered()
        assert len(sent) < 20 and not future.done()
        gate.open()
        future.result(PATIENCE)
        worker.flush(PATIENCE)
    assert handled == list(range(20))


def test_send_and_flush_without_progress_are_a_timeout(nowhere):
    worker = muster.Worker(nowhere, "w", send_buffer=10000, no_progress=0.2, drain=0.1)
    with pytest.raises(muster.Timeout):
        for _ in range(100):
            worker.send("A", {"b": bytes(5000)})
    with pytest.raises(muster.Timeout):
        worker.flush()
    assert worker.close() > 0


def test_flush_waits_longer_than_no_progress_while_a_handler_works(listener, in_thread, gate):
    listener.register_handler("w", gate)
    worker = muster.Worker(listener.endpoint, "w", no_progress=0.3)
    worker.send("A")
    gate.wait_entered()
    future = in_thread(worker.flush)
    with pytest.raises(TimeoutError):
        future.result(1)    # of the future, not of flush
    assert not future.done()
    gate.open()
    future.result(PATIENCE)
    assert worker.close() == 0


def test_a_message_over_the_limit_is_too_big_and_the_next_is_sent(make_listener, make_worker, collector):
    listener = make_listener(message_limit=100000)
    listener.register_handler("w", collector)
    listener.start()
    worker = make_worker(listener, "w")
    listener.send("w", "WELCOME")
    worker.recv(PATIENCE)       # from now on it knows the limit
    with pytest.raises(muster.TooBig):
        worker.send("A", {"b": bytes(200000)})
    worker.send("B")
    assert collector.next().cmd == "B"


#   --------------------------------------------------------------------------
#   Commands

def test_recv_gives_commands_in_order(listener, worker):
    for number in range(100):
        listener.send("worker-1", "A", {"n": number})
    got = [worker.recv(timeout=PATIENCE) for _ in range(100)]
    assert [command.data["n"] for command in got] == list(range(100))
    assert {command.source for command in got} == {listener.source}
    assert [command.position for command in got] == list(range(1, 101))


def test_recv_without_a_command_is_a_timeout(worker):
    for timeout in (0, 0.01):
        with pytest.raises(muster.Timeout) as caught:
            worker.recv(timeout)
        assert isinstance(caught.value, TimeoutError) and isinstance(caught.value, muster.Error)


@pytest.mark.parametrize("timeout, error", [(-1, ValueError), (float("nan"), ValueError), ("1", TypeError), ([], TypeError)])
def test_bad_timeouts_are_refused(worker, timeout, error):
    for call in (worker.recv, worker.flush):
        with pytest.raises(error):
            call(timeout)


def test_timeouts_may_be_endless_or_of_numpy(listener, worker):
    listener.send("worker-1", "A")
    listener.send("worker-1", "B")
    assert worker.recv(float("inf")).cmd == "A"
    assert worker.recv(np.float32(30)).cmd == "B"


def test_commands_in_a_list_stay_readable_and_can_be_replied_to(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    for number in range(5):
        listener.send("worker-1", "A", {"n": number, "w": np.full(2 << 20, number, "u1")})
    kept = [worker.recv(PATIENCE) for _ in range(5)]
    with pytest.raises(muster.Timeout):
        worker.recv(0)
    for number, command in enumerate(kept):
        assert (command.cmd, command.data["n"], command.position) == ("A", number, number + 1)
        assert (command.data["w"] == number).all()
        command.reply("R", {"n": number})
    for number in range(5):
        reply = collector.next()
        assert (reply.cmd, reply.data["n"], reply.answers) == ("R", number, number + 1)


def test_a_list_of_the_loop_over_commands_stays_readable(listener, worker):
    for number in range(5):
        listener.send("worker-1", "A", {"n": number})
    kept = list(itertools.islice(worker, 5))
    assert [command.data["n"] for command in kept] == list(range(5))
    assert [command.cmd for command in kept] == ["A"] * 5


def test_the_data_of_a_command_is_freed_when_the_loop_moves_on(listener, worker):
    for number in range(4):
        listener.send("worker-1", "A", {"w": np.full(2 << 20, number, "u1")})
    before = None
    for number, command in enumerate(itertools.islice(worker, 4)):
        assert before is None or before() is None
        before = weakref.ref(command.data["w"])
        assert (command.data["w"] == number).all()


def test_a_command_that_is_kept_keeps_its_worker_usable_for_the_reply(listener, collector):
    listener.register_handler("w", collector)
    worker = muster.Worker(listener.endpoint, "w")
    listener.wait_for_workers(1, PATIENCE)
    listener.send("w", "A")
    command = worker.recv(PATIENCE)
    assert worker.close() == 0
    assert (command.cmd, command.data) == ("A", {})
    with pytest.raises(muster.Closed):
        command.reply("R")
    del worker
    gc.collect()
    assert command.cmd == "A"


def test_several_threads_may_take_commands(listener, worker, in_thread):
    def take():
        got = []
        for command in worker:
            if command.cmd == "END":
                break
            got.append(command.data["n"])
        return got
    futures = [in_thread(take) for _ in range(4)]
    for number in range(400):
        listener.send("worker-1", "A", {"n": number})
    for _ in futures:
        listener.send("worker-1", "END")
    got = [future.result(PATIENCE) for future in futures]
    assert sorted(sum(got, [])) == list(range(400))
    assert all(one == sorted(one) for one in got)


def test_recv_lets_other_threads_work(worker, in_thread):
    waiting = threading.Event()

    def receive():
        waiting.set()
        with pytest.raises(muster.Closed):
            worker.recv()
        return True
    future = in_thread(receive)
    assert waiting.wait(PATIENCE)
    assert sum(range(1000000)) == 499999500000
    assert not future.done()
    worker.close()
    assert future.result(PATIENCE)


#   --------------------------------------------------------------------------
#   Closing

def test_close_in_another_thread_ends_the_loop_over_commands(worker, in_thread):
    waiting = threading.Event()

    def loop():
        waiting.set()
        return list(worker)
    future = in_thread(loop)
    assert waiting.wait(PATIENCE)
    worker.close()
    assert future.result(PATIENCE) == []
    assert list(worker) == []


def test_close_in_the_loop_ends_it(listener, worker):
    listener.send("worker-1", "STOP")
    commands = []
    for command in worker:
        commands.append(command.cmd)
        worker.close()
    assert commands == ["STOP"]


def test_close_says_goodbye_and_is_harmless_twice(listener):
    listener.register_handler("w", drop)
    worker = muster.Worker(listener.endpoint, "w")
    worker.send("A")
    assert worker.close() == 0
    assert worker.close() == 0
    assert listener.stats["handled"] == 1
    for call in (lambda: worker.send("A"), lambda: worker.recv(0), lambda: worker.recv()):
        with pytest.raises(muster.Closed):
            call()
    assert worker.source == "w" and "w" in repr(worker)


def test_close_returns_how_many_were_not_confirmed(nowhere, log):
    worker = muster.Worker(nowhere, "w", drain=0.05)
    for _ in range(7):
        worker.send("A")
    assert worker.close() == 7
    assert "7" in log.wait("not confirmed").getMessage()


def test_with_raises_if_messages_are_not_confirmed(nowhere):
    with pytest.raises(muster.Timeout):
        with muster.Worker(nowhere, "w", drain=0.05) as worker:
            worker.send("A")


def test_with_raises_what_its_body_raises_and_logs_what_is_not_confirmed(nowhere, log):
    with pytest.raises(LookupError):
        with muster.Worker(nowhere, "w", drain=0.05) as worker:
            worker.send("A")
            raise LookupError
    assert "1" in log.wait("not confirmed").getMessage()


def test_with_raises_nothing_if_there_was_nothing_to_confirm(nowhere):
    with muster.Worker(nowhere, "w") as worker:
        assert worker.source == "w"


def test_with_waits_until_all_is_handled(listener):
    handled = []
    listener.register_handler("w", handled.append)
    with muster.Worker(listener.endpoint, "w") as worker:
        for _ in range(300):
            worker.send("A")
    assert len(handled) == 300


def test_a_worker_that_was_not_closed_is_a_resource_warning(make_listener):
    listener = make_listener(liveness=0.5)
    listener.start()
    worker = muster.Worker(listener.endpoint, "forgotten")
    listener.wait_for_workers(1, PATIENCE)
    with pytest.warns(ResourceWarning, match="forgotten"):
        del worker
        gc.collect()


def test_a_worker_that_was_closed_warns_of_nothing(listener, recwarn):
    muster.Worker(listener.endpoint, "w").close()
    with muster.Worker(listener.endpoint, "w"):
        pass
    gc.collect()
    assert not [warning for warning in recwarn if warning.category is ResourceWarning]


#   --------------------------------------------------------------------------
#   Sources, sessions

def test_a_worker_without_a_name_is_named_by_a_uuid(listener):
    with muster.Worker(listener.endpoint) as one, muster.Worker(listener.endpoint, None) as other:
        assert one.source != other.source
        assert {str(uuid.UUID(worker.source)) for worker in (one, other)} == {one.source.lower(), other.source.lower()}
        listener.wait_for_workers([one.source, other.source], PATIENCE)
    with pytest.raises(AttributeError):
        one.source = "another"


def test_the_calls_of_a_replaced_worker_raise_replaced(listener, in_thread):
    listener.register_handler("w", drop)
    first = muster.Worker(listener.endpoint, "w")
    listener.wait_for_workers(1, PATIENCE)
    waiting = in_thread(first.recv)
    second = muster.Worker(listener.endpoint, "w")
    with pytest.raises(muster.Replaced):
        waiting.result(PATIENCE)
    for call in (lambda: first.send("A"), lambda: first.recv(0), lambda: next(first)):
        with pytest.raises(muster.Replaced):
            call()
    first.flush(0)      # nothing was accepted that is not handled
    assert first.close() == 0
    second.send("A")
    second.flush(PATIENCE)
    assert second.close() == 0


def test_the_listeners_own_source_is_reserved(listener):
    worker = muster.Worker(listener.endpoint, listener.source)
    with pytest.raises(muster.Reserved):
        worker.recv(PATIENCE)
    worker.close()


def test_a_worker_learns_that_the_listener_is_another(nowhere, make_listener, collector):
    def start():
        listener = make_listener(nowhere)
        listener.register_handler("w", collector)
        listener.start()
        listener.wait_for_workers(["w"], PATIENCE)
        return listener
    with muster.Worker(nowhere, "w") as worker:
        first = start()
        worker.send("A")
        assert collector.next().cmd == "A"
        worker.flush(PATIENCE)
        first.stop()
        worker.send("B")
        second = start()
        event = worker.recv(PATIENCE)
        assert (event.cmd, event.source, event.position) == ("RESTARTED", second.source, 0)
        assert event.data["source"] == second.source
        message = collector.next()
        assert (message.cmd, message.position) == ("B", 2)
        second.send("w", "C")
        assert worker.recv(PATIENCE).cmd == "C"
        second.stop()


#   --------------------------------------------------------------------------
#   Options

GOOD_OPTIONS = {"send_buffer": 1 << 20, "command_buffer": 1 << 20, "liveness": 5, "drain": 2.5, "no_progress": 7}


@pytest.mark.parametrize("name", list(GOOD_OPTIONS))
def test_each_option_is_accepted(listener, make_worker, collector, name):
    listener.register_handler("w", collector)
    make_worker(listener, "w", **{name: GOOD_OPTIONS[name]}).send("A")
    assert collector.next().cmd == "A"
    make_worker(listener, "v", **{name: None})


@pytest.mark.parametrize("name, value, error", [
    *[(name, value, error) for name in ("send_buffer", "command_buffer")
      for value, error in (("x", TypeError), (1.5, TypeError), (-1, ValueError), (2**64, ValueError))],
    *[(name, value, error) for name in ("liveness", "drain", "no_progress")
      for value, error in (("x", TypeError), (-1, ValueError), (float("nan"), ValueError))],
    ("return_endpoint", 7, TypeError), ("return_endpoint", "lone\ud800", ValueError),
])
def test_a_bad_option_is_refused_by_name(listener, recwarn, name, value, error):
    with pytest.raises(error, match=name):
        muster.Worker(listener.endpoint, "w", **{name: value})
    gc.collect()
    assert not [warning for warning in recwarn if warning.category is ResourceWarning]


def test_an_option_nobody_knows_is_refused_by_name(listener):
    with pytest.raises(TypeError, match="colour"):
        muster.Worker(listener.endpoint, "w", colour="red")
    with pytest.raises(TypeError):
        muster.Worker()


@pytest.mark.parametrize("endpoint", ["", "tcp", "tcp://127.0.0.1", "tcp://127.0.0.1:*", "tcp://127.0.0.1:port", "tcp://:5",
                                      "nonsense://x", "ipc://", "tcp://127.0.0.1:70000"])
def test_a_bad_endpoint_is_refused_and_named(endpoint):
    with pytest.raises(muster.Endpoint) as caught:
        muster.Worker(endpoint, "w")
    assert isinstance(caught.value, ValueError)
    assert endpoint in str(caught.value)


@pytest.mark.parametrize("endpoint", [None, 7, b"tcp://127.0.0.1:5"])
def test_an_endpoint_that_is_no_str_is_a_type_error(endpoint):
    with pytest.raises(TypeError, match="endpoint"):
        muster.Worker(endpoint, "w")
