"""fedflow's message listener over muster: a program written for fedflow.core.message runs unchanged.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

    from muster.fedflow import Handler, Message, MessageListener

    class Results(Handler):
        def handle(self, source, cmd, data):
            print(source, cmd, data)

    MessageListener.register_default_handler(Results())
    MessageListener.start()
    multiprocessing.Process(target=work, args=(MessageListener.mq(),)).start()  # work: mq.put(Message(1, "DONE", {}))
    ...
    MessageListener.stop()

How it works. The process that listens has a hub: a muster listener at an ipc socket in a directory that only this user
can enter, and an inbox. What another process puts goes by a muster worker of its own to the hub and counts as handled
when it is in the inbox, whether or not anybody runs. `run` takes from the inbox. Only here does muster pickle, and
only there is it unpickled: by `run`, from that socket.

What differs from a multiprocessing.Queue, always to the better:
- An object is pickled when it is put, so it may change afterwards.
- A process that ends first hands over what its threads put, those that outlive its main function too; it does not wait
  for a listener that has ended.
- Nobody but the listening process itself stops the listener. A message from elsewhere that claims to be the
  listener's is dropped.
- A forked child that calls `start` or `run` listens for children of its own; until then `mq` is its parent's queue.
"""
import abc
import atexit
import contextlib
import copyreg
import fcntl
import io
import logging
import multiprocessing.util
import os
import pickle
import queue
import shutil
import tempfile
import threading
import time
import uuid
from multiprocessing.reduction import ForkingPickler
from typing import Any, Callable, Dict, Hashable, List, NamedTuple, Optional, Tuple, Union

import muster

__all__ = ["Handler", "Message", "MessageListener"]

_logger = logging.getLogger("fedflow.msglistener")

_SOCKET = "mq"
_OWNER = "owner"
_LONGEST_PATH = 100
"""Bytes of a socket's path: the kernel takes 107, and the way back needs ".return"."""

_MESSAGE_LIMIT = (4 << 30) - 1
"""Bytes of the largest message: the most that muster takes."""
_RECEIVE_BUDGET = 4 * _MESSAGE_LIMIT
"""Bytes; what comes is in the inbox at once, so this bounds how many may be large, not how much memory is used."""

_PATIENCE = 2.0
"""Seconds without progress after which a child looks whether its listener still lives."""
_GOODBYE = 2.0
"""Seconds that a child waits for the answer to its goodbye, when all it sent is handled."""
_CONNECT_TRIES = 40
"""How often a child without the descriptors or memory for a worker tries again, every half second."""

_AFTER_CHILDREN = -10
"""Exit priority of the hub: multiprocessing has then waited for the children, which hand over at their exit."""


class Message(NamedTuple):
    """What processes put: who it is from, what it asks for, and with what."""

    source: Any
    """Who it is from: any hashable object, as it was given to `MessageListener.register_handler`."""
    cmd: Any
    """What it asks for."""
    data: Any
    """Any object that can be pickled."""


class Handler:
    """Base of what handles messages; a class that has `handle` will do as well."""

    @abc.abstractmethod
    def handle(self, source: Any, cmd: Any, data: Any) -> None:
        """Handle one message; its parameters are the fields of `Message`. What this raises is logged."""


class _SystemHandler(Handler):
    """Handles the messages that the listening process puts in its own name, of which none is known."""

    def handle(self, source: Any, cmd: Any, data: Any) -> None:
        _logger.debug("nothing to do for the listener's own %r", cmd)


class _DefaultHandler(Handler):
    """Handles messages without a handler while no default handler is registered."""

    def handle(self, source: Any, cmd: Any, data: Any) -> None:
        _logger.warning("No default handler. A message of %r is not handled: %r", source, cmd)


class _Letter(NamedTuple):
    """A message as it lies in the inbox."""

    packed: bytes
    own: bool
    """Put by this process itself."""


