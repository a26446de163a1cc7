"""Forked and spawned children: what is the parent's, and what a child may do.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import copy
import ctypes
import gc
import logging
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
import time
import weakref
from collections import deque
from typing import Any, Callable, Dict, List

import children
import muster
import pytest
from children import LIMIT, fork, forked, outcome

METHODS = ["fork", "spawn"]


class Gatherer:
    """The default handler: keeps (source, cmd, data)."""

    def __init__(self) -> None:
        self.queue: "queue.Queue[Any]" = queue.Queue()

    def __call__(self, message: muster.Message) -> None:
        self.queue.put((message.source, message.cmd, message.data))

    def next(self) -> Any:
        return self.queue.get(timeout=LIMIT)

    def take(self, count: int) -> List[Any]:
        return [self.next() for _ in range(count)]


@pytest.fixture
def gatherer(listener: muster.Listener) -> Gatherer:
    gatherer = Gatherer()
    listener.register_default_handler(gatherer)
    return gatherer


def process(method: str, function: Callable[..., Any], *arguments: Any) -> Any:
    child = multiprocessing.get_context(method).Process(target=function, args=arguments)
    child.start()
    return child


def end(child: Any) -> None:
    child.join(LIMIT)
    if child.exitcode is None:
        child.kill()
    assert child.exitcode == 0


def sockets(pid: int) -> List[str]:
    """The sockets that a process has open."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            found.append(target)
    return found


#   ---------------------------------------------------------------------------
#   The parent's objects


LISTENER_CALLS: Dict[str, Callable[[muster.Listener], Any]] = {
    "start": lambda it: it.start(),
    "stop": lambda it: it.stop(),
    "reload": lambda it: it.reload(),
    "with": lambda it: it.__enter__(),
    "workers": lambda it: it.workers,
    "stats": lambda it: it.stats,
    "register_handler": lambda it: it.register_handler("x", print),
    "overwrite": lambda it: it.register_handler("worker-1", print, overwrite=True),
    "register_default_handler": lambda it: it.register_default_handler(print),
    "register_system_handler": lambda it: it.register_system_handler(print),
    "unregister_handler": lambda it: it.unregister_handler("worker-1"),
    "on": lambda it: it.on("x")(print),
    "on default": lambda it: it.on()(print),
    "send": lambda it: it.send("worker-1", "X"),
    "broadcast": lambda it: it.broadcast("X"),
    "ask": lambda it: it.ask("X"),
    "wait_for_workers": lambda it: it.wait_for_workers(1),
    "wait for none": lambda it: it.wait_for_workers(0),
    "wait for sources": lambda it: it.wait_for_workers(["worker-1"]),
    "messages": lambda it: next(it.messages()),
    "messages at once": lambda it: next(it.messages(timeout=0)),
    "_descriptor": lambda it: it._descriptor(),
}


@pytest.mark.parametrize("call", LISTENER_CALLS)
@pytest.mark.parametrize("state", ["running", "stopped", "not started"])
def test_each_call_of_an_inherited_listener_raises_forked(state: str, call: str) -> None:
    listener = muster.Listener("tcp://127.0.0.1:*")
    if state != "not started":
        listener.start()
    if state == "stopped":
        listener.stop()
    assert forked(lambda: outcome(lambda: LISTENER_CALLS[call](listener))) == "Forked"
    listener.stop()


def test_what_an_inherited_listener_is_can_still_be_read(listener: muster.Listener) -> None:
    expected = listener.endpoint, listener.source, repr(listener)
    assert forked(lambda: (listener.endpoint, listener.source, repr(listener))) == expected


def test_the_end_of_a_with_block_in_a_child_raises_forked(listener: muster.Listener) -> None:
    assert forked(lambda: outcome(lambda: listener.__exit__(None, None, None))) == "Forked"


def test_an_exception_that_leaves_a_with_block_in_a_child_is_itself_and_not_forked(listener: muster.Listener) -> None:
    def leave() -> None:
        with children.contextlib.ExitStack() as stack:
            stack.push(listener)
            raise KeyError("mine")
    assert forked(lambda: outcome(leave)) == "KeyError"


