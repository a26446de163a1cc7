"""What is made and ended again leaves nothing behind: no thread, no descriptor, no memory, no object.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Each test is a script, so that no other test's objects are counted. `same (warm, often, function)` in it calls function
warm times and then often times, and says what there is more of after that.
"""
import children
import pytest

MEGABYTES = {"resident": 3.0, "heap": 0.25}
"""There may be so much more: resident memory has arenas of malloc and of Python that are not full, and what malloc gave
out and did not get back is exact but for what threads keep to use again, a tenth of a megabyte. What leaks here would be
more: each function is called so often that a few KB each time show."""

HEAD = f"""
import ctypes, gc, os, sys, threading, weakref
import muster
from muster import _core
from children import *


def counts():
    gc.collect()
    return {{
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "muster's objects": sum(1 for each in gc.get_objects() if type(each).__module__.startswith("muster")),
    }}


class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks",
                                                     "uordblks", "fordblks", "keepcost")]


mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2


def taken():
    #   Memory in MB, and the numbers of Python's objects and blocks.
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    heap = mallinfo2()
    return {{
        "resident": resident / 1e6,
        "heap": (heap.uordblks + heap.hblkhd) / 1e6,
        "objects": len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
    }}


def grown(often, function, most):
    #   How much more there is. What leaks, leaks each time: the least of three counts.
    least = dict.fromkeys(most, float("inf"))
    for _ in range(3):
        before = taken()
        for number in range(often):
            function(number)
        gc.collect()
        after = taken()
        least = {{name: min(least[name], after[name] - before[name]) for name in most}}
        if all(least[name] < most[name] for name in most):
            break
    return least


def same(warm, often, function):
    for number in range(warm):
        function(number)
    before = counts()
    most = {{**{MEGABYTES}, "objects": often / 4, "blocks": often / 2}}
    more = grown(often, function, most)
    try:
        eventually(lambda: all(now <= before[name] for name, now in counts().items()), 10)
    except AssertionError:
        raise AssertionError(f"{{before}} became {{counts()}}") from None
    assert all(more[name] < most[name] for name in most), f"{{more}}: more than {{most}}"
"""


def leaves_nothing(text: str, timeout: float = 100) -> None:
    head = "import numpy\n" if "numpy" in text else ""     # which takes longer than many of these tests
    assert children.check(head + HEAD + children.textwrap.dedent(text), timeout=timeout) == []


def test_thousands_of_listeners_that_are_never_started() -> None:
    leaves_nothing("""
        def function(number):
            muster.Listener("inproc://listener", drain=1, advertise="name" * 10)
        same(500, 2000, function)
        """)


def test_thousands_of_listeners_that_are_started_and_stopped() -> None:
    leaves_nothing("""
        def function(number):
            listener = muster.Listener(f"inproc://{number}")
            listener.register_default_handler(print)
            listener.start()
            listener.stop()
        same(500, 2000, function)
        """)