class _Pickler(ForkingPickler):
    """Pickles as multiprocessing does, except that nothing is shared with a sender who may have ended when it is read:
    torch would send its tensors as the names of memory."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        extra = {kind: reduce for kind, reduce in getattr(ForkingPickler, "_extra_reducers", {}).items()
                 if not str(reduce.__module__).startswith("torch")}
        self.dispatch_table = {**copyreg.dispatch_table, **extra}


def _pack(message: Any) -> Optional[bytes]:
    """Pickle message; None, and a line in the log, if that cannot be done: a put does not fail, here or in fedflow."""
    packed = io.BytesIO()
    try:
        _Pickler(packed).dump(message)
    except Exception:
        _logger.error("a message that cannot be pickled is dropped", exc_info=True, stack_info=True)
        return None
    return packed.getvalue()


class _Hub:
    """The listening process's side: a muster listener at a private socket, and the inbox of what came."""

    def __init__(self) -> None:
        """Listen. Raises muster.Error or OSError."""
        self.inbox: "queue.SimpleQueue[Optional[_Letter]]" = queue.SimpleQueue()  # None: stop
        self.closed = False
        self._directory = _private_directory()
        with contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, self._directory, ignore_errors=True)
            _claim(self._directory, undo)
            self.address = "ipc://" + os.path.join(self._directory, _SOCKET)
            self.queue = MessageQueue(self.address)
            self._listener = muster.Listener(
                self.address, message_limit=_MESSAGE_LIMIT, receive_budget=_RECEIVE_BUDGET)
            self._listener.register_default_handler(self._take)
            self._listener.start()
            undo.pop_all()
        # Finalize, not atexit: a multiprocessing child runs no atexit. It heeds the process that registered it.
        multiprocessing.util.Finalize(None, self._end, exitpriority=_AFTER_CHILDREN)

    def put(self, packed: bytes) -> None:
        self.inbox.put(_Letter(packed, own=True))

    def qsize(self) -> int:
        return self.inbox.qsize()

    def join(self) -> None:
        """Nothing to wait for: what is put here is there."""

    def cancel_join(self) -> None:
        """See join."""

    def _take(self, message: "muster.Message") -> None:
        """Keep what another process put; runs on muster's thread, so nothing is unpickled here."""
        packed = message.data.get("message")
        if isinstance(packed, bytes):
            self.inbox.put(_Letter(packed, own=False))
        else:
            _logger.warning("a message that is none of fedflow's is dropped: %r from %r", message.cmd, message.source)

    def _end(self) -> None:
        try:
            self._listener.stop()
        except muster.Error as error:
            _logger.warning("the listener did not stop well: %s", error)
        shutil.rmtree(self._directory, ignore_errors=True)