WORKER_CALLS: Dict[str, Callable[[muster.Worker], Any]] = {
    "send": lambda it: it.send("X"),
    "send much": lambda it: it.send("X", {"bytes": bytes(1_000_000)}),
    "flush": lambda it: it.flush(),
    "flush at once": lambda it: it.flush(timeout=0),
    "recv": lambda it: it.recv(),
    "recv at once": lambda it: it.recv(timeout=0),
    "next": lambda it: next(it),
    "close": lambda it: it.close(),
    "end of with": lambda it: it.__exit__(None, None, None),
    "_try_send": lambda it: it._try_send("X", None),
    "_descriptor": lambda it: it._descriptor(),
}


@pytest.mark.parametrize("call", WORKER_CALLS)
def test_each_call_of_an_inherited_worker_raises_forked(worker: muster.Worker, call: str) -> None:
    assert forked(lambda: outcome(lambda: WORKER_CALLS[call](worker))) == "Forked"


def test_each_call_of_an_inherited_worker_without_a_listener_raises_forked() -> None:
    worker = muster.Worker("inproc://nobody", drain=0)
    for call in WORKER_CALLS.values():
        assert forked(lambda: outcome(lambda: call(worker))) == "Forked"
    worker.close()


def test_a_listener_that_another_ones_handler_stops_is_stopped_for_good(
        listener: muster.Listener, worker: muster.Worker) -> None:
    """Being inside a handler is about one listener."""
    other = muster.Listener("tcp://127.0.0.1:*")
    other.start()
    results: "queue.Queue[Any]" = queue.Queue()
    listener.register_handler("worker-1", lambda message: results.put(other.stop()))
    worker.send("X")
    worker.flush(LIMIT)
    assert results.get(timeout=LIMIT) == 0
    weak = weakref.ref(other)
    del other
    listener.unregister_handler("worker-1")
    gc.collect()
    assert weak() is None


def test_what_an_inherited_worker_is_can_still_be_read(worker: muster.Worker) -> None:
    assert forked(lambda: (worker.source, repr(worker))) == ("worker-1", repr(worker))


def test_a_closed_worker_that_is_inherited_may_be_closed_or_is_forked() -> None:
    worker = muster.Worker("inproc://nobody", drain=0)
    worker.close()
    assert forked(lambda: outcome(worker.close)) in ("", "Forked")


def test_an_inherited_round_raises_forked_and_goes_on_in_the_parent(
        listener: muster.Listener, worker: muster.Worker) -> None:
    asked = listener.ask("TRAIN", timeout=LIMIT)

    def use() -> List[str]:
        return [outcome(lambda: next(asked)), outcome(asked.next), outcome(lambda: asked.next(timeout=0))]
    assert forked(use) == ["Forked"] * 3
    worker.recv(LIMIT).reply("DONE", {"loss": 1})
    assert [reply.data for reply in asked] == [{"loss": 1}]
    assert asked.missing == {}


def test_what_an_inherited_round_has_counted_can_be_read_or_is_forked(
        listener: muster.Listener, worker: muster.Worker) -> None:
    asked = listener.ask("TRAIN", workers=["worker-1", "nobody"], timeout=LIMIT)
    results = forked(lambda: [outcome(lambda: asked.missing), outcome(lambda: asked.asked), outcome(lambda: asked.replied)])
    assert set(results) <= {"", "Forked"}


def test_a_kept_message_can_be_read_in_a_child_and_its_reply_raises_forked(
        listener: muster.Listener, worker: muster.Worker, gatherer: Gatherer) -> None:
    kept: "queue.Queue[muster.Message]" = queue.Queue()
    listener.register_handler("worker-1", kept.put)
    worker.send("KEEP", {"number": 1, "bytes": bytes(2_000_000)})
    message = kept.get(timeout=LIMIT)

    def use() -> Any:
        return (message.source, message.cmd, len(message.data["bytes"]), message.session, message.position,
                message.answers, message.late, repr(message), outcome(lambda: message.reply("X")))
    assert forked(use) == ("worker-1", "KEEP", 2_000_000, message.session, 1, 0, False,
                           "<muster.Message 'KEEP' from 'worker-1'>", "Forked")
    message.reply("ANSWER")
    assert worker.recv(LIMIT).cmd == "ANSWER"