def test_one_listener_that_is_started_and_stopped_again_and_again() -> None:
    leaves_nothing("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(print)
        def function(number):
            with listener:
                listener.stats, listener.workers, listener.endpoint, listener.source
        same(60, 150, function)
        """)


def test_listeners_that_are_deleted_while_they_are_stopped_or_restarted() -> None:
    leaves_nothing("""
        def function(number):
            listener = muster.Listener("tcp://127.0.0.1:*")
            listener.start()
            listener.stop()
            listener.start()
            listener.stop()
        same(60, 200, function)
        """)


@pytest.mark.parametrize("transport", ["tcp://127.0.0.1:*", "ipc:///tmp/muster-test-leaks-{pid}", "inproc://name"])
def test_listeners_with_a_worker_and_messages_both_ways(transport: str) -> None:
    leaves_nothing(f"""
        def function(number):
            got = []
            listener = muster.Listener("{transport}".replace("{{pid}}", str(os.getpid())))
            listener.register_handler("worker-1", got.append)
            with listener, muster.Worker(listener.endpoint, "worker-1") as worker:
                worker.send("X", {{"number": number, "array": numpy.zeros(100)}})
                worker.flush(LIMIT)
                got[0].reply("REPLY")
                asked = listener.ask("ASK", timeout=LIMIT)
                assert worker.recv(LIMIT).cmd == "REPLY"
                worker.recv(LIMIT).reply("DONE", got[0].data)
                assert [len(reply.data["array"]) for reply in asked] == [100]
        same(40, 150, function)
        """)


def test_listeners_in_a_cycle_with_their_handlers() -> None:
    leaves_nothing("""
        def function(number):
            listener = muster.Listener(f"inproc://{number}")
            got = []
            listener.on("worker-1")(lambda message: (listener.stats, got.append(message)))
            listener.on()(lambda message: listener)
            listener.register_system_handler(lambda message: (listener, got.append(message)))
            listener.start()
            if number % 10 == 0:
                with muster.Worker(listener.endpoint, "worker-1") as worker:
                    worker.send("X")
            listener.stop()
        same(100, 250, function)
        """)


def test_a_cycle_of_a_stopped_listener_its_handler_and_its_messages_is_collected() -> None:
    leaves_nothing("""
        class Owner:
            def __init__(self):
                self.kept = []
                self.listener = muster.Listener("tcp://127.0.0.1:*")
                self.listener.register_default_handler(self.handle)
                self.listener.register_system_handler(self.handle)
                self.listener.start()
                with muster.Worker(self.listener.endpoint) as worker:
                    worker.send("X", {"bytes": bytes(2_000_000)})
                self.listener.stop()
            def handle(self, message):
                message.data["owner"] = self
                self.kept.append(message)
        owner = Owner()
        weak, listener = weakref.ref(owner), weakref.ref(owner.listener)
        del owner
        gc.collect()
        assert weak() is None and listener() is None
        """)


def test_a_listener_that_runs_is_kept_by_nobody_but_itself_until_stop() -> None:
    leaves_nothing("""
        seen = threading.Event()
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(lambda message: seen.set())
        listener.start()
        weak, endpoint = weakref.ref(listener), listener.endpoint
        del listener
        gc.collect()
        with muster.Worker(endpoint) as worker:
            worker.send("X")
        assert seen.wait(LIMIT)
        weak().stop()
        gc.collect()
        assert weak() is None
        """)


def test_handlers_that_are_replaced_and_removed_are_let_go() -> None:
    leaves_nothing("""
        class Handler:
            def __call__(self, message):
                pass
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        weak = weakref.WeakSet()
        def handler():
            made = Handler()
            weak.add(made)
            return made
        def function(number):
            listener.register_handler("worker-1", handler(), overwrite=True)
            listener.register_default_handler(handler())
            listener.register_system_handler(handler())
            worker.send("X")
            outcome(lambda: listener.register_handler("worker-1", handler()))
            outcome(lambda: listener.register_handler(listener.source, handler()))
            if number % 2:
                listener.unregister_handler("worker-1")
        listener.register_default_handler(handler())
        worker.send("X")
        worker.flush()              # all descriptors are there
        same(200, 600, function)
        worker.close()
        gc.collect()
        assert len(weak) <= 3, len(weak)
        listener.stop()
        """)


def test_a_handler_that_replaces_itself_is_let_go_when_the_listener_stops() -> None:
    leaves_nothing("""
        class Handler:
            def __call__(self, message):
                listener.register_handler("worker-1", make(), overwrite=True)
        weak = weakref.WeakSet()
        def make():
            made = Handler()
            weak.add(made)
            return made
        with muster.Listener("tcp://127.0.0.1:*") as listener:
            listener.register_handler("worker-1", make())
            with muster.Worker(listener.endpoint, "worker-1") as worker:
                for _ in range(100):
                    worker.send("X")
        gc.collect()
        assert len(weak) == 1, len(weak)
        """)


def test_workers_that_come_and_go() -> None:
    leaves_nothing("""
        listener = muster.Listener("tcp://127.0.0.1:*", retention=0)
        listener.register_default_handler(lambda message: None)
        listener.start()
        def function(number):
            with muster.Worker(listener.endpoint) as worker:
                worker.send("X")
        same(100, 200, function)
        listener.stop()
        """)


def test_workers_without_a_listener() -> None:
    leaves_nothing("""
        def function(number):
            worker = muster.Worker("tcp://127.0.0.1:9", drain=0)
            worker.send("X", {"bytes": bytes(100_000)})
            outcome(worker.close)
            outcome(lambda: worker.send("X"))
        import logging
        logging.getLogger("muster").setLevel(logging.CRITICAL)
        same(60, 150, function)
        """)


def test_workers_that_are_not_closed() -> None:
    leaves_nothing("""
        import warnings
        warnings.simplefilter("ignore")
        def function(number):
            muster.Worker("tcp://127.0.0.1:9").send("X")
        same(60, 150, function)
        """)


def test_objects_that_cannot_be_made() -> None:
    leaves_nothing("""
        wrong = [
            lambda: muster.Listener("tcp://127.0.0.1:*", drain="x"),
            lambda: muster.Listener("tcp://127.0.0.1:*", receive_budget=-1),
            lambda: muster.Listener("tcp://127.0.0.1:*", nothing=1),
            lambda: muster.Listener("nothing://x").start(),
            lambda: muster.Listener("tcp://0.0.0.0:*").start(),
            lambda: muster.Listener("tcp://127.0.0.1:*", message_limit=2 ** 40, receive_budget=1000).start(),
            lambda: muster.Listener("ipc:///nowhere/at/all").start(),
            lambda: muster.Worker("nothing://x"),
            lambda: muster.Worker("inproc://x", source=""),
            lambda: muster.Worker("inproc://x", source="a\\0b"),
            lambda: muster.Worker("inproc://x", drain=float("nan")),
            lambda: muster.Worker("inproc://x", drain=[]),
            lambda: _core.Ask(muster.Listener("inproc://x"), "X", None, None, None, 0, 60),
        ]
        def function(number):
            for make in wrong:
                assert outcome(make)
        same(60, 150, function)
        """)


def test_rounds_that_are_finished_unfinished_and_wrong() -> None:
    leaves_nothing("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(lambda message: None)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        listener.wait_for_workers(1, timeout=LIMIT)
        def function(number):
            asked = listener.ask("X", {"array": numpy.zeros(100)}, workers=["worker-1", "nobody"], timeout=LIMIT)
            command = worker.recv(LIMIT)
            if number % 3 == 0:
                command.reply("DONE", {"array": numpy.zeros(100)})
                assert len(list(asked)) == 1 and asked.missing == {"nobody": "NOTFOUND"}
            elif number % 3 == 1:
                command.reply("LATE")
            for wrong in ({"workers": "one"}, {"workers": [1]}, {"at_least": 0}, {"grace": -1}, {"timeout": "x"},
                          {"data": {"x": object()}}, {"workers": ["\\ud800"]}):
                assert outcome(lambda: listener.ask("X", **wrong)), wrong
        same(200, 600, function)
        worker.close()
        listener.stop()
        """)


