"""Processes that end with live objects: none hangs or aborts, and each has the exit code that it should have.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import signal
from typing import Callable, List, Optional

import children
import muster
import pytest

LONGEST = 60
"""Seconds. Handlers have a second at the exit, workers two; then this is a hang."""

HEAD = """
import atexit, gc, os, sys, threading, time
import muster
from children import *
"""


def end(text: str, *arguments: str, quiet: bool = True) -> children.Outcome:
    """Run a script to its end in time: exit code, lines, stderr without what -X dev warns of."""
    return judge(children.run(HEAD + children.textwrap.dedent(text), *arguments, timeout=LONGEST), quiet)


def judge(outcome: children.Outcome, quiet: bool = True) -> children.Outcome:
    code, lines, errors = outcome
    kept = [line for line in errors.splitlines() if "ResourceWarning" not in line]
    if quiet:
        assert kept == [], errors
    assert "Fatal" not in errors and "dangling" not in errors, errors
    return code, lines, "\n".join(kept)


STATES = {
    "a listener not started": "listener = muster.Listener('tcp://127.0.0.1:*')",
    "a listener that runs": "listener = muster.Listener('tcp://127.0.0.1:*'); listener.start()",
    "a stopped listener": "listener = muster.Listener('tcp://127.0.0.1:*'); listener.start(); listener.stop()",
    "a listener with handlers": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.register_handler("worker-1", print)
listener.register_default_handler(print)
listener.register_system_handler(lambda message: None)
listener.start()
""",
    "a listener with a worker": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint)
listener.wait_for_workers(1, timeout=LIMIT)
""",
    "a worker before its listener": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
endpoint = listener.endpoint
del listener
listener = muster.Listener("tcp://127.0.0.1:*")
worker = muster.Worker(endpoint)
listener.start()
""",
    "a closed worker": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint)
worker.close()
""",
    "a worker with no listener": "worker = muster.Worker('tcp://127.0.0.1:9')",
    "many objects": """
listeners = [muster.Listener("inproc://" + str(number)) for number in range(50)]
for listener in listeners:
    listener.start()
workers = [muster.Worker(listener.endpoint) for listener in listeners for _ in range(2)]
""",
    "an unfinished round": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint)
listener.wait_for_workers(1, timeout=LIMIT)
asked = listener.ask("X", timeout=None)
command = worker.recv(LIMIT)
""",
    "a round that a daemon thread waits for": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint)
listener.wait_for_workers(1, timeout=LIMIT)
asked = listener.ask("X", timeout=None)
threading.Thread(target=lambda: outcome(asked.next), daemon=True).start()
""",
    "kept messages": """
listener = muster.Listener("tcp://127.0.0.1:*")
kept = []
listener.register_default_handler(kept.append)
listener.start()
with muster.Worker(listener.endpoint) as worker:
    worker.send("X", {"bytes": bytes(2_000_000)})
    listener.wait_for_workers(1, LIMIT)
    listener.broadcast("COMMAND")
    command = worker.recv(LIMIT)
""",
    "a message that was taken": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint)
worker.send("X")
message = next(listener.messages(LIMIT))
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)    # it is not confirmed: its worker says so
""",
    "a loop over messages in a daemon thread": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
got = threading.Event()
def loop():
    for message in listener.messages():
        got.set()
threading.Thread(target=loop, daemon=True).start()
worker = muster.Worker(listener.endpoint)
worker.send("X")
got.wait(LIMIT)
""",
    "a loop over messages in a daemon thread and no worker": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
threading.Thread(target=lambda: list(listener.messages()), daemon=True).start()
""",
    "a worker in recv in a daemon thread": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint)
listener.wait_for_workers(1, timeout=LIMIT)
threading.Thread(target=lambda: outcome(worker.recv), daemon=True).start()
""",
    "a loop over commands in a daemon thread, with no listener": """