def test_a_message_of_a_loop_can_be_read_in_a_child_and_counts_as_handled_only_in_the_parent(
        listener: muster.Listener, worker: muster.Worker) -> None:
    messages = listener.messages(LIMIT)
    worker.send("FIRST", {"number": 1})
    worker.send("SECOND", {"number": 2})
    message = next(messages)

    def use() -> Any:
        nonlocal message
        results = (message.cmd, message.data, outcome(lambda: message.reply("X")), outcome(lambda: next(messages)))
        del message
        gc.collect()
        return results
    assert forked(use) == ("FIRST", {"number": 1}, "Forked", "Forked")
    assert listener.stats["handled"] == 0
    second = next(messages)
    assert second.cmd == "SECOND"
    assert listener.stats["handled"] == 1


def test_a_command_that_is_kept_can_be_read_in_a_child_and_its_reply_raises_forked(
        listener: muster.Listener, worker: muster.Worker, gatherer: Gatherer) -> None:
    listener.send("worker-1", "TRAIN", {"round": 1})
    command = worker.recv(LIMIT)
    assert forked(lambda: (command.cmd, command.data, outcome(lambda: command.reply("X")))) == (
        "TRAIN", {"round": 1}, "Forked")
    command.reply("DONE")
    assert gatherer.next() == ("worker-1", "DONE", {})


@pytest.mark.parametrize("how", [os._exit, sys.exit], ids=["os._exit", "sys.exit"])
def test_a_child_that_deletes_what_it_inherits_harms_nothing(how: Any) -> None:
    class Everything:
        """So that a child can delete it: nobody else refers to these."""

        def __init__(self) -> None:
            self.listener = muster.Listener("tcp://127.0.0.1:*")
            self.gatherer = Gatherer()
            self.listener.register_handler("worker-1", self.gatherer)
            self.listener.start()
            self.worker = muster.Worker(self.listener.endpoint, "worker-1")
            self.worker.send("BEFORE")
            assert self.gatherer.next() == ("worker-1", "BEFORE", {})
            self.listener.send("worker-1", "TRAIN")
            self.command = self.worker.recv(LIMIT)
            self.asked = self.listener.ask("ASK", timeout=LIMIT)

    everything = Everything()

    def drop() -> List[str]:
        for name in ("command", "asked", "worker", "listener", "gatherer"):
            delattr(everything, name)
            gc.collect()
        return list(vars(everything))
    if how is sys.exit:     # as a script of its own would end, but for pytest's own frames
        def finish(code: int) -> None:
            import atexit
            atexit._run_exitfuncs()
            os._exit(code)
    else:
        finish = how
    assert forked(drop, end=finish) == []
    everything.command.reply("DONE")
    assert everything.gatherer.next() == ("worker-1", "DONE", {})
    everything.worker.recv(LIMIT).reply("REPLY")
    assert [reply.cmd for reply in everything.asked] == ["REPLY"]
    assert everything.worker.close() == 0
    assert everything.listener.stop() == 0


def test_a_child_holds_no_socket_of_its_parent(listener: muster.Listener, worker: muster.Worker) -> None:
    mine = sockets(os.getpid())
    assert mine
    assert set(forked(lambda: sockets(os.getpid()))) & set(mine) <= set(mine) - set(muster_sockets(mine))


