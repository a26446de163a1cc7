"""A coordinator that is killed, and one that resumes with nothing lost and nothing counted twice.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: PYTHONPATH=build/python python3 examples/python/resume.py

What a coordinator had handled and not yet reported comes again to the one after it. So it
saves, with what it has computed, the position of each session's last message.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import muster

COUNT, DIES_AT = 1000, 400


class State:
    """A sum, and how far it has come. In a file that is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        saved = json.loads(path.read_text()) if path.exists() else {"sum": 0, "positions": {}}
        self.sum, self.positions = saved["sum"], saved["positions"]

    def add(self, message: muster.Message) -> None:
        if message.position <= self.positions.get(message.session, 0):
            return      # it came again
        self.sum += message.data["n"]
        self.positions[message.session] = message.position
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"sum": self.sum, "positions": self.positions}))
        new.replace(self.path)


def coordinate(endpoint: str, path: Path, dies_at: int) -> None:
    state = State(path)

    def handle(message: muster.Message) -> None:
        state.add(message)
        if message.position == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    listener = muster.Listener(endpoint)
    listener.register_default_handler(handle)
    with listener:
        print(listener.endpoint, flush=True)
        sys.stdin.read()    # until its parent has nothing more for it
    print(f"sum {state.sum}", flush=True)


def start(endpoint: str, path: Path, dies_at: int) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, __file__, endpoint, str(path), str(dies_at)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "state.json")
        with start("tcp://127.0.0.1:*", path, DIES_AT) as first:
            endpoint = first.stdout.readline().strip()
            worker = muster.Worker(endpoint, "worker-1")
            for n in range(1, COUNT + 1):
                worker.send("NUMBER", {"n": n})
            first.wait()
        print(f"killed with {State(path).sum} of {COUNT * (COUNT + 1) // 2}")
        second = start(endpoint, path, dies_at=0)
        with worker:
            worker.flush(timeout=30)
        print("resumed:", second.communicate()[0].splitlines()[1])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        coordinate(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
