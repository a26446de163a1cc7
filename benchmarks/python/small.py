"""Small messages from one process to a handler in another, in Python.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: PYTHONPATH=build/python python3 benchmarks/python/small.py muster|zmq|queue|grpc [COUNT]

Each message is [source of 36 characters, cmd, map of three]. Its source is looked
up, its handler called with its data. muster scans each message, confirms it,
and would send it again; the others do not. Prints one sample, as JSON.
"""
import json
import multiprocessing
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any

SOURCE = "0f8fad5b-d9cb-469f-a165-70867728950e"
CMD = "PROGRESS"
DATA = {"epoch": 12, "loss": 0.5, "samples": 1200}
ADDRESS = "tcp://127.0.0.1"

Tuple = namedtuple("Tuple", ["source", "cmd", "data"])


class Handler:
    """Adds up what it is given, and tells how fast it came after the first."""

    def __init__(self, count: int) -> None:
        self.count = self.left = count
        self.begun = 0.0
        self.total = 0.0
        self.rate = 0.0
        self.done = threading.Event()

    def __call__(self, data: dict[str, Any]) -> None:
        if not self.begun:
            self.begun = time.perf_counter()
        self.total += data["loss"]
        self.left -= 1
        if not self.left:
            self.rate = (self.count - 1) / (time.perf_counter() - self.begun)
            self.done.set()


def start(target: Any, *arguments: Any) -> multiprocessing.Process:
    process = multiprocessing.Process(target=target, args=arguments)
    process.start()
    return process


def end(process: multiprocessing.Process) -> None:
    process.join()
    if process.exitcode:
        sys.exit("the sender failed")


def send_by_muster(endpoint: str, count: int) -> None:
    import muster
    with muster.Worker(endpoint, source=SOURCE) as worker:
        for _ in range(count):
            worker.send(CMD, DATA)


def by_muster(handler: Handler) -> None:
    import muster
    with muster.Listener(f"{ADDRESS}:*") as listener:
        listener.register_handler(SOURCE, lambda message: handler(message.data))
        process = start(send_by_muster, listener.endpoint, handler.count)
        handler.done.wait()
        end(process)


def send_by_zmq(endpoint: str, count: int) -> None:
    import msgpack
    import zmq
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.connect(endpoint)
        for _ in range(count):
            push.send(msgpack.packb([SOURCE, CMD, DATA]))


def by_zmq(handler: Handler) -> None:
    import msgpack
    import zmq
    handlers = {SOURCE: handler}
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        port = pull.bind_to_random_port(ADDRESS)
        process = start(send_by_zmq, f"{ADDRESS}:{port}", handler.count)
        while not handler.done.is_set():
            source, _cmd, data = msgpack.unpackb(pull.recv())
            handlers[source](data)
        end(process)


def send_by_queue(queue: Any, count: int) -> None:
    for _ in range(count):
        queue.put(Tuple(SOURCE, CMD, DATA))


def by_queue(handler: Handler) -> None:
    handlers = {SOURCE: handler}
    queue: Any = multiprocessing.Queue()
    process = start(send_by_queue, queue, handler.count)
    while not handler.done.is_set():
        message = queue.get()
        handlers[message.source](message.data)
    end(process)


def send_by_grpc(port: int, count: int) -> None:
    import grpc
    import msgpack

    def messages() -> Iterator[bytes]:
        for _ in range(count):
            yield msgpack.packb([SOURCE, CMD, DATA])

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        channel.stream_unary("/benchmark/Send")(messages())     # its answer says that all were handled


def by_grpc(handler: Handler) -> None:
    import grpc
    import msgpack
    from concurrent import futures
    handlers = {SOURCE: handler}

    def receive(messages: Iterator[bytes], _context: Any) -> bytes:
        for message in messages:
            source, _cmd, data = msgpack.unpackb(message)
            handlers[source](data)
        return b""

    methods = {"Send": grpc.stream_unary_rpc_method_handler(receive)}   # no serializers: bytes as they are
    ready, went = multiprocessing.Pipe()
    process = start(wait_and_send_by_grpc, went, handler.count)     # gRPC does not survive a fork: before it starts
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("benchmark", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ready.send(port)
    handler.done.wait()
    end(process)
    server.stop(None)


def wait_and_send_by_grpc(ready: Any, count: int) -> None:
    send_by_grpc(ready.recv(), count)


#   Some are slower: the same seconds, about.
WAYS: dict[str, tuple[Callable[[Handler], None], int]] = {
    "muster": (by_muster, 400_000),
    "zmq": (by_zmq, 200_000),
    "queue": (by_queue, 40_000),
    "grpc": (by_grpc, 6_000),
}

if __name__ == "__main__":
    way, count = WAYS[sys.argv[1]]
    handler = Handler(int(sys.argv[2]) if len(sys.argv) > 2 else count)
    way(handler)
    print(json.dumps({"rate": handler.rate}))