def muster_sockets(names: List[str]) -> List[str]:
    """Those that are tcp: muster's, here."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        inodes = {line.split()[9] for line in file.readlines()[1:]}
    return [name for name in names if name[len("socket:["):-1] in inodes]


def test_a_child_holds_neither_the_listening_port_nor_a_connection(
        listener: muster.Listener, worker: muster.Worker) -> None:
    assert len(muster_sockets(sockets(os.getpid()))) >= 2
    assert forked(lambda: muster_sockets(sockets(os.getpid()))) == []


def test_the_parents_messages_flow_before_while_and_after_a_child_lives(
        listener: muster.Listener, worker: muster.Worker, gatherer: Gatherer) -> None:
    worker.send("BEFORE")
    reader, writer = os.pipe()
    child = fork(lambda: os.read(reader, 1))
    worker.send("WHILE")
    assert [cmd for _, cmd, _ in gatherer.take(2)] == ["BEFORE", "WHILE"]
    os.write(writer, b"x")
    assert child.result() == b"x"
    worker.send("AFTER")
    worker.flush(LIMIT)
    assert gatherer.next()[1] == "AFTER"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("how", ["return", "sys.exit", "os._exit", "exception"])
def test_the_parent_goes_on_however_a_child_with_inherited_objects_ends(how: str) -> None:
    lines = children.check("""
        import os, sys, muster
        from children import Blocker, LIMIT
        listener = muster.Listener("tcp://127.0.0.1:*")
        got = Blocker()
        got.released.set()
        listener.register_default_handler(got)
        listener.start()
        worker = muster.Worker(listener.endpoint)
        worker.send("BEFORE")
        asked = listener.ask("X")
        pid = os.fork()
        if pid == 0:
            how = sys.argv[1]
            if how == "sys.exit":
                sys.exit(5)
            if how == "os._exit":
                os._exit(5)
            if how == "exception":
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                raise KeyError("on purpose")
        else:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            worker.send("AFTER")
            print(code, worker.close(), got.cmds)
            del asked
            print(listener.stop())
        """, how)
    code = {"return": 0, "exception": 1}.get(how, 5)
    assert lines == [f"{code} 0 ['BEFORE', 'AFTER']", "0"]


def test_a_listener_and_a_worker_do_not_pickle_or_copy(listener: muster.Listener, worker: muster.Worker) -> None:
    for thing in (listener, worker):
        for function in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                function(thing)


#   ---------------------------------------------------------------------------
#   Children with objects of their own


@pytest.mark.parametrize("method", METHODS)
def test_a_worker_made_in_a_child_of_multiprocessing_works(
        listener: muster.Listener, gatherer: Gatherer, method: str) -> None:
    child = process(method, children.work, listener.endpoint, "child", 100)
    assert gatherer.take(100) == [("child", "NUMBER", {"number": number}) for number in range(100)]
    end(child)


@pytest.mark.parametrize("method", METHODS)
def test_a_round_over_workers_in_children_gets_all_replies(listener: muster.Listener, method: str) -> None:
    kids = [process(method, children.answer, listener.endpoint, f"child-{number}") for number in range(3)]
    listener.wait_for_workers(3, timeout=LIMIT)
    replies = {reply.source: reply.data["pid"] for reply in listener.ask("WHO", timeout=LIMIT)}
    assert replies == {f"child-{number}": kid.pid for number, kid in enumerate(kids)}
    assert len(list(listener.ask("QUIT", timeout=LIMIT))) == 3
    for kid in kids:
        end(kid)


@pytest.mark.parametrize("method", METHODS)
def test_a_listener_made_in_a_child_of_multiprocessing_works(
        listener: muster.Listener, worker: muster.Worker, gatherer: Gatherer, method: str) -> None:
    mine, its = multiprocessing.Pipe()
    child = process(method, children.listen, its)
    assert mine.poll(LIMIT)
    with muster.Worker(mine.recv(), "elsewhere") as other:
        other.send("HELLO", {"number": 7})
        assert mine.poll(LIMIT)
        assert mine.recv() == ("elsewhere", "HELLO", {"number": 7})
        other.flush(LIMIT)
    end(child)
    worker.send("STILL")
    assert gatherer.next() == ("worker-1", "STILL", {})


def test_a_child_of_multiprocessing_finds_its_parents_objects_forked(
        listener: muster.Listener, worker: muster.Worker) -> None:
    mine, its = multiprocessing.Pipe()
    child = process("fork", children.use_inherited,
                    [lambda: listener.stats, listener.stop, lambda: worker.send("X"), worker.close], its)
    assert mine.poll(LIMIT)
    assert mine.recv() == ["Forked"] * 4
    end(child)


def test_a_fork_before_any_object_is_made_leaves_both_sides_to_make_theirs() -> None:
    lines = children.check("""
        import os, muster, children
        def both():
            with muster.Listener("tcp://127.0.0.1:*") as listener:
                with muster.Worker(listener.endpoint) as worker:
                    worker.send("X")
                    return next(listener.messages(30)).cmd
        assert children.fork(both).result() == "X"
        assert both() == "X"
        assert children.fork(both).result() == "X"
        print("good")
        """)
    assert lines == ["good"]


def test_a_raw_fork_makes_a_listener_and_a_worker_beside_the_parents(
        listener: muster.Listener, worker: muster.Worker, gatherer: Gatherer) -> None:
    def both() -> Any:
        with muster.Listener("tcp://127.0.0.1:*") as mine:
            got = Gatherer()
            mine.register_default_handler(got)
            with muster.Worker(mine.endpoint, "a") as a, muster.Worker(listener.endpoint, "b") as b:
                a.send("MINE")
                b.send("PARENTS")
                return got.next()
    assert forked(both) == ("a", "MINE", {})
    assert gatherer.next() == ("b", "PARENTS", {})


@pytest.mark.parametrize("method", METHODS)
def test_a_child_of_a_child_works(listener: muster.Listener, gatherer: Gatherer, method: str) -> None:
    child = process(method, children.grandchild, listener.endpoint, method)
    got = gatherer.take(5)
    end(child)
    assert [cmd for source, cmd, _ in got if source == "child"] == ["BEFORE", "AFTER"]
    assert [data["number"] for source, _, data in got if source == "grandchild"] == [0, 1, 2]


def test_a_forks_fork_finds_the_objects_of_both_forked(listener: muster.Listener) -> None:
    def middle() -> Any:
        with muster.Listener("tcp://127.0.0.1:*") as mine:
            def inner() -> Any:
                with muster.Worker(mine.endpoint, "inner") as worker:
                    worker.send("INNER")
                return outcome(mine.stop), outcome(listener.stop)
            child = fork(inner)
            cmd = next(mine.messages(LIMIT)).cmd
            return cmd, child.result(), outcome(listener.stop)
    assert forked(middle) == ("INNER", ("Forked", "Forked"), "Forked")


@pytest.mark.parametrize("method", METHODS)
def test_each_task_of_a_pool_may_be_a_worker(listener: muster.Listener, gatherer: Gatherer, method: str) -> None:
    with multiprocessing.get_context(method).Pool(3) as pool:
        assert pool.map_async(children.work_in_pool, [(listener.endpoint, number) for number in range(30)]).get(
            2 * LIMIT) == list(range(30))
        pool.close()
        pool.join()
    assert sorted(data["number"] for _, _, data in gatherer.take(30)) == list(range(30))


@pytest.mark.parametrize("method", METHODS)
def test_each_process_of_a_pool_may_be_one_worker(listener: muster.Listener, gatherer: Gatherer, method: str) -> None:
    with multiprocessing.get_context(method).Pool(3, children.begin_pool, (listener.endpoint,)) as pool:
        assert pool.map_async(children.send_from_pool, range(30)).get(2 * LIMIT) == list(range(30))
        pool.close()
        pool.join()
    got = gatherer.take(30)
    assert sorted(data["number"] for _, _, data in got) == list(range(30))
    assert len({source for source, _, _ in got}) == len({data["pid"] for _, _, data in got})


def test_a_child_started_by_a_handler_works(listener: muster.Listener, worker: muster.Worker) -> None:
    codes: "queue.Queue[Any]" = queue.Queue()

    def handler(message: muster.Message) -> None:
        child = process("fork", children.work, listener.endpoint, "child")
        codes.put(child)

    listener.register_handler("worker-1", handler)
    gatherer = Gatherer()
    listener.register_handler("child", gatherer)
    worker.send("GO")
    child = codes.get(timeout=LIMIT)
    assert [data["number"] for _, _, data in gatherer.take(3)] == [0, 1, 2]
    end(child)
    worker.flush(LIMIT)


def test_in_a_child_forked_by_a_handler_the_listener_is_forked(
        listener: muster.Listener, worker: muster.Worker) -> None:
    results: "queue.Queue[Any]" = queue.Queue()

    def handler(message: muster.Message) -> None:
        results.put(forked(lambda: [outcome(listener.stop), outcome(lambda: listener.stats), message.cmd, message.data,
                                    outcome(lambda: message.reply("X")), outcome(lambda: worker.send("X"))]))
    listener.register_handler("worker-1", handler)
    worker.send("GO", {"number": 1})
    assert results.get(timeout=LIMIT) == ["Forked", "Forked", "GO", {"number": 1}, "Forked", "Forked"]
    worker.flush(LIMIT)
    assert listener.stats["failed"] == 0


def test_a_listener_made_in_a_child_that_a_handler_forked_is_not_taken_for_a_handlers(
        listener: muster.Listener, worker: muster.Worker) -> None:
    """The child's only thread is the copy of one that is inside a handler: of another listener."""
    results: "queue.Queue[Any]" = queue.Queue()

    def both() -> Any:
        got = Gatherer()
        mine = muster.Listener("tcp://127.0.0.1:*")
        mine.register_default_handler(got)
        mine.start()
        with muster.Worker(mine.endpoint, "a") as its:
            mine.wait_for_workers(1, timeout=LIMIT)
            its.send("X")
        results = got.next()[1], mine.stop()
        weak = weakref.ref(mine)
        del mine, its
        gc.collect()
        return (*results, weak() is None)

    def handler(message: muster.Message) -> None:
        try:
            results.put(forked(both))
        except AssertionError as error:
            results.put(error)
    listener.register_handler("worker-1", handler)
    worker.send("GO")
    assert results.get(timeout=2 * LIMIT) == ("X", 0, True)


