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


def save(path: Path, state: object) -> None:
    """The file is replaced as a whole: who is killed meanwhile leaves the old one."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(path)


def coordinate(endpoint: str, path: Path, dies_at: int) -> None:
    state = json.loads(path.read_text()) if path.exists() else {"sum": 0, "positions": {}}
    with muster.Listener(endpoint) as listener:
        print(listener.endpoint, flush=True)
        for message in listener.messages():
            if message.position > state["positions"].get(message.session, 0):   # or it has come again
                state["sum"] += message.data["n"]
                state["positions"][message.session] = message.position
                save(path, state)
            if message.position == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if message.position == COUNT:
                break
    print(f"resumed: sum {state['sum']}")


def start(*arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "state.json")
        first = start("tcp://127.0.0.1:*", path, DIES_AT)
        endpoint = first.stdout.readline().strip()
        with muster.Worker(endpoint, "worker-1") as worker:
            for n in range(1, COUNT + 1):
                worker.send("NUMBER", {"n": n})
            first.communicate()     # returns when it is dead
            print("killed with", json.loads(path.read_text())["sum"], "of", COUNT * (COUNT + 1) // 2)
            second = start(endpoint, path, 0)
            worker.flush(timeout=30)
        print(second.communicate()[0].splitlines()[1])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        coordinate(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
