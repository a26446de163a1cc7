"""100 MB float32 arrays from one process to another, in Python.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: PYTHONPATH=build/python python3 benchmarks/python/large.py muster|zmq

The receiver has each as a numpy array, looks at it, and lets it go. muster copies what it
sends, so that the sender may change it at once, confirms it, and would send it again;
pyzmq's zero-copy does not: it sends a head with dtype and shape, then the array's memory.
Prints one sample, as JSON.
"""
import json
import multiprocessing
import resource
import sys
import time
from typing import Any

import msgpack
import numpy as np
import zmq

import muster

ELEMENTS = 25_000_000
BYTES = 4 * ELEMENTS
LAST = (ELEMENTS - 1) % 1000
WARM = 4        # arrays before it counts: pages come from the system once, for those who use them again
COUNT = WARM + 6
ADDRESS = "tcp://127.0.0.1"


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Meter:
    """Looks at arrays: their rate after the first few, and the memory that the receiver needed."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.before = peak_memory()

    def see(self, array: np.ndarray) -> None:
        assert array.nbytes == BYTES and array[7] == 7 and array[-1] == LAST
        self.times.append(time.perf_counter())

    def result(self) -> dict[str, float]:
        """Arrays a second, and bytes of the peak beyond what there was before."""
        rate = (COUNT - WARM) / (self.times[-1] - self.times[WARM - 1])
        return {"rate": rate, "peak": peak_memory() - self.before}


def array() -> np.ndarray:
    return np.resize(np.arange(1000, dtype=np.float32), ELEMENTS)


def send_by_muster(pipe: Any) -> None:
    weights = array()
    with muster.Worker(pipe.recv(), source="worker") as worker:
        for _ in range(COUNT):
            worker.send("UPDATE", {"w": weights})


def receive_by_muster(pipe: Any) -> None:
    meter = Meter()
    with muster.Listener(f"{ADDRESS}:*") as listener:
        pipe.send(listener.endpoint)
        for message in listener.messages():
            meter.see(message.data["w"])
            if len(meter.times) == COUNT:
                break
    pipe.send(meter.result())


def send_by_zmq(pipe: Any) -> None:
    weights = array()
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.connect(pipe.recv())
        for _ in range(COUNT):
            push.send(msgpack.packb(["worker", "UPDATE", {"dtype": weights.dtype.str, "shape": weights.shape}]), zmq.SNDMORE)
            push.send(weights, copy=False)


def receive_by_zmq(pipe: Any) -> None:
    meter = Meter()
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.rcvhwm = 1
        pipe.send(f"{ADDRESS}:{pull.bind_to_random_port(ADDRESS)}")
        for _ in range(COUNT):
            _source, _cmd, head = msgpack.unpackb(pull.recv())
            frame = pull.recv(copy=False)
            meter.see(np.frombuffer(frame.buffer, dtype=head["dtype"]).reshape(head["shape"]))
            del frame
    pipe.send(meter.result())


def between(receive: Any, send: Any) -> dict[str, float]:
    """Two processes, each new, so that none has memory of a round before."""
    context = multiprocessing.get_context("spawn")
    ours, receivers = context.Pipe()
    senders, its = context.Pipe()
    receiver = context.Process(target=receive, args=(receivers,))
    sender = context.Process(target=send, args=(its,))
    receiver.start()
    sender.start()
    receivers.close()       # or the end of a receiver that fails would not show here
    senders.send(ours.recv())
    result: dict[str, float] = ours.recv()
    receiver.join()
    sender.join()
    return result


WAYS = {
    "muster": (receive_by_muster, send_by_muster),
    "zmq": (receive_by_zmq, send_by_zmq),
}

if __name__ == "__main__":
    print(json.dumps(between(*WAYS[sys.argv[1]])))
