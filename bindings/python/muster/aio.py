"""The same for asyncio: calls that may wait are awaited, handlers may be coroutines.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

    async with aio.Listener("tcp://127.0.0.1:*") as listener:
        await listener.wait_for_workers(2)
        async for reply in await listener.ask("TRAIN", {"round": 1}):
            print(reply.source, reply.data["loss"])

    async with aio.Worker(endpoint, source="worker-1") as worker:
        async for command in worker:
            await command.reply("UPDATE", {"loss": 0.3})

Arguments, results and exceptions are those of `muster.Listener` and `muster.Worker`. An object belongs to the
event loop in which it is first used. A call that is cancelled ends within 50 ms; what it had done by then stays
done: a message is not lost, a listener goes on stopping.
"""
import asyncio
import contextvars
import inspect
import threading
from types import TracebackType
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, FrozenSet, Iterable, List, Optional, Set, Type, TypeVar, Union

import muster
from muster import _core, _log
from muster._stats import Stats

Handler = Callable[["Message"], Any]
Data = Dict[str, Any]

_T = TypeVar("_T")
_H = TypeVar("_H", bound=Handler)

#   Listeners whose handlers the current task is in.
_inside: contextvars.ContextVar[FrozenSet[Any]] = contextvars.ContextVar("muster_inside", default=frozenset())

#   Calls that go on without anybody who waits for them.
_left_alone: Set["asyncio.Future[Any]"] = set()


def _start_call(function: Callable[..., _T], *arguments: Any) -> "asyncio.Future[_T]":
    """Call in a thread of its own: a pool that is full of calls that wait would keep others from ending them."""
    loop = asyncio.get_running_loop()
    future: "asyncio.Future[_T]" = loop.create_future()
    token = _core.Token()

    def settle(result: Any, error: Optional[BaseException]) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = token.run(function, *arguments)
        except BaseException as caught:
            error = caught
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            pass    # the loop is closed: nobody waits any more

    threading.Thread(target=run, name="muster-aio", daemon=True).start()
    future._muster_token = token    # type: ignore[attr-defined]
    return future


async def _finish_call(future: "asyncio.Future[_T]") -> _T:
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future._muster_token.cancel()   # type: ignore[attr-defined]
        future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        raise


async def _call(function: Callable[..., _T], *arguments: Any) -> _T:
    return await _finish_call(_start_call(function, *arguments))


def _leave_alone(function: Callable[..., Any], *arguments: Any) -> None:
    future = _start_call(function, *arguments)
    _left_alone.add(future)

    def ended(future: "asyncio.Future[Any]") -> None:
        _left_alone.discard(future)
        if not future.cancelled() and future.exception() is not None:
            _log.logger.warning("%s: %s", function.__name__, future.exception())
    future.add_done_callback(ended)


class _Readable:
    """Waits for a descriptor, for any number of tasks."""

    def __init__(self, descriptor: Callable[[], int]) -> None:
        self._descriptor = descriptor
        self._watched = -1
        self._waiters: List["asyncio.Future[None]"] = []

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, timeout: Optional[float]) -> None:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        if not self._waiters:
            self._watched = self._descriptor()
            loop.add_reader(self._watched, self._wake)
        self._waiters.append(waiter)
        try:
            await asyncio.wait_for(waiter, timeout)
        except asyncio.TimeoutError:
            pass
        finally:
            self._waiters.remove(waiter)
            if not self._waiters:
                loop.remove_reader(self._watched)


async def _take(readable: _Readable, take: Callable[[], Optional[_core.Message]],
                timeout: Optional[float]) -> Optional["Message"]:
    """The next message, None past timeout. What take gives is never lost: nothing is awaited after it."""
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    while True:
        message = take()
        if message is not None:
            return Message(message)
        left = None if deadline is None else deadline - loop.time()
        if left is not None and left <= 0:
            return None
        await readable.wait(left)


