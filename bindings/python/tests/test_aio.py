"""The same for asyncio.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import asyncio
import functools
import gc
import logging
import warnings
import weakref

import muster
import numpy as np
import pytest
from conftest import PATIENCE
from muster import aio

ENDPOINT = "tcp://127.0.0.1:*"


def run(test):
    """Run a coroutine function as a test, in a loop of its own that is in debug mode, within time."""
    @functools.wraps(test)
    def call(*arguments, **named):
        complaints = []

        async def bounded():
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
            await asyncio.wait_for(test(*arguments, **named), 2 * PATIENCE)
        asyncio.run(bounded(), debug=True)
        gc.collect()
        assert complaints == []
    return call


class Inbox:
    """A handler, and waiting for what it got."""

    def __init__(self):
        self.queue = asyncio.Queue()

    async def __call__(self, message):
        await self.queue.put(message)

    async def next(self):
        return await asyncio.wait_for(self.queue.get(), PATIENCE)


async def ended(task):
    """The exception of a task that has been cancelled."""
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=PATIENCE)
    assert done, "it goes on"
    return task.cancelled()


async def begun(task):
    """Let a task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    return task


#   --------------------------------------------------------------------------
#   The whole of it

@run
async def test_messages_go_to_handlers_and_commands_to_workers():
    async with aio.Listener(ENDPOINT) as listener:
        inbox = Inbox()
        await listener.register_handler("w", inbox)
        async with aio.Worker(listener.endpoint, source="w") as worker:
            await listener.wait_for_workers(1, timeout=PATIENCE)
            await listener.wait_for_workers(["w"], timeout=PATIENCE)
            assert (worker.source, listener.workers) == ("w", ["w"])
            await worker.send("A", {"n": 1})
            message = await inbox.next()
            assert (message.source, message.cmd, message.data) == ("w", "A", {"n": 1})
            assert (message.position, message.answers, message.late, len(message.session)) == (1, 0, False, 32)
            assert "A" in repr(message)
            await message.reply("R", {"n": 2})
            command = await worker.recv(PATIENCE)
            assert (command.cmd, command.data, command.answers) == ("R", {"n": 2}, 1)
            assert await listener.send("w", "S") == "w"
            assert await listener.broadcast("B") == ["w"]
            assert [(await worker.recv(PATIENCE)).cmd for _ in range(2)] == ["S", "B"]
            await worker.flush(PATIENCE)
            assert listener.stats["handled"] == 1
            assert "w" in repr(worker) and listener.endpoint in repr(listener)
        assert listener.workers == []


@run
async def test_a_round_gives_the_replies_as_they_come():
    async with aio.Listener(ENDPOINT) as listener:
        async with aio.Worker(listener.endpoint, "a") as one, aio.Worker(listener.endpoint, "b") as other:
            await listener.wait_for_workers(2, PATIENCE)
            asked = await listener.ask("TRAIN", {"round": 1}, workers=["a", "b", "nobody"])
            assert (asked.asked, asked.replied) == (3, 0)
            for worker in (other, one):
                command = await worker.recv(PATIENCE)
                assert command.data == {"round": 1}
                await command.reply("UPDATE", {"from": worker.source})
                reply = await anext(asked)
                assert (reply.cmd, reply.data) == ("UPDATE", {"from": worker.source})
            del reply
            assert [reply async for reply in asked] == []
            assert (asked.replied, asked.missing) == (2, {"nobody": "NOTFOUND"})


@run
async def test_a_worker_of_the_one_kind_talks_to_a_listener_of_the_other():
    with muster.Listener(ENDPOINT) as listener:
        got = asyncio.get_running_loop().create_future()
        listener.register_handler("w", lambda message: got.get_loop().call_soon_threadsafe(got.set_result, message.cmd))
        async with aio.Worker(listener.endpoint, "w") as worker:
            await worker.send("A")
            assert await asyncio.wait_for(got, PATIENCE) == "A"


