"""The worker processes: start them, kill one, see them off.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import worker

PROGRAM = Path(__file__).resolve().with_name("worker.py")
#   The processes are many already: one thread of the linear algebra in each.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
END = 5         # seconds that workers which were sent home may take


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off to the end."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


class Crew:
    """Ends all it has started when its `with` ends: waits for workers that were
    sent home, and kills them at once if an exception ends it."""

    def __init__(self, endpoint: str, keys: Path, shares: int, seed: int) -> None:
        self.endpoint = endpoint
        self.keys = keys
        self.shares = shares
        self.seed = seed
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, number: int) -> None:
        source = worker.name(number)
        #   In a session of their own, workers do not get the terminal's Ctrl-C;
        #   and the coordinator gets it only once it knows whom to end.
        with uninterrupted():
            self.processes[source] = subprocess.Popen(
                [sys.executable, PROGRAM, self.endpoint, self.keys, str(number), str(self.shares),
                 "--seed", str(self.seed)],
                env=os.environ | ENVIRONMENT, stdin=subprocess.DEVNULL, start_new_session=True)

    def freeze(self, source: str) -> None:
        self.processes[source].send_signal(signal.SIGSTOP)

    def kill(self, source: str) -> None:
        process = self.processes.pop(source)
        process.kill()
        process.wait()

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        for source, process in self.processes.items():
            if kind:
                process.kill()
            try:
                process.wait(END)
            except subprocess.TimeoutExpired:
                print(f"federated: {source} does not go home and is killed", file=sys.stderr)
                process.kill()
                process.wait()