def _private_directory() -> str:
    """A new directory of mode 0700, with an absolute path that is short enough for a socket in it."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        path = os.path.abspath(tempfile.mkdtemp(prefix="muster-", dir=parent))
        if len(os.fsencode(os.path.join(path, _SOCKET))) <= _LONGEST_PATH:
            return path
        os.rmdir(path)
    raise OSError("no directory for temporary files has a path short enough for a socket")


def _claim(directory: str, undo: contextlib.ExitStack) -> None:
    """Lock the owner's file: the kernel gives the lock back when this process ends, and no forked child has it. And
    lock the directory: those who remove old temporary files heed that. undo closes both."""
    owner = os.open(os.path.join(directory, _OWNER), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    undo.callback(os.close, owner)
    fcntl.lockf(owner, fcntl.LOCK_EX)
    kept = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    undo.callback(os.close, kept)
    fcntl.flock(kept, fcntl.LOCK_SH)


def _lives(address: str) -> bool:
    """Does the process that listens at address live? Not to be asked by that process: closing gives up its lock."""
    path = os.path.join(os.path.dirname(address[len("ipc://"):]), _OWNER)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # cannot tell: descriptors may have run out
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)


class _Worker(muster.Worker):
    """Needed until the last thread of its process has handed over, which is longer than others are."""

    _ends_at_exit = False


class _Sender:
    """The way to another process's hub: `put` keeps, and a thread sends, so that nobody who puts ever waits."""

    def __init__(self, address: str) -> None:
        self.closed = False
        self.waits_at_exit = True
        self._address = address
        self._outgoing: "queue.SimpleQueue[Union[bytes, threading.Event, None]]" = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._feed, name="muster.fedflow sender", daemon=True)
        self._thread.start()

    def put(self, packed: bytes) -> None:
        self._outgoing.put(packed)

    def qsize(self) -> int:
        return self._outgoing.qsize()

    def join(self) -> None:
        """Wait until all that was put before is in the hub's inbox, or the hub's process has ended."""
        arrived = threading.Event()
        self._outgoing.put(arrived)
        while self._thread.is_alive() and not arrived.wait(_PATIENCE):
            pass

    def cancel_join(self) -> None:
        self.waits_at_exit = False

    def end(self) -> None:
        """Hand over what was put, then say goodbye."""
        self._outgoing.put(None)
        self._thread.join()

    def _feed(self) -> None:
        worker = self._connect()
        lost = 0
        while (item := self._outgoing.get()) is not None:
            if isinstance(item, threading.Event):
                worker = worker and self._flush(worker)
                item.set()
                continue
            worker = worker and self._send(worker, item)
            if worker is None:
                lost += 1
        worker = worker and self._flush(worker)
        if worker is not None:
            self._close(worker)
        if lost:
            _logger.error("%d messages for the listener at %s are lost", lost, self._address)

    def _connect(self) -> Optional["muster.Worker"]:
        """A worker, which connects by itself; None if that cannot be."""
        for _ in range(_CONNECT_TRIES):
            try:
                return _Worker(self._address, no_progress=_PATIENCE, drain=_GOODBYE)
            except muster.Error as error:
                _logger.warning("no way to the listener yet: %s", error)
            if not _lives(self._address):
                break
            time.sleep(0.5)
        return None

    def _send(self, worker: "muster.Worker", packed: bytes) -> Optional["muster.Worker"]:
        """Send one message; None if the listener has ended, or ended the session."""
        try:
            return self._persist(worker, lambda: worker.send("PUT", {"message": packed}))
        except (muster.TooBig, muster.NoMemory):
            _logger.error("a message of %d bytes is lost", len(packed), exc_info=True)
            return worker
        except muster.Error:
            _logger.error("no more messages can be sent to %s", self._address, exc_info=True)
            return None

    def _flush(self, worker: "muster.Worker") -> Optional["muster.Worker"]:
        """Wait until what was sent is in the inbox; None if the listener has ended."""
        try:
            return self._persist(worker, lambda: worker.flush(timeout=_PATIENCE))
        except muster.Error:
            _logger.error("messages are lost", exc_info=True)
            return worker

    def _persist(self, worker: "muster.Worker", call: Callable[[], Any]) -> Optional["muster.Worker"]:
        """Repeat call while it times out and the listener lives, however slow or stopped it is."""
        while True:
            try:
                call()
                return worker
            except muster.Timeout:
                if not _lives(self._address):
                    _logger.error("the listener at %s has ended: what it had not taken is lost", self._address)
                    return None

    def _close(self, worker: "muster.Worker") -> None:
        try:
            worker.close()
        except muster.Error as error:
            _logger.debug("goodbye without an answer: %s", error)


class _Process:
    """What this process has: its hub, if it listens, and its ways to other hubs. A forked child makes it anew."""

    def __init__(self, inherited: Optional["MessageQueue"] = None) -> None:
        self.lock = threading.RLock()  # a signal's handler may put as well
        self._inherited = inherited
        self._hub: Optional[_Hub] = None
        self._senders: Dict[str, _Sender] = {}

    def hub(self) -> _Hub:
        """The hub, opened at first use."""
        with self.lock:
            if self._hub is None:
                self._hub = _Hub()
            return self._hub

    def queue(self) -> "MessageQueue":
        """The queue of this process's own listener, or of the one of the process that it was forked from."""
        return self.known_queue() or self.hub().queue

    def known_queue(self) -> Optional["MessageQueue"]:
        """The same if there is one; opens nothing."""
        return self._inherited if self._hub is None else self._hub.queue

    def listens_elsewhere(self) -> bool:
        """Is the listener that this process knows of its parent's?"""
        return self._hub is None and self._inherited is not None

    def way(self, address: str) -> Union[_Hub, _Sender]:
        """Where what is put for address goes."""
        if self._hub is not None and self._hub.address == address:
            return self._hub
        with self.lock:
            if not self._senders:
                self._hand_over_at_exit()
            if address not in self._senders:
                self._senders[address] = _Sender(address)
            return self._senders[address]

    def own_hub(self, address: str) -> _Hub:
        """The hub of address, which must be this process's own. Raises muster.Forked."""
        way = self.way(address)
        if isinstance(way, _Hub):
            return way
        raise muster.Forked("only the process that listens takes from its queue")

    def _hand_over_at_exit(self) -> None:
        if multiprocessing.util.is_exiting():
            self._hand_over_last()  # the first to put is a thread that outlives the main one
        else:
            multiprocessing.util.Finalize(None, self._leave, exitpriority=0)

    def _leave(self) -> None:
        """The process ends. A multiprocessing child comes here before its threads have ended; they may still put."""
        if threading.main_thread().is_alive():
            self._hand_over_last()
        else:
            self._hand_over()

    def _hand_over_last(self) -> None:
        """Hand over when all other threads have ended, on one that the interpreter waits for, as it is no daemon."""
        def work() -> None:
            threading.main_thread().join()
            while others := _threads_waited_for():
                others[0].join()
            self._hand_over()

        threading.Thread(target=work, name="muster.fedflow exit").start()

    def _hand_over(self) -> None:
        with self.lock:
            senders = list(self._senders.values())
        for sender in senders:
            if sender.waits_at_exit:
                sender.end()