@run
async def test_many_workers_in_one_loop_send_and_answer():
    count = 50
    async with aio.Listener(ENDPOINT) as listener:
        got = []
        await listener.register_default_handler(lambda message: got.append((message.source, message.data["n"])))

        async def work(source):
            async with aio.Worker(listener.endpoint, source, drain=PATIENCE) as worker:
                for number in range(20):
                    await worker.send("A", {"n": number})
                async for command in worker:
                    if command.cmd == "END":
                        break
                    await command.reply("R", {"source": source})
        tasks = [asyncio.create_task(work(str(number))) for number in range(count)]
        await listener.wait_for_workers(count, PATIENCE)
        asked = await listener.ask("Q", timeout=PATIENCE)
        sources = [reply.data["source"] async for reply in asked]
        assert sorted(sources) == sorted(str(number) for number in range(count))
        assert len(await listener.broadcast("END")) == count
        await asyncio.gather(*tasks)
        assert sorted(got) == sorted((str(one), number) for one in range(count) for number in range(20))


def test_two_loops_after_each_other_work():
    async def talk(listener_endpoint=ENDPOINT):
        async with aio.Listener(listener_endpoint) as listener:
            inbox = Inbox()
            await listener.register_handler("w", inbox)
            async with aio.Worker(listener.endpoint, "w") as worker:
                await worker.send("A")
                message = await inbox.next()
                await message.reply("R")
                assert (await worker.recv(PATIENCE)).cmd == "R"
                asked = await listener.ask("Q")
                await (await worker.recv(PATIENCE)).reply("R")
                assert [reply.cmd async for reply in asked] == ["R"]
            return listener.endpoint
    asyncio.run(talk(asyncio.run(talk())))


#   --------------------------------------------------------------------------
#   Handlers

@run
async def test_handlers_are_coroutine_functions_or_plain_ones():
    async with aio.Listener(ENDPOINT) as listener:
        got, loop = asyncio.Queue(), asyncio.get_running_loop()

        class Handler:
            async def method(self, message):
                await asyncio.sleep(0)
                assert asyncio.get_running_loop() is loop
                got.put_nowait(("method", message.cmd))

        def plain(message):
            assert asyncio.get_running_loop() is loop
            got.put_nowait(("plain", message.cmd))

        def future(message):
            async def later():
                await asyncio.sleep(0)
                got.put_nowait(("future", message.cmd))
            return asyncio.ensure_future(later())
        await listener.register_handler("a", Handler().method)
        await listener.register_handler("b", plain)
        await listener.register_default_handler(future)
        for source, name in (("a", "method"), ("b", "plain"), ("c", "future")):
            async with aio.Worker(listener.endpoint, source) as worker:
                await worker.send("A")
                assert await asyncio.wait_for(got.get(), PATIENCE) == (name, "A")


@run
async def test_on_registers_as_a_decorator():
    async with aio.Listener(ENDPOINT) as listener:
        got = asyncio.Queue()

        @listener.on("a")
        async def on_a(message):
            got.put_nowait("a")

        @listener.on()
        def on_others(message):
            got.put_nowait("others")
        with pytest.raises(muster.Exists):
            listener.on("a")(on_others)
        for source, name in (("a", "a"), ("b", "others")):
            async with aio.Worker(listener.endpoint, source) as worker:
                await worker.send("A")
                assert await asyncio.wait_for(got.get(), PATIENCE) == name
        assert asyncio.iscoroutinefunction(on_a)


@run
async def test_a_second_default_handler_by_decorator_is_as_in_the_plain_listener():
    """In muster.Listener @on() replaces the default handler."""
    plain, awaited = muster.Listener(ENDPOINT), aio.Listener(ENDPOINT)
    plain.on()(print)
    plain.on()(repr)
    awaited.on()(print)
    awaited.on()(repr)


@run
async def test_on_takes_overwrite_as_in_the_plain_listener():
    plain, awaited = muster.Listener(ENDPOINT), aio.Listener(ENDPOINT)
    for listener in (plain, awaited):
        listener.on("a")(print)
        listener.on("a", overwrite=True)(repr)