def test_messages_kept_read_and_replied_to() -> None:
    leaves_nothing("""
        kept = []
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(kept.append)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        listener.wait_for_workers(1, timeout=LIMIT)
        def function(number):
            worker.send("X", {"number": number, "list": [1, "two", {"three": 3.0}], "array": numpy.arange(1000)})
            worker.send("LARGE", {"array": numpy.arange(140_000)})
            worker.flush(LIMIT)
            for message in kept:
                assert message.data is message.data
                message.reply("REPLY", message.data)
                repr(message), message.session, message.position, message.answers, message.late
            arrays = [message.data["array"] for message in kept]
            kept.clear()
            assert worker.recv(LIMIT).data["array"][-1] == 999
            assert worker.recv(LIMIT).data["array"][-1] == 139_999
            assert arrays[1][-1] == 139_999
        same(30, 120, function)
        worker.close()
        listener.stop()
        """)


def test_loops_over_messages_left_in_the_middle() -> None:
    leaves_nothing("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        def function(number):
            for _ in range(3):
                worker.send("X", {"array": numpy.zeros(1000)})
            for message in listener.messages(LIMIT):
                break
            message.data
            for message in listener.messages(LIMIT):
                break
            assert next(listener.messages(LIMIT)).data["array"].size == 1000
            del message
            worker.flush(LIMIT)
        same(100, 250, function)
        worker.close()
        listener.stop()
        """)


def test_handlers_that_raise() -> None:
    leaves_nothing("""
        import logging
        logging.getLogger("muster").setLevel(logging.CRITICAL)
        class Mine(Exception):
            pass
        def handler(message):
            local = message.data
            raise Mine(message)
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(handler)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        def function(number):
            for _ in range(10):
                worker.send("X", {"array": numpy.zeros(100)})
            worker.flush(LIMIT)
        same(100, 300, function)
        assert listener.stats["failed"] == listener.stats["handled"] > 0
        worker.close()
        listener.stop()
        """)


def test_data_that_cannot_be_packed() -> None:
    leaves_nothing("""
        deep = {}
        for _ in range(100):
            deep = {"deep": deep}
        loop = {}
        loop["loop"] = [loop]
        wrong = [
            {"x": object()}, {1: 2}, {"x": 2 ** 64}, {"x": -(2 ** 63) - 1}, {"x": "\\ud800"}, {"\\ud800": 1}, deep, loop,
            {"x": [1, 2, {"y": [object()]}]}, {"x": numpy.array([object()])}, {"x": muster.Ext(200, b"")},
            {"a": numpy.zeros(1000), "x": object()}, [1], 1, "x", {"x": {1, 2}}, {"x": muster.Ext(1, "no bytes")},
        ]
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(lambda message: None)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        listener.wait_for_workers(1, timeout=LIMIT)
        def function(number):
            for data in wrong:
                for call in (lambda: worker.send("X", data), lambda: listener.send("worker-1", "X", data),
                             lambda: listener.broadcast("X", data), lambda: listener.ask("X", data), lambda: _core.pack(data),
                             lambda: worker._try_send("X", data)):
                    assert outcome(call), data
        same(50, 200, function)
        worker.close()
        listener.stop()
        """)


def test_bytes_that_cannot_be_unpacked() -> None:
    leaves_nothing("""
        good = _core.pack({"a": [1, "two", 3.0, b"four", None, True, {"five": numpy.zeros(3)}], "b": muster.Ext(5, b"x")})
        def function(number):
            for size in range(len(good)):
                assert outcome(lambda: _core.unpack(good[:size])) == "Format", size
            for wrong in (b"", b"\\xc1", b"\\xdd\\x0f\\xff\\xff\\xff", b"\\xa1\\xff", b"\\xc0\\xc0", b"\\x91" * 1000):
                outcome(lambda: _core.unpack(wrong))
            outcome(lambda: _core.unpack("x"))
            _core.unpack(good)
        same(100, 600, function)
        """)


def test_what_is_sent_and_received_is_referred_to_by_nobody_afterwards() -> None:
    leaves_nothing("""
        class Text(str):
            pass
        kept = []
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(lambda message: kept.append(message.data))
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        listener.wait_for_workers(1, timeout=LIMIT)
        things = {
            "text": "text that is not interned " * 3, "bytes": b"bytes of its own" * 3, "int": 2 ** 60 + 1, "float": 1.25e100,
            "list": [1, 2], "tuple": (1, 2), "dict": {"a": 1}, "array": numpy.arange(10.0), "scalar": numpy.float32(1.5),
            "ext": muster.Ext(5, b"payload"), "memory": memoryview(b"memory"), "bytearray": bytearray(b"x"),
            "none": None, "true": True, "false": False, "zero": 0, "subclass": Text("x"), "wide": "\\u20ac" * 10,
        }
        data, cmd = {f"{name} key": thing for name, thing in things.items()}, "COMMAND" * 3
        #   None and its like are referred to by everything: what a thousand sends do would show, the rest is noise.
        objects = [data, cmd, *data.keys(), *things.values(), *({"a": 1}, numpy.float64, numpy.dtype("f8"))]
        def references():
            gc.collect()
            return [sys.getrefcount(each) for each in objects]
        def work(often):
            for _ in range(often):
                worker.send(cmd, data)
                listener.send("worker-1", cmd, data)
                listener.broadcast(cmd, data)
                asked = listener.ask(cmd, data)
                worker._try_send(cmd, data)
                for _ in range(3):
                    worker.recv(LIMIT).reply(cmd, data)
                assert len(list(asked)) == 1
                del asked
                worker.flush(LIMIT)
                kept.clear()
                _core.unpack(_core.pack(data))
        work(50)
        before = references()
        work(1000)
        differences = [(each, more - less) for each, more, less in zip(objects, references(), before) if abs(more - less) > 400]
        assert not differences, differences
        worker.close()
        listener.stop()
        """)


def test_unpacked_dicts_go_when_nobody_refers_to_them() -> None:
    leaves_nothing("""
        bytes = _core.pack({"list": [{"deep": [1, 2]}], "array": numpy.zeros(200_000), "text": "x" * 100_000})
        def function(number):
            data = _core.unpack(bytes)
            view = data["array"][5:]
            del data
            assert view[0] == 0
        same(50, 500, function)
        weak = weakref.ref(_core.unpack(bytes)["array"])
        assert weak() is None
        """)


def test_a_view_of_a_large_message_keeps_its_memory_and_then_lets_it_go() -> None:
    leaves_nothing("""
        listener = muster.Listener("tcp://127.0.0.1:*", receive_budget=12_000_000)
        kept = []
        listener.register_default_handler(kept.append)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        def function(number):
            worker.send("LARGE", {"array": numpy.full(140_000, number)})
            worker.flush(LIMIT)
            view = kept.pop().data["array"][10:20]
            gc.collect()
            assert (view == number).all()
        same(30, 100, function)
        worker.close()
        listener.stop()
        """)


def test_calls_that_fail() -> None:
    leaves_nothing("""
        import logging
        logging.getLogger("muster").setLevel(logging.CRITICAL)
        listener = muster.Listener("tcp://127.0.0.1:*", message_limit=100_000)
        listener.register_default_handler(lambda message: None)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        listener.wait_for_workers(1, timeout=LIMIT)
        worker.send("X")
        worker.flush(LIMIT)
        calls = [
            (lambda: listener.send("nobody", "X"), "NotFound"), (lambda: listener.send("worker-1", ""), "Invalid"),
            (lambda: listener.send("worker-1", "X", {"b": bytes(200_000)}), ""), (lambda: worker.recv(-1), "ValueError"),
            (lambda: worker.send("X", {"b": bytes(200_000)}), "TooBig"), (lambda: worker.send("\\ud800"), "ValueError"),
            (lambda: worker.send(1), "TypeError"), (lambda: worker.send("X", {}, 1), "TypeError"),
            (lambda: worker.send("X", cmd=1), "TypeError"), (lambda: worker.send("X", nothing=1), "TypeError"),
            (lambda: worker.send(), "TypeError"), (lambda: listener.unregister_handler("nobody"), "NotFound"),
            (lambda: listener.register_handler("x", None), "Invalid"), (lambda: listener.register_handler("x", 1), "TypeError"),
            (lambda: listener.wait_for_workers(2, timeout=0), "Timeout"), (lambda: listener.wait_for_workers("x"), "TypeError"),
            (lambda: listener.wait_for_workers([1]), "TypeError"), (lambda: listener.wait_for_workers(-1), "ValueError"),
            (lambda: listener.wait_for_workers(["no"], timeout=0), "Timeout"), (lambda: next(listener.messages()), "Busy"),
            (lambda: listener.start(), "Busy"), (lambda: listener.__init__("inproc://x"), "Busy"),
            (lambda: worker.__init__("inproc://x"), "Busy"), (lambda: listener._descriptor(), "Busy"),
        ]
        def function(number):
            for index, (call, expected) in enumerate(calls):
                got = outcome(call)
                assert got == expected or index == 2, (index, got)
                if index == 2 and not got:
                    worker.recv(LIMIT)
        same(50, 500, function)
        worker.close()
        listener.stop()
        """)


def test_log_lines_and_forks() -> None:
    leaves_nothing("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        def function(number):
            assert forked(lambda: outcome(listener.stop)) == "Forked"
        same(30, 100, function)
        worker.close()
        listener.stop()
        """)


def test_an_asyncio_listener_and_its_worker() -> None:
    leaves_nothing("""
        import asyncio
        from muster import aio
        async def once(number):
            patient()
            got = asyncio.Event()
            listener = aio.Listener("tcp://127.0.0.1:*")
            async def handler(message):
                await message.reply("REPLY", message.data)
                got.set()
            listener.on()(handler)
            async with listener, aio.Worker(listener.endpoint) as worker:
                await worker.send("X", {"number": number})
                await asyncio.wait_for(got.wait(), LIMIT)
                assert (await worker.recv(LIMIT)).data == {"number": number}
        same(50, 150, lambda number: asyncio.run(once(number)))
        """)