worker = muster.Worker("inproc://nobody")
threading.Thread(target=lambda: outcome(lambda: list(worker)), daemon=True).start()
""",
    "daemon threads that wait for workers": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
for _ in range(5):
    threading.Thread(target=lambda: outcome(lambda: listener.wait_for_workers(1)), daemon=True).start()
""",
    "daemon threads that send at full speed": """
listener = muster.Listener("tcp://127.0.0.1:*")
seen = threading.Event()
listener.register_default_handler(lambda message: seen.set())
listener.start()
def send():
    worker = muster.Worker(listener.endpoint)
    while True:
        worker.send("X", {"text": "x" * 100})
for _ in range(3):
    threading.Thread(target=lambda: outcome(send), daemon=True).start()
seen.wait(LIMIT)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)    # what they sent last is not confirmed: it says so
""",
    "daemon threads that make and end objects": """
made = threading.Event()
def make():
    while True:
        with muster.Listener("inproc://" + threading.current_thread().name) as listener:
            muster.Worker(listener.endpoint).close()
        made.set()
for _ in range(2):
    threading.Thread(target=lambda: outcome(make), daemon=True).start()
made.wait(LIMIT)
""",
    "an asyncio listener whose loop is closed": """
import asyncio
from muster import aio
async def handler(message):
    pass
async def main():
    global listener, worker
    patient()
    listener = aio.Listener("tcp://127.0.0.1:*")
    listener.on()(handler)
    await listener.start()
    worker = aio.Worker(listener.endpoint)
    await worker.send("X")
    await worker.flush(LIMIT)
asyncio.run(main())
""",
    "an asyncio listener with tasks that wait": """
import asyncio
from muster import aio
async def main():
    global listener, worker, tasks
    patient()
    listener = aio.Listener("tcp://127.0.0.1:*")
    await listener.start()
    worker = aio.Worker(listener.endpoint)
    await listener.wait_for_workers(1, timeout=LIMIT)
    tasks = [asyncio.create_task(worker.recv()), asyncio.create_task(listener.wait_for_workers(2))]
    await asyncio.sleep(0)
asyncio.run(main())
""",
    "a reference cycle with a listener": """
class Owner:
    def __init__(self):
        self.listener = muster.Listener("tcp://127.0.0.1:*")
        self.listener.register_default_handler(self.handle)
        self.listener.start()
    def handle(self, message):
        pass
Owner()
""",
    "objects in a module's globals that __del__ uses": """
class Owner:
    def __init__(self):
        self.listener = muster.Listener("tcp://127.0.0.1:*")
        self.listener.start()
        self.worker = muster.Worker(self.listener.endpoint)
    def __del__(self):
        self.worker.close()
        self.listener.stop()
owner = Owner()
""",
    "a forked child that has ended": """
listener = muster.Listener("tcp://127.0.0.1:*")
listener.start()
worker = muster.Worker(listener.endpoint)
assert forked(lambda: outcome(worker.close)) == "Forked"
""",
}


@pytest.mark.parametrize("state", STATES)
def test_a_process_ends_with(state: str) -> None:
    assert end(STATES[state] + "\nprint('last line')\n")[:2] == (0, ["last line"])


def outcome_of_all(request: pytest.FixtureRequest, script: Callable[..., str]) -> children.Outcome:
    """That of a script which is made of the test's parameters. Those of all its parameters are run at once, by the first."""
    tests = [each.callspec.params for each in request.session.items  # type: ignore[attr-defined]
             if getattr(each, "originalname", "") == request.node.originalname]
    if not hasattr(request.function, "outcomes"):
        request.function.outcomes = children.run_all([HEAD + script(**each) for each in tests], LONGEST)
    outcome: children.Outcome = request.function.outcomes[tests.index(request.node.callspec.params)]
    return judge(outcome, quiet=False)


@pytest.mark.parametrize("state", ["a listener with a worker", "an unfinished round", "kept messages", "many objects",
                                   "a loop over messages in a daemon thread"])
@pytest.mark.parametrize("how, code", [("sys.exit(3)", 3), ("os._exit(4)", 4), ("raise SystemExit('words')", 1),
                                       ("raise ValueError('mine')", 1), ("os.kill(os.getpid(), 9)", -9)])
def test_a_process_with_live_objects_ends_by(request: pytest.FixtureRequest, how: str, code: int, state: str) -> None:
    got, lines, errors = outcome_of_all(
        request, lambda how, code, state: STATES[state] + f"\nprint('last line')\n{how}\n")
    assert (got, lines) == (code, ["last line"])
    expected: Optional[str] = {"raise SystemExit('words')": "words", "raise ValueError('mine')": "ValueError: mine"}.get(how)
    if expected is None:
        assert errors == ""
    else:
        assert errors.splitlines()[-1] == expected
        assert "muster" not in errors.replace("muster.", "")


def test_a_process_ends_while_a_handler_is_blocked_whose_worker_is_elsewhere() -> None:
    with children.Script(HEAD + """
worker = muster.Worker(sys.stdin.readline().strip())
worker.send("X")
sys.stdin.read()
os._exit(0)
""") as other, children.Script(HEAD + """
listener = muster.Listener("tcp://127.0.0.1:*")
def handler(message):
    say("entered")
    threading.Event().wait()
listener.register_default_handler(handler)
listener.start()
say(listener.endpoint)
sys.stdin.readline()
""") as script:
        other.say(script.line())
        script.expect("entered")
        script.say("end")
        assert script.wait(LONGEST) == 0
        assert script.errors == ""