@run
async def test_registering_refuses_what_the_plain_listener_refuses():
    async with aio.Listener(ENDPOINT) as listener:
        await listener.register_handler("a", print)
        with pytest.raises(muster.Exists):
            await listener.register_handler("a", print)
        with pytest.raises(muster.Reserved):
            await listener.register_handler(listener.source, print)
        with pytest.raises(muster.NotFound):
            await listener.unregister_handler("b")
        for call in (lambda handler: listener.register_handler("b", handler), lambda handler: listener.register_handler("a", handler, True),
                     listener.register_default_handler, listener.register_system_handler):
            with pytest.raises(muster.Invalid):
                await call(None)
            with pytest.raises(TypeError):
                await call(7)


@pytest.mark.parametrize("error", [LookupError, asyncio.CancelledError, asyncio.TimeoutError, StopIteration, StopAsyncIteration])
@pytest.mark.parametrize("kind", ["coroutine", "plain"])
def test_a_handler_that_raises_is_logged_and_counted_and_the_next_message_is_handled(caplog, error, kind):
    @run
    async def test():
        async with aio.Listener(ENDPOINT) as listener:
            inbox = Inbox()

            async def failing_one(message):
                if message.cmd == "FAIL":
                    raise error("told you so")
                await inbox(message)

            def failing_two(message):
                if message.cmd == "FAIL":
                    raise error("told you so")
                inbox.queue.put_nowait(message)
            await listener.register_handler("w", failing_one if kind == "coroutine" else failing_two)
            async with aio.Worker(listener.endpoint, "w") as worker:
                await worker.send("FAIL")
                await worker.send("AFTER")
                assert (await inbox.next()).cmd == "AFTER"
                await worker.flush(PATIENCE)
            stats = listener.stats
            assert (stats["handled"], stats["failed"]) == (2, 1)
    test()
    assert any(record.name == "muster" and record.levelno == logging.ERROR and record.exc_info for record in caplog.records)
    assert "failing_" in caplog.text


