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
from typing import Any, AsyncIterator, Callable, Dict, Generic, Iterable, List, Optional, Tuple, Type, TypeVar, Union

import muster
from muster import _core, _log
from muster._stats import Stats

Handler = Callable[["Message"], Any]
Data = Dict[str, Any]

_T = TypeVar("_T")
_H = TypeVar("_H", bound=Handler)


class _Inside:
    """A handler that runs: what is called from it, or from a task that it began, does not wait for it."""

    def __init__(self, listener: "Listener") -> None:
        self.listener = listener
        self.running = True
        self.outer = _inside.get()
        _inside.set(self)


_inside: contextvars.ContextVar[Optional[_Inside]] = contextvars.ContextVar("muster_inside", default=None)


def _is_inside(listener: "Listener") -> bool:
    inside = _inside.get()
    while inside is not None:
        if inside.listener is listener and inside.running:
            return True
        inside = inside.outer
    return False


class _Call(Generic[_T]):
    """A call in a thread of its own: a pool that is full of calls that wait would keep others from ending them."""

    def __init__(self, function: Callable[..., _T], *arguments: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._token = _core.Token()
        self.future: "asyncio.Future[_T]" = self._loop.create_future()
        threading.Thread(target=self._run, args=(function, arguments), name="muster-aio", daemon=True).start()

    def _run(self, function: Callable[..., _T], arguments: Tuple[Any, ...]) -> None:
        """The result is the loop's alone: this thread may live on a while, and would keep a large message with it."""
        results: List[_T] = []
        try:
            results.append(self._token.run(function, *arguments))
            settle: Callable[[], None] = lambda: self.future.set_result(results.pop())
        except BaseException as error:
            caught = error
            settle = lambda: self.future.set_exception(caught)
        try:
            self._loop.call_soon_threadsafe(settle)
        except RuntimeError:
            pass    # the loop is closed: nobody waits any more

    def cancel(self) -> None:
        """End its waits within 50 ms."""
        self._token.cancel()
        self.future.add_done_callback(lambda future: future.exception())    # nobody else may ask for it

    async def finish(self) -> _T:
        try:
            return await asyncio.shield(self.future)
        except asyncio.CancelledError:
            self.cancel()
            raise


async def _call(function: Callable[..., _T], *arguments: Any) -> _T:
    return await _Call(function, *arguments).finish()


async def _call_without_waiting(function: Callable[..., Any], *arguments: Any) -> None:
    """Make a change that may wait for what is replaced or ended, and leave the wait out."""
    call = _Call(function, *arguments)
    call.cancel()
    try:
        await call.finish()
    except muster.Interrupted:
        pass


def _change_at_once(function: Callable[..., Any], *arguments: Any) -> None:
    """The same for a caller that cannot await; the loop stands still for up to 50 ms."""
    token = _core.Token()
    token.cancel()
    try:
        token.run(function, *arguments)
    except muster.Interrupted:
        pass


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
        self._next: Optional[_Call[Optional[_core.Message]]] = None

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
        reply = await self._take()
        if reply is None:
            raise StopAsyncIteration
        return Message(reply)

    async def _take(self) -> Optional[_core.Message]:
        """A reply that came as the wait for it was cancelled is the next one's."""
        while True:
            if self._next is None:
                self._next = _Call(self._ask.next)
            try:
                reply = await self._next.finish()
            except muster.Interrupted:
                self._next = None
                continue
            except muster.Error:
                self._next = None
                raise
            self._next = None
            return reply


class Listener:
    """The coordinator's side; see `muster.Listener`.

    Handlers, coroutine functions or plain ones, are called in the event loop, one at a time.
    """

    def __init__(self, endpoint: str, **options: Any) -> None:
        """Arguments as for muster.Listener."""
        self._listener = muster.Listener(endpoint, **options)
        self._readable = _Readable(self._listener._descriptor)
        self._loop: Optional[asyncio.AbstractEventLoop] = None

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
        if _is_inside(self):
            await _call_without_waiting(self._listener.stop)
            return 0
        return await _call(self._listener.stop)

    async def reload(self) -> None:
        """Read the allow file again: who may not use a source any more is gone; see `muster.Listener.reload`."""
        await _call(self._listener.reload)

    def _in_loop(self, handler: Handler) -> Callable[[_core.Message], None]:
        """A handler for the dispatch thread, which waits until the loop has run the one given."""
        if not callable(handler):
            return handler

        async def run(message: Message) -> None:
            inside = _Inside(self)
            try:
                result = handler(message)
                if inspect.isawaitable(result):
                    await result
            finally:
                inside.running = False

        def call(message: _core.Message) -> None:
            assert self._loop is not None
            asyncio.run_coroutine_threadsafe(run(Message(message)), self._loop).result()
        call.__qualname__ = getattr(handler, "__qualname__", repr(handler))
        return call

    async def _change(self, function: Callable[..., None], *arguments: Any) -> None:
        """Changes wait for the old handler, unless they come from inside one."""
        if _is_inside(self):
            await _call_without_waiting(function, *arguments)
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

    async def register_system_handler(self, handler: Handler) -> None:
        """Set the handler of the listener's events."""
        await self._change(self._listener.register_system_handler, self._in_loop(handler))

    async def unregister_handler(self, source: str) -> None:
        """Remove the handler of one source; returns once it is not running, unless it is the caller."""
        await self._change(self._listener.unregister_handler, source)

    def on(self, source: Optional[str] = None, overwrite: bool = False) -> Callable[[_H], _H]:
        """Register the decorated function as the handler of source, or, without one, as the default.

        It does not wait for a handler that it replaces. Raises what register_handler raises.
        """
        def register(handler: _H) -> _H:
            if source is None:
                _change_at_once(self._listener.register_default_handler, self._in_loop(handler))
            else:
                _change_at_once(self._listener.register_handler, source, self._in_loop(handler), overwrite)
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
        """Wait until the handler of every message accepted so far has returned. Timeout says how many are not handled."""
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
