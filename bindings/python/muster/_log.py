"""Log lines of the library, and handlers that fail, on their way to `logging`.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

The library's threads leave their lines and go on; a thread of Python's takes them
to the logger `muster`.
"""
import logging
import os
import threading
import traceback
from typing import Any, Optional

logger = logging.getLogger("muster")

#   What report_failure says better.
_KNOWN = ("handler failed: ", "system handler failed: ")

#   By the level's number in C.
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)

_EXIT_SECONDS = 1

#   A signal's handler may make a Worker while its thread is in `start`, which then goes on.
_lock = threading.RLock()
_starting = False
_thread: Optional[threading.Thread] = None


def report_failure(handler: Any, message: Any, error: BaseException) -> None:
    """Log what a handler raised, with its trace."""
    logger.error("handler %r failed on %r", handler, message, exc_info=error)


def _log_line(level: int, text: str) -> None:
    if text.startswith(_KNOWN):
        return
    try:
        logger.log(_LEVELS[level], "%s", text)
    except BaseException:   # of a logging handler: the next line is another's
        if logging.raiseExceptions:
            traceback.print_exc()


def _run() -> None:
    from muster import _core
    while (lines := _core.take_log()) is not None:
        for level, text in lines:
            _log_line(level, text)


def start() -> None:
    """See that the thread runs. Called where a Listener or a Worker is made."""
    global _starting, _thread
    with _lock:
        if _starting or _thread is not None:
            return
        _starting = True
        try:
            thread = threading.Thread(target=_run, name="muster-log", daemon=True)
            thread.start()
            _thread = thread
        finally:
            _starting = False


def end() -> None:
    """At the interpreter's exit: log what waits, for as long as a logging handler may take."""
    from muster import _core
    _core.end_log()
    #   Another thread may be in `start` now.
    if _lock.acquire(timeout=_EXIT_SECONDS):
        thread = _thread
        _lock.release()
        if thread is not None:
            thread.join(_EXIT_SECONDS)


def _after_fork() -> None:
    global _lock, _starting, _thread
    _lock = threading.RLock()
    _starting = False
    _thread = None


os.register_at_fork(after_in_child=_after_fork)