@run
async def test_the_trace_of_a_handler_that_raises_leads_into_it():
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("muster").addHandler(handler)
    try:
        async with aio.Listener(ENDPOINT) as listener:
            async def culprit(message):
                raise LookupError
            await listener.register_handler("w", culprit)
            async with aio.Worker(listener.endpoint, "w") as worker:
                await worker.send("A")
                await worker.flush(PATIENCE)
    finally:
        logging.getLogger("muster").removeHandler(handler)
    trace = [record.exc_info[2] for record in records if record.exc_info][0]
    names = set()
    while trace:
        names.add(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert "culprit" in names


@run
async def test_handlers_run_one_at_a_time_and_in_order():
    async with aio.Listener(ENDPOINT) as listener:
        inside, got = [], []

        async def handler(message):
            inside.append(1)
            assert len(inside) == 1
            await asyncio.sleep(0)
            got.append(message.data["n"])
            inside.pop()
        await listener.register_handler("w", handler)
        async with aio.Worker(listener.endpoint, "w") as worker:
            for number in range(300):
                await worker.send("A", {"n": number})
            await worker.flush(PATIENCE)
        assert got == list(range(300))
        assert listener.stats["failed"] == 0


@run
async def test_overwriting_while_it_runs_waits_for_the_old_handler():
    async with aio.Listener(ENDPOINT) as listener:
        entered, go, left, second = asyncio.Event(), asyncio.Event(), asyncio.Event(), Inbox()

        async def first(message):
            entered.set()
            await go.wait()
            left.set()
        await listener.register_handler("w", first)
        async with aio.Worker(listener.endpoint, "w") as worker:
            await worker.send("A")
            await asyncio.wait_for(entered.wait(), PATIENCE)
            change = await begun(asyncio.create_task(listener.register_handler("w", second, overwrite=True)))
            await worker.send("B")
            go.set()
            await asyncio.wait_for(change, PATIENCE)
            assert left.is_set()
            assert (await second.next()).cmd == "B"


@run
async def test_a_handler_may_overwrite_and_unregister_itself():
    async with aio.Listener(ENDPOINT) as listener:
        second, default = Inbox(), Inbox()
        await listener.register_default_handler(default)

        async def first(message):
            await listener.register_handler("w", second, overwrite=True)

        async def third(message):
            await listener.unregister_handler("w")
            await default(message)
        await listener.register_handler("w", first)
        async with aio.Worker(listener.endpoint, "w") as worker:
            await worker.send("A")
            await worker.flush(PATIENCE)
            await worker.send("B")
            assert (await second.next()).cmd == "B"
            await listener.register_handler("w", third, overwrite=True)
            await worker.send("C")
            assert (await default.next()).cmd == "C"
            await worker.flush(PATIENCE)
            await worker.send("D")
            assert (await default.next()).cmd == "D"
        assert listener.stats["failed"] == 0


@run
async def test_what_a_handler_changes_holds_for_the_next_message():
    """DESIGN section 4: registering inside a handler holds for every message handled after the call."""
    async with aio.Listener(ENDPOINT) as listener:
        got = []

        def make(number):
            async def handler(message):
                got.append((number, message.data["n"]))
                await listener.register_handler("w", make(number + 1), overwrite=True)
            return handler
        await listener.register_handler("w", make(0))
        async with aio.Worker(listener.endpoint, "w") as worker:
            for number in range(100):
                await worker.send("A", {"n": number})
            await worker.flush(PATIENCE)
        assert got == [(number, number) for number in range(100)]


@run
async def test_what_is_refused_inside_a_handler_is_raised_there():
    async with aio.Listener(ENDPOINT) as listener:
        raised = asyncio.Queue()

        async def handler(message):
            for call in (lambda: listener.unregister_handler("nobody"), lambda: listener.register_handler(listener.source, print, True),
                         lambda: listener.register_handler("w", None, True)):
                try:
                    await call()
                    raised.put_nowait(None)
                except muster.Error as error:
                    raised.put_nowait(type(error))
        await listener.register_handler("w", handler)
        async with aio.Worker(listener.endpoint, "w") as worker:
            await worker.send("A")
            got = [await asyncio.wait_for(raised.get(), PATIENCE) for _ in range(3)]
        assert got == [muster.NotFound, muster.Reserved, muster.Invalid]


@run
async def test_a_handler_may_stop_its_listener():
    listener = aio.Listener(ENDPOINT)
    done = asyncio.Event()

    async def handler(message):
        assert await listener.stop() == 0
        done.set()
    await listener.register_handler("w", handler)
    await listener.start()
    async with aio.Worker(listener.endpoint, "w") as worker:
        await worker.send("STOP")
        await asyncio.wait_for(done.wait(), PATIENCE)
        await worker.flush(PATIENCE)
        assert await listener.stop() == 0
        with pytest.raises(muster.Error):
            await listener.broadcast("A")
        await listener.start()
        await listener.wait_for_workers(["w"], PATIENCE)
        await listener.unregister_handler("w")
    await listener.stop()


@run
async def test_a_handler_may_send_reply_and_ask():
    async with aio.Listener(ENDPOINT) as listener:
        result = asyncio.get_running_loop().create_future()

        async def handler(message):
            await message.reply("R")
            await listener.send(message.source, "S")
            await listener.broadcast("B")
            asked = await listener.ask("Q", workers=["other"], timeout=PATIENCE)
            result.set_result([reply.data async for reply in asked])
        await listener.register_handler("w", handler)
        async with aio.Worker(listener.endpoint, "w") as worker, aio.Worker(listener.endpoint, "other") as other:
            await listener.wait_for_workers(2, PATIENCE)
            await worker.send("A")
            assert [(await worker.recv(PATIENCE)).cmd for _ in range(3)] == ["R", "S", "B"]
            while True:
                command = await other.recv(PATIENCE)
                if command.cmd == "Q":
                    await command.reply("R", {"n": 1})
                    break
            assert await asyncio.wait_for(result, PATIENCE) == [{"n": 1}]


@run
async def test_a_task_that_a_handler_began_is_outside_of_it_once_it_has_returned():
    """It has the handler's context; all the same stop waits there, and what is refused is raised."""
    listener = aio.Listener(ENDPOINT)
    left, result = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def later():
        await left.wait()
        got = []
        for call in (lambda: listener.unregister_handler("nobody"), listener.stop, listener.start):
            try:
                got.append(await call())
            except muster.Error as error:
                got.append(type(error))
        result.set_result(got)

    tasks = []
    await listener.register_handler("w", lambda message: tasks.append(asyncio.create_task(later())))
    await listener.start()
    async with aio.Worker(listener.endpoint, "w") as worker:
        await worker.send("A")
        await worker.flush(PATIENCE)
        left.set()
        got = await asyncio.wait_for(result, PATIENCE)
    await listener.stop()
    assert got == [muster.NotFound, 0, None]


@run
async def test_events_reach_the_system_handler():
    async with aio.Listener(ENDPOINT) as listener:
        events = Inbox()
        await listener.register_system_handler(events)
        async with aio.Worker(listener.endpoint, "w"):
            joined = await events.next()
            assert (joined.cmd, joined.source, joined.data["source"]) == ("JOINED", listener.source, "w")
        assert (await events.next()).cmd == "LEFT"


#   --------------------------------------------------------------------------
#   Starting, stopping, waiting

@run
async def test_with_raises_what_its_body_raises():
    listener = aio.Listener(ENDPOINT)
    with pytest.raises(LookupError):
        async with listener:
            async with aio.Worker(listener.endpoint, "w"):
                raise LookupError
    async with listener as entered:
        assert entered is listener


@run
async def test_the_errors_of_the_plain_listener_are_raised():
    listener = aio.Listener(ENDPOINT)
    assert await listener.stop() == 0
    with pytest.raises(muster.Closed):
        await listener.send("w", "A")
    async with listener:
        with pytest.raises(muster.Busy):
            await listener.start()
        with pytest.raises(muster.NotFound):
            await listener.send("nobody", "A")
        with pytest.raises(muster.Timeout):
            await listener.wait_for_workers(1, timeout=0.01)
        with pytest.raises(TypeError, match='data'):
            await listener.broadcast("A", {"a": object()})
        with pytest.raises(ValueError):
            await listener.ask("A", at_least=0)
        with pytest.raises(TypeError):
            aio.Listener(ENDPOINT, colour="red")
        with pytest.raises(muster.InUse):
            await aio.Listener(listener.endpoint).start()


@run
async def test_a_worker_whose_messages_are_not_confirmed_says_so():
    async with aio.Listener(ENDPOINT) as listener:
        nowhere = listener.endpoint
    with pytest.raises(muster.Timeout):
        async with aio.Worker(nowhere, "w", drain=0.05) as worker:
            await worker.send("A")
    worker = aio.Worker(nowhere, "w", drain=0.05)
    await worker.send("A")
    with pytest.raises(muster.Timeout):
        await worker.flush(0.05)
    assert await worker.close() == 1
    with pytest.raises(muster.Closed):
        await worker.send("A")
    with pytest.raises(muster.Closed):
        await worker.recv()
    assert [command async for command in worker] == []


@run
async def test_send_waits_while_the_send_buffer_is_full_and_the_loop_goes_on():
    async with aio.Listener(ENDPOINT) as listener:
        go, got = asyncio.Event(), []

        async def handler(message):
            await go.wait()
            got.append(message.data["n"])
        await listener.register_handler("w", handler)
        async with aio.Worker(listener.endpoint, "w", send_buffer=100000) as worker:
            async def send():
                for number in range(20):
                    await worker.send("A", {"n": number, "b": bytes(30000)})
            task = await begun(asyncio.create_task(send()))
            go.set()
            await asyncio.wait_for(task, PATIENCE)
        assert got == list(range(20))


@run
async def test_messages_gives_them_one_by_one_and_ends_at_the_timeout():
    async with aio.Listener(ENDPOINT) as listener:
        async with aio.Worker(listener.endpoint, "w") as worker:
            for number in range(50):
                await worker.send("A", {"n": number})
            assert [message.data["n"] async for message in listener.messages(timeout=2)] == list(range(50))
            await worker.flush(PATIENCE)
            assert [message async for message in listener.messages(timeout=0)] == []
        with pytest.raises(muster.Busy):
            await listener.register_handler("w", print)


@run
async def test_leaving_the_loop_over_messages_and_going_on_loses_nothing():
    async with aio.Listener(ENDPOINT) as listener:
        async with aio.Worker(listener.endpoint, "w") as worker:
            for number in range(10):
                await worker.send("A", {"n": number})
            got = []
            while len(got) < 10:
                loop = listener.messages(PATIENCE)
                async for message in loop:
                    got.append(message.data["n"])
                    break
                await loop.aclose()
            assert got == list(range(10))


@run
async def test_stop_ends_the_loop_over_messages():
    async with aio.Listener(ENDPOINT) as listener:
        async def take():
            return [message async for message in listener.messages()]
        task = await begun(asyncio.create_task(take()))
        await listener.stop()
        assert await asyncio.wait_for(task, PATIENCE) == []


@run
async def test_stop_ends_the_wait_of_every_task():
    listener = aio.Listener(ENDPOINT)
    await listener.start()
    worker = aio.Worker(listener.endpoint, "w")
    await listener.wait_for_workers(1, PATIENCE)
    asked = await listener.ask("A", timeout=None)
    tasks = [await begun(asyncio.create_task(call)) for call in (listener.wait_for_workers(2), asked.__anext__())]
    await listener.stop()
    for task in tasks:
        with pytest.raises(muster.Closed):
            await asyncio.wait_for(task, PATIENCE)
    await worker.close()


@run
async def test_recv_without_a_command_is_a_timeout():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        for timeout in (0, 0.01):
            with pytest.raises(muster.Timeout) as caught:
                await worker.recv(timeout)
            assert isinstance(caught.value, TimeoutError)


@run
async def test_several_tasks_may_take_commands():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        await listener.wait_for_workers(1, PATIENCE)
        tasks = [await begun(asyncio.create_task(worker.recv())) for _ in range(5)]
        for number in range(5):
            await listener.send("w", "A", {"n": number})
        done = await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)
        assert sorted(command.data["n"] for command in done) == list(range(5))