HANDLERS = {
    "blocked": "threading.Event().wait()",
    "in a busy loop": "while True: pass",
    "in a sleep": "time.sleep(1000)",
    "in a loop that sends": "while True: outcome(lambda: message.reply('X'))",
    "waiting for a lock of the main thread": "lock.acquire()",
}


@pytest.mark.parametrize("what", HANDLERS)
@pytest.mark.parametrize("how, code", [("", 0), ("sys.exit(3)", 3), ("os._exit(4)", 4), ("raise ValueError", 1)])
def test_a_process_ends_while_a_handler_is(request: pytest.FixtureRequest, what: str, how: str, code: int) -> None:
    got, lines, errors = outcome_of_all(request, lambda what, how, code: f"""
entered = threading.Event()
lock = threading.Lock()
lock.acquire()
def handler(message):
    entered.set()
    {HANDLERS[what]}
listener = muster.Listener("tcp://127.0.0.1:*")
listener.register_default_handler(handler)
listener.start()
worker = muster.Worker(listener.endpoint, "worker-1")
worker.send("X")
assert entered.wait(LIMIT)
print("last line")
{how}
""")
    assert (got, lines) == (code, ["last line"])
    errors = errors.replace("muster: worker worker-1 was not closed, and not all that it sent is confirmed: time limit passed", "")
    assert errors.strip() == "" or how == "raise ValueError" and errors.strip().endswith("ValueError"), errors


@pytest.mark.parametrize("count", [1, 1000])
def test_what_an_unflushed_worker_has_sent_arrives_when_its_process_ends(listener: muster.Listener, count: int) -> None:
    numbers: List[int] = []
    events: "children.queue.Queue[str]" = children.queue.Queue()
    listener.register_default_handler(lambda message: numbers.append(message.data["number"]))
    listener.register_system_handler(lambda message: events.put(message.cmd))
    assert end("""
        worker = muster.Worker(sys.argv[1])
        for number in range(int(sys.argv[2])):
            worker.send("NUMBER", {"number": number})
        """, listener.endpoint, str(count))[0] == 0
    assert events.get(timeout=children.LIMIT) == "JOINED"
    children.eventually(lambda: len(numbers) == count)
    assert numbers == list(range(count))


def test_what_a_worker_sent_before_an_unhandled_exception_arrives(listener: muster.Listener) -> None:
    assert end("""
        worker = muster.Worker(sys.argv[1])
        worker.send("LAST")
        raise ValueError("mine")
        """, listener.endpoint, quiet=False)[0] == 1
    message = next(listener.messages(children.LIMIT))
    assert message.cmd == "LAST"
    del message


def test_a_worker_that_ends_with_its_process_has_left_and_is_not_lost(listener: muster.Listener) -> None:
    events: "children.queue.Queue[str]" = children.queue.Queue()
    listener.register_system_handler(lambda message: events.put(message.cmd))
    listener.register_default_handler(lambda message: None)
    assert end("worker = muster.Worker(sys.argv[1]); worker.send('X')", listener.endpoint)[0] == 0
    assert events.get(timeout=children.LIMIT) == "JOINED"
    assert events.get(timeout=children.LIMIT) == "LEFT"


def test_a_worker_whose_messages_nobody_takes_says_so_and_its_process_ends() -> None:
    code, lines, errors = end("""
        worker = muster.Worker("tcp://127.0.0.1:9", "worker-1")
        worker.send("X")
        print("last line")
        """, quiet=False)
    assert (code, lines) == (0, ["last line"])
    assert errors == "muster: worker worker-1 was not closed, and not all that it sent is confirmed: time limit passed"


def test_many_workers_whose_messages_nobody_takes_end_with_their_process_in_time() -> None:
    """The limit is one for the process, not one for each of them."""
    code, lines, errors = end("""
        workers = [muster.Worker("tcp://127.0.0.1:9", str(number)) for number in range(int(sys.argv[1]))]
        for worker in workers:
            worker.send("X")
        print("last line")
        """, str(LONGEST), quiet=False)
    assert (code, lines) == (0, ["last line"])


def test_many_listeners_whose_handlers_are_blocked_end_with_their_process_in_time() -> None:
    code, lines, _ = end("""
        entered = threading.Semaphore(0)
        def handler(message):
            entered.release()
            threading.Event().wait()
        listeners = [muster.Listener("inproc://" + str(number)) for number in range(int(sys.argv[1]))]
        workers = []
        for listener in listeners:
            listener.register_default_handler(handler)
            listener.start()
            workers.append(muster.Worker(listener.endpoint))
            workers[-1].send("X")
        for _ in listeners:
            entered.acquire()
        print("last line")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        """, str(LONGEST + 10), quiet=False)
    assert (code, lines) == (0, ["last line"])


