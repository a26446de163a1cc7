"""Rounds: a command to several workers, and their replies.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import gc
import os
import signal
import subprocess
import sys
import threading
import weakref

import muster
import numpy as np
import pytest
from conftest import PATIENCE, Collector


@pytest.fixture
def workers(listener, make_worker):
    """The workers a, b and c, which are here."""
    return {source: make_worker(listener, source) for source in "abc"}


@pytest.fixture
def default(listener):
    """The default handler."""
    collector = Collector()
    listener.register_default_handler(collector)
    return collector


def answer(worker, cmd="REPLY", **data):
    """Take the next command, and reply to it."""
    command = worker.recv(PATIENCE)
    command.reply(cmd, data)
    return command


#   --------------------------------------------------------------------------
#   Who is asked

def test_all_that_are_here_are_asked_and_their_replies_come(listener, workers):
    asked = listener.ask("TRAIN", {"round": 3})
    assert (asked.asked, asked.replied) == (3, 0)
    for number, worker in enumerate(workers.values()):
        command = answer(worker, "UPDATE", n=number)
        assert (command.cmd, command.data, command.source) == ("TRAIN", {"round": 3}, listener.source)
    got = {reply.source: (reply.cmd, reply.data, reply.late) for reply in asked}
    assert got == {source: ("UPDATE", {"n": number}, False) for number, source in enumerate("abc")}
    assert (asked.asked, asked.replied, asked.missing) == (3, 3, {})
    assert list(asked) == []


def test_only_those_named_are_asked(listener, workers):
    for named in (["a", "c"], ("a", "c"), {"a", "c"}, iter(["a", "c"]), {"a": 1, "c": 2}):
        asked = listener.ask("A", workers=named)
        answer(workers["a"])
        answer(workers["c"])
        assert {reply.source for reply in asked} == {"a", "c"}
        assert (asked.asked, asked.missing) == (2, {})
    with pytest.raises(muster.Timeout):
        workers["b"].recv(0)


def test_one_that_is_not_here_is_missing(listener, workers):
    asked = listener.ask("A", workers=["a", "nobody"])
    answer(workers["a"])
    assert [reply.source for reply in asked] == ["a"]
    assert asked.missing == {"nobody": "NOTFOUND"}


def test_a_round_of_nobody_is_over_at_once(listener):
    for named in (None, [], ["nobody", "none"]):
        asked = listener.ask("A", workers=named)
        assert list(asked) == []
        assert asked.missing == {source: "NOTFOUND" for source in named or []}
        assert asked.replied == 0


def test_one_that_is_named_twice_is_asked_once(listener, workers):
    asked = listener.ask("A", workers=["a", "a"], timeout=PATIENCE)
    answer(workers["a"])
    assert [reply.source for reply in asked] == ["a"]
    with pytest.raises(muster.Timeout):
        workers["a"].recv(0)
    assert asked.missing == {} and asked.asked == 1


#   --------------------------------------------------------------------------
#   When it ends

def test_replies_come_as_they_come(listener, workers):
    asked = listener.ask("A")
    for source in "bca":
        answer(workers[source], n=source)
        assert next(asked).data == {"n": source}
    with pytest.raises(StopIteration):
        next(asked)


def test_at_least_so_many_replies_end_it(listener, workers, default):
    asked = listener.ask("A", at_least=2)
    answer(workers["a"])
    answer(workers["b"])
    assert {reply.source for reply in asked} == {"a", "b"}
    assert asked.missing == {"c": "late"}
    answer(workers["c"], n=1)
    late = default.next()
    assert (late.source, late.cmd, late.data, late.late) == ("c", "REPLY", {"n": 1}, True)


@pytest.mark.parametrize("fraction, count", [(0.01, 1), (1 / 3, 1), (0.34, 2), (0.5, 2), (2 / 3, 2), (0.9, 3), (1.0, 3)])
def test_at_least_a_fraction_is_rounded_up(listener, workers, default, fraction, count):
    asked = listener.ask("A", at_least=fraction)
    for source in list(workers)[:count]:
        assert not asked.replied >= count
        answer(workers[source])
        assert next(asked).source == source
    assert next(asked, None) is None
    assert len(asked.missing) == 3 - count


def test_at_least_counts_those_asked_not_those_here(listener, workers):
    asked = listener.ask("A", workers=["a", "b", "nobody", "none"], at_least=0.5)
    answer(workers["a"])
    answer(workers["b"])
    assert len(list(asked)) == 2
    assert asked.missing == {"nobody": "NOTFOUND", "none": "NOTFOUND"}


def test_a_round_whose_at_least_cannot_be_reached_ends_when_all_have_replied(listener, workers):
    asked = listener.ask("A", at_least=10)
    for worker in workers.values():
        answer(worker)
    assert len(list(asked)) == 3


def test_grace_is_for_those_who_come_after_at_least(listener, workers):
    asked = listener.ask("A", at_least=1, grace=PATIENCE)
    answer(workers["a"])
    assert next(asked).source == "a"
    answer(workers["b"])
    assert next(asked).source == "b"
    answer(workers["c"])
    assert next(asked).source == "c"
    assert list(asked) == [] and asked.missing == {}


def test_grace_ends(listener, workers):
    asked = listener.ask("A", at_least=1, grace=0.05)
    answer(workers["a"])
    assert [reply.source for reply in asked] == ["a"]
    assert asked.missing == {"b": "late", "c": "late"}


def test_the_timeout_ends_it(listener, workers):
    asked = listener.ask("A", timeout=2)
    answer(workers["b"])
    assert [reply.source for reply in asked] == ["b"]
    assert asked.missing == {"a": "late", "c": "late"}


def test_a_round_may_have_no_timeout(listener, workers):
    asked = listener.ask("A", timeout=None)
    for worker in workers.values():
        answer(worker)
    assert len(list(asked)) == 3


def test_a_timeout_of_0_ends_it_at_once(listener, workers):
    asked = listener.ask("A", timeout=0)
    assert list(asked) == []
    assert asked.missing == {"a": "late", "b": "late", "c": "late"}


def test_the_time_of_next_ends_that_call_alone(listener, workers):
    asked = listener.ask("A")
    for timeout in (0, 0.01):
        with pytest.raises(muster.Timeout):
            asked.next(timeout)
    answer(workers["a"])
    assert asked.next(PATIENCE).source == "a"
    for source in "bc":
        answer(workers[source])
        assert asked.next().source == source
    assert asked.next(0) is None and asked.next() is None


def test_one_that_says_goodbye_is_missing(listener, workers):
    asked = listener.ask("A")
    answer(workers["a"])
    workers["b"].close()
    workers["c"].close()
    assert [reply.source for reply in asked] == ["a"]
    assert asked.missing == {"b": "LEFT", "c": "LEFT"}


def test_one_that_replies_and_says_goodbye_has_replied(listener, workers, in_thread):
    asked = listener.ask("A", workers=["a"])
    answer(workers["a"])
    closing = in_thread(workers["a"].close)     # which waits until the reply is taken
    assert [reply.source for reply in asked] == ["a"]
    assert closing.result(PATIENCE) == 0
    assert asked.missing == {}


def test_one_that_is_replaced_is_missing(listener, make_worker):
    first = muster.Worker(listener.endpoint, "w")
    listener.wait_for_workers(["w"], PATIENCE)
    asked = listener.ask("A")
    second = muster.Worker(listener.endpoint, "w")
    assert list(asked) == []
    assert asked.missing == {"w": "REPLACED"}
    with pytest.raises(muster.Timeout):
        second.recv(0)
    first.close()
    second.close()


def test_one_that_falls_silent_is_missing(make_listener):
    listener = make_listener(liveness=0.5)
    listener.start()
    script = "import sys, muster\nworker = muster.Worker(sys.argv[1], 'w', liveness=0.5)\nsys.stdin.read()\n"
    child = subprocess.Popen([sys.executable, "-c", script, listener.endpoint], stdin=subprocess.PIPE)
    try:
        listener.wait_for_workers(["w"], PATIENCE)
        os.kill(child.pid, signal.SIGSTOP)
        asked = listener.ask("A", timeout=5)
        assert list(asked) == []
        assert asked.missing == {"w": "LOST"}
    finally:
        child.kill()
        child.wait()
        child.stdin.close()


def test_stop_ends_it_with_closed(make_listener, make_worker, in_thread):
    listener = make_listener()
    listener.start()
    make_worker(listener, "w")
    asked = listener.ask("A", timeout=None)
    waiting = threading.Event()

    def loop():
        waiting.set()
        return list(asked)
    future = in_thread(loop)
    assert waiting.wait(PATIENCE)
    listener.stop()
    with pytest.raises(muster.Closed):
        future.result(PATIENCE)


#   --------------------------------------------------------------------------
#   What belongs to it

def test_only_replies_to_that_very_command_belong(listener, workers, default):
    listener.send("a", "BEFORE")
    before = workers["a"].recv(PATIENCE)
    asked = listener.ask("A", workers=["a"])
    workers["a"].send("MESSAGE", {"n": 1})
    before.reply("TO-BEFORE", {"n": 2})
    answer(workers["a"], "REPLY", n=3)
    assert [(reply.cmd, reply.data) for reply in asked] == [("REPLY", {"n": 3})]
    first, second = default.next(), default.next()
    assert (first.cmd, first.answers, first.late) == ("MESSAGE", 0, False)
    assert (second.cmd, second.answers, second.late) == ("TO-BEFORE", before.position, False)


def test_a_second_reply_to_a_command_goes_to_the_handler(listener, workers, default):
    asked = listener.ask("A", workers=["a"])
    command = workers["a"].recv(PATIENCE)
    command.reply("ONE")
    command.reply("TWO")
    assert [reply.cmd for reply in asked] == ["ONE"]
    message = default.next()
    assert (message.cmd, message.answers) == ("TWO", command.position)


def test_a_late_reply_goes_to_the_handler_of_its_source(listener, workers, default):
    own = Collector()
    listener.register_handler("a", own)
    asked = listener.ask("A", timeout=0)
    assert list(asked) == []
    command = answer(workers["a"], n=1)
    answer(workers["b"], n=2)
    late = own.next()
    assert (late.data, late.late, late.answers) == ({"n": 1}, True, command.position)
    other = default.next()
    assert (other.source, other.late) == ("b", True)


def test_a_late_reply_comes_by_messages_too(listener, workers):
    list(listener.messages(0))
    asked = listener.ask("A", workers=["a"], timeout=0)
    assert list(asked) == []
    answer(workers["a"], n=1)
    late = next(listener.messages(PATIENCE))
    assert (late.data, late.late) == ({"n": 1}, True)


def test_a_reply_does_not_go_to_the_handler(listener, workers, default):
    asked = listener.ask("A")
    for worker in workers.values():
        answer(worker)
    assert len(list(asked)) == 3
    workers["a"].send("AFTER")
    assert default.next().cmd == "AFTER"


def test_two_rounds_at_once_have_their_own_replies(listener, workers):
    one, two = listener.ask("ONE"), listener.ask("TWO")
    for worker in workers.values():
        first, second = worker.recv(PATIENCE), worker.recv(PATIENCE)
        second.reply("TO-" + second.cmd)
        first.reply("TO-" + first.cmd)
    assert [reply.cmd for reply in two] == ["TO-TWO"] * 3
    assert [reply.cmd for reply in one] == ["TO-ONE"] * 3


def test_rounds_in_many_threads_have_their_own_replies(listener, make_worker, in_thread):
    workers = [make_worker(listener, str(number)) for number in range(4)]

    def serve(worker):
        for command in worker:
            if command.cmd == "END":
                return
            command.reply("R", command.data)

    def ask(thread):
        for number in range(50):
            replies = [reply.data for reply in listener.ask("A", {"thread": thread, "n": number}, timeout=PATIENCE)]
            assert replies == [{"thread": thread, "n": number}] * 4
    serving = [in_thread(serve, worker) for worker in workers]
    for future in [in_thread(ask, thread) for thread in range(6)]:
        future.result(PATIENCE)
    listener.broadcast("END")
    for future in serving:
        future.result(PATIENCE)


def test_leaving_the_loop_and_going_on_loses_nothing(listener, workers):
    asked = listener.ask("A")
    for worker in workers.values():
        answer(worker)
    got = []
    for reply in asked:
        got.append(reply.source)
        break
    got.extend(reply.source for reply in asked)
    assert sorted(got) == ["a", "b", "c"]


def test_a_round_that_is_let_go_of_makes_its_replies_late(listener, workers, default):
    asked = listener.ask("A")
    answer(workers["a"])
    for reply in asked:
        assert reply.source == "a"
        break
    del asked, reply
    gc.collect()
    answer(workers["b"], n=1)
    late = default.next()
    assert (late.source, late.late) == ("b", True)
    workers["a"].flush(PATIENCE)


def test_a_round_keeps_its_listener():
    listener = muster.Listener("tcp://127.0.0.1:*")
    listener.start()
    with muster.Worker(listener.endpoint, "w") as worker:
        listener.wait_for_workers(1, PATIENCE)
        asked = listener.ask("A")
        answer(worker)
        [reply] = asked
        listener.stop()
        dead = weakref.ref(listener)
        del listener
        gc.collect()
        assert dead() is not None
        assert (reply.source, asked.replied) == ("w", 1)
        del asked, reply
        gc.collect()
        assert dead() is None


def test_two_threads_in_one_round_are_refused(listener, workers, in_thread):
    asked = listener.ask("A")
    inside = threading.Event()

    def wait():
        inside.set()
        return [reply.source for reply in asked]
    future = in_thread(wait)
    assert inside.wait(PATIENCE)
    while True:     # until it waits
        try:
            asked.next(0)
        except muster.Busy:
            break
        except muster.Timeout:
            continue
    for worker in workers.values():
        answer(worker)
    assert sorted(future.result(PATIENCE)) == ["a", "b", "c"]


#   --------------------------------------------------------------------------
#   Memory

def test_each_reply_is_freed_when_the_loop_moves_on(listener, make_worker):
    workers = [make_worker(listener, str(number)) for number in range(5)]
    asked = listener.ask("A")
    for worker in workers:
        answer(worker, w=np.ones(2 << 20, "u1"), small=np.ones(10))
    before = ()
    for reply in asked:
        assert [dead() for dead in before] == [None] * len(before)
        before = (weakref.ref(reply.data["w"]), weakref.ref(reply.data["small"]))
        assert reply.data["w"].sum() == 2 << 20
    assert [dead() for dead in before] == [None, None]


def test_a_reply_counts_as_handled_when_the_loop_moves_on(listener, workers):
    asked = listener.ask("A", workers=["a", "b"])
    answer(workers["a"])
    loop = iter(asked)
    reply = next(loop)
    with pytest.raises(muster.Timeout):
        workers["a"].flush(0.05)
    answer(workers["b"])
    reply = next(loop)
    workers["a"].flush(PATIENCE)
    del reply
    assert next(loop, None) is None
    workers["b"].flush(PATIENCE)


def test_the_replies_in_a_list_stay_usable(listener, workers):
    asked = listener.ask("A")
    for number, worker in enumerate(workers.values()):
        answer(worker, n=number, w=np.full(2 << 20, number, "u1"))
    replies = sorted(asked, key=lambda reply: reply.source)
    for worker in workers.values():
        worker.flush(PATIENCE)
    gc.collect()
    for number, reply in enumerate(replies):
        assert (reply.cmd, reply.source, reply.data["n"], reply.late) == ("REPLY", "abc"[number], number, False)
        assert (reply.data["w"] == number).all()
        reply.reply("THANKS", {"n": number})
    for number, worker in enumerate(workers.values()):
        thanks = worker.recv(PATIENCE)
        assert (thanks.cmd, thanks.data) == ("THANKS", {"n": number})


def test_an_array_taken_from_a_reply_stays(listener, workers):
    asked = listener.ask("A")
    for number, worker in enumerate(workers.values()):
        answer(worker, n=number, w=np.full(2 << 20, number, "u1"))
    arrays = {reply.data["n"]: reply.data["w"] for reply in asked}
    gc.collect()
    for number, array in arrays.items():
        assert (array == number).all()


def test_a_reply_kept_alone_outlives_its_round(listener, workers):
    asked = listener.ask("A", workers=["a"])
    answer(workers["a"], n=1)
    reply = next(asked)
    del asked
    gc.collect()
    assert (reply.source, reply.data) == ("a", {"n": 1})


#   --------------------------------------------------------------------------
#   Arguments

@pytest.mark.parametrize("arguments, error", [
    ({"workers": "a"}, TypeError), ({"workers": 1}, TypeError), ({"workers": [1]}, TypeError), ({"workers": ["lone\ud800"]}, ValueError),
    ({"workers": [""]}, ValueError), ({"workers": ["x" * 256]}, ValueError),
    ({"at_least": 0}, ValueError), ({"at_least": -1}, ValueError), ({"at_least": 0.0}, ValueError), ({"at_least": 1.5}, ValueError),
    ({"at_least": float("nan")}, ValueError), ({"at_least": "all"}, TypeError), ({"at_least": 10**30}, OverflowError),
    ({"grace": -1}, ValueError), ({"grace": float("nan")}, ValueError), ({"grace": "long"}, TypeError), ({"grace": None}, TypeError),
    ({"timeout": -1}, ValueError), ({"timeout": float("nan")}, ValueError), ({"timeout": "long"}, TypeError),
    ({"data": []}, TypeError), ({"data": {"a": object()}}, TypeError), ({"other": 1}, TypeError),
], ids=lambda value: ascii(value) if isinstance(value, dict) else "")
def test_bad_arguments_are_refused_and_nobody_is_asked(listener, workers, arguments, error):
    with pytest.raises(error):
        listener.ask("A", **arguments)
    for worker in workers.values():
        with pytest.raises(muster.Timeout):
            worker.recv(0)


def test_numbers_of_numpy_are_numbers_for_a_round(listener, workers, default):
    asked = listener.ask("A", at_least=np.int64(1), grace=np.float32(0), timeout=np.float64(30))
    answer(workers["a"])
    assert len(list(asked)) == 1
    for source in "bc":
        answer(workers[source])
    asked = listener.ask("B", at_least=np.float64(0.3))
    answer(workers["b"])
    assert len(list(asked)) == 1


def test_infinite_times_are_endless(listener, workers):
    asked = listener.ask("A", at_least=1, grace=float("inf"), timeout=float("inf"))
    for worker in workers.values():
        answer(worker)
    assert len(list(asked)) == 3


def test_a_round_cannot_be_made_with_what_is_no_listener():
    for wrong in (None, 7, object()):
        with pytest.raises(TypeError, match="Listener"):
            muster.Ask(wrong, "A", None, None, None, 0, 1)
    asked = muster.Ask.__new__(muster.Ask)
    with pytest.raises(muster.Closed):
        next(asked)
    with pytest.raises(muster.Closed):
        asked.missing
    assert (asked.asked, asked.replied) == (0, 0)