@run
async def test_close_ends_the_wait_of_every_task():
    async with aio.Listener(ENDPOINT) as listener:
        worker = aio.Worker(listener.endpoint, "w")

        async def loop():
            return [command async for command in worker]
        tasks = [await begun(asyncio.create_task(loop())) for _ in range(3)]
        assert await worker.close() == 0
        assert await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE) == [[], [], []]


@run
async def test_the_loop_runs_while_calls_wait():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        await listener.wait_for_workers(1, PATIENCE)
        asked = await listener.ask("A", timeout=None)
        waits = [listener.wait_for_workers(9), worker.recv(), worker.recv(), worker.recv()]
        await worker.recv(PATIENCE)
        tasks = [await begun(asyncio.create_task(call)) for call in [*waits, asked.__anext__()]]
        #   More waits than a pool of threads has: each of these would wait for ever for a thread.
        many = [await begun(asyncio.create_task(listener.wait_for_workers(9))) for _ in range(100)]
        await listener.send("w", "B")
        done, _ = await asyncio.wait(tasks[1:4], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result().cmd for task in done] == ["B"]
        for task in tasks + many:
            if not task.done():
                assert await ended(task)


#   --------------------------------------------------------------------------
#   Cancelling

@run
async def test_each_call_that_waits_ends_when_it_is_cancelled():
    async with aio.Listener(ENDPOINT) as nobody:
        nowhere = nobody.endpoint
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        await listener.wait_for_workers(1, PATIENCE)
        lost = aio.Worker(nowhere, "lost", send_buffer=1000, drain=0.05)
        await lost.send("A", {"b": bytes(5000)})
        asked = await listener.ask("A", timeout=None)

        async def loop():
            async for _ in worker:
                pass

        async def messages():
            async for _ in listener.messages():
                pass
        await worker.recv(PATIENCE)
        for call in (listener.wait_for_workers(2), listener.wait_for_workers(["nobody"]), worker.recv(), worker.recv(PATIENCE), loop(),
                     messages(), lost.flush(), lost.send("B", {"b": bytes(5000)}), asked.__anext__()):
            assert await ended(await begun(asyncio.create_task(call)))
        assert await lost.close() >= 1