#   ---------------------------------------------------------------------------
#   Parents that die


def test_a_parent_may_be_killed_and_another_binds_its_port_while_its_child_lives() -> None:
    with children.Script("""
            import os, sys, muster
            from children import say
            listener = muster.Listener("tcp://127.0.0.1:*")
            listener.register_default_handler(print)
            listener.start()
            worker = muster.Worker(listener.endpoint)
            listener.wait_for_workers(1, timeout=30)
            if os.fork() == 0:
                say("born")
                sys.stdin.read()
                say("child lives")
                os._exit(0)
            say(listener.endpoint)
            worker.recv()
            """) as script:
        lines = {script.line(), script.line()}
        endpoint = (lines - {"born"}).pop()
        script.signal(signal.SIGKILL)
        assert script._process.wait(LIMIT) == -signal.SIGKILL
        with muster.Listener(endpoint) as listener, muster.Worker(endpoint, "new") as worker:
            worker.send("HELLO")
            assert next(listener.messages(LIMIT)).source == "new"
        script.close_stdin()
        script.expect("child lives")


def test_a_parent_may_be_killed_while_its_child_is_a_worker_of_another_listener(
        listener: muster.Listener, gatherer: Gatherer) -> None:
    with children.Script("""
            import os, sys, muster
            from children import say
            listener = muster.Listener("tcp://127.0.0.1:*")
            listener.start()
            if os.fork() == 0:
                with muster.Worker(sys.argv[1], "child") as worker:
                    worker.send("BORN")
                    worker.flush(30)
                    sys.stdin.read()
                    worker.send("ALONE")
                say("closed")
                os._exit(0)
            listener.wait_for_workers(1)
            """, listener.endpoint) as script:
        assert gatherer.next() == ("child", "BORN", {})
        script.signal(signal.SIGKILL)
        assert script._process.wait(LIMIT) == -signal.SIGKILL
        script.close_stdin()
        assert gatherer.next() == ("child", "ALONE", {})
        script.expect("closed")


