"""A message listener for coordinators, over ZeroMQ.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

A coordinator has a `Listener`, each worker process a `Worker`:

    with muster.Listener("tcp://127.0.0.1:*") as listener:
        listener.wait_for_workers(2)
        for reply in listener.ask("TRAIN", {"round": 1}):
            print(reply.source, reply.data["loss"])

    with muster.Worker(endpoint, source="worker-1") as worker:
        for command in worker:
            command.reply("UPDATE", {"loss": 0.3})

Data is a dict of what msgpack knows, and of numpy arrays. Times are in seconds, sizes in bytes.
`muster.keys` makes the keys by which the two know each other where others can reach them.
`muster.aio` has the same for asyncio, `muster.fedflow` stands in for fedflow.core.message.
"""
import atexit
import multiprocessing
import multiprocessing.util
import os

from muster import _core, _log, keys
from muster._core import (
    Access,
    Again,
    Ask,
    Busy,
    Closed,
    Deadlock,
    End,
    Endpoint,
    Error,
    Exists,
    Forked,
    Format,
    Full,
    InUse,
    Interrupted,
    Invalid,
    Late,
    Left,
    Lost,
    Message,
    NoMemory,
    NotFound,
    Rejected,
    Replaced,
    Reserved,
    Resource,
    Revoked,
    System,
    Timeout,
    TooBig,
    Type,
    Version,
)
from muster._ext import Ext
from muster._listener import Listener
from muster._stats import Stats, WorkerStats
from muster._worker import Worker

__version__: str = _core.version

__all__ = [
    "Access", "Again", "Ask", "Busy", "Closed", "Deadlock", "End", "Endpoint", "Error", "Exists",
    "Ext", "Forked", "Format", "Full", "InUse", "Interrupted", "Invalid", "Late", "Left", "Listener",
    "Lost", "Message", "NoMemory", "NotFound", "Rejected", "Replaced", "Reserved", "Resource",
    "Revoked", "Stats", "System", "Timeout", "TooBig", "Type", "Version", "Worker", "WorkerStats", "__version__",
]

os.register_at_fork(after_in_child=_core.after_fork)


def _end() -> None:
    _core.end_all()
    _log.end()


def _end_with_child(*_: object) -> None:
    #   multiprocessing's children do not run what atexit has. Low: after they joined their own.
    multiprocessing.util.Finalize(None, _end, exitpriority=-10)


atexit.register(_end)
multiprocessing.util.register_after_fork(_end_with_child, _end_with_child)
if multiprocessing.parent_process() is not None:
    _end_with_child()
