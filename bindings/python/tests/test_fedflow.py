"""muster.fedflow: what fedflow's programs rely on, under fork and spawn.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

All tests share this process's listener, as there is one for each process; what needs a process of its own is a script.
Nothing is timed: whatever is waited for has LIMIT seconds, and a put that waited for its listener would wait that long.
"""
import fcntl
import gc
import inspect
import logging
import multiprocessing
import os
import pickle
import queue
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from multiprocessing.reduction import ForkingPickler

import fedflow_children as children
import fedflow_program as program
import numpy
import pytest

import muster
from muster import fedflow
from muster.fedflow import Handler, Message, MessageListener

LIMIT = 60
METHODS = ["fork", "spawn"]


class Recorder(Handler):
    """Keeps what it is given."""

    def __init__(self):
        self.changed = threading.Condition()
        self.messages = []
        self.threads = set()

    def handle(self, source, cmd, data):
        with self.changed:
            self.messages.append(Message(source, cmd, data))
            self.threads.add(threading.current_thread())
            self.changed.notify_all()

    def wait(self, count):
        """The messages, when there are count."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.messages) >= count, LIMIT), self.messages
            return list(self.messages)

    def data(self):
        with self.changed:
            return [message.data for message in self.messages]


class Failing(Handler):
    def handle(self, source, cmd, data):
        raise LookupError(cmd)


class Held(Recorder):
    """Waits in its first message until it is let go."""

    def __init__(self):
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()

    def handle(self, source, cmd, data):
        self.entered.set()
        assert self.go.wait(LIMIT)
        super().handle(source, cmd, data)


def running():
    return [thread for thread in threading.enumerate() if thread.name == "muster.fedflow listener"]


def stop():
    """Stop all that runs, and see it end."""
    for _ in running():
        MessageListener.stop()
    for thread in running():
        thread.join(LIMIT)
    assert not running()


@pytest.fixture(autouse=True)
def handlers(caplog):
    """No test leaves handlers, messages or threads to the next."""
    caplog.set_level(logging.INFO, "fedflow.msglistener")
    assert MessageListener.mq().empty()
    yield
    stop()
    assert MessageListener.mq().empty()
    MessageListener._MessageListener__handlers.clear()
    MessageListener._MessageListener__default_handler = fedflow._DefaultHandler()


@pytest.fixture
def recorder():
    """The default handler of this test."""
    recorder = Recorder()
    MessageListener.register_default_handler(recorder)
    return recorder


def child(method, target, *arguments, code=0):
    """Run target in a child, with the queue first, until it has ended."""
    process = multiprocessing.get_context(method).Process(target=target, args=(MessageListener.mq(), *arguments))
    process.start()
    process.join(LIMIT)
    try:
        assert process.exitcode == code
    finally:
        process.kill()


def script(text, **options):
    """Run a program of its own until it and its children have ended; returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **options.pop("environment", {})}
    head = """
        import logging, multiprocessing.util, os, signal, sys, threading
        import fedflow_children as children
        from muster.fedflow import Handler, Message, MessageListener
        class Print(Handler):
            def handle(self, source, cmd, data): print(source, cmd, data, flush=True)
        MessageListener.register_default_handler(Print())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(text)], env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options)
    try:
        output, errors = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, output.splitlines(), errors


def directory():
    return os.path.dirname(MessageListener.mq()._address[len("ipc://"):])


@pytest.mark.parametrize("method", METHODS + ["forkserver"])
def test_a_scheduler_runs_its_tasks_three_times(method, tmp_path):
    for turn in range(3):
        MessageListener.start()
        scheduler = program.Scheduler(method, [turn, 10 + turn, -1], str(tmp_path / str(turn)))
        scheduler.join()
        stop()
        for number, task in scheduler.tasks.items():
            assert task.stage is (program.Stage.FAILED if number < 0 else program.Stage.TRAINED)
            assert numpy.array_equal(task.result["weights"], numpy.arange(1000.0).reshape(10, 100) * number)
            assert task.result["count"] == program.HUGE + number
            assert task.result["shape"] == (10, (100,))
            assert task.items == {(number, key): key for key in range(100)}


@pytest.mark.parametrize("method", METHODS)
def test_messages_of_a_process_are_handled_in_the_order_they_were_put(method, recorder):
    MessageListener.start()
    child(method, children.put_range, 1, 3000)
    stop()
    assert recorder.data() == list(range(3000))


@pytest.mark.parametrize("method", METHODS)
def test_messages_of_several_threads_arrive_in_the_order_of_each(method):
    recorders = {source: Recorder() for source in range(4)}
    for source, recorder in recorders.items():
        MessageListener.register_handler(source, recorder)
    MessageListener.start()
    child(method, children.put_from_threads, list(recorders), 500)
    stop()
    for recorder in recorders.values():
        assert recorder.data() == list(range(500))


@pytest.mark.parametrize("method", METHODS)
def test_a_worker_may_change_directory_before_it_puts(method, recorder, tmp_path):
    child(method, children.put_range_elsewhere, 1, 3, str(tmp_path))
    MessageListener.start()
    stop()
    assert recorder.data() == [0, 1, 2]


@pytest.mark.parametrize("method", METHODS)
def test_a_child_that_ends_at_once_has_handed_over_what_it_put(method, recorder):
    child(method, children.put_range, 1, 10000)
    assert MessageListener.mq().qsize() == 10000
    MessageListener.start()
    stop()
    assert recorder.data() == list(range(10000))


@pytest.mark.parametrize("target, first", [
    (children.put_when_main_has_ended, []), (children.put_before_and_when_main_has_ended, [None])])
@pytest.mark.parametrize("method", METHODS)
def test_a_thread_that_outlives_its_main_thread_hands_over_too(method, target, first, recorder):
    MessageListener.start()
    child(method, target, 1, 1000)
    stop()
    assert recorder.data() == first + list(range(1000))


@pytest.mark.parametrize("inner", METHODS)
@pytest.mark.parametrize("method", METHODS)
def test_a_grandchild_puts_after_its_parent_did(method, inner, recorder):
    MessageListener.start()
    child(method, children.put_in_child, 1, 100, inner)
    stop()
    assert sorted(recorder.data(), key=str) == sorted([None, *range(100)], key=str)


def test_a_process_forked_by_hand_hands_over_when_it_exits():
    code, lines, errors = script("""
        mq = MessageListener.mq()
        if not (pid := os.fork()):
            children.put_range(mq, 1, 1000)
            sys.exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
        MessageListener.stop()
        MessageListener.run()
    """)
    assert (code, lines) == (0, [f"1 NUMBER {number}" for number in range(1000)]), errors


def test_a_child_forked_before_the_queue_was_ever_used_puts_in_it():
    code, lines, errors = script("""
        process = multiprocessing.get_context("fork").Process(target=children.put_by_name, args=(1,))
        process.start()
        process.join()
        MessageListener.stop()
        MessageListener.run()
    """)
    assert (code, lines) == (0, ["1 BY NAME None"]), errors


def test_children_forked_while_threads_put_get_no_lock_that_is_held(recorder):
    MessageListener.start()
    mq, done = MessageListener.mq(), threading.Event()

    def keep_putting(source):
        while not done.is_set():
            mq.put(Message(source, "HERE", None))

    threads = [threading.Thread(target=keep_putting, args=(f"thread {number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        for source in range(10):
            child("fork", children.put_range, source, 50)
    finally:
        done.set()
        for thread in threads:
            thread.join(LIMIT)
    stop()
    for source in range(10):
        assert [message.data for message in recorder.messages if message.source == source] == list(range(50))


def test_thirty_children_at_once_are_heard(recorder):
    MessageListener.start()
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=children.put_range, args=(MessageListener.mq(), source, 100))
                 for source in range(30)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(LIMIT)
        assert process.exitcode == 0
    stop()
    for source in range(30):
        assert [message.data for message in recorder.messages if message.source == source] == list(range(100))


def test_a_handler_may_fork_a_child_that_puts(recorder):
    class Forking(Handler):
        def handle(self, source, cmd, data):
            child("fork", children.put_range, 2, 3)

    MessageListener.register_handler(1, Forking())
    MessageListener.start()
    MessageListener.mq().put(Message(1, "FORK", None))
    assert [message.data for message in recorder.wait(3)] == [0, 1, 2]


@pytest.mark.parametrize("method", METHODS)
def test_a_put_does_not_wait_for_a_listener_that_is_stopped(method):
    """The child has put more than any buffer holds before it lets its listener's process go on."""
    code, lines, errors = script(f"""
        class Count(Handler):
            def handle(self, source, cmd, data): print(source, len(data))
        MessageListener.register_default_handler(Count())
        process = multiprocessing.get_context("{method}").Process(
            target=children.stop_process_and_put, args=(MessageListener.mq(), os.getpid(), 100, 1 << 20))
        process.start()
        process.join()
        MessageListener.stop()
        MessageListener.run()
    """)
    assert (code, lines) == (0, [f"{number} {1 << 20}" for number in range(100)]), errors