#   ---------------------------------------------------------------------------
#   Forks at any moment


def be_a_worker(endpoint: str) -> int:
    with muster.Worker(endpoint) as worker:
        worker.send("CHILD", {"pid": os.getpid()})
    return os.getpid()


def test_children_forked_while_a_handler_runs_work(listener: muster.Listener, worker: muster.Worker) -> None:
    blocker = children.Blocker()
    listener.register_handler("worker-1", blocker)
    gatherer = Gatherer()
    listener.register_default_handler(gatherer)
    worker.send("BLOCK")
    blocker.wait()
    kids = [fork(lambda: outcome(listener.stop)) for _ in range(10)]
    assert [kid.result() for kid in kids] == ["Forked"] * 10
    with muster.Listener("tcp://127.0.0.1:*") as other:
        other.register_default_handler(gatherer)
        pids = {fork(lambda: be_a_worker(other.endpoint)).result() for _ in range(10)}
    blocker.released.set()
    assert {data["pid"] for _, _, data in gatherer.take(10)} == pids
    worker.flush(LIMIT)


def test_forks_while_handlers_and_senders_run_at_full_speed_hang_neither_side(listener: muster.Listener) -> None:
    counts: Dict[str, int] = {}
    born: "queue.Queue[int]" = queue.Queue()

    def handler(message: muster.Message) -> None:
        data = message.data
        if message.cmd == "CHILD":
            born.put(data["pid"])
        else:
            assert data["number"] == counts.get(message.source, 0), "out of order"
            counts[message.source] = data["number"] + 1
    listener.register_default_handler(handler)
    ended = threading.Event()
    sent: Dict[str, int] = {}

    def send(source: str) -> None:
        with muster.Worker(listener.endpoint, source, send_buffer=1_000_000) as worker:
            number = 0
            while not ended.is_set():
                worker.send("NUMBER", {"number": number, "text": "x" * (number % 1000)})
                number += 1
                sent[source] = number

    threads = [threading.Thread(target=send, args=(f"thread-{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        pids = set()
        for _ in range(10):
            kids = [fork(lambda: be_a_worker(listener.endpoint)), fork(lambda: outcome(listener.stop))]
            pids.add(kids[0].result(2 * LIMIT))
            assert kids[1].result(2 * LIMIT) == "Forked"
        assert {born.get(timeout=LIMIT) for _ in range(10)} == pids
    finally:
        ended.set()
        for thread in threads:
            thread.join(2 * LIMIT)
    assert counts == sent
    assert listener.stats["failed"] == 0


def test_forks_while_objects_are_made_and_ended_hang_neither_side() -> None:
    ended = threading.Event()
    made = [0]

    def make() -> None:
        while not ended.is_set():
            with muster.Listener("inproc://" + threading.current_thread().name) as listener:
                listener.register_default_handler(lambda message: None)
                with muster.Worker(listener.endpoint) as worker:
                    worker.send("X")
            made[0] += 1

    def both() -> str:
        with muster.Listener("tcp://127.0.0.1:*") as listener, muster.Worker(listener.endpoint) as worker:
            worker.send("X")
            message = next(listener.messages(LIMIT))
            return message.cmd

    thread = threading.Thread(target=make, name="maker")
    thread.start()
    try:
        children.eventually(lambda: made[0])
        assert [forked(both) for _ in range(10)] == ["X"] * 10
        before = made[0]
        children.eventually(lambda: made[0] > before)
    finally:
        ended.set()
        thread.join(LIMIT)
    assert not thread.is_alive()


def test_a_fork_while_another_thread_waits_in_each_blocking_call_leaves_that_to_go_on(
        listener: muster.Listener, worker: muster.Worker) -> None:
    results: "queue.Queue[Any]" = queue.Queue()
    asked = listener.ask("ASK", timeout=LIMIT)
    ask_command = worker.recv(LIMIT)
    waiters = {
        "recv": lambda: worker.recv(LIMIT).cmd,
        "wait": lambda: listener.wait_for_workers(2, timeout=LIMIT),
        "ask": lambda: next(asked).cmd,
    }
    for name, waiter in waiters.items():
        threading.Thread(target=lambda name=name, waiter=waiter: results.put((name, waiter())), daemon=True).start()
    for _ in range(5):
        assert forked(lambda: [outcome(listener.stop), outcome(worker.close)]) == ["Forked", "Forked"]
    assert results.empty()
    listener.send("worker-1", "TRAIN")
    ask_command.reply("DONE")
    with muster.Worker(listener.endpoint, "worker-2"):
        got = dict(results.get(timeout=LIMIT) for _ in waiters)
    assert got == {"recv": "TRAIN", "wait": None, "ask": "DONE"}


#   ---------------------------------------------------------------------------
#   Logging in a child


def log_a_warning() -> str:
    """What reaches a logging handler in this process when a message finds no handler."""
    lines: "queue.Queue[str]" = queue.Queue()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.WARNING:
                lines.put(record.getMessage())
    keep = Keep()
    logging.getLogger("muster").addHandler(keep)
    logging.getLogger("muster").propagate = False
    try:
        with muster.Listener("tcp://127.0.0.1:*") as listener:
            listener.register_handler("other", print)
            with muster.Worker(listener.endpoint, "unheard") as worker:
                worker.send("X")
            return lines.get(timeout=LIMIT)
    finally:
        logging.getLogger("muster").propagate = True
        logging.getLogger("muster").removeHandler(keep)


def test_the_log_reaches_logging_in_the_parent_and_then_in_a_fork() -> None:
    expected = "no handler: source=unheard cmd=X count=1"
    assert log_a_warning() == expected
    assert forked(log_a_warning) == expected
    assert forked(lambda: forked(log_a_warning)) == expected
    assert log_a_warning() == expected


def test_a_fork_while_the_log_is_written_can_log() -> None:
    """The log's own lock may be held by another thread at that moment."""
    ended = threading.Event()

    def join_and_leave() -> None:
        with muster.Listener("inproc://joins") as listener:
            while not ended.is_set():
                muster.Worker(listener.endpoint).close()
    thread = threading.Thread(target=join_and_leave)
    thread.start()
    try:
        for _ in range(8):
            assert forked(log_a_warning).startswith("no handler: source=unheard")
    finally:
        ended.set()
        thread.join(LIMIT)


def test_a_flood_for_a_handler_that_is_no_python_code_leaves_other_threads_their_turns(listener: muster.Listener) -> None:
    got: "deque[muster.Message]" = deque(maxlen=1)
    listener.register_default_handler(got.append)
    floods = [process("fork", children.flood, listener.endpoint) for _ in range(4)]
    try:
        children.eventually(lambda: listener.stats["handled"] > 100_000)
        for _ in range(50):
            time.sleep(0)       # gives the GIL up, and needs it again
        assert all(child.is_alive() for child in floods)
    finally:
        for child in floods:
            child.kill()
            child.join(LIMIT)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_worker_sent_that_a_child_leaves_open_is_handled(
        method: str, listener: muster.Listener, gatherer: Gatherer) -> None:
    """Children of multiprocessing do not run what atexit has."""
    child = process(method, children.work_and_leave, listener.endpoint, "left-open")
    assert gatherer.take(100) == [("left-open", "X", {"number": number}) for number in range(100)]
    end(child)
    assert child.exitcode == 0


def test_a_handler_that_holds_the_gil_for_longer_than_liveness_loses_no_worker() -> None:
    """Heartbeats come from the library's threads."""
    hold = ctypes.PyDLL(None).usleep        # through PyDLL a function keeps the GIL
    events: List[str] = []
    handled: List[int] = []
    with muster.Listener("tcp://127.0.0.1:*", liveness=1) as listener:
        listener.register_system_handler(lambda message: events.append(message.cmd))

        def handler(message: muster.Message) -> None:
            if not handled:
                hold(3_000_000)
            handled.append(message.data["number"])
        listener.register_default_handler(handler)
        child = process("fork", children.work_patiently, listener.endpoint, "patient")
        end(child)
    assert child.exitcode == 0
    assert handled == list(range(50))
    assert events == ["JOINED", "LEFT"]
