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
from typing import Any, Callable, Tuple

from muster import _log

Callback = Callable[[int, int, int], object]
ListenerCallback = Callable[[str, int, int, int], object]

#   position, sent, size, and of a listener the worker's source; all zero ends it. A pipe takes and gives
#   so few bytes whole.
_RECORD = struct.Struct("=QQQ")
_NAMED = struct.Struct("=QQQ256s")

_END_SECONDS = 5


class Calls:
    """The thread that calls function (position, sent, size)."""

    _record = _RECORD

    def __init__(self, function: Callable[..., object]) -> None:
        if not callable(function):
            raise TypeError(f"progress must be callable, not {type(function).__name__}")
        self._function = function
        self._reader, self.descriptor = os.pipe()
        os.set_blocking(self.descriptor, False)
        self._thread = threading.Thread(target=self._run, name="muster-progress", daemon=True)
        self._thread.start()

    def hand_over(self) -> None:
        """The worker, or listener, has a descriptor of its own now, or will never have one."""
        os.close(self.descriptor)

    def join(self) -> None:
        """Once the worker has ended: wait for the last call, for as long as one may take."""
        if self._thread is not threading.current_thread():
            self._thread.join(_END_SECONDS)

    def _arguments(self, record: bytes) -> Tuple[Any, ...]:
        return self._record.unpack(record)

    def _run(self) -> None:
        while (record := os.read(self._reader, self._record.size)) and any(record):
            try:
                self._function(*self._arguments(record))
            except BaseException as error:  # the next call is another's
                _log.logger.error("progress %r failed", self._function, exc_info=error)
        os.close(self._reader)


class NamedCalls(Calls):
    """The thread that calls function (source, position, sent, size)."""

    _record = _NAMED

    def _arguments(self, record: bytes) -> Tuple[Any, ...]:
        position, sent, size, source = self._record.unpack(record)
        return source.rstrip(b"\0").decode(), position, sent, size