@run
async def test_wait_for_bounds_each_call():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        for call in (lambda: worker.recv(), lambda: listener.wait_for_workers(2), lambda: anext(listener.messages())):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(call(), 0.05)


@run
async def test_a_command_is_not_lost_when_recv_is_cancelled():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        await listener.wait_for_workers(1, PATIENCE)
        got = []
        for number in range(100):
            task = asyncio.create_task(worker.recv())
            for _ in range(number % 7):
                await asyncio.sleep(0)
            await listener.send("w", "A", {"n": number})
            for _ in range(number % 3):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                got.append(task.result().data["n"])
        while len(got) < 100:
            got.append((await worker.recv(PATIENCE)).data["n"])
        assert got == list(range(100))


@run
async def test_a_message_is_not_lost_when_the_loop_over_messages_is_cancelled():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        got = []

        async def take():
            async for message in listener.messages():
                got.append(message.data["n"])
        for number in range(60):
            task = asyncio.create_task(take())
            for _ in range(number % 5):
                await asyncio.sleep(0)
            await worker.send("A", {"n": number})
            for _ in range(number % 4):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        while len(got) < 60:
            got.append((await anext(listener.messages(PATIENCE))).data["n"])
        assert got == list(range(60))


@run
async def test_a_reply_is_not_lost_when_the_wait_for_it_is_cancelled():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        await listener.wait_for_workers(1, PATIENCE)
        for number in range(50):
            asked = await listener.ask("A", {"n": number}, timeout=PATIENCE)
            waiting = asyncio.create_task(asked.__anext__())
            for _ in range(number % 5):
                await asyncio.sleep(0)
            command = await worker.recv(PATIENCE)
            await command.reply("R", command.data)
            for _ in range(number % 3):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            got = [] if waiting.cancelled() else [waiting.result().data["n"]]
            async for reply in asked:
                got.append(reply.data["n"])
            assert got == [number]
            assert asked.missing == {}


