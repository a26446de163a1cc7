"""Signals: calls that wait end with Ctrl-C, and leave what they waited for usable.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Each script says "blocked" when it waits, gets the signal, and has to say "interrupted" at once.
"""
import signal
import time

import children
import pytest
from children import LIMIT

AT_ONCE = 20
"""Seconds. The library asks for signals every 50 ms; what is waited for here would take longer than this."""

HEAD = """
import os, signal, sys, threading, time
import muster
from children import *
"""


def interrupt(text: str, times: int = 1) -> None:
    """Run a script that waits so many times, end each wait by SIGINT, and let it come to its good end."""
    with children.Script(HEAD + children.textwrap.dedent(text) + "\nsay('good')\n") as script:
        script.close_stdin()
        for _ in range(times):
            script.expect("blocked")
            script.signal(signal.SIGINT)
            script.expect("interrupted", AT_ONCE)
        script.expect("good")
        assert script.wait(LIMIT) == 0
        assert script.errors == ""


def test_ctrl_c_ends_stop_which_waits_for_a_handler_and_stop_works_again() -> None:
    interrupt("""
        listener, worker, blocker = blocked_pair()
        with interrupted():
            listener.stop()
        with interrupted():
            listener.stop()
        blocker.released.set()
        assert listener.stop() == 0
        listener.start()
        worker.send("AGAIN")
        worker.flush(LIMIT)
        assert blocker.cmds == ["FIRST", "AGAIN"]
        assert worker.close() == 0
        assert listener.stop() == 0
        """, 2)


def test_ctrl_c_ends_the_end_of_a_with_block_of_a_listener() -> None:
    interrupt("""
        listener, worker, blocker = blocked_pair()
        with interrupted():
            listener.__exit__(None, None, None)
        blocker.released.set()
        assert listener.stop() == 0
        worker.close()
        """)


@pytest.mark.parametrize("whom", ["1", "['worker-1']"])
def test_ctrl_c_ends_wait_for_workers_and_it_works_again(whom: str) -> None:
    interrupt(f"""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        with interrupted():
            listener.wait_for_workers({whom})
        with interrupted():
            listener.wait_for_workers({whom}, timeout=LIMIT)
        with muster.Worker(listener.endpoint, "worker-1"):
            listener.wait_for_workers({whom}, timeout=LIMIT)
        listener.stop()
        """, 2)


def test_ctrl_c_ends_a_loop_over_messages_and_another_loop_goes_on() -> None:
    interrupt("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint)
        worker.send("ONE")
        cmds = []
        with interrupted():
            for message in listener.messages():
                cmds.append(message.cmd)
        worker.send("TWO")
        for message in listener.messages(LIMIT):
            cmds.append(message.cmd)
            if message.cmd == "THREE":
                break
            worker.send("THREE")
        del message
        assert cmds == ["ONE", "TWO", "THREE"], cmds
        assert worker.close() == 0
        assert listener.stop() == 0
        """)


def test_ctrl_c_ends_the_wait_for_a_reply_and_the_round_goes_on() -> None:
    interrupt("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint)
        listener.wait_for_workers(1, timeout=LIMIT)
        asked = listener.ask("TRAIN", timeout=LIMIT)
        with interrupted():
            next(asked)
        with interrupted():
            asked.next(timeout=LIMIT)
        worker.recv(LIMIT).reply("DONE", {"loss": 1})
        assert [reply.data for reply in asked] == [{"loss": 1}]
        assert worker.close() == 0
        del asked
        assert listener.stop() == 0
        """, 2)


def test_ctrl_c_ends_send_of_a_command_that_finds_the_buffer_full() -> None:
    interrupt("""
        listener = muster.Listener("tcp://127.0.0.1:*", command_buffer=100_000)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1", command_buffer=100_000)
        listener.wait_for_workers(1, timeout=LIMIT)
        sent = []
        with interrupted(lambda: len(sent)):
            while True:
                listener.send("worker-1", "NUMBER", {"number": len(sent), "bytes": bytes(50_000)})
                sent.append(len(sent))
        got = [worker.recv(LIMIT).data["number"] for _ in sent]
        assert got == sent, (got, sent)
        listener.send("worker-1", "AFTER")
        assert worker.recv(LIMIT).cmd == "AFTER"
        worker.close()
        listener.stop()
        """)