def _threads_waited_for() -> List[threading.Thread]:
    """The other threads that the interpreter waits for at its exit."""
    return [thread for thread in threading.enumerate()
            if thread.is_alive() and not thread.daemon and thread is not threading.current_thread()]


_here = _Process()

# At its exit muster ends what is left. multiprocessing, which waits for children that hand over then, must come first.
atexit.register(getattr(multiprocessing.util, "_exit_function"))


def _before_fork() -> None:
    # The child must know where to put, though nobody asked for the queue yet.
    try:
        _here.queue()
    except (muster.Error, OSError) as error:
        _logger.error("a forked child will have no queue: %s", error)


def _in_forked_child() -> None:
    # Locks may be held by threads that are not here, and the hub and the senders are the parent's.
    global _here
    _here = _Process(inherited=_here.known_queue())


os.register_at_fork(before=_before_fork, after_in_child=_in_forked_child)


class MessageQueue:
    """What `MessageListener.mq` returns: to those who put it is as a multiprocessing.Queue. It pickles to its address,
    anywhere, and a copy is as good."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __reduce__(self) -> Tuple[Callable[[str], "MessageQueue"], Tuple[str]]:
        return MessageQueue, (self._address,)

    def __repr__(self) -> str:
        return f"<MessageQueue {self._address}>"

    def put(self, obj: Any, block: bool = True, timeout: Optional[float] = None) -> None:
        """Put a message, as it is now; never waits.

        :param obj: a `Message`, or an object that has the same attributes. One that cannot be pickled is logged and
            dropped.
        :param block: of no effect, for there is always room.
        :param timeout: of no effect.
        :raises ValueError: this process has closed the queue.
        """
        way = _here.way(self._address)
        if way.closed:
            raise ValueError(f"{self!r} is closed")
        packed = _pack(obj)
        if packed is not None:
            way.put(packed)

    def put_nowait(self, obj: Any) -> None:
        """The same as `put`."""
        self.put(obj, block=False)

    def get(self, block: bool = True, timeout: Optional[float] = None) -> Any:
        """Take the next message instead of `MessageListener.run`; the listening process only.

        :param block: wait for one.
        :param timeout: seconds to wait at most; None: for ever.
        :raises queue.Empty: there is none, or none came in time.
        :raises muster.Forked: another process listens.
        """
        letter = _here.own_hub(self._address).inbox.get(block, timeout)
        return MessageListener._stop_message() if letter is None else pickle.loads(letter.packed)

    def get_nowait(self) -> Any:
        """The same as `get`, without waiting."""
        return self.get(block=False)

    def qsize(self) -> int:
        """In the listening process how many messages wait to be handled, elsewhere how many wait to be sent."""
        return _here.way(self._address).qsize()

    def empty(self) -> bool:
        """Is `qsize` 0?"""
        return self.qsize() == 0

    def full(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """This process will put no more."""
        _here.way(self._address).closed = True

    def join_thread(self) -> None:
        """Wait until what this process put has been handed over, or the listening process has ended.

        :raises AssertionError: the queue was not closed before.
        """
        way = _here.way(self._address)
        if not way.closed:
            raise AssertionError(f"{self!r} is not closed")
        way.join()

    def cancel_join_thread(self) -> None:
        """This process's exit shall not wait until what it put is handed over; it may be lost then."""
        _here.way(self._address).cancel_join()


