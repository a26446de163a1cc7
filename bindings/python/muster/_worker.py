"""The worker's side.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from types import TracebackType
from typing import Optional, Tuple, Type

from muster import _core, _log, _progress
from muster._core import Rejected
from muster.keys import Path


class Worker(_core.Worker):
    """Sends messages to a listener, and takes its commands.

    It works from the moment it is made until `close`, or the end of `with`; iterating gives its commands. Any
    thread may use it. A forked child makes one of its own: with the parent's every call raises Forked.
    """

    #   Whether it is ended with the interpreter; else whoever made it sees to that.
    _ends_at_exit = True

    def __init__(
        self,
        endpoint: str,
        source: Optional[str] = None,
        *,
        return_endpoint: Optional[str] = None,
        key: Optional[Path] = None,
        server: Optional[Path] = None,
        send_buffer: Optional[int] = None,
        command_buffer: Optional[int] = None,
        liveness: Optional[float] = None,
        drain: Optional[float] = None,
        no_progress: Optional[float] = None,
        progress: Optional[_progress.Callback] = None,
    ) -> None:
        """Begin to connect; it does not wait for the listener: messages may be sent at once.

        endpoint: the listener's. source: the worker's name, a UUID unless given.
        return_endpoint: of the way back; tcp port + 1, path or name + ".return" unless given.
        key, server: its secret key (NAME.key, see `muster.keys`), and the listener's public one (its NAME.pub):
            connections are encrypted, and none is made to anybody else. Over inproc they are not used.
        send_buffer: kept until handled, bytes (64 MiB), beside one more message.
        command_buffer: commands received and not done, bytes (64 MiB), beside one more.
        liveness: silence after which the listener is taken for lost, seconds (10).
        drain: how long close waits, seconds (10).
        no_progress: how long send and flush wait while nothing moves, seconds (30).
        progress: called as progress (position, sent, size) while a message of more than 1 MiB is on its way, ten
            times a second at most, and with sent equal to size once the listener has it. On a thread of its own. It may
            make any call of the worker, `close` too.
        Raises Endpoint, Invalid, Resource, NoMemory; NotFound, Access, Format or System for the files of keys; TypeError
        or ValueError for an argument that is none, with its name; OSError or RuntimeError as a Listener does.
        A listener that does not let it in is no exception here: the calls raise Access, with what is wrong.
        """
        self._calls = None if progress is None else _progress.Calls(progress)
        try:
            super().__init__(endpoint, source, {
                "return_endpoint": return_endpoint, "key": key, "server": server,
                "send_buffer": send_buffer, "command_buffer": command_buffer,
                "liveness": liveness, "drain": drain, "no_progress": no_progress,
            }, self._ends_at_exit, -1 if self._calls is None else self._calls.descriptor)
        finally:
            if self._calls is not None:
                self._calls.hand_over()
        _log.start()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        unconfirmed, why = self._end()
        if why is None:
            return
        if error is None:
            raise why
        _log.logger.warning("%s: closed after %s: %d not confirmed: %s",
                            self.source, type(error).__name__, unconfirmed, why)

    def _end(self) -> Tuple[int, Optional[_core.Error]]:
        result = self._close()
        if self._calls is not None:
            self._calls.join()
        return result

    def __repr__(self) -> str:
        return f"<muster.Worker {self.source}>"

    def close(self) -> int:
        """Flush within the drain limit, say goodbye, disconnect.

        Returns how many of the accepted messages were not reported handled: 0 if all went well. Harmless when
        closed. Raises Rejected if the listener refused a message since the last flush.
        """
        unconfirmed, why = self._end()
        if isinstance(why, Rejected):
            raise why
        if why is not None:
            _log.logger.warning("%s: %d messages not confirmed: %s", self.source, unconfirmed, why)
        return unconfirmed