@run
async def test_a_round_goes_on_after_its_wait_was_cancelled_before_any_reply():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        await listener.wait_for_workers(1, PATIENCE)
        asked = await listener.ask("A", timeout=PATIENCE)
        for _ in range(3):
            assert await ended(await begun(asyncio.create_task(asked.__anext__())))
        waiting = await begun(asyncio.create_task(asked.__anext__()))
        await (await worker.recv(PATIENCE)).reply("R", {"n": 1})
        assert (await asyncio.wait_for(waiting, PATIENCE)).data == {"n": 1}
        assert [reply async for reply in asked] == []


@run
async def test_a_wait_that_was_cancelled_twice_in_a_row_still_ends():
    async with aio.Listener(ENDPOINT) as listener:
        task = await begun(asyncio.create_task(listener.wait_for_workers(1)))
        task.cancel()
        assert await ended(task)


@run
async def test_a_stop_that_was_cancelled_goes_on():
    listener = aio.Listener(ENDPOINT)
    entered, go = asyncio.Event(), asyncio.Event()

    async def handler(message):
        entered.set()
        await go.wait()
    await listener.register_handler("w", handler)
    await listener.start()
    worker = aio.Worker(listener.endpoint, "w")
    await worker.send("A")
    await asyncio.wait_for(entered.wait(), PATIENCE)
    assert await ended(await begun(asyncio.create_task(listener.stop())))
    go.set()
    await worker.flush(PATIENCE)
    assert await listener.stop() == 0
    await worker.close()


