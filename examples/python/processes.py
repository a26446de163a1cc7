"""Worker processes by multiprocessing, under fork or spawn.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: PYTHONPATH=build/python python3 examples/python/processes.py [fork | spawn]

A worker belongs to the process that makes it: each child makes its own.
"""
import multiprocessing
import sys

import muster
import numpy as np

WORKERS = 3
SECONDS = 30


def work(endpoint: str, number: int) -> None:
    with muster.Worker(endpoint, f"worker-{number}") as worker:
        share = np.arange(number * 1000)
        for command in worker:
            if command.cmd == "STOP":
                break
            command.reply("SUM", {"sum": share.sum() * command.data["factor"], "n": len(share)})


def coordinate(listener: muster.Listener) -> None:
    listener.wait_for_workers(WORKERS, timeout=SECONDS)
    total, count = 0, 0
    for reply in listener.ask("SUM", {"factor": 2}, timeout=SECONDS):
        total += reply.data["sum"]
        count += reply.data["n"]
    print(f"{count} numbers, sum {total}")
    listener.broadcast("STOP")


def main(method: str) -> None:
    context = multiprocessing.get_context(method)
    with muster.Listener("tcp://127.0.0.1:*") as listener:
        children = [context.Process(target=work, args=(listener.endpoint, number))
                    for number in range(1, WORKERS + 1)]
        for child in children:
            child.start()
        coordinate(listener)
        for child in children:
            child.join()


if __name__ == "__main__":
    main(*sys.argv[1:] or ["spawn"])
