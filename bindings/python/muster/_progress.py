"""How far large messages have come, on its way to a callback.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

The library's thread must not wait for the GIL: it writes records into a pipe, which
never waits for room, and a thread of Python's reads them and calls.
"""
import os
import struct
import threading
import weakref
from typing import Any, Callable, List, Tuple

from muster import _log

Callback = Callable[[int, int, int], object]
ListenerCallback = Callable[[str, int, int, int], object]

#   position, sent, size, and of a listener the worker's source; all zero ends it. A pipe takes and gives
#   so few bytes whole.
_RECORD = struct.Struct("=QQQ")
_NAMED = struct.Struct("=QQQ256s")

_END_SECONDS = 5


class Calls:
    """The thread that calls function (position, sent, size).

    The worker, or listener, holds this, and the thread does not: what function refers to, the worker itself say,
    can be freed with it.
    """

    _record = _RECORD

    def __init__(self, function: Callable[..., object]) -> None:
        if not callable(function):
            raise TypeError(f"progress must be callable, not {type(function).__name__}")
        self._function = function
        self._kept: List["Calls"] = []
        reader, self.descriptor = os.pipe()
        os.set_blocking(self.descriptor, False)
        self._thread = threading.Thread(target=_run, args=(reader, self._record.size, weakref.ref(self), self._kept),
                                        name="muster-progress", daemon=True)
        try:
            self._thread.start()
        except BaseException:   # there may be no thread
            os.close(reader)
            self.hand_over()
            raise

    def hand_over(self) -> None:
        """The worker, or listener, has a descriptor of its own now, or will never have one."""
        os.close(self.descriptor)

    def outlive(self) -> None:
        """Nobody holds this any more; what is in the pipe is told all the same."""
        self._kept.append(self)

    def join(self) -> None:
        """Once the worker has ended: wait for the last call, for as long as one may take."""
        if self._thread is not threading.current_thread():
            self._thread.join(_END_SECONDS)

    def call(self, record: bytes) -> None:
        """On the thread."""
        try:
            self._function(*self._arguments(record))
        except BaseException as error:  # the next call is another's
            _log.logger.error("progress %r failed", self._function, exc_info=error)

    def _arguments(self, record: bytes) -> Tuple[Any, ...]:
        return self._record.unpack(record)


class NamedCalls(Calls):
    """The thread that calls function (source, position, sent, size)."""

    _record = _NAMED

    def _arguments(self, record: bytes) -> Tuple[Any, ...]:
        position, sent, size, source = self._record.unpack(record)
        return source.rstrip(b"\0").decode(), position, sent, size


def _run(reader: int, size: int, held: "weakref.ref[Calls]", kept: List[Calls]) -> None:
    """The thread. It refers to nothing of the worker's while it waits."""
    while (record := os.read(reader, size)) and any(record):
        calls = held()
        if calls is not None:
            calls.call(record)
        del calls
    kept.clear()
    os.close(reader)