@run
async def test_a_handler_that_a_task_of_the_user_cancels_fails_alone():
    async with aio.Listener(ENDPOINT) as listener:
        inbox, current = Inbox(), asyncio.Queue()

        async def handler(message):
            if message.cmd == "WAIT":
                current.put_nowait(asyncio.current_task())
                await asyncio.Event().wait()
            await inbox(message)
        await listener.register_handler("w", handler)
        async with aio.Worker(listener.endpoint, "w") as worker:
            await worker.send("WAIT")
            await worker.send("AFTER")
            (await asyncio.wait_for(current.get(), PATIENCE)).cancel()
            assert (await inbox.next()).cmd == "AFTER"
            await worker.flush(PATIENCE)
        assert listener.stats["failed"] == 1


def test_a_loop_that_ends_with_everything_under_way_does_not_hang():
    """asyncio.run cancels what is left; nothing of it waits for ever."""
    kept = []

    async def leave():
        listener = aio.Listener(ENDPOINT, drain=0.2)
        entered = asyncio.Event()

        async def handler(message):
            entered.set()
            await asyncio.Event().wait()
        await listener.register_default_handler(handler)
        await listener.start()
        worker = aio.Worker(listener.endpoint, "w", drain=0.2)
        kept.extend([listener, worker])
        await worker.send("A")
        await asyncio.wait_for(entered.wait(), PATIENCE)
        asked = await listener.ask("A", timeout=None)
        for call in (listener.wait_for_workers(9), worker.flush(), asked.__anext__()):
            asyncio.ensure_future(call)
        await asyncio.sleep(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(leave())

    async def end():
        await kept[1].close()
        try:
            await kept[0].stop()
        except muster.Timeout:
            await kept[0].stop()
    asyncio.run(asyncio.wait_for(end(), PATIENCE))


#   --------------------------------------------------------------------------
#   Memory

@run
async def test_each_reply_is_freed_when_the_loop_moves_on():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "a") as one, aio.Worker(listener.endpoint, "b") as other:
        await listener.wait_for_workers(2, PATIENCE)
        asked = await listener.ask("A", timeout=PATIENCE)
        for worker in (one, other):
            await (await worker.recv(PATIENCE)).reply("R", {"w": np.ones(2 << 20, "u1")})
        before = None
        async for reply in asked:
            assert before is None or before() is None
            before = weakref.ref(reply.data["w"])


@run
async def test_messages_kept_in_a_list_stay_readable():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        for number in range(5):
            await worker.send("A", {"n": number, "w": np.full(2 << 20, number, "u1")})
        kept = []
        async for message in listener.messages(PATIENCE):
            kept.append(message)
            if len(kept) == 5:
                break
        for number, message in enumerate(kept):
            assert (message.cmd, message.source, message.data["n"]) == ("A", "w", number)
            assert (message.data["w"] == number).all()
            await message.reply("R", {"n": number})
        assert [(await worker.recv(PATIENCE)).data["n"] for _ in range(5)] == list(range(5))


@run
async def test_commands_kept_in_a_list_stay_readable_and_can_be_replied_to():
    async with aio.Listener(ENDPOINT) as listener, aio.Worker(listener.endpoint, "w") as worker:
        inbox = Inbox()
        await listener.register_handler("w", inbox)
        await listener.wait_for_workers(1, PATIENCE)
        for number in range(3):
            await listener.send("w", "A", {"n": number})
        kept = [await worker.recv(PATIENCE) for _ in range(3)]
        for number, command in enumerate(kept):
            assert command.data == {"n": number}
            await command.reply("R", {"n": number})
        assert [(await inbox.next()).answers for _ in range(3)] == [command.position for command in kept]