def test_messages_that_are_not_handled_yet_are_handled_at_the_exit() -> None:
    code, lines, errors = children.run("""
        import atexit, threading
        handled = []
        atexit.register(lambda: print(handled == list(range(200))))     # after what the package does at the exit
        import muster
        listener = muster.Listener("tcp://127.0.0.1:*")
        entered, released = threading.Event(), threading.Event()
        def handler(message):
            entered.set()
            released.wait()
            handled.append(message.data["number"])
        listener.register_default_handler(handler)
        listener.start()
        worker = muster.Worker(listener.endpoint)
        for number in range(200):
            worker.send("NUMBER", {"number": number})
        entered.wait()
        released.set()
        """, timeout=LONGEST)
    assert (code, lines, errors) == (0, ["True"], "")


def test_a_handler_that_the_exit_ends_in_its_middle_does_not_run_on_in_a_dying_interpreter() -> None:
    """It sees all its globals, or nothing at all."""
    code, lines, errors = end("""
        import numpy
        listener = muster.Listener("tcp://127.0.0.1:*")
        entered = threading.Event()
        def handler(message):
            entered.set()
            while True:
                threading.current_thread(), numpy.zeros(10) + 1, os.getpid(), message.cmd, message.data
        listener.register_default_handler(handler)
        listener.start()
        worker = muster.Worker(listener.endpoint, "worker-1")
        worker.send("X", {"a": numpy.zeros(3)})
        entered.wait(LIMIT)
        os.dup2(1, 2)
        """, quiet=False)
    assert code == 0
    assert lines == ["muster: worker worker-1 was not closed, and not all that it sent is confirmed: time limit passed"]


def test_objects_may_be_ended_by_hand_in_an_exit_handler() -> None:
    for order in ("early", "late"):
        assert end(f"""
            def finish():
                print(worker.close(), listener.stop())
            if "{order}" == "early":
                atexit.register(finish)
            import muster
            listener = muster.Listener("tcp://127.0.0.1:*")
            listener.register_default_handler(lambda message: None)
            listener.start()
            worker = muster.Worker(listener.endpoint)
            worker.send("X")
            if "{order}" == "late":
                atexit.register(finish)
            """)[:2] == (0, ["0 0"])


def test_an_object_used_after_its_end_at_the_exit_says_so() -> None:
    """An exit handler registered before the package was imported runs after it has ended all. To end it again is harmless."""
    code, lines, errors = children.run("""
        import atexit
        def finish():
            print(outcome(lambda: worker.send("X")), outcome(worker.close), outcome(listener.stop))
        atexit.register(finish)
        import muster
        from children import outcome
        listener = muster.Listener("tcp://127.0.0.1:*")
        listener.start()
        worker = muster.Worker(listener.endpoint)
        """, timeout=LONGEST)
    assert (code, errors) == (0, "")
    assert lines == ["Closed  "]


def test_an_object_made_by_a_late_exit_handler_does_not_hang_the_exit() -> None:
    code, lines, errors = children.run("""
        import atexit
        def finish():
            global listener, worker
            listener = muster.Listener("tcp://127.0.0.1:*")
            listener.start()
            worker = muster.Worker(listener.endpoint)
            print("made")
        atexit.register(finish)
        import muster
        """, timeout=LONGEST)
    assert (code, lines) == (0, ["made"])
    assert "Fatal" not in errors, errors


def test_a_worker_that_is_deleted_unclosed_warns() -> None:
    code, lines, errors = children.run("""
        import muster
        worker = muster.Worker("inproc://nobody", "worker-1")
        del worker
        """, timeout=LONGEST)
    assert code == 0
    assert "ResourceWarning: unclosed muster.Worker worker-1" in errors


def test_a_process_killed_by_abort_or_kill_leaves_its_listener_workers_that_find_another(
        listener: muster.Listener) -> None:
    endpoint = listener.endpoint
    listener.stop()
    with children.Script(HEAD + """
listener = muster.Listener(sys.argv[1])
listener.register_default_handler(lambda message: say(message.cmd))
listener.start()
say("ready")
sys.stdin.read()
""", endpoint) as script, muster.Worker(endpoint, "worker-1") as worker:
        script.expect("ready")
        worker.send("ONE")
        script.expect("ONE")
        script.signal(signal.SIGKILL)
        assert script.wait() == -signal.SIGKILL
        listener.register_default_handler(lambda message: None)
        listener.start()
        worker.send("TWO")
        worker.flush(children.LIMIT)