def test_ctrl_c_ends_reply_of_a_worker_whose_send_buffer_is_full() -> None:
    interrupt("""
        listener, worker, blocker = blocked_pair(send_buffer=10_000)
        listener.send("worker-1", "TRAIN")
        command = worker.recv(LIMIT)
        sent = []
        with interrupted(lambda: len(sent)):
            while True:
                command.reply("NUMBER", {"number": len(sent), "bytes": bytes(5_000)})
                sent.append(len(sent))
        blocker.released.set()
        command.reply("AFTER", {"number": len(sent)})
        del command
        assert worker.close() == 0
        assert [data["number"] for data in blocker.data[1:]] == [*sent, len(sent)]
        assert listener.stop() == 0
        """)


@pytest.mark.parametrize("size", [1_000, 500_000])
def test_ctrl_c_ends_send_of_a_worker_whose_buffer_is_full_and_what_was_accepted_arrives_once(size: int) -> None:
    interrupt(f"""
        listener, worker, blocker = blocked_pair(send_buffer=10_000)
        sent = []
        for _ in range(2):
            with interrupted(lambda: len(sent)):
                while True:
                    worker.send("NUMBER", {{"number": len(sent), "bytes": bytes({size})}})
                    sent.append(len(sent))
        blocker.released.set()
        worker.send("AFTER", {{"number": len(sent)}})
        assert worker.close() == 0
        assert [data["number"] for data in blocker.data[1:]] == [*sent, len(sent)], blocker.data
        assert listener.stop() == 0
        """, 2)


def test_ctrl_c_ends_send_of_a_worker_that_has_no_listener() -> None:
    interrupt("""
        with muster.Listener("tcp://127.0.0.1:*") as listener:
            pass
        worker = muster.Worker(listener.endpoint, send_buffer=10_000)
        sent = []
        with interrupted(lambda: len(sent)):
            while True:
                worker.send("NUMBER", {"number": len(sent), "bytes": bytes(1000)})
                sent.append(len(sent))
        got = []
        listener.register_default_handler(lambda message: got.append(message.data["number"]))
        with listener:
            assert worker.close() == 0
        assert got == sent
        """)


def test_ctrl_c_ends_flush_and_it_works_again() -> None:
    interrupt("""
        listener, worker, blocker = blocked_pair()
        with interrupted():
            worker.flush()
        with interrupted():
            worker.flush(timeout=LIMIT)
        blocker.released.set()
        worker.flush(LIMIT)
        assert worker.close() == 0
        assert listener.stop() == 0
        """, 2)