def test_a_child_whose_listener_has_died_ends():
    """The script's output ends when its child has: it prints how that went."""
    code, lines, errors = script("""
        logging.basicConfig(level=logging.ERROR)
        mq = MessageListener.mq()
        print(os.path.dirname(mq._address[len("ipc://"):]), flush=True)
        reader, writer = os.pipe()
        if not os.fork():
            mq.put(Message(1, "EARLY", None))
            os.close(writer)
            os.read(reader, 1)
            children.put_range(mq, 1, 100)
            print("put", flush=True)
            sys.exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    shutil.rmtree(lines[0])  # nobody was left to do it
    assert (code, lines[1:]) == (-9, ["put"])
    assert "has ended: what it had not taken is lost" in errors


def test_a_child_that_does_not_care_does_not_wait_at_its_exit():
    code, lines, errors = script("""
        mq, parent = MessageListener.mq(), os.getpid()
        if not os.fork():
            if not os.fork():
                os.kill(parent, signal.SIGSTOP)
                mq.put(Message(1, "LOST", bytes(100 << 20)))
                mq.cancel_join_thread()
                sys.exit(0)
            os.wait()
            os.kill(parent, signal.SIGCONT)
            os._exit(0)
        os.wait()
        print("on")
    """)
    assert (code, lines) == (0, ["on"]), errors


def test_what_is_put_before_start_waits_for_it(recorder):
    MessageListener.mq().put(Message(1, "EARLY", None))
    child("fork", children.put_range, 1, 2)
    assert not recorder.data()
    MessageListener.start()
    assert recorder.wait(3)[0].cmd == "EARLY"


@pytest.mark.parametrize("method", METHODS)
def test_what_is_put_after_stop_waits_for_the_next_start(method, recorder):
    MessageListener.start()
    stop()
    MessageListener.mq().put(Message(1, "OWN", None))
    child(method, children.put_range, 1, 2)
    assert not recorder.data()
    MessageListener.start()
    assert [message.data for message in recorder.wait(3)] == [None, 0, 1]


def test_stop_returns_at_once_and_queues_behind_earlier_puts():
    held = Held()
    MessageListener.register_default_handler(held)
    MessageListener.start()
    for number in range(5):
        MessageListener.mq().put(Message(1, "BEFORE", number))
    assert held.entered.wait(LIMIT)
    MessageListener.stop()
    MessageListener.mq().put(Message(1, "AFTER", 5))
    assert not held.data()
    held.go.set()
    for thread in running():
        thread.join(LIMIT)
    assert held.data() == [0, 1, 2, 3, 4]
    MessageListener.start()
    assert held.wait(6)[5] == (1, "AFTER", 5)


def test_stop_in_a_handler_ends_the_listener(recorder):
    class Stopping(Handler):
        def handle(self, source, cmd, data):
            MessageListener.stop()

    MessageListener.register_handler("last", Stopping())
    MessageListener.start()
    threads = running()
    MessageListener.mq().put(Message("last", "STOP", None))
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


def test_run_handles_on_the_callers_thread(recorder):
    MessageListener.mq().put(Message(1, "HERE", None))
    MessageListener.stop()
    MessageListener.run()
    assert recorder.threads == {threading.current_thread()}


def test_stop_before_start_ends_the_next_start_after_what_was_put(recorder):
    MessageListener.mq().put(Message(1, "BEFORE", None))
    MessageListener.stop()
    MessageListener.start()
    for thread in running():
        thread.join(LIMIT)
    assert not running()
    assert recorder.data() == [None]


def test_each_stop_ends_one_of_two_starts(recorder):
    MessageListener.start()
    MessageListener.start()
    first, second = running()
    ended = queue.Queue()
    for thread in (first, second):
        threading.Thread(target=lambda thread=thread: ended.put(thread.join()), daemon=True).start()
    MessageListener.stop()
    ended.get(timeout=LIMIT)
    MessageListener.mq().put(Message(1, "STILL", None))
    recorder.wait(1)
    assert len(running()) == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_child_cannot_stop_the_listener_in_its_name(method, recorder, caplog):
    MessageListener.start()
    child(method, children.forge, 1, MessageListener._MessageListener__source)
    recorder.wait(1)
    assert running()
    assert caplog.text.count("claims to be the listener's own is dropped") == 2


def test_what_the_process_itself_puts_in_the_listeners_name_is_for_the_system_handler(recorder, monkeypatch, caplog):
    system = Recorder()
    monkeypatch.setattr(MessageListener, "_MessageListener__system_handler", system)
    own = MessageListener._MessageListener__source
    for cmd in ("STOP", "STATUS"):
        MessageListener.mq().put(Message(own, cmd, 1))
    MessageListener.start()
    assert system.wait(1) == [(own, "STATUS", 1)]
    assert running() and "is dropped: 'STOP'" in caplog.text


@pytest.mark.parametrize("method", METHODS)
def test_stop_in_a_child_stops_nothing_here(method, recorder):
    MessageListener.start()
    child(method, children.stop, 1)
    recorder.wait(1)
    MessageListener.mq().put(Message(1, "ON", None))
    recorder.wait(2)
    assert running()


@pytest.mark.parametrize("method", METHODS)
def test_a_child_may_have_a_listener_of_its_own(method, recorder):
    MessageListener.start()
    child(method, children.listen, 1)
    assert recorder.wait(1) == [(1, "HEARD", ([0, 1, 2], True))]
    assert running() and os.path.isdir(directory())


@pytest.mark.parametrize("place, name", [(muster.Listener, "start"), (fcntl, "flock"), (fcntl, "lockf")])
def test_a_listener_that_cannot_be_opened_leaves_no_descriptor_and_no_directory(place, name, monkeypatch, tmp_path):
    def fail(*_):
        raise muster.Resource("no more of them")

    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(fedflow, "_private_directory", lambda: str(private))
    monkeypatch.setattr(place, name, fail)
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(muster.Resource) as raised:
        fedflow._Hub()
    del raised
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    assert not private.exists()


def test_only_this_user_can_reach_the_socket():
    at = os.stat(directory())
    assert (stat.S_IMODE(at.st_mode), at.st_uid) == (0o700, os.getuid())
    assert stat.S_ISSOCK(os.stat(MessageListener.mq()._address[len("ipc://"):]).st_mode)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_user_is_refused_by_the_system():
    attempt = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    done = subprocess.run(
        ["/usr/bin/python3", "-c", attempt, MessageListener.mq()._address[len("ipc://"):]], user=65534, group=65534,
        extra_groups=[], cwd="/", timeout=LIMIT, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0 and "PermissionError" in done.stderr


def test_the_directory_goes_with_its_process_and_not_with_a_child():
    code, lines, errors = script("""
        mq = MessageListener.mq()
        path = os.path.dirname(mq._address[len("ipc://"):])
        print(path)
        for method in ("fork", "spawn"):
            process = multiprocessing.get_context(method).Process(target=children.put_range, args=(mq, 1, 1))
            process.start()
            process.join()
            print(os.path.isdir(path))
        if not os.fork():
            sys.exit(0)
        os.wait()
        print(os.path.isdir(path))
    """)
    assert (code, lines[1:]) == (0, ["True"] * 3), errors
    assert not os.path.exists(lines[0])


def test_a_process_hands_over_to_one_that_waits_for_it_at_its_exit():
    """The listening process ends its program with a child at work: no message is lost, no line is written about it."""
    code, lines, errors = script("""
        logging.basicConfig(level=logging.WARNING)
        def work(mq):
            sys.stdin.read()
            children.put_range(mq, 1, 1000)
            print("put", flush=True)
        multiprocessing.get_context("fork").Process(target=work, args=(MessageListener.mq(),)).start()
    """)
    assert (code, lines, errors) == (0, ["put"], "")


@pytest.mark.parametrize("place", [".", "a" * 100])
def test_the_address_is_absolute_and_short_enough_wherever_temporary_files_go(place, tmp_path):
    path = os.path.join(tmp_path, place)
    os.makedirs(path, exist_ok=True)
    code, lines, errors = script("""
        mq = MessageListener.mq()
        os.chdir("/")
        process = multiprocessing.get_context("fork").Process(target=children.put_range, args=(mq, 1, 1))
        process.start()
        process.join()
        MessageListener.stop()
        MessageListener.run()
        print(mq._address[:7])
    """, environment={"TMPDIR": place if place == "." else path}, cwd=tmp_path)
    assert (code, lines) == (0, ["1 NUMBER 0", "ipc:///"]), errors


@pytest.mark.parametrize("method", METHODS)
def test_sources_of_any_hashable_type_keep_it(method, recorder):
    child(method, children.put_sources)
    MessageListener.start()
    got = [message.source for message in recorder.wait(len(children.SOURCES))]
    assert got == children.SOURCES
    assert list(map(type, got)) == list(map(type, children.SOURCES))


@pytest.mark.parametrize("method", METHODS)
def test_each_source_has_its_handler(method):
    sources = [source for source in children.SOURCES if source is not True]
    recorders = [Recorder() for _ in sources]
    for source, recorder in zip(sources, recorders):
        MessageListener.register_handler(source, recorder)
    child(method, children.put_sources)
    MessageListener.start()
    stop()
    for source, recorder in zip(sources, recorders):
        assert children.SOURCES.index(source) in recorder.data()


@pytest.mark.parametrize("method", METHODS)
def test_data_of_any_picklable_kind_arrives_equal(method, recorder):
    child(method, children.put_data, 1)
    MessageListener.start()
    got = [message.data for message in recorder.wait(len(children.DATA))]
    assert got == children.DATA
    assert list(map(type, got)) == list(map(type, children.DATA))


@pytest.mark.parametrize("method", METHODS)
def test_arrays_keep_type_and_shape(method, recorder):
    child(method, children.put_arrays, 1)
    MessageListener.start()
    data = recorder.wait(1)[0].data
    assert data["f"].dtype == numpy.dtype("<f4") and data["t"].tolist() == ["a", "bc"]
    assert numpy.array_equal(data["f"], numpy.arange(12).reshape(3, 4))


def test_what_only_multiprocessing_can_pickle_is_passed_on_too():
    class Greeting(Recorder):
        def handle(self, source, cmd, data):
            if cmd == "PIPE":
                data.send("hello")
            super().handle(source, cmd, data if cmd == "HEARD" else None)

    recorder = Greeting()
    MessageListener.register_default_handler(recorder)
    MessageListener.start()
    child("fork", children.put_with_a_connection, 1)
    assert recorder.wait(2)[1].data == "hello"


def test_what_torch_would_share_with_its_sender_is_copied(recorder, monkeypatch):
    def share(value):
        raise AssertionError("shared")

    monkeypatch.setattr(share, "__module__", "torch.multiprocessing.reductions")
    monkeypatch.setitem(ForkingPickler._extra_reducers, children.Tensor, share)
    MessageListener.mq().put(Message(1, "TENSOR", children.Tensor([1, 2])))
    MessageListener.start()
    assert recorder.wait(1)[0].data.values == [1, 2]


@pytest.mark.parametrize("method", METHODS)
def test_an_array_of_100_megabytes_comes_between_small_messages(method, recorder):
    size = 100_000_000
    child(method, children.put_large, 1, size)
    MessageListener.start()
    before, large, after = recorder.wait(3)
    assert (before.cmd, large.cmd, after.cmd) == ("BEFORE", "LARGE", "AFTER")
    assert large.data.nbytes == size and numpy.array_equal(large.data, numpy.arange(size // 8))


@pytest.mark.parametrize("method", METHODS)
def test_what_a_child_put_may_change_afterwards(method, recorder):
    child(method, children.put_and_change, 1)
    MessageListener.start()
    assert [message.data["values"] for message in recorder.wait(2)] == [[1, 2], [1, 2, 3]]


def test_what_this_process_put_may_change_afterwards(recorder):
    data = [1]
    MessageListener.mq().put(Message(1, "LIST", data))
    data.append(2)
    MessageListener.start()
    got = recorder.wait(1)[0].data
    assert got == [1] and got is not data


@pytest.mark.parametrize("method", ["here"] + METHODS)
def test_what_cannot_be_handled_is_dropped_and_the_rest_goes_on(method, recorder, caplog):
    if method == "here":
        children.put_what_cannot_be(MessageListener.mq(), 1)
        assert "cannot be pickled" in caplog.text
    else:
        child(method, children.put_what_cannot_be, 1)
    MessageListener.start()
    assert [message.cmd for message in recorder.wait(2)] == ["BEFORE", "AFTER"]
    assert [record.getMessage() for record in caplog.records].count("a message was not handled") == 3


def test_an_exception_of_a_handler_is_logged_and_the_listener_goes_on(recorder, caplog):
    MessageListener.register_handler(1, Failing())
    MessageListener.start()
    MessageListener.mq().put(Message(1, "NO SUCH", None))
    MessageListener.mq().put(Message(2, "FINE", None))
    recorder.wait(1)
    assert "LookupError: NO SUCH" in caplog.text
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "fedflow.msglistener" and record.exc_info and record.stack_info


def test_a_source_with_a_handler_keeps_it_unless_told_to_overwrite(caplog):
    first, second = Recorder(), Recorder()
    assert MessageListener.register_handler(1, first) is None
    assert MessageListener.register_handler(1, second) is None
    assert "source 1 has a handler already" in caplog.text
    MessageListener.mq().put(Message(1, "FIRST", None))
    MessageListener.start()
    first.wait(1)
    MessageListener.register_handler(1, second, overwrite=True)
    MessageListener.mq().put(Message(1, "SECOND", None))
    second.wait(1)
    assert len(first.data()) == 1


def test_the_listeners_own_source_gets_no_handler(caplog):
    own = MessageListener._MessageListener__source
    assert MessageListener.register_handler(own, Recorder(), overwrite=True) is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert own not in MessageListener._MessageListener__handlers


def test_none_is_no_default_handler(recorder, caplog):
    assert MessageListener.register_default_handler(None) is None
    assert caplog.records[-1].levelno == logging.WARNING
    MessageListener.mq().put(Message(1, "STILL", None))
    MessageListener.start()
    recorder.wait(1)


def test_a_handler_may_register_another(recorder):
    class First(Handler):
        def handle(self, source, cmd, data):
            MessageListener.register_handler(2, recorder)

    MessageListener.register_default_handler(First())
    MessageListener.mq().put(Message(1, "FIRST", None))
    MessageListener.mq().put(Message(2, "SECOND", None))
    MessageListener.start()
    assert recorder.wait(1) == [(2, "SECOND", None)]


def test_a_message_that_nobody_handles_is_logged(caplog):
    MessageListener.mq().put(Message(1, "LOST", None))
    MessageListener.start()
    stop()
    assert [record.getMessage()[:19] for record in caplog.records if record.levelno == logging.WARNING] == [
        "No default handler."]


def test_the_queue_pickles_to_its_address_anywhere(recorder):
    packed = pickle.dumps(MessageListener.mq())
    pickle.loads(packed).put(Message(1, "COPY", None))
    assert MessageListener.mq()._address.encode() in packed
    MessageListener.start()
    recorder.wait(1)


def test_a_message_may_hold_the_queue(recorder):
    MessageListener.mq().put(Message(1, "QUEUE", MessageListener.mq()))
    MessageListener.start()
    recorder.wait(1)[0].data.put(Message(1, "BACK", None))
    assert recorder.wait(2)[1].cmd == "BACK"


def test_the_queue_is_one():
    assert MessageListener.mq() is MessageListener.mq()


def test_put_takes_what_a_multiprocessing_queue_takes(recorder):
    mq = MessageListener.mq()
    mq.put(Message(1, "A", None), False)
    mq.put(Message(1, "B", None), True, 0.5)
    mq.put(obj=Message(1, "C", None), block=True, timeout=None)
    mq.put_nowait(Message(1, "D", None))
    assert (mq.qsize(), mq.empty(), mq.full()) == (4, False, False)
    MessageListener.start()
    assert [message.cmd for message in recorder.wait(4)] == ["A", "B", "C", "D"]


def test_the_process_that_listens_may_take_messages_itself():
    mq = MessageListener.mq()
    child("fork", children.put_range, 1, 2)
    MessageListener.stop()
    assert mq.get(timeout=LIMIT) == (1, "NUMBER", 0)
    assert mq.get_nowait() == (1, "NUMBER", 1)
    assert mq.get(False).cmd == "STOP"
    with pytest.raises(queue.Empty):
        mq.get_nowait()
    with pytest.raises(queue.Empty):
        mq.get(timeout=0)


@pytest.mark.parametrize("method", METHODS)
def test_a_child_cannot_take_messages(method, recorder):
    MessageListener.start()
    child(method, children.take, 1)
    assert recorder.wait(1) == [(1, "REFUSED", muster.Forked.__name__)]


@pytest.mark.parametrize("method", METHODS)
def test_a_child_may_close_the_queue_and_join_its_thread(method, recorder):
    child(method, children.close_queue, 1, code=7)
    MessageListener.start()
    stop()
    assert recorder.data() == list(range(100))


def test_names_and_signatures_are_those_of_fedflow():
    assert fedflow.__all__ == ["Handler", "Message", "MessageListener"]
    assert Message._fields == ("source", "cmd", "data")
    signatures = {
        "start": [], "run": [], "stop": [], "mq": [], "register_handler": ["source", "handler", "overwrite"],
        "register_default_handler": ["default_handler"]}
    for name, parameters in signatures.items():
        assert list(inspect.signature(getattr(MessageListener, name)).parameters) == parameters
    assert list(inspect.signature(Handler.handle).parameters) == ["self", "source", "cmd", "data"]
    assert MessageListener.logger is logging.getLogger("fedflow.msglistener")
    assert Handler().handle(1, "ANY", {}) is None