class Message:
    """A message; see `muster.Message`."""

    __slots__ = ("_message",)

    def __init__(self, message: _core.Message) -> None:
        self._message = message

    @property
    def source(self) -> str:
        """Who it is from."""
        return self._message.source

    @property
    def cmd(self) -> str:
        """What it asks for."""
        return self._message.cmd

    @property
    def data(self) -> Data:
        """Its data, unpacked when first asked for."""
        return self._message.data

    @property
    def session(self) -> str:
        """32 hexadecimal digits; "" for a plain producer's message and for events."""
        return self._message.session

    @property
    def position(self) -> int:
        """Place in its session, from 1; 0 without a session."""
        return self._message.position

    @property
    def answers(self) -> int:
        """Position of the command that it answers; 0 if it is no reply."""
        return self._message.answers

    @property
    def late(self) -> bool:
        """A reply that came after its ask had ended."""
        return self._message.late

    async def reply(self, cmd: str, data: Optional[Data] = None) -> None:
        """Send an answer to where the message came from; see `muster.Message.reply`."""
        await _call(self._message.reply, cmd, data)

    def __repr__(self) -> str:
        return repr(self._message)


class Ask(AsyncIterator[Message]):
    """A round; see `muster.Ask`. One task at a time may iterate."""

    def __init__(self, ask: _core.Ask) -> None:
        self._ask = ask
        self._next: Optional["asyncio.Future[Optional[_core.Message]]"] = None

    @property
    def missing(self) -> Dict[str, str]:
        """Who has not replied, and why."""
        return self._ask.missing

    @property
    def asked(self) -> int:
        """How many workers were asked."""
        return self._ask.asked

    @property
    def replied(self) -> int:
        """How many have replied so far."""
        return self._ask.replied

    async def __anext__(self) -> Message:
        #   A reply that came as the wait for it was cancelled is the next one's.
        if self._next is None or self._was_interrupted():
            self._next = _start_call(self._ask.next)
        reply = await _finish_call(self._next)
        self._next = None
        if reply is None:
            raise StopAsyncIteration
        return Message(reply)

    def _was_interrupted(self) -> bool:
        future = self._next
        return future is not None and future.done() and isinstance(future.exception(), muster.Interrupted)