def test_ctrl_c_ends_recv_and_a_loop_over_commands_and_both_work_again() -> None:
    interrupt("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        listener.wait_for_workers(1, timeout=LIMIT)
        with interrupted():
            worker.recv()
        with interrupted():
            worker.recv(timeout=LIMIT)
        with interrupted():
            for command in worker:
                raise AssertionError
        listener.send("worker-1", "ONE")
        listener.send("worker-1", "TWO")
        assert worker.recv(LIMIT).cmd == "ONE"
        assert next(worker).cmd == "TWO"
        assert worker.close() == 0
        assert listener.stop() == 0
        """, 3)


def test_ctrl_c_ends_close_which_waits_for_a_handler_and_close_works_again() -> None:
    interrupt("""
        listener, worker, blocker = blocked_pair()
        with interrupted():
            worker.close()
        worker.send("STILL")
        with interrupted():
            worker.close()
        blocker.released.set()
        assert worker.close() == 0
        assert blocker.cmds == ["FIRST", "STILL"]
        assert listener.stop() == 0
        """, 2)


def test_ctrl_c_ends_the_end_of_a_with_block_of_a_worker() -> None:
    interrupt("""
        listener, worker, blocker = blocked_pair()
        with interrupted():
            with worker:
                worker.send("MORE")
        blocker.released.set()
        assert worker.close() == 0
        assert blocker.cmds == ["FIRST", "MORE"]
        assert listener.stop() == 0
        """)


CHANGES = {
    "overwrite": "listener.register_handler('worker-1', new, overwrite=True)",
    "default": "listener.register_default_handler(new)",
    "system": "listener.register_system_handler(new)",
}


@pytest.mark.parametrize("change", CHANGES)
def test_ctrl_c_ends_a_change_that_waits_for_the_old_handler(change: str) -> None:
    first = {"overwrite": "register_handler('worker-1', blocker)", "default": "register_default_handler(blocker)",
             "system": "register_system_handler(blocker)"}[change]
    interrupt(f"""
        blocker, got = Blocker(), []
        new = lambda message: got.append(message.cmd)
        listener = muster.Listener("tcp://127.0.0.1:*")
        if {change == "system"}:
            listener.register_default_handler(new)
        listener.{first}
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        worker.send("FIRST")
        blocker.wait()
        with interrupted():
            {CHANGES[change]}
        blocker.released.set()
        {CHANGES[change]}
        worker.send("SECOND")
        assert worker.close() == 0
        assert listener.stop() == 0
        assert "SECOND" in got, got
        assert len(blocker.cmds) == 1, blocker.cmds
        assert listener.stats["failed"] == 0
        """)


def test_ctrl_c_ends_unregister_which_waits_for_the_handler_and_that_is_gone() -> None:
    interrupt("""
        listener, worker, blocker = blocked_pair()
        got = []
        with interrupted():
            listener.unregister_handler("worker-1")
        listener.register_default_handler(lambda message: got.append(message.cmd))
        blocker.released.set()
        worker.send("SECOND")
        assert worker.close() == 0
        assert got == ["SECOND"]
        assert blocker.cmds == ["FIRST"]
        assert outcome(lambda: listener.unregister_handler("worker-1")) == "NotFound"
        assert listener.stop() == 0
        """)


#   ---------------------------------------------------------------------------
#   What a process does that is not prepared


def test_ctrl_c_ends_a_program_as_it_ends_any_other() -> None:
    with children.Script(HEAD + """
with muster.Listener("tcp://127.0.0.1:*") as listener:
    with blocks():
        listener.wait_for_workers(1)
""") as script:
        script.expect("blocked")
        script.signal(signal.SIGINT)
        assert script.wait(AT_ONCE) == -signal.SIGINT
        assert script.errors.rstrip().endswith("KeyboardInterrupt")
        assert "Fatal" not in script.errors


@pytest.mark.parametrize("call", ["listener.stop()", "worker.close()", "worker.recv()", "threading.Event().wait()"])
def test_sigterm_ends_a_process_at_once(call: str) -> None:
    with children.Script(HEAD + f"""
listener, worker, blocker = blocked_pair()
with blocks():
    {call}
""") as script:
        script.expect("blocked")
        script.signal(signal.SIGTERM)
        assert script.wait(AT_ONCE) == -signal.SIGTERM
        assert script.errors == ""


def test_signal_handlers_and_masks_are_left_alone() -> None:
    children.check(HEAD + """
def state():
    with open("/proc/self/status") as file:
        lines = [line.split() for line in file if line.startswith(("SigIgn", "SigCgt", "SigBlk"))]
    glibc = 3 << 31     # 32 and 33: its own, from the first thread on
    lines = [(name, int(mask, 16) & ~glibc) for name, mask in lines]
    return lines, {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)}
before = state()
listener, worker, blocker = blocked_pair()
assert state() == before, (state(), before)
blocker.released.set()
assert worker.close() == 0
listener.stop()
assert state() == before
def both():
    listener, worker, blocker = blocked_pair()
    blocker.released.set()
    worker.close()
    listener.stop()
    return state()
assert forked(both) == before
""")


#   ---------------------------------------------------------------------------
#   Signal handlers that use what is waited for


def with_handler(text: str, *lines: str) -> None:
    """Run a script that waits, send it SIGUSR1, and expect these lines."""
    with children.Script(HEAD + children.textwrap.dedent(text) + "\nsay('good')\n") as script:
        script.expect("blocked")
        script.signal(signal.SIGUSR1)
        for line in (*lines, "good"):
            script.expect(line, AT_ONCE)
        assert script.wait(LIMIT) == 0
        assert script.errors == ""


def test_a_signal_handler_may_use_a_listener_whose_stop_is_waited_for() -> None:
    with_handler("""
        listener, worker, blocker = blocked_pair()
        def handler(number, frame):
            say(outcome(listener.stop))
            say(outcome(listener.start))
            say(str(listener.stats["received"]))
            say(str(listener.workers))
            blocker.released.set()
        signal.signal(signal.SIGUSR1, handler)
        with blocks():
            assert listener.stop() == 0
        worker.close()
        """, "Deadlock", "Deadlock", "1", "['worker-1']")


def test_a_signal_handler_may_stop_a_listener_whose_workers_are_waited_for() -> None:
    with_handler("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        def handler(number, frame):
            say(str(listener.workers))
            say(str(listener.stats["workers"]))
            say(str(listener.stop()))
        signal.signal(signal.SIGUSR1, handler)
        with blocks():
            say(outcome(lambda: listener.wait_for_workers(1)))
        """, "[]", "0", "0", "Closed")