class MessageListener:
    """The listener of this process: hands each message that is put to the handler of its source."""

    logger = _logger

    __source = uuid.uuid4()
    __system_handler: Handler = _SystemHandler()
    __default_handler: Handler = _DefaultHandler()
    __handlers: Dict[Hashable, Any] = {}

    @classmethod
    def start(cls) -> None:
        """Call `run` on a thread of its own, which the interpreter waits for at its exit.

        Each `stop` ends one `run`. Two that run at once share the messages, and keep no order.

        :raises muster.Error: the socket could not be made (the first use only).
        :raises OSError: its directory could not be made.
        """
        _here.hub()
        threading.Thread(target=cls.run, name="muster.fedflow listener").start()

    @classmethod
    def run(cls) -> None:
        """Handle messages on the caller's thread, those that were put before included, until `stop`.

        :raises muster.Error: as `start`.
        """
        inbox = _here.hub().inbox
        while (letter := inbox.get()) is not None:
            try:
                cls.__handle(letter)
            except Exception:
                cls.logger.error("a message was not handled", exc_info=True, stack_info=True)
        cls.logger.info("stopped.")

    @classmethod
    def register_handler(cls, source: Hashable, handler: Any, overwrite: bool = False) -> None:
        """Have handler handle the messages of source from now on, in any thread, also while it runs.

        A source that is the listener's own, or has a handler already, is refused with a line in the log.

        :param source: any hashable object.
        :param handler: a `Handler`.
        :param overwrite: take the place of the handler that is there.
        """
        if source == cls.__source:
            cls.logger.error("no handler can be registered for the listener's own source %s", source)
            return
        with _here.lock:
            taken = source in cls.__handlers and not overwrite
            if not taken:
                cls.__handlers[source] = handler
        if taken:
            cls.logger.warning("source %s has a handler already, which stays.", source)
        else:
            cls.logger.info("source %s has a handler now.", source)

    @classmethod
    def register_default_handler(cls, default_handler: Any) -> None:
        """Have default_handler handle the messages of sources without a handler.

        :param default_handler: a `Handler`; None changes nothing but the log.
        """
        if default_handler is None:
            cls.logger.warning("None cannot be the default handler.")
            return
        cls.__default_handler = default_handler
        cls.logger.info("there is a new default handler.")

    @classmethod
    def stop(cls) -> None:
        """End one `run` when it has handled what was put before; does not wait. Without one, the next ends then.

        In a process forked from the one that listens it does nothing but log.
        """
        if _here.listens_elsewhere():
            cls.logger.warning("only the process that listens can stop its listener.")
            return
        cls.logger.info("stop is put behind the messages that wait.")
        _here.hub().inbox.put(None)

    @classmethod
    def mq(cls) -> MessageQueue:
        """The queue to put messages in, from here or, once handed to them, from other processes.

        :raises muster.Error: as `start`.
        """
        return _here.queue()

    @classmethod
    def _stop_message(cls) -> Message:
        """What `stop` is to those who take it out of the queue."""
        return Message(cls.__source, "STOP", {})

    @classmethod
    def __handle(cls, letter: _Letter) -> None:
        message = pickle.loads(letter.packed)
        source, cmd = message.source, message.cmd
        cls.logger.debug("received %r from %r", cmd, source)
        if isinstance(source, uuid.UUID) and source == cls.__source:
            cls.__handle_own(letter, message)
            return
        handler = cls.__handlers.get(source)
        if handler is None:
            handler = cls.__default_handler
        handler.handle(source, cmd, message.data)

    @classmethod
    def __handle_own(cls, letter: _Letter, message: Any) -> None:
        """A message in the listener's name. STOP is never one: it is no message, so nobody can put it."""
        if not letter.own or message.cmd == "STOP":
            cls.logger.warning("a message that claims to be the listener's own is dropped: %r", message.cmd)
            return
        cls.__system_handler.handle(message.source, message.cmd, message.data)