class Listener:
    """The coordinator's side; see `muster.Listener`.

    Handlers, coroutine functions or plain ones, are called in the event loop, one at a time.
    """

    def __init__(self, endpoint: str, **options: Any) -> None:
        """Arguments as for muster.Listener."""
        self._listener = muster.Listener(endpoint, **options)
        self._readable = _Readable(self._listener._descriptor)
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._has_default = False

    async def __aenter__(self) -> "Listener":
        await self.start()
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        try:
            await self.stop()
        except muster.Error as stopping:
            if error is None:
                raise
            _log.logger.warning("%s: stopping after %s: %s", self.endpoint, type(error).__name__, stopping)

    def __repr__(self) -> str:
        return f"<muster.aio.Listener {self.endpoint or 'not started'}>"

    @property
    def endpoint(self) -> str:
        """What a worker connects to; "" before the first start."""
        return self._listener.endpoint

    @property
    def source(self) -> str:
        """The listener's own source; its events are from it."""
        return self._listener.source

    @property
    def workers(self) -> List[str]:
        """The sources of the workers that are here."""
        return self._listener.workers

    @property
    def stats(self) -> Stats:
        """What the listener counts."""
        return self._listener.stats

    async def start(self) -> None:
        """Bind and take messages in; handlers run in this event loop."""
        self._loop = asyncio.get_running_loop()
        await _call(self._listener.start)

    async def stop(self) -> int:
        """Stop; returns how many messages were left unhandled. In a handler it asks and does not wait."""
        if self in _inside.get():
            _leave_alone(self._listener.stop)
            return 0
        return await _call(self._listener.stop)

    def _in_loop(self, handler: Handler) -> Callable[[_core.Message], None]:
        """A handler for the dispatch thread, which waits until the loop has run the one given."""
        if not callable(handler):
            return handler

        async def run(message: Message) -> None:
            _inside.set(_inside.get() | {self})
            result = handler(message)
            if inspect.isawaitable(result):
                await result

        def call(message: _core.Message) -> None:
            assert self._loop is not None
            asyncio.run_coroutine_threadsafe(run(Message(message)), self._loop).result()
        call.__qualname__ = getattr(handler, "__qualname__", repr(handler))
        return call

    async def _change(self, function: Callable[..., None], *arguments: Any) -> None:
        """Changes wait for the old handler, unless they come from inside one."""
        if self in _inside.get():
            _leave_alone(function, *arguments)
        else:
            await _call(function, *arguments)

    async def register_handler(self, source: str, handler: Handler, overwrite: bool = False) -> None:
        """Register the handler of one source; see `muster.Listener.register_handler`."""
        if overwrite:
            await self._change(self._listener.register_handler, source, self._in_loop(handler), True)
        else:
            self._listener.register_handler(source, self._in_loop(handler))

    async def register_default_handler(self, handler: Handler) -> None:
        """Set the handler of messages whose source has none."""
        await self._change(self._listener.register_default_handler, self._in_loop(handler))
        self._has_default = True

    async def register_system_handler(self, handler: Handler) -> None:
        """Set the handler of the listener's events."""
        await self._change(self._listener.register_system_handler, self._in_loop(handler))

    async def unregister_handler(self, source: str) -> None:
        """Remove the handler of one source; returns once it is not running, unless it is the caller."""
        await self._change(self._listener.unregister_handler, source)

    def on(self, source: Optional[str] = None) -> Callable[[_H], _H]:
        """Register the decorated function as the handler of source, or, without one, as the default.

        Raises Exists if there is one.
        """
        def register(handler: _H) -> _H:
            if source is not None:
                self._listener.register_handler(source, self._in_loop(handler))
            elif self._has_default:
                raise muster.Exists("there is a default handler")
            else:
                self._listener.register_default_handler(self._in_loop(handler))
                self._has_default = True
            return handler
        return register

    async def messages(self, timeout: Optional[float] = None) -> AsyncIterator[Message]:
        """Take messages in a loop, instead of by handlers; see `muster.Listener.messages`."""
        taken = _core.Messages(self._listener, None)
        try:
            while True:
                message = await _take(self._readable, lambda: taken.next(0), timeout)
                if message is None:
                    return
                yield message
                del message     # or it would be kept while the next one is waited for
        except muster.Closed:
            return

    async def send(self, source: str, cmd: str, data: Optional[Data] = None) -> str:
        """Send a command to one worker; returns its source."""
        return await _call(self._listener.send, source, cmd, data)

    async def broadcast(self, cmd: str, data: Optional[Data] = None) -> List[str]:
        """Send a command to all workers that are here; returns their sources."""
        return await _call(self._listener.broadcast, cmd, data)

    async def wait_for_workers(self, workers: Union[int, Iterable[str]], timeout: Optional[float] = None) -> None:
        """Wait until so many workers, or each of these sources, are here."""
        await _call(self._listener.wait_for_workers, workers, timeout)

    async def ask(self, cmd: str, data: Optional[Data] = None, workers: Optional[Iterable[str]] = None,
                  at_least: Union[int, float, None] = None, grace: float = 0,
                  timeout: Optional[float] = 60) -> Ask:
        """Begin a round; see `muster.Listener.ask`."""
        return Ask(await _call(self._listener.ask, cmd, data, workers, at_least, grace, timeout))


class Worker:
    """The worker's side; see `muster.Worker`. Iterating gives its commands."""

    def __init__(self, endpoint: str, source: Optional[str] = None, **options: Any) -> None:
        """Arguments as for muster.Worker."""
        self._worker = muster.Worker(endpoint, source, **options)
        self._readable = _Readable(self._worker._descriptor)

    async def __aenter__(self) -> "Worker":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        await _call(self._worker.__exit__, kind, error, trace)

    def __repr__(self) -> str:
        return f"<muster.aio.Worker {self.source}>"

    @property
    def source(self) -> str:
        """The worker's source."""
        return self._worker.source

    async def send(self, cmd: str, data: Optional[Data] = None) -> None:
        """Send a message; see `muster.Worker.send`."""
        if not self._worker._try_send(cmd, data):
            await _call(self._worker.send, cmd, data)

    async def flush(self, timeout: Optional[float] = None) -> None:
        """Wait until the handler of every message accepted so far has returned."""
        await _call(self._worker.flush, timeout)

    async def close(self) -> int:
        """Flush within the drain limit, say goodbye, disconnect; returns how many were not confirmed."""
        return await _call(self._worker.close)

    def _recv_now(self) -> Optional[_core.Message]:
        try:
            return self._worker.recv(0)
        except muster.Timeout:
            return None

    async def recv(self, timeout: Optional[float] = None) -> Message:
        """Take the next command; see `muster.Worker.recv`."""
        message = await _take(self._readable, self._recv_now, timeout)
        if message is None:
            raise muster.Timeout("no command in time")
        return message

    def __aiter__(self) -> "Worker":
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.recv()
        except muster.Closed:
            raise StopAsyncIteration from None