def test_a_signal_handler_may_stop_a_listener_whose_messages_are_waited_for() -> None:
    with_handler("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        signal.signal(signal.SIGUSR1, lambda number, frame: say(str(listener.stop())))
        with blocks():
            assert list(listener.messages()) == []
        """, "0")


def test_a_signal_handler_may_stop_a_listener_whose_replies_are_waited_for() -> None:
    with_handler("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint)
        listener.wait_for_workers(1, timeout=LIMIT)
        asked = listener.ask("X")
        def handler(number, frame):
            say(str(asked.asked))
            say(outcome(asked.next))
            say(str(listener.stop()))
        signal.signal(signal.SIGUSR1, handler)
        with blocks():
            say(outcome(lambda: next(asked)))
        worker.close()
        """, "1", "Busy", "0", "Closed")


def test_a_signal_handler_may_change_handlers_while_a_change_waits() -> None:
    with_handler("""
        listener, worker, blocker = blocked_pair()
        def handler(number, frame):
            listener.register_handler("worker-2", print)
            say(outcome(lambda: listener.register_handler("worker-1", print)))
            listener.unregister_handler("worker-2")
            blocker.released.set()
        signal.signal(signal.SIGUSR1, handler)
        with blocks():
            listener.unregister_handler("worker-1")
        listener.register_handler("worker-1", blocker, overwrite=True)
        assert worker.close() == 0
        assert listener.stop() == 0
        """, "")


def test_a_signal_handler_may_use_a_worker_whose_close_is_waited_for() -> None:
    with_handler("""
        listener, worker, blocker = blocked_pair()
        def handler(number, frame):
            say(outcome(worker.close))
            say(outcome(lambda: worker.flush(0)))
            say(outcome(lambda: worker.recv(0)))
            blocker.released.set()
        signal.signal(signal.SIGUSR1, handler)
        with blocks():
            assert worker.close() == 0
        assert listener.stop() == 0
        """, "Deadlock", "Timeout", "Timeout")


def test_a_signal_handler_may_send_and_close_while_recv_waits() -> None:
    with_handler("""
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.register_default_handler(lambda message: say(message.cmd))
        listener.start()
        worker = muster.Worker(listener.endpoint)
        def handler(number, frame):
            worker.send("FROM A SIGNAL")
            worker.flush(LIMIT)
            say(str(worker.close()))
        signal.signal(signal.SIGUSR1, handler)
        with blocks():
            say(outcome(worker.recv))
        assert listener.stop() == 0
        """, "FROM A SIGNAL", "0", "Closed")


def test_a_signal_handler_may_send_while_send_waits() -> None:
    with_handler("""
        listener, worker, blocker = blocked_pair(send_buffer=10_000)
        sent, signalled = [], []
        def handler(number, frame):
            signalled.append(number)
            blocker.released.set()
            worker.send("FROM A SIGNAL", {"number": -1})
        signal.signal(signal.SIGUSR1, handler)
        with blocks(lambda: len(sent)):
            while not signalled:
                worker.send("NUMBER", {"number": len(sent), "bytes": bytes(1000)})
                sent.append(len(sent))
        assert worker.close() == 0
        assert listener.stop() == 0
        assert sorted(data["number"] for data in blocker.data[1:]) == [-1, *sent]
        """)


def test_a_signal_handler_that_returns_lets_the_wait_go_on() -> None:
    with children.Script(HEAD + """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint, "worker-1")
signal.signal(signal.SIGUSR1, lambda number, frame: say("signal"))
listener.wait_for_workers(1, timeout=LIMIT)
threading.Thread(target=lambda: (sys.stdin.readline(), listener.send("worker-1", "GO"))).start()
with blocks():
    say(worker.recv(LIMIT).cmd)
worker.close()
listener.stop()
""") as script:
        script.expect("blocked")
        for _ in range(3):
            script.signal(signal.SIGUSR1)
            script.expect("signal", AT_ONCE)
        script.say("go")
        script.expect("GO")
        assert script.wait(LIMIT) == 0


