"""Small messages from one process to a handler in another, in Python.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: PYTHONPATH=build/python python3 benchmarks/python/small_messages.py [ROUNDS]

Each message is [source of 36 characters, cmd, map of three]. Its source is looked
up, its handler called with its data. muster scans each message, confirms it,
and would send it again; the others do not.
"""
import multiprocessing
import sys
import threading
import time
from collections import namedtuple
from typing import Any

import msgpack
import zmq

import muster
from side_by_side import Way, measure, table

SOURCE = "0f8fad5b-d9cb-469f-a165-70867728950e"
CMD = "PROGRESS"
DATA = {"epoch": 3, "loss": 0.25, "accuracy": 0.5}
COUNT = 300_000
QUEUE_COUNT = 60_000    # a queue is slower: the same seconds, about

Tuple = namedtuple("Tuple", ["source", "cmd", "data"])


class Handler:
    """Adds up what it is given, and tells how fast it came after the first."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.begun = 0.0
        self.total = 0.0
        self.done = threading.Event()

    def __call__(self, data: dict[str, Any]) -> None:
        if not self.begun:
            self.begun = time.perf_counter()
            self.count = self.left
        self.total += data["loss"]
        self.left -= 1
        if not self.left:
            self.rate = self.count / (time.perf_counter() - self.begun)
            self.done.set()


def start(target: Any, *arguments: Any) -> multiprocessing.Process:
    process = multiprocessing.Process(target=target, args=arguments)
    process.start()
    return process


def send_by_muster(endpoint: str) -> None:
    with muster.Worker(endpoint, source=SOURCE) as worker:
        for _ in range(COUNT):
            worker.send(CMD, DATA)


def by_muster() -> float:
    handler = Handler(COUNT)
    with muster.Listener("tcp://127.0.0.1:*") as listener:
        listener.register_handler(SOURCE, lambda message: handler(message.data))
        process = start(send_by_muster, listener.endpoint)
        handler.done.wait()
        process.join()
    return handler.rate


def send_by_zmq(endpoint: str) -> None:
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.connect(endpoint)
        for _ in range(COUNT):
            push.send(msgpack.packb([SOURCE, CMD, DATA]))


def by_zmq() -> float:
    handler = Handler(COUNT)
    handlers = {SOURCE: handler}
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        port = pull.bind_to_random_port("tcp://127.0.0.1")
        process = start(send_by_zmq, f"tcp://127.0.0.1:{port}")
        while not handler.done.is_set():
            source, _cmd, data = msgpack.unpackb(pull.recv())
            handlers[source](data)
        process.join()
    return handler.rate


def send_by_queue(queue: Any) -> None:
    for _ in range(QUEUE_COUNT):
        queue.put(Tuple(SOURCE, CMD, DATA))


def by_queue() -> float:
    handler = Handler(QUEUE_COUNT)
    handlers = {SOURCE: handler}
    queue: Any = multiprocessing.Queue()
    process = start(send_by_queue, queue)
    while not handler.done.is_set():
        message = queue.get()
        handlers[message.source](message.data)
    process.join()
    return handler.rate


WAYS = [
    Way("muster", by_muster),
    Way("pyzmq + msgpack, by hand", by_zmq),
    Way("multiprocessing.Queue of named tuples", by_queue),
]

if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(table(f"small messages, Python to Python over tcp, medians of {rounds}", "messages/s",
                WAYS, measure(WAYS, rounds)))
