"""The coordinator's side.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, Iterator, Optional, Type, TypeVar, Union

from muster import _core, _log, _progress
from muster._core import Ask, Error, Message
from muster.keys import Path

Handler = Callable[[Message], Any]
Data = Dict[str, Any]

_H = TypeVar("_H", bound=Handler)


class Listener(_core.Listener):
    """Takes messages in, hands each to the handler of its source, and knows the workers.

    It works from `start` (or `with`) to `stop`, and may be started again. Until the first handler is registered,
    or the first loop over `messages` begins, messages wait. Any thread may use it.
    In a forked child it is the parent's: every call raises Forked.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        return_endpoint: Optional[str] = None,
        advertise: Optional[str] = None,
        key: Optional[Path] = None,
        allow: Optional[Path] = None,
        insecure: bool = False,
        message_limit: Optional[int] = None,
        frame_limit: Optional[int] = None,
        receive_budget: Optional[int] = None,
        plain_share: Optional[int] = None,
        credit_floor: Optional[int] = None,
        command_buffer: Optional[int] = None,
        liveness: Optional[float] = None,
        drain: Optional[float] = None,
        no_progress: Optional[float] = None,
        retention: Optional[float] = None,
        retained_sessions: Optional[int] = None,
        progress: Optional[_progress.ListenerCallback] = None,
    ) -> None:
        """Make a listener; `start` reports what is wrong with it.

        endpoint: tcp://ADDRESS:PORT (port * finds a free pair), ipc://PATH or inproc://NAME.
        return_endpoint: of the way back; tcp port + 1, path or name + ".return" unless given.
        advertise: host name or address that `endpoint` shows in place of the one bound.
        key, allow: its secret key (NAME.key, see `muster.keys`), and the file of who may come in and use which sources:
            connections are encrypted, and nobody else gets in. Over inproc they are not used.
        insecure: allow a tcp address beyond loopback without keys.
        message_limit: largest message, bytes (1 GiB, or half the budget if less).
        frame_limit: largest frame of a plain producer, bytes (64 MiB).
        receive_budget: received and not handled, of all workers, bytes (2 GiB).
        plain_share: the plain producers' share of it, bytes (a quarter); a message takes some 350 beside its own.
        credit_floor: credit each worker has without asking, bytes (64 KiB).
        command_buffer: commands kept for one worker, bytes (64 MiB), beside one more.
        liveness: silence after which a worker is LOST, seconds (10).
        drain: how long stop waits for messages to be handled, seconds (10).
        no_progress: how long send waits while its worker makes none, seconds (30).
        retention: how long an absent worker's session is kept, seconds (3600).
        retained_sessions: how many of those are kept (10,000).
        progress: called as progress (source, position, sent, size) while a command of more than 1 MiB is on its way to
            the worker source, ten times a second at most for each, and with sent equal to size once it has it. On a
            thread of its own, which lasts as long as the listener is referred to. It may make any call of the listener.
        Raises TypeError or ValueError for an argument that is none, with its name; NoMemory; OSError without a
        descriptor and RuntimeError without a thread for progress.
        """
        calls = None if progress is None else _progress.NamedCalls(progress)
        try:
            super().__init__(endpoint, {
                "return_endpoint": return_endpoint, "advertise": advertise,
                "key": key, "allow": allow, "insecure": insecure,
                "message_limit": message_limit, "frame_limit": frame_limit,
                "receive_budget": receive_budget, "plain_share": plain_share,
                "credit_floor": credit_floor, "command_buffer": command_buffer,
                "liveness": liveness, "drain": drain, "no_progress": no_progress,
                "retention": retention, "retained_sessions": retained_sessions,
            }, calls)
        finally:
            if calls is not None:
                calls.hand_over()
        _log.start()

    def __enter__(self) -> "Listener":
        self.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        try:
            self.stop()
        except Error as stopping:
            if error is None:
                raise
            _log.logger.warning("%s: stopping after %s: %s", self.endpoint, type(error).__name__, stopping)

    def __repr__(self) -> str:
        return f"<muster.Listener {self.endpoint or 'not started'}>"

    def on(self, source: Optional[str] = None, overwrite: bool = False) -> Callable[[_H], _H]:
        """Register the decorated function as the handler of source, or, without one, as the default.

        Raises what register_handler and register_default_handler raise.
        """
        def register(handler: _H) -> _H:
            if source is None:
                self.register_default_handler(handler)
            else:
                self.register_handler(source, handler, overwrite)
            return handler
        return register

    def messages(self, timeout: Optional[float] = None) -> Iterator[Message]:
        """Take messages in a loop, instead of by handlers.

        Each is done, and counts as handled, when the loop moves on or ends. The loop ends when none has come
        for timeout seconds (None: never) and when the listener stops.
        Raises Busy if there are handlers.
        """
        return _core.Messages(self, timeout)

    def ask(self, cmd: str, data: Optional[Data] = None, workers: Optional[Iterable[str]] = None,
            at_least: Union[int, float, None] = None, grace: float = 0,
            timeout: Optional[float] = 60) -> Ask:
        """Begin a round: send a command to workers, and iterate over their replies as they come.

        cmd: str of 1 to 255 bytes. data: dict with str keys, None for {}.
        workers: sources; None asks all that are here. One that is not here is missing: NOTFOUND.
        at_least: how many replies suffice, an int, or a float over 0 and up to 1 as a fraction of those asked.
        grace: seconds to wait for more after these. timeout: seconds, None for ever.

        The round ends when all have replied, when at_least have and grace has passed, when nobody is
        left who could, or at the timeout. Each reply is freed when the loop moves on; `missing` says why for the
        others. What comes later goes to its source's handler, marked late.
        Raises Closed, TooBig, Invalid, TypeError and its like for data.
        """
        return Ask(self, cmd, data, workers, at_least, grace, timeout)