def test_what_a_signal_handler_raises_comes_out_of_the_call_that_waits() -> None:
    with_handler("""
        class Mine(Exception):
            pass
        def handler(number, frame):
            raise Mine
        signal.signal(signal.SIGUSR1, handler)
        worker = muster.Worker("inproc://nobody", drain=0)
        with blocks():
            say(outcome(worker.recv))
        worker.close()
        """, "Mine")


def test_a_signal_does_not_end_a_wait_in_another_thread() -> None:
    with children.Script(HEAD + """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint, "worker-1")
results = []
thread = threading.Thread(target=lambda: results.append(worker.recv(LIMIT).cmd))
thread.start()
listener.wait_for_workers(1, timeout=LIMIT)
with interrupted():
    listener.wait_for_workers(2)
listener.send("worker-1", "GO")
thread.join(LIMIT)
say(str(results))
worker.close()
listener.stop()
""") as script:
        script.expect("blocked")
        script.signal(signal.SIGINT)
        script.expect("interrupted", AT_ONCE)
        script.expect("['GO']")
        assert script.wait(LIMIT) == 0


def test_ctrl_c_works_where_the_package_was_imported_by_another_thread() -> None:
    with children.Script("""
            import threading
            def load():
                import muster
            thread = threading.Thread(target=load)
            thread.start()
            thread.join()
            import muster
            from children import *
            with muster.Listener("tcp://127.0.0.1:*") as listener:
                with interrupted():
                    listener.wait_for_workers(1)
            """) as script:
        script.expect("blocked")
        script.signal(signal.SIGINT)
        script.expect("interrupted", AT_ONCE)
        assert script.wait(LIMIT) == 0


def test_ctrl_c_works_in_a_forked_child() -> None:
    with children.Script(HEAD + """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
pid = os.fork()
if pid == 0:
    with muster.Listener("tcp://127.0.0.1:*") as mine:
        with interrupted():
            mine.wait_for_workers(1)
    os._exit(0)
say(str(pid))
say(str(os.waitpid(pid, 0)[1]))
listener.stop()
""") as script:
        lines = [script.line(), script.line()]
        assert "blocked" in lines
        lines.remove("blocked")
        children.os.kill(int(lines[0]), signal.SIGINT)
        script.expect("interrupted", AT_ONCE)
        script.expect("0")
        assert script.wait(LIMIT) == 0


#   ---------------------------------------------------------------------------
#   asyncio


WAITS = {
    "wait_for_workers": "await listener.wait_for_workers(2)",
    "recv": "await worker.recv()",
    "commands": "[command async for command in worker]",
    "flush": "await worker.flush()",
    "close": "await worker.close()",
    "stop": "await listener.stop()",
    "ask": "[reply async for reply in await listener.ask('X', timeout=None)]",
    "idle": "await asyncio.Event().wait()",
}


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_asyncio_run(wait: str) -> None:
    with children.Script(HEAD + f"""
import asyncio
from muster import aio
async def handler(message):
    await asyncio.Event().wait()
async def main():
    listener = aio.Listener("tcp://127.0.0.1:*", drain=1)
    listener.on()(handler)
    await listener.start()
    worker = aio.Worker(listener.endpoint, drain=1)
    await worker.send("X")
    await listener.wait_for_workers(1, timeout=LIMIT)
    with blocks():
        {WAITS[wait]}
try:
    asyncio.run(main())
except KeyboardInterrupt:
    say("interrupted")
""") as script:
        script.expect("blocked")
        script.signal(signal.SIGINT)
        script.expect("interrupted", AT_ONCE)
        began = time.monotonic()
        assert script.wait(LIMIT) == 0
        assert time.monotonic() - began < 50
        assert "Fatal" not in script.errors, script.errors      # the handler was cancelled: that is logged


def test_ctrl_c_ends_asyncio_run_while_a_loop_over_messages_waits() -> None:
    with children.Script(HEAD + """
import asyncio
from muster import aio
async def main():
    async with aio.Listener("tcp://127.0.0.1:*") as listener:
        with blocks():
            async for message in listener.messages():
                pass
asyncio.run(main())
""") as script:
        script.expect("blocked")
        script.signal(signal.SIGINT)
        assert script.wait(AT_ONCE) == -signal.SIGINT
        assert script.errors.rstrip().endswith("KeyboardInterrupt")
        assert "Fatal" not in script.errors
